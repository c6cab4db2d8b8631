//! How do I read a list that comes in pages?
//!
//! `cargo run --example kalshi_markets` reads all open Kalshi markets, page by page, from its own sandbox. No key is needed.
//!
//! For the real venue change one line: `let environment = Environment::Demo;` (and set a `limit` of 1000).

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;

use venuekit::kalshi::types::MarketStatusFilter;
use venuekit::kalshi::{Client, Environment};
use venuekit::wire::Decimal;
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// Reads all pages and counts.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    let environment = Environment::Custom(sandbox.kalshi_url());
    let kalshi = Client::builder(environment).build()?;

    let mut markets = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut call = kalshi.get_markets().status(MarketStatusFilter::Open).limit(100);
        if let Some(cursor) = cursor {
            call = call.cursor(cursor);
        }
        let page = call.send().await?.into_inner();
        println!("a page of {} markets", page.markets.len());
        markets.extend(page.markets);
        // The last page has no cursor, or an empty one.
        cursor = page.cursor.filter(|cursor| !cursor.is_empty());
        if cursor.is_none() {
            break;
        }
    }

    let mut by_event: BTreeMap<&str, usize> = BTreeMap::new();
    for market in &markets {
        *by_event.entry(market.event_ticker.as_deref().unwrap_or("none")).or_default() += 1;
    }
    println!("{} open markets in {} events", markets.len(), by_event.len());

    // Prices are exact, so arithmetic on them is too.
    let spread = |bid: Decimal, ask: Decimal| ask.get() - bid.get();
    let spreads = markets.iter().filter_map(|market| Some(spread(market.yes_bid_dollars?, market.yes_ask_dollars?)));
    println!("the narrowest spread is {:?} dollars", spreads.min().map(|spread| spread.to_string()));
    Ok(())
}
