//! A text of the command line as the JSON that an operation takes.

use std::path::Path;

use serde_json::Value;
use venuekit_spec::Schema;

use crate::failure::Failure;
use crate::input;
use crate::raw_json::{RawJson, reason};

/// What stands behind a name: the text itself, or with `@` in front the contents of a file. Two `@` are one that is meant.
pub fn text(name: &str, written: &str) -> Result<String, Failure> {
    match written.strip_prefix('@') {
        Some(rest) if rest.starts_with('@') => Ok(rest.to_owned()),
        Some("") => {
            let help =
                format!("{name}=@FILE reads a file, {name}=@- standard input, and {name}=@@... begins with an @");
            Err(Failure::usage(format!("`{name}=@` names no file")).help(help))
        }
        Some(file) => {
            let text = input::text(Path::new(file))?;
            // The end of the last line is the file's, not the value's.
            let line = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
            Ok(line.to_owned())
        }
        None => Ok(written.to_owned()),
    }
}

/// The JSON value that a text stands for. What does not fit stays a text, for the schema to say what is wrong with it.
pub fn of(schema: &Schema, text: &str) -> Result<RawJson, String> {
    let types = schema.types();
    let is = |kind: &str| types.contains(kind);
    let word = |word: &str| (text == word).then(|| RawJson::Scalar(word.to_owned()));
    let found = if is_written_out(schema, text) {
        match RawJson::parse(text.trim()) {
            Err(error) if !is("string") => return Err(format!("is not JSON: {}", reason(&error))),
            parsed => parsed.ok(),
        }
    } else if types.is_empty() {
        RawJson::parse(text.trim()).ok()
    } else if is("array") && !is("string") {
        let item = schema.items().map_or_else(|| Ok(RawJson::text(text)), |items| of(&items, text))?;
        Some(RawJson::List(vec![item]))
    } else if is("integer") || is("number") {
        number(text)
    } else {
        None
    };
    if let Some(found) = &found {
        // A number that is too big is JSON, and nobody could read it.
        serde_json::from_str::<Value>(&found.compact())
            .map_err(|error| format!("cannot be sent: {}", reason(&error)))?;
    }
    let boolean = || if is("boolean") { word("true").or_else(|| word("false")) } else { None };
    let null = || if is("null") || !is("string") { word("null") } else { None };
    Ok(found.or_else(boolean).or_else(null).unwrap_or_else(|| RawJson::text(text)))
}

/// Whether a list or an object is written as JSON.
pub fn is_written_out(schema: &Schema, text: &str) -> bool {
    let types = schema.types();
    let begins = |kind: &str, bracket: char| types.contains(kind) && text.trim_start().starts_with(bracket);
    begins("array", '[') || begins("object", '{')
}

/// None where it is no number at all.
fn number(text: &str) -> Option<RawJson> {
    let is_number = |raw: &str| raw.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    match RawJson::parse(text.trim()) {
        Ok(RawJson::Scalar(raw)) if is_number(&raw) => Some(RawJson::Scalar(raw)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::operation;
    use crate::venue::Venue;

    fn field(venue: Venue, name: &str, field: &str) -> Schema {
        let fields = operation(venue, name).unwrap().spec.fields();
        fields.into_iter().find(|one| one.name == field).unwrap().schema
    }

    fn shown(schema: &Schema, text: &str) -> String {
        of(schema, text).unwrap().compact()
    }

    #[test]
    fn a_text_becomes_what_the_spec_wants_with_all_its_digits() {
        let price = field(Venue::named("kalshi"), "create_order_v2", "price");
        assert_eq!(shown(&price, "0.5600"), r#""0.5600""#, "decimals as text");
        let amount = field(Venue::named("deribit"), "buy", "amount");
        assert_eq!(shown(&amount, "0.10000000000000000001"), "0.10000000000000000001", "decimals as numbers");
        assert_eq!(shown(&amount, "ten"), r#""ten""#, "for the schema to refuse");
        assert_eq!(of(&amount, "1e400").unwrap_err(), "cannot be sent: number out of range");
        let post_only = field(Venue::named("deribit"), "buy", "post_only");
        assert_eq!(shown(&post_only, "true"), "true");
        let scopes = field(Venue::named("kalshi"), "generate_api_key", "scopes");
        assert_eq!(shown(&scopes, "read"), r#"["read"]"#);
        assert_eq!(shown(&scopes, r#"["read","write"]"#), r#"["read","write"]"#);
        assert_eq!(of(&scopes, "[1e400]").unwrap_err(), "cannot be sent: number out of range");
        assert!(of(&scopes, r#"["read""#).unwrap_err().starts_with("is not JSON: EOF"));
    }
}
