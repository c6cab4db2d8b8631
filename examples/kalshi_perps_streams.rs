//! How do I follow a perpetual future?
//!
//! `cargo run --example kalshi_perps_streams` keeps the order book of a market in its own sandbox and shows its best prices. For the
//! real venue change one line: `let environment = Environment::Demo;`, with credentials of that environment.

#![allow(clippy::print_stdout)]

use std::error::Error;

use venuekit::kalshi_perps::{Client, Credentials, Environment};
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// A book.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    let account = &sandbox.accounts().kalshi[0];
    let pem = account.private_key_pem.as_deref().unwrap_or_default();
    let environment = Environment::Custom(sandbox.kalshi_perps_url());
    let perps = Client::builder(environment).credentials(Credentials::from_pem(&account.key_id, pem)?).build()?;

    let markets = perps.get_margin_markets().send().await?.into_inner();
    let market = markets.markets.first().ok_or("there is no market")?.ticker.clone();
    let mut book = perps.streams().orderbook_delta([&market]).book().subscribe().await?;
    let view = loop {
        match book.live(&market) {
            Some(view) => break view,
            None => println!("book: {:?}", book.next().await.ok_or("the book ended")?),
        }
    };
    println!("{market} is bid {:?} and asked {:?}", view.best_bid(), view.best_ask());
    book.close().await;
    Ok(())
}
