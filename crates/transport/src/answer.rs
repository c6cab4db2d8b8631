//! What a response means, by the venue's `x-errors`.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use venuekit_wire::UnixMillis;
use venuekit_wire::credentials::words;
use venuekit_wire::operation::{ErrorKind, FailedValue, FailedWhen, Operation, Repeat, UnknownKey, Venue};

use crate::carrier::RawResponse;
use crate::clock::VenueTime;
use crate::error::{Error, Inner};
use crate::members::{Members, closed, string};
use crate::response::Response;
use crate::retry_after;

/// A response as it came.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body goes on after what was read of it.
    pub(crate) is_cut: bool,
    /// The venue's time when it was here, as far as it is known.
    pub(crate) now: UnixMillis,
}

impl Answer {
    /// A response that was here at this time.
    pub(crate) fn of(response: RawResponse, now: UnixMillis) -> Self {
        let RawResponse { status, headers, body, is_cut } = response;
        Self { status, headers, body, is_cut, now }
    }

    /// The body as a JSON document. Of one that is cut, what is whole.
    pub(crate) fn document(&self) -> Bytes {
        match self.is_cut {
            true => closed(&text_of(&self.body)).into(),
            false => self.body.clone(),
        }
    }
}

/// A successful response, or the error in it.
pub(crate) fn judge(venue: &'static Venue, operation: &'static Operation, answer: Answer) -> Result<Response, Error> {
    if !answer.status.is_success() {
        return Err(error(venue, operation, &answer, &answer.document()));
    }
    match verdict(venue.errors.failed_when, &answer.body) {
        Verdict::Failed => Err(error(venue, operation, &answer, &answer.body)),
        // A proxy's page with a success status is no response, not even to a call that expects no body.
        Verdict::Unknown => Err(unreadable(operation, answer)),
        Verdict::Good if is_page(&answer.body) => Err(unreadable(operation, answer)),
        Verdict::Good => {
            let Answer { status, headers, body, .. } = answer;
            Ok(Response::new(operation, status, headers, body))
        }
    }
}

/// A response of which no body is expected: an empty one, or JSON in which the venue reports no error. Anything else is no sign of
/// success.
pub(crate) fn without_error(venue: &Venue, response: Response) -> Result<Response, Error> {
    let is_whole = |body: &[u8]| serde_json::from_slice::<IgnoredAny>(body).is_ok();
    let body = text_of(&response.body);
    let problem = if body.trim().is_empty() && response.timing.is_none() {
        None
    } else if !is_whole(body.as_bytes()) {
        Some("the response body is not JSON".to_owned())
    } else {
        reported(venue, &body).map(|said| format!("a success status with an error in its body: {said}"))
    };
    match problem {
        Some(problem) => Err(response.refused(ErrorKind::Decode, problem)),
        None => Ok(response),
    }
}

/// The error that a body reports: a code, or a message inside an object that is there for errors. A message beside other members may be
/// that of a success.
fn reported(venue: &Venue, body: &str) -> Option<String> {
    let members = Members::of(body)?;
    let inside = |place: &&&str| place.trim_start_matches('/').contains('/') || **place == "/error";
    let places = venue.errors.code.iter().chain(venue.errors.message.iter().filter(inside));
    places.copied().find_map(|place| scalar(members.at(place).pop()?))
}

/// A success status with a body from which it is unknown what was done.
fn unreadable(operation: &'static Operation, answer: Answer) -> Error {
    let message = describe(&answer, false);
    let Answer { status, headers, body, .. } = answer;
    Response::new(operation, status, headers, body).refused(ErrorKind::Decode, message)
}

/// The error that a response reports. `body` is the part of its body that `x-errors` points into.
pub(crate) fn error(venue: &Venue, operation: &'static Operation, answer: &Answer, body: &[u8]) -> Error {
    let longest = retry_after::longest_after(venue, operation);
    let inner = told(venue, answer, body, longest);
    // A key means something to operations that have one.
    let is_keyed = operation.key.is_some_and(|key| key.repeat == Repeat::Refused);
    let repeated_key = is_keyed && inner.code.as_deref().is_some_and(|code| venue.errors.repeated_key.contains(&code));
    let venue_time = operation.venue_time.and_then(|place| VenueTime::of_body(place, body));
    Error::new(Inner { operation: Some(operation), repeated_key, venue_time, ..inner }).with_body(&answer.body)
}

