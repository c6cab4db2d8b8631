//! Types from schemas: JSON Schema of any draft, OpenAPI 3.0 and 3.1, and ours.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{Field, Kinds, Type, TypeId, Use, ratio};
use crate::source::{step, unescaped};

/// Where a pointer stands in its file, so that members have an order.
pub type Order<'a> = dyn Fn(&str) -> Option<(usize, usize)> + 'a;

/// Makes types of the schemas of one document.
pub struct Builder<'a> {
    document: &'a Value,
    order: &'a Order<'a>,
    /// The types so far.
    pub types: Vec<Type>,
    /// Types by the pointers of their schemas.
    known: HashMap<String, TypeId>,
    /// Two types joined to one.
    joined: HashMap<(TypeId, TypeId), TypeId>,
}

/// Our words of a schema that are compared by rules of their own, or that say nothing to a program.
const ELSEWHERE: [&str; 8] =
    ["x-closed", "x-vital", "x-tuple", "x-name", "x-not-id", "x-not-secret", "x-earlier", "x-place"];

/// References that lead on to references: no document needs more.
const LONGEST_CHAIN: usize = 32;

/// Words of a schema that bound its values.
const LIMITS: [&str; 13] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "multipleOf",
];

impl<'a> Builder<'a> {
    /// For the schemas of a document.
    pub fn new(document: &'a Value, order: &'a Order<'a>) -> Self {
        Self { document, order, types: Vec::new(), known: HashMap::new(), joined: HashMap::new() }
    }

    /// A type that no schema says anything of.
    pub fn anything(&mut self, at: &str) -> Use {
        self.add(Type { at: at.to_owned(), open: true, ..Type::default() })
    }

    /// Adds a type.
    pub fn add(&mut self, kind: Type) -> Use {
        self.types.push(kind);
        Use { id: TypeId(self.types.len() - 1), nullable: false }
    }

