//! The types that venuekit's generated clients name.
//!
//! Nothing here knows a venue or a network. Generated code names `::venuekit_wire::...` and no other crate of this workspace, so what a
//! field of an API *means* (money, a secret, a time, an enum that will grow) has one home and one behaviour:
//!
//! | type | for | promise |
//! |---|---|---|
//! | [`Open`] | enums in responses | a value added by the venue tomorrow decodes, and is written back unchanged |
//! | [`Decimal`], [`DecimalNumber`] | money and quantities | exact from a JSON string and a JSON number alike |
//! | [`DecimalOrText`] | a price that may be a word | the same |
//! | [`IntegerOrText`] | an id or a number that may be a word | kept in the form that it has |
//! | [`Secret`] | key material, tokens, passwords | no Display, a redacted Debug, zeroized memory |
//! | [`UnixSeconds`], [`UnixMillis`], [`UnixMicros`], [`UnixNanos`] | integer times | the unit is in the type |
//! | [`DateTime`] | times as text | the text is kept, also where it does not parse |
//! | [`Level`], [`ActionLevel`] | levels of an order book that are arrays | exact, and what is added behind is passed over |
//! | [`OneOrMany`] | a response that is one object or a list of them | read as a slice, and written as it was |
//! | [`given`] | what requests are built from | the first value that is refused is the error |
//! | [`lenient`] | what responses are made of | what an honest venue may write is read |
//! | [`json`] | responses and messages of streams, read in one pass | errors contain no values |
//! | [`operation`] | the generated operation tables | what a call needs, costs and may be |
//! | [`credentials`], [`signature`], [`key_lifecycle`] | parts of these tables | how a caller is proven, and what happens to keys |
//! | [`stream`] | the generated tables of streams | what can be subscribed to, and how a venue talks while it streams |
//!
//! ```
//! use venuekit_wire::{Decimal, Open};
//!
//! // Exact, whichever way the venue writes it: through an f64 this would end in ...79.
//! let number: Decimal = serde_json::from_str("123456789.123456789")?;
//! let string: Decimal = serde_json::from_str("\"123456789.123456789\"")?;
//! assert_eq!(number, string);
//! # Ok::<(), serde_json::Error>(())
//! ```
#![deny(missing_docs)]

pub mod credentials;
mod decimal;
mod errors;
pub mod given;
#[doc(hidden)]
pub mod ids;
mod integer;
pub mod json;
pub mod key_lifecycle;
pub mod lenient;
mod level;
mod number;
#[doc(hidden)]
pub mod object;
mod one_or_many;
mod open;
pub mod operation;
mod rates;
mod recovery;
mod secret;
pub mod server;
pub mod signature;
pub mod stream;
mod time;
mod token;
pub mod variables;
mod vital;
mod websocket;
#[doc(hidden)]
pub mod words;

pub use decimal::{Decimal, DecimalNumber, DecimalOrText, ParseDecimalError};
pub use integer::IntegerOrText;
pub use level::{ActionLevel, Level};
pub use one_or_many::OneOrMany;
#[doc(hidden)]
pub use open::UnknownWord;
pub use open::{Open, Word};
#[doc(hidden)]
pub use regress;
pub use rust_decimal;
pub use secret::Secret;
#[doc(hidden)]
pub use serde;
pub use time::{DateTime, UnixMicros, UnixMillis, UnixMillisOrMicros, UnixNanos, UnixSeconds};
#[doc(hidden)]
pub use vital::object_with;
