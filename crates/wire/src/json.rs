//! JSON text read in one pass, for messages that come by the thousand.
//!
//! `serde_json` says where a text is wrong and why, and reads from anything. A message of a stream is a short text that is right, and most
//! of what it costs is the reading. [`Reader`] accepts nothing that `serde_json` refuses and reads nothing differently. Where it finds
//! something wrong it says nothing but that: [`from_str`] reads the text again then, with `serde_json`, for its error.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::lenient::{self, Lenient};
use crate::token::RAW;

/// The deepest nesting that is read here. `serde_json` refuses twice as much.
const DEEPEST: u8 = 64;

/// Reads a text.
///
/// # Errors
/// It is not JSON, or not what its type says.
pub fn from_str<'de, T: Lenient<'de>>(text: &'de str) -> serde_json::Result<T> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    match T::read(&mut reader) {
        Ok(Some(value)) if reader.is_at_end() => Ok(value),
        _ => checked(text),
    }
}

/// The same by `serde_json`, which says what is wrong.
#[cold]
#[inline(never)]
fn checked<'de, T: Lenient<'de>>(text: &'de str) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = lenient::vital(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Something is wrong, or is not read here.
#[derive(Debug)]
struct Unread;

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not read")
    }
}

impl std::error::Error for Unread {}

impl serde::de::Error for Unread {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A text, and how far it has been read.
struct Reader<'de> {
    text: &'de str,
    at: usize,
    depth: u8,
}

