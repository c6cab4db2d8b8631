//! Made-up values that keep to a schema: the same every time, and with what the request names.

use serde_json::{Map, Number, Value, json};

use super::Given;
use super::operation::{Failing, Operation, Page};
use super::outline::Components;
use super::schema::{Schema, is_valid, resolved};
use super::text;

/// 2026-01-31, 12:00 UTC.
const SECONDS: i64 = 1_769_860_800;
/// Members that say whether more of a list is to come.
const MORE: [&str; 4] = ["has_more", "hasMore", "has_next", "hasNext"];
/// Members that lead to what is to come.
const MARKS: [&str; 7] =
    ["continuation", "cursor", "next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_start_id"];

impl Operation {
    /// The body of a successful response, on the last page where there are several.
    pub fn example(&self, given: &Given) -> Option<Value> {
        let schema = self.answer.as_ref()?;
        let value = self.filled(schema, given);
        // What was given may not do as a whole where each value does on its own.
        let good = schema.check(&value).is_ok();
        let mut value = if good { value } else { self.filled(schema, &Given::default()) };
        end_lists(&mut value);
        if let Some(page) = &self.page {
            page.end(&mut value, given);
        }
        // Where nobody has described the response there is something in it nevertheless.
        if let Value::Object(members) = &mut value
            && members.is_empty()
            && schema.other_members().is_some()
        {
            members.insert("example".to_owned(), Value::Bool(true));
        }
        Some(value)
    }

    fn filled(&self, schema: &Schema, given: &Given) -> Value {
        let maker = Maker { components: &schema.components, given, refused: &self.refused, optional: true };
        maker.make(&schema.value, "", "", &mut Vec::new())
    }
}

/// Says of every list that it ends here.
fn end_lists(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::Bool(more) if MORE.contains(&name.as_str()) => *more = false,
                    Value::String(mark) if MARKS.contains(&name.as_str()) => mark.clear(),
                    other => end_lists(other),
                }
            }
            // A mark that is no text has no value that means none.
            members.retain(|name, member| member.is_string() || !MARKS.contains(&name.as_str()));
        }
        Value::Array(items) => items.iter_mut().for_each(end_lists),
        _ => {}
    }
}

impl Page {
    /// Says that nothing more is to come.
    fn end(&self, value: &mut Value, given: &Given) {
        match self {
            Self::Next(at) => {
                let Some((members, name)) = member(value, at) else { return };
                match members.get_mut(name) {
                    Some(next @ Value::String(_)) => *next = json!(""),
                    // A number has no value that means none.
                    _ => _ = members.remove(name),
                }
            }
            Self::Last(at) => {
                if let Some(last) = member(value, at).and_then(|(members, name)| members.get_mut(name)) {
                    *last = json!(1);
                }
            }
            Self::Empty { param, first, items } => {
                let asked = given.named(param).and_then(Value::as_i64).unwrap_or(*first);
                let list = if items.is_empty() { Some(value) } else { value.pointer_mut(&pointer(items)) };
                if let Some(Value::Array(list)) = list.filter(|_| asked > *first) {
                    list.clear();
                }
            }
        }
    }
}

fn pointer(dotted: &str) -> String {
    format!("/{}", dotted.replace('.', "/"))
}

/// The object in which a dotted name ends, and its last part.
fn member<'a, 'b>(value: &'a mut Value, dotted: &'b str) -> Option<(&'a mut Map<String, Value>, &'b str)> {
    let (parent, name) = dotted.rsplit_once('.').unwrap_or(("", dotted));
    let parent = if parent.is_empty() { value } else { value.pointer_mut(&pointer(parent))? };
    Some((parent.as_object_mut()?, name))
}

/// A value of a schema in a request, with or without what is optional.
pub(super) fn request_value(schema: &Schema, name: &str, optional: bool) -> Value {
    let maker = Maker { components: &schema.components, given: &Given::default(), refused: &[], optional };
    maker.make(&schema.value, name, "", &mut Vec::new())
}

