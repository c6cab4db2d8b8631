//! YAML files, read so that every value knows its line.

use std::collections::HashMap;
use std::path::Path;

use marked_yaml::LoaderOptions;
use marked_yaml::types::{MarkedScalarNode, Node};
use serde_json::{Map, Number, Value};

use crate::characters;
use crate::finding::{Finding, Location};
use crate::yaml;

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
        if let Some(finding) = strange_character(path, text).or_else(|| yaml::second_document(path, text)) {
            return Err(finding);
        }
        let options = LoaderOptions::default().error_on_duplicate_keys(true).prevent_coercion(true);
        let node = marked_yaml::parse_yaml_with_options(0, text, options)
            .map_err(|error| yaml::finding(path, text, &error))?;
        let mut reader = Reader { path, lines: HashMap::new(), too_large: None };
        let value = reader.convert(&node, String::new());
        let Reader { lines, too_large, .. } = reader;
        if let Some(finding) = too_large {
            return Err(finding);
        }
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

/// The first character that cannot stand in a spec, also in a comment, and how many more there are.
fn strange_character(path: &str, text: &str) -> Option<Finding> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        // A carriage return ends a line together with a line feed only.
        let line = line.strip_suffix('\r').unwrap_or(line);
        let strange =
            (1..).zip(line.chars()).filter_map(|(column, c)| Some((number, column, c, characters::problem(c)?)));
        found.extend(strange);
    }
    let &(line, column, c, problem) = found.first()?;
    let more = match found[1..].iter().map(|(line, ..)| *line).collect::<Vec<usize>>() {
        lines if lines.is_empty() => String::new(),
        lines => format!(", and {} more, the next in line {}", lines.len(), lines[0]),
    };
    Some(Finding {
        rule: "strange-character",
        message: format!("{} is {problem}{more}", characters::name(c)),
        at: Location { file: path.to_owned(), line, column },
        help: "delete it; where the venue sends it, describe it by its number".to_owned(),
    })
}

/// The name that a step of a JSON pointer stands for.
pub fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// Whether what stands at a pointer holds the properties of a schema by their names. A property may itself be called `properties`.
pub fn holds_properties(pointer: &str) -> bool {
    pointer.rsplit('/').take_while(|name| *name == "properties").count() % 2 == 1
}

/// Appends one step to a JSON pointer.
pub fn step(pointer: &str, key: &str) -> String {
    // Called for every value of a document in every pass over it.
    let mut below = String::with_capacity(pointer.len() + 1 + key.len());
    below.push_str(pointer);
    below.push('/');
    if key.contains(['~', '/']) {
        below.push_str(&key.replace('~', "~0").replace('/', "~1"));
    } else {
        below.push_str(key);
    }
    below
}

/// Turns a parsed file into JSON.
struct Reader<'a> {
    path: &'a str,
    lines: HashMap<String, (usize, usize)>,
    /// The first number that cannot be held.
    too_large: Option<Finding>,
}

impl Reader<'_> {
    fn convert(&mut self, node: &Node, pointer: String) -> Value {
        if let Some(start) = node.span().start() {
            self.lines.entry(pointer.clone()).or_insert((start.line(), start.column()));
        }
        match node {
            Node::Scalar(scalar) => self.scalar(scalar),
            Node::Sequence(items) => Value::Array(
                items.iter().enumerate().map(|(i, item)| self.convert(item, step(&pointer, &i.to_string()))).collect(),
            ),
            Node::Mapping(entries) => {
                let mut map = Map::new();
                for (key, value) in entries.iter() {
                    let below = step(&pointer, key.as_str());
                    // A member is found by its key, not by where its value begins.
                    if let Some(start) = key.span().start() {
                        self.lines.insert(below.clone(), (start.line(), start.column()));
                    }
                    map.insert(key.as_str().to_owned(), self.convert(value, below));
                }
                Value::Object(map)
            }
        }
    }

    fn scalar(&mut self, scalar: &MarkedScalarNode) -> Value {
        let text = scalar.as_str();
        if !scalar.may_coerce() {
            return Value::String(text.to_owned());
        }
        plain(text).unwrap_or_else(|problem| {
            let (line, column) = scalar.span().start().map_or((0, 0), |start| (start.line(), start.column()));
            self.too_large.get_or_insert(Finding {
                rule: "number-range",
                message: format!("`{text}` {problem}"),
                at: Location { file: self.path.to_owned(), line, column },
                help: "leave a bound out and say it in the description; quote what is a text".to_owned(),
            });
            Value::Null
        })
    }
}

