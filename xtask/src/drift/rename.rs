//! Which of the members that are missing and new are the same under another name.

use std::collections::BTreeSet;

use crate::surface::{Surface, Type, ratio};

/// A member as it is compared.
pub struct Candidate<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub kind: &'a Type,
    /// From 0 for the first member of its object to 1 for the last.
    pub position: f32,
    /// What it is for.
    pub description: &'a str,
}

/// Below this two members have nothing to do with each other.
const LIKELY: f32 = 0.5;

/// Places among the members that differ by less are the same place.
const SAME_PLACE: f32 = 0.03;

/// Pairs of indices, the most similar first; each member is in at most one pair.
pub fn pairs(gone: &[Candidate<'_>], new: &[Candidate<'_>]) -> Vec<(usize, usize)> {
    let mut scored = Vec::new();
    // One gone and one new of the same type at the same place: another name for it, most likely.
    let is_lone = gone.len() == 1 && new.len() == 1;
    for (left, old) in gone.iter().enumerate() {
        for (right, candidate) in new.iter().enumerate() {
            let is_same_place = is_lone
                && old.kind.kinds == candidate.kind.kinds
                && !old.kind.kinds.is_any()
                && (old.position - candidate.position).abs() < SAME_PLACE;
            let score = similarity(old, candidate) + if is_same_place { LIKELY } else { 0.0 };
            if score >= LIKELY {
                scored.push((score, left, right));
            }
        }
    }
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    let (mut left, mut right) = (BTreeSet::new(), BTreeSet::new());
    let free = scored.into_iter().filter(|(_, gone, new)| {
        let is_free = !left.contains(gone) && !right.contains(new);
        if is_free {
            left.insert(*gone);
            right.insert(*new);
        }
        is_free
    });
    free.map(|(_, gone, new)| (gone, new)).collect()
}

/// From 0 to 1. Members of different types are different members.
fn similarity(one: &Candidate<'_>, other: &Candidate<'_>) -> f32 {
    let types = one.kind.kinds.is_any() || other.kind.kinds.is_any() || overlaps(one.kind, other.kind);
    if !types {
        return 0.0;
    }
    let values = match (&one.kind.values, &other.kind.values) {
        (Some(own), Some(others)) => 0.3 * share(own, others),
        _ => 0.0,
    };
    let fields = if one.kind.fields.is_empty() || other.kind.fields.is_empty() {
        0.0
    } else {
        let names = |kind: &Type| kind.fields.iter().map(|field| field.name.clone()).collect::<BTreeSet<_>>();
        0.3 * share(&names(one.kind), &names(other.kind))
    };
    let (left, right) = (words(one.name), words(other.name));
    // `limit` and `page_limit`: one name says more than the other.
    let says_more = if left.is_subset(&right) || right.is_subset(&left) { 0.85 } else { 0.0 };
    let name = share(&left, &right).max(letters(one.name, other.name)).max(says_more);
    let said = share(&words(one.description), &words(other.description));
    let near = 1.0 - (one.position - other.position).abs();
    0.65 * name + 0.25 * said + 0.1 * near + values + fields
}

fn overlaps(one: &Type, other: &Type) -> bool {
    one.kinds.covers(other.kinds) || other.kinds.covers(one.kinds)
}

/// What two sets have in common, of the smaller one and the larger one.
fn share(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f32 {
    let both = one.intersection(other).count();
    let all = one.len() + other.len();
    if all == 0 { 0.0 } else { ratio(2 * both, all) }
}

/// The words of a name or a sentence, in lower case.
fn words(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut word = String::new();
    for c in text.chars() {
        let begins = c.is_uppercase() && !word.ends_with(char::is_uppercase);
        if (!c.is_alphanumeric() || begins) && !word.is_empty() {
            all.insert(std::mem::take(&mut word).to_lowercase());
        }
        if c.is_alphanumeric() {
            word.push(c);
        }
    }
    if !word.is_empty() {
        all.insert(word.to_lowercase());
    }
    all
}

/// What two names have in common as letters: pairs of neighbours.
fn letters(one: &str, other: &str) -> f32 {
    let pairs = |text: &str| {
        let letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        letters.windows(2).map(|pair| pair.iter().collect::<String>()).collect::<BTreeSet<_>>()
    };
    share(&pairs(one), &pairs(other))
}

/// The member of an object as a candidate.
pub fn of<'a>(surface: &'a Surface, field: &'a crate::surface::Field) -> Candidate<'a> {
    Candidate {
        name: &field.name,
        kind: surface.at(field.value),
        position: field.position,
        description: &field.description,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::Kinds;

    #[test]
    fn the_likeliest_member_is_taken_and_strangers_are_not() {
        let (text, number) =
            (Type { kinds: Kinds::STRING, ..Type::default() }, Type { kinds: Kinds::NUMBER, ..Type::default() });
        let one = |name, kind, position, description| Candidate { name, kind, position, description };
        let gone = [
            one("bid_size", &text, 0.1, "Contracts at the best bid."),
            one("ask_size", &text, 0.2, ""),
            one("title", &text, 0.9, "Title."),
        ];
        let new = [
            one("ask_size_fp", &text, 0.2, ""),
            one("bid_size_fp", &text, 0.1, "Contracts at the best bid."),
            one("bid_sizes", &number, 0.1, ""),
            one("occurrence", &text, 0.9, "When it happens."),
        ];
        assert_eq!(pairs(&gone, &new), [(0, 1), (1, 0)]);
        assert_eq!(pairs(&gone[..1], &new[2..3]), [], "of another type");
        let strange = [one("heading", &text, 0.9, ""), one("heading", &text, 0.5, "")];
        assert_eq!(pairs(&gone[2..], &strange[..1]), [(0, 0)], "the only one, at the same place");
        assert_eq!(pairs(&gone[2..], &strange[1..]), [], "elsewhere");
        assert_eq!(pairs(&gone[..2], &strange[..1]), [], "two are gone");
    }
}
