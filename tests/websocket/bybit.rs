//! Bybit: orders over a connection to the trade channel, which is logged on by a command.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_websockets::Message;
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::bybit::types::{
    BatchAmendOrder, BatchCancelOrder, BatchPlaceOrder, Category, OrderType, Side, TimeInForce,
};
use venuekit::bybit::{Client, ClientBuilder, Credentials, Environment, Error};
use venuekit::transport::{RateLimits, RetryPolicy, Timeouts};
use venuekit::{ErrorKind, bybit};
use venuekit_sandbox::{Accounts, BybitKey, Fault, Rule, Sandbox, Transport};

use crate::desk::{options, until};
use crate::scripted;

const SYMBOL: &str = "BTCUSDT";

/// A key of the account `desk`, in the sandbox and for the client.
fn keys(kind: Option<KeyKind>, name: &str) -> (BybitKey, Credentials) {
    let mut key = BybitKey { api_key: name.to_owned(), account: Some("desk".to_owned()), ..BybitKey::default() };
    let credentials = match kind {
        None => {
            key.api_secret = Some(format!("secret-of-{name}"));
            Credentials::api_key(name, format!("secret-of-{name}"))
        }
        Some(kind) => {
            let pair = PrivateKey::generate(kind).unwrap();
            key.public_key_pem = Some(pair.public_key_pem().to_owned());
            Credentials::private_key(name, pair)
        }
    };
    (key, credentials.unwrap())
}

async fn sandbox(keys: Vec<BybitKey>) -> Sandbox {
    Sandbox::start(Accounts { bybit: keys, ..Accounts::default() }).await.unwrap()
}

fn builder(sandbox: &Sandbox, credentials: &Credentials) -> ClientBuilder<Client> {
    Client::websocket(Environment::Custom(sandbox.bybit_websocket_url("trade")))
        .credentials(credentials.clone())
        .retry(RetryPolicy::none())
        .rate_limits(RateLimits::none())
        .websocket(options())
}

/// What exists over HTTP alone is asked for over HTTP.
fn over_http(sandbox: &Sandbox, credentials: &Credentials) -> Client {
    let client = Client::builder(Environment::Custom(sandbox.bybit_url())).credentials(credentials.clone());
    client.rate_limits(RateLimits::none()).build().unwrap()
}

fn order<'a>(client: &'a Client, id: &str) -> bybit::builder::PlaceOrder<'a> {
    let order = client.place_order().category(Category::Linear).symbol(SYMBOL).side(Side::Buy);
    let order = order.order_type(OrderType::Limit).qty("0.010").price("90000.0").time_in_force(TimeInForce::Gtc);
    order.order_link_id(id)
}

fn cancel<'a>(client: &'a Client, id: &str) -> bybit::builder::CancelOrder<'a> {
    client.cancel_order().category(Category::Linear).symbol(SYMBOL).order_link_id(id)
}

/// The open order with this id of its owner, if there is one.
async fn open(http: &Client, id: &str) -> Option<bybit::types::Order> {
    let found =
        http.get_open_orders().category(Category::Linear).symbol(SYMBOL).order_link_id(id).send().await.unwrap();
    let orders = found.into_inner().result.list;
    orders.into_iter().find(|order| order.order_status.as_ref().is_some_and(|status| status.as_str() == "New"))
}

