//! What an inventory of channels says. It is turned into AsyncAPI, whose reader does the rest.

use serde_json::{Map, Value, json};

use super::Surface;
use super::asyncapi::{self, Frame};
use super::endpoints::Endpoints;
use super::inventory::{schema, title};
use super::tree::Tree;
use crate::model::text;

/// The surface of the channels of an inventory that are a venue's.
pub fn surface(document: &Value, venue: &str, endpoints: &Endpoints) -> Surface {
    let mut channels = Map::new();
    let listed = document.as_array().or_else(|| document.get("subscriptions")?.as_array());
    for (index, channel) in listed.into_iter().flatten().enumerate() {
        let is_ours = text(channel, "venue").is_none_or(|own| own == venue);
        // A name that begins with an underscore is not a channel: it says what holds for a whole connection.
        let Some(said) = text(channel, "channel").filter(|name| is_ours && !name.starts_with('_')) else { continue };
        let (address, own_endpoint) = without_endpoint(said, endpoints);
        for address in with_and_without_option(address) {
            let key = if address == said { address.clone() } else { format!("{address} {index}") };
            let mut made = json!({ "address": address, "messages": messages(channel) });
            made["parameters"] = parameters(channel, &address);
            made["x-urls"] = urls(channel, own_endpoint, endpoints);
            channels.insert(key, made);
        }
    }
    let made = json!({ "asyncapi": "3.0.0", "info": { "title": title(document) }, "channels": channels });
    asyncapi::surface(&Tree::of(made), &Frame::default(), endpoints)
}

/// An address with an endpoint of ours behind `@`, which tells channels with the same address from each other.
fn without_endpoint<'a>(said: &'a str, endpoints: &Endpoints) -> (&'a str, Option<&'a str>) {
    match said.rsplit_once('@') {
        Some((address, endpoint)) if endpoints.has(endpoint) => (address, Some(endpoint)),
        _ => (said, None),
    }
}

/// `order[.{category}]` is two channels.
fn with_and_without_option(address: &str) -> Vec<String> {
    let parts = address.split_once('[').and_then(|(before, rest)| Some((before, rest.split_once(']')?)));
    match parts {
        Some((before, (inside, after))) => vec![format!("{before}{after}"), format!("{before}{inside}{after}")],
        None => vec![address.to_owned()],
    }
}

/// Where a channel is served: the URLs of its environments, those of one endpoint where it is named.
fn urls(channel: &Value, own: Option<&str>, endpoints: &Endpoints) -> Value {
    let said = channel.get("endpoint").unwrap_or(&Value::Null);
    let all = said.as_object().into_iter().flatten().filter_map(|(_, url)| url.as_str()).chain(said.as_str());
    let is_own = |url: &&str| own.is_none_or(|name| endpoints.at(url).contains(name));
    all.filter(is_own).collect()
}

fn messages(channel: &Value) -> Value {
    let mut all = Map::new();
    for message in channel.get("message_types").and_then(Value::as_array).into_iter().flatten() {
        let said = text(message, "type").unwrap_or_default();
        let is_list = text(message, "data") == Some("array") || said.ends_with("array") || said.starts_with("array of");
        let mut payload = schema(&json!({ "type": "object", "fields": message.get("fields").unwrap_or(&Value::Null) }));
        if is_list {
            payload = json!({ "type": "array", "items": payload });
        }
        for name in names(said) {
            all.insert(all.len().to_string(), json!({ "name": name, "payload": payload }));
        }
    }
    if let Some(data) = channel.get("data") {
        all.insert("0".to_owned(), json!({ "name": "", "payload": schema(data) }));
    }
    all.into()
}

/// The types of messages that a text names: `snapshot | delta` are two, `(no type)` is none, and `array of trade` is one.
fn names(said: &str) -> Vec<String> {
    let name = |part: &str| {
        let part = part.trim();
        let part = part.strip_prefix("array of ").unwrap_or(part);
        let is_name = !part.contains([' ', '(', ',']) && part != "notification";
        if is_name { part.to_owned() } else { String::new() }
    };
    said.split('|').map(name).collect()
}

fn parameters(channel: &Value, address: &str) -> Value {
    let mut all = Map::new();
    let mut add = |name: &str, node: &Value| {
        let in_address = address.contains(&format!("{{{name}}}"));
        // A placeholder of the address is not a parameter of the command too.
        if !in_address && text(channel, "channel").is_some_and(|said| said.contains(&format!("{{{name}}}"))) {
            return;
        }
        let mut made = json!({ "schema": schema(node) });
        made["x-place"] = json!(if in_address { "address" } else { "command" });
        made["required"] = json!(in_address || node.get("required") == Some(&json!(true)));
        all.insert(name.to_owned(), made);
    };
    match channel.get("params") {
        Some(Value::Array(list)) => {
            list.iter().filter_map(|one| Some((text(one, "name")?, one))).for_each(|(name, one)| add(name, one));
        }
        Some(Value::Object(map)) => map.iter().for_each(|(name, one)| add(name, one)),
        _ => {}
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_messages_and_channels_are_read_as_they_are_written() {
        for (said, expected) in [
            ("trade", &["trade"][..]),
            ("snapshot | delta", &["snapshot", "delta"]),
            ("(no type)", &[""]),
            ("no event type, no symbol", &[""]),
            ("notification, data is an array", &[""]),
            ("array of 24hrMiniTicker", &["24hrMiniTicker"]),
            ("{window}Ticker", &["{window}Ticker"]),
        ] {
            assert_eq!(names(said), expected, "{said}");
        }
        assert_eq!(with_and_without_option("order[.{category}]"), ["order", "order.{category}"]);
        assert_eq!(with_and_without_option("wallet"), ["wallet"]);
        assert_eq!(without_endpoint("{symbol}@trade", &Endpoints::default()), ("{symbol}@trade", None));
    }
}
