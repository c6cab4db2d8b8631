//! JSON with the digits that it was written with: a detour through `f64` would change money.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON value whose numbers keep their text, and whose members keep their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawJson {
    /// A number, a text, true, false or null, as it is written.
    Scalar(String),
    /// A list.
    List(Vec<RawJson>),
    /// An object.
    Object(Vec<(String, RawJson)>),
}

/// An object whose members are left as they are written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// No response is nested deeper.
const DEEPEST: usize = 128;

impl RawJson {
    /// Reads a JSON text.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Self::of(raw, 0)
    }

    fn of(raw: &RawValue, depth: usize) -> serde_json::Result<Self> {
        if depth > DEEPEST {
            return Err(serde::de::Error::custom("it is nested too deeply"));
        }
        match raw.get().as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(raw.get())?;
                let read = members.into_iter().map(|(name, value)| Ok((name, Self::of(value, depth + 1)?)));
                Ok(Self::Object(read.collect::<serde_json::Result<_>>()?))
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(raw.get())?;
                Ok(Self::List(
                    items.into_iter().map(|item| Self::of(item, depth + 1)).collect::<serde_json::Result<_>>()?,
                ))
            }
            _ => Ok(Self::Scalar(raw.get().to_owned())),
        }
    }

    /// The same for what looks at shapes and texts alone: a number that `f64` cannot hold is a zero in it.
    pub fn outline(&self) -> Value {
        match self {
            Self::Scalar(raw) => serde_json::from_str(raw).unwrap_or_else(|_| Value::from(0)),
            Self::List(items) => items.iter().map(Self::outline).collect(),
            Self::Object(members) => members.iter().map(|(name, value)| (name.clone(), value.outline())).collect(),
        }
    }

    /// Nothing at all.
    pub fn null() -> Self {
        Self::Scalar("null".to_owned())
    }

    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Scalar(quoted(text))
    }

    /// The value of a text; the digits of a number. None for anything else.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Self::Scalar(raw) if raw.starts_with('"') => serde_json::from_str(raw).ok(),
            Self::Scalar(raw) if raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Some(raw.clone())
            }
            _ => None,
        }
    }

    /// The member of an object.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What a way such as `orders/0/price` leads to.
    pub fn at_way(&mut self, way: &str) -> Option<&mut Self> {
        way.split('/').filter(|step| !step.is_empty()).try_fold(self, |value, step| match value {
            Self::Scalar(_) => None,
            Self::List(items) => items.get_mut(step.parse::<usize>().ok()?),
            Self::Object(members) => members.iter_mut().find(|(own, _)| own == step).map(|(_, value)| value),
        })
    }

    /// What a dotted name leads to; an empty one leads here.
    pub fn at(&self, dotted: &str) -> Option<&Self> {
        dotted.split('.').filter(|name| !name.is_empty()).try_fold(self, |value, name| value.member(name))
    }

    /// The way to a member that an object has twice: a reader takes one of the two, it is unknown which.
    pub fn repeated(&self) -> Option<String> {
        let below = |name: &str, value: &Self| value.repeated().map(|way| format!("{name}/{way}"));
        match self {
            Self::Scalar(_) => None,
            Self::List(items) => items.iter().enumerate().find_map(|(at, item)| below(&at.to_string(), item)),
            Self::Object(members) => {
                let mut seen = HashSet::new();
                members
                    .iter()
                    .find_map(|(name, value)| if seen.insert(name) { below(name, value) } else { Some(name.clone()) })
            }
        }
    }

    /// Puts a text in place of every value that has one of these names.
    pub fn redact(&mut self, names: &[String], replacement: &str) {
        match self {
            Self::Scalar(_) => {}
            Self::List(items) => items.iter_mut().for_each(|item| item.redact(names, replacement)),
            Self::Object(members) => {
                for (name, value) in members {
                    let is_null = matches!(value, Self::Scalar(raw) if raw == "null");
                    if names.contains(name) && !is_null {
                        *value = Self::text(replacement);
                    } else {
                        value.redact(names, replacement);
                    }
                }
            }
        }
    }

    /// On one line.
    pub fn compact(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, None);
        text
    }

    /// Over several lines, with an indent of two.
    pub fn pretty(&self) -> String {
        self.indented(2)
    }

    /// Over several lines, with an indent of so many blanks.
    pub fn indented(&self, width: usize) -> String {
        let mut text = String::new();
        self.write(&mut text, Some(Indent { width, depth: 0 }));
        text
    }

    /// On one line, with a blank behind every comma and colon.
    pub fn spaced(&self) -> String {
        match self {
            Self::Scalar(raw) => raw.clone(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::spaced).collect::<Vec<_>>().join(", ")),
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("{}: {}", quoted(name), value.spaced()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The same with the members of each object in the order of their names.
    pub fn sorted(&self) -> Self {
        match self {
            Self::Scalar(raw) => Self::Scalar(raw.clone()),
            Self::List(items) => Self::List(items.iter().map(Self::sorted).collect()),
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().map(|(name, value)| (name.clone(), value.sorted())).collect();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                Self::Object(members)
            }
        }
    }

    fn write(&self, text: &mut String, indent: Option<Indent>) {
        let inner = indent.map(|indent| Indent { depth: indent.depth + 1, ..indent });
        match self {
            Self::Scalar(raw) => text.push_str(raw),
            Self::List(items) => {
                let mut items = items.iter();
                enclose(text, ['[', ']'], indent, &mut |text| {
                    items.next()?.write(text, inner);
                    Some(())
                });
            }
            Self::Object(members) => {
                let mut members = members.iter();
                enclose(text, ['{', '}'], indent, &mut |text| {
                    let (name, value) = members.next()?;
                    text.push_str(&quoted(name));
                    text.push_str(if inner.is_some() { ": " } else { ":" });
                    value.write(text, inner);
                    Some(())
                });
            }
        }
    }
}

