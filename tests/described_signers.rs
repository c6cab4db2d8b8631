//! The descriptions of the specs (`x-signatures`) and the signers of `venuekit-auth` say the same: on published vectors' forms and on
//! random requests.

use venuekit::auth::bayse::BayseWrite;
use venuekit::auth::deribit::{DeribitHmac, DeribitKey};
use venuekit::auth::described::{DescribedSigner, Inputs, ParamValue, SigningKey, string_to_sign};
use venuekit::auth::kalshi::KalshiSigner;
use venuekit::auth::{KeyKind, Nonces, Parts, PrivateKey, SignError, Signer};
use venuekit::wire::operation::Venue;
use venuekit::wire::signature::Signature;
use venuekit::{bayse, deribit, kalshi, kalshi_perps};

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

/// A request: method, target, body, time.
fn requests() -> Vec<(String, String, Vec<u8>, i64)> {
    let mut random = Random(7);
    let request = |_| {
        let method = random.one_of(&["GET", "POST", "put", "Delete", "PATCH"]).to_owned();
        let path = random.one_of(&["/v1/pm/orders", "/trade-api/v2/a%20b", "/", "/api/v2/private/buy"]);
        let query = random.one_of(&["", "?", "?a=1&b=%7C", "?limit=5"]);
        let body = random.one_of(&["", "{}", r#"{"price": 0.10, "name":"ö"}"#, " "]);
        let time = 1_700_000_000_000 + i64::try_from(random.below(1_000_000_000)).unwrap();
        (method, format!("{path}{query}"), body.as_bytes().to_vec(), time)
    };
    (0..500).map(request).collect()
}

fn signature(venue: &'static Venue, name: &str) -> &'static Signature {
    venue.credentials.signature(name).unwrap()
}

fn nonces() -> Nonces {
    Nonces::from_fn(|| "a-nonce".to_owned())
}

/// Headers in the order of their names, and the text.
fn signed(signer: &dyn Signer, parts: &Parts<'_>, time: i64) -> (Vec<(String, String)>, String) {
    let signed = signer.sign(parts, time).unwrap();
    let text = signed.string_to_sign().unwrap().to_owned();
    let value = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    let headers = signed.into_iter().map(|(name, one)| (name.as_str().to_owned(), value(one.as_bytes())));
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    (headers, text)
}

fn agree(own: &dyn Signer, described: &DescribedSigner) {
    for (method, target, body, time) in requests() {
        let parts = Parts::new(&method, &target, &body);
        assert_eq!(signed(own, &parts, time), signed(described, &parts, time), "{method} {target}");
    }
}

#[test]
fn requests_are_signed_as_described() {
    let secret = "sk_live_0123456789";
    agree(
        &BayseWrite::new(secret).unwrap(),
        &DescribedSigner::new(signature(&bayse::VENUE, "write"), "pk_live_1", SigningKey::Shared(secret.into()))
            .unwrap(),
    );
    agree(
        &DeribitHmac::new("id", secret).unwrap().with_nonces(nonces()),
        &DescribedSigner::new(signature(&deribit::VENUE, "signature"), "id", SigningKey::Shared(secret.into()))
            .unwrap()
            .with_nonces(nonces()),
    );
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    for venue in [&kalshi::VENUE, &kalshi_perps::VENUE] {
        let described =
            DescribedSigner::new(signature(venue, "signature"), "id", SigningKey::Pair(key.clone())).unwrap();
        agree(&KalshiSigner::new("id", key.clone()).unwrap(), &described);
    }
}

/// A signature with PSS is another one each time.
#[test]
fn a_salted_signature_is_of_the_same_text() {
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let own = KalshiSigner::new("id", key.clone()).unwrap();
    let described = DescribedSigner::new(signature(&kalshi::VENUE, "signature"), "id", SigningKey::Pair(key)).unwrap();
    for (method, target, body, time) in requests().into_iter().take(5) {
        let parts = Parts::new(&method, &target, &body);
        let ((own, own_text), (described, text)) = (signed(&own, &parts, time), signed(&described, &parts, time));
        assert_eq!(own_text, text);
        let lengths = |headers: &[(String, String)]| -> Vec<(String, usize)> {
            headers.iter().map(|(name, value)| (name.clone(), value.len())).collect()
        };
        assert_eq!(lengths(&own), lengths(&described));
    }
}

#[test]
fn logins_are_signed_as_described() {
    let described = |key| {
        let signer = DescribedSigner::new(signature(&deribit::VENUE, "login"), "id", key).unwrap();
        signer.with_nonces(nonces())
    };
    let secret = "a-secret";
    let check = |own: venuekit::auth::deribit::ClientSignature, described: &DescribedSigner, data: &str| {
        let signed = described.params(1_700_000_000_000, data).unwrap();
        assert_eq!(signed.string_to_sign(), own.string_to_sign());
        for (name, value) in signed.params() {
            let (text, number) = match value {
                ParamValue::Text(text) => (text.clone(), None),
                ParamValue::Number(number) => (String::new(), Some(*number)),
                ParamValue::Signature(signature) => (signature.expose().to_owned(), None),
                other => panic!("{other:?}"),
            };
            match *name {
                "grant_type" => assert_eq!(text, "client_signature"),
                "client_id" => assert_eq!(text, own.client_id),
                "timestamp" => assert_eq!(number, Some(own.timestamp)),
                "nonce" => assert_eq!(text, own.nonce),
                "data" => assert_eq!(text, own.data),
                "signature" => assert_eq!(text, own.signature.expose()),
                other => panic!("{other}"),
            }
        }
        assert_eq!(signed.params().len(), 6);
        assert!(!format!("{signed:?}").contains(own.signature.expose()));
    };
    for data in ["", "more"] {
        let hmac = DeribitHmac::new("id", secret).unwrap().with_nonces(nonces());
        let own = hmac.client_signature(1_700_000_000_000, data).unwrap();
        check(own, &described(SigningKey::Shared(secret.into())), data);
        for kind in [KeyKind::Ed25519, KeyKind::Rsa2048] {
            let key = PrivateKey::generate(kind).unwrap();
            let own = DeribitKey::new("id", key.clone()).unwrap().with_nonces(nonces());
            let own = own.client_signature(1_700_000_000_000, data).unwrap();
            check(own, &described(SigningKey::Pair(key)), data);
        }
    }
}

#[test]
fn what_cannot_be_signed_is_refused_before() {
    let hmac = signature(&deribit::VENUE, "signature");
    let made = |id: &str, key| DescribedSigner::new(hmac, id, key).map(drop);
    assert_eq!(made("", SigningKey::Shared("s".into())), Err(SignError::Empty("key id")));
    assert_eq!(made("a,b", SigningKey::Shared("s".into())), Err(SignError::Unfit("key id")));
    assert_eq!(made("id", SigningKey::Shared("a b".into())), Err(SignError::Unfit("secret key")));
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    assert_eq!(made("id", SigningKey::Pair(key)), Err(SignError::Unfit("secret key")));
    let signer = DescribedSigner::new(hmac, "id", SigningKey::Shared("s".into())).unwrap();
    let body = [0xff];
    let parts = Parts::new("POST", "/a", &body);
    assert_eq!(signer.sign(&parts, 1).map(drop), Err(SignError::BodyNotText));
    assert_eq!(signer.sign(&Parts::new("GET", "/a", b""), -1).map(drop), Err(SignError::Clock));
}

#[test]
fn a_text_is_put_together_by_its_pieces() {
    let parts = Parts::new("get", "/orders?limit=5", b"{}");
    let inputs = Inputs { time: 17, nonce: "n", id: "id", parts: Some(&parts), data: "" };
    for (signature, expected) in [
        (signature(&kalshi::VENUE, "signature"), "17GET/orders"),
        (signature(&deribit::VENUE, "signature"), "17\nn\nGET\n/orders?limit=5\n{}\n"),
        (
            signature(&bayse::VENUE, "write"),
            "17.GET./orders.44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        ),
    ] {
        assert_eq!(String::from_utf8(string_to_sign(signature, &inputs)).unwrap(), expected);
    }
}

/// The published and recomputed vectors of `venuekit-auth`, by the descriptions.
#[test]
fn published_vectors_are_reproduced() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../crates/auth/tests/vectors/signing.json")).unwrap();
    let mut checked = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let inputs = &vector["inputs"];
        let text = |name: &str| inputs[name].as_str().unwrap_or_default().to_owned();
        let time = inputs["timestamp"].as_i64().unwrap_or_default();
        let (nonce, body) = (text("nonce"), text("body"));
        let nonces = Nonces::from_fn(move || nonce.clone());
        let (made, expected) = (vector["string_to_sign"].as_str(), vector["expected"].as_str().unwrap());
        let shared = |signature, id: &str, secret: String| {
            let id = if id.is_empty() { "client" } else { id };
            DescribedSigner::new(signature, id, SigningKey::Shared(secret.into())).unwrap().with_nonces(nonces.clone())
        };
        let (signed_text, signed) = match vector["venue"].as_str().unwrap() {
            "bayse" => {
                let signer = shared(signature(&bayse::VENUE, "write"), "pk", text("secret_key"));
                let target = text("path");
                let signed = signed(&signer, &Parts::new(&text("method"), &target, body.as_bytes()), time * 1000);
                (signed.1, signed.0.iter().find(|(name, _)| name == "x-signature").unwrap().1.clone())
            }
            "deribit" if inputs["uri"].is_string() => {
                let signer = shared(signature(&deribit::VENUE, "signature"), &text("client_id"), text("client_secret"));
                let target = text("uri");
                let signed = signed(&signer, &Parts::new(&text("method"), &target, body.as_bytes()), time);
                (signed.1, signed.0[0].1.rsplit_once("sig=").unwrap().1.to_owned())
            }
            "deribit" => {
                let signer = shared(signature(&deribit::VENUE, "login"), &text("client_id"), text("client_secret"));
                let signed = signer.params(time, &text("data")).unwrap();
                let Some((_, ParamValue::Signature(signature))) = signed.params().last() else { panic!("{signed:?}") };
                (signed.string_to_sign().to_owned(), signature.expose().to_owned())
            }
            _ => continue,
        };
        assert_eq!(signed_text, made.unwrap_or(&signed_text), "{}", vector["id"]);
        let bare = expected.rsplit_once("sig=").map_or(expected, |(_, bare)| bare);
        assert_eq!(signed, bare, "{}", vector["id"]);
        checked += 1;
    }
    assert_eq!(checked, 7);
}
