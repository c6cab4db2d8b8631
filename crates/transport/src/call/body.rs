//! What the send loop must know of a request body.

use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use venuekit_wire::Secret;
use venuekit_wire::operation::{ErrorKind, Key, Operation, Retry};

use crate::error::Error;
use crate::idempotency;
use crate::jsonrpc::with_members;
use crate::members::{Members, string};

/// A request body that reports its own properties, so that nobody has to parse what was written.
///
/// Generated types implement it, and override what their spec says something of.
pub trait CallBody: Serialize {
    /// The idempotency key in it, where it has one.
    fn idempotency_key(&self) -> Option<&str> {
        None
    }

    /// Puts a key into it, where it has a place for one.
    fn set_idempotency_key(&mut self, _key: String) {}

    /// The secrets in it.
    fn secrets(&self, _into: &mut Vec<Secret>) {}

    /// How many items it asks for, where the venue's limit counts each of them.
    fn items(&self) -> usize {
        1
    }

    /// Whether the call changes the setting of the connection that its operation is about.
    fn changes_setting(&self) -> bool {
        true
    }
}

/// A body that somebody wrote as JSON, for callers who call an operation by its name. It is read once, by the operation's row.
pub struct JsonBody {
    text: Box<RawValue>,
    operation: &'static Operation,
    key: Option<String>,
    secrets: Vec<Secret>,
    items: usize,
    changes_setting: bool,
}

impl JsonBody {
    /// Reads a body of this operation.
    ///
    /// # Errors
    /// A text that is not JSON, or whose idempotency key is not a string, or is there twice.
    pub fn new(operation: &'static Operation, text: &str) -> Result<Self, Error> {
        let refused = |message: String| Error::before_sending(operation, ErrorKind::InvalidRequest, message);
        let not_json = |error: serde_json::Error| refused(format!("the request body is not JSON: {error}"));
        let text: Box<RawValue> = serde_json::from_str(text).map_err(not_json)?;
        let members = Members::of(text.get());
        let mut secrets = Vec::new();
        if !operation.secret_fields.is_empty() {
            collect(&serde_json::from_str(text.get()).map_err(not_json)?, operation.secret_fields, &mut secrets);
        }
        let list = operation.rate.iter().find_map(|rate| rate.per_item);
        let items = list.and_then(|list| {
            let list: Vec<&RawValue> = serde_json::from_str(members.as_ref()?.get(list)?.get()).ok()?;
            Some(list.len())
        });
        let when = operation.on_connection.and_then(|on| on.setting).and_then(|setting| setting.when);
        let changes_setting = when.is_none_or(|(name, word)| {
            let given = members.as_ref().and_then(|members| members.get(name));
            given.is_none_or(|given| string(given).as_deref() == Some(word))
        });
        let key = match operation.retry {
            Retry::Keyed(Key::Field(name)) => {
                key(members.as_ref(), name).map_err(|problem| refused(idempotency::refusal(name, problem)))?
            }
            Retry::Keyed(Key::Header(_)) | Retry::Safe | Retry::Never => None,
        };
        drop(members);
        Ok(Self { text, operation, key, secrets, items: items.unwrap_or(1).max(1), changes_setting })
    }
}

/// The key in a body that has one.
fn key(members: Option<&Members<'_>>, name: &str) -> Result<Option<String>, &'static str> {
    let members = members.ok_or("cannot be set: the request body is not a JSON object")?;
    let given: Vec<&RawValue> = members.all(name).collect();
    match given[..] {
        [] => Ok(None),
        [key] => string(key).map(Some).ok_or("is not a string; leave it out to get a new one"),
        _ => Err("is given more than once"),
    }
}

fn collect(value: &Value, names: &[&str], found: &mut Vec<Secret>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, names, found)),
        Value::Object(map) => {
            for (name, inner) in map {
                match inner.as_str() {
                    Some(text) if names.contains(&name.as_str()) => found.push(Secret::new(text.to_owned())),
                    _ => collect(inner, names, found),
                }
            }
        }
        _ => {}
    }
}

/// The text as it was written: a number must reach the venue digit by digit.
impl Serialize for JsonBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl CallBody for JsonBody {
    fn idempotency_key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn set_idempotency_key(&mut self, key: String) {
        let Retry::Keyed(Key::Field(name)) = self.operation.retry else { return };
        let text = with_members(self.text.get(), &format!(r#""{name}":"{key}""#));
        if let Ok(text) = RawValue::from_string(text) {
            self.text = text;
            self.key = Some(key);
        }
    }

    fn secrets(&self, into: &mut Vec<Secret>) {
        into.extend(self.secrets.iter().cloned());
    }

    fn items(&self) -> usize {
        self.items
    }

    fn changes_setting(&self) -> bool {
        self.changes_setting
    }
}
