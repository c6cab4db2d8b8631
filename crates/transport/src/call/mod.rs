//! A call: what an operation is given, before anything decides how it travels.

mod body;
mod form;
mod given;
mod params;
mod query;

use std::borrow::Cow;
use std::fmt::{self, Display};

use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use serde_json::value::RawValue;
use venuekit_wire::Secret;
use venuekit_wire::operation::{ErrorKind, Given, Key, Operation, Retry};

pub use self::body::{CallBody, JsonBody};
pub(crate) use self::params::object;
use crate::error::Error;
use crate::idempotency;
use crate::members::{Members, string};

/// One call of an operation: its path, query, headers and body, and what the send loop must know of them.
///
/// Generated methods make one from typed values and hand it to the session. What is wrong with a value is kept, and is the error of
/// the call; nothing is sent then.
pub struct Call {
    pub(crate) operation: &'static Operation,
    /// Path and query below the base URL, as far as they are written.
    target: String,
    /// What of the path template is still to be filled.
    rest: &'static str,
    has_query: bool,
    texts: query::Texts,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The body as JSON; of a JSON-RPC call its params.
    pub(crate) body: Option<String>,
    /// The idempotency key that the call carries.
    pub(crate) key: Option<String>,
    /// Texts that must not be seen, should the venue echo one.
    pub(crate) secrets: Vec<Secret>,
    /// How many items it asks for, where each of them costs.
    pub(crate) items: usize,
    /// Whether it changes the setting that its operation is about.
    pub(crate) changes_setting: bool,
    refused: Option<String>,
}

/// What a path segment cannot hold as it is.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b'\\')
    .add(b'%');

/// A value as a path holds it.
#[doc(hidden)]
pub fn encode_segment(value: &str) -> String {
    utf8_percent_encode(value, SEGMENT).to_string()
}

/// How many items a list has that is written as JSON; one where it is none.
fn items(text: &str) -> usize {
    serde_json::from_str::<Vec<&RawValue>>(text).map_or(1, |items| items.len())
}

impl Call {
    /// A call of this operation, with nothing given yet.
    pub fn new(operation: &'static Operation) -> Self {
        let (begin, rest) = operation.path.split_at(operation.path.find('{').unwrap_or(operation.path.len()));
        let mut target = String::with_capacity(operation.path.len() + 128);
        target.push_str(begin);
        Self {
            operation,
            target,
            rest,
            has_query: false,
            texts: query::Texts::default(),
            headers: Vec::new(),
            body: None,
            key: None,
            secrets: Vec::new(),
            items: 1,
            changes_setting: true,
            refused: None,
        }
    }

