//! Texts that reach source code and documentation: what cannot stand there, also where YAML wrote it by an escape.

use serde_json::Value;

use crate::characters::{first_problem, name};
use crate::document::Document;
use crate::finding::Finding;
use crate::model::{operations, text};
use crate::source::step;

const HELP: &str = "delete it; where the venue sends it, describe it by its number";

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    visit(document, "", &document.value, findings);
    for operation in operations(document) {
        for (at, parameter) in operation.parameters(document) {
            let parameter = text(parameter, "name").unwrap_or_default();
            if let Some(c) = parameter.chars().find(|c| c.is_whitespace() || *c == '`') {
                let message = format!("the name of a parameter has the character {}", name(c));
                findings.push(document.finding(
                    "strange-character",
                    &at,
                    message,
                    "write the name as it stands in the URL",
                ));
            }
        }
    }
}

fn visit(document: &Document, at: &str, value: &Value, findings: &mut Vec<Finding>) {
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                visit(document, &step(at, &i.to_string()), item, findings);
            }
        }
        Value::Object(map) => {
            for (key, inner) in map {
                let below = step(at, key);
                let in_key =
                    first_problem(key).or_else(|| Some((key.chars().find(|c| c.is_control())?, "a control character")));
                report(document, &below, in_key, findings);
                visit(document, &below, inner, findings);
            }
        }
        Value::String(text) => report(document, at, first_problem(text), findings),
        _ => {}
    }
}

fn report(document: &Document, at: &str, problem: Option<(char, &str)>, findings: &mut Vec<Finding>) {
    if let Some((c, problem)) = problem {
        findings.push(document.finding("strange-character", at, format!("{} is {problem}", name(c)), HELP));
    }
}
