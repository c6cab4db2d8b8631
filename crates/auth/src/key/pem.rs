//! Finds the private key in a text, whatever surrounds it.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::KeyError;
use super::found::{self, Found};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(false),
);

struct Block<'a> {
    label: &'a str,
    /// `None` where the END line is missing.
    body: Option<&'a str>,
}

/// The DER bytes of the only private key in a PEM text. Its bytes, not its label, show what kind of key it is.
pub(super) fn private_key(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let text = text(bytes)?;
    let blocks = blocks(&text);
    let private: Vec<&Block<'_>> = blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY")).collect();
    match private[..] {
        [key] => decode(key),
        [] => Err(match blocks.first() {
            Some(Block { body: None, .. }) => KeyError::Truncated,
            Some(Block { label, .. }) => KeyError::NotAPrivateKey(found::pem(label)),
            None if text.contains(END) || text.contains("-----BEGIN") => KeyError::Truncated,
            None => KeyError::NotAPrivateKey(found::text(text.trim())),
        }),
        _ => Err(KeyError::SeveralKeys(private.len())),
    }
}

/// The bytes as text: without a byte order mark, and with real line ends where a variable spelled them out.
fn text(bytes: &[u8]) -> Result<Zeroizing<String>, KeyError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(KeyError::Empty);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Zeroizing::new(text.to_owned()),
        // A name in another encoding above the block, as in what `openssl pkcs12` prints, does no harm.
        Err(_) if bytes.windows(BEGIN.len()).any(|window| window == BEGIN.as_bytes()) => {
            Zeroizing::new(String::from_utf8_lossy(bytes).into_owned())
        }
        Err(_) => return Err(KeyError::NotAPrivateKey(found::binary(bytes))),
    };
    let start = text.trim_start();
    if start.starts_with('{') || (start.starts_with('[') && !text.contains(BEGIN)) {
        return Err(KeyError::NotAPrivateKey(Found::Json));
    }
    if text.contains(BEGIN) {
        return Ok(line_ends(&text));
    }
    // Short DER keys can be valid UTF-8; control characters give them away.
    if text.chars().any(|c| c.is_control() && !c.is_ascii_whitespace()) {
        return Err(KeyError::NotAPrivateKey(found::binary(bytes)));
    }
    Ok(text)
}

/// Replaces line ends that are spelled out, however often they were escaped: `\n`, `\\n`, `\r\n`. Base64 has no backslash.
fn line_ends(text: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let escaped = after.trim_start_matches('\\');
        rest = match escaped.chars().next() {
            Some('n' | 'r') => {
                plain.push('\n');
                &escaped[1..]
            }
            _ => {
                plain.push('\\');
                after
            }
        };
    }
    plain.push_str(rest);
    plain
}

fn blocks(mut text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    while let Some((_, after)) = text.split_once(BEGIN) {
        let Some((label, rest)) = after.split_once("-----").filter(|(label, _)| is_label(label)) else {
            text = after;
            continue;
        };
        // The block ends at its own END line, or before the next block if that comes first.
        let own = rest.find(BEGIN).map_or(rest, |next| &rest[..next]);
        let body = own.find(&format!("{END}{label}-----")).map(|end| &own[..end]);
        blocks.push(Block { label, body });
        text = rest;
    }
    blocks
}

/// Short enough to be shown in an error without any doubt that it is a label and not a key.
fn is_label(label: &str) -> bool {
    label.len() <= 40 && label.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

fn decode(block: &Block<'_>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let body = block.body.ok_or(KeyError::Truncated)?;
    if body.contains("Proc-Type:") || body.contains("DEK-Info:") {
        return Err(KeyError::NotAPrivateKey(Found::LegacyEncrypted));
    }
    // Sized beforehand: a buffer that grows would leave copies of the key behind.
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    base64.extend(body.chars().filter(|c| !c.is_whitespace()));
    if base64.is_empty() {
        return Err(KeyError::Truncated);
    }
    let mut der = Zeroizing::new(Vec::with_capacity(base64.len()));
    LENIENT
        .decode_vec(base64.as_bytes(), &mut der)
        .map_err(|_| KeyError::Damaged("the text between its BEGIN and END lines is not base64"))?;
    if block.label == "OPENSSH PRIVATE KEY" {
        let is_rsa = der.windows(7).any(|window| window == b"ssh-rsa");
        return Err(KeyError::NotAPrivateKey(if is_rsa { Found::OpenSshRsa } else { Found::OpenSsh }));
    }
    Ok(der)
}
