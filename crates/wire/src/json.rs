//! JSON text read in one pass, for messages that come by the thousand.
//!
//! `serde_json` says where a text is wrong and why, and reads from anything. A message of a stream is short and valid, and most of what it
//! costs is the reading. The reader accepts nothing that `serde_json` refuses and reads nothing differently. It reports no detail of an
//! error: [`from_str`] then reads the text again with `serde_json` to get it.

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
struct NotHandled;

impl fmt::Display for NotHandled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not read")
    }
}

impl std::error::Error for NotHandled {}

impl serde::de::Error for NotHandled {
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
    /// The next byte that is not whitespace.
    #[inline]
    fn peek(&mut self) -> Result<u8, NotHandled> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(NotHandled),
            }
        }
    }

    fn is_at_end(&mut self) -> bool {
        self.peek().is_err()
    }

    #[inline]
    fn since(&self, start: usize) -> Result<&'de str, NotHandled> {
        self.text.get(start..self.at).ok_or(NotHandled)
    }

    /// Skips the string that begins here, and says whether it has an escape.
    #[inline]
    fn skip_string(&mut self) -> Result<bool, NotHandled> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        let mut has_escape = false;
        loop {
            // Eight bytes at a time, until one of them is a quote, a backslash or a control character.
            while let Some(eight) = bytes.get(at..at + 8) {
                let eight = u64::from_le_bytes(eight.try_into().map_err(|_| NotHandled)?);
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
                Some(0..=0x1f) | None => return Err(NotHandled),
                Some(_) => at += 1,
            }
        }
    }

    /// Skips the string that begins here, whose text is not wanted.
    #[inline]
    fn skip_text(&mut self) -> Result<(), NotHandled> {
        let start = self.at;
        if self.skip_string()? {
            serde_json::from_str::<IgnoredAny>(self.since(start)?).map_err(|_| NotHandled)?;
        }
        Ok(())
    }

    /// The text of the string that begins here.
    #[inline]
    fn string(&mut self) -> Result<Cow<'de, str>, NotHandled> {
        let start = self.at;
        if self.skip_string()? {
            return serde_json::from_str(self.since(start)?).map(Cow::Owned).map_err(|_| NotHandled);
        }
        self.text.get(start + 1..self.at - 1).map(Cow::Borrowed).ok_or(NotHandled)
    }

    fn skip_digits(&mut self) -> Result<(), NotHandled> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(NotHandled) } else { Ok(()) }
    }

    fn next_is(&self, bytes: [u8; 2]) -> bool {
        self.text.as_bytes().get(self.at).is_some_and(|byte| bytes.contains(byte))
    }

    /// Skips the number that begins here, and says whether it is whole.
    fn skip_number(&mut self) -> Result<bool, NotHandled> {
        self.at += usize::from(self.next_is(*b"--"));
        if self.next_is(*b"00") {
            self.at += 1;
        } else {
            self.skip_digits()?;
        }
        let mut is_whole = true;
        if self.next_is(*b"..") {
            is_whole = false;
            self.at += 1;
            self.skip_digits()?;
        }
        if self.next_is(*b"eE") {
            is_whole = false;
            self.at += 1;
            self.at += usize::from(self.next_is(*b"+-"));
            self.skip_digits()?;
        }
        // A digit behind a zero is one too many.
        match self.text.as_bytes().get(self.at) {
            Some(b'0'..=b'9') => Err(NotHandled),
            _ => Ok(is_whole),
        }
    }

    fn skip_word(&mut self, word: &str) -> Result<(), NotHandled> {
        let end = self.at + word.len();
        if self.text.as_bytes().get(self.at..end) != Some(word.as_bytes()) {
            return Err(NotHandled);
        }
        self.at = end;
        Ok(())
    }

    /// Skips the value that begins here.
    fn skip(&mut self) -> Result<(), NotHandled> {
        match self.peek()? {
            b'"' => self.skip_text(),
            b'{' => self.skip_all(b'}', true),
            b'[' => self.skip_all(b']', false),
            b't' => self.skip_word("true"),
            b'f' => self.skip_word("false"),
            b'n' => self.skip_word("null"),
            _ => self.skip_number().map(drop),
        }
    }

    fn skip_all(&mut self, end: u8, has_names: bool) -> Result<(), NotHandled> {
        self.nested(|own| {
            if own.peek()? == end {
                own.at += 1;
                return Ok(());
            }
            loop {
                if has_names {
                    if own.peek()? != b'"' {
                        return Err(NotHandled);
                    }
                    own.skip_text()?;
                    own.colon()?;
                }
                own.skip()?;
                let next = own.peek()?;
                own.at += 1;
                match next {
                    b',' => {}
                    next if next == end => return Ok(()),
                    _ => return Err(NotHandled),
                }
            }
        })
    }

    #[inline]
    fn colon(&mut self) -> Result<(), NotHandled> {
        if self.peek()? != b':' {
            return Err(NotHandled);
        }
        self.at += 1;
        Ok(())
    }

    /// Skips the bracket that begins here, and reads what is inside it.
    #[inline]
    fn nested<T>(&mut self, does: impl FnOnce(&mut Self) -> Result<T, NotHandled>) -> Result<T, NotHandled> {
        if self.depth == DEEPEST {
            return Err(NotHandled);
        }
        self.depth += 1;
        self.at += 1;
        let done = does(self)?;
        self.depth -= 1;
        Ok(done)
    }

    #[inline]
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, NotHandled> {
        self.nested(|own| {
            let mut rest = Access { reader: own, state: State::First };
            let value = visitor.visit_map(&mut rest)?;
            if rest.state == State::Over { Ok(value) } else { Err(NotHandled) }
        })
    }

    fn list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, NotHandled> {
        self.nested(|own| {
            let mut rest = Access { reader: own, state: State::First };
            let value = visitor.visit_seq(&mut rest)?;
            // A visitor that knows how many there are does not ask for the end.
            if rest.state == State::Over || rest.next(b']')?.is_none() { Ok(value) } else { Err(NotHandled) }
        })
    }

    fn text_value<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, NotHandled> {
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, NotHandled> {
        let start = self.at;
        let is_whole = self.skip_number()?;
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
        visitor.visit_f64(serde_json::from_str(text).map_err(|_| NotHandled)?)
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
struct Access<'a, 'de> {
    reader: &'a mut Reader<'de>,
    state: State,
}

impl Access<'_, '_> {
    /// The first byte of what comes next; none at the end.
    #[inline]
    fn next(&mut self, end: u8) -> Result<Option<u8>, NotHandled> {
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
                return if byte == end { Err(NotHandled) } else { Ok(Some(byte)) };
            }
            State::More => return Err(NotHandled),
        }
        Ok(Some(byte))
    }
}

