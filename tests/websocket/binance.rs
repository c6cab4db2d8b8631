//! Binance: calls over one connection, each signed or after one log-on, and the events of the account.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rust_decimal::Decimal;
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::binance::streams::UserDataMessage;
use venuekit::binance::types::{OrderType, Side, TimeInForce};
use venuekit::binance::{Client, ClientBuilder, Credentials, Environment, Error};
use venuekit::streams::{Event, Reason, Subscription};
use venuekit::transport::{Event as SocketEvent, RateLimits, RetryPolicy, Timeouts};
use venuekit::{ErrorKind, binance};
use venuekit_sandbox::{Accounts, BinanceKey, Fault, Rule, Sandbox, Transport};
use venuekit_wire::UnixMillis;

use crate::desk::{options, until};

const SYMBOL: &str = "BTCUSDT";

/// A key of the account `desk`, in the sandbox and for the client.
fn keys(kind: Option<KeyKind>, name: &str) -> (BinanceKey, Credentials) {
    let mut key = BinanceKey { api_key: name.to_owned(), account: Some("desk".to_owned()), ..BinanceKey::default() };
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

async fn sandbox(keys: Vec<BinanceKey>) -> Sandbox {
    Sandbox::start(Accounts { binance: keys, ..Accounts::default() }).await.unwrap()
}

fn builder(sandbox: &Sandbox, credentials: &Credentials) -> ClientBuilder<Client> {
    Client::websocket(Environment::Custom(sandbox.binance_websocket_api_url()))
        .credentials(credentials.clone())
        .retry(RetryPolicy::none())
        .rate_limits(RateLimits::none())
        .websocket(options())
}

fn order<'a>(client: &'a Client, id: &str) -> binance::builder::NewOrder<'a> {
    let order = client.new_order().symbol(SYMBOL).side(Side::Buy).type_(OrderType::Limit).quantity("0.01");
    order.price("20000.10").time_in_force(TimeInForce::Gtc).new_client_order_id(id)
}

/// One program, over any transport.
async fn program(client: &Client, id: &str) -> Result<(), Error> {
    client.ping().send().await?;
    let time = client.time().send().await?;
    assert!(time.server_time.millis() > UnixMillis(1_700_000_000_000));
    let book = client.depth().symbol(SYMBOL).limit(5).send().await?;
    assert_eq!((book.bids.len(), book.asks.len()), (5, 5));
    let symbols = ["BTCUSDT".to_owned(), "ETHUSDT".to_owned()];
    client.ticker_price().symbols(symbols).send().await?;
    let placed = order(client, id).send().await?;
    let number = placed.order_id;
    let found = client.get_order().symbol(SYMBOL).order_id(number).send().await?;
    assert_eq!(found.client_order_id.as_deref(), Some(id));
    let price: Decimal = "20000.10".parse().unwrap();
    assert_eq!(found.price.map(|found| found.get()), Some(price));
    let account = client.get_account().send().await?;
    assert!(!account.balances.is_empty());
    client.delete_order().symbol(SYMBOL).order_id(number).send().await?;
    let error = client.delete_order().symbol(SYMBOL).order_id(number).send().await.unwrap_err();
    assert_eq!(error.code(), Some("-2011"), "{error}");
    assert!(!error.may_have_been_applied() && error.status().is_some_and(|status| status == 400), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_same_program_runs_over_both_with_every_kind_of_key() {
    let kinds = [("hmac", None), ("ed25519", Some(KeyKind::Ed25519)), ("rsa", Some(KeyKind::Rsa2048))];
    let all = kinds.map(|(name, kind)| (name, keys(kind, name)));
    let sandbox = sandbox(all.iter().map(|(_, (key, _))| key.clone()).collect()).await;
    for (name, (_, credentials)) in &all {
        let http = Client::builder(Environment::Custom(sandbox.binance_url())).credentials(credentials.clone());
        program(&http.build().unwrap(), &format!("{name}-http")).await.unwrap();
        let socket = builder(&sandbox, credentials).build().unwrap();
        program(&socket, &format!("{name}-socket")).await.unwrap();
        let stats = socket.connection().unwrap().stats();
        assert_eq!((stats.opened, stats.unasked_answers, stats.unreadable_messages), (1, 0, 0), "{name}");
    }
}

#[tokio::test]
async fn an_ed25519_key_is_logged_on_and_others_sign_each_call() {
    let (pair, by_pair) = keys(Some(KeyKind::Ed25519), "pair");
    let (secret, by_secret) = keys(None, "secret");
    let sandbox = sandbox(vec![pair, secret]).await;
    let client = builder(&sandbox, &by_pair).build().unwrap();
    let status = client.session_status().send().await.unwrap();
    assert_eq!(status.api_key, None, "a public call needs no log-on");
    client.get_account().send().await.unwrap();
    let status = client.session_status().send().await.unwrap();
    assert_eq!(status.api_key.as_deref(), Some("pair"));
    client.session_logout().send().await.unwrap();
    assert_eq!(client.session_status().send().await.unwrap().api_key, None);
    client.get_account().send().await.unwrap();
    assert_eq!(client.session_status().send().await.unwrap().api_key.as_deref(), Some("pair"), "logged on again");

    let client = builder(&sandbox, &by_secret).build().unwrap();
    client.get_account().send().await.unwrap();
    assert_eq!(client.session_status().send().await.unwrap().api_key, None);
    let error = client.session_logon().send().await.unwrap_err();
    assert_eq!(error.code(), Some("-2028"), "{error}");
    let error = client.user_data_stream_subscribe().send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unauthorized, 0), "{error}");
}

