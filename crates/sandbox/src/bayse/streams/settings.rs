//! What can be set differently from the venue, so that tests need not wait.

use serde::{Deserialize, Serialize};

/// How the streams of Bayse are set up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BayseStreamSettings {
    /// So many messages a second are taken from a connection.
    pub messages_per_second: usize,
    /// A connection from which nothing comes for so long is cut.
    pub idle_millis: u64,
    /// How often the prices of assets are sent. They are the same for everybody in the same second.
    pub asset_tick_millis: u64,
    /// Whether a subscriber to books or prices is sent their current state at once. Nothing that is known of the venue says so;
    /// a client must not wait for it.
    pub sends_at_once: bool,
    /// Whether messages that wait for the same connection leave in one frame, with a line break between them, as those of the
    /// venue do. Without it each has a frame of its own.
    pub joins_messages: bool,
    /// So many states of books are kept for [`Sandbox::bayse_book`](crate::Sandbox::bayse_book).
    pub books_kept: usize,
}

impl Default for BayseStreamSettings {
    fn default() -> Self {
        Self {
            messages_per_second: 10,
            idle_millis: 60_000,
            asset_tick_millis: 1000,
            sends_at_once: true,
            joins_messages: true,
            books_kept: 100_000,
        }
    }
}
