//! Writes texts to sign and encoded signatures without a buffer of their own for each part.

use std::str;

/// The decimal digits of a number.
pub(crate) fn push_number(text: &mut String, number: i64) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// A method in upper case, as the venues sign it.
pub(crate) fn push_method(text: &mut String, method: &str) {
    let start = text.len();
    text.push_str(method);
    text[start..].make_ascii_uppercase();
}

/// Bytes in lower-case hex.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // As many bytes at a time as a hash has.
    for part in bytes.chunks(32) {
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(part) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        text.push_str(str::from_utf8(&digits[..2 * part.len()]).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_that_of_the_library() {
        for length in [0, 1, 16, 31, 32, 33, 64, 100] {
            let bytes: Vec<u8> = (0..length).map(|byte: u8| byte.wrapping_mul(151)).collect();
            let mut text = "x".to_owned();
            push_hex(&mut text, &bytes);
            assert_eq!(text, format!("x{}", hex::encode(bytes)));
        }
    }

    #[test]
    fn numbers_and_methods_are_written_behind_what_is_there() {
        let mut text = "get ".to_owned();
        push_method(&mut text, "pOst");
        push_number(&mut text, -7);
        push_number(&mut text, i64::MAX);
        assert_eq!(text, "get POST-79223372036854775807");
    }
}
