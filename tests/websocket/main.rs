//! Calls over a WebSocket: the same as over HTTP, one connection, and what happens to them when it is slow, silent, confused or lost.
//! Deribit, but for `binance` and `bybit`.

mod binance;
mod bursts;
mod bybit;
mod calls;
#[path = "../common/canned.rs"]
mod canned;
mod connection;
mod desk;
mod faults;
mod login;
mod notifications;
#[path = "../common/nowhere.rs"]
mod nowhere;
mod numbers;
mod scripted;
mod stalls;
mod supervisor;
