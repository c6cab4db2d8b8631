//! Why a text could not be read, without the values in it: they may be secrets.

use std::fmt;

use serde::de::{Expected, Unexpected};

/// Why a text could not be read, and where. It contains nothing of the text but names.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    /// Bytes that were read, once the reader has said so.
    at: Option<usize>,
    /// The line and the column of the last byte that was read, from 1.
    place: Option<(usize, usize)>,
}

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not JSON.
    Syntax,
    /// The text ends too early.
    Incomplete,
    /// There is more after the value.
    Trailing,
    /// The text is JSON, and not what its type says.
    Data,
}

impl Error {
    #[cold]
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), at: None, place: None }))
    }

    /// An error of a part of the text that `serde_json` has read.
    #[cold]
    pub(super) fn of_part(error: &serde_json::Error) -> Self {
        let said = error.to_string();
        let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
        Self::new(ErrorKind::Syntax, said)
    }

    /// Adds how much was read, if that is not known yet.
    #[cold]
    pub(super) fn at(mut self, at: usize) -> Self {
        self.0.at.get_or_insert(at);
        self
    }

    /// Adds the line and the column.
    #[cold]
    pub(super) fn within(mut self, text: &str) -> Self {
        let read = text.as_bytes().get(..self.offset()).unwrap_or(text.as_bytes());
        let line = 1 + read.iter().filter(|byte| **byte == b'\n').count();
        let column = read.iter().rev().take_while(|byte| **byte != b'\n').count();
        self.0.place = Some((line, column));
        self
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The reason, such as `found a list, expected a number`.
    pub fn reason(&self) -> &str {
        &self.0.message
    }

    /// How many bytes of the text were read. The last one of them belongs to what is wrong.
    pub fn offset(&self) -> usize {
        self.0.at.unwrap_or_default()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match self.0.place {
            Some((line, column)) => write!(f, " at line {line} column {column}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}, {:?})", self.0.kind, self.to_string())
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(ErrorKind::Data, without_values(&message.to_string()))
    }

    #[cold]
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Seq => "found a list, ",
            Unexpected::Map => "found an object, ",
            Unexpected::Unit => "found null, ",
            _ => "",
        };
        Self::new(ErrorKind::Data, format!("{found}expected {}", in_json_words(&expected.to_string())))
    }

    #[cold]
    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(ErrorKind::Data, format!("expected {}", in_json_words(&expected.to_string())))
    }
}

/// The sentence of a type without the values that it quotes.
fn without_values(said: &str) -> String {
    if said.starts_with("missing field") || said.starts_with("duplicate field") {
        return said.to_owned();
    }
    match said.rsplit_once(", expected ") {
        Some((found, expected)) => {
            let found = if found == "empty or null" { "found an empty text or null, " } else { "" };
            format!("{found}expected {}", in_json_words(expected))
        }
        None => "a value that does not fit".to_owned(),
    }
}

fn in_json_words(expected: &str) -> &str {
    match expected {
        "a sequence" => "a list",
        "a map" => "an object",
        other => other,
    }
}
