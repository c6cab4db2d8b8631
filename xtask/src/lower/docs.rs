//! Descriptions become rustdoc: brackets and angles are not links, indented text is not a test, and what is deprecated says so.

use serde_json::Value;

use crate::document::Document;
use crate::lower::each_mut;

pub fn apply(document: &mut Document) {
    each_mut(&mut document.value, &mut |value| {
        let deprecated = value.get("deprecated") == Some(&Value::Bool(true));
        for key in ["description", "summary"] {
            if let Some(Value::String(text)) = value.get_mut(key) {
                *text = rustdoc(text);
            }
        }
        if deprecated {
            let text = value.get("description").and_then(Value::as_str).unwrap_or_default();
            value["description"] = format!("Deprecated by the venue. {text}").trim().into();
        }
    });
}

fn rustdoc(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.trim().lines() {
        // A lone carriage return is no comment in Rust.
        let line = line.trim().replace("```", "").replace(char::is_control, " ");
        let mut escaped = String::with_capacity(line.len());
        let mut in_code = false;
        for c in line.chars() {
            in_code ^= c == '`';
            if !in_code && matches!(c, '[' | ']' | '<' | '>') {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        lines.push(escaped);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::rustdoc;

    #[test]
    fn text_is_neither_link_nor_test_nor_tag() {
        assert_eq!(rustdoc("    a [x] `[y]`\n    Vec<T>\n"), "a \\[x\\] `[y]`\nVec\\<T\\>");
    }
}
