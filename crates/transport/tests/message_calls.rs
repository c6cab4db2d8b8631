//! Calls over a WebSocket of a venue whose spec describes the envelope: signed or logged on, and what happens when that ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_websockets::{Message, ServerBuilder};
use venuekit_auth::described::{DescribedSigner, SigningKey};
use venuekit_auth::{KeyKind, PrivateKey};
use venuekit_transport::client::{Call, JsonBody, Session};
use venuekit_transport::{
    ClientBuilder, Connect, Credentials, ErrorKind, Event, RateLimits, RetryPolicy, Timeouts, WebSocketOptions,
};
use venuekit_wire::operation::{
    ClientHeader, Envelope, Errors, EventMembers, Logon, OnConnection, Operation, Reconcile, Retry, SignedCall, Venue,
    WebSocket,
};
use venuekit_wire::signature::{Algorithm, Encoding, KeyType, Piece, Place, Signature, SigningRule, TimeUnit};

const fn rule(key: KeyType, algorithm: Algorithm, encoding: Encoding) -> SigningRule {
    SigningRule { key, algorithm, encoding, is_unsure: false }
}

static SIGNATURE: Signature = Signature {
    name: "signature",
    text: &[Piece::Query, Piece::Body],
    separator: "",
    end: "",
    time: TimeUnit::Millis,
    ahead_millis: 0,
    keys: &[
        rule(KeyType::Shared, Algorithm::HmacSha256, Encoding::Hex),
        rule(KeyType::Ed25519, Algorithm::Ed25519, Encoding::Base64),
    ],
    fields: &[("X-KEY", "{id}")],
    place: Place::Headers,
    adds: &[("timestamp", "{time}"), ("signature", "{signature}")],
};

const ROW: Operation = Operation { access: &[&["signature"]], ..Operation::EMPTY };
const ONLY: OnConnection = OnConnection { only: true, ..OnConnection::NONE };

const ENVELOPE: Envelope = Envelope {
    id: "id",
    method: "method",
    params: "params",
    status: "status",
    result: "result",
    error: "error",
    retry_at: Some("/data/retryAfter"),
    event: Some(EventMembers { data: "event", subscription: "subscriptionId", closing: Some(("e", "serverShutdown")) }),
    limits: None,
};

