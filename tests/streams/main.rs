//! Typed streams of every venue against the sandbox: messages, readers, losses, refusals and logins.

mod bayse;
mod binance;
mod blocked;
mod bybit;
mod deribit;
mod desk;
mod kalshi;
mod logins;
mod network;
mod perps;
