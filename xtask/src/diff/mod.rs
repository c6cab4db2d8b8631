//! `cargo xtask diff`: what changed between two states of our own specs, in users' terms.

mod changelog;
mod compare;
mod credentials;
mod revision;
mod rules;
mod streams;
#[cfg(test)]
mod tests;
mod types;
mod venue;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use self::compare::Change;
use self::revision::State;
use crate::document::Document;
use crate::finding::Finding;
use crate::judgement::{self, Judgement};
use crate::model::text;
use crate::surface::ours;

/// The variable that names the revision to compare with, for CI.
const BASE: &str = "VENUEKIT_BASE";

/// The states of a venue, before and after.
struct Pair {
    old: Option<Document>,
    new: Option<Document>,
}

/// `VENUE [REV] [REV]` with `--changelog`, `--semver` or `--json`, or `--check [REV]`.
pub fn command(root: &Path, words: &[&str], flags: &[&str]) -> Result<ExitCode, String> {
    if flags == ["--check"] {
        return check(root, words);
    }
    let (venue, states) = match words {
        [venue] => (*venue, (State::Revision("HEAD".to_owned()), State::Worktree)),
        [venue, old] => (*venue, (State::Revision((*old).to_owned()), State::Worktree)),
        [venue, old, new] => (*venue, (State::Revision((*old).to_owned()), State::Revision((*new).to_owned()))),
        _ => return Err(crate::USAGE.to_owned()),
    };
    for state in [&states.0, &states.1] {
        if let State::Revision(revision) = state
            && !revision::resolves(root, revision)
        {
            return Err(format!("there is no revision `{revision}` in this clone"));
        }
    }
    let there =
        [&states.0, &states.1].iter().any(|state| revision::venues(root, state).iter().any(|name| name == venue));
    if !there {
        return Err(format!("there is no venue `{venue}` in either state"));
    }
    let (pair, changes) = match changes(root, venue, &states) {
        Ok(found) => found,
        Err(findings) => {
            crate::report(&findings);
            return Ok(ExitCode::from(2));
        }
    };
    let text = match flags {
        [] => report(venue, &pair, &changes, &states),
        ["--changelog"] => changelog::lines(&pair.title(venue), &changes).join("\n"),
        ["--semver"] => semver(root, &changes),
        ["--json"] => format!("{:#}", document(venue, &pair, &changes)),
        _ => return Err(crate::USAGE.to_owned()),
    };
    Ok(crate::print(&text))
}

impl Pair {
    /// What the venue is called in sentences.
    fn title(&self, venue: &str) -> String {
        let document = self.new.as_ref().or(self.old.as_ref());
        let said = document.and_then(|document| text(document.value.get("info")?, "title")).unwrap_or(venue);
        said.trim_end_matches(" API").to_owned()
    }
}

fn changes(root: &Path, venue: &str, states: &(State, State)) -> Result<(Pair, Vec<Change>), Vec<Finding>> {
    let pair = Pair { old: revision::spec(root, venue, &states.0)?, new: revision::spec(root, venue, &states.1)? };
    let changes = match (&pair.old, &pair.new) {
        (Some(old), Some(new)) => compare::compare(&ours::surface(old), &ours::surface(new)),
        (None, Some(_)) => vec![Change::of_venue("venue-added", venue)],
        (Some(_), None) => vec![Change::of_venue("venue-removed", venue)],
        (None, None) => Vec::new(),
    };
    Ok((pair, changes))
}

/// For a person.
fn report(venue: &str, pair: &Pair, changes: &[Change], states: &(State, State)) -> String {
    let mut out = format!("{venue}: from {} to {}\n", states.0.name(), states.1.name());
    let _ = writeln!(out, "{:<10} {:<10} {:<10}", "Rust API", "wire", "bots");
    for judgement in Judgement::ALL {
        for change in changes.iter().filter(|change| change.rule.overall() == judgement) {
            let word = |judgement: Option<Judgement>| judgement.map_or("-", Judgement::name);
            let rule = change.rule;
            let _ = writeln!(
                out,
                "{:<10} {:<10} {:<10} {}: {}: {}{}",
                word(rule.rust),
                word(rule.wire),
                word(rule.bots),
                rule.name,
                change.place,
                change.message,
                place(pair, change)
            );
        }
    }
    let _ = write!(out, "{}", count(changes));
    out
}

/// Where the new state says it, or the old one did.
fn place(pair: &Pair, change: &Change) -> String {
    let found = match (&pair.new, &pair.old) {
        (Some(new), _) if !change.at.is_empty() => Some(new.locate(&change.at).to_string()),
        (_, Some(old)) if !change.was.is_empty() => Some(format!("before at {}", old.locate(&change.was))),
        _ => None,
    };
    found.map_or_else(String::new, |place| format!(" ({place})"))
}

fn count(changes: &[Change]) -> String {
    judgement::count("change", &changes.iter().map(|change| change.rule.overall()).collect::<Vec<_>>())
}

