//! Types and their members.

use std::collections::BTreeSet;

use super::bounds::{self, Place};
use super::compare::Comparison;
use super::finding::Change;
use super::rename;
use crate::judgement::Judgement;
use crate::surface::pairs::{Direction, Pairs};
use crate::surface::{Field, Kinds, Surface, Type, TypeId, Use};

/// Compares every pair of types, each type of ours with all of the vendor's that stand for it.
pub fn compare(comparison: &mut Comparison<'_>, pairs: &Pairs) {
    let mut counted = BTreeSet::new();
    for (&(id, direction), others) in &pairs.others {
        let users = pairs.users(id, others.iter().copied(), direction);
        let place = pairs.place(id).to_owned();
        if counted.insert(id) {
            comparison.extent.fields += comparison.ours.of(id).fields.len();
        }
        let others: Vec<TypeId> = others.iter().copied().collect();
        values(comparison, id, &others, direction, &place, &users);
        members(comparison, id, &others, direction, &place, &users);
        elements(comparison, id, &others, direction, &place, &users);
    }
}

/// Members of the vendor's types, each once.
fn all_members<'a>(theirs: &'a Surface, others: &[TypeId]) -> Vec<(&'a Field, &'a Type)> {
    let mut all: Vec<(&Field, &Type)> = Vec::new();
    for id in others {
        let kind = theirs.of(*id);
        for field in &kind.fields {
            if !all.iter().any(|(known, _)| known.name == field.name) {
                all.push((field, kind));
            }
        }
    }
    all
}

fn members(
    comparison: &mut Comparison<'_>,
    id: TypeId,
    others: &[TypeId],
    direction: Direction,
    place: &str,
    users: &BTreeSet<String>,
) {
    let (ours, theirs) = (comparison.ours, comparison.theirs);
    let kind = ours.of(id);
    // An object that nobody describes, here or there, is compared no further.
    let is_described =
        |other: &&Type| !other.fields.is_empty() || theirs.knows_bodies && other.lists_members && !other.open;
    let described: Vec<&Type> = others.iter().map(|id| theirs.of(*id)).filter(is_described).collect();
    if kind.fields.is_empty() || described.is_empty() {
        return;
    }
    let all = all_members(theirs, others);
    let is_open = others.iter().any(|other| theirs.of(*other).fields.is_empty() && theirs.of(*other).kinds.is_any());
    let gone: Vec<&Field> = kind
        .fields
        .iter()
        .filter(|field| !is_open && !described.iter().any(|other| other.field(&field.name).is_some()))
        .collect();
    let new: Vec<&Field> = all
        .iter()
        .map(|(field, _)| *field)
        .filter(|field| comparison.is_unknown(id, &field.name) && kind.entries.is_none())
        .collect();
    let gone_candidates: Vec<_> = gone.iter().map(|field| rename::of(ours, field)).collect();
    let new_candidates: Vec<_> = new.iter().map(|field| rename::of(theirs, field)).collect();
    let renamed = rename::pairs(&gone_candidates, &new_candidates);
    for &(old, now) in &renamed {
        let (old, now) = (gone[old], new[now]);
        let judgement = loss(old, direction);
        let message = format!("the vendor has `{}`, which seems to be the same", now.name);
        let change = Change::RenameField { object: kind.at.clone(), from: old.name.clone(), to: now.name.clone() };
        let own = format!("{place}.{}", old.name);
        comparison.find("renamed-field", own, judgement, message, &old.at, users.clone(), Some(change));
    }
    for (index, field) in gone.iter().enumerate() {
        if renamed.iter().any(|(old, _)| *old == index) {
            continue;
        }
        let judgement = loss(field, direction);
        let message = match direction {
            Direction::Request => "the vendor does not take it any more",
            Direction::Response => "the vendor does not send it any more",
        };
        let change = Change::RemoveField { object: kind.at.clone(), name: field.name.clone() };
        let own = format!("{place}.{}", field.name);
        comparison.find("removed-field", own, judgement, message, &field.at, users.clone(), Some(change));
    }
    for (index, field) in new.iter().enumerate() {
        if renamed.iter().any(|(_, now)| *now == index) {
            continue;
        }
        new_member(comparison, kind, field, direction, place, users);
    }
    for field in &kind.fields {
        for other in &described {
            if let Some(same) = other.field(&field.name) {
                same_member(comparison, kind, field, other, same, direction, place, users);
            }
        }
    }
}

