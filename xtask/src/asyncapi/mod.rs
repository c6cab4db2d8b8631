//! `cargo xtask bundle VENUE --streams`: the official AsyncAPI document of a venue's streams, for other tools. Our specs say what data is
//! and how it is framed; here messages are whole frames, references lead into `components`, and schemas are JSON Schema draft 7, which
//! AsyncAPI 3.0 has. Our words stay.

mod frames;
mod schemas;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use self::frames::Frames;
use crate::document::{Document, STREAMS};
use crate::model::{follow, members, text};
use crate::source::step;
use crate::streams::{self, Channel, Place, message_ref};

/// The key of the channel of commands and replies, which have no address.
const CONTROL: &str = "control";

/// The document; none where the venue does not stream.
pub fn bundle(document: &Document) -> Option<Value> {
    let root = streams::root(document).as_object()?;
    let frames = Frames::of(document);
    let messages = messages(document, &frames);
    let mut channels = Map::new();
    let mut operations = Map::new();
    for channel in streams::channels(document) {
        channels.insert(channel.id.to_owned(), one_channel(document, &channel, &messages));
        operations.insert(format!("receive_{}", channel.id), receive(channel.id, channel_keys(&channel)));
    }
    let (replies, commands) = (messages.replies(), messages.commands());
    if !replies.is_empty() || !commands.is_empty() {
        let own = |name: &&String| ((*name).clone(), reference(&["components", "messages", name]));
        let all: Map<String, Value> = replies.iter().chain(&commands).map(own).collect();
        let description = "What the client sends, and what the venue returns. It has no address: it is the connection.";
        channels.insert(CONTROL.to_owned(), json!({ "address": null, "description": description, "messages": all }));
        let mut add = |id: &str, action: &str, names: &[&String]| {
            if !names.is_empty() {
                let mut operation = receive(CONTROL, names.iter().map(|name| name.as_str()));
                operation["action"] = action.into();
                operations.insert(id.to_owned(), operation);
            }
        };
        add("receive_replies", "receive", &replies);
        add("send_commands", "send", &commands);
    }
    let mut bundle: Map<String, Value> = root.clone();
    bundle.remove("messages");
    bundle.insert("channels".to_owned(), channels.into());
    bundle.insert("operations".to_owned(), operations.into());
    let components = json!({ "messages": messages.values(), "schemas": components(document) });
    bundle.insert("components".to_owned(), components);
    Some(Value::Object(bundle))
}

fn reference(steps: &[&str]) -> Value {
    let pointer = steps.iter().fold(String::new(), |pointer, name| step(&pointer, name));
    json!({ "$ref": format!("#{pointer}") })
}

fn channel_keys<'a>(channel: &Channel<'a>) -> impl Iterator<Item = &'a str> {
    members(channel.value, "messages").map(|(key, _)| key.as_str())
}

fn receive<'a>(channel: &str, keys: impl Iterator<Item = &'a str>) -> Value {
    let messages: Vec<Value> = keys.map(|key| reference(&["channels", channel, "messages", key])).collect();
    json!({ "action": "receive", "channel": reference(&["channels", channel]), "messages": messages })
}

/// The frames by the names that they have in the bundle.
struct Messages {
    /// Each with whether it is a reply or a command; data is neither.
    all: BTreeMap<String, (Value, Kind)>,
    /// The names of what channels have: a message whose data is a list in some channels only has two.
    names: BTreeMap<(String, bool), String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Data,
    Reply,
    Command,
}

impl Messages {
    fn of_kind(&self, kind: Kind) -> Vec<&String> {
        self.all.iter().filter(|(_, (_, own))| *own == kind).map(|(name, _)| name).collect()
    }

    fn replies(&self) -> Vec<&String> {
        self.of_kind(Kind::Reply)
    }

    fn commands(&self) -> Vec<&String> {
        self.of_kind(Kind::Command)
    }

    fn values(&self) -> BTreeMap<&String, &Value> {
        self.all.iter().map(|(name, (value, _))| (name, value)).collect()
    }
}

