//! What parameters of channels are in Rust: which type an argument has, and how it is taken.

use std::collections::BTreeMap;

use crate::document::Document;
use crate::model::text;
use crate::names::pascal;
use crate::streams::{self, Parameter};

/// Lists of values that stand in channels and have no schema: their types, by parameter and values.
pub struct Words<'a>(Vec<(String, &'a str, Vec<&'a str>)>);

impl<'a> Words<'a> {
    /// The same parameter with the same values is one type in all channels. Of several lists of a parameter the one that most channels have
    /// is called by the parameter, the others by their first channel too.
    pub fn of(document: &'a Document) -> Self {
        let mut lists: BTreeMap<(&str, Vec<&str>), (&str, usize)> = BTreeMap::new();
        for channel in streams::channels(document) {
            for parameter in channel.given().into_iter().filter(|one| one.one().is_none()) {
                let values = parameter.values(document);
                lists.entry((parameter.name, values)).or_insert((channel.id, 0)).1 += 1;
            }
        }
        let most = |name: &str| {
            let of_name = lists.iter().filter(|((own, _), _)| *own == name);
            // Of equals the first channel's.
            of_name.map(|(_, (channel, count))| (std::cmp::Reverse(*count), *channel)).min()
        };
        let named = lists.iter().map(|((name, values), (channel, count))| {
            let is_most = most(name) == Some((std::cmp::Reverse(*count), *channel));
            let prefix = if is_most { String::new() } else { pascal(channel) };
            (format!("{prefix}{}", pascal(name)), *name, values.clone())
        });
        Self(named.collect())
    }

    fn named(&self, name: &str, values: &[&str]) -> Option<&str> {
        self.0.iter().find(|(_, own, list)| *own == name && list == values).map(|(rust, _, _)| rust.as_str())
    }

    /// Each type, the parameter that it is for, and its variants with their words.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, Vec<(String, &str)>)> {
        self.0.iter().map(|(rust, name, values)| {
            (rust.as_str(), *name, values.iter().map(|value| (variant(value), *value)).collect())
        })
    }
}

/// The variant of a word. What begins with a number and goes on with a unit has the unit first: `100ms` is `Ms100`.
pub fn variant(word: &str) -> String {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    match word.split_at(digits) {
        (number, unit) if !number.is_empty() && unit.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            pascal(&format!("{unit}{number}"))
        }
        _ => pascal(word),
    }
}

/// How the value of a parameter is taken.
pub struct Taken {
    /// The word for it in `venuekit_streams::channel!`, and the method of `Given`.
    pub how: &'static str,
    /// The type of one value.
    pub kind: String,
}

impl Taken {
    pub fn of(document: &Document, words: &Words<'_>, parameter: &Parameter<'_>) -> Result<Self, String> {
        let (name, schema) = parameter.resolved(document);
        let taken = |how, kind: String| Ok(Self { how, kind });
        let is_list = parameter.is_list();
        if parameter.one().is_none() {
            let values = parameter.values(document);
            let kind = words.named(parameter.name, &values);
            return taken("word", kind.ok_or("a list of values without a type")?.to_owned());
        }
        let kind = match (text(schema, "type"), name) {
            (Some("integer"), _) if !is_list => return taken("number", "i64".to_owned()),
            (Some("boolean"), _) if !is_list => return taken("flag", "bool".to_owned()),
            (Some("string"), Some(name)) if schema.get("enum").is_some() => {
                let kind = format!("types::{}", pascal(name));
                if !parameter.is_open(document) {
                    return taken(if is_list { "list" } else { "word" }, kind);
                }
                format!("wire::Open<{kind}>")
            }
            (Some("string"), Some(name)) if schema.get("pattern").is_some() => format!("types::{}", pascal(name)),
            (Some("string"), _) => "String".to_owned(),
            _ => return Err(format!("the parameter `{}` has no form that can be sent", parameter.name)),
        };
        taken(if is_list { "list" } else { "text" }, kind)
    }

    /// The type of an argument.
    pub fn argument(&self) -> String {
        match self.how {
            "list" => format!("impl IntoIterator<Item = impl Into<{}>>", self.kind),
            "items" => format!("impl Into<streams::Items<{}>>", self.kind),
            "text" => format!("impl Into<{}>", self.kind),
            _ => self.kind.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::variant;

    #[test]
    fn a_number_with_a_unit_has_the_unit_first() {
        for (word, name) in
            [("raw", "Raw"), ("100ms", "Ms100"), ("agg2", "Agg2"), ("1D", "D1"), ("15", "X15"), ("a b", "AB")]
        {
            assert_eq!(variant(word), name);
        }
    }
}
