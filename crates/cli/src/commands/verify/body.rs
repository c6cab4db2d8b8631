//! The body that was sent, where it is not quite the one that was given.

/// A body, held against the length that the request names.
#[derive(Debug, PartialEq, Eq)]
pub struct Body {
    /// What was sent, as far as that is known.
    pub sent: Vec<u8>,
    /// What was given, where it was sent without its line ends.
    pub given: Option<Vec<u8>>,
    /// How the lengths differ, where they do.
    pub difference: Option<String>,
}

impl Body {
    /// A body that was given, and the content-length of the request.
    pub fn new(given: Vec<u8>, length: Option<usize>) -> Self {
        let Some(length) = length.filter(|length| *length != given.len()) else {
            return Self { sent: given, given: None, difference: None };
        };
        let difference = format!("the length of the body given is {}, and content-length says {length}", given.len());
        let shorter = [without_last_line_end(&given).to_vec(), without_line_ends(&given)];
        match shorter.into_iter().find(|body| body.len() == length) {
            Some(sent) => Self { sent, given: Some(given), difference: Some(difference) },
            None => Self { sent: given, given: None, difference: Some(difference) },
        }
    }
}

fn without_last_line_end(body: &[u8]) -> &[u8] {
    body.strip_suffix(b"\r\n").or_else(|| body.strip_suffix(b"\n")).unwrap_or(body)
}

/// What curl's -d makes of a file.
fn without_line_ends(body: &[u8]) -> Vec<u8> {
    body.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_that_were_not_sent_are_told_from_another_body() {
        for (given, length, sent, differs) in [
            ("{}\n", None, "{}\n", false),
            ("{}\n", Some(3), "{}\n", false),
            ("{}\n", Some(2), "{}", true),
            ("{}\r\n", Some(2), "{}", true),
            ("{\n \"a\": 1\n}\n", Some(9), "{ \"a\": 1}", true),
            ("{}\n", Some(7), "{}\n", true),
        ] {
            let body = Body::new(given.as_bytes().to_vec(), length);
            assert_eq!((body.sent.as_slice(), body.difference.is_some()), (sent.as_bytes(), differs), "{given:?}");
            assert_eq!(body.given.is_some(), sent != given, "{given:?}");
        }
        let told = Body::new(b"{}\n".to_vec(), Some(2)).difference.unwrap();
        assert_eq!(told, "the length of the body given is 3, and content-length says 2");
    }
}
