//! Types and their members.

use std::collections::BTreeSet;

use super::compare::{Comparison, changed, or_nothing};
use crate::drift::rename;
use crate::surface::pairs::{Direction, Pairs};
use crate::surface::{Field, Kinds, Surface, Type, TypeId, Use};

/// Bounds of which a larger one allows more; of the others a smaller one does.
const LARGER_ALLOWS_MORE: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];

/// Compares every pair of types.
pub fn compare(comparison: &mut Comparison<'_>, pairs: &Pairs) {
    let mut named = BTreeSet::new();
    for (&(id, direction), others) in &pairs.others {
        for &other in others {
            let users = pairs.users(id, [other], direction);
            let (old, new) = (comparison.old.of(id), comparison.new.of(other));
            let place = new.name.clone().unwrap_or_else(|| pairs.place(id).to_owned());
            if let (Some(before), Some(now)) = (&old.name, &new.name)
                && before != now
                && named.insert((before.clone(), now.clone()))
                && !still_used(comparison.new, before)
            {
                let message = format!("it is called `{now}` now");
                comparison.find_for("type-renamed", before, message, (&old.at, &new.at), users.clone());
            }
            values(comparison, old, new, direction, &place, &users);
            limits(comparison, old, new, direction, &place, &users);
            if old.description != new.description && new.name.is_some() {
                let message = "its description says something else";
                comparison.find_for("description-changed", &place, message, (&old.at, &new.at), users.clone());
            }
            if direction == Direction::Response && sorted(&old.one_of) != sorted(&new.one_of) {
                let message =
                    format!("one of [{}] must be there, before [{}]", new.one_of.join(", "), old.one_of.join(", "));
                comparison.find_for("vital-set-changed", &place, message, (&old.at, &new.at), users.clone());
            }
            other_words(comparison, old, new, &place, &users);
            members(comparison, (id, other), direction, &place, &users);
            elements(comparison, old, new, direction, &place, &users);
        }
    }
}

/// Whether members that nobody describes are kept, and our words without a rule of their own.
fn other_words(comparison: &mut Comparison<'_>, old: &Type, new: &Type, place: &str, users: &BTreeSet<String>) {
    let places = (old.at.as_str(), new.at.as_str());
    let rule = match (old.open, new.open) {
        (false, true) => Some(("object-opened", "members that it does not describe are kept now")),
        (true, false) => Some(("object-closed", "members that it does not describe are lost now")),
        _ => None,
    };
    if let Some((rule, message)) = rule.filter(|_| new.kinds.has(Kinds::OBJECT)) {
        comparison.find_for(rule, place, message, places, users.clone());
    }
    let names: BTreeSet<&String> = old.words.keys().chain(new.words.keys()).collect();
    for name in names {
        let (before, now) = (old.words.get(name), new.words.get(name));
        if before != now {
            comparison.find_for("other-change", place, changed(name, before, now), places, users.clone());
        }
    }
}

/// Two names of a member in Rust.
pub(super) fn renamed_in_rust(old: &Field, new: &Field) -> String {
    let name = |field: &Field| field.rust_name.clone().unwrap_or_else(|| field.name.clone());
    format!("it is `{}` in Rust now, before `{}`", name(new), name(old))
}

fn sorted(names: &[String]) -> BTreeSet<&String> {
    names.iter().collect()
}

fn still_used(surface: &Surface, name: &str) -> bool {
    surface.types.iter().any(|kind| kind.name.as_deref() == Some(name))
}

/// Which of the members that are gone are there under another name.
pub(super) fn renamed(comparison: &Comparison<'_>, gone: &[&Field], fresh: &[&Field]) -> Vec<(usize, usize)> {
    let gone: Vec<_> = gone.iter().map(|field| rename::of(comparison.old, field)).collect();
    let fresh: Vec<_> = fresh.iter().map(|field| rename::of(comparison.new, field)).collect();
    rename::pairs(&gone, &fresh)
}

