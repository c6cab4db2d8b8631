//! What a description says of values: their bounds, and what counts where they are left out. Our specs say both in words, because the
//! generator would enforce a bound and fill in a default.

/// Numbers that a description gives as bounds, and its words for a value that is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The least values: `1 to 100`, `at least 1`, `from 1`, `above 0`.
    pub least: Vec<f64>,
    /// The greatest values: `1 to 100`, `at most 100`, `up to 100`, `below 100`.
    pub most: Vec<f64>,
    /// All numbers.
    pub numbers: Vec<f64>,
    /// What stands behind `Left out:`, up to the end of the sentence.
    pub left_out: Option<String>,
    /// All of it, in lower case.
    pub text: String,
}

/// A word or a number of a description.
#[derive(Debug)]
enum Token<'t> {
    Word(&'t str),
    Number(f64),
}

impl Said {
    /// What several texts say together.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut said = Self::default();
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            said.add(&text.to_lowercase());
        }
        said
    }

    fn add(&mut self, text: &str) {
        if self.left_out.is_none()
            && let Some((_, rest)) = text.split_once("left out:").or_else(|| text.split_once("left out or 0:"))
        {
            let end = rest
                .match_indices(['.', ';'])
                .find(|(at, _)| !rest[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
            self.left_out = Some(rest[..end.map_or(rest.len(), |(at, _)| at)].trim().to_owned());
        }
        // `true by default`.
        if self.left_out.is_none()
            && let Some((before, _)) = text.split_once(" by default")
        {
            let word = before.rsplit([' ', ';', ',', '(']).next().unwrap_or_default();
            self.left_out = Some(word.trim_matches(|c: char| matches!(c, '`' | '\'' | '"')).to_owned());
        }
        let tokens = tokens(text);
        for (index, token) in tokens.iter().enumerate() {
            let Token::Number(number) = token else { continue };
            self.numbers.push(*number);
            let before = |back: usize| match index.checked_sub(back).map(|at| &tokens[at]) {
                Some(Token::Word(word)) => *word,
                _ => "",
            };
            let after = |ahead: usize| tokens.get(index + ahead);
            // `0 (primary) to 63`, `1 and 100` behind `between`.
            let is_range = matches!(after(1), Some(Token::Word("to"))) && matches!(after(2), Some(Token::Number(_)))
                || matches!(after(1), Some(Token::Word(_)))
                    && matches!(after(2), Some(Token::Word("to")))
                    && matches!(after(3), Some(Token::Number(_)))
                || before(1) == "between";
            let ends_range = before(1) == "to"
                && before(2) != "up"
                && (1..=3).any(|back| index.checked_sub(back).is_some_and(|at| matches!(tokens[at], Token::Number(_))))
                || before(1) == "and" && index >= 3 && matches!(&tokens[index - 3], Token::Word("between"));
            let words = (before(2), before(1));
            let is_negated = matches!(before(3), "no" | "not");
            let begins = matches!(words, ("at", "least") | (_, "from" | "above" | "over" | "minimum" | "min"))
                || words == ("more", "than") && !is_negated;
            if is_range || begins {
                self.least.push(*number);
            }
            let ends = matches!(
                words,
                ("at", "most")
                    | ("up", "to")
                    | (_, "below" | "under" | "maximum" | "max" | "highest")
                    | ("less", "than")
            ) || words == ("more", "than") && is_negated;
            if ends_range || ends {
                self.most.push(*number);
            }
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    /// Whether a number is in it.
    pub fn has(&self, number: f64) -> bool {
        contains(&self.numbers, number)
    }
}

/// Whether a list has a number.
pub fn contains(list: &[f64], number: f64) -> bool {
    list.iter().any(|own| (own - number).abs() < f64::EPSILON * number.abs().max(1.0))
}

/// Words of letters and numbers; `1,000` is one number, and so is `0.5`.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ',' | '-');
    for piece in text.split(|c: char| !is_part(c)) {
        let word = piece.trim_matches(|c: char| !c.is_alphanumeric());
        if word.is_empty() {
            continue;
        }
        let negative = piece.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '-').starts_with('-');
        let grouped: String = word.chars().filter(|c| *c != ',').collect();
        match grouped.parse::<f64>() {
            Ok(number) if word.starts_with(|c: char| c.is_ascii_digit()) => {
                all.push(Token::Number(if negative { -number } else { number }));
            }
            _ => all.push(Token::Word(word)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_what_counts_where_nothing_is_sent_are_read_from_words() {
        for (text, least, most, left_out) in [
            ("Markets a page, 0 to 1000. Left out: 100.", &[0.0][..], &[1000.0][..], Some("100")),
            ("Subaccount, 0 (primary) to 63.", &[0.0], &[63.0], None),
            ("Milestones, at most 100. The parameter is repeated.", &[], &[100.0], None),
            ("Price levels a side, 1 to 100. Left out or 0: all.", &[1.0], &[100.0], Some("all")),
            ("Up to 1,000 names.", &[], &[1000.0], None),
            ("Whole ones, from 1.", &[1.0], &[], None),
            ("Between 5 and 10 seconds.", &[5.0], &[10.0], None),
            ("A rate above 0 and below 0.5. Left out: 0.25.", &[0.0], &[0.5], Some("0.25")),
            ("A number of 3 digits.", &[], &[], None),
            ("How long it stays; `good_til_cancelled` by default.", &[], &[], Some("good_til_cancelled")),
            ("No more than 5 of them, more than 1.", &[1.0], &[5.0], None),
            ("From the old state to the new one.", &[], &[], None),
        ] {
            let said = Said::of([text]);
            assert_eq!((said.least.as_slice(), said.most.as_slice()), (least, most), "{text}");
            assert_eq!(said.left_out.as_deref(), left_out, "{text}");
        }
    }
}
