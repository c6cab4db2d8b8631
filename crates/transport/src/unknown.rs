//! What a response says that its type does not know.

use std::fmt;

use bytes::Bytes;
use serde::ser::{Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use venuekit_wire::lenient::Lenient;
use venuekit_wire::{UnknownWord, json};

use crate::place::{push_index, push_name};

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
            true => Self::Found(unknown_of::<T>(body)),
            false => Self::Body(body.clone(), unknown_of::<T>),
        }
    }

    pub(crate) fn unknown(&self) -> Vec<Unknown> {
        match self {
            Self::Body(body, find) => find(body),
            Self::Found(found) => found.clone(),
        }
    }
}

/// What a text says that a type does not know: members that have no field, those of an outer object first, then values that an enum
/// does not name.
///
/// The text is read once more, and what was read is walked over beside it: the walk names the fields of each type.
pub fn unknown_of<T: for<'de> Lenient<'de> + Serialize>(body: &[u8]) -> Vec<Unknown> {
    find(body, walk_as::<T>).0
}

/// The same, and where null stands in place of a list or a map.
#[cfg(feature = "drift")]
pub(crate) fn examine<T: for<'de> Lenient<'de> + Serialize>(body: &[u8]) -> (Vec<Unknown>, Vec<String>) {
    find(body, walk_as::<T>)
}

fn walk_as<T: for<'de> Lenient<'de> + Serialize>(body: &[u8], search: &mut Search<'_>) -> bool {
    let value = json::from_slice::<T>(body);
    // What the walk does not visit has no fields.
    value.map(|value| _ = value.serialize(search)).is_ok()
}

/// The part that is the same for every type. `walk` says whether the body is one of its type.
fn find(body: &[u8], walk: fn(&[u8], &mut Search<'_>) -> bool) -> (Vec<Unknown>, Vec<String>) {
    if body.trim_ascii().is_empty() {
        return (Vec::new(), Vec::new());
    }
    let whole = || (vec![Unknown::Member { path: ".".to_owned() }], Vec::new());
    let Ok(said) = serde_json::from_slice::<Value>(body) else { return whole() };
    let mut search =
        Search { path: String::new(), said: Some(&said), members: Vec::new(), values: Vec::new(), nulls: Vec::new() };
    if !walk(body, &mut search) {
        // Only a response of which no body is expected is not read before.
        return whole();
    }
    let Search { mut members, values, nulls, .. } = search;
    members.extend(values);
    (members, nulls)
}

fn whole(path: String) -> String {
    if path.is_empty() { ".".to_owned() } else { path }
}

/// Walks over a value, and over the body that it was read from.
struct Search<'a> {
    path: String,
    /// What the body has in this place. None: nothing that the value would be read from.
    said: Option<&'a Value>,
    members: Vec<Unknown>,
    values: Vec<Unknown>,
    /// Where null stands in place of a list or a map.
    nulls: Vec<String>,
}

impl<'a> Search<'a> {
    fn below<T: ?Sized + Serialize>(
        &mut self,
        step: impl FnOnce(&mut String),
        said: Option<&'a Value>,
        value: &T,
    ) -> fmt::Result {
        let length = self.path.len();
        let here = std::mem::replace(&mut self.said, said);
        step(&mut self.path);
        let result = value.serialize(&mut *self);
        self.path.truncate(length);
        self.said = here;
        result
    }

    /// The members that the body has in this place.
    fn object(&self) -> Option<&'a Map<String, Value>> {
        self.said?.as_object()
    }

    /// Notes that the body has null here.
    fn note_null(&mut self) {
        if self.said.is_some_and(Value::is_null) {
            self.nulls.push(whole(self.path.clone()));
        }
    }

    /// Notes the members that the body has here and that are none of these, before those that were found since `start`.
    fn note_members(&mut self, known: &[&str], start: usize) {
        let names = self.object().into_iter().flat_map(Map::keys).filter(|name| !known.contains(&name.as_str()));
        let own = names.map(|name| {
            let mut path = self.path.clone();
            push_name(&mut path, name);
            Unknown::Member { path }
        });
        self.members.splice(start..start, own.collect::<Vec<_>>());
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
        serialize_unit_struct(&'static str)
    );

    fn serialize_unit(self) -> fmt::Result {
        self.note_members(&[], self.members.len());
        Ok(())
    }

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
            self.values.push(Unknown::Value { path: whole(self.path.clone()), value: value.to_string() });
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
        let said = self.object().and_then(|said| said.get(variant));
        self.below(|path| push_name(path, variant), said, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'s, 'a>, fmt::Error> {
        self.note_null();
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
        self.note_null();
        Ok(Members { start: self.members.len(), search: self, name: String::new(), known: Vec::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'s, 'a>, fmt::Error> {
        Ok(Members { start: self.members.len(), search: self, name: String::new(), known: Vec::new() })
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
        let said = self.search.said.and_then(|said| said.get(index));
        self.search.below(|path| push_index(path, index), said, value)
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
    /// The fields of a struct, those without a value too.
    known: Vec<&'static str>,
    /// How many unknown members had been found before this object.
    start: usize,
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
        let said = self.search.object().and_then(|said| said.get(&name));
        self.search.below(|path| push_name(path, &name), said, value)
    }

    fn end(self) -> fmt::Result {
        Ok(())
    }
}

impl SerializeStruct for Members<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> fmt::Result {
        self.known.push(name);
        let said = self.search.object().and_then(|said| said.get(name));
        self.search.below(|path| push_name(path, name), said, value)
    }

    fn skip_field(&mut self, name: &'static str) -> fmt::Result {
        self.known.push(name);
        Ok(())
    }

    fn end(self) -> fmt::Result {
        self.search.note_members(&self.known, self.start);
        Ok(())
    }
}