/// What it means that a member is not what it was.
fn loss(field: &Field, direction: Direction) -> Judgement {
    match direction {
        Direction::Response if field.required => Judgement::Breaking,
        Direction::Response => Judgement::Behaviour,
        Direction::Request => Judgement::Breaking,
    }
}

fn new_member(
    comparison: &mut Comparison<'_>,
    kind: &Type,
    field: &Field,
    direction: Direction,
    place: &str,
    users: &BTreeSet<String>,
) {
    let theirs = comparison.theirs;
    let what = theirs.at(field.value).kinds;
    let own = format!("{place}.{}", field.name);
    let schema = yaml_schema(theirs, field.value);
    let required = direction == Direction::Request && field.required && field.default.is_none();
    let change = Change::AddField { object: kind.at.clone(), name: field.name.clone(), schema, required };
    let (rule, judgement, message) = if required {
        ("newly-required", Judgement::Breaking, format!("requests need it ({what}), and our spec lacks it"))
    } else if direction == Direction::Request {
        ("new-field", Judgement::Addition, format!("requests may have it ({what})"))
    } else {
        ("new-field", Judgement::Addition, format!("responses have it ({what}), and its value is lost"))
    };
    comparison.find(rule, own, judgement, message, &kind.at, users.clone(), Some(change));
}

#[allow(clippy::too_many_arguments)]
fn same_member(
    comparison: &mut Comparison<'_>,
    kind: &Type,
    field: &Field,
    other: &Type,
    same: &Field,
    direction: Direction,
    place: &str,
    users: &BTreeSet<String>,
) {
    let own = format!("{place}.{}", field.name);
    let theirs = comparison.theirs;
    kinds(comparison, &own, field.value, same.value, direction, &field.at, users);
    if direction == Direction::Request {
        let place = Place { name: &own, at: &field.at, users, is_always_sent: field.required };
        bounds::compare(comparison, &place, field, same);
    }
    if same.deprecated && !field.deprecated && !mentions_end(&field.description) {
        comparison.find(
            "deprecated",
            &own,
            Judgement::Docs,
            "the vendor marks it as deprecated",
            &field.at,
            users.clone(),
            None,
        );
    }
    let knows_null = || theirs.types.iter().any(|kind| kind.nullable || kind.fields.iter().any(|f| f.value.nullable));
    if direction == Direction::Request
        && comparison.ours.nullable(field.value)
        && !theirs.nullable(same.value)
        && knows_null()
    {
        let message = "our spec says that it may be null, and the vendor refuses null";
        comparison.find("no-longer-nullable", &own, Judgement::Breaking, message, &field.at, users.clone(), None);
    }
    match direction {
        Direction::Request if same.required && !field.required && same.default.is_none() => {
            let change = Change::Require { object: kind.at.clone(), name: field.name.clone() };
            let message = "the vendor refuses requests without it";
            comparison.find(
                "newly-required",
                own,
                Judgement::Breaking,
                message,
                &field.at,
                users.clone(),
                Some(change),
            );
        }
        Direction::Request if !same.required && field.required && says_required(other) => {
            let change = Change::Release { object: kind.at.clone(), name: field.name.clone() };
            let message = "the vendor takes requests without it";
            comparison.find(
                "no-longer-required",
                own,
                Judgement::Addition,
                message,
                &field.at,
                users.clone(),
                Some(change),
            );
        }
        Direction::Response if field.required => {
            let change = || Some(Change::Release { object: kind.at.clone(), name: field.name.clone() });
            // A list or a map that is null is read as an empty one.
            let is_read = comparison.ours.at(field.value).reads_null();
            if theirs.nullable(same.value) && !comparison.ours.nullable(field.value) && !is_read {
                let message = "it is vital, and the vendor sends null: such responses are rejected";
                comparison.find(
                    "newly-nullable",
                    own,
                    Judgement::Breaking,
                    message,
                    &field.at,
                    users.clone(),
                    change(),
                );
            } else if !same.required && says_required(other) {
                let message = "it is vital, and the vendor may leave it out: such responses are rejected";
                comparison.find(
                    "newly-optional",
                    own,
                    Judgement::Breaking,
                    message,
                    &field.at,
                    users.clone(),
                    change(),
                );
            }
        }
        _ => {}
    }
}

/// Whether an object says anywhere what it must have. Many documents never do.
fn says_required(kind: &Type) -> bool {
    kind.fields.iter().any(|field| field.required)
}

