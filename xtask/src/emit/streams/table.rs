//! The table of a venue's streams, as constants of `wire::stream`. A row says what differs from an empty one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::document::Document;
use crate::emit::types::text::Text;
use crate::lint::UNITS;
use crate::model::{id_of, members, text};
use crate::streams::{self, Channel, Message, Parameter};

pub fn source(document: &Document) -> String {
    let root = streams::root(document);
    let mut out = Text::top();
    out.line("use ::venuekit_wire::stream as wire;");
    out.line("");
    out.line("/// How this venue streams, and every channel that it has.");
    out.line("pub static STREAMS: wire::Streams = wire::Streams {");
    out.indented(|out| {
        out.line(&format!("venue: {:?},", document.venue));
        out.line("endpoints: &[");
        out.indented(|out| endpoints(document, root).iter().for_each(|one| out.line(one)));
        out.line("],");
        dialect(out, document, &root["x-dialect"]);
        out.line(&format!("keep_alive: {},", keep_alive(&root["x-keep-alive"])));
        out.line(&format!("limits: {},", limits(&root["x-limits"])));
        let query = members(root, "x-query").map(|(name, values)| format!("({name:?}, {})", words(values)));
        out.line(&format!("query: &[{}],", query.collect::<Vec<_>>().join(", ")));
        out.line("channels: &[");
        out.indented(|out| streams::channels(document).iter().for_each(|one| channel(out, document, one)));
        out.line("],");
    });
    out.line("};");
    out.finish()
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// `Some("text")` or `None`.
fn maybe(text: Option<&str>) -> String {
    text.map_or_else(|| "None".to_owned(), |text| format!("Some({text:?})"))
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    text(value, key).unwrap_or_default()
}

fn words(value: &Value) -> String {
    let all: Vec<String> = value.as_array().into_iter().flatten().filter_map(Value::as_str).map(quoted).collect();
    format!("&[{}]", all.join(", "))
}

/// `("first", "second")`, of a list of texts.
fn tuple(value: &Value) -> String {
    let all: Vec<String> = value.as_array().into_iter().flatten().filter_map(Value::as_str).map(quoted).collect();
    format!("({})", all.join(", "))
}

/// A mapping of texts as pairs.
fn pairs(holder: &Value, key: &str) -> String {
    let all: Vec<String> =
        members(holder, key).filter_map(|(name, value)| Some(format!("({name:?}, {:?})", value.as_str()?))).collect();
    format!("&[{}]", all.join(", "))
}

/// The endpoints by their names, in the order in which servers name them.
fn endpoints(document: &Document, root: &Value) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut servers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut paths: BTreeMap<&str, &str> = BTreeMap::new();
    for (_, server) in members(root, "servers") {
        let (name, path) = (word(server, "x-endpoint"), word(server, "pathname"));
        if !names.contains(&name) {
            names.push(name);
        }
        let url = format!("{}://{}{path}", word(server, "protocol"), word(server, "host"));
        servers.entry(name).or_default().push(format!("({:?}, {url:?})", word(server, "x-environment")));
        paths.insert(name, path);
    }
    let all = names.into_iter().map(|name| {
        format!(
            "wire::Endpoint {{ name: {name:?}, path: {:?}, login: {}, servers: &[{}] }},",
            paths[name],
            login(document, &root["x-login"][name]),
            servers[name].join(", ")
        )
    });
    all.collect()
}

