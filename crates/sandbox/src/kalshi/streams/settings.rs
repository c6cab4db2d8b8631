//! What can be set differently from the venue, so that tests need not wait.

use serde::{Deserialize, Serialize};

/// How Kalshi's streams are set up, those of the perpetual futures too.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct KalshiSettings {
    /// Connections of one account on each of the two endpoints. One more is refused with 429. The venue's demo takes 10.
    pub connections: usize,
    /// After so long without a frame a client is sent a ping frame; never with 0.
    pub ping_millis: u64,
    /// So many frames of one subscription may wait for a client that does not read. One more ends the subscription with error 25.
    pub waiting_frames: usize,
    /// Markets of one subscription. More are refused with error 26.
    pub markets: usize,
    /// Commands that change one subscription within a second. More are refused with error 27; there is no limit at 0.
    pub commands_per_second: u32,
    /// Whether the reply to a change of markets is counted like data of the subscription.
    pub counts_replies: bool,
    /// Whether accounts have the price indices, which the venue sells. Without, their channels are refused with error 9.
    pub indices: bool,
    /// How often an index has a value; never with 0. The fast channel has five times as many.
    pub index_millis: u64,
    /// The shortest time between two tickers of one perpetual future.
    pub perps_ticker_millis: u64,
}

impl Default for KalshiSettings {
    fn default() -> Self {
        Self {
            connections: 200,
            ping_millis: 10_000,
            waiting_frames: 65_536,
            markets: 500_000,
            commands_per_second: 0,
            counts_replies: false,
            indices: true,
            index_millis: 1000,
            perps_ticker_millis: 1000,
        }
    }
}
