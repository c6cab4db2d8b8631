//! Where a venue takes more than its documentation says.

use serde_json::{Value, json};

/// Marks a schema whose enum is not enforced.
pub(super) const OPEN: &str = "x-open";

/// Enums in requests whose unknown values are taken: Bayse reads them as `SKIP`, Yativo knows older words, and its list of
/// categories ends in "etc.".
const OPEN_ENUMS: [(&str, &str); 4] =
    [("bayse", "StpMode"), ("yativo", "KeyScope"), ("yativo", "KeyScopeFirstGen"), ("yativo", "SendCategory")];

/// Whether no body at all counts as an empty object. Yativo's own library sends none where nothing is to be said.
pub(super) fn takes_empty_body(venue: &str) -> bool {
    venue == "yativo"
}

/// Marks what is not enforced.
pub(super) fn open_enums(venue: &str, components: &mut Value) {
    for (_, name) in OPEN_ENUMS.iter().filter(|(one, _)| *one == venue) {
        if let Some(schema) = components["schemas"].get_mut(*name).and_then(Value::as_object_mut) {
            schema.insert(OPEN.to_owned(), true.into());
        }
    }
}

/// What a JSON-RPC param may be besides what the spec says.
pub(super) fn other_form(method: &str, param: &str) -> Option<Value> {
    match (method, param) {
        // The documentation of Deribit shows a text, its machine-readable form a list.
        (_, "max_scope") => Some(json!({"type": "array", "items": {"type": "string"}})),
        ("public/auth", "timestamp") => Some(json!({"type": "string", "pattern": "^[0-9]+$"})),
        _ => None,
    }
}

/// Whether a JSON-RPC param may be left out although the spec has it always sent: by Deribit's text any one is enough for a key,
/// and ccxt asks for all instruments without a currency.
pub(super) fn may_be_left_out(method: &str, param: &str) -> bool {
    [("private/edit_api_key", "max_scope"), ("public/get_instruments", "currency")].contains(&(method, param))
}

/// Whether a body has an older shape that only the venue's handler knows: Yativo's library sends transfers like this.
pub(super) fn is_older_shape(operation: &str, body: &Value) -> bool {
    operation == "sendFunds" && body.get("from_asset_id").is_some()
}
