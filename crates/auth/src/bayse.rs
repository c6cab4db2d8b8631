//! Bayse: a public key for reads, an HMAC on top of it for writes, two session headers for the care of keys.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use venuekit_wire::Secret;

use crate::credential::{check, check_time, header};
use crate::mac::MacKey;
use crate::text::{push_hash, push_method, push_number, string};
use crate::{Headers, Parts, SignError, Signed, Signer};

/// The public half of the key pair. It alone reads an account, so it is treated as confidential.
pub const PUBLIC_KEY: HeaderName = HeaderName::from_static("x-public-key");
/// Unix seconds; the same digits are signed.
pub const TIMESTAMP: HeaderName = HeaderName::from_static("x-timestamp");
/// The base64 of the HMAC.
pub const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
/// The token of a login.
pub const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
/// The device that the login was given.
pub const DEVICE_ID: HeaderName = HeaderName::from_static("x-device-id");

/// The read level: `X-Public-Key`.
pub fn read(public_key: impl Into<Secret>) -> Result<Headers, SignError> {
    Headers::new("public key", PUBLIC_KEY, public_key)
}

/// The session level: `X-Auth-Token` and `X-Device-Id`.
pub fn session(auth_token: impl Into<Secret>, device_id: impl Into<Secret>) -> Result<Headers, SignError> {
    Headers::new("session token", AUTH_TOKEN, auth_token)?.and("device id", DEVICE_ID, device_id)
}

/// The write level: `X-Timestamp` and `X-Signature`, which the venue takes together with the header of [`read`].
#[derive(Clone)]
pub struct BayseWrite(MacKey);

impl BayseWrite {
    /// The secret key, as the venue showed it: its prefix belongs to it.
    pub fn new(secret_key: impl Into<Secret>) -> Result<Self, SignError> {
        let secret_key = secret_key.into();
        check("secret key", secret_key.expose())?;
        Ok(Self(MacKey::new(secret_key.expose())))
    }
}

impl Signer for BayseWrite {
    fn sign(&self, parts: &Parts<'_>, now_millis: i64) -> Result<Signed, SignError> {
        check_time(now_millis)?;
        let text = text_to_sign(parts, now_millis);
        let mut signature = [0; 44];
        STANDARD.encode_slice(self.0.sign(&text), &mut signature).expect("32 bytes are 44 in base64");
        // The text begins with the digits of the header.
        let digits = text.iter().position(|byte| *byte == b'.').unwrap_or_default();
        let timestamp = header("timestamp", &text[..digits])?;
        let signature = header("signature", signature)?;
        Ok(Signed::of(text, 2).open(TIMESTAMP, timestamp).sensitive(SIGNATURE, signature))
    }
}

impl fmt::Debug for BayseWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BayseWrite([redacted])")
    }
}

/// `1730000000.POST./v1/pm/orders.HASH`, where HASH is the hex SHA-256 of the body, or nothing where there is no body.
///
/// No write operation of the venue has a query, and whether one would be signed is not documented: it is left out.
pub fn string_to_sign(parts: &Parts<'_>, now_millis: i64) -> String {
    string(text_to_sign(parts, now_millis))
}

fn text_to_sign(parts: &Parts<'_>, now_millis: i64) -> Vec<u8> {
    let mut text = Vec::with_capacity(20 + parts.method.len() + parts.path.len() + 3 + 64);
    push_number(&mut text, now_millis.div_euclid(1000));
    text.push(b'.');
    push_method(&mut text, parts.method);
    text.push(b'.');
    text.extend_from_slice(parts.path.as_bytes());
    text.push(b'.');
    push_hash(&mut text, &[parts.body]);
    text
}
