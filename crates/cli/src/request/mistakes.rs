//! All that is wrong with a call, in sentences with their places.

use std::collections::HashSet;

use venuekit_spec::{ParameterLocation, RequestPart};

use super::{RequestBuilder, meaning, words};
use crate::failure::Failure;
use crate::lookup::Found;
use crate::similar::plain;

/// What the spec says of what was not given.
const REQUIRED: &str = "is required";

impl RequestBuilder {
    /// All that the spec says against the request.
    pub fn mistakes(&self, found: &Found) -> Vec<Failure> {
        let mut mistakes = self.draft(found).1;
        let problems = match words::check(self, found) {
            Ok((problems, _)) => problems,
            Err(failure) => {
                mistakes.push(failure);
                return mistakes;
            }
        };
        let without_value = found.spec.parameters.iter().filter(|one| one.place == ParameterLocation::Path);
        let without_value = without_value.filter(|one| self.path.iter().all(|(name, _)| *name != one.name));
        let without_value: Vec<&str> = without_value.map(|one| one.name.as_str()).collect();
        let mut missing: Vec<String> = without_value.iter().map(|name| format!("path/{name}")).collect();
        // What was named, and is wrong already, is not missing.
        missing.retain(|at| !self.is_mistaken(at.trim_start_matches("path/")));
        let mut seen = HashSet::new();
        for problem in problems {
            let in_body = matches!(problem.place, RequestPart::Body | RequestPart::Params | RequestPart::Json);
            if in_body && self.is_body_unread
                || problem.place == RequestPart::Path && without_value.contains(&problem.field())
            {
                continue;
            }
            let said = problem.to_string();
            let at = said.split(':').next().unwrap_or_default();
            // One value, one mistake.
            if !seen.insert(at.to_owned()) {
                continue;
            }
            match problem.reason.as_str() {
                REQUIRED if self.is_mistaken(problem.field()) => {}
                REQUIRED => missing.push(at.to_owned()),
                _ => {
                    let failure = self.wrong(found, at, problem.field(), &problem.reason);
                    let advice = failure.advice().unwrap_or_default().to_owned();
                    mistakes.push(match problem.wrong_word {
                        true => {
                            failure.help(format!("{advice}\n--allow-unknown sends a word that the spec does not list"))
                        }
                        false => failure,
                    });
                }
            }
        }
        mistakes.extend(self.without(found, missing));
        mistakes
    }

    fn is_mistaken(&self, name: &str) -> bool {
        self.mistaken.contains(&plain(name))
    }

    /// What is required and was not given.
    fn without(&self, found: &Found, missing: Vec<String>) -> Option<Failure> {
        let [first, more @ ..] = missing.as_slice() else { return None };
        let also = match more {
            [] => "",
            [_] => ", and so is ",
            _ => ", and so are ",
        };
        let field = first.split('/').nth(1).unwrap_or_default();
        let failure = self.wrong(found, first, field, &format!("{REQUIRED}{also}{}", more.join(", ")));
        Some(failure.detail("missing", missing))
    }

    /// What is wrong with a value, with what its place takes.
    pub(super) fn wrong(&self, found: &Found, at: &str, field: &str, reason: &str) -> Failure {
        let parameter = found.spec.parameters.iter().find(|one| one.name == field);
        let described = parameter.map(|one| (one.schema.kind(), meaning(one))).or_else(|| {
            let field = found.spec.fields().into_iter().find(|one| one.name == field)?;
            Some((field.schema.kind(), field.description))
        });
        let mut said = format!("{at}: {reason}");
        if reason == "must be an integer"
            && let Some(unit) = described.as_ref().and_then(|(kind, _)| unit(kind))
        {
            said.push_str(&format!(": {unit} since 1970"));
        }
        let failure = Failure::usage(said).code("invalid_parameter").detail("at", at);
        match described {
            Some((kind, description)) => failure.help(format!("{field} ({kind}) {description}").trim_end().to_owned()),
            None => failure.help(format!("see `venuekit describe {} {}`", found.venue, found.spec.name)),
        }
    }
}

/// What is counted from the beginning of 1970.
fn unit(kind: &str) -> Option<&'static str> {
    match kind {
        "unix-s" => Some("seconds"),
        "unix-ms" => Some("milliseconds"),
        "unix-us" => Some("microseconds"),
        "unix-ns" => Some("nanoseconds"),
        _ => None,
    }
}
