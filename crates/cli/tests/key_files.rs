//! Private keys and ids as people have them: encrypted, marked for PSS only, from a file with Windows line ends.
#![cfg(unix)]

mod common;

use std::fs;

use common::{KALSHI_ID, World, document, texts};
use venuekit_auth::{KeyKind, PrivateKey};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../auth/tests/keys");
const PASSPHRASE: &str = "throw-away";

fn copy(world: &World, name: &str) {
    let path = world.home.join(name);
    fs::copy(format!("{FIXTURES}/{name}"), &path).unwrap();
}

#[test]
fn an_encrypted_key_is_opened_by_a_descriptor_or_a_variable() {
    let mut world = World::new("encrypted");
    copy(&world, "rsa_encrypted.pem");
    let adopt = "keys adopt kalshi/local/other --public-id a952bcbe-ec3b-4b5b-b8f9-11dae589608c --pem rsa_encrypted.pem --dry-run";
    let arguments: Vec<&str> = adopt.split(' ').collect();
    let (_, stderr) = texts(&world.venuekit(&arguments));
    assert!(
        stderr.contains("encrypted") && stderr.contains("--pem-passphrase-fd N or VENUEKIT_PEM_PASSPHRASE"),
        "{stderr}"
    );
    let output = world.with("VENUEKIT_PEM_PASSPHRASE", PASSPHRASE, &arguments);
    assert!(output.status.success(), "{}", texts(&output).1);
    let output = world.shell(&format!("printf '{PASSPHRASE}\\n' | venuekit {adopt} --pem-passphrase-fd 3 3<&0"));
    assert!(output.status.success(), "{}", texts(&output).1);
    let wrong = world.with("VENUEKIT_PEM_PASSPHRASE", "MARKER-wrong", &arguments);
    let (_, stderr) = texts(&wrong);
    assert!(stderr.contains("the passphrase does not open the private key") && !stderr.contains("MARKER"), "{stderr}");

    // In the variables of a key, and named by a profile.
    let sign = ["sign", "kalshi/local", "GET", "/portfolio/balance", "--json"];
    world.variables.remove("KALSHI_LOCAL_PRIVATE_KEY");
    world.variables.insert("KALSHI_LOCAL_PRIVATE_KEY_FILE".to_owned(), "rsa_encrypted.pem".to_owned());
    let (_, stderr) = texts(&world.venuekit(&sign));
    assert!(stderr.contains("KALSHI_LOCAL_PRIVATE_KEY_PASSPHRASE"), "{stderr}");
    let output = world.with("KALSHI_LOCAL_PRIVATE_KEY_PASSPHRASE", PASSPHRASE, &sign);
    assert!(document(&output)["headers"]["kalshi-access-signature"].is_string());
    world.variables.remove("KALSHI_LOCAL_PRIVATE_KEY_FILE");
    fs::create_dir_all(world.home.join(".config/venuekit")).unwrap();
    let profile = "[profiles.kalshi]\nvenue = \"kalshi\"\nenvironment = \"local\"\nkey = { id = \"a\", pem = \"../../rsa_encrypted.pem\" }\n";
    fs::write(world.home.join(".config/venuekit/config.toml"), profile).unwrap();
    let output = world.with("VENUEKIT_PEM_PASSPHRASE", PASSPHRASE, &sign);
    assert!(output.status.success(), "{}", texts(&output).1);
}

#[test]
fn an_encrypted_key_is_stored_decrypted_under_the_passphrase_of_the_store() {
    let world = World::new("encrypted-stored");
    let key = PrivateKey::from_file(world.home.join("kalshi.pem")).unwrap();
    let pem = encrypted(&key);
    fs::write(world.home.join("encrypted.pem"), pem).unwrap();
    let adopt = ["keys", "adopt", "kalshi/local/bot", "--public-id", KALSHI_ID, "--pem", "encrypted.pem"];
    let output = world.with("VENUEKIT_PEM_PASSPHRASE", PASSPHRASE, &adopt);
    assert!(output.status.success(), "{}", texts(&output).1);
    let output = world.venuekit(&["call", "kalshi/local", "get_balance", "--key", "bot"]);
    assert!(output.status.success(), "{}", texts(&output).1);
}

fn encrypted(key: &PrivateKey) -> String {
    use rsa::pkcs8::{LineEnding, PrivateKeyInfoRef, SecretDocument};

    let (_, plain) = SecretDocument::from_pem(key.private_key_pem().expose()).unwrap();
    let info = PrivateKeyInfoRef::try_from(plain.as_bytes()).unwrap();
    let encrypted = info.encrypt_with_rng(&mut rand::rng(), PASSPHRASE).unwrap();
    encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap().to_string()
}

