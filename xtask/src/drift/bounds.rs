//! Bounds, patterns and defaults of what requests send. Our specs say most of them in words, so the vendor's numbers are held against our
//! descriptions too. A place ends in the vendor's value, so that a difference is accepted as it is now and not as it becomes.

use std::collections::BTreeSet;

use super::compare::Comparison;
use crate::judgement::Judgement;
use crate::surface::said::{Said, contains};
use crate::surface::{Field, Kinds, Type, Use};

/// A bound, whether a larger number allows more, and whether it is of lengths and counts.
const BOUNDS: [(&str, bool, bool); 10] = [
    ("minimum", false, false),
    ("exclusiveMinimum", false, false),
    ("minLength", false, true),
    ("minItems", false, true),
    ("minProperties", false, true),
    ("maximum", true, false),
    ("exclusiveMaximum", true, false),
    ("maxLength", true, true),
    ("maxItems", true, true),
    ("maxProperties", true, true),
];

/// The greatest value of 32 bits: a maximum from there on is the size of the number and no rule of the venue.
const OF_THE_TYPE: f64 = 2_147_483_647.0;

/// A member or a parameter that is compared.
pub struct Place<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Where our spec says it.
    pub at: &'a str,
    /// Operations that it is part of.
    pub users: &'a BTreeSet<String>,
    /// Whether our clients always send it, so that no default counts.
    pub is_always_sent: bool,
}

/// Compares a member of a request, or a parameter.
pub fn compare(comparison: &mut Comparison<'_>, place: &Place<'_>, mine: &Field, other: &Field) {
    let ours = comparison.ours.at(mine.value);
    let mut texts = vec![mine.description.as_str(), ours.description.as_str()];
    if let Some(items) = ours.items {
        texts.push(&comparison.ours.at(items).description);
    }
    let said = Said::of(texts);
    limits(comparison, place, (mine.value, other.value), &said);
    if let (Some(one), Some(same)) = (ours.items, comparison.theirs.at(other.value).items) {
        let name = format!("{}[]", place.name);
        // `at most 10` is said of the list: of its elements only the numbers are known.
        let of_items = Said { least: Vec::new(), most: Vec::new(), ..said.clone() };
        limits(comparison, &Place { name: &name, ..*place }, (one, same), &of_items);
    }
    default(comparison, place, mine, other, &said);
}

fn limits(comparison: &mut Comparison<'_>, place: &Place<'_>, (one, other): (Use, Use), said: &Said) {
    let (ours, theirs) = (comparison.ours.at(one), comparison.theirs.at(other));
    // A UUID has the length that it has.
    let is_uuid = theirs.format.as_deref() == Some("uuid");
    for (word, grows, of_length) in BOUNDS {
        let number = |kind: &Type| kind.limits.get(word).and_then(|limit| limit.parse::<f64>().ok());
        bound(comparison, place, (word, grows, of_length), (number(ours), number(theirs), is_uuid), said);
    }
    for (word, what) in [
        ("pattern", "texts must match"),
        ("multipleOf", "values must be multiples of"),
        ("uniqueItems", "uniqueItems is"),
    ] {
        let (own, vendors) = (ours.limits.get(word), theirs.limits.get(word));
        let Some(vendors) = vendors.filter(|vendors| Some(*vendors) != own && *vendors != "false") else { continue };
        if word != "pattern" && vendors.parse().is_ok_and(|number| said.has(number)) {
            continue;
        }
        let before = own.map_or_else(|| "nothing".to_owned(), |own| format!("`{own}`"));
        let message = format!("{what} `{vendors}`, our spec says {before}");
        let own = format!("{} {word}={vendors}", place.name);
        comparison.find("pattern", own, Judgement::Behaviour, message, place.at, place.users.clone(), None);
    }
}

