//! Constant headers, refused credentials, the adapter for requests, and what `Debug` shows.

mod support;

use reqwest::{Body, Method, Request, Url};
use support::text;
use venuekit_auth::bayse::{self, BayseWrite};
use venuekit_auth::deribit::{DeribitHmac, DeribitKey};
use venuekit_auth::kalshi::KalshiSigner;
use venuekit_auth::yativo::{self, WebhookVerifier};
use venuekit_auth::{Headers, KeyKind, Nonces, Parts, PrivateKey, SignError, Signer, apply};

const NOW: i64 = 1_730_000_000_123;

fn request(method: Method, url: &str, body: Option<&'static str>) -> Request {
    let mut request = Request::new(method, Url::parse(url).unwrap());
    *request.body_mut() = body.map(Body::from);
    request
}

fn ed25519() -> PrivateKey {
    PrivateKey::from_pem(text("ed25519.pem")).unwrap()
}

fn headers(request: &Request) -> Vec<(&str, &str)> {
    request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
}

#[test]
fn constant_headers_go_on_as_documented() {
    let cases: [(Headers, &[(&str, &str)]); 6] = [
        (bayse::read("pk_live_1").unwrap(), &[("x-public-key", "pk_live_1")]),
        (bayse::session("jwt", "d_abc").unwrap(), &[("x-auth-token", "jwt"), ("x-device-id", "d_abc")]),
        (yativo::key_headers("key", "secret").unwrap(), &[("x-api-key", "key"), ("x-api-secret", "secret")]),
        (yativo::code("123456").unwrap(), &[("x-2fa-token", "123456")]),
        (Headers::bearer("token").unwrap(), &[("authorization", "Bearer token")]),
        // RFC 7617, section 2, with a password that has no blank.
        (Headers::basic("Aladdin", "opensesame").unwrap(), &[("authorization", "Basic QWxhZGRpbjpvcGVuc2VzYW1l")]),
    ];
    for (signer, expected) in cases {
        let mut request = request(Method::GET, "https://example.test/v1", None);
        apply(&mut request, [&signer as &dyn Signer], NOW).unwrap();
        assert_eq!(headers(&request), expected);
        assert!(request.headers().values().all(http::HeaderValue::is_sensitive));
    }
}

