//! A body in the forms in which clients sign it by mistake.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};

/// The SHA-256 of a body in hex.
pub(super) fn hash(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// What may be signed in place of a body that is signed as it is sent.
pub(crate) fn body_alternatives(body: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let mut all: Vec<(Vec<u8>, &'static str)> = Vec::new();
    if body.is_empty() {
        all.push((b"{}".to_vec(), "{} was signed although there is no body: sign nothing"));
    } else {
        all.push((Vec::new(), "the body was left out: it belongs to the signed text"));
        all.push((hash(body).into(), "the hash of the body was signed: sign the body itself"));
    }
    all.extend(rewritten(body));
    all
}

/// What may be signed in place of the SHA-256 of a body in hex.
pub(crate) fn body_hash_alternatives(body: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let mut all: Vec<(Vec<u8>, &'static str)> = vec![
        (hash(b"").into(), "the hash of an empty body was signed"),
        (hash(b"{}").into(), "the hash of {} was signed: hash the body that is sent"),
    ];
    if !body.is_empty() {
        let upper = hash(body).to_uppercase();
        all.extend([
            (Vec::new(), "the hash of the body was left out: it belongs to the signed text"),
            (body.to_vec(), "the body itself was signed: sign its SHA-256 in hex"),
            (upper.into(), "the hash of the body was written in capitals: write it in lower case"),
            (
                STANDARD.encode(Sha256::digest(body)).into(),
                "the hash of the body was written in base64: write it in hex",
            ),
            (hex::encode(Sha512::digest(body)).into(), "the body was hashed with SHA-512: hash it with SHA-256"),
        ]);
    }
    all.extend(rewritten(body).into_iter().map(|(body, message)| (hash(&body).into_bytes(), message)));
    all
}

/// The same JSON as other serializers write it.
fn rewritten(body: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let Ok(text) = std::str::from_utf8(body) else { return Vec::new() };
    if text.is_empty() {
        return Vec::new();
    }
    let mut all = vec![
        (format!("{text}\n"), "the body was signed with a line feed at its end, which is not sent"),
        (text.trim_end().to_owned(), "the body was signed without the white space at its end, which is sent"),
    ];
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        let other = "the body was signed with other white space than it is sent with: sign the bytes that are sent";
        all.extend([compact(text), spaced(text), indented(text, 2), indented(text, 4)].map(|text| (text, other)));
        let sorted = value.to_string();
        let order = "the body was signed with its members in another order: sign the bytes that are sent";
        all.extend([(spaced(&sorted), order), (sorted, order)]);
        all.push((ascii(text), "the body was signed with \\u escapes, and sent without: sign the bytes that are sent"));
    }
    all.into_iter().map(|(text, message)| (text.into_bytes(), message)).collect()
}

/// Calls `write` for each character outside of texts that is no white space, and copies texts as they are.
fn respace(text: &str, mut write: impl FnMut(&mut String, char)) -> String {
    let mut written = String::with_capacity(text.len());
    let (mut in_text, mut escaped) = (false, false);
    for one in text.chars() {
        if in_text {
            written.push(one);
            in_text = one != '"' || escaped;
            escaped = one == '\\' && !escaped;
        } else if one == '"' {
            in_text = true;
            write(&mut written, one);
        } else if !one.is_ascii_whitespace() {
            write(&mut written, one);
        }
    }
    written
}

fn compact(text: &str) -> String {
    respace(text, |written, one| written.push(one))
}

/// As Python writes JSON.
fn spaced(text: &str) -> String {
    respace(text, |written, one| {
        written.push(one);
        if matches!(one, ',' | ':') {
            written.push(' ');
        }
    })
}

fn indented(text: &str, width: usize) -> String {
    let (mut depth, mut opened) = (0_usize, false);
    respace(text, |written, one| {
        let line = |written: &mut String, depth: usize| {
            written.push('\n');
            written.push_str(&" ".repeat(depth * width));
        };
        if matches!(one, '}' | ']') {
            depth = depth.saturating_sub(1);
            if !opened {
                line(written, depth);
            }
        } else if opened {
            line(written, depth);
        }
        opened = matches!(one, '{' | '[');
        written.push(one);
        match one {
            '{' | '[' => depth += 1,
            ',' => line(written, depth),
            ':' => written.push(' '),
            _ => {}
        }
    })
}

/// With escapes in place of what is no ASCII.
fn ascii(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for one in text.chars() {
        if one.is_ascii() {
            written.push(one);
        } else {
            let mut units = [0; 2];
            one.encode_utf16(&mut units).iter().for_each(|unit| written.push_str(&format!("\\u{unit:04x}")));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_as_other_serializers_do() {
        let sent = r#"{"b":"x, y: \"z\"","a":[1,2],"c":{}}"#;
        let value: Value = serde_json::from_str(sent).unwrap();
        let pretty = indented(sent, 2);
        assert_eq!(pretty, "{\n  \"b\": \"x, y: \\\"z\\\"\",\n  \"a\": [\n    1,\n    2\n  ],\n  \"c\": {}\n}");
        for text in [compact(&pretty), spaced(sent), indented(sent, 4)] {
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value, "{text}");
        }
        assert_eq!(compact(&pretty), sent);
        assert_eq!(spaced(sent), r#"{"b": "x, y: \"z\"", "a": [1, 2], "c": {}}"#);
        assert_eq!(ascii("ü😀"), "\\u00fc\\ud83d\\ude00");
    }
}
