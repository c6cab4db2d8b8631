//! Looks at a key without asking anybody: its form, its kind, what was mixed up.

use venuekit_auth::{Algorithm, Found, KeyError, PrivateKey};
use venuekit_keys::Credential as Material;
use venuekit_keys::record::State;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::Secret;

use super::report::Report;
use super::{facts, flaw};
use crate::credential::{Credential, hint};
use crate::target::Target;
use crate::venue::Venue;

/// What a key's file or text is.
const CHECK: &str = "key";

/// A credential's two halves as somebody knows them: by their variables, where they are in some.
struct Names {
    id: String,
    secret: String,
}

/// Looks at all of a credential. Whether it is of use at all.
pub fn look(report: &mut Report<'_>, target: &Target, credential: &Credential) -> bool {
    if let Some(stored) = &credential.stored
        && stored.state != State::Active
    {
        let found = format!("{}: a change of it was broken off", credential.source);
        report.odd("store", "unfinished", found, "finish it: venuekit keys resume");
    }
    let venue = target.venue;
    credential.material.iter().all(|material| {
        let variables = credential.prefix.as_ref().and_then(|prefix| hint::halves(target, prefix, material));
        let names = |id: &str, secret: &str| {
            let (id, secret) = variables.clone().unwrap_or_else(|| (id.to_owned(), secret.to_owned()));
            Names { id, secret }
        };
        match material {
            Material::Key { public_id, secret, kind: SecretKind::PrivateKeyPem } => {
                pair(report, venue, &names("the id of the key", "the private key"), public_id, secret)
            }
            Material::Key { public_id, secret, .. } => {
                shared(report, venue, &names("the id of the key", "its secret"), public_id, secret)
            }
            Material::Session { token, device_id } => {
                let names = names("the device id", "the session's token");
                whole(report, &names.id, device_id.expose())
                    && whole(report, &names.secret, token.expose())
                    && good(report, "a session, which cares for keys")
            }
            Material::Login { email, .. } => {
                whole(report, &names("the email", "").id, email) && good(report, &format!("the login of {email}"))
            }
            Material::Token(token) => {
                whole(report, &names("", "the token").secret, token.expose())
                    && good(report, "a token; it is not renewed")
            }
        }
    })
}

fn good(report: &mut Report<'_>, found: &str) -> bool {
    report.good(CHECK, found);
    true
}

/// Whether a text was copied as it should be.
fn whole(report: &mut Report<'_>, name: &str, text: &str) -> bool {
    if let Some((cause, says)) = flaw::fatal(text) {
        report.fault(CHECK, cause, format!("{name} {says}"), "copy it again, all of it and nothing else");
        return false;
    }
    if let Some((cause, says)) = flaw::odd(text) {
        report.odd(CHECK, cause, format!("{name} {says}"), "if the key is refused, take them away");
    }
    true
}

fn pair(report: &mut Report<'_>, venue: Venue, names: &Names, public_id: &str, pem: &Secret) -> bool {
    if matches!(venue, Venue::Bayse | Venue::Yativo) {
        let remedy = format!("give the two texts that {venue} showed when the key was made");
        report.fault(CHECK, "wrong_key_type", format!("a private key, and {venue} takes a shared secret"), &remedy);
        return false;
    }
    if !whole(report, &names.id, public_id) {
        return false;
    }
    if matches!(venue, Venue::Kalshi | Venue::KalshiPerps) && !flaw::is_uuid(public_id) {
        let remedy = format!("if the key is not known, copy its id again: {}", facts::of(venue).page);
        report.odd("key id", "key_id", format!("{} is no UUID, as Kalshi's key ids are", names.id), &remedy);
    }
    match PrivateKey::from_pem(pem.expose()) {
        Ok(key) => {
            let form = if pem.expose().contains("BEGIN RSA PRIVATE KEY") { "PKCS#1" } else { "PKCS#8" };
            let kind = match key.algorithm() {
                Algorithm::Rsa => format!("RSA {} bits", key.bits()),
                Algorithm::Ed25519 => "Ed25519".to_owned(),
            };
            report.good(CHECK, format!("{kind}, {form}"));
            if venue == Venue::Deribit && key.algorithm() == Algorithm::Rsa {
                let remedy = "if the signature is refused, make an Ed25519 key: its form is documented";
                report.odd(CHECK, "rsa", "no page of Deribit names the padding of RSA signatures", remedy);
            }
            true
        }
        Err(error) => {
            unreadable(report, names, &error);
            false
        }
    }
}

/// A private key that is none, or none that a venue takes.
fn unreadable(report: &mut Report<'_>, names: &Names, error: &KeyError) {
    let said = error.to_string();
    let (found, remedy) = said.split_once("; ").unwrap_or((&said, "give the private key as PEM"));
    let cause = match error {
        KeyError::UnsupportedAlgorithm(_) => "wrong_key_type",
        KeyError::RsaSize(_) => "key_size",
        KeyError::PassphraseNeeded | KeyError::NotAPrivateKey(Found::LegacyEncrypted) => "encrypted",
        KeyError::PublicKeyMismatch => "key_mismatch",
        _ => "wrong_pem",
    };
    let remedy = match error {
        KeyError::NotAPrivateKey(Found::FileName) if names.secret.ends_with("_PRIVATE_KEY") => {
            format!("set {}_FILE to that name instead", names.secret)
        }
        // There is no place for a passphrase here.
        KeyError::PassphraseNeeded => {
            "write it without its passphrase: openssl pkey -in key.pem -out plain.pem".to_owned()
        }
        _ => remedy.to_owned(),
    };
    report.fault(CHECK, cause, found, &remedy);
}

fn shared(report: &mut Report<'_>, venue: Venue, names: &Names, public_id: &str, secret: &Secret) -> bool {
    let secret = secret.expose();
    if matches!(venue, Venue::Kalshi | Venue::KalshiPerps) {
        let remedy = "give the private key as PEM: KALSHI_..._PRIVATE_KEY_FILE";
        report.fault(CHECK, "wrong_key_type", "a shared secret, and Kalshi takes a private key", remedy);
        return false;
    }
    if secret.contains("-----BEGIN") {
        let remedy = match venue {
            Venue::Deribit => "set DERIBIT_..._PRIVATE_KEY or _PRIVATE_KEY_FILE instead of _CLIENT_SECRET",
            _ => "give the secret that the venue showed when the key was made",
        };
        report.fault(CHECK, "wrong_key_type", "a private key stands in place of the shared secret", remedy);
        return false;
    }
    if !whole(report, &names.id, public_id) || !whole(report, &names.secret, secret) {
        return false;
    }
    if let Some((public, private)) = facts::of(venue).prefixes {
        let swapped = !private.is_empty() && public_id.starts_with(private) || secret.starts_with(public);
        if swapped {
            let found = "the public and the secret part stand in each other's place";
            report.fault(CHECK, "swapped", found, "exchange the two");
            return false;
        }
    }
    good(report, "a shared secret")
}
