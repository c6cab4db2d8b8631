//! Signatures with a mistake in them: each one is told by its name.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey};
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey};
use venuekit_auth::{KeyKind, PrivateKey};

use super::check::{Encoding, Hash, Key, Scheme, hashed};
use super::given::Given;
use super::guess::{BodyForm, Guess, Kind};
use super::mistakes::MISTAKES;
use super::search::{Found, search};

fn guess(kind: Kind, key: Key) -> Guess {
    let (separator, end) = match kind {
        Kind::Kalshi => ("", ""),
        Kind::Bayse => (".", ""),
        Kind::Deribit => ("\n", "\n"),
        Kind::Login => ("\n", ""),
    };
    let shared = matches!(key, Key::Shared(_));
    Guess {
        kind,
        time: if kind == Kind::Bayse { "1703123456" } else { "1703123456789" }.to_owned(),
        nonce: if matches!(kind, Kind::Deribit | Kind::Login) { "abc" } else { "" }.to_owned(),
        method: "POST".to_owned(),
        path: if kind == Kind::Bayse { "/v1/pm/orders/a%20b" } else { "/trade-api/v2/portfolio/orders/a%20b" }
            .to_owned(),
        query: Some("limit=5".to_owned()),
        with_query: kind == Kind::Deribit,
        body: if kind == Kind::Login { String::new() } else { r#"{ "b": 1.50,"a": [1]}"#.to_owned() }.into_bytes(),
        body_form: BodyForm::Proper,
        separator,
        end,
        encoding: match kind {
            Kind::Kalshi | Kind::Bayse => Encoding::Base64,
            _ if shared => Encoding::Hex,
            _ => Encoding::Base64UrlNoPad,
        },
        scheme: Scheme::Proper,
        key,
        key_name: "own".to_owned(),
    }
}

/// What signs, for a guess that says how.
enum Signer {
    Rsa(Box<RsaPrivateKey>),
    Ed25519(PrivateKey),
    Shared,
}

fn sign(signer: &Signer, guess: &Guess) -> String {
    let text = guess.text();
    let (hash, text, scheme) = match guess.scheme {
        Scheme::Hash(hash) => (hash, text, Scheme::Proper),
        Scheme::Twice(super::check::Form::Bytes) => (Hash::Sha256, hashed(Hash::Sha256, &text), Scheme::Proper),
        Scheme::Twice(super::check::Form::Hex) => {
            (Hash::Sha256, hex::encode(hashed(Hash::Sha256, &text)).into_bytes(), Scheme::Proper)
        }
        scheme => (Hash::Sha256, text, scheme),
    };
    let bytes = match (signer, &guess.key) {
        (Signer::Shared, Key::Shared(secret)) => {
            let algorithm = match hash {
                Hash::Sha1 => aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                Hash::Sha256 => aws_lc_rs::hmac::HMAC_SHA256,
                Hash::Sha384 => aws_lc_rs::hmac::HMAC_SHA384,
                Hash::Sha512 => aws_lc_rs::hmac::HMAC_SHA512,
            };
            aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(algorithm, secret), &text).as_ref().to_vec()
        }
        (Signer::Ed25519(key), _) => {
            let text = if hash == Hash::Sha256 { text } else { hashed(hash, &text) };
            key.sign_ed25519(&text).unwrap().to_vec()
        }
        (Signer::Rsa(key), _) => rsa_sign(key, scheme, guess.kind, hash, &text),
        (Signer::Shared, _) => unreachable!("a shared secret signs with itself"),
    };
    match guess.encoding {
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Base64NoPad => base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes),
        Encoding::Base64Url => base64::engine::general_purpose::URL_SAFE.encode(bytes),
        Encoding::Base64UrlNoPad => base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes),
        Encoding::Hex => hex::encode(bytes),
        Encoding::UpperHex => hex::encode_upper(bytes),
        Encoding::Base64OfHex => STANDARD.encode(hex::encode(bytes)),
    }
}

fn rsa_sign(key: &RsaPrivateKey, scheme: Scheme, kind: Kind, hash: Hash, text: &[u8]) -> Vec<u8> {
    use rsa::sha2::{Sha256, Sha384, Sha512};

    let digest = hashed(hash, text);
    let plain = scheme == Scheme::Pkcs1v15 || scheme == Scheme::Proper && kind == Kind::Login;
    if plain {
        let scheme = match hash {
            Hash::Sha1 => Pkcs1v15Sign::new::<sha1::Sha1>(),
            Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
            Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
            Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
        };
        return key.sign(scheme, &digest).unwrap();
    }
    let salt = match scheme {
        Scheme::Salt(Some(length)) => length,
        Scheme::Salt(None) => 256 - digest.len() - 2,
        _ => digest.len(),
    };
    let scheme = match hash {
        Hash::Sha1 => Pss::new_with_salt::<sha1::Sha1>(salt),
        Hash::Sha256 => Pss::new_with_salt::<Sha256>(salt),
        Hash::Sha384 => Pss::new_with_salt::<Sha384>(salt),
        Hash::Sha512 => Pss::new_with_salt::<Sha512>(salt),
    };
    key.sign_with_rng(&mut rand_core::OsRng, scheme, &digest).unwrap()
}

