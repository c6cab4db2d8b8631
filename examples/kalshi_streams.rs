//! How do I follow a market, and know when the data is incomplete?
//!
//! `cargo run --example kalshi_streams` follows the trades and the order book of a market in its own sandbox, places an order that is
//! matched, and shows what arrives.
//!
//! For the real venue change one line: `let environment = Environment::Demo;`, with credentials of that environment. Kalshi's streams
//! need a key.

#![allow(clippy::print_stdout)]

use std::error::Error;

use venuekit::kalshi::types::{BookSide, MarketStatusFilter, SelfTradePreventionType, TimeInForce};
use venuekit::kalshi::{Client, Credentials, Environment};
use venuekit::streams::Event;
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// Subscribes, trades, and reads.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    let account = &sandbox.accounts().kalshi[0];
    let pem = account.private_key_pem.as_deref().unwrap_or_default();
    let environment = Environment::Custom(sandbox.kalshi_url());
    let kalshi = Client::builder(environment).credentials(Credentials::from_pem(&account.key_id, pem)?).build()?;

    let open = kalshi.get_markets().status(MarketStatusFilter::Open).limit(1).send().await?;
    let market = open.markets.first().ok_or("no market is open")?.ticker.clone();

    let mut trades = kalshi.streams().trade([&market]).subscribe().await?;
    let mut book = kalshi.streams().orderbook_delta([&market]).book().subscribe().await?;

    // The first event of a book says that it is complete.
    while book.live(&market).is_none() {
        let event = book.next().await.ok_or("the book ended")?;
        println!("book: {event:?}");
    }
    let view = book.live(&market).ok_or("the book is uncertain")?;
    let ask = view.best_ask().ok_or("there is no ask")?;
    println!("best bid {:?}, best ask {} x {}", view.best_bid().map(|bid| bid.price), ask.price, ask.size);

    kalshi
        .create_order_v2()
        .ticker(&market)
        .side(BookSide::Bid)
        .count("1")
        .price(ask.price)
        .time_in_force(TimeInForce::ImmediateOrCancel)
        .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
        .client_order_id("listen-1")
        .send()
        .await?;

    while let Some(event) = trades.next().await {
        match event {
            Event::Message(trade) => {
                println!("{} x {} at {}", trade.market_ticker, trade.count_fp, trade.yes_price_dollars);
                break;
            }
            // Data may be missing from here on: a gap, a lost connection.
            Event::Stale(stale) => println!("uncertain: {}", stale.reason),
            // Complete again, and what was missed.
            Event::Resynced(resynced) => println!("complete again, missed: {:?}", resynced.missed),
            other => println!("{other:?}"),
        }
    }
    trades.close().await;
    book.close().await;
    Ok(())
}
