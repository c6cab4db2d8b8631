//! What generated code names: the macros by which channels and messages are written shortly, and what they are made of.

#[doc(hidden)]
pub use std::borrow::Cow;

use venuekit_wire::json;
use venuekit_wire::lenient::Lenient;
use venuekit_wire::rust_decimal::Decimal;
use venuekit_wire::stream::Channel;

use crate::{ReadError, StreamMessage, Streams, Subscribe, Topic};

#[doc(hidden)]
pub use venuekit_transport::Unknown;

#[doc(hidden)]
pub use venuekit_books::{Book, BookKind, BookMessage, Fault, Side};

/// Everything that a channel has: in place of a list of what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct All;

/// What is wanted of a channel: everything, or what is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Items<T> {
    /// Everything.
    All,
    /// These.
    List(Vec<T>),
}

impl<T> From<All> for Items<T> {
    fn from(_: All) -> Self {
        Self::All
    }
}

impl<T, I: IntoIterator<Item: Into<T>>> From<I> for Items<T> {
    fn from(listed: I) -> Self {
        Self::List(listed.into_iter().map(Into::into).collect())
    }
}

/// Does something with the message type of a channel that makes an order book, without naming it.
pub trait BookVisitor {
    /// What comes of it.
    type Output;

    /// Is called with the type.
    fn visit<T: StreamMessage + BookMessage>(self) -> Self::Output;
}

/// A topic that is being given its values.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Given(Topic);

impl Given {
    pub fn new(channel: &'static Channel) -> Self {
        Self(Topic::new(channel))
    }

    pub fn text<T: AsRef<str>>(self, name: &str, value: impl Into<T>) -> Self {
        Self(self.0.set(name, value.into().as_ref()))
    }

    pub fn word(self, name: &str, value: impl AsRef<str>) -> Self {
        Self(self.0.set(name, value.as_ref()))
    }

    pub fn number(self, name: &str, value: i64) -> Self {
        Self(self.0.set(name, value.to_string()))
    }

    pub fn flag(self, name: &str, value: bool) -> Self {
        Self(self.0.set(name, value.to_string()))
    }

    pub fn list<T: AsRef<str>>(self, name: &str, values: impl IntoIterator<Item = impl Into<T>>) -> Self {
        Self(self.0.list(name, values.into_iter().map(|value| value.into().as_ref().to_owned())))
    }

    /// Everything is asked for by leaving the parameter out, or by its own value.
    pub fn items<T: AsRef<str>>(self, name: &str, items: impl Into<Items<T>>) -> Self {
        match (items.into(), self.0.channel().everything) {
            (Items::List(values), _) => self.list::<T>(name, values),
            (Items::All, Some(everything)) => Self(self.0.list(name, [everything])),
            (Items::All, None) => self,
        }
    }

    pub fn subscribe<M>(self, streams: &Streams) -> Subscribe<M> {
        Subscribe::new(streams.clone(), self.0)
    }

    /// Gives a subscription that is not made yet another value.
    pub fn change<M>(subscribe: Subscribe<M>, change: impl FnOnce(Self) -> Self) -> Subscribe<M> {
        subscribe.map_topic(|topic| change(Self(topic)).0)
    }
}

/// Reads a message of a type that is known. That it is UTF-8 is checked once, and not string by string.
#[doc(hidden)]
pub fn read<'de, T: Lenient<'de>>(data: &'de [u8]) -> Result<Option<T>, ReadError> {
    Ok(Some(json::from_str(utf8(data)?)?))
}

fn utf8(data: &[u8]) -> Result<&str, ReadError> {
    let place = |error: simdutf8::compat::Utf8Error| format!("not UTF-8 after {} bytes", error.valid_up_to());
    simdutf8::basic::from_utf8(data)
        .or_else(|_| simdutf8::compat::from_utf8(data))
        .map_err(|error| ReadError::new(place(error)))
}

