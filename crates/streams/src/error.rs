//! What goes wrong, each with what it is about.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use venuekit_wire::json;

use crate::topic::{Topic, TopicError};

/// Why there is no subscription, or not all of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The topic is not one that the venue takes. Nothing was sent.
    Topic(TopicError),
    /// The overflow policy does not fit the channel: its messages are not whole, so that the newest alone is worth nothing.
    NotWhole {
        /// The channel.
        channel: &'static str,
    },
    /// A reader that blocks ([`Overflow::Block`](crate::Overflow::Block)) on the connection of the client's calls: their responses would wait
    /// behind its data, those too that its own task waits for. With
    /// [`StreamOptions::own_connection`](crate::StreamOptions::own_connection) streams have another one.
    BlocksCalls {
        /// The channel.
        channel: &'static str,
    },
    /// The venue refused something. All that it refused is named; nothing of a refused subscription stays.
    Refused(Refused),
    /// More than the venue's connections hold.
    Full {
        /// How many connections there are, all of them full.
        connections: usize,
    },
    /// The client cannot connect: a credential is missing or refused.
    Connection(String),
    /// No response in time.
    Timeout {
        /// How long was waited.
        after: Duration,
        /// What went wrong last, where something did.
        last: Option<String>,
    },
    /// The streams of the client were closed, or the subscription was.
    Closed,
}

/// Everything that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Each with its reason.
    pub refusals: Vec<Refusal>,
}

/// What was refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The channel and the parameters that are no items.
    pub topic: Topic,
    /// The items. Empty: the channel itself.
    pub items: Vec<Arc<str>>,
    /// The venue's code. Empty: it gave none.
    pub code: String,
    /// The venue's text, or what happened.
    pub text: String,
}

/// The longest list of items in a text.
const SHOWN: usize = 10;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refused", self.topic)?;
        for (index, item) in self.items.iter().take(SHOWN).enumerate() {
            write!(f, "{}{item}", if index == 0 { " for " } else { ", " })?;
        }
        if self.items.len() > SHOWN {
            write!(f, " and {} more", self.items.len() - SHOWN)?;
        }
        match (self.code.is_empty(), self.text.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => write!(f, ": {}", self.text),
            (false, true) => write!(f, ": {}", self.code),
            (false, false) => write!(f, ": {} {}", self.code, self.text),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, refusal) in self.refusals.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            refusal.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(error) => error.fmt(f),
            Self::NotWhole { channel } => {
                write!(f, "messages of {channel} build on those before them: the newest alone is worth nothing")
            }
            Self::BlocksCalls { channel } => write!(
                f,
                "a reader of {channel} that blocks would keep the responses of calls waiting, which come by the same connection: \
                 `StreamOptions::own_connection(true)` gives streams another one"
            ),
            Self::Refused(refused) => refused.fmt(f),
            Self::Full { connections } => write!(f, "all {connections} connections that the venue allows are full"),
            Self::Connection(why) => write!(f, "no connection: {why}"),
            Self::Timeout { after, last: None } => write!(f, "no reply within {after:?}"),
            Self::Timeout { after, last: Some(last) } => write!(f, "no reply within {after:?}; last: {last}"),
            Self::Closed => f.write_str("closed"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Topic(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TopicError> for Error {
    fn from(error: TopicError) -> Self {
        Self::Topic(error)
    }
}

/// A message that cannot be read as its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError(Arc<str>);

impl ReadError {
    /// With the reason. It must not contain the message's values.
    pub fn new(why: impl Into<Arc<str>>) -> Self {
        Self(why.into())
    }

    pub(crate) fn into_text(self) -> Arc<str> {
        self.0
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ReadError {}

impl From<json::Error> for ReadError {
    fn from(error: json::Error) -> Self {
        Self(error.to_string().into())
    }
}

/// For types that are read with `serde_json`, whose own sentence quotes the message's values.
impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        let what = if error.is_data() { "a value that does not fit" } else { "not JSON" };
        Self(format!("{what} at line {} column {}", error.line(), error.column()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_message_has_no_values_of_it() {
        let text = r#"{"a": "a secret"}"#;
        let errors: [ReadError; 3] = [
            json::from_str::<i64>(text).unwrap_err().into(),
            serde_json::from_str::<std::collections::HashMap<String, bool>>(text).unwrap_err().into(),
            serde_json::from_str::<i64>("'a secret'").unwrap_err().into(),
        ];
        let shown = errors.map(|error| error.to_string());
        assert_eq!(shown[0], "expected a whole number of 64 bits at line 1 column 1");
        assert_eq!(shown[1], "a value that does not fit at line 1 column 16");
        assert_eq!(shown[2], "not JSON at line 1 column 1");
    }
}
