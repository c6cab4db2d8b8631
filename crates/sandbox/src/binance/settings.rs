//! What can be set differently from the venue, so that tests need not wait.

use serde::{Deserialize, Serialize};

/// How Binance is set up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinanceSettings {
    /// Whether a call beyond a limit is refused, with 429 and then 418. It is not at first; the headers count in any case.
    pub enforces_limits: bool,
    /// The weight that an address may use in a minute under `/api`.
    pub weight_per_minute: u64,
    /// The orders that an account may place in ten seconds.
    pub orders_per_ten_seconds: u64,
    /// The orders that an account may place in a day.
    pub orders_per_day: u64,
    /// An address that goes on after so many refusals is banned for two minutes.
    pub refusals_before_ban: u64,
    /// How often the fast streams are sent, such as `@depth@100ms`.
    pub fast_millis: u64,
    /// How often the slow ones are sent, such as `@depth` and tickers.
    pub slow_millis: u64,
    /// How often a client is sent a ping.
    pub ping_millis: u64,
    /// A connection without a pong for so long is closed with 1008.
    pub pong_millis: u64,
    /// So many messages of a client are taken in a second.
    pub messages_per_second: usize,
    /// So many frames may wait for a client that does not read; then its connection is cut. Applies to new connections.
    pub waiting_frames: usize,
}

impl Default for BinanceSettings {
    fn default() -> Self {
        Self {
            enforces_limits: false,
            weight_per_minute: 6_000,
            orders_per_ten_seconds: 100,
            orders_per_day: 200_000,
            refusals_before_ban: 10,
            fast_millis: 100,
            slow_millis: 1_000,
            ping_millis: 20_000,
            pong_millis: 60_000,
            messages_per_second: 5,
            waiting_frames: 20_000,
        }
    }
}