    /// What a reference leads to.
    pub fn follow(&self, value: &'a Value, at: &str) -> (String, &'a Value) {
        let (mut value, mut at) = (value, at.to_owned());
        for _ in 0..LONGEST_CHAIN {
            let Some(target) = value.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#')) else {
                break;
            };
            let Some(found) = self.document.pointer(target) else { break };
            (value, at) = (found, target.to_owned());
        }
        (at, value)
    }

    /// The type of a schema.
    pub fn schema(&mut self, schema: &'a Value, at: &str) -> Use {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let found = target.strip_prefix('#').and_then(|target| Some((target, self.document.pointer(target)?)));
            let Some((target, found)) = found else { return self.anything(at) };
            let mut used = self.named(target, found);
            used.nullable |= schema.get("nullable") == Some(&Value::Bool(true));
            return used;
        }
        // A reference with a description or null beside it.
        if let Some((inner, inner_at, nullable)) = only_part(schema, at) {
            let mut used = self.schema(inner, &inner_at);
            used.nullable |= nullable || schema.get("nullable") == Some(&Value::Bool(true));
            return used;
        }
        self.named(at, schema)
    }

    fn named(&mut self, at: &str, schema: &'a Value) -> Use {
        if let Some(&id) = self.known.get(at) {
            return Use { id, nullable: false };
        }
        let place = self.add(Type { at: at.to_owned(), name: name_of(at), ..Type::default() });
        self.known.insert(at.to_owned(), place.id);
        if schema.get("$ref").is_some() || only_part(schema, at).is_some() {
            // A name for another type: a copy of it under this name.
            let other = self.schema(schema, at);
            if other.id != place.id {
                let mut copy = self.types[other.id.0].clone();
                (copy.name, copy.at) = (name_of(at), at.to_owned());
                copy.nullable |= other.nullable;
                self.types[place.id.0] = copy;
            }
            return place;
        }
        let built = self.build(schema, at);
        self.types[place.id.0] = Type { name: name_of(at), at: at.to_owned(), ..built };
        place
    }

    fn build(&mut self, schema: &'a Value, at: &str) -> Type {
        let mut made = Type { description: text(schema, "description").unwrap_or_default(), ..Type::default() };
        match schema.get("type") {
            Some(Value::String(name)) => made.kinds = Kinds::named(name).unwrap_or_default(),
            Some(Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str);
                for name in names {
                    match Kinds::named(name) {
                        Some(kind) if made.kinds.is_any() => made.kinds = kind,
                        Some(kind) => made.kinds = made.kinds.or(kind),
                        None => made.nullable |= name == "null",
                    }
                }
            }
            _ => {}
        }
        made.nullable |= schema.get("nullable") == Some(&Value::Bool(true));
        made.format = text(schema, "format");
        made.secret = made.format.as_deref() == Some("secret");
        made.closed = schema.get("x-closed") == Some(&Value::Bool(true));
        made.values = values_of(schema);
        made.nullable |= schema.get("enum").and_then(Value::as_array).is_some_and(|all| all.contains(&Value::Null));
        made.limits = limits_of(schema);
        let words = schema.as_object().into_iter().flatten();
        let own = words.filter(|(name, _)| name.starts_with("x-") && !ELSEWHERE.contains(&name.as_str()));
        made.words = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        self.object(schema, at, &mut made);
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            made.items = Some(self.schema(items, &step(at, "items")));
        }
        for word in ["x-tuple", "prefixItems"] {
            if let Some(elements) = schema.get(word).and_then(Value::as_array) {
                let list = step(at, word);
                made.tuple = elements
                    .iter()
                    .enumerate()
                    .map(|(i, one)| self.schema(one, &step(&list, &i.to_string())))
                    .collect();
            }
        }
        if made.kinds.is_any() {
            made.kinds = implied(&made);
        }
        for (word, all) in [("allOf", true), ("oneOf", false), ("anyOf", false)] {
            let Some(parts) = schema.get(word).and_then(Value::as_array) else { continue };
            let list = step(at, word);
            let mut union: Option<Type> = None;
            for (i, part) in parts.iter().enumerate() {
                if is_null(part) {
                    made.nullable = true;
                    continue;
                }
                let used = self.schema(part, &step(&list, &i.to_string()));
                let mut part = self.types[used.id.0].clone();
                part.nullable |= used.nullable;
                if all {
                    self.both(&mut made, part);
                } else {
                    union = Some(match union {
                        None => part,
                        Some(other) => self.either(other, part),
                    });
                }
            }
            if let Some(union) = union {
                self.both(&mut made, union);
            }
        }
        made
    }

    fn object(&mut self, schema: &'a Value, at: &str, made: &mut Type) {
        made.lists_members = schema.get("properties").is_some();
        let required: BTreeSet<&str> = strings(schema, "required").collect();
        let at_properties = step(at, "properties");
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let own = step(&at_properties, name);
            let value = self.schema(property, &own);
            made.fields.push(Field {
                name: name.clone(),
                value,
                required: required.contains(name.as_str()),
                position: 0.0,
                description: self.description(property),
                deprecated: property.get("deprecated") == Some(&Value::Bool(true)),
                default: property.get("default").map(plain),
                rust_name: text(property, "x-name"),
                at: own,
            });
        }
        made.fields.sort_by_cached_key(|field| (self.order)(&field.at));
        let last = made.fields.len().saturating_sub(1).max(1);
        for (index, field) in made.fields.iter_mut().enumerate() {
            field.position = ratio(index, last);
        }
        made.one_of = strings(schema, "x-vital").map(str::to_owned).collect();
        match schema.get("additionalProperties") {
            Some(Value::Bool(true)) => made.open = true,
            Some(Value::Object(map)) if map.is_empty() => made.open = true,
            Some(entries @ Value::Object(_)) => {
                made.entries = Some(self.schema(entries, &step(at, "additionalProperties")))
            }
            _ => {}
        }
    }

    /// What a property says itself, or the schema that it refers to.
    fn description(&self, property: &'a Value) -> String {
        text(property, "description").or_else(|| text(self.follow(property, "").1, "description")).unwrap_or_default()
    }

    /// A type that is both.
    fn both(&mut self, made: &mut Type, part: Type) {
        if made.kinds.is_any() {
            made.kinds = part.kinds;
        }
        made.nullable |= part.nullable;
        made.format = made.format.take().or(part.format);
        made.closed |= part.closed;
        made.secret |= part.secret;
        made.open |= part.open;
        made.lists_members |= part.lists_members;
        made.values = made.values.take().or(part.values);
        made.items = made.items.or(part.items);
        made.entries = made.entries.or(part.entries);
        if made.tuple.is_empty() {
            made.tuple = part.tuple;
        }
        if made.description.is_empty() {
            made.description = part.description;
        }
        made.limits.extend(part.limits);
        made.words.extend(part.words);
        made.one_of.extend(part.one_of);
        for field in part.fields {
            match made.fields.iter_mut().find(|own| own.name == field.name) {
                Some(own) => own.required |= field.required,
                None => made.fields.push(field),
            }
        }
    }

    /// A type that is one of two.
    fn either(&mut self, mut one: Type, other: Type) -> Type {
        let both_objects = one.kinds.has(Kinds::OBJECT) && other.kinds.has(Kinds::OBJECT);
        let (was_text, is_text) = (one.kinds.has(Kinds::STRING), other.kinds.has(Kinds::STRING));
        one.values = match (one.values.take(), other.values) {
            (Some(mut values), Some(more)) => {
                values.extend(more);
                Some(values)
            }
            (values, None) if !is_text && !other.kinds.is_any() => values,
            (None, values) if !was_text && !one.kinds.is_any() => values,
            _ => None,
        };
        one.kinds = one.kinds.or(other.kinds);
        one.nullable |= other.nullable;
        one.format = one.format.take().filter(|format| Some(format) == other.format.as_ref() || !is_text);
        one.secret |= other.secret;
        one.open |= other.open;
        if one.tuple.is_empty() {
            one.tuple = other.tuple;
        }
        one.items = self.either_use(one.items, other.items);
        one.entries = self.either_use(one.entries, other.entries);
        // What only one of two objects must have, not every value has.
        if both_objects {
            for field in &mut one.fields {
                field.required &= other.fields.iter().any(|more| more.name == field.name && more.required);
            }
        }
        for mut field in other.fields {
            match one.fields.iter().position(|own| own.name == field.name) {
                Some(at) => {
                    let joined = self.either_use(Some(one.fields[at].value), Some(field.value));
                    one.fields[at].value = joined.unwrap_or(field.value);
                }
                None => {
                    field.required &= !both_objects;
                    one.fields.push(field);
                }
            }
        }
        one
    }

    fn either_use(&mut self, one: Option<Use>, other: Option<Use>) -> Option<Use> {
        let (Some(one), Some(other)) = (one, other) else { return one.or(other) };
        let nullable = one.nullable || other.nullable;
        if one.id == other.id {
            return Some(Use { id: one.id, nullable });
        }
        let pair = (one.id, other.id);
        if let Some(&id) = self.joined.get(&pair) {
            return Some(Use { id, nullable });
        }
        let place = self.add(Type::default());
        self.joined.insert(pair, place.id);
        let joined = self.either(self.types[one.id.0].clone(), self.types[other.id.0].clone());
        self.types[place.id.0] = Type { name: None, ..joined };
        Some(Use { id: place.id, nullable })
    }
}

