//! What an answer means, by the venue's `x-errors`.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use reqwest::Request;
use serde_json::Value;
use serde_json::value::RawValue;
use venuekit_wire::operation::{ErrorKind, Errors, Operation, UnknownKey, Venue};

use crate::error::{Error, Inner};
use crate::response::Response;

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A good answer, or the error in it.
pub(crate) fn judge(venue: &'static Venue, operation: &'static Operation, answer: Answer) -> Result<Response, Error> {
    let good = answer.status.is_success() && !says_failed(&venue.errors, &answer.body);
    if good {
        // A proxy's page with a good status is no answer, not even to a call that expects no body.
        let message = is_page(&answer.body).then(|| describe(&answer, false));
        let Answer { status, headers, body } = answer;
        let response = Response::new(operation, status, headers, body);
        return match message {
            Some(message) => Err(Error::of_response(&response, ErrorKind::Decode, message)),
            None => Ok(response),
        };
    }
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    Err(error(&venue.errors, operation, &answer, body.as_ref()))
}

/// The error that a body tells of. `body` is the part that `x-errors` points into; none where it is not JSON.
pub(crate) fn error(errors: &Errors, operation: &'static Operation, answer: &Answer, body: Option<&Value>) -> Error {
    let status = answer.status;
    let text = |places: &[&str]| places.iter().find_map(|place| scalar(body?.pointer(place)?));
    // A sentence in the code's place, as some bodies have, is no code.
    let code = text(errors.code).filter(|code| !code.contains(char::is_whitespace));
    let kind = match status.is_redirection() {
        true => ErrorKind::Other,
        false => errors.kind(code.as_deref(), status.as_u16()),
    };
    let refused = status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT;
    let not_processed = code.as_deref().is_some_and(|code| errors.not_processed.contains(&code))
        || errors.not_processed_statuses.contains(&status.as_u16());
    let header = |name: &str| Some(answer.headers.get(name)?.to_str().ok()?.to_owned());
    let seconds = text(errors.retry_after).or_else(|| header("retry-after"));
    let known_code = code.as_deref().is_some_and(|code| errors.kind_of_code(code).is_some());
    let (message, detail) = (text(errors.message), text(errors.detail));
    let says_unknown = |key: &UnknownKey| {
        let message = message.as_deref().unwrap_or_default();
        key.fits(status.as_u16(), code.as_deref(), message, detail.as_deref())
    };
    let unknown_key = body.is_some() && (refused || status.is_success()) && errors.unknown_key.iter().any(says_unknown);
    Error::new(Inner {
        kind: Some(kind),
        operation: Some(operation),
        status: Some(status),
        message: message.unwrap_or_else(|| describe(answer, body.is_some())),
        code,
        detail,
        known_code,
        unknown_key,
        param: text(errors.param),
        request_id: errors.request_id_header.and_then(header),
        retry_after: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.parse().ok()?).ok()),
        // A good status with an error in it is the venue's own verdict: it did not do it.
        applied: !(refused || not_processed || status.is_redirection() || status.is_success()),
        not_processed,
        ..Inner::default()
    })
    .with_body(answer.body.clone())
}

/// A code or a message: text or a number, but no object.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What can be said of an answer whose body says nothing.
fn describe(answer: &Answer, is_json: bool) -> String {
    if answer.status.is_redirection() {
        // What stands behind the path may be secret.
        let place = answer.headers.get("location").and_then(|place| place.to_str().ok());
        let place = place.and_then(|place| place.split(['?', '#']).next()).map(|place| format!(" to {place}"));
        return format!("the venue redirects{}; a signed call is not sent elsewhere", place.unwrap_or_default());
    }
    let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match answer.body.len() {
        0 => "the answer is empty".to_owned(),
        bytes if kind.contains("html") || is_page(&answer.body) => {
            format!("the answer is a web page of {bytes} bytes, from a proxy perhaps")
        }
        bytes if !is_json => format!("the answer is {bytes} bytes of no JSON"),
        _ => "the venue gives no reason".to_owned(),
    }
}

/// JSON never begins like this.
fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Whether an answer with a good status is a failure all the same.
fn says_failed(errors: &Errors, body: &[u8]) -> bool {
    if errors.failed_when.is_empty() {
        return false;
    }
    let Ok(top) = serde_json::from_slice::<HashMap<&str, &RawValue>>(body) else { return false };
    errors
        .failed_when
        .iter()
        .any(|test| top.get(test.at.trim_start_matches('/')).is_some_and(|value| value.get() == test.equals))
}

/// The secrets in a request, so that an error that echoes one can be cleaned.
pub(crate) fn secret_values(request: &Request, operation: &Operation) -> Vec<String> {
    let mut found = Vec::new();
    if !operation.secret_fields.is_empty()
        && let Some(body) = request.body().and_then(|body| body.as_bytes())
        && let Ok(body) = serde_json::from_slice::<Value>(body)
    {
        collect(&body, operation.secret_fields, &mut found);
    }
    found
}

fn collect(value: &Value, names: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, names, found)),
        Value::Object(map) => {
            for (name, inner) in map {
                match inner.as_str() {
                    Some(text) if names.contains(&name.as_str()) => found.push(text.to_owned()),
                    _ => collect(inner, names, found),
                }
            }
        }
        _ => {}
    }
}
