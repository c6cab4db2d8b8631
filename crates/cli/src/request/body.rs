//! The body of a call: from a file, or member by member.

use std::path::Path;

use serde_json::Value;
use venuekit_spec::Schema;

use super::value;
use crate::failure::Failure;
use crate::input;
use crate::lookup::Found;
use crate::raw_json::{RawJson, reason};
use crate::similar::{plain, suggestions};

/// Whether a body has such a member. One that the spec does not name is only taken where its place is said: `body/...`.
pub fn takes(body: &Schema, name: &str, is_placed: bool) -> bool {
    let is_named = body.fields().iter().any(|field| plain(&field.name) == plain(name));
    let is_list = body.items().is_some() && name.parse::<usize>().is_ok();
    is_named || is_list || is_placed && body.other_members().is_some()
}

/// Puts a value into a body, member by member.
pub fn insert(into: &mut RawJson, schema: &Schema, way: &[&str], text: &str) -> Result<(), String> {
    // What is not there yet.
    let empty = || RawJson::Scalar(String::new());
    let [name, rest @ ..] = way else {
        if text.is_empty() && !schema.words().is_empty() {
            return Err("is empty".to_owned());
        }
        let new = value::of(schema, text)?;
        match (into, new) {
            (place, new) if *place == empty() => *place = new,
            (RawJson::List(items), RawJson::List(more)) if !value::is_written_out(schema, text) => items.extend(more),
            _ => return Err("is given twice".to_owned()),
        }
        return Ok(());
    };
    if let (Some(schema), Ok(index)) = (schema.items(), name.parse::<usize>()) {
        if *into == empty() {
            *into = RawJson::List(Vec::new());
        }
        let RawJson::List(items) = into else { return Err("is not a list".to_owned()) };
        if index > items.len() {
            return Err(format!("the item before it is missing: {} comes next", items.len()));
        }
        if index == items.len() {
            items.push(empty());
        }
        return insert(&mut items[index], &schema, rest, text);
    }
    if *into == empty() {
        *into = RawJson::Object(Vec::new());
    }
    let RawJson::Object(members) = into else { return Err("is not an object".to_owned()) };
    let (fields, others) = (schema.fields(), schema.other_members());
    let field = fields.iter().find(|field| plain(&field.name) == plain(name));
    let (name, schema) = match (field, &others) {
        (Some(field), _) => (field.name.as_str(), &field.schema),
        (None, Some(other)) => (*name, other),
        (None, None) => return Err(unknown(name, fields.iter().map(|field| field.name.as_str()))),
    };
    let at = match members.iter().position(|(own, _)| own == name) {
        Some(at) => at,
        None => {
            members.push((name.to_owned(), empty()));
            members.len() - 1
        }
    };
    insert(&mut members[at].1, schema, rest, text)
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = suggestions(name, known.clone(), 3);
    let help = match near.as_slice() {
        [] => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
        near => format!("did you mean `{}`?", near.join("` or `")),
    };
    format!("there is no `{name}`; {help}")
}

/// The body that a file holds.
pub fn read(found: &Found, file: &Path, unknown: bool) -> Result<RawJson, Failure> {
    let text = input::text(file)?;
    let Some(schema) = &found.spec.body else {
        return Err(Failure::usage(format!("`{}` has no body", found.spec.name)));
    };
    let broken = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        Failure::usage(format!("{}:{line}:{column}: is not JSON: {}", input::shown(file), reason(&error)))
    };
    let value: Value = serde_json::from_str(&text).map_err(broken)?;
    if let Some(way) = schema.unknown_members(&value).first()
        && !unknown
    {
        let (above, last) = way.rsplit_once('/').unwrap_or(("", way));
        let fields = schema.at(above).map(|inner| inner.fields()).unwrap_or_default();
        let near = suggestions(last, fields.iter().map(|field| field.name.as_str()), 1);
        let near = near.first().map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        let help = format!("{near}--allow-unknown sends it unchanged");
        return Err(Failure::usage(format!("body/{way}: is not in the spec")).code("unknown_field").help(help));
    }
    RawJson::parse(&text).map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::operation;
    use crate::venue::Venue;

    #[test]
    fn a_way_leads_into_lists_and_objects() {
        let found = operation(Venue::named("kalshi"), "batch_create_orders_v2").unwrap();
        let schema = found.spec.body.as_ref().unwrap();
        let mut body = RawJson::Object(Vec::new());
        let mut set = |way: &str, text| insert(&mut body, schema, &way.split('/').collect::<Vec<_>>(), text);
        for (way, text) in [("orders/0/ticker", "A"), ("orders/0/count", "1.50"), ("orders/1/ticker", "B")] {
            set(way, text).unwrap();
        }
        for (way, text, said) in [
            ("orders/3/ticker", "C", "2 comes next"),
            ("orders/0/ticker", "C", "is given twice"),
            ("orders", r#"[{"ticker":"C"}]"#, "is given twice"),
            ("orders", r#"[{"ticker""#, "is not JSON: EOF"),
            ("orders/0/pric", "0.50", "there is no `pric`; did you mean `price`"),
        ] {
            let error = set(way, text).unwrap_err();
            assert!(error.contains(said), "{way}: {error}");
        }
        assert_eq!(body.compact(), r#"{"orders":[{"ticker":"A","count":"1.50"},{"ticker":"B"}]}"#);
    }
}