#[test]
fn a_key_for_pss_only_is_taken_as_plain_rsa() {
    let world = World::new("pss-only");
    copy(&world, "rsa_pss_only.pem");
    let arguments =
        ["keys", "adopt", "kalshi/local/pss", "--public-id", KALSHI_ID, "--pem", "rsa_pss_only.pem", "--dry-run"];
    let output = world.venuekit(&arguments);
    let (_, stderr) = texts(&output);
    assert!(
        output.status.success() && stderr.contains("RSASSA-PSS only; it is stored as plain RSA, the same key pair"),
        "{stderr}"
    );
}

#[test]
fn a_line_end_of_windows_is_blamed_on_the_variable_that_has_it() {
    let world = World::new("carriage-return");
    for (variable, value, arguments) in [
        ("KALSHI_LOCAL_KEY_ID", format!("{KALSHI_ID}\r"), ["call", "kalshi/local", "get_balance"].as_slice()),
        ("KALSHI_LOCAL_KEY_ID", format!("{KALSHI_ID}\r\n"), &["sign", "kalshi/local", "GET", "/portfolio/balance"]),
        ("KALSHI_LOCAL_KEY_ID", format!("{KALSHI_ID} "), &["keys", "create", "kalshi/local/bot", "--scope", "read"]),
        ("BAYSE_LOCAL_SECRET_KEY", "sk_live_MARKER\r".to_owned(), &["call", "bayse/local", "get_portfolio"]),
        (
            "DERIBIT_LOCAL_CLIENT_SECRET",
            "MARKER\r".to_owned(),
            &["call", "deribit/local", "get_positions", "currency=BTC"],
        ),
        ("YATIVO_LOCAL_API_KEY", "yativo_a\r".to_owned(), &["call", "yativo/local", "list_accounts"]),
    ] {
        let output = world.with(variable, &value, arguments);
        let (_, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(6), "{stderr}");
        assert!(stderr.contains(&format!("error: {variable} ")) && !stderr.contains("MARKER"), "{stderr}");
    }
}

#[test]
fn what_is_no_identity_is_named() {
    let world = World::new("identity");
    let write = |name: &str, text: &[u8]| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(world.home.join(name), text).unwrap();
        fs::set_permissions(world.home.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    };
    let openssh = fs::read(format!("{FIXTURES}/openssh_ed25519")).unwrap();
    let ed25519 = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    for (name, text, said) in [
        (
            "encrypted.age",
            &b"age-encryption.org/v1\n-> scrypt a 18\n\xff\xfe"[..],
            "is an age identity that is encrypted",
        ),
        (
            "armored.age",
            b"-----BEGIN AGE ENCRYPTED FILE-----\nYQ==\n-----END AGE ENCRYPTED FILE-----\n",
            "is encrypted",
        ),
        ("id_ed25519", &openssh, "is a private SSH key"),
        ("plugin.txt", b"AGE-PLUGIN-YUBIKEY-1QQQ\n", "is an identity of an age plugin"),
        ("public.txt", b"age1qqqq\n", "is a public key"),
        ("key.pem", ed25519.private_key_pem().expose().as_bytes(), "is a PEM file"),
        ("empty.txt", b"", "is empty"),
    ] {
        write(name, text);
        let output = world.venuekit(&["keys", "create", "kalshi/local/bot", "--scope", "read", "--identity", name]);
        let (_, stderr) = texts(&output);
        assert!(stderr.contains(said) && !stderr.contains("damaged"), "{name}: {stderr}");
        assert_eq!(output.status.code(), Some(6), "{stderr}");
    }
}

#[test]
fn clients_that_cannot_sign_with_a_new_key_are_named() {
    let world = World::new("clients");
    let output = world.venuekit(&["keys", "create", "kalshi/local/bot", "--scope", "read"]);
    let (_, stderr) = texts(&output);
    assert!(stderr.contains("cannot sign with Ed25519") && stderr.contains("--kind rsa2048"), "{stderr}");
    let output = world.venuekit(&["keys", "create", "kalshi/local/rsa", "--scope", "read", "--kind", "rsa2048"]);
    let (_, stderr) = texts(&output);
    assert!(output.status.success() && !stderr.contains("cannot sign with"), "{stderr}");
}
