//! Kalshi's perpetual futures: another path, the same words.

use venuekit_sandbox::Fault;

use crate::desk::{exact, fault, in_time, message, perps, resynced, sandbox, stale};

#[tokio::test]
async fn books_and_trades_of_perpetual_futures() {
    let sandbox = sandbox().await;
    let client = perps(&sandbox);
    let markets = client.get_margin_markets().send().await.unwrap().into_inner().markets;
    let ticker = markets[0].ticker.clone();
    let mut book = client.streams().orderbook_delta([ticker.clone()]).book().subscribe().await.unwrap();
    in_time("the book is live", async {
        while !book.is_live(&ticker) {
            book.next().await;
        }
    })
    .await;
    let live = book.live(&ticker).unwrap();
    let (bid, ask) = (live.best_bid().unwrap(), live.best_ask().unwrap());
    assert!(bid.price < ask.price);
    let mut trades = client.streams().trade([ticker.clone()]).subscribe().await.unwrap();
    assert!(sandbox.kalshi_trade(&ticker, bid.price, exact("1")));
    let trade = message(&mut trades).await;
    assert_eq!((&trade.market_ticker, trade.price.get()), (&ticker, bid.price));
    fault(&sandbox, Fault::Drop, "trade", 1);
    assert!(sandbox.kalshi_trade(&ticker, bid.price, exact("2")));
    assert!(sandbox.kalshi_trade(&ticker, bid.price, exact("3")));
    stale(&mut trades).await;
    let (caught, _) = resynced(&mut trades).await;
    assert_eq!(caught.len(), 2, "{caught:?}");
}
