//! What a mistake is: where it is, how it is made, and what to do instead.

use super::guess::Guess;

/// The part of a signature that a mistake is in. Two mistakes in one part exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The timestamp.
    Time,
    /// The nonce.
    Nonce,
    /// The method.
    Method,
    /// The path.
    Path,
    /// The query.
    Query,
    /// The body's bytes.
    Body,
    /// How letters beyond ASCII are written in the body.
    Escapes,
    /// How the body goes into the text.
    BodyForm,
    /// What stands between the parts.
    Separator,
    /// What stands at the end.
    End,
    /// How the signature is written.
    Encoding,
    /// How it was made.
    Scheme,
    /// The key.
    Key,
    /// The order of the pieces.
    Order,
    /// Which of two texts.
    Kind,
}

/// One mistake.
pub struct Mistake {
    /// A word for it.
    pub name: &'static str,
    /// Where it is.
    pub part: Part,
    /// What to do instead.
    remedy: &'static str,
    make: Make,
}

/// How a mistake is made.
enum Make {
    /// In one way. False where it makes no sense.
    One(fn(&mut Guess) -> bool),
    /// In any of many ways: too many to be tried with other mistakes.
    Many(fn(&Guess) -> Vec<Guess>),
}

impl Mistake {
    /// The guess with this mistake in it, in each of its ways.
    pub fn guesses(&self, guess: &Guess) -> Vec<Guess> {
        match self.make {
            Make::One(_) => self.one(guess).into_iter().collect(),
            Make::Many(make) => make(guess),
        }
    }

    /// The guess with this mistake in it, where it is one that is tried with others.
    pub fn one(&self, guess: &Guess) -> Option<Guess> {
        let Make::One(make) = self.make else { return None };
        let mut guess = guess.clone();
        make(&mut guess).then_some(guess)
    }

    /// What to do instead, where this is what the venue expects.
    pub fn told(&self, expected: &Guess) -> String {
        let remedy = self.remedy;
        match (self.part, expected.separator) {
            (Part::Encoding, _) => format!("write the signature as {}: {remedy}", expected.encoding.words()),
            (Part::Separator, "") => format!("nothing separates the parts: {remedy}"),
            (Part::Separator, ".") => format!("a dot separates the parts: {remedy}"),
            (Part::Separator, _) => format!("a line feed separates the parts: {remedy}"),
            _ => remedy.to_owned(),
        }
    }
}

/// A mistake that is made in one way.
pub(super) const fn mistake(
    name: &'static str,
    part: Part,
    remedy: &'static str,
    make: fn(&mut Guess) -> bool,
) -> Mistake {
    Mistake { name, part, remedy, make: Make::One(make) }
}

/// A mistake that is made in any of many ways.
pub(super) const fn many(
    name: &'static str,
    part: Part,
    remedy: &'static str,
    make: fn(&Guess) -> Vec<Guess>,
) -> Mistake {
    Mistake { name, part, remedy, make: Make::Many(make) }
}
