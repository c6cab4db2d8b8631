//! How bytes become the types of a channel.

use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;

use venuekit_transport::Unknown;

use crate::error::ReadError;
use crate::event::Raw;

/// The messages of a channel. The code that is generated for channels implements it.
pub trait StreamMessage: Sized + Send + 'static {
    /// Reads the data of a message of this type. None: a type that the channel does not have. Where the venue does not name types,
    /// `kind` is empty.
    ///
    /// # Errors
    /// What cannot be read. The reader receives the raw text then, and the stream continues.
    fn read(kind: &str, data: &[u8]) -> Result<Option<Self>, ReadError>;

    /// What the data has that its type does not know: members without a field, values that an enum does not name. None where it keeps
    /// the whole text.
    fn unknown(kind: &str, data: &[u8]) -> Vec<Unknown> {
        let _ = (kind, data);
        Vec::new()
    }

    /// As [`read`](Self::read), for a type that keeps the text.
    #[doc(hidden)]
    fn read_entry(
        kind: &str,
        text: &Bytes,
        data: Range<usize>,
        received: SystemTime,
    ) -> Result<Option<Self>, ReadError> {
        let _ = received;
        Self::read(kind, text.get(data).unwrap_or_default())
    }
}

/// Data as it came: for channels that are not known when the program is compiled.
///
/// ```
/// use venuekit_streams::{Raw, StreamMessage};
///
/// let raw = Raw::read("trade", br#"{"price":"0.51"}"#)?.expect("any type is taken");
/// assert_eq!(&*raw.kind, "trade");
/// assert_eq!(raw.to_value()?["price"], "0.51");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl StreamMessage for Raw {
    fn read(kind: &str, data: &[u8]) -> Result<Option<Self>, ReadError> {
        Self::read_entry(kind, &Bytes::copy_from_slice(data), 0..data.len(), SystemTime::now())
    }

    fn read_entry(
        kind: &str,
        text: &Bytes,
        data: Range<usize>,
        received: SystemTime,
    ) -> Result<Option<Self>, ReadError> {
        Ok(Some(Self { kind: kind.into(), raw: text.slice(data), received, error: None }))
    }
}

impl Raw {
    /// The text as a value.
    ///
    /// # Errors
    /// A text that is not JSON.
    pub fn to_value(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::from_slice(&self.raw)
    }
}
