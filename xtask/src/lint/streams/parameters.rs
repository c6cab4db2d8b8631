//! What channels are given.

use serde_json::Value;

use super::Fail;
use crate::document::Document;
use crate::emit::variant;
use crate::lint::schemas::types;
use crate::model::{collisions, members, text};
use crate::names::snake;
use crate::source::step;
use crate::streams::{Channel, Parameter, Place};

/// Methods of the subscription of a channel, other than setters.
const TAKEN: [&str; 6] = ["book", "capacity", "clone", "overflow", "subscribe", "topic"];

pub fn check(document: &Document, channel: &Channel<'_>, fail: &mut Fail<'_>) {
    let all = channel.parameters();
    for (first, second) in collisions(all.iter().map(|parameter| parameter.name), snake) {
        let (first, second) = (&all[first], &all[second]);
        let message = format!("`{}` and `{}` are one name in Rust", first.name, second.name);
        fail(
            "parameter-collision",
            &second.pointer,
            message,
            "a parameter stands once, in the address or in the command",
        );
    }
    for parameter in &all {
        if TAKEN.contains(&snake(parameter.name).as_str()) {
            let message = format!("every subscription has something else called `{}`", parameter.name);
            fail("reserved-name", &parameter.pointer, message, "leave it out, and say so in sources.md");
        }
        match parameter.place {
            Place::Address => in_address(document, parameter, fail),
            Place::Command => in_command(document, channel, parameter, fail),
        }
    }
}

fn in_address(document: &Document, parameter: &Parameter<'_>, fail: &mut Fail<'_>) {
    let (at, name) = (&parameter.pointer, parameter.name);
    let listed = parameter.value.get("enum").and_then(Value::as_array);
    if listed.is_some() == parameter.schema().is_some() {
        let help = "list the values in `enum`, or refer to the schema of an id or an enum in `x-schema`";
        return fail("parameter-values", at, format!("nothing says once what `{name}` may be"), help);
    }
    if let Some(listed) = listed {
        let words = parameter.values(document);
        if words.is_empty() || words.len() != listed.len() || words.contains(&"") {
            fail("parameter-values", &step(at, "enum"), "the values are texts".to_owned(), "quote numbers");
        }
        for (first, second) in collisions(words.iter().copied(), variant) {
            let message = format!("`{}` and `{}` are one name in Rust", words[first], words[second]);
            fail("enum-collision", &step(at, "enum"), message, "leave one out, and say so in sources.md");
        }
    }
    if parameter.has("x-lower-case") && listed.is_some() {
        let help = "list the words as the address has them, and leave `x-lower-case` out";
        fail("parameter-values", &step(at, "x-lower-case"), format!("the words of `{name}` are listed"), help);
    }
    if parameter.is_list() {
        let help = "a list of channels is several subscriptions";
        fail("parameter-type", at, format!("`{name}` is a list within a name"), help);
    }
    form(document, parameter, fail);
}

fn in_command(document: &Document, channel: &Channel<'_>, parameter: &Parameter<'_>, fail: &mut Fail<'_>) {
    let at = &parameter.pointer;
    if let Some(other) = text(parameter.value, "alias-of") {
        let known = members(channel.value, "x-parameters")
            .any(|(name, value)| name == other && value.get("alias-of").is_none());
        if !known {
            let message = format!("the channel is not given `{other}`");
            fail("unknown-parameter", &step(at, "alias-of"), message, "name a parameter of the command that is sent");
        }
    }
    if let Some(fixed) = parameter.fixed() {
        let schema = parameter.resolved(document).1;
        let fits = match types(schema).as_slice() {
            ["boolean"] => fixed.is_boolean(),
            ["integer"] => fixed.is_i64(),
            ["string"] => fixed.is_string(),
            _ => false,
        };
        if !fits || parameter.is_list() || parameter.has("required") || parameter.value.get("alias-of").is_some() {
            let help =
                "`fixed` is a value of the schema's type, which clients send always; `required` is then needless";
            fail("bad-fixed", &step(at, "fixed"), format!("`{}` cannot always be {fixed}", parameter.name), help);
        }
    }
    form(document, parameter, fail);
}

/// What is sent is a text, a whole number, a yes or a no, or a list of texts.
fn form(document: &Document, parameter: &Parameter<'_>, fail: &mut Fail<'_>) {
    if parameter.schema().is_none() {
        return;
    }
    let (_, schema) = parameter.resolved(document);
    let kinds = types(schema);
    let good = matches!(kinds.as_slice(), ["string"])
        || matches!(kinds.as_slice(), ["integer" | "boolean"])
            && !parameter.is_list()
            && parameter.place == Place::Command;
    if !good {
        let help = "a parameter is a text, in a command also a whole number, a boolean or a list of texts";
        fail(
            "parameter-type",
            &parameter.schema_pointer(),
            format!("`{}` has no form that is sent", parameter.name),
            help,
        );
    }
    if text(schema, "format") == Some("secret") {
        let help = "what logs in is said by `x-login`";
        fail("secret-parameter", &parameter.pointer, format!("`{}` is a secret", parameter.name), help);
    }
}
