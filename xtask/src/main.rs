//! The project's chores: [`USAGE`] lists them.
#![allow(clippy::print_stderr)]

mod asyncapi;
mod cache;
mod characters;
mod ci;
mod codegen;
mod diff;
mod document;
mod drift;
mod emit;
mod finding;
mod growth;
mod judgement;
mod lint;
mod lower;
mod markup;
mod model;
mod names;
mod picture;
mod reference;
mod registry;
mod source;
mod streams;
mod surface;
mod vocabulary;
mod workspace;
mod yaml;

#[cfg(test)]
mod tests;

/// The generator makes and drops millions of small tokens on threads of its own, which costs the system's allocator half as much
/// again; docs/PERFORMANCE.md has the figures.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use document::Document;
use finding::Finding;

const USAGE: &str = "\
usage: cargo xtask codegen [VENUE...] [--check]   regenerate the clients; with --check only say what is stale
       cargo xtask lint [VENUE...]                check the specs
       cargo xtask schema                         print a JSON Schema of our words, for editors
       cargo xtask bundle VENUE [--lowered]       print a spec as one JSON document; --lowered: as Progenitor receives it
       cargo xtask bundle VENUE --streams         print its streams as one AsyncAPI document
       cargo xtask diff VENUE [REV] [REV]         what changed between two states of a spec; --changelog, --semver, --json
       cargo xtask diff --check [REV]             whether each changed spec has its line in CHANGELOG.md
       cargo xtask drift VENUE --against FILE     compare a spec with a vendor's document; --patch: and change our YAML so; --json
       cargo xtask drift VENUE --traffic FILE...  compare a spec with recorded traffic: HAR, mitmproxy, VCR, JSON lines, recorded streams
       cargo xtask synthetic NUMBER FOLDER        write a spec of so many operations into a folder of its own
       cargo xtask growth [NUMBER...] [--codegen] measure an operation's cost in specs of so many; --codegen: no compiler
       cargo xtask ci [STEP...]                   run .ci/run, which CI runs; with steps, these alone
       cargo xtask picture [BINARY]               draw docs/terminal.svg from a session with the sandbox
       cargo xtask reference --out DIR            write the reference documentation of every operation as static pages
each works on the workspace that it is run in; --root=DIR names another";

fn main() -> ExitCode {
    let mut root = None;
    let mut flags = Vec::new();
    let mut words = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.strip_prefix("--root=") {
            Some(other) => root = Some(PathBuf::from(other)),
            None if argument.starts_with('-') => flags.push(argument),
            None => words.push(argument),
        }
    }
    run(root, &words, &flags).unwrap_or_else(|message| {
        eprintln!("{message}");
        ExitCode::from(2)
    })
}

/// The workspace that was named, or the one that the command is run in.
fn workspace(named: Option<PathBuf>) -> Result<PathBuf, String> {
    match named {
        Some(root) => Ok(root),
        None => {
            let current =
                std::env::current_dir().map_err(|error| format!("cannot read the current folder: {error}"))?;
            workspace::find(&current)
        }
    }
}

/// Does what was asked; an error is about how it was asked.
fn run(root: Option<PathBuf>, words: &[String], flags: &[String]) -> Result<ExitCode, String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let work: fn(&Path, &[String]) -> ExitCode = match (words.as_slice(), flags.as_slice()) {
        (_, ["-h" | "--help"]) => return Ok(print(USAGE)),
        (["schema"], []) => return Ok(print(&format!("{:#}", vocabulary::schema()))),
        (["diff", words @ ..], flags) => return diff::command(&workspace(root)?, words, flags),
        (["drift", words @ ..], flags) => return drift::command(&workspace(root)?, words, flags),
        (["synthetic", count, folder], []) => return synthetic(number(count)?, Path::new(folder)),
        (["growth", sizes @ ..], [] | ["--codegen"]) => {
            let sizes = sizes.iter().map(|size| number(size)).collect::<Result<Vec<_>, _>>()?;
            return growth(&workspace(root)?, &sizes, flags.is_empty());
        }
        (["ci", steps @ ..], []) => return ci::run(&workspace(root)?, steps),
        (["reference", out], ["--out"]) => return reference(&workspace(root)?, Path::new(out)),
        (["picture"], []) => return picture(&workspace(root)?, None),
        (["picture", binary], []) => return picture(&workspace(root)?, Some(Path::new(binary))),
        (["codegen", ..], []) => |root, venues| codegen(root, venues, false),
        (["codegen", ..], ["--check"]) => |root, venues| codegen(root, venues, true),
        (["lint", ..], []) => lint,
        (["bundle", _], []) => |root, venues| bundle(root, &venues[0], Form::Joined),
        (["bundle", _], ["--lowered"]) => |root, venues| bundle(root, &venues[0], Form::Lowered),
        (["bundle", _], ["--streams"]) => |root, venues| bundle(root, &venues[0], Form::Streams),
        _ => return Err(USAGE.to_owned()),
    };
    let root = workspace(root)?;
    Ok(work(&root, &chosen(&root, &words[1..])?))
}

