//! What a response says that its type does not know.

use std::fmt::{self, Write};

use bytes::Bytes;
use serde::ser::{Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple};
use serde::{Serialize, Serializer};
use serde_ignored::Path;
use venuekit_wire::UnknownWord;
use venuekit_wire::lenient::{Lenient, vital};

/// Something in a response that its type does not know, by its JSON path, such as `markets[0].status`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unknown {
    /// A member that has no field. Its value is in the body only.
    Member {
        /// Where it is. `.` is the whole body.
        path: String,
    },
    /// A value that an enum does not name. The field holds it as [`Open::Unknown`](venuekit_wire::Open::Unknown).
    Value {
        /// Where it is. `.` is the whole body.
        path: String,
        /// What the venue wrote.
        value: String,
    },
}

impl Unknown {
    /// Where it is, as a JSON path such as `markets[0].status`. `.` is the whole body.
    pub fn path(&self) -> &str {
        match self {
            Self::Member { path } | Self::Value { path, .. } => path,
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member { path } => f.write_str(path),
            Self::Value { path, value } => write!(f, "{path}: {value:?}"),
        }
    }
}

/// What [`Unknown`]s are found in, when somebody asks.
#[doc(hidden)]
pub enum Unread {
    /// The body, and how it is read.
    Body(Bytes, fn(&[u8]) -> Vec<Unknown>),
    /// What was found already, because the body may hold a secret and is not kept.
    Found(Vec<Unknown>),
}

impl Unread {
    pub(crate) fn body(&self) -> Option<&Bytes> {
        match self {
            Self::Body(body, _) => Some(body),
            Self::Found(_) => None,
        }
    }

    pub(crate) fn new<T: for<'de> Lenient<'de> + Serialize>(body: &Bytes, secret: bool) -> Self {
        match secret {
            true => Self::Found(find::<T>(body)),
            false => Self::Body(body.clone(), find::<T>),
        }
    }

    pub(crate) fn unknown(&self) -> Vec<Unknown> {
        match self {
            Self::Body(body, find) => find(body),
            Self::Found(found) => found.clone(),
        }
    }
}

/// Reads the body once more. Members are found while they are skipped, values of enums in what was read.
fn find<T: for<'de> Lenient<'de> + Serialize>(body: &[u8]) -> Vec<Unknown> {
    if body.trim_ascii().is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut skipped = |path: Path<'_>| found.push(Unknown::Member { path: written(&path) });
    let mut json = serde_json::Deserializer::from_slice(body);
    match vital::<_, T>(serde_ignored::Deserializer::new(&mut json, &mut skipped)) {
        Ok(value) => {
            let mut search = Search { path: String::new(), found: &mut found };
            // What was read can be walked over; what the walk does not visit holds no enum.
            let _ = value.serialize(&mut search);
            found
        }
        // Only a response of which no body is expected is not read before.
        Err(_) => vec![Unknown::Member { path: ".".to_owned() }],
    }
}

fn written(path: &Path<'_>) -> String {
    fn write_to(path: &Path<'_>, text: &mut String) {
        match path {
            Path::Root => {}
            Path::Seq { parent, index } => {
                write_to(parent, text);
                push_index(text, *index);
            }
            Path::Map { parent, key } => {
                write_to(parent, text);
                push_name(text, key);
            }
            Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
                write_to(parent, text);
            }
        }
    }

    let mut text = String::new();
    write_to(path, &mut text);
    whole(text)
}

fn whole(path: String) -> String {
    if path.is_empty() { ".".to_owned() } else { path }
}

fn push_index(path: &mut String, index: usize) {
    let _ = write!(path, "[{index}]");
}

/// A name that is not plain is written as in `["a.b"]`.
fn push_name(path: &mut String, name: &str) {
    if name.is_empty() || name.contains(|c: char| !c.is_alphanumeric() && c != '_' && c != '-') {
        let _ = write!(path, "[{}]", serde_json::Value::from(name));
    } else {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    }
}

/// Walks over a value, and finds what [`Open`](venuekit_wire::Open) marks as unknown.
struct Search<'a> {
    path: String,
    found: &'a mut Vec<Unknown>,
}

impl Search<'_> {
    fn below<T: ?Sized + Serialize>(&mut self, step: impl FnOnce(&mut String), value: &T) -> fmt::Result {
        let length = self.path.len();
        step(&mut self.path);
        let result = value.serialize(&mut *self);
        self.path.truncate(length);
        result
    }
}

/// What has no parts.
macro_rules! nothing {
    ($($method:ident($($kind:ty)?)),*) => {
        $(fn $method(self $(, _: $kind)?) -> fmt::Result { Ok(()) })*
    };
}

impl<'s, 'a> Serializer for &'s mut Search<'a> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Items<'s, 'a>;
    type SerializeTuple = Items<'s, 'a>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeMap = Members<'s, 'a>;
    type SerializeStruct = Members<'s, 'a>;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    nothing!(
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
        serialize_f64(f64),
        serialize_char(char),
        serialize_bytes(&[u8]),
        serialize_none(),
        serialize_unit(),
        serialize_unit_struct(&'static str)
    );

    fn serialize_str(self, _: &str) -> fmt::Result {
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> fmt::Result {
        Ok(())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn collect_str<T: ?Sized + fmt::Display>(self, value: &T) -> fmt::Result {
        if UnknownWord::is::<T>() {
            self.found.push(Unknown::Value { path: whole(self.path.clone()), value: value.to_string() });
        }
        Ok(())
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> fmt::Result {
        self.below(|path| push_name(path, variant), value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'s, 'a>, fmt::Error> {
        Ok(Items { search: self, index: 0 })
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'s, 'a>, fmt::Error> {
        Ok(Items { search: self, index: 0 })
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'s, 'a>, fmt::Error> {
        Ok(Members { search: self, name: String::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'s, 'a>, fmt::Error> {
        Ok(Members { search: self, name: String::new() })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, fmt::Error> {
        Err(fmt::Error)
    }
}

/// The elements of a list.
struct Items<'s, 'a> {
    search: &'s mut Search<'a>,
    index: usize,
}

impl Items<'_, '_> {
    fn item<T: ?Sized + Serialize>(&mut self, value: &T) -> fmt::Result {
        let index = self.index;
        self.index += 1;
        self.search.below(|path| push_index(path, index), value)
    }
}

impl SerializeSeq for Items<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> fmt::Result {
        self.item(value)
    }

    fn end(self) -> fmt::Result {
        Ok(())
    }
}

impl SerializeTuple for Items<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> fmt::Result {
        self.item(value)
    }

    fn end(self) -> fmt::Result {
        Ok(())
    }
}

/// The members of an object.
struct Members<'s, 'a> {
    search: &'s mut Search<'a>,
    /// The entry whose value is next.
    name: String,
}

impl SerializeMap for Members<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> fmt::Result {
        let key = serde_json::to_value(key).map_err(|_| fmt::Error)?;
        self.name = key.as_str().map_or_else(|| key.to_string(), ToOwned::to_owned);
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> fmt::Result {
        let name = std::mem::take(&mut self.name);
        self.search.below(|path| push_name(path, &name), value)
    }

    fn end(self) -> fmt::Result {
        Ok(())
    }
}

impl SerializeStruct for Members<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> fmt::Result {
        self.search.below(|path| push_name(path, name), value)
    }

    fn end(self) -> fmt::Result {
        Ok(())
    }
}
