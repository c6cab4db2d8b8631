//! A sandbox, clients of it, and what their readers are told.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use rust_decimal::Decimal;
use venuekit::streams::{Event, Message, Resynced, Stale, StreamMessage, Subscription};
use venuekit::transport::RateLimits;
use venuekit::{bayse, deribit, kalshi, kalshi_perps};
use venuekit_sandbox::{Accounts, DeribitKey, Fault, Rule, Sandbox};

/// Every wait of a test ends, so that a test that fails ends too.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: it does not happen"),
    }
}

pub async fn sandbox() -> Sandbox {
    let deribit =
        DeribitKey { client_id: "AMANDA".into(), client_secret: Some("AMANDASECRET".into()), ..DeribitKey::default() };
    Sandbox::start(Accounts { deribit: vec![deribit], ..Accounts::default() }).await.unwrap()
}

pub fn kalshi(sandbox: &Sandbox) -> kalshi::Client {
    let key = &sandbox.accounts().kalshi[0];
    let credentials = kalshi::Credentials::from_pem(&key.key_id, key.private_key_pem.as_ref().unwrap()).unwrap();
    let builder = kalshi::Client::builder(kalshi::Environment::Custom(sandbox.kalshi_url()));
    builder.credentials(credentials).rate_limits(RateLimits::none()).build().unwrap()
}

pub fn perps(sandbox: &Sandbox) -> kalshi_perps::Client {
    let key = &sandbox.accounts().kalshi[0];
    let pem = key.private_key_pem.as_ref().unwrap();
    let credentials = kalshi_perps::Credentials::from_pem(&key.key_id, pem).unwrap();
    let builder = kalshi_perps::Client::builder(kalshi_perps::Environment::Custom(sandbox.kalshi_perps_url()));
    builder.credentials(credentials).rate_limits(RateLimits::none()).build().unwrap()
}

/// A client whose calls go over a WebSocket.
pub fn deribit(sandbox: &Sandbox) -> deribit::Client {
    let builder = deribit::Client::websocket(deribit::Environment::Custom(sandbox.deribit_websocket_url()));
    let credentials = deribit::Credentials::secret("AMANDA", "AMANDASECRET").unwrap();
    builder.credentials(credentials).rate_limits(RateLimits::none()).build().unwrap()
}

/// One whose calls go over HTTP.
pub fn deribit_over_http(sandbox: &Sandbox) -> deribit::Client {
    let builder = deribit::Client::builder(deribit::Environment::Custom(sandbox.deribit_url()));
    let credentials = deribit::Credentials::secret("AMANDA", "AMANDASECRET").unwrap();
    builder.credentials(credentials).rate_limits(RateLimits::none()).build().unwrap()
}

pub fn bayse(sandbox: &Sandbox) -> bayse::Client {
    let account = &sandbox.accounts().bayse[0];
    let credentials = bayse::Credentials::api_key(account.public_key.clone(), account.secret_key.clone()).unwrap();
    let builder = bayse::Client::builder(bayse::Environment::Custom(sandbox.bayse_url()));
    builder.credentials(credentials).rate_limits(RateLimits::none()).build().unwrap()
}

/// An open market of Kalshi.
pub async fn market(client: &kalshi::Client) -> kalshi::types::MarketTicker {
    markets(client, 1).await.remove(0)
}

pub async fn markets(client: &kalshi::Client, count: i64) -> Vec<kalshi::types::MarketTicker> {
    let page = client.get_markets().status("open").limit(count).send().await.unwrap().into_inner();
    page.markets.into_iter().map(|market| market.ticker).collect()
}

pub fn exact(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Has others trade on a market, at its best bid.
pub fn trade(sandbox: &Sandbox, ticker: &str, count: &str) {
    let book = sandbox.kalshi_book(ticker, None).expect("there is such a market");
    let best = book.bids.iter().map(|(price, _)| *price).max().expect("somebody buys");
    assert!(sandbox.kalshi_trade(ticker, best, exact(count)));
}

/// An order for Deribit's perpetual.
pub async fn buy(client: &deribit::Client, price: &str) -> deribit::types::Order {
    let call = client.buy().body_map(|params| params.instrument_name("BTC-PERPETUAL").amount("10").price(price));
    call.send().await.unwrap().into_inner().order
}

/// The next event; a test that waits for one that does not come fails.
pub async fn next<T: StreamMessage + Debug>(reader: &mut Subscription<T>) -> Event<T> {
    in_time("an event", reader.next()).await.expect("the stream goes on")
}

/// The next message. Another event is not expected.
pub async fn message<T: StreamMessage + Debug>(reader: &mut Subscription<T>) -> Message<T> {
    match next(reader).await {
        Event::Message(message) => message,
        other => panic!("{other:?} in place of a message"),
    }
}

/// The next message for which this holds.
pub async fn message_with<T: StreamMessage + Debug>(
    reader: &mut Subscription<T>,
    mut holds: impl FnMut(&T) -> bool,
) -> Message<T> {
    in_time("a message", async {
        loop {
            if let Some(Event::Message(message)) = reader.next().await
                && holds(&message.value)
            {
                return message;
            }
        }
    })
    .await
}

/// Why a reader is uncertain: the next event that says so.
pub async fn stale<T: StreamMessage + Debug>(reader: &mut Subscription<T>) -> Stale {
    in_time("a gap", async {
        loop {
            if let Event::Stale(stale) = next(reader).await {
                return stale;
            }
        }
    })
    .await
}

/// That it is certain again. Messages in between are returned too.
pub async fn resynced<T: StreamMessage + Debug>(reader: &mut Subscription<T>) -> (Vec<Message<T>>, Resynced) {
    let mut messages = Vec::new();
    loop {
        match next(reader).await {
            Event::Message(message) => messages.push(message),
            Event::Resynced(resynced) => return (messages, resynced),
            Event::Stale(_) => {}
            other => panic!("{other:?} while a reader waits to be certain"),
        }
    }
}

/// One fault, for frames or handshakes of this name.
pub fn fault(sandbox: &Sandbox, fault: Fault, name: &str, times: u64) {
    sandbox.faults().set(vec![Rule::new(fault).on(name).times(times)]);
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    in_time(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
