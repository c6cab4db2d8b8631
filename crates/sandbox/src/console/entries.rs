//! Entries of the log as JSON, with secrets masked.

use http::HeaderMap;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::deribit;
use crate::faults::{Fault, Transport};
use crate::masking::{HIDDEN, Secrets, is_secret};
use crate::message::Request;
use crate::request_log::{Arrived, Entry, Outcome, Response};
use crate::spec::Operation;
use crate::venues::{Venue, Venues};

/// So much of a body is shown.
const LONGEST_BODY: usize = 64 * 1024;

/// An entry as the list shows it.
pub(super) fn summary(venues: &Venues, entry: &Entry) -> Value {
    let arrived = &entry.arrived;
    let request = &*arrived.request;
    let operation = operation(arrived.venue, request);
    let inspection = entry.inspection.as_deref();
    let mistakes: Vec<Value> = inspection.map(mistakes).unwrap_or_default();
    let failed = response(&entry.outcome).is_some_and(|response| fails(response, operation));
    let (verdict, status) = verdict(entry, failed);
    let mut value = json!({
        "id": entry.id,
        "time": arrived.time,
        "venue": arrived.venue,
        "transport": transport(arrived.transport),
        "method": request.method.as_str(),
        "path": request.path,
        "operation": operation.map(|operation| operation.id.as_str()),
        "title": title(arrived, operation),
        "inspected": inspection.is_some(),
        "credential": inspection.and_then(|found| found.credential.as_deref()),
        "verdict": verdict,
        "status": status,
        "error": error(&entry.outcome, failed),
        "example": is_example(&entry.outcome),
        "fault": entry.fault.as_ref().map(fault_name),
        "micros": entry.micros,
        "mistakes": mistakes,
    });
    venues.secrets.mask_json(&mut value);
    value
}

/// An entry with everything that is known of it.
pub(super) fn detail(venues: &Venues, entry: &Entry) -> Value {
    let request = &*entry.arrived.request;
    let secrets = entry_secrets(venues, entry);
    let mut value = summary(venues, entry);
    value["query"] = query(request).into();
    value["request"] = json!({"headers": headers(&request.headers), "body": body(&secrets, &request.body)});
    if let Outcome::Response(response) = &entry.outcome {
        value["response"] = json!({"headers": headers(&response.headers), "body": body(&secrets, &response.body)});
    }
    if let Some(fault) = &entry.fault {
        value["fault_rule"] = serde_json::to_value(fault).unwrap_or_default();
    }
    if let Some(signature) = entry.inspection.as_deref().and_then(|found| found.signature.as_ref()) {
        value["signature"] = serde_json::to_value(signature).unwrap_or_default();
    }
    secrets.mask_json(&mut value);
    value
}

/// The secrets of the sandbox, and those that an entry carries by their names.
fn entry_secrets(venues: &Venues, entry: &Entry) -> Secrets {
    let secrets = venues.secrets.copy();
    let request = &*entry.arrived.request;
    let bodies = [Some(&request.body), response(&entry.outcome).map(|response| &response.body)];
    for body in bodies.into_iter().flatten() {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => secrets.learn(&value),
            Err(_) => secrets.learn_text(&String::from_utf8_lossy(body)),
        }
    }
    let pairs = request.query_pairs();
    pairs.iter().filter(|(name, _)| is_secret(name)).for_each(|(_, value)| secrets.add(value));
    for (name, value) in &request.headers {
        if let (true, Ok(value)) = (is_secret(name.as_str()), value.to_str()) {
            secrets.add(value);
        }
    }
    secrets
}

const UNEXPLAINED: &str = "it does not fit the expected text with this key, and no known mistake explains it: compare your text \
    with the expected one, and your secret with the key's";

fn mistakes(inspection: &crate::signature::Inspection) -> Vec<Value> {
    let of_signature = inspection.signature.iter().flat_map(|signature| &signature.mistakes);
    let all = inspection.mistakes.iter().chain(of_signature);
    let mut all: Vec<Value> = all.map(|mistake| json!({"part": mistake.part, "message": mistake.message})).collect();
    // An empty list would say that nothing is wrong.
    if inspection.signature.as_ref().is_some_and(|signature| !signature.valid && signature.mistakes.is_empty()) {
        all.push(json!({"part": "signature", "message": UNEXPLAINED}));
    }
    all
}

/// The operation that a request is for.
pub(super) fn operation(venue: &str, request: &Request) -> Option<&'static Operation> {
    let spec = venuekit_spec::of(venue)?;
    if spec.is_websocket(&request.path) {
        // A call over a WebSocket API names its operation in the message.
        let message: Value = serde_json::from_slice(&request.body).ok()?;
        return spec.rpc(message["method"].as_str()?);
    }
    if venue == "deribit" {
        return spec.method(&deribit::method_of(request)?);
    }
    spec.find(&request.method, request.path.strip_prefix(&*spec.prefix)?).ok()
}

