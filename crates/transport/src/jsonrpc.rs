//! The JSON-RPC 2.0 envelope: put on around a generated method's params, taken off its result.

use std::sync::atomic::Ordering;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use reqwest::{Body, Request};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use venuekit_wire::Secret;
use venuekit_wire::operation::{ErrorKind, Operation, Venue};

use crate::answer::{Answer, error};
use crate::clock::VenueTime;
use crate::error::{Challenge, Error, Inner};
use crate::response::{Response, RpcTiming};
use crate::session::Session;

/// Wraps a request's body, which holds the params, and returns the envelope's id.
pub(crate) fn wrap(session: &Session, operation: &'static Operation, request: &mut Request) -> Result<u64, Error> {
    let body = request.body().and_then(Body::as_bytes).unwrap_or(b"{}");
    let params = std::str::from_utf8(body)
        .map_err(|_| Error::before_sending(operation, ErrorKind::InvalidRequest, "the params are not UTF-8"))?;
    let id = session.shared.rpc_ids.fetch_add(1, Ordering::Relaxed);
    let method = operation.path.trim_start_matches('/');
    let params = confirmed(session, params);
    let envelope = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
    *request.body_mut() = Some(envelope.into());
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(id)
}

/// The params, with the answer to the venue's challenge if this call gives one.
fn confirmed(session: &Session, params: &str) -> String {
    let (Some(words), Some(challenge), Some(code)) =
        (&session.shared.venue.challenge, &session.call.challenge, &session.call.code)
    else {
        return params.to_owned();
    };
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

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
    #[serde(flatten)]
    timing: RpcTiming,
}

/// A member that is there, if only as null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Takes the envelope off: the result, the error in it, or a demand for a second factor.
pub(crate) fn unwrap(
    venue: &'static Venue,
    operation: &'static Operation,
    answer: Answer,
    id: u64,
) -> Result<Response, Error> {
    // An error comes with any status, so the body is read before the status is looked at.
    let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(&answer.body) else {
        let mut failed = error(&venue.errors, operation, &answer, None);
        if answer.status.is_success() {
            let message = failed.message().to_owned();
            let response = Response::new(operation, answer.status, answer.headers, answer.body);
            failed = Error::of_response(&response, ErrorKind::Decode, format!("no JSON-RPC envelope: {message}"));
        }
        return Err(failed);
    };
    if let Some(body) = envelope.error.filter(|error| error.get() != "null") {
        let body: Option<Value> = serde_json::from_str(body.get()).ok();
        let time = envelope.timing.us_out.map(VenueTime::exact);
        return Err(error(&venue.errors, operation, &answer, body.as_ref()).at(time));
    }
    let bytes = answer.body.clone();
    let response = |body| Response {
        timing: Some(envelope.timing),
        ..Response::new(operation, answer.status, answer.headers, body)
    };
    let Some(result) = envelope.result else {
        let message = "the envelope holds neither result nor error".to_owned();
        return Err(Error::of_response(&response(bytes), ErrorKind::Decode, message));
    };
    if envelope.id.is_some_and(|echoed| echoed.get() != id.to_string()) {
        let message = format!("the answer is for another call than {id}");
        return Err(Error::of_response(&response(bytes), ErrorKind::Decode, message));
    }
    if let Some(challenge) = challenge(venue, result) {
        return Err(Error::new(Inner {
            kind: Some(ErrorKind::Challenge),
            operation: Some(operation),
            status: Some(answer.status),
            message: "the venue wants a second factor: repeat the call with `confirm`".to_owned(),
            challenge: Some(challenge),
            ..Inner::default()
        }));
    }
    let result = bytes.slice_ref(result.get().as_bytes());
    Ok(response(result))
}

/// A challenge is small: a longer result is not searched for one.
const LARGEST_CHALLENGE: usize = 4096;

fn challenge(venue: &Venue, result: &RawValue) -> Option<Challenge> {
    let words = venue.challenge.as_ref()?;
    let text = result.get();
    if text.len() > LARGEST_CHALLENGE || !text.contains(words.flag) {
        return None;
    }
    let result: Value = serde_json::from_str(text).ok()?;
    if result.get(words.flag) != Some(&Value::Bool(true)) {
        return None;
    }
    let challenge = result.get(words.challenge).and_then(Value::as_str).unwrap_or_default();
    Some(Challenge { challenge: challenge.into() })
}

#[cfg(test)]
mod tests {
    use super::with_members;

    #[test]
    fn members_are_added_to_any_object() {
        assert_eq!(with_members("{}", r#""b":2"#), r#"{"b":2}"#);
        assert_eq!(with_members("{ } ", r#""b":2"#), r#"{"b":2}"#);
        assert_eq!(with_members(r#"{"a":1.50}"#, r#""b":2"#), r#"{"a":1.50,"b":2}"#);
        // The last member may end in braces of its own.
        assert_eq!(with_members(r#"{"a":{"x":{}}}"#, r#""b":2"#), r#"{"a":{"x":{}},"b":2}"#);
    }
}
