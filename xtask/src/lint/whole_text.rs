//! What a portable pattern says of a whole text: whether it is anchored at both ends, and whether the text may have a slash.

/// Whether a pattern is of a whole text: it begins with `^`, ends with `$`, and has no alternatives outside of its groups.
pub fn is_anchored(pattern: &str) -> bool {
    let mut parts = parts(pattern);
    let ends = parts.first() == Some(&Part::Other('^', 0)) && parts.pop() == Some(Part::Other('$', 0));
    ends && !parts.contains(&Part::Other('|', 0))
}

/// Whether a text that a pattern of a whole text accepts may have a slash. What a look-ahead names is not part of the text.
pub fn may_have_slash(pattern: &str) -> bool {
    parts(pattern).iter().any(|part| match part {
        Part::Class(set) => set.accepts('/'),
        Part::Literal(c) | Part::Other(c, _) => *c == '/',
    })
}

/// A part of a pattern that is portable.
#[derive(Debug, PartialEq)]
enum Part {
    /// A class.
    Class(Set),
    /// A character that was escaped.
    Literal(char),
    /// Any other character, and how deep in groups it stands.
    Other(char, usize),
}

/// The characters of a class.
#[derive(Debug, Default, PartialEq)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Set {
    fn accepts(&self, c: char) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != self.negated
    }
}

/// The parts of a pattern, without look-aheads.
fn parts(pattern: &str) -> Vec<Part> {
    let mut found = Vec::new();
    let (mut depth, mut ahead) = (0_usize, None);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let part = match c {
            '\\' => {
                let escaped = rest.chars().next().unwrap_or_default();
                rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
                Part::Literal(escaped)
            }
            '[' => Part::Class(set(&mut rest)),
            '(' => {
                depth += 1;
                if ahead.is_none() && (rest.starts_with("?=") || rest.starts_with("?!")) {
                    ahead = Some(depth);
                }
                continue;
            }
            ')' => {
                if ahead == Some(depth) {
                    ahead = None;
                }
                depth = depth.saturating_sub(1);
                continue;
            }
            other => Part::Other(other, depth),
        };
        if ahead.is_none() {
            found.push(part);
        }
    }
    found
}

/// A class behind its `[`, up to its end.
fn set(rest: &mut &str) -> Set {
    let mut set = Set { negated: rest.starts_with('^'), ..Set::default() };
    let (mut chars, mut is_range) = (Vec::new(), Vec::new());
    let mut from = rest[usize::from(set.negated)..].char_indices();
    let mut end = rest.len();
    while let Some((at, c)) = from.next() {
        match c {
            ']' => {
                end = at + usize::from(set.negated) + 1;
                break;
            }
            '\\' => {
                chars.push(from.next().map_or('\\', |(_, c)| c));
                is_range.push(false);
            }
            _ => {
                chars.push(c);
                is_range.push(c == '-');
            }
        }
    }
    *rest = &rest[end..];
    let mut at = 0;
    while at < chars.len() {
        // A dash at either end is the character.
        if is_range.get(at + 1) == Some(&true) && at + 2 < chars.len() {
            set.ranges.push((chars[at], chars[at + 2]));
            at += 3;
        } else {
            set.ranges.push((chars[at], chars[at]));
            at += 1;
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::{is_anchored, may_have_slash};

    #[test]
    fn a_slash_is_found_in_what_a_pattern_accepts() {
        for pattern in ["^/$", "^a\\/b$", "^[^a]+$", "^[ -~]+$", "^[a/]$", "^(?:a|[.-0])$", "^[^-a]$", "^[^\\]]$"] {
            assert!(may_have_slash(pattern), "{pattern}");
        }
        for pattern in
            ["^[^/]+$", "^[^\\/]$", "^[A-Za-z0-9_:@+-]*$", "^(?!/)[a-z]$", "^(?=a(?:/))b$", "^[\\]a-]$", "^[^!-~]$"]
        {
            assert!(!may_have_slash(pattern), "{pattern}");
        }
        for pattern in ["^a$", "^(?:a|b)$", "^(?!a|b)c$", "^[|]$", "^a\\|b$", "^\\$$"] {
            assert!(is_anchored(pattern), "{pattern}");
        }
        for pattern in ["a", "^a", "a$", "^a\\$", "^a|b$", "^[$]", "^(?:a$)", "[^a]$", "", "^", "$"] {
            assert!(!is_anchored(pattern), "{pattern}");
        }
    }
}
