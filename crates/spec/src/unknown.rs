//! What a value holds that its schema does not know: members, and words that are none of the listed ones.

use std::fmt;

use serde_json::Value;

use super::outline::Components;
use super::schema::{Schema, resolved};

/// Something that a schema does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The way to it, such as `orders/0/status`.
    pub at: String,
    /// The same as a JSON path, such as `orders[0].status`.
    pub path: String,
    /// What of it is unknown.
    pub what: Novelty,
}

/// What of a value is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// The member itself.
    Member,
    /// This text, which is not one of the listed words.
    Word(String),
    /// Null in place of a member that must be there.
    Null,
}

impl fmt::Display for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Novelty::Member => formatter.write_str(&self.path),
            Novelty::Word(word) => write!(formatter, "{}: {word:?}", self.path),
            Novelty::Null => write!(formatter, "{}: null", self.path),
        }
    }
}

impl Schema {
    /// What a value holds that the schema does not know, in the order of the value.
    pub fn unknown(&self, value: &Value) -> Vec<Unknown> {
        let mut found = Vec::new();
        collect(self, value, &mut Vec::new(), &mut found);
        found
    }

    /// The members of a value that it does not know, as ways into it, such as `orders/0/prise`.
    pub fn unknown_members(&self, value: &Value) -> Vec<String> {
        let members = self.unknown(value).into_iter().filter(|unknown| unknown.what == Novelty::Member);
        members.map(|unknown| unknown.at).collect()
    }

    /// Whether a text may be any word: no list of words, or one beside a plain text.
    fn takes_any_text(&self) -> bool {
        takes_any_text(&self.components, &self.value)
    }
}

fn takes_any_text(components: &Components, schema: &Value) -> bool {
    let schema = resolved(components, schema);
    if schema.get("enum").is_some() {
        return schema["x-also"]["type"] == "string";
    }
    let forms = || ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    match forms().next() {
        // An alternative of another type, such as null, says nothing of texts.
        Some(_) => forms().any(|form| {
            let form = resolved(components, form);
            let other = form["type"].as_str().is_some_and(|kind| kind != "string");
            !other && takes_any_text(components, form)
        }),
        None => true,
    }
}

/// A step into a value.
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

impl Unknown {
    fn new(steps: &[Step<'_>], what: Novelty) -> Self {
        let (mut at, mut path) = (String::new(), String::new());
        for step in steps {
            if !at.is_empty() {
                at.push('/');
            }
            match step {
                Step::Member(name) => {
                    at.push_str(name);
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(name);
                }
                Step::Item(index) => {
                    at.push_str(&index.to_string());
                    path.push_str(&format!("[{index}]"));
                }
            }
        }
        Self { at, path, what }
    }
}

fn collect<'a>(schema: &Schema, value: &'a Value, steps: &mut Vec<Step<'a>>, found: &mut Vec<Unknown>) {
    match value {
        Value::Object(members) => {
            let (fields, others) = (schema.fields(), schema.other_members());
            for (name, value) in members {
                steps.push(Step::Member(name));
                match (fields.iter().find(|field| field.name == *name), &others) {
                    (Some(field), _) if field.required && value.is_null() => {
                        found.push(Unknown::new(steps, Novelty::Null));
                    }
                    (Some(field), _) => collect(&field.schema, value, steps, found),
                    (None, Some(other)) => collect(other, value, steps, found),
                    (None, None) => found.push(Unknown::new(steps, Novelty::Member)),
                }
                steps.pop();
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.items() else { return };
            for (index, item) in items.iter().enumerate() {
                steps.push(Step::Item(index));
                collect(&schema, item, steps, found);
                steps.pop();
            }
        }
        // An empty text stands for none.
        Value::String(word) if !word.is_empty() && !schema.takes_any_text() && !schema.words().contains(word) => {
            found.push(Unknown::new(steps, Novelty::Word(word.clone())));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Given, all, of};

    fn unknown(venue: &str, operation: &str, response: &str) -> Vec<String> {
        let schema = of(venue).unwrap().named(operation).unwrap().answer.as_ref().unwrap();
        let value = serde_json::from_str(response).unwrap();
        schema.unknown(&value).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn members_and_words_are_found_wherever_they_stand() {
        let order = r#"{"order":{"order_id":"a","status":"suspended","shape":1,"book_side":"mid"},"more":[1]}"#;
        assert_eq!(
            unknown("kalshi", "get_order", order),
            ["more", r#"order.book_side: "mid""#, "order.shape", r#"order.status: "suspended""#]
        );
        let markets = r#"{"markets":[{"ticker":"A","status":"active"},{"ticker":"B","aura":null}],"cursor":""}"#;
        assert_eq!(unknown("kalshi", "get_markets", markets), ["markets[1].aura"]);
        let bought = r#"{"order":{"order_id":"a","direction":"sideways"},"trades":[{"tick":{}}]}"#;
        assert_eq!(unknown("deribit", "buy", bought), [r#"order.direction: "sideways""#, "trades[0].tick"]);
        assert_eq!(
            unknown("kalshi", "get_markets", r#"{"markets":[{"ticker":null,"status":null}]}"#),
            ["markets[0].ticker: null"]
        );
        assert!(unknown("yativo", "delete_webhook", r#"{"anything":{"at":"all"}}"#).is_empty());
    }

    #[test]
    fn an_example_holds_nothing_unknown() {
        for spec in all() {
            for operation in spec.operations() {
                let example = operation.example(&Given::default());
                let unknown = operation.answer.as_ref().zip(example).map(|(schema, value)| schema.unknown(&value));
                assert_eq!(unknown.unwrap_or_default(), [], "{} {}", spec.venue, operation.id);
            }
        }
    }
}