fn messages(document: &Document, frames: &Frames<'_>) -> Messages {
    let mut forms: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    let mut counters: BTreeSet<&str> = BTreeSet::new();
    let mut events: BTreeMap<&str, &Value> = BTreeMap::new();
    for channel in streams::channels(document) {
        for (_, value) in members(channel.value, "messages") {
            let Some(name) = message_ref(value) else { continue };
            forms.entry(name).or_default().insert(is_list(&channel));
            if channel.value.pointer("/x-sequence/counter").is_some() {
                counters.insert(name);
            }
            let endpoint = text(channel.value, "x-endpoint");
            events.extend(endpoint.and_then(|endpoint| streams::events(document, endpoint)).map(|said| (name, said)));
        }
    }
    let (mut all, mut names) = (BTreeMap::new(), BTreeMap::new());
    for (name, message) in members(streams::root(document), "messages") {
        if streams::is_control(message) {
            all.insert(name.clone(), (whole(message), Kind::Reply));
            continue;
        }
        let own = forms.get(name.as_str()).cloned().unwrap_or_default();
        for is_list in own.iter().copied() {
            let called = if is_list && own.len() > 1 { format!("{name}List") } else { name.clone() };
            let (counted, events) = (counters.contains(name.as_str()), events.get(name.as_str()).copied());
            all.insert(called.clone(), (frames.data(message, is_list, counted, events), Kind::Data));
            names.insert((name.clone(), is_list), called);
        }
    }
    for (name, command) in frames.commands() {
        all.entry(name.to_owned()).or_insert((command, Kind::Command));
    }
    Messages { all, names }
}

/// A reply or an error as it is written: it is a whole frame already.
fn whole(message: &Value) -> Value {
    let mut message = message.clone();
    if let Some(payload) = message.get("payload") {
        message["payload"] = schemas::draft_7(payload);
    }
    message
}

fn is_list(channel: &Channel<'_>) -> bool {
    channel.value["x-list"] == true
}

fn one_channel(document: &Document, channel: &Channel<'_>, messages: &Messages) -> Value {
    let mut bundled = channel.value.clone();
    let endpoint = text(channel.value, "x-endpoint");
    let servers =
        members(streams::root(document), "servers").filter(|(_, server)| text(server, "x-endpoint") == endpoint);
    bundled["servers"] = servers.map(|(name, _)| reference(&["servers", name])).collect();
    let own = members(channel.value, "messages").filter_map(|(key, value)| {
        let name = messages.names.get(&(message_ref(value)?.to_owned(), is_list(channel)))?;
        Some((key.clone(), reference(&["components", "messages", name])))
    });
    bundled["messages"] = Value::Object(own.collect());
    for parameter in channel.parameters() {
        let schema = parameter.schema().map(schemas::draft_7);
        match parameter.place {
            Place::Command => bundled["x-parameters"][parameter.name]["schema"] = schema.unwrap_or_default(),
            Place::Address => {
                let values = parameter.values(document);
                // What the venue may add to is no list that others are refused by.
                let key = if parameter.is_open(document) { "examples" } else { "enum" };
                if !values.is_empty() {
                    bundled["parameters"][parameter.name][key] = json!(values);
                }
            }
        }
    }
    bundled
}

/// Every schema that messages and parameters are made of.
fn components(document: &Document) -> Map<String, Value> {
    let mut names = BTreeSet::new();
    let all = [streams::sent(document), streams::received(document), streams::control(document)];
    for (_, schema) in all.into_iter().flatten() {
        follow(document, schema, &mut names);
    }
    let schema = |name: &String| document.value.pointer(&step("/components/schemas", name)).map(schemas::draft_7);
    names.iter().filter_map(|name| Some((name.clone(), schema(name)?))).collect()
}

/// The document of the calls alone: without the streams, and what only they are made of.
pub fn without_streams(document: &Document) -> Value {
    let mut value = document.value.clone();
    if let Some(root) = value.as_object_mut() {
        root.remove(STREAMS);
    }
    let of_calls = crate::model::Reach::of_calls(document);
    let of_both = crate::model::Reach::of(document);
    let mut control = BTreeSet::new();
    for (_, schema) in streams::control(document) {
        follow(document, schema, &mut control);
    }
    let only_streams = |name: &String| {
        let of_streams = of_both.request.contains(name) || of_both.response.contains(name) || control.contains(name);
        of_streams && !of_calls.request.contains(name) && !of_calls.response.contains(name)
    };
    if let Some(schemas) = value.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.retain(|name, _| !only_streams(name));
    }
    value
}