fn login(document: &Document, value: &Value) -> String {
    if value == "call" {
        return "wire::Login::Call".to_owned();
    }
    if let Some(credential) = text(value, "upgrade") {
        return format!("wire::Login::Upgrade {{ credential: {credential:?} }}");
    }
    if let Some(command) = value.get("command") {
        let values = command["values"].as_array().into_iter().flatten().map(|value| match text(value, "integer") {
            Some(header) => format!("({header:?}, wire::ParameterKind::Integer)"),
            None => format!("({:?}, wire::ParameterKind::Text)", value.as_str().unwrap_or_default()),
        });
        return format!(
            "wire::Login::Command {{ credential: {:?}, command: {:?}, values: &[{}] }}",
            word(command, "credential"),
            word(command, "command"),
            values.collect::<Vec<_>>().join(", ")
        );
    }
    if let Some(events) = value.get("events") {
        let operation = |name: &Value| quoted(&id_of(document, name.as_str().unwrap_or_default()));
        let names = ["subscription", "data", "closing"].map(|key| format!("{key}: {:?}", word(events, key))).join(", ");
        return format!(
            "wire::Login::Events(wire::EventCalls {{ subscribe: ({}, {}), unsubscribe: {}, {names}, kind: {:?} }})",
            operation(&events["subscribe"][0]),
            operation(&events["subscribe"][1]),
            operation(&events["unsubscribe"]),
            word(events, "type")
        );
    }
    let Some(message) = value.get("message") else { return "wire::Login::None".to_owned() };
    let ways = message["ways"].as_array().into_iter().flatten().map(|way| {
        let members = pairs(way, "members");
        format!("wire::MessageLogin {{ credential: {:?}, members: {members} }}", word(way, "credential"))
    });
    let ways = ways.collect::<Vec<_>>().join(", ");
    format!("wire::Login::Message {{ member: {:?}, ways: &[{ways}] }}", word(message, "member"))
}

fn dialect(out: &mut Text, document: &Document, value: &Value) {
    let names = |value: &Value, keys: &[&str]| -> Vec<String> {
        let one = |key: &&str| format!("{}: {:?},", key.replace('-', "_"), word(value, key));
        keys.iter().map(one).collect()
    };
    let (head, fields, tail) = if let Some(calls) = value.get("calls") {
        let operations = |key: &str| {
            let ids = calls[key].as_array().into_iter().flatten().filter_map(Value::as_str);
            let ids: Vec<String> = ids.map(|name| quoted(&id_of(document, name))).collect();
            format!("{key}: ({}),", ids.join(", "))
        };
        let mut fields = vec![operations("subscribe"), operations("unsubscribe")];
        fields.extend(names(calls, &["channels"]));
        ("wire::Dialect::Calls {", fields, "}")
    } else if let Some(commands) = value.get("commands") {
        let single =
            ["id", "command", "params", "channels", "kind", "data", "subscription", "sent", "channel", "ok", "error"];
        let mut fields = names(commands, &single);
        for key in ["subscribe", "unsubscribe", "update", "error-members"] {
            fields.push(format!("{}: {},", key.replace('-', "_"), tuple(&commands[key])));
        }
        for key in ["terminal", "retry"] {
            fields.push(format!("{key}: {},", words(&commands[key])));
        }
        fields.push(format!("codes: {},", pairs(commands, "codes")));
        ("wire::Dialect::Commands(wire::Commands {", fields, "})")
    } else if let Some(topics) = value.get("topics") {
        let single = [
            "command",
            "id",
            "topics",
            "subscribe",
            "unsubscribe",
            "success",
            "result",
            "error",
            "code",
            "text",
            "topic",
            "kind",
            "data",
        ];
        let said: Vec<&str> = single.into_iter().filter(|key| topics.get(*key).is_some()).collect();
        let mut fields = names(topics, &said);
        if topics["id-is-number"] == true {
            fields.push("id_is_number: true,".to_owned());
        }
        if topics.get("accepted").is_some() {
            fields.push(format!("listed: ({:?}, {:?}),", word(topics, "accepted"), word(topics, "refused")));
        }
        if let Some(closing) = topics.get("closing") {
            let [topic, member, equals] = ["topic", "member", "equals"].map(|key| word(closing, key));
            fields.push(format!(
                "closing: Some(wire::Closing {{ topic: {topic:?}, member: {member:?}, equals: {equals:?} }}),"
            ));
        }
        for key in ["sent", "quiet", "held", "retry"] {
            if topics.get(key).is_some() {
                fields.push(format!("{key}: {},", words(&topics[key])));
            }
        }
        fields.push("..wire::Topics::EMPTY".to_owned());
        ("wire::Dialect::Topics(wire::Topics {", fields, "})")
    } else {
        let messages = &value["messages"];
        let mut fields = names(messages, &["kind", "data", "room", "sent", "channel", "error", "error-text"]);
        fields.push(format!("separator: {},", maybe(text(messages, "separator"))));
        let separator = word(messages, "room-separator").chars().next().unwrap_or(':');
        fields.push(format!("room_separator: {separator:?},"));
        for key in ["subscribe", "unsubscribe"] {
            fields.push(format!("{key}: {},", tuple(&messages[key])));
        }
        fields.push(format!("quiet: {},", words(&messages["quiet"])));
        ("wire::Dialect::Messages(wire::Messages {", fields, "})")
    };
    out.line(&format!("dialect: {head}"));
    out.indented(|out| out.filled(fields.into_iter()));
    out.line(&format!("{tail},"));
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}

