//! How mistakes are made.

use venuekit_wire::signature::{Piece, Place};
use zeroize::Zeroizing;

use super::check::{Encoding, Key, Scheme};
use super::guess::{BodyForm, Guess};
use crate::raw_json::RawJson;

pub(super) fn replace_path(guess: &mut Guess, change: impl FnOnce(&str) -> Option<String>) -> bool {
    if !guess.pieces.contains(&Piece::Target) {
        return false;
    }
    change(&guess.path).map(|path| guess.path = path).is_some()
}

/// The last part of the prefix, such as `/v2`, and what is before it.
pub(super) fn version(guess: &Guess) -> Option<(&'static str, &'static str)> {
    let at = guess.prefix.rfind('/')?;
    Some(guess.prefix.split_at(at)).filter(|(root, _)| !root.is_empty())
}

/// The text of another rule of the venue: that of a login in place of a request's, or the other way round.
pub(super) fn other_rule(guess: &mut Guess, place: Place) -> bool {
    let Some(rule) = guess.other_rules.iter().find(|rule| rule.place == place) else { return false };
    let is_other = guess.rule.place != place;
    (guess.pieces, guess.separator, guess.end) = (super::guess::pieces(rule), rule.separator, rule.end);
    guess.body.clear();
    is_other
}

/// Cuts the digits of a time, or adds those that were cut: three zeros.
pub(super) fn cut_time(guess: &mut Guess, long: usize, short: usize) -> bool {
    match guess.time.len() {
        length if length == long => guess.time.truncate(short),
        length if length == short => guess.time.push_str("000"),
        _ => return false,
    }
    true
}

pub(super) fn other_method(guess: &mut Guess, method: &str) -> bool {
    let is_other = guess.pieces.contains(&Piece::Method) && guess.method != method;
    guess.method = method.to_owned();
    is_other
}

pub(super) fn body_form(guess: &mut Guess, form: BodyForm, needs_body: bool) -> bool {
    guess.body_form = form;
    if !guess.pieces.contains(&Piece::Body) {
        guess.pieces.push(Piece::Body);
    }
    !needs_body || !guess.body.is_empty()
}

pub(super) fn replace_body(guess: &mut Guess, change: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> bool {
    // A venue that signs no body has it in the text where it was put there by mistake.
    let matters = !guess.is_login() && guess.pieces.contains(&Piece::Body);
    match change(&guess.body).filter(|new| matters && *new != guess.body) {
        Some(body) => {
            guess.body = body;
            true
        }
        None => false,
    }
}

pub(super) fn replace_json(guess: &mut Guess, write: impl FnOnce(&RawJson) -> String) -> bool {
    replace_body(guess, |body| {
        let exact = RawJson::parse(std::str::from_utf8(body).ok()?).ok()?;
        Some(write(&exact).into_bytes())
    })
}

/// JSON with every letter beyond ASCII written as its UTF-16 numbers.
pub(super) fn ascii(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            written.push(letter);
        } else {
            letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| written.push_str(&format!("\\u{unit:04x}")));
        }
    }
    written
}

/// Leaves a piece out, with what would stand behind it.
pub(super) fn leave_out(guess: &mut Guess, piece: Piece) -> bool {
    let before = guess.pieces.len();
    guess.pieces.retain(|own| *own != piece);
    guess.pieces.len() < before
}

pub(super) fn separate(guess: &mut Guess, separator: &'static str) -> bool {
    std::mem::replace(&mut guess.separator, separator) != separator
}

pub(super) fn encode(guess: &mut Guess, encoding: Encoding) -> bool {
    std::mem::replace(&mut guess.encoding, encoding) != encoding
}

pub(super) fn scheme(guess: &mut Guess, scheme: Scheme) -> bool {
    guess.scheme = scheme;
    true
}

pub(super) fn rsa(guess: &mut Guess, scheme: Scheme) -> bool {
    guess.scheme = scheme;
    matches!(guess.key, Key::Rsa(_))
}

pub(super) fn shared(guess: &mut Guess, scheme: Scheme) -> bool {
    guess.scheme = scheme;
    matches!(guess.key, Key::Shared(_))
}

pub(super) fn secret(guess: &mut Guess, change: impl FnOnce(&str) -> Option<Vec<u8>>) -> bool {
    let Key::Shared(secret) = &guess.key else { return false };
    let changed = std::str::from_utf8(secret).ok().and_then(change);
    changed.map(|bytes| guess.key = Key::Shared(Zeroizing::new(bytes))).is_some()
}

/// The pieces in every other order.
pub(super) fn orders(guess: &Guess) -> Vec<Guess> {
    let orders = permutations(&guess.pieces).into_iter().skip(1);
    orders.map(|pieces| Guess { pieces, ..guess.clone() }).collect()
}

/// More parameters have too many orders.
const MOST_PARAMETERS: usize = 5;

/// The parameters of the query in every other order.
pub(super) fn query_orders(guess: &Guess) -> Vec<Guess> {
    let parameters: Vec<&str> =
        guess.query.iter().filter(|_| guess.with_query).flat_map(|query| query.split('&')).collect();
    if parameters.len() > MOST_PARAMETERS {
        return Vec::new();
    }
    let orders = permutations(&parameters).into_iter().skip(1);
    orders.map(|parameters| Guess { query: Some(parameters.join("&")), ..guess.clone() }).collect()
}

/// Every order of some things, the given one first.
fn permutations<T: Copy>(things: &[T]) -> Vec<Vec<T>> {
    if things.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in things.iter().enumerate() {
        let rest: Vec<T> = [&things[..at], &things[at + 1..]].concat();
        all.extend(permutations(&rest).into_iter().map(|rest| [vec![*first], rest].concat()));
    }
    all
}

/// Times around the one that was sent: up to a second of milliseconds, or three seconds.
pub(super) fn times(guess: &Guess) -> Vec<Guess> {
    let Ok(sent) = guess.time.parse::<i64>() else { return Vec::new() };
    let farthest = if guess.time.len() >= 13 { 1000 } else { 3 };
    let around = (1..=farthest).flat_map(|far| [sent.saturating_sub(far), sent.saturating_add(far)]);
    around.map(|time| Guess { time: time.to_string(), ..guess.clone() }).collect()
}

/// The milliseconds of the second that was sent.
pub(super) fn thousandths(guess: &Guess) -> Vec<Guess> {
    if !guess.is_in_seconds() || guess.time.len() != 10 {
        return Vec::new();
    }
    (0..1000).map(|more| Guess { time: format!("{}{more:03}", guess.time), ..guess.clone() }).collect()
}
