//! Deribit: an HMAC header for each HTTP request, or a signature that logs in (`public/auth` with `client_signature`).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use venuekit_wire::Secret;

use crate::credential::{check, check_time, header};
use crate::mac::MacKey;
use crate::text::{push_hex, push_method, push_number, string};
use crate::{Algorithm, Nonces, Parts, PrivateKey, SignError, Signed, Signer};

/// A client id and its secret: signs requests (`deri-hmac-sha256`) and logins.
#[derive(Clone)]
pub struct DeribitHmac {
    client_id: String,
    key: MacKey,
    nonces: Nonces,
}

impl DeribitHmac {
    /// The id and the secret that the venue gave out.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Result<Self, SignError> {
        let (client_id, secret) = (client_id.into(), client_secret.into());
        check_id(&client_id)?;
        check("client secret", secret.expose())?;
        Ok(Self { client_id, key: MacKey::new(secret.expose()), nonces: Nonces::random() })
    }

    /// Takes nonces from elsewhere.
    pub fn with_nonces(mut self, nonces: Nonces) -> Self {
        self.nonces = nonces;
        self
    }

    /// The parameters of a login: lower-case hex of the HMAC.
    pub fn client_signature(&self, now_millis: i64, data: &str) -> Result<ClientSignature, SignError> {
        ClientSignature::new(&self.client_id, now_millis, &self.nonces, data, |text| {
            Ok(base16ct::lower::encode_string(&self.key.sign(text)))
        })
    }
}

impl Signer for DeribitHmac {
    fn sign(&self, parts: &Parts<'_>, now_millis: i64) -> Result<Signed, SignError> {
        check_time(now_millis)?;
        let nonce = self.nonces.next()?;
        let text = text_to_sign(parts, now_millis, nonce.as_str())?;
        let mut value = Vec::with_capacity(120 + self.client_id.len() + nonce.as_str().len());
        value.extend_from_slice(b"deri-hmac-sha256 id=");
        value.extend_from_slice(self.client_id.as_bytes());
        value.extend_from_slice(b",ts=");
        push_number(&mut value, now_millis);
        value.extend_from_slice(b",nonce=");
        value.extend_from_slice(nonce.as_str().as_bytes());
        value.extend_from_slice(b",sig=");
        push_hex(&mut value, &self.key.sign(&text));
        Ok(Signed::of(text, 1).sensitive(AUTHORIZATION, header("client id", value)?))
    }
}

impl fmt::Debug for DeribitHmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeribitHmac").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A client id and the private half of the key that was registered for it: signs logins.
///
/// It signs no single requests, because no page of the venue says that it takes such a signature in the request header.
#[derive(Debug, Clone)]
pub struct DeribitKey {
    client_id: String,
    key: PrivateKey,
    nonces: Nonces,
}

impl DeribitKey {
    /// The id that the venue gave to the public key, and the private key.
    pub fn new(client_id: impl Into<String>, key: PrivateKey) -> Result<Self, SignError> {
        let client_id = client_id.into();
        check_id(&client_id)?;
        Ok(Self { client_id, key, nonces: Nonces::random() })
    }

    /// Takes nonces from elsewhere.
    pub fn with_nonces(mut self, nonces: Nonces) -> Self {
        self.nonces = nonces;
        self
    }

    /// The parameters of a login: base64url without padding of the signature.
    ///
    /// Ed25519 signs the text itself. For RSA it is PKCS#1 v1.5 with SHA-256, which is likely but confirmed by no page of the
    /// venue that could be read: try it on the test network before relying on it, and prefer Ed25519.
    pub fn client_signature(&self, now_millis: i64, data: &str) -> Result<ClientSignature, SignError> {
        ClientSignature::new(&self.client_id, now_millis, &self.nonces, data, |text| {
            Ok(match self.key.algorithm() {
                Algorithm::Rsa => URL_SAFE_NO_PAD.encode(self.key.sign_pkcs1v15(text)?),
                Algorithm::Ed25519 => URL_SAFE_NO_PAD.encode(self.key.sign_ed25519(text)?),
            })
        })
    }
}

/// What `public/auth` takes with `grant_type` `client_signature`. Valid once and for 60 seconds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientSignature {
    /// Whose signature it is.
    pub client_id: String,
    /// Unix milliseconds; goes out as an integer.
    pub timestamp: i64,
    /// Used once.
    pub nonce: String,
    /// The signature, encoded for the wire.
    pub signature: Secret,
    /// Signed along with the rest; may be empty.
    pub data: String,
}

impl ClientSignature {
    fn new(
        client_id: &str,
        timestamp: i64,
        nonces: &Nonces,
        data: &str,
        sign: impl FnOnce(&[u8]) -> Result<String, SignError>,
    ) -> Result<Self, SignError> {
        check_time(timestamp)?;
        let nonce = nonces.next()?.as_str().to_owned();
        let signature = sign(login_string_to_sign(timestamp, &nonce, data).as_bytes())?;
        Ok(Self {
            client_id: client_id.to_owned(),
            timestamp,
            nonce,
            signature: signature.into(),
            data: data.to_owned(),
        })
    }

    /// The text that was signed.
    pub fn string_to_sign(&self) -> String {
        login_string_to_sign(self.timestamp, &self.nonce, &self.data)
    }
}

/// Timestamp, nonce, method, path with query and body, each followed by a line feed, the last one too.
pub fn string_to_sign(parts: &Parts<'_>, now_millis: i64, nonce: &str) -> Result<String, SignError> {
    text_to_sign(parts, now_millis, nonce).map(string)
}

/// A text, since its parts are.
fn text_to_sign(parts: &Parts<'_>, now_millis: i64, nonce: &str) -> Result<Vec<u8>, SignError> {
    let body = std::str::from_utf8(parts.body).map_err(|_| SignError::BodyNotText)?;
    let query = parts.query.unwrap_or_default();
    let length = parts.method.len() + parts.path.len() + query.len() + body.len();
    let mut text = Vec::with_capacity(20 + nonce.len() + length + 6);
    push_number(&mut text, now_millis);
    text.push(b'\n');
    text.extend_from_slice(nonce.as_bytes());
    text.push(b'\n');
    push_method(&mut text, parts.method);
    text.push(b'\n');
    text.extend_from_slice(parts.path.as_bytes());
    if parts.query.is_some() {
        text.push(b'?');
        text.extend_from_slice(query.as_bytes());
    }
    text.push(b'\n');
    text.extend_from_slice(body.as_bytes());
    text.push(b'\n');
    Ok(text)
}

/// Timestamp, nonce and data, with a line feed between them; the second one stays where there is no data.
pub fn login_string_to_sign(timestamp: i64, nonce: &str, data: &str) -> String {
    format!("{timestamp}\n{nonce}\n{data}")
}

/// The id is one of several fields in a header, which commas separate.
fn check_id(client_id: &str) -> Result<(), SignError> {
    check("client id", client_id)?;
    if client_id.contains(',') { Err(SignError::Unfit("client id")) } else { Ok(()) }
}
