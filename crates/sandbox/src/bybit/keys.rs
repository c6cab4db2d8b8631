//! The life cycle of API keys.

use serde_json::{Map, Value, json};

use super::members::{Key, Members, Secret};
use super::permissions::Permissions;
use super::read::Given;
use super::reply::{Outcome, Refusal};
use crate::clock::rfc3339;
use crate::make::random_text;

/// So many keys an account may have.
const MOST_KEYS: usize = 20;
const WEEK_DAYS: i64 = 7;
/// What the venue writes where a key does not end.
const NEVER: &str = "1970-01-01T00:00:00Z";

/// Makes a key for a sub-account; its secret is in this response only.
pub(super) fn create_sub(members: &mut Members, caller: usize, given: &Given, now: i64) -> Result<Outcome, Refusal> {
    let master = members.keys[caller].member;
    let uid = given.integer("subuid")?.ok_or_else(|| Refusal::params("subuid is required"))?;
    let member = members.sub(master, uid).ok_or_else(|| Refusal::params("subuid: no such sub-account"))?;
    let read_only = read_only(given)?.ok_or_else(|| Refusal::params("readOnly is required"))?;
    let permissions = permissions(given, false)?.ok_or_else(|| Refusal::params("permissions is required"))?;
    if permissions.is_empty() {
        return Err(Refusal::params("permissions: at least one is needed"));
    }
    if members.keys.iter().filter(|key| key.member == member).count() >= MOST_KEYS {
        return Err(Refusal::params("the sub-account has as many keys as it may"));
    }
    let secret = random_text(36);
    let mut key = Key {
        id: members.key_id(),
        member,
        name: random_text(18),
        secret: Secret::Hmac(secret.clone()),
        note: given.text("note").unwrap_or_default().to_owned(),
        read_only,
        permissions,
        ips: Vec::new(),
        created: now,
        expires: None,
    };
    key.bind(ips(given)?.unwrap_or_default(), now);
    let mut shown = short(&key);
    shown["secret"] = secret.into();
    if let Some(shown) = shown.as_object_mut() {
        // Where it may be used from is not part of this response.
        shown.remove("ips");
    }
    members.keys.push(key);
    Ok(Outcome::silent(shown))
}

/// The keys of a sub-account.
pub(super) fn list_sub(members: &Members, caller: usize, given: &Given, now: i64) -> Result<Outcome, Refusal> {
    let master = members.keys[caller].member;
    let uid = given.required("subMemberId")?;
    let uid = uid.parse().map_err(|_| Refusal::params("subMemberId must be an integer"))?;
    let member = members.sub(master, uid).ok_or_else(|| Refusal::params("subMemberId: no such sub-account"))?;
    let own = members.keys.iter().filter(|key| key.member == member).rev();
    // Newer keys have higher numbers, and some keys are gone.
    let (page, next) = given.page(own.map(|key| (-key.id, key)), 20, 20)?;
    let page: Vec<Value> = page.into_iter().map(|key| listed(key, now)).collect();
    Ok(Outcome::silent(json!({"result": page, "nextPageCursor": next})))
}

/// What a key sees of itself.
pub(super) fn query(members: &Members, caller: usize, now: i64) -> Outcome {
    let key = &members.keys[caller];
    let member = &members.all[key.member];
    let mut shown = short(key);
    let parent = member.parent.map_or(0, |parent| members.all[parent].uid);
    let more = json!({
        "type": 1, "deadlineDay": key.days_left(now), "expiredAt": ends(key), "createdAt": seconds(key.created),
        "unified": 0, "uta": 1, "userID": member.uid, "inviterID": 0, "vipLevel": "No VIP", "mktMakerLevel": "0",
        "affiliateID": 0, "rsaPublicKey": public_key(key), "isMaster": member.is_master(),
        "parentUid": parent.to_string(), "kycLevel": "LEVEL_1", "kycRegion": "MYS",
        "userIDInt64": member.uid.to_string(), "inviterIDInt64": "0", "affiliateIDInt64": "0",
    });
    extend(&mut shown, more);
    Outcome::silent(shown)
}

/// Edits the key that calls. Its addresses are set elsewhere.
pub(super) fn update_own(members: &mut Members, caller: usize, given: &Given) -> Result<Outcome, Refusal> {
    update(members, caller, given)
}

/// Edits a key of a sub-account: one that the master names, or the one that calls.
pub(super) fn update_sub(members: &mut Members, caller: usize, given: &Given, now: i64) -> Result<Outcome, Refusal> {
    let (key, ips) = (meant(members, caller, given)?, ips(given)?);
    update(members, key, given)?;
    // The venue documents that a call without addresses unbinds the key.
    members.keys[key].bind(ips.unwrap_or_default(), now);
    Ok(Outcome::silent(short(&members.keys[key])))
}

