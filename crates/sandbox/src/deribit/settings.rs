//! What can be set differently from the venue, so that tests need not wait.

use serde::{Deserialize, Serialize};

/// How Deribit is set up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeribitSettings {
    /// How long an access token is good for, unless its scope names fewer seconds.
    pub access_token_seconds: u32,
    /// How long a refresh token is good for.
    pub refresh_token_seconds: u32,
    /// How long a second of a heartbeat's interval lasts. The shortest interval stays ten seconds.
    pub heartbeat_second_millis: u64,
    /// How many calls are let in. There is no limit at first.
    pub limit: Option<RequestLimit>,
    /// Whether the simulated venue quotes in every book, so that a single caller has a counterparty. On by default.
    pub generated_book: bool,
    /// A connection without a subscription on which nothing is said for so long is cut.
    pub idle_millis: u64,
    /// So many frames may wait for a client that does not read; then its connection is cut. Holds for connections to come.
    pub waiting_frames: usize,
    /// Whether the result of subscribing names the channels in another order than the call, as it may do at the venue.
    pub shuffles_channels: bool,
    /// How long a transfer to another user is on its way, and can be cancelled.
    pub user_transfer_millis: u32,
}

/// A limit for each account, and for each connection that is not logged in; all requests without a login share one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RequestLimit {
    /// Calls at once.
    pub burst: u32,
    /// Calls that come back each second; with 0 none does.
    pub per_second: u32,
    /// Whether a WebSocket connection that made too many is closed, as the venue does.
    #[serde(default = "yes")]
    pub closes: bool,
}

fn yes() -> bool {
    true
}

impl Default for DeribitSettings {
    fn default() -> Self {
        Self {
            access_token_seconds: 900,
            refresh_token_seconds: 86_400,
            heartbeat_second_millis: 1000,
            limit: None,
            generated_book: true,
            idle_millis: 60_000,
            waiting_frames: 4096,
            shuffles_channels: false,
            user_transfer_millis: 60_000,
        }
    }
}
