//! A call by its name, and what came of it.

use serde_json::{Map, Value};
use venuekit_wire::json;
use venuekit_wire::key_lifecycle::{Field, FieldPlace, Returns, TextsField, TextsForm};
use venuekit_wire::operation::{ErrorKind, Operation, Protocol};

use crate::call::{Call, JsonBody};
use crate::error::Error;
use crate::response::Response;
use crate::session::Session;

/// A request that is put together by the names of its fields.
pub(super) struct Request {
    row: &'static Operation,
    protocol: Protocol,
    path: Vec<String>,
    query: Vec<(String, String)>,
    body: Map<String, Value>,
}

/// A good response, read as JSON.
pub(super) struct Answer {
    pub(super) value: Value,
    response: Response,
}

impl Request {
    pub(super) fn new(session: &Session, operation: &str) -> Result<Self, Error> {
        let venue = session.venue();
        let row = venue.operation(operation);
        let row =
            row.ok_or_else(|| Error::invalid_request(format!("{} has no operation `{operation}`", venue.name)))?;
        Ok(Self { row, protocol: venue.protocol, path: Vec::new(), query: Vec::new(), body: Map::new() })
    }

    pub(super) fn row(&self) -> &'static Operation {
        self.row
    }

    /// A field with a text.
    pub(super) fn set(&mut self, field: Field, text: &str) -> Result<(), Error> {
        match field.place {
            FieldPlace::Path => self.path.push(text.to_owned()),
            FieldPlace::Query => self.query.push((field.name.to_owned(), text.to_owned())),
            FieldPlace::Body if field.is_number => {
                let number: i64 = text.parse().map_err(|_| {
                    Error::invalid_request(format!(
                        "invalid `{}` \"{text}\": expected a whole number, as the list shows it",
                        field.name
                    ))
                })?;
                self.set_value(field.name, number.into());
            }
            FieldPlace::Body => self.set_value(field.name, text.into()),
        }
        Ok(())
    }

    /// A field with several texts. Without any it is left out, unless the request must have it.
    pub(super) fn set_texts(&mut self, rules: TextsField, texts: &[String]) -> Result<(), Error> {
        let TextsField { fields, form, with } = rules;
        if form == TextsForm::Flags {
            return self.set_flags(fields, texts);
        }
        let Some(field) = fields.first().filter(|field| field.is_required || !texts.is_empty()) else { return Ok(()) };
        if !texts.is_empty() {
            with.iter().for_each(|(name, value)| self.set_json(name, value));
        }
        let value = match form {
            TextsForm::List => texts.into(),
            TextsForm::Blanks => texts.join(" ").into(),
            TextsForm::Commas => texts.join(",").into(),
            TextsForm::Groups => {
                let mut groups = Map::new();
                for text in texts {
                    let Some((group, word)) = text.split_once(':') else {
                        let message = format!("invalid scope \"{text}\": expected GROUP:WORD");
                        return Err(Error::invalid_request(message));
                    };
                    let group = groups.entry(group).or_insert_with(|| Value::Array(Vec::new()));
                    group.as_array_mut().into_iter().for_each(|words| words.push(word.into()));
                }
                groups.into()
            }
            TextsForm::One | TextsForm::Flags => match texts {
                [one] => one.as_str().into(),
                _ => {
                    let message =
                        format!("`{}` is one of the scopes, and not several: {}", field.name, texts.join(", "));
                    return Err(Error::invalid_request(message));
                }
            },
        };
        match (field.place, &value) {
            (FieldPlace::Query, Value::String(text)) => self.query.push((field.name.to_owned(), text.clone())),
            _ => self.set_value(field.name, value),
        }
        Ok(())
    }

    /// Booleans that are true.
    fn set_flags(&mut self, fields: &[Field], texts: &[String]) -> Result<(), Error> {
        check_flags(fields, texts)?;
        texts.iter().for_each(|text| self.set_value(text, true.into()));
        Ok(())
    }

    /// Booleans that are true, and all others as false.
    pub(super) fn set_all_flags(&mut self, fields: &[Field], texts: &[String]) -> Result<(), Error> {
        check_flags(fields, texts)?;
        for field in fields {
            self.set_value(field.name, texts.iter().any(|text| text == field.name).into());
        }
        Ok(())
    }

    /// A member that was read before. A boolean becomes 0 or 1 where the request has a number.
    pub(super) fn copy(&mut self, field: Field, value: &Value) {
        let value = match value {
            Value::Bool(flag) if field.is_number => i64::from(*flag).into(),
            other => other.clone(),
        };
        self.set_value(field.name, value);
    }

    /// A member of the body.
    pub(super) fn set_value(&mut self, name: &str, value: Value) {
        self.body.insert(name.to_owned(), value);
    }

    /// A member of the body, written as JSON.
    pub(super) fn set_json(&mut self, name: &str, json: &str) {
        self.set_value(name, serde_json::from_str(json).unwrap_or_else(|_| json.into()));
    }

    /// A field whose place is not given: in the path where that has it, otherwise where the method has its fields.
    pub(super) fn set_named(&mut self, name: &str, text: &str) {
        if self.row.path.contains(&format!("{{{name}}}")) {
            self.path.push(text.to_owned());
        } else if self.protocol == Protocol::Rest && matches!(self.row.method, "GET" | "DELETE") {
            self.query.push((name.to_owned(), text.to_owned()));
        } else {
            self.set_value(name, text.into());
        }
    }

    fn into_call(self) -> Result<Call, Error> {
        let mut call = Call::new(self.row);
        for part in &self.path {
            call = call.path(part);
        }
        for (name, value) in &self.query {
            call = call.query(name, value);
        }
        if !self.body.is_empty() || self.protocol == Protocol::JsonRpc {
            let body = Value::Object(self.body).to_string();
            call = call.body(JsonBody::new(self.row, &body)?);
        }
        Ok(call)
    }

    /// Sends it, and reads the response as JSON.
    pub(super) async fn send(self, session: &Session) -> Result<Answer, Error> {
        let response = session.send(self.into_call()?).await?;
        match json::from_slice(response.body()) {
            Ok(value) => Ok(Answer { value, response }),
            Err(error) => Err(response.undecoded(&error)),
        }
    }

    /// Sends it where the response says no more than that it was done.
    pub(super) async fn send_unread(self, session: &Session, returns: Returns) -> Result<(), Error> {
        match returns {
            Returns::Nothing => session.send(self.into_call()?).await.map(drop),
            Returns::Text => {
                let answer = self.send(session).await?;
                if answer.value.is_string() { Ok(()) } else { Err(answer.lacks("text")) }
            }
            Returns::Object => {
                let answer = self.send(session).await?;
                if answer.value.is_object() { Ok(()) } else { Err(answer.lacks("object")) }
            }
            Returns::Anything => self.send(session).await.map(drop),
        }
    }
}

/// Refuses a text that is no name of a boolean.
fn check_flags(fields: &[Field], texts: &[String]) -> Result<(), Error> {
    let Some(text) = texts.iter().find(|text| !fields.iter().any(|field| field.name == **text)) else { return Ok(()) };
    let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
    Err(Error::invalid_request(format!("invalid scope \"{text}\": expected one of {}", known.join(", "))))
}

impl Answer {
    /// A response that is of no use. The venue has acted where the operation changes something.
    pub(super) fn incomplete(&self, message: impl Into<String>) -> Error {
        self.response.refused(ErrorKind::Decode, message.into())
    }

    /// The same for want of one thing.
    pub(super) fn lacks(&self, what: &str) -> Error {
        self.incomplete(format!("the response holds no {what}"))
    }

    /// A text or number by its dotted name.
    pub(super) fn dotted(&self, name: &str) -> Option<String> {
        let found = name.split('.').try_fold(&self.value, |value, name| value.get(name))?;
        super::entry::plain(found)
    }
}
