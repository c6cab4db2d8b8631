//! The types of responses that users can make for their own tests: with the feature `mock` each has a `Default`, and its fields are
//! public.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::{Attribute, Item, Type};

use super::is_text;
use crate::emit::items::named;

/// The types in responses that have no `Default` and can be given one.
pub fn can_be_made(items: &[Item], in_responses: &BTreeSet<String>) -> BTreeSet<String> {
    let mut without: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // What never has one: enums, whether lists of words or choices.
    let mut never: BTreeSet<String> = BTreeSet::new();
    for item in items {
        match item {
            Item::Struct(item) if is_text(item) || has_default(&item.attrs) => {}
            Item::Struct(item) => {
                let needed = item.fields.iter().filter_map(|field| plain(&field.ty)).collect();
                without.insert(item.ident.to_string(), needed);
            }
            Item::Enum(item) => _ = never.insert(item.ident.to_string()),
            _ => {}
        }
    }
    never.extend(without.keys().filter(|name| !in_responses.contains(*name)).cloned());
    loop {
        let more: Vec<String> = without
            .iter()
            .filter(|(name, needed)| !never.contains(*name) && needed.iter().any(|needed| never.contains(needed)))
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        never.extend(more);
    }
    without.into_keys().filter(|name| !never.contains(name)).collect()
}

/// The name of a type whose own default is needed; none of an option, a list or a map.
fn plain(kind: &Type) -> Option<String> {
    let name = named(kind)?.to_string();
    (!["Option", "Vec", "HashMap", "Map", "Open"].contains(&&*name)).then_some(name)
}

fn has_default(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("derive") && attribute.to_token_stream().to_string().contains("Default")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_something_without_a_default_has_none() {
        let source = "
            #[derive(Clone)] pub struct Order { id: OrderId, side: ::venuekit_wire::Open<Side>, legs: ::std::vec::Vec<Choice> }
            #[derive(Clone)] pub struct OrderId(::std::string::String);
            #[derive(Clone)] pub struct Page { order: Order }
            #[derive(Clone)] pub struct Fixed { side: Side }
            #[derive(Clone)] pub struct Outer { fixed: Fixed }
            #[derive(Clone, Default)] pub struct Empty { side: ::std::option::Option<Side> }
            #[derive(Clone)] pub struct Request { id: OrderId }
            pub enum Side { A }
            pub enum Choice { A(i64) }
        ";
        let items = syn::parse_file(source).unwrap().items;
        let in_responses = ["Order", "Page", "Fixed", "Outer", "Empty"].map(str::to_owned).into();
        assert_eq!(can_be_made(&items, &in_responses), ["Order", "Page"].map(str::to_owned).into());
    }
}
