//! Levels of an order book that a venue writes as arrays: `["0.52", "100.00"]`, `["new", 2.11, 500]`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lenient::{Lenient, plain};

/// A price and a size, written as an array of two.
///
/// `N` is how the venue writes numbers: [`Decimal`](crate::Decimal) or [`DecimalNumber`](crate::DecimalNumber). Either form is read.
/// What a venue adds behind them is passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Level<N = crate::Decimal> {
    /// The price.
    pub price: N,
    /// The size at it.
    pub size: N,
}

/// What happens to a level, its price and its size, written as an array of three.
///
/// `A` is the venue's list of actions, `N` how it writes numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ActionLevel<A, N = crate::Decimal> {
    /// What happens.
    pub action: A,
    /// The price.
    pub price: N,
    /// The size at it.
    pub size: N,
}

impl<N: Serialize> Serialize for Level<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element(&self.price)?;
        tuple.serialize_element(&self.size)?;
        tuple.end()
    }
}

impl<A: Serialize, N: Serialize> Serialize for ActionLevel<A, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(3)?;
        tuple.serialize_element(&self.action)?;
        tuple.serialize_element(&self.price)?;
        tuple.serialize_element(&self.size)?;
        tuple.end()
    }
}

/// The next element of an array that has a fixed number of them.
fn next<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(array: &mut A, at: usize, name: &str) -> Result<T, A::Error> {
    array
        .next_element()?
        .ok_or_else(|| A::Error::custom(format_args!("no element {at}, expected the {name} of a level")))
}

/// Passes over what a venue has added.
fn rest<'de, A: SeqAccess<'de>>(array: &mut A) -> Result<(), A::Error> {
    while array.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de, N: Deserialize<'de>> Deserialize<'de> for Level<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<N>(PhantomData<N>);

        impl<'de, N: Deserialize<'de>> Visitor<'de> for Elements<N> {
            type Value = Level<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of price and size")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Level<N>, A::Error> {
                let level = Level { price: next(&mut array, 0, "price")?, size: next(&mut array, 1, "size")? };
                rest(&mut array)?;
                Ok(level)
            }
        }

        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

impl<'de, A: Deserialize<'de>, N: Deserialize<'de>> Deserialize<'de> for ActionLevel<A, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<A, N>(PhantomData<(A, N)>);

        impl<'de, A: Deserialize<'de>, N: Deserialize<'de>> Visitor<'de> for Elements<A, N> {
            type Value = ActionLevel<A, N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of action, price and size")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut array: S) -> Result<ActionLevel<A, N>, S::Error> {
                let level = ActionLevel {
                    action: next(&mut array, 0, "action")?,
                    price: next(&mut array, 1, "price")?,
                    size: next(&mut array, 2, "size")?,
                };
                rest(&mut array)?;
                Ok(level)
            }
        }

        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

impl<'de, N: Deserialize<'de>> Lenient<'de> for Level<N> {
    const EXPECTED: &'static str = "an array of price and size";

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        plain(deserializer)
    }
}

impl<'de, A: Deserialize<'de>, N: Deserialize<'de>> Lenient<'de> for ActionLevel<A, N> {
    const EXPECTED: &'static str = "an array of action, price and size";

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        plain(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::from_slice;
    use crate::{Decimal, DecimalNumber, Open};

    crate::words! {
        /// What happens to a level.
        Action { New = "new", Delete = "delete", }
    }

    #[test]
    fn levels_are_arrays_whose_numbers_have_either_form() {
        let levels: Vec<Level> = from_slice(br#"[["0.52", "100.00"], [0.53, 2e2, "added later"]]"#).unwrap();
        let exact = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(levels[0], Level { price: exact("0.52"), size: exact("100.00") });
        assert_eq!(levels[1], Level { price: exact("0.53"), size: exact("200") });
        assert_eq!(serde_json::to_string(&levels[..1]).unwrap(), r#"[["0.52","100.00"]]"#);
    }

    #[test]
    fn an_action_may_be_new_to_us() {
        let text = br#"[["new", 2.11, 500], ["mended", 2.10, 0.0]]"#;
        let levels: Vec<ActionLevel<Open<Action>, DecimalNumber>> = from_slice(text).unwrap();
        assert_eq!(levels[0].action, Action::New);
        assert_eq!((levels[1].action.unknown(), levels[1].size.is_zero()), (Some("mended"), true));
        assert_eq!(serde_json::to_string(&levels).unwrap(), r#"[["new",2.11,500],["mended",2.10,0.0]]"#);
    }

    #[test]
    fn what_is_no_level_is_refused() {
        for text in [r#"["0.52"]"#, "[]", r#"["0.52", ""]"#, r#"["0.52", "N/A"]"#, r#"{"price": 1, "size": 2}"#, "0.52"]
        {
            assert!(from_slice::<Level>(text.as_bytes()).is_err(), "{text}");
        }
        assert!(from_slice::<ActionLevel<Open<Action>>>(br#"["new", 2.11]"#).is_err());
        assert!(from_slice::<Vec<Level>>(b"[null]").is_err(), "a level that is missing would be lost");
    }
}