static VENUE: Venue = Venue {
    name: "venue",
    operations: &[
        Operation { id: "account", path: "/account", ..ROW },
        Operation { id: "logon", path: "/logon", on_connection: Some(ONLY), rpc_method: Some("session.logon"), ..ROW },
        Operation {
            id: "logout",
            path: "/logout",
            access: &[&[]],
            on_connection: Some(OnConnection { ends_logon: true, ..ONLY }),
            rpc_method: Some("session.logout"),
            ..ROW
        },
        Operation { id: "order", path: "/order", rpc_method: Some("order.status"), ..ROW },
        Operation {
            id: "place",
            path: "/order",
            method: "POST",
            retry: Retry::Never,
            reconcile: Some(Reconcile { operation: "order", by: &[] }),
            rpc_method: Some("order.place"),
            ..ROW
        },
        Operation {
            id: "subscribe",
            path: "/subscribe",
            on_connection: Some(OnConnection { needs_logon: true, ..ONLY }),
            rpc_method: Some("userDataStream.subscribe"),
            ..ROW
        },
        Operation { id: "time", path: "/time", access: &[&[]], rpc_method: Some("time"), ..Operation::EMPTY },
    ],
    errors: Errors {
        code: &["/code"],
        message: &["/msg"],
        kinds: &[
            ("-1003", ErrorKind::RateLimited),
            ("-1021", ErrorKind::Clock),
            ("-1007", ErrorKind::Server),
            ("-2015", ErrorKind::Unauthorized),
        ],
        bans: &[(418, 259_200)],
        outcome_unknown: &["-1007"],
        ..Errors::EMPTY
    },
    client_headers: &[ClientHeader { name: "x-unit", values: &["MILLISECOND", "MICROSECOND"] }],
    websocket: Some(WebSocket {
        parameters: &[("x-unit", "timeUnit")],
        dead_after: Some(60),
        envelope: Some(ENVELOPE),
        signed: &[SignedCall {
            credential: "signature",
            adds: &[("apiKey", "{id}"), ("recvWindow", "5000"), ("timestamp", "{time}"), ("signature", "{signature}")],
        }],
        logon: Some(Logon { operation: "logon", keys: &[KeyType::Ed25519], adds: &[("timestamp", "{time}")] }),
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

impl Client {
    async fn call(&self, id: &str, query: &[(&str, i64)]) -> Result<Value, venuekit_transport::Error> {
        let call = Call::new(VENUE.operation(id).unwrap());
        let call = query.iter().fold(call, |call, (name, value)| call.query(name, value));
        self.0.send(call).await.map(|response| serde_json::from_slice(response.body()).unwrap())
    }

    async fn place(&self) -> Result<Value, venuekit_transport::Error> {
        let row = VENUE.operation("place").unwrap();
        let body = JsonBody::new(row, r#"{"symbol":"１２３","quantity":"0.010","icebergQty":null,"trailingDelta":5}"#);
        self.0.send(Call::new(row).body(body.unwrap())).await.map(|_| Value::Null)
    }
}

/// The requests that a server has received, with the number of their connection.
type Heard = Arc<Mutex<Vec<(u64, Value)>>>;

fn methods(heard: &Heard) -> Vec<String> {
    heard.lock().unwrap().iter().map(|(_, request)| request["method"].as_str().unwrap().to_owned()).collect()
}

fn params(heard: &Heard, method: &str) -> Value {
    let heard = heard.lock().unwrap();
    heard.iter().rev().find(|(_, request)| request["method"] == method).unwrap().1["params"].clone()
}

/// What a server does with a request: texts to send, or none to close the connection.
type Does = dyn Fn(u64, &Value) -> Option<Vec<Value>> + Send + Sync;

/// A server that does as a test says.
async fn serve(does: impl Fn(u64, &Value) -> Option<Vec<Value>> + Send + Sync + 'static) -> (String, Heard) {
    let (url, heard, _) = serve_pushing(does).await;
    (url, heard)
}

/// What a server sends of its own accord, and on which connection.
type Push = broadcast::Sender<(u64, Value)>;

/// The same, which also sends what the test tells it to. The method `handshake` stands for that of a connection, which is cut where a
/// test does nothing.
async fn serve_pushing(
    does: impl Fn(u64, &Value) -> Option<Vec<Value>> + Send + Sync + 'static,
) -> (String, Heard, Push) {
    let push = Push::new(16);
    let pushes = push.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws-api/v3", listener.local_addr().unwrap());
    let (heard, does): (Heard, Arc<Does>) = (Heard::default(), Arc::new(does));
    let log = heard.clone();
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            number += 1;
            if does(number, &json!({"method": "handshake"})).is_some() {
                tokio::spawn(connection(stream, number, log.clone(), does.clone(), pushes.subscribe()));
            }
        }
    });
    (url, heard, push)
}

async fn connection(
    stream: TcpStream,
    number: u64,
    log: Heard,
    does: Arc<Does>,
    mut pushes: broadcast::Receiver<(u64, Value)>,
) {
    let Ok((_, mut stream)) = ServerBuilder::new().accept(stream).await else { return };
    loop {
        let message = tokio::select! {
            message = stream.next() => message,
            pushed = pushes.recv() => {
                let Ok((to, text)) = pushed else { return };
                if to == number {
                    stream.send(Message::text(text.to_string())).await.unwrap();
                }
                continue;
            }
        };
        let Some(Ok(message)) = message else { return };
        let Some(text) = message.as_text() else { continue };
        let request: Value = serde_json::from_str(text).unwrap();
        log.lock().unwrap().push((number, request.clone()));
        let Some(replies) = does(number, &request) else { return };
        for reply in replies {
            stream.send(Message::text(reply.to_string())).await.unwrap();
        }
    }
}

/// Waits until something is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("{what}"));
}

