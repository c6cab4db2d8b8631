//! Messages: which ones a channel has, how they are distinguished, and what they contain.

use std::collections::BTreeSet;

use super::{Fail, leads};
use crate::document::{Document, STREAMS};
use crate::lint::schemas::types;
use crate::model::{collisions, members, resolve, schema_ref, text};
use crate::names::pascal;
use crate::source::step;
use crate::streams::{self, Channel, is_control, message_ref};

pub fn check(document: &Document, fail: &mut Fail<'_>) {
    let mut used = BTreeSet::new();
    for channel in streams::channels(document) {
        used.extend(members(channel.value, "messages").filter_map(|(_, value)| message_ref(value)));
        one_channel(document, &channel, fail);
    }
    let dialect = &streams::root(document)["x-dialect"];
    let has_names = dialect.get("calls").is_none();
    // Data of some topics has no type.
    let may_lack_names = dialect.get("topics").is_some();
    for (name, message) in members(streams::root(document), "messages") {
        let at = step(&format!("/{STREAMS}/messages"), name);
        if !used.contains(name.as_str()) && !is_control(message) {
            let help = "refer to it, delete it, or say `x-control: true` of a reply or an error";
            fail("unused-message", &at, format!("no channel has the message `{name}`"), help);
        }
        if used.contains(name.as_str()) && is_control(message) {
            let help = "the dialect reads it; a channel has data only";
            fail("control-in-channel", &at, format!("`{name}` is a reply or an error"), help);
        }
        if *name != pascal(name) {
            fail("message-name", &at, format!("`{name}` is not in PascalCase"), "name messages like Rust types");
        }
        if text(message, "name").is_some() != has_names && !may_lack_names && !is_control(message) {
            let message =
                if has_names { "nothing says the type of the message" } else { "notifications have no types" };
            fail(
                "message-type",
                &at,
                message.to_owned(),
                "`name` is the word by which the venue tells its messages apart",
            );
        }
        let payload = message.get("payload").filter(|payload| payload.is_object());
        let Some(payload) = payload else { continue };
        let is_object =
            types(resolve(document, payload)) == ["object"] || resolve(document, payload).get("allOf").is_some();
        if schema_ref(payload).is_none() || !is_object {
            let help = "refer to a named object; where data is a list, to that of a record, with `x-list: true` at the channel";
            fail("message-payload", &step(&at, "payload"), "the data is no named object".to_owned(), help);
        }
        for word in ["x-when", "x-snapshot"] {
            if let Some(pointer) = message.get(word).and_then(|said| text(said, "at")) {
                leads(document, &[payload], &step(&at, word), pointer, fail);
            }
        }
    }
}

fn one_channel(document: &Document, channel: &Channel<'_>, fail: &mut Fail<'_>) {
    let at = step(&channel.pointer, "messages");
    for (key, value) in members(channel.value, "messages") {
        let alone = value.as_object().is_some_and(|map| map.len() == 1);
        if message_ref(value).is_none() || !alone {
            let help = "write `KEY: { $ref: '#/messages/NAME' }`, and nothing beside it";
            fail("message-ref", &step(&at, key), format!("`{key}` is no reference to a message"), help);
        }
    }
    let messages = channel.messages(document);
    if messages.is_empty() {
        return fail("no-messages", &at, format!("`{}` sends nothing", channel.id), "add its messages");
    }
    for (first, second) in collisions(messages.iter().map(|message| message.key), pascal) {
        let [first, second] = [first, second].map(|index| messages[index].key);
        let message = format!("`{first}` and `{second}` are one name in Rust");
        fail("message-collision", &step(&at, second), message, "rename one key");
    }
    for (index, message) in messages.iter().enumerate() {
        let same = |other: &&streams::Message<'_>| other.kind() == message.kind() && other.when() == message.when();
        if let Some(other) = messages[..index].iter().find(same) {
            let message = format!("`{}` cannot be told from `{}`", message.key, other.key);
            fail(
                "same-messages",
                &step(&at, messages[index].key),
                message,
                "say `x-when: {at, equals}` of one of them",
            );
        }
        let alone = messages.iter().filter(|other| other.kind() == message.kind()).count() == 1;
        if message.when().is_some() && alone {
            let help = "leave it out: no other message has this name";
            fail(
                "needless-when",
                &step(&message.pointer, "x-when"),
                format!("`{}` is told by its name", message.key),
                help,
            );
        }
    }
}
