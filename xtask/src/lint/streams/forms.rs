//! What each of the words about streams may say. Whether what they name is there is asked elsewhere: see `channels`, `recovery`, `books`.

use serde_json::Value;

use crate::lint::UNITS;
use crate::lint::forms::shape;
use crate::lint::words::Known;
use crate::model::{environments, members, text};

type Said = Result<(), String>;

fn is(good: bool, problem: &str) -> Said {
    good.then_some(()).ok_or_else(|| problem.to_owned())
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// A JSON pointer that leads somewhere below.
fn is_pointer(value: &Value) -> bool {
    value.as_str().is_some_and(|pointer| pointer.starts_with('/') && !pointer.ends_with('/'))
}

fn are_texts(value: &Value, count: usize) -> bool {
    value.as_array().is_some_and(|all| all.len() == count && all.iter().all(is_text))
}

fn texts(value: &Value) -> bool {
    value.as_array().is_some_and(|all| all.iter().all(is_text))
}

fn map_of_texts(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.values().all(is_text))
}

fn count(value: &Value) -> bool {
    value.as_u64().is_some_and(|count| count > 0 && count <= u64::from(u32::MAX))
}

/// A member, where there is one.
fn maybe(value: &Value, key: &str, good: impl Fn(&Value) -> bool) -> bool {
    value.get(key).is_none_or(good)
}

pub fn login(_: &Known<'_>, value: &Value) -> Said {
    for (endpoint, how) in value.as_object().ok_or("is a mapping from endpoints")? {
        one_login(how).map_err(|problem| format!("`{endpoint}`: {problem}"))?;
    }
    Ok(())
}

fn one_login(how: &Value) -> Said {
    if matches!(how.as_str(), Some("none" | "call")) {
        return Ok(());
    }
    if how.get("upgrade").is_some() {
        shape(how, &["upgrade"], &[])?;
        return is(is_text(&how["upgrade"]), "`upgrade` names the credential that signs");
    }
    if how.get("command").is_some() {
        shape(how, &["command"], &[])?;
        return command_login(&how["command"]);
    }
    if let Some(events) = how.get("events") {
        shape(how, &["events"], &[])?;
        shape(events, &["subscribe", "unsubscribe", "subscription", "data", "type", "closing"], &[])?;
        let two = events["subscribe"].as_array().is_some_and(|calls| calls.len() == 2 && calls.iter().all(is_text));
        let others = ["unsubscribe", "subscription", "data", "type", "closing"];
        let said = two && others.iter().all(|name| is_text(&events[*name]));
        return is(
            said,
            "`subscribe` has the operation for a connection that is logged on and the one with a signature",
        );
    }
    shape(how, &["message"], &[]).map_err(|_| {
        "is `none`, `call`, `upgrade: CREDENTIAL`, `message: ...`, `command: ...` or `events: ...`".to_owned()
    })?;
    let message = &how["message"];
    shape(message, &["member", "ways"], &[])?;
    is(is_text(&message["member"]), "`member` is the name of a member")?;
    let ways = message["ways"].as_array().filter(|ways| !ways.is_empty()).ok_or("`ways` is a list")?;
    for way in ways {
        shape(way, &["credential", "members"], &[])?;
        let members = way["members"].as_object().is_some_and(|members| !members.is_empty());
        let good = is_text(&way["credential"]) && members && map_of_texts(&way["members"]);
        is(good, "a way has a `credential`, and `members` with the headers whose values they take")?;
    }
    Ok(())
}

fn command_login(command: &Value) -> Said {
    shape(command, &["credential", "command", "values"], &[])?;
    is(is_text(&command["credential"]) && is_text(&command["command"]), "`credential` and `command` are names")?;
    let one = |value: &Value| is_text(value) || (shape(value, &["integer"], &[]).is_ok() && is_text(&value["integer"]));
    let values = command["values"].as_array().is_some_and(|values| !values.is_empty() && values.iter().all(one));
    is(values, "`values` lists headers of the credential; `{integer: HEADER}` is sent as a number")
}

pub fn dialect(known: &Known<'_>, value: &Value) -> Said {
    let map = value.as_object().ok_or("is a mapping")?;
    let (Some((kind, members)), 1) = (map.iter().next(), map.len()) else {
        return Err("is one of `calls`, `commands`, `messages` and `topics`".to_owned());
    };
    match kind.as_str() {
        "calls" => calls(known, members),
        "commands" => commands(members),
        "messages" => messages(members),
        "topics" => topics(members),
        _ => Err("is one of `calls`, `commands`, `messages` and `topics`".to_owned()),
    }
}

