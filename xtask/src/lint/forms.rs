//! What each of our words may say.

use heck::ToSnakeCase;
use serde_json::Value;

use super::words::Known;
use super::{KINDS, UNITS, VARIABLES};
use crate::model::{members, text};

pub fn name(_: &Known<'_>, value: &Value) -> Result<(), String> {
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            // It becomes a variant.
            && text != "self"
    };
    value.as_str().is_some_and(plain).then_some(()).ok_or_else(|| "is a name in lower case, with dashes".to_owned())
}

pub fn sentence(_: &Known<'_>, value: &Value) -> Result<(), String> {
    value.as_str().is_some_and(|text| !text.trim().is_empty()).then_some(()).ok_or_else(|| "is a text".to_owned())
}

pub fn yes(_: &Known<'_>, value: &Value) -> Result<(), String> {
    (*value == true).then_some(()).ok_or_else(|| "is `true` or left out".to_owned())
}

pub fn flag(_: &Known<'_>, value: &Value) -> Result<(), String> {
    value.is_boolean().then_some(()).ok_or_else(|| "is `true` or `false`".to_owned())
}

pub fn mapping(_: &Known<'_>, value: &Value) -> Result<(), String> {
    value.is_object().then_some(()).ok_or_else(|| "is a mapping".to_owned())
}

pub fn hosts(_: &Known<'_>, value: &Value) -> Result<(), String> {
    let is_host = |one: &Value| one.as_str().is_some_and(|host| host.contains('.') && !host.contains(['/', ':']));
    let listed = value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_host));
    listed.then_some(()).ok_or_else(|| "is a list of host names".to_owned())
}

/// A list of members, which must be there beside it: see `schemas.rs`.
pub fn names(_: &Known<'_>, value: &Value) -> Result<(), String> {
    let is_name = |one: &Value| one.as_str().is_some_and(|name| !name.is_empty());
    let listed = value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_name));
    listed.then_some(()).ok_or_else(|| "is a list of members".to_owned())
}

pub fn websockets(_: &Known<'_>, value: &Value) -> Result<(), String> {
    let is_url = |one: &Value| one.as_str().is_some_and(|url| url.starts_with("wss://") && !url.ends_with('/'));
    let listed = value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_url));
    listed.then_some(()).ok_or_else(|| "is a list of wss:// URLs without a slash at the end".to_owned())
}