fn keep_alive(value: &Value) -> String {
    format!(
        "wire::KeepAlive {{ ask_after: {}, dead_after: {}, ping: {} }}",
        number(value, "ask-after"),
        number(value, "dead-after"),
        maybe(text(value, "ping"))
    )
}

fn limits(value: &Value) -> String {
    let connections: Vec<String> =
        members(value, "connections").map(|(name, count)| format!("({name:?}, {count})")).collect();
    let mut fields: Vec<String> = ["per-command", "commands-per-second", "per-connection", "connection-life"]
        .into_iter()
        .filter_map(|key| Some(format!("{}: {}", key.replace('-', "_"), value[key].as_u64()?)))
        .collect();
    if !connections.is_empty() {
        fields.push(format!("connections: &[{}]", connections.join(", ")));
    }
    if value["channel-once"] == true {
        fields.push("channel_once: true".to_owned());
    }
    // An unknown limit is none.
    fields.push("..wire::Limits::EMPTY".to_owned());
    format!("wire::Limits {{ {} }}", fields.join(", "))
}

fn channel(out: &mut Text, document: &Document, channel: &Channel<'_>) {
    let value = channel.value;
    let items = &value["x-items"];
    out.line("wire::Channel {");
    out.indented(|out| {
        out.line(&format!(
            "name: {:?}, id: {:?}, endpoint: {:?}, access: {},",
            channel.address(),
            channel.id,
            word(value, "x-endpoint"),
            access(&value["x-access"])
        ));
        out.line(&format!("description: {:?},", plain(word(value, "description"))));
        let parameters = channel.given();
        if !parameters.is_empty() {
            out.line("parameters: &[");
            out.indented(|out| parameters.iter().for_each(|one| out.line(&parameter(document, one))));
            out.line("],");
        }
        if items.is_object() {
            let (parameter, item) = (maybe(text(items, "parameter")), maybe(text(items, "item")));
            let all = items["all"] == true || items["all"].is_string();
            let everything =
                text(items, "all").map(|value| format!(" everything: Some({value:?}),")).unwrap_or_default();
            out.line(&format!("items: {parameter}, all: {all},{everything} item: {item},"));
            let [add, remove, snapshot] = ["add", "remove", "snapshot"].map(|key| maybe(text(items, key)));
            out.line(&format!("actions: wire::Actions {{ add: {add}, remove: {remove}, snapshot: {snapshot} }},"));
        }
        let all: Vec<String> = channel.messages(document).iter().map(message).collect();
        out.line("messages: &[");
        out.indented(|out| all.iter().for_each(|one| out.line(one)));
        out.line("],");
        for (flag, set) in [
            ("is_list", value["x-list"] == true),
            ("is_whole", value["x-whole"] == true),
            ("is_book", value["x-book"].is_object()),
        ] {
            if set {
                out.line(&format!("{flag}: true,"));
            }
        }
        if let Some(seconds) = value["x-first-within"].as_u64() {
            out.line(&format!("first_within: {seconds},"));
        }
        out.line(&format!("sequence: {},", sequence(&value["x-sequence"])));
        recovery(out, document, &value["x-recover"]);
        if let Some(call) = value.pointer("/x-book/audit") {
            audit(out, document, call);
        }
        out.line("..wire::Channel::EMPTY");
    });
    out.line("},");
}

