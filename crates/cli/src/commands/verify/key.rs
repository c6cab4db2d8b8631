//! The key that a signature is checked with, and what cannot be one.

use std::path::Path;

use venuekit_auth::{Found, KeyError, PrivateKey};
use venuekit_wire::signature::{KeyType, Place, Signature as Rule};
use venuekit_wire::variables::VariableKind;
use zeroize::Zeroizing;

use super::VerifyArgs;
use super::check::{Encoding, Key};
use super::guess::Guess;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::input;
use crate::venue::Venue;

/// The key that should have signed: its name, and what identifies it, where that is known.
pub async fn find(
    context: &Context,
    arguments: &VerifyArgs,
    rule: &'static Rule,
) -> Result<(Key, String, Option<String>), Failure> {
    let venue = arguments.subject.venue;
    // A file may also be given as --key.
    let as_key = context.global().key.as_deref().map(Path::new).filter(|path| path.is_file());
    if let Some(file) = arguments.key_file.as_deref().or(as_key) {
        return Ok((of_file(file, venue, rule)?, input::shown(file), None));
    }
    let target = context.target(&arguments.subject).map_err(|failure| match failure.word() {
        "no_environment" => {
            let help = format!("give the key with --key-file FILE, or {}", failure.advice().unwrap_or_default());
            failure.help(help)
        }
        _ => failure,
    })?;
    let credential = context.credential(&target, &arguments.subject).await?;
    let Some((public_id, secret, _)) = credential.key() else {
        let message = "there is no key to check the signature with";
        return Err(Failure::new(Exit::Store, message)
            .code("no_key")
            .help("pass it with --key-file FILE, or --key NAME"));
    };
    let key = of_text(secret.expose(), venue, rule, &credential.source)?;
    Ok((key, credential.source.clone(), Some(public_id.to_owned())))
}

/// The key in a file.
pub fn of_file(file: &Path, venue: Venue, rule: &'static Rule) -> Result<Key, Failure> {
    let (bytes, name) = (Zeroizing::new(input::bytes(file)?), input::shown(file));
    let text = std::str::from_utf8(&bytes).map_err(|_| no_pem(&bytes, &name))?;
    of_text(text, venue, rule, &name)
}

fn of_text(text: &str, venue: Venue, rule: &'static Rule, name: &str) -> Result<Key, Failure> {
    let is_pem = text.contains("-----BEGIN");
    let secret = text.trim_end_matches(['\r', '\n']);
    let pem = || Key::from_pem(text).ok_or_else(|| no_pem(text.as_bytes(), name));
    let accepts_pairs = rule.keys.iter().any(|rule| rule.key != KeyType::Shared);
    let public = || venue.table().variables.of_kind(VariableKind::Key)?.begins.map(|(public, _)| public);
    match rule.rule(KeyType::Shared).is_some() {
        false => pem(),
        true if is_pem && accepts_pairs => pem(),
        true if is_pem => {
            let logins = venue.table().credentials.signatures.iter().any(|other| other.place == Place::Params);
            let help = match logins {
                true => "a key pair signs a login: give that request, or a file with the shared secret",
                false => "give a file with the secret part of the key",
            };
            Err(unusable(name, &format!("is a PEM, and requests to {venue} are signed with a shared secret"))
                .help(help))
        }
        true if public().is_some_and(|public| !public.is_empty() && secret.starts_with(public)) => {
            Err(unusable(name, "holds the public part of a key, and the secret one signs")
                .help("give a file with the secret part of the key"))
        }
        true if secret.is_empty() => Err(unusable(name, "is empty")),
        true => Ok(Key::Shared(Zeroizing::new(secret.as_bytes().to_vec()))),
    }
}

fn unusable(name: &str, why: &str) -> Failure {
    let help = "expected a PEM, public or private, RSA or Ed25519; for shared secrets a file with the secret";
    Failure::new(Exit::Store, format!("{name} {why}")).code("unusable").help(help)
}

/// What bytes are that hold no key to check with, as the reader of private keys tells it.
fn no_pem(bytes: &[u8], name: &str) -> Failure {
    use Found::{Binary, CertificateRequest, LegacyEncrypted, OtherPem, SshPublic, Text};

    let is_not = |what: &str| unusable(name, &format!("cannot check a signature: {what}"));
    let said = match PrivateKey::from_pem(bytes) {
        _ if String::from_utf8_lossy(bytes).contains("PUBLIC KEY-----") => {
            return is_not("it is a public one that is damaged, cut off or neither RSA nor Ed25519");
        }
        Err(KeyError::NotAPrivateKey(Found::Certificate)) => {
            let help = format!("take the public key out of it: openssl x509 -in {name} -noout -pubkey");
            return unusable(name, "is a certificate, not a key").help(help);
        }
        Err(KeyError::NotAPrivateKey(Found::PublicKey)) => {
            let help = format!("write it as PEM: openssl pkey -pubin -inform DER -in {name} -out key.pub.pem");
            return is_not("it is a public one as binary DER").help(help);
        }
        Err(
            KeyError::PassphraseNeeded | KeyError::UnsupportedEncryption | KeyError::NotAPrivateKey(LegacyEncrypted),
        ) => {
            let help = "its public half is enough: openssl pkey -in key.pem -pubout -out key.pub.pem";
            return is_not("it is encrypted").help(help);
        }
        Err(error) => error,
        Ok(_) => return is_not("its public half cannot be read"),
    };
    let text = said.to_string();
    let (what, remedy) = text.split_once("; ").unwrap_or((&text, ""));
    let what = what.strip_prefix("this is ").map_or(what.to_owned(), |what| format!("it is {what}"));
    let failure = is_not(what.trim_end_matches(", not a PEM private key"));
    match said {
        // What is advised for those is to find the private half, and the public one does as well.
        KeyError::NotAPrivateKey(Text | Binary | OtherPem(_) | SshPublic | CertificateRequest) => failure,
        _ if remedy.is_empty() => failure,
        _ => failure.help(remedy),
    }
}

/// What a signature is that no key of this kind makes, identified by its length.
pub fn odd_length(guess: &Guess, signature: &str) -> Option<String> {
    use Encoding::{Base64, Base64NoPad, Base64Url, Base64UrlNoPad};

    let encodings = [guess.encoding, Base64, Base64NoPad, Base64Url, Base64UrlNoPad];
    let lengths: Vec<usize> = match hex::decode(signature) {
        // It can be read as base64 too, and is not meant so.
        Ok(bytes) => vec![bytes.len()],
        Err(_) => encodings.iter().filter_map(|encoding| Some(encoding.read(signature)?.len())).collect(),
    };
    let wanted = guess.key.signature_length();
    let Some(length) = lengths.first() else {
        let wanted = guess.encoding.words();
        return Some(format!("invalid signature, neither base64 nor hex: the venue expects {wanted}"));
    };
    if lengths.contains(&wanted) {
        return None;
    }
    let maker = match length {
        32 => "as an HMAC with SHA-256 has them",
        64 => "as Ed25519 makes them",
        256 | 384 | 512 => "as an RSA key makes them",
        _ => "and may be cut off",
    };
    let (name, words) = (&guess.key_name, guess.key.words());
    Some(format!("the signature has {length} bytes, {maker}: {name} is {words}, whose signatures have {wanted}"))
}
