//! A schema of a spec, compiled as JSON Schema draft 7.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use jsonschema::{Draft, ValidationError, Validator};
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::outline::Components;
use super::problem::{Problem, RequestPart};

/// One schema, with what it refers to.
pub struct Schema {
    pub(super) components: Arc<Components>,
    pub(super) value: Value,
    validator: OnceLock<Validator>,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Schema").field(&self.value).finish()
    }
}

impl Schema {
    pub(super) fn new(components: &Arc<Components>, value: Value) -> Self {
        Self { components: Arc::clone(components), value, validator: OnceLock::new() }
    }

    /// Checks a value against it.
    pub fn check<'a>(&self, value: &'a Value) -> Result<(), ValidationError<'a>> {
        self.validator.get_or_init(|| compile(&self.self_contained())).validate(value)
    }

    /// All that is wrong with a value that stands below `at`.
    pub(super) fn problems(&self, place: RequestPart, at: &str, value: &Value) -> Vec<Problem> {
        let validator = self.validator.get_or_init(|| compile(&self.self_contained()));
        validator.iter_errors(value).map(|error| Problem::of(place, at, &error)).collect()
    }

    /// The same in draft 7, with a copy of every schema that it reaches.
    fn self_contained(&self) -> Value {
        let mut reached = BTreeSet::new();
        let root = translate(&self.value, &mut reached);
        let mut definitions = Map::new();
        while let Some(name) = reached.pop_first() {
            if !definitions.contains_key(&name) {
                let definition = translate(self.components.part("schemas", &name), &mut reached);
                definitions.insert(name, definition);
            }
        }
        json!({"allOf": [root], "definitions": definitions})
    }

    /// The types that a value may have, those of its alternatives included. None named: any.
    pub fn types(&self) -> BTreeSet<String> {
        let mut types = BTreeSet::new();
        collect_types(&self.components, &self.value, &mut types);
        types
    }

    /// The schema of the elements, where it is of an array.
    pub fn items(&self) -> Option<Self> {
        items(&self.components, &self.value).map(|items| Self::new(&self.components, items.clone()))
    }
}

/// Follows a reference to a named schema.
pub(super) fn resolved<'a>(components: &'a Components, schema: &'a Value) -> &'a Value {
    components.referred(schema).map_or(schema, |target| resolved(components, target))
}

/// The schema of the elements of an array, that of an alternative included.
fn items<'a>(components: &'a Components, schema: &'a Value) -> Option<&'a Value> {
    let schema = resolved(components, schema);
    let mut alternatives = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    schema.get("items").or_else(|| alternatives.find_map(|inner| items(components, inner)))
}

fn collect_types(components: &Components, schema: &Value, types: &mut BTreeSet<String>) {
    let schema = resolved(components, schema);
    match &schema["type"] {
        Value::String(name) => _ = types.insert(name.clone()),
        Value::Array(names) => types.extend(names.iter().filter_map(Value::as_str).map(str::to_owned)),
        _ => {}
    }
    let alternatives = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array());
    alternatives.flatten().for_each(|schema| collect_types(components, schema, types));
}

/// Whether a value fits a schema that refers to no other.
pub(super) fn is_valid(schema: &Map<String, Value>, value: &Value) -> bool {
    compile(&translate(&Value::Object(schema.clone()), &mut BTreeSet::new())).is_valid(value)
}

fn compile(schema: &Value) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .with_format("decimal", is_decimal)
        .build(schema)
        .expect("what lint accepts compiles")
}

/// A number as JSON writes it, of at most 28 digits.
fn is_decimal(text: &str) -> bool {
    let is_number =
        || text.ends_with(|last: char| last.is_ascii_digit()) && serde_json::from_str::<&RawValue>(text).is_ok();
    let begins = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    begins
        && is_number()
        && match text.contains(['e', 'E']) {
            true => Decimal::from_scientific(text).is_ok(),
            false => Decimal::from_str_exact(text).is_ok(),
        }
}

/// From the dialect of the specs to draft 7. Names of referenced schemas are added to `reached`.
fn translate(schema: &Value, reached: &mut BTreeSet<String>) -> Value {
    let Some(schema) = schema.as_object() else { return schema.clone() };
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target.rsplit('/').next().unwrap_or_default();
        reached.insert(name.to_owned());
        return json!({"$ref": format!("#/definitions/{name}")});
    }
    let mut translated = Map::new();
    for (word, value) in schema {
        let (word, value) = match word.as_str() {
            "properties" => (word.as_str(), translate_members(value, reached)),
            "items" => (word.as_str(), translate(value, reached)),
            // Each element has its own schema; further elements are tolerated.
            "x-tuple" => {
                translated.insert("minItems".to_owned(), value.as_array().map_or(0, Vec::len).into());
                ("items", translate_all(value, reached))
            }
            // More than the spec names is tolerated, as the venues do.
            "additionalProperties" if value.is_object() => (word.as_str(), translate(value, reached)),
            "allOf" | "anyOf" => (word.as_str(), translate_all(value, reached)),
            // A value that fits two alternatives is as good as one that fits one.
            "oneOf" => ("anyOf", translate_all(value, reached)),
            "type" | "enum" | "const" | "format" | "pattern" | "minLength" | "maxLength" | "minimum" | "maximum"
            | "multipleOf" | "minItems" | "maxItems" | "uniqueItems" | "minProperties" | "maxProperties" => {
                (word.as_str(), value.clone())
            }
            "exclusiveMinimum" | "exclusiveMaximum" if value.is_number() => (word.as_str(), value.clone()),
            "required" => (word.as_str(), required(schema, value)),
            _ => continue,
        };
        translated.insert(word.to_owned(), value);
    }
    // OpenAPI 3.0 says with a flag that the limit itself is excluded.
    for (flag, limit) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if schema.get(flag) == Some(&Value::Bool(true))
            && let Some(value) = translated.remove(limit)
        {
            translated.insert(flag.to_owned(), value);
        }
    }
    let mut forms = vec![Value::Object(translated)];
    // What the venue accepts in addition to what it documents.
    forms.extend(schema.get("x-also").map(|also| translate(also, reached)));
    // How the venue writes it, where its clients read it in another form too.
    forms.extend(schema.get("example").filter(|example| example.is_string()).map(|example| json!({"const": example})));
    forms.extend(is_nullable(schema).then(|| json!({"type": "null"})));
    match <[Value; 1]>::try_from(forms) {
        Ok([only]) => only,
        Err(forms) => json!({"anyOf": forms}),
    }
}

fn translate_members(members: &Value, reached: &mut BTreeSet<String>) -> Value {
    let members = members.as_object().into_iter().flatten();
    members.map(|(name, schema)| (name.clone(), translate(schema, reached))).collect()
}

fn translate_all(schemas: &Value, reached: &mut BTreeSet<String>) -> Value {
    schemas.as_array().into_iter().flatten().map(|schema| translate(schema, reached)).collect()
}

pub(super) fn is_nullable(schema: &Map<String, Value>) -> bool {
    schema.get("nullable") == Some(&Value::Bool(true))
}

/// The members that must be there. One that may be null may also be left out.
fn required(schema: &Map<String, Value>, names: &Value) -> Value {
    let properties = schema.get("properties");
    let may_be_null = |name: &Value| {
        let property = properties.and_then(|properties| properties.get(name.as_str()?)?.as_object());
        property.is_some_and(is_nullable)
    };
    names.as_array().into_iter().flatten().filter(|name| !may_be_null(name)).cloned().collect()
}
