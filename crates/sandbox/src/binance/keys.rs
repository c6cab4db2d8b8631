//! Keys of sub-accounts, which their master makes, and what the own key may do.

use serde_json::{Value, json};

use super::members::{Family, Key, Members, Secret};
use super::permissions::Permissions;
use super::read::Given;
use super::reply::Refusal;
use crate::make::random_text;
use crate::verify::PublicKey;

type Outcome = Result<Value, Refusal>;

/// The most characters of a list of addresses.
const LONGEST_LIST: usize = 500;
/// The most keys that a sub-account may have.
const MOST_KEYS: usize = 30;

/// A new name or secret, as long as the venue's.
pub(super) fn new_text() -> String {
    random_text(64)
}

/// A public key in SPKI: PEM, or what stands between its first and last line.
pub(super) fn public_key(text: &str) -> Option<PublicKey> {
    let text = text.trim();
    if text.starts_with("-----") {
        return PublicKey::from_pem(text);
    }
    let body: String = text.split_whitespace().collect();
    let lines = body.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    PublicKey::from_pem(&format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n")))
}

/// Addresses as a list of texts. The venue takes single addresses and ranges, IPv4 only.
pub(super) fn addresses(text: &str, name: &str) -> Result<Vec<String>, Refusal> {
    let is_address = |one: &str| {
        let (address, bits) = one.split_once('/').unwrap_or((one, "32"));
        address.parse::<std::net::Ipv4Addr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 32)
    };
    let list: Vec<String> = text.split(',').map(|one| one.trim().to_owned()).collect();
    if text.len() > LONGEST_LIST || !list.iter().all(|one| is_address(one)) {
        return Err(Refusal::invalid(name));
    }
    Ok(list)
}

/// The sub-account that a call names.
pub(super) fn sub_account(members: &Members, master: usize, given: &Given, name: &str) -> Result<usize, Refusal> {
    let email = given.required(name)?;
    members.sub_account(master, email).ok_or_else(|| Refusal::invalid(name))
}

/// The key of a sub-account that a call names.
fn sub_key(members: &Members, master: usize, given: &Given) -> Result<usize, Refusal> {
    let member = sub_account(members, master, given, "email")?;
    let name = given.required("subAccountApiKey")?;
    let found = members.key(name).filter(|index| {
        let key = &members.keys[*index];
        key.member == member && key.family == Family::SubAccount
    });
    found.ok_or_else(|| Refusal::invalid("subAccountApiKey"))
}

/// What a call says of permissions; what it leaves out stays.
fn permissions(given: &Given, mut permissions: Permissions) -> Result<Permissions, Refusal> {
    for (name, value) in [
        ("canTrade", &mut permissions.trading),
        ("canMarginLoanRepay", &mut permissions.margin),
        ("canFuturesTrade", &mut permissions.futures),
        ("canUniversalTransfer", &mut permissions.universal_transfer),
        ("canVanillaOptions", &mut permissions.options),
        ("canFixApiReading", &mut permissions.fix_reading),
        ("canFixApiTrading", &mut permissions.fix_trading),
    ] {
        *value = given.flag(name)?.unwrap_or(*value);
    }
    Ok(permissions)
}

fn show_permissions(key: &Key) -> Value {
    let may = &key.permissions;
    json!({
        "canTrade": may.trading,
        "canMarginLoanRepay": may.margin,
        "canFuturesTrade": may.futures,
        "canUniversalTransfer": may.universal_transfer,
        "canVanillaOptions": may.options,
    })
}

/// The status of a key's addresses, and the list that it comes with.
fn restriction(given: &Given) -> Result<(i64, Vec<String>), Refusal> {
    let status = given.integer("status")?.ok_or_else(|| Refusal::mandatory("status"))?;
    let ips = match (status, given.text("ipAddress")) {
        (1 | 3, _) => Vec::new(),
        (2, Some(text)) => addresses(text, "ipAddress")?,
        (2, None) => return Err(Refusal::mandatory("ipAddress")),
        _ => return Err(Refusal::invalid("status")),
    };
    if status == 3 {
        given.required("thirdPartyName")?;
    }
    Ok((status, ips))
}

