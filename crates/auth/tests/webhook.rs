//! Deliveries of webhooks: both schemes, and everything that can be wrong with them.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;
use venuekit_auth::yativo::{WebhookError, WebhookScheme, WebhookVerifier};

const SECRET: &str = "whsec_test_secret";
const BODY: &[u8] = br#"{"id":"evt_1","event":"deposit.confirmed"}"#;
const TIMESTAMPED: &str = "sha256=adc511fc33b41af3ff253434a3be169527c74e9ca9c0e44416327f36a820d42b";
const PLAIN: &str = "dcf2bafc75abd68d6a8ab2d8f0ff04d0bcc9783b8ad27ba26b2751ad712431a8";
const AT: i64 = 1_700_000_000_000;

fn verifier() -> WebhookVerifier {
    WebhookVerifier::new(SECRET).unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn timestamped(signature: &str, timestamp: &str) -> HeaderMap {
    headers(&[("X-Yativo-Signature", signature), ("X-Yativo-Timestamp", timestamp)])
}

fn sign(timestamp: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(BODY);
    hex::encode(mac.finalize().into_bytes())
}

#[test]
fn both_schemes_are_accepted() {
    let bare = TIMESTAMPED.strip_prefix("sha256=").unwrap();
    let upper = format!("sha256={}", bare.to_uppercase());
    for signature in [TIMESTAMPED, bare, &upper] {
        let verdict = verifier().verify(&timestamped(signature, "1700000000"), BODY, AT);
        assert_eq!(verdict, Ok(WebhookScheme::Timestamped), "{signature}");
    }
    let plain = headers(&[("x-webhook-signature", PLAIN)]);
    assert_eq!(verifier().verify(&plain, BODY, AT), Ok(WebhookScheme::Plain));
    assert_eq!(verifier().verify(&plain, BODY, AT * 2), Ok(WebhookScheme::Plain), "it knows no time");
}

#[test]
fn time_has_a_tolerance_either_way() {
    let headers = timestamped(TIMESTAMPED, "1700000000");
    let five_minutes = 300_000;
    let (verifier, short) = (verifier(), verifier().tolerance(Duration::from_millis(1500)));
    for (verifier, off_by, expected) in [
        (&verifier, five_minutes, Ok(WebhookScheme::Timestamped)),
        (&verifier, -five_minutes, Ok(WebhookScheme::Timestamped)),
        (&verifier, five_minutes + 1, Err(WebhookError::TooOld(Duration::from_millis(300_001)))),
        (&verifier, -five_minutes - 1, Err(WebhookError::FromTheFuture(Duration::from_millis(300_001)))),
        (&short, 1500, Ok(WebhookScheme::Timestamped)),
        (&short, 1501, Err(WebhookError::TooOld(Duration::from_millis(1501)))),
    ] {
        assert_eq!(verifier.verify(&headers, BODY, AT + off_by), expected, "{off_by}");
    }
    for huge in [i64::MAX, i64::MIN] {
        assert!(verifier.verify(&headers, BODY, huge).is_err());
    }
    let far = "18446744073709551615";
    let verdict = verifier.verify(&timestamped(&sign(far), far), BODY, AT);
    assert!(matches!(verdict, Err(WebhookError::FromTheFuture(_))), "{verdict:?}");
}

#[test]
fn what_is_wrong_is_said() {
    let wrong = "0".repeat(64);
    let cases = [
        (headers(&[]), WebhookError::MissingSignature),
        (headers(&[("x-yativo-timestamp", "1700000000")]), WebhookError::MissingSignature),
        (headers(&[("x-yativo-signature", TIMESTAMPED)]), WebhookError::MissingTimestamp),
        (timestamped(TIMESTAMPED, "yesterday"), WebhookError::MalformedTimestamp),
        (timestamped(TIMESTAMPED, "-1"), WebhookError::MalformedTimestamp),
        (timestamped(TIMESTAMPED, "1700000000.5"), WebhookError::MalformedTimestamp),
        (timestamped(TIMESTAMPED, ""), WebhookError::MalformedTimestamp),
        (timestamped(TIMESTAMPED, "1700000001"), WebhookError::Mismatch),
        (timestamped(TIMESTAMPED, "01700000000"), WebhookError::Mismatch),
        (timestamped(&wrong, "1700000000"), WebhookError::Mismatch),
        (timestamped("", "1700000000"), WebhookError::MalformedSignature),
        (timestamped("sha256=", "1700000000"), WebhookError::MalformedSignature),
        (timestamped("sha256=sha256=00", "1700000000"), WebhookError::MalformedSignature),
        (timestamped(&TIMESTAMPED[..70], "1700000000"), WebhookError::MalformedSignature),
        (timestamped(&format!("{TIMESTAMPED}00"), "1700000000"), WebhookError::MalformedSignature),
        (timestamped(&TIMESTAMPED.replace('a', "g"), "1700000000"), WebhookError::MalformedSignature),
        (headers(&[("x-webhook-signature", &wrong)]), WebhookError::Mismatch),
        (headers(&[("x-webhook-signature", &format!("sha256={PLAIN}"))]), WebhookError::MalformedSignature),
    ];
    for (headers, expected) in cases {
        assert_eq!(verifier().verify(&headers, BODY, AT), Err(expected), "{headers:?}");
    }
    let repeated = headers(&[("x-webhook-signature", PLAIN), ("x-webhook-signature", PLAIN)]);
    assert!(matches!(verifier().verify(&repeated, BODY, AT), Err(WebhookError::Repeated(_))));
}

#[test]
fn another_body_or_secret_does_not_match() {
    let headers = timestamped(TIMESTAMPED, "1700000000");
    let spaced = br#"{"id": "evt_1", "event": "deposit.confirmed"}"#;
    assert_eq!(verifier().verify(&headers, spaced, AT), Err(WebhookError::Mismatch));
    assert_eq!(verifier().verify(&headers, b"", AT), Err(WebhookError::Mismatch));
    let without_prefix = WebhookVerifier::new("test_secret").unwrap();
    assert_eq!(without_prefix.verify(&headers, BODY, AT), Err(WebhookError::Mismatch));
}

/// A bad newer signature is not repaired by an older one, and a verifier for one scheme accepts no other.
#[test]
fn the_weaker_scheme_is_no_way_round() {
    let both = |signature: &str| {
        headers(&[
            ("x-yativo-signature", signature),
            ("x-yativo-timestamp", "1700000000"),
            ("x-webhook-signature", PLAIN),
        ])
    };
    assert_eq!(verifier().verify(&both(TIMESTAMPED), BODY, AT), Ok(WebhookScheme::Timestamped));
    assert_eq!(verifier().verify(&both(&"0".repeat(64)), BODY, AT), Err(WebhookError::Mismatch));
    let strict = verifier().only(WebhookScheme::Timestamped);
    let plain = headers(&[("x-webhook-signature", PLAIN)]);
    assert_eq!(strict.verify(&plain, BODY, AT), Err(WebhookError::MissingSignature));
    let old = verifier().only(WebhookScheme::Plain);
    assert_eq!(old.verify(&both("nonsense"), BODY, AT), Ok(WebhookScheme::Plain));
    assert_eq!(old.verify(&timestamped(TIMESTAMPED, "1700000000"), BODY, AT), Err(WebhookError::MissingSignature));
}
