//! What is wrong with a text that was copied from somewhere. The text itself is never shown.

/// A word for it, and what to say of it behind the text's name.
pub type Flaw = (&'static str, &'static str);

/// What makes an id, a token or a shared secret useless.
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
            "has a character that occurs in no key: a long dash, an accented letter, or an invisible one",
        ))
    } else if text.contains(|c: char| c.is_ascii_whitespace() || c.is_ascii_control()) {
        Some(("blanks", "has white space or a control character in the middle"))
    } else {
        None
    }
}

/// Whether a text is a key itself where its name or its file was meant. Such a text is not shown again.
pub fn is_key_text(text: &str) -> bool {
    text.contains("-----BEGIN") || text.contains(['\n', '\r'])
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
        assert!(fatal("sk_live_a-b+/=").is_none());
        assert!(is_key_text("-----BEGIN PRIVATE KEY-----") && is_key_text("a\nb") && !is_key_text("keys/bot.pem"));
    }
}