fn ok(request: &Value, result: Value) -> Option<Vec<Value>> {
    Some(vec![json!({"id": request["id"], "status": 200, "result": result})])
}

fn failed(request: &Value, status: u16, error: Value) -> Option<Vec<Value>> {
    Some(vec![json!({"id": request["id"], "status": status, "error": error})])
}

fn builder(url: &str) -> ClientBuilder<Client> {
    let timeouts = Timeouts::default().with_attempt(Duration::from_secs(20));
    ClientBuilder::new(url).retry(RetryPolicy::none()).rate_limits(RateLimits::none()).timeouts(timeouts)
}

fn with_key(url: &str, key: SigningKey) -> ClientBuilder<Client> {
    let signer = DescribedSigner::new(&SIGNATURE, "me", key).unwrap();
    builder(url).credentials(Credentials::none().signer("signature", signer))
}

fn secret() -> SigningKey {
    SigningKey::Shared("a-secret-of-the-test".into())
}

fn pair() -> SigningKey {
    SigningKey::Pair(PrivateKey::generate(KeyKind::Ed25519).unwrap())
}

#[tokio::test]
async fn a_call_with_a_secret_is_signed_in_its_params() {
    let (url, heard) = serve(|_, request| ok(request, json!({"orderId": 5}))).await;
    let client = with_key(&url, secret()).build().unwrap();
    client.place().await.unwrap();
    let mut sent = params(&heard, "order.place");
    let signature = sent.as_object_mut().unwrap().remove("signature").unwrap();
    let time = sent["timestamp"].as_i64().unwrap();
    assert!(time > 1_700_000_000_000);
    let expected = json!({
        "apiKey": "me", "quantity": "0.010", "recvWindow": 5000, "symbol": "１２３", "timestamp": time, "trailingDelta": 5,
    });
    assert_eq!(sent, expected);
    let text = format!("apiKey=me&quantity=0.010&recvWindow=5000&symbol=１２３&timestamp={time}&trailingDelta=5");
    assert_eq!(signature, hmac(&text));

    client.call("order", &[("orderId", 7)]).await.unwrap();
    assert_eq!(params(&heard, "order.status")["orderId"], 7, "a number stays one");
    client.call("time", &[]).await.unwrap();
    let heard = heard.lock().unwrap();
    assert_eq!(heard[2].1, json!({"id": heard[2].1["id"], "method": "time"}), "nothing is added to a public call");
}