impl<'de> Reader<'de> {
    /// The next byte that is no blank.
    #[inline]
    fn peek(&mut self) -> Result<u8, Unread> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(Unread),
            }
        }
    }

    fn is_at_end(&mut self) -> bool {
        self.peek().is_err()
    }

    #[inline]
    fn since(&self, start: usize) -> Result<&'de str, Unread> {
        self.text.get(start..self.at).ok_or(Unread)
    }

    /// Goes behind the string that begins here, and says whether it has an escape.
    #[inline]
    fn pass_string(&mut self) -> Result<bool, Unread> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        let mut has_escape = false;
        loop {
            // Eight at a time, as long as none of them ends a string, begins an escape, or may not stand in a string.
            while let Some(eight) = bytes.get(at..at + 8) {
                let eight = u64::from_le_bytes(eight.try_into().map_err(|_| Unread)?);
                let found = special(eight);
                if found != 0 {
                    at += (found.trailing_zeros() / 8) as usize;
                    break;
                }
                at += 8;
            }
            match bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(has_escape);
                }
                Some(b'\\') => {
                    has_escape = true;
                    at += 2;
                }
                Some(0..=0x1f) | None => return Err(Unread),
                Some(_) => at += 1,
            }
        }
    }

    /// Goes behind the string that begins here, whose text is not wanted.
    #[inline]
    fn pass_text(&mut self) -> Result<(), Unread> {
        let start = self.at;
        if self.pass_string()? {
            serde_json::from_str::<IgnoredAny>(self.since(start)?).map_err(|_| Unread)?;
        }
        Ok(())
    }

    /// The text of the string that begins here.
    #[inline]
    fn string(&mut self) -> Result<Cow<'de, str>, Unread> {
        let start = self.at;
        if self.pass_string()? {
            return serde_json::from_str(self.since(start)?).map(Cow::Owned).map_err(|_| Unread);
        }
        self.text.get(start + 1..self.at - 1).map(Cow::Borrowed).ok_or(Unread)
    }

    fn pass_digits(&mut self) -> Result<(), Unread> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(Unread) } else { Ok(()) }
    }

    fn next_is(&self, bytes: [u8; 2]) -> bool {
        self.text.as_bytes().get(self.at).is_some_and(|byte| bytes.contains(byte))
    }

    /// Goes behind the number that begins here, and says whether it is whole.
    fn pass_number(&mut self) -> Result<bool, Unread> {
        self.at += usize::from(self.next_is(*b"--"));
        if self.next_is(*b"00") {
            self.at += 1;
        } else {
            self.pass_digits()?;
        }
        let mut is_whole = true;
        if self.next_is(*b"..") {
            is_whole = false;
            self.at += 1;
            self.pass_digits()?;
        }
        if self.next_is(*b"eE") {
            is_whole = false;
            self.at += 1;
            self.at += usize::from(self.next_is(*b"+-"));
            self.pass_digits()?;
        }
        // A digit behind a zero is one too many.
        match self.text.as_bytes().get(self.at) {
            Some(b'0'..=b'9') => Err(Unread),
            _ => Ok(is_whole),
        }
    }

    fn pass_word(&mut self, word: &str) -> Result<(), Unread> {
        let end = self.at + word.len();
        if self.text.as_bytes().get(self.at..end) != Some(word.as_bytes()) {
            return Err(Unread);
        }
        self.at = end;
        Ok(())
    }

    /// Goes behind the value that begins here.
    fn pass(&mut self) -> Result<(), Unread> {
        match self.peek()? {
            b'"' => self.pass_text(),
            b'{' => self.pass_all(b'}', true),
            b'[' => self.pass_all(b']', false),
            b't' => self.pass_word("true"),
            b'f' => self.pass_word("false"),
            b'n' => self.pass_word("null"),
            _ => self.pass_number().map(drop),
        }
    }

    fn pass_all(&mut self, end: u8, has_names: bool) -> Result<(), Unread> {
        self.deeper(|own| {
            if own.peek()? == end {
                own.at += 1;
                return Ok(());
            }
            loop {
                if has_names {
                    if own.peek()? != b'"' {
                        return Err(Unread);
                    }
                    own.pass_text()?;
                    own.colon()?;
                }
                own.pass()?;
                let next = own.peek()?;
                own.at += 1;
                match next {
                    b',' => {}
                    next if next == end => return Ok(()),
                    _ => return Err(Unread),
                }
            }
        })
    }

    #[inline]
    fn colon(&mut self) -> Result<(), Unread> {
        if self.peek()? != b':' {
            return Err(Unread);
        }
        self.at += 1;
        Ok(())
    }

    /// Does something behind the bracket that begins here.
    #[inline]
    fn deeper<T>(&mut self, does: impl FnOnce(&mut Self) -> Result<T, Unread>) -> Result<T, Unread> {
        if self.depth == DEEPEST {
            return Err(Unread);
        }
        self.depth += 1;
        self.at += 1;
        let done = does(self)?;
        self.depth -= 1;
        Ok(done)
    }

    #[inline]
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unread> {
        self.deeper(|own| {
            let mut rest = Rest { reader: own, state: State::First };
            let value = visitor.visit_map(&mut rest)?;
            if rest.state == State::Over { Ok(value) } else { Err(Unread) }
        })
    }

    fn list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unread> {
        self.deeper(|own| {
            let mut rest = Rest { reader: own, state: State::First };
            let value = visitor.visit_seq(&mut rest)?;
            // A visitor that knows how many there are does not ask for the end.
            if rest.state == State::Over || rest.next(b']')?.is_none() { Ok(value) } else { Err(Unread) }
        })
    }

    fn text_value<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unread> {
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unread> {
        let start = self.at;
        let is_whole = self.pass_number()?;
        let text = self.since(start)?;
        match text.as_bytes() {
            // There is a negative zero among floats only.
            [b'-', b'0'] => {}
            [b'-', ..] if is_whole => {
                if let Ok(number) = text.parse() {
                    return visitor.visit_i64(number);
                }
            }
            _ if is_whole => {
                if let Ok(number) = text.parse() {
                    return visitor.visit_u64(number);
                }
            }
            _ => {}
        }
        // Its digits are those of `serde_json`, to the last one.
        visitor.visit_f64(serde_json::from_str(text).map_err(|_| Unread)?)
    }
}

/// In each byte that is a quote, a backslash or a control character, the highest bit; above the first of them there may be more.
#[inline]
fn special(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |byte: u64, limit: u64| byte.wrapping_sub(ONES * limit) & !byte & HIGH;
    let quote = below(eight ^ (ONES * u64::from(b'"')), 1);
    let backslash = below(eight ^ (ONES * u64::from(b'\\')), 1);
    quote | backslash | below(eight, 0x20)
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    First,
    More,
    Over,
}

/// What is left of an object or a list.
struct Rest<'a, 'de> {
    reader: &'a mut Reader<'de>,
    state: State,
}

