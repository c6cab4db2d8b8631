//! What each of our words may say.

use std::collections::BTreeSet;

use heck::ToSnakeCase;
use serde_json::Value;

use super::credentials::{has_field, operation, says};
use super::words::Known;
use super::{KINDS, UNITS};
use crate::model::{operations, request_field, resolve, text};
use crate::vocabulary::{
    AllRateHeaders, Buckets, ClientHeaders, CodeOrStatus, Connection, Errors, FailedWhen, Keys, RateHeaders, Rates,
    Reconcile, Retry, RustType, Texts, Tier, UnknownKey, VenueTime, Window, word as word_of,
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

/// A permission: one of those that a key can be made with, where the request that makes one lists them.
pub fn scope(known: &Known<'_>, scope: String) -> Result<(), String> {
    sentence(known, scope.clone())?;
    let keys: Option<Keys> = word_of(&known.document.value, "x-keys");
    let call = keys.and_then(|keys| keys.create.or(keys.register));
    let Some((call, Texts::List(field))) = call.and_then(|call| Some((call.operation, call.fields.scopes?))) else {
        return Ok(());
    };
    let Ok(operation) = operation(known.document, &call) else { return Ok(()) };
    let listed = request_field(known.document, &operation, &field).and_then(|field| {
        let one = resolve(known.document, field.schema).get("items")?;
        resolve(known.document, one).get("enum")?.as_array()
    });
    match listed {
        Some(listed) if !listed.iter().any(|one| *one == scope) => {
            let all: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
            Err(format!("`{scope}` is not one of the scopes of a key: {}", all.join(", ")))
        }
        _ => Ok(()),
    }
}

pub fn hosts(_: &Known<'_>, hosts: Vec<String>) -> Result<(), String> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_host = |host: &String| host.contains('.') && host.split('.').all(is_label);
    (!hosts.is_empty() && hosts.iter().all(is_host))
        .then_some(())
        .ok_or_else(|| "is a list of host names in lower case".to_owned())
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

/// The beginnings of the paths that a server has: each of some operation.
pub fn serves(known: &Known<'_>, paths: Vec<String>) -> Result<(), String> {
    let all = operations(known.document);
    let is_begin = |begin: &str| begin.starts_with('/') && !begin.ends_with('/');
    let of_any = |begin: &str| all.iter().any(|operation| operation.path.starts_with(&format!("{begin}/")));
    match paths.iter().find(|begin| !is_begin(begin) || !of_any(begin)) {
        Some(begin) => Err(format!("`{begin}` is not the beginning of a path, as `/api` is")),
        None if paths.is_empty() => Err("names no path".to_owned()),
        None => Ok(()),
    }
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

pub fn rate(known: &Known<'_>, rates: Rates) -> Result<(), String> {
    let mut buckets = BTreeSet::new();
    for rate in rates.all() {
        is_bucket(known, &rate.bucket)?;
        if !buckets.insert(&rate.bucket) {
            return Err(format!("`{}` is paid twice", rate.bucket));
        }
        if let Some(most) = largest(known, &rate.bucket) {
            let costs = rate.costs.iter().map(|row| row.cost);
            if let Some(cost) = [rate.cost].into_iter().chain(costs).find(|cost| u64::from(*cost) > most) {
                return Err(format!("a cost of {cost} never fits into `{}`, which has room for {most}", rate.bucket));
            }
        }
        if rate.costs.iter().any(|cost| cost.when().is_none()) {
            let forms = "`without`, `given`, or `parameter` with `is`, `above` or `items-above`";
            return Err(format!("a row of `costs` has one of {forms}"));
        }
    }
    (!buckets.is_empty()).then_some(()).ok_or_else(|| "names no bucket".to_owned())
}

/// The most tokens that a bucket ever has room for at once, in its best tier.
fn largest(known: &Known<'_>, bucket: &str) -> Option<u64> {
    let buckets: Buckets = word_of(&known.document.value, "x-buckets")?;
    let room = |tier: &Tier| {
        let windows = tier.windows.iter().flatten().map(|window| window.count);
        tier.capacity.into_iter().chain(windows).min()
    };
    buckets.get(bucket)?.iter().filter_map(room).max()
}

/// The method that a call is over a WebSocket: each has its own.
pub fn method(known: &Known<'_>, name: String) -> Result<(), String> {
    if known.document.value.get("x-websocket").is_none() {
        return Err("the root has no `x-websocket`".to_owned());
    }
    let all = operations(known.document);
    let count = all.iter().filter(|operation| text(operation.value, "x-method") == Some(&name)).count();
    let is_good = count == 1 && !name.trim().is_empty();
    is_good.then_some(()).ok_or_else(|| format!("`{name}` is the method of {count} operations"))
}

fn is_bucket(known: &Known<'_>, bucket: &str) -> Result<(), String> {
    let is_there = known.document.value.get("x-buckets").and_then(|buckets| buckets.get(bucket)).is_some();
    is_there.then_some(()).ok_or_else(|| format!("the root's `x-buckets` has no `{bucket}`"))
}

pub fn reconcile(known: &Known<'_>, word: Reconcile) -> Result<(), String> {
    let (name, by) = word.parts();
    if !known.methods.contains(name) && !known.ids.contains(&name.to_snake_case()) {
        return Err(format!("there is no operation `{name}`"));
    }
    let lookup = operation(known.document, name)?;
    if text(lookup.value, "x-retry") != Some("safe") {
        return Err(format!("`{name}` may change something: what finds a lost response is `x-retry: safe`"));
    }
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
    let by_text = errors.texts.iter().map(|text| &text.kind);
    if let Some(kind) = errors.kinds.values().chain(errors.statuses.values()).chain(by_text).find(|kind| !is_kind(kind))
    {
        return Err(format!("`{kind}` is not a kind of error"));
    }
    errors.texts.iter().try_for_each(|text| says(&text.says))?;
    if errors.kinds.keys().any(|code| matches!(code.as_str(), "" | "*")) {
        return Err("`kinds`: a code is not empty, and an asterisk stands behind the beginning of one".to_owned());
    }
    if errors.names.contains_key("") {
        return Err("`names`: a code is not empty".to_owned());
    }
    let is_status = |status: &str| status.parse::<u16>().is_ok_and(|status| (100..600).contains(&status));
    if let Some(status) = errors.statuses.keys().chain(errors.bans.keys()).find(|status| !is_status(status)) {
        return Err(format!("`{status}` is not a status"));
    }
    if let Some(status) =
        errors.bans.keys().find(|status| errors.statuses.get(*status).is_none_or(|kind| kind != "rate-limited"))
    {
        return Err(format!("`bans`: {status} is a ban, so `statuses` needs `{status}: rate-limited`"));
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
        let mut names = BTreeSet::new();
        if let Some(again) = tiers.iter().find(|tier| tier.tier.trim().is_empty() || !names.insert(&tier.tier)) {
            return Err(format!("`{bucket}`: the tier `{}` has a name, and it is listed once", again.tier));
        }
        if tiers.iter().any(|tier| tier.per != tiers[0].per) {
            return Err(format!("`{bucket}`: `per` is the same in all tiers"));
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

pub fn rate_headers(known: &Known<'_>, word: AllRateHeaders) -> Result<(), String> {
    if word.all().is_empty() {
        return Err("names no header".to_owned());
    }
    word.all().iter().try_for_each(|headers| headers_of_limit(known, headers))
}

fn headers_of_limit(known: &Known<'_>, word: &RateHeaders) -> Result<(), String> {
    if let Some(bucket) = &word.bucket {
        is_bucket(known, bucket)?;
    }
    let RateHeaders { bucket, remaining, reset, unit, used, window } = word;
    match (remaining, reset, used, window) {
        (Some(_), Some(_), None, None) => {
            let is_unit = unit.as_ref().is_none_or(|unit| UNITS.iter().any(|(name, _)| name == unit));
            is_unit.then_some(()).ok_or_else(|| "`unit` is `unix-s`, `unix-ms`, `unix-us` or `unix-ns`".to_owned())
        }
        (None, None, Some(_), Some(seconds)) if unit.is_none() => {
            let buckets: Buckets = word_of(&known.document.value, "x-buckets").unwrap_or_default();
            let tiers = bucket.as_ref().and_then(|bucket| buckets.get(bucket)).map(Vec::as_slice).unwrap_or_default();
            let mut windows = tiers.iter().flat_map(|tier| tier.windows.iter().flatten());
            let is_there = windows.any(|window| window.seconds == *seconds);
            is_there
                .then_some(())
                .ok_or_else(|| format!("`used` is of a `bucket` that has a window of {seconds} seconds"))
        }
        _ => Err("has either `remaining` and `reset`, or `used` and `window`".to_owned()),
    }
}

/// Headers other than credentials and those that the transport writes, each with its values.
pub fn client_headers(known: &Known<'_>, headers: ClientHeaders) -> Result<(), String> {
    let is_value = |value: &String| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
    for (name, values) in &headers {
        if super::parameters::is_written(known.document, name) {
            return Err(format!("`{name}` is written by the transport"));
        }
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_name || values.is_empty() || !values.iter().all(is_value) {
            return Err(format!("`{name}`: a header has a list of values, in printable characters without blanks"));
        }
    }
    (!headers.is_empty()).then_some(()).ok_or_else(|| "names no header".to_owned())
}

pub fn venue_time(_: &Known<'_>, time: VenueTime) -> Result<(), String> {
    if !time.at.is_empty() && !time.at.starts_with('/') {
        return Err("`at` is a JSON pointer into the response, empty for the response itself".to_owned());
    }
    let known = UNITS.iter().any(|(name, _)| *name == time.unit);
    let units = "`unit` is `unix-s`, `unix-ms`, `unix-us`, `unix-ns` or `unix-ms-or-us`";
    known.then_some(()).ok_or_else(|| units.to_owned())
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
    let says = word.only.is_some() || word.closes.is_some() || word.logon.is_some() || sets > 0;
    says.then_some(()).ok_or_else(|| "says nothing".to_owned())
}