/// The signature of a text, by the header of a request whose body it is.
fn hmac(text: &str) -> String {
    static PLAIN: Signature =
        Signature { text: &[Piece::Body], fields: &[("X", "{signature}")], adds: &[], ..SIGNATURE };
    use venuekit_auth::{Parts, Signer};
    let signer = DescribedSigner::new(&PLAIN, "me", secret()).unwrap();
    let signed = signer.sign(&Parts::new("POST", "/", text.as_bytes()), 1).unwrap();
    signed.headers()[0].1.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_ed25519_key_logs_the_connection_on_once() {
    let (url, heard) = serve(|_, request| ok(request, json!({}))).await;
    let client = with_key(&url, pair()).build().unwrap();
    client.call("time", &[]).await.unwrap();
    assert_eq!(methods(&heard), ["time"], "a public call needs no log-on");
    client.place().await.unwrap();
    client.place().await.unwrap();
    client.call("subscribe", &[]).await.unwrap();
    assert_eq!(methods(&heard)[1..], ["session.logon", "order.place", "order.place", "userDataStream.subscribe"]);
    let logon = params(&heard, "session.logon");
    let names: Vec<_> = logon.as_object().unwrap().keys().collect();
    assert_eq!(names, ["apiKey", "recvWindow", "signature", "timestamp"]);
    let order = params(&heard, "order.place");
    assert!(order["timestamp"].is_i64() && order.get("apiKey").is_none() && order.get("signature").is_none());
    assert_eq!(params(&heard, "userDataStream.subscribe"), Value::Null, "no parameters at all");

    client.call("logout", &[]).await.unwrap();
    client.place().await.unwrap();
    assert_eq!(methods(&heard)[5..], ["session.logout", "session.logon", "order.place"]);
}

#[tokio::test]
async fn what_a_key_cannot_do_is_said_before_anything_is_sent() {
    let (url, heard) = serve(|_, request| ok(request, json!({}))).await;
    let client = with_key(&url, secret()).build().unwrap();
    let error = client.call("subscribe", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    assert!(error.message().contains("log"), "{error}");
    let error = client.call("account", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert!(error.message().contains("over a WebSocket"), "{error}");
    let anonymous = builder(&url).build().unwrap();
    assert_eq!(anonymous.place().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    anonymous.call("time", &[]).await.unwrap();
    assert_eq!(methods(&heard), ["time"]);
}

#[tokio::test]
async fn a_log_on_that_is_refused_is_the_error_of_the_calls_that_need_it() {
    let (url, _) = serve(|_, request| match request["method"].as_str() {
        Some("session.logon") => failed(request, 401, json!({"code": -2015, "msg": "Invalid API-key"})),
        _ => ok(request, json!({})),
    })
    .await;
    let client = with_key(&url, pair()).build().unwrap();
    let error = client.place().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some("-2015")), "{error}");
    assert!(error.is_login_failure() && !error.may_have_been_applied(), "{error}");
    client.call("time", &[]).await.unwrap();
}

#[tokio::test]
async fn a_lost_log_on_fails_those_that_relied_on_it_and_nothing_else() {
    // The second order finds the key revoked; the call for the time gets its reply only after that.
    let held: Arc<Mutex<Vec<Value>>> = Arc::default();
    let (url, heard) = serve(move |_, request| {
        let lost = json!({"id": null, "status": 401, "error": {"code": -2015, "msg": "Invalid API-key"}});
        match request["method"].as_str().unwrap() {
            "time" => {
                held.lock().unwrap().push(json!({"id": request["id"], "status": 200, "result": 7}));
                Some(Vec::new())
            }
            "order.place" if !held.lock().unwrap().is_empty() => {
                let mut replies = vec![lost];
                replies.append(&mut held.lock().unwrap());
                Some(replies)
            }
            _ => ok(request, json!({})),
        }
    })
    .await;
    let client = with_key(&url, pair()).build().unwrap();
    client.place().await.unwrap();
    let time = client.call("time", &[]);
    let order = async {
        while !methods(&heard).contains(&"time".to_owned()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        client.place().await
    };
    let (time, order) = tokio::join!(time, order);
    assert_eq!(time.unwrap(), 7, "a call that anybody may make goes on");
    // It was the only one, so it is known to be refused: it is made again after another log-on.
    order.unwrap();
    let expected = ["session.logon", "order.place", "time", "order.place", "session.logon", "order.place"];
    assert_eq!(methods(&heard), expected);
    let connections: Vec<u64> = heard.lock().unwrap().iter().map(|(number, _)| *number).collect();
    assert!(connections.iter().all(|number| *number == 1), "the connection stays");
}

#[tokio::test]
async fn several_calls_whose_log_on_is_lost_are_not_made_again() {
    let seen = Arc::new(Mutex::new(0));
    let (url, heard) = serve(move |_, request| match request["method"].as_str().unwrap() {
        "order.place" => {
            let mut seen = seen.lock().unwrap();
            *seen += 1;
            match *seen {
                1 => Some(Vec::new()),
                _ => Some(vec![json!({"id": null, "status": 401, "error": {"code": -2015, "msg": "x"}})]),
            }
        }
        _ => ok(request, json!({})),
    })
    .await;
    let client = with_key(&url, pair()).build().unwrap();
    let (one, two) = tokio::join!(client.place(), client.place());
    for error in [one.unwrap_err(), two.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert!(error.may_have_been_applied(), "it is unknown which of them was refused: {error}");
        assert_eq!(error.reconcile_with(), Some("order"));
    }
    assert_eq!(methods(&heard), ["session.logon", "order.place", "order.place"]);
}

#[tokio::test]
async fn a_call_that_was_given_up_may_be_the_one_that_was_refused() {
    // The order is executed, and its reply is still on the way when the read, which its caller has given up, is refused.
    let (url, heard, push) = serve_pushing(|_, request| match request["method"].as_str().unwrap() {
        "session.logon" => ok(request, json!({})),
        _ => Some(Vec::new()),
    })
    .await;
    let client = Arc::new(with_key(&url, pair()).build().unwrap());
    let order = tokio::spawn({
        let client = client.clone();
        async move { client.place().await }
    });
    until("the order is in flight", || methods(&heard).contains(&"order.place".to_owned())).await;
    let read = tokio::spawn({
        let client = client.clone();
        async move { client.call("order", &[]).await }
    });
    until("the read is in flight", || methods(&heard).contains(&"order.status".to_owned())).await;
    read.abort();
    assert!(read.await.unwrap_err().is_cancelled());
    push.send((1, json!({"id": null, "status": 401, "error": {"code": -2015, "msg": "x"}}))).unwrap();
    // Sent again, the order would get no reply here.
    let error = tokio::time::timeout(Duration::from_secs(10), order).await.expect("it is not sent again");
    let error = error.unwrap().unwrap_err();
    assert!(error.may_have_been_applied() && error.reconcile_with() == Some("order"), "{error}");
    assert_eq!(methods(&heard), ["session.logon", "order.place", "order.status"]);
}

#[tokio::test]
async fn an_unknown_outcome_names_what_to_ask() {
    let (url, heard) = serve(|number, request| match (request["method"].as_str().unwrap(), number) {
        ("order.place", 1) => failed(request, 400, json!({"code": -1007, "msg": "Timeout waiting for response"})),
        ("order.status", 1) => None,
        ("order.place", _) => None,
        _ => ok(request, json!({"orderId": 5})),
    })
    .await;
    let client = with_key(&url, secret()).retry(RetryPolicy::default()).build().unwrap();
    let error = client.place().await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error}");
    assert_eq!((error.code(), error.reconcile_with()), (Some("-1007"), Some("order")));
    // What only reads is made again over the next connection.
    assert_eq!(client.call("order", &[]).await.unwrap(), json!({"orderId": 5}));
    let error = client.place().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(error.may_have_been_applied() && error.reconcile_with() == Some("order"), "{error}");
    assert_eq!(
        methods(&heard),
        ["order.place", "order.status", "order.status", "order.place"],
        "no order was repeated"
    );
}

#[tokio::test]
async fn a_ban_says_until_when() {
    let (url, _) = serve(|_, request| {
        let until = std::time::SystemTime::now() + Duration::from_secs(90);
        let until = until.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
        failed(request, 418, json!({"code": -1003, "msg": "banned", "data": {"serverTime": 1, "retryAfter": until}}))
    })
    .await;
    let client = builder(&url).build().unwrap();
    let error = client.call("time", &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.status().map(|status| status.as_u16())), (ErrorKind::RateLimited, Some(418)));
    let wait = error.retry_after().unwrap();
    assert!(wait > Duration::from_secs(30) && wait <= Duration::from_secs(90), "{wait:?}");
}

#[tokio::test]
async fn a_ban_at_the_handshake_holds_for_all_clients_of_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        let refusal = "HTTP/1.1 418 I'm a teapot\r\nretry-after: 7200\r\ncontent-length: 2\r\n\r\n{}";
        stream.write_all(refusal.as_bytes()).await.unwrap();
        // Nothing is accepted after that.
        (listener, stream)
    });
    let limits = RateLimits::new();
    let client = builder(&format!("ws://{address}/ws-api/v3")).rate_limits(limits.clone()).build().unwrap();
    assert!(client.call("time", &[]).await.is_err());
    let other = builder(&format!("http://{address}/api")).rate_limits(limits).build().unwrap();
    let error = other.call("time", &[]).await.unwrap_err();
    assert!(error.to_string().contains("not sent: the venue has banned this address"), "{error}");
    assert!(error.retry_after() > Some(Duration::from_secs(7000)), "{:?}", error.retry_after());
    accepted.await.unwrap();
}