fn calls(known: &Known<'_>, value: &Value) -> Said {
    shape(value, &["subscribe", "unsubscribe", "channels"], &[])?;
    is(is_text(&value["channels"]), "`channels` names the parameter that lists channels")?;
    for key in ["subscribe", "unsubscribe"] {
        is(are_texts(&value[key], 2), "names two methods: for public channels and for private ones")?;
        let methods = value[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        if let Some(unknown) =
            methods.into_iter().find(|method| !known.methods.contains(method) && !known.ids.contains(*method))
        {
            return Err(format!("there is no method `{unknown}`"));
        }
    }
    Ok(())
}

fn commands(value: &Value) -> Said {
    let names =
        ["id", "command", "params", "channels", "kind", "data", "subscription", "sent", "channel", "ok", "error"];
    let tuples = [("subscribe", 2), ("unsubscribe", 3), ("update", 2), ("error-members", 2)];
    let all: Vec<&str> = names.iter().copied().chain(tuples.map(|(name, _)| name)).collect();
    shape(value, &all, &["terminal", "retry", "codes"])?;
    named(value, &names, &tuples)?;
    for key in ["terminal", "retry"] {
        is(maybe(value, key, texts), "`terminal` and `retry` list codes, as texts")?;
    }
    is(maybe(value, "codes", map_of_texts), "`codes` says what codes mean")
}

fn messages(value: &Value) -> Said {
    let names = ["kind", "data", "room", "room-separator", "sent", "channel", "error", "error-text"];
    let tuples = [("subscribe", 2), ("unsubscribe", 2)];
    let all: Vec<&str> = names.iter().copied().chain(tuples.map(|(name, _)| name)).collect();
    shape(value, &all, &["separator", "quiet"])?;
    named(value, &names, &tuples)?;
    is(is_pointer(&value["error-text"]), "`error-text` is a JSON pointer into the message")?;
    let is_one = value["room-separator"].as_str().is_some_and(|separator| separator.chars().count() == 1);
    is(is_one, "`room-separator` is one character")?;
    is(maybe(value, "separator", is_text), "`separator` is a text")?;
    is(maybe(value, "quiet", texts), "`quiet` lists types of messages")
}

fn topics(value: &Value) -> Said {
    let names = ["command", "id", "topics", "subscribe", "unsubscribe", "text", "topic", "data"];
    let all: Vec<&str> = names.iter().copied().chain(["sent"]).collect();
    let others = ["success", "result", "error", "code", "kind"];
    let lists = ["accepted", "refused", "quiet", "held", "retry", "closing", "id-is-number"];
    shape(value, &all, &others.into_iter().chain(lists).collect::<Vec<_>>())?;
    named(value, &names, &[])?;
    named(value, &others.into_iter().filter(|name| value.get(*name).is_some()).collect::<Vec<_>>(), &[])?;
    let says = value.get("success").is_some() != value.get("result").is_some();
    is(says, "a reply says by `success` or by `result` whether the command was carried out")?;
    let has_error = value.get("result").is_some() == (value.get("error").is_some() && value.get("code").is_some());
    is(has_error, "with `result` go `error` and `code`, and with `success` neither")?;
    is(maybe(value, "id-is-number", Value::is_boolean), "`id-is-number` is `true` or `false`")?;
    if let Some(closing) = value.get("closing") {
        shape(closing, &["topic", "member", "equals"], &[])?;
        named(closing, &["topic", "member", "equals"], &[])?;
    }
    for key in ["sent", "quiet", "held", "retry"] {
        is(maybe(value, key, texts), "`sent`, `quiet`, `held` and `retry` are lists of texts")?;
    }
    let sent = value["sent"].as_array().is_some_and(|all| matches!(all.len(), 1 | 2));
    is(sent, "`sent` lists one or two members, or pointers into the data")?;
    is(value.get("accepted").is_some() == value.get("refused").is_some(), "`accepted` and `refused` go together")?;
    let pointers = maybe(value, "accepted", is_pointer) && maybe(value, "refused", is_pointer);
    is(pointers, "`accepted` and `refused` are JSON pointers into the reply")
}

fn named(value: &Value, names: &[&str], tuples: &[(&str, usize)]) -> Said {
    if let Some(name) = names.iter().find(|name| !is_text(&value[**name])) {
        return Err(format!("`{name}` is a name"));
    }
    match tuples.iter().find(|(name, count)| !are_texts(&value[*name], *count)) {
        Some((name, count)) => Err(format!("`{name}` is a list of {count} names")),
        None => Ok(()),
    }
}

pub fn keep_alive(_: &Known<'_>, value: &Value) -> Said {
    shape(value, &["ask-after", "dead-after"], &["ping"])?;
    is(count(&value["ask-after"]) && count(&value["dead-after"]), "`ask-after` and `dead-after` are whole seconds")?;
    let order = value["ask-after"].as_u64() < value["dead-after"].as_u64();
    is(order, "a connection is dead some time after it was asked")?;
    let is_json = |ping: &Value| ping.as_str().is_some_and(|text| serde_json::from_str::<Value>(text).is_ok());
    is(maybe(value, "ping", is_json), "`ping` is a message, as JSON in a text")
}

pub fn limits(known: &Known<'_>, value: &Value) -> Said {
    let counts = ["per-command", "commands-per-second", "per-connection", "connection-life"];
    shape(value, &[], &counts.into_iter().chain(["connections", "channel-once"]).collect::<Vec<_>>())?;
    for key in counts {
        is(maybe(value, key, count), &format!("`{key}` is a whole number above 0"))?;
    }
    is(maybe(value, "channel-once", Value::is_boolean), "`channel-once` is `true` or `false`")?;
    if let Some(connections) = value.get("connections") {
        let environments: Vec<&str> = environments(known.document).collect();
        shape(connections, &[], &environments).map_err(|problem| format!("`connections`: {problem}"))?;
        is(members(value, "connections").all(|(_, number)| count(number)), "`connections` are whole numbers")?;
    }
    Ok(())
}

pub fn query(_: &Known<'_>, value: &Value) -> Said {
    let is_list = |list: &Value| texts(list) && list.as_array().is_some_and(|list| !list.is_empty());
    let good = value.as_object().is_some_and(|map| !map.is_empty() && map.values().all(is_list));
    is(good, "is a mapping from parameters to lists of their values")
}

pub fn first_within(_: &Known<'_>, value: &Value) -> Said {
    is(count(value), "is a whole number of seconds")
}

pub fn access(_: &Known<'_>, value: &Value) -> Said {
    if matches!(value.as_str(), Some("public" | "private")) {
        return Ok(());
    }
    let one = members(value, "private-when").collect::<Vec<_>>();
    let good = shape(value, &["private-when"], &[]).is_ok() && matches!(one.as_slice(), [(_, Value::String(_))]);
    is(good, "is `public`, `private` or `private-when: {PARAMETER: VALUE}`")
}

pub fn items(_: &Known<'_>, value: &Value) -> Said {
    shape(value, &[], &["parameter", "all", "item", "add", "remove", "snapshot"])?;
    for key in ["parameter", "add", "remove", "snapshot"] {
        is(maybe(value, key, is_text), &format!("`{key}` is a name"))?;
    }
    is(maybe(value, "item", is_pointer), "`item` is a JSON pointer into the data")?;
    let all = |all: &Value| all.is_boolean() || is_text(all);
    is(maybe(value, "all", all), "`all` is `true`, `false`, or the value that asks for everything")?;
    if value.get("parameter").is_none() {
        let alone = value.get("item").is_some() && value.as_object().is_some_and(|map| map.len() == 1);
        return is(alone, "without a `parameter` there is `item` alone");
    }
    is(value.get("add").is_some() == value.get("remove").is_some(), "what can be added can be removed")
}

pub fn sequence(_: &Known<'_>, value: &Value) -> Said {
    if value == "none" {
        return Ok(());
    }
    let pointers = |key: &str, names: [&str; 2]| {
        shape(&value[key], &names, &[])?;
        is(names.iter().all(|name| is_pointer(&value[key][*name])), "its members are JSON pointers into the data")
    };
    match value.as_object().and_then(|map| map.keys().next()).map(String::as_str) {
        Some("counter") => {
            shape(value, &["counter"], &[])?;
            shape(&value["counter"], &["member", "first"], &[])?;
            let is_good = is_text(&value["counter"]["member"]) && value["counter"]["first"].is_i64();
            is(is_good, "`member` is a name, `first` the number of the first frame")
        }
        Some("successive") => {
            shape(value, &["successive"], &[])?;
            shape(&value["successive"], &["number", "first"], &[])?;
            let is_good = is_pointer(&value["successive"]["number"]) && value["successive"]["first"].is_i64();
            is(is_good, "`number` is a JSON pointer into the data, `first` the number after a restart of the venue")
        }
        Some("range") => shape(value, &["range"], &[]).and_then(|()| pointers("range", ["first", "last"])),
        Some("chain") => shape(value, &["chain"], &[]).and_then(|()| pointers("chain", ["number", "previous"])),
        Some("per-item") => shape(value, &["per-item"], &[]).and_then(|()| pointers("per-item", ["number", "item"])),
        _ => {
            let forms = "`none`, `counter: {member, first}`, `chain: {number, previous}`, `successive: {number, first}`, \
                         `range: {first, last}` or `per-item: {number, item}`";
            Err(format!("is {forms}"))
        }
    }
}

pub fn recover(_: &Known<'_>, value: &Value) -> Said {
    if matches!(value.as_str(), Some("snapshot" | "resubscribe" | "next" | "never")) {
        return Ok(());
    }
    if shape(value, &["snapshot"], &[]).is_ok() {
        return snapshot_call(&value["snapshot"]);
    }
    shape(value, &["catch-up"], &[])
        .map_err(|_| "is `snapshot`, `snapshot: ...`, `resubscribe`, `next`, `never` or `catch-up: ...`".to_owned())?;
    match &value["catch-up"] {
        Value::Array(calls) => {
            is(!calls.is_empty(), "`catch-up` lists calls")?;
            calls.iter().try_for_each(catch_up)
        }
        call => catch_up(call),
    }
}

fn snapshot_call(value: &Value) -> Said {
    shape(value, &["operation", "kind", "number"], &["parameters", "fixed", "added"])?;
    is(is_text(&value["operation"]) && is_text(&value["kind"]), "`operation` and `kind` are names")?;
    is(is_pointer(&value["number"]), "`number` is a JSON pointer into the response")?;
    for key in ["parameters", "added"] {
        is(maybe(value, key, map_of_texts), &format!("`{key}` is a mapping of names"))?;
    }
    is(maybe(value, "fixed", Value::is_object), "`fixed` is a mapping from parameters to their values")
}

fn catch_up(value: &Value) -> Said {
    let allowed = ["parameters", "fixed", "limit", "skip", "since", "from", "order", "renamed", "times", "added"];
    shape(value, &["operation", "list", "key"], &allowed)?;
    is(is_text(&value["operation"]), "`operation` names an operation")?;
    let list = value["list"].as_str().is_some_and(|list| list.is_empty() || is_pointer(&value["list"]));
    is(list, "`list` is a JSON pointer into the response, empty for the response itself")?;
    is(is_pointer(&value["key"]), "`key` is a JSON pointer into the data")?;
    is(maybe(value, "order", is_pointer), "`order` is a JSON pointer into the data")?;
    for key in ["parameters", "renamed", "times", "added"] {
        is(maybe(value, key, map_of_texts), &format!("`{key}` is a mapping of names"))?;
    }
    for key in ["skip", "from"] {
        is(maybe(value, key, is_text), &format!("`{key}` is a text"))?;
    }
    is(maybe(value, "fixed", Value::is_object), "`fixed` is a mapping from parameters to their values")?;
    let limit = |limit: &Value| limit.as_object().is_some_and(|map| map.len() == 1 && map.values().all(count));
    is(maybe(value, "limit", limit), "`limit` is one parameter with the number of records that are asked for")?;
    let Some(since) = value.get("since") else { return Ok(()) };
    shape(since, &["unit"], &["parameter"])?;
    is(maybe(since, "parameter", is_text), "`parameter` is a name")?;
    let unit = text(since, "unit").is_some_and(|unit| UNITS.iter().any(|(name, _)| *name == unit));
    is(unit, "`unit` is `unix-s`, `unix-ms`, `unix-us` or `unix-ns`")?;
    let ordered = since.get("parameter").is_some() || value.get("order").is_some();
    is(ordered, "without a parameter that takes the time, `order` tells what is too old")
}

fn condition(value: &Value) -> Said {
    shape(value, &["at", "equals"], &[])?;
    is(is_pointer(&value["at"]) && value["equals"].is_string(), "`at` is a JSON pointer into the data, `equals` a text")
}

pub fn when(_: &Known<'_>, value: &Value) -> Said {
    condition(value)
}

pub fn snapshot(_: &Known<'_>, value: &Value) -> Said {
    if *value == true { Ok(()) } else { condition(value).map_err(|_| "is `true`, or `{at, equals}`".to_owned()) }
}

/// Two numbers, or a word and two numbers, both in the same form.
pub fn tuple(_: &Known<'_>, value: &Value) -> Said {
    let count = value.as_array().map_or(0, Vec::len);
    is(matches!(count, 2 | 3), "is price and size, or action, price and size")
}

pub fn book(_: &Known<'_>, value: &Value) -> Said {
    shape(value, &["instrument", "snapshots"], &["mark", "changes", "audit"])?;
    let several = value["instrument"].as_array().is_some_and(|all| all.len() > 1 && all.iter().all(is_pointer));
    is(several || is_pointer(&value["instrument"]), "`instrument` is a JSON pointer into the data, or a list of them")?;
    is(maybe(value, "mark", is_pointer), "`mark` is a JSON pointer into the data")?;
    let some = |key: &str| value[key].as_object().is_some_and(|map| !map.is_empty());
    is(some("snapshots") && maybe(value, "changes", |_| some("changes")), "`snapshots` and `changes` name messages")?;
    for (key, said) in members(value, "snapshots") {
        shape(said, &["bids", "asks", "entry"], &["when", "mark"])
            .and_then(|()| is(maybe(said, "mark", is_pointer), "`mark` is a JSON pointer into the data"))
            .and_then(|()| levels(said))
            .map_err(|problem| format!("`{key}`: {problem}"))?;
    }
    members(value, "changes")
        .try_for_each(|(key, said)| change(said).map_err(|problem| format!("`{key}`: {problem}")))?;
    value.get("audit").map_or(Ok(()), audit).map_err(|problem| format!("`audit`: {problem}"))
}

/// A call that returns the book with a number of the stream.
fn audit(value: &Value) -> Said {
    shape(value, &["operation", "number", "bids", "asks", "depth"], &["parameters", "fixed"])?;
    is(is_text(&value["operation"]), "`operation` names an operation")?;
    let pointers = ["number", "bids", "asks"].iter().all(|key| is_pointer(&value[*key]));
    is(pointers, "`number`, `bids` and `asks` are JSON pointers into the response")?;
    is(count(&value["depth"]), "`depth` is how many levels of a side it returns at most")?;
    is(maybe(value, "parameters", map_of_texts), "`parameters` is a mapping of names")?;
    is(maybe(value, "fixed", Value::is_object), "`fixed` is a mapping from parameters to their values")
}

fn change(said: &Value) -> Said {
    is(maybe(said, "mark", is_pointer), "`mark` is a JSON pointer into the data")?;
    is(matches!(text(said, "is"), Some("change" | "size")), "`is` says whether numbers are a `change` or a `size`")?;
    if said.get("side").is_none() {
        shape(said, &["bids", "asks", "entry", "is"], &["when", "mark"])?;
        return levels(said);
    }
    shape(said, &["price", "size", "side", "bid", "ask", "is"], &["when", "mark"])?;
    maybe_condition(said)?;
    is(
        ["price", "size", "side"].iter().all(|key| is_pointer(&said[*key])),
        "`price`, `size` and `side` are JSON pointers",
    )?;
    is(is_text(&said["bid"]) && is_text(&said["ask"]) && said["bid"] != said["ask"], "`bid` and `ask` are two words")
}

fn maybe_condition(said: &Value) -> Said {
    said.get("when").map_or(Ok(()), condition).map_err(|problem| format!("`when`: {problem}"))
}

fn levels(said: &Value) -> Said {
    maybe_condition(said)?;
    is(is_pointer(&said["bids"]) && is_pointer(&said["asks"]), "`bids` and `asks` are JSON pointers into the data")?;
    let entry = &said["entry"];
    let words: Vec<&str> = entry.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let tuple = matches!(words.as_slice(), ["price", "size"] | ["action", "price", "size"]);
    let object = shape(entry, &["price", "size"], &[]).is_ok() && map_of_texts(entry);
    let problem = "`entry` is `[price, size]`, `[action, price, size]`, or `{price: MEMBER, size: MEMBER}`";
    is(tuple || object, problem)
}