/// For a program.
fn document(venue: &str, pair: &Pair, changes: &[Change]) -> Value {
    let changes: Vec<Value> = changes
        .iter()
        .map(|change| {
            let word = |judgement: Option<Judgement>| judgement.map(Judgement::name);
            json!({
                "rule": change.rule.name,
                "place": change.place,
                "message": change.message,
                "rust": word(change.rule.rust),
                "wire": word(change.rule.wire),
                "bots": word(change.rule.bots),
                "judgement": change.rule.overall().name(),
                "at": place(pair, change).trim_matches([' ', '(', ')']),
                "users": change.users,
            })
        })
        .collect();
    json!({ "venue": venue, "changes": changes })
}

/// Which part of the version the changes are due to raise, by what they mean for Rust code and for programs that run.
fn bump(changes: &[Change]) -> Option<Judgement> {
    changes.iter().flat_map(|change| [change.rule.rust, change.rule.bots]).flatten().max()
}

fn semver(root: &Path, changes: &[Change]) -> String {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let now = manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    let mut parts = now.unwrap_or("0.1.0").splitn(3, '.').map(|part| part.parse::<u64>().unwrap_or_default());
    let (major, minor, patch) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let before = format!("{major}.{minor}.{patch}");
    // Before 1.0 the second number says that something breaks.
    let (name, next) = match (bump(changes), major) {
        (None, _) => return format!("none: {before} stays"),
        (Some(Judgement::Breaking), 0) => ("minor", format!("0.{}.0", minor + 1)),
        (Some(Judgement::Breaking), _) => ("major", format!("{}.0.0", major + 1)),
        (Some(Judgement::Addition | Judgement::Behaviour), 1..) => ("minor", format!("{major}.{}.0", minor + 1)),
        (Some(_), _) => ("patch", format!("{major}.{minor}.{}", patch + 1)),
    };
    format!("{name}: {before} to {next}")
}

/// Whether each changed spec has its line in the changelog.
fn check(root: &Path, words: &[&str]) -> Result<ExitCode, String> {
    let named = std::env::var(BASE).ok().filter(|name| !name.is_empty());
    let base = match words {
        [] => base(root, named.as_deref()),
        [revision] => Some((*revision).to_owned()).filter(|revision| revision::resolves(root, revision)),
        _ => return Err(crate::USAGE.to_owned()),
    };
    let Some(base) = base else {
        return Ok(crate::print(&format!(
            "SKIPPED: this clone has no earlier state of the specs to compare with. {BASE} names a revision, and a shallow clone needs \
             `git fetch --unshallow`"
        )));
    };
    let states = (State::Revision(base.clone()), State::Worktree);
    let before = revision::file(root, "CHANGELOG.md", &states.0).unwrap_or_default();
    let gained = changelog::gained(&before, &revision::file(root, "CHANGELOG.md", &states.1)?);
    let mut venues = revision::venues(root, &states.0);
    venues.extend(revision::venues(root, &states.1));
    venues.sort();
    venues.dedup();
    let (mut failed, mut changed, mut read) = (false, 0, Vec::new());
    for venue in &venues {
        match changes(root, venue, &states) {
            Err(findings) => {
                crate::report(&findings);
                failed = true;
            }
            Ok((pair, changes)) => {
                changed += usize::from(!changes.is_empty());
                read.push((changelog::Called { venue: venue.clone(), title: pair.title(venue) }, changes));
            }
        }
    }
    for (own, changes) in &read {
        let others = read.iter().map(|(called, _)| called).filter(|called| called.venue != own.venue);
        let others: Vec<changelog::Called> = others.cloned().collect();
        if let Some(problem) = changelog::lacks(own, &others, changes, &gained) {
            failed = true;
            let (venue, lines) = (&own.venue, changelog::lines(&own.title, changes).join("\n"));
            eprintln!(
                "error[changelog]: specs/{venue} changed since {base}: {problem}\n  = help: write such as\n{lines}\n"
            );
        }
    }
    if failed {
        return Ok(ExitCode::FAILURE);
    }
    Ok(crate::print(&format!("{changed} of {} specs changed since {base}, and CHANGELOG.md says so", venues.len())))
}

/// The revision that the working tree is compared with: the one that is named, or where this branch began.
fn base(root: &Path, named: Option<&str>) -> Option<String> {
    if let Some(revision) = named {
        return Some(revision.to_owned()).filter(|revision| revision::resolves(root, revision));
    }
    let tip = ["origin/HEAD", "origin/main", "main"].into_iter().find(|name| revision::resolves(root, name))?;
    let fork = revision::git(root, &["merge-base", "HEAD", tip]).ok()?.trim().to_owned();
    let head = revision::git(root, &["rev-parse", "HEAD"]).ok()?.trim().to_owned();
    if fork != head {
        return Some(fork);
    }
    // On the branch itself: since the last release, which is a tag.
    let tag = revision::git(root, &["describe", "--tags", "--abbrev=0"]).ok()?;
    Some(tag.trim().to_owned())
}