/// Whether our description says already that a member goes.
fn mentions_end(description: &str) -> bool {
    let said = description.to_lowercase();
    ["deprecated", "no longer", "older", "legacy", "instead", "obsolete", "out of use"]
        .iter()
        .any(|word| said.contains(word))
}

/// The elements of lists and maps, which have no name of their own.
fn elements(
    comparison: &mut Comparison<'_>,
    id: TypeId,
    others: &[TypeId],
    direction: Direction,
    place: &str,
    users: &BTreeSet<String>,
) {
    let (ours, theirs) = (comparison.ours, comparison.theirs);
    let kind = ours.of(id);
    for other in others.iter().map(|other| theirs.of(*other)) {
        if let (Some(one), Some(same)) = (kind.items, other.items) {
            kinds(comparison, &format!("{place}[]"), one, same, direction, &ours.at(one).at, users);
        }
        if let (Some(one), Some(same)) = (kind.entries, other.entries) {
            kinds(comparison, &format!("{place}.*"), one, same, direction, &ours.at(one).at, users);
        }
        for (index, element) in kind.tuple.iter().enumerate() {
            if let Some(same) = other.tuple.get(index) {
                kinds(
                    comparison,
                    &format!("{place}[{index}]"),
                    *element,
                    *same,
                    direction,
                    &ours.at(*element).at,
                    users,
                );
            }
        }
    }
}

/// Whether two types at a place are the same JSON types.
pub(super) fn kinds(
    comparison: &mut Comparison<'_>,
    place: &str,
    one: Use,
    other: Use,
    direction: Direction,
    at: &str,
    users: &BTreeSet<String>,
) {
    let (ours, theirs) = (comparison.ours.at(one), comparison.theirs.at(other));
    let (wide, narrow) = match direction {
        Direction::Response => (ours.kinds, theirs.kinds),
        Direction::Request => (theirs.kinds, ours.kinds),
    };
    if !wide.covers(narrow) {
        if direction == Direction::Request && is_in_text(place) && are_written_alike(ours, theirs) {
            let message =
                format!("the vendor says {}, our spec {}; here both are written the same", theirs.kinds, ours.kinds);
            comparison.find("retyped-text", place, Judgement::Docs, message, at, users.clone(), None);
            return;
        }
        let is_read = direction == Direction::Response && reads(ours, theirs.kinds);
        let judgement = if is_read { Judgement::Behaviour } else { Judgement::Breaking };
        let note = if is_read { "; it is read nevertheless" } else { "" };
        let message = format!("the vendor says {}, our spec {}{note}", theirs.kinds, ours.kinds);
        // A named type is used elsewhere too: a person decides.
        let to = single(theirs.kinds).filter(|_| ours.name.is_none());
        let change = to.map(|to| Change::Retype { schema: at.to_owned(), to: to.to_owned() });
        comparison.find("retyped", place, judgement, message, at, users.clone(), change);
        return;
    }
    if let (Some(own), Some(theirs)) = (unit(ours), unit(theirs))
        && own != theirs
    {
        let message = format!("the vendor says {theirs}, our spec {own}");
        comparison.find("unit", place, Judgement::Breaking, message, at, users.clone(), None);
    }
}

/// Whether a value of these types is read although the spec does not say it: numbers and texts stand for each other.
fn reads(ours: &Type, theirs: Kinds) -> bool {
    let scalar = Kinds::STRING.or(Kinds::NUMBER).or(Kinds::INTEGER);
    let is_number = ours.kinds.has(Kinds::INTEGER) || ours.format.as_deref() == Some("decimal");
    is_number && scalar.covers(theirs)
}

/// Whether a place is a parameter, and no member of JSON.
fn is_in_text(place: &str) -> bool {
    place.ends_with([')', ']']) && place.contains('(') && !place.contains(").")
}

/// Whether the values of two types are the same text in a query or a form: `5` and `\"5\"`.
fn are_written_alike(ours: &Type, theirs: &Type) -> bool {
    let number = Kinds::NUMBER.or(Kinds::INTEGER);
    let scalar = number.or(Kinds::STRING).or(Kinds::BOOLEAN);
    let is_decimal = ours.format.as_deref() == Some("decimal");
    if theirs.kinds == Kinds::STRING {
        scalar.covers(ours.kinds)
    } else {
        is_decimal && theirs.kinds.has(Kinds::NUMBER)
    }
}

fn single(kinds: Kinds) -> Option<&'static str> {
    let mut names = kinds.names();
    names.next().filter(|_| names.next().is_none())
}