/// One program, over any transport.
async fn program(client: &Client, http: &Client, id: &str) -> Result<(), Error> {
    let [first, second, third] = ["a", "b", "c"].map(|end| format!("{id}-{end}"));
    let placed = order(client, &first).send().await?;
    let number = placed.result.as_ref().unwrap().order_id.clone().unwrap();
    assert!(placed.time.is_some(), "the venue's time is known");
    assert_eq!(placed.result.as_ref().unwrap().order_link_id.as_deref(), Some(first.as_str()));
    let amend = client.amend_order().category(Category::Linear).symbol(SYMBOL).order_id(number.as_str()).qty("0.020");
    amend.send().await?;
    let found = open(http, &first).await.expect("it is open");
    assert_eq!(found.qty.map(|qty| qty.get().to_string()).as_deref(), Some("0.020"));

    let one = |id: &str, price: &str| -> BatchPlaceOrder {
        let order = BatchPlaceOrder::builder().symbol(SYMBOL).side(Side::Buy).order_type(OrderType::Limit);
        order.qty("0.010").price(price).order_link_id(id.to_owned()).try_into().unwrap()
    };
    // The venue says that all is well though one of them is refused: its id has been used.
    let batch = vec![one(&second, "90000.0"), one(&first, "90000.0"), one(&third, "90000.0")];
    let placed = client.batch_place_orders().category(Category::Linear).request(batch).send().await?;
    let results = placed.results();
    assert_eq!(results.len(), 3);
    assert!(results[0].is_ok() && results[2].is_ok(), "{results:?}");
    let refused = results[1].as_ref().unwrap_err();
    assert_eq!((refused.code, refused.kind(), refused.is_repeated_key()), (Some(110_072), ErrorKind::Conflict, true));

    let change: BatchAmendOrder =
        BatchAmendOrder::builder().symbol(SYMBOL).order_link_id(second.clone()).price("90001.0").try_into().unwrap();
    let changed = client.batch_amend_orders().category(Category::Linear).request(vec![change]).send().await?;
    assert!(changed.results()[0].is_ok());
    let end = |id: &str| -> BatchCancelOrder {
        BatchCancelOrder::builder().symbol(SYMBOL).order_link_id(id.to_owned()).try_into().unwrap()
    };
    let ends = vec![end(&second), end("nobody"), end(&third)];
    let ended = client.batch_cancel_orders().category(Category::Linear).request(ends).send().await?;
    let results = ended.results();
    assert!(results[0].is_ok() && results[2].is_ok(), "{results:?}");
    assert_eq!(results[1].as_ref().unwrap_err().kind(), ErrorKind::NotFound);

    cancel(client, &first).send().await?;
    let error = cancel(client, &first).send().await.unwrap_err();
    assert_eq!((error.code(), error.kind()), (Some("110010"), ErrorKind::Conflict), "{error}");
    assert!(!error.may_have_been_applied(), "{error}");
    for id in [&first, &second, &third] {
        assert!(open(http, id).await.is_none(), "{id}");
    }
    Ok(())
}

#[tokio::test]
async fn the_same_program_runs_over_both_with_every_kind_of_key() {
    let kinds = [("hmac", None), ("rsa", Some(KeyKind::Rsa2048))];
    let all = kinds.map(|(name, kind)| (name, keys(kind, name)));
    let sandbox = sandbox(all.iter().map(|(_, (key, _))| key.clone()).collect()).await;
    for (name, (_, credentials)) in &all {
        let http = over_http(&sandbox, credentials);
        program(&http, &http, &format!("{name}-http")).await.unwrap();
        let socket = builder(&sandbox, credentials).build().unwrap();
        program(&socket, &http, &format!("{name}-socket")).await.unwrap();
        let stats = socket.connection().unwrap().stats();
        assert_eq!((stats.opened, stats.unasked_answers, stats.unreadable_messages), (1, 0, 0), "{name}");
    }
    let executed = sandbox.executed();
    assert_eq!(executed["bybit POST /v5/order/create"], 4, "over each once with each key");
}

#[tokio::test]
async fn a_log_on_that_is_refused_sends_no_order() {
    let (key, _) = keys(None, "key");
    let sandbox = sandbox(vec![key]).await;
    for (credentials, code) in [
        (Credentials::api_key("key", "another-secret").unwrap(), "10004"),
        (Credentials::api_key("nobody", "another-secret").unwrap(), "10003"),
    ] {
        let client = builder(&sandbox, &credentials).build().unwrap();
        let error = order(&client, "never").send().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some(code)), "{error}");
        assert!(error.is_login_failure() && !error.may_have_been_applied(), "{error}");
        let shown = format!("{error} {error:?} {client:?}");
        assert!(!shown.contains("another-secret"), "{shown}");
    }
    let anonymous = Client::websocket(Environment::Custom(sandbox.bybit_websocket_url("trade"))).build().unwrap();
    let error = order(&anonymous, "never").send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unauthorized, 0), "{error}");
    assert!(!sandbox.executed().contains_key("bybit POST /v5/order/create"));
}

