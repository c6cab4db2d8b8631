//! Each call sends what it was given, in its place, byte for byte, and nothing else.

use std::collections::BTreeMap;

use venuekit::wire::operation::{Key, Operation, Protocol, Retry};

use crate::canned::Seen;
use crate::example::{Request, Shape};
use crate::json::Json;
use crate::run::{good, run};
use crate::spec::RequestPart;
use crate::venues::{Carrier, Subject, everywhere};

#[tokio::test]
async fn every_call_sends_what_it_was_given() {
    for subject in everywhere() {
        for requests in [Shape::Full, Shape::Minimal, Shape::EmptyLists] {
            let venue = subject.venue;
            let answers = subject.answers(Shape::Full);
            let outcomes =
                run(&subject, requests, move |operation, seen| good(venue, seen, answers[operation.id].as_deref()));
            for outcome in outcomes.await {
                let what = format!("{} {requests:?}", outcome.name(venue));
                let answer = outcome.result.as_ref().unwrap_or_else(|error| panic!("{what}: {error}"));
                // All of a plain response is in its type, digit by digit.
                let answers = !outcome.operation.on_connection.is_some_and(|on| on.closes);
                let sent = subject.spec.answer(outcome.operation, Shape::Full).filter(|_| answers);
                let sent = sent.unwrap_or(Json::Null);
                assert_eq!(answer.json, sent, "{what}");
                let [seen] = outcome.seen.as_slice() else { panic!("{what}: sent {} times", outcome.seen.len()) };
                if requests == Shape::EmptyLists && is_of_responses_too(venue.name, &outcome.given) {
                    continue;
                }
                Arrived { subject: &subject, operation: outcome.operation, seen, what }.check(&outcome.given);
            }
        }
    }
}

/// Bybit's permissions are read from responses too: an empty group is not sent, which says the same as none.
fn is_of_responses_too(venue: &str, given: &Request) -> bool {
    venue == "bybit" && given.body.as_ref().is_some_and(|body| body.get("permissions").is_some())
}

/// A request at the server.
struct Arrived<'a> {
    subject: &'a Subject,
    operation: &'static Operation,
    seen: &'a Seen,
    what: String,
}

