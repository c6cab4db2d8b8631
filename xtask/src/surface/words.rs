//! How inventories write types: `string`, `array<Order>`, `string(date-time)`, `uuid[]`, `number|string`, `string?`.

use super::Kinds;

/// A type that is written as a word.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// A scalar, an object or a list of which nothing more is said; how it is written.
    Plain(Kinds, Option<String>),
    /// A list.
    List(Box<Word>),
    /// A map.
    Map(Box<Word>),
    /// The name of a schema, or nothing that is known.
    Named(String),
}

/// What a text means, and whether null is allowed.
pub fn read(text: &str) -> (Word, bool) {
    let text = text.trim();
    if let Some(rest) = text.strip_suffix('?') {
        return (read(rest).0, true);
    }
    if let Some(inner) = text.strip_suffix("[]") {
        return (Word::List(Box::new(read(inner).0)), false);
    }
    if let Some(inner) = in_brackets(text, "array").or_else(|| in_brackets(text, "list")) {
        return (Word::List(Box::new(read(inner).0)), false);
    }
    if let Some(inner) = in_brackets(text, "map") {
        let value = inner.split_once(", ").map_or(inner, |(_, value)| value);
        return (Word::Map(Box::new(read(value).0)), false);
    }
    // A description behind the first word says more than the type: `string|null date-time`, `integer 3600`.
    let first = text.split_whitespace().next().unwrap_or_default();
    let rest = text[first.len()..].trim();
    if first.contains('|') {
        let mut nullable = false;
        let mut all: Option<Kinds> = None;
        let mut format = None;
        for part in first.split('|') {
            match read(part).0 {
                _ if part == "null" => nullable = true,
                Word::Plain(kinds, written) => {
                    all = Some(all.map_or(kinds, |others| others.or(kinds)));
                    format = format.or(written);
                }
                _ => all = Some(Kinds::ANY),
            }
        }
        let format = format.or_else(|| rest.contains("date-time").then(|| "date-time".to_owned()));
        return (Word::Plain(all.unwrap_or_default(), format), nullable);
    }
    let (base, inside) = match first.split_once('(') {
        Some((base, inside)) => (base, inside.trim_end_matches(')')),
        None => (first, ""),
    };
    let written = |kinds, format: &str| (Word::Plain(kinds, Some(format.to_owned())), false);
    let plain = |kinds| (Word::Plain(kinds, None), false);
    match (base.to_lowercase().as_str(), inside) {
        ("string", "date-time") => written(Kinds::STRING, "date-time"),
        ("string", "uuid") | ("uuid", _) => written(Kinds::STRING, "uuid"),
        ("string", "decimal") => written(Kinds::STRING, "decimal"),
        ("string", _) if rest.starts_with("date-time") => written(Kinds::STRING, "date-time"),
        ("string" | "str" | "json", _) => plain(Kinds::STRING),
        ("time" | "datetime", _) => written(Kinds::STRING, "date-time"),
        ("integer", "ms") => written(Kinds::INTEGER, "unix-ms"),
        ("integer", "us") => written(Kinds::INTEGER, "unix-us"),
        ("integer", "ns") => written(Kinds::INTEGER, "unix-ns"),
        ("integer", "s") => written(Kinds::INTEGER, "unix-s"),
        ("integer" | "int" | "int64" | "long", _) => plain(Kinds::INTEGER),
        ("number" | "float" | "double", _) => plain(Kinds::NUMBER),
        ("decimal", _) => (Word::Plain(Kinds::STRING.or(Kinds::NUMBER), Some("decimal".to_owned())), false),
        ("boolean" | "bool", _) => plain(Kinds::BOOLEAN),
        ("object" | "map", _) => plain(Kinds::OBJECT),
        ("array" | "arraylist" | "list" | "tuple", _) => plain(Kinds::ARRAY),
        ("null", _) => (Word::Plain(Kinds::ANY, None), true),
        ("any" | "unknown" | "", _) => plain(Kinds::ANY),
        _ => (Word::Named(base.to_owned()), false),
    }
}

fn in_brackets<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(word)?;
    rest.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).or_else(|| {
        let rest = rest.strip_prefix('[')?;
        rest.strip_suffix(']')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_inventories_are_types() {
        let text = Word::Plain(Kinds::STRING, None);
        assert_eq!(read("string 'Bearer'"), (text.clone(), false));
        assert_eq!(read("string?"), (text.clone(), true));
        assert_eq!(read("array<array<string>>").0, Word::List(Box::new(Word::List(Box::new(text.clone())))));
        assert_eq!(read("uuid[]").0, Word::List(Box::new(Word::Plain(Kinds::STRING, Some("uuid".to_owned())))));
        assert_eq!(read("map<outcome label, number>").0, Word::Map(Box::new(Word::Plain(Kinds::NUMBER, None))));
        assert_eq!(read("string|null date-time"), (Word::Plain(Kinds::STRING, Some("date-time".to_owned())), true));
        assert_eq!(read("number|string").0, Word::Plain(Kinds::STRING.or(Kinds::NUMBER), None));
        assert_eq!(read("integer(ms)").0, Word::Plain(Kinds::INTEGER, Some("unix-ms".to_owned())));
        assert_eq!(read("array<Order>").0, Word::List(Box::new(Word::Named("Order".to_owned()))));
    }
}
