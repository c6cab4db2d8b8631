//! A signature that is a parameter of the request it signs: every vector in `vectors/added_parameters.json`, and what a request may have
//! already.

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use support::{text, verify_ed25519, verify_pkcs1v15};
use venuekit_auth::described::{DescribedSigner, Inputs, SigningKey, string_to_sign};
use venuekit_auth::{Added, Parts, PrivateKey, SignError, Signed, Signer};
use venuekit_wire::Secret;
use venuekit_wire::signature::{Algorithm, Encoding, KeyType, Piece, Place, Signature, SigningRule, TimeUnit};

const fn rule(key: KeyType, algorithm: Algorithm, encoding: Encoding) -> SigningRule {
    SigningRule { key, algorithm, encoding, is_unsure: false }
}

const BARE: Signature = Signature {
    name: "signature",
    text: &[Piece::Query, Piece::Body],
    separator: "",
    end: "",
    time: TimeUnit::Millis,
    ahead_millis: 0,
    keys: &[
        rule(KeyType::Shared, Algorithm::HmacSha256, Encoding::Hex),
        rule(KeyType::Rsa, Algorithm::Pkcs1v15Sha256, Encoding::Base64),
        rule(KeyType::Ed25519, Algorithm::Ed25519, Encoding::Base64),
    ],
    fields: &[("x-key", "{id}")],
    place: Place::Headers,
    adds: &[("timestamp", "{time}"), ("signature", "{signature}")],
};

static WITHOUT_WINDOW: Signature = BARE;

static WITH_WINDOW: Signature =
    Signature { adds: &[("recvWindow", "5000"), ("timestamp", "{time}"), ("signature", "{signature}")], ..BARE };

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    inputs: Given,
    string_to_sign: String,
    expected: String,
    in_url: Option<String>,
}

#[derive(Deserialize)]
struct Given {
    api_secret: Option<String>,
    private_key_pem: Option<String>,
    query: Option<String>,
    body: Option<String>,
}

impl Given {
    fn key(&self) -> SigningKey {
        match (&self.api_secret, &self.private_key_pem) {
            (Some(secret), _) => SigningKey::Shared(Secret::new(secret.clone())),
            (None, pem) => SigningKey::Pair(PrivateKey::from_pem(pem.as_deref().unwrap()).unwrap()),
        }
    }
}

fn header<'a>(signed: &'a Signed, name: &str) -> &'a str {
    signed.headers().iter().find(|(found, _)| found == name).expect(name).1.to_str().unwrap()
}

/// The time that a text carries, and the text before the parameters that a signer adds.
fn taken_apart(text: &str) -> (i64, String, &'static Signature) {
    let (before, time) = text.rsplit_once("timestamp=").unwrap();
    let time: i64 = time.split('&').next().unwrap().parse().unwrap();
    let signature = if text.contains("recvWindow=") { &WITH_WINDOW } else { &WITHOUT_WINDOW };
    // What follows the time is part of the vector.
    let before = match text.ends_with(&time.to_string()) {
        true => before.trim_end_matches('&').trim_end_matches("recvWindow=5000").trim_end_matches('&').to_owned(),
        false => text.to_owned(),
    };
    (time, before, signature)
}

#[test]
fn every_vector_is_reproduced() {
    let file = include_str!("vectors/added_parameters.json");
    let Vectors { vectors } = serde_json::from_str(file).unwrap();
    let mut requests = 0;
    for Vector { id, inputs, string_to_sign: wanted, expected, in_url } in &vectors {
        if !wanted.contains("timestamp=") || wanted.starts_with("apiKey=") {
            // What is signed by the same key in another way.
            let SigningKey::Pair(key) = inputs.key() else { panic!("{id}") };
            assert_eq!(STANDARD.encode(key.sign_ed25519(wanted.as_bytes()).unwrap()), *expected, "{id}");
            continue;
        }
        requests += 1;
        let (time, before, signature) = taken_apart(wanted);
        let signer = DescribedSigner::new(signature, "the-key", inputs.key()).unwrap();
        let (query, body) = match (&inputs.query, &inputs.body) {
            (Some(query), Some(_)) => (Some(query.as_str()), before.strip_prefix(query).unwrap().to_owned()),
            _ => (None, before.clone()),
        };
        let sent = in_url.as_ref().unwrap_or(expected);
        let in_body = Parts { method: "POST", path: "/order", query, body: body.as_bytes() };
        let in_query = Parts { method: "GET", path: "/order", query: Some(&before), body: b"" };
        let both = if query.is_some() { vec![in_body] } else { vec![in_body, in_query] };
        for parts in both {
            let signed = signer.sign(&parts, time).unwrap();
            assert_eq!(signed.string_to_sign(), Some(wanted.as_str()), "{id}");
            assert_eq!(header(&signed, "x-key"), "the-key");
            assert_eq!(signed.headers().len(), 1);
            let added = signed.added().unwrap();
            assert_eq!(matches!(added, Added::Body(_)), !parts.body.is_empty(), "{id}");
            assert!(added.as_str().ends_with(&format!("signature={sent}")), "{id}: {}", added.as_str());
            let whole = format!("{}{body}{}", query.unwrap_or_default(), added.as_str());
            let whole = if parts.body.is_empty() { format!("{before}{}", added.as_str()) } else { whole };
            // What is sent is what was signed, and the signature.
            let (text, last) = whole.rsplit_once("signature=").unwrap();
            assert_eq!(
                (text.trim_end_matches('&').trim_start_matches('?'), last),
                (wanted.as_str(), sent.as_str()),
                "{id}"
            );
        }
    }
    assert_eq!((vectors.len(), requests), (9, 7));
}

