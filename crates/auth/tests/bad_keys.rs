//! What people hand over instead of a private key: each is named, each error says what to do, none shows key bytes.

mod support;

use support::{fixture, text};
use venuekit_auth::{Found, KeyError, PrivateKey};
use venuekit_wire::Secret;

/// The error for this input, after making sure that it quotes nothing of it.
fn refused(input: impl AsRef<[u8]>) -> KeyError {
    let input = input.as_ref();
    let error = PrivateKey::from_pem(input).unwrap_err();
    quotes_nothing(&error, input);
    error
}

fn quotes_nothing(error: &KeyError, input: &[u8]) {
    let shown = format!("{error} {error:?}");
    for line in String::from_utf8_lossy(input).lines().filter(|line| line.len() >= 24 && !line.contains(' ')) {
        let key_text: Vec<char> = line.chars().collect();
        for window in key_text.windows(12).filter(|window| window.iter().all(char::is_ascii_alphanumeric)) {
            let window: String = window.iter().collect();
            assert!(!shown.contains(&window), "{shown} quotes {window}");
        }
    }
}

#[track_caller]
fn found(input: impl AsRef<[u8]>, expected: Found, command: &str) {
    let error = refused(input);
    assert!(error.to_string().contains(command), "{error}");
    match error {
        KeyError::NotAPrivateKey(found) => assert_eq!(found, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn other_kinds_of_files_are_named() {
    found(text("openssh_rsa"), Found::OpenSshRsa, "ssh-keygen -p -m PKCS8");
    found(text("openssh_ed25519"), Found::OpenSsh, "openssl genpkey -algorithm ed25519");
    found(text("openssh_ed25519_encrypted"), Found::OpenSsh, "openssl genpkey -algorithm ed25519");
    found(text("ssh_public.txt"), Found::SshPublic, "private key");
    found(text("public.pem"), Found::PublicKey, "private key");
    found(text("rsa_public_pkcs1.pem"), Found::PublicKey, "private key");
    found(text("certificate.pem"), Found::Certificate, "private key");
    found(text("certificate_request.pem"), Found::CertificateRequest, "private key");
    found(text("rsa_legacy_encrypted.pem"), Found::LegacyEncrypted, "openssl pkey -in");
    found(fixture("ed25519.der"), Found::Der, "openssl pkey -inform DER");
    found(fixture("bundle.p12"), Found::Pkcs12, "openssl pkcs12");
    // A short DER key can happen to be valid UTF-8.
    let ascii = [&fixture("ed25519.der")[..16], &[b'k'; 32]].concat();
    assert!(std::str::from_utf8(&ascii).is_ok());
    found(ascii, Found::Der, "openssl pkey -inform DER");
    let putty = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: throw-away\nPublic-Lines: 2\n";
    found(putty, Found::Putty, "puttygen");
    found(
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOY\n-----END PGP PRIVATE KEY BLOCK-----\n",
        Found::Pgp,
        "openssl",
    );
    found(r#"{"kty":"OKP","crv":"Ed25519"}"#, Found::Json, "jq");
    let answer = format!("{{\"private_key\": \"{}\"}}", text("ed25519.pem").replace('\n', "\\n"));
    found(answer, Found::Json, "jq -r .private_key");
    found("<!DOCTYPE html><html><body>Log in</body></html>", Found::Html, "again");
    for name in ["kalshi.pem", "~/keys/kalshi", "../kalshi", "/home/me/kalshi"] {
        found(name, Found::FileName, "file");
    }
    found(b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01", Found::JavaKeyStore, "keytool");
    found(b"\xff\xfe-\0-\0-\0", Found::Utf16, "iconv");
    found(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Found::Binary, "openssl");
    found("hello", Found::Text, "openssl");
    let parameters = "-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n";
    found(parameters, Found::OtherPem("DH PARAMETERS".to_owned()), "openssl");
    let vpn = "-----BEGIN OpenVPN Static key V1-----\n0123\n-----END OpenVPN Static key V1-----\n";
    found(vpn, Found::OtherPem("OpenVPN Static key V1".to_owned()), "openssl");
    found("[1, 2]", Found::Json, "jq");
    let body: String = text("rsa_pkcs8.pem").lines().filter(|line| !line.contains(['-', '#'])).collect();
    found(body, Found::Base64, "base64 -d");
}

#[test]
fn a_wrong_label_hides_nothing() {
    let label = |name: &str, from: &str| text(name).replace(from, "PRIVATE KEY");
    found(label("public.pem", "PUBLIC KEY"), Found::PublicKey, "private key");
    found(label("rsa_public_pkcs1.pem", "RSA PUBLIC KEY"), Found::PublicKey, "private key");
    found(label("certificate.pem", "CERTIFICATE"), Found::Certificate, "private key");
    found(label("certificate_request.pem", "CERTIFICATE REQUEST"), Found::CertificateRequest, "private key");
}

#[test]
fn keys_for_other_algorithms_are_named() {
    for (name, expected) in [
        ("ec_sec1.pem", "elliptic-curve"),
        ("ec_pkcs8.pem", "elliptic-curve"),
        ("x25519.pem", "X25519"),
        ("ed448.pem", "Ed448"),
    ] {
        let error = refused(text(name));
        assert!(
            matches!(&error, KeyError::UnsupportedAlgorithm(found) if found.contains(expected)),
            "{name}: {error:?}"
        );
        assert!(error.to_string().contains("openssl genpkey -algorithm ed25519"), "{error}");
    }
}

#[test]
fn weak_rsa_keys_are_refused() {
    let error = refused(text("rsa_1024.pem"));
    assert!(matches!(error, KeyError::RsaSize(1024)), "{error:?}");
    assert!(error.to_string().contains("rsa_keygen_bits:2048"));
}

#[test]
fn nothing_is_nothing() {
    for input in ["", " \r\n\t\n", "\u{feff}", "\u{feff}\n"] {
        assert!(matches!(refused(input), KeyError::Empty), "{input:?}");
    }
}

/// Wherever the file is cut, the result is an error that fits, and never a key.
#[test]
fn every_cut_is_noticed() {
    for name in ["ed25519.pem", "rsa_pkcs1.pem", "rsa_pkcs8.pem"] {
        let pem = text(name);
        let begin = pem.find("-----BEGIN").unwrap();
        let pem = &pem[begin..];
        let whole = pem.trim_end().len();
        for cut in (1..whole).step_by(if name == "ed25519.pem" { 1 } else { 17 }) {
            let (head, tail) = pem.split_at(cut);
            let error = refused(head);
            // The first few characters are not yet recognizable as anything.
            let ok = matches!(error, KeyError::Truncated) || cut < "-----BEGIN".len();
            assert!(ok, "{name}, the first {cut}: {error:?}");
            let error = refused(tail);
            let ok = matches!(error, KeyError::Truncated) || tail.len() <= "-----END PRIVATE KEY-----\n".len() + 5;
            assert!(ok, "{name}, from {cut} on: {error:?}");
        }
    }
}

#[test]
fn missing_or_changed_lines_are_noticed() {
    let pem = text("rsa_pkcs8.pem");
    let lines: Vec<&str> = pem.lines().collect();
    for left_out in 2..lines.len() - 1 {
        let mut rest = lines.clone();
        rest.remove(left_out);
        let error = refused(rest.join("\n"));
        assert!(matches!(error, KeyError::Truncated | KeyError::Damaged(_)), "{left_out}: {error:?}");
    }
    // Two lines swapped: the lengths fit, the numbers do not.
    let mut swapped = lines.clone();
    swapped.swap(8, 20);
    let error = refused(swapped.join("\n"));
    assert!(matches!(error, KeyError::Damaged(_)), "{error:?}");
    let error = refused(pem.replace(lines[10], &format!("{}*{}", &lines[10][..20], &lines[10][21..])));
    assert!(matches!(error, KeyError::Damaged(detail) if detail.contains("base64")), "{error:?}");
    let nothing = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n";
    assert!(matches!(refused(nothing), KeyError::Truncated));
}

#[test]
fn of_two_keys_none_is_guessed() {
    let both = text("ed25519.pem") + &text("rsa_pkcs8.pem");
    let error = refused(&both);
    assert!(matches!(error, KeyError::SeveralKeys(2)), "{error:?}");
}

#[test]
fn passphrases() {
    let encrypted = text("ed25519_encrypted.pem");
    let error = refused(&encrypted);
    assert!(matches!(error, KeyError::PassphraseNeeded), "{error:?}");
    for wrong in ["", "throw-awaY", "MARKER"] {
        let error = PrivateKey::from_pem_with_passphrase(&encrypted, &Secret::new(wrong)).unwrap_err();
        assert!(matches!(error, KeyError::WrongPassphrase), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("MARKER"));
        quotes_nothing(&error, encrypted.as_bytes());
    }
    let old = text("ed25519_encrypted_pbes1.pem");
    let error = PrivateKey::from_pem_with_passphrase(&old, &Secret::new("throw-away")).unwrap_err();
    assert!(matches!(error, KeyError::UnsupportedEncryption), "{error:?}");
    assert!(error.to_string().contains("openssl pkcs8 -topk8"), "{error}");
}

/// One wrong passphrase in 256 leaves a padding that looks right: it is a wrong passphrase nevertheless.
#[test]
fn no_wrong_passphrase_looks_like_damage() {
    let encrypted = text("ed25519_encrypted_quick.pem");
    for number in 0..2000 {
        let error =
            PrivateKey::from_pem_with_passphrase(&encrypted, &Secret::new(format!("guess {number}"))).unwrap_err();
        assert!(matches!(error, KeyError::WrongPassphrase), "{number}: {error:?}");
    }
}

#[test]
fn a_huge_file_is_not_read_to_its_end() {
    let path = std::env::temp_dir().join(format!("venuekit-auth-huge-{}", std::process::id()));
    std::fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
    let error = PrivateKey::from_file(&path).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(error, KeyError::NotAPrivateKey(Found::Binary)), "{error:?}");
}
