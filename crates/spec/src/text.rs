//! Made-up texts that keep to a schema.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::schema::is_valid;

/// Tried where nothing that the name suggests fits.
const ORDINARY: [&str; 10] =
    ["example", "EXAMPLE-1", "Example", "EXAMPLE", "example_1", "BTC", "1", "123456", "12:00", "+15550100"];

/// A text for a member of that name. The same name has the same text every time.
pub(super) fn make(schema: &Map<String, Value>, name: &str) -> String {
    let suggestions = by_format(schema).map_or_else(|| by_name(name), |text| vec![text]);
    let ordinary = ORDINARY.map(str::to_owned);
    let free = !["pattern", "minLength", "maxLength"].iter().any(|word| schema.contains_key(*word));
    if free && let [first, ..] = suggestions.as_slice() {
        return first.clone();
    }
    let mut candidates = suggestions.into_iter().chain(ordinary).chain(fitted(schema)).chain(from_pattern(schema));
    let fits = |text: &String| is_valid(schema, &Value::from(text.as_str()));
    candidates.find(fits).unwrap_or_else(|| "example".to_owned())
}

fn by_format(schema: &Map<String, Value>) -> Option<String> {
    let text = match schema.get("format")?.as_str()? {
        "decimal" => "1.0000",
        "date-time" => "2026-01-31T12:00:00Z",
        "date" => "2026-01-31",
        "time" => "12:00:00Z",
        "uuid" => "3f2b1a60-5c4d-4e8f-9a0b-1c2d3e4f5a6b",
        "uri" | "url" => "https://example.com/",
        "email" => "someone@example.com",
        "ipv4" => "192.0.2.1",
        "secret" => "made-up-secret",
        _ => return None,
    };
    Some(text.to_owned())
}

fn by_name(name: &str) -> Vec<String> {
    let lower = name.to_ascii_lowercase();
    let has = |part: &str| lower.contains(part);
    let text = if lower == "id" || lower.ends_with("_id") || name.ends_with("Id") || name.ends_with("ID") {
        return vec![uuid(name), digest(name)[..24].to_owned(), "EXAMPLE-1".to_owned()];
    } else if has("email") {
        "someone@example.com".to_owned()
    } else if has("url") || has("uri") || has("link") {
        "https://example.com/".to_owned()
    } else if has("ticker") {
        "KXEXAMPLE-26".to_owned()
    } else if has("address") {
        format!("0x{}", &digest(name)[..40])
    } else if has("hash") {
        format!("0x{}", digest(name))
    } else if has("currency") {
        "USD".to_owned()
    } else if has("phone") {
        "+15550100".to_owned()
    } else if has("country") {
        "NG".to_owned()
    } else {
        "example".to_owned()
    };
    vec![text]
}

fn digest(name: &str) -> String {
    hex::encode(Sha256::digest(name))
}

fn uuid(name: &str) -> String {
    let digits = digest(name);
    format!("{}-{}-4{}-8{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..32])
}

/// As long as it must be.
fn fitted(schema: &Map<String, Value>) -> Option<String> {
    let length = |word: &str| schema.get(word).and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let shortest = length("minLength").unwrap_or_default();
    let longest = length("maxLength").unwrap_or(shortest.max(7));
    Some("example".chars().cycle().take(shortest.max(7.min(longest))).collect())
}

/// Short texts that a pattern matches, where it is no more than a regular expression.
fn from_pattern(schema: &Map<String, Value>) -> Vec<String> {
    let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
    let Ok(hir) = regex_syntax::parse(pattern) else { return Vec::new() };
    let shortest = schema.get("minLength").and_then(Value::as_u64).and_then(|length| u32::try_from(length).ok());
    let repetitions = [1, 2, 3, shortest.unwrap_or(4)];
    let text = |times| {
        let mut text = String::new();
        sample(&hir, times, &mut text).map(|()| text)
    };
    repetitions.into_iter().filter_map(text).collect()
}

/// Writes a text that matches, with what may be repeated so many times.
fn sample(hir: &Hir, times: u32, text: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(()),
        HirKind::Literal(literal) => {
            text.push_str(std::str::from_utf8(&literal.0).ok()?);
            Some(())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = || class.ranges().iter();
            let readable = ranges().find(|range| range.start().is_ascii_alphanumeric());
            text.push(readable.or_else(|| ranges().next())?.start());
            Some(())
        }
        HirKind::Class(Class::Bytes(class)) => {
            text.push(char::from(class.ranges().first()?.start()));
            Some(())
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            (0..repetition.min.max(times).min(most)).try_for_each(|_| sample(&repetition.sub, times, text))
        }
        HirKind::Capture(capture) => sample(&capture.sub, times, text),
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| sample(part, times, text)),
        HirKind::Alternation(parts) => sample(parts.first()?, times, text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn text(schema: Value) -> String {
        make(schema.as_object().unwrap(), "name")
    }

    #[test]
    fn a_text_keeps_to_its_pattern_and_length() {
        for schema in [
            json!({"pattern": "^[A-Z]{3}_[0-9]{2}(-[a-z]+)?$"}),
            json!({"pattern": "^(?!example$)[a-z]+_[0-9]$"}),
            json!({"pattern": "^(buy|sell)$"}),
            json!({"minLength": 40}),
            json!({"maxLength": 3}),
            json!({"minLength": 2, "maxLength": 2, "pattern": "^[0-9a-f]+$"}),
        ] {
            let made = text(schema.clone());
            assert!(is_valid(schema.as_object().unwrap(), &json!(made)), "{schema}: {made}");
        }
    }

    #[test]
    fn an_id_is_the_same_every_time_and_its_own() {
        let free = Map::new();
        assert_eq!(make(&free, "order_id"), make(&free, "order_id"));
        assert_ne!(make(&free, "order_id"), make(&free, "user_id"));
        assert_eq!(make(&free, "order_id").len(), 36);
    }
}
