//! Plain text as rustdoc's Markdown: it is shown as it is written, and whatever it says, it is no link, tag, heading or test. What
//! keeps its meaning: paragraphs, lists, emphasis, and code in single backticks that are closed on their line.

/// A text as documentation.
pub fn text(text: &str) -> String {
    let lines: Vec<String> = text.trim().lines().map(|line| self::line(&line.replace(char::is_control, " "))).collect();
    lines.join("\n")
}

/// A text on one line, in the middle of a sentence.
pub fn inline(text: &str) -> String {
    self::text(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A word in backticks; one that holds a backtick is plain text.
pub fn code(word: &str) -> String {
    let plain = !word.is_empty() && !word.contains(|c: char| c == '`' || c.is_control()) && word.trim() == word;
    if plain { format!("`{word}`") } else { inline(word) }
}

/// A line without indentation, which would make it code.
fn line(line: &str) -> String {
    let line = line.trim();
    let (marker, rest) = begin(line);
    format!("{marker}{}", escaped(rest))
}

/// What begins a block instead of a sentence, made harmless, and the rest of the line.
fn begin(line: &str) -> (&'static str, &str) {
    let only = |c: char| line.chars().all(|other| other == c || other == ' ');
    if let Some(item) = line.strip_prefix("* ") {
        // A star at the beginning of a line would count as part of a block comment.
        return ("- ", item.trim_start());
    }
    match line.chars().next() {
        // Under a line of text these would make it a heading, between two a rule.
        Some(c @ ('-' | '=' | '*' | '_')) if only(c) => ("\\", line),
        Some('#' | '+' | '|') => ("\\", line),
        Some('-') if line.starts_with("- ") => ("- ", line[2..].trim_start()),
        _ => ("", line),
    }
}

fn escaped(text: &str) -> String {
    let has_code = has_code(text);
    let mut written = String::with_capacity(text.len());
    let mut in_code = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !in_code && let Some(length) = url(rest) {
            written.push('<');
            written.push_str(&rest[..length]);
            written.push('>');
            rest = &rest[length..];
            continue;
        }
        in_code ^= has_code && c == '`';
        // Behind the number of an item, more than one space would make code of the rest.
        if c == ' ' && !in_code && written.ends_with(' ') {
            rest = &rest[1..];
            continue;
        }
        let is_markup = matches!(c, '[' | ']' | '<' | '>' | '\\' | '&' | '$' | '~') || c == '`' && !has_code;
        if is_markup && !in_code {
            written.push('\\');
        }
        written.push(c);
        rest = &rest[c.len_utf8()..];
    }
    written
}

/// Whether the backticks of a line stand alone and in pairs, with something between them.
fn has_code(text: &str) -> bool {
    let parts: Vec<&str> = text.split('`').collect();
    // Every other part is code; none between two that are not may be empty, since two backticks in a row are another sign.
    let inner = parts.get(1..parts.len().saturating_sub(1)).unwrap_or_default();
    parts.len() % 2 == 1
        && inner.iter().all(|part| !part.is_empty())
        && inner.iter().step_by(2).all(|code| !code.trim().is_empty())
}

/// The length of the URL that a text begins with.
fn url(text: &str) -> Option<usize> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let end =
        text.find(|c: char| c.is_whitespace() || c.is_control() || "<>[]()`\"'\\|".contains(c)).unwrap_or(text.len());
    let length = text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_']).len();
    (length > scheme.len()).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::{code, inline, text};

    #[test]
    fn what_is_markup_is_shown_as_it_is_written() {
        for (plain, documentation) in [
            ("    a [x] `[y]`\n    Vec<T>\n", "a \\[x\\] `[y]`\nVec\\<T\\>"),
            (
                "See https://v.test/a_b?c=1&d=2. Or http://v.test/)",
                "See <https://v.test/a_b?c=1&d=2>. Or <http://v.test/>)",
            ),
            ("[the docs](https://v.test/x)", "\\[the docs\\](<https://v.test/x>)"),
            ("<https://v.test>", "\\<<https://v.test>\\>"),
            ("`https://v.test` and xhttps://v.test", "`https://v.test` and x<https://v.test>"),
            ("https:// is no URL", "https:// is no URL"),
            ("an odd ` [x]", "an odd \\` \\[x\\]"),
            ("``two`` and `one`", "\\`\\`two\\`\\` and \\`one\\`"),
            ("```rust\npanic!()\n```", "\\`\\`\\`rust\npanic!()\n\\`\\`\\`"),
            ("~~~\ncode\n- ~~~", "\\~\\~\\~\ncode\n- \\~\\~\\~"),
            ("1.     no code", "1. no code"),
            ("# no heading", "\\# no heading"),
            ("title\n===\ntitle\n---", "title\n\\===\ntitle\n\\---"),
            ("a list\n- [one]\n* two", "a list\n- \\[one\\]\n- two"),
            ("\\[x\\](y) &amp; $1$", "\\\\\\[x\\\\\\](y) \\&amp; \\$1\\$"),
            ("tab\tand\u{b}feed", "tab and feed"),
        ] {
            assert_eq!(text(plain), documentation, "{plain:?}");
        }
        assert_eq!(inline("two\n\n# lines"), "two # lines");
        assert_eq!(code("a`b["), "a\\`b\\[");
        assert_eq!(code("a[b]"), "`a[b]`");
    }
}
