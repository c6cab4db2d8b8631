//! Live streams behind venuekit's clients.
#![deny(missing_docs)]

mod error;
mod event;
mod hub;
mod read;
mod scan;
mod topic;

pub use error::{Error, ReadError, Refusal, Refused};
pub use event::{Ended, Event, Message, Missed, Origin, Raw, Reason, Resynced, Stale};
pub use read::StreamMessage;
pub use topic::{Topic, TopicError, Value};
