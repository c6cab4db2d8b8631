//! `cargo xtask codegen`: read, join, lint, lower, generate, write, stamp. `--check` is the same without the writing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::document::{self, Document};
use crate::emit::{Generated, generate};
use crate::finding::Finding;
use crate::lint::lint;

/// What codegen did for one venue.
#[derive(Debug)]
pub struct Outcome {
    /// The venue's folder name.
    pub venue: String,
    /// What was generated.
    pub generated: Generated,
    /// Files that differ from what the spec says, relative to the workspace root.
    pub stale: Vec<String>,
    /// Why: spec files that are not the ones the committed output was made of.
    pub changed_specs: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// The digests of a venue's spec files, in the form of `sha256sum`.
const STAMP: &str = "specs.sha256";

/// The folder of a venue's generated files.
pub fn folder(venue: &str) -> String {
    format!("crates/{venue}/src/generated")
}

/// Where the tests find the calls that they make by name.
fn calls(venue: &str) -> String {
    format!("tests/every_operation/generated/{venue}.rs")
}

/// What the sandbox and the command know the venue by.
fn joined(venue: &str) -> String {
    format!("crates/spec/src/generated/{venue}.json")
}

/// Generates a venue and compares the result with what is there; writes it unless `check`.
pub fn codegen(root: &Path, venue: &str, check: bool) -> Result<Outcome, Vec<Finding>> {
    let start = Instant::now();
    let document = Document::read(root, venue)?;
    let findings = lint(&document);
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut generated = generate(&document)?;
    let stamp = stamp(root, venue)?;
    let folder = folder(venue);
    let changed_specs = changed(&read(root, &format!("{folder}/{STAMP}")), &stamp);
    generated.files.insert(STAMP, stamp);
    let in_crate = generated.files.iter().map(|(name, text)| (format!("{folder}/{name}"), text));
    let files: BTreeMap<String, &String> =
        in_crate.chain([(calls(venue), &generated.calls), (joined(venue), &generated.joined)]).collect();
    let mut stale: Vec<String> =
        files.iter().filter(|(path, text)| read(root, path) != ***text).map(|(path, _)| path.clone()).collect();
    // What is no longer generated would otherwise stay for ever.
    let present = names(&root.join(&folder)).into_iter().map(|name| format!("{folder}/{name}"));
    stale.extend(present.filter(|path| !files.contains_key(path)));
    if !check {
        for path in &stale {
            let written = match files.get(path) {
                Some(text) => write(&root.join(path), text),
                None => std::fs::remove_file(root.join(path)),
            };
            written.map_err(|error| {
                vec![document.finding("unwritable", "", format!("{path}: {error}"), "make it writable")]
            })?;
        }
    }
    Ok(Outcome { venue: venue.to_owned(), generated, stale, changed_specs, took: start.elapsed() })
}

/// What the main thread has on Linux: documents are walked over on the stack, and other threads have a quarter of this.
const STACK: usize = 8 << 20;

/// Generates venues side by side, and tells what became of each in the order in which they were named. No venue is named twice.
pub fn side_by_side(
    root: &Path,
    venues: &[String],
    check: bool,
    mut tell: impl FnMut(&str, Result<Outcome, Vec<Finding>>),
) {
    // The largest first, so that nothing large is left when the other processors are done.
    let mut order: Vec<usize> = (0..venues.len()).collect();
    order.sort_by_cached_key(|at| std::cmp::Reverse(size(&root.join("specs").join(&venues[*at]))));
    let workers = thread::available_parallelism().map_or(1, usize::from).min(venues.len());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (send, outcomes) = mpsc::channel();
        for _ in 0..workers {
            let (send, next, order) = (send.clone(), &next, &order);
            let work = move || {
                while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // Nobody receives any more only where the main thread panics.
                    let _ = send.send((at, codegen(root, &venues[at], check)));
                }
            };
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("a thread can be started");
        }
        drop(send);
        let (mut early, mut due) = (BTreeMap::new(), 0);
        for (at, outcome) in outcomes {
            early.insert(at, outcome);
            while let Some(outcome) = early.remove(&due) {
                tell(&venues[due], outcome);
                due += 1;
            }
        }
    });
}

/// The bytes of the files in a folder.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
}

/// The names of the files in a folder, in order; none where there is no folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// A file's text; a missing one is empty. Line endings do not count.
fn read(root: &Path, path: &str) -> String {
    std::fs::read_to_string(root.join(path)).unwrap_or_default().replace("\r\n", "\n")
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}

fn stamp(root: &Path, venue: &str) -> Result<String, Vec<Finding>> {
    let folder = format!("specs/{venue}");
    let mut stamp = String::new();
    for name in names(&root.join(&folder)).into_iter().filter(|name| document::is_spec(name)) {
        let path = format!("{folder}/{name}");
        let digest = Sha256::digest(read(root, &path).as_bytes());
        for byte in digest {
            let _ = write!(stamp, "{byte:02x}");
        }
        let _ = writeln!(stamp, "  {path}");
    }
    Ok(stamp)
}

/// The spec files in which two stamps differ.
fn changed(old: &str, new: &str) -> Vec<String> {
    let lines = |stamp: &str| -> BTreeMap<String, String> {
        stamp
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(digest, path)| (path.to_owned(), digest.to_owned()))
            .collect()
    };
    let (old, new) = (lines(old), lines(new));
    let mut paths: Vec<String> =
        old.keys().chain(new.keys()).filter(|path| old.get(*path) != new.get(*path)).cloned().collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The venues: every folder of `specs/`.
pub fn venues(root: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root.join("specs"))
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