/// A description on one line.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn access(value: &Value) -> String {
    let when = members(value, "private-when").next();
    match (when.and_then(|(parameter, value)| Some((parameter, value.as_str()?))), value.as_str()) {
        (Some((parameter, value)), _) => {
            format!("wire::Access::PrivateWhen {{ parameter: {parameter:?}, value: {value:?} }}")
        }
        (None, Some("private")) => "wire::Access::Private".to_owned(),
        _ => "wire::Access::Public".to_owned(),
    }
}

fn parameter(document: &Document, parameter: &Parameter<'_>) -> String {
    let (_, schema) = parameter.resolved(document);
    let mut fields = vec![format!("name: {:?}", parameter.name)];
    let description = plain(word(parameter.value, "description"));
    if !description.is_empty() {
        fields.push(format!("description: {description:?}"));
    }
    match text(schema, "type") {
        Some("integer") => fields.push("kind: wire::ParameterKind::Integer".to_owned()),
        Some("boolean") => fields.push("kind: wire::ParameterKind::Boolean".to_owned()),
        _ => {}
    }
    let values = parameter.values(document);
    if !values.is_empty() {
        let values: Vec<String> = values.into_iter().map(quoted).collect();
        fields.push(format!("values: &[{}]", values.join(", ")));
        if parameter.is_open(document) {
            fields.push("is_open: true".to_owned());
        }
    }
    if let Some(pattern) = text(schema, "pattern") {
        fields.push(format!("pattern: Some({pattern:?})"));
    }
    for (flag, set) in [
        ("is_list", parameter.is_list()),
        ("is_required", parameter.is_required()),
        ("is_of_connection", parameter.has("of-connection")),
        ("is_lower_case", parameter.has("x-lower-case")),
    ] {
        if set {
            fields.push(format!("{flag}: true"));
        }
    }
    if let Some(fixed) = parameter.fixed() {
        fields.push(format!("fixed: Some({:?})", fixed.to_string()));
    }
    format!("wire::Parameter {{ {}, ..wire::Parameter::EMPTY }},", fields.join(", "))
}

fn message(message: &Message<'_>) -> String {
    let when = message.when().map_or_else(|| "None".to_owned(), |(at, equals)| format!("Some(({at:?}, {equals:?}))"));
    let is_snapshot = message.value["x-snapshot"] == true;
    let snapshot_when = message
        .value
        .pointer("/x-snapshot/at")
        .map_or_else(|| "None".to_owned(), |at| format!("Some(({at}, {}))", message.value["x-snapshot"]["equals"]));
    format!(
        "wire::Message {{ kind: {:?}, when: {when}, is_snapshot: {is_snapshot}, snapshot_when: {snapshot_when} }},",
        message.kind()
    )
}

fn sequence(value: &Value) -> String {
    if let Some(counter) = value.get("counter") {
        let (member, first) = (word(counter, "member"), &counter["first"]);
        return format!("wire::Sequence::Counter {{ member: {member:?}, first: {first} }}");
    }
    if let Some(successive) = value.get("successive") {
        let (number, first) = (word(successive, "number"), &successive["first"]);
        return format!("wire::Sequence::Successive {{ number: {number:?}, first: {first} }}");
    }
    if let Some(range) = value.get("range") {
        let [first, last] = ["first", "last"].map(|key| word(range, key));
        return format!("wire::Sequence::Range {{ first: {first:?}, last: {last:?} }}");
    }
    if let Some(chain) = value.get("chain") {
        let [number, previous] = ["number", "previous"].map(|key| word(chain, key));
        return format!("wire::Sequence::Chain {{ number: {number:?}, previous: {previous:?} }}");
    }
    if let Some(per_item) = value.get("per-item") {
        let [number, item] = ["number", "item"].map(|key| word(per_item, key));
        return format!("wire::Sequence::PerItem {{ number: {number:?}, item: {item:?} }}");
    }
    "wire::Sequence::None".to_owned()
}

