//! Every word of the real specs, altered and taken away: none of them may change without a word of `diff`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::compare::compare;
use crate::codegen::venues;
use crate::document::{Document, STREAMS};
use crate::source::{holds_properties, step};
use crate::surface::ours;
use crate::tests::root;

/// Words that only lint and other tools read: no table has them.
const NOT_IN_A_TABLE: [&str; 3] = ["x-not-id", "x-not-secret", "x-control"];

/// Words whose members have names of the venue's, so that one member stands for all.
const MAPS: [&str; 7] =
    ["x-buckets", "x-client-headers", "x-login", "x-logins", "x-parameters", "x-query", "x-signatures"];

/// Members of one object that are tried: enough of those that list codes.
const SIBLINGS: usize = 12;

/// How far below a word its members are tried.
const DEEPEST: usize = 2;

/// Places that say the same kind of thing, by what kind that is; each is a pointer into the document.
type Places = BTreeMap<String, Vec<String>>;

/// Where a word may stand, with the names of the venue taken out.
fn holder(pointer: &str) -> &'static str {
    let inner = pointer.strip_prefix(&format!("/{STREAMS}")).unwrap_or(pointer);
    let parts: Vec<&str> = inner.split('/').skip(1).collect();
    match (inner.len() < pointer.len(), parts.as_slice()) {
        (_, []) => "root",
        (_, ["servers", _]) => "server",
        (true, ["channels", _]) => "channel",
        (true, ["channels", _, "parameters", _]) => "address parameter",
        (true, ["messages", _]) => "message",
        (_, ["components", "securitySchemes", _] | ["x-security-schemes", _]) => "scheme",
        (_, ["paths", _, _] | ["methods", _]) => "operation",
        (_, ["methods", _, "params", _] | ["paths", _, _, "parameters", _] | ["components", "parameters", _]) => {
            "parameter"
        }
        _ => "schema",
    }
}

fn collect(pointer: &str, value: &Value, places: &mut Places) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| collect(&step(pointer, &i.to_string()), item, places));
        }
        Value::Object(map) => {
            let holds_names = holds_properties(pointer);
            for (key, inner) in map {
                let below = step(pointer, key);
                let is_streams = pointer.is_empty() && key == STREAMS;
                if key.starts_with("x-") && !holds_names && !is_streams {
                    if !NOT_IN_A_TABLE.contains(&key.as_str()) {
                        members(&below, inner, format!("{} {key}", holder(pointer)), MAPS.contains(&&**key), 0, places);
                    }
                } else if !matches!(key.as_str(), "example" | "examples" | "enum" | "default") || holds_names {
                    collect(&below, inner, places);
                }
            }
        }
        _ => {}
    }
}

/// A word or a member of it, and what is below.
fn members(pointer: &str, value: &Value, kind: String, is_map: bool, depth: usize, places: &mut Places) {
    match value {
        Value::Object(map) if depth < DEEPEST => {
            for (key, inner) in map.iter().take(SIBLINGS).filter(|(key, _)| !key.ends_with("schema") && *key != "$ref")
            {
                let below = if is_map { format!("{kind} *") } else { format!("{kind} {key}") };
                members(&step(pointer, key), inner, below, false, depth + usize::from(!is_map), places);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().take(SIBLINGS).enumerate().filter(|(_, item)| item.is_object()) {
                members(&step(pointer, &i.to_string()), item, format!("{kind} *"), false, depth, places);
            }
        }
        _ => {}
    }
    places.entry(kind).or_default().push(pointer.to_owned());
}

/// Another value of the same JSON type; none where only taking it away changes it.
fn altered(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(flag) => Some((!flag).into()),
        Value::Number(number) => Some((number.as_f64()? + 1.0).into()),
        Value::String(text) => Some(format!("{text}x").into()),
        _ => None,
    }
}