/// What the list calls a request.
fn title(arrived: &Arrived, operation: Option<&Operation>) -> String {
    let request = &*arrived.request;
    match (operation, arrived.transport) {
        (Some(operation), _) => operation.id.clone(),
        (None, Transport::Stream) => {
            let message: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let command = message["cmd"].as_str().or(message["type"].as_str()).or(message["op"].as_str());
            let command = command.or(message["method"].as_str());
            format!("stream: {}", command.unwrap_or("message"))
        }
        (None, _) if request.headers.contains_key(http::header::UPGRADE) => format!("WebSocket {}", request.path),
        (None, _) => format!("{} {}", request.method, request.path),
    }
}

fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Http => "http",
        Transport::Websocket => "websocket",
        Transport::Stream => "stream",
    }
}

fn response(outcome: &Outcome) -> Option<&Response> {
    match outcome {
        Outcome::Response(response) => Some(response),
        _ => None,
    }
}

/// Whether a response reports a failure, by its status or in its body.
fn fails(response: &Response, operation: Option<&Operation>) -> bool {
    let reports_failure = |operation: &Operation| {
        serde_json::from_slice(&response.body).is_ok_and(|body: Value| operation.says_failed(&body))
    };
    response.status >= 400 || operation.is_some_and(reports_failure)
}

/// A word for the outcome of a request, and the status. `failed` says whether its response reports a failure.
fn verdict(entry: &Entry, failed: bool) -> (&'static str, Option<u16>) {
    match &entry.outcome {
        Outcome::Pending => ("pending", None),
        Outcome::Received => ("received", None),
        Outcome::NoResponse => ("no response", None),
        Outcome::Response(response) => {
            let word = match response.status {
                ..400 if !failed => "accepted",
                ..400 if refuses_credentials(entry, response) => "refused",
                ..400 => "rejected",
                401 | 403 => "refused",
                429 => "rate limited",
                400..500 => "rejected",
                _ => "failed",
            };
            (word, Some(response.status))
        }
    }
}

fn refuses_credentials(entry: &Entry, response: &Response) -> bool {
    Venue::named(entry.arrived.venue).is_some_and(|venue| venue.refuses_credentials(response))
}

fn is_example(outcome: &Outcome) -> bool {
    response(outcome).is_some_and(|response| response.headers.contains_key("x-sandbox"))
}

/// Code and message of an error, wherever the venue puts them.
fn error(outcome: &Outcome, failed: bool) -> Option<String> {
    let response = response(outcome).filter(|_| failed)?;
    let Ok(body) = serde_json::from_slice::<Value>(&response.body) else {
        return None;
    };
    let text = |pointers: &[&str]| {
        let values = pointers.iter().filter_map(|pointer| body.pointer(pointer));
        values.filter(|value| value.is_string() || value.is_number()).find_map(|value| match value {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        })
    };
    let code = text(&["/error/code", "/code", "/retCode", "/error"]);
    let message = text(&[
        "/error/data/reason",
        "/error/details",
        "/details",
        "/error/message",
        "/message",
        "/msg",
        "/retMsg",
        "/error/msg",
    ]);
    match (code, message) {
        (Some(code), Some(message)) if code != message => Some(format!("{code}: {message}")),
        (code, message) => message.or(code),
    }
}

/// The word by which rules call a fault.
fn fault_name(fault: &Fault) -> String {
    let value = serde_json::to_value(fault).unwrap_or_default();
    value["fault"].as_str().unwrap_or_default().to_owned()
}

fn query(request: &Request) -> Option<String> {
    let text = request.query.as_ref()?;
    let pairs = text.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    });
    Some(pairs.collect::<Vec<_>>().join("&"))
}

/// Name and value of each header. Of `Authorization` everything is shown but what it proves itself with.
fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = |name: &str, value: &str| match value.split_once(' ') {
        _ if is_secret(name) => HIDDEN.to_owned(),
        // What a signature is made of may be seen.
        Some((scheme, _)) if name == "authorization" && !scheme.to_ascii_lowercase().contains("hmac") => {
            format!("{scheme} {HIDDEN}")
        }
        None if name == "authorization" => HIDDEN.to_owned(),
        _ => value.to_owned(),
    };
    let all = headers.iter().filter(|(name, _)| *name != http::header::COOKIE);
    all.map(|(name, value)| {
        let text = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().to_owned(), shown(name.as_str(), &text))
    })
    .collect()
}

/// A body as text: as it was written, without its secrets.
fn body(secrets: &Secrets, body: &[u8]) -> String {
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    let text = String::from_utf8_lossy(body);
    let mut text = if is_json { secrets.mask(&text) } else { secrets.mask_lenient(&text) };
    if text.len() > LONGEST_BODY {
        let end = (0..=LONGEST_BODY).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
        text.push_str("\n[cut off]");
    }
    text
}
