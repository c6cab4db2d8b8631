//! How do I keep an order book that reports when it is wrong, and receive my own trades?
//!
//! `cargo run --example deribit_streams` does it against its own sandbox: a book of BTC-PERPETUAL, an order that takes its best ask,
//! and the trade as it comes back. For the real venue change two lines: `Client::websocket(Environment::Test)`, and your own client id
//! and secret.
//!
//! The streams use the connection of the calls, since the client has one. With `Client::builder(..)` they open a separate one.

#![allow(clippy::print_stdout)]

use std::error::Error;

use venuekit::deribit::types::{Interval, NewOrderType};
use venuekit::deribit::{Client, Credentials, Environment};
use venuekit::streams::Event;
use venuekit_sandbox::{Accounts, Sandbox};

const NAME: &str = "BTC-PERPETUAL";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// A book, an order, a trade.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    let account = &sandbox.accounts().deribit[0];
    let secret = account.client_secret.clone().unwrap_or_default();
    let deribit = Client::websocket(Environment::Custom(sandbox.deribit_websocket_url()))
        .credentials(Credentials::secret(&account.client_id, secret)?)
        .build()?;

    let mut book = deribit.streams().book(NAME, Interval::Ms100).book().subscribe().await?;
    let mut trades = deribit.streams().user_trades(NAME, Interval::Raw).subscribe().await?;

    // A view is an immutable snapshot of the book. There is none while the book is uncertain.
    let view = loop {
        match book.live(NAME) {
            Some(view) => break view,
            None => println!("book: {:?}", book.next().await.ok_or("the book ended")?),
        }
    };
    println!("{} is bid {:?} and asked {:?}", NAME, view.best_bid(), view.best_ask());

    deribit.buy().instrument_name(NAME).amount("10").type_(NewOrderType::Market).label("listen").send().await?;
    while let Some(event) = trades.next().await {
        match event {
            Event::Message(trade) => {
                println!(
                    "bought {:?} at {:?}",
                    trade.amount.map(|amount| amount.get()),
                    trade.price.map(|price| price.get())
                );
                break;
            }
            Event::Stale(stale) => println!("uncertain: {}", stale.reason),
            other => println!("{other:?}"),
        }
    }
    trades.close().await;
    book.close().await;
    Ok(())
}
