//! The members of an object, in the order in which they are expected.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::Kind;

/// The names of a type's members, and which one came after which when an object was read last. The next object is nearly always written by
/// the same program, and then the name of each member is guessed and not read.
pub struct Names {
    /// As they are written in JSON: with their quotes and a colon.
    written: &'static [&'static str],
    /// For each member, and behind them for the beginning, the index of the next one. Made when the first object is read.
    order: OnceLock<Box<[AtomicUsize]>>,
}

impl Names {
    /// Names as they are written in JSON, with their quotes and a colon.
    ///
    /// # Panics
    /// A name has a quote, a backslash or a control character: it is not written as it is. Where a static is made, that is an error of the
    /// compiler.
    pub const fn new(written: &'static [&'static str]) -> Self {
        assert!(are_plain(written), "a name with a quote, a backslash or a control character");
        Self { written, order: OnceLock::new() }
    }

    fn order(&self) -> &[AtomicUsize] {
        self.order.get_or_init(|| (0..=self.written.len()).map(|_| AtomicUsize::new(usize::MAX)).collect())
    }

    /// The index of a name.
    fn find(&self, name: &str) -> Option<usize> {
        let is_it =
            |written: &&str| written.len() == name.len() + 3 && written.as_bytes()[1..].starts_with(name.as_bytes());
        self.written.iter().position(is_it)
    }
}

/// Whether names can be compared as they are written in JSON: between quotes, without an escape.
const fn are_plain(written: &[&str]) -> bool {
    let mut at = 0;
    while at < written.len() {
        let name = written[at].as_bytes();
        // Between the quotes, of which the last one is in front of the colon.
        let mut letter = 1;
        while letter + 2 < name.len() {
            if matches!(name[letter], b'"' | b'\\' | 0..=0x1f) {
                return false;
            }
            letter += 1;
        }
        at += 1;
    }
    true
}

/// The members of an object that is read as a type.
pub struct Members<'a, A> {
    members: A,
    names: &'a Names,
    order: &'a [AtomicUsize],
    /// The last one that was read; first the number of all.
    last: usize,
}

impl<'a, 'de, A: MapAccess<'de>> Members<'a, A> {
    /// All members.
    pub fn new(members: A, names: &'a Names) -> Self {
        Self { members, names, order: names.order(), last: names.written.len() }
    }

    /// The index of the next member that the type has. Others are skipped.
    ///
    /// # Errors
    /// It is not JSON.
    #[expect(clippy::should_implement_trait, reason = "it can fail")]
    pub fn next(&mut self) -> Result<Option<usize>, A::Error> {
        loop {
            let next = self.order.get(self.last);
            let guess = next.map_or(usize::MAX, |next| next.load(Ordering::Relaxed));
            let written = self.names.written.get(guess).copied().unwrap_or_default();
            let index = match self.members.next_key_seed(Guess(written))? {
                None => return Ok(None),
                Some(Name::Guessed) => guess,
                Some(Name::Text(text)) => {
                    let Some(index) = self.names.find(&text) else {
                        self.members.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if let Some(next) = next.filter(|_| index != guess) {
                        next.store(index, Ordering::Relaxed);
                    }
                    index
                }
            };
            self.last = index;
            return Ok(Some(index));
        }
    }

    /// Reads the value of a member into its place.
    ///
    /// # Errors
    /// It is something else than its type says, or occurs twice.
    pub fn value<K: Kind<'de, T>, T>(
        &mut self,
        _: K,
        place: &mut Option<T>,
        name: &'static str,
    ) -> Result<(), A::Error> {
        struct Value<K, T>(PhantomData<(K, T)>);

        impl<'de, K: Kind<'de, T>, T> DeserializeSeed<'de> for Value<K, T> {
            type Value = T;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
                K::read(deserializer)
            }
        }

        if place.is_some() {
            return Err(A::Error::duplicate_field(name));
        }
        *place = Some(self.members.next_value_seed(Value::<K, T>(PhantomData))?);
        Ok(())
    }
}

/// Reads a name of which it is guessed how it is written, its quotes and its colon included.
///
/// The guess is handed to the deserializer as the name of a newtype: [`json`](crate::json) compares it with the text and says with a unit
/// that it is right. Other deserializers look through newtypes.
struct Guess(&'static str);

/// The name of a member.
enum Name<'de> {
    Guessed,
    Text(Cow<'de, str>),
}

impl<'de> DeserializeSeed<'de> for Guess {
    type Value = Name<'de>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name<'de>, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_unit<E>(self) -> Result<Name<'de>, E> {
                Ok(Name::Guessed)
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name<'de>, D::Error> {
                deserializer.deserialize_identifier(self)
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name::Text(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name::Text(Cow::Owned(name.to_owned())))
            }

            fn visit_string<E>(self, name: String) -> Result<Name<'de>, E> {
                Ok(Name::Text(Cow::Owned(name)))
            }
        }

        deserializer.deserialize_newtype_struct(self.0, Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_written_with_escapes_are_refused() {
        assert!(are_plain(&["\"a\":", "\"\":", "\"é b\":"]) && are_plain(&[]));
        for name in ["\"a\"b\":", "\"a\\b\":", "\"\n\":"] {
            assert!(!are_plain(&["\"a\":", name]), "{name}");
        }
    }

    #[test]
    fn a_name_is_found_as_a_whole() {
        let names = Names::new(&["\"ab\":", "\"a\":", "\"\":", "\"é\":"]);
        let found = |name| names.find(name);
        assert_eq!([found("ab"), found("a"), found(""), found("é")], [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!([found("abc"), found("b"), found("\"a"), found("a\"")], [None; 4]);
    }
}
