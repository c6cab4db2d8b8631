//! Writes texts to sign and encoded signatures as bytes, without a separate buffer for each part.

use sha2::{Digest, Sha256};

/// The decimal digits of a number.
pub(crate) fn push_number(text: &mut Vec<u8>, number: i64) {
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A method in upper case, as the venues sign it.
pub(crate) fn push_method(text: &mut Vec<u8>, method: &str) {
    let start = text.len();
    text.extend_from_slice(method.as_bytes());
    text[start..].make_ascii_uppercase();
}

/// A hash or a MAC in lower-case hex.
pub(crate) fn push_hex(text: &mut Vec<u8>, hash: &[u8; 32]) {
    let mut digits = [0; 64];
    base16ct::lower::encode(hash, &mut digits).expect("two digits a byte");
    text.extend_from_slice(&digits);
}

/// The SHA-256 of all pieces together, in lower-case hex; nothing if all are empty.
pub(crate) fn push_hash(text: &mut Vec<u8>, pieces: &[&[u8]]) {
    if pieces.iter().all(|piece| piece.is_empty()) {
        return;
    }
    let mut hash = Sha256::new();
    pieces.iter().for_each(|piece| hash.update(piece));
    push_hex(text, &hash.finalize().into());
}

/// What was put together from texts alone, as one.
pub(crate) fn string(text: Vec<u8>) -> String {
    String::from_utf8(text).expect("texts one behind the other are a text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_two_digits_a_byte() {
        for start in (0..=255_u8).step_by(32) {
            let hash: [u8; 32] = std::array::from_fn(|at| start + u8::try_from(at).unwrap());
            let mut text = b"x".to_vec();
            push_hex(&mut text, &hash);
            let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(string(text), format!("x{digits}"));
        }
    }

    #[test]
    fn a_hash_is_of_all_pieces_and_nothing_has_none() {
        let hash = |pieces: &[&[u8]]| {
            let mut text = Vec::new();
            push_hash(&mut text, pieces);
            string(text)
        };
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((hash(&[b"abc"]), hash(&[b"a", b"bc"]), hash(&[b"", b""])), (abc.into(), abc.into(), String::new()));
    }

    #[test]
    fn numbers_and_methods_are_written_behind_what_is_there() {
        let mut text = b"get ".to_vec();
        push_method(&mut text, "pOst");
        push_number(&mut text, -7);
        push_number(&mut text, i64::MAX);
        assert_eq!(string(text), "get POST-79223372036854775807");
    }
}