    /// The value of the path's next parameter.
    #[must_use]
    pub fn path(mut self, value: impl Display) -> Self {
        let value = value.to_string();
        let Some((name, rest)) = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            return self.refuse("more values than parameters in the path");
        };
        // The URL standard takes these for the folder itself and the one above it, and nothing for another path.
        if matches!(&*value, "" | "." | "..") {
            return self.refuse(format!("{name}: `{value}` cannot be part of a path"));
        }
        self.target.extend(utf8_percent_encode(&value, SEGMENT));
        let (fixed, rest) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        self.target.push_str(fixed);
        self.rest = rest;
        self
    }

    /// The whole path, with its parameters in it and encoded already.
    #[must_use]
    pub fn encoded_path(mut self, path: &str) -> Self {
        self.target.clear();
        self.target.push_str(path);
        self.rest = "";
        self
    }

    /// A parameter of the query: each item of a list for itself, and nothing for none.
    #[must_use]
    pub fn query<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        let Self { target, has_query, texts, .. } = &mut self;
        match value.serialize(&mut query::Query { target, has_query, texts, name }) {
            Ok(()) => self,
            Err(error) => self.refuse(format!("{name}: {error}")),
        }
    }

    /// A list of the query that is written as JSON text in one parameter, unless it is `None`.
    #[must_use]
    pub fn json_query<T: Serialize>(self, name: &str, value: &Option<T>) -> Self {
        let Some(value) = value else { return self };
        match serde_json::to_string(value) {
            Ok(text) => self.written_query(name, &text),
            Err(error) => self.refuse(format!("{name}: {error}")),
        }
    }

    /// A parameter that was written as JSON.
    fn written_query(mut self, name: &str, text: &str) -> Self {
        let Self { target, has_query, texts, .. } = &mut self;
        query::Query { target, has_query, texts, name }.push(text, false);
        self
    }

    /// A query that is encoded already.
    #[must_use]
    pub fn encoded_query(mut self, query: &str) -> Self {
        if !query.is_empty() {
            self.target.push(if self.has_query { '&' } else { '?' });
            self.target.push_str(query);
            self.has_query = true;
        }
        self
    }

    /// A header of the request.
    #[must_use]
    pub fn header_value(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// A header of the request, unless it is `None`.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: Option<impl Display>) -> Self {
        let Some(value) = value.map(|value| value.to_string()) else { return self };
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.push((name, value));
                self
            }
            _ => self.refuse(format!("{name}: the value has characters that a header cannot carry; use ASCII")),
        }
    }

    /// The body. It is given an idempotency key where the operation wants one in it and the caller gave none.
    #[must_use]
    pub fn body(mut self, mut body: impl CallBody) -> Self {
        if let Retry::Keyed(Key::Field(name)) = self.operation.retry {
            let given = body.idempotency_key().map(|key| key.to_owned());
            let key = given.unwrap_or_else(|| {
                let key = idempotency::new_key();
                body.set_idempotency_key(key.clone());
                key
            });
            if body.idempotency_key() != Some(&*key) {
                return self.refuse(idempotency::refusal(name, "does not fit into the body"));
            }
            if let Err(problem) = idempotency::check(&key, self.operation.key) {
                return self.refuse(idempotency::refusal(name, problem));
            }
            self.key = Some(key);
        }
        self.items = body.items();
        self.changes_setting = body.changes_setting();
        body.secrets(&mut self.secrets);
        match serde_json::to_string(&body) {
            Ok(body) => {
                self.body = Some(body);
                self
            }
            Err(error) => self.refuse(format!("the body cannot be written as JSON: {error}")),
        }
    }

    /// Refuses the call, unless it was refused before.
    #[must_use]
    pub fn refuse(mut self, message: impl Into<String>) -> Self {
        self.refused.get_or_insert_with(|| message.into());
        self
    }

    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Path and query below the base URL, percent-encoded.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The URL of the call below this one. It is written once.
    pub(crate) fn take_url(&mut self, base: &str) -> String {
        let mut url = std::mem::take(&mut self.target);
        url.insert_str(0, base);
        url
    }

    /// A parameter of the query or a member of the body.
    pub(crate) fn parameter(&self, name: &str) -> Option<Given<'_>> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(own, _)| own == name);
        if let Some((_, text)) = values.next() {
            let items = match self.operation.json_lists.contains(&name) {
                true => items(&text),
                false => 1 + values.count(),
            };
            return Some(Given { text, items });
        }
        let body = self.body.as_deref()?;
        let mut rates = self.operation.rate.iter();
        if rates.clone().any(|rate| rate.per_item == Some(name)) && rates.all(|rate| rate.costs.is_empty()) {
            // The body has counted them: a batch is not read once more.
            return Some(Given { text: Cow::Borrowed(""), items: self.items });
        }
        let value = Members::of(body)?.get(name).filter(|value| value.get() != "null")?;
        let text = string(value).map_or(Cow::Borrowed(value.get()), Cow::Owned);
        Some(Given { items: items(value.get()), text })
    }

    /// The body as a request has it.
    pub(crate) fn take_body(&mut self) -> Result<String, &'static str> {
        let body = self.body.take().unwrap_or_default();
        match self.operation.form && !body.is_empty() {
            true => form::of_json(&body).ok_or("the body of this operation is a form: give it as a JSON object"),
            false => Ok(body),
        }
    }

    /// The body as JSON; of a JSON-RPC call its params. It may hold a secret.
    pub fn json(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }

    /// Whether the call can be sent. It is given the idempotency key that its operation wants.
    pub(crate) fn ready(&mut self) -> Result<(), Error> {
        let operation = self.operation;
        let refused = |message: String| Err(Error::before_sending(operation, ErrorKind::InvalidRequest, message));
        if let Some(message) = self.refused.take() {
            return refused(message);
        }
        if let Some((name, _)) = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            return refused(format!("{name} is missing"));
        }
        match operation.retry {
            Retry::Keyed(Key::Header(name)) => {
                if let Err(problem) = self.key_in_header(name) {
                    return refused(idempotency::refusal(name, problem));
                }
            }
            Retry::Keyed(Key::Field(name)) if self.key.is_none() => {
                return refused(idempotency::refusal(name, "cannot be set: the call has no body"));
            }
            Retry::Keyed(Key::Field(_)) | Retry::Safe | Retry::Never => {}
        }
        Ok(())
    }

    fn key_in_header(&mut self, name: &'static str) -> Result<(), String> {
        let unfit = || "is in a header that cannot be sent".to_owned();
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
        let mut given = self.headers.iter().filter(|(name, _)| *name == header);
        let key = match (given.next(), given.next()) {
            (None, _) => {
                let key = idempotency::new_key();
                self.headers.push((header, HeaderValue::from_str(&key).map_err(|_| unfit())?));
                key
            }
            (Some((_, key)), None) => {
                let key = key.to_str().map_err(|_| "has characters that a header cannot carry; use ASCII")?.to_owned();
                idempotency::check(&key, self.operation.key)?;
                key
            }
            (Some(_), Some(_)) => return Err("is given more than once".to_owned()),
        };
        self.key = Some(key);
        Ok(())
    }
}

/// Path, query and body may hold a secret, so they are not shown.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation.id)
            .field("body_len", &self.json().len())
            .finish_non_exhaustive()
    }
}
