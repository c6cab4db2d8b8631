//! Money and quantities, exact.
//!
//! A JSON number read through `f64` loses digits, and `serde_json`'s `arbitrary_precision` would change every crate in a
//! user's tree. So the token's own text is read ([`RawValue`]), whichever of the two forms it has. The form written is chosen
//! by the type, because venues disagree on what they take: Kalshi strings, Deribit numbers.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use rust_decimal::Decimal as Exact;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::lenient::vital;
use crate::number;
use crate::token::{self, Form, FromToken};

/// A text that is not a decimal number in the notation of JSON, or one with more than 28 significant digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseDecimalError(String);

impl fmt::Display for ParseDecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a decimal number of at most 28 digits, such as 1.50 or 5e-2", self.0)
    }
}

impl std::error::Error for ParseDecimalError {}

/// Refuses what cannot be held exactly, instead of rounding it.
fn exact(text: &str) -> Result<Exact, ParseDecimalError> {
    number::exact(text).ok_or_else(|| ParseDecimalError(text.chars().take(40).collect()))
}

macro_rules! decimal {
    ($(#[$doc:meta])* $name:ident, $written:literal) => {
        $(#[$doc])*
        #[doc = ""]
        #[doc = concat!("It is written as a JSON ", $written, ", without an exponent, and read from a JSON string or number")]
        #[doc = "alike, digit by digit. A text is read by the grammar of JSON numbers: `1.50` and `5e-2`, but not `1_0`, `+1`, `007` or"]
        #[doc = "`.5`. It dereferences to [`rust_decimal::Decimal`] for arithmetic."]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Exact);

        impl $name {
            /// The number, for arithmetic.
            pub fn get(self) -> Exact {
                self.0
            }
        }

        impl Deref for $name {
            type Target = Exact;

            fn deref(&self) -> &Exact {
                &self.0
            }
        }

        impl From<Exact> for $name {
            fn from(number: Exact) -> Self {
                Self(number)
            }
        }

        impl From<$name> for Exact {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number.into())
            }
        }

        impl From<i32> for $name {
            fn from(number: i32) -> Self {
                Self(number.into())
            }
        }

        impl FromStr for $name {
            type Err = ParseDecimalError;

            fn from_str(text: &str) -> Result<Self, ParseDecimalError> {
                exact(text).map(Self)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = ParseDecimalError;

            fn try_from(text: &str) -> Result<Self, ParseDecimalError> {
                exact(text).map(Self)
            }
        }

        impl PartialEq<Exact> for $name {
            fn eq(&self, other: &Exact) -> bool {
                self.0 == *other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                vital(deserializer)
            }
        }

        impl FromToken for $name {
            const EXPECTED: &'static str = "a decimal number of at most 28 digits";

            fn from_token(text: &str, _: Form) -> Option<Self> {
                number::exact(text).map(Self)
            }
        }
    };
}

decimal! {
    /// An exact decimal number that the venue takes as text.
    Decimal, "string"
}

decimal! {
    /// An exact decimal number that the venue takes as a number.
    DecimalNumber, "number"
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for DecimalNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let token = RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?;
        token.serialize(serializer)
    }
}

/// A price that may be a word, such as Deribit's `market_price`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DecimalOrText {
    /// An exact number. Written as a JSON number.
    Decimal(DecimalNumber),
    /// Anything that is not a number.
    Text(String),
}

impl DecimalOrText {
    /// The number, if it is one.
    pub fn decimal(&self) -> Option<DecimalNumber> {
        match self {
            Self::Decimal(number) => Some(*number),
            Self::Text(_) => None,
        }
    }
}

impl From<Exact> for DecimalOrText {
    fn from(number: Exact) -> Self {
        Self::Decimal(number.into())
    }
}

impl From<&str> for DecimalOrText {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for DecimalOrText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl Serialize for DecimalOrText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Decimal(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for DecimalOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        token::required(deserializer)
    }
}

impl FromToken for DecimalOrText {
    const EXPECTED: &'static str = "a decimal number or a text";

