//! JSON text read in one pass: responses and messages of streams.
//!
//! `serde_json` reads from anything, checks each text for itself, and is ready to say what is wrong at each step. What a venue sends is in
//! memory as a whole and nearly always valid, and reading it is most of what a message costs. The reader accepts nothing that `serde_json`
//! refuses and reads nothing differently, except that it also limits the nesting of what nobody reads. Its errors contain no values.

mod deserializer;
mod error;
mod name;
mod raw;
mod reader;
#[cfg(test)]
mod tests;

pub use self::error::{Error, ErrorKind};
use self::reader::Reader;
use crate::lenient::{self, Lenient};

/// Reads a text.
///
/// # Errors
/// It is not JSON, or not what its type says.
pub fn from_str<'de, T: Lenient<'de>>(text: &'de str) -> Result<T, Error> {
    read(Reader::new(text))
}

/// Reads a text of which it is not known whether it is UTF-8. Where nobody reads it, it need not be. In a text that is not UTF-8, a string
/// with U+007F is refused too.
///
/// ```
/// use venuekit_wire::{Decimal, json};
///
/// let price: Decimal = json::from_slice(br#""0.5600""#)?;
/// assert_eq!(price.to_string(), "0.5600");
/// let error = json::from_slice::<Decimal>(b"[]").unwrap_err();
/// assert_eq!(error.kind(), json::ErrorKind::Data);
/// # Ok::<(), json::Error>(())
/// ```
///
/// # Errors
/// It is not JSON, or not what its type says.
pub fn from_slice<T: for<'de> Lenient<'de>>(body: &[u8]) -> Result<T, Error> {
    // To check all of it at once is faster than to check text by text.
    match std::str::from_utf8(body) {
        Ok(text) => from_str(text),
        Err(_) => read(Reader::masked(&masked(body))),
    }
}

/// A text with a byte in place of each one that is not UTF-8, so that places in it stay the same.
#[cold]
fn masked(body: &[u8]) -> String {
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| reader::MASK));
    }
    text
}

fn read<'de, T: Lenient<'de>>(mut reader: Reader<'de>) -> Result<T, Error> {
    match lenient::vital(&mut reader) {
        Ok(value) if reader.is_at_end() => Ok(value),
        Ok(_) => Err(reader.trailing()),
        Err(error) => Err(reader.place(error)),
    }
}
