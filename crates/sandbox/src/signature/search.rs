//! Finds the fewest mistakes that explain a signature.

use super::algorithm::{SigningKey, Verifier};
use super::encoding::lenient;
use super::text::Variant;
use super::{Mistake, Signed};

/// What was signed, and what is wrong with it; nothing for a valid signature.
pub(super) struct Found {
    pub(super) text: Vec<u8>,
    pub(super) parts: Vec<Vec<u8>>,
    pub(super) mistakes: Vec<Mistake>,
}

/// A verifier, and the mistakes that it stands for.
struct Candidate {
    verifier: Verifier,
    mistakes: Vec<Mistake>,
}

/// So many mistakes are looked for together.
const MOST_MISTAKES: usize = 2;
/// So many checks of an elliptic curve are made: they take much longer than hashes.
const CURVE_CHECKS: usize = 2000;
/// In longer texts no mistakes are searched for: each variant is a copy of the text.
const LONGEST_TEXT: usize = 64 * 1024;

/// None where no known mistakes explain the signature.
pub(super) fn search(signed: &Signed) -> Option<Found> {
    let candidates = candidates(signed);
    let mut checks = 0;
    let most = if is_large(signed) { 0 } else { MOST_MISTAKES };
    for count in 0..=most {
        for in_text in 0..=count {
            let matching: Vec<&Candidate> =
                candidates.iter().filter(|one| one.mistakes.len() == count - in_text).collect();
            if matching.is_empty() {
                continue;
            }
            for variant in signed.text.variants(in_text) {
                for candidate in &matching {
                    if matches!(candidate.verifier, Verifier::Ed25519 { .. }) {
                        checks += 1;
                        if checks > CURVE_CHECKS {
                            return None;
                        }
                    }
                    if candidate.verifier.accepts(&variant.text) {
                        return Some(found(variant, &candidate.mistakes));
                    }
                }
            }
        }
    }
    None
}

/// Whether a text is too long to be tried in a hundred variants.
pub(super) fn is_large(signed: &Signed) -> bool {
    signed.text.expected().len() > LONGEST_TEXT
}

fn found(variant: Variant, of_candidate: &[Mistake]) -> Found {
    let Variant { text, parts, mut mistakes } = variant;
    mistakes.extend_from_slice(of_candidate);
    Found { text, parts, mistakes }
}

/// What can be said of a signature that nothing explains.
pub(super) fn hints(signed: &Signed) -> Vec<Mistake> {
    if is_large(signed) {
        let message = format!("the text has more than {} KiB: mistakes were not searched for", LONGEST_TEXT / 1024);
        return vec![Mistake::new("text", message)];
    }
    let Some(bytes) = signed.encoding.decode(&signed.signature) else {
        let message = format!("the signature is not {}", signed.encoding.name());
        return vec![Mistake::new("encoding", message)];
    };
    match &signed.key {
        SigningKey::Secret(_) if bytes.len() != 32 => {
            let message = format!("the signature has {} bytes: an HMAC-SHA256 has 32", bytes.len());
            vec![Mistake::new("algorithm", message)]
        }
        SigningKey::Public(_) => match Verifier::all(signed.algorithm, &signed.key, &bytes).as_slice() {
            [] => vec![Mistake::new("key", "another key signed than the one that is named")],
            [(Verifier::Ed25519 { .. }, _)] => Vec::new(),
            [(_, Some(deviation)), ..] => vec![Mistake::new("algorithm", deviation.clone())],
            _ => vec![Mistake::new("text", "the key is right, and another text was signed")],
        },
        SigningKey::Secret(_) => Vec::new(),
    }
}

/// The verifiers of the signature in each encoding and with each key, the expected ones first.
fn candidates(signed: &Signed) -> Vec<Candidate> {
    let mut signatures: Vec<(Vec<u8>, Vec<Mistake>)> = Vec::new();
    signatures.extend(signed.encoding.decode(&signed.signature).map(|bytes| (bytes, Vec::new())));
    // Hex is base64 by its letters: that a signature decodes does not say that it was written so.
    for (bytes, way) in signed.encoding.decode_other(&signed.signature) {
        if signatures.iter().all(|(known, _)| *known != bytes) {
            let message = format!("the signature is written in {way}: write it in {}", signed.encoding.name());
            signatures.push((bytes, vec![Mistake::new("encoding", message)]));
        }
    }
    let keys = keys(signed);
    let mut all = Vec::new();
    for (bytes, of_encoding) in &signatures {
        for (key, of_key) in &keys {
            for (verifier, deviation) in Verifier::all(signed.algorithm, key, bytes) {
                let of_algorithm = deviation.map(|message| Mistake::new("algorithm", message));
                let mistakes = of_encoding.iter().chain(of_key).cloned().chain(of_algorithm).collect();
                all.push(Candidate { verifier, mistakes });
            }
        }
    }
    all.sort_by_key(|candidate| candidate.mistakes.len());
    all
}

fn keys(signed: &Signed) -> Vec<(SigningKey, Option<Mistake>)> {
    let mut keys = vec![(signed.key.clone(), None)];
    if let SigningKey::Secret(secret) = &signed.key {
        keys.extend(
            misread(secret)
                .into_iter()
                .map(|(bytes, message)| (SigningKey::Secret(bytes), Some(Mistake::new("key", message)))),
        );
    }
    for (name, key) in &signed.other_keys {
        let message = format!("{name} was used to sign, not the secret of the key that is named");
        keys.push((key.clone(), Some(Mistake::new("key", message))));
    }
    keys
}

/// A secret as programs read it by mistake.
fn misread(secret: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let Ok(text) = std::str::from_utf8(secret) else { return Vec::new() };
    let bare = text.rsplit('_').next().unwrap_or(text);
    let ways = [
        (lenient(text), "the secret was decoded from base64: use its text as it is"),
        (hex::decode(text).ok(), "the secret was decoded from hex: use its text as it is"),
        (Some(format!("{text}\n").into_bytes()), "the secret was used with a line feed at its end"),
        (Some(bare.as_bytes().to_vec()), "the secret was used without its prefix: use its text as it is"),
        (lenient(bare), "the secret was decoded from base64 without its prefix: use its text as it is"),
    ];
    let other = ways.into_iter().filter_map(|(bytes, message)| Some((bytes?, message)));
    other.filter(|(bytes, _)| bytes != secret).collect()
}