fn rsa_pair() -> (Signer, Key) {
    let key = RsaPrivateKey::new(&mut rand_core::OsRng, 2048).unwrap();
    let pem = RsaPublicKey::from(&key).to_public_key_pem(rsa::pkcs8::LineEnding::LF).unwrap();
    assert!(RsaPublicKey::from_public_key_pem(&pem).is_ok());
    (Signer::Rsa(Box::new(key)), Key::from_pem(&pem).unwrap())
}

fn ed25519_pair() -> (Signer, Key) {
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let public = Key::from_pem(key.public_key_pem()).unwrap();
    (Signer::Ed25519(key), public)
}

fn shared() -> (Signer, Key) {
    (Signer::Shared, Key::Shared(b"sk_live_c2VjcmV0c2VjcmV0".to_vec().into()))
}

fn given(guess: Guess, signature: String) -> Given {
    Given { guess, signature, others: Vec::new(), faults: Vec::new() }
}

/// Every mistake that makes sense here is found, as itself or as one that comes to the same.
fn all_are_found(kind: Kind, signer: &Signer, key: &Key) -> usize {
    let right = guess(kind, key.clone());
    assert!(matches!(search(&given(right.clone(), sign(signer, &right))), Found::Right));
    let mut tried = 0;
    for mistake in MISTAKES {
        let mut wrong = right.clone();
        if !(mistake.make)(&mut wrong) {
            continue;
        }
        let signature = sign(signer, &wrong);
        match search(&given(right.clone(), signature)) {
            Found::Wrong { guess, mistakes } => {
                assert_eq!(mistakes.len(), 1, "{}", mistake.name);
                let same = guess.text() == wrong.text() && mistakes[0].part == mistake.part;
                assert!(mistakes[0].name == mistake.name || same, "{} is told as {}", mistake.name, mistakes[0].name);
            }
            // A text that is written alike in both ways is right in both.
            Found::Right => assert!(wrong.text() == right.text() && wrong.scheme == right.scheme, "{}", mistake.name),
            Found::OtherKey { .. } | Found::Nothing { .. } => panic!("{} is not found", mistake.name),
        }
        tried += 1;
    }
    tried
}

#[test]
fn every_mistake_is_found_for_every_kind_of_key() {
    let (rsa, rsa_key) = rsa_pair();
    let (ed25519, ed25519_key) = ed25519_pair();
    let (secret, secret_key) = shared();
    assert!(all_are_found(Kind::Kalshi, &rsa, &rsa_key) >= 30);
    assert!(all_are_found(Kind::Kalshi, &ed25519, &ed25519_key) >= 24);
    assert!(all_are_found(Kind::Bayse, &secret, &secret_key) >= 35);
    assert!(all_are_found(Kind::Deribit, &secret, &secret_key) >= 30);
    assert!(all_are_found(Kind::Login, &secret, &secret_key) >= 10);
    assert!(all_are_found(Kind::Login, &rsa, &rsa_key) >= 10);
    assert!(all_are_found(Kind::Login, &ed25519, &ed25519_key) >= 8);
}

#[test]
fn two_mistakes_at_once_are_both_told() {
    let (signer, key) = ed25519_pair();
    let right = guess(Kind::Kalshi, key);
    let named = |name: &str| MISTAKES.iter().find(|one| one.name == name).unwrap();
    for pair in [["query_included", "method_lower_case"], ["path_without_prefix", "seconds"], ["query_included", "hex"]]
    {
        let mut wrong = right.clone();
        assert!(pair.iter().all(|name| (named(name).make)(&mut wrong)));
        let Found::Wrong { mistakes, .. } = search(&given(right.clone(), sign(&signer, &wrong))) else {
            panic!("{pair:?}")
        };
        assert_eq!(mistakes.iter().map(|one| one.name).collect::<Vec<_>>(), pair);
    }
}

#[test]
fn another_key_is_told_and_nonsense_is_not_explained() {
    let ((signer, key), (_, own)) = (ed25519_pair(), ed25519_pair());
    let right = guess(Kind::Kalshi, own);
    let signature = sign(&signer, &right);
    let others = vec![("other.pem".to_owned(), key)];
    let Found::OtherKey { name, mistakes, .. } = search(&Given { others, ..given(right.clone(), signature.clone()) })
    else {
        panic!("the other key signed")
    };
    assert_eq!((name.as_str(), mistakes.len()), ("other.pem", 0));
    let Found::Nothing { tried } = search(&given(right.clone(), signature)) else { panic!("nobody signed this") };
    assert!(tried > 100, "{tried}");
    assert!(matches!(search(&given(right, String::from_str("no base64!").unwrap())), Found::Nothing { .. }));
}
