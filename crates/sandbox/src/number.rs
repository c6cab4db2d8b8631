//! Decimals as JSON numbers, digit for digit: a detour through `f64` would change money.

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A decimal that is written as a JSON number with the digits it has.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Number(pub(crate) Decimal);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        NumberText(&self.0.to_string()).serialize(serializer)
    }
}

impl From<Decimal> for Number {
    /// Without zeros at the end.
    fn from(value: Decimal) -> Self {
        Self(value.normalize())
    }
}

impl<'de> Deserialize<'de> for Number {
    /// From a JSON number only.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        parse(raw.get()).map(Self).ok_or_else(|| D::Error::custom("expected a number of at most 28 digits"))
    }
}

/// A JSON number as it shall be written, such as one in exponent form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberText<'a>(pub(crate) &'a str);

impl Serialize for NumberText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number: &RawValue = serde_json::from_str(self.0).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

/// Reads a number's own text, plain or in exponent form. `None` where it has more digits than a decimal holds.
pub(crate) fn parse(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) {
        Decimal::from_scientific(text).ok()
    } else if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) && !text.contains('_') {
        Decimal::from_str_exact(text).ok()
    } else {
        None
    }
}

/// Reads a JSON value that is a number, or a string that holds one.
pub(crate) fn parse_json(raw: &RawValue) -> Option<Decimal> {
    if raw.get().starts_with('"') { parse(&serde_json::from_str::<String>(raw.get()).ok()?) } else { parse(raw.get()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for text in ["123456789.123456789", "0.00000001", "52000.0", "-0.5", "10"] {
            assert_eq!(serde_json::to_string(&Number(parse(text).unwrap())).unwrap(), text);
        }
        assert_eq!(serde_json::to_string(&NumberText("2.203e-05")).unwrap(), "2.203e-05");
    }

    #[test]
    fn only_a_json_number_is_read() {
        assert_eq!(serde_json::from_str::<Number>("7.50").unwrap(), Number(parse("7.50").unwrap()));
        for wrong in ["\"7\"", "null", "true", "[1]"] {
            assert!(serde_json::from_str::<Number>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn exponents_are_read() {
        assert_eq!(parse("2.5e-3"), parse("0.0025"));
        assert_eq!(parse("1E2"), parse("100"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "null", "true", "abc", "1_000", "0.00000000000000000000000000000000001"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_json_string_may_hold_a_number() {
        for text in ["1.50", "\"1.50\""] {
            assert_eq!(parse_json(serde_json::from_str(text).unwrap()), parse("1.50"));
        }
        assert_eq!(parse_json(serde_json::from_str("[1]").unwrap()), None);
    }
}
