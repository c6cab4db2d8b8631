//! What the YAML parser objects to, in words that say what to write instead.

use marked_yaml::{LoadError, Marker};

use crate::finding::{Finding, Location};

/// A parser's error about a text, as a finding.
pub fn finding(path: &str, text: &str, error: &LoadError) -> Finding {
    let lines: Vec<&str> = text.lines().collect();
    let problem = explain(&lines, error);
    let at = Location { file: path.to_owned(), line: problem.line, column: problem.column };
    Finding { rule: "yaml", message: problem.message, at, help: problem.help }
}

/// A second document in a file, which the parser would leave unread.
pub fn second_document(path: &str, text: &str) -> Option<Finding> {
    let is_marker = |line: &str| {
        ["---", "..."].iter().any(|marker| {
            line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
        })
    };
    let mut has_content = false;
    for (number, line) in (1..).zip(text.lines()) {
        if is_marker(line) && has_content {
            return Some(Finding {
                rule: "yaml",
                message: "the document ends here, and what follows would not be read".to_owned(),
                at: Location { file: path.to_owned(), line: number, column: 1 },
                help: "a spec file is one YAML document: remove the line, or indent it if it belongs to a text"
                    .to_owned(),
            });
        }
        has_content |= is_marker(line) || !(line.trim().is_empty() || line.starts_with(['#', '%']));
    }
    None
}

struct Problem {
    message: String,
    line: usize,
    column: usize,
    help: String,
}

fn explain(lines: &[&str], error: &LoadError) -> Problem {
    let at = |marker: &Marker, message: &str, help: &str| Problem {
        message: message.to_owned(),
        line: marker.line(),
        column: marker.column(),
        help: help.to_owned(),
    };
    match error {
        LoadError::TopLevelMustBeMapping(marker) | LoadError::TopLevelMustBeSequence(marker) => {
            at(marker, "the file is not a mapping", "begin with a key, such as `paths:`")
        }
        LoadError::UnexpectedAnchor(marker) => at(
            marker,
            "anchors (`&name`) and aliases (`*name`) are not read",
            "write the value out, refer to it by `$ref`, or quote a text that begins with `&` or `*`",
        ),
        LoadError::UnexpectedTag(marker) => {
            at(marker, "tags (`!name`) are not read", "remove the tag, or quote a text that begins with `!`")
        }
        LoadError::MappingKeyMustBeScalar(marker) => {
            at(marker, "a key is a list or a mapping", "a key is one text; quote a text that begins with `[` or `{`")
        }
        LoadError::DuplicateKey(keys) => {
            let place = |key: &marked_yaml::types::MarkedScalarNode| {
                key.span().start().map_or((0, 0), |start| (start.line(), start.column()))
            };
            let (first, (line, column)) = (place(&keys.prev_key), place(&keys.key));
            let key = keys.key.as_str();
            let message = format!("the key `{key}` is used twice in one mapping, first at line {}", first.0);
            Problem {
                message,
                line,
                column,
                help: "keep one of them; to join two mappings, put their members under one key".to_owned(),
            }
        }
        LoadError::ScanError(marker, error) => scan(lines, marker, &error.to_string()),
    }
}

/// The quoting that most mistakes need.
const QUOTE: &str = "quote the text: 'It costs 5: more at night', with a quote inside written twice";

fn scan(lines: &[&str], marker: &Marker, said: &str) -> Problem {
    let said = |part: &str| said.contains(part);
    let (number, column) = (marker.line().clamp(1, lines.len().max(1)), marker.column());
    let line = lines.get(number - 1).copied().unwrap_or_default();
    let problem = |message: String, help: String| Problem { message, line: number, column, help };
    if let Some(tab) = tab_indented(lines, number) {
        return Problem {
            message: "the line is indented with a tab".to_owned(),
            line: tab,
            column: 1,
            help: "YAML takes spaces only: indent by two a level".to_owned(),
        };
    }
    if let Some(found) = text_after_quote(line) {
        return problem(
            format!("a quoted text ends before `{found}`"),
            "write a quote inside single quotes twice ('it''s'), or put the text in double quotes".to_owned(),
        );
    }
    if said("quoted scalar") || said("unexpected document indicator") {
        return if said("escape") || said("hexadecimal") {
            problem(
                "a backslash in double quotes begins an escape that YAML does not know".to_owned(),
                "use single quotes, in which a backslash is a backslash, as patterns need".to_owned(),
            )
        } else {
            let opened = opening_quote(lines, number);
            Problem {
                message: "a quoted text does not end where it should".to_owned(),
                line: opened.unwrap_or(number),
                column,
                help:
                    "close the quote; write a quote inside single quotes twice ('it''s'), inside double quotes as \\\""
                        .to_owned(),
            }
        };
    }
    let is_about_keys = said("mapping values are not allowed") || said("':'");
    let is_about_brackets = said("flow") || said("',' or");
    if let Some((key, text)) = colon_in_text(line).filter(|_| is_about_keys || is_about_brackets) {
        return problem(
            format!("the text of `{key}` has a colon, which YAML reads as another key"),
            format!("quote the text: {key}: '{}'", text.replace('\'', "''")),
        );
    }
    if is_about_keys && !said("simple key") && !is_open(lines, number) {
        return problem(
            "a key stands where none can: the line before it already has a value, or the indentation is wrong"
                .to_owned(),
            format!("indent keys of one mapping alike; {QUOTE}"),
        );
    }
    if let Some(c) = unquoted_start(line) {
        return problem(format!("a text cannot begin with `{c}` unless it is quoted"), QUOTE.to_owned());
    }
    if is_about_brackets || said("anchor or alias") && line.contains(['[', '{']) || is_open(lines, number) {
        return problem(
            "a list `[...]` or mapping `{...}` on one line is not closed, or lacks a comma".to_owned(),
            "close it, put commas between its parts, and quote texts with a comma, colon, bracket or brace".to_owned(),
        );
    }
    if said("anchor") || said("tag") {
        return problem("anchors, aliases and tags are not read".to_owned(), format!("write the value out; {QUOTE}"));
    }
    if said("simple key") {
        // The parser stops at the next key; what is wrong is the line before it that has none.
        let is_key = |text: &str| text.contains(": ") || text.ends_with(':');
        let text_at = |number: usize| lines.get(number - 1).map_or("", |line| line.trim());
        let at = (1..=number).rev().find(|at| !text_at(*at).is_empty() && !is_key(text_at(*at))).unwrap_or(number);
        return Problem {
            message: format!("`{}` is neither a key with a value nor part of a text", text_at(at)),
            line: at,
            column,
            help: "write `key: value` with a space after the colon, or quote a text that goes on over several lines"
                .to_owned(),
        };
    }
    if said("block sequence entries are not allowed") {
        return problem(
            "a list item `- ` stands where a list cannot begin".to_owned(),
            format!("put the items on lines of their own below the key; {QUOTE}"),
        );
    }
    if said("recursion limit") {
        return problem(
            "the values are nested too deeply".to_owned(),
            "give inner schemas names, and refer to them".to_owned(),
        );
    }
    problem(
        "the line does not fit the lines around it: its indentation, or a colon or dash is wrong".to_owned(),
        format!("indent members of one mapping alike, by two spaces a level, with a space after `:` and `-`; {QUOTE}"),
    )
}

