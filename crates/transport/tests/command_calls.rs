//! Calls as commands over a WebSocket that is logged on: what is sent, what a reply is, and what happens when a connection ends.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_websockets::{Message, ServerBuilder};
use venuekit_auth::described::{DescribedSigner, SigningKey};
use venuekit_transport::client::{Call, JsonBody, Session};
use venuekit_transport::{
    ClientBuilder, Connect, Credentials, Error, ErrorKind, Event, RateLimits, Response, RetryPolicy, Timeouts,
    WebSocketOptions,
};
use venuekit_wire::operation::{
    Bucket, CommandLogon, Commands, Errors, FailedValue, FailedWhen, Key, Limit, OnConnection, Operation, Ping, Rate,
    RateHeaders, Reconcile, Retry, Tier, Venue, VenueTime, WebSocket,
};
use venuekit_wire::signature::{Algorithm, Encoding, KeyType, Piece, Place, Signature, SigningRule, TimeUnit};
use venuekit_wire::stream::ParameterKind;

const RULES: &[SigningRule] = &[SigningRule {
    key: KeyType::Shared,
    algorithm: Algorithm::HmacSha256,
    encoding: Encoding::Hex,
    is_unsure: false,
}];

/// That of requests, which no command carries.
static REQUESTS: Signature = Signature {
    name: "signature",
    text: &[Piece::Time, Piece::Body],
    separator: "",
    end: "",
    time: TimeUnit::Millis,
    ahead_millis: 0,
    keys: RULES,
    fields: &[("X-KEY", "{id}"), ("X-SIGN", "{signature}")],
    place: Place::Headers,
    adds: &[],
};

static LOGON: Signature = Signature {
    name: "stream",
    text: &[Piece::Text("GET/realtime"), Piece::Time],
    ahead_millis: 10_000,
    fields: &[("X-Stream-Key", "{id}"), ("X-Stream-Expires", "{time}"), ("X-Stream-Sign", "{signature}")],
    ..REQUESTS
};

const ROW: Operation = Operation {
    method: "POST",
    access: &[&["signature"]],
    retry: Retry::Never,
    reconcile: Some(Reconcile { operation: "open_orders", by: &[] }),
    venue_time: Some(VenueTime { at: "/time", per_second: 1000 }),
    rate: &[Rate::new("orders", 1)],
    ..Operation::EMPTY
};