/// The error of a venue that responds to a handshake and opens nothing. Nothing was executed.
pub(crate) fn of_handshake(venue: &Venue, answer: Answer) -> Error {
    let inner = told(venue, &answer, &answer.document(), retry_after::LONG);
    let message = format!("the venue opens no WebSocket here: {}", inner.message);
    let venue_time = VenueTime::of_headers(&answer.headers);
    let mut error = Error::new(Inner { message, venue_time, applied: false, ..inner });
    error.shorten();
    error
}

/// What a response says about its failure.
fn told(venue: &Venue, answer: &Answer, body: &[u8], longest: Duration) -> Inner {
    let (errors, status) = (&venue.errors, answer.status);
    let body = text_of(body);
    let members = Members::of(&body);
    let at = |place: &&str| members.as_ref()?.at(place).pop();
    let text = |places: &[&str]| places.iter().find_map(|place| scalar(at(place)?));
    // A sentence in the code's place, as some bodies have, is no code.
    let code = text(errors.code).filter(|code| !code.contains(char::is_whitespace));
    let (message, detail) = (text(errors.message), text(errors.detail));
    let said = words([code.as_deref(), message.as_deref(), detail.as_deref()].into_iter().flatten());
    // "See other" is what a server says that has processed the request. Any other redirection says that it has not.
    let redirected = status.is_redirection() && status != StatusCode::SEE_OTHER;
    let kind = match status.is_redirection() {
        true => ErrorKind::Other,
        false => errors.kind(code.as_deref(), &said, status.as_u16()),
    };
    let ban = retry_after::longest_ban(venue, status);
    let longest = longest.max(ban.unwrap_or_default());
    let refused = status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT;
    let not_processed = code.as_deref().is_some_and(|code| errors.not_processed.contains(&code))
        || errors.not_processed_statuses.contains(&status.as_u16());
    let outcome_unknown = code.as_deref().is_some_and(|code| errors.outcome_unknown.contains(&code));
    // A code that says that the venue itself failed says no more with a status of success or of a refusal.
    let failed_itself = code.as_deref().and_then(|code| errors.kind_of_code(code)).is_some_and(is_own_failure);
    let header = |name: &str| Some(answer.headers.get(name)?.to_str().ok()?.to_owned());
    let by_body = errors.retry_after.iter().find_map(|place| wait(at(place)?, answer.now, longest));
    let has_texts = |code: &str| errors.texts.iter().any(|row| row.code == Some(code));
    let known_code = code.as_deref().is_some_and(|code| errors.kind_of_code(code).is_some() || has_texts(code));
    let says_unknown = |key: &UnknownKey| {
        let message = message.as_deref().unwrap_or_default();
        key.fits(status.as_u16(), code.as_deref(), message, detail.as_deref())
    };
    let unknown_key =
        members.is_some() && (refused || status.is_success()) && errors.unknown_key.iter().any(says_unknown);
    let cause = venue.credentials.symptoms.first.iter().find(|symptom| symptom.fits(kind, &said));
    let cause = cause.map(|symptom| symptom.cause);
    Inner {
        kind: Some(kind),
        status: Some(status),
        message: message.unwrap_or_else(|| describe(answer, members.is_some())),
        code,
        detail,
        known_code,
        unknown_key,
        cause,
        param: text(errors.param),
        request_id: errors.request_id_header.and_then(header),
        retry_after: by_body.or_else(|| retry_after::of_headers(&answer.headers, answer.now, longest)),
        // A success status with an error in it is the venue's own verdict: it did not do it, unless the code says otherwise.
        applied: outcome_unknown
            || !not_processed && (failed_itself || !(refused || redirected || status.is_success())),
        not_processed,
        outcome_unknown,
        is_ban: ban.is_some(),
        ..Inner::default()
    }
}

/// Whether an error of this kind is the venue's own, after which it is unknown how far it came.
pub(crate) fn is_own_failure(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Server | ErrorKind::Timeout)
}

/// A body as text. What is not UTF-8 in it spoils no more than itself.
fn text_of(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body))
}

