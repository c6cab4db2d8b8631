//! Deribit over a WebSocket: the same calls, one connection, and what becomes of them when it is slow, silent, confused or lost.

mod calls;
mod connection;
mod desk;
mod faults;
mod login;
mod notifications;
