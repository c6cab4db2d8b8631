//! Live streams behind venuekit's clients.
#![deny(missing_docs)]

mod error;
mod event;
mod hub;
mod queue;
mod read;
mod scan;
mod sink;
mod stats;
mod topic;

pub use error::{Error, ReadError, Refusal, Refused};
pub use event::{Ended, Event, Message, Missed, Origin, Raw, Reason, Resynced, Stale};
pub use queue::Overflow;
pub use read::StreamMessage;
pub use stats::Stats;
pub use topic::{Topic, TopicError, Value};