static VENUE: Venue = Venue {
    name: "venue",
    operations: &[
        Operation { id: "cancel", path: "/cancel", rpc_method: Some("order.cancel"), ..ROW },
        Operation {
            id: "log_on",
            path: "/log_on",
            access: &[&["stream"]],
            retry: Retry::Safe,
            on_connection: Some(OnConnection { only: true, ..OnConnection::NONE }),
            rpc_method: Some("auth"),
            rate: &[],
            venue_time: None,
            ..ROW
        },
        Operation { id: "open_orders", path: "/open", method: "GET", retry: Retry::Safe, ..ROW },
        Operation { id: "place", path: "/order", rpc_method: Some("order.create"), ..ROW },
        Operation {
            id: "place_keyed",
            path: "/order",
            retry: Retry::Keyed(Key::Field("orderLinkId")),
            rpc_method: Some("order.create"),
            ..ROW
        },
        Operation {
            id: "time",
            path: "/time",
            method: "GET",
            access: &[&[]],
            retry: Retry::Safe,
            rpc_method: Some("time"),
            rate: &[],
            ..ROW
        },
    ],
    errors: Errors {
        code: &["/retCode"],
        message: &["/retMsg"],
        request_id_header: Some("Traceid"),
        failed_when: &[FailedWhen { at: "/retCode", value: FailedValue::IsNot("0") }],
        kinds: &[
            ("10001", ErrorKind::InvalidRequest),
            ("10002", ErrorKind::Clock),
            ("10004", ErrorKind::Unauthorized),
            ("10006", ErrorKind::RateLimited),
            ("10016", ErrorKind::Server),
            ("10019", ErrorKind::Maintenance),
            ("20001", ErrorKind::Conflict),
        ],
        not_processed: &["10002", "10004", "10006", "10019"],
        outcome_unknown: &["10016"],
        ..Errors::EMPTY
    },
    buckets: &[Bucket {
        name: "orders",
        tiers: &[Tier { name: "default", limits: &[Limit::Window { count: 10, seconds: 1 }] }],
        per_path: false,
    }],
    rate_headers: &[RateHeaders::Left {
        bucket: None,
        remaining: "x-limit-status",
        reset: "x-limit-reset",
        per_second: 1000,
    }],
    websocket: Some(WebSocket {
        ping: Some(Ping { every: 20, message: r#"{"op":"ping"}"# }),
        commands: Some(Commands {
            id: "reqId",
            command: "op",
            arguments: "args",
            headers: "header",
            adds: &[("X-TIMESTAMP", "{time}"), ("X-RECV-WINDOW", "5000")],
            body: &[
                ("retCode", "/retCode"),
                ("retMsg", "/retMsg"),
                ("result", "/data"),
                ("retExtInfo", "/retExtInfo"),
                ("time", "/header/Timenow"),
            ],
            quiet: &["pong"],
            closing: &["10019"],
            logon: CommandLogon {
                operation: "log_on",
                credential: "stream",
                values: &[
                    ("x-stream-key", ParameterKind::Text),
                    ("x-stream-expires", ParameterKind::Integer),
                    ("x-stream-sign", ParameterKind::Text),
                ],
                done: &["20001"],
            },
        }),
        ..WebSocket::EMPTY
    }),
    ..Venue::EMPTY
};

struct Client(Session);

impl Connect for Client {
    const VENUE: &'static Venue = &VENUE;

    fn connect(session: Session) -> Self {
        Self(session)
    }
}

const ORDER: &str = r#"{"symbol":"１２３","qty":"0.010","price":null,"nested":{"a":[1.50]}}"#;

impl Client {
    async fn call(&self, id: &str) -> Result<Response, Error> {
        let row = VENUE.operation(id).unwrap();
        let call = Call::new(row);
        let call = if row.method == "POST" { call.body(JsonBody::new(row, ORDER).unwrap()) } else { call };
        self.0.send(call).await
    }

    async fn place(&self) -> Result<Response, Error> {
        self.call("place").await
    }
}

/// What a server has received, as text, with the number of the connection.
type Heard = Arc<Mutex<Vec<(u64, String)>>>;

/// What a server does with a request: replies to send, or none to close the connection.
type Does = dyn Fn(u64, &Value) -> Option<Vec<Value>> + Send + Sync;

async fn serve(does: impl Fn(u64, &Value) -> Option<Vec<Value>> + Send + Sync + 'static) -> (String, Heard) {
    serve_at(0, does).await
}

/// A server whose clock is ahead by so many seconds, as its handshake says.
async fn serve_at(
    ahead: u64,
    does: impl Fn(u64, &Value) -> Option<Vec<Value>> + Send + Sync + 'static,
) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v5/trade", listener.local_addr().unwrap());
    let (heard, does): (Heard, Arc<Does>) = (Heard::default(), Arc::new(does));
    let log = heard.clone();
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            number += 1;
            tokio::spawn(connection(stream, number, ahead, log.clone(), does.clone()));
        }
    });
    (url, heard)
}

async fn connection(stream: TcpStream, number: u64, ahead: u64, log: Heard, does: Arc<Does>) {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(ahead)).parse().unwrap();
    let server = ServerBuilder::new().add_header(http::header::DATE, date).unwrap();
    let Ok((_, mut stream)) = server.accept(stream).await else { return };
    while let Some(Ok(message)) = stream.next().await {
        let Some(text) = message.as_text() else { continue };
        log.lock().unwrap().push((number, text.to_owned()));
        let Some(replies) = does(number, &serde_json::from_str(text).unwrap()) else { return };
        for reply in replies {
            // A text is sent as it is.
            let reply = reply.as_str().map_or_else(|| reply.to_string(), str::to_owned);
            stream.send(Message::text(reply)).await.unwrap();
        }
    }
}