#[tokio::test]
async fn what_exists_over_http_only_is_not_sent() {
    let (key, credentials) = keys(None, "key");
    let sandbox = sandbox(vec![key]).await;
    let client = builder(&sandbox, &credentials).build().unwrap();
    let error = client.get_api_key().send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{error}");
    assert!(error.message().contains("Client::builder"), "{error}");
    let error = over_http(&sandbox, &credentials).trade_log_on().send().await.unwrap_err();
    assert!(error.message().contains("Client::websocket"), "{error}");
    client.connection().unwrap().open().await.unwrap();
    let error = client.trade_log_on().send().await.unwrap_err();
    assert_eq!(error.code(), Some("20001"), "it is logged on already: {error}");
    let demo = Client::websocket(Environment::Demo).credentials(credentials).build().expect_err("demo has no orders");
    assert!(demo.message().contains("no calls over a WebSocket"), "{demo}");
}

#[tokio::test]
async fn an_order_whose_response_is_lost_is_found_by_its_own_id() {
    let (key, credentials) = keys(None, "key");
    let sandbox = sandbox(vec![key]).await;
    let http = over_http(&sandbox, &credentials);
    for (fault, id, is_placed) in [
        (Fault::DropBefore, "lost-before", false),
        (Fault::DropAfter, "lost-after", true),
        (Fault::SilenceAfter, "silent", true),
    ] {
        let rule = Rule::new(fault).over(Transport::Websocket).on("order.create").times(1);
        sandbox.faults().set(vec![rule]);
        let timeouts = Timeouts::default().with_attempt(Duration::from_millis(2500));
        let client = builder(&sandbox, &credentials).timeouts(timeouts).build().unwrap();
        let error = order(&client, id).send().await.unwrap_err();
        assert!(error.may_have_been_applied(), "{id}: {error}");
        assert_eq!(error.reconcile_with(), Some("get_open_orders"), "{id}: {error}");
        assert_eq!(error.idempotency_key(), Some(id), "{error}");
        assert_eq!(sandbox.faults().strikes(), [1], "{id}");
        assert_eq!(open(&http, id).await.is_some(), is_placed, "{id}");
    }
    assert_eq!(sandbox.executed()["bybit POST /v5/order/create"], 2, "none was sent twice");
}

#[tokio::test]
async fn a_repeated_order_is_refused_by_its_own_id_and_a_cancellation_is_not_repeated() {
    let (key, credentials) = keys(None, "key");
    let sandbox = sandbox(vec![key]).await;
    let lost = |name: &str| {
        let rule = Rule::new(Fault::DropAfter).over(Transport::Websocket).on(name).times(1);
        sandbox.faults().set(vec![rule]);
    };
    let quick = RetryPolicy { first_wait: Duration::from_millis(2), ..RetryPolicy::default() };
    let client = builder(&sandbox, &credentials).retry(quick).build().unwrap();
    lost("order.create");
    let error = order(&client, "mine").send().await.unwrap_err();
    assert!(error.was_applied_before() && error.is_repeated_key(), "{error}");
    assert_eq!(client.connection().unwrap().stats().opened, 2, "over another connection, which is logged on too");
    assert_eq!(sandbox.executed()["bybit POST /v5/order/create"], 1);
    lost("order.cancel");
    let error = cancel(&client, "mine").send().await.unwrap_err();
    assert!(error.may_have_been_applied() && !error.was_applied_before(), "{error}");
    assert_eq!((error.attempts(), error.reconcile_with()), (1, Some("get_open_orders")), "{error}");
    assert_eq!(sandbox.executed()["bybit POST /v5/order/cancel"], 1);
}

