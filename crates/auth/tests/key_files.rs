//! Key files that are taken, in every dress they come in.

mod support;

use pkcs8::der::asn1::BitStringRef;
use pkcs8::{LineEnding, PrivateKeyInfoRef, SecretDocument};
use support::{FIXTURES, fixture, text, verify_pss};
use venuekit_auth::{Algorithm, KeyError, KeyKind, PrivateKey};
use venuekit_wire::Secret;

fn public(pem: impl AsRef<[u8]>) -> String {
    PrivateKey::from_pem(pem).unwrap().public_key_pem().to_owned()
}

#[test]
fn the_key_tells_what_it_is_and_not_its_label() {
    let rsa = PrivateKey::from_pem(text("rsa_pkcs8.pem")).unwrap();
    assert_eq!((rsa.algorithm(), rsa.bits()), (Algorithm::Rsa, 2048));
    let ed25519 = PrivateKey::from_pem(text("ed25519.pem")).unwrap();
    assert_eq!((ed25519.algorithm(), ed25519.bits()), (Algorithm::Ed25519, 256));

    let relabelled = text("ed25519.pem").replace("PRIVATE KEY", "RSA PRIVATE KEY");
    assert_eq!(public(relabelled), ed25519.public_key_pem());
    let relabelled = text("rsa_pkcs8.pem").replace("PRIVATE KEY", "RSA PRIVATE KEY");
    assert_eq!(public(relabelled), rsa.public_key_pem());
    let relabelled = text("rsa_pkcs1.pem").replace("RSA PRIVATE KEY", "PRIVATE KEY");
    assert_eq!(public(relabelled), rsa.public_key_pem());
}

#[test]
fn pkcs1_and_pkcs8_hold_the_same_key() {
    let pkcs8 = PrivateKey::from_pem(text("rsa_pkcs8.pem")).unwrap();
    let pkcs1 = PrivateKey::from_pem(text("rsa_pkcs1.pem")).unwrap();
    assert_eq!(pkcs1.public_key_pem(), pkcs8.public_key_pem());
    assert_eq!(pkcs1.private_key_pem().expose(), pkcs8.private_key_pem().expose());
    // What openssl wrote, byte for byte, but for the remark above it.
    assert!(text("public.pem").ends_with(pkcs8.public_key_pem()));
    assert!(text("rsa_pkcs8.pem").ends_with(pkcs8.private_key_pem().expose()));
    let ed25519 = PrivateKey::from_pem(text("ed25519.pem")).unwrap();
    assert!(text("ed25519.pem").ends_with(ed25519.private_key_pem().expose()));
}

#[test]
fn encrypted_keys_open_with_their_passphrase() {
    let passphrase = Secret::new("throw-away");
    for (encrypted, plain) in [
        ("rsa_encrypted.pem", "rsa_pkcs8.pem"),
        ("ed25519_encrypted.pem", "ed25519.pem"),
        ("ed25519_encrypted_scrypt.pem", "ed25519.pem"),
        // A passphrase for a key that needs none does no harm.
        ("ed25519.pem", "ed25519.pem"),
    ] {
        let key = PrivateKey::from_pem_with_passphrase(text(encrypted), &passphrase).unwrap();
        assert_eq!(key.public_key_pem(), public(text(plain)), "{encrypted}");
        let key = PrivateKey::from_file_with_passphrase(format!("{FIXTURES}/{encrypted}"), &passphrase).unwrap();
        assert_eq!(key.public_key_pem(), public(text(plain)), "{encrypted}");
    }
}

#[test]
fn what_stands_around_the_key_does_not_matter() {
    for name in ["ed25519.pem", "rsa_pkcs1.pem"] {
        let plain = text(name);
        let block = plain.split_once('\n').unwrap().1;
        let (begin, rest) = block.split_once('\n').unwrap();
        let (body, end) = rest.trim_end().rsplit_once('\n').unwrap();
        let one_line = body.replace('\n', "");
        let dresses = [
            ("line ends of Windows", plain.replace('\n', "\r\n")),
            ("line ends of old Macs", plain.replace('\n', "\r")),
            ("byte order mark", format!("\u{feff}{block}")),
            ("text and blank lines before", format!("\n\n  Here is the key:\n{block}")),
            ("under a heading", format!("[kalshi]\n{block}")),
            ("text after", format!("{block}\nKeep it safe.\n")),
            ("indented", block.replace('\n', "\n    ")),
            ("no line end at the end", block.trim_end().to_owned()),
            ("line ends spelled out", block.replace('\n', "\\n")),
            ("line ends escaped twice", block.replace('\n', "\\\\n")),
            ("line ends of Windows escaped twice, quoted", format!("\"{}\"", block.replace('\n', "\\\\r\\\\n"))),
            ("line ends escaped three times", block.replace('\n', "\\\\\\n")),
            ("quoted, with line ends spelled out", format!("\"{}\"", block.replace('\n', "\\r\\n"))),
            ("blanks for line ends", block.replace('\n', " ")),
            ("one long line", format!("{begin}\n{one_line}\n{end}\n")),
            ("before other blocks", format!("{block}{}", text("certificate.pem"))),
            ("after other blocks", format!("{}{}{block}", text("public.pem"), text("certificate.pem"))),
        ];
        for (dress, pem) in dresses {
            let key = PrivateKey::from_pem(&pem).unwrap_or_else(|error| panic!("{name}, {dress}: {error}"));
            assert_eq!(key.public_key_pem(), public(&plain), "{name}, {dress}");
        }
    }
    assert_eq!(public(fixture("from_pkcs12.pem")), public(fixture("ed25519.pem")));
    let latin1 = [b"friendlyName: Schl\xfcssel\n", &fixture("ed25519.pem")[..]].concat();
    assert_eq!(public(latin1), public(fixture("ed25519.pem")));
}

