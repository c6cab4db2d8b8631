//! Kalshi: commands with numbers, a sequence for each subscription, catch-up over REST.

use std::collections::BTreeMap;

use venuekit::kalshi::types::MarketTicker;
use venuekit::streams::{Error, Event, Missed, Origin, Overflow, Reason};
use venuekit_sandbox::{Fault, KalshiSettings, Sandbox};

use crate::desk::{
    exact, fault, in_time, kalshi, market, markets, message, next, resynced, sandbox, stale, trade, until,
};

const UPGRADE: &str = "GET /trade-api/ws/v2";

#[tokio::test]
async fn a_trade_arrives_with_its_type() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let ticker = market(&client).await;
    let mut trades = client.streams().trade([ticker.clone()]).subscribe().await.unwrap();
    trade(&sandbox, &ticker, "2.00");
    let trade = message(&mut trades).await;
    assert_eq!((&trade.market_ticker, trade.count_fp.get()), (&ticker, exact("2.00")));
    assert_eq!((trade.origin, trade.sequence), (Origin::Stream, Some(1)));
    assert!(trade.sent.is_some() && trade.raw.starts_with(b"{"));
}

#[tokio::test]
async fn readers_of_one_channel_share_a_connection_and_none_ends_the_other() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let tickers = markets(&client, 2).await;
    let mut one = client.streams().trade([tickers[0].clone()]).subscribe().await.unwrap();
    let mut two = client.clone().streams().trade(tickers.clone()).subscribe().await.unwrap();
    let mut all = client.streams().trade(venuekit::streams::All).subscribe().await.unwrap();
    trade(&sandbox, &tickers[0], "1.00");
    trade(&sandbox, &tickers[1], "2.00");
    let first = message(&mut one).await;
    for reader in [&mut two, &mut all] {
        assert_eq!(message(reader).await.trade_id, first.trade_id);
        assert_eq!(message(reader).await.count_fp.get(), exact("2.00"));
    }
    drop(two);
    trade(&sandbox, &tickers[1], "3.00");
    trade(&sandbox, &tickers[0], "4.00");
    assert_eq!(message(&mut one).await.count_fp.get(), exact("4.00"), "its own market alone");
    assert_eq!(message(&mut all).await.count_fp.get(), exact("3.00"));
    assert_eq!(message(&mut all).await.count_fp.get(), exact("4.00"));
    assert!(sandbox.websocket_connections() <= 2, "one, and one for everything where the venue wants that");
}

#[tokio::test]
async fn markets_come_and_go_while_a_reader_reads() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let tickers = markets(&client, 2).await;
    let mut trades = client.streams().trade([tickers[0].clone()]).subscribe().await.unwrap();
    in_time("markets are added", trades.add([tickers[1].to_string()])).await.unwrap();
    trade(&sandbox, &tickers[1], "1.00");
    assert_eq!(message(&mut trades).await.market_ticker, tickers[1]);
    trades.remove([tickers[0].to_string()]).await.unwrap();
    trade(&sandbox, &tickers[0], "2.00");
    trade(&sandbox, &tickers[1], "3.00");
    assert_eq!(message(&mut trades).await.count_fp.get(), exact("3.00"));
    assert_eq!(trades.topic().to_string(), format!("trade market_tickers={}", &*tickers[1]));
}

/// What a call lists is asked for by the venue's clock, not by that of this machine.
#[tokio::test]
async fn what_is_missed_is_caught_up_where_the_clock_of_the_venue_is_behind() {
    let sandbox = sandbox().await;
    sandbox.clock().set_offset_millis(-60_000);
    let client = kalshi(&sandbox);
    let ticker = market(&client).await;
    let mut trades = client.streams().trade([ticker.clone()]).subscribe().await.unwrap();
    // The connection is lost before anything has come.
    fault(&sandbox, Fault::status(502), UPGRADE, 2);
    sandbox.cut_connections();
    assert!(matches!(stale(&mut trades).await.reason, Reason::Reconnect(_)));
    trade(&sandbox, &ticker, "2.00");
    let (caught, resynced) = resynced(&mut trades).await;
    assert_eq!(caught.iter().map(|trade| trade.count_fp.get()).collect::<Vec<_>>(), [exact("2.00")]);
    assert_eq!((resynced.missed, resynced.caught_up), (Missed::None, 1));
}

