//! Special keys for margin trading, which an account makes for itself.

use serde_json::{Value, json};

use super::keys::{addresses, new_text, public_key};
use super::members::{Family, Key, Members, Secret};
use super::permissions::Permissions;
use super::place::symbol_named;
use super::read::Given;
use super::reply::Refusal;
use super::trading::Trading;

type Outcome = Result<Value, Refusal>;

/// The most addresses that a key may be bound to.
const MOST_ADDRESSES: usize = 30;
/// The most special keys that an account may have.
const MOST_KEYS: usize = 20;

/// The market of a key, where it is for isolated margin.
fn family(trading: &Trading, given: &Given) -> Result<Family, Refusal> {
    let symbol = match given.text("symbol") {
        None => None,
        Some(name) => Some(trading.symbols[symbol_named(trading, name, "symbol")?].name.clone()),
    };
    Ok(Family::Margin { symbol })
}

fn ips(given: &Given) -> Result<Vec<String>, Refusal> {
    let Some(text) = given.text("ip") else { return Ok(Vec::new()) };
    let list = addresses(text, "ip")?;
    if list.len() > MOST_ADDRESSES { Err(Refusal::invalid("ip")) } else { Ok(list) }
}

pub(super) fn create(members: &mut Members, trading: &Trading, member: usize, given: &Given, now: i64) -> Outcome {
    let family = family(trading, given)?;
    let label = given.required("apiName")?.to_owned();
    let ips = ips(given)?;
    let secret = match given.text("publicKey") {
        None => Secret::Hmac(new_text()),
        Some(text) => Secret::Public(Box::new(public_key(text).ok_or_else(|| Refusal::invalid("publicKey"))?)),
    };
    let trades = match (given.text("permissionMode"), secret.kind()) {
        (None | Some("TRADE"), _) => true,
        (Some("READ"), "Ed25519") => false,
        (Some("READ"), _) => return Err(Refusal::combination("permissionMode with an Ed25519 publicKey")),
        (Some(_), _) => return Err(Refusal::invalid("permissionMode")),
    };
    if members.all[member].left_special_keys || own(members, member).count() >= MOST_KEYS {
        return Err(Refusal::new(-1002, "You are not authorized to execute this request.").with_status(403));
    }
    let key = Key {
        member,
        name: new_text(),
        label,
        secret,
        family,
        permissions: Permissions { reading: true, trading: trades, margin: trades, ..Permissions::default() },
        status: if ips.is_empty() { 1 } else { 2 },
        ips,
        created: now,
        updated: now,
    };
    let secret = match &key.secret {
        Secret::Hmac(secret) => Value::from(secret.as_str()),
        Secret::Public(_) => Value::Null,
    };
    let shown = json!({"apiKey": key.name, "secretKey": secret, "type": key.secret.kind()});
    members.keys.push(key);
    Ok(shown)
}

/// The special keys of an account, as indices.
fn own(members: &Members, member: usize) -> impl Iterator<Item = usize> {
    let all = members.keys.iter().enumerate();
    let own = all.filter(move |(_, key)| key.member == member && matches!(key.family, Family::Margin { .. }));
    own.map(|(index, _)| index)
}

fn show(key: &Key) -> Value {
    json!({
        "apiName": key.label,
        "apiKey": key.name,
        "ip": if key.ips.is_empty() { "0.0.0.0".to_owned() } else { key.ips.join(",") },
        "type": key.secret.kind(),
        "permissionMode": if key.permissions.trading { "TRADE" } else { "READ" },
    })
}

/// The key that a call names.
fn find(members: &Members, trading: &Trading, member: usize, given: &Given) -> Result<usize, Refusal> {
    let family = family(trading, given)?;
    let name = given.required("apiKey")?;
    let found = own(members, member).find(|index| members.keys[*index].name == name);
    let found = found.filter(|index| members.keys[*index].family == family);
    found.ok_or_else(|| Refusal::invalid("apiKey"))
}

pub(super) fn get(members: &Members, trading: &Trading, member: usize, given: &Given) -> Outcome {
    Ok(show(&members.keys[find(members, trading, member, given)?]))
}

pub(super) fn list(members: &Members, trading: &Trading, member: usize, given: &Given) -> Outcome {
    let family = family(trading, given)?;
    let own = own(members, member).map(|index| &members.keys[index]);
    Ok(own.filter(|key| key.family == family).map(show).collect())
}

pub(super) fn set_addresses(
    members: &mut Members,
    trading: &Trading,
    member: usize,
    given: &Given,
    now: i64,
) -> Outcome {
    let index = find(members, trading, member, given)?;
    given.required("ip")?;
    let ips = ips(given)?;
    let key = &mut members.keys[index];
    (key.status, key.ips, key.updated) = (2, ips, now);
    Ok(json!({}))
}

/// Deletes one key, or all of a name.
pub(super) fn delete(members: &mut Members, trading: &Trading, member: usize, given: &Given) -> Outcome {
    if given.has("apiKey") {
        let index = find(members, trading, member, given)?;
        members.keys.remove(index);
        return Ok(json!({}));
    }
    let family = family(trading, given)?;
    let Some(label) = given.text("apiName") else {
        return Err(Refusal::combination("apiKey or apiName"));
    };
    let before = members.keys.len();
    members.keys.retain(|key| key.member != member || key.family != family || key.label != label);
    if members.keys.len() == before { Err(Refusal::invalid("apiName")) } else { Ok(json!({})) }
}

/// Ends all special keys of an account.
pub(super) fn leave(members: &mut Members, member: usize) -> Value {
    members.keys.retain(|key| key.member != member || !matches!(key.family, Family::Margin { .. }));
    members.all[member].left_special_keys = true;
    json!({})
}
