//! Private keys as files hold them. The first byte chooses between PEM and the DER inside of it, of three labels.
#![no_main]

use libfuzzer_sys::fuzz_target;
use venuekit_auth::PrivateKey;
use venuekit_wire::Secret;

const LABELS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, bytes) = input;
    let pem = match LABELS.get(usize::from(choice) % (LABELS.len() + 1)) {
        Some(label) => format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", base64(bytes)).into_bytes(),
        None => bytes.to_vec(),
    };
    let key = match PrivateKey::from_pem(&pem) {
        Ok(key) => Some(key),
        Err(error) => {
            let _ = error.to_string();
            PrivateKey::from_pem_with_passphrase(&pem, &Secret::new("passphrase")).ok()
        }
    };
    let Some(key) = key else { return };
    // What is accepted can be written, and is the same key then.
    let again = PrivateKey::from_pem(key.private_key_pem().expose()).expect("a key that was written is read");
    assert_eq!(key.public_key_pem(), again.public_key_pem());
});

/// Base64 in lines of 64 characters.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (number, chunk) in bytes.chunks(3).enumerate() {
        if number > 0 && number % 16 == 0 {
            text.push('\n');
        }
        let value = chunk.iter().fold(0_u32, |value, byte| value << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = ALPHABET[(value >> (18 - 6 * place) & 63) as usize];
            text.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    text
}
