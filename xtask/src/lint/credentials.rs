//! What the words about credentials may say: names that exist, texts to sign that can be put together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::KINDS;
use super::results::{Found, in_result};
use super::words::Known;
use crate::document::Document;
use crate::model::{Operation, named, request_field, schemes, text};
use crate::vocabulary::{
    ClockWindow, CredentialKind, Login, Logins, Probe, Probes, Signature, Signatures, Symptoms, Variables, piece, word,
};

/// The names that `x-credential` gives.
fn credentials(document: &Document) -> BTreeSet<&str> {
    schemes(document).filter_map(|(_, scheme)| text(scheme, "x-credential")).collect()
}

fn credential(document: &Document, name: &str) -> Result<(), String> {
    let known = credentials(document).contains(name);
    known.then_some(()).ok_or_else(|| format!("no security scheme has `x-credential: {name}`"))
}

/// The operation of this name.
pub(super) fn operation<'a>(document: &'a Document, name: &str) -> Result<Operation<'a>, String> {
    named(document, name).ok_or_else(|| format!("there is no operation `{name}`"))
}

/// A field that the request must have.
pub(super) fn has_field(document: &Document, operation: &Operation<'_>, name: &str) -> Result<(), String> {
    let found = request_field(document, operation, name).is_some();
    found.then_some(()).ok_or_else(|| format!("the request of `{}` has no `{name}`", operation.id))
}

/// A place that the response must have.
pub(super) fn has_place(document: &Document, operation: &Operation<'_>, place: &str) -> Result<(), String> {
    if !place.is_empty() && !place.starts_with('/') {
        return Err(format!("`{place}` is not a JSON pointer: begin it with a slash"));
    }
    match in_result(document, operation, place) {
        Found::Nothing => Err(format!("the response of `{}` has no `{place}`", operation.id)),
        Found::Schema(_) | Found::Anything => Ok(()),
    }
}

