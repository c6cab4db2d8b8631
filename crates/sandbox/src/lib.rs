//! A loopback server that behaves like Bayse, Kalshi, Yativo and Deribit.
//!
//! It checks signatures, timestamps, scopes and second factors, answers with the error bodies that the venues use, and
//! keeps its state in memory: a key created here signs at once, a rotated secret replaces the old one, a revoked key
//! fails. One process serves all four venues, told apart by the beginning of the path.
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
mod clock;
mod complete;
mod deribit;
mod kalshi;
mod make;
mod message;
mod number;
mod server;
mod verify;
mod yativo;

pub use accounts::{Accounts, BayseAccount, DeribitKey, KalshiKey, YativoAccount};
pub use clock::Clock;
pub use complete::AccountError;
pub use server::Sandbox;
