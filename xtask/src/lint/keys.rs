//! What `x-keys` may say: operations, fields and places that exist.

use std::collections::BTreeSet;

use super::credentials::{has_field, has_place, of_key, operation};
use super::results::{Found, at, entry, in_result};
use super::words::Known;
use crate::document::Document;
use crate::model::{Operation, required_fields};
use crate::vocabulary::{
    CreateKey, EditKey, Flags, KeyCall, KeyEntry, Keys, NewSecret, OtherTexts, Places, ScopesFor, Texts, TextsForm,
    Time,
};

pub fn keys(known: &Known<'_>, keys: Keys) -> Result<(), String> {
    if keys.family.is_none() && !keys.others.is_empty() {
        return Err("`others` are other families, and `family` does not name this one".to_owned());
    }
    family(known.document, &keys)?;
    for (name, other) in &keys.others {
        let is_named = other.family.is_some() || !other.others.is_empty() || keys.family.as_ref() == Some(name);
        if is_named {
            return Err(format!("`others`: `{name}` is named once, and has no `family` and no `others`"));
        }
        family(known.document, other).map_err(|problem| format!("`{name}`: {problem}"))?;
    }
    Ok(())
}

fn family(document: &Document, keys: &Keys) -> Result<(), String> {
    if keys.name.longest < 8 {
        return Err("`name`: a tag does not fit into fewer than 8 characters".to_owned());
    }
    for (verb, create) in [("create", &keys.create), ("register", &keys.register)] {
        let Some(create) = create else { continue };
        self::create(document, keys, create).map_err(|problem| format!("`{verb}`: {problem}"))?;
        if (verb == "register") != create.fields.public_key.is_some() {
            return Err("`register` sends a `public-key`, and `create` does not".to_owned());
        }
        if (verb == "register") != create.returns.secret.is_empty() {
            return Err("`create` returns a `secret`, and `register` does not".to_owned());
        }
    }
    let creates = [&keys.create, &keys.register].into_iter().flatten().any(|create| create.fields.addresses.is_some());
    if keys.addresses != (creates || keys.edit.iter().any(|call| call.fields.addresses.is_some())) {
        return Err("`addresses: true` stands where a field of `create`, `register` or `edit` takes addresses, and nowhere else".to_owned());
    }
    if keys.create.is_none() && keys.register.is_none() {
        return Err("it has neither `create` nor `register`".to_owned());
    }
    keys.probes
        .iter()
        .try_for_each(|probe| of_key(document, probe))
        .map_err(|problem| format!("`probes`: {problem}"))?;
    list(document, keys).map_err(|problem| format!("`list`: {problem}"))?;
    if let Some(own) = &keys.own {
        let found = operation(document, &own.operation)?;
        sends_required(document, &found, []).map_err(|problem| format!("`own`: {problem}"))?;
        has_place(document, &found, &own.at)?;
        of_entry(document, &[in_result(document, &found, &own.at)], &own.entry)
            .map_err(|problem| format!("`own`: {problem}"))?;
    }
    if let Some(rotate) = &keys.rotate {
        let found = operation(document, &rotate.operation)?;
        has_field(document, &found, &rotate.id)?;
        sends_required(document, &found, [&rotate.id]).map_err(|problem| format!("`rotate`: {problem}"))?;
        returns(document, &found, &rotate.returns).map_err(|problem| format!("`rotate`: {problem}"))?;
    }
    for call in &keys.edit {
        edit(document, keys, call).map_err(|problem| format!("`edit`: {problem}"))?;
    }
    for call in [Some(&keys.revoke), keys.enable.as_ref(), keys.list.detail.as_ref()].into_iter().flatten() {
        key_call(document, keys, call)?;
    }
    if let Some(all) = &keys.sub_accounts {
        let found = operation(document, &all.operation)?;
        all.at.iter().try_for_each(|place| has_place(document, &found, place))?;
        all.with.keys().try_for_each(|name| has_field(document, &found, name))?;
        sends_required(document, &found, all.with.keys()).map_err(|problem| format!("`sub-accounts`: {problem}"))?;
        for list in &all.at {
            in_entry(document, entry(document, in_result(document, &found, list)), &all.id)?;
        }
    } else if keys.list.sub_account.is_some() {
        return Err("`list` takes a sub-account, and `sub-accounts` does not say which there are".to_owned());
    }
    Ok(())
}