struct Maker<'a> {
    components: &'a Components,
    given: &'a Given,
    refused: &'a [Failing],
    /// Whether members are filled that may be left out.
    optional: bool,
}

impl<'a> Maker<'a> {
    /// The value of a member of that name, at that place. `open` are the named schemas that it stands in.
    fn make(&self, schema: &'a Value, name: &str, at: &str, open: &mut Vec<&'a str>) -> Value {
        if let Some(only) = self.refused.iter().find(|one| one.unless && one.at == at) {
            return only.value.clone();
        }
        let before = open.len();
        open.extend(schema["$ref"].as_str());
        let schema = resolved(self.components, schema);
        let value = self.make_resolved(schema, name, at, open);
        open.truncate(before);
        value
    }

    fn make_resolved(&self, schema: &'a Value, name: &str, at: &str, open: &mut Vec<&'a str>) -> Value {
        if let Some(first) = ["oneOf", "anyOf"].into_iter().find_map(|word| schema[word].get(0)) {
            return self.make(first, name, at, open);
        }
        if let Some(example) = schema.get("example") {
            return example.clone();
        }
        match schema["allOf"].as_array().map(Vec::as_slice) {
            Some([one]) if schema.get("properties").is_none() => self.make(one, name, at, open),
            Some(parts) => {
                let mut members = self.object(schema, at, open);
                for part in parts {
                    if let Value::Object(more) = self.make(part, name, at, open) {
                        members.extend(more);
                    }
                }
                Value::Object(members)
            }
            None => match type_of(schema) {
                "object" => Value::Object(self.object(schema, at, open)),
                "array" => self.array(schema, name, at, open),
                kind => self.scalar(schema, kind, name, at),
            },
        }
    }

    fn object(&self, schema: &'a Value, at: &str, open: &mut Vec<&'a str>) -> Map<String, Value> {
        let required =
            |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
        let mut members = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let wanted = self.optional && !is_open(property, open);
            if wanted || required(name) {
                members.insert(name.clone(), self.make(property, name, &format!("{at}/{name}"), open));
            }
        }
        let more = &schema["additionalProperties"];
        if members.is_empty() && self.optional && more.is_object() && !is_open(more, open) {
            members.insert("example".to_owned(), self.make(more, "example", &format!("{at}/example"), open));
        }
        members
    }

    fn array(&self, schema: &'a Value, name: &str, at: &str, open: &mut Vec<&'a str>) -> Value {
        if let Some(elements) = schema["x-tuple"].as_array() {
            let mut tuple = Vec::new();
            for (index, element) in elements.iter().enumerate() {
                tuple.push(self.make(element, name, &format!("{at}/{index}"), open));
            }
            return tuple.into();
        }
        let items = &schema["items"];
        if is_open(items, open) || schema["maxItems"] == 0 {
            return json!([]);
        }
        let item = self.make(items, name, &format!("{at}/0"), open);
        // A list in a list is a point, such as a price and a quantity.
        let is_point = at.rsplit('/').next().is_some_and(|last| last.parse::<usize>().is_ok());
        let count = schema["minItems"].as_u64().unwrap_or(if is_point { 2 } else { 1 }).max(1);
        (0..count).map(|_| item.clone()).collect()
    }

    fn scalar(&self, schema: &Value, kind: &str, name: &str, at: &str) -> Value {
        let Some(rules) = schema.as_object() else { return Value::Null };
        let refused = |value: &Value| self.refused.iter().any(|one| one.fits(at, value));
        if rules.get("format").is_none_or(|format| format != "secret")
            && let Some(given) = self.given_for(name, at)
            && let Some(value) = converted(given, kind)
            && !refused(&value)
            && is_valid(rules, &value)
        {
            return value;
        }
        if let Some(values) = rules.get("enum").and_then(Value::as_array) {
            let allowed = values.iter().find(|value| !value.is_null() && !refused(value));
            return allowed.cloned().unwrap_or_default();
        }
        if let Some(value) = rules.get("const") {
            return value.clone();
        }
        match kind {
            "integer" => integer(rules),
            "number" => number(rules),
            "boolean" => Value::Bool(!refused(&Value::Bool(true))),
            "null" => Value::Null,
            _ => text::make(rules, name).into(),
        }
    }

    /// What the request calls by that name; an `id` at the top, or in its envelope, is that of the path.
    fn given_for(&self, name: &str, at: &str) -> Option<&Value> {
        let is_own_id = name == "id" && at.matches('/').count() <= 2;
        self.given.named(name).or_else(|| self.given.own_id().filter(|_| is_own_id))
    }
}

