//! Patterns are read by three engines: the client's (ECMAScript with the flag `u`, as JSON Schema asks), and, in the sandbox and the
//! command, one of Rust's. What they would read differently is refused, so that a pattern means the same everywhere.

use serde_json::Value;

use crate::document::Document;
use crate::finding::Finding;
use crate::source::{holds_properties, step};

/// A pattern as the generated clients read it.
pub fn compiled(pattern: &str) -> Result<regress::Regex, regress::Error> {
    regress::Regex::with_flags(pattern, "u")
}

/// Checks every pattern of a document, wherever it stands.
pub fn check(document: &Document, at: &str, value: &Value, findings: &mut Vec<Finding>) {
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                check(document, &step(at, &i.to_string()), item, findings);
            }
        }
        Value::Object(map) => {
            let holds_names = holds_properties(at) || at == "/components/schemas";
            for (key, inner) in map {
                let below = step(at, key);
                match inner {
                    Value::String(pattern) if key == "pattern" && !holds_names => {
                        one(document, &below, pattern, findings)
                    }
                    _ if !holds_names && matches!(key.as_str(), "example" | "examples" | "enum" | "default") => {}
                    _ => check(document, &below, inner, findings),
                }
            }
        }
        _ => {}
    }
}

fn one(document: &Document, at: &str, pattern: &str, findings: &mut Vec<Finding>) {
    // What is not portable is often no pattern for one of the engines either, and its reason is the better one.
    let finding = match portable(pattern) {
        Err(problem) => {
            let help =
                "write the characters out, in ASCII: `[0-9]`, `[A-Za-z_]`; specs/README.md says what patterns may use";
            document.finding("unportable-pattern", at, format!("`{pattern}`: {problem}"), help)
        }
        Ok(()) => match compiled(pattern) {
            Err(error) => {
                let help = "write an ECMAScript regular expression, as it is with the flag `u`";
                document.finding("bad-pattern", at, format!("`{pattern}`: {error}"), help)
            }
            Ok(_) => return,
        },
    };
    findings.push(finding);
}

/// Why engines would read a pattern differently, or one of them not at all.
fn portable(pattern: &str) -> Result<(), String> {
    if let Some(c) = pattern.chars().find(|c| !(' '..='~').contains(c)) {
        return Err(format!("{} is not a printable ASCII character", crate::characters::name(c)));
    }
    let mut parser = Parser { rest: pattern.as_bytes(), depth: 0 };
    let size = parser.alternatives()?;
    match parser.rest.first() {
        Some(_) => Err("`)` closes no group".to_owned()),
        None if size.states > LARGEST => {
            Err(format!("it counts up to {} characters, more than {LARGEST}", size.states))
        }
        None => Ok(()),
    }
}

/// How many characters the counted repetitions of a pattern may add up to.
const LARGEST: usize = 10_000;

/// How deep groups may be nested.
const DEEPEST: usize = 20;

/// What takes part in a match.
#[derive(Clone, Copy, Default)]
struct Size {
    /// How many characters, with counted repetitions written out.
    states: usize,
    /// Whether it holds a repetition without an upper bound.
    unbounded: bool,
}