/// What data has that its type does not know.
#[doc(hidden)]
pub fn unknown<T: for<'de> Lenient<'de> + serde::Serialize>(data: &[u8]) -> Vec<Unknown> {
    venuekit_transport::unknown_of::<T>(data)
}

/// Whether a member of a message has this text.
#[doc(hidden)]
pub fn says(data: &[u8], pointer: &str, text: &str) -> bool {
    crate::scan::at(data, pointer).and_then(|at| crate::scan::text(data.get(at)?)).is_some_and(|own| own == text)
}

/// The parts of a name, where a message has all of them.
#[doc(hidden)]
pub fn joined(parts: &[Option<&str>]) -> Option<Cow<'static, str>> {
    let parts: Option<Vec<&str>> = parts.iter().copied().collect();
    Some(Cow::Owned(parts?.join(":")))
}

/// The side that a word names.
#[doc(hidden)]
pub fn side(word: Option<&str>, bid: &str, ask: &str, member: &'static str) -> Result<Side, Fault> {
    match word {
        Some(word) if word == bid => Ok(Side::Bid),
        Some(word) if word == ask => Ok(Side::Ask),
        Some(word) => Err(Fault::unknown_side(word)),
        None => Err(Fault::missing(member)),
    }
}

/// A member without which a message makes no sense for a book.
#[doc(hidden)]
pub fn needed<T>(value: Option<T>, member: &'static str) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::missing(member))
}

/// Levels that are objects, each of which must have both members.
#[doc(hidden)]
pub fn levels<T>(
    all: impl Iterator<Item = T>,
    price: &'static str,
    size: &'static str,
    read: impl Fn(T) -> (Option<Decimal>, Option<Decimal>),
) -> Result<Vec<(Decimal, Decimal)>, Fault> {
    let one = |level| {
        let (at, of) = read(level);
        Ok((needed(at, price)?, needed(of, size)?))
    };
    all.map(one).collect()
}

/// Says how types are read that are the only ones of their channels: by the names that the venue has for them, or by any.
#[doc(hidden)]
#[macro_export]
macro_rules! messages {
    ($($kind:ty = $word:tt $(| $more:tt)*;)*) => {$(
        impl $crate::StreamMessage for $kind {
            fn read(kind: &str, data: &[u8]) -> Result<Option<Self>, $crate::ReadError> {
                match kind {
                    $word $(| $more)* => $crate::generated::read(data),
                    #[allow(unreachable_patterns)]
                    _ => Ok(None),
                }
            }

            fn unknown(_: &str, data: &[u8]) -> Vec<$crate::generated::Unknown> {
                $crate::generated::unknown::<Self>(data)
            }
        }
    )*};
}

/// Makes an enum of the types of a channel. The first that fits counts.
#[doc(hidden)]
#[macro_export]
macro_rules! message_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident($kind:ty) = $word:tt $(when $at:literal = $equals:literal)?,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum $name {
            $(#[allow(missing_docs)] $variant($kind),)*
        }

        impl $crate::StreamMessage for $name {
            fn read(kind: &str, data: &[u8]) -> Result<Option<Self>, $crate::ReadError> {
                match kind {
                    $($word $(if $crate::generated::says(data, $at, $equals))? => {
                        Ok($crate::generated::read(data)?.map(Self::$variant))
                    })*
                    #[allow(unreachable_patterns)]
                    _ => Ok(None),
                }
            }

            fn unknown(kind: &str, data: &[u8]) -> Vec<$crate::generated::Unknown> {
                match kind {
                    $($word $(if $crate::generated::says(data, $at, $equals))? => {
                        $crate::generated::unknown::<$kind>(data)
                    })*
                    #[allow(unreachable_patterns)]
                    _ => Vec::new(),
                }
            }
        }
    };
}

