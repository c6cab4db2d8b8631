//! The errors of commands and subscriptions.

use serde_json::{Value, json};

pub(super) const UNREADABLE: i64 = 1;
pub(super) const NO_PARAMS: i64 = 2;
pub(super) const NO_CHANNELS: i64 = 3;
pub(super) const NO_SIDS: i64 = 4;
pub(super) const UNKNOWN_COMMAND: i64 = 5;
pub(super) const UNKNOWN_SID: i64 = 7;
pub(super) const UNKNOWN_CHANNEL: i64 = 8;
pub(super) const NOT_ALLOWED: i64 = 9;
pub(super) const CHANNEL_FAILED: i64 = 10;
pub(super) const INVALID: i64 = 11;
pub(super) const ONE_SID: i64 = 12;
pub(super) const UNSUPPORTED: i64 = 13;
pub(super) const NO_MARKET: i64 = 14;
pub(super) const NO_ACTION: i64 = 15;
pub(super) const SHARD_FACTOR: i64 = 19;
pub(super) const NO_SHARD_FACTOR: i64 = 20;
pub(super) const SHARD_KEY: i64 = 21;
pub(super) const SHARD_FACTOR_TOO_LARGE: i64 = 22;
pub(super) const OVERFLOW: i64 = 25;
pub(super) const TOO_MANY_MARKETS: i64 = 26;
pub(super) const TOO_MANY_COMMANDS: i64 = 27;

/// The venue's words for a code.
fn text(code: i64) -> &'static str {
    match code {
        1 => "Unable to process message",
        2 => "Params required",
        3 => "Channels required",
        4 => "Subscription IDs required",
        5 => "Unknown command",
        7 => "Unknown subscription ID",
        8 => "Unknown channel name",
        9 => "Authentication required",
        10 => "Channel error",
        11 => "Invalid parameter",
        12 => "Exactly one subscription ID is required",
        13 => "Unsupported action",
        14 => "Market Ticker required",
        15 => "Action required",
        18 => "Command timeout",
        19 => "shard_factor must be > 0",
        20 => "shard_factor is required when shard_key is set",
        21 => "shard_key must be >= 0 and < shard_factor",
        22 => "shard_factor must be <= 100",
        23 => "Match IDs required",
        24 => "Index IDs required",
        25 => "Subscription buffer overflow",
        26 => "Subscription market limit exceeded",
        27 => "Too many requests",
        28 => "Underlying tickers required",
        _ => "Unknown error",
    }
}

/// Whether a subscription is over after an error.
pub(super) fn is_terminal(code: i64) -> bool {
    [CHANNEL_FAILED, OVERFLOW].contains(&code)
}

/// What an error says, in the venue's words unless others are given.
pub(super) fn data(code: i64, words: Option<&str>) -> Value {
    json!({"code": code, "msg": words.unwrap_or(text(code))})
}