pub fn list(_: &Known<'_>, value: &Value) -> Result<(), String> {
    value.is_array().then_some(()).ok_or_else(|| "is a list".to_owned())
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

pub fn retry(_: &Known<'_>, value: &Value) -> Result<(), String> {
    if matches!(value.as_str(), Some("safe" | "never")) {
        return Ok(());
    }
    shape(value, &["keyed"], &[])
        .map_err(|_| "is `safe`, `never` or `keyed: {header: NAME}` or `{field: NAME}`".to_owned())?;
    let place = &value["keyed"];
    let one = shape(place, &["header"], &[]).or_else(|_| shape(place, &["field"], &[]));
    one.and_then(|()| if members(value, "keyed").all(|(_, v)| v.is_string()) { Ok(()) } else { Err(String::new()) })
        .map_err(|_| "`keyed` names one `header` or one `field`".to_owned())
}

pub fn rate(known: &Known<'_>, value: &Value) -> Result<(), String> {
    shape(value, &["bucket", "cost"], &["per-item"])?;
    let bucket = text(value, "bucket").ok_or("`bucket` is a name")?;
    if known.document.value.get("x-buckets").and_then(|buckets| buckets.get(bucket)).is_none() {
        return Err(format!("the root's `x-buckets` has no `{bucket}`"));
    }
    if value["cost"].as_u64().is_none_or(|cost| cost > u64::from(u32::MAX)) {
        return Err("`cost` is a whole number of tokens".to_owned());
    }
    if value.get("per-item").is_some_and(|field| !field.is_string()) {
        return Err("`per-item` names the request list whose elements are counted".to_owned());
    }
    Ok(())
}

pub fn page(_: &Known<'_>, value: &Value) -> Result<(), String> {
    match text(value, "style") {
        Some("cursor") => shape(value, &["style", "param", "next", "items"], &["end"])?,
        Some("page") => shape(value, &["style", "param", "items"], &["last"])?,
        Some("offset") => shape(value, &["style", "param", "items"], &[])?,
        _ => return Err("`style` is `cursor`, `page` or `offset`".to_owned()),
    }
    let texts = value.as_object().into_iter().flatten().all(|(_, v)| v.is_string());
    texts.then_some(()).ok_or_else(|| "its members are texts".to_owned())
}

pub fn reconcile(known: &Known<'_>, value: &Value) -> Result<(), String> {
    let name = value.as_str().ok_or("names an operation")?;
    let is_known = known.methods.contains(name) || known.ids.contains(&name.to_snake_case());
    is_known.then_some(()).ok_or_else(|| format!("there is no operation `{name}`"))
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
    shape(value, &[], &[POINTERS.as_slice(), others.as_slice()].concat())?;
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
            shape(test, &["at", "equals"], &[])?;
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
    let mut variants = std::collections::BTreeSet::new();
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

pub fn variables(known: &Known<'_>, value: &Value) -> Result<(), String> {
    shape(value, &["credentials"], &["of", "together"])?;
    value.get("of").map_or(Ok(()), |of| name(known, of)).map_err(|problem| format!("`of` {problem}"))?;
    value
        .get("together")
        .map_or(Ok(()), |together| yes(known, together))
        .map_err(|problem| format!("`together` {problem}"))?;
    let credentials = value["credentials"].as_array().filter(|all| !all.is_empty());
    let mut secrets = std::collections::BTreeSet::new();
    for one in credentials.ok_or("`credentials` is a list")? {
        let kind = text(one, "kind").unwrap_or_default();
        if !VARIABLES.iter().any(|(known, _)| *known == kind) {
            let known: Vec<&str> = VARIABLES.iter().map(|(known, _)| *known).collect();
            return Err(format!("`kind` is one of {}", known.join(", ")));
        }
        let needed: &[&str] = match kind {
            "token" => &["kind", "secret"],
            "private-key" | "private-key-file" => &["kind", "id", "secret", "passphrase"],
            _ => &["kind", "id", "secret"],
        };
        shape(one, needed, &[]).map_err(|problem| format!("`{kind}` {problem}"))?;
        let is_variable = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_uppercase())
                && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        if !needed[1..].iter().all(|key| text(one, key).is_some_and(is_variable)) {
            return Err(format!("the variables of `{kind}` are names in capitals, with underscores"));
        }
        if !secrets.insert(text(one, "secret")) {
            return Err(format!("two credentials have their secret in {}", one["secret"]));
        }
    }
    Ok(())
}

pub fn challenge(_: &Known<'_>, value: &Value) -> Result<(), String> {
    shape(value, &["flag", "challenge", "params"], &[])?;
    shape(&value["params"], &["challenge", "code"], &[])?;
    let texts = text(value, "flag").is_some()
        && text(value, "challenge").is_some()
        && members(value, "params").all(|(_, v)| v.is_string());
    texts.then_some(()).ok_or_else(|| "its members are names".to_owned())
}

pub fn buckets(_: &Known<'_>, value: &Value) -> Result<(), String> {
    for (bucket, tiers) in value.as_object().ok_or("is a mapping of buckets")? {
        let tiers = tiers.as_array().filter(|tiers| !tiers.is_empty());
        for tier in tiers.ok_or_else(|| format!("`{bucket}` is a list of tiers"))? {
            limits(tier).map_err(|problem| format!("`{bucket}`: {problem}"))?;
        }
    }
    Ok(())
}

/// A tier's tokens that come back evenly, its windows, or both.
fn limits(tier: &Value) -> Result<(), String> {
    let above_nothing = |value: &Value| value.as_u64().is_some_and(|count| count > 0);
    let refills = tier.get("refill").is_some() || tier.get("capacity").is_some();
    let windows = tier.get("windows");
    if refills || windows.is_none() {
        shape(tier, &["tier", "refill", "capacity"], &["windows"])?;
        // The table counts in thousandths.
        let refill = tier["refill"].as_f64().is_some_and(|refill| refill >= 0.001);
        if !refill || !above_nothing(&tier["capacity"]) {
            return Err("`refill` is tokens a second, `capacity` whole tokens".to_owned());
        }
    } else {
        shape(tier, &["tier", "windows"], &[])?;
    }
    if text(tier, "tier").is_none() {
        return Err("`tier` is a name".to_owned());
    }
    let Some(windows) = windows else { return Ok(()) };
    for window in windows.as_array().filter(|all| !all.is_empty()).ok_or("`windows` is a list")? {
        shape(window, &["count", "seconds"], &[])?;
        if !above_nothing(&window["count"]) || !above_nothing(&window["seconds"]) {
            return Err("a window is a whole `count` of tokens in whole `seconds`".to_owned());
        }
    }
    Ok(())
}

pub fn rate_headers(_: &Known<'_>, value: &Value) -> Result<(), String> {
    shape(value, &["remaining", "reset"], &[])?;
    let names = value.as_object().into_iter().flatten().all(|(_, name)| name.is_string());
    names.then_some(()).ok_or_else(|| "its members are names of headers".to_owned())
}

pub fn venue_time(_: &Known<'_>, value: &Value) -> Result<(), String> {
    shape(value, &["at", "unit"], &[])?;
    if !text(value, "at").is_some_and(|at| at.is_empty() || at.starts_with('/')) {
        return Err("`at` is a JSON pointer into the answer, empty for the answer itself".to_owned());
    }
    let known = text(value, "unit").is_some_and(|unit| UNITS.iter().any(|(name, _)| *name == unit));
    known.then_some(()).ok_or_else(|| "`unit` is `unix-s`, `unix-ms`, `unix-us` or `unix-ns`".to_owned())
}

pub fn count(_: &Known<'_>, value: &Value) -> Result<(), String> {
    let above_nothing = value.as_u64().is_some_and(|count| count > 0 && count <= u64::from(u32::MAX));
    above_nothing.then_some(()).ok_or_else(|| "is a whole number above 0".to_owned())
}

pub fn websocket(known: &Known<'_>, value: &Value) -> Result<(), String> {
    shape(value, &["servers", "notification", "heartbeat"], &[])?;
    let servers = known.document.value.get("servers").and_then(Value::as_array).into_iter().flatten();
    let environments: Vec<&str> = servers.filter_map(|server| text(server, "x-environment")).collect();
    shape(&value["servers"], &environments, &[]).map_err(|problem| format!("`servers`: {problem}"))?;
    if let Some((name, _)) =
        members(value, "servers").find(|(_, url)| !url.as_str().is_some_and(|url| url.starts_with("wss://")))
    {
        return Err(format!("the server of `{name}` is a URL that begins with `wss://`"));
    }
    shape(&value["notification"], &["method", "channel", "data"], &[])?;
    shape(&value["heartbeat"], &["method", "type", "test", "answer", "set", "interval"], &[])?;
    let mut names = members(value, "notification").chain(members(value, "heartbeat"));
    if !names.all(|(_, name)| name.is_string()) {
        return Err("its members are names".to_owned());
    }
    for method in ["answer", "set"].map(|key| text(&value["heartbeat"], key).unwrap_or_default()) {
        if !known.methods.contains(method) {
            return Err(format!("there is no method `{method}`"));
        }
    }
    Ok(())
}

pub fn connection(_: &Known<'_>, value: &Value) -> Result<(), String> {
    shape(value, &[], &["only", "closes", "sets", "unsets", "when"])?;
    let is_set = |key| value.get(key).is_some();
    if !["only", "closes"].iter().all(|key| value.get(*key).is_none_or(|yes| *yes == true)) {
        return Err("`only` and `closes` are `true` or left out".to_owned());
    }
    if !["sets", "unsets"].iter().all(|key| value.get(*key).is_none_or(Value::is_string)) {
        return Err("`sets` and `unsets` name a setting".to_owned());
    }
    if is_set("sets") && is_set("unsets") || is_set("when") && !is_set("sets") && !is_set("unsets") {
        return Err("it `sets` or `unsets` something, and `when` goes with one of them".to_owned());
    }
    let when: Vec<_> = members(value, "when").collect();
    if is_set("when") && !matches!(when.as_slice(), [(_, Value::String(_))]) {
        return Err(
            "`when` is one parameter and the text that it has, which it also has when it is left out".to_owned()
        );
    }
    value.as_object().is_some_and(|all| !all.is_empty()).then_some(()).ok_or_else(|| "says nothing".to_owned())
}
