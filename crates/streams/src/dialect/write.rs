//! JSON of commands.

use std::fmt::Write as _;

use venuekit_wire::stream::{Parameter, ParameterKind};

use crate::topic::{Topic, Value};

/// A text as JSON.
pub(super) fn push_text(into: &mut String, text: &str) {
    match serde_json::to_string(text) {
        Ok(quoted) => into.push_str(&quoted),
        Err(_) => into.push_str("\"\""),
    }
}

/// `"name":`, after a comma where one is needed.
pub(super) fn push_name(into: &mut String, name: &str) {
    if !into.ends_with(['{', '[']) {
        into.push(',');
    }
    push_text(into, name);
    into.push(':');
}

/// A list of texts, or of whatever the parameter holds.
pub(super) fn push_list<T: AsRef<str>>(into: &mut String, kind: ParameterKind, values: impl IntoIterator<Item = T>) {
    into.push('[');
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            into.push(',');
        }
        push_value(into, kind, value.as_ref());
    }
    into.push(']');
}

/// A value in the form of its parameter. One that does not have that form is a text.
pub(crate) fn push_value(into: &mut String, kind: ParameterKind, value: &str) {
    match kind {
        ParameterKind::Integer if value.parse::<i64>().is_ok() => into.push_str(value),
        ParameterKind::Boolean if matches!(value, "true" | "false") => into.push_str(value),
        ParameterKind::Text | ParameterKind::Integer | ParameterKind::Boolean => push_text(into, value),
    }
}

/// What a topic is given, and what is always sent, as members.
pub(super) fn push_parameters(into: &mut String, topic: &Topic) {
    for (parameter, value) in topic.values() {
        push_name(into, parameter.name);
        match value {
            Value::List(values) => push_list(into, parameter.kind, values),
            Value::One(value) if parameter.is_list => push_list(into, parameter.kind, [value]),
            Value::One(value) => push_value(into, parameter.kind, value),
        }
    }
    let channel = topic.channel();
    // Where leaving the values out does not ask for everything, a word does.
    if let (Some(name), Some(word)) = (channel.items, channel.everything)
        && topic.value(name).is_none()
    {
        push_name(into, name);
        push_list(into, ParameterKind::Text, [word]);
    }
    let fixed = |parameter: &Parameter| Some((parameter.name, parameter.fixed?));
    for (name, value) in channel.parameters.iter().filter_map(fixed) {
        push_name(into, name);
        into.push_str(value);
    }
}

/// A whole number.
pub(super) fn push_number(into: &mut String, number: impl std::fmt::Display) {
    // Writing to a text cannot fail.
    let _ = write!(into, "{number}");
}

/// A JSON object with one more member, whose value is JSON.
pub(super) fn with_member(object: &str, name: &str, value: &str) -> String {
    let object = object.trim_end();
    let mut text = object.strip_suffix('}').unwrap_or(object).trim_end().to_owned();
    push_name(&mut text, name);
    text.push_str(value);
    text.push('}');
    text
}
