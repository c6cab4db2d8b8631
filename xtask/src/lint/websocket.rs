//! Checks of `x-websocket`: how a venue takes calls over a WebSocket.

use std::collections::BTreeSet;

use serde_json::Value;

use super::credentials::placeholders;
use super::words::Known;
use crate::document::Kind;
use crate::model::{environments, named, text};
use crate::vocabulary::websocket::{Commands, Envelope};
use crate::vocabulary::{Added, WebSocket};

pub fn websocket(known: &Known<'_>, word: WebSocket) -> Result<(), String> {
    let environments: BTreeSet<&str> = environments(known.document).collect();
    if !environments.iter().copied().eq(word.servers.keys().map(String::as_str)) {
        return Err("`servers` has a URL for each environment".to_owned());
    }
    if let Some((name, _)) = word.servers.iter().find(|(_, url)| !url.starts_with("wss://") && *url != "none") {
        return Err(format!("the server of `{name}` is a URL that begins with `wss://`, or `none`"));
    }
    if word.servers.values().all(|url| url == "none") {
        return Err("no environment has a server".to_owned());
    }
    if let Some(ping) = &word.ping
        && (ping.every == 0 || serde_json::from_str::<Value>(&ping.message).is_err())
    {
        return Err("`ping`: `every` is above 0, and `message` is JSON".to_owned());
    }
    if word.ping.is_some() && word.dead_after.is_some() {
        return Err("`dead-after` is for venues that send pings, and `ping` for those that want some".to_owned());
    }
    if word.dead_after == Some(0) {
        return Err("`dead-after` is above 0".to_owned());
    }
    if word.connection_life == Some(0) {
        return Err("`connection-life` is above 0".to_owned());
    }
    match known.document.kind {
        Kind::OpenRpc => json_rpc(known, &word),
        Kind::OpenApi => described(known, &word),
    }
}

/// Of a venue whose messages are JSON-RPC 2.0.
fn json_rpc(known: &Known<'_>, word: &WebSocket) -> Result<(), String> {
    let is_described = word.envelope.is_some() || word.commands.is_some() || word.ping.is_some();
    if is_described || word.logon.is_some() || !word.signed.is_empty() || !word.parameters.is_empty() {
        return Err(
            "`envelope`, `commands`, `ping`, `signed`, `logon` and `parameters` are for venues whose calls are not JSON-RPC"
                .to_owned(),
        );
    }
    let (Some(_), Some(heartbeat)) = (&word.notification, &word.heartbeat) else {
        return Err("it has `notification` and `heartbeat`".to_owned());
    };
    let methods = [&heartbeat.answer, &heartbeat.set];
    match methods.into_iter().find(|method| !known.methods.contains(method.as_str())) {
        Some(method) => Err(format!("there is no method `{method}`")),
        None => Ok(()),
    }
}

/// Of a venue whose messages the spec describes.
fn described(known: &Known<'_>, word: &WebSocket) -> Result<(), String> {
    let root = &known.document.value;
    if word.notification.is_some() || word.heartbeat.is_some() {
        return Err("`notification` and `heartbeat` are for venues whose calls are JSON-RPC".to_owned());
    }
    let headers = root.get("x-client-headers");
    if let Some(header) = word.parameters.keys().find(|name| headers.and_then(|all| all.get(name)).is_none()) {
        return Err(format!("`parameters`: `x-client-headers` has no `{header}`"));
    }
    match (&word.envelope, &word.commands) {
        (Some(envelope), None) => enveloped(known, word, envelope),
        (None, Some(commands)) if word.logon.is_some() || !word.signed.is_empty() => {
            Err(format!("`signed` and `logon` go with `envelope`; `{}` is in `commands`", commands.logon.operation))
        }
        (None, Some(word)) => commands(known, word),
        (Some(_), Some(_)) | (None, None) => {
            Err("`envelope` or `commands` names the members of requests and replies".to_owned())
        }
    }
}

