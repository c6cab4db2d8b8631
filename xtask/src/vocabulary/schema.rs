//! A JSON Schema of our words, for editors. It is made of the types that lint reads with, and of the list of words that lint has.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::lint::{Place, words};

/// The schema of a spec file: root documents and tag files alike.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let mut at = |place: Place| words_at(place, &mut generator);
    let [mut root, server, scheme, operation, schema] =
        [Place::Root, Place::Server, Place::SecurityScheme, Place::Operation, Place::Schema].map(&mut at);
    let [streams, stream_server, channel, address, message] =
        [Place::Streams, Place::StreamServer, Place::Channel, Place::AddressParameter, Place::Message].map(&mut at);
    let mut channel = closed(channel);
    channel["properties"]["parameters"] = json!({"additionalProperties": closed(address)});
    // A document of streams has its words at the root too.
    root.as_object_mut().zip(streams.as_object()).into_iter().for_each(|(root, streams)| root.extend(streams.clone()));
    let operations = json!({"additionalProperties": {"additionalProperties": {
        "$comment": "an operation, or the parameters of a path", "properties": operation}}});
    let mut document = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A spec of venuekit",
        "description": "Our words beside those of OpenAPI and OpenRPC. specs/README.md explains them.",
        "type": "object",
        "properties": {
            // A list in a document of calls, a mapping in one of streams.
            "servers": {"items": {"properties": server}, "additionalProperties": closed(stream_server)},
            "channels": {"additionalProperties": channel},
            "messages": {"additionalProperties": closed(message)},
            "components": {"properties": {
                "securitySchemes": {"additionalProperties": {"properties": scheme}},
                "schemas": {"additionalProperties": {"properties": schema}}}},
            "x-security-schemes": {"additionalProperties": {"properties": scheme}},
            "paths": operations,
            "methods": {
                "anyOf": [{"type": "array"}, {"type": "object", "additionalProperties": {"properties": operation}}]},
            "schemas": {"additionalProperties": {"properties": schema}},
        },
    });
    document["patternProperties"] = closed(root.clone())["patternProperties"].take();
    for (name, value) in root.as_object().into_iter().flatten() {
        // The security schemes have been described above.
        if document["properties"].get(name).is_none() {
            document["properties"][name] = value.clone();
        }
    }
    document["definitions"] = Value::Object(generator.take_definitions(true).into_iter().collect());
    document
}

/// An object that has none of our words but these.
fn closed(words: Value) -> Value {
    let names = words.as_object().into_iter().flatten().map(|(name, _)| &name["x-".len()..]);
    let pattern = format!("^x-(?!({})$)", names.collect::<Vec<_>>().join("|"));
    json!({"properties": words, "patternProperties": {pattern: false}})
}

/// An object with these members, and no others.
fn object(needed: &[&str], others: &[&str]) -> Value {
    let members: Map<String, Value> = needed.iter().chain(others).map(|name| ((*name).to_owned(), json!({}))).collect();
    json!({"type": "object", "required": needed, "properties": members, "additionalProperties": false})
}

