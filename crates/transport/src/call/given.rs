//! What the builders of operations give to a call: values that may be missing, and what was refused of them.

use std::fmt::Display;

use serde::Serialize;
use venuekit_wire::given::Refused;

use super::{Call, CallBody};

impl Call {
    /// Takes over what the setters refused.
    #[must_use]
    pub fn given(self, refused: Refused) -> Self {
        match refused.into_result() {
            Ok(()) => self,
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// The value of the path's next parameter.
    #[must_use]
    pub fn required_path(self, value: &Option<impl Display>) -> Self {
        match value {
            Some(value) => self.path(value),
            None => {
                let name = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(name, _)| name);
                self.refuse(format!("{} is missing", name.unwrap_or("a part of the path")))
            }
        }
    }

    /// A parameter of the query that the call cannot do without.
    #[must_use]
    pub fn required_query(self, name: &str, value: &Option<impl Serialize>) -> Self {
        self.required(name, value).query(name, value)
    }

    /// A header that the call cannot do without.
    #[must_use]
    pub fn required_header(self, name: &'static str, value: Option<impl Display>) -> Self {
        self.required(name, &value).header(name, value)
    }

    /// A body that the call cannot do without.
    #[must_use]
    pub fn required_body(self, body: Option<impl CallBody>) -> Self {
        match body {
            Some(body) => self.body(body),
            None => self.refuse("the body is missing"),
        }
    }

    /// The body that a builder makes.
    #[must_use]
    pub fn built_body<B: CallBody>(self, builder: impl TryInto<B, Error: Display>) -> Self {
        match builder.try_into() {
            Ok(body) => self.body(body),
            Err(refusal) => self.refuse(refusal.to_string()),
        }
    }

    fn required<T>(self, name: &str, value: &Option<T>) -> Self {
        match value {
            Some(_) => self,
            None => self.refuse(format!("{name} is missing")),
        }
    }
}