#[tokio::test]
async fn events_go_to_the_handler_and_strange_messages_are_counted() {
    let (url, _) = serve(|_, request| {
        Some(vec![
            json!({"subscriptionId": 0, "event": {"e": "balanceUpdate"}}),
            json!({"event": {"e": "serverShutdown"}}),
            json!({"id": 99_999, "status": 200, "result": {}}),
            json!({"id": null, "status": 400, "error": {"code": -1000}}),
            json!([]),
            json!({"id": request["id"], "status": 200, "result": 1}),
        ])
    })
    .await;
    let events: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = events.clone();
    let options = WebSocketOptions::new().on_event(move |event| {
        if let Event::Notification { channel, data, params, .. } = event {
            seen.lock().unwrap().push(format!("{channel}|{data}|{params}"));
        }
    });
    let client = builder(&url).websocket(options).build().unwrap();
    assert_eq!(client.call("time", &[]).await.unwrap(), 1);
    assert_eq!(
        *events.lock().unwrap(),
        [
            r#"0|{"e":"balanceUpdate"}|{"event":{"e":"balanceUpdate"},"subscriptionId":0}"#,
            r#"|{"e":"serverShutdown"}|{"event":{"e":"serverShutdown"}}"#,
        ]
    );
    let stats = client.0.websocket().unwrap().stats();
    assert_eq!((stats.opened, stats.unasked_answers, stats.unreadable_messages), (1, 2, 1));
}

