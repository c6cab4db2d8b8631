//! What can be said of variables beyond the credential in them: which are missing, which are not looked at.

use std::ffi::OsString;

use venuekit_wire::operation::Venue;
use venuekit_wire::variables::Variables;

use crate::environment;
use crate::error::Error;

/// The error for variables that hold nothing.
pub(super) fn none(venue: &'static Venue, prefix: &str, lookup: &impl Fn(&str) -> Option<OsString>) -> Error {
    let variables = &venue.variables;
    let mut hints = halves(variables, prefix, lookup);
    hints.extend(
        elsewhere(venue, prefix, lookup).into_iter().map(|(name, of)| format!("{name} is set, which is for {of}")),
    );
    let hints = if hints.is_empty() { String::new() } else { format!(" ({})", hints.join(", ")) };
    Error::invalid_request(format!(
        "no environment variables with credentials of {} are set{hints}; set {}",
        venue.name,
        names(variables, prefix)
    ))
}

/// The variables that may be set, for a sentence that says so.
pub fn names(variables: &Variables, prefix: &str) -> String {
    let with_id = variables.credentials.iter().filter_map(|one| Some((one.id?, one.secret)));
    let shown = with_id.map(|(id, secret)| format!("{prefix}_{id} and {prefix}_{secret}"));
    shown.collect::<Vec<_>>().join(", or ")
}

/// What is said of pairs of which something is there and that are not whole: of each variable, whether it is set.
pub fn halves(variables: &Variables, prefix: &str, lookup: impl Fn(&str) -> Option<OsString>) -> Vec<String> {
    let mut said: Vec<(String, &str)> = Vec::new();
    for one in variables.credentials {
        let names: Vec<String> =
            one.id.into_iter().chain([one.secret]).map(|name| format!("{prefix}_{name}")).collect();
        if names.iter().all(|name| lookup(name).is_none()) {
            continue;
        }
        for name in names {
            if said.iter().all(|(known, _)| *known != name) {
                let word = match lookup(&name).map(|value| value.is_empty()) {
                    Some(false) => "is set",
                    Some(true) => "is empty",
                    None => "is not set",
                };
                said.push((name, word));
            }
        }
    }
    said.into_iter().map(|(name, word)| format!("{name} {word}")).collect()
}

/// Secrets that are set under other beginnings than this one: the first of each environment.
pub fn elsewhere(
    venue: &'static Venue,
    looked_at: &str,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Vec<(String, &'static str)> {
    let is_set = |name: &String| lookup(name).is_some_and(|value| !value.is_empty());
    let others = environment::names(venue).filter_map(|environment| {
        let prefix = venue.variables.prefix(environment);
        let mut names = venue.variables.credentials.iter().map(|one| format!("{prefix}_{}", one.secret));
        Some((names.find(is_set).filter(|_| prefix != looked_at)?, environment))
    });
    others.collect()
}
