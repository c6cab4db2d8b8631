//! `--strict`: what a response holds that the spec does not know.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};
use venuekit_spec::{Novelty, Unknown};

use crate::failure::{Exit, Failure};
use crate::lookup::Found;
use crate::raw_json::RawJson;
use crate::visible::on_one_line;

/// What was unknown in the responses of a call.
#[derive(Debug, Default)]
pub struct Strict {
    found: RefCell<Vec<Unknown>>,
}

impl Strict {
    /// Looks at a response.
    pub fn look(&self, found: &Found, response: &RawJson) {
        let value = response.outline();
        let unknown = match &found.spec.answer {
            Some(schema) => schema.unknown(&value),
            None => {
                let members = value.as_object().into_iter().flatten();
                let unknown = |name: &String| Unknown { at: name.clone(), path: name.clone(), what: Novelty::Member };
                members.map(|(name, _)| unknown(name)).collect()
            }
        };
        self.found.borrow_mut().extend(unknown);
    }

    /// The failure that names all of it. Several pages name a member once, whatever item has it.
    pub fn verdict(&self, found: &Found, is_of_pages: bool) -> Result<(), Failure> {
        let mut unknown = self.found.take();
        if is_of_pages {
            let mut seen = BTreeSet::new();
            unknown.iter_mut().for_each(|one| one.path = of_any_item(&one.path));
            unknown.retain(|one| seen.insert(one.to_string()));
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let (name, count) = (&found.spec.name, unknown.len());
        let done = if found.is_write() { " was executed, and" } else { ":" };
        let values = if count == 1 { "value" } else { "values" };
        let lines: Vec<String> = unknown.iter().map(|one| on_one_line(&one.to_string())).collect();
        let listed: Vec<Value> = unknown.iter().map(document).collect();
        let message = format!("{name}{done} its response has {count} {values} that the spec does not know");
        Err(Failure::new(Exit::Fault, message).code("unknown_values").help(lines.join("\n")).detail("unknown", listed))
    }
}

/// For scripts.
fn document(unknown: &Unknown) -> Value {
    match &unknown.what {
        Novelty::Member => json!({"path": unknown.path}),
        Novelty::Word(word) => json!({"path": unknown.path, "value": word}),
        Novelty::Null => json!({"path": unknown.path, "value": null}),
    }
}

/// The path without the numbers of items.
fn of_any_item(path: &str) -> String {
    let parts = path.split('[').enumerate().map(|(index, part)| match part.split_once(']') {
        Some((number, rest)) if index > 0 && number.parse::<usize>().is_ok() => format!("[*]{rest}"),
        _ if index > 0 => format!("[{part}"),
        _ => part.to_owned(),
    });
    parts.collect()
}