#[tokio::test]
async fn what_exists_over_http_only_is_not_sent() {
    let (key, credentials) = keys(None, "key");
    let sandbox = sandbox(vec![key]).await;
    let client = builder(&sandbox, &credentials).build().unwrap();
    let error = client.query_sub_account_list().send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{error}");
    assert!(error.message().contains("Client::builder"), "{error}");
    let http = Client::builder(Environment::Custom(sandbox.binance_url())).credentials(credentials).build().unwrap();
    let error = http.session_status().send().await.unwrap_err();
    assert!(error.message().contains("Client::websocket"), "{error}");
}

#[tokio::test]
async fn an_order_whose_response_is_lost_is_found_by_its_own_id() {
    let (key, credentials) = keys(Some(KeyKind::Ed25519), "key");
    let sandbox = sandbox(vec![key]).await;
    for (fault, id, is_placed) in [
        (Fault::DropBefore, "lost-before", false),
        (Fault::DropAfter, "lost-after", true),
        (Fault::SilenceAfter, "silent", true),
    ] {
        let rule = Rule::new(fault).over(Transport::Websocket).on("order.place").times(1);
        sandbox.faults().set(vec![rule]);
        let timeouts = Timeouts::default().with_attempt(Duration::from_millis(2500));
        let client = builder(&sandbox, &credentials).timeouts(timeouts).build().unwrap();
        let error = order(&client, id).send().await.unwrap_err();
        assert!(error.may_have_been_applied(), "{id}: {error}");
        assert_eq!(error.reconcile_with(), Some("get_order"), "{id}: {error}");
        assert_eq!(sandbox.faults().strikes(), [1], "{id}");
        let found = client.get_order().symbol(SYMBOL).orig_client_order_id(id).send().await;
        assert_eq!(found.is_ok(), is_placed, "{id}: {found:?}");
    }
    let placed = sandbox.executed().get("binance order.place").copied().unwrap_or_default();
    assert_eq!(placed, 2, "none was sent twice");
}

#[tokio::test]
async fn events_of_the_account_come_to_the_handler_and_end_with_the_connection() {
    for kind in [None, Some(KeyKind::Ed25519)] {
        let (key, credentials) = keys(kind, "key");
        let sandbox = sandbox(vec![key]).await;
        let events: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let seen = events.clone();
        let options = options().on_event(move |event| {
            if let SocketEvent::Notification { channel, data, .. } = event {
                seen.lock().unwrap().push((channel.to_owned(), data.to_owned()));
            }
        });
        let client = builder(&sandbox, &credentials).websocket(options).build().unwrap();
        let subscribe = async || match kind {
            None => client.user_data_stream_subscribe_signature().send().await.unwrap().subscription_id,
            Some(_) => client.user_data_stream_subscribe().send().await.unwrap().subscription_id,
        };
        assert_eq!(subscribe().await, 0);
        order(&client, "first").send().await.unwrap();
        let report = |id: &str| {
            let events = events.lock().unwrap();
            events.iter().any(|(channel, data)| channel == "0" && data.contains("executionReport") && data.contains(id))
        };
        until("the order is reported", || report("first")).await;
        sandbox.cut_connections();
        until("the connection is lost", || client.connection().unwrap().stats().lost == 1).await;
        order(&client, "second").send().await.unwrap();
        assert!(client.session_subscriptions().send().await.unwrap().is_empty(), "nothing is subscribed to any more");
        assert_eq!(subscribe().await, 0, "numbers begin again");
        order(&client, "third").send().await.unwrap();
        until("the order is reported", || report("third")).await;
        assert!(!report("second"));
    }
}

#[tokio::test]
async fn a_client_may_ask_for_microseconds() {
    let (key, credentials) = keys(None, "key");
    let sandbox = sandbox(vec![key]).await;
    let client = builder(&sandbox, &credentials);
    let client = client.header("X-MBX-TIME-UNIT", "MICROSECOND").build().unwrap();
    let time = client.time().send().await.unwrap().server_time;
    assert!(time.as_given() > 1_000_000_000_000_000, "{time:?}");
    // Signatures keep to the venue's window in either unit.
    order(&client, "micros").send().await.unwrap();
}

