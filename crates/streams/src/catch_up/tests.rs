//! Lists as venues page them, over a carrier that answers from memory.

use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use venuekit_transport::carrier::{Carrier, CarrierFuture, CarrierRequest, RawResponse};
use venuekit_transport::{ClientBuilder, Connect, RateLimits, RetryPolicy};
use venuekit_wire::operation::{Errors, Retry, Venue};
use venuekit_wire::stream::{Channel, Sequence};

use super::*;
use crate::hub::io::CatchUpId;
use crate::topic::Topic;

const OPERATION: Operation = Operation { method: "GET", path: "/", retry: Retry::Safe, ..Operation::EMPTY };

const CURSOR: Page = Page::Cursor { param: "cursor", next: "page.next", end: Some("none"), items: "trades" };

const VENUE: Venue = Venue {
    name: "venue",
    protocol: Protocol::Rest,
    operations: &[
        Operation { id: "by_cursor", path: "/cursor", page: Some(CURSOR), ..OPERATION },
        Operation {
            id: "by_number",
            path: "/number",
            page: Some(Page::Number { param: "page", last: Some("last"), items: "trades" }),
            ..OPERATION
        },
        Operation {
            id: "by_offset",
            path: "/offset",
            page: Some(Page::Offset { param: "offset", items: "trades" }),
            ..OPERATION
        },
        Operation { id: "by_path", path: "/markets/{market}/trades", ..OPERATION },
        Operation { id: "unpaged", path: "/unpaged", ..OPERATION },
    ],
    errors: Errors { code: &["/code"], message: &["/message"], ..Errors::EMPTY },
    ..Venue::EMPTY
};
static REST: Venue = VENUE;
static RPC: Venue = Venue { protocol: Protocol::JsonRpc, ..VENUE };

struct Rest(Session);

impl Connect for Rest {
    const VENUE: &'static Venue = &REST;

    fn connect(session: Session) -> Self {
        Self(session)
    }
}

struct Rpc(Session);

impl Connect for Rpc {
    const VENUE: &'static Venue = &RPC;

    fn connect(session: Session) -> Self {
        Self(session)
    }
}

/// What was asked, and what is to be answered: by the path and query, or the body of a JSON-RPC call.
type Answers = Arc<dyn Fn(&str) -> (u16, String) + Send + Sync>;

#[derive(Clone)]
struct FakeVenue {
    answers: Answers,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Carrier for FakeVenue {
    fn send<'a>(&'a self, request: CarrierRequest<'a>) -> CarrierFuture<'a> {
        let body = std::str::from_utf8(request.body).unwrap();
        let asked = match request.rpc_id {
            Some(_) => serde_json::from_str::<Value>(body).unwrap()["params"].to_string(),
            None => request.target().to_owned(),
        };
        let (status, text) = (self.answers)(&asked);
        self.asked.lock().unwrap().push(asked);
        let text =
            request.rpc_id.map_or(text.clone(), |id| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{text}}}"#));
        Box::pin(std::future::ready(Ok(RawResponse::new(status.try_into().unwrap(), text))))
    }
}

