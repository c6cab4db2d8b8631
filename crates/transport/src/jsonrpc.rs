//! The JSON-RPC 2.0 envelope: put on around a generated method's params, taken off its result.

use std::fmt::Write as _;
use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use memchr::memmem::Finder;
use serde::de::IgnoredAny;
use serde_json::Value;
use venuekit_wire::operation::{ErrorKind, Operation, Venue};
use venuekit_wire::{Secret, UnixMillis};

use crate::answer::{Answer, error};
use crate::clock::VenueTime;
use crate::error::{Challenge, Error, Inner};
use crate::members::{Members, string};
use crate::message::{Id, Message, Part};
use crate::response::{Response, RpcTiming};
use crate::scan;

/// The envelope around a call's params. One that is larger than the venue takes is refused here: the venue's own refusal names no
/// call.
pub(crate) fn envelope(venue: &Venue, operation: &'static Operation, id: u64, params: &str) -> Result<String, Error> {
    let method = method(operation);
    let mut envelope = String::with_capacity(params.len() + method.len() + 72);
    envelope.push_str(r#"{"jsonrpc":"2.0","id":"#);
    // Writing to a text cannot fail.
    let _ = write!(envelope, "{id}");
    for part in [r#","method":""#, method, r#"","params":"#, params, "}"] {
        envelope.push_str(part);
    }
    match venue.largest_request {
        Some(largest) if envelope.len() > largest => {
            let message = format!(
                "the request has {} bytes; the venue accepts at most {largest}: ask for less at once",
                envelope.len()
            );
            Err(Error::before_sending(operation, ErrorKind::InvalidRequest, message))
        }
        _ => Ok(envelope),
    }
}

/// The method's own name.
pub(crate) fn method(operation: &Operation) -> &'static str {
    operation.path.trim_start_matches('/')
}

