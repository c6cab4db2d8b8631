//! A sandbox and clients of it.

use std::time::Duration;

use venuekit::deribit::types::Order;
use venuekit::deribit::{Client, ClientBuilder, Credentials, Environment, Error, WebSocketOptions};
use venuekit::transport::{RateLimits, RetryPolicy};
use venuekit_sandbox::{Accounts, DeribitKey, Sandbox};

pub const ID: &str = "AMANDA";
pub const SECRET: &str = "AMANDASECRECT";

pub fn key() -> DeribitKey {
    DeribitKey { client_id: ID.into(), client_secret: Some(SECRET.into()), ..DeribitKey::default() }
}

pub async fn sandbox() -> Sandbox {
    with(key()).await
}

pub async fn with(key: DeribitKey) -> Sandbox {
    Sandbox::start(Accounts { deribit: vec![key], ..Accounts::default() }).await.unwrap()
}

/// One attempt a call, no limits of the venue's, and a connection that is opened again at once.
pub fn builder(sandbox: &Sandbox) -> ClientBuilder<Client> {
    Client::websocket(Environment::Custom(sandbox.deribit_websocket_url()))
        .credentials(Credentials::secret(ID, SECRET).unwrap())
        .retry(RetryPolicy::none())
        .rate_limits(RateLimits::none())
        .websocket(options())
}

pub fn options() -> WebSocketOptions {
    WebSocketOptions::new().reconnect(Duration::from_millis(1), Duration::from_millis(20))
}

pub async fn buy(client: &Client, label: &str) -> Result<Order, Error> {
    let call = client
        .buy()
        .body_map(|params| params.instrument_name("BTC-PERPETUAL").amount("10").price("20000").label(label.to_owned()));
    Ok(call.send().await?.into_inner().order)
}

/// Waits until something holds, which it soon does; on a busy machine later.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what}");
}