impl Rest<'_, '_> {
    /// The first byte of what comes next; none at the end.
    #[inline]
    fn next(&mut self, end: u8) -> Result<Option<u8>, Unread> {
        let byte = self.reader.peek()?;
        match self.state {
            State::Over => return Ok(None),
            State::First | State::More if byte == end => {
                self.reader.at += 1;
                self.state = State::Over;
                return Ok(None);
            }
            State::First => self.state = State::More,
            State::More if byte == b',' => {
                self.reader.at += 1;
                let byte = self.reader.peek()?;
                return if byte == end { Err(Unread) } else { Ok(Some(byte)) };
            }
            State::More => return Err(Unread),
        }
        Ok(Some(byte))
    }
}

impl<'de> MapAccess<'de> for &mut Rest<'_, 'de> {
    type Error = Unread;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unread> {
        match self.next(b'}')? {
            None => return Ok(None),
            Some(b'"') => {}
            Some(_) => return Err(Unread),
        }
        let name = self.reader.string()?;
        self.reader.colon()?;
        seed.deserialize(Name(name)).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unread> {
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> SeqAccess<'de> for &mut Rest<'_, 'de> {
    type Error = Unread;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unread> {
        match self.next(b']')? {
            None => Ok(None),
            Some(_) => seed.deserialize(&mut *self.reader).map(Some),
        }
    }
}

/// The name of a member.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserializer<'de> for Name<'de> {
    type Error = Unread;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.0 {
            Cow::Borrowed(name) => BorrowedStrDeserializer::new(name).deserialize_any(visitor),
            Cow::Owned(name) => StringDeserializer::new(name).deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unread> {
        visitor.visit_newtype_struct(self)
    }

    // Names that are numbers, or something else than themselves, are left to `serde_json`.
    fn deserialize_bool<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    fn deserialize_option<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// A value by its text, as `serde_json` hands it out.
struct Raw<'de>(Option<&'de str>);

impl<'de> MapAccess<'de> for Raw<'de> {
    type Error = Unread;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unread> {
        match self.0 {
            Some(_) => seed.deserialize(BorrowedStrDeserializer::new(RAW)).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unread> {
        seed.deserialize(BorrowedStrDeserializer::new(self.0.take().ok_or(Unread)?))
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unread;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.peek()? {
            b'"' => self.text_value(visitor),
            b'{' => self.object(visitor),
            b'[' => self.list(visitor),
            b't' => {
                self.pass_word("true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.pass_word("false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                self.pass_word("null")?;
                visitor.visit_unit()
            }
            _ => self.number(visitor),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.peek()? {
            b'n' => {
                self.pass_word("null")?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Unread> {
        if name != RAW {
            return visitor.visit_newtype_struct(self);
        }
        self.peek()?;
        let start = self.at;
        self.pass()?;
        visitor.visit_map(Raw(Some(self.since(start)?)))
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.peek()? {
            b'"' => self.text_value(visitor),
            _ => Err(Unread),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.peek()? {
            b'{' => self.object(visitor),
            _ => Err(Unread),
        }
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.peek()? {
            b'[' => self.list(visitor),
            _ => Err(Unread),
        }
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unread> {
        self.pass()?;
        visitor.visit_unit()
    }

    // What is read in ways of its own there, and hardly ever in messages.
    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char unit unit_struct tuple tuple_struct struct
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::*;
    use crate::{Decimal, DecimalNumber, Open, UnixMillis};

    #[derive(Debug, Default, PartialEq)]
    struct Row {
        id: String,
        price: Option<Decimal>,
        size: Option<DecimalNumber>,
        at: Option<UnixMillis>,
        side: Option<Open<bool>>,
        is_on: Option<bool>,
        rate: Option<f64>,
        legs: Vec<Row>,
        levels: Vec<Vec<Decimal>>,
        totals: HashMap<String, i64>,
        more: Option<serde_json::Map<String, Value>>,
    }

    crate::object! { Row {
        id "id" plain, price "price" optional, size "size" optional, at "at" optional, side "side" optional, is_on "is_on" maybe,
        rate "rate" optional, legs "legs" list_or_none, levels "levels" list_or_none, totals "totals" list_or_none, more "more" optional,
    } }

    mod generated {
        use super::Row;

        crate::lenient_types! { objects { Row } others {} vital {} }
    }

    /// Whether the reader has read a text by itself, and what it is by both.
    fn read<T: for<'de> Lenient<'de> + PartialEq + fmt::Debug>(text: &str) -> bool {
        let mut reader = Reader { text, at: 0, depth: 0 };
        let own = T::read(&mut reader);
        let by_serde = checked::<T>(text);
        match own {
            Ok(Some(own)) if reader.is_at_end() => {
                assert_eq!(own, by_serde.unwrap_or_else(|error| panic!("{text:?} was read: {error}")), "{text:?}");
                true
            }
            _ => false,
        }
    }

    const FULL: &str = r#" { "id" : "a\u00e9\"", "price":"0.5600","size":1.50e1,"at":1790000000123,"side":"true", "is_on":true,"rate":-0.25,
        "legs":[{"id":"b"},{"id":"","price":null,"new":[{"x":[1,-2.5e-3,"y"]},{}, []]}],"levels":[["1","2"],[]],"totals":{"é":1,"z":-7},
        "more":{"a":[null,false,1e300,18446744073709551615,-9223372036854775808,1.0]} } "#;

    #[test]
    fn a_message_is_read_without_serde_json() {
        assert!(read::<Row>(FULL));
        assert!(read::<Value>(FULL));
        for text in [
            r#"{"id":"","price":" ","legs":null}"#,
            r#"{"id":"x","new":["\n",{"\t":""}]}"#,
            r#"{"id":"012345678901234567890123456789é"}"#,
        ] {
            assert!(read::<Row>(text), "{text}");
        }
        for text in ["null", "1", "-0", "\"\\n\"", "[[[]]]", r#"{"a":{"b":[]}}"#, "1e400"] {
            read::<Value>(text);
        }
    }

    #[test]
    fn what_is_wrong_is_left_to_serde_json() {
        for text in [
            "",
            " ",
            "{",
            "[1",
            "[1,]",
            "[,1]",
            "[1 2]",
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a" 1}"#,
            r#"{"a":1 "b":2}"#,
            "01",
            "-",
            "1.",
            ".5",
            "+1",
            "1e",
            "--1",
            "tru",
            "nul",
            "truex",
            "1 1",
            "\"a",
            "\"\\x\"",
            "\"\t\"",
            "\"\\ud800\"",
            "{1:2}",
            "{}}",
            "[]]",
            "'a'",
            "0x10",
            "1_0",
            "NaN",
            "-01",
            "00",
        ] {
            assert!(!read::<Value>(text), "{text}");
            assert!(from_str::<Value>(text).is_err(), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(!read::<Value>(&deep));
        assert!(from_str::<Value>(&deep).is_ok());
        let error = from_str::<Row>(r#"{"id":"","price":"x"}"#).unwrap_err().to_string();
        assert!(error.contains("expected a decimal number") && error.contains("line 1 column"), "{error}");
    }

    #[test]
    fn the_text_of_a_value_is_handed_out_as_it_is_written() {
        for text in [" 1.50 ", r#""a\u0020""#, "[1, {}]", "null", r#"{"a": [1]}"#] {
            let mut reader = Reader { text, at: 0, depth: 0 };
            let raw: &RawValue = serde::Deserialize::deserialize(&mut reader).unwrap();
            assert_eq!(raw.get(), text.trim());
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
            "[0-9]{1,3}(\\.[0-9]{1,4})?".prop_map(Value::from),
        ];
        let name = prop_oneof![
            Just("id"),
            Just("price"),
            Just("size"),
            Just("at"),
            Just("side"),
            Just("is_on"),
            Just("rate"),
            Just("legs"),
            Just("levels"),
            Just("totals"),
            Just("more"),
            Just("new"),
            Just("\"\n"),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_serde_json_reads_it(value in any_value(), at in any::<prop::sample::Index>(), other in "[\\[\\]{}\":,.0-9eE tn\\\\-]?") {
            let text = value.to_string();
            prop_assert!(read::<Value>(&text), "{}", text);
            read::<Row>(&text);
            // The same with a mistake, or with what looks like one.
            let mut at = at.index(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let next = text[at..].chars().next().map_or(0, char::len_utf8);
            for wrong in [format!("{}{other}{}", &text[..at], &text[at..]), format!("{}{other}{}", &text[..at], &text[at + next..])] {
                read::<Value>(&wrong);
                read::<Row>(&wrong);
            }
        }
    }
}