fn members(
    comparison: &mut Comparison<'_>,
    (id, other): (TypeId, TypeId),
    direction: Direction,
    place: &str,
    users: &BTreeSet<String>,
) {
    let (old, new) = (comparison.old.of(id), comparison.new.of(other));
    let side = if direction == Direction::Request { "request" } else { "response" };
    let gone: Vec<&Field> = old.fields.iter().filter(|field| new.field(&field.name).is_none()).collect();
    let fresh: Vec<&Field> = new.fields.iter().filter(|field| old.field(&field.name).is_none()).collect();
    let renamed = renamed(comparison, &gone, &fresh);
    for (index, field) in gone.iter().enumerate() {
        let own = format!("{place}.{}", field.name);
        match renamed.iter().find(|(old, _)| *old == index) {
            Some((_, to)) => {
                let to = fresh[*to];
                let message = format!("it seems to be `{}` now", to.name);
                comparison.find_for(
                    &format!("{side}-field-renamed"),
                    &own,
                    message,
                    (&field.at, &to.at),
                    users.clone(),
                );
            }
            None => comparison.find_for(
                &format!("{side}-field-removed"),
                &own,
                "it is gone",
                (&field.at, ""),
                users.clone(),
            ),
        }
    }
    for (index, field) in fresh.iter().enumerate() {
        if renamed.iter().any(|(_, to)| *to == index) {
            continue;
        }
        let is_required = direction == Direction::Request && field.required;
        let rule = if is_required { "required-request-field-added".to_owned() } else { format!("{side}-field-added") };
        let message = if is_required { "it is new, and requests need it" } else { "it is new" };
        comparison.find_for(&rule, &format!("{place}.{}", field.name), message, ("", &field.at), users.clone());
    }
    for field in &old.fields {
        if let Some(same) = new.field(&field.name) {
            same_member(comparison, field, same, direction, place, users);
        }
    }
}

fn same_member(
    comparison: &mut Comparison<'_>,
    old: &Field,
    new: &Field,
    direction: Direction,
    place: &str,
    users: &BTreeSet<String>,
) {
    let own = format!("{place}.{}", new.name);
    let places = (old.at.as_str(), new.at.as_str());
    let is_request = direction == Direction::Request;
    let rule = match (is_request, old.required, new.required) {
        (true, false, true) => Some(("request-field-newly-required", "requests need it now")),
        (true, true, false) => Some(("request-field-no-longer-required", "it may be left out now")),
        (false, false, true) => Some(("response-field-newly-vital", "responses without it are rejected now")),
        (false, true, false) => Some(("response-field-no-longer-vital", "responses may lack it now")),
        _ => None,
    };
    if let Some((rule, message)) = rule {
        comparison.find_for(rule, &own, message, places, users.clone());
    }
    let (before, now) = (comparison.old.nullable(old.value), comparison.new.nullable(new.value));
    // An optional member of a response may be null in any case.
    let counts = is_request || (old.required && new.required);
    let rule = match (is_request, before, now) {
        _ if !counts => None,
        (true, false, true) => Some(("request-newly-nullable", "it may be null now")),
        (true, true, false) => Some(("request-no-longer-nullable", "it may not be null any more")),
        (false, false, true) => Some(("response-newly-nullable", "it may be null now")),
        (false, true, false) => Some(("response-no-longer-nullable", "it may not be null any more")),
        _ => None,
    };
    if let Some((rule, message)) = rule {
        comparison.find_for(rule, &own, message, places, users.clone());
    }
    match (old.deprecated, new.deprecated) {
        (false, true) => {
            comparison.find_for("field-deprecated", &own, "it is going to be removed", places, users.clone());
        }
        (true, false) => comparison.find_for("field-not-deprecated", &own, "it stays", places, users.clone()),
        _ => {}
    }
    if old.rust_name != new.rust_name {
        let message = renamed_in_rust(old, new);
        comparison.find_for("rust-name-changed", &own, message, places, users.clone());
    }
    if is_request && old.default != new.default {
        let message =
            format!("left out, it counts as {}, before {}", or_nothing(&new.default), or_nothing(&old.default));
        comparison.find_for("default-changed", &own, message, places, users.clone());
    }
    if old.description != new.description {
        comparison.find_for("description-changed", &own, "its description says something else", places, users.clone());
    }
    at(comparison, &own, (old.value, new.value), direction, places, users);
}

fn elements(
    comparison: &mut Comparison<'_>,
    old: &Type,
    new: &Type,
    direction: Direction,
    place: &str,
    users: &BTreeSet<String>,
) {
    let places = (old.at.as_str(), new.at.as_str());
    for (step, one, other) in [("[]", old.items, new.items), (".*", old.entries, new.entries)] {
        match (one, other) {
            (Some(one), Some(other)) => {
                at(comparison, &format!("{place}{step}"), (one, other), direction, places, users)
            }
            (None, None) => {}
            (one, _) => {
                let rule =
                    if direction == Direction::Request { "request-type-changed" } else { "response-type-changed" };
                let message =
                    if one.is_some() { "its elements are described no more" } else { "its elements are described now" };
                comparison.find_for(rule, &format!("{place}{step}"), message, places, users.clone());
            }
        }
    }
    for (index, (one, other)) in old.tuple.iter().zip(&new.tuple).enumerate() {
        at(comparison, &format!("{place}[{index}]"), (*one, *other), direction, places, users);
    }
}

