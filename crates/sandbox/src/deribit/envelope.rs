//! The JSON-RPC envelope: taken off a request, put on a response.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::Error;
use super::params::Params;
use crate::clock::Clock;
use crate::message::{Reply, Request};

/// A longer body is not read.
const BODY_LIMIT: usize = 32 * 1024;

const PREFIX: &str = "/api/v2";

/// What is requested.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) params: Params,
}

/// The caller's id, where it could be read, and the call or what is wrong with it.
pub(super) struct ParsedRequest {
    pub(super) id: Option<Box<RawValue>>,
    pub(super) call: Result<Call, Error>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    jsonrpc: Option<String>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<String>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

/// Takes the envelope off. A GET without a body has none: its method is the path, its params the query.
pub(super) fn open(request: &Request) -> ParsedRequest {
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default().trim_start_matches('/');
    if request.body.len() > BODY_LIMIT {
        return ParsedRequest { id: None, call: Err(Error::new(Error::ENTITY_TOO_LARGE)) };
    }
    match request.method {
        http::Method::GET if request.body.is_empty() => {
            let params = Params::from_query(request.query_pairs());
            ParsedRequest { id: None, call: Ok(Call { method: path.to_owned(), params }) }
        }
        http::Method::GET | http::Method::POST => open_body(request, path),
        _ => ParsedRequest { id: None, call: Err(Error::new(Error::BAD_REQUEST).because("use GET or POST")) },
    }
}

fn open_body(request: &Request, path: &str) -> ParsedRequest {
    let content_type = request.header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return ParsedRequest { id: None, call: Err(Error::new(Error::INVALID_CONTENT_TYPE)) };
    }
    let envelope = match read_envelope(&request.body) {
        Ok(envelope) => envelope,
        Err(error) => return ParsedRequest { id: None, call: Err(error) },
    };
    let id = envelope.id.filter(|id| is_id(id)).map(ToOwned::to_owned);
    ParsedRequest { id, call: check_envelope(&envelope, path) }
}

/// Takes the envelope off a message of a connection, which has to have an id.
pub(super) fn open_message(text: &str) -> ParsedRequest {
    if text.len() > BODY_LIMIT {
        return ParsedRequest { id: None, call: Err(Error::new(Error::ENTITY_TOO_LARGE)) };
    }
    let envelope = match read_envelope(text.as_bytes()) {
        Ok(envelope) => envelope,
        // Over HTTP what is not JSON has an error of its own.
        Err(error) if error.is(Error::PARSE_ERROR) => {
            return ParsedRequest { id: None, call: Err(Error::new(Error::BAD_REQUEST).because("not JSON")) };
        }
        Err(error) => return ParsedRequest { id: None, call: Err(error) },
    };
    // A request without an id is carried out, and its response has none either.
    if envelope.id.is_none() {
        return ParsedRequest { id: None, call: check_envelope(&envelope, "") };
    }
    let id = envelope.id.filter(|id| is_id(id)).map(ToOwned::to_owned);
    ParsedRequest { id, call: check_envelope(&envelope, "") }
}

fn read_envelope(body: &[u8]) -> Result<Envelope<'_>, Error> {
    let json: &RawValue = serde_json::from_slice(body).map_err(|_| Error::new(Error::PARSE_ERROR))?;
    if !json.get().starts_with('{') {
        return Err(Error::new(Error::BAD_REQUEST).because("one request object at a time"));
    }
    serde_json::from_str(json.get()).map_err(|_| Error::new(Error::BAD_REQUEST).because("not a JSON-RPC request"))
}

fn is_id(id: &RawValue) -> bool {
    id.get().starts_with('"') || id.get().parse::<i64>().is_ok()
}

fn check_envelope(envelope: &Envelope<'_>, path: &str) -> Result<Call, Error> {
    let bad_request = |reason: &'static str| Error::new(Error::BAD_REQUEST).because(reason);
    if envelope.jsonrpc.as_deref().is_some_and(|version| version != "2.0") {
        return Err(bad_request("jsonrpc must be 2.0"));
    }
    if envelope.id.is_some_and(|id| !is_id(id)) {
        return Err(bad_request("id must be an integer or a string"));
    }
    let method = envelope.method.as_deref().ok_or_else(|| bad_request("method is missing"))?;
    if !path.is_empty() && path != method {
        return Err(bad_request("method differs from the path"));
    }
    let params = match envelope.params {
        Some(params) => Params::from_json(params)?,
        None => Params::default(),
    };
    Ok(Call { method: method.to_owned(), params })
}

/// When a call arrived: answers say how long it took.
pub(super) struct ReceiveTime {
    us: i64,
    instant: Instant,
}

impl ReceiveTime {
    pub(super) fn now(clock: &Clock) -> Self {
        Self { us: clock.millis() * 1000, instant: Instant::now() }
    }
}

#[derive(Serialize)]
struct ResponseEnvelope<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Error>,
    #[serde(rename = "usIn")]
    us_in: i64,
    #[serde(rename = "usOut")]
    us_out: i64,
    #[serde(rename = "usDiff")]
    us_diff: i64,
    testnet: bool,
}

/// Puts the envelope on.
pub(super) fn seal(id: Option<Box<RawValue>>, outcome: Result<&RawValue, &Error>, received: &ReceiveTime) -> Reply {
    let status = outcome.map_or_else(Error::status, |_| 200);
    Reply::json(status, &enclose(id, outcome, received))
}

/// The same as a message of a connection.
pub(super) fn seal_message(
    id: Option<Box<RawValue>>,
    outcome: Result<&RawValue, &Error>,
    received: &ReceiveTime,
) -> String {
    serde_json::to_string(&enclose(id, outcome, received)).expect("answers are plain JSON")
}

fn enclose<'a>(
    id: Option<Box<RawValue>>,
    outcome: Result<&'a RawValue, &'a Error>,
    received: &ReceiveTime,
) -> ResponseEnvelope<'a> {
    let us_diff = i64::try_from(received.instant.elapsed().as_micros()).unwrap_or(i64::MAX);
    ResponseEnvelope {
        jsonrpc: "2.0",
        id,
        result: outcome.ok(),
        error: outcome.err(),
        us_in: received.us,
        us_out: received.us + us_diff,
        us_diff,
        testnet: true,
    }
}
