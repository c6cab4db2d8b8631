//! What is signed, and the headers or params that come of it.

use serde_json::{Value, json};
use venuekit_auth::bayse::{self, BayseWrite};
use venuekit_auth::deribit::{DeribitHmac, DeribitKey};
use venuekit_auth::kalshi::KalshiSigner;
use venuekit_auth::{Headers, Nonces, Parts, PrivateKey, SignError, Signed, Signer, yativo};
use venuekit_keys::Credential as CredentialParts;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::variables::VariableKind;

use crate::credential::Credential;
use crate::failure::{Exit, Failure};
use crate::target::Target;
use crate::variables;
use crate::venue::Venue;

/// What was signed, and what goes on the request.
pub struct Signature {
    /// The text, where one is signed.
    pub text: Option<String>,
    /// Headers in their order: name, value, and whether the value is the credential itself.
    pub headers: Vec<(String, String, bool)>,
    /// Params of a login, where that is what is signed.
    pub params: Vec<(String, Value)>,
}

/// Signs as the venue's client does.
pub fn sign(
    target: &Target,
    credential: &Credential,
    parts: &Parts<'_>,
    time: i64,
    nonce: Option<&str>,
) -> Result<Signature, Failure> {
    if credential.is_none() {
        let message = format!("there is no key of {}/{} to sign with", target.venue, target.environment);
        let help = format!("name a stored key with --key NAME, or set {}", variables::names(target));
        return Err(Failure::new(Exit::Store, message).code("no_key").help(help));
    }
    let is_login = |material: &&CredentialParts| matches!(material, CredentialParts::Login { .. });
    if credential.parts.iter().all(|material| is_login(&material)) {
        let message = format!("{}: a login signs nothing", credential.source);
        let names = variables::both(target.venue, &variables::prefix(target), VariableKind::Key);
        let help = format!("name a stored key with --key NAME, or set {names}");
        return Err(Failure::new(Exit::Store, message).code("wrong_key_type").help(help));
    }
    credential.check(target.venue)?;
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Store, format!("{}: {error}", credential.source)).code("unusable")
    };
    let nonces = || nonce.map_or_else(Nonces::random, fixed);
    let mut made = Signature { text: None, headers: Vec::new(), params: Vec::new() };
    // Where a key or a session is there as well, a login is not needed.
    for material in credential.parts.iter().filter(|material| !is_login(material)) {
        match (target.venue, material) {
            (Venue::Deribit, CredentialParts::Key { public_id, secret, kind: SecretKind::PrivateKeyPem }) => {
                let key = PrivateKey::from_pem(secret.expose()).map_err(|error| unusable(&error))?;
                let signer = DeribitKey::new(public_id, key).map_err(|error| unusable(&error))?.with_nonces(nonces());
                let signed = signer.client_signature(time, "").map_err(|error| unusable(&error))?;
                made.text = Some(signed.string_to_sign());
                made.params = vec![
                    ("grant_type".to_owned(), json!("client_signature")),
                    ("client_id".to_owned(), json!(signed.client_id)),
                    ("timestamp".to_owned(), json!(signed.timestamp)),
                    ("nonce".to_owned(), json!(signed.nonce)),
                    ("data".to_owned(), json!(signed.data)),
                    ("signature".to_owned(), json!(signed.signature.expose())),
                ];
            }
            (venue, material) => {
                for signer in signers(venue, material, nonces()).map_err(|error| unusable(&error))? {
                    let signed = signer.sign(parts, time).map_err(|error| unusable(&error))?;
                    made.add(&signed);
                }
            }
        }
    }
    Ok(made)
}

fn fixed(nonce: &str) -> Nonces {
    let nonce = nonce.to_owned();
    Nonces::from_fn(move || nonce.clone())
}

fn signers(
    venue: Venue,
    material: &CredentialParts,
    nonces: Nonces,
) -> Result<Vec<Box<dyn Signer>>, Box<dyn std::error::Error>> {
    Ok(match (venue, material) {
        (Venue::Kalshi | Venue::KalshiPerps, CredentialParts::Key { public_id, secret, .. }) => {
            vec![Box::new(KalshiSigner::new(public_id, PrivateKey::from_pem(secret.expose())?)?)]
        }
        (Venue::Bayse, CredentialParts::Key { public_id, secret, .. }) => {
            vec![Box::new(bayse::read(public_id.as_str())?), Box::new(BayseWrite::new(secret.clone())?)]
        }
        (Venue::Bayse, CredentialParts::Session { token, device_id }) => {
            vec![Box::new(bayse::session(token.clone(), device_id.clone())?)]
        }
        (Venue::Deribit, CredentialParts::Key { public_id, secret, .. }) => {
            vec![Box::new(DeribitHmac::new(public_id, secret.clone())?.with_nonces(nonces))]
        }
        (Venue::Yativo, CredentialParts::Key { public_id, secret, .. }) => {
            vec![Box::new(yativo::key_headers(public_id.as_str(), secret.clone())?)]
        }
        (Venue::Deribit | Venue::Yativo, CredentialParts::Token(token)) => {
            vec![Box::new(Headers::bearer(token.clone())?)]
        }
        _ => return Err(Box::new(SignError::Unfit("credential"))),
    })
}

impl Signature {
    fn add(&mut self, signed: &Signed) {
        let text = signed.string_to_sign().map(str::to_owned);
        let is_signature = text.is_some();
        self.text = self.text.take().or(text);
        for (name, value) in signed.headers() {
            // A signature proves one request; without a signed text, the header is the credential itself.
            let hidden = value.is_sensitive() && !is_signature;
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            self.headers.push((name.as_str().to_owned(), value, hidden));
        }
    }
}