#[tokio::test]
async fn a_signature_is_made_when_its_turn_has_come() {
    let (url, heard) = serve(|_, request| match request["method"].as_str().unwrap() {
        "time" => Some(Vec::new()),
        _ => ok(request, json!({})),
    })
    .await;
    let options = WebSocketOptions::new().in_flight(1);
    let client = Arc::new(with_key(&url, secret()).websocket(options).build().unwrap());
    let blocking = tokio::spawn({
        let client = client.clone();
        async move { client.call("time", &[]).await }
    });
    while methods(&heard).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.place().await }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    blocking.abort();
    waiting.await.unwrap().unwrap();
    let time = params(&heard, "order.place")["timestamp"].as_i64().unwrap();
    assert!(time >= now, "signed {} ms before its turn", now - time);
}

#[tokio::test]
async fn the_time_of_the_handshake_puts_the_clock_right() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws-api/v3", listener.local_addr().unwrap());
    let now = |ahead: u64| std::time::SystemTime::now() + Duration::from_secs(ahead);
    let heard: Heard = Arc::default();
    let log = heard.clone();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // The venue's clock is a minute ahead.
        let date = httpdate::fmt_http_date(now(60)).parse().unwrap();
        let server = ServerBuilder::new().add_header(http::header::DATE, date).unwrap();
        let (_, mut stream) = server.accept(stream).await.unwrap();
        while let Some(Ok(message)) = stream.next().await {
            let Some(text) = message.as_text() else { continue };
            let request: Value = serde_json::from_str(text).unwrap();
            log.lock().unwrap().push((1, request.clone()));
            let venue = now(60).duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
            let is_good = request["params"]["timestamp"].as_i64().unwrap().abs_diff(venue) < 5_000;
            let reply = match is_good {
                true => json!({"id": request["id"], "status": 200, "result": {}}),
                false => json!({"id": request["id"], "status": 400, "error": {"code": -1021, "msg": "outside"}}),
            };
            stream.send(Message::text(reply.to_string())).await.unwrap();
        }
    });
    let client = with_key(&url, secret()).build().unwrap();
    client.place().await.unwrap();
    assert_eq!(methods(&heard), ["order.place"], "it is not refused once");
    let learned = || assert!((55_000..=65_000).contains(&client.0.clock().offset_millis()), "{:?}", client.0.clock());
    learned();
    // Off again while the connection stays.
    client.0.clock().set_offset_millis(0);
    client.place().await.unwrap();
    assert_eq!(methods(&heard), ["order.place"; 3], "refused, and signed once more");
    learned();
}