fn commands(heard: &Heard) -> Vec<(u64, String)> {
    let name = |text: &str| serde_json::from_str::<Value>(text).unwrap()["op"].as_str().unwrap().to_owned();
    heard.lock().unwrap().iter().map(|(number, text)| (*number, name(text))).collect()
}

fn requests(heard: &Heard, command: &str) -> Vec<Value> {
    let all = heard.lock().unwrap();
    let all = all.iter().map(|(_, text)| serde_json::from_str::<Value>(text).unwrap());
    all.filter(|request| request["op"] == command).collect()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn reply(request: &Value, code: i64, data: Value) -> Option<Vec<Value>> {
    let mut reply = json!({
        "reqId": request["reqId"], "retCode": code, "retMsg": if code == 0 { "OK" } else { "no" }, "op": request["op"],
        "connId": "c1",
    });
    if request["op"] != "auth" {
        reply["data"] = data;
        reply["retExtInfo"] = json!({});
        reply["header"] = json!({"Traceid": "trace-1", "Timenow": now().to_string(), "bad name": "x"});
    }
    Some(vec![reply])
}

fn ok(request: &Value) -> Option<Vec<Value>> {
    reply(request, 0, json!({"orderId": "5"}))
}

fn builder(url: &str) -> ClientBuilder<Client> {
    let secret = || SigningKey::Shared("a-secret-of-the-test".into());
    let credentials = Credentials::none().signer("signature", DescribedSigner::new(&REQUESTS, "me", secret()).unwrap());
    let credentials = credentials.signer("stream", DescribedSigner::new(&LOGON, "me", secret()).unwrap());
    let timeouts = Timeouts::default().with_attempt(Duration::from_secs(20));
    let builder = ClientBuilder::new(url).credentials(credentials).timeouts(timeouts);
    builder.retry(RetryPolicy::none()).rate_limits(RateLimits::none())
}

fn quick() -> WebSocketOptions {
    WebSocketOptions::new().reconnect(Duration::from_millis(1), Duration::from_millis(5))
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn a_call_is_a_command_on_a_connection_that_is_logged_on_once() {
    let (url, heard) = serve(|_, request| ok(request)).await;
    let client = builder(&url).build().unwrap();
    let before = now();
    let response = client.place().await.unwrap();
    client.call("cancel").await.unwrap();
    let all = commands(&heard);
    assert_eq!(all, ["auth", "order.create", "order.cancel"].map(|name| (1, name.to_owned())));

    let logon = &requests(&heard, "auth")[0];
    let expires = logon["args"][1].as_i64().expect("a number");
    assert!((before + 10_000..=now() + 10_000).contains(&expires), "{logon}");
    let signer = DescribedSigner::new(&LOGON, "me", SigningKey::Shared("a-secret-of-the-test".into())).unwrap();
    let parts = venuekit_auth::Parts::new("GET", "", b"");
    let signed = venuekit_auth::Signer::sign(&signer, &parts, expires - 10_000).unwrap();
    assert_eq!(signed.string_to_sign().unwrap(), format!("GET/realtime{expires}"));
    let signature = std::str::from_utf8(signed.headers()[2].1.as_bytes()).unwrap();
    assert_eq!((&logon["args"][0], &logon["args"][2]), (&json!("me"), &json!(signature)));
    assert!(logon.get("header").is_none(), "{logon}");

    let order = &requests(&heard, "order.create")[0];
    let time: i64 = order["header"]["X-TIMESTAMP"].as_str().expect("a text").parse().unwrap();
    assert!((before..=now()).contains(&time), "{order}");
    assert_eq!(order["header"]["X-RECV-WINDOW"], "5000");
    let text = heard.lock().unwrap()[1].1.clone();
    assert!(text.ends_with(&format!(r#","args":[{ORDER}]}}"#)), "the body of HTTP, as it is written: {text}");
    assert!(!text.contains("me\""), "nothing but the log-on says who calls: {text}");

    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!((&body["retCode"], &body["result"]["orderId"]), (&json!(0), &json!("5")));
    assert!(body["time"].is_string() && body.get("connId").is_none() && body.get("header").is_none(), "{body}");
    assert_eq!(response.headers()["traceid"], "trace-1");
}

#[tokio::test]
async fn ids_are_texts_that_no_other_connection_has_used() {
    let (url, heard) = serve(|_, request| ok(request)).await;
    for _ in 0..2 {
        let client = builder(&url).build().unwrap();
        client.place().await.unwrap();
        client.place().await.unwrap();
    }
    let mut ids: Vec<String> = ["auth", "order.create"]
        .iter()
        .flat_map(|name| requests(&heard, name))
        .map(|request| request["reqId"].as_str().expect("a text").to_owned())
        .collect();
    assert!(ids.iter().all(|id| (1..=36).contains(&id.len())), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[tokio::test]
async fn a_refused_log_on_is_the_error_of_the_calls_that_need_it() {
    let (url, heard) = serve(|_, request| reply(request, 10004, json!({}))).await;
    let client = builder(&url).build().unwrap();
    let error = client.place().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some("10004")), "{error}");
    assert!(error.is_login_failure() && !error.may_have_been_applied(), "{error}");
    assert_eq!(commands(&heard), [(1, "auth".to_owned())], "no order is sent");
}

#[tokio::test]
async fn a_connection_that_is_logged_on_already_is_good() {
    let (url, _) = serve(|_, request| match request["op"].as_str() {
        Some("auth") => reply(request, 20001, json!({})),
        _ => ok(request),
    })
    .await;
    let client = builder(&url).build().unwrap();
    client.place().await.unwrap();
    let error = client.call("log_on").await.unwrap_err();
    assert_eq!(error.code(), Some("20001"), "a log-on of the caller's own says so: {error}");
}

#[tokio::test]
async fn a_failure_is_what_it_is_over_http() {
    for (code, kind, is_unknown) in [
        (10001, ErrorKind::InvalidRequest, false),
        (10006, ErrorKind::RateLimited, false),
        (10016, ErrorKind::Server, true),
        (99999, ErrorKind::Other, false),
    ] {
        let (url, _) = serve(move |_, request| match request["op"].as_str() {
            Some("auth") => ok(request),
            _ => reply(request, code, json!({})),
        })
        .await;
        let error = builder(&url).build().unwrap().place().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, Some(code.to_string().as_str())), "{error}");
        assert_eq!((error.message(), error.request_id()), ("no", Some("trace-1")), "{error}");
        assert_eq!((error.may_have_been_applied(), error.status()), (is_unknown, None), "{error}");
        assert_eq!(error.reconcile_with(), Some("open_orders"), "{error}");
    }
    // Replies that do not show what was done.
    for members in [json!({}), json!({"header": {"Timenow": "1"}}), json!({"data": {"orderId": "o-1"}})] {
        let (url, _) = serve(move |_, request| match request["op"].as_str() {
            Some("auth") => ok(request),
            _ => {
                let mut reply = json!({"reqId": request["reqId"], "connId": "c1"});
                reply.as_object_mut()?.extend(members.as_object()?.clone());
                Some(vec![reply])
            }
        })
        .await;
        let error = builder(&url).build().unwrap().place().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(error.may_have_been_applied(), "{error}");
    }
}

#[tokio::test]
async fn a_reply_that_contradicts_itself_does_not_say_what_was_done() {
    let (url, _) = serve(|_, request| match request["op"].as_str() {
        Some("auth") => ok(request),
        _ => {
            let id = &request["reqId"];
            Some(vec![json!(format!(r#"{{"reqId":{id},"retCode":110007,"retCode":0,"data":{{"orderId":"5"}}}}"#))])
        }
    })
    .await;
    let error = builder(&url).build().unwrap().place().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn more_headers_than_a_map_holds_end_no_connection() {
    let (url, heard) = serve(|_, request| {
        let mut replies = ok(request)?;
        if request["op"] != "auth" {
            let headers = replies[0]["header"].as_object_mut()?;
            headers.extend((0..40_000).map(|number| (format!("x-{number}"), json!("1"))));
        }
        Some(replies)
    })
    .await;
    let client = builder(&url).build().unwrap();
    for _ in 0..2 {
        client.place().await.unwrap();
    }
    assert!(commands(&heard).iter().all(|(connection, _)| *connection == 1), "one connection");
}

#[tokio::test]
async fn limits_in_the_headers_of_a_reply_hold_calls_back() {
    let (url, heard) = serve(|_, request| {
        let mut replies = ok(request)?;
        if request["op"] != "auth" {
            replies[0]["header"]["X-Limit-Status"] = json!("0");
            replies[0]["header"]["X-Limit-Reset"] = json!((now() + 60_000).to_string());
        }
        Some(replies)
    })
    .await;
    let client = builder(&url).rate_limits(RateLimits::new()).rate_wait(Duration::ZERO).build().unwrap();
    client.place().await.unwrap();
    let error = client.place().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    assert!(error.message().starts_with("not sent") && !error.may_have_been_applied(), "{error}");
    assert_eq!(commands(&heard).len(), 2, "the second order is not sent");
}

#[tokio::test]
async fn a_lost_connection_is_logged_on_again_before_any_order_goes_over_it() {
    let (url, heard) = serve(|number, request| match (number, request["op"].as_str()) {
        (1, Some("order.create")) => None,
        _ => ok(request),
    })
    .await;
    let client = builder(&url).websocket(quick()).build().unwrap();
    let error = client.place().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(error.may_have_been_applied() && error.reconcile_with() == Some("open_orders"), "{error}");
    client.place().await.unwrap();
    let expected = [(1, "auth"), (1, "order.create"), (2, "auth"), (2, "order.create")];
    assert_eq!(commands(&heard), expected.map(|(number, name)| (number, name.to_owned())));
}

#[tokio::test]
async fn a_log_on_that_fails_after_a_lost_order_does_not_say_that_the_order_failed() {
    let (url, heard) = serve(|number, request| match (number, request["op"].as_str()) {
        (1, Some("order.create")) => None,
        (2, Some("auth")) => reply(request, 10004, json!({})),
        _ => ok(request),
    })
    .await;
    let client = builder(&url).websocket(quick()).retry(RetryPolicy::default()).build().unwrap();
    let error = client.call("place_keyed").await.unwrap_err();
    let expected = [(1, "auth"), (1, "order.create"), (2, "auth")];
    assert_eq!(commands(&heard), expected.map(|(number, name)| (number, name.to_owned())));
    assert!(error.may_have_been_applied() && !error.is_retryable(), "{error}");
    assert_eq!((error.operation(), error.reconcile_with()), (Some("place_keyed"), Some("open_orders")), "{error}");
    assert_eq!((error.kind(), error.code(), error.attempts()), (ErrorKind::Unauthorized, Some("10004"), 2), "{error}");
    assert!(error.is_login_failure() && error.message().contains("`log_on`"), "{error}");
    assert_eq!(error.raw_body(), None, "the response to the log-on is none to the order");
    assert!(error.idempotency_key().is_some(), "{error:?}");
}

#[tokio::test]
async fn another_connection_takes_the_place_of_one_that_takes_no_more_calls() {
    let events: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = events.clone();
    let options = quick().on_event(move |event| match event {
        Event::Opened { number, .. } => seen.lock().unwrap().push(format!("opened {number}")),
        Event::Lost { number, .. } => seen.lock().unwrap().push(format!("lost {number}")),
        _ => {}
    });
    let (url, heard) = serve(|number, request| match (number, request["op"].as_str()) {
        (1, Some("order.create")) => reply(request, 10019, json!({})),
        _ => ok(request),
    })
    .await;
    let client = builder(&url).websocket(options).build().unwrap();
    let error = client.place().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Maintenance, "{error}");
    assert!(!error.may_have_been_applied(), "{error}");
    until("another connection is open", || client.0.websocket().unwrap().stats().opened == 2).await;
    client.place().await.unwrap();
    assert_eq!(client.0.websocket().unwrap().stats().lost, 0, "the old one may still have calls");
    let expected = [(1, "auth"), (1, "order.create"), (2, "auth"), (2, "order.create")];
    assert_eq!(commands(&heard), expected.map(|(number, name)| (number, name.to_owned())));
    assert_eq!(*events.lock().unwrap(), ["opened 1", "opened 2"]);

    // It was not processed, so it may be sent again.
    let (url, heard) = serve(|number, request| match (number, request["op"].as_str()) {
        (1, Some("order.create")) => reply(request, 10019, json!({})),
        _ => ok(request),
    })
    .await;
    let policy = RetryPolicy::default().with_attempts(50).with_longest_wait(Duration::from_millis(500));
    builder(&url).websocket(quick()).retry(policy).build().unwrap().place().await.unwrap();
    let orders = commands(&heard).into_iter().filter(|(_, name)| name == "order.create");
    assert_eq!(orders.filter(|(number, _)| *number == 2).count(), 1);
}

#[tokio::test]
async fn a_venue_that_wants_pings_is_sent_some_and_its_pongs_are_for_nobody() {
    let (url, heard) = serve(|_, request| match request["op"].as_str() {
        Some("ping") => Some(vec![json!({"op": "pong", "retCode": 0, "retMsg": "OK", "data": ["1"], "connId": "c1"})]),
        _ => ok(request),
    })
    .await;
    let client = builder(&url).websocket(quick().heartbeat(Some(Duration::from_secs(1)))).build().unwrap();
    client.place().await.unwrap();
    until("there are pings", || commands(&heard).iter().filter(|(_, name)| name == "ping").count() == 2).await;
    let ping = heard.lock().unwrap().iter().find(|(_, text)| text.contains("ping")).unwrap().1.clone();
    assert_eq!(ping, r#"{"op":"ping"}"#, "as the spec has it");
    client.place().await.unwrap();
    let stats = client.0.websocket().unwrap().stats();
    assert_eq!((stats.opened, stats.unasked_answers, stats.unreadable_messages), (1, 0, 0));
}

#[tokio::test]
async fn strange_messages_are_counted_and_break_nothing() {
    let (url, _) = serve(|_, request| {
        let mut replies = ok(request)?;
        replies.insert(0, json!({"reqId": "nobody", "retCode": 0, "op": "order.create", "data": {}}));
        replies.insert(0, json!({"op": "weather", "data": {}}));
        replies.insert(0, json!([1]));
        Some(replies)
    })
    .await;
    let client = builder(&url).build().unwrap();
    client.call("time").await.unwrap();
    let stats = client.0.websocket().unwrap().stats();
    assert_eq!((stats.unasked_answers, stats.unreadable_messages), (2, 1));
}

#[tokio::test]
async fn the_log_on_goes_by_the_clock_of_the_handshake() {
    // The venue does not say that the time of a log-on was the reason.
    let (url, heard) = serve_at(60, |_, request| {
        let mut replies = match request["op"].as_str() {
            Some("auth") if request["args"][1].as_i64()? <= now() + 60_000 => reply(request, 10001, json!({}))?,
            _ => ok(request)?,
        };
        replies[0]["header"] = json!({"Timenow": (now() + 60_000).to_string()});
        Some(replies)
    })
    .await;
    let client = builder(&url).build().unwrap();
    client.place().await.unwrap();
    assert_eq!(commands(&heard).len(), 2, "it is not refused once");
    let offset = client.0.clock().offset_millis();
    assert!((55_000..=65_000).contains(&offset), "{offset}");

    let (url, _) = serve_at(60, |_, request| match request["op"].as_str() {
        Some("auth") if request["args"][1].as_i64()? <= now() + 60_000 => reply(request, 10001, json!({})),
        _ => ok(request),
    })
    .await;
    let error = builder(&url).correct_clock_skew(false).build().unwrap().place().await.unwrap_err();
    assert_eq!((error.code(), error.is_login_failure()), (Some("10001"), true), "{error}");
}

#[tokio::test]
async fn a_refused_timestamp_is_put_right_by_the_time_of_the_reply() {
    let (url, heard) = serve(|_, request| {
        let venue = now() + 8_000;
        let is_late = |time: &Value| time.as_str().is_some_and(|time| time.parse::<i64>().unwrap() < venue - 5_000);
        let is_refused = is_late(&request["header"]["X-TIMESTAMP"]);
        let mut replies = if is_refused { reply(request, 10002, json!({}))? } else { ok(request)? };
        if request["op"] != "auth" {
            replies[0]["header"]["Timenow"] = json!(venue.to_string());
        }
        Some(replies)
    })
    .await;
    let client = builder(&url).build().unwrap();
    client.place().await.unwrap();
    assert_eq!(requests(&heard, "order.create").len(), 2, "refused, and sent once more");
    let offset = client.0.clock().offset_millis();
    assert!((7_000..=9_000).contains(&offset), "{offset}");
}

#[tokio::test]
async fn a_time_is_written_when_its_turn_has_come() {
    let (url, heard) = serve(|_, request| match request["op"].as_str() {
        Some("time") => Some(Vec::new()),
        _ => ok(request),
    })
    .await;
    let client = Arc::new(builder(&url).websocket(WebSocketOptions::new().in_flight(1)).build().unwrap());
    client.place().await.unwrap();
    let call = |id: &'static str| {
        let client = client.clone();
        tokio::spawn(async move { client.call(id).await })
    };
    let blocking = call("time");
    until("a call is in flight", || requests(&heard, "time").len() == 1).await;
    let waiting = call("place");
    tokio::time::sleep(Duration::from_millis(400)).await;
    let before = now();
    blocking.abort();
    waiting.await.unwrap().unwrap();
    let time = requests(&heard, "order.create")[1]["header"]["X-TIMESTAMP"].as_str().unwrap().parse::<i64>().unwrap();
    assert!(time >= before, "{} ms before its turn", before - time);
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_before_anything_is_sent() {
    let (url, heard) = serve(|_, request| ok(request)).await;
    let client = builder(&url).build().unwrap();
    let error = client.call("open_orders").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{error}");
    assert!(error.message().contains("Client::builder"), "{error}");

    let anonymous = builder(&url).credentials(Credentials::none()).build().unwrap();
    let error = anonymous.place().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unauthorized, 0), "{error}");
    anonymous.call("time").await.unwrap();

    let secret = SigningKey::Shared("a-secret-of-the-test".into());
    let half = Credentials::none().signer("signature", DescribedSigner::new(&REQUESTS, "me", secret).unwrap());
    let error = builder(&url).credentials(half).build().unwrap().place().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Unauthorized && error.message().contains("stream"), "{error}");
    assert_eq!(commands(&heard), [(1, "time".to_owned())]);

    let error = ClientBuilder::<Client>::new("").build().err().expect("an environment without calls");
    assert!(error.message().contains("no calls over a WebSocket"), "{error}");
}
