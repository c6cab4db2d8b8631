//! What everything that a client makes has in common: its venue, server, clock, limits and time limits.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use memchr::memmem::Finder;
use venuekit_wire::operation::Venue;
use venuekit_wire::server::Server;

use crate::clock::Clock;
use crate::deadline::Deadlines;
use crate::endpoint::{Base, Route};
use crate::rate::Limiter;

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Making a connection.
    pub connect: Duration,
    /// One attempt, from the first byte sent to the last byte of its response.
    pub attempt: Duration,
    /// A call with all its attempts and the waits between them. A login may take as long.
    pub call: Duration,
}

impl Timeouts {
    /// The same with another time to make a connection.
    #[must_use]
    pub const fn with_connect(self, connect: Duration) -> Self {
        Self { connect, ..self }
    }

    /// The same with another time for one attempt.
    #[must_use]
    pub const fn with_attempt(self, attempt: Duration) -> Self {
        Self { attempt, ..self }
    }

    /// The same with another time for a whole call.
    #[must_use]
    pub const fn with_call(self, call: Duration) -> Self {
        Self { call, ..self }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        let [connect, attempt, call] = [5, 20, 60].map(Duration::from_secs);
        Self { connect, attempt, call }
    }
}

/// What the sessions of one client have in common.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) venue: &'static Venue,
    pub(crate) base: Arc<Base>,
    /// The server that is called, where the spec knows it.
    pub(crate) server: Option<&'static Server>,
    /// What finds the venue's demand for a second factor.
    pub(crate) challenge: Option<Finder<'static>>,
    /// Headers that the user sends with every call.
    pub(crate) headers: Arc<[(HeaderName, HeaderValue)]>,
    pub(crate) clock: Clock,
    pub(crate) timeouts: Timeouts,
    pub(crate) deadlines: Deadlines,
    pub(crate) max_answer: usize,
    pub(crate) limiter: Limiter,
    pub(crate) rate_wait: Duration,
    pub(crate) correct_clock_skew: bool,
    pub(crate) route: Route,
    #[cfg(feature = "drift")]
    pub(crate) drift: Option<crate::drift::DriftCollector>,
}
