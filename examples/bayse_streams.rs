//! How do I receive prices from Bayse?
//!
//! `cargo run --example bayse_streams` receives the prices of two assets from its own sandbox until each has arrived. No key is
//! needed. For the real venue change one line: `let environment = Environment::Production;`.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;

use venuekit::bayse::{Client, Environment};
use venuekit::streams::{Event, Overflow};
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// Two prices.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    let bayse = Client::builder(Environment::Custom(sandbox.bayse_url())).build()?;

    // Only the newest price of each asset matters: an unread one is replaced by the next.
    let prices = bayse.streams().asset_prices(["BTCUSDT", "ETHUSDT"]).overflow(Overflow::Newest);
    let mut prices = prices.subscribe().await?;
    let mut last = BTreeMap::new();
    while last.len() < 2 {
        match prices.next().await.ok_or("the stream ended")? {
            Event::Message(price) => _ = last.insert(price.symbol.to_string(), price.price.get()),
            other => println!("{other:?}"),
        }
    }
    println!("{last:?}");
    prices.close().await;
    Ok(())
}
