//! Finds what stands under the names of secrets in a text that need not be JSON: a body that is cut off, has a comma too many,
//! or is a form.

use std::ops::Range;

use crate::masking::is_secret;

/// How a text is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reading {
    /// Names stand in quotes before a colon, or before an equals sign. So no sentence is taken for a pair.
    Strict,
    /// A name may stand before a colon without quotes too, as in a body that is nearly JSON.
    Lenient,
}

/// A value under the name of a secret.
#[derive(Debug, PartialEq)]
pub(crate) struct NamedValue {
    /// Without its quotes.
    pub(crate) range: Range<usize>,
    /// Whether it stands without quotes after a colon: a number, a list or an object.
    pub(crate) is_bare: bool,
}

/// The values under the names of secrets, in their order.
pub(crate) fn find(text: &str, reading: Reading) -> Vec<NamedValue> {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if !is_name(bytes[at]) {
            at += 1;
            continue;
        }
        let end = skip(bytes, at, is_name);
        let value = is_secret(&text[at..end]).then(|| value_after(bytes, end, reading)).flatten();
        at = end;
        if let Some(value) = value {
            at = value.range.end.max(end);
            found.push(value);
        }
    }
    found
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

fn skip(bytes: &[u8], from: usize, is_passed: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !is_passed(*byte)).map_or(bytes.len(), |length| from + length)
}

/// The value of a name that ends at a place.
fn value_after(bytes: &[u8], end: usize, reading: Reading) -> Option<NamedValue> {
    // In a form, a name may be part of another one: `user[password]`.
    let escaped = if bytes[end..].starts_with(b"%5D") { end + 3 } else { end };
    let after_name = skip(bytes, escaped, |byte| byte == b']');
    if bytes.get(after_name) == Some(&b'=') {
        let from = after_name + 1;
        if let Some(range) = quoted(bytes, from) {
            return not_empty(range, false);
        }
        let is_part = |byte: u8| !byte.is_ascii_whitespace() && !b"&;\"'<>".contains(&byte);
        return not_empty(from..skip(bytes, from, is_part), false);
    }
    let closing = skip(bytes, end, |byte| b"\\\"'".contains(&byte));
    let is_quoted = closing > end;
    let colon = skip(bytes, closing, |byte| byte.is_ascii_whitespace());
    if bytes.get(colon) != Some(&b':') || !is_quoted && reading == Reading::Strict {
        return None;
    }
    let from = skip(bytes, colon + 1, |byte| byte.is_ascii_whitespace());
    if let Some(range) = quoted(bytes, from) {
        return not_empty(range, false);
    }
    let to = match bytes.get(from) {
        Some(b'[' | b'{') => bracketed(bytes, from),
        _ => skip(bytes, from, |byte| !b",}]\r\n\"".contains(&byte)),
    };
    let is_plain = matches!(bytes[from..to].trim_ascii(), b"null" | b"true" | b"false" | b"[]" | b"{}");
    if is_plain { None } else { not_empty(from..to, true) }
}

fn not_empty(range: Range<usize>, is_bare: bool) -> Option<NamedValue> {
    (!range.is_empty()).then_some(NamedValue { range, is_bare })
}

/// What stands between quotes, or up to the end where they are not closed. In JSON within a text, quotes are escaped.
fn quoted(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let at = skip(bytes, from, |byte| byte == b'\\');
    let quote = *bytes.get(at).filter(|byte| b"\"'".contains(byte))?;
    let (escapes, start) = (at - from, at + 1);
    let mut before = 0;
    for (index, byte) in bytes.iter().enumerate().skip(start) {
        match *byte {
            b'\\' => before += 1,
            // A quote of the value itself has other escapes before it, and one with fewer ends what stands around.
            byte if byte == quote && (before < escapes || before % (2 * (escapes + 1)) == escapes) => {
                return Some(start..index - before.min(escapes));
            }
            _ => before = 0,
        }
    }
    Some(start..bytes.len())
}

/// Where a list or an object ends that begins at a place: behind its closing bracket, or at the end of the text.
fn bracketed(bytes: &[u8], from: usize) -> usize {
    let (mut depth, mut at) = (0_usize, from);
    while at < bytes.len() {
        match bytes[at] {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            b'"' => {
                at = quoted(bytes, at).map_or(bytes.len(), |inner| inner.end);
            }
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, reading: Reading) -> Vec<&str> {
        find(text, reading).into_iter().map(|value| &text[value.range]).collect()
    }

    #[test]
    fn values_are_found_in_texts_that_are_not_json() {
        for (text, expected) in [
            (r#"{"email":"a@b.c","password":"hunter22",}"#, "hunter22"),
            (r#"{"private_key":"-----BEGIN PRIVATE KEY-----\nMC4"#, r"-----BEGIN PRIVATE KEY-----\nMC4"),
            (r#"{"client_secret" : ["one", "t]o"], "a": 1}"#, r#"["one", "t]o"]"#),
            (r#"{"api_secret":12345678}"#, "12345678"),
            (r#"{"secret":{"a":[1,"}"]},"b":2}"#, r#"{"a":[1,"}"]}"#),
            (r#"{"password":"a\"b","c":"d"}"#, r#"a\"b"#),
            (r#"{"password":"back\\","c":"d"}"#, r"back\\"),
            ("user=a&password=hunter2%21&b=c", "hunter2%21"),
            ("user[password]=hunter2", "hunter2"),
            ("user%5Bpassword%5D=hunter2", "hunter2"),
            (r#""{\"password\":\"hunter2\",\"a\":1}""#, "hunter2"),
            ("{'password': 'hunter2'}", "hunter2"),
        ] {
            assert_eq!(values(text, Reading::Strict), [expected], "{text}");
        }
        assert_eq!(values("{password: hunter2, a: 1}", Reading::Lenient), ["hunter2"]);
        assert_eq!(values(r#"{"token": "#, Reading::Lenient), [""; 0]);
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            r#"{"password":null,"totp_enabled":true,"secret":"","token_type":"bearer","tokens":["BTC"]}"#,
            r#"{"message":"invalid token: expired"}"#,
            "price=1&size=2",
        ] {
            assert_eq!(values(text, Reading::Strict), [""; 0], "{text}");
        }
    }
}