/// A call's params, with the response to a challenge of the venue.
pub(crate) fn confirmed(venue: &Venue, params: &str, challenge: &Challenge, code: &Secret) -> String {
    let Some(words) = &venue.challenge else { return params.to_owned() };
    let text = |secret: &Secret| Value::from(secret.expose());
    let (challenge, code) = (text(&challenge.challenge), text(code));
    with_members(params, &format!(r#""{}":{challenge},"{}":{code}"#, words.challenge_param, words.code_param))
}

/// A JSON object's text with more members at its end. What is there already stays as it is written.
pub(crate) fn with_members(object: &str, members: &str) -> String {
    let object = object.trim_end();
    let open = object.strip_suffix('}').unwrap_or(object).trim_end();
    let comma = if open.ends_with('{') { "" } else { "," };
    format!("{open}{comma}{members}}}")
}

/// Where the members of an envelope are.
#[derive(Default)]
struct Envelope {
    id: Option<Range<usize>>,
    result: Option<Range<usize>>,
    error: Option<Range<usize>>,
    method: Option<Range<usize>>,
    params: Option<Range<usize>>,
    us_in: Option<Range<usize>>,
    us_out: Option<Range<usize>>,
    us_diff: Option<Range<usize>>,
    testnet: Option<Range<usize>>,
}

impl Envelope {
    /// Looks for them without reading what is in them: who reads a result sees whether it is JSON. `None` where the text is no object, or a
    /// member is there twice.
    fn of(text: &str) -> Option<Self> {
        let mut envelope = Self::default();
        let mut members = scan::Members::of(text.as_bytes(), 0);
        for (name, value) in &mut members {
            let plain = match scan::has_escape(name) {
                false => None,
                true => Some(scan::unescaped(name)?),
            };
            let place = match plain.as_ref().map_or(name, String::as_bytes) {
                b"id" => &mut envelope.id,
                b"result" => &mut envelope.result,
                b"error" => &mut envelope.error,
                b"method" => &mut envelope.method,
                b"params" => &mut envelope.params,
                b"usIn" => &mut envelope.us_in,
                b"usOut" => &mut envelope.us_out,
                b"usDiff" => &mut envelope.us_diff,
                b"testnet" => &mut envelope.testnet,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        let is_all = members.is_whole() && scan::skip_whitespace(text.as_bytes(), members.end()) == text.len();
        is_all.then_some(envelope)
    }
}

/// Reads an envelope. `None` if the text is not one.
pub(crate) fn read(body: Bytes) -> Option<Message> {
    // Checked as a whole, which is faster than text by text.
    let text = std::str::from_utf8(&body).ok()?;
    let envelope = Envelope::of(text)?;
    let at = |part: Option<Range<usize>>| text.get(part?).filter(|value| *value != "null");
    let method = match at(envelope.method).map(|method| scan::text(method.as_bytes())) {
        None => None,
        Some(method) => Some(method?),
    };
    let has_result = at(envelope.result.clone()).is_some();
    let part = match (at(envelope.error.clone()), envelope.result, method) {
        // One of them is not of this call, and nothing says which.
        (Some(_), Some(_), _) if has_result => Part::Nothing,
        (Some(error), ..) => {
            // It decides what became of the call, and is read in parts only.
            serde_json::from_str::<IgnoredAny>(error).ok()?;
            Part::Error(body.slice(envelope.error?))
        }
        (None, Some(result), _) => Part::Result(body.slice(result)),
        (None, None, Some(method)) => {
            let params = envelope.params.map(|params| body.slice(params)).unwrap_or_default();
            Part::Notification { method: method.into_owned(), params }
        }
        (None, None, None) => Part::Nothing,
    };
    let id = Id::of(at(envelope.id));
    let timing = RpcTiming {
        us_in: at(envelope.us_in).and_then(|time| time.parse().ok()),
        us_out: at(envelope.us_out).and_then(|time| time.parse().ok()),
        us_diff: at(envelope.us_diff).and_then(|time| time.parse().ok()),
        testnet: at(envelope.testnet).and_then(|testnet| testnet.parse().ok()),
    };
    Some(Message { timing, ..Message::new(body, id, part) })
}

/// Takes the envelope off a response over HTTP.
pub(crate) fn unwrap(
    venue: &'static Venue,
    search: Option<&Finder<'_>>,
    operation: &'static Operation,
    answer: Answer,
    id: u64,
) -> Result<Response, Error> {
    // An error comes with any status, so the body is read before the status is looked at.
    let Some(message) = read(answer.document()) else {
        let mut failed = error(venue, operation, &answer, b"");
        if answer.status.is_success() {
            let message = failed.message().to_owned();
            let response = Response::new(operation, answer.status, answer.headers, answer.body);
            failed = response.refused(ErrorKind::Decode, format!("no JSON-RPC envelope: {message}"));
        }
        return Err(failed);
    };
    let status = answer.status;
    // Neither a result nor an error of another call says what became of this one.
    if !matches!(message.id, Id::Missing) && message.id != Id::Number(id) {
        let Answer { headers, body, .. } = answer;
        let message = format!("the response is for another call than {id}");
        return Err(Response::new(operation, status, headers, body).refused(ErrorKind::Decode, message));
    }
    let response = open(venue, operation, answer, message.part, message.timing)?;
    unchallenged(venue, search, response, Some(status))
}

/// Takes the envelope off a response over a WebSocket, which has no status.
pub(crate) fn unwrap_message(
    venue: &'static Venue,
    search: Option<&Finder<'_>>,
    operation: &'static Operation,
    message: Message,
) -> Result<Response, Error> {
    let Message { body, part, timing, .. } = message;
    let now = timing.us_out.map_or_else(UnixMillis::now, |micros| UnixMillis(micros.div_euclid(1000)));
    let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body, is_cut: false, now };
    let response = open(venue, operation, answer, part, timing).map_err(Error::without_status)?;
    unchallenged(venue, search, response, None)
}

/// The result, or the error in its place.
fn open(
    venue: &'static Venue,
    operation: &'static Operation,
    answer: Answer,
    part: Part,
    timing: RpcTiming,
) -> Result<Response, Error> {
    match part {
        // A failure is no success, whatever it brings: a proxy's page may have a member of that name.
        Part::Result(_) if !answer.status.is_success() => Err(error(venue, operation, &answer, b"")),
        Part::Result(result) => {
            let Answer { status, headers, .. } = answer;
            Ok(Response { timing: Some(timing), ..Response::new(operation, status, headers, result) })
        }
        Part::Error(inner) => Err(error(venue, operation, &answer, &inner).at(timing.us_out.map(VenueTime::exact))),
        Part::Notification { .. } | Part::Event { .. } | Part::Nothing if !answer.status.is_success() => {
            Err(error(venue, operation, &answer, b""))
        }
        Part::Notification { .. } | Part::Event { .. } | Part::Nothing => {
            let Answer { status, headers, body, .. } = answer;
            let message = "the envelope has neither a result nor an error, or it has both".to_owned();
            Err(Response::new(operation, status, headers, body).refused(ErrorKind::Decode, message))
        }
    }
}

/// A result, unless it is a demand for a second factor.
fn unchallenged(
    venue: &Venue,
    search: Option<&Finder<'_>>,
    response: Response,
    status: Option<StatusCode>,
) -> Result<Response, Error> {
    let Some(challenge) = challenge(venue, search, &response) else { return Ok(response) };
    Err(Error::new(Inner {
        kind: Some(ErrorKind::Challenge),
        operation: Some(response.operation),
        status,
        message: "the venue wants a second factor: repeat the call with `confirm`".to_owned(),
        challenge: Some(challenge),
        ..Inner::default()
    }))
}

/// What finds the sign of a challenge in a result: made once a client, searched with in every call.
pub(crate) fn challenge_search(venue: &'static Venue) -> Option<Finder<'static>> {
    venue.challenge.as_ref().map(|words| Finder::new(words.flag))
}

/// A challenge is small: a longer result is not searched for one.
const LARGEST_CHALLENGE: usize = 64 * 1024;

fn challenge(venue: &Venue, search: Option<&Finder<'_>>, response: &Response) -> Option<Challenge> {
    let words = venue.challenge.as_ref()?;
    if response.body.len() > LARGEST_CHALLENGE {
        return None;
    }
    // Most results are not read here. One with an escape may hide the name.
    let is_there = search.is_some_and(|search| search.find(&response.body).is_some());
    if !is_there && memchr::memchr(b'\\', &response.body).is_none() {
        return None;
    }
    let result = Members::of(std::str::from_utf8(&response.body).ok()?)?;
    if !result.all(words.flag).any(|flag| flag.get() == "true") {
        return None;
    }
    let challenge = result.get(words.challenge).and_then(string).unwrap_or_default();
    Some(Challenge { challenge: challenge.into() })
}

#[cfg(test)]
mod tests {
    use venuekit_wire::operation::Errors;

    use super::*;
    use crate::fixtures;

    #[test]
    fn an_error_over_a_connection_refuses_only_what_the_venue_did_not_do() {
        static VENUE: Venue = Venue {
            errors: Errors {
                code: &["/code"],
                kinds: &[
                    ("1", ErrorKind::Server),
                    ("2", ErrorKind::Maintenance),
                    ("3", ErrorKind::Timeout),
                    ("4", ErrorKind::Maintenance),
                    ("5", ErrorKind::InvalidRequest),
                    ("6", ErrorKind::InvalidRequest),
                ],
                not_processed: &["4"],
                outcome_unknown: &["6"],
                ..Errors::EMPTY
            },
            ..fixtures::VENUE
        };
        let unwrapped = |text: &str| {
            let message = read(Bytes::copy_from_slice(text.as_bytes())).unwrap();
            unwrap_message(&VENUE, None, &fixtures::OPERATION, message)
        };
        for (code, is_open) in [(1, true), (2, true), (3, true), (4, false), (5, false), (6, true)] {
            let error = unwrapped(&format!(r#"{{"id":1,"error":{{"code":{code}}}}}"#)).unwrap_err();
            assert_eq!(error.may_have_been_applied(), is_open, "{code}: {error}");
        }
        let error = unwrapped(r#"{"id":1,"result":{},"error":{"code":5}}"#).unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true), "{error}");
        assert!(unwrapped(r#"{"id":1,"result":{},"error":null}"#).is_ok());
    }

    #[test]
    fn members_are_added_to_any_object() {
        assert_eq!(with_members("{}", r#""b":2"#), r#"{"b":2}"#);
        assert_eq!(with_members("{ } ", r#""b":2"#), r#"{"b":2}"#);
        assert_eq!(with_members(r#"{"a":1.50}"#, r#""b":2"#), r#"{"a":1.50,"b":2}"#);
        // The last member may itself end in braces.
        assert_eq!(with_members(r#"{"a":{"x":{}}}"#, r#""b":2"#), r#"{"a":{"x":{}},"b":2}"#);
    }
}
