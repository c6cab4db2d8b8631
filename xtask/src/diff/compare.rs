//! Two states of our own spec, in users' terms.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rules::Rule;
use super::{streams, types, venue};
use crate::surface::pairs::{Direction, Pairs, Root};
use crate::surface::{Field, Notation, Operation, Parameter, Surface, Use};

/// One change.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its kind.
    pub rule: &'static Rule,
    /// What it is about.
    pub place: String,
    /// What changed.
    pub message: String,
    /// Where the new state says it; empty for what is gone.
    pub at: String,
    /// Where the old state said it; empty for what is new.
    pub was: String,
    /// Operations and channels that it is part of.
    pub users: BTreeSet<String>,
}

impl Change {
    /// A change of a venue as a whole.
    pub fn of_venue(rule: &str, venue: &str) -> Self {
        let (message, empty) = (format!("specs/{venue}"), String::new);
        let rule = Rule::named(rule);
        Self { rule, place: venue.to_owned(), message, at: empty(), was: empty(), users: BTreeSet::new() }
    }
}

/// A comparison that is being made.
pub struct Comparison<'a> {
    pub(super) old: &'a Surface,
    pub(super) new: &'a Surface,
    pub(super) found: Vec<Change>,
    pub(super) roots: Vec<Root>,
}

/// Every change from one state to another.
pub fn compare(old: &Surface, new: &Surface) -> Vec<Change> {
    let mut comparison = Comparison { old, new, found: Vec::new(), roots: Vec::new() };
    operations(&mut comparison);
    streams::channels(&mut comparison);
    venue::facts(&mut comparison);
    let pairs = Pairs::of(old, new, &comparison.roots);
    types::compare(&mut comparison, &pairs);
    let mut found = comparison.found;
    found.sort_by(|one, other| {
        let key =
            |change: &Change| (change.rule.overall(), change.rule.name, change.place.clone(), change.message.clone());
        let (one, other) = (key(one), key(other));
        other.0.cmp(&one.0).then_with(|| (one.1, one.2, one.3).cmp(&(other.1, other.2, other.3)))
    });
    found.dedup_by(|later, first| {
        let same = later.rule.name == first.rule.name && later.place == first.place && later.message == first.message;
        if same {
            first.users.append(&mut later.users);
        }
        same
    });
    found
}

impl Comparison<'_> {
    /// Adds a change. `was` and `at` are pointers into the old and the new document.
    pub(super) fn find(&mut self, rule: &str, place: &str, message: impl Into<String>, was: &str, at: &str) {
        let users = BTreeSet::new();
        self.find_for(rule, place, message, (was, at), users);
    }

    pub(super) fn find_for(
        &mut self,
        rule: &str,
        place: &str,
        message: impl Into<String>,
        (was, at): (&str, &str),
        users: BTreeSet<String>,
    ) {
        self.found.push(Change {
            rule: Rule::named(rule),
            place: place.to_owned(),
            message: message.into(),
            at: at.to_owned(),
            was: was.to_owned(),
            users,
        });
    }
}

fn operations(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    let named = |surface: &'_ Surface, name: &str| surface.operations.values().any(|operation| operation.name == name);
    for (key, operation) in &old.operations {
        if let Some(same) = new.operations.get(key) {
            one(comparison, operation, same);
        } else if let Some(same) = new.operations.values().find(|other| other.name == operation.name) {
            let message = format!("`{}` is `{}` now", operation.call, same.call);
            comparison.find("operation-moved", &operation.name, message, &operation.at, &same.at);
            one(comparison, operation, same);
        } else {
            comparison.find(
                "operation-removed",
                &operation.name,
                format!("`{}` is gone", operation.call),
                &operation.at,
                "",
            );
        }
    }
    for (key, operation) in &new.operations {
        if !old.operations.contains_key(key) && !named(old, &operation.name) {
            comparison.find(
                "operation-added",
                &operation.name,
                format!("`{}` is new", operation.call),
                "",
                &operation.at,
            );
        }
    }
}

fn one(comparison: &mut Comparison<'_>, old: &Operation, new: &Operation) {
    let place = new.name.as_str();
    let (was, at) = (old.at.as_str(), new.at.as_str());
    if old.name != new.name {
        comparison.find("operation-renamed", &old.name, format!("it is called `{}` now", new.name), was, at);
    }
    match (old.deprecated, new.deprecated) {
        (false, true) => comparison.find("operation-deprecated", place, "it is going to be removed", was, at),
        (true, false) => comparison.find("operation-not-deprecated", place, "it stays", was, at),
        _ => {}
    }
    if old.description != new.description {
        comparison.find("description-changed", place, "its description says something else", was, at);
    }
    if let (Some(before), Some(now)) = (&old.success, &new.success)
        && before != now
    {
        comparison.find("status-changed", place, format!("a good response has {now}, before {before}"), was, at);
    }
    facts(comparison, old, new);
    if old.form != new.form && old.body.is_some() && new.body.is_some() {
        let format = |form: bool| if form { "a form" } else { "JSON" };
        let message = format!("the body is {} now, before {}", format(new.form), format(old.form));
        comparison.find("request-body-format-changed", place, message, was, at);
    }
    parameters(comparison, place, was, at, &old.parameters, &new.parameters);
    body(comparison, old, new, (old.body, new.body), Direction::Request);
    body(comparison, old, new, (old.result, new.result), Direction::Response);
}

