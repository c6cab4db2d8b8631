//! What others wrote, as a terminal may show it: a response must not move the cursor, nor turn the text around.

/// The same with control characters and marks of direction written out. Ends of lines stay.
pub fn visible(text: &str) -> String {
    written_out(text, |character| character != '\n' && is_hidden(character))
}

/// The same on one line.
pub fn on_one_line(text: &str) -> String {
    written_out(text, is_hidden)
}

fn written_out(text: &str, is_hidden: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match is_hidden(character) {
            // As JSON writes it: text that was JSON stays JSON.
            true => shown.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => shown.push(character),
        }
    }
    shown
}

fn is_hidden(character: char) -> bool {
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        assert_eq!(visible("a\x1b[2Jb\n\u{202e}c\u{9b}é"), "a\\u001b[2Jb\n\\u202ec\\u009bé");
        assert_eq!(on_one_line("a\nerror: b"), "a\\u000aerror: b");
    }
}
