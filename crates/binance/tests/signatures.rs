//! The venue's own example, by the description in the spec, and what a key may be. All vectors are in the tests of the signers.

use venuekit_auth::described::{DescribedSigner, SigningKey};
use venuekit_auth::{Added, KeyKind, Parts, PrivateKey, Signer};
use venuekit_binance::{Credentials, VENUE};

const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const ORDER: &str = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1";
const ADDED: &str = "&recvWindow=5000&timestamp=1499827319559&signature=\
                     c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";

#[test]
fn the_published_order_has_its_published_signature() {
    let signature = VENUE.credentials.signature("signature").unwrap();
    let signer = DescribedSigner::new(signature, "the-key", SigningKey::Shared(SECRET.into())).unwrap();
    let in_form = Parts::new("POST", "/api/v3/order", ORDER.as_bytes());
    let target = format!("/api/v3/order?{ORDER}");
    for (parts, is_form) in [(in_form, true), (Parts::new("DELETE", &target, b""), false)] {
        let signed = signer.sign(&parts, 1_499_827_319_559).unwrap();
        let added = signed.added().unwrap();
        assert_eq!((added.as_str(), matches!(added, Added::Body(_))), (ADDED, is_form));
        let headers: Vec<(&str, &str)> =
            signed.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(headers, [("x-mbx-apikey", "the-key")]);
    }
}

#[test]
fn a_key_has_a_secret_or_a_pair_of_either_kind() {
    for kind in [KeyKind::Ed25519, KeyKind::Rsa2048] {
        let pair = PrivateKey::generate(kind).unwrap();
        assert!(Credentials::private_key("key", pair).is_ok(), "{kind:?}");
    }
    assert!(Credentials::api_key("", "secret").is_err() && Credentials::api_key("key", "").is_err());
    assert!(Credentials::api_key("two\nlines", "secret").is_err());
    let shown = format!("{:?}", Credentials::api_key("key", "the-secret").unwrap());
    assert!(!shown.contains("the-secret"), "{shown}");
}