/// A line near the error that is indented with a tab.
fn tab_indented(lines: &[&str], number: usize) -> Option<usize> {
    let nearby = [number, number + 1, number.saturating_sub(1)];
    nearby.into_iter().find(|near| {
        let line = near.checked_sub(1).and_then(|at| lines.get(at)).copied().unwrap_or_default();
        line.chars().take_while(|c| matches!(c, ' ' | '\t')).any(|c| c == '\t')
    })
}

/// The value that stands on a line after a key or a dash, with its key.
fn value_of(line: &str) -> (&str, &str) {
    let line = line.trim_start().trim_start_matches("- ").trim_start_matches(['{', ' ']);
    match line.split_once(": ") {
        Some((key, value)) => (key.trim_end(), value.trim()),
        None => ("", line.trim()),
    }
}

/// `description` and `Price: in dollars` of `description: Price: in dollars`, also where it stands in braces.
fn colon_in_text(line: &str) -> Option<(&str, &str)> {
    let in_braces = line.split(['{', '}', ',']).filter(|_| line.contains('{')).filter_map(|part| part.split_once(": "));
    let whole = Some(value_of(line)).filter(|_| !line.contains('{'));
    whole.into_iter().chain(in_braces).map(|(key, text)| (key.trim(), text.trim())).find(|(key, text)| {
        let is_name = !key.is_empty() && !key.contains(['{', '[', ',', '"', '\'']);
        let has_colon = text.contains(": ") || text.ends_with(':');
        is_name && has_colon && !text.starts_with(['\'', '"', '{', '['])
    })
}

/// What is left on a line behind the end of a quoted text.
fn text_after_quote(line: &str) -> Option<&str> {
    let (_, value) = value_of(line);
    let quote = value.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut rest = &value[1..];
    loop {
        let end = rest.find(quote)?;
        let is_escaped = quote == '"' && rest[..end].ends_with('\\');
        rest = &rest[end + 1..];
        if quote == '\'' && rest.starts_with(quote) {
            rest = &rest[1..];
        } else if !is_escaped {
            break;
        }
    }
    let rest = rest.trim();
    (rest.starts_with(|c: char| c.is_alphanumeric())).then_some(rest)
}

/// A character that begins the value of a line and means something else to YAML.
fn unquoted_start(line: &str) -> Option<char> {
    value_of(line).1.chars().next().filter(|c| "@`%*&!|>".contains(*c))
}

/// The line at or above an error on which a quote is opened and not closed.
fn opening_quote(lines: &[&str], number: usize) -> Option<usize> {
    (1..=number).rev().find(|number| {
        let line = lines.get(number - 1).copied().unwrap_or_default();
        let opens = [": '", ": \"", "- '", "- \"", "{ '", "[ '", "['", ", '"].iter().any(|sign| line.contains(sign));
        opens && (line.matches('\'').count() % 2 == 1 || line.matches('"').count() % 2 == 1)
    })
}

/// Whether a bracket or a brace is opened on a line or the one above and not closed there.
fn is_open(lines: &[&str], number: usize) -> bool {
    [number, number.saturating_sub(1)]
        .iter()
        .filter_map(|near| near.checked_sub(1))
        .filter_map(|at| lines.get(at))
        .any(|line| line.matches(['[', '{']).count() != line.matches([']', '}']).count())
}
