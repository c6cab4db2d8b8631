//! Tries every mistake alone, and each with each other.

use std::collections::HashSet;

use super::case::Case;
use super::check::{Encoding, Key, Scheme};
use super::guess::Guess;
use super::mistake::Mistake;
use super::mistakes::MISTAKES;

/// What came of it.
pub enum Found {
    /// The signature is right.
    Right,
    /// It is right for something else.
    Wrong {
        /// For what.
        guess: Box<Guess>,
        /// What is wrong with that.
        mistakes: Vec<&'static Mistake>,
    },
    /// Another key made it.
    OtherKey {
        /// What that key is called.
        name: String,
        /// For what.
        guess: Box<Guess>,
        /// What else is wrong.
        mistakes: Vec<&'static Mistake>,
    },
    /// Nothing explains it.
    Nothing {
        /// How many forms were tried.
        tried: usize,
    },
}

/// Finds out what a signature is right for.
pub fn search(given: &Case) -> Found {
    let mut seen = Seen::default();
    if given.guess.fits(&given.signature) {
        return Found::Right;
    }
    let own = [given.guess.clone()];
    let others: Vec<Guess> = given
        .others
        .iter()
        .map(|(name, key)| Guess { key: key.clone(), key_name: name.clone(), ..given.guess.clone() })
        .collect();
    // The key that was named with one mistake, another key without any, and so on: the simplest explanation first.
    for depth in 0..=2 {
        for start in own.iter().chain(others.iter()) {
            if let Some((guess, mistakes)) = with_mistakes(start, &given.signature, depth, &mut seen) {
                let guess = Box::new(guess);
                return match guess.key_name == given.guess.key_name {
                    true => Found::Wrong { guess, mistakes },
                    false => Found::OtherKey { name: guess.key_name.clone(), guess, mistakes },
                };
            }
        }
    }
    Found::Nothing { tried: seen.0.len() }
}

#[derive(Default)]
struct Seen(HashSet<Form>);

/// What tells two guesses apart: text, how the signature is written and made, the key's name, and a shared key itself.
type Form = (Vec<u8>, Encoding, Scheme, String, Vec<u8>);

impl Seen {
    /// Whether a guess is right; one that was tried before is not tried again.
    fn fits(&mut self, guess: &Guess, signature: &str) -> bool {
        let secret = match &guess.key {
            Key::Shared(secret) => secret.to_vec(),
            _ => Vec::new(),
        };
        self.0.insert((guess.text(), guess.encoding, guess.scheme, guess.key_name.clone(), secret))
            && guess.fits(signature)
    }
}

fn with_mistakes(
    start: &Guess,
    signature: &str,
    depth: usize,
    seen: &mut Seen,
) -> Option<(Guess, Vec<&'static Mistake>)> {
    if depth == 0 {
        return seen.fits(start, signature).then(|| (start.clone(), Vec::new()));
    }
    for (at, first) in MISTAKES.iter().enumerate() {
        if depth == 1 {
            if let Some(guess) = first.guesses(start).into_iter().find(|guess| seen.fits(guess, signature)) {
                return Some((guess, vec![first]));
            }
            continue;
        }
        let Some(guess) = first.one(start) else { continue };
        for second in MISTAKES[at + 1..].iter().filter(|second| second.part != first.part) {
            if let Some(guess) = second.one(&guess)
                && seen.fits(&guess, signature)
            {
                return Some((guess, vec![first, second]));
            }
        }
    }
    None
}
