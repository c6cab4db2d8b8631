//! Words that the spec does not list: a venue may have new ones.

use serde_json::Value;
use venuekit_spec::{Problem, Request, RequestPart};
use venuekit_wire::operation::Protocol;

use super::RequestBuilder;
use crate::failure::Failure;
use crate::lookup::Found;
use crate::raw_json::{RawJson, reason};

/// All that is wrong with a request, and where its unlisted words stand, if those are allowed.
pub fn check(given: &RequestBuilder, found: &Found) -> Result<(Vec<Problem>, Vec<String>), Failure> {
    // With a listed word in the place of each unlisted one, the rest is checked too.
    let (mut listed, mut unlisted) = (given.clone(), Vec::new());
    loop {
        let problems = problems(found, &listed.draft(found).0)?;
        let before = unlisted.len();
        for problem in problems.iter().filter(|problem| problem.wrong_word && given.takes_unlisted()) {
            if put_listed(&mut listed, found, problem) {
                unlisted.push(problem.at.clone());
            }
        }
        if unlisted.len() == before {
            return Ok((problems, unlisted));
        }
    }
}

fn problems(found: &Found, request: &Request) -> Result<Vec<Problem>, Failure> {
    Ok(match found.venue.table().protocol {
        Protocol::Rest => found.spec.problems(request),
        Protocol::JsonRpc => {
            let unread = |error| Failure::usage(format!("body: cannot be sent: {}", reason(&error)));
            let params: Value = serde_json::from_slice(&request.body).map_err(unread)?;
            found.spec.problems_of_params(&params)
        }
    })
}

/// Replaces an unlisted word with a listed one. False if no word is listed, or if the value is not a text.
fn put_listed(given: &mut RequestBuilder, found: &Found, problem: &Problem) -> bool {
    let word_of = |schema: &venuekit_spec::Schema| schema.words().into_iter().next();
    if matches!(problem.place, RequestPart::Body | RequestPart::Params) {
        let schema = found.spec.body.as_ref().and_then(|body| body.at(&problem.at));
        let value = given.body_mut().and_then(|body| body.at_way(&problem.at));
        let (Some(word), Some(value)) = (schema.as_ref().and_then(word_of), value) else { return false };
        let word = RawJson::text(&word);
        let is_other_text = matches!(value, RawJson::Scalar(raw) if raw.starts_with('"')) && *value != word;
        if is_other_text {
            *value = word;
        }
        return is_other_text;
    }
    let name = problem.field();
    let Some(parameter) = found.spec.parameters.iter().find(|one| one.name == name) else { return false };
    let items = parameter.schema.items();
    let words = items.as_ref().unwrap_or(&parameter.schema).words();
    let Some(word) = words.first() else { return false };
    let mut is_changed = false;
    for text in given.texts_mut(name).filter(|text| !words.contains(text)) {
        text.clone_from(word);
        is_changed = true;
    }
    is_changed
}
