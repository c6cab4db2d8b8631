//! Signatures with a mistake in them: each one is identified by its name.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey};
use rsa::{Pkcs1v15Sign, Pss};
use venuekit_auth::{KeyKind, PrivateKey};
use venuekit_wire::signature::{
    Algorithm, Encoding as Written, KeyType, Piece, Place, Signature as Rule, SigningRule, TimeUnit,
};

use super::case::Case;
use super::check::{Encoding, Hash, Key, Scheme, hashed};
use super::guess::{BodyForm, Guess, pieces};
use super::mistakes::MISTAKES;
use super::search::{Found, search};

const fn by(key: KeyType, algorithm: Algorithm, encoding: Written) -> SigningRule {
    SigningRule { key, algorithm, encoding, is_unsure: false }
}

const BY_PAIR: &[SigningRule] = &[
    by(KeyType::Rsa, Algorithm::PssSha256, Written::Base64),
    by(KeyType::Ed25519, Algorithm::Ed25519, Written::Base64),
];

/// Time, method and path, without separators.
const PLAIN: Rule = Rule {
    name: "signature",
    text: &[Piece::Time, Piece::Method, Piece::Path],
    separator: "",
    end: "",
    time: TimeUnit::Millis,
    ahead_millis: 0,
    keys: BY_PAIR,
    fields: &[],
    place: Place::Headers,
    adds: &[],
};

/// With a hash of the body, in seconds, and dots.
const HASHED: Rule = Rule {
    text: &[Piece::Time, Piece::Method, Piece::Path, Piece::BodyHash],
    separator: ".",
    time: TimeUnit::Seconds,
    keys: &[by(KeyType::Shared, Algorithm::HmacSha256, Written::Base64)],
    ..PLAIN
};

/// With a nonce, the query and the body, each on its own line.
const LINES: Rule = Rule {
    text: &[Piece::Time, Piece::Nonce, Piece::Method, Piece::Target, Piece::Body],
    separator: "\n",
    end: "\n",
    keys: &[by(KeyType::Shared, Algorithm::HmacSha256, Written::Hex)],
    ..PLAIN
};

/// A login beside it.
const LOGIN: Rule = Rule {
    name: "login",
    text: &[Piece::Time, Piece::Nonce, Piece::Data],
    end: "",
    keys: &[
        by(KeyType::Shared, Algorithm::HmacSha256, Written::Hex),
        by(KeyType::Rsa, Algorithm::Pkcs1v15Sha256, Written::Base64Url),
        by(KeyType::Ed25519, Algorithm::Ed25519, Written::Base64Url),
    ],
    place: Place::Params,
    ..LINES
};

/// With a fixed text and the query alone, both signed without separators.
const FIXED: Rule = Rule {
    text: &[Piece::Time, Piece::Id, Piece::Text("5000"), Piece::Query, Piece::Body],
    keys: &[by(KeyType::Shared, Algorithm::HmacSha256, Written::Hex)],
    ..PLAIN
};

/// A parameter of the request itself, which covers query and form.
const ADDED: Rule = Rule {
    text: &[Piece::Query, Piece::Body],
    keys: &[
        by(KeyType::Shared, Algorithm::HmacSha256, Written::Hex),
        by(KeyType::Rsa, Algorithm::Pkcs1v15Sha256, Written::Base64),
        by(KeyType::Ed25519, Algorithm::Ed25519, Written::Base64),
    ],
    adds: &[("recvWindow", "5000"), ("timestamp", "{time}"), ("signature", "{signature}")],
    ..PLAIN
};

static RULES: [Rule; 6] = [PLAIN, HASHED, LINES, LOGIN, FIXED, ADDED];
static LINED: [Rule; 2] = [LINES, LOGIN];