/// Creates a key for a sub-account, with a public key of the caller or with a secret that the venue generates.
pub(super) fn create(members: &mut Members, master: usize, given: &Given, now: i64) -> Outcome {
    let member = sub_account(members, master, given, "email")?;
    let label = given.required("apiName")?.to_owned();
    let (status, ips) = restriction(given)?;
    let permissions = permissions(given, Permissions { reading: true, ..Permissions::default() })?;
    let secret = match given.text("publicKey") {
        None => Secret::Hmac(new_text()),
        Some(text) => {
            // The venue takes no RSA here.
            let public = public_key(text).filter(|key| key.rsa_bits().is_none());
            Secret::Public(Box::new(public.ok_or_else(|| Refusal::invalid("publicKey"))?))
        }
    };
    let own = members.keys.iter().filter(|key| key.member == member && key.family == Family::SubAccount);
    if own.count() >= MOST_KEYS {
        return Err(Refusal::invalid("email"));
    }
    let key = Key {
        member,
        name: new_text(),
        label,
        secret,
        family: Family::SubAccount,
        permissions,
        status,
        ips,
        created: now,
        updated: now,
    };
    let mut shown = show_permissions(&key);
    shown["apiName"] = key.label.as_str().into();
    shown["apiKey"] = key.name.as_str().into();
    shown["status"] = key.status.into();
    shown["ipList"] = key.ips.clone().into();
    if let Secret::Hmac(secret) = &key.secret {
        shown["secretKey"] = secret.as_str().into();
    }
    members.keys.push(key);
    Ok(shown)
}

fn show(members: &Members, key: &Key) -> Value {
    let mut shown = show_permissions(key);
    shown["email"] = members.all[key.member].email.as_str().into();
    shown["apiName"] = key.label.as_str().into();
    shown["apikey"] = key.name.as_str().into();
    shown["timestamp"] = key.updated.into();
    shown
}

/// The keys of a sub-account, or one of them.
pub(super) fn list(members: &Members, master: usize, given: &Given) -> Outcome {
    let member = sub_account(members, master, given, "email")?;
    let wanted = given.text("subAccountApiKey");
    let own = members.keys.iter().filter(|key| {
        key.member == member && key.family == Family::SubAccount && wanted.is_none_or(|wanted| wanted == key.name)
    });
    let own: Vec<&Key> = own.collect();
    let (skipped, size) = given.page("page", "size", (30, 100))?;
    let rows: Vec<Value> = own.iter().skip(skipped).take(size).map(|key| show(members, key)).collect();
    Ok(json!({"total": own.len(), "rows": rows}))
}

/// Changes what a key may do.
pub(super) fn permit(members: &mut Members, master: usize, given: &Given, now: i64) -> Outcome {
    let index = sub_key(members, master, given)?;
    let key = &mut members.keys[index];
    key.permissions = permissions(given, key.permissions.clone())?;
    key.updated = now;
    let mut shown = show(members, &members.keys[index]);
    if let Some(members) = shown.as_object_mut() {
        members.remove("email");
    }
    Ok(shown)
}

/// The addresses of a key, as the first generation of calls shows them.
fn show_addresses(key: &Key) -> Value {
    json!({
        "ipRestrict": key.is_restricted().to_string(),
        "ipList": key.ips,
        "updateTime": key.updated,
        "apiKey": key.name,
    })
}

pub(super) fn get_addresses(members: &Members, master: usize, given: &Given) -> Outcome {
    Ok(show_addresses(&members.keys[sub_key(members, master, given)?]))
}

/// Binds a key to addresses, or sets it free.
pub(super) fn set_addresses(members: &mut Members, master: usize, given: &Given, now: i64) -> Outcome {
    let index = sub_key(members, master, given)?;
    let (status, ips) = restriction(given)?;
    let key = &mut members.keys[index];
    (key.status, key.ips, key.updated) = (status, ips, now);
    Ok(json!({"status": status.to_string(), "ipList": key.ips, "updateTime": now, "apiKey": key.name}))
}

/// Takes addresses off the list of a key.
pub(super) fn delete_addresses(members: &mut Members, master: usize, given: &Given, now: i64) -> Outcome {
    let index = sub_key(members, master, given)?;
    let gone = addresses(given.required("ipAddress")?, "ipAddress")?;
    let key = &mut members.keys[index];
    if gone.iter().any(|one| !key.ips.contains(one)) {
        return Err(Refusal::invalid("ipAddress"));
    }
    key.ips.retain(|one| !gone.contains(one));
    key.updated = now;
    if key.ips.is_empty() {
        key.status = 1;
    }
    Ok(show_addresses(key))
}

pub(super) fn delete(members: &mut Members, master: usize, given: &Given) -> Outcome {
    let index = sub_key(members, master, given)?;
    members.keys.remove(index);
    Ok(json!({}))
}

/// What the key of the caller may do.
pub(super) fn restrictions(key: &Key) -> Value {
    key.permissions.restrictions(key.is_restricted(), key.created)
}