fn update(members: &mut Members, key: usize, given: &Given) -> Result<Outcome, Refusal> {
    let is_master = members.all[members.keys[key].member].is_master();
    let (read_only, permissions) = (read_only(given)?, permissions(given, is_master)?);
    let key = &mut members.keys[key];
    // Left out, it is 0; permissions stay as they are.
    key.read_only = read_only.unwrap_or_default();
    if let Some(permissions) = permissions {
        key.permissions = permissions;
    }
    Ok(Outcome::silent(short(key)))
}

/// Deletes the key that calls. It is invalid at once.
pub(super) fn delete_own(members: &mut Members, caller: usize) -> Outcome {
    members.keys.remove(caller);
    Outcome::silent(json!({}))
}

/// Deletes a key of a sub-account: one that the master names, or the one that calls.
pub(super) fn delete_sub(members: &mut Members, caller: usize, given: &Given) -> Result<Outcome, Refusal> {
    let key = meant(members, caller, given)?;
    members.keys.remove(key);
    Ok(Outcome::silent(json!({})))
}

/// The key of a sub-account that a call is about. A master names it and needs the permission; a sub-account may not
/// name one.
fn meant(members: &Members, caller: usize, given: &Given) -> Result<usize, Refusal> {
    let own = &members.keys[caller];
    if !members.all[own.member].is_master() {
        return match given.text("apikey") {
            None => Ok(caller),
            Some(_) => Err(Refusal::params("apikey: is for a master key only")),
        };
    }
    let name = given.required("apikey")?;
    let key = members.key(name).filter(|key| members.all[members.keys[*key].member].parent == Some(own.member));
    key.ok_or_else(|| Refusal::params("apikey: no such key of a sub-account"))
}

fn read_only(given: &Given) -> Result<Option<bool>, Refusal> {
    match given.integer("readOnly")? {
        None => Ok(None),
        Some(0) => Ok(Some(false)),
        Some(1) => Ok(Some(true)),
        Some(_) => Err(Refusal::params("readOnly must be 0 or 1")),
    }
}

fn permissions(given: &Given, is_master: bool) -> Result<Option<Permissions>, Refusal> {
    match given.value("permissions") {
        None => Ok(None),
        Some(Value::Object(map)) => Permissions::read(map, is_master).map(Some),
        Some(_) => Err(Refusal::params("permissions must be an object")),
    }
}

/// The addresses of a text with commas, or of a list, which some clients send. `*` binds to none.
fn ips(given: &Given) -> Result<Option<Vec<String>>, Refusal> {
    let texts: Vec<String> = match given.value("ips") {
        None => return Ok(None),
        Some(Value::String(text)) => text.split(',').map(|one| one.trim().to_owned()).collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) => return Err(Refusal::params("body/ips: must be a string")),
    };
    let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty() && text != "*").collect();
    if texts.iter().any(|text| text.parse::<std::net::IpAddr>().is_err()) {
        return Err(Refusal::params("ips: is not a list of addresses"));
    }
    Ok(Some(texts))
}

/// What every response shows of a key. The secret is empty.
fn short(key: &Key) -> Value {
    json!({
        "id": key.id.to_string(), "note": key.note, "apiKey": key.name, "readOnly": i64::from(key.read_only),
        "secret": "", "permissions": key.permissions.show(), "ips": shown_ips(key),
    })
}

fn listed(key: &Key, now: i64) -> Value {
    let left = key.days_left(now);
    let status = match key.expires {
        None => 1,
        Some(_) if key.is_expired(now) => 2,
        Some(_) if left <= WEEK_DAYS => 4,
        Some(_) => 3,
    };
    let mut shown = short(key);
    // Here it is a boolean, and the secret is masked instead of empty.
    let more = json!({
        "readOnly": key.read_only, "secret": "******", "status": status, "expiredAt": ends(key),
        "createdAt": seconds(key.created), "type": 1, "deadlineDay": left,
        "flag": if matches!(key.secret, Secret::Hmac(_)) { "hmac" } else { "rsa" },
    });
    extend(&mut shown, more);
    shown
}

fn shown_ips(key: &Key) -> Vec<String> {
    if key.ips.is_empty() { vec!["*".to_owned()] } else { key.ips.clone() }
}

fn public_key(key: &Key) -> &str {
    match &key.secret {
        Secret::Hmac(_) => "",
        Secret::Rsa { pem, .. } => pem,
    }
}

fn ends(key: &Key) -> String {
    key.expires.map_or_else(|| NEVER.to_owned(), seconds)
}

/// A time without a fraction of a second.
fn seconds(millis: i64) -> String {
    rfc3339(millis.div_euclid(1000) * 1000)
}

fn extend(shown: &mut Value, more: Value) {
    if let (Value::Object(shown), Value::Object(more)) = (shown, more) {
        let more: Map<String, Value> = more;
        shown.extend(more);
    }
}
