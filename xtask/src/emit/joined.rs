//! A joined spec as `venuekit-spec` embeds it: what fits on a line stays on one, so that the file is short and a diff says what changed.

use std::io;

use serde_json::{Map, Value};

const WIDTH: usize = 120;

/// The text of a document.
pub fn text(document: &Value) -> String {
    let mut text = String::new();
    write(&mut text, document, 0, 0);
    text.push('\n');
    text
}

/// Writes a value that stands `indent` deep, behind `before` characters of its line.
fn write(text: &mut String, value: &Value, indent: usize, before: usize) {
    // A comma may follow.
    if let Some(line) = short(value).filter(|line| indent + before + line.chars().count() < WIDTH) {
        text.push_str(&line);
        return;
    }
    match value {
        Value::Object(map) => write_object(text, map, indent),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                begin_line(text, index, indent + 1);
                write(text, item, indent + 1, 0);
            }
            end(text, ']', indent);
        }
        _ => text.push_str(&value.to_string()),
    }
}

/// A value on one line, unless it is certainly longer than one. Writing whole what stands at the top of a document, and then its parts,
/// would write each part as often as it is deep.
fn short(value: &Value) -> Option<String> {
    let mut line = Short(Vec::new());
    serde_json::to_writer(&mut line, value).ok()?;
    String::from_utf8(line.0).ok()
}

/// Takes as many bytes as a line of characters may have.
struct Short(Vec<u8>);

impl io::Write for Short {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > 4 * WIDTH {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_object(text: &mut String, map: &Map<String, Value>, indent: usize) {
    text.push('{');
    for (index, (name, value)) in map.iter().enumerate() {
        begin_line(text, index, indent + 1);
        let name = Value::from(name.as_str()).to_string();
        text.push_str(&name);
        text.push(':');
        write(text, value, indent + 1, name.chars().count() + 1);
    }
    end(text, '}', indent);
}

fn begin_line(text: &mut String, index: usize, indent: usize) {
    if index > 0 {
        text.push(',');
    }
    end_line(text, indent);
}

fn end(text: &mut String, bracket: char, indent: usize) {
    end_line(text, indent);
    text.push(bracket);
}

fn end_line(text: &mut String, indent: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::text;

    #[test]
    fn what_fits_stays_on_a_line() {
        let long = "x".repeat(70);
        let document = json!({"a": {"b": [1, 2]}, "c": {"d": long, "e": long}});
        let expected =
            format!("{{\n \"a\":{{\"b\":[1,2]}},\n \"c\":{{\n  \"d\":\"{long}\",\n  \"e\":\"{long}\"\n }}\n}}\n");
        assert_eq!(text(&document), expected);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&expected).unwrap(), document);
    }

    #[test]
    fn no_line_is_longer_than_it_must_be() {
        let words: Vec<String> = (0..200).map(|number| format!("word{number}")).collect();
        let written = text(&json!({"deep": {"deeper": words}}));
        assert!(written.lines().all(|line| line.len() <= 120), "{written}");
    }
}
