//! What each of our words may say.

use std::collections::BTreeSet;

use heck::ToSnakeCase;
use serde_json::Value;

use super::credentials::{has_field, operation};
use super::words::Known;
use super::{KINDS, UNITS};
use crate::model::text;
use crate::vocabulary::{
    Buckets, CodeOrStatus, Connection, Errors, FailedWhen, Rate, RateHeaders, Reconcile, Retry, RustType, Tier,
    UnknownKey, VenueTime, WebSocket, Window,
};

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

pub fn retry(known: &Known<'_>, retry: Retry) -> Result<(), String> {
    let Retry::Keyed(retry) = retry else { return Ok(()) };
    let keyed = retry.keyed;
    if keyed.header.is_some() == keyed.field.is_some() {
        return Err("`keyed` names one `header` or one `field`".to_owned());
    }
    let is_known = keyed.repeat.is_none() || known.document.value.pointer("/x-errors/repeated-key").is_some();
    is_known
        .then_some(())
        .ok_or_else(|| "the root's `x-errors` has no `repeated-key`, by which such a refusal is known".to_owned())
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

pub fn rust_type(_: &Known<'_>, word: RustType) -> Result<(), String> {
    // The generator would ignore all of these without a word.
    if word.krate != "venuekit-wire" || word.version != "*" {
        return Err("generated code names types of `venuekit-wire`, version `*`, only".to_owned());
    }
    let path = word.path.as_str();
    let is_path = syn::parse_str::<syn::Path>(path).is_ok() && !path.contains([' ', '<', '(']);
    (path.starts_with("venuekit_wire::") && is_path)
        .then_some(())
        .ok_or_else(|| "`path` is a Rust path that begins with `venuekit_wire::`".to_owned())
}

/// A code or a sentence of the venue's; a status alone is anybody's.
fn unknown_key(test: &UnknownKey) -> Result<(), String> {
    if test.code.is_none() && test.message.is_none() && test.detail.is_none() {
        return Err("`unknown-key` names a code, a message or a detail: a status alone is anybody's".to_owned());
    }
    let good_status = test.status.is_none_or(|status| (400..500).contains(&status));
    let good_words = test.except.iter().all(|word| !word.is_empty() && *word == word.to_lowercase());
    (good_status && good_words)
        .then_some(())
        .ok_or_else(|| "`unknown-key`: a status from 400 to 499, and `except` with words in lower case".to_owned())
}

fn failed_when(test: &FailedWhen) -> Result<(), String> {
    if test.equals.is_some() == test.not.is_some() {
        return Err("`failed-when` has either `equals` or `not`".to_owned());
    }
    test.at.starts_with('/').then_some(()).ok_or_else(|| "`at` is a JSON pointer".to_owned())
}

pub fn errors(_: &Known<'_>, errors: Errors) -> Result<(), String> {
    let places = [&errors.code, &errors.message, &errors.detail, &errors.param, &errors.retry_after];
    if let Some(place) = places.into_iter().flatten().find(|place| !place.starts_with('/')) {
        return Err(format!("`{place}` is not a JSON pointer: begin it with a slash"));
    }
    let done =
        |code: &&String| errors.not_processed.iter().any(|one| matches!(one, CodeOrStatus::Code(own) if own == *code));
    if let Some(code) = errors.outcome_unknown.iter().find(done) {
        return Err(format!("after {code} nothing was done, or that is unknown: not both"));
    }
    errors.failed_when.iter().try_for_each(failed_when)?;
    errors.unknown_key.iter().try_for_each(unknown_key)?;
    let is_kind = |kind: &str| KINDS.iter().any(|(name, _)| *name == kind);
    if let Some(kind) = errors.kinds.values().chain(errors.statuses.values()).find(|kind| !is_kind(kind)) {
        return Err(format!("`{kind}` is not a kind of error"));
    }
    let is_status = |status: &str| status.parse::<u16>().is_ok_and(|status| (100..600).contains(&status));
    if let Some(status) = errors.statuses.keys().find(|status| !is_status(status)) {
        return Err(format!("`{status}` is not a status"));
    }
    let mut variants = BTreeSet::new();
    for (code, name) in &errors.names {
        let variant = heck::ToPascalCase::to_pascal_case(name.as_str());
        let is_name =
            syn::parse_str::<syn::Ident>(&variant).is_ok() && !["Unknown", "Self"].contains(&variant.as_str());
        if !is_name || !variants.insert(variant) {
            return Err(format!("`names`: `{name}` cannot name `{code}`, or another code has it"));
        }
    }
    Ok(())
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

pub fn rate_headers(_: &Known<'_>, word: RateHeaders) -> Result<(), String> {
    let known = word.unit.is_none_or(|unit| UNITS.iter().any(|(name, _)| *name == unit));
    known.then_some(()).ok_or_else(|| "`unit` is `unix-s`, `unix-ms`, `unix-us` or `unix-ns`".to_owned())
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
