//! What can be set differently from the venue, so that tests need not wait.

use serde::{Deserialize, Serialize};

/// How Bybit is set up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BybitSettings {
    /// Whether a call beyond the limit of its path is refused. It is not at first; the headers count down in any case.
    pub enforces_limits: bool,
    /// A private connection, or one to the trade channel, on which nothing is sent for so long is cut, unless its URL
    /// says how long it may be silent.
    pub idle_millis: u64,
    /// A public connection without a subscription on which nothing is sent for so long is cut.
    pub idle_public_millis: u64,
    /// The best prices are sent again when they have not changed for so long.
    pub repeat_millis: u64,
    /// So many frames may wait for a client that does not read; then its connection is cut. Applies to new connections.
    pub waiting_frames: usize,
}

impl Default for BybitSettings {
    fn default() -> Self {
        Self {
            enforces_limits: false,
            idle_millis: 600_000,
            idle_public_millis: 61_000,
            repeat_millis: 3_000,
            waiting_frames: 20_000,
        }
    }
}
