//! Looks at a key without asking anybody: its form, its kind, what was mixed up.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use venuekit_auth::{Algorithm, Found, KeyError, PrivateKey};
use venuekit_keys::record::State;
use venuekit_transport::credential_parts::CredentialParts;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::Secret;
use venuekit_wire::signature::KeyType;
use venuekit_wire::variables::VariableKind;

use super::report::Report;
use crate::credential::{Credential, flaw};
use crate::target::Target;
use crate::variables;
use crate::venue::Venue;

/// What a key's file or text is.
const CHECK: &str = "key";

/// A credential's two halves as somebody knows them: by their variables, where they are in some.
struct Names {
    id: String,
    secret: String,
}

/// Looks at all of a credential. Whether it is of use at all.
pub fn look(report: &mut Report<'_>, target: &Target, credential: &Credential, page: &str) -> bool {
    if let Some(stored) = &credential.stored
        && stored.state != State::Active
    {
        let found = format!("{}: a change of it was interrupted", credential.source);
        report.odd("store", "unfinished", found, "finish it: venuekit keys resume");
    }
    let venue = target.venue;
    credential.parts.iter().all(|part| {
        let variables = credential.prefix.as_ref().and_then(|prefix| variables::halves(venue, prefix, part));
        let names = |id: &str, secret: &str| {
            let (id, secret) = variables.clone().unwrap_or_else(|| (id.to_owned(), secret.to_owned()));
            Names { id, secret }
        };
        match part {
            CredentialParts::Key { public_id, secret, kind: SecretKind::PrivateKeyPem } => {
                pair(report, venue, &names("the id of the key", "the private key"), public_id, secret, page)
            }
            CredentialParts::Key { public_id, secret, .. } => {
                let named = |kind| credential.variable(target, kind);
                shared(report, venue, &names("the id of the key", "its secret"), named, public_id, secret)
            }
            CredentialParts::Session { token, device_id } => {
                let names = names("the device id", "the session's token");
                whole(report, &names.id, device_id.expose())
                    && whole(report, &names.secret, token.expose())
                    && good(report, "a session, which manages keys")
            }
            CredentialParts::Login { email, .. } => {
                whole(report, &names("the email", "").id, email) && good(report, &format!("the login of {email}"))
            }
            CredentialParts::Token(token) => {
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
        report.fault(CHECK, cause, format!("{name} {says}"), "copy the whole value again, and nothing else");
        return false;
    }
    if let Some((cause, says)) = flaw::odd(text) {
        report.odd(CHECK, cause, format!("{name} {says}"), "if the key is refused, remove them");
    }
    true
}

fn pair(report: &mut Report<'_>, venue: Venue, names: &Names, public_id: &str, pem: &Secret, page: &str) -> bool {
    let Some(variables) = venue.table().variables.of_kind(VariableKind::PrivateKey) else {
        let remedy = format!("give the two texts that {venue} showed when the key was created");
        report.fault(CHECK, "wrong_key_type", format!("a private key, and {venue} accepts shared secrets"), &remedy);
        return false;
    };
    if !whole(report, &names.id, public_id) {
        return false;
    }
    if variables.id_is_uuid && !flaw::is_uuid(public_id) {
        let remedy = format!("if the key is unknown, copy its id again: {page}");
        report.odd("key id", "key_id", format!("{} is not a UUID, as the key ids of {venue} are", names.id), &remedy);
    }
    match PrivateKey::from_pem(pem.expose()) {
        Ok(key) => {
            let kind = match key.algorithm() {
                Algorithm::Rsa if key.is_pss_only() => {
                    format!("RSA {} bits, marked for PSS only and used as plain RSA", key.bits())
                }
                Algorithm::Rsa => format!("RSA {} bits, {}", key.bits(), form(pem)),
                Algorithm::Ed25519 => "Ed25519, PKCS#8".to_owned(),
            };
            report.good(CHECK, kind);
            if key.algorithm() == Algorithm::Rsa && is_unsure(venue) {
                let remedy = "if the signature is refused, make an Ed25519 key: its form is documented";
                report.odd(CHECK, "rsa", format!("no page of {venue} names the padding of RSA signatures"), remedy);
            }
            true
        }
        Err(error) => {
            unreadable(report, names, &error);
            false
        }
    }
}

/// Whether no source confirms how the venue checks RSA signatures.
fn is_unsure(venue: Venue) -> bool {
    let rules = venue.table().credentials.signatures.iter().filter_map(|signature| signature.rule(KeyType::Rsa));
    rules.fold(None, |unsure, rule| Some(unsure.unwrap_or(true) && rule.is_unsure)).unwrap_or(false)
}

/// The form of an RSA key by its first bytes, which say nothing of the key itself: PKCS#8 names the algorithm there. The label
/// above them may be wrong.
fn form(pem: &Secret) -> &'static str {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    let body = pem.expose().split("-----").nth(2).unwrap_or_default().trim_start_matches("\\n");
    let start: String = body.chars().filter(|c| !c.is_whitespace()).take(32).collect();
    let start = STANDARD.decode(start).unwrap_or_default();
    if start.windows(RSA.len()).any(|window| window == RSA) { "PKCS#8" } else { "PKCS#1" }
}

/// Whether a text is surely the name of a file: no secret has a dot or such a beginning.
fn is_file_name(text: &str) -> bool {
    let is_named = matches!(PrivateKey::from_pem(text), Err(KeyError::NotAPrivateKey(Found::FileName)));
    is_named && text.contains(['.', '~'])
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
        _ => remedy.to_owned(),
    };
    report.fault(CHECK, cause, found, &remedy);
}

/// `named` names the variable of a secret.
fn shared(
    report: &mut Report<'_>,
    venue: Venue,
    names: &Names,
    named: impl Fn(VariableKind) -> String,
    public_id: &str,
    secret: &Secret,
) -> bool {
    let secret = secret.expose();
    let variables = &venue.table().variables;
    let (Some(own), accepts_pairs) =
        (variables.of_kind(VariableKind::Key), variables.of_kind(VariableKind::PrivateKey).is_some())
    else {
        let remedy = format!("give the private key as PEM: {}", named(VariableKind::PrivateKeyFile));
        report.fault(CHECK, "wrong_key_type", format!("a shared secret, and {venue} accepts private keys"), &remedy);
        return false;
    };
    if secret.contains("-----BEGIN") {
        let remedy = match accepts_pairs {
            true => {
                let secret = named(VariableKind::Key);
                format!(
                    "set {} or {} instead of {secret}",
                    named(VariableKind::PrivateKey),
                    named(VariableKind::PrivateKeyFile)
                )
            }
            false => "give the secret that the venue showed when the key was created".to_owned(),
        };
        report.fault(CHECK, "wrong_key_type", "a private key is given in place of the shared secret", &remedy);
        return false;
    }
    if is_file_name(secret) {
        let remedy = match accepts_pairs {
            true => {
                format!("if it holds a private key, set {} to that name", named(VariableKind::PrivateKeyFile))
            }
            false => "give the text that is in it".to_owned(),
        };
        report.fault(CHECK, "file_name", format!("{} is the name of a file, not a secret", names.secret), &remedy);
        return false;
    }
    if !whole(report, &names.id, public_id) || !whole(report, &names.secret, secret) {
        return false;
    }
    if let Some((public, private)) = own.begins {
        let swapped = !private.is_empty() && public_id.starts_with(private) || secret.starts_with(public);
        if swapped {
            let found = "the public and the secret part are swapped";
            report.fault(CHECK, "swapped", found, "exchange the two");
            return false;
        }
    }
    good(report, "a shared secret")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_key_is_that_of_its_bytes() {
        for (start, said) in
            [("MIIEowIBAAKCAQEAxxxxxxxxxxxxxxxx", "PKCS#1"), ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "PKCS#8")]
        {
            for label in ["RSA PRIVATE KEY", "PRIVATE KEY"] {
                let pem = Secret::new(format!("-----BEGIN {label}-----\n{start}\nxxxx\n-----END {label}-----\n"));
                assert_eq!(form(&pem), said);
            }
        }
    }

    #[test]
    fn a_secret_is_not_taken_for_the_name_of_a_file() {
        assert!(["bot.pem", "keys/bot.pem", "~/bot", "./bot"].iter().all(|text| is_file_name(text)));
        assert!(["", "/x9Q-o_r4XrMtJBD", "sk_live_x"].iter().all(|text| !is_file_name(text)));
    }
}
