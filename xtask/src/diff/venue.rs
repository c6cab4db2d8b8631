//! What holds for a whole venue: its servers, limits and errors.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToPascalCase;
use serde_json::{Map, Value};

use super::compare::{Comparison, changed};
use super::credentials;
use crate::model::text;

/// Compares what the root documents say.
pub fn facts(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    let names: BTreeSet<&String> = old.facts.keys().chain(new.facts.keys()).collect();
    for name in names {
        let (before, now) = (old.facts.get(name), new.facts.get(name));
        if before == now {
            continue;
        }
        let at = match name.strip_prefix("streams: ") {
            Some(own) => format!("/x-streams/{own}"),
            None if name == "security schemes" => "/components/securitySchemes".to_owned(),
            None => format!("/{name}"),
        };
        match name.as_str() {
            "servers" | "streams: servers" => servers(comparison, name, before, now, &at),
            "info" => {
                let version = |value: Option<&Value>| value.and_then(|info| text(info, "version")).map(str::to_owned);
                let (before, now) = (version(before), version(now));
                if before != now {
                    let message = format!("the vendor's version is {} now", now.unwrap_or_default());
                    comparison.find("description-changed", "info", message, &at, &at);
                }
            }
            "x-buckets" | "streams: x-limits" | "x-largest-request" => {
                comparison.find("limits-changed", name, changed_members(name, before, now), &at, &at);
            }
            "x-variables" => credentials::variables(comparison, name, before, now, &at),
            "security schemes" | "x-signatures" | "x-logins" | "streams: x-login" => {
                comparison.find("authentication-changed", name, changed_members(name, before, now), &at, &at);
            }
            "x-errors" => errors(comparison, name, before, now, &at),
            "x-keys" => credentials::keys(comparison, name, before, now, &at),
            "x-client-headers" | "streams: x-query" => settings(comparison, name, before, now, &at),
            "x-websocket" => websocket(comparison, name, before, now, &at),
            _ => comparison.find("other-change", name, changed_members(name, before, now), &at, &at),
        }
    }
}

/// Which members of a fact differ.
pub(super) fn changed_members(name: &str, before: Option<&Value>, now: Option<&Value>) -> String {
    let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, now) else {
        return changed(name, before, now);
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed: Vec<String> =
        names.into_iter().filter(|name| old.get(*name) != new.get(*name)).map(|name| format!("`{name}`")).collect();
    format!("{} changed", changed.join(", "))
}

/// A member of a fact that is an object.
pub(super) fn member<'a>(fact: Option<&'a Value>, key: &str) -> Option<&'a Map<String, Value>> {
    fact?.get(key)?.as_object()
}

/// How errors are read. The names of codes are variants of the client's `ErrorCode`.
fn errors(comparison: &mut Comparison<'_>, name: &str, before: Option<&Value>, now: Option<&Value>, at: &str) {
    let named = |fact| -> BTreeMap<&String, &str> {
        let all = member(fact, "names").into_iter().flatten();
        all.filter_map(|(code, name)| Some((code, name.as_str()?))).collect()
    };
    let (old, new) = (named(before), named(now));
    let variant = |name: &&str| name.to_pascal_case();
    let variants = |names: &BTreeMap<&String, &str>| names.values().map(variant).collect::<BTreeSet<_>>();
    let (were, are) = (variants(&old), variants(&new));
    let found = comparison.found.len();
    for (code, name) in &old {
        let gone = variant(name);
        if are.contains(&gone) {
            continue;
        }
        let place = format!("ErrorCode::{gone}");
        match new.get(code) {
            Some(other) => {
                let message = format!("`{code}` is `ErrorCode::{}` now", variant(other));
                comparison.find("error-code-renamed", &place, message, at, at);
            }
            None => comparison.find("error-code-removed", &place, format!("`{code}` has no name any more"), at, at),
        }
    }
    for (code, name) in new.iter().filter(|(code, name)| !were.contains(&variant(name)) && !old.contains_key(*code)) {
        let place = format!("ErrorCode::{}", variant(name));
        comparison.find("error-code-added", &place, format!("`{code}` has this name now"), at, at);
    }
    // Names that changed otherwise: another code has them, or they are written differently.
    let names_are_told = comparison.found.len() > found;
    let rest = |fact: Option<&Value>| {
        let mut rest = fact.cloned().unwrap_or_default();
        if let Some(map) = rest.as_object_mut().filter(|_| names_are_told) {
            map.remove("names");
        }
        rest
    };
    let (before, now) = (rest(before), rest(now));
    if before != now {
        comparison.find("errors-changed", name, changed_members(name, Some(&before), Some(&now)), at, at);
    }
}