#[tokio::test]
async fn what_happens_while_a_connection_is_lost_is_caught_up_once() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let ticker = market(&client).await;
    let mut trades = client.streams().trade([ticker.clone()]).subscribe().await.unwrap();
    trade(&sandbox, &ticker, "1.00");
    let before = message(&mut trades).await;
    // The next connections are refused, so that what follows happens while there is none.
    fault(&sandbox, Fault::status(502), UPGRADE, 2);
    sandbox.cut_connections();
    assert!(matches!(stale(&mut trades).await.reason, Reason::Reconnect(_)));
    trade(&sandbox, &ticker, "2.00");
    trade(&sandbox, &ticker, "3.00");
    let (caught, resynced) = resynced(&mut trades).await;
    let told: Vec<_> = caught.iter().map(|trade| (trade.count_fp.get(), trade.origin)).collect();
    assert_eq!(told, [(exact("2.00"), Origin::CatchUp), (exact("3.00"), Origin::CatchUp)]);
    assert!(caught.iter().all(|trade| trade.trade_id != before.trade_id), "nothing comes twice");
    assert_eq!((resynced.missed, resynced.caught_up), (Missed::None, 2));
    trade(&sandbox, &ticker, "4.00");
    let after = message(&mut trades).await;
    assert_eq!((after.count_fp.get(), after.origin), (exact("4.00"), Origin::Stream));
}

#[tokio::test]
async fn a_close_frame_is_told_and_lived_through() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let ticker = market(&client).await;
    let mut trades = client.streams().trade([ticker.clone()]).subscribe().await.unwrap();
    fault(&sandbox, Fault::Close { code: 1012, reason: "restart".to_owned() }, "trade", 1);
    trade(&sandbox, &ticker, "1.00");
    let reason = stale(&mut trades).await.reason.to_string();
    assert!(reason.contains("1012") && reason.contains("restart"), "{reason}");
    let (caught, _) = resynced(&mut trades).await;
    assert_eq!(caught.len(), 1, "the trade in whose place the connection was closed");
}

#[tokio::test]
async fn a_gap_is_seen_whatever_the_market_and_made_good() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let tickers = markets(&client, 2).await;
    let mut trades = client.streams().trade(tickers.clone()).subscribe().await.unwrap();
    trade(&sandbox, &tickers[0], "1.00");
    message(&mut trades).await;
    fault(&sandbox, Fault::Drop, "trade", 1);
    trade(&sandbox, &tickers[0], "2.00");
    trade(&sandbox, &tickers[1], "3.00");
    let Reason::Gap { expected: 2, got: 3 } = stale(&mut trades).await.reason else { panic!("a gap of one") };
    let (caught, resynced) = resynced(&mut trades).await;
    let mut counts: Vec<_> = caught.iter().map(|trade| trade.count_fp.get()).collect();
    counts.sort();
    assert_eq!(counts, [exact("2.00"), exact("3.00")], "the lost one, and the one that showed it, each once");
    assert_eq!(resynced.missed, Missed::None);
}

/// The levels of a book as the sandbox has them at the same mark.
fn levels(sandbox: &Sandbox, ticker: &MarketTicker, book: &venuekit::books::Book) -> (bool, String) {
    let side = |levels: &mut dyn Iterator<Item = venuekit::books::Level>| {
        levels.map(|level| (level.price, level.size)).collect::<BTreeMap<_, _>>()
    };
    let own = (side(&mut book.bids()), side(&mut book.asks()));
    let Some(venue) = sandbox.kalshi_book(ticker, book.mark()) else {
        return (false, format!("no book at {:?}", book.mark()));
    };
    let theirs = (venue.bids.into_iter().collect(), venue.asks.into_iter().collect());
    (own == theirs, format!("{own:?}\n{theirs:?}"))
}