/// How far lines are moved to the right.
#[derive(Clone, Copy)]
struct Indent {
    width: usize,
    depth: usize,
}

/// Writes parts between brackets, as long as there are more.
fn enclose(
    text: &mut String,
    [open, close]: [char; 2],
    indent: Option<Indent>,
    next: &mut dyn FnMut(&mut String) -> Option<()>,
) {
    let new_line = |text: &mut String, more: usize| {
        if let Some(indent) = indent {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent.width * (indent.depth + more)));
        }
    };
    text.push(open);
    let mut is_empty = true;
    loop {
        let before = text.len();
        if !is_empty {
            text.push(',');
        }
        new_line(text, 1);
        if next(text).is_none() {
            text.truncate(before);
            break;
        }
        is_empty = false;
    }
    if !is_empty {
        new_line(text, 0);
    }
    text.push(close);
}

/// Why a text is not JSON, without the place.
pub fn reason(error: &serde_json::Error) -> String {
    let said = error.to_string();
    said.rsplit_once(" at line ").map_or_else(|| said.clone(), |(said, _)| said.to_owned())
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_and_the_order_stay() {
        let text = r#"{"z":1.50,"a":[100000000000000000000000.10,-0,2.5e-3,{}],"s":"\u00e9\n","n":null,"e":[]}"#;
        let exact = RawJson::parse(text).unwrap();
        assert_eq!(exact.compact(), text);
        assert_eq!(RawJson::parse(&exact.pretty()).unwrap(), exact);
        assert!(exact.pretty().starts_with("{\n  \"z\": 1.50,\n  \"a\": [\n    100000000000000000000000.10,"));
    }

    #[test]
    fn it_is_written_in_several_ways() {
        let exact = RawJson::parse(r#"{"b":[1,"x, y: z"],"a":1.0}"#).unwrap();
        assert_eq!(exact.spaced(), r#"{"b": [1, "x, y: z"], "a": 1.0}"#);
        assert_eq!(exact.sorted().compact(), r#"{"a":1.0,"b":[1,"x, y: z"]}"#);
        assert_eq!(RawJson::parse(r#"{"a":[1]}"#).unwrap().indented(4), "{\n    \"a\": [\n        1\n    ]\n}");
    }

    #[test]
    fn a_member_that_is_there_twice_is_found_wherever_it_stands() {
        let way = |text| RawJson::parse(text).unwrap().repeated();
        assert_eq!(way(r#"{"a":1,"b":[{"c":1},{"d":1,"d":2}]}"#).as_deref(), Some("b/1/d"));
        assert_eq!((way(r#"{"a":1,"a":1}"#).as_deref(), way(r#"{"a":{"a":1}}"#)), (Some("a"), None));
    }

    #[test]
    fn a_dotted_name_leads_into_it() {
        let exact = RawJson::parse(r#"{"data":{"cursor":"x","pages":3}}"#).unwrap();
        assert_eq!(exact.at("data.cursor").and_then(RawJson::as_text).as_deref(), Some("x"));
        assert_eq!(exact.at("data.pages").and_then(RawJson::as_text).as_deref(), Some("3"));
        assert_eq!((exact.at(""), exact.at("data.none")), (Some(&exact), None));
    }

    #[test]
    fn a_secret_is_replaced_wherever_it_stands() {
        let mut exact = RawJson::parse(r#"[{"secret":"MARKER","deep":{"secret":"MARKER"}},{"secret":null}]"#).unwrap();
        exact.redact(&["secret".to_owned()], "[redacted]");
        assert_eq!(exact.compact(), r#"[{"secret":"[redacted]","deep":{"secret":"[redacted]"}},{"secret":null}]"#);
    }
}
