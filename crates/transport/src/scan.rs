//! JSON read as far as routing needs it: where members stand, without making values of them.
//!
//! A text is looked at once, from the left, without recursion. What it finds is as right as the text: one that is not JSON gives
//! nothing or a range that a typed reader refuses later; never a panic, never anything outside of the text.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

/// So many bytes are looked at one by one before a search begins.
const NEAR: usize = 32;

/// The deepest nesting of one kind of bracket that is walked over.
const DEEPEST: u32 = 128;

/// The members of the object that `text` begins with, in order: the name as it is written between its quotes, and where its value
/// is. Ends at the end of the object, or where the text is not JSON ([`Members::is_whole`]).
pub struct Members<'a> {
    text: &'a [u8],
    at: usize,
    state: State,
    /// How many objects end with the text where this one does: it, and those around it.
    ends: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    More,
    Whole,
    Broken,
}

impl<'a> Members<'a> {
    /// Those of the object that begins at `at`, whitespace aside.
    pub fn of(text: &'a [u8], at: usize) -> Self {
        Self::inside(text, at, 0)
    }

    /// The same for an object that is inside of so many others.
    pub fn inside(text: &'a [u8], at: usize, others: usize) -> Self {
        let at = skip_whitespace(text, at);
        let state = if text.get(at) == Some(&b'{') { State::First } else { State::Broken };
        Self { text, at: at + 1, state, ends: others + 1 }
    }

    /// Whether the end of the object was found. It is false before the last member was taken.
    pub fn is_whole(&self) -> bool {
        self.state == State::Whole
    }

    /// Where the object ends, when it [`is_whole`](Self::is_whole).
    pub fn end(&self) -> usize {
        self.at
    }

    /// The next name, as it is written between its quotes, and where its value begins. [`pass`](Self::pass) goes on behind the value.
    pub fn name(&mut self) -> Option<(&'a [u8], usize)> {
        let is_first = match self.state {
            State::First => true,
            State::More => false,
            State::Whole | State::Broken => return None,
        };
        self.state = State::Broken;
        let mut at = skip_whitespace(self.text, self.at);
        match self.text.get(at)? {
            b'}' => {
                self.at = at + 1;
                self.state = State::Whole;
                return None;
            }
            b',' if !is_first => at = skip_whitespace(self.text, at + 1),
            _ if is_first => {}
            _ => return None,
        }
        if self.text.get(at) != Some(&b'"') {
            return None;
        }
        let end = string_end(self.text, at)?;
        let name = &self.text[at + 1..end - 1];
        let colon = skip_whitespace(self.text, end);
        if self.text.get(colon) != Some(&b':') {
            return None;
        }
        Some((name, skip_whitespace(self.text, colon + 1)))
    }

    /// Goes on behind the value that begins at `start`, and says where it ends.
    pub fn pass(&mut self, start: usize) -> Option<usize> {
        let end = behind(self.text, start, self.ends)?;
        self.at = end;
        self.state = State::More;
        Some(end)
    }
}

/// Behind the value that begins at `start`, where so many objects around it end with the text.
pub fn behind(text: &[u8], start: usize, objects: usize) -> Option<usize> {
    flat_end(text, start, objects).or_else(|| value_end(text, start))
}

/// Behind an object that is the last value of the text, and has no other brace in it, found by one search. Most data is of this kind, and
/// the code that reads it as its type looks at each of its bytes.
fn flat_end(text: &[u8], start: usize, objects: usize) -> Option<usize> {
    if text.get(start) != Some(&b'{') {
        return None;
    }
    let close = start + 1 + memchr2(b'{', b'}', &text[start + 1..])?;
    let mut at = close;
    for _ in 0..=objects {
        if text.get(at) != Some(&b'}') {
            return None;
        }
        at = skip_whitespace(text, at + 1);
    }
    (at == text.len()).then_some(close + 1)
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, start) = self.name()?;
        let end = self.pass(start)?;
        Some((name, start..end))
    }
}

/// The elements of the array that begins at `at`, whitespace aside. Ends at its end, or where the text is not JSON.
pub struct Elements<'a> {
    text: &'a [u8],
    at: usize,
    state: State,
}