/// A code or a message: text or a number, but no object.
fn scalar(value: &RawValue) -> Option<String> {
    match value.get().as_bytes().first()? {
        b'"' => string(value).filter(|text| !text.is_empty()),
        b'-' | b'0'..=b'9' => Some(value.get().to_owned()),
        _ => None,
    }
}

/// The wait that a member says: a number or a text. Null says nothing, anything else cannot be read.
fn wait(value: &RawValue, now: UnixMillis, longest: Duration) -> Option<Duration> {
    match value.get() {
        "null" => None,
        text => retry_after::of_text(&string(value).unwrap_or_else(|| text.to_owned()), now, longest),
    }
}

/// What can be said of a response whose body says nothing.
fn describe(answer: &Answer, is_json: bool) -> String {
    if answer.status.is_redirection() {
        // What stands behind the path may be secret.
        let place = answer.headers.get("location").and_then(|place| place.to_str().ok());
        let place = place.and_then(|place| place.split(['?', '#']).next()).map(|place| format!(" to {place}"));
        return format!("the venue redirects{}; a signed call is not sent elsewhere", place.unwrap_or_default());
    }
    let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match answer.body.len() {
        0 if !answer.is_cut => "the response is empty".to_owned(),
        bytes if kind.contains("html") || is_page(&answer.body) => {
            format!("the response is a web page of {bytes} bytes, perhaps from a proxy")
        }
        bytes if answer.is_cut => format!("the response body was cut off, and its first {bytes} bytes give no reason"),
        bytes if !is_json => format!("the response body of {bytes} bytes cannot be read"),
        _ => "the venue gives no reason".to_owned(),
    }
}

/// JSON never begins like this.
fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// What a body with a success status says of its call.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Failed,
    /// The venue would say in it whether the call failed, and it cannot be read or contradicts itself.
    Unknown,
}

fn verdict(failed_when: &[FailedWhen], body: &[u8]) -> Verdict {
    if failed_when.is_empty() || body.trim_ascii().is_empty() {
        return Verdict::Good;
    }
    let body = text_of(body);
    let Some(members) = Members::of(&body) else {
        // What is not an object has no such member.
        let is_other = !body.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(&body).is_ok();
        return if is_other { Verdict::Good } else { Verdict::Unknown };
    };
    let mut verdict = Verdict::Good;
    for test in failed_when {
        let values = members.at(test.at);
        match values.iter().filter(|value| is(value, test)).count() {
            0 => {}
            count if count == values.len() => return Verdict::Failed,
            // The member comes twice, and it is unknown which one holds.
            _ => verdict = Verdict::Unknown,
        }
    }
    verdict
}

