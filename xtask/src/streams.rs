//! The parts of a venue's streams that lint, lowering, the tables and the typed channels all walk over.

use serde_json::{Value, json};

use crate::document::{Document, STREAMS};
use crate::model::{members, resolve, stands_for, text};
use crate::source::{step, unescaped};

/// One channel.
#[derive(Clone, Debug)]
pub struct Channel<'a> {
    /// Where it stands in the document.
    pub pointer: String,
    /// Its key, which is the generated method's name.
    pub id: &'a str,
    /// The channel object.
    pub value: &'a Value,
}

/// One type of message of a channel.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Where it stands in the document.
    pub pointer: String,
    /// Its key among the messages of the channel.
    pub key: &'a str,
    /// The message object.
    pub value: &'a Value,
}

/// Where a parameter of a channel is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the address.
    Address,
    /// In the command that subscribes.
    Command,
}

/// One parameter of a channel.
#[derive(Clone, Debug)]
pub struct Parameter<'a> {
    /// Where it stands in the document.
    pub pointer: String,
    /// Its name.
    pub name: &'a str,
    /// Where it is said.
    pub place: Place,
    /// The parameter object.
    pub value: &'a Value,
}

/// What a document says of streams; null where the venue has none.
pub fn root(document: &Document) -> &Value {
    document.value.get(STREAMS).unwrap_or(&Value::Null)
}

/// Whether the venue streams.
pub fn any(document: &Document) -> bool {
    root(document).get("channels").is_some()
}

/// How events of an account come at an endpoint, on a connection that carries calls (`x-login: {ENDPOINT: {events: ...}}`).
pub fn events<'a>(document: &'a Document, endpoint: &str) -> Option<&'a Value> {
    root(document).get("x-login")?.get(endpoint)?.get("events")
}

/// Every channel, in the order of its id.
pub fn channels(document: &Document) -> Vec<Channel<'_>> {
    let at = format!("/{STREAMS}/channels");
    let mut all: Vec<Channel<'_>> =
        members(root(document), "channels").map(|(id, value)| Channel { pointer: step(&at, id), id, value }).collect();
    all.sort_by_key(|channel| channel.id);
    all
}

/// Whether a message is a reply or an error and no data.
pub fn is_control(message: &Value) -> bool {
    message.get("x-control") == Some(&Value::Bool(true))
}

/// The message that a reference leads to.
pub fn message_ref(value: &Value) -> Option<&str> {
    text(value, "$ref")?.strip_prefix("#/")?.strip_prefix(STREAMS)?.strip_prefix("/messages/")
}

impl<'a> Channel<'a> {
    /// The venue's name for it, or the template of its names.
    pub fn address(&self) -> &'a str {
        text(self.value, "address").unwrap_or_default()
    }

    /// The names in the braces of its address, in their order.
    pub fn placeholders(&self) -> Vec<&'a str> {
        let rest = self.address().split('{').skip(1);
        rest.filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
    }

    /// Its types of messages, references followed.
    pub fn messages(&self, document: &'a Document) -> Vec<Message<'a>> {
        let found = members(self.value, "messages").filter_map(|(key, value)| {
            let name = message_ref(value)?;
            let value = root(document).get("messages")?.get(name)?;
            Some(Message { pointer: format!("/{STREAMS}{}", step("/messages", name)), key, value })
        });
        found.collect()
    }

    /// Its parameters: those of the address in its order, and then those of the command.
    pub fn parameters(&self) -> Vec<Parameter<'a>> {
        let list = |key: &'static str, place| {
            let at = step(&self.pointer, key);
            members(self.value, key).map(move |(name, value)| Parameter {
                pointer: step(&at, name),
                name,
                place,
                value,
            })
        };
        let mut all: Vec<Parameter<'a>> = list("parameters", Place::Address).collect();
        let order = self.placeholders();
        all.sort_by_key(|parameter| order.iter().position(|name| *name == parameter.name));
        all.extend(list("x-parameters", Place::Command));
        all
    }

    /// The parameters that a subscription is given: without those that only say the same as another one.
    pub fn given(&self) -> Vec<Parameter<'a>> {
        self.parameters().into_iter().filter(|parameter| parameter.value.get("alias-of").is_none()).collect()
    }

    /// The schema by which a pointer is followed: data, or a record where data is a list.
    pub fn payloads(&self, document: &'a Document) -> Vec<(Message<'a>, &'a Value)> {
        self.messages(document).into_iter().filter_map(|message| Some((message.clone(), message.payload()?))).collect()
    }
}

impl<'a> Message<'a> {
    /// What the venue calls it; nothing where it has no name.
    pub fn kind(&self) -> &'a str {
        text(self.value, "name").unwrap_or_default()
    }

    /// The schema of its data.
    pub fn payload(&self) -> Option<&'a Value> {
        self.value.get("payload")
    }

    /// The name of the schema of its data.
    pub fn schema(&self) -> Option<&'a str> {
        stands_for(self.payload()?)
    }

    /// The pointer and the text that tell it from others of the same name.
    pub fn when(&self) -> Option<(&'a str, &'a str)> {
        let when = self.value.get("x-when")?;
        Some((text(when, "at")?, text(when, "equals")?))
    }
}