/// How a time is written, where a document says it.
fn unit(kind: &Type) -> Option<&str> {
    let known = ["date-time", "date", "unix-s", "unix-ms", "unix-us", "unix-ns"];
    kind.format.as_deref().filter(|format| known.contains(format))
}

fn values(
    comparison: &mut Comparison<'_>,
    id: TypeId,
    others: &[TypeId],
    direction: Direction,
    place: &str,
    users: &BTreeSet<String>,
) {
    let (ours, theirs) = (comparison.ours, comparison.theirs);
    let kind = ours.of(id);
    let Some(own) = &kind.values else { return };
    let lists: Vec<&BTreeSet<String>> = others.iter().filter_map(|other| theirs.of(*other).values.as_ref()).collect();
    if lists.len() < others.len() {
        // Somewhere the vendor lists no values: all are allowed.
        if lists.is_empty() {
            return;
        }
    } else {
        for gone in own.iter().filter(|value| !value.is_empty() && is_gone(value, own, &lists)) {
            let judgement = if direction == Direction::Request { Judgement::Breaking } else { Judgement::Behaviour };
            let message = if lists.iter().any(|list| list.contains(gone)) {
                format!("one of the vendor's lists lacks `{gone}`, others have it")
            } else {
                format!("the vendor does not list `{gone}` any more")
            };
            let change = Change::RemoveValue { schema: kind.at.clone(), value: gone.clone() };
            comparison.find(
                "removed-value",
                format!("{place}={gone}"),
                judgement,
                message,
                &kind.at,
                users.clone(),
                Some(change),
            );
        }
    }
    let mut new: BTreeSet<&String> = lists.into_iter().flatten().collect();
    // An empty text stands for no value.
    new.retain(|value| !own.contains(*value) && !value.is_empty());
    for value in new {
        let (judgement, note) = match direction {
            Direction::Request => (Judgement::Addition, "requests may have it"),
            Direction::Response if kind.closed => (Judgement::Breaking, "our spec says that the set is closed"),
            Direction::Response => (Judgement::Behaviour, "responses arrive with an unknown value"),
        };
        let message = format!("the vendor lists `{value}`: {note}");
        let change = Change::AddValue { schema: kind.at.clone(), value: value.clone() };
        comparison.find(
            "new-value",
            format!("{place}={value}"),
            judgement,
            message,
            &kind.at,
            users.clone(),
            Some(change),
        );
    }
}

/// Whether a value is in none of the vendor's lists, or one of them has all others: it is used where others keep the value.
fn is_gone(value: &str, own: &BTreeSet<String>, lists: &[&BTreeSet<String>]) -> bool {
    let others = own.iter().filter(|other| *other != value && !other.is_empty());
    let has_all_others = |list: &&&BTreeSet<String>| others.clone().all(|other| list.contains(other));
    let lacks = || lists.iter().filter(|list| !list.contains(value));
    lacks().count() == lists.len() || own.len() > 1 && lacks().any(|list| has_all_others(&list))
}

/// A schema in one line of YAML, for a person to improve.
pub(super) fn yaml_schema(theirs: &Surface, value: Use) -> String {
    fn write(theirs: &Surface, value: Use, depth: usize) -> String {
        let kind = theirs.at(value);
        if let Some(items) = kind.items.filter(|_| depth < 3) {
            return format!("{{ type: array, items: {} }}", write(theirs, items, depth + 1));
        }
        if let Some(entries) = kind.entries.filter(|_| depth < 3) {
            return format!("{{ type: object, additionalProperties: {} }}", write(theirs, entries, depth + 1));
        }
        let mut parts = Vec::new();
        match single(kind.kinds) {
            Some("object") => return "{ type: object, additionalProperties: true }".to_owned(),
            Some(name) => parts.push(format!("type: {name}")),
            None => {}
        }
        if let Some(unit) = unit(kind) {
            parts.push(format!("format: {unit}"));
        }
        if let Some(values) = &kind.values {
            let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            parts.push(format!("enum: [{}]", values.join(", ")));
        }
        if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
    }
    write(theirs, value, 0)
}

/// A value as YAML text.
pub(super) fn quoted(value: &str) -> String {
    let is_plain = !value.is_empty()
        && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && value.starts_with(|c: char| c.is_ascii_alphabetic())
        && !matches!(
            value.to_lowercase().as_str(),
            "yes" | "no" | "on" | "off" | "true" | "false" | "null" | "y" | "n"
        );
    if is_plain { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}
