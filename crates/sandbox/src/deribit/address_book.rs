//! The address book, and who is behind an address.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::error::Error;
use super::filter;
use super::params::Params;
use super::state::{Outcome, Session, State, done};

/// What is said about the caller who owns an address.
const TEXTS: [&str; 7] = [
    "beneficiary_vasp_name",
    "beneficiary_vasp_did",
    "beneficiary_vasp_website",
    "beneficiary_first_name",
    "beneficiary_last_name",
    "beneficiary_company_name",
    "beneficiary_address",
];
const FLAGS: [&str; 3] = ["agreed", "personal", "unhosted"];
const USUAL_COUNT: usize = 100;

/// Entries by what names them.
#[derive(Default)]
pub(super) struct AddressBook {
    entries: Vec<Entry>,
    beneficiaries: Vec<Entry>,
}

/// An entry: what names it, and all that it says.
struct Entry {
    id: i64,
    key: [String; 3],
    members: Map<String, Value>,
}

impl Entry {
    fn says(&self, name: &str, wanted: &Value) -> bool {
        self.members.get(name) == Some(wanted)
    }
}

fn key_of(params: &Params, third: &str) -> Result<[String; 3], Error> {
    let currency = filter::required_currency(params)?;
    let address = params.required("address", params.text("address")?)?;
    Ok([currency, address, params.text(third)?.unwrap_or_default()])
}

/// The members that the params give.
fn described(params: &Params) -> Result<Map<String, Value>, Error> {
    let mut members = Map::new();
    for name in TEXTS.into_iter().chain(["label", "tag"]) {
        if let Some(text) = params.text(name)? {
            members.insert(name.to_owned(), text.into());
        }
    }
    for name in FLAGS {
        if let Some(flag) = params.boolean(name)? {
            members.insert(name.to_owned(), flag.into());
        }
    }
    Ok(members)
}

fn find<'a>(entries: &'a mut [Entry], key: &[String; 3]) -> Result<&'a mut Entry, Error> {
    entries.iter_mut().find(|entry| entry.key == *key).ok_or_else(|| Error::new(Error::NOT_FOUND))
}

fn remove(entries: &mut Vec<Entry>, key: &[String; 3]) -> Outcome {
    let before = entries.len();
    entries.retain(|entry| entry.key != *key);
    if entries.len() == before { Err(Error::new(Error::NOT_FOUND)) } else { done(&"ok") }
}

/// `private/get_address_book`.
pub(super) fn get_address_book(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let kind = params.required("type", params.text("type")?)?;
    let entries = state.accounts[session.account].addresses.entries.iter();
    let fits = |entry: &&Entry| entry.key[0] == currency && entry.key[2] == kind;
    done(&entries.filter(fits).map(|entry| &entry.members).collect::<Vec<_>>())
}

/// `private/add_to_address_book`. An address that is known is described again.
pub(super) fn add_to_address_book(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let key = key_of(params, "type")?;
    let mut members = described(params)?;
    let (id, now) = (state.next_id(), state.now());
    let [currency, address, kind] = &key;
    let known = json!({
        "currency": currency, "address": address, "type": kind, "creation_timestamp": now, "status": "ready",
        "requires_confirmation": false, "requires_confirmation_change": false, "info_required": false,
    });
    if let Value::Object(known) = known {
        members.extend(known);
    }
    let result = done(&members);
    let entries = &mut state.accounts[session.account].addresses.entries;
    entries.retain(|entry| entry.key != key);
    entries.push(Entry { id, key, members });
    result
}

/// `private/update_in_address_book`.
pub(super) fn update_in_address_book(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let (key, members) = (key_of(params, "type")?, described(params)?);
    find(&mut state.accounts[session.account].addresses.entries, &key)?.members.extend(members);
    done(&"ok")
}

/// `private/remove_from_address_book`.
pub(super) fn remove_from_address_book(state: &mut State, session: &Session, params: &Params) -> Outcome {
    remove(&mut state.accounts[session.account].addresses.entries, &key_of(params, "type")?)
}

/// `private/save_address_beneficiary`.
pub(super) fn save_beneficiary(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let key = key_of(params, "tag")?;
    let mut members = described(params)?;
    let (id, now, user_id) = (state.next_id(), state.now(), state.accounts[session.account].user_id);
    let beneficiaries = &mut state.accounts[session.account].addresses.beneficiaries;
    let created = find(beneficiaries, &key).ok().and_then(|entry| entry.members.get("created").cloned());
    let known = json!({
        "currency": key[0], "address": key[1], "user_id": user_id, "created": created.unwrap_or(now.into()), "updated": now,
    });
    if let Value::Object(known) = known {
        members.extend(known);
    }
    let result = done(&members);
    beneficiaries.retain(|entry| entry.key != key);
    beneficiaries.push(Entry { id, key, members });
    result
}

/// `private/get_address_beneficiary`.
pub(super) fn get_beneficiary(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let key = key_of(params, "tag")?;
    done(&find(&mut state.accounts[session.account].addresses.beneficiaries, &key)?.members)
}

/// `private/delete_address_beneficiary`.
pub(super) fn delete_beneficiary(state: &mut State, session: &Session, params: &Params) -> Outcome {
    remove(&mut state.accounts[session.account].addresses.beneficiaries, &key_of(params, "tag")?)
}

#[derive(Serialize)]
struct Beneficiaries<'a> {
    data: Vec<&'a Map<String, Value>>,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation: Option<String>,
}

/// `private/list_address_beneficiaries`, the oldest first. `continuation` is the number of the first one of the next page.
pub(super) fn list_beneficiaries(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let first = params.text("continuation")?.map(|text| text.parse::<i64>());
    let first = first.transpose().map_err(|_| Error::invalid_param("continuation", "not one of this list"))?;
    let count = params.integer("limit")?.and_then(|limit| usize::try_from(limit).ok());
    let count = count.unwrap_or(USUAL_COUNT).clamp(1, 1000);
    let mut wanted = described(params)?;
    for name in ["currency", "address"] {
        if let Some(text) = params.text(name)? {
            wanted.insert(name.to_owned(), text.into());
        }
    }
    let mut times = Vec::new();
    for (param, member, is_after) in [
        ("created_after", "created", true),
        ("created_before", "created", false),
        ("updated_after", "updated", true),
        ("updated_before", "updated", false),
    ] {
        times.extend(params.integer(param)?.map(|limit| (member, limit, is_after)));
    }
    let in_time = |entry: &Entry| {
        times.iter().all(|(member, limit, is_after)| {
            let time = entry.members.get(*member).and_then(Value::as_i64).unwrap_or_default();
            if *is_after { time >= *limit } else { time <= *limit }
        })
    };
    let fits = |entry: &&Entry| wanted.iter().all(|(name, value)| entry.says(name, value)) && in_time(entry);
    let all: Vec<&Entry> = state.accounts[session.account].addresses.beneficiaries.iter().filter(fits).collect();
    let mut rest = all.iter().skip_while(|entry| first.is_some_and(|first| entry.id < first));
    let data: Vec<_> = rest.by_ref().take(count).map(|entry| &entry.members).collect();
    let continuation = rest.next().map(|entry| entry.id.to_string());
    done(&Beneficiaries { count: all.len(), data, continuation })
}
