#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// Formatted by its generator.
#[rustfmt::skip]
mod generated;
mod session;

pub use generated::channels::STREAMS;
pub use generated::client::{Client, builder, types};
pub use generated::streams::{self, Streams, with_book};
pub use generated::venue::{Environment, ErrorCode, VENUE, operations};
pub use session::Credentials;
pub use venuekit_transport::{ClientBuilder, Error, ErrorKind, ResponseValue};
