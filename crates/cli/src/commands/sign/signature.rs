//! What is signed, and the headers or params that come of it, by the venue's spec (`x-signatures`).

use serde_json::{Value, json};
use venuekit_auth::described::{DescribedSigner, ParamValue, SigningKey};
use venuekit_auth::{Added, Nonces, Parts, PrivateKey, SignError, Signer as _};
use venuekit_transport::credential_parts::CredentialParts;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::credentials::{Carries, Login};
use venuekit_wire::signature::Signature as Rule;
use venuekit_wire::variables::VariableKind;

use crate::credential::Credential;
use crate::failure::{Exit, Failure};
use crate::target::Target;
use crate::variables;
use crate::venue::Venue;

/// A key that cannot be read, or that cannot sign this.
type Error = Box<dyn std::error::Error>;

/// What was signed, and what goes on the request.
#[derive(Default)]
pub struct Signature {
    /// How it is signed, where anything is.
    pub rule: Option<&'static Rule>,
    /// The text, where one is signed.
    pub text: Option<String>,
    /// Headers in their order: name, value, and whether the value is the credential itself.
    pub headers: Vec<(String, String, bool)>,
    /// What is added to the query or the form.
    pub added: Option<Added>,
    /// Params of a login, where that is what is signed.
    pub params: Vec<(String, Value)>,
    /// The login that they are for.
    pub login: Option<&'static Login>,
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
        let message = format!("no key of {}/{} to sign with", target.venue, target.environment);
        let help = format!("name a stored key with --key NAME, or set {}", variables::names(target));
        return Err(Failure::new(Exit::Store, message).code("no_key").help(help));
    }
    let is_login = |one: &&CredentialParts| matches!(one, CredentialParts::Login { .. });
    if credential.parts.iter().all(|one| is_login(&one)) {
        let message = format!("{}: a login signs nothing", credential.source);
        let names = variables::both(target.venue, &variables::prefix(target), VariableKind::Key);
        let help = format!("name a stored key with --key NAME, or set {names}");
        return Err(Failure::new(Exit::Store, message).code("wrong_key_type").help(help));
    }
    credential.check(target.venue)?;
    let mut made = Signature::default();
    // With a key or a session, a login is not needed.
    for one in credential.parts.iter().filter(|one| !is_login(one)) {
        made.add(target.venue, one, parts, time, nonce).map_err(|error| unusable(credential, &error))?;
    }
    if made.headers.is_empty() && made.params.is_empty() {
        return Err(unusable(credential, &SignError::Unfit("credential")));
    }
    Ok(made)
}

fn unusable(credential: &Credential, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Store, format!("{}: {error}", credential.source)).code("unusable")
}

/// The text and the params of a login that a credential signs.
fn params(
    rule: &'static Rule,
    one: &CredentialParts,
    time: i64,
    nonce: Option<&str>,
) -> Result<(String, Vec<(String, Value)>), Error> {
    let signed = signer(rule, one, nonce)?.params(time, "")?;
    let params = signed.params().iter().map(|(name, value)| {
        let value = match value {
            ParamValue::Text(text) => json!(text),
            ParamValue::Number(number) => json!(number),
            ParamValue::Signature(signature) => json!(signature.expose()),
            _ => Value::Null,
        };
        ((*name).to_owned(), value)
    });
    Ok((signed.string_to_sign().to_owned(), params.collect()))
}

/// What signs by a rule with a credential.
pub fn signer(rule: &'static Rule, one: &CredentialParts, nonce: Option<&str>) -> Result<DescribedSigner, Error> {
    let CredentialParts::Key { public_id, secret, kind } = one else {
        return Err(SignError::Unfit("credential").into());
    };
    let key = match kind {
        SecretKind::PrivateKeyPem => SigningKey::Pair(PrivateKey::from_pem(secret.expose())?),
        _ => SigningKey::Shared(secret.clone()),
    };
    let signer = DescribedSigner::new(rule, public_id, key)?;
    Ok(match nonce.map(str::to_owned) {
        Some(nonce) => signer.with_nonces(Nonces::from_fn(move || nonce.clone())),
        None => signer,
    })
}

impl Signature {
    /// What the venue's client would make of one credential.
    fn add(
        &mut self,
        venue: Venue,
        one: &CredentialParts,
        parts: &Parts<'_>,
        time: i64,
        nonce: Option<&str>,
    ) -> Result<(), Error> {
        let rules = &venue.table().credentials;
        let proves = variables::proves(venue, one);
        let signs = proves.iter().any(|name| rules.signature(name).is_some());
        for name in proves {
            if let Some(rule) = rules.signature(name) {
                let signed = signer(rule, one, nonce)?.sign(parts, time)?;
                (self.rule, self.text) = (Some(rule), signed.string_to_sign().map(str::to_owned));
                self.added = signed.added().cloned();
                // A signature proves one request: it is shown. The header with the id may be another credential's too.
                for (header, value) in signed.headers() {
                    self.headers.retain(|(other, _, _)| other != header.as_str());
                    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    self.headers.push((header.as_str().to_owned(), value, false));
                }
                continue;
            }
            let is_key = matches!(one, CredentialParts::Key { .. });
            let login = rules.login(name).filter(|_| is_key);
            if let Some((login, rule)) = login.and_then(|login| Some((login, rules.signature(login.signed_by?)?))) {
                // Who signs requests need not log in.
                if signs {
                    continue;
                }
                let (text, params) = params(rule, one, time, nonce)?;
                (self.rule, self.text, self.params, self.login) = (Some(rule), Some(text), params, Some(login));
            } else if login.is_none() {
                self.carry(venue, name, one, signs);
            }
        }
        Ok(())
    }

    /// The headers of a credential that is sent as it is.
    fn carry(&mut self, venue: Venue, name: &str, one: &CredentialParts, signs: bool) {
        let of_key = venue.table().variables.of_kind(VariableKind::Key);
        // Without a signature, the headers are the credential itself.
        let id_is_secret = !signs || of_key.is_some_and(|variables| variables.id_is_secret);
        let (id, secret) = one.halves();
        for scheme in venue.table().credentials.schemes.iter().filter(|scheme| scheme.credential == name) {
            let (value, hidden) = match scheme.carries {
                Carries::Id => (id.map(str::to_owned), id_is_secret),
                Carries::Secret => (secret.map(str::to_owned), true),
                Carries::Bearer => (secret.map(|token| format!("Bearer {token}")), true),
                _ => (None, true),
            };
            let is_new = !self.headers.iter().any(|(other, _, _)| other == scheme.header);
            self.headers.extend(value.filter(|_| is_new).map(|value| (scheme.header.to_owned(), value, hidden)));
        }
    }
}
