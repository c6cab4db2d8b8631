//! Deribit: calls and notifications, on the connection of the calls or on one of their own.

use serde_json::json;
use venuekit::deribit::types::Interval;
use venuekit::streams::{Audit, Error, Origin, Reason, StreamOptions, Streams};
use venuekit::transport::RateLimits;
use venuekit_sandbox::{Fault, Rule, Sandbox, Transport};

use crate::desk::{buy, deribit, deribit_over_http, fault, in_time, message, resynced, sandbox, stale, until};

const PERPETUAL: &str = "BTC-PERPETUAL";

/// What came together in a tenth of a second.
fn tenth() -> Interval {
    "100ms".parse().unwrap()
}

#[tokio::test]
async fn streams_live_on_the_connection_of_the_calls() {
    let sandbox = sandbox().await;
    let client = deribit(&sandbox);
    let mut orders = client.streams().user_orders_raw(PERPETUAL).subscribe().await.unwrap();
    let mut ticker = client.streams().ticker(PERPETUAL, tenth()).subscribe().await.unwrap();
    let order = buy(&client, "20000").await;
    assert_eq!(message(&mut orders).await.order_id, order.order_id);
    assert_eq!(message(&mut ticker).await.instrument_name, PERPETUAL);
    assert_eq!(sandbox.websocket_connections(), 1);
}

#[tokio::test]
async fn streams_may_have_a_connection_of_their_own() {
    let sandbox = sandbox().await;
    let client = deribit(&sandbox);
    let streams = client.streams().shared().with(StreamOptions::new().own_connection(true));
    let topic = client.streams().user_orders_raw(PERPETUAL).topic().clone();
    let mut orders = in_time("subscribed", streams.topic(topic).subscribe()).await.unwrap();
    let order = buy(&client, "20000").await;
    let told = message(&mut orders).await;
    assert!(String::from_utf8_lossy(&told.raw.clone()).contains(&order.order_id.to_string()));
    assert_eq!(sandbox.websocket_connections(), 2);
}

#[tokio::test]
async fn a_client_over_http_has_streams_too() {
    let sandbox = sandbox().await;
    let client = deribit_over_http(&sandbox);
    let mut orders = client.streams().user_orders_raw(PERPETUAL).subscribe().await.unwrap();
    let order = buy(&client, "20000").await;
    assert_eq!(message(&mut orders).await.order_id, order.order_id);
}

#[tokio::test]
async fn what_is_subscribed_survives_the_connection() {
    for over_http in [false, true] {
        let sandbox = sandbox().await;
        let client = if over_http { deribit_over_http(&sandbox) } else { deribit(&sandbox) };
        let mut orders = client.streams().user_orders_raw(PERPETUAL).subscribe().await.unwrap();
        let first = buy(&client, "20000").await;
        assert_eq!(message(&mut orders).await.order_id, first.order_id);
        sandbox.cut_connections();
        assert!(matches!(stale(&mut orders).await.reason, Reason::Reconnect(_)));
        resynced(&mut orders).await;
        let second = buy(&client, "20001").await;
        let told = crate::desk::message_with(&mut orders, |order| order.order_id == second.order_id).await;
        assert_eq!(told.origin, Origin::Stream, "{over_http}");
    }
}

/// The loss of a connection is no refusal, however often it comes while a channel is asked for.
#[tokio::test]
async fn a_connection_that_is_lost_while_a_channel_is_asked_for_refuses_nothing() {
    let sandbox = sandbox().await;
    let client = deribit(&sandbox);
    let mut orders = client.streams().user_orders_raw(PERPETUAL).subscribe().await.unwrap();
    // A command that fails so often for another reason is refused.
    fault(&sandbox, Fault::DropAfter, "private/subscribe", 5);
    sandbox.cut_connections();
    resynced(&mut orders).await;
    assert_eq!(sandbox.faults().strikes(), [5]);
    let order = buy(&client, "20000").await;
    assert_eq!(message(&mut orders).await.order_id, order.order_id);
}

#[tokio::test]
async fn a_book_is_compared_with_a_call() {
    let sandbox = sandbox().await;
    let client = deribit(&sandbox);
    let mut book = client.streams().book(PERPETUAL, Interval::Raw).book().subscribe().await.unwrap();
    for price in ["20000", "20001"] {
        buy(&client, price).await;
        in_time("the book is live", async {
            while !book.is_live(PERPETUAL) {
                book.next().await;
            }
        })
        .await;
        let audit = in_time("the call has returned", book.audit(PERPETUAL)).await;
        assert!(matches!(audit, Audit::Same { levels, .. } if levels > 2), "{audit:?}");
    }
}

