//! Channels: their names, addresses, endpoints, who may subscribe, and how gaps are seen.

use serde_json::Value;

use super::{Fail, leads, payloads};
use crate::document::Document;
use crate::lint::names::TYPES;
use crate::model::{members, text};
use crate::names::{pascal, snake};
use crate::source::step;
use crate::streams::{self, Channel};

/// Methods and types of the module of streams, other than its channels.
const TAKEN: [&str; 6] = ["clone", "fmt", "of", "shared", "streams", "with_book"];

pub fn check(document: &Document, fail: &mut Fail<'_>) {
    let all = streams::channels(document);
    for (index, channel) in all.iter().enumerate() {
        name(channel, fail);
        address(channel, fail);
        endpoint(document, channel, fail);
        sequence(document, channel, fail);
        items(document, channel, fail);
        let same = |other: &&Channel<'_>| {
            other.address() == channel.address() && other.value.get("x-endpoint") == channel.value.get("x-endpoint")
        };
        if let Some(other) = all[..index].iter().find(same) {
            let message = format!("`{}` has the address of `{}`", channel.id, other.id);
            fail("duplicate-channel", &channel.pointer, message, "a channel stands once; alternatives are parameters");
        }
    }
}

fn name(channel: &Channel<'_>, fail: &mut Fail<'_>) {
    let id = channel.id;
    if snake(id) != id {
        let help = "the key becomes a method: letters, digits and underscores, in lower case, no Rust keyword";
        fail("channel-name", &channel.pointer, format!("`{id}` cannot be the name of a method"), help);
    } else if TAKEN.contains(&id) || TYPES.contains(&pascal(id).as_str()) {
        let message = format!("something else is called `{id}` among generated streams");
        fail("reserved-name", &channel.pointer, message, "say more; the address stays as it is");
    }
}

/// The braces of an address and its parameters are the same.
fn address(channel: &Channel<'_>, fail: &mut Fail<'_>) {
    let (address, at) = (channel.address(), step(&channel.pointer, "address"));
    let mut open = false;
    let balanced = address.chars().all(|c| match c {
        '{' | '}' => std::mem::replace(&mut open, c == '{') != (c == '{'),
        _ => open || !(c.is_whitespace() || c.is_control()),
    });
    if address.is_empty() || !balanced || open || address.contains("{}") {
        let help = "write the channel's name, with parameters in braces";
        return fail("channel-address", &at, format!("`{address}` is no name of a channel"), help);
    }
    let placeholders = channel.placeholders();
    let declared: Vec<&str> = members(channel.value, "parameters").map(|(name, _)| name.as_str()).collect();
    for name in placeholders.iter().filter(|name| !declared.contains(*name)) {
        fail("missing-channel-parameter", &at, format!("`{{{name}}}` has no parameter"), "declare it in `parameters`");
    }
    for name in declared.iter().filter(|name| !placeholders.contains(*name)) {
        let at = step(&step(&channel.pointer, "parameters"), name);
        let help = "add it to the address in braces; what the command takes stands in `x-parameters`";
        fail("unused-channel-parameter", &at, format!("`{name}` does not occur in `{address}`"), help);
    }
    if let Some((_, name)) = placeholders.iter().enumerate().find(|(i, name)| placeholders[..*i].contains(name)) {
        fail("channel-address", &at, format!("`{{{name}}}` occurs twice"), "a parameter has one place");
    }
}

fn endpoint(document: &Document, channel: &Channel<'_>, fail: &mut Fail<'_>) {
    let root = streams::root(document);
    let Some(endpoint) = text(channel.value, "x-endpoint") else { return };
    if !members(root, "servers").any(|(_, server)| text(server, "x-endpoint") == Some(endpoint)) {
        let at = step(&channel.pointer, "x-endpoint");
        fail("unknown-endpoint", &at, format!("no server has the endpoint `{endpoint}`"), "name one, or add a server");
    }
    let access = &channel.value["x-access"];
    let at = step(&channel.pointer, "x-access");
    if *access != "public" && root["x-login"][endpoint] == "none" {
        let message = format!("`{}` is private, and nobody logs in to `{endpoint}`", channel.id);
        fail("private-channel", &at, message, "correct `x-access`, or `x-login` of the endpoint");
    }
    if let Some((name, value)) = members(access, "private-when").next() {
        let parameter = channel.parameters().into_iter().find(|parameter| parameter.name == name);
        let knows =
            parameter.is_some_and(|parameter| value.as_str().is_some_and(|v| parameter.values(document).contains(&v)));
        if !knows {
            let message = format!("no parameter `{name}` has the value {value}");
            fail("unknown-parameter", &at, message, "name a parameter of the channel and one of its values");
        }
    }
}

fn sequence(document: &Document, channel: &Channel<'_>, fail: &mut Fail<'_>) {
    let at = step(&channel.pointer, "x-sequence");
    let sequence = &channel.value["x-sequence"];
    if sequence.get("counter").is_some() && streams::root(document).pointer("/x-dialect/commands").is_none() {
        let help = "only where commands open subscriptions do frames have a member beside their data";
        fail("bad-sequence", &at, "there is no frame that counts".to_owned(), help);
    }
    let payloads = payloads(document, channel);
    if let Some(pointer) = sequence.get("successive").and_then(|said| text(said, "number")) {
        leads(document, &payloads, &at, pointer, fail);
    }
    if sequence.get("range").is_some() != channel.value["x-recover"].get("snapshot").is_some() {
        let help = "`range: {first, last}` goes with `x-recover: {snapshot: ...}`, a call that returns a snapshot";
        fail("bad-sequence", &at, "changes that name their updates follow a snapshot".to_owned(), help);
    }
    let forms = [("chain", ["number", "previous"]), ("per-item", ["number", "item"]), ("range", ["first", "last"])];
    for (kind, names) in forms {
        for name in names {
            if let Some(pointer) = sequence.get(kind).and_then(|said| text(said, name)) {
                leads(document, &payloads, &at, pointer, fail);
            }
        }
    }
}

fn items(document: &Document, channel: &Channel<'_>, fail: &mut Fail<'_>) {
    let at = step(&channel.pointer, "x-items");
    let items = &channel.value["x-items"];
    if let Some(pointer) = text(items, "item") {
        leads(document, &payloads(document, channel), &at, pointer, fail);
    }
    let Some(name) = text(items, "parameter") else { return };
    let Some(parameter) = channel.given().into_iter().find(|parameter| parameter.name == name) else {
        let help = "name a parameter of the channel that is no `alias-of`";
        return fail("unknown-parameter", &at, format!("the channel is not given `{name}`"), help);
    };
    let can_be_left_out = items["all"] == Value::Bool(true);
    if can_be_left_out == parameter.is_required() {
        let help = "`all: true` goes with a parameter that is not required, and the other way round";
        let message = format!("`{name}` {} be left out", if can_be_left_out { "cannot" } else { "can" });
        if !(items["all"].is_string() || parameter.fixed().is_some()) {
            fail("bad-items", &at, message, help);
        }
    }
    let is_changed = items.get("add").is_some();
    if is_changed && !parameter.is_list() {
        fail("bad-items", &at, format!("`{name}` is no list, to which one could add"), "leave `add` and `remove` out");
    }
}
