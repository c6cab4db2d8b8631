//! "Try it": a request of a test account, sent to this sandbox over a connection like any other.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONNECTION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::credentials::{self, Credentials, Unsigned};
use super::{json_response, refusal};
use crate::spec::{Operation, Spec, form_text};
use crate::venues::Venues;

/// A fault may keep the response back.
const PATIENCE: Duration = Duration::from_secs(10);
/// A longer response is not read.
const LONGEST_RESPONSE: usize = 4 * 1024 * 1024;

const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// What is to be sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallRequest {
    venue: String,
    operation: String,
    #[serde(default)]
    path: BTreeMap<String, String>,
    #[serde(default)]
    query: Vec<(String, String)>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// The body as text; of a JSON-RPC method its params.
    #[serde(default)]
    body: Option<String>,
    /// The index of the account that signs. `None`: the call is not signed.
    #[serde(default)]
    credential: Option<usize>,
}

/// Sends it, and shows the response without secrets.
pub(super) async fn send(venues: &Venues, address: SocketAddr, wanted: CallRequest) -> Response {
    let spec = venuekit_spec::of(&wanted.venue);
    let found = spec.and_then(|spec| Some((spec, spec.method(&wanted.operation)?)));
    let Some((spec, operation)) = found else { return refusal(404, "the venue has no such operation") };
    let request = match build(venues, address, spec, operation, &wanted) {
        Ok(request) => request,
        Err(message) => return refusal(400, message),
    };
    let target = request.uri().to_string();
    let started = Instant::now();
    let answered = tokio::time::timeout(PATIENCE, exchange(address, request)).await;
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut shown = match answered {
        Ok(Ok((status, headers, body))) => {
            // A secret that was made just now is one from here on.
            let value: Option<Value> = serde_json::from_slice(&body).ok();
            value.iter().for_each(|value| venues.secrets.learn(value));
            let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
            json!({"status": status, "headers": headers, "body": String::from_utf8_lossy(&body)})
        }
        Ok(Err(message)) => json!({"error": message}),
        Err(_) => json!({"error": format!("no response within {} s", PATIENCE.as_secs())}),
    };
    shown["target"] = format!("{} {target}", operation.method).into();
    shown["millis"] = millis.into();
    venues.secrets.mask_json(&mut shown);
    json_response(200, &shown)
}

fn build(
    venues: &Venues,
    address: SocketAddr,
    spec: &Spec,
    operation: &Operation,
    wanted: &CallRequest,
) -> Result<http::Request<String>, String> {
    let mut path = format!("{}{}", spec.prefix, operation.template);
    for (name, value) in &wanted.path {
        path = path.replace(&format!("{{{name}}}"), &utf8_percent_encode(value, SEGMENT).to_string());
    }
    if let Some((_, rest)) = path.split_once('{') {
        let name = rest.split('}').next().unwrap_or_default();
        return Err(format!("the path parameter {name} is missing"));
    }
    let mut query = (!wanted.query.is_empty()).then(|| {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(&wanted.query).finish()
    });
    let mut body = body(spec, operation, wanted)?;
    let now = venues.clock.millis();
    let unsigned = Unsigned {
        operation,
        method: &operation.method,
        path: &path,
        query: query.as_deref(),
        body: body.as_bytes(),
        now,
    };
    let Credentials { headers, parameters } = match wanted.credential {
        Some(index) => credentials::sign(&venues.accounts, &wanted.venue, index, &unsigned)
            .ok_or("the venue has no such test account")?,
        None => Credentials::default(),
    };
    if !parameters.is_empty() {
        let place = if operation.form { &mut body } else { query.get_or_insert_default() };
        if !place.is_empty() {
            place.push('&');
        }
        place.push_str(&parameters);
    }
    let target = match &query {
        Some(query) => format!("{path}?{query}"),
        None => path.clone(),
    };
    let mut request = http::Request::builder()
        .method(operation.method.as_str())
        .uri(target)
        .header(HOST, address.to_string())
        .header(CONNECTION, "close");
    if !body.is_empty() {
        request = request.header(CONTENT_TYPE, operation.content_type());
    }
    for (name, value) in &wanted.headers {
        request = request.header(name, value);
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(body).map_err(|error| error.to_string())
}

/// The body as it is sent: a JSON-RPC call has an envelope, and a form is made from the JSON of its members.
fn body(spec: &Spec, operation: &Operation, wanted: &CallRequest) -> Result<String, String> {
    let text = wanted.body.as_deref().unwrap_or_default().trim();
    if operation.form && !text.is_empty() {
        let members: Value = serde_json::from_str(text).map_err(|error| format!("the body is not JSON: {error}"))?;
        return Ok(form_text(&members));
    }
    if spec.venue != "deribit" {
        return Ok(text.to_owned());
    }
    let params = if text.is_empty() { "{}" } else { text };
    let params: &serde_json::value::RawValue =
        serde_json::from_str(params).map_err(|error| format!("the params are not JSON: {error}"))?;
    let method = serde_json::to_string(&operation.id).unwrap_or_default();
    Ok(format!(r#"{{"jsonrpc":"2.0","id":1,"method":{method},"params":{params}}}"#))
}

/// One request and its response over a connection of its own.
async fn exchange(address: SocketAddr, request: http::Request<String>) -> Result<(u16, HeaderMap, Bytes), String> {
    let failed = |error: hyper::Error| match error.is_incomplete_message() {
        true => "the connection was closed before the response".to_owned(),
        false => error.to_string(),
    };
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(failed)?;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(axum::body::Body::new(body), LONGEST_RESPONSE).await;
    connection.abort();
    let body = body.map_err(|_| "the connection was closed in the middle of the response".to_owned())?;
    Ok((parts.status.as_u16(), parts.headers, body))
}
