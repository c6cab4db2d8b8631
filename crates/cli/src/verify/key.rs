//! The key that a signature is checked with, and what cannot be one.

use std::path::Path;

use venuekit_auth::PrivateKey;
use zeroize::Zeroizing;

use super::VerifyArgs;
use super::check::{Encoding, Key};
use super::guess::{Guess, Kind};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::input;

/// The key that should have signed: its name, and what identifies it, where that is known.
pub async fn find(
    context: &Context,
    arguments: &VerifyArgs,
    kind: Kind,
) -> Result<(Key, String, Option<String>), Failure> {
    // A file may also be given as --key: whoever has one in hand writes it there.
    let as_key = context.global().key.as_deref().map(Path::new).filter(|path| path.is_file());
    if let Some(file) = arguments.key_file.as_deref().or(as_key) {
        return Ok((of_file(file, kind)?, file.display().to_string(), None));
    }
    let target = context.target(&arguments.subject)?;
    let credential = context.credential(&target, &arguments.subject).await?;
    let Some((public_id, secret, _)) = credential.key() else {
        let message = "there is no key to check the signature with";
        return Err(Failure::new(Exit::Store, message)
            .code("no_key")
            .help("give it with --key-file FILE, or --key NAME"));
    };
    let key = of_text(secret.expose(), kind, &credential.source)?;
    Ok((key, credential.source.clone(), Some(public_id.to_owned())))
}

/// The key in a file.
pub fn of_file(file: &Path, kind: Kind) -> Result<Key, Failure> {
    let text = Zeroizing::new(input::text(file)?);
    of_text(&text, kind, &file.display().to_string())
}

fn of_text(text: &str, kind: Kind, name: &str) -> Result<Key, Failure> {
    let is_pem = text.contains("-----BEGIN");
    let secret = text.trim_end_matches(['\r', '\n']);
    match kind {
        Kind::Kalshi => Key::from_pem(text).ok_or_else(|| no_pem(text, name)),
        Kind::Login if is_pem => Key::from_pem(text).ok_or_else(|| no_pem(text, name)),
        Kind::Bayse if is_pem => Err(unusable(name, "is a PEM, and Bayse's requests are signed with a shared secret")),
        Kind::Deribit if is_pem => {
            Err(unusable(name, "is a PEM, and Deribit's requests are signed with the client secret"))
        }
        Kind::Bayse if secret.starts_with("pk_") => {
            Err(unusable(name, "holds the public part of a key, and the secret one signs"))
        }
        _ if secret.is_empty() => Err(unusable(name, "is empty")),
        _ => Ok(Key::Shared(Zeroizing::new(secret.as_bytes().to_vec()))),
    }
}

fn unusable(name: &str, why: &str) -> Failure {
    let help = "a PEM is wanted, public or private, RSA or Ed25519; for Bayse and Deribit's client secrets a file with the secret";
    Failure::new(Exit::Store, format!("{name} {why}")).code("unusable").help(help)
}

fn no_pem(text: &str, name: &str) -> Failure {
    let said = PrivateKey::from_pem(text).err().map(|error| error.to_string()).unwrap_or_default();
    if text.contains("-----BEGIN CERTIFICATE-----") {
        let help = format!("take the public key out of it: openssl x509 -in {name} -noout -pubkey");
        return unusable(name, "is a certificate, not a key").help(help);
    }
    // What the reader of private keys says of a public one is no fault here.
    let what = said.split_once("; ").map_or(said.as_str(), |(what, _)| what).strip_prefix("this is ");
    match what.map(|what| what.trim_end_matches(", not a PEM private key")) {
        Some(what) if !text.contains("PUBLIC KEY") => {
            unusable(name, &format!("is no key that can check a signature: it is {what}"))
        }
        _ => unusable(name, "is no key that can check a signature"),
    }
}

/// What a signature is that no key of this kind makes, told by its length.
pub fn odd_length(guess: &Guess, signature: &str) -> Option<String> {
    use Encoding::{Base64, Base64NoPad, Base64Url, Base64UrlNoPad, Hex, UpperHex};

    let encodings = [guess.encoding, Hex, UpperHex, Base64, Base64NoPad, Base64Url, Base64UrlNoPad];
    let lengths: Vec<usize> = encodings.iter().filter_map(|encoding| Some(encoding.read(signature)?.len())).collect();
    let wanted = guess.key.signature_length();
    let Some(length) = lengths.first() else {
        let wanted = guess.encoding.words();
        return Some(format!("the signature is neither base64 nor hex, or is cut off: the venue wants {wanted}"));
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
