//! Every response that an honest venue could give is accepted, and every response that makes no sense is rejected.

use std::collections::HashMap;

use venuekit::ErrorKind;
use venuekit::transport::Unknown;
use venuekit::wire::operation::Retry;

use crate::canned::http;
use crate::example::{MARKER, Shape, TOMORROW, UNKNOWN};
use crate::run::{Outcome, good, run};
use crate::venues::{Subject, everywhere, subjects};

impl Subject {
    /// A response an operation, by its name. None where the spec knows no body.
    pub fn answers(&self, shape: Shape) -> HashMap<&'static str, Option<String>> {
        let row = |operation| self.spec.answer(operation, shape).map(|answer| answer.to_string());
        self.venue.operations.iter().map(|operation| (operation.id, row(operation))).collect()
    }
}

/// Their objects under names that are not known beforehand pass through serde's buffer, which does not report what it drops.
const BUFFERED: [&str; 1] = ["get_expirations"];

#[tokio::test]
async fn every_honest_answer_is_read() {
    for subject in everywhere() {
        let shapes = [
            Shape::Full,
            Shape::Minimal,
            Shape::ExtraField,
            Shape::UnknownEnum,
            Shape::Null,
            Shape::EmptyLists,
            Shape::OtherForm,
        ];
        for shape in shapes {
            let (venue, answers) = (subject.venue, subject.answers(shape));
            let outcomes =
                run(&subject, Shape::Full, move |operation, seen| good(venue, seen, answers[operation.id].as_deref()));
            for outcome in outcomes.await {
                let what = format!("{} with {shape:?}", outcome.name(venue));
                let answer = outcome.result.as_ref().unwrap_or_else(|error| panic!("{what}: {error}"));
                // A connection that is closed is a response too, and says nothing.
                let answers = !outcome.operation.on_connection.is_some_and(|on| on.closes);
                let Some(sent) = subject.spec.answer(outcome.operation, shape).filter(|_| answers) else { continue };
                let schema = subject.spec.endpoint(outcome.operation).answer.unwrap();
                let same = subject.spec.same(schema, &sent, &answer.json);
                same.unwrap_or_else(|difference| panic!("{what}: {difference}\n{sent}\n{}", answer.json));
                let unknown = answer.shown.contains(&format!("Unknown(\"{UNKNOWN}\")"));
                let sent = sent.to_string();
                assert_eq!(unknown, sent.contains(UNKNOWN), "{what}: {}", answer.shown);
                // The response reports each member and each value that its type does not know, and of nothing else.
                let (members, values): (Vec<_>, Vec<_>) =
                    answer.unknown.iter().partition(|unknown| matches!(unknown, Unknown::Member { .. }));
                let is_new = |unknown: &&Unknown| unknown.path().ends_with(TOMORROW);
                assert!(members.iter().all(is_new), "{what}: {members:?}");
                if !BUFFERED.contains(&outcome.operation.id) {
                    let expected = sent.matches(&format!("\"{TOMORROW}\":")).count();
                    assert_eq!(members.len(), expected, "{what}: {members:?} {sent}");
                }
                assert_eq!(values.len(), sent.matches(&format!("\"{UNKNOWN}\"")).count(), "{what}: {values:?} {sent}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_of_no_sense_is_a_clear_error_and_loses_nothing() {
    let page = format!("<html><body>{MARKER}</body></html>");
    let cases: [(&str, u16, &str, Vec<u8>); 7] = [
        ("truncated", 200, "application/json", Vec::new()),
        ("empty", 200, "application/json", Vec::new()),
        ("a page", 200, "text/html", page.clone().into_bytes()),
        ("a page with 502", 502, "text/html", page.into_bytes()),
        ("not UTF-8", 200, "application/json", [b"[[\"", MARKER.as_bytes(), b"\xff\xfe\"]]"].concat()),
        ("another type", 200, "application/json", format!("[[[[\"{MARKER}\"]]]]").into_bytes()),
        ("a text", 200, "application/json", format!("\"{MARKER}").into_bytes()),
    ];
    for subject in subjects() {
        let venue = subject.venue;
        for (name, status, kind, body) in cases.clone() {
            let answers = subject.answers(Shape::Full);
            let outcomes = run(&subject, Shape::Full, move |operation, seen| match &answers[operation.id] {
                Some(answer) if name == "truncated" => {
                    let whole = String::from_utf8(good(venue, seen, Some(answer))).unwrap();
                    let body = whole.split_once("\r\n\r\n").unwrap().1;
                    http(status, kind, &body.as_bytes()[..body.len() - 1])
                }
                _ => http(status, kind, &body),
            });
            for outcome in outcomes.await {
                let what = format!("{} {name}", outcome.name(venue));
                let typed = subject.spec.endpoint(outcome.operation).answer.is_some();
                makes_no_sense(&what, outcome, name, status, typed);
            }
        }
    }
}

fn makes_no_sense(what: &str, outcome: Outcome, name: &str, status: u16, typed: bool) {
    let error = match outcome.result {
        Err(error) => error,
        // Where the spec knows no body, none is read.
        Ok(_) => return assert!(!typed && status == 200, "{what}"),
    };
    let expected = if status == 502 { ErrorKind::Server } else { ErrorKind::Decode };
    assert_eq!(error.kind(), expected, "{what}: {error}");
    assert_eq!(error.may_have_been_applied(), outcome.operation.retry != Retry::Safe, "{what}: {error}");
    // What may hold a one-time secret is kept, and only under seal.
    if outcome.operation.secret && name != "empty" {
        assert!(error.raw_body().is_none(), "{what}");
        assert!(error.sealed_body().unwrap().expose().contains(MARKER) || name == "truncated", "{what}");
    }
}