/// A copy with the root's words and the one operation or channel that a pointer leads into, and the pointer into the copy. What is
/// compared is the whole of a document, so that a small one is fast. Schemas are compared as far as something uses them.
fn pruned(document: &Document, pointer: &str) -> (Value, String) {
    let mut value = document.value.clone();
    let parts: Vec<String> = pointer.split('/').skip(1).map(crate::source::unescaped).collect();
    // What the root says of who may call holds for operations.
    let of_operations = parts[0] == "x-security";
    if of_operations || holder(pointer.rsplit_once("/x-").map_or(pointer, |(at, _)| at)) == "schema" {
        return (value, pointer.to_owned());
    }
    let mut moved = pointer.to_owned();
    let is_below = |section: &[&str]| parts.iter().zip(section).all(|(part, name)| part == name);
    let kept = |section: &[&str]| parts.get(section.len()).filter(|_| is_below(section)).cloned();
    for section in [vec!["paths"], vec![STREAMS, "channels"]] {
        let kept = kept(&section);
        let at = section.iter().fold(String::new(), |at, part| step(&at, part));
        if let Some(Value::Object(all)) = value.pointer_mut(&at) {
            // A message is compared where a channel has it.
            let uses = |channel: &Value| {
                parts.get(1).is_some_and(|part| part == "messages")
                    && section.len() > 1
                    && channel.to_string().contains(&format!("/messages/{}\"", parts[2]))
            };
            all.retain(|name, item| kept.as_ref() == Some(name) || uses(item));
        }
    }
    if let Some(Value::Array(all)) = value.get_mut("methods") {
        let index = kept(&["methods"]).and_then(|index| index.parse::<usize>().ok());
        *all = index.map(|index| all[index].clone()).into_iter().collect();
        if let Some(index) = index {
            moved = format!("/methods/0{}", &pointer[format!("/methods/{index}").len()..]);
        }
    }
    (value, moved)
}

/// Alters one value or takes it away.
fn change(value: &mut Value, pointer: &str, to: Option<Value>) {
    let (holder, key) = pointer.rsplit_once('/').unwrap();
    let key = crate::source::unescaped(key);
    match (value.pointer_mut(holder).unwrap(), to) {
        (Value::Object(map), Some(to)) => _ = map.insert(key, to),
        (Value::Object(map), None) => _ = map.remove(&key),
        (Value::Array(list), Some(to)) => list[key.parse::<usize>().unwrap()] = to,
        (Value::Array(list), None) => _ = list.remove(key.parse().unwrap()),
        _ => unreachable!("the holder of a value is an object or a list"),
    }
}

/// Whether `diff` says anything; nothing where the value cannot be altered.
fn is_seen(document: &Document, pointer: &str, removed: bool) -> Option<bool> {
    let to = if removed { None } else { Some(altered(document.value.pointer(pointer).unwrap())?) };
    let (mut value, pointer) = pruned(document, pointer);
    let surface = |value: &Value| ours::surface(&document.derived(document.kind, value.clone()));
    let before = surface(&value);
    change(&mut value, &pointer, to);
    Some(!compare(&before, &surface(&value)).is_empty())
}

#[test]
fn no_word_changes_unseen() {
    let mut documents: Vec<Document> = venues(&root()).iter().map(|v| Document::read(&root(), v).unwrap()).collect();
    // Each kind of place is tried in the smallest spec that has it.
    documents.sort_by_key(|document| document.value.to_string().len());
    let (mut seen, mut unseen) = (BTreeSet::new(), BTreeMap::new());
    for document in &documents {
        let mut places = Places::new();
        collect("", &document.value, &mut places);
        for (kind, all) in places {
            // A schema's word may say nothing where the schema is used: the values of a request are closed in any case.
            let enough = if kind.starts_with("schema ") { 6 } else { 1 };
            for removed in [true, false] {
                let trial = (kind.clone(), removed);
                if seen.contains(&trial) || unseen.contains_key(&trial) && enough == 1 {
                    continue;
                }
                let verdicts: Vec<bool> =
                    all.iter().take(enough).filter_map(|at| is_seen(document, at, removed)).collect();
                if verdicts.contains(&true) {
                    unseen.remove(&trial);
                    seen.insert(trial);
                } else if !verdicts.is_empty() {
                    unseen.insert(trial, format!("{} {}", document.venue, all[0]));
                }
            }
        }
    }
    assert!(unseen.is_empty(), "{unseen:#?}");
    assert!(seen.len() > 500, "too few places: {}", seen.len());
}
