//! Looks at a key without asking anybody: its form, its kind, what was mixed up.

use venuekit_auth::{Algorithm, PrivateKey};
use venuekit_keys::Credential as Material;
use venuekit_keys::record::State;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::Secret;

use super::facts;
use super::report::Report;
use crate::credential::Credential;
use crate::venue::Venue;

/// What a key's file or text is.
const CHECK: &str = "key";

/// Looks at all of a credential. Whether it is of use at all.
pub fn look(report: &mut Report<'_>, venue: Venue, credential: &Credential) -> bool {
    if let Some(stored) = &credential.stored
        && stored.state != State::Active
    {
        let found = format!("{}: a change of it was broken off", credential.source);
        report.odd("store", "unfinished", found, "finish it: venuekit keys resume");
    }
    credential.material.iter().all(|material| match material {
        Material::Key { public_id, secret, kind: SecretKind::PrivateKeyPem } => pair(report, venue, public_id, secret),
        Material::Key { public_id, secret, .. } => shared(report, venue, public_id, secret),
        Material::Session { .. } => good(report, "a session, which cares for keys"),
        Material::Login { email, .. } => good(report, &format!("the login of {email}")),
        Material::Token(_) => good(report, "a token; it is not renewed"),
    })
}

fn good(report: &mut Report<'_>, found: &str) -> bool {
    report.good(CHECK, found);
    true
}

fn pair(report: &mut Report<'_>, venue: Venue, public_id: &str, pem: &Secret) -> bool {
    if matches!(venue, Venue::Bayse | Venue::Yativo) {
        let remedy = format!("give the two texts that {venue} showed when the key was made");
        report.fault(CHECK, "wrong_key_type", format!("a private key, and {venue} takes a shared secret"), &remedy);
        return false;
    }
    if public_id.trim() != public_id || public_id.is_empty() {
        report.fault("key id", "key_id", "the id of the key is empty or has blanks around it", "copy it again");
        return false;
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
            let said = error.to_string();
            let cause = if said.contains("venues take RSA and Ed25519") { "wrong_key_type" } else { "wrong_pem" };
            let (found, remedy) = said.split_once("; ").unwrap_or((&said, "give the private key as PEM"));
            report.fault(CHECK, cause, found, remedy);
            false
        }
    }
}

fn shared(report: &mut Report<'_>, venue: Venue, public_id: &str, secret: &Secret) -> bool {
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
    if public_id.trim() != public_id || secret.trim() != secret || public_id.is_empty() || secret.is_empty() {
        report.fault(
            CHECK,
            "blanks",
            "the key or its secret is empty or has blanks around it",
            "copy it again, without the line's end",
        );
        return false;
    }
    if let Some((public, private)) = facts::of(venue).prefixes {
        let swapped = !private.is_empty() && public_id.starts_with(private) || secret.starts_with(public);
        if swapped {
            report.fault(
                CHECK,
                "swapped",
                "the public and the secret part stand in each other's place",
                "exchange the two",
            );
            return false;
        }
        if !public_id.starts_with(public) {
            let found = format!("the public part does not begin with {public}, as {venue}'s keys do");
            report.odd(CHECK, "prefix", found, "check that it is a key of this venue");
            return true;
        }
    }
    good(report, "a shared secret")
}