/// Whether a schema leads back into one that is being filled.
fn is_open(schema: &Value, open: &[&str]) -> bool {
    let inner = |schema: &Value| schema["$ref"].as_str().is_some_and(|target| open.contains(&target));
    inner(schema) || schema["allOf"].get(0).is_some_and(inner) || schema.get("items").is_some_and(inner)
}

/// The first type that is not null; guessed where none is named.
fn type_of(schema: &Value) -> &str {
    let named = match &schema["type"] {
        Value::String(name) => Some(name.as_str()),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    };
    let has = |word: &str| schema.get(word).is_some();
    named.unwrap_or_else(|| match () {
        () if has("properties") || has("additionalProperties") => "object",
        () if has("items") => "array",
        () => "string",
    })
}

/// A value that was given, as another type would write it.
fn converted(value: &Value, kind: &str) -> Option<Value> {
    match (value, kind) {
        (Value::String(_), "string") | (Value::Number(_), "number") | (Value::Bool(_), "boolean") => {
            Some(value.clone())
        }
        (Value::Number(number), "integer") => number.is_i64().then(|| value.clone()),
        (Value::Number(number), "string") => Some(number.to_string().into()),
        (Value::String(text), "integer") => text.parse::<i64>().ok().map(Value::from),
        (Value::String(text), "number") => text.parse::<Number>().ok().map(Value::Number),
        _ => None,
    }
}

fn integer(rules: &Map<String, Value>) -> Value {
    let usual = match rules.get("format").and_then(Value::as_str) {
        Some("unix-s") => SECONDS,
        Some("unix-ms") => SECONDS * 1000,
        Some("unix-us") => SECONDS * 1_000_000,
        Some("unix-ns") => SECONDS * 1_000_000_000,
        _ => 1,
    };
    let limit = |word: &str| rules.get(word).and_then(Value::as_i64);
    let step = limit("multipleOf").unwrap_or(1).max(1);
    let excluded = |word: &str| limit(word).or_else(|| (rules.get(word) == Some(&json!(true))).then_some(0));
    let low = limit("minimum").map(|low| low + i64::from(excluded("exclusiveMinimum").is_some()));
    let low = low.or_else(|| limit("exclusiveMinimum").map(|low| low + 1));
    let high = limit("maximum").map(|high| high - i64::from(excluded("exclusiveMaximum").is_some()));
    let high = high.or_else(|| limit("exclusiveMaximum").map(|high| high - 1));
    let value = usual.max(low.unwrap_or(i64::MIN)).min(high.unwrap_or(i64::MAX));
    // Rounded up to a multiple, or down where that would be too much.
    let up = value.div_euclid(step) * step + if value.rem_euclid(step) == 0 { 0 } else { step };
    Value::from(if high.is_some_and(|high| up > high) { up - step } else { up })
}

fn number(rules: &Map<String, Value>) -> Value {
    let fits = |value: &Value| is_valid(rules, value);
    let limit = |word: &str| rules.get(word).and_then(Value::as_f64);
    let low = limit("minimum").or_else(|| limit("exclusiveMinimum"));
    let high = limit("maximum").or_else(|| limit("exclusiveMaximum"));
    let middle = match (low, high) {
        (Some(low), Some(high)) => f64::midpoint(low, high),
        (Some(low), None) => low + 1.0,
        (None, Some(high)) => high - 1.0,
        (None, None) => 1.0,
    };
    let candidates = [json!(1.5), json!(1), json!(0.5), json!(middle), json!(limit("multipleOf").unwrap_or(0.0))];
    candidates.into_iter().find(fits).unwrap_or_else(|| json!(middle))
}