/// Of a venue whose replies have a status, and a result or an error.
fn enveloped(known: &Known<'_>, word: &WebSocket, envelope: &Envelope) -> Result<(), String> {
    let root = &known.document.value;
    if envelope.retry_at.as_ref().is_some_and(|place| !place.starts_with('/')) {
        return Err("`retry-at` is a JSON pointer into the error".to_owned());
    }
    if envelope.event.as_ref().is_some_and(|event| event.kind.is_some() != event.closing.is_some()) {
        return Err("`event` has both `type` and `closing`, or neither".to_owned());
    }
    for (credential, adds) in &word.signed {
        let signature = root.get("x-signatures").and_then(|signatures| signatures.get(credential));
        if signature.is_none() {
            return Err(format!("`signed`: `x-signatures` does not say how `{credential}` signs"));
        }
        if added(adds)? != 1 {
            return Err("`signed`: one template has `{signature}`, and nothing else".to_owned());
        }
    }
    if let Some(logon) = &word.logon {
        logon_operation(known, &logon.operation)?;
        if logon.keys.is_empty() || added(&logon.adds)? != 0 {
            return Err("`logon`: `keys` is not empty, and `adds` has no `{signature}`".to_owned());
        }
    }
    let buckets = envelope.limits.iter().flat_map(|limits| limits.buckets.values());
    for bucket in buckets {
        if root.get("x-buckets").and_then(|buckets| buckets.get(bucket)).is_none() {
            return Err(format!("`limits`: there is no bucket `{bucket}`"));
        }
    }
    Ok(())
}

/// Of a venue whose replies are what responses are over HTTP.
fn commands(known: &Known<'_>, word: &Commands) -> Result<(), String> {
    let root = &known.document.value;
    if word.body.values().any(|place| !place.starts_with('/')) {
        return Err("`body` has a JSON pointer into a reply for each member of a response".to_owned());
    }
    // Without it no call would ever fail.
    let tests = root.get("x-errors").and_then(|errors| errors.get("failed-when")).and_then(Value::as_array);
    let places: Vec<&str> = tests.into_iter().flatten().filter_map(|test| text(test, "at")).collect();
    let has = |place: &str| word.body.contains_key(place.trim_start_matches('/').split('/').next().unwrap_or_default());
    if places.is_empty() || !places.iter().all(|place| has(place)) {
        return Err("`body` has the members by which `failed-when` of `x-errors` knows a failure".to_owned());
    }
    let codes = root.get("x-errors").and_then(|errors| errors.get("code")).and_then(Value::as_array);
    let mut codes = codes.into_iter().flatten().filter_map(Value::as_str);
    let is_in_body = |place: &str| place.strip_prefix('/').is_some_and(|name| word.body.contains_key(name));
    if !word.closing.is_empty() && !codes.any(is_in_body) {
        return Err("`closing` lists codes: `code` of `x-errors` names a member of `body`, such as `/code`".to_owned());
    }
    if added(&word.adds)? != 0 || word.adds.iter().flat_map(|one| one.values()).any(|template| template == "{id}") {
        return Err("`adds` has neither `{signature}` nor `{id}`: the log-on says who calls".to_owned());
    }
    let logon = &word.logon;
    logon_operation(known, &logon.operation)?;
    let signature = root.get("x-signatures").and_then(|signatures| signatures.get(&logon.credential));
    let Some(signature) = signature else {
        return Err(format!("`logon`: `x-signatures` does not say how `{}` signs", logon.credential));
    };
    let names = signature.get("headers").and_then(Value::as_object);
    let is_header = |name: &str| names.is_some_and(|names| names.keys().any(|known| known.eq_ignore_ascii_case(name)));
    if logon.values.is_empty() || !logon.values.iter().all(|value| is_header(value.header())) {
        return Err(format!("`logon`: `values` lists headers of the credential `{}`", logon.credential));
    }
    let of_request = ["method", "path", "query", "target", "body", "body-hash", "data"];
    let mut pieces = signature.get("text").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    match pieces.find(|name| of_request.contains(name)) {
        Some(name) => Err(format!("`logon`: a command has no `{name}` that `{}` could sign", logon.credential)),
        None => Ok(()),
    }
}

/// The operation that logs a connection on can be sent over it.
fn logon_operation(known: &Known<'_>, name: &str) -> Result<(), String> {
    let Some(operation) = named(known.document, name) else {
        return Err(format!("`logon`: there is no operation `{name}`"));
    };
    match text(operation.value, "x-method") {
        Some(_) => Ok(()),
        None => Err(format!("`logon`: `{name}` has no `x-method`, so it is not sent over a WebSocket")),
    }
}

/// How many of the templates are the signature.
fn added(adds: &[Added]) -> Result<usize, String> {
    let mut signatures = 0;
    for one in adds {
        let (1, Some(template)) = (one.len(), one.values().next()) else {
            return Err("each entry that is added is one name with one template".to_owned());
        };
        for placeholder in placeholders(template)? {
            if !matches!(placeholder, "id" | "time" | "signature")
                || !template.starts_with('{')
                || !template.ends_with('}')
            {
                return Err(format!("`{template}` is `{{id}}`, `{{time}}`, `{{signature}}` or a text without braces"));
            }
            signatures += usize::from(placeholder == "signature");
        }
    }
    Ok(signatures)
}
