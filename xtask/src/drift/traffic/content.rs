//! Bodies as they travelled: compressed, in base64, with a byte order mark.

use std::io::Read;

use base64::Engine as _;
use serde_json::Value;

use super::Body;

/// The largest body. No venue sends a tenth of it, and a compressed one may grow without bounds.
const LARGEST: u64 = 64 << 20;

/// A body by its bytes and its `Content-Encoding`.
pub fn of_bytes(bytes: &[u8], encoding: &str) -> Body {
    let mut plain = Vec::new();
    let read = match encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => return of_plain(bytes),
        "gzip" | "x-gzip" => flate2::read::MultiGzDecoder::new(bytes).take(LARGEST).read_to_end(&mut plain),
        "deflate" => flate2::read::ZlibDecoder::new(bytes).take(LARGEST).read_to_end(&mut plain),
        "zstd" => match zstd::stream::read::Decoder::new(bytes) {
            Ok(decoder) => decoder.take(LARGEST).read_to_end(&mut plain),
            Err(error) => Err(error),
        },
        // What a recorder has decoded keeps the header nevertheless.
        _ if bytes.trim_ascii_start().starts_with(b"{") || bytes.trim_ascii_start().starts_with(b"[") => {
            return of_plain(bytes);
        }
        other => {
            return Body::Unreadable(format!("encoded as {}", if other == "br" { "br" } else { "something else" }));
        }
    };
    match read {
        Ok(_) => of_plain(&plain),
        // A recorder that decodes bodies keeps the header nevertheless.
        Err(_) => of_plain(bytes),
    }
}

/// A text without the byte order mark that some programs write before it.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// A body that is plain text.
pub fn of_plain(bytes: &[u8]) -> Body {
    let bytes = without_mark(bytes).trim_ascii();
    if bytes.is_empty() {
        return Body::Empty;
    }
    match serde_json::from_slice(bytes) {
        Ok(value) => Body::Json(value),
        Err(_) => Body::Unreadable("not JSON".to_owned()),
    }
}

/// A body that is written as base64.
pub fn of_base64(text: &str, encoding: &str) -> Body {
    let letters: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    match base64::engine::general_purpose::STANDARD.decode(letters) {
        Ok(bytes) => of_bytes(&bytes, encoding),
        Err(_) => Body::Unreadable("not base64".to_owned()),
    }
}

/// A member that is a body: an object is one already, a text may be.
pub fn of_value(value: &Value) -> Body {
    match value {
        Value::Null => Body::Empty,
        Value::String(text) => of_plain(text.as_bytes()),
        other => Body::Json(other.clone()),
    }
}

/// A body of a request, where it is JSON.
pub fn request(value: &Value) -> Option<Value> {
    match of_value(value) {
        Body::Json(value) => Some(value),
        _ => None,
    }
}
