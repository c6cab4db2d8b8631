//! How what was missed is recovered: that the calls, their parameters and the members exist.

use serde_json::Value;

use super::{Fail, leads, payloads};
use crate::document::{Document, Kind};
use crate::lint::schemas::types;
use crate::model::{Operation, id_of, members, operations, resolve, schema_ref, text};
use crate::source::step;
use crate::streams::{self, Channel};

pub fn check(document: &Document, channel: &Channel<'_>, fail: &mut Fail<'_>) {
    let recover = &channel.value["x-recover"];
    let at = step(&channel.pointer, "x-recover");
    if recover == "snapshot" && channel.value.pointer("/x-items/snapshot").is_none() {
        let help = "name the action in `x-items: {snapshot: ...}`, or say `resubscribe`";
        fail("bad-recovery", &at, "there is no command that asks for a snapshot".to_owned(), help);
    }
    if recover == "next" && channel.value["x-whole"] != true {
        let help = "say `x-whole: true` where each message is whole for its item, or `never`";
        fail("bad-recovery", &at, "the next message does not tell what was missed".to_owned(), help);
    }
    let sequence = &channel.value["x-sequence"];
    let is_chained = ["chain", "successive"].iter().any(|word| sequence.get(word).is_some());
    let messages = channel.messages(document);
    if recover == "resubscribe"
        && is_chained
        && !messages.iter().any(|message| message.value.get("x-snapshot").is_some())
    {
        let help = "mark it with `x-snapshot`, or say `never`: without one a new subscription brings nothing";
        fail("bad-recovery", &at, "no message begins the chain again".to_owned(), help);
    }
    match recover.get("catch-up") {
        Some(Value::Array(calls)) => {
            let at = step(&at, "catch-up");
            for (i, call) in calls.iter().enumerate() {
                catch_up(document, channel, &step(&at, &i.to_string()), call, fail);
            }
        }
        Some(call) => catch_up(document, channel, &step(&at, "catch-up"), call, fail),
        None => {}
    }
    if let Some(call) = recover.get("snapshot") {
        snapshot_call(document, channel, &step(&at, "snapshot"), call, fail);
    }
}

/// The operation of a call, which changes nothing.
pub(super) fn operation_of<'a>(
    document: &'a Document,
    at: &str,
    call: &Value,
    fail: &mut Fail<'_>,
) -> Option<Operation<'a>> {
    let name = text(call, "operation").unwrap_or_default();
    let id = id_of(document, name);
    let Some(operation) = operations(document).into_iter().find(|operation| operation.id == id) else {
        fail("unknown-operation", &step(at, "operation"), format!("there is no operation `{name}`"), "correct it");
        return None;
    };
    if operation.value.get("x-retry") != Some(&Value::from("safe")) {
        let help = "only what may be repeated is called by itself";
        fail("bad-recovery", &step(at, "operation"), format!("`{name}` changes something"), help);
    }
    Some(operation)
}

/// Parameters of the operation and of the channel that a call names.
pub(super) fn names_of(
    document: &Document,
    channel: &Channel<'_>,
    operation: &Operation<'_>,
    at: &str,
    call: &Value,
    fail: &mut Fail<'_>,
) {
    let taken = taken(document, operation);
    for key in ["parameters", "fixed", "limit"] {
        for (name, _) in members(call, key).filter(|(name, _)| !taken.contains(name)) {
            let message = format!("`{}` has no parameter `{name}`", operation.id);
            fail("unknown-parameter", &step(at, key), message, "name a parameter of the operation");
        }
    }
    let given = channel.given();
    for key in ["parameters", "added"] {
        for (_, name) in members(call, key).filter(|(_, name)| !given.iter().any(|own| *name == own.name)) {
            let message = format!("the channel is not given {name}");
            fail("unknown-parameter", &step(at, key), message, "name a parameter of the channel");
        }
    }
}

