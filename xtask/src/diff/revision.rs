//! A spec as it was: git's files, read without a checkout.

use std::path::Path;
use std::process::Command;

use crate::document::{self, Document};
use crate::finding::{Finding, Location};
use crate::source::Source;

/// Where a state of the specs is read from.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// What is on disk.
    Worktree,
    /// A revision.
    Revision(String),
}

impl State {
    /// For reports.
    pub fn name(&self) -> &str {
        match self {
            Self::Worktree => "the working tree",
            Self::Revision(revision) => revision,
        }
    }
}

/// What git prints.
pub fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let run = Command::new("git")
        .current_dir(root)
        .args(arguments)
        .output()
        .map_err(|error| format!("cannot run git: {error}"))?;
    if !run.status.success() {
        let said = String::from_utf8_lossy(&run.stderr);
        return Err(said.lines().next().unwrap_or("git failed").to_owned());
    }
    String::from_utf8(run.stdout).map_err(|_| "git printed something that is not text".to_owned())
}

/// Whether a word names a commit. What begins with a dash is an option to git, and no revision.
pub fn resolves(root: &Path, revision: &str) -> bool {
    !revision.starts_with('-')
        && git(root, &["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]).is_ok()
}

/// The spec of a venue in a state; none where the venue was not there.
pub fn spec(root: &Path, venue: &str, state: &State) -> Result<Option<Document>, Vec<Finding>> {
    let revision = match state {
        State::Worktree if root.join("specs").join(venue).is_dir() => return Document::read(root, venue).map(Some),
        State::Worktree => return Ok(None),
        State::Revision(revision) => revision,
    };
    let folder = format!("specs/{venue}");
    let failed = |message: String| {
        let at = Location { file: format!("{folder} at {revision}"), line: 0, column: 0 };
        vec![Finding { rule: "unreadable", message, at, help: "name a revision that this clone has".to_owned() }]
    };
    let names = git(root, &["ls-tree", "--name-only", revision, &format!("{folder}/")]).map_err(&failed)?;
    let mut sources = Vec::new();
    for path in names.lines().filter(|path| path.rsplit('/').next().is_some_and(document::is_spec)) {
        let text = git(root, &["show", &format!("{revision}:{path}")]).map_err(&failed)?;
        sources.push(Source::parse(path, &text).map_err(|finding| vec![finding])?);
    }
    if sources.is_empty() { Ok(None) } else { Document::join(venue, sources).map(Some) }
}

/// A file in a state.
pub fn file(root: &Path, path: &str, state: &State) -> Result<String, String> {
    match state {
        State::Worktree => std::fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}")),
        State::Revision(revision) => git(root, &["show", &format!("{revision}:{path}")]),
    }
}

/// The venues of a state.
pub fn venues(root: &Path, state: &State) -> Vec<String> {
    match state {
        State::Worktree => crate::codegen::venues(root),
        State::Revision(revision) => {
            let listed = git(root, &["ls-tree", "-d", "--name-only", revision, "specs/"]).unwrap_or_default();
            listed.lines().filter_map(|path| path.strip_prefix("specs/").map(str::to_owned)).collect()
        }
    }
}
