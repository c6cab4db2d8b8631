//! Sentences of the specs as a terminal shows them.

use crate::output::terminal_width;
use crate::venue::Venue;

/// Lines longer than this are hard to read.
const WIDEST: usize = 100;

/// A sentence with operations called as they are called here: the specs have the venue's own ids.
pub fn said(venue: Venue, text: &str) -> String {
    let named = |word: &str| {
        let is_id = word.chars().skip(1).any(char::is_uppercase);
        let operation = is_id.then(|| venue.spec().method(word)).flatten();
        operation.map_or_else(|| word.to_owned(), |operation| operation.name.clone())
    };
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let (mut out, mut word) = (String::new(), String::new());
    for character in text.chars() {
        if is_part(character) {
            word.push(character);
        } else {
            out.push_str(&named(&std::mem::take(&mut word)));
            out.push(character);
        }
    }
    out.push_str(&named(&word));
    out
}

/// Lines that fit the terminal.
pub fn wrapped(text: &str, indent: usize) -> String {
    let width = width().saturating_sub(indent).max(20);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last =
            lines.last_mut().filter(|line| line.is_empty() || line.chars().count() + word.chars().count() < width);
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| format!("{:indent$}{line}", "")).collect::<Vec<_>>().join("\n")
}

fn width() -> usize {
    terminal_width().map_or(WIDEST, |width| usize::from(width).min(WIDEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_called_as_they_are_called_here() {
        assert_eq!(
            said(Venue::named("kalshi"), "Use GetRFQQuote, or `GetQuote`."),
            "Use get_rfq_quote, or `get_quote`."
        );
        assert_eq!(said(Venue::named("kalshi"), "Getting a quote"), "Getting a quote");
    }
}
