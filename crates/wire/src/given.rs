//! Values that callers give to requests: what converts, and how a value is refused before anything is sent.
//!
//! [`builder!`](crate::builder) makes the builders of generated types. A setter that cannot fail takes `impl Into<T>`, any other one
//! `impl TryInto<T, Error: Display>`. The first value that is refused is kept, and is the error of the whole request.

use std::fmt::{self, Display};

/// Why a value was refused before anything was sent, such as "price is missing".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(String);

impl Refusal {
    /// A refusal with this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// The refusal of a request that lacks a value.
    #[doc(hidden)]
    pub fn missing(name: &str) -> Self {
        Self(format!("{name} is missing"))
    }

    /// The refusal of a word that a list does not have.
    #[doc(hidden)]
    pub fn not_one_of(words: &[&str]) -> Self {
        let words: Vec<&str> = words.iter().map(|word| if word.is_empty() { "\"\"" } else { word }).collect();
        Self(format!("not one of {}", words.join(", ")))
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for String {
    fn from(refusal: Refusal) -> Self {
        refusal.0
    }
}

/// What was wrong with the values that a builder was given. The first refusal counts.
#[derive(Clone, Debug, Default)]
pub struct Refused(Option<Refusal>);

impl Refused {
    /// Converts a value; none, and a note of it, where that fails.
    pub fn take<T>(&mut self, name: &str, value: impl TryInto<T, Error: Display>) -> Option<T> {
        match value.try_into() {
            Ok(value) => Some(value),
            Err(reason) => {
                self.note(name, &reason);
                None
            }
        }
    }

    /// Takes an id that has the form of one.
    pub fn id<T: Id>(&mut self, name: &str, value: impl Into<T>) -> Option<T> {
        let id = value.into();
        match id.check() {
            Ok(()) => Some(id),
            Err(reason) => {
                self.note(name, &reason);
                None
            }
        }
    }

    /// Takes a list of ids, each of which has the form of one.
    pub fn ids<T: Id>(&mut self, name: &str, values: impl IntoIterator<Item = impl Into<T>>) -> Option<Vec<T>> {
        let ids: Vec<T> = values.into_iter().map(Into::into).collect();
        match ids.iter().try_for_each(Id::check) {
            Ok(()) => Some(ids),
            Err(reason) => {
                self.note(name, &reason);
                None
            }
        }
    }

    /// Passes a value on that must be there.
    pub fn required<T>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.0.get_or_insert_with(|| Refusal::missing(name));
        }
        value
    }

    /// Notes that the value of this name was refused.
    pub fn note(&mut self, name: &str, reason: &dyn Display) {
        self.0.get_or_insert_with(|| Refusal(format!("{name}: {reason}")));
    }

    /// Whether nothing was refused.
    ///
    /// # Errors
    /// The first refusal.
    pub fn into_result(self) -> Result<(), Refusal> {
        self.0.map_or(Ok(()), Err)
    }
}

/// A text with a name and a form, as generated code has ids.
///
/// It is made from any text, since a response must not fail for an id that looks different tomorrow. Whether it has the form of one is
/// asked where it is used: by the setters of requests.
pub trait Id: AsRef<str> {
    /// Whether the text has the form of such an id.
    ///
    /// # Errors
    /// It has not.
    fn check(&self) -> Result<(), Refusal>;
}

/// A setter of a builder, by how its value is taken.
#[doc(hidden)]
#[macro_export]
macro_rules! setter {
    ($(#[$doc:meta])* $field:ident plain $kind:ty) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, value: $kind) -> Self {
            self.$field = Some(value);
            self
        }
    };
    ($(#[$doc:meta])* $field:ident into $kind:ty) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, value: impl Into<$kind>) -> Self {
            self.$field = Some(value.into());
            self
        }
    };
    ($(#[$doc:meta])* $field:ident take $kind:ty) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, value: impl TryInto<$kind, Error: ::std::fmt::Display>) -> Self {
            self.$field = self.__refused.take(stringify!($field), value);
            self
        }
    };
    ($(#[$doc:meta])* $field:ident id $kind:ty) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, value: impl Into<$kind>) -> Self {
            self.$field = self.__refused.id(stringify!($field), value);
            self
        }
    };
    ($(#[$doc:meta])* $field:ident ids $kind:ty) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(
            mut self,
            values: impl IntoIterator<Item = impl Into<<$kind as IntoIterator>::Item>>,
        ) -> Self {
            self.$field = self.__refused.ids(stringify!($field), values);
            self
        }
    };
}

