//! What a shell offers: venues, environments, operations of the venue that was written, names that the operation takes, and values.

use std::ffi::{OsStr, OsString};

use clap_complete::engine::CompletionCandidate;
use venuekit_spec::Schema;
use venuekit_wire::stream::{Parameter, ParameterKind};

use crate::lookup::{self, Found};
use crate::subject::Subject;
use crate::topic;
use crate::venue::Venue;

/// Venues.
pub fn venues(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let all = Venue::all().flat_map(|venue| {
        let within = venue.environments().into_iter().map(move |environment| format!("{venue}/{environment}"));
        [venue.to_string()].into_iter().chain(within.collect::<Vec<_>>())
    });
    // Environments are offered after their venue.
    all.filter(|one| one.starts_with(&*current) && one.contains('/') == current.contains('/'))
        .map(CompletionCandidate::new)
        .collect()
}

/// Environments: of the venue that was written, or of all.
pub fn environments(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let venues = subject().map_or_else(|| Venue::all().collect(), |subject| vec![subject.venue]);
    let mut all: Vec<&str> = venues.into_iter().flat_map(Venue::environments).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().filter(|one| one.starts_with(&*current)).map(CompletionCandidate::new).collect()
}

/// Operations of the venue that was written.
pub fn operations(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(subject) = subject() else { return Vec::new() };
    let current = current.to_string_lossy();
    // A JSON-RPC method is offered after its slash.
    let by_method = current.contains('/');
    let named = subject.venue.spec().operations().map(|one| (if by_method { &one.id } else { &one.name }, one));
    let fitting = named.filter(|(name, _)| name.starts_with(&*current));
    fitting.map(|(name, one)| CompletionCandidate::new(name).help(Some(one.summary.clone().into()))).collect()
}

/// What the operation that was written takes, as `name=`, and the words that a value may be.
pub fn parameters(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = words();
    let mut words = words.iter();
    let subject = words.find_map(|word| word.parse::<Subject>().ok());
    let found = subject.and_then(|subject| words.find_map(|word| lookup::operation(subject.venue, word).ok()));
    let Some(found) = found else { return Vec::new() };
    let current = current.to_string_lossy();
    let offered = match current.split_once('=') {
        Some((name, _)) => values(&found, name).into_iter().map(|value| format!("{name}={value}")).collect(),
        None => names(&found, &current),
    };
    offered.into_iter().filter(|one| one.starts_with(&*current)).map(CompletionCandidate::new).collect()
}

/// Channels of the venue that was written.
pub fn channels(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(table) = subject().and_then(|subject| subject.venue.streams()) else { return Vec::new() };
    let current = current.to_string_lossy();
    let fitting = table.channels.iter().filter(|channel| channel.id.starts_with(&*current));
    fitting.map(|channel| CompletionCandidate::new(channel.id).help(Some(channel.description.into()))).collect()
}

/// What the channel that was written takes, as `name=`, and the words that a value may be.
pub fn channel_parameters(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = words();
    let mut words = words.iter();
    let subject = words.find_map(|word| word.parse::<Subject>().ok());
    let table = subject.and_then(|subject| Some((subject.venue, subject.venue.streams()?)));
    let channel = table.and_then(|(venue, table)| words.find_map(|word| topic::channel(venue, table, word).ok()));
    let Some((channel, _)) = channel else { return Vec::new() };
    let current = current.to_string_lossy();
    let offered: Vec<String> = match current.split_once('=') {
        Some((name, _)) => topic::settable(channel)
            .filter(|parameter| parameter.name == name)
            .flat_map(words_of)
            .map(|value| format!("{name}={value}"))
            .collect(),
        None => topic::settable(channel).map(|parameter| format!("{}=", parameter.name)).collect(),
    };
    offered.into_iter().filter(|one| one.starts_with(&*current)).map(CompletionCandidate::new).collect()
}

/// The words that a parameter of a channel may be.
fn words_of(parameter: &Parameter) -> &'static [&'static str] {
    match parameter.kind {
        ParameterKind::Boolean => &["true", "false"],
        _ => parameter.values,
    }
}

/// The words that the value of a name may be.
fn values(found: &Found, name: &str) -> Vec<String> {
    let words = |schema: &Schema| match (schema.types().contains("boolean"), schema.items()) {
        (true, _) => vec!["true".to_owned(), "false".to_owned()],
        (false, Some(items)) => items.words(),
        (false, None) => schema.words(),
    };
    let parameter = found.spec.parameters.iter().find(|one| one.name == name).map(|one| words(&one.schema));
    let member = || found.spec.body.as_ref()?.at(name).map(|schema| words(&schema));
    parameter.or_else(member).unwrap_or_default()
}

/// The names that stand where the last slash of `current` leads.
fn names(found: &Found, current: &str) -> Vec<String> {
    let (above, start) = current.rsplit_once('/').map_or(("", ""), |(above, _)| (above, &current[..=above.len()]));
    let body = found.spec.body.as_ref().and_then(|body| body.at(above));
    let fields = body.as_ref().map(Schema::fields).unwrap_or_default();
    let mut names: Vec<String> = fields
        .iter()
        .flat_map(|field| {
            // A list of objects, or an object, may also be written member by member.
            let within = match field.schema.items() {
                Some(item) => Some("/0/").filter(|_| !item.fields().is_empty()),
                None => Some("/").filter(|_| !field.schema.fields().is_empty()),
            };
            [Some("="), within].into_iter().flatten().map(|end| format!("{start}{}{end}", field.name))
        })
        .collect();
    if above.is_empty() {
        names.extend(found.spec.parameters.iter().map(|one| format!("{}=", one.name)));
    }
    names
}

/// The first word that is a venue, a place or a key.
fn subject() -> Option<Subject> {
    words().iter().find_map(|word| word.parse().ok())
}

/// The words of the line that is being completed: a shell hands them over after `--`.
fn words() -> Vec<String> {
    let all: Vec<OsString> = std::env::args_os().collect();
    let start = all.iter().position(|word| word == "--").map_or(all.len(), |at| at + 2);
    all.iter().skip(start).map(|word| word.to_string_lossy().into_owned()).collect()
}
