//! What a report may show of recorded values: what they are, and never a secret, an id or what belongs to a person.

use serde_json::Value;

/// The longest word that is shown.
const LONGEST_WORD: usize = 24;

/// The longest name that is shown.
const LONGEST_NAME: usize = 48;

/// Parts of names whose values are secret or of a person.
const SENSITIVE: [&str; 28] = [
    "secret",
    "token",
    "password",
    "passwd",
    "passphrase",
    "signature",
    "sign",
    "auth",
    "credential",
    "cookie",
    "session",
    "private",
    "api_key",
    "apikey",
    "key",
    "otp",
    "pin",
    "cvv",
    "pan",
    "mail",
    "phone",
    "address",
    "name",
    "iban",
    "account",
    "user",
    "memo",
    "note",
];

/// A value that our spec does not know: its type and its shape, and a word only where it is plainly one of an enum.
pub fn example(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(number) if number.is_f64() => "a number".to_owned(),
        Value::Number(_) => "a whole number".to_owned(),
        Value::String(text) if !is_sensitive(name) && is_word(text) && !is_capitalized(text) => format!("`{text}`"),
        Value::String(text) => shape(text),
        Value::Array(items) => match items.first() {
            None => "an empty list".to_owned(),
            Some(first) => format!("a list of {}, such as {}", items.len(), example(name, first)),
        },
        Value::Object(members) => {
            let mut names: Vec<String> = members.keys().take(6).map(|name| shown_name(name)).collect();
            if members.len() > names.len() {
                names.push(format!("{} more", members.len() - names.len()));
            }
            format!("an object with {}", names.join(", "))
        }
    }
}

/// A text without what it says.
fn shape(text: &str) -> String {
    let length = text.chars().count();
    let what = if text.is_empty() {
        return "an empty text".to_owned();
    } else if text.parse::<f64>().is_ok() {
        "a number as a text"
    } else if is_time(text) {
        "a time as a text"
    } else {
        "a text"
    };
    format!("{what} of {length} characters")
}

/// `2026-11-29T17:00:00Z` and the like.
pub fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..10]
            .iter()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() })
}

/// A value of one of our enums that the enum lacks.
pub fn value(name: &str, text: &str) -> String {
    if !is_sensitive(name) && is_word(text) { text.to_owned() } else { format!("({})", shape(text)) }
}

/// Whether a text is plainly a word of an enum: letters and a few separators, pronounceable, without digits but a version's.
fn is_word(text: &str) -> bool {
    let letters = text.chars().filter(char::is_ascii_alphabetic).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | ' '));
    let cases = {
        // A random text changes between capitals and small letters; a word does so where a part of it begins.
        let all: Vec<char> = text.chars().filter(char::is_ascii_alphabetic).collect();
        all.windows(2).filter(|pair| pair[0].is_ascii_lowercase() != pair[1].is_ascii_lowercase()).count()
    };
    let vowels = text.chars().filter(|c| "aeiouyAEIOUY".contains(*c)).count();
    let longest_part = text.split(['_', '-', '.', ':', ' ']).map(str::len).max().unwrap_or_default();
    (1..=LONGEST_WORD).contains(&text.len())
        && is_plain
        && letters > 0
        && digits <= 2
        && longest_part <= 16
        && cases <= 2 * (1 + letters / 6)
        && (letters <= 4 || vowels * 6 >= letters)
}

/// Whether a text is written like the name of a person or a place.
fn is_capitalized(text: &str) -> bool {
    let mut letters = text.chars().filter(char::is_ascii_alphabetic);
    letters.next().is_some_and(|c| c.is_ascii_uppercase()) && letters.any(|c| c.is_ascii_lowercase())
}

/// Whether the values of a name are better not shown.
pub fn is_sensitive(name: &str) -> bool {
    let mut plain = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && plain.ends_with(|before: char| before.is_ascii_lowercase()) {
            plain.push('_');
        }
        plain.extend(c.to_lowercase());
    }
    SENSITIVE.iter().any(|part| plain.contains(part))
}

/// A member's name; one that is an id or a key itself is not shown.
pub fn shown_name(name: &str) -> String {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let is_identifier = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '$'));
    let longest_part = name.split(['_', '-', '.']).map(str::len).max().unwrap_or_default();
    let is_name = is_identifier && digits <= 4 && (1..=LONGEST_NAME).contains(&name.len()) && longest_part <= 32;
    // Runs of letters and digits in turn are ids.
    let turns = name.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    if is_name && turns <= 4 { name.to_owned() } else { format!("(a name of {} characters)", name.chars().count()) }
}

/// A path of a URL without what may be an id.
pub fn shown_path(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let is_word = segment.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '-'))
            || matches!(segment, "v1" | "v2" | "v3" | "v4" | "v5");
        if segment.len() <= 32 && is_word { segment } else { "{}" }
    });
    segments.collect::<Vec<_>>().join("/")
}