pub fn variables(known: &Known<'_>, variables: Variables) -> Result<(), String> {
    if let Some(of) = &variables.of {
        super::forms::name(known, of.clone()).map_err(|problem| format!("`of` {problem}"))?;
    }
    if variables.credentials.is_empty() {
        return Err("`credentials` is empty".to_owned());
    }
    let mut secrets = BTreeSet::new();
    for one in &variables.credentials {
        let kind = one.kind;
        let is_pair = matches!(kind, CredentialKind::PrivateKey | CredentialKind::PrivateKeyFile);
        if one.id.is_some() != (kind != CredentialKind::Token) || one.passphrase.is_some() != is_pair {
            return Err(format!(
                "`{}` has an `id` unless it is a token, and a `passphrase` where a private key is",
                one.secret
            ));
        }
        let is_variable = |text: &String| {
            text.starts_with(|c: char| c.is_ascii_uppercase())
                && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        if ![&one.id, &one.passphrase].into_iter().flatten().chain([&one.secret]).all(is_variable) {
            return Err("variables are names in capitals, with underscores".to_owned());
        }
        if !secrets.insert(&one.secret) {
            return Err(format!("two credentials have their secret in {}", one.secret));
        }
        if one.proves.is_empty() {
            return Err(format!("`proves` of {} names no credential", one.secret));
        }
        one.proves.iter().try_for_each(|name| credential(known.document, name))?;
    }
    Ok(())
}

pub fn logins(known: &Known<'_>, logins: Logins) -> Result<(), String> {
    for (fetched, login) in &logins {
        credential(known.document, fetched)?;
        self::login(known.document, login).map_err(|problem| format!("`{fetched}`: {problem}"))?;
    }
    Ok(())
}

fn login(document: &Document, login: &Login) -> Result<(), String> {
    let operation = operation(document, &login.operation)?;
    if login.takes.is_empty() {
        return Err("`takes` names no kind of credential".to_owned());
    }
    match (&login.fields, &login.signed_by) {
        (Some(fields), None) => {
            [&fields.id, &fields.secret].into_iter().try_for_each(|name| has_field(document, &operation, name))?;
        }
        (None, Some(name)) => {
            let signatures: Signatures = word(&document.value, "x-signatures").unwrap_or_default();
            let params = signatures.get(name).and_then(|signature| signature.params.as_ref());
            let params = params.ok_or_else(|| format!("`x-signatures` has no `{name}` with `params`"))?;
            params.keys().try_for_each(|param| has_field(document, &operation, param))?;
        }
        _ => return Err("it has either `fields` or `signed-by`".to_owned()),
    }
    let returns = &login.returns;
    let places = [Some(&returns.token), returns.id.as_ref(), returns.scopes.as_ref().map(|scopes| &scopes.at)];
    places.into_iter().flatten().try_for_each(|place| has_place(document, &operation, place))
}

pub fn signatures(known: &Known<'_>, signatures: Signatures) -> Result<(), String> {
    for (name, signature) in &signatures {
        self::signature(signature).map_err(|problem| format!("`{name}`: {problem}"))?;
        if let Some(headers) = &signature.headers {
            signed_headers(known.document, name, headers.keys()).map_err(|problem| format!("`{name}`: {problem}"))?;
        }
    }
    Ok(())
}

/// The placeholders of templates.
const PLACEHOLDERS: [&str; 5] = ["id", "time", "nonce", "data", "signature"];

fn signature(signature: &Signature) -> Result<(), String> {
    if let Some(unknown) = signature.text.iter().find(|text| piece(text).is_none()) {
        return Err(format!(
            "`{unknown}` is not one of {}; a text that stands for itself has a character that is neither a letter, `-` nor `_`",
            crate::vocabulary::pieces().collect::<Vec<_>>().join(", ")
        ));
    }
    if signature.text.is_empty() || signature.keys.is_empty() {
        return Err("`text` and `keys` are not empty".to_owned());
    }
    if let Some((key, (algorithm, _))) = signature.keys.iter().find(|(key, (algorithm, _))| !algorithm.fits(**key)) {
        return Err(format!("a key of the kind {key:?} does not sign with {algorithm:?}"));
    }
    if signature.unsure.iter().any(|key| !signature.keys.contains_key(key)) {
        return Err("`unsure` names a key that `keys` has not".to_owned());
    }
    let templates = match (&signature.headers, &signature.params) {
        (Some(templates), None) | (None, Some(templates)) => templates,
        _ => return Err("it has either `headers` or `params`".to_owned()),
    };
    adds(signature)?;
    let mut signatures = 0;
    for template in templates.values().chain(signature.adds.iter().flat_map(BTreeMap::values)) {
        for placeholder in placeholders(template)? {
            signatures += usize::from(placeholder == "signature");
        }
    }
    (signatures == 1).then_some(()).ok_or_else(|| "one of its templates has `{signature}`, once".to_owned())
}

/// Parameters that a request is given are covered by what is signed, but for the signature itself.
fn adds(signature: &Signature) -> Result<(), String> {
    let Some(last) = signature.adds.last() else { return Ok(()) };
    if signature.adds.iter().any(|one| one.len() != 1) || signature.headers.is_none() {
        return Err("`adds` is a list of mappings with one member each, beside `headers`".to_owned());
    }
    let covers = |names: &[&str]| signature.text.iter().any(|piece| names.contains(&piece.as_str()));
    if !covers(&["query", "target"]) || !covers(&["body", "body-hash"]) {
        return Err("a signature that `adds` parameters is of the query and the body".to_owned());
    }
    let is_signature = last.values().all(|template| template == "{signature}");
    is_signature.then_some(()).ok_or_else(|| "the last of `adds` is '{signature}'".to_owned())
}

/// The names between braces.
pub(super) fn placeholders(template: &str) -> Result<Vec<&str>, String> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some((_, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else {
            return Err(format!("`{template}`: a brace is not closed"));
        };
        if !PLACEHOLDERS.contains(&name) {
            return Err(format!("`{template}`: between braces is one of {}", PLACEHOLDERS.join(", ")));
        }
        found.push(name);
        rest = after;
    }
    Ok(found)
}

/// Each header that is written has a security scheme, and the other way round.
fn signed_headers<'a>(
    document: &Document,
    name: &str,
    headers: impl Iterator<Item = &'a String>,
) -> Result<(), String> {
    let own = |scheme: &&Value| text(scheme, "x-credential") == Some(name) && scheme.get("x-carries").is_none();
    let all = schemes(document).map(|(_, scheme)| scheme);
    let lower = |text: &str| text.to_ascii_lowercase();
    let wanted: BTreeSet<String> = all.filter(own).filter_map(|one| text(one, "name").map(lower)).collect();
    let written: BTreeSet<String> = headers.map(|header| lower(header)).collect();
    match wanted.symmetric_difference(&written).next() {
        None => Ok(()),
        Some(header) if written.contains(header) => Err(format!(
            "`headers` writes `{header}`, and no security scheme of `{name}` (one without `x-carries`) has that name"
        )),
        Some(header) => {
            Err(format!("the header `{header}` is a security scheme of `{name}`, and `headers` does not write it"))
        }
    }
}

