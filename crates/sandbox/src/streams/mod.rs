//! What the venues that stream share: connections with a bounded queue, a log of every frame, and what goes wrong with frames on
//! purpose. What is said over a connection is up to each venue.

mod alter;
pub(crate) mod handshake;
mod history;
mod log;
mod outbox;
mod parts;
mod socket;

pub use self::history::BookLevels;
pub(crate) use self::history::History;
pub use self::log::{Frame, FrameLog};
pub(crate) use self::log::{FrameMetadata, Outgoing};
pub(crate) use self::outbox::{CloseReason, SendQueue};
pub(crate) use self::socket::{ConnectionHandler, ConnectionSetup, Ping, serve};
