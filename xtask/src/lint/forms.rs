//! What each of our words may say.

use std::collections::BTreeSet;

use heck::ToSnakeCase;
use serde_json::Value;

use super::credentials::{has_field, operation};
use super::words::Known;
use super::{KINDS, UNITS};
use crate::model::{members, text};
use crate::vocabulary::{Buckets, Connection, Rate, Reconcile, Tier, VenueTime, WebSocket, Window};

pub fn name(_: &Known<'_>, text: String) -> Result<(), String> {
    let plain = text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        // It becomes a variant.
        && text != "self";
    plain.then_some(()).ok_or_else(|| "is a name in lower case, with dashes".to_owned())
}

/// The name of a field in Rust.
pub fn field_name(_: &Known<'_>, text: String) -> Result<(), String> {
    let is_name = text.to_snake_case() == text && syn::parse_str::<syn::Ident>(&text).is_ok();
    is_name.then_some(()).ok_or_else(|| "is a name in snake_case".to_owned())
}

pub fn sentence(_: &Known<'_>, text: String) -> Result<(), String> {
    (!text.trim().is_empty()).then_some(()).ok_or_else(|| "is a text".to_owned())
}

pub fn hosts(_: &Known<'_>, hosts: Vec<String>) -> Result<(), String> {
    let is_host = |host: &String| host.contains('.') && !host.contains(['/', ':']);
    (!hosts.is_empty() && hosts.iter().all(is_host)).then_some(()).ok_or_else(|| "is a list of host names".to_owned())
}

/// A list of members, which must be there beside it: see `schemas.rs`.
pub fn names(_: &Known<'_>, names: Vec<String>) -> Result<(), String> {
    let named = !names.is_empty() && names.iter().all(|name| !name.is_empty());
    named.then_some(()).ok_or_else(|| "is a list of members".to_owned())
}

pub fn websockets(_: &Known<'_>, urls: Vec<String>) -> Result<(), String> {
    let is_url = |url: &String| url.starts_with("wss://") && !url.ends_with('/');
    let listed = !urls.is_empty() && urls.iter().all(is_url);
    listed.then_some(()).ok_or_else(|| "is a list of wss:// URLs without a slash at the end".to_owned())
}

/// What its type says is all that there is to check.
pub fn any<T>(_: &Known<'_>, _: T) -> Result<(), String> {
    Ok(())
}

/// A mapping with these members: the first list is needed, the second allowed.
pub fn shape(value: &Value, needed: &[&str], allowed: &[&str]) -> Result<(), String> {
    let map = value.as_object().ok_or("is a mapping")?;
    if let Some(key) = needed.iter().find(|key| !map.contains_key(**key)) {
        return Err(format!("lacks `{key}`"));
    }
    match map.keys().find(|key| !needed.contains(&key.as_str()) && !allowed.contains(&key.as_str())) {
        Some(key) => Err(format!("knows no `{key}`")),
        None => Ok(()),
    }
}

pub fn retry(known: &Known<'_>, value: &Value) -> Result<(), String> {
    if matches!(value.as_str(), Some("safe" | "never")) {
        return Ok(());
    }
    shape(value, &["keyed"], &[])
        .map_err(|_| "is `safe`, `never` or `keyed: {header: NAME}` or `{field: NAME}`".to_owned())?;
    let place = &value["keyed"];
    let one = shape(place, &["header"], &["repeat"]).or_else(|_| shape(place, &["field"], &["repeat"]));
    one.and_then(|()| if members(value, "keyed").all(|(_, v)| v.is_string()) { Ok(()) } else { Err(String::new()) })
        .map_err(|_| "`keyed` names one `header` or one `field`".to_owned())?;
    match text(place, "repeat") {
        None => Ok(()),
        Some("refused") if known.document.value.pointer("/x-errors/repeated-key").is_some() => Ok(()),
        Some("refused") => {
            Err("the root's `x-errors` has no `repeated-key`, by which such a refusal is known".to_owned())
        }
        Some(_) => {
            Err("`repeat` is `refused`, or left out where the venue returns the first response again".to_owned())
        }
    }
}

pub fn rate(known: &Known<'_>, rate: Rate) -> Result<(), String> {
    let bucket = &rate.bucket;
    let is_there = known.document.value.get("x-buckets").and_then(|buckets| buckets.get(bucket)).is_some();
    is_there.then_some(()).ok_or_else(|| format!("the root's `x-buckets` has no `{bucket}`"))
}

pub fn reconcile(known: &Known<'_>, word: Reconcile) -> Result<(), String> {
    let (name, by) = word.parts();
    if !known.methods.contains(name) && !known.ids.contains(&name.to_snake_case()) {
        return Err(format!("there is no operation `{name}`"));
    }
    if by.is_empty() {
        return Ok(());
    }
    let lookup = operation(known.document, name)?;
    by.iter().try_for_each(|parameter| has_field(known.document, &lookup, parameter))
}

