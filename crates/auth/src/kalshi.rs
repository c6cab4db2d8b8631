//! Kalshi: RSA-PSS or Ed25519 over timestamp, method and path.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};

use crate::credential::{check, check_time, header};
use crate::text::{push_method, push_number, string};
use crate::{Algorithm, Parts, PrivateKey, SignError, Signed, Signer};

/// The id of the key.
pub const ACCESS_KEY: HeaderName = HeaderName::from_static("kalshi-access-key");
/// The base64 of the signature.
pub const ACCESS_SIGNATURE: HeaderName = HeaderName::from_static("kalshi-access-signature");
/// Unix milliseconds; the same digits are signed.
pub const ACCESS_TIMESTAMP: HeaderName = HeaderName::from_static("kalshi-access-timestamp");

/// Signs with a private key. RSA keys make PSS signatures (SHA-256, salt of 32 bytes), Ed25519 keys plain Ed25519 ones.
#[derive(Debug, Clone)]
pub struct KalshiSigner {
    key_id: HeaderValue,
    key: PrivateKey,
}

impl KalshiSigner {
    /// The id that the venue gave to the key, and the key.
    pub fn new(key_id: impl Into<String>, key: PrivateKey) -> Result<Self, SignError> {
        let key_id = key_id.into();
        check("key id", &key_id)?;
        Ok(Self { key_id: header("key id", &key_id)?, key })
    }
}

impl Signer for KalshiSigner {
    fn sign(&self, parts: &Parts<'_>, now_millis: i64) -> Result<Signed, SignError> {
        check_time(now_millis)?;
        let text = text_to_sign(parts, now_millis);
        let signature = match self.key.algorithm() {
            Algorithm::Rsa => STANDARD.encode(self.key.sign_pss(&text)?),
            Algorithm::Ed25519 => STANDARD.encode(self.key.sign_ed25519(&text)?),
        };
        Ok(Signed::of(text, 3)
            .open(ACCESS_KEY, self.key_id.clone())
            .open(ACCESS_TIMESTAMP, now_millis.into())
            .sensitive(ACCESS_SIGNATURE, header("signature", &signature)?))
    }
}

/// `1703123456789GET/trade-api/v2/portfolio/balance`: neither query nor body belong to it.
pub fn string_to_sign(parts: &Parts<'_>, now_millis: i64) -> String {
    string(text_to_sign(parts, now_millis))
}

fn text_to_sign(parts: &Parts<'_>, now_millis: i64) -> Vec<u8> {
    let mut text = Vec::with_capacity(20 + parts.method.len() + parts.path.len());
    push_number(&mut text, now_millis);
    push_method(&mut text, parts.method);
    text.extend_from_slice(parts.path.as_bytes());
    text
}
