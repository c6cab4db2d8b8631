//! `--strict`: what a response holds that the spec does not know.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};
use venuekit_spec::{Novelty, Unknown};

use crate::exact::Exact;
use crate::failure::{Exit, Failure};
use crate::lookup::Found;

/// What was unknown in the responses of a call.
#[derive(Debug, Default)]
pub struct Strict {
    found: RefCell<Vec<Unknown>>,
}

impl Strict {
    /// Looks at a response.
    pub fn look(&self, found: &Found, answer: &Exact) {
        let value = answer.outline();
        let unknown = match &found.spec.answer {
            Some(schema) => schema.unknown(&value),
            None => {
                let members = value.as_object().into_iter().flatten();
                members.map(|(name, _)| Unknown { at: name.clone(), what: Novelty::Member }).collect()
            }
        };
        self.found.borrow_mut().extend(unknown);
    }

    /// The failure that names all of it. Several pages name a member once, whatever item has it.
    pub fn verdict(&self, found: &Found, is_of_pages: bool) -> Result<(), Failure> {
        let mut unknown = self.found.take();
        if is_of_pages {
            let mut seen = BTreeSet::new();
            unknown.iter_mut().for_each(|one| one.at = of_any_item(&one.at));
            unknown.retain(|one| seen.insert(one.to_string()));
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let (name, count) = (&found.spec.name, unknown.len());
        let done = if found.is_write() { " was carried out, and" } else { ":" };
        let values = if count == 1 { "value" } else { "values" };
        let lines: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        let listed: Vec<Value> = unknown.iter().map(|one| json!({"at": one.at, "what": word(one.what)})).collect();
        let message = format!("{name}{done} its response has {count} {values} that the spec does not know");
        Err(Failure::new(Exit::Fault, message).code("unknown_values").help(lines.join("\n")).detail("unknown", listed))
    }
}

fn word(what: Novelty) -> &'static str {
    match what {
        Novelty::Member => "member",
        Novelty::Word => "word",
    }
}

fn of_any_item(way: &str) -> String {
    let step = |step: &str| if step.parse::<usize>().is_ok() { "*".to_owned() } else { step.to_owned() };
    way.split('/').map(step).collect::<Vec<_>>().join("/")
}