/// Whether a value means failure, however it is written.
fn is(value: &RawValue, test: &FailedWhen) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    match test.value {
        FailedValue::Is(wanted) => {
            value.get() == wanted || read(value.get()).is_some_and(|said| read(wanted) == Some(said))
        }
        // What the types of responses read as the same number is the same here: 0, 0.0 and "0".
        FailedValue::IsNot(wanted) => {
            if value.get() == wanted {
                return false;
            }
            let number = |text: &str| read(text)?.as_f64();
            let said = string(value).map_or_else(|| Cow::Borrowed(value.get()), Cow::Owned);
            let is_same = number(wanted).is_some_and(|wanted| number(said.trim()) == Some(wanted));
            !is_same && read(value.get()) != read(wanted)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use venuekit_wire::operation::{Bucket, Errors, KeyBounds, Limit, Rate, Tier, VenueTime as Place};

    use super::*;
    use crate::fixtures;

    const FAILED: &[FailedWhen] = &[
        FailedWhen { at: "/success", value: FailedValue::Is("false") },
        FailedWhen { at: "/status", value: FailedValue::Is(r#""error""#) },
    ];

    static OPERATION: Operation = Operation { rate: &[Rate::new("all", 1)], ..fixtures::OPERATION };

    static VENUE: Venue = Venue {
        errors: Errors {
            code: &["/error/code", "/code"],
            message: &["/error/message"],
            retry_after: &["/retry"],
            failed_when: FAILED,
            kinds: &[("limit", ErrorKind::RateLimited)],
            ..Errors::EMPTY
        },
        buckets: &[Bucket {
            name: "all",
            per_path: false,
            tiers: &[Tier { name: "basic", limits: &[Limit::Window { count: 1, seconds: 86_400 }] }],
        }],
        ..fixtures::VENUE
    };

    fn answer(status: u16, body: impl Into<Bytes>, is_cut: bool) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers: HeaderMap::new(), body: body.into(), is_cut, now: UnixMillis(1_795_316_400_000) }
    }

    fn judged(status: u16, body: impl Into<Bytes>) -> Result<Response, Error> {
        judge(&VENUE, &OPERATION, answer(status, body, false))
    }

    #[test]
    fn every_other_value_than_the_good_one_is_a_failure() {
        static CODED: Venue = Venue {
            errors: Errors {
                code: &["/retCode"],
                failed_when: &[FailedWhen { at: "/retCode", value: FailedValue::IsNot("0") }],
                kinds: &[("10016", ErrorKind::Server), ("10001", ErrorKind::InvalidRequest)],
                outcome_unknown: &["10016"],
                repeated_key: &["110072"],
                ..Errors::EMPTY
            },
            ..fixtures::VENUE
        };
        static KEYED: Operation = Operation {
            key: Some(KeyBounds { shortest: 1, longest: None, repeat: Repeat::Refused }),
            venue_time: Some(Place { at: "/time", per_second: 1000 }),
            ..fixtures::OPERATION
        };
        let judged = |operation, body: &str| judge(&CODED, operation, answer(200, body.to_owned(), false));
        // A body without the member is no failure by itself: whether it is a response shows when it is read.
        for body in
            [r#"{"retCode":0}"#, r#"{"retCode":0.0}"#, r#"{"retCode":"0"}"#, r#"{"retCod\u0065":0e0}"#, "{}", "[]"]
        {
            assert!(judged(&OPERATION, body).is_ok(), "{body}");
        }
        for body in [r#"{"retCode":10001}"#, r#"{"retCode":"10001"}"#, r#"{"retCode":10001,"retCode":10001}"#] {
            let error = judged(&OPERATION, body).unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidRequest, Some("10001")), "{body}");
            assert!(!error.may_have_been_applied() && !error.is_repeated_key(), "{body}");
        }
        for body in [r#"{"retCode":null}"#, r#"{"retCode":""}"#, r#"{"retCode":{}}"#, r#"{"retCode":true}"#] {
            assert!(judged(&OPERATION, body).is_err(), "{body}");
        }
        // One of two codes says success: it is unknown which one holds.
        assert_eq!(judged(&OPERATION, r#"{"retCode":0,"retCode":1}"#).unwrap_err().kind(), ErrorKind::Decode);

        let error = judged(&KEYED, r#"{"retCode":10016,"time":1795316400123}"#).unwrap_err();
        assert!(error.may_have_been_applied() && error.leaves_outcome_unknown() && !error.is_retryable(), "{error}");
        assert_eq!(error.venue_time(), Some(VenueTime::of_millis(1_795_316_400_123)));
        let error = judged(&KEYED, r#"{"retCode":110072,"time":"?"}"#).unwrap_err();
        assert!(error.is_repeated_key() && !error.was_applied_before() && !error.may_have_been_applied(), "{error}");
        assert_eq!(error.venue_time(), None);
        let error = error.of_call(2, Some("key".to_owned()), true);
        assert!(error.was_applied_before() && error.may_have_been_applied(), "{error}");
        assert!(error.to_string().ends_with("an earlier attempt of this call was executed"), "{error}");
        assert!(!judged(&OPERATION, r#"{"retCode":110072}"#).unwrap_err().is_repeated_key(), "it has no key");
    }

    #[test]
    fn a_failure_is_seen_however_it_is_written() {
        for body in [
            r#"{"success":false}"#,
            r#"{"success":false,"\u0064":1}"#,
            r#"{"succ\u0065ss":false}"#,
            r#"{"success": false ,"success":false}"#,
            r#"{"status":"error"}"#,
            r#"{"status":"\u0065rror","big":1e400}"#,
            "\u{feff}{\"success\":false}",
        ] {
            assert_eq!(verdict(FAILED, body.as_bytes()), Verdict::Failed, "{body}");
        }
        assert_eq!(verdict(FAILED, b"{\"success\":false,\"text\":\"\xff\"}"), Verdict::Failed, "not UTF-8");
        for body in [
            r#"{"success":true,"\u0064":1}"#,
            r#"{"data":{"success":false}}"#,
            r#"{"success":0}"#,
            "[]",
            "null",
            "",
            " ",
        ] {
            assert_eq!(verdict(FAILED, body.as_bytes()), Verdict::Good, "{body}");
        }
        let twice = [r#"{"success":true,"success":false}"#, r#"{"success":false,"succ\u0065ss":true}"#];
        let cut = ["{", r#"{"success":false"#, r#"{"success":false} x"#, r#"{"\ud800":1}"#, "<html>", "true false"];
        for body in twice.into_iter().chain(cut) {
            assert_eq!(verdict(FAILED, body.as_bytes()), Verdict::Unknown, "{body}");
            assert_eq!(verdict(&[], body.as_bytes()), Verdict::Good, "no venue's word for a failure: {body}");
            let error = judged(200, body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
            assert!(error.may_have_been_applied(), "{body}: {error}");
        }
    }

    #[test]
    fn a_wait_in_a_body_is_bounded() {
        let hour = Some(Duration::from_secs(3_600));
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (said, wait) in [
            ("7", seconds(7)),
            ("7.0", seconds(7)),
            (r#""7""#, seconds(7)),
            ("86400", seconds(86_400)),
            (r#""Sun, 22 Nov 2026 03:05:00 GMT""#, seconds(300)),
            ("null", None),
            (r#""""#, None),
            ("86401", hour),
            ("1e19", hour),
            ("1e400", hour),
            ("18446744073709551616", hour),
            ("-1", hour),
            ("true", hour),
            ("{}", hour),
            (r#""soon""#, hour),
        ] {
            let error = judged(429, format!(r#"{{"c\u006fde":"limit","retry":{said}}}"#)).unwrap_err();
            assert_eq!((error.code(), error.retry_after()), (Some("limit"), wait), "{said}");
        }
    }

    #[test]
    fn of_an_error_that_is_cut_counts_what_is_there() {
        let body = format!(r#"{{"error":{{"code":"limit","message":"slow down","more":"{}"#, "x".repeat(100_000));
        let error = judge(&VENUE, &OPERATION, answer(429, body.clone(), true)).unwrap_err();
        assert_eq!((error.kind(), error.code(), error.message()), (ErrorKind::RateLimited, Some("limit"), "slow down"));
        assert_eq!(error.raw_body(), Some(&body.as_bytes()[..64 * 1024]), "as it came");
        let error = judge(&VENUE, &OPERATION, answer(400, r#"{"error":{"code":"li"#, true)).unwrap_err();
        assert_eq!((error.code(), error.kind()), (None, ErrorKind::InvalidRequest));
        assert!(error.message().contains("cut off"), "{error}");
    }

    #[test]
    fn an_error_keeps_a_copy_and_not_the_whole_body() {
        let body = Bytes::from(vec![b' '; 1024 * 1024]);
        let error = judged(500, body.clone()).unwrap_err();
        assert!(body.is_unique(), "nothing else holds it");
        assert_eq!(error.raw_body().map(<[u8]>::len), Some(64 * 1024));
        let body = Bytes::from([&b"<html>"[..], &vec![b' '; 1024 * 1024]].concat());
        let error = judged(200, body.clone()).unwrap_err();
        assert!(body.is_unique() && error.raw_body().is_some());
    }

    proptest! {
        #[test]
        fn no_body_does_harm(status in 200_u16..600, body in any::<Vec<u8>>(), is_cut in any::<bool>()) {
            let _ = judge(&VENUE, &OPERATION, answer(status, body, is_cut));
        }

        #[test]
        fn no_wait_in_a_body_stops_a_client(number in any::<f64>(), whole in any::<i128>(), text in ".*") {
            for said in [format!("{number:e}"), whole.to_string(), Value::from(text).to_string()] {
                let error = judged(429, format!(r#"{{"retry":{said}}}"#)).unwrap_err();
                prop_assert!(error.retry_after().is_none_or(|wait| wait <= Duration::from_secs(86_400)), "{}", said);
            }
        }
    }
}
