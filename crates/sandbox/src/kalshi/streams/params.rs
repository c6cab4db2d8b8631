//! Reads commands. What has the wrong type is not understood at all.

use serde_json::{Map, Value};

use super::codes;

/// One command.
pub(super) struct Command {
    /// None where it is left out, and for 0.
    pub(super) id: Option<i64>,
    pub(super) name: String,
    pub(super) params: Option<Params>,
}

/// Why a message is no command, and its number as far as that could be read.
pub(super) struct Unread {
    pub(super) id: Option<i64>,
    pub(super) code: i64,
}

impl Command {
    pub(super) fn read(text: &str) -> Result<Self, Unread> {
        let unread = |id, code| Unread { id, code };
        let message: Value = serde_json::from_str(text).map_err(|_| unread(None, codes::UNREADABLE))?;
        let id = match message.get("id") {
            None | Some(Value::Null) => None,
            Some(id) => Some(id.as_i64().ok_or(unread(None, codes::UNREADABLE))?).filter(|id| *id != 0),
        };
        if !message.is_object() {
            return Err(unread(None, codes::UNREADABLE));
        }
        let name = match message.get("cmd") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(name)) => name.clone(),
            Some(_) => return Err(unread(id, codes::UNREADABLE)),
        };
        let params = match message.get("params") {
            None | Some(Value::Null) => None,
            Some(Value::Object(params)) => Some(Params(params.clone())),
            Some(_) => return Err(unread(id, codes::UNREADABLE)),
        };
        Ok(Self { id, name, params })
    }
}

/// What a command is given.
pub(super) struct Params(Map<String, Value>);

impl Params {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, i64> {
        self.get(name).map(|value| value.as_str().ok_or(codes::UNREADABLE)).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, i64> {
        self.get(name).map(|value| value.as_bool().ok_or(codes::UNREADABLE)).transpose()
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, i64> {
        self.get(name).map(|value| value.as_i64().ok_or(codes::UNREADABLE)).transpose()
    }

    /// A list of texts; empty if it is absent.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, i64> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or(codes::UNREADABLE)?;
        items.iter().map(|item| item.as_str().map(str::to_owned).ok_or(codes::UNREADABLE)).collect()
    }

    /// A list of numbers; empty if it is absent.
    pub(super) fn integers(&self, name: &str) -> Result<Vec<i64>, i64> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or(codes::UNREADABLE)?;
        items.iter().map(|item| item.as_i64().ok_or(codes::UNREADABLE)).collect()
    }

    /// One value or several, of which only one form may be there.
    pub(super) fn one_or_several(&self, one: &str, several: &str) -> Result<Vec<String>, i64> {
        match (self.text(one)?, self.texts(several)?) {
            (None, list) => Ok(list),
            (Some(value), list) if list.is_empty() => Ok(vec![value.to_owned()]),
            _ => Err(codes::INVALID),
        }
    }
}
