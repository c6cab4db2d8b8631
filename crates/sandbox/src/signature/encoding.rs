//! How a signature is written.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// How the venue wants a signature to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Base64,
    Base64Url,
    Hex,
}

/// Decodes both alphabets' padded and unpadded forms.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

impl Encoding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Base64Url => "base64url without padding",
            Self::Hex => "hex in lower case",
        }
    }

    /// The bytes of a signature that is written as it should be.
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Base64Url => URL_SAFE_NO_PAD.decode(text).ok(),
            Self::Hex => {
                let is_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
                hex::decode(text).ok().filter(|_| !is_upper)
            }
        }
    }

    /// The bytes of a signature that is written in another way, with the name of that way.
    pub(super) fn decode_other(self, text: &str) -> Vec<(Vec<u8>, &'static str)> {
        let trimmed = text.trim();
        let ways: [(&str, Option<Vec<u8>>); 8] = [
            ("hex in lower case", Self::Hex.decode(trimmed)),
            ("hex in capitals", hex::decode(trimmed).ok()),
            ("base64", STANDARD.decode(trimmed).ok()),
            ("base64 without padding", STANDARD_NO_PAD.decode(trimmed).ok()),
            ("base64url with padding", URL_SAFE.decode(trimmed).ok()),
            ("base64url without padding", URL_SAFE_NO_PAD.decode(trimmed).ok()),
            ("base64 of its hex text", lenient(trimmed).and_then(|inner| hex::decode(inner).ok())),
            ("base64 twice", lenient(trimmed).and_then(|inner| lenient(std::str::from_utf8(&inner).ok()?))),
        ];
        let named = ways.into_iter().filter(|(name, _)| *name != self.name());
        named.filter_map(|(name, bytes)| Some((bytes?, name))).collect()
    }
}

/// Decodes base64 of either alphabet, padded or not.
pub(super) fn lenient(text: &str) -> Option<Vec<u8>> {
    let standard = text.trim().replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&alphabet::STANDARD, LENIENT).decode(standard).ok()
}