#[test]
fn version_2_holds_the_public_key_as_well() {
    let key = PrivateKey::from_pem(text("ed25519_v2.pem")).unwrap();
    let spki = pkcs8::Document::from_pem(key.public_key_pem()).unwrap().1;
    let public = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    assert_eq!(hex::encode(&spki.as_bytes()[12..]), public);

    let own = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    let document = own.to_pkcs8().unwrap();
    let pem = |public: &[u8]| {
        let mut info = PrivateKeyInfoRef::try_from(document.as_ref()).unwrap();
        info.public_key = Some(BitStringRef::from_bytes(public).unwrap());
        SecretDocument::encode_msg(&info).unwrap().to_pem("PRIVATE KEY", LineEnding::LF).unwrap()
    };
    let right = aws_lc_rs::signature::KeyPair::public_key(&own).as_ref();
    assert!(PrivateKey::from_pem(pem(right).as_bytes()).is_ok());
    assert!(matches!(PrivateKey::from_pem(pem(&[7; 32]).as_bytes()), Err(KeyError::PublicKeyMismatch)));
    assert!(matches!(PrivateKey::from_pem(pem(&[7; 31]).as_bytes()), Err(KeyError::Damaged(_))));
}

#[test]
fn version_2_as_older_ring_wrote_it_is_read() {
    let own = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    let public = aws_lc_rs::signature::KeyPair::public_key(&own).as_ref().to_vec();
    let document = own.to_pkcs8v1().unwrap();
    let seed = &document.as_ref()[16..48];
    // `[1]` in its constructed form, with a whole BIT STRING inside.
    let pem = |unused_bits: u8, public: &[u8]| {
        let mut der = hex::decode("3053020101300506032b657004220420").unwrap();
        der.extend_from_slice(seed);
        der.extend_from_slice(&hex::decode("a1230321").unwrap());
        der.push(unused_bits);
        der.extend_from_slice(public);
        let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der);
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    };
    let key = PrivateKey::from_pem(pem(0, &public)).unwrap();
    let spki = pkcs8::Document::from_pem(key.public_key_pem()).unwrap().1;
    assert_eq!(&spki.as_bytes()[12..], public);
    assert!(matches!(PrivateKey::from_pem(pem(0, &[7; 32])), Err(KeyError::PublicKeyMismatch)));
    assert!(matches!(PrivateKey::from_pem(pem(1, &public)), Err(KeyError::Damaged(_))));
}

#[test]
fn a_key_for_pss_only_is_the_same_key_as_plain_rsa() {
    let key = PrivateKey::from_pem(text("rsa_pss_only.pem")).unwrap();
    assert!(key.is_pss_only());
    assert_eq!(key.algorithm(), Algorithm::Rsa);
    let signature = key.sign_pss(b"message").unwrap();
    assert!(verify_pss(key.public_key_pem(), b"message", &signature));
    let plain = PrivateKey::from_pem(key.private_key_pem().expose()).unwrap();
    assert!(!plain.is_pss_only());
    assert_eq!(plain.public_key_pem(), key.public_key_pem());
    assert!(!PrivateKey::from_pem(text("rsa_pkcs8.pem")).unwrap().is_pss_only());
}

#[test]
fn files_are_read() {
    let key = PrivateKey::from_file(format!("{FIXTURES}/ed25519.pem")).unwrap();
    assert_eq!(key.public_key_pem(), public(fixture("ed25519.pem")));
    let error = PrivateKey::from_file(format!("{FIXTURES}/missing.pem")).unwrap_err();
    assert!(matches!(&error, KeyError::File { path, .. } if path.ends_with("missing.pem")));
    assert!(error.to_string().contains("missing.pem"));
    assert!(std::error::Error::source(&error).is_some());
    assert!(matches!(PrivateKey::from_file(FIXTURES), Err(KeyError::File { .. })));
}

fn made_keys_come_back(kind: KeyKind, algorithm: Algorithm, bits: usize) {
    let key = PrivateKey::generate(kind).unwrap();
    assert_eq!((key.algorithm(), key.bits()), (algorithm, bits));
    let again = PrivateKey::from_pem(key.private_key_pem().expose()).unwrap();
    assert_eq!(again.public_key_pem(), key.public_key_pem());
    assert_eq!(again.private_key_pem().expose(), key.private_key_pem().expose());
    assert_eq!((key.kind(), again.kind()), (kind, kind));
    assert!(key.public_key_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
    assert_ne!(PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key_pem(), key.public_key_pem());
    if algorithm == Algorithm::Rsa {
        let signature = again.sign_pss(b"message").unwrap();
        assert_eq!(signature.len() * 8, bits);
        assert!(verify_pss(key.public_key_pem(), b"message", &signature));
    }
}

#[test]
fn made_ed25519_keys_come_back() {
    (0..100).for_each(|_| made_keys_come_back(KeyKind::Ed25519, Algorithm::Ed25519, 256));
}

#[test]
fn made_rsa_2048_keys_come_back() {
    made_keys_come_back(KeyKind::Rsa2048, Algorithm::Rsa, 2048);
}

#[test]
fn made_rsa_3072_keys_come_back() {
    made_keys_come_back(KeyKind::Rsa3072, Algorithm::Rsa, 3072);
}

#[test]
fn made_rsa_4096_keys_come_back() {
    made_keys_come_back(KeyKind::Rsa4096, Algorithm::Rsa, 4096);
}
