//! Deribit over a WebSocket: the same calls, one connection, and what happens to them when it is slow, silent, confused or lost.

mod bursts;
mod calls;
#[path = "../common/canned.rs"]
mod canned;
mod connection;
mod desk;
mod faults;
mod login;
mod notifications;
mod numbers;
mod scripted;
mod stalls;
mod supervisor;