/// What the request must have is among what the engine of keys sends.
fn sends_required<'a>(
    document: &Document,
    operation: &Operation<'_>,
    sent: impl IntoIterator<Item = &'a String>,
) -> Result<(), String> {
    let sent: BTreeSet<&str> = sent.into_iter().map(String::as_str).collect();
    match required_fields(document, operation).into_iter().find(|name| !sent.contains(name)) {
        Some(name) => {
            let help = "add it to `fields`, `fixed`, `copies` or `with`";
            Err(format!("`{}` requires `{name}`, which is not sent: {help}", operation.id))
        }
        None => Ok(()),
    }
}

/// A call about one key.
fn key_call(document: &Document, keys: &Keys, call: &KeyCall) -> Result<(), String> {
    let found = operation(document, &call.operation)?;
    if call.sub_account.is_some() && keys.list.sub_account.is_none() {
        let message = format!("`{}` takes a sub-account, and `list` asks for none", call.operation);
        return Err(message);
    }
    let sent = || std::iter::once(&call.id).chain(&call.sub_account);
    sent().try_for_each(|name| has_field(document, &found, name))?;
    sends_required(document, &found, sent())
}

/// A call that changes a key.
fn edit(document: &Document, keys: &Keys, call: &EditKey) -> Result<(), String> {
    let found = operation(document, &call.operation)?;
    let of_sub_accounts = keys.list.sub_account.is_some();
    if call.sub_account.is_some() && !of_sub_accounts {
        return Err(format!("`{}` takes a sub-account, and `list` asks for none", call.operation));
    }
    if call.id.is_none() && (keys.own.is_none() || !of_sub_accounts) {
        return Err(
            "a call without `id` is about the key that makes it, which `own` shows beside those of sub-accounts"
                .to_owned(),
        );
    }
    let fields = &call.fields;
    let changes = fields.name.is_some() || fields.scopes.is_some() || fields.addresses.is_some();
    if changes == call.removes.is_some() {
        return Err("a call has `fields`, or `removes`, and not both".to_owned());
    }
    if fields.addresses.is_none() && (call.always_addresses || !call.unbound.is_empty()) {
        return Err("`unbound` and `always-addresses` go with `addresses`".to_owned());
    }
    let texts = || [&fields.scopes, &fields.addresses, &call.removes].into_iter().flatten();
    texts().try_for_each(named_members)?;
    let plain = [&call.id, &call.sub_account, &fields.name].into_iter().flatten();
    let sent = call.unbound.keys().chain(call.copies.keys()).chain(texts().flat_map(Texts::with).map(|(name, _)| name));
    let names: Vec<&String> = plain.chain(texts().flat_map(|texts| texts.parts().0)).chain(sent).collect();
    names.iter().try_for_each(|name| has_field(document, &found, name))?;
    sends_required(document, &found, names)?;
    // What stays is read where the key is shown.
    let shown = match (&call.id, &keys.own) {
        (None, Some(own)) => vec![in_result(document, &operation(document, &own.operation)?, &own.at)],
        _ => {
            let listed = operation(document, &keys.list.operation)?;
            keys.list.at.iter().map(|list| entry(document, in_result(document, &listed, list))).collect()
        }
    };
    shown
        .into_iter()
        .try_for_each(|entry| call.copies.values().try_for_each(|place| one_in_entry(document, entry, place)))
}

fn create(document: &Document, keys: &Keys, create: &CreateKey) -> Result<(), String> {
    let found = operation(document, &create.operation)?;
    let fields = &create.fields;
    let plain = [&fields.name, &fields.public_key, &fields.sub_account].into_iter().flatten();
    let texts = || [&fields.scopes, &fields.addresses].into_iter().flatten();
    let sent =
        create.fixed.keys().chain(create.copies.keys()).chain(texts().flat_map(Texts::with).map(|(name, _)| name));
    let names: Vec<&String> = plain.chain(texts().flat_map(|texts| texts.parts().0)).chain(sent).collect();
    names.iter().try_for_each(|name| has_field(document, &found, name))?;
    texts().try_for_each(named_members)?;
    sends_required(document, &found, names)?;
    if fields.public_key.is_none() && !fields.pairs.is_empty() {
        return Err("`pairs` goes with `public-key`".to_owned());
    }
    let is_whole = |only: &ScopesFor| fields.scopes.is_some() && !only.pairs.is_empty();
    if !fields.scopes_for.as_ref().is_none_or(is_whole) {
        return Err("`scopes-for` names kinds of pair, and goes with `scopes`".to_owned());
    }
    let listed = operation(document, &keys.list.operation)?;
    for list in &keys.list.at {
        let entry = entry(document, in_result(document, &listed, list));
        create.copies.values().try_for_each(|place| one_in_entry(document, entry, place))?;
    }
    let mut limits = keys.list.entry.limits.iter();
    let lost = limits.find(|limit| !create.copies.is_empty() && create.copies.values().all(|place| *place != limit.at));
    if let Some(lost) = lost {
        let message = format!(
            "`copies` leaves out `{}` of `limits`: a key that is made in place of another one loses it",
            lost.at
        );
        return Err(message);
    }
    returns(document, &found, &create.returns)
}