/// A book that says it is right is held against the sandbox's.
async fn is_right(sandbox: &Sandbox, client: &venuekit::deribit::Client, what: Fault) {
    sandbox.faults().clear();
    let mut book = client.streams().book(PERPETUAL, Interval::Raw).book().subscribe().await.unwrap();
    in_time("the book is live", async {
        while !book.is_live(PERPETUAL) {
            book.next().await;
        }
    })
    .await;
    sandbox.faults().set(vec![Rule::new(what.clone()).over(Transport::Stream).on("book.BTC-PERPETUAL.raw").times(1)]);
    let mut dollars = 15_000;
    in_time("the book is right at last", async {
        loop {
            dollars += 1;
            buy(client, &dollars.to_string()).await;
            while let Ok(Some(_)) = tokio::time::timeout(std::time::Duration::from_millis(200), book.next()).await {
                let Some(live) = book.live(PERPETUAL) else { continue };
                let mark = live.mark().expect("a book has its change_id");
                let venue = sandbox.deribit_book(PERPETUAL, mark).expect("the sandbox keeps it");
                let pairs = |levels: &mut dyn Iterator<Item = venuekit::books::Level>| {
                    levels.map(|level| (level.price, level.size)).collect::<std::collections::BTreeMap<_, _>>()
                };
                let theirs = (venue.bids.into_iter().collect(), venue.asks.into_iter().collect());
                assert_eq!((pairs(&mut live.bids()), pairs(&mut live.asks())), theirs, "{what:?} at {mark}");
            }
            let price = rust_decimal::Decimal::from(dollars);
            let has_it = book.live(PERPETUAL).is_some_and(|live| live.bids().any(|level| level.price == price));
            if sandbox.faults().strikes() == [1] && has_it {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_broken_chain_is_seen_and_a_snapshot_fetched() {
    let sandbox = sandbox().await;
    let client = deribit(&sandbox);
    for what in [Fault::Drop, Fault::Duplicate, Fault::Exponents] {
        is_right(&sandbox, &client, what).await;
    }
}

#[tokio::test]
async fn channels_that_are_left_out_are_named() {
    let sandbox = sandbox().await;
    let client = deribit(&sandbox);
    let error = client.streams().book("BTC-NOTHING", tenth()).subscribe().await.unwrap_err();
    let Error::Refused(refused) = &error else { panic!("{error:?}") };
    assert_eq!(refused.refusals[0].topic.to_string(), "book.BTC-NOTHING.100ms");
    assert!(error.to_string().contains("book.BTC-NOTHING.100ms"), "{error}");
    let mut good = client.streams().book(PERPETUAL, tenth()).subscribe().await.unwrap();
    message(&mut good).await;
}

#[tokio::test]
async fn without_a_login_private_channels_are_refused() {
    let sandbox = sandbox().await;
    let environment = venuekit::deribit::Environment::Custom(sandbox.deribit_websocket_url());
    let client = venuekit::deribit::Client::websocket(environment).rate_limits(RateLimits::none()).build().unwrap();
    let error = in_time("told", client.streams().user_orders_raw(PERPETUAL).subscribe()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_) | Error::Connection(_)), "{error:?}");
    let mut public = client.streams().ticker(PERPETUAL, tenth()).subscribe().await.unwrap();
    message(&mut public).await;
}

#[tokio::test]
async fn a_quiet_channel_stays_quiet_and_news_arrive() {
    let sandbox = sandbox().await;
    let client = deribit(&sandbox);
    let mut news = client.streams().announcements().subscribe().await.unwrap();
    for number in 0..3 {
        assert_eq!(sandbox.deribit_notify("announcements", json!({"id": number, "title": "t", "action": "new"})), 1);
    }
    for number in 0..3 {
        let told = message(&mut news).await;
        assert!(String::from_utf8_lossy(&told.raw).contains(&format!("\"id\":{number}")));
    }
    drop(news);
    until("what nobody reads is unsubscribed", || sandbox.deribit_notify("announcements", json!({"id": 9})) == 0).await;
}

#[tokio::test]
async fn a_heartbeat_that_stops_ends_the_connection_and_the_next_one_goes_on() {
    let sandbox = sandbox().await;
    let client = deribit(&sandbox);
    let mut news = client.streams().announcements().subscribe().await.unwrap();
    fault(&sandbox, Fault::Close { code: 4000, reason: "heartbeat close".to_owned() }, "announcements", 1);
    sandbox.deribit_notify("announcements", json!({"id": 1, "title": "t"}));
    let reason = stale(&mut news).await.reason.to_string();
    assert!(reason.contains("4000") && reason.contains("heartbeat close"), "{reason}");
    resynced(&mut news).await;
    until("subscribed again", || sandbox.deribit_notify("announcements", json!({"id": 2, "title": "u"})) == 1).await;
}

/// Those of a client and of its clones are the same.
#[tokio::test]
async fn clones_share_their_streams() {
    let sandbox = sandbox().await;
    let client = deribit(&sandbox);
    let one = client.streams();
    let clone = client.clone();
    let reader = clone.streams().announcements().subscribe().await.unwrap();
    let shared: &Streams = one.shared();
    assert_eq!(shared.stats().subscriptions, 1);
    drop(reader);
}

#[tokio::test]
async fn a_second_reader_of_a_book_begins_with_the_book_of_the_first() {
    let sandbox = sandbox().await;
    let client = deribit(&sandbox);
    let book = || client.streams().book(PERPETUAL, tenth()).book().subscribe();
    let mut first = in_time("subscribed", book()).await.unwrap();
    in_time("the book is live", async {
        while !first.is_live(PERPETUAL) {
            first.next().await;
        }
    })
    .await;
    let mut second = in_time("subscribed", book()).await.unwrap();
    let (one, two) = (first.live(PERPETUAL).unwrap(), second.live(PERPETUAL).unwrap());
    assert!(one.has_levels_of(&two) && one.mark() == two.mark());
    buy(&client, "20000").await;
    for reader in [&mut first, &mut second] {
        // Neither became uncertain: the channel was not subscribed to again.
        let event = in_time("changed", reader.next()).await.unwrap();
        assert!(matches!(event, venuekit::streams::Event::Message(_)), "{event:?}");
    }
    in_time("both have the order", async {
        let price = crate::desk::exact("20000");
        while first.live(PERPETUAL).is_none_or(|book| book.at(venuekit::books::Side::Bid, price).is_none()) {
            first.next().await;
        }
        while second.live(PERPETUAL).is_none_or(|book| book.at(venuekit::books::Side::Bid, price).is_none()) {
            second.next().await;
        }
    })
    .await;
}
