//! The values that a request names, so that a response can name them too.

use std::collections::BTreeMap;

use serde_json::Value;

/// What was given in a path, a query and a body, by name. No `Debug`: a secret may be among them.
#[derive(Default)]
pub struct Given {
    path: BTreeMap<String, String>,
    values: BTreeMap<String, Value>,
    /// Where the path ends in a placeholder, its value: what a response may call just `id`.
    own_id: Option<Value>,
}

impl Given {
    /// The decoded value of a placeholder.
    pub fn in_path(&self, name: &str) -> &str {
        self.path.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A text that was given by that name, wherever.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.named(name)?.as_str()
    }

    pub(super) fn add_path(&mut self, name: &str, text: String, value: &Value, at_end: bool) {
        self.path.insert(name.to_owned(), text);
        self.own_id = at_end.then(|| value.clone());
        self.add(name, value);
    }

    /// Adds a value, and what is in it. The first of a name stays.
    pub(super) fn add(&mut self, name: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(_) => self.add_all(value),
            Value::Array(items) => items.iter().take(1).for_each(|item| self.add(name, item)),
            scalar => _ = self.values.entry(plain(name)).or_insert_with(|| scalar.clone()),
        }
    }

    /// Adds the members of an object.
    pub fn add_all(&mut self, object: &Value) {
        match object {
            Value::Object(members) => members.iter().for_each(|(name, value)| self.add(name, value)),
            Value::Array(items) => items.iter().take(1).for_each(|item| self.add_all(item)),
            _ => {}
        }
    }

    /// The value of that name, however it is written.
    pub(super) fn named(&self, name: &str) -> Option<&Value> {
        self.values.get(&plain(name))
    }

    pub(super) fn own_id(&self) -> Option<&Value> {
        self.own_id.as_ref()
    }
}

/// `orderId`, `order_id` and `order-id` are one name.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}
