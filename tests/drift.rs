//! A client with a collector counts what responses hold that the spec does not know, and works as it does without one.

use venuekit::kalshi;
use venuekit::transport::carrier::Canned;
use venuekit::transport::drift::{DriftCollector, DriftKind};

const PAGE: &str = r#"{"markets":[{"ticker":"A","status":"active"},{"ticker":"B","status":"frozen","aura":1,"price_ranges":null}],"cursor":""}"#;
const NOTHING: &str = r#"{"markets":null,"cursor":""}"#;

fn client(collector: &DriftCollector, venue: Canned) -> kalshi::Client {
    let builder = kalshi::Client::builder(kalshi::Environment::Demo).drift(collector.clone());
    builder.carrier(venue).build().unwrap()
}

#[tokio::test]
async fn what_a_response_has_more_is_counted_by_operation_and_path() {
    let collector = DriftCollector::with_share(100.0);
    let venue = Canned::new().on("get_markets", 200, PAGE).on("get_markets", 200, PAGE);
    let kalshi = client(&collector, venue.on("get_markets", 200, NOTHING));
    for _ in 0..2 {
        let page = kalshi.get_markets().send().await.unwrap();
        assert_eq!(page.markets.len(), 2);
        // What the response itself says of it does not change.
        assert_eq!(page.unknown().len(), 2);
    }
    assert!(kalshi.get_markets().send().await.unwrap().markets.is_empty());
    let found: Vec<(String, &str, u64)> = collector
        .findings()
        .into_iter()
        .map(|finding| {
            assert_eq!((finding.venue, finding.operation), ("kalshi", "get_markets"));
            (finding.path, finding.kind.name(), finding.count)
        })
        .collect();
    // A list that may be missing may also be null.
    let expected = [("markets", "null", 1), ("markets[].aura", "member", 2), ("markets[].status", "value", 2)];
    assert_eq!(found, expected.map(|(path, kind, count)| (path.to_owned(), kind, count)));
}

#[tokio::test]
async fn a_response_that_cannot_be_read_is_a_finding_and_the_same_error() {
    let collector = DriftCollector::new();
    let broken = r#"{"markets":[{"ticker":{"a":1}}]}"#;
    let kalshi = client(&collector, Canned::new().on("get_markets", 200, broken));
    let error = kalshi.get_markets().send().await.unwrap_err();
    assert_eq!(error.kind(), venuekit::ErrorKind::Decode);
    let found = collector.findings();
    assert_eq!((found.len(), found[0].path.as_str(), &found[0].kind), (1, "markets[].ticker", &DriftKind::Undecoded));
}
