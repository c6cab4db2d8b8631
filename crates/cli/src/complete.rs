//! What a shell offers: venues, operations of the venue that was written, and names that the operation takes.

use std::ffi::{OsStr, OsString};

use clap_complete::engine::CompletionCandidate;

use crate::call::build::names;
use crate::lookup;
use crate::subject::Subject;
use crate::venue::Venue;

/// Venues.
pub fn venues(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let all = Venue::ALL.iter().flat_map(|venue| {
        let within = venue.environments().into_iter().map(move |environment| format!("{venue}/{environment}"));
        [venue.to_string()].into_iter().chain(within.collect::<Vec<_>>())
    });
    // Environments are offered once their venue stands there.
    all.filter(|one| one.starts_with(&*current) && one.contains('/') == current.contains('/'))
        .map(CompletionCandidate::new)
        .collect()
}

/// Operations of the venue that was written.
pub fn operations(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(venue) = words().iter().find_map(|word| word.parse::<Subject>().ok()).map(|subject| subject.venue) else {
        return Vec::new();
    };
    let current = current.to_string_lossy();
    let fitting = venue.spec().operations.iter().filter(|one| one.name.starts_with(&*current));
    fitting.map(|one| CompletionCandidate::new(&one.name).help(Some(one.summary.clone().into()))).collect()
}

/// What the operation that was written takes, as `name=`, and the words that a value may be.
pub fn parameters(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = words();
    let mut words = words.iter();
    let subject = words.find_map(|word| word.parse::<Subject>().ok());
    let found = subject.and_then(|subject| words.find_map(|word| lookup::operation(subject.venue, word).ok()));
    let Some(found) = found else { return Vec::new() };
    let current = current.to_string_lossy();
    if let Some((name, written)) = current.split_once('=') {
        let parameter = found.spec.parameters.iter().find(|one| one.name == name).map(|one| one.schema.words());
        let field = || found.spec.fields().iter().find(|one| one.name == name).map(|one| one.schema.words());
        let values = parameter.or_else(field).unwrap_or_default().into_iter();
        let fitting = values.filter(|value| value.starts_with(written));
        return fitting.map(|value| CompletionCandidate::new(format!("{name}={value}"))).collect();
    }
    let names = names(found.spec).into_iter().filter(|name| name.starts_with(&*current));
    names.map(|name| CompletionCandidate::new(format!("{name}="))).collect()
}

/// The words of the line that is being completed: a shell hands them over after `--`.
fn words() -> Vec<String> {
    let all: Vec<OsString> = std::env::args_os().collect();
    let start = all.iter().position(|word| word == "--").map_or(all.len(), |at| at + 2);
    all.iter().skip(start).map(|word| word.to_string_lossy().into_owned()).collect()
}
