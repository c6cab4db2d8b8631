//! The console: its endpoints over real sockets, and its page in a browser.

#[path = "../common/bybit.rs"]
mod bybit;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/deribit.rs"]
mod deribit;
#[path = "../common/socket.rs"]
mod socket;

mod browser;
mod client;
mod guard;
mod log;
mod market_maker;
mod page;
mod secrets;
mod signatures;
mod switches;
mod try_it;