impl<'a> Parameter<'a> {
    /// The schema of its value, where it has one. An address parameter with a list of values has none.
    pub fn schema(&self) -> Option<&'a Value> {
        match self.place {
            Place::Address => self.value.get("x-schema"),
            Place::Command => self.value.get("schema"),
        }
    }

    /// Where its schema stands.
    pub fn schema_pointer(&self) -> String {
        let key = if self.place == Place::Address { "x-schema" } else { "schema" };
        step(&self.pointer, key)
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        self.schema().is_some_and(|schema| text(schema, "type") == Some("array"))
    }

    /// The schema of one value.
    pub fn one(&self) -> Option<&'a Value> {
        let schema = self.schema()?;
        if self.is_list() { schema.get("items") } else { Some(schema) }
    }

    /// The schema of one value, references followed; the name of the schema that it stands for.
    pub fn resolved(&self, document: &'a Document) -> (Option<&'a str>, &'a Value) {
        let Some(one) = self.one() else { return (None, &Value::Null) };
        (stands_for(one), resolve(document, one))
    }

    /// The values that there are, where they are few.
    pub fn values(&self, document: &'a Document) -> Vec<&'a str> {
        let own = self.value.get("enum").filter(|_| self.place == Place::Address);
        let listed = own.or_else(|| self.resolved(document).1.get("enum"));
        listed.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether the venue may have other values than those that are listed.
    pub fn is_open(&self, document: &Document) -> bool {
        let (_, schema) = self.resolved(document);
        schema.get("enum").is_some() && schema.get("x-closed").is_none()
    }

    /// Whether a flag is set.
    pub fn has(&self, flag: &str) -> bool {
        self.value.get(flag) == Some(&Value::Bool(true))
    }

    /// The value that is always sent.
    pub fn fixed(&self) -> Option<&'a Value> {
        self.value.get("fixed")
    }

    /// Whether there is no subscription without it. What is always the same is not given.
    pub fn is_required(&self) -> bool {
        match self.place {
            Place::Address => true,
            Place::Command => self.has("required") && self.fixed().is_none(),
        }
    }
}

/// The schemas of what subscriptions are given, with their places.
pub fn sent(document: &Document) -> Vec<(String, &Value)> {
    if let Some(listed) = listed(document, "sent") {
        return listed;
    }
    let all = channels(document).into_iter().flat_map(|channel| channel.parameters());
    all.filter_map(|parameter| Some((parameter.schema_pointer(), parameter.schema()?))).collect()
}

/// The schemas of what messages hold, with their places.
pub fn received(document: &Document) -> Vec<(String, &Value)> {
    if let Some(listed) = listed(document, "received") {
        return listed;
    }
    let at = format!("/{STREAMS}/messages");
    // Replies and errors are read by the dialect: their schemas are for other tools.
    let all = members(root(document), "messages").filter(|(_, message)| !is_control(message));
    all.filter_map(|(name, message)| Some((step(&step(&at, name), "payload"), message.get("payload")?))).collect()
}

/// The schemas of replies and errors, which other tools read.
pub fn control(document: &Document) -> Vec<(String, &Value)> {
    let at = format!("/{STREAMS}/messages");
    let all = members(root(document), "messages").filter(|(_, message)| is_control(message));
    all.filter_map(|(name, message)| Some((step(&step(&at, name), "payload"), message.get("payload")?))).collect()
}

/// A list of schemas in a document that was lowered: see [`lowered`].
fn listed<'a>(document: &'a Document, key: &str) -> Option<Vec<(String, &'a Value)>> {
    let list = root(document).get(key)?.as_array()?;
    let at = format!("/{STREAMS}/{key}");
    Some(list.iter().enumerate().map(|(i, schema)| (step(&at, &i.to_string()), schema)).collect())
}

/// What the document that the generator receives has to know of the streams: which schemas are sent and which are received.
pub fn lowered(document: &Document) -> Option<Value> {
    let schemas = |all: Vec<(String, &Value)>| {
        let mut distinct: Vec<Value> = Vec::new();
        for (_, schema) in all {
            if !distinct.contains(schema) {
                distinct.push(schema.clone());
            }
        }
        distinct
    };
    any(document).then(|| json!({ "sent": schemas(sent(document)), "received": schemas(received(document)) }))
}

/// The schema that a JSON pointer leads to, below a schema. Members of maps and elements of lists are found too.
pub fn at<'a>(document: &'a Document, schema: &'a Value, pointer: &str) -> Option<&'a Value> {
    if pointer.is_empty() {
        return Some(resolve(document, schema));
    }
    let mut at = schema;
    for name in pointer.strip_prefix('/')?.split('/') {
        at = member(document, at, &unescaped(name))?;
    }
    Some(resolve(document, at))
}

fn member<'a>(document: &'a Document, schema: &'a Value, name: &str) -> Option<&'a Value> {
    let schema = resolve(document, schema);
    if let Some(property) = schema.get("properties").and_then(|all| all.get(name)) {
        return Some(property);
    }
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    parts.filter_map(|part| member(document, part, name)).next()
}