fn body(
    comparison: &mut Comparison<'_>,
    old: &Operation,
    new: &Operation,
    (one, other): (Option<Use>, Option<Use>),
    direction: Direction,
) {
    let place = new.name.as_str();
    let which = if direction == Direction::Request { "request" } else { "response" };
    match (one, other) {
        (Some(one), Some(other)) => {
            let name = format!("{place} {which}");
            types::at(
                comparison,
                &name,
                (one, other),
                direction,
                (&old.at, &new.at),
                &BTreeSet::from([place.to_owned()]),
            );
            comparison.roots.push(Root { one, other, direction, user: place.to_owned(), place: name });
        }
        (None, Some(_)) => comparison.find(
            &format!("{which}-body-added"),
            place,
            format!("the {which} has a body now"),
            &old.at,
            &new.at,
        ),
        (Some(_), None) => {
            comparison.find(
                &format!("{which}-body-removed"),
                place,
                format!("the {which} has no body any more"),
                &old.at,
                &new.at,
            );
        }
        (None, None) => {}
    }
}

/// Our words of an operation.
fn facts(comparison: &mut Comparison<'_>, old: &Operation, new: &Operation) {
    let names: BTreeSet<&String> = old.facts.keys().chain(new.facts.keys()).collect();
    for name in names {
        let (before, now) = (old.facts.get(name), new.facts.get(name));
        if before == now {
            continue;
        }
        let rule = match name.as_str() {
            "security" => match (old.signed, new.signed) {
                (Some(false), Some(true)) => "credential-newly-needed",
                (Some(true), Some(false)) => "credential-no-longer-needed",
                _ => "credential-changed",
            },
            "x-scope" => "scope-changed",
            "x-retry" => retry(before, now),
            "x-method" if now.is_none() => "websocket-removed",
            "x-connection" if is_only(now) && !is_only(before) => "http-removed",
            "x-rate" => "cost-changed",
            "x-reconcile" => "reconcile-changed",
            "x-page" if before.is_none() => "pages-added",
            "x-page" if now.is_none() => "pages-removed",
            "x-page" => "pages-changed",
            _ => "other-change",
        };
        comparison.find(rule, &new.name, changed(name, before, now), &old.at, &new.at);
    }
}

/// What another retry class means. A write that is repeated from now on may be executed twice, and so may one that has lost its key.
fn retry(before: Option<&Value>, now: Option<&Value>) -> &'static str {
    let is_safe = |word: Option<&Value>| word.and_then(Value::as_str) == Some("safe");
    let is_keyed = |word: Option<&Value>| word.is_some_and(|word| word.get("keyed").is_some());
    if is_keyed(before) && !is_keyed(now) {
        "retry-no-longer-keyed"
    } else if is_safe(now) && !is_safe(before) {
        "retry-newly-safe"
    } else {
        "retry-changed"
    }
}

/// Whether there is a call over a WebSocket alone.
fn is_only(word: Option<&Value>) -> bool {
    word.and_then(|word| word.get("only")) == Some(&Value::Bool(true))
}

/// How a fact changed, in a few words.
pub(super) fn changed(name: &str, before: Option<&Value>, now: Option<&Value>) -> String {
    match (before, now) {
        (None, Some(now)) => said(now).map_or_else(|| format!("{name} is new"), |now| format!("{name} is new: {now}")),
        (Some(before), None) => {
            said(before).map_or_else(|| format!("{name} is gone"), |before| format!("{name} is gone, before {before}"))
        }
        _ => match (now.and_then(said), before.and_then(said)) {
            (Some(now), Some(before)) => format!("{name} is {now} now, before {before}"),
            _ => format!("{name} changed"),
        },
    }
}

/// A value, unless it is too long for a line.
fn said(value: &Value) -> Option<String> {
    /// Longer ones are looked up in the spec.
    const LONGEST: usize = 80;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (text.len() <= LONGEST).then(|| format!("`{text}`"))
}

