//! Every vector in `vectors/bybit.json`, by the description in the spec.

use serde_json::Value;
use venuekit_auth::described::{DescribedSigner, Inputs, SigningKey, string_to_sign};
use venuekit_auth::{Parts, PrivateKey, Signed, Signer};
use venuekit_bybit::{Credentials, VENUE};
use venuekit_wire::Secret;
use venuekit_wire::signature::Signature;

fn vectors() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("vectors/bybit.json")).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn signature(name: &str) -> &'static Signature {
    VENUE.credentials.signature(name).unwrap()
}

fn header<'a>(signed: &'a Signed, name: &str) -> &'a str {
    let (_, value) = signed.headers().iter().find(|(found, _)| found == name).expect(name);
    value.to_str().unwrap()
}

#[test]
fn every_vector_is_reproduced() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 7);
    for vector in &vectors {
        let (id, inputs) = (vector["id"].as_str().unwrap(), &vector["inputs"]);
        let input = |name: &str| inputs[name].as_str();
        let (key_id, expected) = (input("api_key").unwrap(), vector["expected"].as_str().unwrap());
        let key = match (input("api_secret"), input("private_key_pem")) {
            (Some(secret), _) => SigningKey::Shared(Secret::new(secret)),
            (_, Some(pem)) => SigningKey::Pair(PrivateKey::from_pem(pem).unwrap()),
            _ => SigningKey::Shared(Secret::new("unknown")),
        };
        let is_stream = input("expires").is_some();
        let time: i64 = input("timestamp").or(input("expires")).unwrap().parse().unwrap();
        let payload = input("payload").unwrap_or_default();
        let target = format!("/v5/path?{payload}");
        let parts = match payload.starts_with('{') {
            true => Parts::new("POST", "/v5/path", payload.as_bytes()),
            false if payload.is_empty() => Parts::new("GET", "/v5/path", b""),
            false => Parts::new("GET", &target, b""),
        };
        let described = signature(if is_stream { "stream" } else { "signature" });
        let text = string_to_sign(described, &Inputs { time, nonce: "", id: key_id, parts: Some(&parts), data: "" });
        assert_eq!(text, vector["string_to_sign"].as_str().unwrap().as_bytes(), "{id}");
        if input("api_secret").is_none() && input("private_key_pem").is_none() {
            // A published text whose secret is not published.
            continue;
        }
        let now = time - i64::from(described.ahead_millis);
        let signed = DescribedSigner::new(described, key_id, key).unwrap().sign(&parts, now).unwrap();
        let [key_header, time_header, sign_header] = match is_stream {
            true => ["x-stream-key", "x-stream-expires", "x-stream-sign"],
            false => ["x-bapi-api-key", "x-bapi-timestamp", "x-bapi-sign"],
        };
        assert_eq!(header(&signed, sign_header), expected, "{id}");
        assert_eq!((header(&signed, key_header), header(&signed, time_header)), (key_id, &*time.to_string()), "{id}");
        if !is_stream {
            assert_eq!(header(&signed, "x-bapi-recv-window"), input("recv_window").unwrap(), "{id}");
        }
    }
}

#[test]
fn a_key_pair_is_rsa() {
    let vectors = vectors();
    let rsa = vectors.iter().find_map(|vector| vector["inputs"]["private_key_pem"].as_str()).unwrap();
    assert!(Credentials::from_pem("key", rsa).is_ok());
    let ed25519 = PrivateKey::generate(venuekit_auth::KeyKind::Ed25519).unwrap();
    assert!(Credentials::private_key("key", ed25519).is_err(), "the venue accepts no such signature");
    assert!(Credentials::api_key("", "secret").is_err() && Credentials::api_key("key", "").is_err());
    let shown = format!("{:?}", Credentials::api_key("key", "the-secret").unwrap());
    assert!(!shown.contains("the-secret"), "{shown}");
}
