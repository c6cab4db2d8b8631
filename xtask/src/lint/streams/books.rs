//! Order books: that each message and each place in it exists and has the form of one.

use serde_json::Value;

use super::Fail;
use super::recovery::{names_of, operation_of};
use crate::document::Document;
use crate::lint::schemas::types;
use crate::model::{members, resolve, text};
use crate::source::step;
use crate::streams::{self, Channel};

pub fn check(document: &Document, channel: &Channel<'_>, fail: &mut Fail<'_>) {
    let Some(book) = channel.value.get("x-book") else { return };
    let at = step(&channel.pointer, "x-book");
    let messages = channel.messages(document);
    for kind in ["snapshots", "changes"] {
        for (key, said) in members(book, kind) {
            let at = step(&step(&at, kind), key);
            let Some(payload) =
                messages.iter().find(|message| message.key == key).and_then(|message| message.payload())
            else {
                let message = format!("the channel has no message `{key}`");
                fail("unknown-message", &at, message, "name a key of the channel's `messages`");
                continue;
            };
            let payload = Payload { document, payload, at: &at };
            for place in places(&book["instrument"]) {
                payload.holds(place, &["string"], fail);
            }
            if let Some(mark) = text(said, "mark").or_else(|| text(book, "mark")) {
                payload.holds(mark, &["integer"], fail);
            }
            if let Some(when) = said.get("when").and_then(|when| text(when, "at")) {
                payload.holds(when, &["string"], fail);
            }
            payload.numbers(said, fail);
        }
    }
    if let Some(call) = book.get("audit") {
        audit(document, channel, &step(&at, "audit"), call, fail);
    }
}

/// The response has the number and the levels.
fn audit(document: &Document, channel: &Channel<'_>, at: &str, call: &Value, fail: &mut Fail<'_>) {
    let Some(operation) = operation_of(document, at, call, fail) else { return };
    names_of(document, channel, &operation, at, call, fail);
    let Some((_, result)) = operation.result_schema(document) else { return };
    for (key, kind) in [("number", "integer"), ("bids", "array"), ("asks", "array")] {
        let pointer = text(call, key).unwrap_or_default();
        if streams::at(document, result, pointer).is_none_or(|found| types(found) != [kind]) {
            let message = format!("the response of `{}` has no {kind} at `{pointer}`", operation.id);
            fail("dangling-pointer", &step(at, key), message, "lead to the number of the state, and to its levels");
        }
    }
}

/// One pointer, or several.
fn places(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

struct Payload<'a> {
    document: &'a Document,
    payload: &'a Value,
    at: &'a str,
}

impl Payload<'_> {
    /// What a pointer leads to, which has one of these types.
    fn holds(&self, pointer: &str, kinds: &[&str], fail: &mut Fail<'_>) -> Option<&Value> {
        if !super::leads(self.document, &[self.payload], self.at, pointer, fail) {
            return None;
        }
        let found = streams::at(self.document, self.payload, pointer)?;
        let own = types(found);
        if !matches!(own.as_slice(), [one] if kinds.contains(one)) {
            let message = format!("`{pointer}` is no {}", kinds.join(" or "));
            fail("bad-book", self.at, message, "correct the pointer, or the schema");
            return None;
        }
        Some(found)
    }

    fn decimal(&self, schema: &Value, what: &str, fail: &mut Fail<'_>) {
        if text(resolve(self.document, schema), "format") != Some("decimal") {
            fail("bad-book", self.at, format!("{what} is no decimal"), "say `format: decimal`");
        }
    }

    fn numbers(&self, said: &Value, fail: &mut Fail<'_>) {
        if let Some(side) = text(said, "side") {
            self.holds(side, &["string"], fail);
            for key in ["price", "size"] {
                let pointer = text(said, key).unwrap_or_default();
                if let Some(number) = self.holds(pointer, &["string", "number"], fail) {
                    self.decimal(number, &format!("`{pointer}`"), fail);
                }
            }
            return;
        }
        for key in ["bids", "asks"] {
            let pointer = text(said, key).unwrap_or_default();
            let Some(one) = self.holds(pointer, &["array"], fail).and_then(|list| list.get("items")) else { continue };
            self.entry(resolve(self.document, one), &said["entry"], pointer, fail);
        }
    }

    fn entry(&self, level: &Value, entry: &Value, pointer: &str, fail: &mut Fail<'_>) {
        if let Some(words) = entry.as_array() {
            let elements = level.get("x-tuple").and_then(Value::as_array).map_or(0, Vec::len);
            if elements != words.len() {
                let message = format!("an element of `{pointer}` is no tuple of {}", words.len());
                fail(
                    "bad-book",
                    self.at,
                    message,
                    "write `x-tuple` at its schema, and its members in their order in `entry`",
                );
            }
            return;
        }
        for (key, name) in [("price", text(entry, "price")), ("size", text(entry, "size"))] {
            let name = name.unwrap_or_default();
            match level.get("properties").and_then(|all| all.get(name)) {
                Some(number) => self.decimal(number, &format!("`{name}` of `{pointer}`"), fail),
                None => {
                    let message = format!("an element of `{pointer}` has no `{name}`, its {key}");
                    fail("dangling-pointer", self.at, message, "name a member of the levels");
                }
            }
        }
    }
}
