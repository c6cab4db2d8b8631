//! One parameter of a query, written where it is sent from.

use std::fmt::{self, Display};

use serde::ser::{Impossible, Serialize, SerializeSeq, Serializer};
use url::form_urlencoded::byte_serialize;

/// Which parameters of a query are texts, in the order in which they are written: the query itself no longer shows it.
#[derive(Clone, Copy, Default)]
pub(super) struct Texts {
    bits: u128,
    count: u32,
}

impl Texts {
    fn push(&mut self, is_text: bool) {
        self.bits |= u128::from(is_text).checked_shl(self.count).unwrap_or_default();
        self.count = self.count.saturating_add(1);
    }

    /// Whether the parameter at this place was written from a text. Of what was written otherwise nothing is known.
    pub(super) fn get(self, index: usize) -> Option<bool> {
        let index = u32::try_from(index).ok().filter(|index| *index < self.count)?;
        Some(self.bits.checked_shr(index)? & 1 == 1)
    }
}

/// Appends a parameter to a target: each item of a list for itself.
pub(super) struct Query<'a> {
    pub(super) target: &'a mut String,
    pub(super) has_query: &'a mut bool,
    pub(super) texts: &'a mut Texts,
    pub(super) name: &'a str,
}

impl Query<'_> {
    pub(super) fn push(&mut self, value: &str, is_text: bool) {
        self.texts.push(is_text);
        self.target.push(if std::mem::replace(self.has_query, true) { '&' } else { '?' });
        push_form(self.target, self.name);
        self.target.push('=');
        push_form(self.target, value);
    }
}

/// The bytes that a form has as they are.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_');
        byte += 1;
    }
    plain
};

/// A text as a form has it. Most are written as they are, at once.
fn push_form(target: &mut String, text: &str) {
    match text.bytes().all(|byte| PLAIN[usize::from(byte)]) {
        true => target.push_str(text),
        false => target.extend(byte_serialize(text.as_bytes())),
    }
}

/// What a query cannot hold.
#[derive(Debug)]
pub(super) struct NoText(String);

impl Display for NoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoText {}

impl serde::ser::Error for NoText {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

fn nested<T>() -> Result<T, NoText> {
    Err(NoText("a query takes texts, numbers and lists of these".to_owned()))
}

macro_rules! texts {
    ($($method:ident($kind:ty)),*) => {
        $(fn $method(self, value: $kind) -> Result<(), NoText> {
            self.push(&value.to_string(), false);
            Ok(())
        })*
    };
}

impl<'q, 'a> Serializer for &'q mut Query<'a> {
    type Ok = ();
    type Error = NoText;
    type SerializeSeq = Items<'q, 'a>;
    type SerializeTuple = Impossible<(), NoText>;
    type SerializeTupleStruct = Impossible<(), NoText>;
    type SerializeTupleVariant = Impossible<(), NoText>;
    type SerializeMap = Impossible<(), NoText>;
    type SerializeStruct = Impossible<(), NoText>;
    type SerializeStructVariant = Impossible<(), NoText>;

    texts!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64)
    );

    fn serialize_char(self, value: char) -> Result<(), NoText> {
        self.push(value.encode_utf8(&mut [0; 4]), true);
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), NoText> {
        self.push(value, true);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), NoText> {
        nested()
    }

    fn serialize_none(self) -> Result<(), NoText> {
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), NoText> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NoText> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoText> {
        nested()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), NoText> {
        self.push(variant, true);
        Ok(())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), NoText> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NoText> {
        nested()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'q, 'a>, NoText> {
        Ok(Items(self))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NoText> {
        nested()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, NoText> {
        nested()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NoText> {
        nested()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, NoText> {
        nested()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, NoText> {
        nested()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NoText> {
        nested()
    }
}

pub(super) struct Items<'q, 'a>(&'q mut Query<'a>);

impl SerializeSeq for Items<'_, '_> {
    type Ok = ();
    type Error = NoText;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), NoText> {
        value.serialize(&mut *self.0)
    }

    fn end(self) -> Result<(), NoText> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T: Serialize>(name: &str, values: &[T]) -> String {
        let (mut target, mut has_query, mut texts) = ("/x".to_owned(), false, Texts::default());
        for value in values {
            let mut query = Query { target: &mut target, has_query: &mut has_query, texts: &mut texts, name };
            value.serialize(&mut query).unwrap();
        }
        target
    }

    #[test]
    fn it_is_remembered_which_values_are_texts() {
        let (mut target, mut has_query, mut texts) = (String::new(), false, Texts::default());
        macro_rules! write {
            ($($value:expr),*) => {$(
                let mut query = Query { target: &mut target, has_query: &mut has_query, texts: &mut texts, name: "a" };
                $value.serialize(&mut query).unwrap();
            )*};
        }
        write!("1", 1, vec!["x", "y"], None::<&str>, true);
        let (text, other) = (Some(true), Some(false));
        let read: Vec<_> = (0..6).map(|index| texts.get(index)).collect();
        assert_eq!(read, [text, other, text, text, other, None]);
        for _ in 0..200 {
            texts.push(true);
        }
        assert_eq!((texts.get(127), texts.get(128)), (text, None), "as far as there is room");
    }

    #[test]
    fn a_parameter_is_written_as_a_form_has_it() {
        assert_eq!(written("a", &["b c&d/ü"]), "/x?a=b+c%26d%2F%C3%BC");
        assert_eq!(written("a", &[Some(1), None, Some(-2)]), "/x?a=1&a=-2");
        assert_eq!(written("ids[]", &[vec!["1", "2"]]), "/x?ids%5B%5D=1&ids%5B%5D=2");
        assert_eq!(written::<Vec<bool>>("a", &[vec![]]), "/x");
        assert_eq!(written("a", &[true]), "/x?a=true");
    }

    #[test]
    fn what_is_written_at_once_is_what_a_form_has() {
        for byte in 0..=127_u8 {
            let text = char::from(byte).to_string();
            let mut target = String::new();
            push_form(&mut target, &text);
            assert_eq!(target, byte_serialize(text.as_bytes()).collect::<String>(), "{byte}");
        }
    }

    #[test]
    fn an_object_is_refused() {
        let (mut target, mut has_query, mut texts) = (String::new(), false, Texts::default());
        let mut query = Query { target: &mut target, has_query: &mut has_query, texts: &mut texts, name: "a" };
        assert!(serde_json::json!({"b": 1}).serialize(&mut query).is_err());
        assert!(target.is_empty());
    }
}
