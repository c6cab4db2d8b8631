//! YAML files, read so that every value knows its line.

use std::collections::HashMap;
use std::path::Path;

use marked_yaml::types::{MarkedScalarNode, Node};
use marked_yaml::{LoaderOptions, Marker};
use serde_json::{Map, Number, Value};

use crate::finding::{Finding, Location};

/// One spec file.
#[derive(Debug)]
pub struct Source {
    /// Relative to the workspace root, with forward slashes.
    pub path: String,
    /// The content as JSON.
    pub value: Value,
    /// Line and column of each value, by JSON pointer.
    lines: HashMap<String, (usize, usize)>,
}

/// How many levels a file may have. Specs have about ten.
const DEEPEST: usize = 32;

impl Source {
    /// Reads a file below `root`.
    pub fn read(root: &Path, path: &str) -> Result<Self, Finding> {
        let text = std::fs::read_to_string(root.join(path)).map_err(|error| Finding {
            rule: "unreadable",
            message: error.to_string(),
            at: Location { file: path.to_owned(), line: 0, column: 0 },
            help: "make the file readable UTF-8".to_owned(),
        })?;
        Self::parse(path, &text)
    }

    /// Reads a text as the file `path`.
    pub fn parse(path: &str, text: &str) -> Result<Self, Finding> {
        let options = LoaderOptions::default().error_on_duplicate_keys(true).prevent_coercion(true);
        let node = marked_yaml::parse_yaml_with_options(0, text, options).map_err(|error| {
            let (line, column) = yaml_error_place(&error);
            Finding {
                rule: "yaml",
                message: error.to_string(),
                at: Location { file: path.to_owned(), line, column },
                help: "a spec file is one YAML mapping, without anchors, tags or repeated keys".to_owned(),
            }
        })?;
        let mut lines = HashMap::new();
        let value = convert(&node, String::new(), &mut lines);
        // The generator walks over schemas on the stack, and one that overflows cannot be caught.
        let too_deep = lines.iter().filter(|(pointer, _)| pointer.matches('/').count() > DEEPEST);
        if let Some(&(line, column)) = too_deep.map(|(_, place)| place).min() {
            return Err(Finding {
                rule: "too-deep",
                message: format!("more than {DEEPEST} levels"),
                at: Location { file: path.to_owned(), line, column },
                help: "give the inner schemas names, and refer to them".to_owned(),
            });
        }
        Ok(Self { path: path.to_owned(), value, lines })
    }

    /// Where the value at a pointer stands; for a pointer into nothing, where its nearest ancestor does.
    pub fn locate(&self, pointer: &str) -> Location {
        let mut pointer = pointer;
        loop {
            if let Some(&(line, column)) = self.lines.get(pointer) {
                return Location { file: self.path.clone(), line, column };
            }
            match pointer.rfind('/') {
                Some(end) => pointer = &pointer[..end],
                None => return Location { file: self.path.clone(), line: 1, column: 1 },
            }
        }
    }
}

fn yaml_error_place(error: &marked_yaml::LoadError) -> (usize, usize) {
    use marked_yaml::LoadError as E;
    let place = |marker: &Marker| (marker.line(), marker.column());
    match error {
        E::TopLevelMustBeMapping(at)
        | E::UnexpectedAnchor(at)
        | E::UnexpectedTag(at)
        | E::MappingKeyMustBeScalar(at)
        | E::ScanError(at, _) => place(at),
        E::DuplicateKey(inner) => inner.key.span().start().map_or((0, 0), place),
        _ => (0, 0),
    }
}

/// Appends one step to a JSON pointer.
pub fn step(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn convert(node: &Node, pointer: String, lines: &mut HashMap<String, (usize, usize)>) -> Value {
    if let Some(start) = node.span().start() {
        lines.entry(pointer.clone()).or_insert((start.line(), start.column()));
    }
    match node {
        Node::Scalar(scalar) => scalar_value(scalar),
        Node::Sequence(items) => Value::Array(
            items.iter().enumerate().map(|(i, item)| convert(item, step(&pointer, &i.to_string()), lines)).collect(),
        ),
        Node::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries.iter() {
                let below = step(&pointer, key.as_str());
                // A member is found by its key, not by where its value begins.
                if let Some(start) = key.span().start() {
                    lines.insert(below.clone(), (start.line(), start.column()));
                }
                map.insert(key.as_str().to_owned(), convert(value, below, lines));
            }
            Value::Object(map)
        }
    }
}

/// YAML 1.2's core schema: what is plain and looks like null, a boolean or a number is one.
fn scalar_value(scalar: &MarkedScalarNode) -> Value {
    let text = scalar.as_str();
    if !scalar.may_coerce() {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" => return Value::Null,
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    if numeric {
        if let Ok(integer) = text.parse::<i64>() {
            return integer.into();
        }
        if let Some(float) =
            text.parse::<f64>().ok().filter(|_| text.contains(['.', 'e', 'E'])).and_then(Number::from_f64)
        {
            return float.into();
        }
    }
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_follow_yaml_1_2() {
        let source =
            Source::parse("a.yaml", "a: 3.0.3\nb: 200\nc: 'true'\nd: no\ne: 0.5\nf:\ng: 2026-01-01\n'200': x\n")
                .unwrap();
        let expected =
            json!({"a": "3.0.3", "b": 200, "c": "true", "d": "no", "e": 0.5, "f": null, "g": "2026-01-01", "200": "x"});
        assert_eq!(source.value, expected);
    }

    #[test]
    fn values_know_their_lines() {
        let source = Source::parse("a.yaml", "a:\n  b:\n    - x\n    - c: 1\n  d/e: 2\n").unwrap();
        let line = |pointer| source.locate(pointer).line;
        assert_eq!(line("/a/b/1/c"), 4);
        assert_eq!(line("/a/d~1e"), 5);
        assert_eq!(line("/a/b/1/c/nothing/there"), 4, "the nearest ancestor answers");
    }

    #[test]
    fn broken_yaml_names_the_line() {
        for (text, line) in [("a: 1\na: 2\n", 2), ("a: [1\nb: 2\n", 2), ("- 1\n", 1), ("a: &x 1\nb: *x\n", 1)] {
            let finding = Source::parse("a.yaml", text).unwrap_err();
            assert_eq!((finding.rule, finding.at.line), ("yaml", line), "{finding}");
        }
    }
}
