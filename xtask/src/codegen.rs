//! `cargo xtask codegen`: read, join, lint, lower, generate, write, stamp. `--check` is the same without the writing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::cache::{Cache, Size, Texts, digest};
use crate::document::{self, Document};
use crate::emit::{Generated, generate};
use crate::finding::{Finding, Location};
use crate::lint::lint;

/// What codegen did for one venue.
#[derive(Debug)]
pub struct Outcome {
    /// The venue's folder name.
    pub venue: String,
    /// How much was generated.
    pub size: Size,
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
fn calls_of(venue: &str) -> String {
    format!("tests/every_operation/generated/{venue}.rs")
}

/// What the sandbox and the command know the venue by.
fn joined_of(venue: &str) -> String {
    format!("crates/spec/src/generated/{venue}.json")
}

/// Generates a venue and compares the result with what is there; writes it unless `check`.
pub fn codegen(root: &Path, venue: &str, check: bool) -> Result<Outcome, Vec<Finding>> {
    let specs = specs(root, venue);
    let (outcome, _) = whole(root, venue, &specs, check)?;
    Ok(outcome)
}

/// [`codegen`], unless specs and files are those of an earlier run of this program.
fn if_changed(root: &Path, venue: &str, check: bool, cache: Option<&Cache>) -> Result<Outcome, Vec<Finding>> {
    let start = Instant::now();
    let (specs, files) = (specs(root, venue), present(root, venue));
    if let Some(size) = cache.and_then(|cache| cache.get(venue, &specs, &files)) {
        let (venue, took) = (venue.to_owned(), start.elapsed());
        return Ok(Outcome { venue, size, stale: Vec::new(), changed_specs: Vec::new(), took });
    }
    let (outcome, files) = whole(root, venue, &specs, check)?;
    // What was read before is still what the files were made of.
    if let Some(cache) = cache.filter(|_| !check || outcome.stale.is_empty()) {
        cache.put(venue, &specs, &files, outcome.size);
    }
    Ok(outcome)
}

/// Generates a venue whose spec files have these texts. Beside the outcome, the files that belong to it.
fn whole(root: &Path, venue: &str, specs: &Texts, check: bool) -> Result<(Outcome, Texts), Vec<Finding>> {
    let start = Instant::now();
    let document = Document::read(root, venue)?;
    if let Some(path) = subfolder(root, venue) {
        let help = "nothing is generated into it: delete it, or put it elsewhere";
        return Err(vec![unwritable(&path, format!("{path} is a folder"), help)]);
    }
    let findings = lint(&document);
    if !findings.is_empty() {
        return Err(findings);
    }
    let Generated { mut files, calls, joined, operations, types, lines } = generate(&document)?;
    let stamp = stamp(specs);
    let folder = folder(venue);
    let changed_specs = changed(&read(root, &format!("{folder}/{STAMP}")), &stamp);
    files.insert(STAMP, stamp);
    let in_crate = files.into_iter().map(|(name, text)| (format!("{folder}/{name}"), text));
    let files: Texts = in_crate.chain([(calls_of(venue), calls), (joined_of(venue), joined)]).collect();
    let present = present(root, venue);
    let mut stale: Vec<String> =
        files.iter().filter(|(path, text)| present.get(*path) != Some(*text)).map(|(path, _)| path.clone()).collect();
    // What is no longer generated would otherwise stay for ever.
    stale.extend(present.into_keys().filter(|path| !files.contains_key(path)));
    if !check {
        for path in &stale {
            let written = match files.get(path) {
                Some(text) => write(&root.join(path), text),
                None => std::fs::remove_file(root.join(path)),
            };
            written.map_err(|error| vec![unwritable(path, format!("{path}: {error}"), "make it writable")])?;
        }
    }
    let size = Size { operations, types, lines };
    Ok((Outcome { venue: venue.to_owned(), size, stale, changed_specs, took: start.elapsed() }, files))
}

/// A folder among the generated files of a venue.
fn subfolder(root: &Path, venue: &str) -> Option<String> {
    let folder = folder(venue);
    names(&root.join(&folder)).iter().map(|name| format!("{folder}/{name}")).find(|path| root.join(path).is_dir())
}

/// What cannot be written, or deleted.
fn unwritable(path: &str, message: String, help: &str) -> Finding {
    let at = Location { file: path.to_owned(), line: 0, column: 0 };
    Finding { rule: "unwritable", message, at, help: help.to_owned() }
}

/// What is left of venues that have no spec any more: generated files, by the venue.
pub fn orphans(root: &Path, venues: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let is_gone = |venue: &str| !venues.iter().any(|known| known == venue);
    // The stamp tells a client from other crates with something generated.
    for venue in names(&root.join("crates")).into_iter().filter(|venue| is_gone(venue)) {
        if root.join(folder(&venue)).join(STAMP).is_file() {
            found.entry(venue.clone()).or_default().push(folder(&venue));
        }
    }
    for path in [calls_of, joined_of] {
        let of_any = path("*");
        let (folder, ending) = of_any.split_once("/*").unwrap_or_default();
        let own = names(&root.join(folder));
        for venue in own.iter().filter_map(|name| name.strip_suffix(ending)).filter(|venue| is_gone(venue)) {
            if venue != "mod" {
                found.entry(venue.to_owned()).or_default().push(path(venue));
            }
        }
    }
    found
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
    let cache = Cache::of_this_program();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (send, outcomes) = mpsc::channel();
        for _ in 0..workers {
            let (send, next, order, cache) = (send.clone(), &next, &order, cache.as_ref());
            let work = move || {
                while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // Nobody receives any more only where the main thread panics.
                    let _ = send.send((at, if_changed(root, &venues[at], check, cache)));
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

/// The texts of the spec files.
fn specs(root: &Path, venue: &str) -> Texts {
    let folder = format!("specs/{venue}");
    let names = names(&root.join(&folder)).into_iter().filter(|name| document::is_spec(name));
    let paths = names.map(|name| format!("{folder}/{name}"));
    paths.map(|path| (path.clone(), read(root, &path))).collect()
}

/// The generated files that are there: all of the folder, and those elsewhere.
fn present(root: &Path, venue: &str) -> Texts {
    let folder = folder(venue);
    let paths = names(&root.join(&folder)).into_iter().map(|name| format!("{folder}/{name}"));
    let paths = paths.chain([calls_of(venue), joined_of(venue)].into_iter().filter(|path| root.join(path).exists()));
    paths.map(|path| (path.clone(), read(root, &path))).collect()
}

fn stamp(specs: &Texts) -> String {
    specs.iter().map(|(path, text)| format!("{}  {path}\n", digest(text.as_bytes()))).collect()
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
