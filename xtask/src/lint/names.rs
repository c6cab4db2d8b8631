//! Names that are no names in Rust, are the same name twice, or are taken by what is generated around them.

use std::collections::HashMap;

use serde_json::Value;

use crate::document::{Document, Kind};
use crate::finding::Finding;
use crate::model::{Operation, collisions, members, operations, text};
use crate::names::{pascal, snake};
use crate::source::step;

/// Types that generated code names without a path.
pub const TYPES: [&str; 20] = [
    "Box",
    "Default",
    "Err",
    "Error",
    "From",
    "HashMap",
    "Into",
    "None",
    "Ok",
    "Option",
    "ResponseValue",
    "Result",
    "Self",
    "Some",
    "String",
    "ToString",
    "TryFrom",
    "TryInto",
    "Vec",
    "Client",
];

/// Types that the builders of operations name without a path.
const BUILDERS: [&str; 15] = [
    "Call",
    "DateTime",
    "Decimal",
    "DecimalNumber",
    "DecimalOrText",
    "Display",
    "IntegerOrText",
    "Open",
    "Pages",
    "Refused",
    "Secret",
    "UnixMicros",
    "UnixMillis",
    "UnixNanos",
    "UnixSeconds",
];

/// Methods of a client other than its operations, generated, written by hand, or of the traits it implements.
const METHODS: [&str; 16] = [
    "builder",
    "clock",
    "clone",
    "confirm",
    "connect",
    "connection",
    "fmt",
    "keys",
    "session",
    "streams",
    "websocket",
    "with_code",
    "with_rate_wait",
    "with_retry",
    "with_session",
    "with_timeout",
];

/// Methods of the builder of an operation, other than its parameters.
const PARAMETERS: [&str; 7] = ["body", "body_map", "client", "new", "refused", "send", "stream"];

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    let all = operations(document);
    types(document, &all, findings);
    for operation in &all {
        operation_name(document, operation, findings);
        parameters(document, operation, findings);
    }
    for (first, second) in collisions(all.iter().map(|operation| operation.id.as_str()), pascal) {
        let (first, second) = (&all[first], &all[second]);
        let what = if first.id == second.id {
            format!("the operation `{}` exists twice", second.id)
        } else {
            format!("the operations `{}` and `{}` are one name in Rust", first.id, second.id)
        };
        let message = format!("{what}: the other is at {}", document.locate(&first.pointer));
        findings.push(document.finding(
            "duplicate-operation",
            &second.pointer,
            message,
            "give one of them another operationId",
        ));
    }
}

fn types(document: &Document, all: &[Operation<'_>], findings: &mut Vec<Finding>) {
    let schemas: Vec<&str> =
        members(document.value.get("components").unwrap_or(&Value::Null), "schemas").map(|(name, _)| &**name).collect();
    for name in &schemas {
        let at = step("/components/schemas", name);
        if *name != pascal(name) && !name.chars().all(|c| c.is_ascii_alphanumeric())
            || !name.starts_with(|c: char| c.is_ascii_uppercase())
        {
            let message = format!("`{name}` is not in PascalCase");
            findings.push(document.finding("schema-name", &at, message, "name schemas like Rust types"));
        }
        if TYPES.contains(name) {
            let message = format!("generated code means another type by `{name}`");
            findings.push(document.finding("reserved-name", &at, message, "say more: what is it a name of?"));
        }
    }
    for (first, second) in collisions(schemas.iter().copied(), pascal) {
        let (first, second) = (schemas[first], schemas[second]);
        let [other, at] = [first, second].map(|name| step("/components/schemas", name));
        let message =
            format!("`{first}` and `{second}` are one name in Rust: the other is at {}", document.locate(&other));
        findings.push(document.finding("type-collision", &at, message, "rename one of them"));
    }
    if document.kind == Kind::OpenRpc {
        let mut cased: HashMap<String, &str> = HashMap::new();
        for name in &schemas {
            cased.entry(pascal(name)).or_insert(name);
        }
        for operation in all {
            if let Some(name) = cased.get(&format!("{}Params", operation.pascal())) {
                let at = step("/components/schemas", name);
                let message = format!("the params of `{}` become a type of this name", operation.id);
                findings.push(document.finding("type-collision", &at, message, "rename the schema"));
            }
        }
    }
}

fn operation_name(document: &Document, operation: &Operation<'_>, findings: &mut Vec<Finding>) {
    let (at, id) = (&operation.pointer, &operation.id);
    if id.is_empty() {
        let message = format!("{} {} has no operationId", operation.method, operation.path);
        findings.push(document.finding("no-operation-id", at, message, "name it as the venue does"));
    } else if snake(id) != *id {
        let message = format!("`{id}` cannot be the name of a method");
        findings.push(document.finding(
            "operation-name",
            at,
            message,
            "use letters, digits and dashes; no Rust keyword",
        ));
    } else if METHODS.contains(&id.as_str()) || TYPES.iter().chain(&BUILDERS).any(|name| *name == pascal(id)) {
        let message = format!("every client has something else called `{id}`");
        findings.push(document.finding("reserved-name", at, message, "say more: `get_`, `list_`, `create_` ..."));
    }
}

fn parameters(document: &Document, operation: &Operation<'_>, findings: &mut Vec<Finding>) {
    let all = operation.parameters(document);
    let named: Vec<(&String, &str)> =
        all.iter().filter_map(|(at, parameter)| Some((at, text(parameter, "name")?))).collect();
    for (first, second) in collisions(named.iter().map(|(_, name)| *name), snake) {
        let ((other, first), (at, second)) = (named[first], named[second]);
        let [other, at] = [other, at].map(|at| document.locate(at));
        let what = if first == second {
            format!("the parameter `{second}` is defined twice")
        } else {
            format!("the parameters `{first}` and `{second}` are one name in Rust")
        };
        let message = format!("{what}: at {other} and at {at}");
        let help = "the generator knows parameters by name only; leave one out or rename it";
        findings.push(document.finding("parameter-collision", &operation.pointer, message, help));
    }
    if document.kind == Kind::OpenRpc {
        return;
    }
    for (at, parameter) in &all {
        let name = text(parameter, "name").unwrap_or_default();
        if PARAMETERS.contains(&snake(name).as_str()) {
            let message = format!("every request has something else called `{name}`");
            let help = "the generator cannot rename a parameter: leave it out, and say so in sources.md";
            findings.push(document.finding("reserved-name", at, message, help));
        }
    }
}
