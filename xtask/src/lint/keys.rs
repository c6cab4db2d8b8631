//! What `x-keys` may say: operations, fields and places that exist.

use super::credentials::{has_field, has_place, operation};
use super::results::{Found, at, entry, in_result};
use super::words::Known;
use crate::document::Document;
use crate::model::Operation;
use crate::vocabulary::{CreateKey, KeyEntry, Keys, NewSecret, Places, TextsForm, Time};

pub fn keys(known: &Known<'_>, keys: Keys) -> Result<(), String> {
    let document = known.document;
    if keys.name.longest < 8 {
        return Err("`name`: a tag does not fit into fewer than 8 characters".to_owned());
    }
    for (verb, create) in [("create", &keys.create), ("register", &keys.register)] {
        let Some(create) = create else { continue };
        self::create(document, &keys, create).map_err(|problem| format!("`{verb}`: {problem}"))?;
        if (verb == "register") != create.fields.public_key.is_some() {
            return Err("`register` sends a `public-key`, and `create` does not".to_owned());
        }
        if (verb == "register") != create.returns.secret.is_empty() {
            return Err("`create` returns a `secret`, and `register` does not".to_owned());
        }
    }
    if keys.create.is_none() && keys.register.is_none() {
        return Err("it has neither `create` nor `register`".to_owned());
    }
    list(document, &keys).map_err(|problem| format!("`list`: {problem}"))?;
    if let Some(own) = &keys.own {
        let found = operation(document, &own.operation)?;
        has_place(document, &found, &own.at)?;
        of_entry(document, in_result(document, &found, &own.at), &own.entry)
            .map_err(|problem| format!("`own`: {problem}"))?;
    }
    if let Some(rotate) = &keys.rotate {
        let found = operation(document, &rotate.operation)?;
        has_field(document, &found, &rotate.id)?;
        returns(document, &found, &rotate.returns).map_err(|problem| format!("`rotate`: {problem}"))?;
    }
    for call in [Some(&keys.revoke), keys.enable.as_ref()].into_iter().flatten() {
        has_field(document, &operation(document, &call.operation)?, &call.id)?;
    }
    if let Some(all) = &keys.sub_accounts {
        let found = operation(document, &all.operation)?;
        all.at.iter().try_for_each(|place| has_place(document, &found, place))?;
        for list in &all.at {
            in_entry(document, entry(document, in_result(document, &found, list)), &all.id)?;
        }
    } else if keys.list.sub_account.is_some() {
        return Err("`list` takes a sub-account, and `sub-accounts` does not say which there are".to_owned());
    }
    Ok(())
}

fn create(document: &Document, keys: &Keys, create: &CreateKey) -> Result<(), String> {
    let found = operation(document, &create.operation)?;
    let fields = &create.fields;
    let plain = [&fields.name, &fields.public_key, &fields.sub_account].into_iter().flatten();
    let scopes = [&fields.scopes, &fields.addresses].into_iter().flatten().map(|texts| texts.parts().0);
    let sent = create.fixed.keys().chain(create.copies.keys()).map(String::as_str);
    plain.map(String::as_str).chain(scopes).chain(sent).try_for_each(|name| has_field(document, &found, name))?;
    let listed = operation(document, &keys.list.operation)?;
    for list in &keys.list.at {
        let entry = entry(document, in_result(document, &listed, list));
        create.copies.values().try_for_each(|place| one_in_entry(document, entry, place))?;
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
    if list.at.is_empty() {
        return Err("`at` names no place".to_owned());
    }
    list.sub_account.iter().try_for_each(|name| has_field(document, &found, name))?;
    let times = list.attested_until.iter().map(|time| &time.at);
    list.at.iter().chain(&list.total).chain(times).try_for_each(|place| has_place(document, &found, place))?;
    list.at
        .iter()
        .try_for_each(|place| of_entry(document, entry(document, in_result(document, &found, place)), &list.entry))
}

fn of_entry(document: &Document, place: Found<'_>, entry: &KeyEntry) -> Result<(), String> {
    if entry.id.is_empty() {
        return Err("`entry` has no `id`".to_owned());
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
        &entry.enabled,
        &entry.disabled,
        &entry.status,
        &entry.public_key,
    ];
    lists.into_iter().try_for_each(|places| in_entry(document, place, places))?;
    let times = [&entry.created, &entry.expires, &entry.last_used].into_iter().flatten().map(|Time { at, .. }| at);
    times.chain(entry.limits.iter().map(|limit| &limit.at)).try_for_each(|one| one_in_entry(document, place, one))
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
