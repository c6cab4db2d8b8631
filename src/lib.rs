//! Typed, signed clients for trading venues, one vocabulary for their API keys, live streams and exact order books.
//!
//! ```no_run
//! use venuekit::kalshi::{Client, Credentials, Environment};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let environment = Environment::Demo;
//! let credentials = Credentials::from_env(&environment)?; // KALSHI_DEMO_KEY_ID and KALSHI_DEMO_PRIVATE_KEY_FILE
//! let kalshi = Client::builder(environment).credentials(credentials).build()?;
//! let balance = kalshi.get_balance().send().await?;
//! println!("{} dollars", balance.balance_dollars); // an exact decimal
//! # Ok(()) }
//! ```
//!
//! # Modules
//!
//! - Each venue has a module with its `Client`, `Credentials`, `Environment`, request and response `types`, and the table of its
//!   `operations`. It is that venue's crate; use the crate alone to compile less.
//! - [`keys`] creates, lists, rotates and revokes API keys in the same way on every venue ([`keys::ApiKeys`]).
//! - [`streams`] has subscriptions and their events; [`books`] exact local order books.
//! - [`transport`] has errors, retries, timeouts, rate limits, and carriers for tests without a network.
//! - [`auth`] signs requests, for your own HTTP client too. [`wire`] has decimals, times, secrets and open enums.
//!
//! # Errors
//!
//! Every call returns [`Error`]. Its [`ErrorKind`] is the same on all venues; `may_have_been_applied()` says whether a write whose
//! response was lost may have been executed, and `reconcile_with()` names the operation that finds out.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `bayse`, `binance`, `bybit`, `deribit`, `kalshi`, `kalshi-perps`, `yativo` | yes | the client of that venue |
//! | `keys` | no | `FromStore` and the key engine: credentials from the store of the command |
//! | `keyring`, `vault` | no | `keys`, with the keyring of the operating system, with HashiCorp Vault or OpenBao |
//! | `drift` | no | counters of members and values that responses have and the specs do not |
//! | `metrics` | no | counters and histograms for the `metrics` facade |
//! | `redis` | no | a rate budget that several processes share through Redis or Valkey |
//! | `mock` | no | `Default` for the types of responses, for your tests |
//!
//! The repository has a guide, examples, a sandbox that simulates the venues on your machine, and a command for API keys:
//! <https://github.com/venuekit/venuekit>.

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use venuekit_auth as auth;
#[cfg(feature = "bayse")]
pub use venuekit_bayse as bayse;
#[cfg(feature = "binance")]
pub use venuekit_binance as binance;
pub use venuekit_books as books;
#[cfg(feature = "bybit")]
pub use venuekit_bybit as bybit;
#[cfg(feature = "deribit")]
pub use venuekit_deribit as deribit;
#[cfg(feature = "kalshi")]
pub use venuekit_kalshi as kalshi;
#[cfg(feature = "kalshi-perps")]
pub use venuekit_kalshi_perps as kalshi_perps;
#[cfg(feature = "keys")]
pub use venuekit_keys as key_engine;
#[cfg(feature = "keys")]
pub use venuekit_keys::FromStore;
pub use venuekit_streams as streams;
pub use venuekit_transport as transport;
pub use venuekit_transport::{Error, ErrorKind, keys};
pub use venuekit_wire as wire;
pub use venuekit_wire::Decimal;
#[cfg(feature = "yativo")]
pub use venuekit_yativo as yativo;

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The example in the README of the sandbox compiles.
#[cfg(doctest)]
#[doc = include_str!("../crates/sandbox/README.md")]
struct SandboxReadme;

/// The examples of the guide compile.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../book/src/tutorial.md")]
    struct Tutorial;
    #[doc = include_str!("../book/src/signing.md")]
    struct Signing;
    #[doc = include_str!("../book/src/signing/kalshi.md")]
    struct SigningKalshi;
    #[doc = include_str!("../book/src/signing/deribit.md")]
    struct SigningDeribit;
    #[doc = include_str!("../book/src/signing/bayse.md")]
    struct SigningBayse;
    #[doc = include_str!("../book/src/signing/yativo.md")]
    struct SigningYativo;
    #[doc = include_str!("../book/src/errors.md")]
    struct Errors;
    #[doc = include_str!("../book/src/responses.md")]
    struct Responses;
    #[doc = include_str!("../book/src/rate-limits.md")]
    struct RateLimits;
    #[doc = include_str!("../book/src/keys.md")]
    struct Keys;
    #[doc = include_str!("../book/src/testing.md")]
    struct Testing;
    #[doc = include_str!("../book/src/networks.md")]
    struct Networks;
    // The chapter on streams.
    #[doc = include_str!("../docs/STREAMS.md")]
    struct Streams;
}
