//! Lists as streams: what is requested, when, and where it ends.

#[path = "common/canned.rs"]
mod canned;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use canned::{Canned, Seen, http};
use futures_util::future::join;
use futures_util::stream::{FusedStream, Stream, StreamExt, TryStreamExt};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};
use venuekit::kalshi::types::MarketStatusFilter;
use venuekit::transport::Pages;
use venuekit::{Error, ErrorKind, bayse, kalshi, kalshi_perps, yativo};

type Query = BTreeMap<String, String>;

fn query(seen: &Seen) -> Query {
    assert!(seen.body.is_empty(), "these lists are asked for by their URLs");
    let target = seen.head.split(' ').nth(1).unwrap();
    let url = reqwest::Url::parse(&format!("http://venue{target}")).unwrap();
    url.query_pairs().into_owned().collect()
}

fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Query {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A venue that returns what the query asks for; `null` stands for a refusal.
async fn venue(answer: impl Fn(&Query) -> Value + Send + Sync + 'static) -> Canned {
    Canned::start(Arc::new(move |seen| match answer(&query(seen)) {
        Value::Null => http(400, "application/json", br#"{"code": "bad_request", "message": "no"}"#),
        answer => http(200, "application/json", answer.to_string().as_bytes()),
    }))
    .await
}

/// A venue that gives its responses in order, for every request.
async fn in_order(answers: Vec<Value>) -> Canned {
    let next = AtomicUsize::new(0);
    venue(move |_| answers.get(next.fetch_add(1, Ordering::SeqCst)).cloned().unwrap_or_default()).await
}

fn asked(server: &Canned) -> Vec<Query> {
    server.seen().iter().map(query).collect()
}

fn kalshi(server: &Canned) -> kalshi::Client {
    kalshi::Client::builder(kalshi::Environment::Custom(server.base_url.clone())).build().unwrap()
}

fn bayse(server: &Canned) -> bayse::Client {
    bayse::Client::builder(bayse::Environment::Custom(server.base_url.clone())).build().unwrap()
}

fn yativo(server: &Canned) -> yativo::Client {
    let credentials = yativo::Credentials::token("token").unwrap();
    let environment = yativo::Environment::Custom(server.base_url.clone());
    yativo::Client::builder(environment).credentials(credentials).build().unwrap()
}

fn markets(tickers: &[&str], cursor: Value) -> Value {
    let markets: Vec<Value> = tickers.iter().map(|ticker| json!({"ticker": ticker})).collect();
    json!({"markets": markets, "cursor": cursor})
}

fn events(ids: &[&str], last: i64) -> Value {
    let events: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    json!({"events": events, "pagination": {"lastPage": last}})
}

async fn tickers(pages: Pages<'_, kalshi::types::Market>) -> Result<Vec<String>, Error> {
    pages.map_ok(|market| market.ticker.to_string()).try_collect().await
}

async fn ids(pages: Pages<'_, bayse::types::Event>) -> Result<Vec<String>, Error> {
    pages.map_ok(|event| event.id.to_string()).try_collect().await
}

#[tokio::test]
async fn cursors_lead_from_page_to_page_and_filters_stay() {
    let server = venue(|query| match query.get("cursor").map(String::as_str) {
        None => markets(&["a", "b"], json!("one & two")),
        Some("one & two") => markets(&["c"], json!("three")),
        Some("three") => markets(&["d", "e"], json!("")),
        _ => Value::Null,
    })
    .await;
    let client = kalshi(&server);
    let call = client.get_markets().status(MarketStatusFilter::Open).limit(2).series_ticker("S");
    assert_eq!(tickers(call.stream()).await.unwrap(), ["a", "b", "c", "d", "e"]);
    let filters = [("limit", "2"), ("series_ticker", "S"), ("status", "open")];
    let with = |cursor| pairs(filters.into_iter().chain([("cursor", cursor)]));
    assert_eq!(asked(&server), [pairs(filters), with("one & two"), with("three")]);
}

#[tokio::test]
async fn a_stream_goes_on_from_the_cursor_it_is_given() {
    let server = in_order(vec![markets(&["x"], json!("later")), markets(&["y"], Value::Null)]).await;
    let client = kalshi(&server);
    assert_eq!(tickers(client.get_markets().cursor("now").stream()).await.unwrap(), ["x", "y"]);
    assert_eq!(asked(&server), [pairs([("cursor", "now")]), pairs([("cursor", "later")])]);
}

#[tokio::test]
async fn numbers_lead_to_the_last_page_and_filters_stay() {
    let server = venue(|query| match query.get("page").map(String::as_str) {
        None => events(&["a", "b"], 3),
        Some("2") => events(&["c"], 3),
        Some("3") => events(&["d"], 3),
        _ => Value::Null,
    })
    .await;
    let client = bayse(&server);
    let call = client.list_events().category("sports & more").size(2);
    assert_eq!(ids(call.clone().stream()).await.unwrap(), ["a", "b", "c", "d"]);
    assert_eq!(ids(call.page(2).stream()).await.unwrap(), ["c", "d"]);
    let filters = [("category", "sports & more"), ("size", "2")];
    let page = |number| pairs(filters.into_iter().chain([("page", number)]));
    assert_eq!(asked(&server), [pairs(filters), page("2"), page("3"), page("2"), page("3")]);
}

#[tokio::test]
async fn the_next_page_is_asked_for_when_the_items_before_it_are_taken() {
    let server = in_order(vec![
        markets(&["a", "b"], json!("1")),
        markets(&[], json!("2")),
        markets(&["c"], json!("3")),
        markets(&["d"], json!("4")),
    ])
    .await;
    let client = kalshi(&server);
    let mut pages = client.get_markets().stream();
    assert_eq!(pages.size_hint(), (0, None));
    let mut seen = vec![server.seen().len()];
    for _ in 0..3 {
        pages.next().await.unwrap().unwrap();
        seen.push(server.seen().len());
    }
    // A page without items is passed over; the fourth page nobody has wanted yet.
    assert_eq!(seen, [0, 1, 1, 3]);
}

#[tokio::test]
async fn a_stream_that_nobody_polls_asks_for_nothing() {
    let server = in_order(Vec::new()).await;
    let client = kalshi(&server);
    drop(client.get_markets().stream());
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn what_is_dropped_while_it_waits_loses_no_item() {
    let server = in_order(vec![markets(&["a"], json!("1")), markets(&["b"], Value::Null)]).await;
    let client = kalshi(&server);
    let mut pages = client.get_markets().stream();
    // Polled once, and left: the response cannot have come.
    assert!(futures_util::FutureExt::now_or_never(Pages::next(&mut pages)).is_none());
    assert_eq!(tickers(pages).await.unwrap(), ["a", "b"]);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_error_comes_once_and_ends_the_stream() {
    let server = in_order(vec![markets(&["a"], json!("1")), Value::Null, markets(&["b"], Value::Null)]).await;
    let client = kalshi(&server);
    let mut pages = client.get_markets().stream();
    assert_eq!(pages.next().await.unwrap().unwrap().ticker, "a");
    assert!(!pages.is_terminated());
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::InvalidRequest, Some("get_markets")));
    assert!(pages.is_terminated());
    for _ in 0..3 {
        assert!(pages.next().await.is_none());
    }
    assert_eq!(server.seen().len(), 2);
    let server = in_order(vec![events(&["a"], 9), Value::Null, events(&["b"], 9)]).await;
    let client = bayse(&server);
    let all: Vec<_> =
        client.list_events().stream().map(|event| event.map(|event| event.id.to_string()).ok()).collect().await;
    assert_eq!(all, [Some("a".to_owned()), None]);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_wrong_value_is_refused_before_anything_is_sent() {
    let server = in_order(Vec::new()).await;
    let (kalshi, bayse) = (kalshi(&server), bayse(&server));
    let kalshi = tickers(kalshi.get_markets().limit(u64::MAX).stream()).await.unwrap_err();
    let bayse = ids(bayse.list_events().page(u64::MAX).stream()).await.unwrap_err();
    assert_eq!((kalshi.kind(), bayse.kind()), (ErrorKind::InvalidRequest, ErrorKind::InvalidRequest));
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn a_page_limit_holds() {
    let server = venue(|query| {
        let cursor: usize = query.get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        markets(&["a", "b"], json!((cursor + 1).to_string()))
    })
    .await;
    let client = kalshi(&server);
    for (limit, items) in [(0, 0), (1, 2), (3, 6)] {
        let before = server.seen().len();
        let pages = client.get_markets().stream().max_pages(limit);
        assert_eq!(tickers(pages).await.unwrap().len(), items);
        assert_eq!(server.seen().len() - before, limit);
    }
    let server = venue(|_| events(&["a"], 1000)).await;
    let client = bayse(&server);
    assert_eq!(ids(client.list_events().stream().max_pages(4)).await.unwrap().len(), 4);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_cursor_that_comes_again_is_an_error() {
    for (start, cursors, items) in [
        // The same forever; in a circle; the one that was begun with.
        (None, vec!["x", "x", "x", "x"], 2),
        (None, vec!["x", "y", "z", "x", "y"], 4),
        (Some("x"), vec!["x", "x"], 1),
    ] {
        let server = in_order(cursors.into_iter().map(|cursor| markets(&["a"], json!(cursor))).collect()).await;
        let client = kalshi(&server);
        let mut call = client.get_markets();
        if let Some(start) = start {
            call = call.cursor(start);
        }
        let mut pages = call.stream();
        let mut taken = 0;
        let error = loop {
            match pages.next().await.expect("an error before the end") {
                Ok(_) => taken += 1,
                Err(error) => break error,
            }
        };
        assert_eq!((taken, server.seen().len()), (items, items));
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Decode, Some("get_markets")));
        assert!(!error.is_retryable() && !error.may_have_been_applied(), "{error}");
        assert!(pages.next().await.is_none());
    }
}

#[tokio::test]
async fn lists_that_are_null_or_missing_are_empty() {
    let server = in_order(vec![
        json!({"markets": null, "cursor": "1"}),
        markets(&["a"], json!("2")),
        json!({"markets": null, "cursor": null}),
    ])
    .await;
    assert_eq!(tickers(kalshi(&server).get_markets().stream()).await.unwrap(), ["a"]);
    let server = in_order(vec![json!({"cursor": "1"}), json!({"milestones": [{"id": "m"}], "cursor": "2"}), json!({})]);
    let server = server.await;
    let client = kalshi(&server);
    let milestones: Vec<_> = client.get_milestones().limit(1).stream().try_collect().await.unwrap();
    assert_eq!(milestones.len(), 1);
    assert_eq!(server.seen().len(), 3);
    let pagination = json!({"lastPage": 3});
    let server = in_order(vec![
        json!({"events": null, "pagination": pagination}),
        events(&["a"], 3),
        json!({"events": null, "pagination": pagination}),
    ])
    .await;
    assert_eq!(ids(bayse(&server).list_events().stream()).await.unwrap(), ["a"]);
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn an_answer_that_tells_no_next_page_is_the_last() {
    for cursor in [json!({"cursor": ""}), json!({"cursor": null}), json!({})] {
        let mut answer = cursor;
        answer["markets"] = json!([{"ticker": "a"}]);
        let server = in_order(vec![answer]).await;
        assert_eq!(tickers(kalshi(&server).get_markets().stream()).await.unwrap(), ["a"]);
        assert_eq!(server.seen().len(), 1);
    }
    for pagination in
        [json!(null), json!({}), json!({"lastPage": null}), json!({"lastPage": 1}), json!({"lastPage": 0})]
    {
        let server = in_order(vec![json!({"events": [{"id": "a"}], "pagination": pagination})]).await;
        assert_eq!(ids(bayse(&server).list_events().stream()).await.unwrap(), ["a"]);
        assert_eq!(server.seen().len(), 1);
    }
    // Beyond the last page and at the end of all numbers nothing more is requested.
    for (page, last) in [(7, 3), (i64::MAX, i64::MAX)] {
        let server = in_order(vec![events(&[], last)]).await;
        assert_eq!(ids(bayse(&server).list_events().page(page).stream()).await.unwrap(), [""; 0]);
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn where_nothing_tells_the_last_page_an_empty_one_ends_the_list() {
    let server = venue(|query| match query.get("page").map(String::as_str) {
        None => json!([{"id": "a"}, {"id": "b"}]),
        Some("2") => json!([{"id": "c"}]),
        Some("3") => json!([]),
        _ => Value::Null,
    })
    .await;
    let client = bayse(&server);
    let events = client.list_series_lean_events().series_slug("rates").size(2).stream();
    let ids: Vec<String> = events.map_ok(|event| event.id).try_collect().await.unwrap();
    assert_eq!(ids, ["a", "b", "c"]);
    assert!(asked(&server).iter().all(|query| query["size"] == "2"));
    // Below the top of the response.
    let customers = |ids: &[&str]| {
        let all: Vec<Value> = ids.iter().map(|id| json!({"yativo_card_id": id})).collect();
        json!({"success": true, "data": {"customers": all, "total": 3, "limit": 2}})
    };
    let server = in_order(vec![customers(&["a", "b"]), customers(&["c"]), customers(&[])]).await;
    let client = yativo(&server);
    let found = client.list_card_customers().include_balances(false).stream();
    let found: Vec<String> = found.map_ok(|customer| customer.yativo_card_id.to_string()).try_collect().await.unwrap();
    assert_eq!(found, ["a", "b", "c"]);
    let pages: Vec<Option<String>> = asked(&server).iter().map(|query| query.get("page").cloned()).collect();
    assert_eq!(pages, [None, Some("2".to_owned()), Some("3".to_owned())]);
    assert!(asked(&server).iter().all(|query| query["include_balances"] == "false"));
}

#[tokio::test]
async fn offsets_count_the_items_that_came() {
    let server = venue(|query| {
        let all = ["a", "b", "c", "d", "e"].map(|id| json!({"transaction_id": id}));
        let offset = query.get("offset").map_or(0, |offset| offset.parse().unwrap());
        // The venue gives two at most, for every request.
        let page: Vec<&Value> = all.iter().skip(offset).take(2).collect();
        json!({"success": true, "data": {"transactions": page}})
    })
    .await;
    let client = yativo(&server);
    let call = client.list_all_card_transactions().yativo_card_id("card").limit(50);
    assert_eq!(call.clone().stream().try_collect::<Vec<_>>().await.unwrap().len(), 5);
    assert_eq!(call.offset(3).stream().try_collect::<Vec<_>>().await.unwrap().len(), 2);
    let offsets: Vec<Option<String>> = asked(&server).iter().map(|query| query.get("offset").cloned()).collect();
    let expected = [None, Some("2"), Some("4"), Some("5"), Some("3"), Some("5")];
    assert_eq!(offsets, expected.map(|offset| offset.map(str::to_owned)));
    assert!(asked(&server).iter().all(|query| query["limit"] == "50"));
}

#[tokio::test]
async fn a_venue_that_does_not_heed_the_page_is_found_out() {
    let server = venue(|_| json!([{"id": "a"}, {"id": "b"}])).await;
    let client = bayse(&server);
    let mut events = client.list_series_lean_events().series_slug("rates").stream();
    for id in ["a", "b"] {
        assert_eq!(events.next().await.unwrap().unwrap().id, id);
    }
    let error = events.next().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Decode, Some("list_series_lean_events")));
    assert!(events.next().await.is_none());
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn streams_run_side_by_side_and_on_other_threads() {
    fn movable<T: Send + Unpin>(value: T) -> T {
        value
    }
    let server = venue(|query| match query.get("cursor") {
        None => json!({"trades": [{"trade_id": "1"}], "cursor": "next"}),
        Some(_) => json!({"trades": [{"trade_id": "2"}]}),
    })
    .await;
    let environment = kalshi_perps::Environment::Custom(server.base_url.clone());
    let client = kalshi_perps::Client::builder(environment).build().unwrap();
    let trades = |ticker| {
        let pages = movable(client.get_margin_trades().ticker(ticker).stream());
        pages.map_ok(|trade| trade.trade_id).try_collect::<Vec<_>>()
    };
    let (one, other) = join(trades("A"), trades("B")).await;
    assert_eq!((one.unwrap(), other.unwrap()), (vec!["1".to_owned(), "2".into()], vec!["1".to_owned(), "2".into()]));
    assert_eq!(server.seen().len(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// However a list is cut into pages, every item comes once, in order, up to the limit.
    #[test]
    fn any_pages_give_every_item_in_order(sizes in prop::collection::vec(0_usize..5, 1..8), limit in prop::option::of(0_usize..9)) {
        let pages: Vec<Vec<String>> = sizes
            .iter()
            .enumerate()
            .map(|(page, size)| (0..*size).map(|item| format!("{page}-{item}")).collect())
            .collect();
        let limit = limit.unwrap_or(usize::MAX);
        let within = limit.min(pages.len());
        let expected: Vec<String> = pages[..within].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (count, by_cursor, by_number) = (pages.len(), pages.clone(), pages);
            let server = venue(move |query| {
                let at: usize = query.get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
                let items: Vec<&str> = by_cursor[at].iter().map(String::as_str).collect();
                markets(&items, if at + 1 < count { json!((at + 1).to_string()) } else { json!("") })
            })
            .await;
            prop_assert_eq!(&tickers(kalshi(&server).get_markets().stream().max_pages(limit)).await.unwrap(), &expected);
            prop_assert_eq!(server.seen().len(), within);

            let server = venue(move |query| {
                let page: usize = query.get("page").map_or(1, |page| page.parse().unwrap());
                let items: Vec<&str> = by_number[page - 1].iter().map(String::as_str).collect();
                events(&items, i64::try_from(count).unwrap())
            })
            .await;
            prop_assert_eq!(&ids(bayse(&server).list_events().stream().max_pages(limit)).await.unwrap(), &expected);
            prop_assert_eq!(server.seen().len(), within);
            Ok::<_, TestCaseError>(())
        })?;
    }
}
