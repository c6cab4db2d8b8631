//! Idempotency keys: one a call, the same in every attempt.
//!
//! A key is what makes a write repeatable, so one that the venue may not take as such is refused before anything is sent.

use uuid::Uuid;
use venuekit_wire::operation::KeyBounds;

/// The longest key, in characters, where the venue's sources do not say. A key that a venue truncates is another key.
const LONGEST: usize = 255;

/// A new key.
pub(crate) fn new_key() -> String {
    Uuid::new_v4().to_string()
}

/// What is said of a key that is refused.
pub(crate) fn refusal(name: &str, problem: impl std::fmt::Display) -> String {
    format!("nothing was sent: the idempotency key `{name}` {problem}")
}

/// Whether a venue takes this for a key, and which one.
pub(crate) fn check(key: &str, bounds: Option<KeyBounds>) -> Result<(), String> {
    let (shortest, longest) = bounds.map_or((1, None), |bounds| (bounds.shortest.max(1), bounds.longest));
    let longest = longest.unwrap_or(LONGEST);
    let length = key.chars().count();
    if key.chars().all(is_blank) {
        return Err("is empty, which a venue treats as no key; leave it out to get a new one".to_owned());
    }
    if key.chars().any(|character| character.is_control() || is_invisible(character)) {
        return Err("has control or invisible characters".to_owned());
    }
    if key.trim() != key {
        return Err("begins or ends with a space, which may be lost on the way".to_owned());
    }
    if length < shortest {
        return Err(format!("has {length} characters; the venue requires at least {shortest}"));
    }
    if length > longest {
        return Err(format!("has {length} characters; at most {longest} are allowed"));
    }
    Ok(())
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || character.is_control() || is_invisible(character)
}

/// Characters that show nothing, which some systems drop.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use venuekit_wire::operation::{Key, Operation, Repeat, Retry};

    use super::*;
    use crate::call::{Call, JsonBody};
    use crate::fixtures;

    static IN_BODY: Operation = operation(Key::Field("key"));
    static IN_HEADER: Operation = operation(Key::Header("Idempotency-Key"));

    const fn operation(key: Key) -> Operation {
        let bounds = KeyBounds { shortest: 2, longest: Some(40), repeat: Repeat::Replayed };
        Operation { retry: Retry::Keyed(key), key: Some(bounds), ..fixtures::OPERATION }
    }

    /// The key that comes of a body, and the body that is sent.
    fn with_body(body: &str) -> Result<(String, String), String> {
        let body = JsonBody::new(&IN_BODY, body).map_err(|error| error.to_string())?;
        let mut call = Call::new(&IN_BODY).body(body);
        call.ready().map_err(|error| error.to_string())?;
        Ok((call.key.clone().unwrap(), call.json().to_owned()))
    }

    fn with_headers(keys: &[&str]) -> Result<String, String> {
        let call = Call::new(&IN_HEADER);
        let mut call = keys.iter().fold(call, |call, key| call.header("idempotency-key", Some(key)));
        call.ready().map_err(|error| error.to_string())?;
        Ok(call.key.unwrap())
    }

    #[test]
    fn a_key_is_kept_and_a_missing_one_is_made() {
        for body in [r#"{"a":1.50,"key":"mine-1"}"#, r#"{"k\u0065y":"mine-1"}"#, r#"{"key":"\u006dine-1"}"#] {
            assert_eq!(with_body(body), Ok(("mine-1".to_owned(), body.to_owned())));
        }
        let (key, sent) = with_body(r#"{"a":1.50}"#).unwrap();
        assert_eq!(sent, format!(r#"{{"a":1.50,"key":"{key}"}}"#));
        assert_eq!(key.len(), 36);
        assert_eq!(with_headers(&["mine 1"]).as_deref(), Ok("mine 1"));
        assert_eq!(with_headers(&[]).unwrap().len(), 36);
    }

    #[test]
    fn what_a_venue_may_not_take_as_a_key_is_refused() {
        let long = format!(r#"{{"key":"{}"}}"#, "x".repeat(41));
        for (body, problem) in [
            (r#"{"key":""}"#, "is empty"),
            (r#"{"key":" \t\n"}"#, "is empty"),
            (r#"{"key":"\u00a0\u3000"}"#, "is empty"),
            (r#"{"key":"\u200b\ufeff"}"#, "is empty"),
            (r#"{"key":"\u0000"}"#, "is empty"),
            (r#"{"k\u0065y":""}"#, "is empty"),
            (r#"{"key":"a\nb"}"#, "control"),
            (r#"{"key":"a\u0085b"}"#, "control"),
            (r#"{"key":"ab\u202e"}"#, "invisible"),
            (r#"{"key":" ab"}"#, "begins or ends"),
            (r#"{"key":"ab "}"#, "begins or ends"),
            (r#"{"key":"a"}"#, "at least 2"),
            (&long, "at most 40"),
            (r#"{"key":null}"#, "is not a string"),
            (r#"{"key":7}"#, "is not a string"),
            (r#"{"key":["ab"]}"#, "is not a string"),
            (r#"{"key":"\ud800"}"#, "is not a string"),
            (r#"{"key":"ab","key":"ab"}"#, "more than once"),
            (r#"{"key":"ab","k\u0065y":""}"#, "more than once"),
            ("[]", "not a JSON object"),
        ] {
            let error = with_body(body).unwrap_err();
            assert!(error.contains(problem) && error.contains("nothing was sent"), "{body}: {error}");
        }
        for (keys, problem) in [
            (&[""][..], "is empty"),
            (&["  \t"], "is empty"),
            (&["ab\tc"], "control"),
            (&["ab "], "begins or ends"),
            (&["\u{fc}"], "use ASCII"),
            (&["a\nb"], "use ASCII"),
            (&["ab", "ab"], "more than once"),
            (&[&"x".repeat(41)], "at most 40"),
        ] {
            let error = with_headers(keys).unwrap_err();
            assert!(error.contains(problem), "{keys:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_key_that_is_taken_can_be_seen_and_comes_back_as_it_was(key in "\\PC{0,50}|[ -~]{0,50}|\\s*") {
            let body = serde_json::json!({ "key": key }).to_string();
            if let Ok((taken, sent)) = with_body(&body) {
                prop_assert_eq!(&sent, &body);
                prop_assert_eq!(&taken, &key);
                prop_assert!(key.chars().any(|character| !is_blank(character)));
                prop_assert!((2..=40).contains(&key.chars().count()));
            }
        }
    }
}
