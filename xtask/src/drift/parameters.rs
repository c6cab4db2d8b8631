//! Parameters of operations and of channels.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::{self, Place};
use super::compare::{Comparison, one};
use super::fields;
use super::finding::Change;
use super::rename;
use crate::judgement::Judgement;
use crate::surface::pairs::{Direction, Root};
use crate::surface::{Channel, Operation, Parameter, Surface, ratio};

/// Headers that are signed or that every request has: security schemes and the loop speak for them.
const OF_EVERY_REQUEST: [&str; 5] = ["authorization", "content-type", "accept", "user-agent", "content-length"];

/// The parameters of an operation.
pub fn compare(comparison: &mut Comparison<'_>, ours: &Operation, theirs: &Operation) {
    let place = ours.name.as_str();
    // What a path's parameters are called does not reach the venue: they are compared in their order.
    let path = |operation: &Operation| -> Vec<Parameter> {
        let mut all: Vec<Parameter> = operation.parameters.iter().filter(|one| one.place == "path").cloned().collect();
        all.sort_by_key(|parameter| operation.call.find(&format!("{{{}}}", parameter.field.name)));
        all
    };
    for (mine, other) in path(ours).iter().zip(path(theirs).iter()) {
        same(comparison, place, mine, other, place);
    }
    let (headers, added) = (&comparison.ours.credential_headers, &comparison.ours.credential_parameters);
    let others = |operation: &Operation, surface: &Surface| -> Vec<Parameter> {
        let is_one = |parameter: &&Parameter| {
            parameter.place != "path"
                && !OF_EVERY_REQUEST.contains(&parameter.field.name.to_lowercase().as_str())
                // Credentials are no parameters of ours.
                && !(parameter.place == "header" && headers.contains(&parameter.field.name.to_lowercase()))
                && parameter.place != "cookie"
                && !(parameter.place == "query" && added.contains(&parameter.field.name))
        };
        let mut all = operation.parameters.clone();
        if is_form(ours, theirs) {
            all.extend(form(operation, surface));
        }
        all.into_iter().filter(|parameter| is_one(&parameter)).collect()
    };
    let (mine, other) = (others(ours, comparison.ours), others(theirs, comparison.theirs));
    list(comparison, place, &ours.at, &mine, &other);
}

/// Whether one side sends a form: its members are what the other side may write as parameters of the query.
pub fn is_form(ours: &Operation, theirs: &Operation) -> bool {
    let is_other = |operation: &Operation| operation.form || operation.body.is_none();
    (ours.form || theirs.form) && is_other(ours) && is_other(theirs)
}

/// The members of a form as parameters.
fn form(operation: &Operation, surface: &Surface) -> Vec<Parameter> {
    let Some(body) = operation.body.filter(|_| operation.form) else { return Vec::new() };
    let fields = surface.at(body).fields.iter();
    fields
        .map(|field| Parameter {
            field: field.clone(),
            place: "query".to_owned(),
            notation: None,
            facts: BTreeMap::new(),
        })
        .collect()
}

/// What a subscription takes.
pub fn compare_channel(comparison: &mut Comparison<'_>, ours: &Channel, theirs: &Channel) {
    let name = format!("channel {}", ours.id);
    let named = |channel: &Channel, place: &str| -> Vec<Parameter> {
        channel.parameters.iter().filter(|parameter| parameter.place == place).cloned().collect()
    };
    // Names in the braces of an address do not reach the venue: they are compared in their order.
    let in_address = |channel: &Channel| -> Vec<Parameter> {
        let mut all = named(channel, "address");
        all.sort_by_key(|parameter| channel.address.find(&format!("{{{}}}", parameter.field.name)));
        all
    };
    for (mine, other) in in_address(ours).iter().zip(&in_address(theirs)) {
        same(comparison, &name, mine, other, &name);
    }
    let commands = named(theirs, "command");
    // AsyncAPI has no word for what a command takes, so that nothing is known where nothing is listed.
    if !commands.is_empty() {
        list(comparison, &name, &ours.at, &named(ours, "command"), &commands);
    }
}