/// What a field of a request becomes of the one of its builder.
#[doc(hidden)]
#[macro_export]
macro_rules! built {
    (optional $given:ident $field:ident) => {
        $given.$field
    };
    (default $given:ident $field:ident) => {
        $given.$field.unwrap_or_default()
    };
    (required $given:ident $field:ident) => {
        match $given.$field {
            Some(value) => value,
            None => return Err($crate::given::Refusal::missing(stringify!($field))),
        }
    };
}

/// What a field of a builder becomes of the one of its request.
#[doc(hidden)]
#[macro_export]
macro_rules! taken_apart {
    (optional $value:expr) => {
        $value
    };
    ($need:ident $value:expr) => {
        Some($value)
    };
}

/// Makes the builders of generated types, in a module beside them.
///
/// A field is `optional`, `default` (a list or a map that may be left out) or `required`. Its value is taken `plain`, `into` its type,
/// by `take` (which may refuse it), or as `id` or `ids`.
#[doc(hidden)]
#[macro_export]
macro_rules! builder {
    ($name:ident { $($(#[$doc:meta])* $field:ident: $need:ident $how:ident $kind:ty;)* }) => {
        /// What the type of this name is built by.
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            $($field: Option<$kind>,)*
            __refused: $crate::given::Refused,
        }

        impl $name {
            $($crate::setter! { $(#[$doc])* $field $how $kind })*
        }

        impl super::$name {
            /// A builder, of which nothing is set yet.
            pub fn builder() -> $name {
                $name::default()
            }
        }

        impl TryFrom<$name> for super::$name {
            type Error = $crate::given::Refusal;

            fn try_from(given: $name) -> Result<Self, $crate::given::Refusal> {
                given.__refused.into_result()?;
                Ok(Self { $($field: $crate::built!($need given $field),)* })
            }
        }

        impl From<super::$name> for $name {
            #[allow(unused_variables)]
            fn from(value: super::$name) -> Self {
                Self { $($field: $crate::taken_apart!($need value.$field),)* __refused: $crate::given::Refused::default() }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decimal;

    crate::ids! {
        /// Id of an order.
        OrderId = "^[0-9]+-[0-9]+$";
    }

    #[derive(Clone, Debug, PartialEq)]
    struct Order {
        id: OrderId,
        price: Option<Decimal>,
        label: Option<String>,
        others: Vec<OrderId>,
        post: Option<bool>,
    }

    mod builder {
        use super::OrderId;

        crate::builder! { Order {
            /// Id of the order.
            id: required id OrderId;
            price: optional take crate::Decimal;
            label: optional into String;
            others: default ids Vec<OrderId>;
            post: optional plain bool;
        } }
    }

    #[test]
    fn a_builder_takes_what_converts_and_keeps_the_first_refusal() {
        let given = Order::builder().id("1-2").price("0.05").label("mine").post(true).others(["3-4"]);
        let order = Order::try_from(given.clone()).unwrap();
        assert_eq!(order.price, Some("0.05".parse().unwrap()));
        assert_eq!((order.id.as_str(), order.label.as_deref(), order.post), ("1-2", Some("mine"), Some(true)));
        assert_eq!(Order::try_from(builder::Order::from(order.clone())).unwrap(), order);
        let refusal = |given: builder::Order| Order::try_from(given).unwrap_err().to_string();
        assert_eq!(refusal(Order::builder().price("1")), "id is missing");
        let first = refusal(given.clone().price("x").id("../orders"));
        assert_eq!(first, "price: `x` is not a decimal number of at most 28 digits, such as 1.50 or 5e-2");
        assert_eq!(refusal(given.clone().id("../orders")), "id: does not match the pattern ^[0-9]+-[0-9]+$");
        assert!(refusal(given.others(["5-6", ""])).starts_with("others: does not match"));
    }

    #[test]
    fn a_missing_value_is_noted_unless_another_was_refused() {
        let mut refused = Refused::default();
        assert_eq!(refused.required("a", Some(1)), Some(1));
        assert_eq!(refused.clone().into_result(), Ok(()));
        assert_eq!(refused.required::<i64>("b", None), None);
        assert_eq!(refused.take::<u8>("c", 256), None);
        assert_eq!(refused.into_result(), Err(Refusal::new("b is missing")));
    }
}