#[tokio::test]
async fn what_requests_say_in_a_header_is_in_the_url_of_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws-api/v3", listener.local_addr().unwrap());
    let accepted = tokio::spawn(async move {
        let (mut targets, mut held) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            let (request, stream) = ServerBuilder::new().accept(stream).await.unwrap();
            targets.push(request.uri().to_string());
            held.push(stream);
        }
        (targets, held)
    });
    for client in [builder(&url), builder(&url).header("X-Unit", "MICROSECOND")] {
        client.build().unwrap().0.websocket().unwrap().open().await.unwrap();
    }
    // The server closes nothing before both are open.
    let (targets, _held) = accepted.await.unwrap();
    assert_eq!(targets, ["/ws-api/v3", "/ws-api/v3?timeUnit=MICROSECOND"]);
}

/// The notice that a server is going to close its connections.
fn notice() -> Value {
    json!({"event": {"e": "serverShutdown", "E": 1_790_000_000_000_i64}})
}

/// The connections that were opened and lost, as the event handler saw them.
fn opened_and_lost() -> (WebSocketOptions, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = seen.clone();
    let options = WebSocketOptions::new().on_event(move |event| match event {
        Event::Opened { number, .. } => log.lock().unwrap().push(format!("opened {number}")),
        Event::Lost { number, reason, .. } => log.lock().unwrap().push(format!("lost {number}: {reason}")),
        Event::Failed { .. } => log.lock().unwrap().push("failed".to_owned()),
        _ => {}
    });
    (options, seen)
}