fn guess(rule: Rule, key: Key) -> Guess {
    let rule = RULES.iter().find(|one| **one == rule).unwrap();
    let kind = match key {
        Key::Shared(_) => KeyType::Shared,
        Key::Rsa(_) => KeyType::Rsa,
        Key::Ed25519(_) => KeyType::Ed25519,
    };
    let is_hashed = *rule == HASHED;
    let (has_nonce, is_added) = (rule.covers(Piece::Nonce), *rule == ADDED);
    Guess {
        rule,
        other_rules: if has_nonce { &LINED } else { &[] },
        login: Some(("POST".to_owned(), "/trade-api/v2/public/auth".to_owned())),
        prefix: if is_hashed { "" } else { "/trade-api/v2" },
        is_websocket: false,
        time: if is_hashed { "1703123456" } else { "1703123456789" }.to_owned(),
        nonce: if has_nonce { "abc" } else { "" }.to_owned(),
        method: "POST".to_owned(),
        origin: "https://venue.example".to_owned(),
        path: if is_hashed { "/v1/pm/orders/a%20b" } else { "/trade-api/v2/portfolio/orders/a%20b" }.to_owned(),
        template: Some("/trade-api/v2/portfolio/orders/{order_id}".to_owned()),
        query: Some(if is_added { "symbol=A%2FB&label=a+b&side=BUY" } else { "limit=5&label=a%20b" }.to_owned()),
        with_query: rule.covers(Piece::Target) || rule.covers(Piece::Query),
        body: match *rule {
            LOGIN => String::new(),
            ADDED => "quantity=1&note=x%20y&recvWindow=5000&timestamp=1703123456789".to_owned(),
            _ => r#"{ "b": 1.50,"a": ["é"]}"#.to_owned(),
        }
        .into_bytes(),
        given_body: Some("{ \"b\": 1.50,\n\"a\": [\"é\"]}\n".as_bytes().to_vec()),
        body_form: BodyForm::Proper,
        pieces: pieces(rule),
        literals: Vec::new(),
        separator: rule.separator,
        end: rule.end,
        encoding: match rule.rule(kind).unwrap().encoding {
            Written::Hex => Encoding::Hex,
            Written::Base64 => Encoding::Base64,
            Written::Base64Url => Encoding::Base64UrlNoPad,
        },
        scheme: Scheme::Proper,
        key,
        key_name: "own".to_owned(),
        key_id: "pk_live_public".to_owned(),
    }
}

/// What signs, for a guess that says how.
enum Signer {
    Rsa(Box<rsa::PrivateKey>),
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
            let mac = |key: &[u8], text: &[u8]| {
                aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(algorithm, key), text).as_ref().to_vec()
            };
            match scheme {
                Scheme::TurnedRound => mac(&text, secret),
                Scheme::HashOfSecretAndText => hashed(hash, &[secret.as_slice(), &text].concat()),
                Scheme::HashOfTextAndSecret => hashed(hash, &[text.as_slice(), secret].concat()),
                _ => mac(secret, &text),
            }
        }
        (Signer::Ed25519(key), _) => {
            let text = if hash == Hash::Sha256 { text } else { hashed(hash, &text) };
            key.sign_ed25519(&text).unwrap().to_vec()
        }
        (Signer::Rsa(key), _) => rsa_sign(key, scheme, guess.padding(), hash, &text),
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
        Encoding::Base64Twice => STANDARD.encode(STANDARD.encode(bytes)),
    }
}

fn rsa_sign(key: &rsa::PrivateKey, scheme: Scheme, padding: Scheme, hash: Hash, text: &[u8]) -> Vec<u8> {
    use rsa::sha2::{Sha256, Sha384, Sha512};

    let digest = hashed(hash, text);
    let plain = scheme == Scheme::Pkcs1v15 || scheme == Scheme::Proper && padding != Scheme::Pss;
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
    let signature = match hash {
        Hash::Sha1 => key.sign(Pss::<sha1::Sha1>::new_with_salt(salt), &digest),
        Hash::Sha256 => key.sign(Pss::<Sha256>::new_with_salt(salt), &digest),
        Hash::Sha384 => key.sign(Pss::<Sha384>::new_with_salt(salt), &digest),
        Hash::Sha512 => key.sign(Pss::<Sha512>::new_with_salt(salt), &digest),
    };
    signature.unwrap()
}

