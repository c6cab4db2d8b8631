//! Signs requests for trading and crypto venues: Bayse, Binance, Bybit, Deribit, Kalshi and Yativo.
//!
//! A signature is a pure function of its inputs. A [`Signer`] takes the [`Parts`] of a request as they go over the wire and the
//! time, and returns the headers, and the parameters where the signature is one of them ([`Added`]); it sends nothing, repeats nothing
//! and reads no clock. [`apply`] does this for a `reqwest::Request`.
//!
//! ```
//! use venuekit_auth::{KeyKind, Parts, PrivateKey, Signer, kalshi::KalshiSigner};
//!
//! let key = PrivateKey::generate(KeyKind::Ed25519)?; // or PrivateKey::from_file("kalshi.pem")?
//! let signer = KalshiSigner::new("a952bcbe-ec3b-4b5b-b8f9-11dae589608c", key)?;
//!
//! let parts = Parts::new("GET", "/trade-api/v2/portfolio/orders?limit=5", b"");
//! let signed = signer.sign(&parts, 1_703_123_456_789)?;
//! assert_eq!(signed.string_to_sign(), Some("1703123456789GET/trade-api/v2/portfolio/orders"));
//! for (name, value) in signed.headers() {
//!     println!("{name}: {value:?}"); // a sensitive value prints as `Sensitive`
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | venue | credential | signer |
//! |---|---|---|
//! | Kalshi | key id and RSA or Ed25519 key | [`kalshi::KalshiSigner`] |
//! | Bayse | public key; secret key; session | [`bayse::read`]; [`bayse::BayseWrite`]; [`bayse::session`] |
//! | Deribit | client id and secret | [`deribit::DeribitHmac`], [`Headers::basic`], [`Headers::bearer`] |
//! | Deribit | client id and RSA or Ed25519 key | [`deribit::DeribitKey`], which logs in |
//! | Yativo | token; key and secret; code | [`Headers::bearer`]; [`yativo::key_headers`]; [`yativo::code`] |
//! | Binance, Bybit and every venue whose spec describes its signatures | key and secret, or a key pair | [`described::DescribedSigner`] |
//!
//! [`PrivateKey`] reads PEM files and makes new keys; [`yativo::WebhookVerifier`] checks deliveries.
//!
//! # Features
//!
//! - `aws-lc-rs` (default): RSA, Ed25519 and random bytes from aws-lc-rs, which the TLS stack links already.
//! - `pure-rust`: the same from the `rsa` (blinded) and `ed25519-dalek` crates. It wins where both are on. Of `rsa` the advisory
//!   RUSTSEC-2023-0071 describes a timing leak of the private operation. Version 0.10 computes in constant time, and its authors say
//!   that it has ended the leak; the advisory named no release as patched when this was written. RSA signing takes about nine
//!   times as long.

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(any(feature = "aws-lc-rs", feature = "pure-rust")))]
compile_error!("venuekit-auth needs one of its features `aws-lc-rs` (the default) and `pure-rust` to sign with");

mod backend;
pub mod bayse;
mod credential;
pub mod deribit;
pub mod described;
mod error;
mod headers;
pub mod kalshi;
mod key;
mod mac;
mod nonce;
mod parts;
mod request;
mod signer;
mod text;
pub mod yativo;

pub use self::error::SignError;
pub use self::headers::Headers;
pub use self::key::{Algorithm, Found, KeyError, KeyKind, PrivateKey};
pub use self::nonce::Nonces;
pub use self::parts::Parts;
pub use self::request::{apply, parts};
pub use self::signer::{Added, Signed, Signer};