/// The JSON type and the format at a place.
pub(super) fn at(
    comparison: &mut Comparison<'_>,
    place: &str,
    (one, other): (Use, Use),
    direction: Direction,
    places: (&str, &str),
    users: &BTreeSet<String>,
) {
    let (old, new) = (comparison.old.at(one), comparison.new.at(other));
    let side = if direction == Direction::Request { "request" } else { "response" };
    if old.kinds != new.kinds || old.tuple.len() != new.tuple.len() {
        let message = format!("it is {} now, before {}", new.kinds, old.kinds);
        comparison.find_for(&format!("{side}-type-changed"), place, message, places, users.clone());
        return;
    }
    if old.format != new.format {
        let is_time = |kind: &Type| {
            kind.format.as_deref().is_some_and(|format| format.starts_with("unix-") || format == "date-time")
        };
        let rule =
            if is_time(old) && is_time(new) { "unit-changed".to_owned() } else { format!("{side}-format-changed") };
        let message = format!("its format is {} now, before {}", or_nothing(&new.format), or_nothing(&old.format));
        comparison.find_for(&rule, place, message, places, users.clone());
    }
    // A text that was none of a few words.
    if new.kinds == Kinds::STRING && old.values.is_some() != new.values.is_some() {
        let (rule, message) = match new.values {
            Some(_) => ("enum-introduced", "it has a list of values now"),
            None => ("enum-dropped", "it may be any text now"),
        };
        comparison.find_for(rule, place, message, places, users.clone());
    }
}

fn values(
    comparison: &mut Comparison<'_>,
    old: &Type,
    new: &Type,
    direction: Direction,
    place: &str,
    users: &BTreeSet<String>,
) {
    let (Some(before), Some(now)) = (&old.values, &new.values) else { return };
    let side = if direction == Direction::Request { "request" } else { "response" };
    let places = (old.at.as_str(), new.at.as_str());
    for gone in before.difference(now) {
        let message = format!("the value `{gone}` is gone");
        comparison.find_for(
            &format!("{side}-value-removed"),
            &format!("{place}={gone}"),
            message,
            places,
            users.clone(),
        );
    }
    for fresh in now.difference(before) {
        let message = format!("the value `{fresh}` is new");
        comparison.find_for(
            &format!("{side}-value-added"),
            &format!("{place}={fresh}"),
            message,
            places,
            users.clone(),
        );
    }
    // A call is given the values that are listed in any case, a channel others too, where the enum is not closed.
    let of_channel = users.iter().any(|user| user.starts_with("channel "));
    if old.closed != new.closed && (direction == Direction::Response || of_channel) {
        let (rule, message) = match (direction, new.closed) {
            (Direction::Response, true) => ("enum-closed", "responses with another value are rejected now"),
            (Direction::Response, false) => ("enum-opened", "responses may have other values now"),
            (Direction::Request, true) => ("enum-closed", "a subscription takes no other value now"),
            (Direction::Request, false) => ("enum-opened", "a subscription may be given other values now"),
        };
        comparison.find_for(rule, place, message, places, users.clone());
    }
}

fn limits(
    comparison: &mut Comparison<'_>,
    old: &Type,
    new: &Type,
    direction: Direction,
    place: &str,
    users: &BTreeSet<String>,
) {
    let words: BTreeSet<&String> = old.limits.keys().chain(new.limits.keys()).collect();
    for word in words {
        let (before, now) = (old.limits.get(word), new.limits.get(word));
        if before == now {
            continue;
        }
        let number = |limit: Option<&String>| limit.and_then(|limit| limit.parse::<f64>().ok());
        let rule = match (direction, number(before), number(now)) {
            (Direction::Response, _, _) => "response-limit-changed",
            (_, Some(_), None) if now.is_none() => "request-limit-loosened",
            (_, None, Some(_)) if before.is_none() => "request-limit-tightened",
            (_, Some(before), Some(now)) => {
                if (now > before) == LARGER_ALLOWS_MORE.contains(&word.as_str()) {
                    "request-limit-loosened"
                } else {
                    "request-limit-tightened"
                }
            }
            _ => "request-pattern-changed",
        };
        let owned = |limit: Option<&String>| or_nothing(&limit.cloned());
        let message = format!("{word} is {} now, before {}", owned(now), owned(before));
        comparison.find_for(rule, place, message, (&old.at, &new.at), users.clone());
    }
}
