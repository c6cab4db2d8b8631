//! How do I make my calls over one WebSocket, and receive notifications?
//!
//! `cargo run --example deribit_websocket` does it against its own sandbox. For the real venue change two lines:
//! `Client::websocket(Environment::Test)` and your own client id and secret.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use venuekit::deribit::{Client, Credentials, Environment, Event, WebSocketOptions};
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// Calls, a setting of the connection, and a subscription.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    let account = &sandbox.accounts().deribit[0];
    let secret = account.client_secret.clone().unwrap_or_default();

    // The handler is called by the task that reads the connection: pass the data on and return.
    let (send, mut tickers) = mpsc::channel(16);
    let options = WebSocketOptions::new().on_event(move |event| {
        if let Event::Notification { channel, data, .. } = event {
            let _ = send.try_send(format!("{channel}: {data}"));
        }
    });
    let deribit = Client::websocket(Environment::Custom(sandbox.deribit_websocket_url()))
        .credentials(Credentials::secret(&account.client_id, secret)?)
        .websocket(options)
        .build()?;

    // If the connection is lost, the venue cancels the orders that were placed over it. The next connection gets the same setting.
    deribit.enable_cancel_on_disconnect().send().await?;

    // Any number of calls may be in flight at once.
    let call = |name| deribit.ticker().instrument_name(name).send();
    let (bitcoin, ether) = tokio::join!(call("BTC-PERPETUAL"), call("ETH-PERPETUAL"));
    println!("{:?} {:?}", bitcoin?.mark_price, ether?.mark_price);

    deribit.subscribe().channels(vec!["ticker.BTC-PERPETUAL.100ms".to_owned()]).send().await?;
    // The first ticker comes at once, the next one when something has changed.
    let ticker = timeout(Duration::from_secs(10), tickers.recv()).await?;
    println!("{}", ticker.ok_or("the connection has ended")?);
    Ok(())
}