#[tokio::test]
async fn used_counts_of_replies_hold_calls_back() {
    let (key, credentials) = keys(None, "key");
    let sandbox = sandbox(vec![key]).await;
    let loud = builder(&sandbox, &credentials).build().unwrap();
    // The venue's minutes begin for all at once, perhaps in between.
    for _ in 0..3 {
        for _ in 0..24 {
            loud.depth().symbol(SYMBOL).limit(5000).send().await.unwrap();
        }
        // Another client of the same address learns it from its first reply.
        let careful = builder(&sandbox, &credentials).rate_limits(RateLimits::new()).rate_wait(Duration::ZERO);
        let careful = careful.build().unwrap();
        let ends = [careful.ping().send().await.map(drop), careful.ping().send().await.map(drop)];
        if let Some(error) = ends.into_iter().find_map(Result::err) {
            assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
            assert!(error.status().is_none() && !error.may_have_been_applied(), "it was not sent: {error}");
            return;
        }
    }
    panic!("the window was never used up");
}

/// Reads until an order is reported, or the account's events are said to be incomplete. Returns the reasons.
async fn reported(reader: &mut Subscription<UserDataMessage>, id: &str) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let reading = async {
        loop {
            match reader.next().await.expect("the stream has not ended") {
                Event::Stale(stale) => reasons.push(stale.reason),
                Event::Ended(ended) => panic!("{ended}"),
                Event::Message(message) => {
                    if let UserDataMessage::ExecutionReport(report) = &message.value
                        && report.client_order_id.as_deref() == Some(id)
                    {
                        return;
                    }
                }
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.expect("the order is reported");
    reasons
}

#[tokio::test]
async fn events_of_the_account_are_a_stream_that_is_subscribed_again() {
    for (kind, over_http) in
        [(None, true), (None, false), (Some(KeyKind::Ed25519), true), (Some(KeyKind::Ed25519), false)]
    {
        let (key, credentials) = keys(kind, "key");
        let sandbox = sandbox(vec![key]).await;
        let client = match over_http {
            true => Client::builder(Environment::Custom(sandbox.binance_url())).credentials(credentials),
            false => builder(&sandbox, &credentials),
        };
        let client = client.rate_limits(RateLimits::none()).build().unwrap();
        let mut events = client.streams().user_data().subscribe().await.unwrap();
        order(&client, "first").send().await.unwrap();
        assert_eq!(reported(&mut events, "first").await, [], "{kind:?} {over_http}");
        let opened = sandbox.websocket_connections();
        assert_eq!(opened, 1, "the calls and the events share a connection if the calls have one");
        sandbox.cut_connections();
        until("the loss is known", || client.streams().shared().stats().lost == 1).await;
        let again = sandbox.executed();
        let subscribed = || {
            let now = sandbox.executed();
            let count = |all: &std::collections::BTreeMap<String, u64>| -> u64 {
                let calls = all.iter().filter(|(name, _)| name.contains("userDataStream.subscribe"));
                calls.map(|(_, count)| count).sum()
            };
            count(&now) > count(&again)
        };
        until("the events are subscribed to again", subscribed).await;
        order(&client, "second").send().await.unwrap();
        let reasons = reported(&mut events, "second").await;
        assert!(matches!(reasons[..], [Reason::Reconnect(_)]), "{reasons:?}");
        drop(events);
        if over_http {
            until("the connection goes with the last reader", || sandbox.websocket_connections() == 0).await;
        } else {
            let ended = || sandbox.executed().contains_key("binance userDataStream.unsubscribe");
            until("the subscription ends, and the connection of the calls stays", ended).await;
            assert_eq!(sandbox.websocket_connections(), 1);
        }
    }
}

#[tokio::test]
async fn events_of_the_account_go_on_when_the_venue_is_going_to_close_their_connection() {
    for (kind, over_http) in
        [(None, true), (None, false), (Some(KeyKind::Ed25519), true), (Some(KeyKind::Ed25519), false)]
    {
        let (key, credentials) = keys(kind, "key");
        let sandbox = sandbox(vec![key]).await;
        let client = match over_http {
            true => Client::builder(Environment::Custom(sandbox.binance_url())).credentials(credentials),
            false => builder(&sandbox, &credentials),
        };
        let client = client.rate_limits(RateLimits::none()).build().unwrap();
        let mut events = client.streams().user_data().subscribe().await.unwrap();
        order(&client, "order-0").send().await.unwrap();
        assert_eq!(reported(&mut events, "order-0").await, [], "{kind:?} {over_http}");
        assert_eq!(sandbox.binance_shutdown(), 1, "the calls and the events share a connection if the calls have one");
        let replaced = || client.streams().shared().stats().replaced == 1;
        for number in 1..100 {
            let id = format!("order-{number}");
            order(&client, &id).send().await.unwrap();
            assert_eq!(reported(&mut events, &id).await, [], "{kind:?} {over_http}: nothing is missed");
            if replaced() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        until("another connection has taken over", replaced).await;
        assert_eq!(client.streams().shared().stats().lost, 0, "{kind:?} {over_http}");
        match client.connection() {
            // The old one stays for a while, for those who had subscribed on it.
            Some(calls) => {
                assert_eq!((calls.stats().opened, calls.stats().lost), (2, 0), "{kind:?}");
                assert_eq!(sandbox.websocket_connections(), 2, "{kind:?}: calls and events share the new one too");
            }
            None => until("the old one is closed", || sandbox.websocket_connections() == 1).await,
        }
        order(&client, "last").send().await.unwrap();
        assert_eq!(reported(&mut events, "last").await, [], "{kind:?} {over_http}");
    }
}
