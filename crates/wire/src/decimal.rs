//! Money and quantities, exact.
//!
//! A JSON number read through `f64` loses digits, and `serde_json`'s `arbitrary_precision` would change every crate in a
//! user's tree. So the token's own text is read ([`RawValue`]), whichever of the two forms it has. The form written is chosen
//! by the type, because venues disagree on what they take: Kalshi strings, Deribit numbers.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use rust_decimal::Decimal as Exact;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A text that is no decimal number, or one with more than 28 significant digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseDecimalError(String);

impl fmt::Display for ParseDecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no decimal number of at most 28 digits", self.0)
    }
}

impl std::error::Error for ParseDecimalError {}

/// Reads plain and exponent notation, and refuses what cannot be held exactly instead of rounding it.
fn exact(text: &str) -> Result<Exact, ParseDecimalError> {
    let parsed = match text.split_once(['e', 'E']) {
        None => Exact::from_str_exact(text.trim_end_matches('.')).ok(),
        Some((mantissa, exponent)) => shifted(mantissa, exponent),
    };
    parsed.ok_or_else(|| ParseDecimalError(text.chars().take(40).collect()))
}

fn shifted(mantissa: &str, exponent: &str) -> Option<Exact> {
    let mantissa = Exact::from_str_exact(mantissa).ok()?.normalize();
    let scale = i64::from(mantissa.scale()) - exponent.parse::<i64>().ok()?;
    if mantissa.is_zero() {
        return Some(mantissa);
    }
    if let Ok(scale) = u32::try_from(scale) {
        return Exact::try_from_i128_with_scale(mantissa.mantissa(), scale).ok();
    }
    let zeros = u32::try_from(-scale).ok()?;
    let digits = mantissa.mantissa().checked_mul(10_i128.checked_pow(zeros)?)?;
    Exact::try_from_i128_with_scale(digits, 0).ok()
}

/// The decimal in a JSON token: a number, or a string that holds one.
fn from_token(token: &str) -> Result<Exact, String> {
    let inner = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        None => exact(token),
        Some(text) if !text.contains('\\') => exact(text),
        Some(_) => {
            let text: String = serde_json::from_str(token).map_err(|error| error.to_string())?;
            exact(&text)
        }
    }
    .map_err(|error| error.to_string())
}

macro_rules! decimal {
    ($(#[$doc:meta])* $name:ident, $written:literal) => {
        $(#[$doc])*
        #[doc = ""]
        #[doc = concat!("It is written as a JSON ", $written, " and read from a JSON string or number alike, digit by digit. It")]
        #[doc = "dereferences to [`rust_decimal::Decimal`] for arithmetic."]
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
                let token = Box::<RawValue>::deserialize(deserializer)?;
                from_token(token.get()).map(Self).map_err(D::Error::custom)
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
        let token = Box::<RawValue>::deserialize(deserializer)?;
        if token.get().starts_with('"') {
            let text: String = serde_json::from_str(token.get()).map_err(D::Error::custom)?;
            return Ok(exact(&text).map_or(Self::Text(text), |number| Self::Decimal(number.into())));
        }
        from_token(token.get()).map(|number| Self::Decimal(number.into())).map_err(D::Error::custom)
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
    fn exponents_are_read() {
        for (token, plain) in [
            ("-4.739622041017375e-07", "-0.0000004739622041017375"),
            ("1e3", "1000"),
            ("1.5E+2", "150"),
            ("12300e-2", "123"),
            ("0e-99", "0"),
        ] {
            assert_eq!(
                serde_json::from_str::<DecimalNumber>(token).unwrap().get(),
                plain.parse::<Exact>().unwrap(),
                "{token}"
            );
        }
    }

    #[test]
    fn what_cannot_be_held_is_refused_and_not_rounded() {
        for token in ["0.12345678901234567890123456789", "1e60", "1e-40", "true", "\"\"", "\"abc\"", "[1]", "{}"] {
            assert!(serde_json::from_str::<Decimal>(token).is_err(), "{token}");
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
