//! Frames that are changed on purpose.

use serde_json::Value;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Puts a value at a JSON pointer into a frame. A member that is not there is added where its object is; a frame that has no
/// such place stays as it is.
pub(super) fn set(text: &Utf8Bytes, at: &str, to: &Value) -> Utf8Bytes {
    let Ok(mut frame) = serde_json::from_str::<Value>(text) else { return text.clone() };
    let Some((parent, name)) = at.rsplit_once('/') else { return text.clone() };
    let place = match frame.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.insert(name.replace("~1", "/").replace("~0", "~"), to.clone());
            true
        }
        Some(Value::Array(items)) => match name.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
            Some(item) => {
                *item = to.clone();
                true
            }
            None => false,
        },
        _ => false,
    };
    let end = if text.ends_with('\n') { "\n" } else { "" };
    if place { format!("{frame}{end}").into() } else { text.clone() }
}

/// Writes all numbers of a frame with an exponent, digit for digit.
pub(super) fn exponents(text: &Utf8Bytes) -> Utf8Bytes {
    let mut written = String::with_capacity(text.len() * 2);
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|one: char| one == '"' || one == '-' || one.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        written.push_str(before);
        let is_text = from.starts_with('"');
        let length = if is_text { text_length(from) } else { number_length(from) };
        let (token, after) = from.split_at(length);
        written.push_str(&if is_text { token.to_owned() } else { with_exponent(token) });
        rest = after;
    }
    written.push_str(rest);
    written.into()
}

/// The length of the JSON text at the beginning, with its quotes.
fn text_length(from: &str) -> usize {
    let mut is_escaped = false;
    let end = from.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(from.len(), |end| end + 2)
}

fn number_length(from: &str) -> usize {
    from.find(|one: char| !one.is_ascii_digit() && !"+-.eE".contains(one)).unwrap_or(from.len())
}

fn with_exponent(number: &str) -> String {
    if number.contains(['e', 'E']) {
        return number.to_owned();
    }
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let Some(first) = all.find(|one: char| one != '0') else { return format!("{sign}0e0") };
    // The first digit that counts stands before the point.
    let exponent = i64::try_from(whole.len()).unwrap_or_default() - 1 - i64::try_from(first).unwrap_or_default();
    let (lead, tail) = all[first..].split_at(1);
    let tail = tail.trim_end_matches('0');
    let point = if tail.is_empty() { "" } else { "." };
    format!("{sign}{lead}{point}{tail}e{exponent}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_written_with_an_exponent() {
        let frame = r#"{"a":5042.5,"b":[0.0,-0.00123,1000,-7],"c":"12.5 \" 3","d":1e2,"e":true}"#;
        let expected = r#"{"a":5.0425e3,"b":[0e0,-1.23e-3,1e3,-7e0],"c":"12.5 \" 3","d":1e2,"e":true}"#;
        let written = exponents(&Utf8Bytes::from(frame.to_owned()));
        assert_eq!(written.as_str(), expected);
        let values = |text: &str| -> Vec<Option<f64>> {
            let value: Value = serde_json::from_str(text).unwrap();
            value["b"].as_array().unwrap().iter().map(Value::as_f64).collect()
        };
        assert_eq!(values(&written), values(frame));
    }

    #[test]
    fn a_value_is_put_where_the_pointer_leads() {
        let frame = Utf8Bytes::from_static("{\"msg\":{\"side\":\"yes\",\"levels\":[[\"1\"]]}}\n");
        let altered = |at: &str, to: Value| set(&frame, at, &to).to_string();
        assert_eq!(altered("/msg/side", json!("maybe")), "{\"msg\":{\"levels\":[[\"1\"]],\"side\":\"maybe\"}}\n");
        assert_eq!(altered("/new", json!(1)), "{\"msg\":{\"levels\":[[\"1\"]],\"side\":\"yes\"},\"new\":1}\n");
        assert_eq!(altered("/msg/levels/0/0", json!(null)), "{\"msg\":{\"levels\":[[null]],\"side\":\"yes\"}}\n");
        for nowhere in ["", "/no/such/place", "/msg/levels/7", "/msg/side/x"] {
            assert_eq!(altered(nowhere, json!(1)), frame.as_str(), "{nowhere}");
        }
    }
}
