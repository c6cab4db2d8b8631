//! Whether a typed response still says what the venue said.

use serde_json::Value;

use crate::json::Json;
use crate::spec::{Kind, Spec};

impl Spec {
    /// Compares what was sent with what happened to it. Null, missing and empty are the same, and so are the two forms of a number, but
    /// each digit of an exact one counts.
    pub fn same(&self, schema: &Value, sent: &Json, got: &Json) -> Result<(), String> {
        let differ = || Err(format!(": {sent} became {got}"));
        let equal = |same| if same { Ok(()) } else { differ() };
        match (self.kind(schema), sent, got) {
            (Kind::Decimal, _, Json::Text(digits)) | (Kind::DecimalNumber, _, Json::Number(digits)) => {
                equal(written(sent).is_some_and(|sent| same_digits(sent, digits)))
            }
            // A text that is no number stays a text.
            (Kind::DecimalOrText, _, Json::Number(digits)) => {
                equal(written(sent).is_some_and(|sent| same_digits(sent, digits)))
            }
            (Kind::Decimal | Kind::DecimalNumber, ..) => differ(),
            (Kind::Integer | Kind::UnixTime, Json::Number(sent) | Json::Text(sent), Json::Number(got)) => {
                equal(point_put(sent) == point_put(got))
            }
            (Kind::IntegerOrText, Json::Number(sent), Json::Number(got)) => equal(point_put(sent) == point_put(got)),
            (Kind::Float, Json::Number(a) | Json::Text(a), Json::Number(b)) => {
                equal(a.parse::<f64>() == b.parse::<f64>())
            }
            (Kind::List(items) | Kind::Level(items), Json::List(sent), Json::List(got)) if sent.len() == got.len() => {
                let mut pairs = sent.iter().zip(got).enumerate();
                pairs.try_for_each(|(i, (sent, got))| self.same(items, sent, got).map_err(|e| format!("[{i}]{e}")))
            }
            (Kind::Object(object), Json::Object(sent), Json::Object(got)) => {
                let described = |name: &str| object.properties.iter().find(|property| property.name == name);
                for name in sent.keys().chain(got.keys()) {
                    let schema = match (described(name), object.others) {
                        (Some(property), _) => property.schema,
                        (None, Some(others)) => others,
                        // A field that is unknown is not kept.
                        (None, None) => continue,
                    };
                    let (sent, got) = (sent.get(name).unwrap_or(&Json::Null), got.get(name).unwrap_or(&Json::Null));
                    if !(self.says_nothing(schema, sent) && is_nothing(got)) {
                        self.same(schema, sent, got).map_err(|e| format!(".{name}{e}"))?;
                    }
                }
                Ok(())
            }
            (Kind::Choice(choices), ..) => equal(choices.iter().any(|choice| self.same(choice, sent, got).is_ok())),
            _ => equal(sent == got),
        }
    }

    /// Whether what was sent says nothing: a blank text in place of a number or a time, and a map with nothing else in it, too.
    fn says_nothing(&self, schema: &Value, sent: &Json) -> bool {
        match (self.kind(schema), sent) {
            (Kind::Object(object), Json::Object(members)) => {
                let of_map =
                    |name: &str| object.others.filter(|_| object.properties.iter().all(|known| known.name != name));
                members.iter().all(|(name, value)| of_map(name).is_some_and(|others| self.says_nothing(others, value)))
            }
            (kind, Json::Text(text)) => kind.is_read_from_a_token() && text.trim().is_empty(),
            _ => is_nothing(sent),
        }
    }
}

/// Whether a value says nothing.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::List(items) => items.is_empty(),
        Json::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The digits of an exact number, whatever its form.
fn written(value: &Json) -> Option<&str> {
    match value {
        Json::Text(digits) | Json::Number(digits) => Some(digits),
        _ => None,
    }
}

/// Equal as written; or, where an exponent says where the point is, equal when it is put there.
fn same_digits(sent: &str, got: &str) -> bool {
    if sent.contains(['e', 'E']) { point_put(sent) == point_put(got) } else { sent == got }
}

/// A number's sign and digits, and the place of its last digit, without zeros at either end.
fn point_put(number: &str) -> Option<(bool, String, i32)> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let place = exponent.parse::<i32>().ok()? - i32::try_from(part.len()).ok()?;
    let all = format!("{}{part}", whole.trim_start_matches('-'));
    let digits = all.trim_start_matches('0').trim_end_matches('0');
    let zeros = all.len() - all.trim_end_matches('0').len();
    let place = if digits.is_empty() { 0 } else { place + i32::try_from(zeros).ok()? };
    Some((whole.starts_with('-'), digits.to_owned(), place))
}

#[test]
fn digits_are_compared_as_written_and_exponents_by_their_meaning() {
    for (sent, got) in [("1.50", "1.50"), ("1.5e2", "150"), ("-12E-4", "-0.0012"), ("0e5", "0"), ("1200e-2", "12.00")] {
        assert!(same_digits(sent, got), "{sent} {got}");
    }
    for (sent, got) in [("1.50", "1.5"), ("1.5e2", "15"), ("1e-4", "0.00011"), ("-1e1", "10"), ("1", "1e0")] {
        assert!(!same_digits(sent, got), "{sent} {got}");
    }
}
