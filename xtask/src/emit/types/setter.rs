//! How a setter takes its value. What cannot fail converts by `Into`; what may fail says why by `TryInto`.

use std::collections::BTreeSet;

use serde_json::Value;
use syn::Type;

use crate::emit::items::named;
use crate::emit::items::of;
use crate::model::{members, text};
use crate::names::pascal;

/// How a value is taken, in the words of `wire::setter!`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setter {
    /// As it is.
    Plain,
    /// By `Into`.
    Into,
    /// By `TryInto`, whose error is kept.
    Take,
    /// By `Into`, and checked as an id.
    Id,
    /// By `Into`, and each checked as an id.
    Ids,
}

/// What every conversion to succeeds.
const INTO: [&str; 15] = [
    "DecimalOrText",
    "HashMap",
    "IntegerOrText",
    "Map",
    "Open",
    "Secret",
    "String",
    "UnixMicros",
    "UnixMillis",
    "UnixMillisOrMicros",
    "UnixNanos",
    "UnixSeconds",
    "Value",
    "Vec",
    "f64",
];

impl Setter {
    /// The one for a type, which is not an option. `ids` are the names of types that are ids.
    pub fn of(kind: &Type, ids: &BTreeSet<String>) -> Self {
        let Some(name) = named(kind).map(ToString::to_string) else { return Self::Take };
        let is_id = |kind: &Type| named(kind).is_some_and(|name| ids.contains(&name.to_string()));
        match &*name {
            "bool" => Self::Plain,
            "Vec" if of("Vec", kind).is_some_and(is_id) => Self::Ids,
            name if INTO.contains(&name) => Self::Into,
            _ if is_id(kind) => Self::Id,
            _ => Self::Take,
        }
    }

    /// The word for it in `wire::builder!`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Into => "into",
            Self::Take => "take",
            Self::Id => "id",
            Self::Ids => "ids",
        }
    }
}

/// The names of the types that are ids: texts with a name and a pattern.
pub fn ids(lowered: &Value) -> BTreeSet<String> {
    members(&lowered["components"], "schemas")
        .filter(|(_, schema)| text(schema, "type") == Some("string") && schema.get("pattern").is_some())
        .map(|(name, _)| pascal(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn what_cannot_fail_is_taken_by_into() {
        let ids = ["OrderId".to_owned()].into();
        for (kind, setter) in [
            (parse_quote!(bool), Setter::Plain),
            (parse_quote!(::std::string::String), Setter::Into),
            (parse_quote!(::venuekit_wire::Open<super::Side>), Setter::Into),
            (parse_quote!(::std::vec::Vec<super::Leg>), Setter::Into),
            (parse_quote!(::std::vec::Vec<super::OrderId>), Setter::Ids),
            (parse_quote!(super::OrderId), Setter::Id),
            // A `u64` that is too large, a text that is no number, a word that the list does not have, a builder that is not complete.
            (parse_quote!(i64), Setter::Take),
            (parse_quote!(::venuekit_wire::Decimal), Setter::Take),
            (parse_quote!(super::TimeInForce), Setter::Take),
        ] {
            assert_eq!(Setter::of(&kind, &ids), setter);
        }
    }
}
