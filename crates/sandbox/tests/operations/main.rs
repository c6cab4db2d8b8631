//! Every operation of every venue: accepted as its spec says, refused with the place where it does not keep to it, and answered as
//! its spec says.

#![recursion_limit = "512"]

#[path = "../common/binance.rs"]
mod binance;
#[path = "../common/bybit.rs"]
mod bybit;
#[path = "../common/mod.rs"]
mod common;

mod accepted;
mod call;
mod clients;
mod paging;
mod refused;
#[allow(dead_code, reason = "streams use the rest")]
mod spec;
mod state;
mod websocket;
