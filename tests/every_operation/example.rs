//! Answers made from the lowered specs: valid ones, and every way in which an answer may differ and must still be read.

use serde_json::{Map, Value, json};

/// What stands in every secret.
pub const MARKER: &str = "MARKERsecretMARKER";

/// A venue's lowered document.
pub struct Spec(Value);

/// How an example departs from the plain one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Every field, as described.
    Full,
    /// Vital fields only.
    Minimal,
    /// Every field, and one more in each object.
    ExtraField,
    /// Every enum has a value that nobody knows.
    UnknownEnum,
    /// Every field that is not vital is null, every list too.
    Null,
    /// Every list is empty.
    EmptyLists,
    /// Exact numbers come in the other form: text for a number, a number for text.
    OtherForm,
}

impl Spec {
    pub fn of(venue: &str) -> Self {
        let path = format!("{}/crates/{venue}/src/generated/lowered.json", env!("CARGO_MANIFEST_DIR"));
        Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    /// The answer of an operation, if it has a body.
    pub fn answer(&self, path: &str, method: &str, shape: Shape) -> Option<Value> {
        let operation = &self.0["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is in the lowered document");
        let schema = operation.pointer("/responses/2XX/content/application~1json/schema")?;
        Some(self.example(schema, shape))
    }

    fn example(&self, schema: &Value, shape: Shape) -> Value {
        if let Some(name) = schema["$ref"].as_str() {
            return self.example(self.0.pointer(&name[1..]).unwrap(), shape);
        }
        if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
            return self.example(only, shape);
        }
        if let Some(kind) = schema.pointer("/x-rust-type/path").and_then(Value::as_str) {
            return self.wire(kind, schema, shape);
        }
        if let Some(first) = schema["oneOf"].as_array().and_then(|choices| choices.first()) {
            return self.example(first, shape);
        }
        if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
            return first.clone();
        }
        match schema["type"].as_str() {
            Some("array") if shape == Shape::EmptyLists => json!([]),
            Some("array") => json!([self.example(&schema["items"], shape)]),
            Some("object") => self.object(schema, shape),
            Some("string") => json!("text"),
            Some("integer") => json!(7),
            Some("number") => json!(0.5),
            Some("boolean") => json!(true),
            _ => json!({"free": ["form"]}),
        }
    }

    fn wire(&self, kind: &str, schema: &Value, shape: Shape) -> Value {
        match kind.trim_start_matches("venuekit_wire::") {
            "Open" if shape == Shape::UnknownEnum => json!("something_new"),
            "Open" => self.example(&schema["x-rust-type"]["parameters"][0], shape),
            "Secret" => json!(MARKER),
            "Decimal" if shape == Shape::OtherForm => json!(1234.5625),
            "Decimal" => json!("1234.5625"),
            "DecimalNumber" | "DecimalOrText" if shape == Shape::OtherForm => json!("0.0078125"),
            "DecimalNumber" | "DecimalOrText" => json!(0.0078125),
            "DateTime" => json!("2026-02-17T10:30:00Z"),
            _ => json!(1_700_000_000_123_i64),
        }
    }

    fn object(&self, schema: &Value, shape: Shape) -> Value {
        let mut object = Map::new();
        let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_list = property["type"] == "array";
            let value = match shape {
                Shape::Minimal if !required(name) => continue,
                Shape::Null if !required(name) || is_list => Value::Null,
                _ => self.example(property, shape),
            };
            object.insert(name.clone(), value);
        }
        // In an object that is all the venue's, any field is data.
        if shape == Shape::ExtraField && !object.is_empty() {
            object.insert("a_field_of_tomorrow".into(), json!({"anything": [1, "x", null]}));
        }
        if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner.is_object()) {
            object.insert("some_key".into(), self.example(inner, shape));
        }
        Value::Object(object)
    }
}
