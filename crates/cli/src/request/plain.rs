//! Numbers as digits: what JSON may write with an exponent, venues do not all read.

use venuekit_spec::Schema;
use venuekit_wire::Decimal;

use crate::raw_json::RawJson;

/// Writes every number of a body without an exponent, and integers without a fraction. A number that has more digits than a
/// decimal holds stays as it is; the way to the first of them is the error.
pub fn body(value: &mut RawJson, schema: &Schema) -> Result<(), String> {
    let at = |name: &str, way: String| if way.is_empty() { name.to_owned() } else { format!("{name}/{way}") };
    match value {
        RawJson::Scalar(raw) if raw.starts_with('"') => {
            let Some(text) = RawJson::Scalar(raw.clone()).as_text().filter(|_| schema.is_decimal()) else {
                return Ok(());
            };
            if let Some(plain) = number(&text, false).map_err(|()| String::new())? {
                *raw = RawJson::text(&plain).compact();
            }
            Ok(())
        }
        RawJson::Scalar(raw) => {
            if let Some(plain) = number(raw, schema.is_integer()).map_err(|()| String::new())? {
                *raw = plain;
            }
            Ok(())
        }
        RawJson::List(items) => {
            let Some(schema) = schema.items() else { return Ok(()) };
            let mut each = items.iter_mut().enumerate();
            each.try_for_each(|(index, item)| body(item, &schema).map_err(|way| at(&index.to_string(), way)))
        }
        RawJson::Object(members) => {
            let (fields, others) = (schema.fields(), schema.other_members());
            members.iter_mut().try_for_each(|(name, value)| {
                let field = fields.iter().find(|field| field.name == *name).map(|field| &field.schema);
                let Some(schema) = field.or(others.as_ref()) else { return Ok(()) };
                body(value, schema).map_err(|way| at(name, way))
            })
        }
    }
}

/// The same for a parameter.
pub fn text(text: &mut String, schema: &Schema) -> Result<(), ()> {
    let items = schema.items();
    let schema = items.as_ref().unwrap_or(schema);
    if (schema.is_decimal() || schema.is_number())
        && let Some(plain) = number(text, schema.is_integer())?
    {
        *text = plain;
    }
    Ok(())
}

/// A number without an exponent. None where it is written so already, or where it is no number: the schema says what is wrong.
fn number(text: &str, is_integer: bool) -> Result<Option<String>, ()> {
    let is_short = text.contains(['e', 'E']) || is_integer && text.contains('.');
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if !is_short || !is_number || !matches!(RawJson::parse(text), Ok(RawJson::Scalar(raw)) if raw == text) {
        return Ok(None);
    }
    let number: Decimal = text.parse().map_err(|_| ())?;
    Ok(match is_integer {
        true if !number.fract().is_zero() => None,
        true => Some(number.trunc().to_string()),
        false => Some(number.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::operation;
    use crate::venue::Venue;

    #[test]
    fn numbers_are_written_as_digits_wherever_they_stand() {
        let found = operation(Venue::named("kalshi"), "batch_create_orders_v2").unwrap();
        let text = r#"{"orders":[{"price":"5E-2","count":"1e1","exchange_index":1.0,"client_order_id":"5E-2"},{"price":"0.0500"}]}"#;
        let mut value = RawJson::parse(text).unwrap();
        body(&mut value, found.spec.body.as_ref().unwrap()).unwrap();
        assert_eq!(
            value.compact(),
            r#"{"orders":[{"price":"0.05","count":"10","exchange_index":1,"client_order_id":"5E-2"},{"price":"0.0500"}]}"#
        );
    }

    #[test]
    fn the_spec_takes_the_decimals_that_the_library_reads() {
        let fields = operation(Venue::named("kalshi"), "create_order_v2").unwrap().spec.fields();
        let price = fields.into_iter().find(|field| field.name == "price").unwrap().schema;
        for text in [
            "0",
            "-0",
            "1",
            "-1.50",
            "0.0500",
            "5E-2",
            "5e+2",
            "1.5e1",
            "1_0",
            "5_0e-3",
            "5e-0_3",
            "+5",
            "05",
            ".5",
            "5.",
            "5e",
            "e5",
            " 5",
            "5 ",
            "",
            "-",
            "0x5",
            "1,5",
            "NaN",
            "inf",
            "1e40",
            "1e-40",
            "0.12345678901234567890123456789",
        ] {
            let is_taken = price.check(&text.into()).is_ok();
            assert_eq!(text.parse::<Decimal>().is_ok(), is_taken, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_or_holds_too_many_digits_stays() {
        for text in ["1_0", "5_0e-3", "+5e1", "05e1", ".5e1", "5.e1", "e1", "1e", "ten", " 5e1", "5", "0.50"] {
            assert_eq!(number(text, false), Ok(None), "{text}");
        }
        assert_eq!(number("1.5", true), Ok(None));
        assert_eq!(number("1.50e1", true), Ok(Some("15".to_owned())));
        for text in ["1e40", "1e-40", "1e99999999999999999999"] {
            assert_eq!(number(text, false), Err(()), "{text}");
        }
    }
}