#[tokio::test]
async fn a_call_beyond_the_limit_was_not_executed() {
    let (key, credentials) = keys(None, "key");
    let sandbox = sandbox(vec![key]).await;
    let settings = venuekit_sandbox::BybitSettings { enforces_limits: true, ..sandbox.bybit_settings() };
    sandbox.set_bybit_settings(settings);
    let client = builder(&sandbox, &credentials).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    let ids: Vec<String> = (0..40).map(|number| format!("order-{number}")).collect();
    let results = futures_util::future::join_all(ids.iter().map(|id| order(&client, id).send())).await;
    let refused: Vec<Error> = results.into_iter().filter_map(Result::err).collect();
    assert!(!refused.is_empty(), "40 orders at once are too many");
    for error in &refused {
        assert_eq!((error.code(), error.kind()), (Some("10006"), ErrorKind::RateLimited), "{error}");
        assert!(!error.may_have_been_applied(), "{error}");
    }
    let placed = sandbox.executed()["bybit POST /v5/order/create"];
    assert_eq!(placed + refused.len() as u64, 40);
    // A client that keeps the limits gets all through: what is refused because it has come too early is sent again.
    let patient = RetryPolicy::default().with_attempts(20);
    let careful = builder(&sandbox, &credentials).retry(patient).rate_limits(RateLimits::new()).build().unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ids: Vec<String> = (0..15).map(|number| format!("careful-{number}")).collect();
    for result in futures_util::future::join_all(ids.iter().map(|id| order(&careful, id).send())).await {
        result.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_put_right() {
    let (key, credentials) = keys(None, "key");
    let sandbox = sandbox(vec![key]).await;
    for off in [-60_000, 60_000] {
        let client = builder(&sandbox, &credentials).build().unwrap();
        client.clock().set_offset_millis(off);
        order(&client, &format!("order{off}")).send().await.unwrap();
        assert!(client.clock().offset_millis().abs() < 30_000, "{}", client.clock().offset_millis());
        // While the connection stays, a time that the venue refuses is corrected by its reply.
        client.clock().set_offset_millis(off);
        cancel(&client, &format!("order{off}")).send().await.unwrap();
        assert!(client.clock().offset_millis().abs() < 30_000, "{}", client.clock().offset_millis());
    }
}

#[tokio::test]
async fn a_client_of_the_trade_channel_has_streams_too() {
    let (key, credentials) = keys(None, "key");
    let sandbox = sandbox(vec![key]).await;
    let client = builder(&sandbox, &credentials).build().unwrap();
    let mut orders = client.streams().order().subscribe().await.unwrap();
    order(&client, "first").send().await.unwrap();
    let reading = async {
        loop {
            if let venuekit::streams::Event::Message(message) = orders.next().await.expect("it has not ended")
                && message.value.order_link_id.as_deref() == Some("first")
            {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.expect("the order is reported");
    assert_eq!(sandbox.websocket_connections(), 2, "one for orders and one for the account");
    sandbox.cut_connections();
    until("the loss is known", || client.connection().unwrap().stats().lost == 1).await;
    order(&client, "second").send().await.unwrap();
}

/// What is logged, down to the finest level.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_that_proves_the_caller_is_logged_or_shown() {
    const SECRET: &str = "a-secret-that-nobody-sees";
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = seen.clone();
    // The first connection is good, and each later one refuses the log-on in words that it should not use.
    let url = scripted::serve(move |mut stream, number| {
        let heard = heard.clone();
        async move {
            while let Some(Ok(message)) = stream.next().await {
                let Some(text) = message.as_text() else { continue };
                heard.lock().unwrap().push(text.to_owned());
                let request: Value = serde_json::from_str(text).unwrap();
                let (code, said) = if number == 1 { (0, "OK".to_owned()) } else { (10004, format!("not {SECRET}")) };
                let reply = json!({
                    "reqId": request["reqId"], "retCode": code, "retMsg": said, "op": request["op"], "connId": "c",
                    "data": {"orderId": "o-1", "orderLinkId": "mine"},
                });
                stream.send(Message::text(reply.to_string())).await.unwrap();
            }
        }
    })
    .await;
    let logged = Logged::default();
    let writer = logged.clone();
    let level = tracing_subscriber::filter::LevelFilter::TRACE;
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(move || writer.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let client = || {
        let client = Client::websocket(Environment::Custom(url.clone())).retry(RetryPolicy::none());
        client.credentials(Credentials::api_key("key", SECRET).unwrap()).build().unwrap()
    };
    order(&client(), "mine").send().await.unwrap();
    let error = order(&client(), "mine").send().await.unwrap_err();
    assert!(error.message().contains("not [redacted]"), "{error}");
    let logons: Vec<Value> = seen.lock().unwrap().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let logons: Vec<&Value> = logons.iter().filter(|request| request["op"] == "auth").collect();
    assert_eq!(logons.len(), 2);
    let text = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap() + &format!("{error} {error:?}");
    assert!(text.contains("place_order"), "the log that is searched has the call");
    for secret in logons.iter().map(|request| request["args"][2].as_str().unwrap()).chain([SECRET]) {
        assert!(secret.len() > 20 && !text.contains(secret), "{text}");
    }
}