/// A snapshot by a call is a message of the channel.
fn snapshot_call(document: &Document, channel: &Channel<'_>, at: &str, call: &Value, fail: &mut Fail<'_>) {
    let Some(operation) = operation_of(document, at, call, fail) else { return };
    names_of(document, channel, &operation, at, call, fail);
    if channel.value.pointer("/x-items/parameter").is_some() {
        let help = "a channel with a name for each item has such calls";
        fail("bad-recovery", at, "one call returns the snapshot of one item".to_owned(), help);
    }
    let kind = text(call, "kind").unwrap_or_default();
    let messages = channel.messages(document);
    let Some(message) = messages.iter().find(|message| message.kind() == kind) else {
        let help = "name the `name` of the message that the response becomes";
        return fail("unknown-message", &step(at, "kind"), format!("the channel has no message named `{kind}`"), help);
    };
    if message.value["x-snapshot"] != true {
        let help = "say `x-snapshot: true` of it";
        fail("bad-recovery", &step(at, "kind"), format!("`{kind}` is not a snapshot"), help);
    }
    let Some(payload) = message.payload() else { return };
    let number = text(call, "number").unwrap_or_default();
    leads(document, &[payload], &step(at, "number"), number, fail);
    for (name, _) in members(call, "added") {
        leads(document, &[payload], &step(at, "added"), &step("", name), fail);
    }
    let result = operation.result_schema(document);
    if result.is_none_or(|(_, schema)| streams::at(document, schema, number).is_none()) {
        let message = format!("the response of `{}` has nothing at `{number}`", operation.id);
        fail("dangling-pointer", &step(at, "number"), message, "lead to the number of the last update");
    }
}

fn catch_up(document: &Document, channel: &Channel<'_>, at: &str, call: &Value, fail: &mut Fail<'_>) {
    let Some(operation) = &operation_of(document, at, call, fail) else { return };
    names_of(document, channel, operation, at, call, fail);
    let taken = taken(document, operation);
    let mut takes = |key: &str, name: &str| {
        if !taken.iter().any(|own| own == name) {
            let message = format!("`{}` has no parameter `{name}`", operation.id);
            fail("unknown-parameter", &step(at, key), message, "name a parameter of the operation");
        }
    };
    if let Some(name) = call.get("since").and_then(|since| text(since, "parameter")) {
        takes("since", name);
    }
    if let Some(name) = text(call, "from") {
        takes("from", name);
    }
    if call.get("from").is_some() && channel.value.pointer("/x-sequence/per-item").is_none() {
        let help = "`from` takes the number of `x-sequence: {per-item: ...}`";
        fail("bad-recovery", &step(at, "from"), "records have no number".to_owned(), help);
    }
    let payloads = payloads(document, channel);
    for key in ["key", "order"] {
        if let Some(pointer) = text(call, key) {
            leads(document, &payloads, &step(at, key), pointer, fail);
        }
    }
    records(document, operation, at, call, fail);
}

/// What an operation takes: parameters, and members of its body.
fn taken(document: &Document, operation: &Operation<'_>) -> Vec<String> {
    let named = operation.parameters(document).into_iter().filter_map(|(_, parameter)| text(parameter, "name"));
    let mut taken: Vec<String> = named.map(str::to_owned).collect();
    if document.kind == Kind::OpenApi {
        for (_, media) in operation.request_media() {
            let Some(body) = media.get("schema").filter(|schema| schema_ref(schema).is_some()) else { continue };
            taken.extend(members(resolve(document, body), "properties").map(|(name, _)| name.clone()));
        }
    }
    taken
}

/// The records of the response have the key that distinguishes them, under the message's name or a renamed one.
fn records(document: &Document, operation: &Operation<'_>, at: &str, call: &Value, fail: &mut Fail<'_>) {
    let place = text(call, "list").unwrap_or_default();
    let list = operation.result_schema(document).and_then(|(_, schema)| streams::at(document, schema, place));
    let Some(record) = list.filter(|list| types(list) == ["array"]).and_then(|list| list.get("items")) else {
        let message = format!("the response of `{}` has no list at `{place}`", operation.id);
        return fail("dangling-pointer", &step(at, "list"), message, "lead to the list of records");
    };
    let has = |name: &str| streams::at(document, record, &step("", name)).is_some();
    for key in ["renamed", "times"] {
        for (name, _) in members(call, key).filter(|(name, _)| !has(name)) {
            let message = format!("a record of `{}` has no `{name}`", operation.id);
            fail(
                "dangling-pointer",
                &step(at, key),
                message,
                "name a member of the record, and what the message calls it",
            );
        }
    }
    for (name, _) in members(call, "added").filter(|(name, _)| has(name)) {
        let message = format!("a record of `{}` has `{name}` already", operation.id);
        fail("bad-recovery", &step(at, "added"), message, "leave it out");
    }
    let key = text(call, "key")
        .and_then(|key| key.strip_prefix('/'))
        .and_then(|key| key.split('/').next())
        .unwrap_or_default();
    let is_renamed = members(call, "renamed").any(|(_, name)| name == key);
    if !has(key) && !is_renamed {
        let message = format!("a record of `{}` has no `{key}`", operation.id);
        fail("dangling-pointer", &step(at, "key"), message, "say in `renamed` what the record calls it");
    }
}