#[test]
fn a_bayse_write_takes_two_signers_and_signs_what_is_sent() {
    let read = bayse::read("pk_live_abcdef123456").unwrap();
    let write = BayseWrite::new("sk_live_secret789xyz").unwrap();
    let mut request = request(
        Method::DELETE,
        "https://relay.bayse.markets/v1/pm/orders/batch",
        Some(r#"{"orderIds":["f6a7b8c9-d0e1-2345-fabc-678901234567"]}"#),
    );
    apply(&mut request, [&read as &dyn Signer, &write], NOW).unwrap();
    assert_eq!(
        headers(&request),
        [
            ("x-public-key", "pk_live_abcdef123456"),
            ("x-timestamp", "1730000000"),
            ("x-signature", "yepBfo0PGgxVvq9p5ObayUI0paWJ1OpZM+9O672OQIE="),
        ]
    );
}

#[test]
fn paths_and_queries_are_signed_as_they_are_sent() {
    let hmac = DeribitHmac::new("AMANDA", "secret").unwrap();
    let kalshi = KalshiSigner::new("id", ed25519()).unwrap();
    let request = request(Method::GET, "https://example.test/api/v2/a%2Fb c/ü?x=1 2&y=%C3%BC#part", None);
    let parts = venuekit_auth::parts(&request).unwrap();
    let text = hmac.sign(&parts, NOW).unwrap().string_to_sign().unwrap().to_owned();
    assert!(text.ends_with("\nGET\n/api/v2/a%2Fb%20c/%C3%BC?x=1%202&y=%C3%BC\n\n"), "{text:?}");
    let text = kalshi.sign(&parts, NOW).unwrap().string_to_sign().unwrap().to_owned();
    assert_eq!(text, format!("{NOW}GET/api/v2/a%2Fb%20c/%C3%BC"));
}

#[test]
fn signing_again_replaces_the_first_signature() {
    let kalshi = KalshiSigner::new("id", ed25519()).unwrap();
    let mut request = request(Method::GET, "https://example.test/trade-api/v2/portfolio/balance", None);
    apply(&mut request, [&kalshi as &dyn Signer], NOW).unwrap();
    let first = request.headers().clone();
    apply(&mut request, [&kalshi as &dyn Signer], NOW + 1).unwrap();
    assert_eq!(request.headers().len(), 3);
    assert_ne!(request.headers()["kalshi-access-signature"], first["kalshi-access-signature"]);
    assert_eq!(request.headers()["kalshi-access-timestamp"], (NOW + 1).to_string());
    apply(&mut request, [&kalshi as &dyn Signer], NOW).unwrap();
    assert_eq!(*request.headers(), first, "the same inputs make the same signature");
}

/// A body whose bytes are not known beforehand, which `reqwest` makes of anything that is no byte string.
fn stream() -> Body {
    Body::wrap(Body::from("bytes"))
}

#[test]
fn what_cannot_be_signed_is_an_error_and_leaves_the_request_alone() {
    let bayse = BayseWrite::new("sk_live_1").unwrap();
    let deribit = DeribitHmac::new("AMANDA", "secret").unwrap();
    let mut streaming = request(Method::POST, "https://example.test/v1", None);
    *streaming.body_mut() = Some(stream());
    assert_eq!(apply(&mut streaming, [&bayse as &dyn Signer], NOW), Err(SignError::StreamingBody));

    let mut binary = request(Method::POST, "https://example.test/v1", None);
    *binary.body_mut() = Some(Body::from(vec![0xff, 0xfe]));
    assert_eq!(apply(&mut binary, [&bayse as &dyn Signer, &deribit], NOW), Err(SignError::BodyNotText));
    assert!(binary.headers().is_empty());
    apply(&mut binary, [&bayse as &dyn Signer], NOW).unwrap();

    let kalshi = KalshiSigner::new("id", ed25519()).unwrap();
    let parts = Parts::new("GET", "/", b"");
    for signer in [&bayse as &dyn Signer, &deribit, &kalshi] {
        assert_eq!(signer.sign(&parts, -1).unwrap_err(), SignError::Clock, "{signer:?}");
        signer.sign(&parts, 0).unwrap();
    }
    for nonce in ["", "a,b", "a b", "a\nb", "ü"] {
        let signer = deribit.clone().with_nonces(Nonces::from_fn(move || nonce.to_owned()));
        assert_eq!(signer.sign(&parts, NOW).unwrap_err(), SignError::Nonce, "{nonce:?}");
    }
}

#[test]
fn credentials_that_cannot_be_are_refused_at_once() {
    let makers: [fn(&str) -> Option<SignError>; 12] = [
        |text| Headers::bearer(text).err(),
        |text| Headers::basic(text, "secret").err(),
        |text| Headers::basic("id", text).err(),
        |text| bayse::read(text).err(),
        |text| bayse::session(text, "device").err(),
        |text| bayse::session("token", text).err(),
        |text| BayseWrite::new(text).err(),
        |text| yativo::key_headers("key", text).err(),
        |text| yativo::code(text).err(),
        |text| DeribitHmac::new(text, "secret").err(),
        |text| DeribitHmac::new("id", text).err(),
        |text| KalshiSigner::new(text, PrivateKey::from_pem(support::text("ed25519.pem")).unwrap()).err(),
    ];
    for make in makers {
        assert_eq!(make("fine-1234"), None);
        assert!(matches!(make(""), Some(SignError::Empty(_))));
        for unfit in ["MARKER\n", " MARKER", "MARK\tER", "MÄRKER", "MARKER\0"] {
            let error = make(unfit).expect(unfit);
            assert!(matches!(error, SignError::Unfit(_)), "{unfit:?}: {error:?}");
            assert!(!format!("{error} {error:?}").contains("MARK"));
        }
    }
    assert!(matches!(Headers::basic("a:b", "secret").unwrap_err(), SignError::Unfit(_)));
    assert!(matches!(DeribitKey::new("a,b", ed25519()).unwrap_err(), SignError::Unfit(_)));
    assert!(matches!(WebhookVerifier::new("").unwrap_err(), SignError::Empty(_)));
}

#[test]
fn debug_shows_no_secret() {
    const MARKER: &str = "MARKER-1f8a6c";
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let rsa = PrivateKey::from_pem(text("rsa_pkcs8.pem")).unwrap();
    let signers: Vec<Box<dyn Signer>> = vec![
        Box::new(Headers::bearer(MARKER).unwrap()),
        Box::new(Headers::basic("id", MARKER).unwrap()),
        Box::new(bayse::read(MARKER).unwrap()),
        Box::new(bayse::session(MARKER, MARKER).unwrap()),
        Box::new(BayseWrite::new(MARKER).unwrap()),
        Box::new(yativo::key_headers(MARKER, MARKER).unwrap()),
        Box::new(yativo::code(MARKER).unwrap()),
        Box::new(DeribitHmac::new("id", MARKER).unwrap()),
        Box::new(KalshiSigner::new("id", key.clone()).unwrap()),
        Box::new(KalshiSigner::new("id", rsa.clone()).unwrap()),
    ];
    let body = format!(r#"{{"password":"{MARKER}"}}"#);
    let target = format!("/v1/login?client_secret={MARKER}");
    let parts = Parts::new("POST", &target, body.as_bytes());
    let mut shown = format!("{parts:?} {parts:#?}");
    let mut secrets = vec![MARKER.to_owned()];
    for signer in &signers {
        let signed = signer.sign(&parts, NOW).unwrap();
        shown += &format!("{signer:?} {signer:#?} {signed:?} {signed:#?}");
        let sensitive = signed.headers().iter().filter(|(_, value)| value.is_sensitive());
        secrets.extend(sensitive.map(|(_, value)| value.to_str().unwrap().to_owned()));

        let mut request = request(Method::GET, "https://example.test/v1", None);
        apply(&mut request, [signer.as_ref()], NOW).unwrap();
        shown += &format!("{request:?}");
        // Only an id and a time may be seen.
        let mut open =
            request.headers().iter().filter(|(_, value)| !value.is_sensitive()).map(|(name, _)| name.as_str());
        assert!(open.all(|name| ["kalshi-access-key", "kalshi-access-timestamp", "x-timestamp"].contains(&name)));
    }
    let hmac = DeribitHmac::new("id", MARKER).unwrap();
    let webhook = WebhookVerifier::new(MARKER).unwrap();
    shown += &format!("{webhook:?} {:?}", Nonces::from_fn(|| MARKER.to_owned()));
    for key in [key, rsa] {
        let deribit = DeribitKey::new("id", key.clone()).unwrap();
        for login in [hmac.client_signature(NOW, "").unwrap(), deribit.client_signature(NOW, "").unwrap()] {
            shown += &format!("{login:?}");
            secrets.push(login.signature.expose().to_owned());
        }
        shown += &format!("{key:?} {key:#?} {deribit:?} {:?}", key.private_key_pem());
        let pem = key.private_key_pem();
        secrets.extend(pem.expose().lines().filter(|line| !line.contains('-')).map(str::to_owned));
    }
    assert!(shown.contains("PrivateKey") && shown.contains("[redacted]") && shown.contains("Sensitive"), "{shown}");
    for secret in secrets {
        assert!(!shown.contains(&secret), "{secret} in {shown}");
    }
}
