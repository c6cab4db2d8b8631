//! Parameters that a signature adds to the query or to the form body of a request.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use venuekit_wire::signature::Encoding;

use super::{TemplatePiece, read};
use crate::{Added, Parts};

/// What a form does not percent-encode. A space is written as `%20`, which every server reads too.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// The parameters of a description, read once.
#[derive(Clone)]
pub(super) struct Adds {
    /// All but the signature.
    params: Vec<Param>,
    /// `signature=`
    signature: String,
}

#[derive(Clone)]
struct Param {
    /// `name=`
    name: String,
    value: Vec<TemplatePiece>,
}

/// What the templates of parameters are filled with.
pub(super) struct Values<'a> {
    pub(super) id: &'a str,
    pub(super) time: i64,
    pub(super) nonce: &'a str,
}

/// Parameters that are appended to the query or to the body: first those that are signed.
pub(super) struct Addition {
    is_body: bool,
    /// What separates the first parameter from what is there.
    separator: &'static str,
    text: String,
}

/// What is appended to the query and to the body in the text to sign.
#[derive(Clone, Copy, Default)]
pub(super) struct Appended<'a> {
    pub(super) query: &'a str,
    pub(super) body: &'a str,
}

impl Adds {
    pub(super) fn new(adds: &[(&'static str, &'static str)]) -> Option<Self> {
        let (signature, params) = adds.split_last()?;
        let name = |name: &str| format!("{}=", utf8_percent_encode(name, FORM));
        let params = params.iter().map(|(own, value)| Param { name: name(own), value: read(value) });
        Some(Self { params: params.collect(), signature: name(signature.0) })
    }

    /// The parameters that go into the text to sign. What the request has already stays as it is.
    pub(super) fn begin(&self, parts: &Parts<'_>, values: &Values<'_>) -> Addition {
        let is_body = !parts.body.is_empty();
        let separator = match parts.query {
            _ if is_body => "&",
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        let mut addition = Addition { is_body, separator, text: String::with_capacity(160) };
        let mut given = 0;
        self.look(parts.query.unwrap_or_default(), &mut given);
        self.look(std::str::from_utf8(parts.body).unwrap_or_default(), &mut given);
        for (index, param) in self.params.iter().enumerate() {
            if given & bit(index) != 0 {
                continue;
            }
            addition.separate();
            addition.text.push_str(&param.name);
            for piece in &param.value {
                match piece {
                    TemplatePiece::Text(text) => addition.push(text),
                    TemplatePiece::Id => addition.push(values.id),
                    TemplatePiece::Time => addition.text.push_str(itoa::Buffer::new().format(values.time)),
                    TemplatePiece::Nonce => addition.push(values.nonce),
                    TemplatePiece::Data | TemplatePiece::Signature => {}
                }
            }
        }
        addition
    }

    /// Notes which of the parameters a query or a form has already.
    fn look(&self, form: &str, given: &mut u64) {
        for own in form.split('&') {
            for (index, _) in self.params.iter().enumerate().filter(|(_, param)| own.starts_with(&*param.name)) {
                *given |= bit(index);
            }
        }
    }

    /// The whole addition, with the signature at its end.
    pub(super) fn finish(&self, mut addition: Addition, signature: &str, encoding: Encoding) -> Added {
        addition.separate();
        addition.text.push_str(&self.signature);
        match encoding {
            // Nothing in these is percent-encoded.
            Encoding::Hex | Encoding::Base64Url => addition.text.push_str(signature),
            Encoding::Base64 => addition.push(signature),
        }
        if addition.is_body { Added::Body(addition.text) } else { Added::Query(addition.text) }
    }
}

impl Addition {
    /// What has been added so far, as it is signed: without the `?` that begins a query.
    pub(super) fn signed(&self) -> Appended<'_> {
        let text = self.text.strip_prefix('?').unwrap_or(&self.text);
        match self.is_body {
            true => Appended { query: "", body: text },
            false => Appended { query: text, body: "" },
        }
    }

    fn separate(&mut self) {
        self.text.push_str(if self.text.is_empty() { self.separator } else { "&" });
    }

    fn push(&mut self, value: &str) {
        self.text.extend(utf8_percent_encode(value, FORM));
    }
}

/// A parameter in a set of them; no description has so many that one would have no place.
fn bit(index: usize) -> u64 {
    u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        let adds = Adds::new(&[("z", "1"), ("a", "1"), ("signature", "{signature}")]).unwrap();
        for (form, found) in
            [("a=1", true), ("b=1&a=", true), ("aa=1", false), ("ba=1&c=a", false), ("x=%26a=1", false), ("", false)]
        {
            let mut given = 0;
            adds.look(form, &mut given);
            assert_eq!(given, u64::from(found) << 1, "{form}");
        }
    }
}
