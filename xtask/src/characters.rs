//! Characters that cannot stand in a spec: what is written there ends in source code, where rustc refuses them, and in
//! documentation, where nobody sees them.

/// What is wrong with a character; nothing with most.
pub fn problem(c: char) -> Option<&'static str> {
    match c {
        '\n' | '\t' => None,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some("a direction mark, with which a text can read otherwise than it is written")
        }
        '\u{2028}' | '\u{2029}' => Some("a line separator"),
        '\u{ad}'
        | '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200d}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => Some("an invisible character"),
        '\u{fdd0}'..='\u{fdef}' => Some("not a character"),
        _ if u32::from(c) & 0xfffe == 0xfffe => Some("not a character"),
        _ if c.is_control() => Some("a control character"),
        _ => None,
    }
}

/// The first character of a text that cannot stand in a spec, and what is wrong with it.
pub fn first_problem(text: &str) -> Option<(char, &'static str)> {
    text.chars().find_map(|c| Some((c, problem(c)?)))
}

/// A character that may not show, by its number.
pub fn name(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_is_refused_and_what_does_is_not() {
        for c in "\u{0}\u{7}\u{1b}\r\u{7f}\u{85}\u{9f}\u{ad}\u{61c}\u{200b}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{fffe}\u{10ffff}\u{e0041}".chars() {
            assert!(problem(c).is_some(), "{}", name(c));
        }
        assert_eq!(first_problem("a\n\tb, \u{e9} \u{2013} \u{20ac} \u{4e2d} \u{1f600} \u{5d0}"), None);
        assert_eq!(first_problem("ab\u{202e}c\u{0}").map(|(c, _)| name(c)).as_deref(), Some("U+202E"));
    }
}