impl Arrived<'_> {
    fn check(&self, given: &Request) {
        if self.subject.carrier == Carrier::WebSocket {
            return self.envelope(std::str::from_utf8(&self.seen.body).unwrap(), given.body.clone());
        }
        let what = &self.what;
        let line: Vec<&str> = self.seen.head.lines().next().unwrap().split(' ').collect();
        let [method, target, "HTTP/1.1"] = line[..] else { panic!("{what}: {line:?}") };
        assert_eq!(method, self.operation.method, "{what}");
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        self.path(path, given);
        self.query(query, given);
        let mut headers = self.headers();
        for (_, name, value) in given.parameters.iter().filter(|(place, ..)| *place == RequestPart::Header) {
            assert_eq!(headers.remove(&name.to_lowercase()), Some(plain(value)), "{what}: {name}");
        }
        let mut body = String::from_utf8(self.seen.body.clone()).unwrap();
        let is_rest = self.is_rest();
        match (self.operation.retry, &given.body) {
            // A key that was not given is made.
            (Retry::Keyed(Key::Header(name)), _) if !given.parameters.iter().any(|(_, given, _)| given == name) => {
                is_key(what, headers.remove(&name.to_lowercase()).as_deref());
            }
            (Retry::Keyed(Key::Field(name)), Some(given)) if is_rest && given.get(name).is_none() => {
                body = self.without_key(name, Json::parse(&body)).to_string();
            }
            _ => {}
        }
        self.body(&body, given, &mut headers);
        let usual = ["accept", "content-length", "host", "user-agent"];
        headers.retain(|name, _| !usual.contains(&name.as_str()) && !self.subject.headers.contains(&name.as_str()));
        assert_eq!(headers, BTreeMap::new(), "{what}: headers that nobody asked for");
    }

    /// The template's words, and in each of its places the value that was given.
    fn path(&self, path: &str, given: &Request) {
        let what = &self.what;
        let expected = self.operation.path.split('/').map(|word| {
            match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
                Some(name) => {
                    let mut values =
                        given.parameters.iter().filter(|(place, n, _)| *place == RequestPart::Path && n == name);
                    plain(&values.next().unwrap_or_else(|| panic!("{what}: {name} is given")).2)
                }
                None => word.to_owned(),
            }
        });
        let arrived: Vec<String> = path.split('/').map(|word| decoded(word, false)).collect();
        assert_eq!(arrived, expected.collect::<Vec<_>>(), "{what}: {path}");
    }

    /// Each pair that was given, a list as a pair an item, and no other.
    fn query(&self, query: Option<&str>, given: &Request) {
        let mut expected = Vec::new();
        for (_, name, value) in given.parameters.iter().filter(|(place, ..)| *place == RequestPart::Query) {
            match value {
                value if self.operation.json_lists.contains(&name.as_str()) => {
                    expected.push((name.clone(), value.to_string()));
                }
                Json::List(items) => expected.extend(items.iter().map(|item| (name.clone(), plain(item)))),
                value => expected.push((name.clone(), plain(value))),
            }
        }
        let mut arrived = self.pairs(query.unwrap_or_default());
        if !has_form(given) {
            self.without_added(&mut arrived);
        }
        // The items of a list keep their order, whatever the order of the names.
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        arrived.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(arrived, expected, "{}: {query:?}", self.what);
    }

    /// Names and values of a query or a form.
    fn pairs(&self, text: &str) -> Vec<(String, String)> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("{}: {pair}", self.what));
            (decoded(name, true), decoded(value, true))
        });
        pairs.collect()
    }

    /// Takes off what a signature adds, which is last and in its order.
    fn without_added(&self, pairs: &mut Vec<(String, String)>) {
        let signs = |name: &str| self.operation.access.iter().any(|way| way.contains(&name));
        let signatures = self.subject.venue.credentials.signatures.iter();
        for signature in signatures.filter(|signature| signs(signature.name)) {
            let rest =
                pairs.len().checked_sub(signature.adds.len()).unwrap_or_else(|| panic!("{}: {pairs:?}", self.what));
            let added = pairs.split_off(rest);
            let names = added.iter().map(|(name, _)| name.as_str());
            assert!(names.eq(signature.adds.iter().map(|(name, _)| *name)), "{}: {added:?}", self.what);
            assert!(added.iter().all(|(_, value)| !value.is_empty()), "{}: {added:?}", self.what);
        }
    }

    /// A form with the members that were given: a list as JSON text, nothing for what is absent.
    fn form(&self, body: &str, given: &Json) {
        let mut arrived = self.pairs(body);
        self.without_added(&mut arrived);
        let Json::Object(members) = given else { panic!("{}: {given}", self.what) };
        let present = members.iter().filter(|(_, value)| **value != Json::Null);
        let mut expected: Vec<(String, String)> = present.map(|(name, value)| (name.clone(), plain(value))).collect();
        arrived.sort();
        expected.sort();
        assert_eq!(arrived, expected, "{}: {body}", self.what);
    }

    fn headers(&self) -> BTreeMap<String, String> {
        let mut headers = BTreeMap::new();
        for line in self.seen.head.lines().skip(1) {
            let (name, value) = line.split_once(": ").unwrap();
            let twice = headers.insert(name.to_lowercase(), value.to_owned());
            assert_eq!(twice, None, "{}: {name} arrives once", self.what);
        }
        headers
    }

    /// The body that was given, digit by digit, in the venue's envelope if it has one.
    fn body(&self, body: &str, given: &Request, headers: &mut BTreeMap<String, String>) {
        let what = &self.what;
        let is_rest = self.is_rest();
        if is_rest && (given.body.is_none() || self.operation.form && !has_form(given)) {
            assert_eq!((body, headers.get("content-type")), ("", None), "{what}");
            return;
        }
        let content_type = if self.operation.form { "application/x-www-form-urlencoded" } else { "application/json" };
        assert_eq!(headers.remove("content-type").as_deref(), Some(content_type), "{what}");
        match &given.body {
            Some(expected) if self.operation.form => self.form(body, expected),
            Some(expected) if is_rest => assert_eq!(Json::parse(body), *expected, "{what}"),
            given => self.envelope(body, given.clone()),
        }
    }

    fn is_rest(&self) -> bool {
        self.subject.venue.protocol == Protocol::Rest
    }

    /// What was sent, without the key that was made for it.
    fn without_key(&self, name: &str, sent: Json) -> Json {
        let Json::Object(mut members) = sent else { panic!("{}: {sent}", self.what) };
        is_key(&self.what, members.remove(name).map(|key| plain(&key)).as_deref());
        Json::Object(members)
    }

    /// The params that were given, digit by digit, in an envelope.
    fn envelope(&self, text: &str, params: Option<Json>) {
        let what = &self.what;
        let Json::Object(mut envelope) = Json::parse(text) else { panic!("{what}: {text}") };
        assert_eq!(envelope.remove("jsonrpc"), Some(Json::text("2.0")), "{what}");
        assert_eq!(envelope.remove("method"), Some(Json::text(&self.operation.path[1..])), "{what}");
        let expected = params.unwrap_or_else(|| Json::parse("{}"));
        let mut arrived = envelope.remove("params").unwrap_or_else(|| panic!("{what}: {text}"));
        if let Retry::Keyed(Key::Field(name)) = self.operation.retry
            && expected.get(name).is_none()
        {
            arrived = self.without_key(name, arrived);
        }
        assert_eq!(arrived, expected, "{what}");
        assert!(matches!(envelope.remove("id"), Some(Json::Number(_))), "{what}: {text}");
        assert!(envelope.is_empty(), "{what}: {envelope:?}");
    }
}

/// Whether a form has anything in it: an empty one is not sent.
fn has_form(given: &Request) -> bool {
    matches!(&given.body, Some(Json::Object(members)) if members.values().any(|value| *value != Json::Null))
}

/// A value as it is written outside of JSON.
fn plain(value: &Json) -> String {
    match value {
        Json::Text(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Takes percent signs off. What a URL may not hold as it stands is not accepted.
fn decoded(text: &str, in_query: bool) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match first {
            b'%' => {
                rest = &after[2..];
                u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap()
            }
            b'+' if in_query => b' ',
            byte => {
                assert!(byte.is_ascii_alphanumeric() || b"-._~!$'()*+,;:@".contains(byte), "{text}");
                *byte
            }
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn is_key(what: &str, key: Option<&str>) {
    let groups: Vec<usize> = key.unwrap_or_default().split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{what}: {key:?}");
}