/// YAML 1.2's core schema: what is plain and looks like null, a boolean or a number is one. An error says why a number cannot be
/// held.
fn plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" => return Ok(Value::Null),
        "true" => return Ok(Value::Bool(true)),
        "false" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i64>().map(Value::from).map_err(|_| "does not fit a signed 64-bit integer");
    }
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits.contains(['.', 'e', 'E']);
    match text.parse::<f64>() {
        Ok(float) if numeric => {
            let significant = |part: &str| part.bytes().any(|b| (b'1'..=b'9').contains(&b));
            let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
            if float == 0.0 && significant(mantissa) {
                return Err("is too small for a 64-bit float");
            }
            let number = Number::from_f64(float).ok_or("is too large for a 64-bit float")?;
            let kept = format!("{:e}", float.abs());
            let digits = |mantissa: &str| mantissa.replace('.', "").trim_matches('0').to_owned();
            if digits(mantissa) != digits(kept.split('e').next().unwrap_or_default()) {
                return Err("has more digits than a 64-bit float keeps");
            }
            Ok(Value::Number(number))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
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

    fn refused(text: &str) -> Finding {
        Source::parse("a.yaml", text).map(|source| source.value).expect_err(text)
    }

    #[test]
    fn broken_yaml_names_the_line_and_the_remedy() {
        for (text, line, message, help) in [
            ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "the key `c` is used twice in one mapping, first at line 3", "keep one"),
            ("a: 1\nb: 2\na: { c: 1 }\n", 3, "the key `a` is used twice in one mapping, first at line 1", "keep one"),
            (
                "a: 1\ndescription: Price: in dollars\n",
                2,
                "the text of `description` has a colon",
                "description: 'Price: in dollars'",
            ),
            ("a:\n  - description: It's in $: yes\n", 2, "the text of `description` has a colon", "'It''s in $: yes'"),
            (
                "a:\n  - { type: string, description: Price: in dollars }\n",
                2,
                "the text of `description` has a colon",
                "description: 'Price: in dollars'",
            ),
            ("a:\n  b: text\n    c: 1\n", 3, "a key stands where none can", "indent"),
            ("a:\n\tb: 1\n", 2, "the line is indented with a tab", "spaces"),
            ("a:\n  b: 1\n\tc: 1\n", 3, "the line is indented with a tab", "spaces"),
            ("a: 1\nb: 'text\nc: 2\n", 2, "a quoted text does not end", "close the quote"),
            ("a: 1\nb: \"text\nc: 2\n", 2, "a quoted text does not end", "close the quote"),
            ("a: 'It's late'\nb: 1\n", 1, "a quoted text ends before `s late'`", "twice"),
            ("a: \"\\d\"\n", 1, "a backslash in double quotes", "single quotes"),
            ("a: [1\nb: 2\n", 2, "a list `[...]` or mapping `{...}` on one line is not closed", "close it"),
            ("a: { b: 1\nc: 2\n", 2, "a list `[...]` or mapping `{...}` on one line is not closed", "close it"),
            ("a: @home\n", 1, "a text cannot begin with `@`", "quote"),
            ("a: `code`\n", 1, "a text cannot begin with ```", "quote"),
            ("a: &x 1\nb: *x\n", 1, "anchors", "quote"),
            ("a: !!int 1\n", 1, "tags", "quote"),
            ("a: 1\nmore text\nb: 2\n", 2, "`more text` is neither a key", "key: value"),
            ("a:\n    b: 1\n  c: 1\n", 3, "the line does not fit the lines around it", "indent"),
            ("- 1\n", 1, "the file is not a mapping", "key"),
            ("a: 1\n---\nb: 2\n", 2, "the document ends here", "one YAML document"),
        ] {
            let finding = refused(text);
            assert_eq!((finding.rule, finding.at.line), ("yaml", line), "{text}\n{finding}");
            assert!(finding.message.contains(message) && finding.help.contains(help), "{text}\n{finding}");
        }
        assert!(Source::parse("a.yaml", "# first\n---\na: 1\n").is_ok());
    }

    #[test]
    fn numbers_that_cannot_be_held_are_named() {
        for (number, problem) in [
            ("18446744073709551615", "a signed 64-bit integer"),
            ("9223372036854775808", "a signed 64-bit integer"),
            ("-9223372036854775809", "a signed 64-bit integer"),
            ("1e400", "too large"),
            ("-1.5e999", "too large"),
            ("1e-400", "too small"),
            ("0.12345678901234567890123", "more digits"),
            ("9007199254740993.0", "more digits"),
        ] {
            for member in ["maximum", "minimum", "minLength", "default", "example"] {
                let finding = refused(&format!("a: 1\nb:\n  {member}: {number}\n"));
                assert_eq!((finding.rule, finding.at.line), ("number-range", 3));
                assert!(finding.message.contains(number) && finding.message.contains(problem), "{finding}");
            }
            assert_eq!(refused(&format!("a:\n  enum: [1,\n    {number}]\n")).at.line, 3);
            assert!(Source::parse("a.yaml", &format!("a: '{number}'\n")).is_ok(), "a text is no number");
        }
        let source = Source::parse(
            "a.yaml",
            "a: 9223372036854775807\nb: -9223372036854775808\nc: 0.0e-999\nd: 1e3\ne: -0.0001\n",
        );
        assert_eq!(source.unwrap().value, json!({"a": i64::MAX, "b": i64::MIN, "c": 0.0, "d": 1000.0, "e": -0.0001}));
    }

    #[test]
    fn strange_characters_are_named_with_their_place() {
        for (text, line, column, name) in [
            ("a: 1\nb: to \u{202e}the left\n", 2, 7, "U+202E"),
            ("a: 1 # \u{2066}\n", 1, 8, "U+2066"),
            ("a: |\n  one\n  two\u{0}\n", 3, 6, "U+0000"),
            ("a: one\rtwo\n", 1, 7, "U+000D"),
            ("\u{feff}a: 1\n", 1, 1, "U+FEFF"),
        ] {
            let finding = refused(text);
            assert_eq!((finding.rule, finding.at.line, finding.at.column), ("strange-character", line, column));
            assert!(finding.message.starts_with(name), "{finding}");
        }
        let finding = refused("a: \u{200b}\nb: \u{200b}\u{200b}\n");
        assert!(finding.message.ends_with(", and 2 more, the next in line 2"), "{finding}");
        assert!(Source::parse("a.yaml", "a: 1\r\nb: \u{e9}\r\n").is_ok(), "lines may end in both");
    }
}
