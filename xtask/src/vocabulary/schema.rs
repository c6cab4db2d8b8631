//! A JSON Schema of our words, for editors. It is made of the types that lint reads with, and of the list of words that lint has.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::lint::{Place, words};

/// The schema of a spec file: root documents and tag files alike.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let mut at = |place: Place| words_at(place, &mut generator);
    let [root, server, scheme, operation, schema] =
        [Place::Root, Place::Server, Place::SecurityScheme, Place::Operation, Place::Schema].map(&mut at);
    let operations = json!({"additionalProperties": {"additionalProperties": {
        "$comment": "an operation, or the parameters of a path", "properties": operation}}});
    let mut document = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A spec of venuekit",
        "description": "Our words beside those of OpenAPI and OpenRPC. specs/README.md explains them.",
        "type": "object",
        "properties": {
            "servers": {"items": {"properties": server}},
            "components": {"properties": {
                "securitySchemes": {"additionalProperties": {"properties": scheme}},
                "schemas": {"additionalProperties": {"properties": schema}}}},
            "x-security-schemes": {"additionalProperties": {"properties": scheme}},
            "paths": operations,
            "methods": {
                "anyOf": [{"type": "array"}, {"type": "object", "additionalProperties": {"properties": operation}}]},
            "schemas": {"additionalProperties": {"properties": schema}},
        },
        "patternProperties": {"^x-": false},
    });
    let names: Vec<String> = root.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let pattern = format!("^x-(?!({})$)", names.iter().map(|name| &name["x-".len()..]).collect::<Vec<_>>().join("|"));
    document["patternProperties"] = json!({pattern: false});
    for (name, value) in root.as_object().into_iter().flatten() {
        // The security schemes have been described above.
        if document["properties"].get(name).is_none() {
            document["properties"][name] = value.clone();
        }
    }
    document["definitions"] = Value::Object(generator.take_definitions(true).into_iter().collect());
    document
}

/// The words that may stand somewhere, each with the schema of what it says.
fn words_at(place: Place, generator: &mut SchemaGenerator) -> Value {
    let words = words().iter().filter(|word| word.places.contains(&place));
    let described = words.map(|word| {
        let schema = word.schema.map_or_else(|| json!({}), |schema| schema(generator).to_value());
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
                let is_stream = name == "asyncapi.yaml" || name.starts_with("stream-");
                if !name.ends_with(".yaml") || is_stream || name == "drift.yaml" {
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
        ] {
            assert!(!validator.is_valid(&mistake), "{mistake}");
        }
        assert!(validator.is_valid(&json!({"x-clock-window": {"behind": 5, "ahead": 5}})));
    }
}