/// What a client may be told to send: a name or a value that is gone is refused where the client is built.
fn settings(comparison: &mut Comparison<'_>, name: &str, before: Option<&Value>, now: Option<&Value>, at: &str) {
    let pairs = |fact: Option<&Value>| -> BTreeSet<(String, String)> {
        let all = fact.and_then(Value::as_object).into_iter().flatten();
        let values = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        all.flat_map(|(key, list)| values(list).iter().map(|one| (key.clone(), text(one))).collect::<Vec<_>>())
            .collect()
    };
    let (old, new) = (pairs(before), pairs(now));
    for (key, value) in old.difference(&new) {
        comparison.find("setting-removed", &format!("{name} {key}"), format!("`{value}` is gone"), at, at);
    }
    for (key, value) in new.difference(&old) {
        comparison.find("setting-added", &format!("{name} {key}"), format!("`{value}` is new"), at, at);
    }
    if old == new {
        comparison.find("other-change", name, changed_members(name, before, now), at, at);
    }
}

/// Calls over a WebSocket, which an environment has or has not.
fn websocket(comparison: &mut Comparison<'_>, name: &str, before: Option<&Value>, now: Option<&Value>, at: &str) {
    let environments = |fact| -> BTreeSet<&String> {
        let all = member(fact, "servers").into_iter().flatten();
        all.filter(|(_, url)| url.as_str().is_some_and(|url| url != "none")).map(|(name, _)| name).collect()
    };
    let (old, new) = (environments(before), environments(now));
    for gone in old.difference(&new) {
        let message = "there are no calls over a WebSocket any more";
        comparison.find("websocket-removed", &format!("{name} {gone}"), message, at, at);
    }
    for fresh in new.difference(&old) {
        let message = "there are calls over a WebSocket now";
        comparison.find("websocket-added", &format!("{name} {fresh}"), message, at, at);
    }
    let rest = |fact: &Value| {
        let mut rest = fact.clone();
        // Environments that came or went are told already.
        let told = |name: &String| old.contains(name) != new.contains(name);
        if let Some(Value::Object(servers)) = rest.get_mut("servers") {
            servers.retain(|name, _| !told(name));
        }
        rest
    };
    if before.zip(now).is_some_and(|(before, now)| rest(before) != rest(now)) {
        comparison.find("other-change", name, changed_members(name, before, now), at, at);
    }
}

/// What a server is known by, and what is compared as its URL.
const OF_SERVER: [&str; 6] = ["x-environment", "x-endpoint", "url", "host", "pathname", "description"];

/// Servers by their environments and endpoints.
fn servers(comparison: &mut Comparison<'_>, name: &str, before: Option<&Value>, now: Option<&Value>, at: &str) {
    let named = |value: Option<&'_ Value>| -> BTreeMap<String, Value> {
        let list = value.and_then(Value::as_array).into_iter().flatten();
        let map = value.and_then(Value::as_object).into_iter().flatten().map(|(_, server)| server);
        list.chain(map).map(|server| (key(server), server.clone())).collect()
    };
    let (old, new) = (named(before), named(now));
    let place = |key: &str| format!("{name} {key}").trim_end().to_owned();
    for (key, server) in &old {
        let was = url(server);
        let Some(other) = new.get(key) else {
            comparison.find("server-removed", &place(key), format!("`{was}` is gone"), at, at);
            continue;
        };
        let is = url(other);
        if was != is {
            comparison.find("server-changed", &place(key), format!("`{is}` now, before `{was}`"), at, at);
        }
        if text(server, "description") != text(other, "description") {
            let message = "its description says something else";
            comparison.find("description-changed", &place(key), message, at, at);
        }
        server_words(comparison, &place(key), server, other, at);
    }
    for (key, server) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        comparison.find("server-added", &place(key), format!("`{}` is new", url(server)), at, at);
    }
}

/// What else is said of a server, such as the hosts to which a key of its environment may be sent.
fn server_words(comparison: &mut Comparison<'_>, place: &str, old: &Value, new: &Value, at: &str) {
    let members = [old, new].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    let names: BTreeSet<&String> = members.filter(|name| !OF_SERVER.contains(&name.as_str())).collect();
    for name in names {
        let (before, now) = (old.get(name), new.get(name));
        if before == now {
            continue;
        }
        let rule = if name == "x-serves" && narrower(before, now) { "server-narrowed" } else { "server-words-changed" };
        comparison.find(rule, place, changed(name, before, now), at, at);
    }
}

/// Whether a list of what there is has lost something. Without a list there is everything.
fn narrower(before: Option<&Value>, now: Option<&Value>) -> bool {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned();
    match (list(before), list(now)) {
        (None, now) => now.is_some(),
        (Some(_), None) => false,
        (Some(before), Some(now)) => before.iter().any(|one| !now.contains(one)),
    }
}

fn key(server: &Value) -> String {
    let parts = ["x-environment", "x-endpoint"].iter().filter_map(|name| text(server, name));
    parts.collect::<Vec<_>>().join(" ")
}

fn url(server: &Value) -> String {
    let host = || Some(format!("{}{}", text(server, "host")?, text(server, "pathname").unwrap_or_default()));
    text(server, "url").map(str::to_owned).or_else(host).unwrap_or_default()
}
