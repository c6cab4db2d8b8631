//! What deployments rely on: the environment variables that credentials are read from, and the life cycle of keys.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compare::Comparison;
use super::venue::{changed_members, member};
use crate::model::text;

/// The variables of a credential, and what they hold.
const ROLES: [&str; 3] = ["id", "secret", "passphrase"];

/// One variable: the kind of credential, which part of it the variable holds, its name, and what the credential is good for.
struct Variable<'a> {
    kind: &'a str,
    role: &'static str,
    name: &'a str,
    proves: BTreeSet<&'a str>,
}

impl Variable<'_> {
    /// Whether it holds the same part of the same kind of credential.
    fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.role == other.role
    }
}

fn all(fact: Option<&Value>) -> Vec<Variable<'_>> {
    let list = fact.and_then(|fact| fact.get("credentials")?.as_array()).into_iter().flatten();
    let of_one = |credential| {
        let kind = text(credential, "kind").unwrap_or_default();
        let proves = credential.get("proves").and_then(Value::as_array).into_iter().flatten();
        let proves: BTreeSet<&str> = proves.filter_map(Value::as_str).collect();
        ROLES.into_iter().filter_map(move |role| {
            Some(Variable { kind, role, name: text(credential, role)?, proves: proves.clone() })
        })
    };
    list.flat_map(of_one).collect()
}

/// A deployment sets these: a name that is no longer read costs it its credentials.
pub fn variables(comparison: &mut Comparison<'_>, name: &str, before: Option<&Value>, now: Option<&Value>, at: &str) {
    let (old, new) = (all(before), all(now));
    let found = comparison.found.len();
    let whose = |fact: Option<&Value>| fact.and_then(|fact| text(fact, "of")).map(str::to_owned);
    if whose(before) != whose(now) && before.is_some() && now.is_some() {
        // Names begin with the venue whose keys these are.
        let message = "each name begins with another venue now";
        comparison.find("variable-renamed", name, message, at, at);
    }
    for one in &old {
        let place = format!("{name} {}", one.name);
        match new.iter().find(|other| one.is_like(other) && one.name == other.name) {
            Some(same) => {
                let lost: Vec<&str> = one.proves.difference(&same.proves).copied().collect();
                if !lost.is_empty() {
                    let message = format!("a `{}` of it no longer proves {}", one.kind, lost.join(", "));
                    comparison.find("variable-removed", &place, message, at, at);
                }
            }
            None => {
                let is_new =
                    |other: &&Variable<'_>| !old.iter().any(|one| one.is_like(other) && one.name == other.name);
                let renamed = new.iter().filter(|other| one.is_like(other) && !one.proves.is_disjoint(&other.proves));
                match renamed.filter(is_new).map(|other| other.name).next() {
                    Some(other) => {
                        let message = format!("the {} of a `{}` is read from `{other}` now", one.role, one.kind);
                        comparison.find("variable-renamed", &place, message, at, at);
                    }
                    None => {
                        let message = format!("the {} of a `{}` is not read from it any more", one.role, one.kind);
                        comparison.find("variable-removed", &place, message, at, at);
                    }
                }
            }
        }
    }
    if comparison.found.len() == found {
        comparison.find("authentication-changed", name, changed_members(name, before, now), at, at);
    }
}

/// What can be done with keys, each of which a program may rely on. Without `rotate` a key is made and the old one revoked.
const ABILITIES: [&str; 4] = ["create", "register", "edit", "enable"];

/// The life cycle of keys, and that of each of the other families.
pub fn keys(comparison: &mut Comparison<'_>, name: &str, before: Option<&Value>, now: Option<&Value>, at: &str) {
    let (old, new) = match (before, now) {
        (Some(old), Some(new)) => (old, new),
        (Some(_), None) => return comparison.find("keys-removed", name, "keys are not managed any more", at, at),
        _ => return comparison.find("keys-added", name, "keys are managed now", at, at),
    };
    let found = comparison.found.len();
    for ability in ABILITIES {
        let place = format!("{name} {ability}");
        match (old.get(ability), new.get(ability)) {
            (Some(_), None) => comparison.find("keys-removed", &place, "there is no such call any more", at, at),
            (None, Some(_)) => comparison.find("keys-added", &place, "there is such a call now", at, at),
            _ => {}
        }
    }
    let told: BTreeSet<&str> = if comparison.found.len() > found { ABILITIES.into() } else { BTreeSet::new() };
    let families = |fact| member(Some(fact), "others").into_iter().flatten().map(|(family, _)| family);
    let all: BTreeSet<&String> = families(old).chain(families(new)).collect();
    for family in all {
        let of = |fact: &'_ Value| member(Some(fact), "others").and_then(|all| all.get(family)).cloned();
        let (before, now) = (of(old), of(new));
        if before != now {
            let place = format!("{name} {family}");
            keys(comparison, &place, before.as_ref(), now.as_ref(), at);
        }
    }
    let members = [old, new].into_iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys);
    let rest: BTreeSet<&String> = members
        .filter(|key| *key != "others" && old.get(*key) != new.get(*key))
        .filter(|key| !(told.contains(key.as_str()) && (old.get(*key).is_none() || new.get(*key).is_none())))
        .collect();
    if !rest.is_empty() {
        let rest: Vec<String> = rest.into_iter().map(|key| format!("`{key}`")).collect();
        comparison.find("keys-changed", name, format!("{} changed", rest.join(", ")), at, at);
    }
}