pub fn rust_type(_: &Known<'_>, value: &Value) -> Result<(), String> {
    shape(value, &["crate", "version", "path"], &["parameters"])?;
    // The generator would ignore all of these without a word.
    if text(value, "crate") != Some("venuekit-wire") || text(value, "version") != Some("*") {
        return Err("generated code names types of `venuekit-wire`, version `*`, only".to_owned());
    }
    let path = text(value, "path").unwrap_or_default();
    let is_path = syn::parse_str::<syn::Path>(path).is_ok() && !path.contains([' ', '<', '(']);
    if !path.starts_with("venuekit_wire::") || !is_path {
        return Err("`path` is a Rust path that begins with `venuekit_wire::`".to_owned());
    }
    let parameters =
        value.get("parameters").is_none_or(|all| all.as_array().is_some_and(|all| all.iter().all(Value::is_object)));
    parameters.then_some(()).ok_or_else(|| "`parameters` is a list of schemas".to_owned())
}

fn mapping_of_kinds(value: &Value) -> Result<(), String> {
    value.as_object().ok_or("is a mapping")?.values().try_for_each(kind_of)
}

fn kind_of(value: &Value) -> Result<(), String> {
    let known = value.as_str().is_some_and(|kind| KINDS.iter().any(|(name, _)| *name == kind));
    known.then_some(()).ok_or_else(|| format!("{value} is no kind of error"))
}

/// A code or a sentence of the venue's; a status alone is anybody's.
fn unknown_key(test: &Value) -> Result<(), String> {
    const TEXTS: [&str; 3] = ["code", "message", "detail"];
    shape(test, &[], &[TEXTS.as_slice(), &["status", "except"]].concat())?;
    if !TEXTS.iter().any(|key| test.get(key).is_some()) {
        return Err("`unknown-key` names a code, a message or a detail: a status alone is anybody's".to_owned());
    }
    let good_texts = TEXTS.iter().all(|key| test.get(key).is_none_or(Value::is_string));
    let good_status = test.get("status").is_none_or(|status| status.as_u64().is_some_and(|s| (400..500).contains(&s)));
    let is_word = |word: &Value| word.as_str().is_some_and(|word| !word.is_empty() && word == word.to_lowercase());
    let good_words = test.get("except").is_none_or(|all| all.as_array().is_some_and(|all| all.iter().all(is_word)));
    (good_texts && good_status && good_words).then_some(()).ok_or_else(|| {
        "`unknown-key`: texts, a status from 400 to 499, and `except` with words in lower case".to_owned()
    })
}

pub fn errors(_: &Known<'_>, value: &Value) -> Result<(), String> {
    const POINTERS: [&str; 5] = ["code", "message", "detail", "param", "retry-after"];
    let others = ["request-id-header", "failed-when", "names", "kinds", "statuses", "unknown-key", "not-processed"];
    let codes = ["outcome-unknown", "repeated-key"];
    shape(value, &[], &[POINTERS.as_slice(), others.as_slice(), codes.as_slice()].concat())?;
    for key in codes {
        let listed = value.get(key).and_then(Value::as_array);
        if value.get(key).is_some() && !listed.is_some_and(|all| all.iter().all(Value::is_string)) {
            return Err(format!("`{key}` is a list of codes, as text"));
        }
    }
    let of = |key: &str| value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if let Some(code) = of("outcome-unknown").iter().find(|code| of("not-processed").contains(code)) {
        return Err(format!("after {code} nothing was done, or that is unknown: not both"));
    }
    for key in POINTERS {
        let Some(places) = value.get(key) else { continue };
        let pointers = places.as_array().ok_or_else(|| format!("`{key}` is a list of JSON pointers"))?;
        if !pointers.iter().all(|place| place.as_str().is_some_and(|p| p.starts_with('/'))) {
            return Err(format!("`{key}` is a list of JSON pointers"));
        }
    }
    if value.get("request-id-header").is_some_and(|header| !header.is_string()) {
        return Err("`request-id-header` is the name of a header".to_owned());
    }
    if let Some(tests) = value.get("failed-when") {
        for test in tests.as_array().ok_or("`failed-when` is a list")? {
            shape(test, &["at", "equals"], &[]).or_else(|_| shape(test, &["at", "not"], &[]))?;
            if !text(test, "at").is_some_and(|at| at.starts_with('/')) {
                return Err("`at` is a JSON pointer".to_owned());
            }
        }
    }
    if let Some(tests) = value.get("unknown-key") {
        tests.as_array().ok_or("`unknown-key` is a list")?.iter().try_for_each(unknown_key)?;
    }
    for key in ["kinds", "statuses"] {
        value.get(key).map_or(Ok(()), mapping_of_kinds).map_err(|problem| format!("`{key}`: {problem}"))?;
    }
    let mut variants = BTreeSet::new();
    for (code, name) in value.get("names").and_then(Value::as_object).into_iter().flatten() {
        let variant = name.as_str().map(heck::ToPascalCase::to_pascal_case).unwrap_or_default();
        let is_name =
            syn::parse_str::<syn::Ident>(&variant).is_ok() && !["Unknown", "Self"].contains(&variant.as_str());
        if !is_name || !variants.insert(variant) {
            return Err(format!("`names`: {name} is no name for `{code}`, or another code has it"));
        }
    }
    let is_status = |status: &str| status.parse::<u16>().is_ok_and(|status| (100..600).contains(&status));
    if let Some((status, _)) = members(value, "statuses").find(|(status, _)| !is_status(status)) {
        return Err(format!("`{status}` is no status"));
    }
    let codes = value.get("not-processed").and_then(Value::as_array);
    let good = value.get("not-processed").is_none()
        || codes.is_some_and(|codes| codes.iter().all(|code| code.is_string() || code.is_u64()));
    good.then_some(()).ok_or_else(|| "`not-processed` is a list of codes, as text, and statuses, as numbers".to_owned())
}