fn venue(answers: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> FakeVenue {
    FakeVenue { answers: Arc::new(answers), asked: Arc::default() }
}

impl FakeVenue {
    fn session(&self) -> Session {
        let builder = ClientBuilder::<Rest>::new("http://127.0.0.1:1").carrier(self.clone()).retry(RetryPolicy::none());
        builder.rate_limits(RateLimits::none()).build().unwrap_or_else(|error| panic!("{error}")).0
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

static CHANNEL: Channel = Channel {
    name: "trades",
    id: "trades",
    parameters: &[
        Parameter { name: "markets", is_list: true, ..Parameter::EMPTY },
        Parameter { name: "kind", ..Parameter::EMPTY },
    ],
    items: Some("markets"),
    item: Some("/market"),
    all: true,
    sequence: Sequence::PerItem { number: "/seq", item: "/market" },
    ..Channel::EMPTY
};

const WORDS: CatchUp = CatchUp {
    operation: "by_cursor",
    list: "/trades",
    parameters: &[("market", "markets"), ("kind", "kind")],
    skip: Some("any"),
    key: "/id",
    order: "/at",
    ..CatchUp::EMPTY
};

/// 22 November 2026, 03:00:00 GMT.
const NOW: u64 = 1_795_316_400;

fn call(words: CatchUp, topic: Topic) -> CatchUpCall {
    CatchUpCall {
        id: CatchUpId(1),
        calls: Box::leak(Box::new([words])),
        topic,
        items: None,
        since: UNIX_EPOCH + Duration::from_secs(NOW),
        from: Vec::new(),
    }
}

fn all() -> Topic {
    Topic::new(&CHANNEL)
}

async fn ids(venue: &FakeVenue, call: &CatchUpCall) -> Result<Vec<String>, String> {
    let records = catch_up(&venue.session(), call).await?;
    let id =
        |record: &Record| serde_json::from_slice::<Value>(&record.text).unwrap()["id"].as_str().unwrap().to_owned();
    Ok(records.iter().map(id).collect())
}

fn page(ids: &[&str], more: Value) -> (u16, String) {
    let trades: Vec<Value> = ids.iter().enumerate().map(|(at, id)| json!({"id": id, "at": at})).collect();
    let mut page = json!({"trades": trades});
    page.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    (200, page.to_string())
}

#[tokio::test]
async fn pages_are_walked_to_their_end() {
    let cursors = venue(|asked| match asked {
        "/cursor" => page(&["a", "b"], json!({"page": {"next": "x/y"}})),
        "/cursor?cursor=x%2Fy" => page(&["c"], json!({"page": {"next": "none"}})),
        other => panic!("{other}"),
    });
    assert_eq!(ids(&cursors, &call(WORDS, all())).await.unwrap(), ["a", "b", "c"]);
    let numbers = venue(|asked| match asked {
        "/number" => page(&["a"], json!({"last": 3})),
        "/number?page=2" => page(&["b"], json!({"last": 3})),
        "/number?page=3" => page(&["c"], json!({"last": 3})),
        other => panic!("{other}"),
    });
    assert_eq!(
        ids(&numbers, &call(CatchUp { operation: "by_number", ..WORDS }, all())).await.unwrap(),
        ["a", "b", "c"]
    );
    let offsets = venue(|asked| match asked {
        "/offset" => page(&["a", "b"], json!({})),
        "/offset?offset=2" => page(&["c"], json!({})),
        "/offset?offset=3" => page(&[], json!({})),
        other => panic!("{other}"),
    });
    assert_eq!(
        ids(&offsets, &call(CatchUp { operation: "by_offset", ..WORDS }, all())).await.unwrap(),
        ["a", "b", "c"]
    );
}

#[tokio::test]
async fn a_list_without_an_end_counts_as_none() {
    let round = venue(|_| page(&["a"], json!({"page": {"next": "x"}})));
    assert!(ids(&round, &call(WORDS, all())).await.unwrap_err().contains("no end"));
    let count = Mutex::new(0);
    let endless = venue(move |_| {
        *count.lock().unwrap() += 1;
        page(&["a"], json!({"page": {"next": count.lock().unwrap().to_string()}}))
    });
    assert!(ids(&endless, &call(WORDS, all())).await.unwrap_err().contains("more than 50 pages"));
    assert_eq!(endless.asked().len(), MOST_PAGES);
    let cut = venue(|asked| match asked {
        "/cursor" => page(&["a"], json!({"page": {"next": "x"}})),
        _ => (500, r#"{"code":"down","message":"later"}"#.to_owned()),
    });
    let error = ids(&cut, &call(WORDS, all())).await.unwrap_err();
    assert!(error.contains("later"), "an incomplete list is refused: {error}");
}

#[tokio::test]
async fn values_are_asked_for_one_by_one_and_a_word_for_any_is_left_out() {
    let venue = venue(|_| page(&[], json!({})));
    let topic = || all().list("markets", ["A B", "C"]).set("kind", "any");
    ids(&venue, &call(WORDS, topic())).await.unwrap();
    assert_eq!(venue.asked(), ["/cursor?market=A+B", "/cursor?market=C"]);
    let mut some = call(WORDS, topic().set("kind", "future"));
    some.items = Some(vec!["C".into()]);
    ids(&venue, &some).await.unwrap();
    assert_eq!(venue.asked()[2..], ["/cursor?market=C&kind=future"]);
    let many: Vec<String> = (0..=MOST_CALLS).map(|number| format!("M{number}")).collect();
    ids(&venue, &call(WORDS, all().list("markets", many))).await.unwrap();
    assert_eq!(venue.asked()[3..], ["/cursor"], "of many values everything is asked for");
    let wanted: Vec<String> = (0..=MOST_CALLS).map(|number| format!("M{number}")).collect();
    let mixed = self::venue(|_| {
        let trades = ["M3", "other"].map(|market| json!({"id": market, "market": market}));
        (200, json!({"trades": trades}).to_string())
    });
    let found = ids(&mixed, &call(WORDS, all().list("markets", wanted))).await.unwrap();
    assert_eq!(found, ["M3"], "what is about another value was not asked for");
    let by_path = CatchUp { operation: "by_path", ..WORDS };
    ids(&venue, &call(by_path, all().list("markets", ["A/B"]))).await.unwrap();
    assert_eq!(venue.asked()[4..], ["/markets/A%2FB/trades"]);
    let error = ids(&venue, &call(by_path, all())).await.unwrap_err();
    assert!(error.contains("`by_path` needs market"), "{error}");
}

#[tokio::test]
async fn a_time_is_asked_for_in_the_unit_of_the_venue_and_a_little_before() {
    let venue = venue(|_| page(&[], json!({})));
    for per_second in [1, 1000, 1_000_000] {
        let (fixed, limit) = (&[("sorting", r#""asc""#)], Some(("limit", 100)));
        let words = CatchUp { since: Some(("min_ts", per_second)), fixed, limit, ..WORDS };
        ids(&venue, &call(words, all())).await.unwrap();
    }
    let asked = |time: &str| format!("/cursor?sorting=asc&limit=100&min_ts={time}");
    assert_eq!(venue.asked(), [asked("1795316399"), asked("1795316399000"), asked("1795316399000000")]);
}

#[tokio::test]
async fn what_is_older_is_passed_over_where_the_time_cannot_be_asked_for() {
    let begin = i64::try_from(NOW).unwrap() - OVERLAP;
    let venue = venue(move |asked| {
        let trade = |id: &str, at: i64| json!({"id": id, "at": at});
        let (trades, next) = match asked {
            "/cursor" => (vec![trade("d", begin + 5), trade("c", begin)], "x"),
            "/cursor?cursor=x" => (vec![trade("b", begin), trade("a", begin - 1)], "y"),
            other => panic!("what is older still is not asked for: {other}"),
        };
        (200, json!({"trades": trades, "page": {"next": next}}).to_string())
    });
    let words = CatchUp { since: Some(("", 1)), ..WORDS };
    let found = ids(&venue, &call(words, all())).await.unwrap();
    assert_eq!(found, ["b", "c", "d"], "in the order in which they happened");
}

/// A venue that numbers its trades, and cuts a list without telling.
fn numbered(params: &str) -> (u16, String) {
    let params: Value = serde_json::from_str(params).unwrap();
    let (start, count) = (params["start_seq"].as_i64().unwrap(), params["count"].as_i64().unwrap());
    let trade = |seq: i64| json!({"id": seq.to_string(), "seq": seq, "market": "A", "at": 0});
    let trades: Vec<Value> = (start..8).take(usize::try_from(count).unwrap()).map(trade).collect();
    (200, json!({"trades": trades, "has_more": false}).to_string())
}

#[tokio::test]
async fn a_list_that_is_cut_is_asked_for_from_its_last_number_on() {
    let venue = venue(numbered);
    let builder =
        ClientBuilder::<Rpc>::new("http://127.0.0.1:1").carrier(venue.clone()).rate_limits(RateLimits::none());
    let session = builder.build().unwrap_or_else(|error| panic!("{error}")).0;
    let words = CatchUp {
        operation: "unpaged",
        from: Some("start_seq"),
        since: Some(("start_time", 1000)),
        fixed: &[("sorting", r#""asc""#)],
        limit: Some(("count", 3)),
        ..WORDS
    };
    let mut call = call(words, all().list("markets", ["A"]));
    call.from = vec![("B".into(), 1), ("A".into(), 2)];
    let records = catch_up(&session, &call).await.unwrap();
    assert_eq!(records.len(), 6, "from 2 to 7");
    let asked = |start: i64| json!({"market": "A", "count": 3, "sorting": "asc", "start_seq": start}).to_string();
    let seen: Vec<Value> = venue.asked().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let wanted: Vec<Value> = [2, 5, 8].map(|start| serde_json::from_str(&asked(start)).unwrap()).to_vec();
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn a_list_that_begins_at_a_time_goes_on_from_the_last_number() {
    // The number from which on records are wanted is unknown: the first page goes by the time.
    let venue = venue(|params| {
        let mut params: Value = serde_json::from_str(params).unwrap();
        if params["start_time"].is_i64() {
            params["start_seq"] = json!(1);
        }
        numbered(&params.to_string())
    });
    let builder =
        ClientBuilder::<Rpc>::new("http://127.0.0.1:1").carrier(venue.clone()).rate_limits(RateLimits::none());
    let session = builder.build().unwrap_or_else(|error| panic!("{error}")).0;
    let words = CatchUp {
        operation: "unpaged",
        from: Some("start_seq"),
        since: Some(("start_time", 1000)),
        limit: Some(("count", 3)),
        order: "/seq",
        ..WORDS
    };
    let records = catch_up(&session, &call(words, all().list("markets", ["A"]))).await.unwrap();
    assert_eq!(records.len(), 7, "all of them, once");
    let seen: Vec<Value> = venue.asked().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let asked = |name: &str, start: i64| json!({"market": "A", "count": 3, (name): start});
    let time = i64::try_from(NOW).unwrap() * 1000 - OVERLAP * 1000;
    assert_eq!(seen, [asked("start_time", time), asked("start_seq", 4), asked("start_seq", 7)]);
}

#[tokio::test]
async fn a_list_that_is_cut_and_cannot_go_on_is_an_error() {
    let begin = i64::try_from(NOW).unwrap() - OVERLAP;
    let full = move |_: &str| {
        let trade = |id: &str| json!({"id": id, "at": begin + 5});
        (200, json!({"trades": [trade("a"), trade("b")]}).to_string())
    };
    // No parameter for a time or a number, no pages, and as many records as were asked for.
    let words = CatchUp { operation: "unpaged", limit: Some(("count", 2)), since: Some(("", 1)), ..WORDS };
    let error = ids(&venue(full), &call(words, all())).await.unwrap_err();
    assert!(error.contains("is cut"), "{error}");
    // All records are of one moment, from which the list begins again and again.
    let by_time = CatchUp { since: Some(("min_ts", 1)), ..words };
    let error = ids(&venue(full), &call(by_time, all())).await.unwrap_err();
    assert!(error.contains("is cut"), "{error}");
    // A list with room left is whole, and so is one that reaches back far enough.
    let larger = CatchUp { limit: Some(("count", 3)), ..words };
    assert_eq!(ids(&venue(full), &call(larger, all())).await.unwrap(), ["a", "b"]);
    let older = move |_: &str| {
        let trade = |id: &str, at: i64| json!({"id": id, "at": at});
        (200, json!({"trades": [trade("b", begin + 5), trade("a", begin - 5)]}).to_string())
    };
    assert_eq!(ids(&venue(older), &call(words, all())).await.unwrap(), ["b"]);
}

#[tokio::test]
async fn of_several_calls_each_is_made_and_its_records_are_told_apart() {
    let venue = venue(|asked| match asked {
        "/cursor" => page(&["a"], json!({})),
        "/unpaged" => page(&["a", "b"], json!({})),
        other => panic!("{other}"),
    });
    let mut both = call(WORDS, all());
    both.calls = Box::leak(Box::new([WORDS, CatchUp { operation: "unpaged", ..WORDS }]));
    let records = catch_up(&venue.session(), &both).await.unwrap();
    assert_eq!(records.iter().map(|record| record.call).collect::<Vec<_>>(), [0, 1, 1]);
    let unknown = call(CatchUp { operation: "none", ..WORDS }, all());
    assert!(catch_up(&venue.session(), &unknown).await.unwrap_err().contains("not in the operation table"));
}

#[tokio::test]
async fn an_empty_list_may_be_left_out_and_another_response_is_an_error() {
    for (text, records) in [
        (r#"{"trades":[]}"#, Some(0)),
        (r#"{"trades":null}"#, Some(0)),
        ("{}", Some(0)),
        (r#"{"trades":{"id":"a"}}"#, None),
        ("[]", None),
        (r#"{"trades":[{"id":"a"}"#, None),
        (r#"{"trades":[1,"x",null]}"#, Some(3)),
    ] {
        let venue = venue(move |_| (200, text.to_owned()));
        let found = catch_up(&venue.session(), &call(WORDS, all())).await;
        assert_eq!(found.ok().map(|records| records.len()), records, "{text}");
    }
    let bare = venue(|_| (200, r#" [{"id":"a"}]"#.to_owned()));
    let words = CatchUp { operation: "unpaged", list: "", ..WORDS };
    assert_eq!(ids(&bare, &call(words, all())).await.unwrap(), ["a"]);
}

#[test]
fn members_are_named_as_in_messages() {
    let words = CatchUp {
        renamed: &[("ticker", "market"), ("fill_id", "id")],
        times: &[("created", "ts_ms"), ("updated", "updated_ms")],
        ..WORDS
    };
    let named = |text: &str| serde_json::from_slice::<Value>(&record(&words, text.as_bytes())).unwrap();
    assert_eq!(
        named(r#"{"ticker":"A","fill_id":7,"price":1.50,"created":"2026-11-22T03:00:00.1239Z","updated":""}"#),
        json!({"market": "A", "id": 7, "price": 1.50, "created": "2026-11-22T03:00:00.1239Z", "updated": "", "ts_ms": 1_795_316_400_123_i64}),
    );
    assert_eq!(named(r#"{"ticker":"A","market":"B","ts_ms":5,"created":"2026-11-22T03:00:00Z"}"#)["market"], "B");
    let text = br#"{"price":1.5000,"big":123456789012345678901234567890}"#;
    assert_eq!(&record(&words, text)[..], text, "what needs no other name stays as it is written");
    assert_eq!(&record(&words, b"[1]")[..], b"[1]");
}

proptest! {
    #[test]
    fn any_moment_can_be_asked_for(seconds in 0_u64..1 << 40, per_second in prop::sample::select(vec![1, 1000, 1_000_000])) {
        let asked = since(UNIX_EPOCH + Duration::from_secs(seconds), per_second);
        prop_assert_eq!(asked, (i64::try_from(seconds).unwrap() - OVERLAP).max(0).saturating_mul(per_second));
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let words = CatchUp { renamed: &[("a", "b")], times: &[("c", "d")], ..WORDS };
        let _ = record(&words, &bytes);
        let _ = next(CURSOR, &bytes, None, 0);
    }
}
