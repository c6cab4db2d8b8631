//! What is wrong with a text that was copied from somewhere. The text itself is never shown.

/// The word for it, and what to say of it behind its name.
pub type Flaw = (&'static str, &'static str);

/// What makes it useless.
pub fn fatal(text: &str) -> Option<Flaw> {
    if text.is_empty() {
        Some(("blanks", "is empty"))
    } else if text.ends_with('\r') {
        Some(("blanks", "ends with a carriage return: the file that it comes from has Windows line ends"))
    } else if text.trim() != text {
        Some(("blanks", "has white space or a line end around it"))
    } else if text.starts_with('<') && text.ends_with('>') {
        Some(("placeholder", "is the placeholder of an example"))
    } else if !text.is_ascii() {
        Some((
            "characters",
            "has a character that no key has: a long dash, a letter with a mark, or one that does not show",
        ))
    } else if text.contains(|c: char| c.is_ascii_whitespace() || c.is_ascii_control()) {
        Some(("blanks", "has white space or a control character in the middle"))
    } else {
        None
    }
}

/// What is most likely wrong, but might be right.
pub fn odd(text: &str) -> Option<Flaw> {
    text.contains(['"', '\'', '`']).then_some(("quotes", "has quotes in it: most likely they do not belong to it"))
}

/// Whether a text looks like a UUID.
pub fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_badly_is_seen() {
        for (text, word) in [
            ("", "blanks"),
            ("key\n", "blanks"),
            ("key\r", "blanks"),
            ("a key", "blanks"),
            ("a\nb", "blanks"),
            ("<your key>", "placeholder"),
            ("a\u{2013}b", "characters"),
            ("a\u{200b}b", "characters"),
        ] {
            assert_eq!(fatal(text).unwrap().0, word, "{text:?}");
        }
        assert!(fatal("sk_live_a-b+/=").is_none() && odd("sk_live_a").is_none() && odd("\"sk\"").is_some());
        assert!(is_uuid("11111111-1111-4111-8111-111111111111") && !is_uuid("11111111-1111-4111-8111"));
    }
}
