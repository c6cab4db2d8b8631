//! Checks of `x-websocket`: how a venue takes calls over a WebSocket.

use std::collections::BTreeSet;

use super::credentials::placeholders;
use super::words::Known;
use crate::document::Kind;
use crate::model::{environments, id_of};
use crate::vocabulary::{Added, WebSocket};

pub fn websocket(known: &Known<'_>, word: WebSocket) -> Result<(), String> {
    let environments: BTreeSet<&str> = environments(known.document).collect();
    if !environments.iter().copied().eq(word.servers.keys().map(String::as_str)) {
        return Err("`servers` has a URL for each environment".to_owned());
    }
    if let Some((name, _)) = word.servers.iter().find(|(_, url)| !url.starts_with("wss://")) {
        return Err(format!("the server of `{name}` is a URL that begins with `wss://`"));
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
    if word.envelope.is_some() || word.logon.is_some() || !word.signed.is_empty() || !word.parameters.is_empty() {
        return Err(
            "`envelope`, `signed`, `logon` and `parameters` are for venues whose calls are not JSON-RPC".to_owned()
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
    let Some(envelope) = &word.envelope else {
        return Err("`envelope` names the members of requests and replies".to_owned());
    };
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
        if !known.ids.contains(&id_of(known.document, &logon.operation)) {
            return Err(format!("`logon`: there is no operation `{}`", logon.operation));
        }
        if logon.keys.is_empty() || added(&logon.adds)? != 0 {
            return Err("`logon`: `keys` is not empty, and `adds` has no `{signature}`".to_owned());
        }
    }
    let headers = root.get("x-client-headers");
    if let Some(header) = word.parameters.keys().find(|name| headers.and_then(|all| all.get(name)).is_none()) {
        return Err(format!("`parameters`: `x-client-headers` has no `{header}`"));
    }
    let buckets = envelope.limits.iter().flat_map(|limits| limits.buckets.values());
    for bucket in buckets {
        if root.get("x-buckets").and_then(|buckets| buckets.get(bucket)).is_none() {
            return Err(format!("`limits`: there is no bucket `{bucket}`"));
        }
    }
    Ok(())
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
