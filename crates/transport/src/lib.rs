//! The one send loop behind venuekit's clients.
//!
//! A generated method makes a [`Call`] of typed values and hands it to the [`Session`]. From there on everything happens here, by
//! the venue's generated operation table and nothing else: which credential a call needs, how it is signed and encoded, how long
//! it may take, what its response means, what may be shown of it.
//!
//! | module | concern |
//! |---|---|
//! | [`client`] | what generated code names |
//! | [`Call`] | what an operation is given, before anything decides how it travels |
//! | [`Session`], [`ClientBuilder`] | a client's credentials and settings, and the loop that carries out a call |
//! | [`carrier`] | what sends a request: HTTP, or in a test a carrier of the test |
//! | [`Credentials`], [`Token`] | what a client has to prove who it is |
//! | [`SignAhead`] | signatures that are ready before a call needs them |
//! | [`Error`] | one vocabulary for everything that goes wrong |
//! | [`RetryPolicy`] | how failed calls are repeated; which ones may be is the spec's word |
//! | [`RateLimits`], [`RateBudget`] | the venue's limits, kept by one process or shared by many |
//! | [`Pages`] | lists that come in pages, as streams |
//! | [`Unknown`] | what a response says that its type does not know |
//! | [`Clock`] | the time that signatures carry, corrected by the venue's |
//! | [`streaming`] | what streams need of a client: connections of their own, with its credentials and settings |
//! | [`endpoint`] | where secrets may be sent, and through which proxy |
//! | [`keys`] | the life cycle of API keys, the same words on every venue |
//! | [`key_lifecycle`] | what carries it out, by the venue's table |
//!
//! It never follows a redirect: the headers that carry a signature would go along.
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod ahead;
mod answer;
mod builder;
mod call;
pub mod carrier;
pub mod client;
mod clock;
mod commands;
mod common;
pub mod credential_parts;
mod credentials;
mod deadline;
mod dialer;
#[cfg(feature = "drift")]
pub mod drift;
pub mod endpoint;
mod envelope;
pub mod environment;
mod error;
mod exec;
mod extension;
#[cfg(test)]
mod fixtures;
pub mod flaw;
mod framing;
mod handshake;
mod idempotency;
mod jsonrpc;
pub mod key_lifecycle;
mod key_ring;
pub mod keys;
mod logon;
mod members;
mod message;
mod message_call;
mod observe;
mod paging;
mod panics;
mod place;
mod progress;
mod rate;
mod response;
mod retry;
mod retry_after;
#[doc(hidden)]
pub mod scan;
mod session;
mod socket;
pub mod streaming;
mod token;
mod unknown;
pub mod variables;

pub use ahead::SignAhead;
pub use builder::{ClientBuilder, Connect};
pub use call::{Call, CallBody, JsonBody};
pub use clock::Clock;
pub use common::Timeouts;
pub use credentials::{Carried, Credentials};
pub use error::{Challenge, Error};
pub use paging::Pages;
#[cfg(feature = "redis")]
pub use rate::RedisBudget;
pub use rate::{Debit, LocalBudget, RateBudget, RateFeedback, RateFuture, RateLimits, Refused};
pub use response::{Response, ResponseValue, RpcTiming};
pub use retry::RetryPolicy;
pub use session::Session;
pub use socket::{Event, WebSocket, WebSocketOptions, WebSocketStats};
#[doc(hidden)]
pub use socket::{Listen, LostHow, Room};
pub use token::{Grant, GrantFuture, Token};
#[doc(hidden)]
pub use unknown::Unread;
pub use unknown::{Unknown, unknown_of};
pub use venuekit_wire::operation::ErrorKind;
