#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

pub use venuekit_auth as auth;
#[cfg(feature = "bayse")]
pub use venuekit_bayse as bayse;
pub use venuekit_books as books;
#[cfg(feature = "deribit")]
pub use venuekit_deribit as deribit;
#[cfg(feature = "kalshi")]
pub use venuekit_kalshi as kalshi;
#[cfg(feature = "kalshi-perps")]
pub use venuekit_kalshi_perps as kalshi_perps;
#[cfg(feature = "keys")]
pub use venuekit_keys as key_engine;
#[cfg(feature = "keys")]
pub use venuekit_keys::FromStore;
pub use venuekit_streams as streams;
pub use venuekit_transport as transport;
pub use venuekit_transport::{Error, ErrorKind, keys};
pub use venuekit_wire as wire;
#[cfg(feature = "yativo")]
pub use venuekit_yativo as yativo;

/// The examples of the guide compile.
#[cfg(doctest)]
#[doc = include_str!("../docs/STREAMS.md")]
struct Guide;