/// Parameters of an operation or a channel.
pub(super) fn parameters(
    comparison: &mut Comparison<'_>,
    place: &str,
    was: &str,
    at: &str,
    old: &[Parameter],
    new: &[Parameter],
) {
    let positional = |list: &'_ [Parameter]| -> Vec<Parameter> {
        list.iter().filter(|parameter| parameter.place == "path").cloned().collect()
    };
    // A path's parameters are what stands in its places, whatever they are called.
    for (before, now) in positional(old).iter().zip(&positional(new)) {
        if before.field.name != now.field.name {
            let message = format!("`{}` is called `{}` now", before.field.name, now.field.name);
            let own = format!("{place}({})", before.field.name);
            comparison.find("path-parameter-renamed", &own, message, &before.field.at, &now.field.at);
        }
        same_parameter(comparison, place, before, now);
    }
    let named = |list: &'_ [Parameter]| -> Vec<Parameter> {
        list.iter().filter(|parameter| parameter.place != "path").cloned().collect()
    };
    let (old, new) = (named(old), named(new));
    let gone: Vec<&Parameter> =
        old.iter().filter(|one| !new.iter().any(|other| other.field.name == one.field.name)).collect();
    let fresh: Vec<&Parameter> =
        new.iter().filter(|one| !old.iter().any(|other| other.field.name == one.field.name)).collect();
    let renamed = types::renamed(
        comparison,
        &gone.iter().map(|one| &one.field).collect::<Vec<_>>(),
        &fresh.iter().map(|one| &one.field).collect::<Vec<_>>(),
    );
    for (index, one) in gone.iter().enumerate() {
        let own = format!("{place}({})", one.field.name);
        match renamed.iter().find(|(old, _)| *old == index) {
            Some((_, to)) => {
                let to = &fresh[*to].field;
                comparison.find(
                    "parameter-renamed",
                    &own,
                    format!("it seems to be `{}` now", to.name),
                    &one.field.at,
                    &to.at,
                );
            }
            None => comparison.find("parameter-removed", &own, "it is gone", &one.field.at, at),
        }
    }
    for (_, one) in fresh.iter().enumerate().filter(|(index, _)| !renamed.iter().any(|(_, to)| to == index)) {
        let rule = if one.field.required { "required-parameter-added" } else { "parameter-added" };
        let message = if one.field.required { "it is new, and calls need it" } else { "it is new" };
        comparison.find(rule, &format!("{place}({})", one.field.name), message, was, &one.field.at);
    }
    for before in &old {
        if let Some(now) = new.iter().find(|one| one.field.name == before.field.name) {
            same_parameter(comparison, place, before, now);
        }
    }
}

fn same_parameter(comparison: &mut Comparison<'_>, place: &str, before: &Parameter, now: &Parameter) {
    let (one, other): (&Field, &Field) = (&before.field, &now.field);
    let own = format!("{place}({})", other.name);
    if before.place != now.place {
        let message = format!("it is in the {} now, before in the {}", now.place, before.place);
        comparison.find("parameter-moved", &own, message, &one.at, &other.at);
    }
    match (one.required, other.required) {
        (false, true) => comparison.find("parameter-newly-required", &own, "calls need it now", &one.at, &other.at),
        (true, false) => {
            comparison.find("parameter-no-longer-required", &own, "it may be left out now", &one.at, &other.at)
        }
        _ => {}
    }
    match (one.deprecated, other.deprecated) {
        (false, true) => {
            comparison.find("parameter-deprecated", &own, "it is going to be removed", &one.at, &other.at);
        }
        (true, false) => comparison.find("parameter-not-deprecated", &own, "it stays", &one.at, &other.at),
        _ => {}
    }
    // A parameter that says nothing is repeated.
    let notation = |parameter: &Parameter| parameter.notation.unwrap_or(Notation::Repeated);
    if notation(before) != notation(now) {
        let message = format!("{} now, before {}", notation(now).says(), notation(before).says());
        comparison.find("parameter-notation-changed", &own, message, &one.at, &other.at);
    }
    if one.rust_name != other.rust_name {
        comparison.find("rust-name-changed", &own, types::renamed_in_rust(one, other), &one.at, &other.at);
    }
    let names: BTreeSet<&String> = before.facts.keys().chain(now.facts.keys()).collect();
    for name in names {
        let (before, now) = (before.facts.get(name), now.facts.get(name));
        if before != now {
            comparison.find("other-change", &own, changed(name, before, now), &one.at, &other.at);
        }
    }
    let (was_nullable, is_nullable) = (comparison.old.nullable(one.value), comparison.new.nullable(other.value));
    match (was_nullable, is_nullable) {
        (false, true) => comparison.find("request-newly-nullable", &own, "it may be null now", &one.at, &other.at),
        (true, false) => {
            comparison.find("request-no-longer-nullable", &own, "it may not be null any more", &one.at, &other.at);
        }
        _ => {}
    }
    if one.default != other.default {
        let message =
            format!("left out, it counts as {}, before {}", or_nothing(&other.default), or_nothing(&one.default));
        comparison.find("default-changed", &own, message, &one.at, &other.at);
    }
    if one.description != other.description {
        comparison.find("description-changed", &own, "its description says something else", &one.at, &other.at);
    }
    let users = BTreeSet::from([place.to_owned()]);
    types::at(comparison, &own, (one.value, other.value), Direction::Request, (&one.at, &other.at), &users);
    let direction = Direction::Request;
    comparison.roots.push(Root { one: one.value, other: other.value, direction, user: place.to_owned(), place: own });
}

pub(super) fn or_nothing(value: &Option<String>) -> String {
    value.as_ref().map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"))
}
