//! What a response must hold before a call counts as done.

use venuekit_spec::{Lack, Request, Schema};

use crate::lookup::Found;
use crate::raw_json::RawJson;

/// What a response lacks: of what the spec calls vital, and of entries for the items of a batch.
pub fn lack(found: &Found, request: &Request, response: &RawJson) -> Option<Lack> {
    let value = response.outline();
    found.spec.lacks(Some(&value)).or_else(|| missing_entries(found, request, response))
}

/// A batch whose response has fewer entries than the request has items.
fn missing_entries(found: &Found, request: &Request, response: &RawJson) -> Option<Lack> {
    let list = found.row.rate.iter().find_map(|rate| rate.per_item)?;
    let sent = count(&RawJson::parse(std::str::from_utf8(&request.body).ok()?).ok()?, list)?;
    let fields = found.spec.answer.as_ref().map(Schema::fields).unwrap_or_default();
    let list = fields.into_iter().find(|field| field.required && field.schema.types().contains("array"))?.name;
    let entries = count(response, &list)?;
    (entries < sent).then(|| Lack { at: list, reason: format!("has {entries} of {sent} entries") })
}

fn count(value: &RawJson, name: &str) -> Option<usize> {
    match value.member(name)? {
        RawJson::List(items) => Some(items.len()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::*;
    use crate::lookup::operation;
    use crate::venue::Venue;

    #[test]
    fn a_batch_has_an_entry_for_each_item() {
        for (venue, name, body, response, said) in [
            (
                Venue::named("kalshi"),
                "batch_create_orders_v2",
                r#"{"orders":[{},{}]}"#,
                r#"{"orders":[{"order_id":"a"}]}"#,
                Some("has 1 of 2 entries"),
            ),
            (
                Venue::named("kalshi"),
                "batch_cancel_orders_v2",
                r#"{"orders":[{}]}"#,
                r#"{"orders":[]}"#,
                Some("has 0 of 1 entries"),
            ),
            (
                Venue::named("bayse"),
                "batch_place_orders",
                r#"{"orders":[{}]}"#,
                r#"{"results":[]}"#,
                Some("has 0 of 1 entries"),
            ),
            (
                Venue::named("bayse"),
                "batch_cancel_orders",
                r#"{"orderIds":["a"]}"#,
                r#"{"results":[{"success":true}]}"#,
                None,
            ),
        ] {
            let found = operation(venue, name).unwrap();
            let (path, headers) = (String::new(), HeaderMap::new());
            let request = Request { method: Method::POST, path, query: None, headers, body: Bytes::from(body) };
            let found = lack(&found, &request, &RawJson::parse(response).unwrap()).map(|lack| lack.reason);
            assert_eq!(found.as_deref(), said, "{name}");
        }
    }
}
