//! What a value holds that its schema does not know: members, and words that are none of the listed ones.

use std::fmt;

use serde_json::Value;

use super::schema::{Schema, resolved};

/// Something that a schema does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The way to it, such as `orders/0/status`.
    pub at: String,
    /// What of it is unknown.
    pub what: Novelty,
}

/// What of a value is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// The member itself.
    Member,
    /// A text that is none of the listed words.
    Word,
}

impl fmt::Display for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            Novelty::Member => formatter.write_str(&self.at),
            Novelty::Word => write!(formatter, "{} (a new word)", self.at),
        }
    }
}

impl Schema {
    /// What a value holds that the schema does not know, in the order of the value.
    pub fn unknown(&self, value: &Value) -> Vec<Unknown> {
        let mut found = Vec::new();
        collect(self, value, "", &mut found);
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

fn takes_any_text(components: &Value, schema: &Value) -> bool {
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

fn collect(schema: &Schema, value: &Value, at: &str, found: &mut Vec<Unknown>) {
    let way = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
    match value {
        Value::Object(members) => {
            let (fields, others) = (schema.fields(), schema.other_members());
            for (name, value) in members {
                match (fields.iter().find(|field| field.name == *name), &others) {
                    (Some(field), _) => collect(&field.schema, value, &way(name), found),
                    (None, Some(other)) => collect(other, value, &way(name), found),
                    (None, None) => found.push(Unknown { at: way(name), what: Novelty::Member }),
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.items() {
                for (index, item) in items.iter().enumerate() {
                    collect(&schema, item, &way(&index.to_string()), found);
                }
            }
        }
        // An empty text stands for none.
        Value::String(word) if !word.is_empty() && !schema.takes_any_text() && !schema.words().contains(word) => {
            found.push(Unknown { at: at.to_owned(), what: Novelty::Word });
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
            ["more", "order/book_side (a new word)", "order/shape", "order/status (a new word)"]
        );
        let markets = r#"{"markets":[{"ticker":"A","status":"active"},{"ticker":"B","aura":null}],"cursor":""}"#;
        assert_eq!(unknown("kalshi", "get_markets", markets), ["markets/1/aura"]);
        let bought = r#"{"order":{"order_id":"a","direction":"sideways"},"trades":[{"tick":{}}]}"#;
        assert_eq!(unknown("deribit", "buy", bought), ["order/direction (a new word)", "trades/0/tick"]);
        assert!(unknown("yativo", "delete_webhook", r#"{"anything":{"at":"all"}}"#).is_empty());
    }

    #[test]
    fn an_example_holds_nothing_unknown() {
        for spec in all() {
            for operation in &spec.operations {
                let example = operation.example(&Given::default());
                let unknown = operation.answer.as_ref().zip(example).map(|(schema, value)| schema.unknown(&value));
                assert_eq!(unknown.unwrap_or_default(), [], "{} {}", spec.venue, operation.id);
            }
        }
    }
}
