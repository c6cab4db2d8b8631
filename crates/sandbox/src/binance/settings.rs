//! What can be set differently from the venue, so that tests need not wait.

use serde::{Deserialize, Serialize};

/// The settings of the simulated Binance.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinanceSettings {
    /// Whether calls beyond a limit are refused, with 429 and then 418. Off by default; the headers count in any case.
    pub enforces_limits: bool,
    /// The weight that an address may use in a minute under `/api`.
    pub weight_per_minute: u64,
    /// The orders that an account may place in ten seconds.
    pub orders_per_ten_seconds: u64,
    /// The orders that an account may place in a day.
    pub orders_per_day: u64,
    /// How many rate-limited requests an address may send before it is banned for two minutes.
    pub refusals_before_ban: u64,
    /// How often the fast streams are sent, such as `@depth@100ms`.
    pub fast_millis: u64,
    /// How often the slow ones are sent, such as `@depth` and tickers.
    pub slow_millis: u64,
    /// How often a client is sent a ping.
    pub ping_millis: u64,
    /// A connection that has been silent for this long is closed with 1008.
    pub pong_millis: u64,
    /// How many messages a client may send in a second.
    pub messages_per_second: usize,
    /// How many frames may wait for a client that does not read, before its connection is cut. Applies to new connections.
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