/// The venues that were named, or all.
fn chosen(root: &Path, names: &[&str]) -> Result<Vec<String>, String> {
    let all = codegen::venues(root);
    if all.is_empty() {
        return Err(format!("there is no venue below {}", root.join("specs").display()));
    }
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|venue| venue == *name)) {
        return Err(format!("there is no venue `{unknown}`; specs/ has {}", all.join(", ")));
    }
    if names.is_empty() {
        return Ok(all);
    }
    let mut chosen: Vec<String> = Vec::new();
    for name in names {
        // Two at once would write the same files.
        if !chosen.iter().any(|other| other == name) {
            chosen.push((*name).to_owned());
        }
    }
    Ok(chosen)
}

/// Writes the reference documentation as static pages.
fn reference(root: &Path, out: &Path) -> Result<ExitCode, String> {
    let files = reference::write(root, out)?;
    Ok(print(&format!("{} files in {}: open index.html", files.len(), out.display())))
}

/// Writes to standard output. The reader may stop early, as `head` does.
fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("cannot write: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn report(findings: &[Finding]) {
    for finding in findings {
        eprintln!("{finding}\n");
    }
}

fn codegen(root: &Path, venues: &[String], check: bool) -> ExitCode {
    let mut failed = false;
    let width = venues.iter().map(String::len).max().unwrap_or_default().max("venue".len());
    if !check {
        print(&format!(
            "{:<width$} {:>10} {:>7} {:>8}   {:<7}   time",
            "venue", "operations", "types", "lines", "changed"
        ));
    }
    let missing = |venue: &&String| registry::missing_manifest(root, venue);
    for (venue, manifest) in venues.iter().filter_map(|venue| Some((venue, missing(&venue)?))) {
        eprintln!("{venue}: not generated: {manifest} is missing, and without it no cargo command works");
        eprintln!("  = help: copy that of another venue; book/src/adding-a-venue.md lists the steps");
        failed = true;
    }
    let venues: Vec<String> = venues.iter().filter(|venue| missing(venue).is_none()).cloned().collect();
    codegen::side_by_side(root, &venues, check, |venue, outcome| match outcome {
        Err(findings) => {
            report(&findings);
            eprintln!("{venue}: not generated, {}", errors(findings.len()));
            failed = true;
        }
        Ok(outcome) if check => failed |= stale(&outcome),
        Ok(outcome) => {
            let size = outcome.size;
            let changed = if outcome.stale.is_empty() { "no" } else { "yes" };
            let seconds = outcome.took.as_secs_f64();
            print(&format!(
                "{:<width$} {:>10} {:>7} {:>8}   {changed:<7}   {seconds:.2} s",
                outcome.venue, size.operations, size.types, size.lines
            ));
        }
    });
    for (venue, paths) in codegen::orphans(root, &codegen::venues(root)) {
        eprintln!(
            "{venue}: there is no specs/{venue}, and what was generated of it is still there: {}",
            paths.join(", ")
        );
        eprintln!(
            "  = help: delete these, with the rest of crates/{venue} and the lines in Cargo.toml and in lists that name the venue"
        );
        failed = true;
    }
    match registry::update(root, &codegen::venues(root), check) {
        Ok(lists) => {
            for path in lists.stale.iter().filter(|_| check) {
                eprintln!("stale: {path}\nrepair: cargo xtask codegen");
                failed = true;
            }
            for venue in &lists.unlisted {
                let package = format!("venuekit-{}", venue.replace('_', "-"));
                eprintln!(
                    "{venue}: the command and the key engine do not know it: Cargo.toml lacks `{package}` in [workspace.dependencies]"
                );
                failed |= check;
            }
        }
        Err(message) => {
            eprintln!("{message}");
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Says what is stale, and how to repair it.
fn stale(outcome: &codegen::Outcome) -> bool {
    if outcome.stale.is_empty() {
        return false;
    }
    let why = match outcome.changed_specs.as_slice() {
        [] => "the generator changed, or a file was edited by hand".to_owned(),
        specs => format!("{} changed", specs.join(", ")),
    };
    eprintln!("stale: {} ({why})", codegen::folder(&outcome.venue));
    for path in &outcome.stale {
        eprintln!("       {path}");
    }
    eprintln!("repair: cargo xtask codegen {}", outcome.venue);
    true
}

/// How many errors there are, in words.
fn errors(count: usize) -> String {
    format!("{count} error{}", if count == 1 { "" } else { "s" })
}

fn lint(root: &Path, venues: &[String]) -> ExitCode {
    let mut count = 0;
    for venue in venues {
        let findings = linted(root, venue).err().unwrap_or_default();
        report(&findings);
        count += findings.len();
    }
    if count > 0 {
        eprintln!("{}", errors(count));
        return ExitCode::FAILURE;
    }
    print(&format!("{}: no errors", venues.join(", ")))
}

fn linted(root: &Path, venue: &str) -> Result<Document, Vec<Finding>> {
    let document = Document::read(root, venue)?;
    let findings = lint::lint(&document);
    if findings.is_empty() { Ok(document) } else { Err(findings) }
}

/// As what a spec is printed.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// Its calls, as they are written.
    Joined,
    /// What Progenitor receives.
    Lowered,
    /// Its streams.
    Streams,
}

fn bundle(root: &Path, venue: &str, form: Form) -> ExitCode {
    // Lowering and framing take for granted what lint makes sure of.
    let document = if form == Form::Joined { Document::read(root, venue) } else { linted(root, venue) };
    let value = document.map(|document| match form {
        Form::Joined => Some(asyncapi::without_streams(&document)),
        Form::Lowered => Some(lower::lower(&document)),
        Form::Streams => asyncapi::bundle(&document),
    });
    match value {
        Ok(Some(value)) => print(&format!("{:#}", emit::canonical(value))),
        Ok(None) => {
            eprintln!("{venue} does not stream: specs/{venue} has no asyncapi.yaml");
            ExitCode::FAILURE
        }
        Err(findings) => {
            report(&findings);
            ExitCode::FAILURE
        }
    }
}

/// Draws the picture of the README with a command that was built before.
fn picture(root: &Path, binary: Option<&Path>) -> Result<ExitCode, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let built = target.join("debug").join(format!("venuekit{}", std::env::consts::EXE_SUFFIX));
    let picture = picture::draw(binary.unwrap_or(&built))?;
    let file = root.join(picture::FILE);
    std::fs::write(&file, picture).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok(print(&format!("{} was written", picture::FILE)))
}

/// A number of operations.
fn number(word: &str) -> Result<usize, String> {
    // No venue has a tenth of this, and a larger one fills the disk.
    let number = word.parse().ok().filter(|number| (1..=20_000).contains(number));
    number.ok_or_else(|| format!("`{word}` is no number of operations from 1 to 20000"))
}

fn synthetic(count: usize, folder: &Path) -> Result<ExitCode, String> {
    growth::synthetic::write(folder, count).map_err(|error| error.to_string())?;
    Ok(print(&format!("{}: {count} operations", folder.display())))
}

/// Measures in a folder beside the builds, where nothing else is looked for.
fn growth(root: &Path, sizes: &[usize], with_check: bool) -> Result<ExitCode, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let builds = program.ancestors().nth(2).ok_or("this program stands in no build folder")?;
    let sizes = if sizes.is_empty() { &[500, 1_000, 2_000] } else { sizes };
    let rows = growth::measure(root, &builds.join("growth"), sizes, with_check)?;
    let clock = if growth::counts_processor_time() { "processor time" } else { "time on the wall" };
    Ok(print(&format!("{}\n{clock}, the least of two runs; the check is without dependencies", growth::table(&rows))))
}
