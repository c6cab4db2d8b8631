//! Parameters that a signature adds to the query or to the form body of a request.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{TemplatePiece, read};
use crate::{Added, Parts};

/// What a form leaves as it is, but for the blank, which every server reads in this form too.
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

/// Where parameters are added, and what they are: first those that are signed.
pub(super) struct Addition {
    is_body: bool,
    text: String,
    /// How long the query or the body was.
    behind: usize,
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
        let behind = if is_body { parts.body.len() } else { parts.query.map_or(0, str::len) };
        let mut addition = Addition { is_body, text: String::with_capacity(160), behind };
        let body = std::str::from_utf8(parts.body).unwrap_or_default();
        for param in &self.params {
            if has(parts.query.unwrap_or_default(), &param.name) || has(body, &param.name) {
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

    /// The whole addition, with the signature at its end.
    pub(super) fn finish(&self, mut addition: Addition, signature: &str, had_query: bool) -> Added {
        addition.separate();
        addition.text.push_str(&self.signature);
        addition.push(signature);
        match addition.is_body {
            true => Added::Body(addition.text),
            false if had_query => Added::Query(addition.text),
            false => {
                addition.text.insert(0, '?');
                Added::Query(addition.text)
            }
        }
    }
}

impl Addition {
    /// The query or the body as it is signed.
    pub(super) fn whole(&self, parts: &Parts<'_>) -> Vec<u8> {
        let before = if self.is_body { parts.body } else { parts.query.unwrap_or_default().as_bytes() };
        let mut whole = Vec::with_capacity(before.len() + self.text.len());
        whole.extend_from_slice(before);
        whole.extend_from_slice(self.text.as_bytes());
        whole
    }

    /// The parts of the request with what [`whole`](Self::whole) has made.
    pub(super) fn parts<'a>(&self, parts: &Parts<'a>, whole: &'a [u8]) -> Parts<'a> {
        match self.is_body {
            true => Parts { body: whole, ..*parts },
            // A query and percent-encoded parameters are a text.
            false => Parts { query: std::str::from_utf8(whole).ok(), ..*parts },
        }
    }

    fn separate(&mut self) {
        if self.behind + self.text.len() > 0 {
            self.text.push('&');
        }
    }

    fn push(&mut self, value: &str) {
        self.text.extend(utf8_percent_encode(value, FORM));
    }
}

/// Whether a query or a form has a parameter. `name` ends with the equals sign.
fn has(form: &str, name: &str) -> bool {
    form.starts_with(name) || form.match_indices(name).any(|(at, _)| form.as_bytes()[at - 1] == b'&')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        for (form, found) in
            [("a=1", true), ("b=1&a=", true), ("aa=1", false), ("ba=1&c=a", false), ("x=%26a=1", false), ("", false)]
        {
            assert_eq!(has(form, "a="), found, "{form}");
        }
    }
}
