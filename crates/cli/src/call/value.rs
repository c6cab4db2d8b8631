//! A text of the command line as the JSON that an operation takes.

use std::path::Path;

use venuekit_spec::Schema;

use crate::exact::Exact;
use crate::failure::Failure;
use crate::input;

/// What stands behind a name: the text itself, or with `@` in front the contents of a file. Two `@` are one that is meant.
pub fn text(written: &str) -> Result<String, Failure> {
    match written.strip_prefix('@') {
        Some(rest) if rest.starts_with('@') => Ok(rest.to_owned()),
        Some("-") => Ok(input::text(Path::new("-"))?.trim_end_matches(['\r', '\n']).to_owned()),
        Some(file) => input::text(Path::new(file)),
        None => Ok(written.to_owned()),
    }
}

/// The JSON value that a text stands for. What does not fit stays a text, for the schema to say what is wrong with it.
pub fn of(schema: &Schema, text: &str) -> Exact {
    let types = schema.types();
    let is = |kind: &str| types.contains(kind);
    let parsed = || Exact::parse(text.trim()).ok();
    let number = || parsed().filter(|value| matches!(value, Exact::Scalar(raw) if is_number(raw)));
    let written_out =
        is("array") && text.trim_start().starts_with('[') || is("object") && text.trim_start().starts_with('{');
    let found = if types.is_empty() || written_out {
        parsed()
    } else if is("array") && !is("string") {
        let item = schema.items().map_or_else(|| Exact::text(text), |items| of(&items, text));
        Some(Exact::List(vec![item]))
    } else if is("integer") || is("number") {
        number()
    } else {
        None
    };
    let word = |word: &str| (text == word).then(|| Exact::Scalar(word.to_owned()));
    let boolean = || if is("boolean") { word("true").or_else(|| word("false")) } else { None };
    let null = || if is("null") || !is("string") { word("null") } else { None };
    found.or_else(boolean).or_else(null).unwrap_or_else(|| Exact::text(text))
}

fn is_number(raw: &str) -> bool {
    raw.starts_with(|first: char| first == '-' || first.is_ascii_digit())
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

    #[test]
    fn a_text_becomes_what_the_spec_wants_with_all_its_digits() {
        let price = field(Venue::Kalshi, "create_order_v2", "price");
        assert_eq!(of(&price, "0.5600").compact(), r#""0.5600""#, "decimals as text");
        let amount = field(Venue::Deribit, "buy", "amount");
        assert_eq!(of(&amount, "0.10000000000000000001").compact(), "0.10000000000000000001", "decimals as numbers");
        assert_eq!(of(&amount, "ten").compact(), r#""ten""#, "for the schema to refuse");
        let post_only = field(Venue::Deribit, "buy", "post_only");
        assert_eq!(of(&post_only, "true").compact(), "true");
        let scopes = field(Venue::Kalshi, "generate_api_key", "scopes");
        assert_eq!(of(&scopes, "read").compact(), r#"["read"]"#);
        assert_eq!(of(&scopes, r#"["read","write"]"#).compact(), r#"["read","write"]"#);
    }
}
