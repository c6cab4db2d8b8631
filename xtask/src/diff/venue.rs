//! What holds for a whole venue: its servers, limits and errors.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::compare::{Comparison, changed};
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
            "security schemes" | "x-signatures" | "x-logins" | "x-variables" | "streams: x-login" => {
                comparison.find("authentication-changed", name, changed_members(name, before, now), &at, &at);
            }
            "x-errors" => comparison.find("errors-changed", name, changed_members(name, before, now), &at, &at),
            _ => comparison.find("other-change", name, changed_members(name, before, now), &at, &at),
        }
    }
}

/// Which members of a fact differ.
fn changed_members(name: &str, before: Option<&Value>, now: Option<&Value>) -> String {
    let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, now) else {
        return changed(name, before, now);
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed: Vec<String> =
        names.into_iter().filter(|name| old.get(*name) != new.get(*name)).map(|name| format!("`{name}`")).collect();
    format!("{} changed", changed.join(", "))
}

/// Servers by their environments and endpoints.
fn servers(comparison: &mut Comparison<'_>, name: &str, before: Option<&Value>, now: Option<&Value>, at: &str) {
    let named = |value: Option<&Value>| -> BTreeMap<String, String> {
        let list = value.and_then(Value::as_array).into_iter().flatten();
        let map = value.and_then(Value::as_object).into_iter().flatten().map(|(_, server)| server);
        list.chain(map).map(|server| (key(server), url(server))).collect()
    };
    let (old, new) = (named(before), named(now));
    let place = |key: &str| format!("{name} {key}");
    for (key, url) in &old {
        match new.get(key) {
            None => comparison.find("server-removed", &place(key), format!("`{url}` is gone"), at, at),
            Some(other) if other != url => {
                comparison.find("server-changed", &place(key), format!("`{other}` now, before `{url}`"), at, at);
            }
            Some(_) => {}
        }
    }
    for (key, url) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        comparison.find("server-added", &place(key), format!("`{url}` is new"), at, at);
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