fn bound(
    comparison: &mut Comparison<'_>,
    place: &Place<'_>,
    (word, grows, of_length): (&str, bool, bool),
    (own, vendors, uuid_long): (Option<f64>, Option<f64>, bool),
    said: &Said,
) {
    let listed = if grows { &said.most } else { &said.least };
    let Some(number) = vendors else {
        // Only what stands in our schema: a description often has its number from a page.
        let is_uuid = of_length && uuid_long;
        if let Some(own) = own.filter(|own| !is_uuid && !is_trivial(*own, grows, of_length) && knows_bounds(comparison))
        {
            let message = format!("the vendor no longer says {word}, our spec says {own}");
            let own = format!("{} {word}", place.name);
            comparison.find("looser-bound", own, Judgement::Addition, message, place.at, place.users.clone(), None);
        }
        return;
    };
    // `exclusiveMinimum: 0` of whole numbers is `at least 1`.
    let next = match word {
        "exclusiveMinimum" => Some(number + 1.0),
        "exclusiveMaximum" => Some(number - 1.0),
        _ => None,
    };
    let known = own.map_or_else(|| listed.clone(), |own| vec![own]);
    if contains(&known, number) || next.is_some_and(|next| contains(&known, next)) {
        return;
    }
    let extreme = known.iter().copied().reduce(if grows { f64::max } else { f64::min });
    let (rule, judgement, before) = match extreme {
        // `1 to 100. Left out or 0: all.`
        _ if !grows && number == 0.0 && said.has(number) => return,
        Some(extreme) if (number > extreme) == grows => ("looser-bound", Judgement::Addition, extreme.to_string()),
        Some(extreme) => ("tighter-bound", Judgement::Breaking, extreme.to_string()),
        None if said.has(number) || is_trivial(number, grows, of_length) => return,
        // Our spec never said that there is none.
        None => ("tighter-bound", Judgement::Behaviour, "nothing".to_owned()),
    };
    let message = format!("the vendor says {word} {number}, our spec {before}");
    let own = format!("{} {word}={number}", place.name);
    comparison.find(rule, own, judgement, message, place.at, place.users.clone(), None);
}

/// Whether a bound goes without saying: nothing below none or one, nothing above what the type holds.
fn is_trivial(number: f64, grows: bool, of_length: bool) -> bool {
    if grows { number >= OF_THE_TYPE } else { number <= 1.0 && (of_length || number >= 0.0) || number <= -OF_THE_TYPE }
}

/// Whether the vendor's document has bounds anywhere.
fn knows_bounds(comparison: &Comparison<'_>) -> bool {
    comparison.theirs.types.iter().any(|kind| !kind.limits.is_empty())
}

fn default(comparison: &mut Comparison<'_>, place: &Place<'_>, mine: &Field, other: &Field, said: &Said) {
    let Some(vendors) = &other.default else {
        if let Some(own) = mine.default.as_ref().filter(|_| !place.is_always_sent) {
            let message = format!("the vendor says no default any more, our spec `{own}`");
            let own = format!("{} default", place.name);
            comparison.find("default", own, Judgement::Behaviour, message, place.at, place.users.clone(), None);
        }
        return;
    };
    // What our clients always send has no default.
    if place.is_always_sent || mine.default.as_ref() == Some(vendors) {
        return;
    }
    if mine.default.is_none() && is_said(vendors, comparison.theirs.at(other.value).kinds, said) {
        return;
    }
    let before = match (&mine.default, &said.left_out) {
        (Some(own), _) => format!("`{own}`"),
        (None, Some(words)) => format!("\"{words}\""),
        (None, None) => "nothing".to_owned(),
    };
    let message = format!("left out, it counts as `{vendors}`, our spec says {before}");
    let own = format!("{} default={vendors}", place.name);
    comparison.find("default", own, Judgement::Behaviour, message, place.at, place.users.clone(), None);
}

/// Whether our words for what is left out are the vendor's value, or it goes without saying.
fn is_said(value: &str, kinds: Kinds, said: &Said) -> bool {
    let words = said.left_out.as_deref();
    let first = words.and_then(|words| words.split_whitespace().next()).unwrap_or_default();
    let lower = value.to_lowercase();
    match lower.as_str() {
        "" | "null" | "none" | "[]" | "{}" => true,
        "false" => !matches!(first, "true" | "yes"),
        "true" => !matches!(first, "" | "false" | "no" | "not" | "without"),
        _ => match value.parse::<f64>() {
            Ok(number) => {
                let own = Said::of(words);
                own.has(number) || own.numbers.is_empty() && (number == 0.0 || words.is_none() && said.has(number))
            }
            // A sentence in place of a value, such as `current time`.
            Err(_) if kinds.has(Kinds::INTEGER) || kinds.has(Kinds::NUMBER) => true,
            Err(_) => words.unwrap_or(&said.text).contains(&lower),
        },
    }
}
