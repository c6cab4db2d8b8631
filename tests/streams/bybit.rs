//! Bybit: commands that list topics, a login by a command, books whose changes count on by one.

use rust_decimal::Decimal;
use venuekit::bybit::types::BookDepth;
use venuekit::bybit::{Client, Credentials, Environment};
use venuekit::streams::{Error, Event, Reason};
use venuekit_sandbox::{Accounts, BybitKey, Fault, Rule, Sandbox, Transport};

use crate::desk::{exact, in_time};

const SYMBOL: &str = "BTCUSDT";

async fn sandbox() -> Sandbox {
    let key = BybitKey { api_key: "AMANDA".into(), api_secret: Some("AMANDASECRET".into()), ..BybitKey::default() };
    Sandbox::start(Accounts { bybit: vec![key], ..Accounts::default() }).await.unwrap()
}

fn client(sandbox: &Sandbox, secret: &str) -> Client {
    let credentials = Credentials::api_key("AMANDA", secret.to_owned()).unwrap();
    Client::builder(Environment::Custom(sandbox.bybit_url())).credentials(credentials).build().unwrap()
}

/// Rests a bid far below the best one.
fn quote(sandbox: &Sandbox, number: i64) {
    assert!(sandbox.bybit_quote(("linear", SYMBOL), true, Decimal::from(20_000 + number), exact("0.01")));
}

#[tokio::test]
async fn a_book_counts_on_and_a_gap_brings_a_snapshot() {
    let sandbox = sandbox().await;
    let client = client(&sandbox, "AMANDASECRET");
    let subscribe = client.streams().linear_orderbook(BookDepth::X1000, SYMBOL).book().subscribe();
    let mut book = in_time("subscribed", subscribe).await.unwrap();
    let is_right = |book: &venuekit::streams::LiveBook<_>, number: i64| {
        let price = Decimal::from(20_000 + number);
        book.live(SYMBOL).is_some_and(|view| view.at(venuekit::books::Side::Bid, price) == Some(exact("0.01")))
    };
    quote(&sandbox, 1);
    in_time("the book has the bid", async {
        while !is_right(&book, 1) {
            book.next().await;
        }
    })
    .await;
    // A service that begins again sends a snapshot with the number 1: nothing is missing.
    sandbox.bybit_restart_books();
    quote(&sandbox, 2);
    in_time("the book goes on", async {
        while !is_right(&book, 2) {
            let event = book.next().await;
            assert!(!matches!(event, Some(Event::Stale(_))), "{event:?}");
        }
    })
    .await;
    sandbox.faults().set(vec![Rule::new(Fault::Drop).over(Transport::Stream).on("data").at("bybit").times(1)]);
    let mut reason = None;
    in_time("the gap is seen, and the book is right again", async {
        let mut number = 2;
        while reason.is_none() || !is_right(&book, number) {
            if reason.is_none() || book.is_live(SYMBOL) {
                number += 1;
                quote(&sandbox, number);
            }
            while let Ok(Some(event)) = tokio::time::timeout(std::time::Duration::from_millis(300), book.next()).await {
                if let Event::Stale(stale) = event {
                    reason = Some(stale.reason);
                }
            }
        }
    })
    .await;
    assert!(matches!(reason, Some(Reason::Gap { .. })), "{reason:?}");
}

#[tokio::test]
async fn a_topic_that_is_unknown_is_refused_alone() {
    let sandbox = sandbox().await;
    let client = client(&sandbox, "AMANDASECRET");
    let streams = client.streams();
    let subscribe = |symbol: &str| streams.linear_trades(symbol).subscribe();
    let (good, bad) = in_time("settled", async { tokio::join!(subscribe(SYMBOL), subscribe("NOSUCHUSDT")) }).await;
    let Err(Error::Refused(refused)) = bad else { panic!("it is unknown") };
    assert_eq!(refused.refusals[0].topic.to_string(), "publicTrade.NOSUCHUSDT");
    assert!(good.is_ok());
}

#[tokio::test]
async fn private_topics_take_a_login() {
    let sandbox = sandbox().await;
    let orders = in_time("subscribed", client(&sandbox, "AMANDASECRET").streams().order().subscribe()).await;
    assert!(orders.is_ok(), "{:?}", orders.err());
    let error = in_time("refused", client(&sandbox, "OTHERSECRET").streams().order().subscribe()).await.unwrap_err();
    assert!(matches!(error, Error::Connection(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("OTHERSECRET"));
}
