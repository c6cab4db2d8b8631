//! A loopback server that behaves like Bayse, Binance, Bybit, Deribit, Kalshi and Yativo.
//!
//! It answers every operation of every spec. Each request is checked against the spec, and what is wrong is said with its place,
//! such as `body/orders/0/price: is required`. Operations that are not served from state are answered with an example made from
//! the spec, which the header `x-sandbox` marks; [`keeps_state`] tells which those are.
//!
//! It checks signatures, timestamps, scopes and second factors, answers with the error bodies that the venues use, and
//! keeps its state in memory: a key created here signs at once, a rotated secret replaces the old one, a revoked key
//! fails. One process serves all venues, distinguished by the beginning of the path; Kalshi's perpetual futures stand beside Kalshi.
//! Deribit is served over a WebSocket too; Kalshi, Bayse, Binance and Bybit stream over theirs, and Binance and Bybit accept orders
//! there. Orders meet in a book on every venue that has orders: two accounts can trade with each other. What goes wrong with
//! calls, connections and frames is said by [`Faults`]. Every frame of a stream is in the [`FrameLog`], and every order book can be asked for as it was
//! at any of them.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! let sandbox = venuekit_sandbox::Sandbox::start(venuekit_sandbox::Accounts::default()).await?;
//! println!("{} {}", sandbox.base_url(), sandbox.accounts().kalshi[0].key_id);
//! # Ok(())
//! # }
//! ```

// A Kalshi market has some sixty fields, more than one `json!` takes by default.
#![recursion_limit = "256"]
#![deny(missing_docs)]

mod accounts;
mod bayse;
mod binance;
mod bybit;
mod clock;
mod complete;
mod console;
mod deribit;
mod exchange;
mod executed;
mod faults;
mod kalshi;
mod make;
mod market_maker;
mod masking;
mod message;
mod named_values;
mod number;
mod overview;
mod paging;
mod request_log;
mod server;
mod signature;
mod spec;
mod stream;
mod streams;
mod venues;
mod verify;
mod yativo;

pub use accounts::{Accounts, BayseAccount, BinanceKey, BybitKey, DeribitKey, Exported, KalshiKey, YativoAccount};
pub use bayse::BayseStreamSettings;
pub use binance::BinanceSettings;
pub use bybit::BybitSettings;
pub use clock::Clock;
pub use complete::AccountError;
pub use deribit::{DeribitSettings, RequestLimit};
pub use faults::{Fault, Faults, Rule, Transport};
pub use kalshi::KalshiSettings;
pub use market_maker::{MarketMakerSettings, Recording, RecordingError};
pub use server::Sandbox;
pub use spec::{ExampleRequest, example_requests};
pub use streams::{BookLevels, Frame, FrameLog};
pub use venues::keeps_state;