fn list(comparison: &mut Comparison<'_>, place: &str, at: &str, ours: &[Parameter], theirs: &[Parameter]) {
    let is_it = |one: &Parameter, other: &Parameter| {
        one.place == other.place
            && if one.place == "header" {
                one.field.name.eq_ignore_ascii_case(&other.field.name)
            } else {
                one.field.name == other.field.name
            }
    };
    let (our_surface, their_surface) = (comparison.ours, comparison.theirs);
    let (ours, theirs) = (&placed(ours), &placed(theirs));
    let gone = ours.iter().filter(|mine| !theirs.iter().any(|other| is_it(mine, other)));
    let new = theirs.iter().filter(|other| !ours.iter().any(|mine| is_it(mine, other)));
    let (mut gone, mut new): (Vec<&Parameter>, Vec<&Parameter>) = (gone.collect(), new.collect());
    gone.retain(|mine| {
        let Some(at) = new.iter().position(|other| other.field.name == mine.field.name) else { return true };
        let message = format!("the vendor takes it in the {}, our spec sends it in the {}", new[at].place, mine.place);
        let (own, at_ours) = (name(place, mine), &mine.field.at);
        comparison.find("moved-parameter", own, Judgement::Breaking, message, at_ours, one(place), None);
        new.remove(at);
        false
    });
    let gone_candidates: Vec<_> = gone.iter().map(|mine| rename::of(our_surface, &mine.field)).collect();
    let new_candidates: Vec<_> = new.iter().map(|other| rename::of(their_surface, &other.field)).collect();
    let renamed = rename::pairs(&gone_candidates, &new_candidates);
    for &(old, now) in &renamed {
        let (mine, other) = (gone[old], new[now]);
        let message = format!("the vendor takes `{}`, which seems to be the same", other.field.name);
        let change = Change::RenameParameter { parameter: mine.field.at.clone(), to: other.field.name.clone() };
        let own = name(place, mine);
        comparison.find(
            "renamed-parameter",
            own,
            Judgement::Breaking,
            message,
            &mine.field.at,
            one(place),
            Some(change),
        );
    }
    for (_, mine) in gone.iter().enumerate().filter(|(index, _)| !renamed.iter().any(|(old, _)| old == index)) {
        let message = "the vendor does not take it any more";
        let change = Change::RemoveParameter { parameter: mine.field.at.clone() };
        comparison.find(
            "removed-parameter",
            name(place, mine),
            Judgement::Breaking,
            message,
            &mine.field.at,
            one(place),
            Some(change),
        );
    }
    for (_, other) in new.iter().enumerate().filter(|(index, _)| !renamed.iter().any(|(_, now)| now == index)) {
        let field = &other.field;
        let is_needed = field.required && field.default.is_none();
        let (rule, judgement, message) = if is_needed {
            ("newly-required", Judgement::Breaking, "calls need it, and our spec lacks it")
        } else {
            ("new-parameter", Judgement::Addition, "calls may have it")
        };
        let change = Change::AddParameter {
            operation: at.to_owned(),
            name: field.name.clone(),
            place: other.place.clone(),
            required: field.required,
            schema: fields::yaml_schema(their_surface, field.value),
        };
        comparison.find(rule, name(place, other), judgement, message, at, one(place), Some(change));
    }
    for mine in ours {
        if let Some(other) = theirs.iter().find(|other| is_it(mine, other)) {
            same(comparison, place, mine, other, place);
        }
    }
}

/// Parameters with their places in the list.
fn placed(list: &[Parameter]) -> Vec<Parameter> {
    let last = list.len().saturating_sub(1).max(1);
    let all = list.iter().enumerate().map(|(index, parameter)| {
        let mut parameter = parameter.clone();
        parameter.field.position = ratio(index, last);
        parameter
    });
    all.collect()
}

fn same(comparison: &mut Comparison<'_>, place: &str, mine: &Parameter, other: &Parameter, user: &str) {
    comparison.extent.fields += 1;
    let own = name(place, mine);
    let users = BTreeSet::from([user.to_owned()]);
    let (field, theirs) = (&mine.field, &other.field);
    fields::kinds(comparison, &own, field.value, theirs.value, Direction::Request, &field.at, &users);
    // A value that a command always has stands in our spec like a default.
    let is_always_sent = field.required || mine.place == "command" && field.default.is_some();
    let limits_of = Place { name: &own, at: &field.at, users: &users, is_always_sent };
    bounds::compare(comparison, &limits_of, field, theirs);
    if let (Some(notation), Some(vendors)) = (mine.notation, other.notation)
        && notation != vendors
        && comparison.ours.at(field.value).items.is_some()
    {
        let message = format!("the vendor says that {}, our spec that {}", vendors.says(), notation.says());
        comparison.find("notation", &own, Judgement::Breaking, message, &field.at, users.clone(), None);
    }
    if mine.place != "path" && mine.place != "address" {
        if theirs.required && !field.required && theirs.default.is_none() && field.default.is_none() {
            let message = "the vendor refuses calls without it";
            comparison.find("newly-required", &own, Judgement::Breaking, message, &field.at, users.clone(), None);
        }
        if !theirs.required && field.required {
            let message = "the vendor takes calls without it";
            comparison.find("no-longer-required", &own, Judgement::Addition, message, &field.at, users.clone(), None);
        }
    }
    if theirs.deprecated && !field.deprecated {
        comparison.find(
            "deprecated",
            &own,
            Judgement::Docs,
            "the vendor marks it as deprecated",
            &field.at,
            users,
            None,
        );
    }
    let direction = Direction::Request;
    comparison.roots.push(Root { one: field.value, other: theirs.value, direction, user: user.to_owned(), place: own });
}

fn name(place: &str, parameter: &Parameter) -> String {
    format!("{place}({})", parameter.field.name)
}