/// The one schema that another stands for, with null beside it or not: an `allOf` of one, an `anyOf` of one and null.
fn only_part<'a>(schema: &'a Value, at: &str) -> Option<(&'a Value, String, bool)> {
    if schema.get("properties").is_some() || schema.get("enum").is_some() {
        return None;
    }
    for word in ["allOf", "oneOf", "anyOf"] {
        let Some(parts) = schema.get(word).and_then(Value::as_array) else { continue };
        let list = step(at, word);
        let mut others = parts.iter().enumerate().filter(|(_, part)| !is_null(part));
        let (Some((index, part)), None) = (others.next(), others.next()) else { return None };
        return Some((part, step(&list, &index.to_string()), parts.iter().any(is_null)));
    }
    None
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
        || schema
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().all(Value::is_null) && !all.is_empty())
}

/// The bounds of a schema. In OpenAPI 3.0 `exclusiveMinimum: true` says of `minimum` that it is excluded itself.
fn limits_of(schema: &Value) -> BTreeMap<String, String> {
    let mut limits = BTreeMap::new();
    for word in LIMITS {
        let exclusive = match word {
            "minimum" => schema.get("exclusiveMinimum"),
            "maximum" => schema.get("exclusiveMaximum"),
            _ => None,
        };
        let word_of = match (word, exclusive) {
            ("minimum", Some(Value::Bool(true))) => "exclusiveMinimum",
            ("maximum", Some(Value::Bool(true))) => "exclusiveMaximum",
            _ => word,
        };
        if let Some(limit) = schema.get(word).filter(|limit| !limit.is_boolean() || word == "uniqueItems") {
            limits.insert(word_of.to_owned(), plain(limit));
        }
    }
    limits
}

/// What a schema without a type must be.
fn implied(made: &Type) -> Kinds {
    if !made.fields.is_empty() || made.entries.is_some() {
        Kinds::OBJECT
    } else if made.items.is_some() || !made.tuple.is_empty() {
        Kinds::ARRAY
    } else {
        Kinds::ANY
    }
}

/// The values of an enum, numbers as texts.
pub fn values_of(schema: &Value) -> Option<BTreeSet<String>> {
    let listed = schema.get("enum").and_then(Value::as_array);
    if let Some(listed) = listed {
        return Some(listed.iter().filter(|value| !value.is_null()).map(plain).collect());
    }
    let only = schema.get("const").filter(|only| !only.is_null())?;
    Some(BTreeSet::from([plain(only)]))
}

/// A scalar as a text.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The name of a schema that has one.
fn name_of(at: &str) -> Option<String> {
    let (section, name) = at.strip_prefix('/')?.rsplit_once('/')?;
    let is_section = matches!(section, "components/schemas" | "definitions" | "$defs" | "schemas");
    is_section.then(|| unescaped(name))
}

fn text(value: &Value, key: &str) -> Option<String> {
    Some(value.get(key)?.as_str()?.to_owned())
}

fn strings<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