pub fn buckets(_: &Known<'_>, buckets: Buckets) -> Result<(), String> {
    for (bucket, tiers) in &buckets {
        if tiers.is_empty() {
            return Err(format!("`{bucket}` is a list of tiers"));
        }
        tiers.iter().try_for_each(limits).map_err(|problem| format!("`{bucket}`: {problem}"))?;
    }
    Ok(())
}

/// A tier's tokens that come back evenly, its windows, or both.
fn limits(tier: &Tier) -> Result<(), String> {
    match (tier.refill, tier.capacity) {
        // The table counts in thousandths.
        (Some(refill), Some(capacity)) if refill >= 0.001 && capacity > 0 => {}
        (None, None) if tier.windows.is_some() => {}
        _ => return Err("`refill` is tokens a second, `capacity` whole tokens".to_owned()),
    }
    let Some(windows) = &tier.windows else { return Ok(()) };
    let sound = |window: &Window| window.count > 0 && window.seconds > 0;
    (!windows.is_empty() && windows.iter().all(sound))
        .then_some(())
        .ok_or_else(|| "a window is a whole `count` of tokens in whole `seconds`".to_owned())
}

pub fn rate_headers(_: &Known<'_>, value: &Value) -> Result<(), String> {
    shape(value, &["remaining", "reset"], &["unit"])?;
    let names = value.as_object().into_iter().flatten().all(|(_, name)| name.is_string());
    let known = text(value, "unit").is_none_or(|unit| UNITS.iter().any(|(name, _)| *name == unit));
    (names && known)
        .then_some(())
        .ok_or_else(|| "its members are names of headers, and a `unit` such as `unix-ms`".to_owned())
}

pub fn venue_time(_: &Known<'_>, time: VenueTime) -> Result<(), String> {
    if !time.at.is_empty() && !time.at.starts_with('/') {
        return Err("`at` is a JSON pointer into the response, empty for the response itself".to_owned());
    }
    let known = UNITS.iter().any(|(name, _)| *name == time.unit);
    known.then_some(()).ok_or_else(|| "`unit` is `unix-s`, `unix-ms`, `unix-us` or `unix-ns`".to_owned())
}

pub fn websocket(known: &Known<'_>, word: WebSocket) -> Result<(), String> {
    let servers = known.document.value.get("servers").and_then(Value::as_array).into_iter().flatten();
    let environments: BTreeSet<&str> = servers.filter_map(|server| text(server, "x-environment")).collect();
    if !environments.iter().copied().eq(word.servers.keys().map(String::as_str)) {
        return Err("`servers` has a URL for each environment".to_owned());
    }
    if let Some((name, _)) = word.servers.iter().find(|(_, url)| !url.starts_with("wss://")) {
        return Err(format!("the server of `{name}` is a URL that begins with `wss://`"));
    }
    let methods = [&word.heartbeat.answer, &word.heartbeat.set];
    match methods.into_iter().find(|method| !known.methods.contains(method.as_str())) {
        Some(method) => Err(format!("there is no method `{method}`")),
        None => Ok(()),
    }
}

pub fn connection(_: &Known<'_>, word: Connection) -> Result<(), String> {
    let sets = usize::from(word.sets.is_some()) + usize::from(word.unsets.is_some());
    if sets > 1 || word.when.is_some() && sets == 0 {
        return Err("it `sets` or `unsets` something, and `when` goes with one of them".to_owned());
    }
    if word.when.as_ref().is_some_and(|when| when.len() != 1) {
        return Err(
            "`when` is one parameter and the text that it has, which it also has when it is left out".to_owned()
        );
    }
    let says = word.only.is_some() || word.closes.is_some() || sets > 0;
    says.then_some(()).ok_or_else(|| "says nothing".to_owned())
}