impl<'a> Elements<'a> {
    pub fn of(text: &'a [u8], at: usize) -> Self {
        let at = skip_whitespace(text, at);
        let state = if text.get(at) == Some(&b'[') { State::First } else { State::Broken };
        Self { text, at: at + 1, state }
    }

    /// Whether the array's end was found.
    pub fn is_whole(&self) -> bool {
        self.state == State::Whole
    }
}

impl Iterator for Elements<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_first = match self.state {
            State::First => true,
            State::More => false,
            State::Whole | State::Broken => return None,
        };
        self.state = State::Broken;
        let mut start = skip_whitespace(self.text, self.at);
        match self.text.get(start)? {
            b']' => {
                self.at = start + 1;
                self.state = State::Whole;
                return None;
            }
            b',' if !is_first => start = skip_whitespace(self.text, start + 1),
            _ if is_first => {}
            _ => return None,
        }
        let end = value_end(self.text, start)?;
        self.at = end;
        self.state = State::More;
        Some(start..end)
    }
}

/// The value at a JSON pointer into the value that begins with `text`. The empty pointer is the whole value.
pub fn at(text: &[u8], pointer: &str) -> Option<Range<usize>> {
    let mut range = skip_whitespace(text, 0)..text.len();
    if pointer.is_empty() {
        return Some(range);
    }
    for step in pointer.strip_prefix('/')?.split('/') {
        let step: Cow<'_, str> =
            if step.contains('~') { step.replace("~1", "/").replace("~0", "~").into() } else { step.into() };
        range = match text.get(range.start)? {
            b'{' => Members::of(text, range.start).find(|(name, _)| is_name(name, &step)).map(|(_, value)| value)?,
            b'[' => Elements::of(text, range.start).nth(step.parse().ok()?)?,
            _ => return None,
        };
    }
    Some(range)
}

/// Whether a name has an escape, as it is written between its quotes.
pub fn has_escape(written: &[u8]) -> bool {
    written.contains(&b'\\')
}

/// Whether a name, as it is written between its quotes, is this one.
pub fn is_name(written: &[u8], name: &str) -> bool {
    match has_escape(written) {
        false => written == name.as_bytes(),
        true => unescaped(written).is_some_and(|own| own == name),
    }
}

/// The text of a string token, or a number or word as it is written; none for objects, arrays, null, and what is not JSON.
pub fn text(token: &[u8]) -> Option<Cow<'_, str>> {
    match token.first()? {
        b'"' => {
            let inner = token.get(1..token.len().checked_sub(1)?)?;
            match memchr::memchr(b'\\', inner) {
                None => std::str::from_utf8(inner).ok().map(Cow::Borrowed),
                Some(_) => unescaped(inner).map(Cow::Owned),
            }
        }
        b'{' | b'[' | b'n' => None,
        _ => std::str::from_utf8(token).ok().map(Cow::Borrowed),
    }
}

