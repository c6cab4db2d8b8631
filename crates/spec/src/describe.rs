//! What an operation takes and gives, for people.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::operation::Operation;
use super::outline::Components;
use super::schema::{Schema, is_nullable, resolved};

/// A member of a request's body, or a param of a JSON-RPC method.
#[derive(Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub description: String,
    /// What it may be.
    pub schema: Schema,
}

impl Operation {
    /// The members of the body, required ones first; none where the body is no object.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = self.body.as_ref().map(Schema::fields).unwrap_or_default();
        for field in &mut fields {
            if let Some((_, meaning)) = self.meanings.iter().find(|(name, _)| *name == field.name) {
                field.description.clone_from(meaning);
            }
        }
        fields
    }

    /// Whether a successful response holds a secret.
    pub fn answers_with_secret(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.is_secret() || !answer.secret_names().is_empty())
    }
}

impl Schema {
    /// The members of an object, required ones first.
    pub fn fields(&self) -> Vec<Field> {
        let mut found = Vec::new();
        collect_fields(self, &self.value, &mut found);
        found.sort_by_key(|field| !field.required);
        found
    }

    /// What the schema says of itself.
    pub fn description(&self) -> String {
        let said = |schema: &Value| schema["description"].as_str().map(str::to_owned);
        said(&self.value).or_else(|| said(resolved(&self.components, &self.value))).unwrap_or_default()
    }

    /// What a value may be, in a word or two: `decimal`, `buy | sell`, `list of integer`.
    pub fn kind(&self) -> String {
        kind(&self.components, &self.value)
    }

    /// Whether a text stands for an exact number.
    pub fn is_decimal(&self) -> bool {
        any(&self.components, &self.value, &|schema| schema["format"] == "decimal")
    }

    /// Whether it is of numbers.
    pub fn is_number(&self) -> bool {
        let types = self.types();
        types.contains("integer") || types.contains("number")
    }

    /// Whether its numbers are whole ones.
    pub fn is_integer(&self) -> bool {
        let types = self.types();
        types.contains("integer") && !types.contains("number")
    }

    /// The words that a value may be, where they are listed.
    pub fn words(&self) -> Vec<String> {
        let schema = resolved(&self.components, &self.value);
        let own = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let inner = alternatives(schema).filter(|inner| inner["type"] != "null");
        own.chain(inner.flat_map(|inner| Self::new(&self.components, inner.clone()).words())).collect()
    }

    /// The names of the members that are secrets, or lists of secrets, wherever they stand in it.
    pub fn secret_names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        collect_secrets(&self.components, &self.value, &mut Vec::new(), &mut names);
        names
    }

    /// Whether it is a secret itself, or a list of secrets.
    pub fn is_secret(&self) -> bool {
        is_secret(&self.components, &self.value)
    }

    /// What members may be that it does not name. None where it names all that it knows.
    pub fn other_members(&self) -> Option<Self> {
        let schema = resolved(&self.components, &self.value);
        match &schema["additionalProperties"] {
            Value::Bool(true) => Some(Self::new(&self.components, Value::Object(Map::new()))),
            others @ Value::Object(_) => Some(Self::new(&self.components, others.clone())),
            // An object without any description may hold anything; one that is said to have no members has none.
            _ if self.fields().is_empty() && schema.get("properties").is_none() => {
                Some(Self::new(&self.components, Value::Object(Map::new())))
            }
            _ => alternatives(schema).find_map(|part| {
                let part = resolved(&self.components, part);
                let open = part["additionalProperties"] == true;
                open.then(|| Self::new(&self.components, Value::Object(Map::new())))
            }),
        }
    }

    /// What stands at the end of a way such as `orders/0/price`; an empty way ends here.
    pub fn at(&self, way: &str) -> Option<Self> {
        let Some((first, rest)) = way.split_once('/').or((!way.is_empty()).then_some((way, ""))) else {
            return Some(Self::new(&self.components, self.value.clone()));
        };
        let item = || self.items().filter(|_| first.parse::<usize>().is_ok());
        let field = || self.fields().into_iter().find(|field| field.name == first).map(|field| field.schema);
        item().or_else(field)?.at(rest)
    }
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten()
}

fn collect_fields(of: &Schema, schema: &Value, found: &mut Vec<Field>) {
    let schema = resolved(&of.components, schema);
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let schema = Schema::new(&of.components, property.clone());
        let description = schema.description();
        // One that may be null may also be left out.
        let may_be_null = property.as_object().is_some_and(is_nullable);
        let required = required.iter().any(|one| one == name) && !may_be_null;
        found.push(Field { name: name.clone(), required, description, schema });
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect_fields(of, part, found);
    }
    // What only some of the alternatives have is not required.
    for part in ["anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten() {
        let mut more = Vec::new();
        collect_fields(of, part, &mut more);
        more.retain(|field: &Field| found.iter().all(|known| known.name != field.name));
        found.extend(more.into_iter().map(|field| Field { required: false, ..field }));
    }
}

fn kind(components: &Components, schema: &Value) -> String {
    let schema = resolved(components, schema);
    let words: Vec<&str> = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !words.is_empty() {
        let other = if schema["x-also"]["type"] == "string" { ", or other text" } else { "" };
        return words.join(" | ") + other;
    }
    let mut kinds: Vec<String> = alternatives(schema).map(|inner| kind(components, inner)).collect();
    kinds.retain(|kind| kind != "null");
    kinds.dedup();
    if !kinds.is_empty() {
        return kinds.join(" or ");
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => Vec::new(),
    };
    match (names.first().copied().unwrap_or("any"), schema["format"].as_str()) {
        ("array", _) => {
            format!("list of {}", schema.get("items").map_or_else(|| "any".to_owned(), |items| kind(components, items)))
        }
        (_, Some(format)) => format.to_owned(),
        ("object", _) => "object".to_owned(),
        ("string", _) => "text".to_owned(),
        (name, _) => name.to_owned(),
    }
}

/// Whether a schema is of a kind, or one of its alternatives is.
fn any(components: &Components, schema: &Value, is: &dyn Fn(&Value) -> bool) -> bool {
    let schema = resolved(components, schema);
    is(schema) || alternatives(schema).any(|inner| any(components, inner, is))
}

fn is_secret(components: &Components, schema: &Value) -> bool {
    let schema = resolved(components, schema);
    schema["format"] == "secret"
        || schema.get("items").is_some_and(|items| is_secret(components, items))
        || alternatives(schema).any(|inner| is_secret(components, inner))
}

/// `open` are the named schemas that it stands in: one may contain itself.
fn collect_secrets<'a>(
    components: &'a Components,
    schema: &'a Value,
    open: &mut Vec<&'a str>,
    names: &mut BTreeSet<String>,
) {
    if let Some(target) = schema["$ref"].as_str() {
        if open.contains(&target) {
            return;
        }
        open.push(target);
    }
    let schema = resolved(components, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if is_secret(components, property) {
            names.insert(name.clone());
        }
        collect_secrets(components, property, open, names);
    }
    let inner = ["items", "additionalProperties"].into_iter().filter_map(|word| schema.get(word));
    alternatives(schema).chain(inner).for_each(|part| collect_secrets(components, part, open, names));
}
