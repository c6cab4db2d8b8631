//! Descriptions become rustdoc, which shows them as they are written; what is deprecated says so.

use serde_json::Value;

use crate::document::Document;
use crate::lower::each_mut;
use crate::markup;

pub fn apply(document: &mut Document) {
    each_mut(&mut document.value, &mut |value| {
        let deprecated = value.get("deprecated") == Some(&Value::Bool(true));
        for key in ["description", "summary"] {
            if let Some(Value::String(text)) = value.get_mut(key) {
                *text = markup::text(text);
            }
        }
        if deprecated {
            let text = value.get("description").and_then(Value::as_str).unwrap_or_default();
            value["description"] = format!("Deprecated by the venue. {text}").trim().into();
        }
    });
}
