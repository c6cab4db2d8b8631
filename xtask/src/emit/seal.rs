//! What Progenitor's types need before a user's money may depend on them. What it emits for operations goes as a whole: see
//! `operations`. Ids, words and builders are made anew: see `types`.
//!
//! 1. Responses are read leniently: see `types::lenient`.
//! 2. Types may gain fields and variants without breaking a user: `#[non_exhaustive]`.

use syn::{Item, parse_quote};

use super::types::lenient::{self, Reading};

pub fn seal(items: &mut Vec<Item>, reading: &Reading) -> Result<(), String> {
    for item in &mut *items {
        match item {
            Item::Struct(item) => item.attrs.push(parse_quote!(#[non_exhaustive])),
            Item::Enum(item) => item.attrs.push(parse_quote!(#[non_exhaustive])),
            _ => {}
        }
    }
    lenient::apply(items, reading)
}