fn returns(document: &Document, found: &Operation<'_>, returns: &NewSecret) -> Result<(), String> {
    let single = [&returns.fingerprint_if, &returns.warning].into_iter().flatten();
    let places = [&returns.id, &returns.public_id, &returns.secret].into_iter().flatten().chain(single);
    places.into_iter().try_for_each(|place| has_place(document, found, place))
}

fn list(document: &Document, keys: &Keys) -> Result<(), String> {
    let list = &keys.list;
    let found = operation(document, &list.operation)?;
    if list.entry.id.is_empty() {
        return Err("`entry` has no `id`".to_owned());
    }
    list.with.keys().try_for_each(|name| has_field(document, &found, name))?;
    let detail = match &list.detail {
        Some(call) => Some(in_result(document, &operation(document, &call.operation)?, "")),
        None => None,
    };
    if list.at.is_empty() {
        return Err("`at` names no place".to_owned());
    }
    list.sub_account.iter().try_for_each(|name| has_field(document, &found, name))?;
    sends_required(document, &found, list.with.keys().chain(&list.sub_account))?;
    let times = list.attested_until.iter().map(|time| &time.at);
    list.at.iter().chain(&list.total).chain(times).try_for_each(|place| has_place(document, &found, place))?;
    list.at.iter().try_for_each(|place| {
        let entry = entry(document, in_result(document, &found, place));
        let shown: Vec<Found<'_>> = [Some(entry), detail].into_iter().flatten().collect();
        of_entry(document, &shown, &list.entry)
    })
}

/// Booleans are named member by member.
fn named_members(texts: &Texts) -> Result<(), String> {
    match texts {
        Texts::Flags(Flags { flags }) if flags.is_empty() => Err("`flags` is empty: it lists the members".to_owned()),
        Texts::Other(OtherTexts { field, form: TextsForm::Flags, .. }) => {
            Err(format!("`field: {field}, form: flags` is one member: `flags: [{field}]` lists the members"))
        }
        _ => Ok(()),
    }
}

/// Places of an entry: each of them is in one of what is shown of a key.
fn of_entry(document: &Document, shown: &[Found<'_>], entry: &KeyEntry) -> Result<(), String> {
    if entry.id.is_empty() && !entry.public_id.is_empty() {
        return Err("`entry` has no `id`".to_owned());
    }
    if entry.addresses.is_empty() && entry.addresses_form != TextsForm::List {
        return Err("`addresses-form` goes with `addresses`".to_owned());
    }
    if entry.disabled.is_empty() && entry.disabled_is.is_some() {
        return Err("`disabled-is` goes with `disabled`".to_owned());
    }
    if entry.scopes.is_empty() && entry.scopes_form != TextsForm::List {
        return Err("`scopes-form` goes with `scopes`".to_owned());
    }
    if let Some(limit) = entry.limits.iter().find(|limit| limit.says.matches('{').count() > 1) {
        return Err(format!("`{}` has a place for one text", limit.says));
    }
    let lists = [
        &entry.id,
        &entry.public_id,
        &entry.name,
        &entry.scopes,
        &entry.addresses,
        &entry.bound,
        &entry.enabled,
        &entry.disabled,
        &entry.status,
        &entry.public_key,
    ];
    let has = |place: &String| {
        let found = shown.iter().map(|one| one_in_entry(document, *one, place));
        found.reduce(Result::or).unwrap_or(Ok(()))
    };
    lists.into_iter().flatten().try_for_each(has)?;
    let times = [&entry.created, &entry.expires, &entry.last_used].into_iter().flatten().map(|Time { at, .. }| at);
    times.chain(entry.limits.iter().map(|limit| &limit.at)).try_for_each(has)
}

fn in_entry(document: &Document, entry: Found<'_>, places: &Places) -> Result<(), String> {
    places.iter().try_for_each(|place| one_in_entry(document, entry, place))
}

fn one_in_entry(document: &Document, entry: Found<'_>, place: &str) -> Result<(), String> {
    match at(document, entry, place) {
        _ if !place.starts_with('/') => Err(format!("`{place}` is not a JSON pointer: begin it with a slash")),
        Found::Nothing => Err(format!("an entry of the list has no `{place}`")),
        Found::Schema(_) | Found::Anything => Ok(()),
    }
}