/// A setter of a subscription that is not made yet.
#[doc(hidden)]
#[macro_export]
macro_rules! channel_setter {
    ($(#[$doc:meta])* $setter:ident $name:literal flag $kind:ty) => {
        $crate::channel_setter! { @one $(#[$doc])* $setter($kind) $name flag }
    };
    ($(#[$doc:meta])* $setter:ident $name:literal number $kind:ty) => {
        $crate::channel_setter! { @one $(#[$doc])* $setter($kind) $name number }
    };
    ($(#[$doc:meta])* $setter:ident $name:literal word $kind:ty) => {
        $crate::channel_setter! { @one $(#[$doc])* $setter($kind) $name word }
    };
    ($(#[$doc:meta])* $setter:ident $name:literal text $kind:ty) => {
        $(#[$doc])*
        #[must_use]
        pub fn $setter(self, value: impl Into<$kind>) -> Self {
            Self($crate::generated::Given::change(self.0, |given| given.text::<$kind>($name, value)))
        }
    };
    ($(#[$doc:meta])* $setter:ident $name:literal list $kind:ty) => {
        $(#[$doc])*
        #[must_use]
        pub fn $setter(self, values: impl IntoIterator<Item = impl Into<$kind>>) -> Self {
            Self($crate::generated::Given::change(self.0, |given| given.list::<$kind>($name, values)))
        }
    };
    (@one $(#[$doc:meta])* $setter:ident($kind:ty) $name:literal $how:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $setter(self, value: $kind) -> Self {
            Self($crate::generated::Given::change(self.0, |given| given.$how($name, value)))
        }
    };
}

/// Makes the type of a subscription that may be given more than it must. It has what `Subscribe` has, and a setter for each parameter.
#[doc(hidden)]
#[macro_export]
macro_rules! channel {
    (
        $(#[$doc:meta])*
        $name:ident gives $message:ty $(, $book:ident)? {
            $($(#[$setter_doc:meta])* $setter:ident = $parameter:literal: $how:ident $kind:ty;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name($crate::Subscribe<$message>);

        impl $name {
            $($crate::channel_setter! { $(#[$setter_doc])* $setter $parameter $how $kind })*

            /// How many messages may wait for this reader.
            #[must_use]
            pub fn capacity(self, messages: usize) -> Self {
                Self(self.0.capacity(messages))
            }

            /// What happens when more would wait.
            #[must_use]
            pub fn overflow(self, overflow: $crate::Overflow) -> Self {
                Self(self.0.overflow(overflow))
            }

            /// What is subscribed to.
            pub fn topic(&self) -> &$crate::Topic {
                self.0.topic()
            }

            /// Subscribes.
            ///
            /// # Errors
            /// The topic is not one that the venue takes, or it is refused; see [`Error`]($crate::Error).
            pub async fn subscribe(self) -> Result<$crate::Subscription<$message>, $crate::Error> {
                self.0.subscribe().await
            }

            $($crate::channel_book! { $book $message })?
        }

        impl From<$name> for $crate::Subscribe<$message> {
            fn from(given: $name) -> Self {
                given.0
            }
        }
    };
}

/// The order books of a channel.
#[doc(hidden)]
#[macro_export]
macro_rules! channel_book {
    (book $message:ty) => {
        /// Keeps the order books that the messages make.
        pub fn book(self) -> $crate::SubscribeBook<$message> {
            self.0.book()
        }
    };
}

#[cfg(test)]
mod tests {
    use venuekit_wire::stream::Parameter;

    use super::*;

    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct Row {
        n: i64,
    }

    venuekit_wire::lenient_types! { objects { Row } others {} vital {} }

    crate::messages! { Row = "row" | "old_row"; }

    crate::message_enum! {
        /// Rows.
        Rows { Marked(Row) = "row" when "/mark" = "yes", Plain(Row) = "row", }
    }

    #[test]
    fn messages_are_told_by_name_and_by_what_they_say() {
        assert_eq!(<Row as StreamMessage>::read("old_row", br#"{"n": 1}"#).unwrap(), Some(Row { n: 1 }));
        assert_eq!(<Row as StreamMessage>::read("other", br#"{"n": 1}"#).unwrap(), None);
        for wrong in ["{}", r#"{"n": 1} 2"#, r#"{"n": 1"#] {
            assert!(<Row as StreamMessage>::read("row", wrong.as_bytes()).is_err(), "{wrong}");
        }
        let error = <Row as StreamMessage>::read("row", b"{\"n\": 1, \"x\": \"\xff\"}").unwrap_err();
        assert_eq!(error.to_string(), "not UTF-8 after 15 bytes");
        let rows = |kind, text: &str| Rows::read(kind, text.as_bytes()).unwrap();
        assert!(matches!(rows("row", r#"{"mark": "yes", "n": 1}"#), Some(Rows::Marked(Row { n: 1 }))));
        assert!(matches!(rows("row", r#"{"mark": "no", "n": 2}"#), Some(Rows::Plain(Row { n: 2 }))));
        assert!(rows("", r#"{"n": 2}"#).is_none());
    }

    #[test]
    fn members_without_a_field_are_found() {
        let found = |kind, text: &str| -> Vec<String> {
            Rows::unknown(kind, text.as_bytes()).iter().map(ToString::to_string).collect()
        };
        assert_eq!(found("row", r#"{"n": 2}"#), [""; 0]);
        let new = found("row", r#"{"mark": "yes", "n": 1, "new": 5}"#);
        assert!(new.len() == 2 && new[0].contains("mark") && new[1].contains("new"), "{new:?}");
        assert_eq!(<Row as StreamMessage>::unknown("row", br#"{"n": 2, "x": 1}"#).len(), 1);
    }

    static CHANNEL: Channel = Channel {
        name: "c",
        id: "c",
        parameters: &[
            Parameter { name: "ids", is_list: true, ..Parameter::EMPTY },
            Parameter { name: "flag", ..Parameter::EMPTY },
        ],
        items: Some("ids"),
        all: true,
        ..Channel::EMPTY
    };
    static BY_WORD: Channel = Channel { everything: Some("all"), ..CHANNEL };

    #[test]
    fn a_topic_is_given_values_or_everything() {
        let given = Given::new(&CHANNEL).items::<String>("ids", ["a", "b"]).flag("flag", true);
        let again = Topic::new(&CHANNEL).list("ids", ["a", "b"]).set("flag", "true");
        assert_eq!(given.0, again);
        assert_eq!(Given::new(&CHANNEL).items::<String>("ids", All).0, Topic::new(&CHANNEL));
        assert_eq!(Given::new(&BY_WORD).items::<String>("ids", All).0, Topic::new(&BY_WORD).list("ids", ["all"]));
        let none: [&str; 0] = [];
        assert!(Given::new(&CHANNEL).items::<String>("ids", none).0.check().is_err(), "nothing is not everything");
    }

    #[test]
    fn what_a_book_lacks_is_named() {
        assert_eq!(side(Some("yes"), "yes", "no", "side"), Ok(Side::Bid));
        assert_eq!(side(Some("no"), "yes", "no", "side"), Ok(Side::Ask));
        assert_eq!(side(Some("up"), "yes", "no", "side"), Err(Fault::unknown_side("up")));
        assert_eq!(side(None, "yes", "no", "side"), Err(Fault::missing("side")));
        let one = Decimal::ONE;
        assert_eq!(levels([one].iter(), "price", "size", |at| (Some(*at), None)), Err(Fault::missing("size")));
        assert_eq!(levels([one].iter(), "price", "size", |at| (Some(*at), Some(*at))), Ok(vec![(one, one)]));
        assert_eq!(joined(&[Some("a"), Some("b")]).as_deref(), Some("a:b"));
        assert_eq!(joined(&[Some("a"), None]), None);
    }
}
