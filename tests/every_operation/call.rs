//! What the generated calls are made of.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;
use venuekit::Error;
use venuekit::transport::{ResponseValue, Unknown};
use venuekit::wire::json as venue_json;
use venuekit::wire::lenient::Lenient;

use crate::json::Json;

/// Parameters by the names that the venue gives them, and the body as `body`.
#[derive(Default)]
pub struct Given(pub BTreeMap<String, Json>);

impl Given {
    /// A value as its setter takes it. None where nothing is given.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        let text = value.to_string();
        let read = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(&text));
        read.map(Some).map_err(|error| format!("`{name}` cannot be set, at {}: {}", error.path(), error.inner()))
    }

    /// Nothing was given that the call does not take.
    pub fn used_up(self) -> Result<(), String> {
        let left: Vec<String> = self.0.into_keys().collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?} cannot be set")) }
    }
}

/// A call that is ready to be sent.
pub struct Call<'a> {
    /// The builder, as a log would show it.
    pub building: String,
    /// What becomes of it.
    pub answer: Pin<Box<dyn Future<Output = Result<Answer, Error>> + 'a>>,
}

/// A typed response.
pub struct Answer {
    /// As a log would show it.
    pub shown: String,
    /// Written as JSON again.
    pub json: Json,
    /// What the type did not know.
    pub unknown: Vec<Unknown>,
}

/// A call from its builder's text and `send`.
pub fn sent<'a, T, F>(building: String, answer: F) -> Call<'a>
where
    T: Serialize + Debug,
    F: Future<Output = Result<ResponseValue<T>, Error>> + 'a,
{
    let answer = async move {
        let answer = answer.await?;
        let json = serde_json::to_string(&*answer).expect("what was read can be written");
        Ok(Answer { shown: format!("{answer:?}"), json: Json::parse(&json), unknown: answer.unknown() })
    };
    Call { building, answer: Box::pin(answer) }
}

/// Reads a text as a type and writes that again. The transport reads responses by the same function.
pub fn reread<T: Serialize + for<'de> Lenient<'de>>(answer: &[u8]) -> Result<String, String> {
    let answer: T = venue_json::from_slice(answer).map_err(|error| error.to_string())?;
    serde_json::to_string(&answer).map_err(|error| error.to_string())
}