    fn from_token(text: &str, form: Form) -> Option<Self> {
        match number::exact(text) {
            Some(number) => Some(Self::Decimal(number.into())),
            None => (form == Form::Text).then(|| Self::Text(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_are_exact() {
        for text in ["0.56", "123456789.123456789", "-0.0000001", "79228162514264337593543950335", "0", "-0.0", "100"] {
            let number: Decimal = serde_json::from_str(text).unwrap();
            let string: Decimal = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(number, string);
            assert_eq!(number.get(), text.parse::<Exact>().unwrap());
        }
    }

    #[test]
    fn one_grammar_for_all_ways_in() {
        for text in
            ["1_0", "5_0e-3", "+1", "007", ".5", "5.", "1e", "", " ", " 1", "1 ", "0x1", "Infinity", "NaN", "null"]
        {
            let quoted = format!("\"{text}\"");
            assert!(text.parse::<Decimal>().is_err() && text.parse::<DecimalNumber>().is_err(), "{text:?}");
            assert!(Decimal::try_from(text).is_err() && DecimalNumber::try_from(text).is_err(), "{text:?}");
            assert!(serde_json::from_str::<Decimal>(&quoted).is_err(), "{text:?}");
            assert!(serde_json::from_str::<DecimalNumber>(&quoted).is_err(), "{text:?}");
            assert!(serde_json::from_str::<DecimalOrText>(&quoted).unwrap().decimal().is_none(), "{text:?}");
        }
        for (text, plain) in [("5E-2", "0.05"), ("1e3", "1000"), ("-1.50", "-1.50"), ("1.5E+2", "150"), ("0e-99", "0")]
        {
            let number: DecimalNumber = text.parse().unwrap();
            assert_eq!(serde_json::to_string(&number).unwrap(), plain, "written without an exponent");
            assert_eq!(serde_json::to_string(&Decimal::try_from(text).unwrap()).unwrap(), format!("\"{plain}\""));
            assert_eq!(serde_json::from_str::<DecimalNumber>(text).unwrap(), number);
            assert_eq!(serde_json::from_str::<DecimalOrText>(text).unwrap().decimal(), Some(number));
        }
    }

    #[test]
    fn what_cannot_be_held_is_refused_and_not_rounded() {
        for token in [
            "0.12345678901234567890123456789",
            "1e60",
            "1e-40",
            "1e-9223372036854775808",
            "1e9223372036854775807",
            "1e-99999999999999999999999",
            "true",
            "\"\"",
            "\"abc\"",
            "[1]",
            "{}",
            "null",
        ] {
            assert!(serde_json::from_str::<Decimal>(token).is_err(), "{token}");
            assert!(token.parse::<Decimal>().is_err(), "{token}");
        }
    }

    #[test]
    fn each_type_writes_its_form_and_keeps_the_digits() {
        let number: DecimalNumber = "10.50".parse().unwrap();
        assert_eq!(serde_json::to_string(&number).unwrap(), "10.50");
        let string: Decimal = "10.50".parse().unwrap();
        assert_eq!(serde_json::to_string(&string).unwrap(), "\"10.50\"");
    }

    #[test]
    fn a_word_in_place_of_a_price() {
        let word: DecimalOrText = serde_json::from_str("\"market_price\"").unwrap();
        assert_eq!(word, "market_price".into());
        let price: DecimalOrText = serde_json::from_str("50000.5").unwrap();
        assert_eq!(price.decimal().unwrap().to_string(), "50000.5");
    }

    proptest! {
        #[test]
        fn any_decimal_survives_both_forms(mantissa in -(1_i128 << 90)..(1_i128 << 90), scale in 0_u32..=28) {
            let exact = Exact::from_i128_with_scale(mantissa, scale);
            let text = serde_json::to_string(&Decimal::from(exact)).unwrap();
            let number = serde_json::to_string(&DecimalNumber::from(exact)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Decimal>(&text).unwrap(), exact);
            prop_assert_eq!(serde_json::from_str::<DecimalNumber>(&number).unwrap(), exact);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Decimal>();
            let _ = serde_json::from_str::<DecimalOrText>(&text);
        }
    }
}