fn recovery(out: &mut Text, document: &Document, value: &Value) {
    let plain = match value.as_str() {
        Some("snapshot") => Some("Snapshot"),
        Some("resubscribe") => Some("Resubscribe"),
        Some("next") => Some("Next"),
        _ => None,
    };
    if let Some(variant) = plain {
        return out.line(&format!("recovery: wire::Recovery::{variant},"));
    }
    if let Some(call) = value.get("snapshot") {
        return snapshot_call(out, document, call);
    }
    let calls = match value.get("catch-up") {
        Some(Value::Array(calls)) => calls.iter().collect(),
        Some(call) => vec![call],
        None => return out.line("recovery: wire::Recovery::Never,"),
    };
    out.line("recovery: wire::Recovery::CatchUp(&[");
    out.indented(|out| calls.into_iter().for_each(|call| catch_up(out, document, call)));
    out.line("]),");
}

/// Parameters with values that are always the same, as JSON.
fn fixed(call: &Value) -> String {
    let all: Vec<String> =
        members(call, "fixed").map(|(name, value)| format!("({name:?}, {:?})", value.to_string())).collect();
    format!("&[{}]", all.join(", "))
}

fn snapshot_call(out: &mut Text, document: &Document, call: &Value) {
    out.line("recovery: wire::Recovery::Call(&wire::SnapshotCall {");
    out.indented(|out| snapshot_fields(out, document, call));
    out.line("}),");
}

fn snapshot_fields(out: &mut Text, document: &Document, call: &Value) {
    let fields = [
        format!("operation: {:?},", id_of(document, word(call, "operation"))),
        format!("parameters: {},", pairs(call, "parameters")),
        format!("fixed: {},", fixed(call)),
        format!("kind: {:?},", word(call, "kind")),
        format!("number: {:?},", word(call, "number")),
        format!("added: {},", pairs(call, "added")),
    ];
    out.filled(fields.into_iter());
}

/// The call that returns a book to compare with.
fn audit(out: &mut Text, document: &Document, call: &Value) {
    out.line("audit: Some(&wire::BookAudit {");
    out.indented(|out| {
        out.line("call: wire::SnapshotCall {");
        out.indented(|out| snapshot_fields(out, document, call));
        out.line("},");
        let [bids, asks] = ["bids", "asks"].map(|key| word(call, key));
        out.line(&format!("bids: {bids:?}, asks: {asks:?}, depth: {},", call["depth"]));
    });
    out.line("}),");
}

fn catch_up(out: &mut Text, document: &Document, call: &Value) {
    let since = call.get("since").map_or_else(
        || "None".to_owned(),
        |since| {
            let unit = UNITS.iter().find(|(name, _)| *name == word(since, "unit"));
            format!("Some(({:?}, {}))", word(since, "parameter"), unit.map_or(1, |(_, per_second)| *per_second))
        },
    );
    let limit = members(call, "limit").next();
    let limit = limit.map(|(name, number)| format!("limit: Some(({name:?}, {number})),"));
    let said = |key: &str, field: String| call.get(key).map(|_| field);
    let fields = [
        Some(format!("operation: {:?},", id_of(document, word(call, "operation")))),
        Some(format!("list: {:?},", word(call, "list"))),
        said("parameters", format!("parameters: {},", pairs(call, "parameters"))),
        said("skip", format!("skip: {},", maybe(text(call, "skip")))),
        said("fixed", format!("fixed: {},", fixed(call))),
        limit,
        said("since", format!("since: {since},")),
        said("from", format!("from: {},", maybe(text(call, "from")))),
        Some(format!("key: {:?},", word(call, "key"))),
        said("order", format!("order: {:?},", word(call, "order"))),
        said("renamed", format!("renamed: {},", pairs(call, "renamed"))),
        said("times", format!("times: {},", pairs(call, "times"))),
        said("added", format!("added: {},", pairs(call, "added"))),
        Some("..wire::CatchUp::EMPTY".to_owned()),
    ];
    out.line("wire::CatchUp {");
    out.indented(|out| out.filled(fields.into_iter().flatten()));
    out.line("},");
}
