//! Data as it comes over the connection: the frame around it, by the dialect.

use serde_json::{Map, Value, json};

use super::schemas;
use crate::document::Document;
use crate::model::text;
use crate::streams;

/// What puts frames around data.
pub struct Frames<'a> {
    dialect: &'a Value,
    /// How JSON-RPC notifications are written.
    notification: &'a Value,
    /// The member that counts frames, in any channel.
    counter: Option<&'a str>,
}

impl<'a> Frames<'a> {
    pub fn of(document: &'a Document) -> Self {
        let counters = streams::channels(document).into_iter();
        let mut counters = counters.filter_map(|channel| channel.value.pointer("/x-sequence/counter/member")?.as_str());
        Self {
            dialect: &streams::root(document)["x-dialect"],
            notification: &document.value["x-websocket"]["notification"],
            counter: counters.next(),
        }
    }

    /// A message with its data in a frame. `events`: how events of an account are framed, if it is one of them.
    pub fn data(&self, message: &Value, is_list: bool, counted: bool, events: Option<&Value>) -> Value {
        let mut bundled = message.clone();
        let data = message.get("payload").map(schemas::draft_7).unwrap_or_default();
        let data = if is_list { json!({ "type": "array", "items": data }) } else { data };
        bundled["payload"] = match events {
            Some(events) => event(events, data),
            None => self.frame(text(message, "name").unwrap_or_default(), data, counted),
        };
        bundled
    }

    fn frame(&self, kind: &str, data: Value, counted: bool) -> Value {
        if self.dialect.get("calls").is_some() {
            let word = |key: &str| text(self.notification, key).unwrap_or_default();
            let params = object(
                [
                    (
                        word("channel"),
                        json!({ "type": "string", "description": "The channel as it was subscribed to." }),
                    ),
                    (word("data"), data),
                ],
                [],
            );
            return object(
                [
                    ("jsonrpc", json!({ "type": "string", "const": "2.0" })),
                    ("method", json!({ "type": "string", "const": word("method") })),
                    ("params", params),
                ],
                [],
            );
        }
        if let Some(said) = self.dialect.get("topics") {
            return topic(said, kind, data);
        }
        let (said, is_commands) = match self.dialect.get("commands") {
            Some(said) => (said, true),
            None => (&self.dialect["messages"], false),
        };
        let word = |key: &str| text(said, key).unwrap_or_default();
        let whole = |description: &str| json!({ "type": "integer", "description": description });
        let mut others =
            vec![(word("sent"), json!({ "type": "integer", "format": "unix-ms", "description": "When it was sent." }))];
        if is_commands {
            others.push((word("subscription"), whole("Number of the subscription.")));
            others.push((word("id"), whole("Number of the command that asked for it.")));
            if let Some(counter) = self.counter.filter(|_| counted) {
                others.push((counter, whole("Counts the frames of the subscription, from 1.")));
            }
        } else {
            others.push((word("room"), json!({ "type": "string", "description": "The room of the subscription." })));
        }
        object([(word("kind"), json!({ "type": "string", "const": kind })), (word("data"), data)], others)
    }

    /// What the client sends, by names for it. Calls are described where methods are.
    pub fn commands(&self) -> Vec<(&'static str, Value)> {
        let first = |said: &Value, key: &str| said[key][0].as_str().unwrap_or_default().to_owned();
        let named = |name: String, payload: Value| json!({ "name": name, "payload": payload });
        if let Some(said) = self.dialect.get("commands") {
            let word = |key: &str| text(said, key).unwrap_or_default();
            let commands =
                [("SubscribeCommand", "subscribe"), ("UnsubscribeCommand", "unsubscribe"), ("UpdateCommand", "update")];
            let one = |(name, key): (&'static str, &str)| {
                let command = first(said, key);
                let members = [
                    (
                        word("id"),
                        json!({ "type": "integer", "minimum": 1, "description": "Number, which the reply repeats." }),
                    ),
                    (word("command"), json!({ "type": "string", "const": command })),
                    (
                        word("params"),
                        json!({ "type": "object", "description": "What `x-parameters` of the channels say." }),
                    ),
                ];
                (name, named(command, object(members, [])))
            };
            return commands.map(one).to_vec();
        }
        if let Some(said) = self.dialect.get("topics") {
            return [("SubscribeCommand", "subscribe"), ("UnsubscribeCommand", "unsubscribe")]
                .map(|(name, key)| (name, topics_command(said, text(said, key).unwrap_or_default())))
                .to_vec();
        }
        let Some(said) = self.dialect.get("messages") else { return Vec::new() };
        let word = |key: &str| text(said, key).unwrap_or_default();
        let kind = |name: &str| (word("kind"), json!({ "type": "string", "const": name }));
        let (subscribe, unsubscribe) = (first(said, "subscribe"), first(said, "unsubscribe"));
        let channel =
            json!({ "type": "string", "description": "The channel. Beside it stands what `x-parameters` of it say." });
        let room = json!({ "type": "string", "description": "The room that the reply named." });
        let in_channel = object([kind(&subscribe), (word("channel"), channel)], []);
        let out_of_room = object([kind(&unsubscribe), (word("room"), room)], []);
        vec![
            ("SubscribeCommand", named(subscribe, in_channel)),
            ("UnsubscribeCommand", named(unsubscribe, out_of_room)),
        ]
    }
}

/// An event of an account in its frame.
fn event(said: &Value, data: Value) -> Value {
    let word = |key: &str| text(said, key).unwrap_or_default();
    let number = json!({ "type": "integer", "description": "Number of the subscription." });
    object([(word("subscription"), number), (word("data"), data)], [])
}

/// Data of a topic in its frame. A type without a name is not named there either.
fn topic(said: &Value, kind: &str, data: Value) -> Value {
    let word = |key: &str| text(said, key).unwrap_or_default();
    let name = json!({ "type": "string", "description": "The topic as it was subscribed to." });
    let mut always = vec![(word("topic"), name), (word("data"), data)];
    if !kind.is_empty() && !word("kind").is_empty() {
        always.push((word("kind"), json!({ "type": "string", "const": kind })));
    }
    // What is in the data is described there.
    let sent =
        said["sent"].as_array().into_iter().flatten().filter_map(Value::as_str).filter(|name| !name.starts_with('/'));
    let time = json!({ "type": "integer", "format": "unix-ms", "description": "When it was sent." });
    object(always, sent.map(|name| (name, time.clone())))
}

/// A command that lists topics.
fn topics_command(said: &Value, command: &str) -> Value {
    let word = |key: &str| text(said, key).unwrap_or_default();
    let topics = json!({ "type": "array", "items": { "type": "string" }, "description": "Addresses of channels." });
    let kind = if said["id-is-number"] == true { "integer" } else { "string" };
    let id = json!({ "type": kind, "description": "Number, which most replies repeat." });
    let always = [(word("command"), json!({ "type": "string", "const": command })), (word("topics"), topics)];
    json!({ "name": command, "payload": object(always, [(word("id"), id)]) })
}

/// An object with members that it always has, and others.
fn object<'n>(
    required: impl IntoIterator<Item = (&'n str, Value)>,
    others: impl IntoIterator<Item = (&'n str, Value)>,
) -> Value {
    let required: Vec<(&str, Value)> = required.into_iter().collect();
    let names: Vec<String> = required.iter().map(|(name, _)| (*name).to_owned()).collect();
    let all = required.into_iter().chain(others);
    let properties: Map<String, Value> = all.map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({ "type": "object", "required": names, "properties": properties })
}
