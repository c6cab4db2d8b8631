//! A body as a form has it: the members of its JSON object as parameters. Numbers are written without an exponent, lists and objects as
//! JSON text, and what is null is left out.

use std::borrow::Cow;

use serde_json::value::RawValue;
use url::form_urlencoded::byte_serialize;

use crate::members::{Members, string};

/// The form of a body that was written as JSON. None where it is no object.
pub(crate) fn of_json(body: &str) -> Option<String> {
    let members = Members::of(body)?;
    let mut form = String::with_capacity(body.len() + 32);
    for (name, value) in members.iter().filter(|(_, value)| value.get() != "null") {
        if !form.is_empty() {
            form.push('&');
        }
        form.extend(byte_serialize(name.as_bytes()));
        form.push('=');
        form.extend(byte_serialize(text(value).as_bytes()));
    }
    Some(form)
}

/// A value as a parameter has it.
fn text(value: &RawValue) -> Cow<'_, str> {
    let written = value.get();
    match written.as_bytes().first() {
        Some(b'"') => string(value).map_or(Cow::Borrowed(written), Cow::Owned),
        Some(b'-' | b'0'..=b'9') => without_exponent(written).map_or(Cow::Borrowed(written), Cow::Owned),
        _ => Cow::Borrowed(written),
    }
}

/// The longest number that is written out: an exponent comes from outside, and is no reason to write a gigabyte.
const LONGEST: i64 = 400;

/// A JSON number with an exponent, without one. None where it has none, or where it would be too long.
fn without_exponent(number: &str) -> Option<String> {
    let (mantissa, exponent) = number.split_once(['e', 'E'])?;
    let exponent: i64 = exponent.parse().ok().filter(|exponent: &i64| exponent.abs() <= LONGEST)?;
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()? + exponent;
    let (whole, fraction) = match usize::try_from(point) {
        Ok(point) if point >= digits.len() => (format!("{digits}{}", "0".repeat(point - digits.len())), String::new()),
        Ok(point) if point > 0 => (digits[..point].to_owned(), digits[point..].to_owned()),
        _ => ("0".to_owned(), format!("{}{digits}", "0".repeat(usize::try_from(-point).ok()?))),
    };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use venuekit_wire::rust_decimal::Decimal;

    use super::*;

    #[test]
    fn members_become_parameters() {
        let body = r#"{"symbol":"LTC/BTC ü","price":0.10,"n":1e-5,"test":true,"none":null,"ids":[1,"a b"],"":"","a\u0026b":"x\u0026\"y"}"#;
        let form = "symbol=LTC%2FBTC+%C3%BC&price=0.10&n=0.00001&test=true&ids=%5B1%2C%22a+b%22%5D&=&a%26b=x%26%22y";
        assert_eq!(of_json(body).as_deref(), Some(form));
        assert_eq!(of_json("{}").as_deref(), Some(""));
        assert_eq!(of_json("[1]"), None);
        assert_eq!(of_json("1"), None);
    }

    #[test]
    fn numbers_are_written_without_an_exponent() {
        for (written, plain) in [
            ("1e-5", "0.00001"),
            ("1E5", "100000"),
            ("1.5e1", "15"),
            ("1.25e1", "12.5"),
            ("-1.25e-1", "-0.125"),
            ("12.5e-3", "0.0125"),
            ("0e5", "0"),
            ("0.5e1", "5"),
            ("0.05e1", "0.5"),
            ("1e+2", "100"),
            ("9.99e0", "9.99"),
        ] {
            assert_eq!(without_exponent(written).as_deref(), Some(plain), "{written}");
            let exact: Decimal = Decimal::from_scientific(written).unwrap();
            assert_eq!(exact, plain.parse().unwrap(), "{written}");
        }
        for other in ["1", "0.10", "1e401", "1e-99999999999999999999", "1e9999999999"] {
            assert_eq!(without_exponent(other), None, "{other}");
        }
    }
}
