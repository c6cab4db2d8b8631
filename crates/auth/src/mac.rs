//! HMAC-SHA256 with a key that is prepared once.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A keyed state, cloned for each signature so that the key is scheduled once. Zeroized when dropped.
#[derive(Clone)]
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    pub(crate) fn new(secret: &str) -> Self {
        Self(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length"))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(message).finalize().into_bytes().into()
    }

    /// Compares in constant time. The message comes in pieces, so that nobody has to join them.
    pub(crate) fn verify(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        let mut mac = self.0.clone();
        message.iter().for_each(|piece| mac.update(piece));
        mac.verify_slice(signature).is_ok()
    }
}
