//! How do I place an order on Kalshi, and what do I do when it fails?
//!
//! `cargo run --example kalshi_order` places one with a signed request against its own sandbox, is refused in a few ways,
//! looks the order up and cancels it.
//!
//! For the real venue change two lines: `let environment = Environment::Demo;` and
//! `let credentials = Credentials::from_pem_file("key id", "kalshi.pem")?;`.

#![allow(clippy::print_stdout)]

use std::error::Error;

use venuekit::ErrorKind;
use venuekit::kalshi::types::{BookSide, MarketStatusFilter, OrderId, SelfTradePreventionType, TimeInForce};
use venuekit::kalshi::{Client, Credentials, Environment};
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// Place, be refused, look up, cancel.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    let account = &sandbox.accounts().kalshi[0];
    let pem = account.private_key_pem.as_deref().unwrap_or_default();

    let environment = Environment::Custom(sandbox.kalshi_url());
    let credentials = Credentials::from_pem(&account.key_id, pem)?;
    let kalshi = Client::builder(environment).credentials(credentials).build()?;

    let open = kalshi.get_markets().status(MarketStatusFilter::Open).limit(1).send().await?;
    let market = open.markets.first().ok_or("no market is open")?;
    let ticker = market.ticker.as_str();
    println!("{ticker}: yes is bid {:?} and asked {:?}", market.yes_bid_dollars, market.yes_ask_dollars);

    // Counts and prices are exact decimals. Choose a `client_order_id` for each order: it finds an order whose response was lost, and
    // Kalshi accepts no second order with it.
    let order_id = place(&kalshi, ticker, "10", "0.56", "my-order-1").await?;
    println!("the order {order_id} is placed");

    let again = place(&kalshi, ticker, "10", "0.56", "my-order-1").await?;
    println!("placed again it is still the order {again}");

    for (count, price) in [("1000000", "0.56"), ("10", "1.50")] {
        match place(&kalshi, ticker, count, price, "my-order-2").await {
            Err(error) if error.kind() == ErrorKind::InsufficientFunds => {
                println!("{count} at {price}: no money for it")
            }
            Err(error) => println!("{count} at {price}: {:?}, {error}", error.kind()),
            Ok(order_id) => return Err(format!("{count} at {price} was placed as {order_id}").into()),
        }
    }

    let cancelled = kalshi.cancel_order_v2().order_id(order_id.as_str()).send().await?;
    println!("cancelled, {:?} contracts came off the book", cancelled.reduced_by.map(|count| count.to_string()));
    let order = kalshi.get_order().order_id(order_id.as_str()).send().await?.into_inner().order;
    println!("its status is {}", order.status.map(|status| status.to_string()).unwrap_or_default());
    Ok(())
}

/// Places a bid, at most once. Returns the order's id.
async fn place(
    kalshi: &Client,
    ticker: &str,
    count: &str,
    price: &str,
    client_order_id: &str,
) -> Result<OrderId, venuekit::Error> {
    let order = kalshi
        .create_order_v2()
        .ticker(ticker)
        .side(BookSide::Bid)
        .count(count)
        .price(price)
        .time_in_force(TimeInForce::GoodTillCanceled)
        .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
        .client_order_id(client_order_id);
    match order.send().await {
        Ok(placed) => Ok(placed.into_inner().order_id),
        // The response was lost, or an earlier attempt has used the id: look the order up before doing anything else.
        Err(error) if error.may_have_been_applied() || error.kind() == ErrorKind::Conflict => {
            println!("{error}\n  looking it up with `{}`", error.reconcile_with().unwrap_or("the order list"));
            find(kalshi, ticker, client_order_id).await?.ok_or(error)
        }
        Err(error) => Err(error),
    }
}

/// The order that was placed with this id, on any page.
async fn find(kalshi: &Client, ticker: &str, client_order_id: &str) -> Result<Option<OrderId>, venuekit::Error> {
    let mut cursor = String::new();
    loop {
        let page = kalshi.get_orders().ticker(ticker).limit(1000).cursor(cursor).send().await?.into_inner();
        let found = page.orders.into_iter().find(|order| order.client_order_id.as_deref() == Some(client_order_id));
        cursor = page.cursor.unwrap_or_default();
        if found.is_some() || cursor.is_empty() {
            return Ok(found.map(|order| order.order_id));
        }
    }
}
