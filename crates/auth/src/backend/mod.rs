//! The arithmetic, from one of two libraries with the same interface: `aws` or, when the feature is on, `pure`.

#[cfg(feature = "pure-rust")]
mod pure;
#[cfg(feature = "pure-rust")]
pub(crate) use pure::{Ed25519, Rsa, fill_random, generate_rsa};

#[cfg(all(feature = "aws-lc-rs", not(feature = "pure-rust")))]
mod aws;
#[cfg(all(feature = "aws-lc-rs", not(feature = "pure-rust")))]
pub(crate) use aws::{Ed25519, Rsa, fill_random, generate_rsa};

/// The library said no. None of them says why, by design.
#[derive(Debug)]
pub(crate) struct Refused;