struct Parser<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self, expected: &str) -> bool {
        match self.rest.strip_prefix(expected.as_bytes()) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn next(&mut self) -> Option<char> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(char::from(*first))
    }

    fn alternatives(&mut self) -> Result<Size, String> {
        let mut whole = Size::default();
        while let Some(c) = self.rest.first() {
            match c {
                b')' => break,
                b'|' => _ = self.next(),
                _ => {
                    let term = self.term()?;
                    whole.states = whole.states.saturating_add(term.states);
                    whole.unbounded |= term.unbounded;
                }
            }
        }
        Ok(whole)
    }

    /// One atom with its quantifier.
    fn term(&mut self) -> Result<Size, String> {
        let atom = match self.next().unwrap_or_default() {
            '(' => self.group()?,
            '[' => self.class()?,
            '\\' => self.escape("^$\\.*+?()[]{}|/")?,
            '.' => {
                return Err("engines differ in which line ends `.` leaves out: write what it may be, `[^/]`".to_owned());
            }
            '{' => return Err("`{` counts nothing: write `\\{` for the character".to_owned()),
            _ => Size { states: 1, unbounded: false },
        };
        let (times, unbounded) = match self.rest.first() {
            Some(b'*' | b'+') => {
                self.next();
                (1, true)
            }
            Some(b'?') => {
                self.next();
                (1, false)
            }
            Some(b'{') => self.count()?,
            _ => return Ok(atom),
        };
        self.take("?");
        if unbounded && atom.unbounded {
            return Err("a repetition without end inside another takes exponential time".to_owned());
        }
        Ok(Size { states: atom.states.saturating_mul(times), unbounded: unbounded || atom.unbounded })
    }

    fn group(&mut self) -> Result<Size, String> {
        if self.take("?") && !(self.take(":") || self.take("=") || self.take("!")) {
            let kind = self.rest.first().map(|c| char::from(*c)).unwrap_or_default();
            return Err(format!("`(?{kind}` is not read by all engines: groups are `(`, `(?:`, `(?=` and `(?!`"));
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("groups are nested more than {DEEPEST} deep"));
        }
        let inner = self.alternatives()?;
        self.depth -= 1;
        if self.take(")") { Ok(inner) } else { Err("a group is not closed".to_owned()) }
    }

    fn class(&mut self) -> Result<Size, String> {
        self.take("^");
        if self.rest.first() == Some(&b']') {
            return Err("engines differ in what `[]` is: write `\\]` for the character".to_owned());
        }
        let mut before = None;
        loop {
            let c = self.next().ok_or("a class is not closed")?;
            match c {
                ']' => return Ok(Size { states: 1, unbounded: false }),
                '[' => return Err("engines differ in what `[` is inside a class: write `\\[`".to_owned()),
                '\\' => {
                    self.escape("^$\\.*+?()[]{}|/-")?;
                    before = None;
                    continue;
                }
                '&' | '~' | '-' if before == Some(c) => {
                    return Err(format!("engines differ in what `{c}{c}` is inside a class: write the character once"));
                }
                _ => {}
            }
            before = Some(c);
        }
    }

    fn escape(&mut self, allowed: &str) -> Result<Size, String> {
        match self.next() {
            Some(c) if allowed.contains(c) => Ok(Size { states: 1, unbounded: false }),
            Some(c) => Err(format!("`\\{c}` is not read alike by all engines")),
            None => Err("it ends with a backslash".to_owned()),
        }
    }

    /// `{n}`, `{n,}` or `{n,m}`: how many times, and whether without end.
    fn count(&mut self) -> Result<(usize, bool), String> {
        let end = self.rest.iter().position(|c| *c == b'}').ok_or("`{` is not closed")?;
        let inside = std::str::from_utf8(&self.rest[1..end]).unwrap_or_default();
        self.rest = &self.rest[end + 1..];
        let number = |digits: &str| {
            let good = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            good.then(|| digits.parse().unwrap_or(usize::MAX)).ok_or_else(|| format!("`{{{inside}}}` is no count"))
        };
        Ok(match inside.split_once(',') {
            None => (number(inside)?, false),
            Some((least, "")) => (number(least)?.max(1), true),
            Some((least, most)) => (number(most)?.max(number(least)?), false),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::any;
    use proptest::test_runner::TestCaseError;
    use serde_json::json;

    use super::{compiled, portable};
    use crate::tests::mutated_specs::runner;

    /// Texts on which engines that read a pattern differently would disagree.
    const TEXTS: [&str; 26] = [
        "",
        "a",
        "A",
        "z",
        "ab",
        "a-b",
        "a_b",
        "0",
        "9",
        "07",
        "-",
        "--",
        "&&",
        "[",
        "]",
        "^",
        ".",
        "a.b",
        "a/b",
        "\n",
        "a\n",
        "\u{2028}",
        "\u{e9}",
        "\u{130}",
        "\u{661}",
        "\u{1f600}",
    ];

    /// How each engine reads a pattern: with the flag `u`, without it, and as the sandbox does.
    fn verdicts(pattern: &str, text: &str) -> [bool; 3] {
        let schema = jsonschema::options().with_draft(jsonschema::Draft::Draft7).build(&json!({ "pattern": pattern }));
        let schema = schema.unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let without = regress::Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        [compiled(pattern).unwrap().find(text).is_some(), without.find(text).is_some(), schema.is_valid(&json!(text))]
    }

    fn accepted(pattern: &str) -> bool {
        portable(pattern).is_ok() && compiled(pattern).is_ok()
    }

    #[test]
    fn what_engines_read_differently_is_refused() {
        for pattern in [
            r"^\p{L}+$",
            r"^\P{L}$",
            r"^\u{1F600}$",
            r"^\u0041$",
            r"^\x41$",
            r"^\d+$",
            r"^\w+$",
            r"^\s$",
            r"\bword\b",
            r"^(a)\1$",
            r"^\k<n>$",
            r"^\cA$",
            r"^\0$",
            r"^\-$",
            "^(?<name>a)$",
            "^(?P<name>a)$",
            "(?i)a",
            "^(?i:a)$",
            "(?<=a)b",
            "(?<!a)b",
            "(?>a)",
            "(?#x)",
            "^.$",
            "^.+$",
            "[]",
            "[^]",
            "[]a]",
            "[[:alpha:]]",
            "[a[b]]",
            "[a&&b]",
            "[a--b]",
            "[a~~b]",
            "a{",
            "a{,2}",
            "a{x}",
            "{2}",
            "^\u{e9}$",
            "^\u{1f600}$",
            "[\u{1f600}-\u{1f64f}]",
            "a\nb",
            "^(a+)+$",
            "^(a*)*$",
            "^(?:a|b+){2,}$",
            "a{100000}",
            "(a{1000}){1000}",
            "(",
            ")",
            "[",
            "[a",
            "a)",
            "\\",
        ] {
            assert!(portable(pattern).is_err(), "{pattern}");
        }
        for pattern in ["a**", "a++", "^*", "(?=a)*", "a{2}{3}", "]", "}", "[z-a]", "a{3,2}", "*"] {
            assert!(!accepted(pattern), "{pattern}");
        }
    }

    #[test]
    fn what_is_accepted_is_read_alike() {
        for pattern in [
            "^[a-z]+$",
            "^[^/]+$",
            "^(?!orderbooks$)[A-Za-z0-9_-][A-Za-z0-9._-]*$",
            "^(?:a|b){1,3}$",
            "^[+-]?[0-9]+(?:\\.[0-9]{1,4})?$",
            "^\\^\\$\\(\\)$",
            "a|b",
            "",
            "^[\\]\\[\\^-]$",
            "(?=a)a",
            "^[A-Z]{2,}?",
            "^[ -~]*$",
            "^[^a]$",
        ] {
            assert!(accepted(pattern), "{pattern}: {:?}", portable(pattern));
            for text in TEXTS {
                let [with, without, schema] = verdicts(pattern, text);
                assert!(with == without && with == schema, "{pattern:?} on {text:?}: {with} {without} {schema}");
            }
        }
    }

    #[test]
    fn no_accepted_pattern_is_read_differently() {
        const PIECES: [&str; 38] = [
            "a", "b", "A", "0", "-", "_", "^", "$", "|", "(", "(?:", "(?!", "(?=", "(?<", ")", "[", "[^", "]", "a-z",
            "0-9", "&", "~", "{2}", "{1,3}", "{2,}", "{", "}", "*", "+", "?", ".", "\\", "\\.", "\\d", "\\-", "\\p{L}",
            "\u{e9}", "/",
        ];
        let kept = std::cell::Cell::new(0);
        let run = runner().run(&(vec(0..PIECES.len(), 1..9), any::<bool>()), |(pieces, anchored)| {
            let inner: String = pieces.into_iter().map(|i| PIECES[i]).collect();
            let pattern = if anchored { format!("^(?:{inner})$") } else { inner };
            if !accepted(&pattern) {
                return Ok(());
            }
            kept.set(kept.get() + 1);
            for text in TEXTS {
                let [with, without, schema] = verdicts(&pattern, text);
                if with != without || with != schema {
                    return Err(TestCaseError::fail(format!("{pattern:?} on {text:?}: {with} {without} {schema}")));
                }
            }
            Ok(())
        });
        assert_eq!(run.map_err(|failure| failure.to_string()), Ok(()));
        assert!(kept.get() > 20, "too few patterns are accepted: {}", kept.get());
    }
}