/// A whole number, written as a number or as a text.
pub fn integer(token: &[u8]) -> Option<i64> {
    let digits = match token {
        [b'"', inner @ .., b'"'] => inner,
        all => all,
    };
    // Up to 18 digits cannot be too many.
    if matches!(digits.len(), 1..=18)
        && let Some(number) = digits.iter().try_fold(0, |number, digit| match digit.wrapping_sub(b'0') {
            digit @ 0..=9 => Some(number * 10 + i64::from(digit)),
            _ => None,
        })
    {
        return Some(number);
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The text that is written between quotes in this way.
pub fn unescaped(inner: &[u8]) -> Option<String> {
    let mut quoted = Vec::with_capacity(inner.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(inner);
    quoted.push(b'"');
    serde_json::from_slice(&quoted).ok()
}

/// The first place from `at` on that is no whitespace.
pub fn skip_whitespace(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// Behind the closing quote of the string that begins at `at`.
fn string_end(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        // Most strings are short: to look at their bytes costs less than to begin a search.
        let near = text.len().min(at + NEAR);
        at = match seek(text.get(..near)?, at, |word| bytes(word, b'"') | bytes(word, b'\\'), is_end_or_escape) {
            Some(at) => at,
            None => near + memchr2(b'"', b'\\', &text[near..])?,
        };
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn is_end_or_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\')
}

/// The first byte from `at` on that is one of those which both functions find: in eight bytes at once, and in a byte.
fn seek(text: &[u8], mut at: usize, in_word: impl Fn(u64) -> u64, is_one: impl Fn(u8) -> bool) -> Option<usize> {
    while let Some(word) = text.get(at..)?.first_chunk() {
        let found = in_word(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = text.get(at..)?;
    rest.iter().position(|byte| is_one(*byte)).map(|more| at + more)
}

/// The highest bit of each byte that is this one; those above the lowest such byte may be wrong.
fn bytes(word: u64, byte: u8) -> u64 {
    const LOW: u64 = u64::MAX / 255;
    let differs = word ^ (LOW * u64::from(byte));
    differs.wrapping_sub(LOW) & !differs & (LOW << 7)
}

/// Behind the value that begins at `at`.
pub fn value_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => string_end(text, at),
        b'{' => plain_end(text, at, b'{', b'}').unwrap_or_else(|| nested_end(text, at)),
        b'[' => plain_end(text, at, b'[', b']').unwrap_or_else(|| nested_end(text, at)),
        b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
            let rest = &text[at..];
            let end = rest
                .iter()
                .position(|byte| (*byte <= b',' && *byte != b'+') || matches!(byte, b'}' | b']' | b':'))
                .unwrap_or(rest.len());
            Some(at + end)
        }
        _ => None,
    }
}

/// Behind the list or object that begins at `at`, where its strings have no escapes; then a bracket is outside of all strings if an even
/// number of quotes is in front of it. Brackets of the other kind are the typed reader's concern. The outer `None`: it is not to be found in
/// this way; the inner one: it has no end.
fn plain_end(text: &[u8], at: usize, open: u8, close: u8) -> Option<Option<usize>> {
    let rest = text.get(at..)?;
    let (mut depth, mut quotes, mut from) = (0_u32, 0, 0);
    for bracket in memchr::memchr2_iter(open, close, rest) {
        let between = &rest[from..bracket];
        if memchr::memchr(b'\\', between).is_some() {
            return None;
        }
        quotes += memchr::memchr_iter(b'"', between).count();
        from = bracket;
        if quotes % 2 == 1 {
            continue;
        }
        if rest[bracket] == open {
            depth += 1;
            if depth > DEEPEST {
                return Some(None);
            }
        } else {
            depth -= 1;
            if depth == 0 {
                return Some(Some(at + bracket + 1));
            }
        }
    }
    Some(None)
}

/// The same for any text: strings are skipped as wholes, so that what remains are brackets. Both kinds are counted together: which one closes
/// which is the typed reader's concern.
fn nested_end(text: &[u8], at: usize) -> Option<usize> {
    let mut depth = 1_u32;
    let mut at = at + 1;
    while depth > 0 {
        at = seek(text, at, marks, is_mark)?;
        match text[at] {
            b'"' => at = string_end(text, at)?,
            b'{' | b'[' => {
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
                at += 1;
            }
            _ => {
                depth -= 1;
                at += 1;
            }
        }
    }
    Some(at)
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')
}

/// The same in eight bytes, as [`bytes`] finds them. Brackets differ from braces in one bit.
fn marks(word: u64) -> u64 {
    const BIT: u64 = u64::from_le_bytes([b'{' ^ b'['; 8]);
    bytes(word, b'"') | bytes(word | BIT, b'{') | bytes(word | BIT, b'}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn pointed(text: &str, pointer: &str) -> Option<String> {
        at(text.as_bytes(), pointer).map(|range| text[range].trim_end().to_owned())
    }

    #[test]
    fn finds_members_by_their_names_as_json_means_them() {
        let text = r#" { "a" : {"b\"}":[1,{"c":"x\\"}]} , "\u0064":-1.5e3 ,"e~/":null } "#;
        assert_eq!(pointed(text, "/a/b\"}/1/c").as_deref(), Some(r#""x\\""#));
        assert_eq!(pointed(text, "/d").as_deref(), Some("-1.5e3"));
        assert_eq!(pointed(text, "/e~0~1").as_deref(), Some("null"));
        assert_eq!(pointed(text, "/a/b\"}/2"), None);
        assert_eq!(pointed(text, "/x"), None);
        assert_eq!(super::text(br#""x\\""#).as_deref(), Some("x\\"));
        assert_eq!(super::text(b"null"), None);
        assert_eq!(integer(b"\"17\""), Some(17));
        assert_eq!(integer(b"1.0"), None);
        for number in [0, 7, 999_999_999_999_999_999, 1_000_000_000_000_000_000, i64::MAX, i64::MIN, -1] {
            assert_eq!(integer(number.to_string().as_bytes()), Some(number));
        }
        assert_eq!((integer(b""), integer(b"9223372036854775808"), integer(b"+7")), (None, None, Some(7)));
    }

    #[test]
    fn an_object_that_does_not_end_is_not_whole() {
        for text in ["", "{", r#"{"a":1"#, r#"{"a":1,"#, r#"{"a":[1}"#, r#"{"a" 1}"#, "[1]", r#"{"a":"x}"#] {
            let mut members = Members::of(text.as_bytes(), 0);
            while members.next().is_some() {}
            assert!(!members.is_whole(), "{text}");
        }
        let mut members = Members::of(b" {} ", 0);
        assert!(members.next().is_none() && members.is_whole() && members.end() == 3);
    }

    #[test]
    fn the_last_object_is_found_by_its_end_where_that_is_certain() {
        let data = |text: &str, others: usize| {
            let start = text.find(r#"{"a"#).unwrap();
            flat_end(text.as_bytes(), start, others + 1).map(|end| text[start..end].to_owned())
        };
        for (text, others, is_flat) in [
            (r#"{"d":{"a":[1,2]}}"#, 0, true),
            (r#"{"d": {"a":"x"} } "#, 0, true),
            (r#"{"p":{"d":{"a":1}}}"#, 1, true),
            (r#"{"p":{"d":{"a":1}}}"#, 0, false),
            (r#"{"d":{"a":1},"e":2}"#, 0, false),
            (r#"{"d":{"a":{}}}"#, 0, false),
            (r#"{"d":{"a":{}}"#, 0, false),
            (r#"{"d":{"a":"}"}}"#, 0, false),
            (r#"{"d":{"a":1}}{"d":{"a":1}}"#, 0, false),
            (r#"{"d":{"a":1}"#, 0, false),
        ] {
            assert_eq!(data(text, others).is_some(), is_flat, "{text}");
        }
        assert_eq!(pointed(r#"{"d":{"a":"}"},"e":{"x":1}}"#, "/e").as_deref(), Some(r#"{"x":1}"#));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(value_end(deep.as_bytes(), 0), None);
    }

    proptest! {
        #[test]
        fn eight_bytes_at_once_are_found_like_one(text in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'{'), Just(b'~')], 0..40), at in 0_usize..44) {
            let one_by_one = |is: fn(u8) -> bool| (at..text.len()).find(|at| is(text[*at]));
            prop_assert_eq!(seek(&text, at, marks, is_mark), one_by_one(is_mark));
            let in_word = |word| bytes(word, b'"') | bytes(word, b'\\');
            prop_assert_eq!(seek(&text, at, in_word, is_end_or_escape), one_by_one(is_end_or_escape));
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(json!("\"\\}{][,")),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"\\\\~/]{1,3}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Every pointer into a value, and what is there.
    fn pointers(value: &Value, path: String, found: &mut Vec<(String, Value)>) {
        found.push((path.clone(), value.clone()));
        match value {
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    pointers(value, format!("{path}/{index}"), found);
                }
            }
            Value::Object(map) => {
                for (name, value) in map {
                    pointers(value, format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_whole_reader(value in any_json(), is_pretty: bool) {
            let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let mut found = Vec::new();
            pointers(&value, String::new(), &mut found);
            for (pointer, value) in found {
                let range = at(text.as_bytes(), &pointer).expect("there is a value");
                prop_assert_eq!(serde_json::from_str::<Value>(&text[range]).unwrap(), value);
            }
        }

        #[test]
        fn never_leaves_the_text(bytes in prop::collection::vec(prop_oneof![
            Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b'\\'), Just(b','), Just(b':'), any::<u8>()], 0..60)) {
            for (_, range) in Members::of(&bytes, 0) {
                prop_assert!(range.start < range.end && range.end <= bytes.len());
            }
            for range in Elements::of(&bytes, 0) {
                prop_assert!(range.start < range.end && range.end <= bytes.len());
            }
        }
    }
}