#[tokio::test]
async fn a_book_is_right_whenever_it_says_so() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let tickers = markets(&client, 2).await;
    let ticker = &tickers[0];
    for what in [
        Fault::Drop,
        Fault::Gap { by: 3 },
        Fault::Restart,
        Fault::Duplicate,
        Fault::set_to("/msg/delta_fp", "-1000000.00"),
    ] {
        sandbox.faults().clear();
        let mut book = client.streams().orderbook_delta(tickers.clone()).book().subscribe().await.unwrap();
        in_time("books are live", async {
            while !tickers.iter().all(|ticker| book.is_live(ticker)) {
                book.next().await;
            }
        })
        .await;
        fault(&sandbox, what.clone(), "orderbook_delta/orderbook_delta", 1);
        let mut size = 10;
        in_time("the book is right at last", async {
            loop {
                size += 1;
                assert!(sandbox.kalshi_quote(ticker, true, exact("0.01"), size.into()));
                while let Ok(Some(event)) =
                    tokio::time::timeout(std::time::Duration::from_millis(200), book.next()).await
                {
                    drop(event);
                    if let Some(live) = book.live(ticker) {
                        let (is_right, shown) = levels(&sandbox, ticker, &live);
                        assert!(is_right, "{what:?}: {shown}");
                    }
                }
                let last = book.live(ticker).and_then(|live| live.bids().find(|level| level.price == exact("0.01")));
                if sandbox.faults().strikes() == [1] && last.is_some_and(|level| level.size == size.into()) {
                    return;
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_refused_channel_is_an_error_that_names_it() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let ticker = market(&client).await;
    fault(&sandbox, Fault::error(8), "subscribe/trade", 1);
    let error = client.streams().trade([ticker.clone()]).subscribe().await.unwrap_err();
    let Error::Refused(refused) = &error else { panic!("{error:?}") };
    assert_eq!((refused.refusals.len(), refused.refusals[0].code.as_str()), (1, "8"));
    assert_eq!(refused.refusals[0].topic.channel().name, "trade");
    assert!(error.to_string().contains(&*ticker), "{error}");
    // Nothing of it stays, and nothing else is harmed.
    let mut trades = client.streams().trade([ticker.clone()]).subscribe().await.unwrap();
    trade(&sandbox, &ticker, "1.00");
    message(&mut trades).await;
}

#[tokio::test]
async fn a_command_that_was_too_slow_is_given_again() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let ticker = market(&client).await;
    fault(&sandbox, Fault::error(18), "subscribe/trade", 1);
    let mut trades = in_time("again", client.streams().trade([ticker.clone()]).subscribe()).await.unwrap();
    trade(&sandbox, &ticker, "1.00");
    message(&mut trades).await;
    assert_eq!(sandbox.faults().strikes(), [1]);
}

#[tokio::test]
async fn a_subscription_that_the_venue_ends_is_made_again() {
    for code in [10, 25] {
        let sandbox = sandbox().await;
        let client = kalshi(&sandbox);
        let ticker = market(&client).await;
        let mut trades = client.streams().trade([ticker.clone()]).subscribe().await.unwrap();
        fault(&sandbox, Fault::error(code), "trade", 1);
        trade(&sandbox, &ticker, "1.00");
        let reason = stale(&mut trades).await.reason;
        assert!(matches!(&reason, Reason::ClosedByVenue { code: told, .. } if *told == code.to_string()), "{reason:?}");
        let (caught, _) = resynced(&mut trades).await;
        assert_eq!(caught.len(), 1, "the trade in whose place it ended");
        trade(&sandbox, &ticker, "2.00");
        assert_eq!(message(&mut trades).await.count_fp.get(), exact("2.00"));
        assert_eq!(sandbox.websocket_connections(), 1, "the connection lives");
    }
}

#[tokio::test]
async fn a_slow_reader_costs_itself_alone() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let ticker = market(&client).await;
    let streams = client.streams();
    let slow = streams.trade([ticker.clone()]).capacity(4).overflow(Overflow::DropOldest);
    let mut slow = slow.subscribe().await.unwrap();
    let mut fast = streams.trade([ticker.clone()]).subscribe().await.unwrap();
    for _ in 0..20 {
        trade(&sandbox, &ticker, "1.00");
        message(&mut fast).await;
    }
    until("all has come", || streams.shared().stats().frames >= 20).await;
    let Event::Lagged(lost) = next(&mut slow).await else { panic!("it is told how many it missed") };
    let mut read = 0;
    while read + lost < 20 {
        message(&mut slow).await;
        read += 1;
    }
    assert_eq!((lost, read), (16, 4));
}

#[tokio::test]
async fn unknown_types_and_fields_are_passed_on() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let ticker = market(&client).await;
    let mut trades = client.streams().trade([ticker.clone()]).subscribe().await.unwrap();
    fault(&sandbox, Fault::UnknownType, "trade", 1);
    trade(&sandbox, &ticker, "1.00");
    let Event::Unknown(unknown) = next(&mut trades).await else { panic!("the unknown type is passed on") };
    assert!(!unknown.kind.is_empty() && unknown.raw.starts_with(b"{"));
    message(&mut trades).await;
    fault(&sandbox, Fault::set_to("/msg/taker_book_side", "sideways"), "trade", 1);
    trade(&sandbox, &ticker, "2.00");
    let odd = message(&mut trades).await;
    assert_eq!(odd.taker_book_side.as_ref().map(ToString::to_string).as_deref(), Some("sideways"));
    fault(&sandbox, Fault::set_to("/msg/brand_new", 7), "trade", 1);
    trade(&sandbox, &ticker, "3.00");
    assert_eq!(message(&mut trades).await.count_fp.get(), exact("3.00"));
}

#[tokio::test]
async fn own_fills_and_orders_arrive() {
    let sandbox = sandbox().await;
    let client = kalshi(&sandbox);
    let ticker = market(&client).await;
    let mut orders = client.streams().user_orders([ticker.clone()]).subscribe().await.unwrap();
    let mut fills = client.streams().fill(venuekit::streams::All).subscribe().await.unwrap();
    use venuekit::kalshi::types::{BookSide, SelfTradePreventionType, TimeInForce};
    let order = client.create_order_v2().body_map(|order| {
        order
            .ticker(ticker.clone())
            .side(BookSide::Bid)
            .count("1.00")
            .price("0.9900")
            .time_in_force(TimeInForce::ImmediateOrCancel)
            .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
    });
    let order = order.send().await.unwrap().into_inner();
    let fill = message(&mut fills).await;
    assert_eq!(fill.market_ticker, ticker);
    assert_eq!(fill.order_id.to_string(), order.order_id.to_string());
    let told = message(&mut orders).await;
    assert_eq!(told.order_id.to_string(), order.order_id.to_string());
}

#[tokio::test]
async fn a_venue_that_is_full_is_waited_for() {
    let sandbox = sandbox().await;
    sandbox.set_kalshi_settings(KalshiSettings { connections: 1, ..sandbox.kalshi_settings() });
    let first = kalshi(&sandbox);
    let ticker = market(&first).await;
    let held = first.streams().trade([ticker.clone()]).subscribe().await.unwrap();
    let second = kalshi(&sandbox);
    let waiting = tokio::spawn({
        let ticker = ticker.clone();
        async move { second.streams().trade([ticker]).subscribe().await.map(|reader| (reader, second)) }
    });
    tokio::task::yield_now().await;
    drop((held, first));
    let (mut trades, _client) = in_time("a place is free", waiting).await.unwrap().unwrap();
    trade(&sandbox, &ticker, "1.00");
    message(&mut trades).await;
}