#[test]
fn what_is_added_is_separated_from_what_is_there() {
    let signer = DescribedSigner::new(&WITH_WINDOW, "id", SigningKey::Shared("secret".into())).unwrap();
    let added = |query: Option<&str>, body: &str| {
        let parts = Parts { method: "POST", path: "/order", query, body: body.as_bytes() };
        let signed = signer.sign(&parts, 1_700_000_000_000).unwrap();
        let text = signed.string_to_sign().unwrap().to_owned();
        (signed.added().unwrap().clone(), text)
    };
    let params = "recvWindow=5000&timestamp=1700000000000";
    for (query, body, begin, signed) in [
        (None, "", format!("?{params}&signature="), params.to_owned()),
        (Some(""), "", format!("{params}&signature="), params.to_owned()),
        (Some("a=b%20c"), "", format!("&{params}&signature="), format!("a=b%20c&{params}")),
        (Some("a=1"), "b=2", format!("&{params}&signature="), format!("a=1b=2&{params}")),
        (None, "b=2", format!("&{params}&signature="), format!("b=2&{params}")),
        // What the caller has given stays, and is not given twice.
        (
            Some("recvWindow=100"),
            "",
            "&timestamp=1700000000000&signature=".to_owned(),
            "recvWindow=100&timestamp=1700000000000".to_owned(),
        ),
        (Some("recvWindow=100"), "timestamp=1", "&signature=".to_owned(), "recvWindow=100timestamp=1".to_owned()),
        (Some("xrecvWindow=1"), "", format!("&{params}&signature="), format!("xrecvWindow=1&{params}")),
    ] {
        let (added, text) = added(query, body);
        assert_eq!(text, signed);
        assert!(added.as_str().starts_with(&begin), "{query:?} {body:?}: {}", added.as_str());
        assert_eq!(matches!(added, Added::Query(_)), body.is_empty());
        // Who verifies has the request without its signature, and needs no more.
        let parts = Parts { method: "POST", path: "/order", query, body: body.as_bytes() };
        let own = format!("{}{}", query.unwrap_or(body), added.as_str());
        let (own, _) = own.rsplit_once("&signature=").unwrap();
        let whole = if body.is_empty() {
            Parts { query: Some(own.trim_start_matches('?')), ..parts }
        } else {
            let (all, _) = added.as_str().rsplit_once("signature=").unwrap();
            let body: &'static str = format!("{body}{}", all.trim_end_matches('&')).leak();
            Parts { body: body.as_bytes(), ..parts }
        };
        let inputs = Inputs { time: 0, nonce: "", id: "id", parts: Some(&whole), data: "" };
        assert_eq!(string_to_sign(&WITH_WINDOW, &inputs), signed.as_bytes());
    }
}

#[test]
fn each_kind_of_key_signs_and_base64_is_percent_encoded() {
    let parts = Parts::new("GET", "/order?symbol=%EF%BC%91", b"");
    for (name, verify) in
        [("rsa_pkcs8.pem", verify_pkcs1v15 as fn(&str, &[u8], &[u8]) -> bool), ("ed25519.pem", verify_ed25519)]
    {
        let key = PrivateKey::from_pem(text(name)).unwrap();
        let signer = DescribedSigner::new(&WITH_WINDOW, "id", SigningKey::Pair(key.clone())).unwrap();
        for time in 1_700_000_000_000..1_700_000_000_020 {
            let signed = signer.sign(&parts, time).unwrap();
            let (_, sent) = signed.added().unwrap().as_str().rsplit_once("signature=").unwrap();
            assert!(!sent.contains(['+', '/', '=']), "{sent}");
            let base64 = sent.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
            let signature = STANDARD.decode(base64).unwrap();
            assert!(verify(key.public_key_pem(), signed.string_to_sign().unwrap().as_bytes(), &signature));
        }
    }
}

#[test]
fn a_reqwest_request_is_given_the_parameters() {
    let signer = DescribedSigner::new(&WITH_WINDOW, "id", SigningKey::Shared("secret".into())).unwrap();
    let client = reqwest::Client::new();
    let signers = || [&signer as &dyn Signer];
    for (url, before) in [("http://v.test/a", ""), ("http://v.test/a?x=%2B+1", "x=%2B+1&")] {
        let mut request = client.get(url).build().unwrap();
        venuekit_auth::apply(&mut request, signers(), 7).unwrap();
        let query = request.url().query().unwrap();
        assert!(query.starts_with(&format!("{before}recvWindow=5000&timestamp=7&signature=")), "{query}");
    }
    let mut request = client.post("http://v.test/a?x=1").body("y=2").build().unwrap();
    venuekit_auth::apply(&mut request, signers(), 7).unwrap();
    let body = request.body().unwrap().as_bytes().unwrap();
    assert!(body.starts_with(b"y=2&recvWindow=5000&timestamp=7&signature="));
    assert_eq!((request.url().query(), &request.headers()["x-key"]), (Some("x=1"), &"id".parse().unwrap()));
}

#[test]
fn a_body_that_is_no_text_is_refused_and_the_signature_is_not_shown() {
    let signer = DescribedSigner::new(&WITH_WINDOW, "id", SigningKey::Shared("secret".into())).unwrap();
    let parts = Parts { method: "POST", path: "/a", query: None, body: &[0xff] };
    assert_eq!(signer.sign(&parts, 7).unwrap_err(), SignError::BodyNotText);
    let signed = signer.sign(&Parts::new("GET", "/a", b""), 7).unwrap();
    let (_, signature) = signed.added().unwrap().as_str().rsplit_once('=').unwrap();
    assert!(!format!("{signed:?} {:?}", signed.added()).contains(signature));
}