#[tokio::test]
async fn a_connection_that_the_venue_is_going_to_close_is_replaced_before() {
    let (url, heard, push) = serve_pushing(|number, request| match (number, request["method"].as_str().unwrap()) {
        (1, "order.status") => Some(Vec::new()),
        _ => ok(request, json!({"orderId": 5})),
    })
    .await;
    let (options, events) = opened_and_lost();
    let client = Arc::new(with_key(&url, pair()).websocket(options).build().unwrap());
    client.place().await.unwrap();
    let in_flight = tokio::spawn({
        let client = client.clone();
        async move { client.call("order", &[]).await }
    });
    until("a call is in flight", || methods(&heard).contains(&"order.status".to_owned())).await;
    let stats = || client.0.websocket().unwrap().stats();

    push.send((1, notice())).unwrap();
    until("another connection is open", || stats().opened == 2).await;
    client.place().await.unwrap();
    let all: Vec<(u64, String)> = heard
        .lock()
        .unwrap()
        .iter()
        .map(|(number, request)| (*number, request["method"].as_str().unwrap().to_owned()))
        .collect();
    let expected =
        [(1, "session.logon"), (1, "order.place"), (1, "order.status"), (2, "session.logon"), (2, "order.place")];
    assert_eq!(all, expected.map(|(number, method)| (number, method.to_owned())), "logged on before any call");
    assert!(!in_flight.is_finished());
    assert_eq!(stats().lost, 0, "the old one still carries a call");

    // Once there is a third one, the first one ends, and not before its call has the response.
    push.send((2, notice())).unwrap();
    until("a third one is open", || stats().opened == 3).await;
    let id = heard.lock().unwrap()[2].1["id"].clone();
    push.send((1, json!({"id": id, "status": 200, "result": 7}))).unwrap();
    assert_eq!(in_flight.await.unwrap().unwrap(), 7);
    until("the first one is over", || stats().lost == 1).await;
    client.call("time", &[]).await.unwrap();
    assert_eq!(heard.lock().unwrap().last().unwrap().0, 3);
    assert_eq!(stats().replaced, 1);
    let expected = ["opened 1", "opened 2", "opened 3", "lost 1: another connection has taken its place"];
    assert_eq!(*events.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_connection_goes_on_until_another_one_can_be_opened() {
    // The second handshake is cut, and the third connection does not log on.
    let (url, heard, push) = serve_pushing(|number, request| match (number, request["method"].as_str().unwrap()) {
        (2, "handshake") => None,
        (3, "session.logon") => None,
        _ => ok(request, json!({})),
    })
    .await;
    let (options, events) = opened_and_lost();
    let options = options.reconnect(Duration::from_millis(1), Duration::from_millis(5));
    let client = with_key(&url, pair()).websocket(options).build().unwrap();
    client.place().await.unwrap();
    let stats = || client.0.websocket().unwrap().stats();
    push.send((1, notice())).unwrap();
    until("another connection is open", || {
        // Meanwhile calls go over the old one.
        stats().opened == 2
    })
    .await;
    client.place().await.unwrap();
    let (number, request) = heard.lock().unwrap().last().unwrap().clone();
    assert_eq!((number, request["method"].as_str()), (4, Some("order.place")));
    assert_eq!(*events.lock().unwrap(), ["opened 1", "failed", "failed", "opened 2"]);
    assert_eq!((stats().opened, stats().lost), (2, 0));
}

#[tokio::test]
async fn a_connection_that_is_closed_at_once_is_lost_like_any_other() {
    let (url, heard, push) = serve_pushing(|number, request| match (number, request["method"].as_str().unwrap()) {
        (1, "order.place") => Some(Vec::new()),
        (1, "time") => None,
        // No other connection is open before the first one ends.
        (2, "handshake") => None,
        _ => ok(request, json!({})),
    })
    .await;
    // Longer than the next call takes to get to the first one on a busy machine.
    let options = WebSocketOptions::new().reconnect(Duration::from_secs(2), Duration::from_secs(2));
    let client = Arc::new(with_key(&url, secret()).websocket(options).build().unwrap());
    let order = tokio::spawn({
        let client = client.clone();
        async move { client.place().await }
    });
    until("an order is in flight", || methods(&heard).contains(&"order.place".to_owned())).await;
    push.send((1, notice())).unwrap();
    client.call("time", &[]).await.unwrap_err();
    let error = order.await.unwrap().unwrap_err();
    assert!(error.may_have_been_applied() && error.reconcile_with() == Some("order"), "{error}");
    client.place().await.unwrap();
    assert!(methods(&heard).iter().filter(|method| *method == "order.place").count() == 2, "nothing is repeated");
}

static AGED: Venue = Venue {
    name: "aged",
    operations: &[Operation {
        id: "time",
        path: "/time",
        access: &[&[]],
        rpc_method: Some("time"),
        ..Operation::EMPTY
    }],
    websocket: Some(WebSocket { connection_life: Some(1), envelope: Some(ENVELOPE), ..WebSocket::EMPTY }),
    ..Venue::EMPTY
};

struct Aged(Session);

impl Connect for Aged {
    const VENUE: &'static Venue = &AGED;

    fn connect(session: Session) -> Self {
        Self(session)
    }
}

#[tokio::test]
async fn a_connection_is_replaced_before_the_venue_ends_it_for_its_age() {
    let (url, heard) = serve(|_, request| ok(request, json!(1))).await;
    let client = ClientBuilder::<Aged>::new(&url).retry(RetryPolicy::none()).build().unwrap();
    let all = async {
        while heard.lock().unwrap().last().is_none_or(|(number, _)| *number < 3) {
            client.0.send(Call::new(AGED.operation("time").unwrap())).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    let numbers: Vec<u64> = heard.lock().unwrap().iter().map(|(number, _)| *number).collect();
    assert!(numbers.is_sorted(), "no call goes over an old connection");
    until("the first one is over", || client.0.websocket().unwrap().stats().replaced >= 1).await;
}