impl<'de> MapAccess<'de> for &mut Access<'_, 'de> {
    type Error = NotHandled;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NotHandled> {
        match self.next(b'}')? {
            None => return Ok(None),
            Some(b'"') => {}
            Some(_) => return Err(NotHandled),
        }
        let name = self.reader.string()?;
        self.reader.colon()?;
        seed.deserialize(Key(name)).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, NotHandled> {
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> SeqAccess<'de> for &mut Access<'_, 'de> {
    type Error = NotHandled;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, NotHandled> {
        match self.next(b']')? {
            None => Ok(None),
            Some(_) => seed.deserialize(&mut *self.reader).map(Some),
        }
    }
}

/// The name of a member.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = NotHandled;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotHandled> {
        match self.0 {
            Cow::Borrowed(name) => BorrowedStrDeserializer::new(name).deserialize_any(visitor),
            Cow::Owned(name) => StringDeserializer::new(name).deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, NotHandled> {
        visitor.visit_newtype_struct(self)
    }

    // Names that are numbers, or something else than themselves, are left to `serde_json`.
    fn deserialize_bool<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NotHandled> {
        Err(NotHandled)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NotHandled> {
        Err(NotHandled)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NotHandled> {
        Err(NotHandled)
    }

    fn deserialize_option<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NotHandled> {
        Err(NotHandled)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, NotHandled> {
        Err(NotHandled)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// A value by its text, as `serde_json` hands it out.
struct Raw<'de>(Option<&'de str>);

impl<'de> MapAccess<'de> for Raw<'de> {
    type Error = NotHandled;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NotHandled> {
        match self.0 {
            Some(_) => seed.deserialize(BorrowedStrDeserializer::new(RAW)).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, NotHandled> {
        seed.deserialize(BorrowedStrDeserializer::new(self.0.take().ok_or(NotHandled)?))
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = NotHandled;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotHandled> {
        match self.peek()? {
            b'"' => self.text_value(visitor),
            b'{' => self.object(visitor),
            b'[' => self.list(visitor),
            b't' => {
                self.skip_word("true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.skip_word("false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                self.skip_word("null")?;
                visitor.visit_unit()
            }
            _ => self.number(visitor),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotHandled> {
        match self.peek()? {
            b'n' => {
                self.skip_word("null")?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, NotHandled> {
        if name != RAW {
            return visitor.visit_newtype_struct(self);
        }
        self.peek()?;
        let start = self.at;
        self.skip()?;
        visitor.visit_map(Raw(Some(self.since(start)?)))
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotHandled> {
        match self.peek()? {
            b'"' => self.text_value(visitor),
            _ => Err(NotHandled),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotHandled> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotHandled> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotHandled> {
        match self.peek()? {
            b'{' => self.object(visitor),
            _ => Err(NotHandled),
        }
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotHandled> {
        match self.peek()? {
            b'[' => self.list(visitor),
            _ => Err(NotHandled),
        }
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotHandled> {
        self.skip()?;
        visitor.visit_unit()
    }

    // What is read in ways of its own there, and hardly ever in messages.
    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NotHandled> {
        Err(NotHandled)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NotHandled> {
        Err(NotHandled)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NotHandled> {
        Err(NotHandled)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NotHandled> {
        Err(NotHandled)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, NotHandled> {
        Err(NotHandled)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char unit unit_struct tuple tuple_struct struct
    }
}

#[cfg(test)]
mod tests;
