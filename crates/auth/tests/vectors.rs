//! Every published or recomputed vector in `vectors/signing.json`.

use serde::Deserialize;
use venuekit_auth::bayse::BayseWrite;
use venuekit_auth::deribit::DeribitHmac;
use venuekit_auth::{Nonces, Parts, PrivateKey, Signed, Signer, bayse, deribit};

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    venue: String,
    inputs: Inputs,
    string_to_sign: Option<String>,
    expected: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inputs {
    client_id: Option<String>,
    client_secret: Option<String>,
    #[serde(rename = "public_key")]
    _public_key: Option<String>,
    secret_key: Option<String>,
    timestamp: Option<i64>,
    nonce: Option<String>,
    data: Option<String>,
    method: Option<String>,
    uri: Option<String>,
    path: Option<String>,
    body: Option<String>,
    seed_hex: Option<String>,
    public_hex: Option<String>,
    message_hex: Option<String>,
}

fn header<'a>(signed: &'a Signed, name: &str) -> &'a str {
    let (_, value) = signed.headers().iter().find(|(found, _)| found == name).expect(name);
    value.to_str().unwrap()
}

#[test]
fn every_vector_is_reproduced() {
    let Vectors { vectors } = serde_json::from_str(include_str!("vectors/signing.json")).unwrap();
    assert!(vectors.len() >= 10);
    for vector in vectors {
        match vector.venue.as_str() {
            "bayse" => check_bayse(&vector),
            "deribit" if vector.inputs.uri.is_some() => check_deribit_request(&vector),
            "deribit" => check_deribit_login(&vector),
            _ => check_ed25519(&vector),
        }
    }
}

fn check_bayse(Vector { id, inputs, string_to_sign, expected, .. }: &Vector) {
    let (method, path) = (inputs.method.as_deref().unwrap(), inputs.path.as_deref().unwrap());
    let parts = Parts::new(method, path, inputs.body.as_deref().unwrap().as_bytes());
    // Anywhere within the second.
    let now = inputs.timestamp.unwrap() * 1000 + 999;
    let signed = BayseWrite::new(inputs.secret_key.as_deref().unwrap()).unwrap().sign(&parts, now).unwrap();
    assert_eq!(header(&signed, "x-signature"), expected, "{id}");
    assert_eq!(header(&signed, "x-timestamp"), inputs.timestamp.unwrap().to_string());
    assert_eq!(signed.string_to_sign(), string_to_sign.as_deref());
    assert_eq!(Some(bayse::string_to_sign(&parts, now)), *string_to_sign);
}

fn deribit_client(inputs: &Inputs) -> DeribitHmac {
    let nonce = inputs.nonce.clone().unwrap();
    DeribitHmac::new(inputs.client_id.as_deref().unwrap_or("client"), inputs.client_secret.as_deref().unwrap())
        .unwrap()
        .with_nonces(Nonces::from_fn(move || nonce.clone()))
}

fn check_deribit_request(Vector { id, inputs, string_to_sign, expected, .. }: &Vector) {
    let body = inputs.body.as_deref().unwrap().as_bytes();
    let parts = Parts::new(inputs.method.as_deref().unwrap(), inputs.uri.as_deref().unwrap(), body);
    let (now, nonce) = (inputs.timestamp.unwrap(), inputs.nonce.as_deref().unwrap());
    let signed = deribit_client(inputs).sign(&parts, now).unwrap();
    let client_id = inputs.client_id.as_deref().unwrap_or("client");
    assert_eq!(
        header(&signed, "authorization"),
        format!("deri-hmac-sha256 id={client_id},ts={now},nonce={nonce},sig={expected}"),
        "{id}"
    );
    assert_eq!(signed.string_to_sign(), string_to_sign.as_deref());
    assert_eq!(deribit::string_to_sign(&parts, now, nonce).ok(), *string_to_sign);
}

fn check_deribit_login(Vector { id, inputs, string_to_sign, expected, .. }: &Vector) {
    let login =
        deribit_client(inputs).client_signature(inputs.timestamp.unwrap(), inputs.data.as_deref().unwrap()).unwrap();
    assert_eq!(login.signature.expose(), expected, "{id}");
    assert_eq!(Some(login.client_id.as_str()), inputs.client_id.as_deref());
    assert_eq!(Some(login.timestamp), inputs.timestamp);
    assert_eq!(Some(login.nonce.as_str()), inputs.nonce.as_deref());
    assert_eq!(Some(login.data.as_str()), inputs.data.as_deref());
    assert_eq!(Some(login.string_to_sign()), *string_to_sign);
}

fn check_ed25519(Vector { id, inputs, expected, .. }: &Vector) {
    let bytes = |hex: &Option<String>| hex::decode(hex.as_deref().unwrap()).unwrap();
    let seed: [u8; 32] = bytes(&inputs.seed_hex).try_into().unwrap();
    // A PKCS#8 document is what stands around the seed.
    let der = [&hex::decode("302e020100300506032b657004220420").unwrap()[..], &seed[..]].concat();
    let pem = pkcs8::SecretDocument::try_from(der).unwrap().to_pem("PRIVATE KEY", Default::default()).unwrap();
    let key = PrivateKey::from_pem(pem.as_bytes()).unwrap();
    assert_eq!(hex::encode(key.sign_ed25519(&bytes(&inputs.message_hex)).unwrap()), *expected, "{id}");
    let spki = pkcs8::Document::from_pem(key.public_key_pem()).unwrap().1;
    assert!(spki.as_bytes().ends_with(&bytes(&inputs.public_hex)));
}

/// The vectors that stand in the fact sheets and not in the file.
#[test]
fn bodies_on_delete_and_post_are_hashed() {
    let write = BayseWrite::new("sk_live_secret789xyz").unwrap();
    let delete =
        Parts::new("DELETE", "/v1/pm/orders/batch", br#"{"orderIds":["f6a7b8c9-d0e1-2345-fabc-678901234567"]}"#);
    let signed = write.sign(&delete, 1_730_000_000_000).unwrap();
    assert_eq!(header(&signed, "x-signature"), "yepBfo0PGgxVvq9p5ObayUI0paWJ1OpZM+9O672OQIE=");
    let mint = Parts::new(
        "post",
        "/v1/pm/markets/b2c3d4e5-f6a7-8901-bcde-f12345678901/mint",
        br#"{"quantity":10,"currency":"USD"}"#,
    );
    let signed = write.sign(&mint, 1_730_000_000_000).unwrap();
    assert_eq!(header(&signed, "x-signature"), "gF6EAE3fa2eLwz4ioGRagp4bKfVzFf5qs2iLa6EOl8E=");

    let deribit =
        DeribitHmac::new("AMANDA", "AMANDASECRECT").unwrap().with_nonces(Nonces::from_fn(|| "1iqt2wls".to_owned()));
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"private/get_subaccounts","params":{}}"#;
    let parts = Parts::new("POST", "/api/v2/private/get_subaccounts", body);
    let signed = deribit.sign(&parts, 1_576_074_319_000).unwrap();
    assert!(
        header(&signed, "authorization").ends_with("1cf84a957bc6da5a26194298bf449e28548092a5b182cf8055675f3913b19d0e")
    );
}
