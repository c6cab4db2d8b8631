//! What a vendor's AsyncAPI document says: 2 or 3. Its messages are whole frames; what our dialect calls data is taken out of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::build::{Builder, plain};
use super::endpoints::{Endpoints, address};
use super::openapi::title;
use super::tree::Tree;
use super::{Channel, Field, Message, Parameter, Surface, TypeId, Use};
use crate::model::{members, text};
use crate::source::step;

/// How our spec frames data, so that a vendor's frames are read alike.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The member with a message's type.
    pub kind: Option<String>,
    /// The way to the data, outermost member first.
    pub data: Vec<String>,
    /// Messages that are replies.
    pub replies: Vec<String>,
    /// The way to the channel's address in a frame, where frames have it; otherwise a message's type says its channel.
    pub address: Option<Vec<String>>,
}

impl Frame {
    /// As the root of a joined spec says it.
    pub fn of(spec: &Value) -> Self {
        let dialect = spec.pointer("/x-streams/x-dialect").unwrap_or(&Value::Null);
        let Some((way, said)) = dialect.as_object().and_then(|ways| ways.iter().next()) else { return Self::default() };
        if way == "calls" {
            let params = |name: &str| vec!["params".to_owned(), name.to_owned()];
            return Self { kind: None, data: params("data"), replies: Vec::new(), address: Some(params("channel")) };
        }
        let second = |name: &str| said.get(name).and_then(Value::as_array).into_iter().flatten().skip(1);
        let words = second("subscribe").chain(second("unsubscribe")).filter_map(Value::as_str);
        let named = ["ok", "error"].iter().filter_map(|name| text(said, name));
        Self {
            kind: text(said, "kind").map(str::to_owned),
            data: vec![text(said, "data").unwrap_or("data").to_owned()],
            replies: words.chain(named).map(str::to_owned).collect(),
            address: text(said, "topic").map(|member| vec![member.to_owned()]),
        }
    }
}

/// The surface of a document.
pub fn surface(tree: &Tree, frame: &Frame, endpoints: &Endpoints) -> Surface {
    let document = &tree.value;
    let order = |pointer: &str| tree.order(pointer);
    let mut reader = Reader { builder: Builder::new(document, &order), frame };
    let mut made = Surface { title: title(document), ..Surface::default() };
    let is_old = document.get("asyncapi").and_then(Value::as_str).is_some_and(|version| version.starts_with("2."));
    for (id, channel) in members(document, "channels") {
        let (at, channel) = reader.builder.follow(channel, &step("/channels", id));
        let address = if is_old { id.as_str() } else { text(channel, "address").unwrap_or(id) };
        let messages = if is_old { reader.old_messages(channel, &at) } else { reader.messages(channel, &at) };
        let parameters = reader.parameters(channel, &at);
        let description = text(channel, "description").unwrap_or_default().to_owned();
        let (id, address) = (id.clone(), address.to_owned());
        // The connection itself is a channel to some.
        if address == "/" || address.is_empty() || messages.is_empty() {
            continue;
        }
        let served = served(document, channel, endpoints);
        let channel =
            Channel { id, at, address, endpoints: served, parameters, messages, description, ..Channel::default() };
        let key = channel.key();
        match made.channels.get_mut(&key) {
            // The same channel once more, such as the one of each message.
            Some(known) => known.messages.extend(channel.messages),
            None => drop(made.channels.insert(key, channel)),
        }
    }
    made.types = reader.builder.types;
    made
}

/// The endpoints of ours that serve a channel, as its servers are said: in AsyncAPI by references, in inventories by their URLs.
fn served(document: &Value, channel: &Value, endpoints: &Endpoints) -> BTreeSet<String> {
    let urls = channel.get("x-urls").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let named = channel.get("servers").and_then(Value::as_array).into_iter().flatten();
    let servers = named.filter_map(|server| {
        let server = match text(server, "$ref") {
            Some(reference) => document.pointer(reference.strip_prefix('#')?)?,
            None => document.get("servers")?.get(server.as_str()?)?,
        };
        address(server)
    });
    urls.map(str::to_owned).chain(servers).flat_map(|url| endpoints.at(&url)).collect()
}

struct Reader<'a> {
    builder: Builder<'a>,
    frame: &'a Frame,
}

impl<'a> Reader<'a> {
    fn messages(&mut self, channel: &'a Value, at: &str) -> Vec<Message> {
        let list = step(at, "messages");
        members(channel, "messages")
            .filter_map(|(key, message)| self.message(message, &step(&list, key), key))
            .collect()
    }

    fn old_messages(&mut self, channel: &'a Value, at: &str) -> Vec<Message> {
        let at = format!("{at}/subscribe/message");
        let Some(message) = channel.pointer("/subscribe/message") else { return Vec::new() };
        match message.get("oneOf").and_then(Value::as_array) {
            Some(all) => {
                let list = step(&at, "oneOf");
                all.iter()
                    .enumerate()
                    .filter_map(|(i, one)| self.message(one, &step(&list, &i.to_string()), ""))
                    .collect()
            }
            None => self.message(message, &at, "").into_iter().collect(),
        }
    }

    fn message(&mut self, message: &'a Value, at: &str, key: &str) -> Option<Message> {
        let (at, message) = self.builder.follow(message, at);
        let payload = message.get("payload")?;
        let whole = self.builder.schema(payload, &step(&at, "payload"));
        let own = text(message, "name").unwrap_or(key);
        let name = self.kind_of(whole.id).unwrap_or_else(|| own.to_owned());
        if self.frame.replies.contains(&name) {
            return None;
        }
        let (payload, in_list) = self.data(whole);
        Some(Message { name, when: None, payload, in_list, facts: BTreeMap::new() })
    }

    /// The one value of the member that says a frame's type.
    fn kind_of(&self, whole: TypeId) -> Option<String> {
        let field = self.builder.types[whole.0].field(self.frame.kind.as_deref()?)?;
        let values = self.builder.types[field.value.id.0].values.as_ref()?;
        values.first().filter(|_| values.len() == 1).cloned()
    }

    /// The data in a frame; the whole where it has no frame. A list of records is one of them.
    fn data(&self, whole: Use) -> (Use, bool) {
        let mut at = whole;
        for name in &self.frame.data {
            match self.builder.types[at.id.0].field(name) {
                Some(field) => at = field.value,
                None => {
                    at = whole;
                    break;
                }
            }
        }
        match self.builder.types[at.id.0].items {
            Some(record) => (record, true),
            None => (at, false),
        }
    }

    fn parameters(&mut self, channel: &'a Value, at: &str) -> Vec<Parameter> {
        let list = step(at, "parameters");
        let mut all = Vec::new();
        for (name, parameter) in members(channel, "parameters") {
            let (at, parameter) = self.builder.follow(parameter, &step(&list, name));
            // In version 3 the values stand in the parameter, before that in its schema.
            let schema = parameter.get("schema").unwrap_or(parameter);
            let field = Field {
                name: name.clone(),
                value: self.builder.schema(schema, &step(&at, "schema")),
                required: parameter.get("required") != Some(&Value::Bool(false)),
                position: 0.0,
                description: text(parameter, "description").unwrap_or_default().to_owned(),
                deprecated: false,
                default: schema.get("default").map(plain),
                rust_name: None,
                at,
            };
            let place = text(parameter, "x-place").unwrap_or("address").to_owned();
            all.push(Parameter { field, place, notation: None, facts: BTreeMap::new() });
        }
        all
    }
}