pub fn clock_window(_: &Known<'_>, window: ClockWindow) -> Result<(), String> {
    (window.behind > 0 && window.ahead > 0).then_some(()).ok_or_else(|| "its seconds are above 0".to_owned())
}

pub fn probes(known: &Known<'_>, probes: Probes) -> Result<(), String> {
    if let Some(reach) = &probes.reach {
        let operation = probe(known.document, reach)?;
        let is_public = crate::emit::ways(known.document, &operation).iter().any(BTreeSet::is_empty);
        if !is_public {
            return Err(format!("`reach`: `{}` is not for anybody", reach.operation));
        }
    }
    probes.key.iter().try_for_each(|one| of_key(known.document, one))
}

/// A call that a good key may make.
pub(super) fn of_key(document: &Document, one: &Probe) -> Result<(), String> {
    let operation = probe(document, one)?;
    if text(operation.value, "x-retry") != Some("safe") && !one.finds_nothing {
        return Err(format!("`{}` may change something: a probe only reads, or `finds-nothing`", one.operation));
    }
    if one.proves.trim().is_empty() {
        return Err(format!("`proves` of `{}` is empty", one.operation));
    }
    if one.members.is_empty() && one.list.is_empty() && !one.finds_nothing {
        return Err(format!("`{}`: any response would prove the key. Name `members` or a `list`", one.operation));
    }
    Ok(())
}

fn probe<'a>(document: &'a Document, probe: &Probe) -> Result<Operation<'a>, String> {
    let operation = operation(document, &probe.operation)?;
    probe.with.keys().try_for_each(|name| has_field(document, &operation, name))?;
    let members = probe.members.iter().map(|name| format!("/{name}"));
    members.chain(probe.list.iter().cloned()).try_for_each(|place| has_place(document, &operation, &place))?;
    Ok(operation)
}

pub fn symptoms(_: &Known<'_>, symptoms: Symptoms) -> Result<(), String> {
    for one in symptoms.first.iter().chain(&symptoms.last) {
        if one.kind.as_ref().is_some_and(|kind| !KINDS.iter().any(|(name, _)| name == kind)) {
            return Err(format!("{:?} is not a kind of error", one.kind));
        }
        if !one.says.is_empty() || one.kind.is_none() {
            says(&one.says)?;
        }
    }
    Ok(())
}

/// The form of words that are looked for in an error.
pub(super) fn says(text: &str) -> Result<(), String> {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let form = "words in lower case with one blank between, in place of all other signs";
    text.split(' ').all(is_word).then_some(()).ok_or_else(|| format!("`says: {text}` is not {form}"))
}
