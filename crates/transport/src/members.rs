//! The members of a JSON object, found by their names as JSON means them and not as they are written.
//!
//! A name may be written with escapes, a member may come twice, and a number may be larger than any type holds: what a body says
//! must not depend on that. Values are handed out as their own text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in the order in which they are written.
pub(crate) struct Members<'a>(Vec<(Name<'a>, &'a RawValue)>);

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Members<'a> {
    /// Reads an object; none where the text is anything else.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The member of this name. Of several the last one, as most readers have it.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.all(name).next_back()
    }

    /// Every member of this name.
    pub(crate) fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &'a RawValue> {
        self.0.iter().filter(move |(own, _)| own.0 == name).map(|(_, value)| *value)
    }

    /// Every member, in the order in which they are written.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&*name.0, *value))
    }

    /// Every value at a JSON pointer that begins with a member: more than one where a name comes twice.
    pub(crate) fn at(&self, pointer: &str) -> Vec<&'a RawValue> {
        let Some((first, rest)) = first_step(pointer) else { return Vec::new() };
        let mut found = Vec::new();
        for value in self.all(&first) {
            find(value, rest, &mut found);
        }
        found
    }
}

/// The name that a JSON pointer begins with, and the pointer from there on.
fn first_step(pointer: &str) -> Option<(String, &str)> {
    let path = pointer.strip_prefix('/')?;
    let end = path.find('/').unwrap_or(path.len());
    Some((path[..end].replace("~1", "/").replace("~0", "~"), &path[end..]))
}

fn find<'a>(value: &'a RawValue, pointer: &str, found: &mut Vec<&'a RawValue>) {
    let Some((name, rest)) = first_step(pointer) else {
        found.push(value);
        return;
    };
    if let Some(members) = Members::of(value.get()) {
        members.all(&name).for_each(|value| find(value, rest, found));
    } else if let (Ok(index), Ok(items)) = (name.parse::<usize>(), serde_json::from_str::<Vec<&RawValue>>(value.get()))
        && let Some(item) = items.get(index)
    {
        find(item, rest, found);
    }
}

/// The text of a JSON string; none for any other value.
pub(crate) fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// Makes a JSON text that was cut off end as one: what is whole stays, what was cut goes, what is open is closed.
pub(crate) fn closed(cut: &str) -> String {
    let (mut open, mut in_string, mut escaped) = (Vec::new(), false, false);
    // Where the text may end. What is open there is open until the next such place.
    let mut end = 0;
    for (at, byte) in cut.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        end = match byte {
            b'"' => {
                in_string = true;
                end
            }
            b'{' | b'[' => {
                open.push(if byte == b'{' { '}' } else { ']' });
                at + 1
            }
            b'}' | b']' => {
                open.pop();
                at + 1
            }
            b',' => at,
            _ => end,
        };
    }
    let mut closed = cut[..end].to_owned();
    closed.extend(open.into_iter().rev());
    closed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_member_is_found_however_its_name_is_written_and_however_often_it_comes() {
        let text = r#"{"success":true,"\u0064":1e400,"succ\u0065ss":false,"a":{"b/~":[1,{"c":"\u0078"}]}}"#;
        let members = Members::of(text).unwrap();
        fn texts(values: Vec<&RawValue>) -> Vec<&str> {
            values.into_iter().map(RawValue::get).collect()
        }
        assert_eq!(texts(members.at("/success")), ["true", "false"]);
        assert_eq!(members.get("success").map(RawValue::get), Some("false"));
        assert_eq!(members.get("d").map(RawValue::get), Some("1e400"));
        assert_eq!(texts(members.at("/a/b~1~0/1/c")), [r#""\u0078""#]);
        assert_eq!(string(members.at("/a/b~1~0/1/c")[0]).as_deref(), Some("x"));
        for nowhere in ["", "/x", "/a/x", "/a/b~1~0/2", "/a/b~1~0/x", "/success/x"] {
            assert!(members.at(nowhere).is_empty(), "{nowhere}");
        }
        for other in ["", "[]", "null", "{", r#"{"a":}"#, r#"{"a":1} x"#, r#"{"\ud800":1}"#] {
            assert!(Members::of(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_cut_text_keeps_what_is_whole() {
        let close = |text: &str| closed(text);
        assert_eq!(close(r#"{"error":{"code":"x","message":"aaa"#), r#"{"error":{"code":"x"}}"#);
        assert_eq!(close(r#"{"a":[1,2,{"b":"},\""#), r#"{"a":[1,2,{}]}"#);
        assert_eq!(close(r#"{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(close("<html>"), "");
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z\"\\\\{}\\[\\],:é\n]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let name = "[a-c\"\\\\{},é]{0,3}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Whether everything in one value is in the other too.
    fn is_part(part: &Value, whole: &Value) -> bool {
        match (part, whole) {
            (Value::Object(part), Value::Object(whole)) => {
                part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| is_part(part, whole)))
            }
            (Value::Array(part), Value::Array(whole)) => {
                part.len() <= whole.len() && part.iter().zip(whole).all(|(part, whole)| is_part(part, whole))
            }
            (part, whole) => part == whole,
        }
    }

    proptest! {
        #[test]
        fn wherever_a_text_is_cut_it_is_json_and_says_nothing_else(value in json(), cut in any::<prop::sample::Index>()) {
            let whole = Value::from(vec![value]);
            let text = whole.to_string();
            let mut cut = cut.index(text.len()) + 1;
            while !text.is_char_boundary(cut) {
                cut += 1;
            }
            let closed: Value = serde_json::from_str(&closed(&text[..cut])).unwrap();
            prop_assert!(is_part(&closed, &whole), "{} of {}", closed, whole);
        }
    }
}
