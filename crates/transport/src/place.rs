//! Where in a JSON text an error stands, as a path.
//!
//! The path is found by how much of the text was read, in one pass over it. A deserializer that keeps the path would have to be compiled
//! for every type once more.

use std::fmt::Write;

use venuekit_wire::json;

/// What is open at a place of the text.
enum Open {
    List(usize),
    /// The name of the member whose value is being read; none before the first one.
    Object(Option<String>),
}

/// The path to the value that an error is about, such as `markets[3].price`. Empty: the text as a whole.
///
/// An error that a field is missing stands at the end of the object. So does one about its last member, where that was read before
/// anybody found fault with it.
pub(crate) fn of(text: &[u8], error: &json::Error) -> String {
    path_at(text, error.offset().saturating_sub(1), error.reason().starts_with("missing field"))
}

/// The path to the value of which this byte is a part. The last byte of an object is a part of its last member, unless the object is
/// meant as a whole.
fn path_at(text: &[u8], target: usize, is_whole: bool) -> String {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at).filter(|_| at <= target) {
        match byte {
            // It is what begins here that was not expected.
            b'{' | b'[' if at == target => break,
            b'{' => open.push(Open::Object(None)),
            b'[' => open.push(Open::List(0)),
            b'}' | b']' => {
                if at < target || is_whole {
                    open.pop();
                }
                if at == target {
                    break;
                }
            }
            b',' if at < target => match open.last_mut() {
                Some(Open::List(index)) => *index += 1,
                Some(Open::Object(name)) => *name = None,
                None => {}
            },
            b'"' => {
                let end = end_of_text(text, at);
                if let Some(Open::Object(name @ None)) = open.last_mut()
                    && end < target
                {
                    *name = text.get(at..=end).and_then(|name| serde_json::from_slice(name).ok());
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    written(&open)
}

/// The closing quote of a text that begins here, or the last byte where it is cut off.
fn end_of_text(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len().saturating_sub(1).max(start)
}

fn written(open: &[Open]) -> String {
    let mut path = String::new();
    for open in open {
        match open {
            Open::List(index) => push_index(&mut path, *index),
            Open::Object(Some(name)) => push_name(&mut path, name),
            Open::Object(None) => {}
        }
    }
    path
}

pub(crate) fn push_index(path: &mut String, index: usize) {
    let _ = write!(path, "[{index}]");
}

/// A name that is not plain is written as in `["a.b"]`.
pub(crate) fn push_name(path: &mut String, name: &str) {
    if name.is_empty() || name.contains(|c: char| !c.is_alphanumeric() && c != '_' && c != '-') {
        let _ = write!(path, "[{}]", serde_json::Value::from(name));
    } else {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;
    use venuekit_wire::lenient_types;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Page {
        rows: Vec<Row>,
        #[serde(default)]
        total: Option<u8>,
        #[serde(default, deserialize_with = "venuekit_wire::lenient::optional")]
        rate: Option<venuekit_wire::Decimal>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Row {
        id: u8,
        #[serde(default)]
        tags: Vec<String>,
        #[serde(default, deserialize_with = "venuekit_wire::lenient::optional")]
        rate: Option<venuekit_wire::Decimal>,
    }

    lenient_types! { objects { Page } others {} vital {} }

    #[test]
    fn an_error_is_placed_by_how_much_was_read() {
        for (text, path) in [
            (r#"{"rows":[{"id":1},{"id":"x"}]}"#, "rows[1].id"),
            (r#"{"rows":[{"id":1},{"id":300, "tags":[]}]}"#, "rows[1].id"),
            ("{\"rows\":\n  [{\"id\":1,\n \"tags\":[\"a\", 7]}]}", "rows[0].tags[1]"),
            (r#"{"rows":[{"id":1},{"tags":["},{"]}]}"#, "rows[1]"),
            (r#"{"rows":[{"id":1}],"total":-1}"#, "total"),
            (r#"{"total":1}"#, ""),
            (r#"{"rows":{}}"#, "rows"),
            (r#"{"rows":[7]}"#, "rows[0]"),
            (r#"{"rows":[{"id":1, "tags":{"a":1}}]}"#, "rows[0].tags"),
            (r#"{"rows":[{"id":1"#, "rows[0].id"),
            (r#"{"\u0072ows":[{"\"id":2,"id":null}]}"#, "rows[0].id"),
            (r#"{"rows":[{"id":1}],"rate":"x"}"#, "rate"),
            (r#"{"rate":"x", "rows":[]}"#, "rate"),
            (r#"{"rows":[{"id":1,"rate":[]}],"total":1}"#, "rows[0].rate"),
            ("7", ""),
            ("", ""),
        ] {
            let error = json::from_str::<Page>(text).unwrap_err();
            assert_eq!(of(text.as_bytes(), &error), path, "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_and_no_place_is_too_much(text: Vec<u8>, target: usize) {
            path_at(&text, target, target % 2 == 0);
            if let Err(error) = json::from_slice::<Value>(&text) {
                of(&text, &error);
            }
        }
    }
}