fn rsa_pair() -> (Signer, Key) {
    let key = rsa::PrivateKey::new(&mut rand::rng(), 2048).unwrap();
    let pem = key.to_public_key().to_public_key_pem(rsa::pkcs8::LineEnding::LF).unwrap();
    assert!(rsa::PublicKey::from_public_key_pem(&pem).is_ok());
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

fn case(guess: Guess, signature: String) -> Case {
    Case { guess, signature, others: Vec::new(), faults: Vec::new() }
}

/// Every mistake that makes sense here is found, as itself or as one that comes to the same.
fn all_are_found(rule: Rule, signer: &Signer, key: &Key) -> usize {
    let right = guess(rule, key.clone());
    assert!(matches!(search(&case(right.clone(), sign(signer, &right))), Found::Right));
    let mut tried = 0;
    for mistake in MISTAKES {
        // Of the many the first, the last and one between; what no library here signs has a test of its own.
        let all = mistake.guesses(&right);
        let some = [all.first(), all.get(all.len() / 2), all.last()].into_iter().flatten();
        for wrong in some.take(all.len()).filter(|wrong| !matches!(wrong.scheme, Scheme::Sha1Mask(_))) {
            match search(&case(right.clone(), sign(signer, wrong))) {
                Found::Wrong { guess, mistakes } => {
                    assert_eq!(mistakes.len(), 1, "{}", mistake.name);
                    let same = guess.text() == wrong.text();
                    let told = mistakes[0].name;
                    assert!(told == mistake.name || same, "{} is told as {told}", mistake.name);
                }
                // A text that is written alike in both ways is right in both.
                Found::Right => {
                    assert!(wrong.text() == right.text() && wrong.scheme == right.scheme, "{}", mistake.name);
                }
                Found::OtherKey { .. } | Found::Nothing { .. } => panic!("{} is not found", mistake.name),
            }
            tried += 1;
        }
    }
    tried
}

#[test]
fn every_mistake_is_found_for_every_kind_of_key() {
    let (rsa, rsa_key) = rsa_pair();
    let (ed25519, ed25519_key) = ed25519_pair();
    let (secret, secret_key) = shared();
    assert!(all_are_found(PLAIN, &rsa, &rsa_key) >= 30);
    assert!(all_are_found(PLAIN, &ed25519, &ed25519_key) >= 24);
    assert!(all_are_found(HASHED, &secret, &secret_key) >= 35);
    assert!(all_are_found(LINES, &secret, &secret_key) >= 30);
    assert!(all_are_found(FIXED, &secret, &secret_key) >= 30);
    assert!(all_are_found(ADDED, &secret, &secret_key) >= 30);
    assert!(all_are_found(ADDED, &rsa, &rsa_key) >= 25);
    assert!(all_are_found(ADDED, &ed25519, &ed25519_key) >= 25);
    assert!(all_are_found(LOGIN, &secret, &secret_key) >= 10);
    assert!(all_are_found(LOGIN, &rsa, &rsa_key) >= 10);
    assert!(all_are_found(LOGIN, &ed25519, &ed25519_key) >= 8);
}

const MASK_KEY: &str = "\
    -----BEGIN PUBLIC KEY-----\n\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuA9MGSFoAjeTtRRM/x2w\n\
    8dmanu4qJnkNu0qZsNuUCAJ3wpqd9Nkor0wgQfECvPWIeW6GP5b6Jo/BDx6cxWoh\n\
    gOaL+7HV3xpVVrrwqy/B6LjkSXVvwNVBTvyULbMcmCQiXLkag9hYqio3Nwio686x\n\
    y28cD2zYVUxHykfaC0Rq88U2P7vGTobXu87di10d4adi9reCvbNZo1b5aSpA6YAE\n\
    YPr/7cwVOp3Evd92V+XFhlxmgCgx6fIi54eFGmBd4e60ruSae7U1Gke2GCV9YbCU\n\
    zNMmuww1uPgA1cJKKpoHrqZum4JxMZ220FUwbypGngsuUcjLRDSJWdgHJG2zfdo7\n\
    5QIDAQAB\n\
    -----END PUBLIC KEY-----";
const MASK_PROPER: &str = "\
    MynzseSey3kAKjtVNjhtcSLqp68puIZxyWlVr/BuNIgcvf3SlmeAft3glZlMZ+P0okZ4dOx6j8TlpjxJpzG9LySYSUc3MGMqqZE5p+qf\
    sUBlwR+gsC73QD7vqUsYTd4d1mi5xmW91Hg1T6ndw/yFuOGlRUcWVaVmBrbeAsN/XyyMx7hXbPbi1Qj6/o1ysutqFNB/hEjpULlwWSQh\
    icMxVsHNak0fslc6rc3LUzdi8KCDRGzzQrzycqkoZfMjIDWYeLjj8274ee68FRqn+zfUC8N5uLQeQNT0gaopuPdG/x1U8uN3wyCtX2Dn\
    JzX6ck6kft0PxwpLzJPuLnl37tWbcw==";
const MASK_SHA1: &str = "\
    hh8ALinQiKImKpUmVXHD9QlWKkSg3kmkhp6UciLnryZIV/nIwfUVBZbpMTEFzj9HHagVUtS50sQh9ZWTalUfrcxsIcCjGIdnE720bmwf\
    SOCKtEWzUrIxbUpRcFAbTLWqEuXI7b2xRJj/sDOBx0Yv3m+v/UUcw0niowy9UEzwh9YhsrdBSTm8m8sPrO0Uq/FH1GxZXJquxnp6uJHr\
    Wu8IvR6TgZ1EH1o+ZhmFsjf7tyd2pe9qrT0iwnW2P1mJ9CsiMhLRkbOX7pYP5XYYl+LENsqaeSju8aZ9k1hzm5tyfhB+VquoxkiBE7mB\
    wpg5c6tfYw+Cj+jmg4bjbWj21Wl/ew==";
const MASK_SHA1_SALT_20: &str = "\
    DRvjqvelE6uGLJuy6Hw5uKczd1vh/AWjw6kpyDJI/UWVETino30KrH4Sl1cMD9t3e6sNbYgoKZGIFUrX/SI+YEqvFuueZB4/v+s1eb55\
    J0R6e45CpWqpse+9cXsxoWC4U+Ou2Sc6rse3K1GKavdbOMHTdV7ejvp/Z9LZZyig+zNSChVk6W9ywvLzkEi8BvCK1IuXE2izdjeNbf0S\
    dczb7kYTXXsdtPT/yeM9snKbRK48rKFLsbR6PrMK3HFXJbczsDOKuyLJ0PvzxjEvYFyfSn6fAt9CzJfJLkLmc434v0SR4/xpdBDqUzev\
    /5rzfyXwnOgcIAX0Bf+TZ9gOQbDFsw==";

/// Signatures that another library made (Python's `cryptography`): no crate here makes such masks.
#[test]
fn a_mask_of_another_hash_is_found() {
    let key = Key::from_pem(MASK_KEY).unwrap();
    let right =
        Guess { method: "GET".to_owned(), path: "/trade-api/v2/portfolio/orders".to_owned(), ..guess(PLAIN, key) };
    for (signature, name) in [(MASK_SHA1, "mask_sha1"), (MASK_SHA1_SALT_20, "mask_sha1_salt_20")] {
        let Found::Wrong { mistakes, .. } = search(&case(right.clone(), signature.to_owned())) else {
            panic!("{name}")
        };
        assert_eq!(mistakes.iter().map(|one| one.name).collect::<Vec<_>>(), [name]);
    }
    assert!(matches!(search(&case(right, MASK_PROPER.to_owned())), Found::Right));
}

/// What people do to signatures of parameters, each told by its own name.
#[test]
fn a_signature_of_parameters_is_explained() {
    let (signer, key) = shared();
    let right = guess(ADDED, key);
    let told = |query: Option<&str>, body: &str, wrong: &str| {
        let right = Guess { query: query.map(str::to_owned), body: body.into(), ..right.clone() };
        let signed = Guess { query: None, body: wrong.into(), pieces: vec![Piece::Body], ..right.clone() };
        match search(&case(right, sign(&signer, &signed))) {
            Found::Wrong { mistakes, .. } => mistakes.iter().map(|one| one.name).collect::<Vec<_>>().join(" "),
            Found::Right => "right".to_owned(),
            Found::OtherKey { .. } | Found::Nothing { .. } => "nothing".to_owned(),
        }
    };
    let (query, form) = ("symbol=A%2FB&side=BUY", "quantity=1&recvWindow=5000&timestamp=1703123456789");
    let whole = format!("{query}&{form}");
    assert_eq!(told(Some(query), form, &format!("{query}{form}")), "right");
    assert_eq!(told(Some(query), form, &whole), "ampersand");
    assert_eq!(told(Some(&whole), "", &whole.replace("%2F", "/")), "parameters_decoded");
    assert_eq!(told(Some(&whole), "", &whole.replace("%2F", "%252F")), "parameters_signed_encoded_twice");
    assert_eq!(told(Some(&whole.replace("%2F", "%252F")), "", &whole), "parameters_encoded_twice");
    let sorted = "quantity=1&recvWindow=5000&side=BUY&symbol=A%2FB&timestamp=1703123456789";
    assert_eq!(told(Some(&whole), "", sorted), "parameters_sorted");
    // As some venues want it over a connection.
    assert_eq!(told(Some(&whole), "", &sorted.replace("%2F", "/")), "parameters_decoded parameters_sorted");
    assert_eq!(told(None, form, "recvWindow=5000&timestamp=1703123456789&quantity=1"), "parameter_moved");
    assert_eq!(told(None, form, "quantity=1&recvWindow=5000&timestamp=1703123456"), "parameter_in_seconds");
    assert_eq!(told(None, form, "quantity=1"), "added_parameter_left_out");
    assert_eq!(told(None, form, "quantity=1&timestamp=1703123456789"), "added_parameter_left_out");
    assert_eq!(told(None, "a=x+y&timestamp=1703123456789", "a=x%20y&timestamp=1703123456789"), "blanks_as_percent_20");
    assert_eq!(told(None, form, "quantity=2&recvWindow=5000&timestamp=1703123456789"), "nothing");
    // A request with very many parameters, or with a time that is no number, is not explained, and costs nothing.
    let many: String = (0..5000).map(|number| format!("p{number}=1&")).collect();
    let (last, first) = (format!("{many}{form}"), format!("{form}&{many}").trim_end_matches('&').to_owned());
    assert_eq!(told(None, &last, &first), "nothing");
    let odd = Guess {
        time: "é".repeat(8), query: None, body: "quantity=1&timestamp=éééééééé".into(), ..right.clone()
    };
    let signed = Guess { body: "quantity=1".into(), ..odd.clone() };
    assert!(matches!(search(&case(odd, sign(&signer, &signed))), Found::Wrong { .. }));
}

#[test]
fn two_mistakes_at_once_are_both_told() {
    let (signer, key) = ed25519_pair();
    let right = guess(PLAIN, key);
    let named = |name: &str| MISTAKES.iter().find(|one| one.name == name).unwrap();
    for pair in [["query_included", "method_lower_case"], ["path_without_prefix", "seconds"], ["query_included", "hex"]]
    {
        let wrong = pair.iter().fold(right.clone(), |guess, name| named(name).one(&guess).unwrap());
        let Found::Wrong { mistakes, .. } = search(&case(right.clone(), sign(&signer, &wrong))) else {
            panic!("{pair:?}")
        };
        assert_eq!(mistakes.iter().map(|one| one.name).collect::<Vec<_>>(), pair);
    }
}

#[test]
fn another_key_is_reported_and_nonsense_is_not_explained() {
    let ((signer, key), (_, own)) = (ed25519_pair(), ed25519_pair());
    let right = guess(PLAIN, own);
    let signature = sign(&signer, &right);
    let others = vec![("other.pem".to_owned(), key)];
    let Found::OtherKey { name, mistakes, .. } = search(&Case { others, ..case(right.clone(), signature.clone()) })
    else {
        panic!("the other key signed")
    };
    assert_eq!((name.as_str(), mistakes.len()), ("other.pem", 0));
    let Found::Nothing { tried } = search(&case(right.clone(), signature)) else { panic!("nobody signed this") };
    assert!(tried > 100, "{tried}");
    assert!(matches!(search(&case(right, String::from_str("no base64!").unwrap())), Found::Nothing { .. }));
}