/// What the words about streams say, whose forms lint checks in more detail: see `lint::streams::forms`.
fn of_streams(name: &str) -> Value {
    let one_of = |names: &[&str]| {
        json!({"type": "object", "minProperties": 1, "maxProperties": 1,
        "propertyNames": {"enum": names}})
    };
    let words_or = |words: &[&str], object: Value| json!({"anyOf": [{"enum": words}, object]});
    match name {
        "x-login" => json!({"type": "object", "additionalProperties":
            words_or(&["none", "call"], one_of(&["upgrade", "message", "command", "events"]))}),
        "x-dialect" => one_of(&["calls", "commands", "messages", "topics"]),
        "x-keep-alive" => object(&["ask-after", "dead-after"], &["ping"]),
        "x-limits" => object(
            &[],
            &["per-command", "commands-per-second", "per-connection", "connections", "channel-once", "connection-life"],
        ),
        "x-query" => json!({"type": "object", "additionalProperties":
            {"type": "array", "minItems": 1, "items": {"type": "string"}}}),
        "x-access" => words_or(&["public", "private"], object(&["private-when"], &[])),
        "x-items" => object(&[], &["parameter", "all", "item", "add", "remove", "snapshot"]),
        "x-sequence" => words_or(&["none"], one_of(&["counter", "chain", "successive", "range", "per-item"])),
        "x-recover" => words_or(&["snapshot", "resubscribe", "next", "never"], one_of(&["catch-up", "snapshot"])),
        "x-book" => object(&["instrument", "snapshots"], &["mark", "changes", "audit"]),
        "x-first-within" => json!({"type": "integer", "minimum": 1}),
        "x-when" => object(&["at", "equals"], &[]),
        "x-snapshot" => json!({"anyOf": [{"const": true}, object(&["at", "equals"], &[])]}),
        _ => json!({}),
    }
}

/// The words that may stand somewhere, each with the schema of what it says.
fn words_at(place: Place, generator: &mut SchemaGenerator) -> Value {
    let words = words().iter().filter(|word| word.places.contains(&place));
    let described = words.map(|word| {
        let schema = word.schema.map_or_else(|| of_streams(word.name), |schema| schema(generator).to_value());
        (word.name.to_owned(), schema)
    });
    Value::Object(described.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codegen::venues;
    use crate::source::Source;
    use crate::tests::root;

    fn validator() -> jsonschema::Validator {
        jsonschema::validator_for(&schema()).unwrap()
    }

    #[test]
    fn every_spec_file_is_valid() {
        let validator = validator();
        for venue in venues(&root()) {
            let folder = root().join("specs").join(&venue);
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let name = entry.file_name().into_string().unwrap();
                if !name.ends_with(".yaml") || name == "drift.yaml" {
                    continue;
                }
                let value = Source::read(&root(), &format!("specs/{venue}/{name}")).unwrap().value;
                let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{venue}/{name}: {errors:#?}");
            }
        }
    }

    #[test]
    fn a_mistake_in_a_word_is_invalid() {
        let validator = validator();
        for mistake in [
            json!({"x-clock-window": {"behind": 5}}),
            json!({"x-clock-window": {"behind": 5, "ahead": 5, "either": 1}}),
            json!({"x-clock-windows": {"behind": 5, "ahead": 5}}),
            json!({"x-symptoms": {"first": [{"says": "a", "cause": "other"}]}}),
            json!({"x-signatures": {"a": {"text": ["time"], "time": "seconds", "keys": {}}}}),
            json!({"components": {"securitySchemes": {"a": {"x-carries": "token"}}}}),
            json!({"paths": {"/a": {"post": {"x-reconcile": {"operation": "a"}}}}}),
            json!({"x-dialect": {"calls": {}, "topics": {}}}),
            json!({"x-login": {"stream": "somehow"}}),
            json!({"servers": {"production": {"x-endpoints": "stream"}}}),
            json!({"channels": {"book": {"x-sequence": "chain"}}}),
            json!({"channels": {"book": {"x-recovery": "never"}}}),
            json!({"channels": {"book": {"x-book": {"instrument": "/i"}}}}),
            json!({"channels": {"book": {"parameters": {"i": {"x-endpoint": "a"}}}}}),
            json!({"messages": {"Book": {"x-snapshot": false}}}),
        ] {
            assert!(!validator.is_valid(&mistake), "{mistake}");
        }
        for right in [
            json!({"x-clock-window": {"behind": 5, "ahead": 5}}),
            json!({"channels": {"book": {"x-sequence": "none", "x-recover": {"catch-up": {}}}}}),
            json!({"messages": {"Book": {"x-snapshot": {"at": "/type", "equals": "snapshot"}}}}),
        ] {
            assert!(validator.is_valid(&right), "{right}");
        }
    }
}
