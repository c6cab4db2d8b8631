//! `cargo xtask drift`: our spec against what a vendor publishes (`--against`) and what was really seen (`--traffic`).

mod bounds;
mod compare;
mod fields;
mod finding;
mod known;
mod parameters;
mod patch;
pub mod rename;
mod report;
#[cfg(test)]
mod tests;
mod traffic;
mod yaml_edit;

use std::path::Path;
use std::process::ExitCode;

use self::compare::Extent;
use self::known::Known;
use self::report::Report;
use crate::document::Document;
use crate::finding::Finding;
use crate::judgement;
use crate::surface::{ours, vendor};

/// What is asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// Change our YAML as the vendor's document says.
    pub patch: bool,
    /// Print JSON.
    pub json: bool,
}

/// What came of it.
pub struct Outcome {
    /// For a person or a program.
    pub text: String,
    /// Entries of `drift.yaml` that are wrong or no longer apply.
    pub findings: Vec<Finding>,
    /// Whether something differs that is not accepted.
    pub differs: bool,
}

/// Compares a venue's spec with a vendor's document.
pub fn against(root: &Path, venue: &str, file: &Path, options: &Options) -> Result<Outcome, Vec<Finding>> {
    let document = Document::read(root, venue)?;
    let known = Known::read(root, venue)?;
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error.to_string()))?;
    let vendor = vendor::read(&text, &document).map_err(|problem| unreadable(file, &problem))?;
    let surface = ours::surface(&document);
    let (mut found, extent) = compare::compare(&surface, &vendor);
    let (accepted, stale) = known.apply(&mut found, vendor.form.name());
    let title = Some(vendor.surface.title.as_str()).filter(|title| !title.is_empty());
    let title = title.map(|title| format!(": {title}")).unwrap_or_default();
    let against = format!("{} ({}{title})", file.display(), vendor.form.name());
    let report = Report { document: &document, against, extent: said(extent), found: &found, accepted };
    let mut text = if options.json { format!("{:#}", report.json()) } else { report.text() };
    if options.patch {
        text += &patched(root, &document, &found)?;
    }
    Ok(Outcome { text, findings: stale, differs: !found.is_empty() })
}

/// Writes the proposed changes into the spec, and says what was done.
fn patched(root: &Path, document: &Document, found: &[finding::Drift]) -> Result<String, Vec<Finding>> {
    let patch = patch::propose(root, document, found);
    for (file, text) in &patch.files {
        std::fs::write(root.join(file), text).map_err(|error| unreadable(Path::new(file), &error.to_string()))?;
    }
    let mut said = String::new();
    for (title, list) in
        [("changed in the spec, to be read with `git diff`", &patch.done), ("left to a person", &patch.left)]
    {
        if !list.is_empty() {
            said += &format!("\n\n{title}:\n  {}", list.join("\n  "));
        }
    }
    Ok(said)
}

/// Compares a venue's spec with recorded traffic.
pub fn traffic(root: &Path, venue: &str, files: &[&Path], options: &Options) -> Result<Outcome, Vec<Finding>> {
    let document = Document::read(root, venue)?;
    let known = Known::read(root, venue)?;
    let seen = traffic::compare(&document, files).map_err(|problem| unreadable(files[0], &problem))?;
    let mut found = seen.found;
    // What was not seen this time may be seen the next time: no entry is stale.
    let (accepted, _) = known.apply(&mut found, known::TRAFFIC);
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let against = format!("recorded traffic ({})", names.join(", "));
    let report = Report { document: &document, against, extent: seen.extent, found: &found, accepted };
    let text = if options.json { format!("{:#}", report.json()) } else { report.text() };
    Ok(Outcome { text, findings: Vec::new(), differs: !found.is_empty() })
}

fn said(extent: Extent) -> String {
    let mut parts = Vec::new();
    if extent.operations > 0 {
        parts.push(judgement::counted(extent.operations, "operation"));
    }
    if extent.channels > 0 {
        parts.push(judgement::counted(extent.channels, "channel"));
    }
    parts.push(format!("{} fields and parameters", extent.fields));
    format!("{} compared", parts.join(", "))
}

fn unreadable(file: &Path, problem: &str) -> Vec<Finding> {
    let at = crate::finding::Location { file: file.display().to_string(), line: 0, column: 0 };
    let help = "docs/DRIFT.md says what is read".to_owned();
    vec![Finding { rule: "unreadable", message: problem.to_owned(), at, help }]
}

/// `VENUE --against FILE [--patch] [--json]` or `VENUE --traffic FILE... [--json]`.
pub fn command(root: &Path, words: &[&str], flags: &[&str]) -> Result<ExitCode, String> {
    let known = ["--against", "--traffic", "--patch", "--json"];
    let (&[venue, ref files @ ..], None) = (words, flags.iter().find(|flag| !known.contains(flag))) else {
        return Err(crate::USAGE.to_owned());
    };
    crate::chosen(root, &[venue])?;
    let has = |flag: &str| flags.contains(&flag);
    let options = Options { patch: has("--patch"), json: has("--json") };
    if options.patch && options.json {
        return Err("--patch prints a patch for a person, --json a report for a program: choose one".to_owned());
    }
    let outcome = match files {
        [file] if has("--against") && !has("--traffic") => against(root, venue, Path::new(file), &options),
        [_, ..] if has("--traffic") && !has("--against") && !options.patch => {
            let files: Vec<&Path> = files.iter().map(Path::new).collect();
            traffic(root, venue, &files, &options)
        }
        _ => return Err(crate::USAGE.to_owned()),
    };
    Ok(match outcome {
        Ok(outcome) => {
            let printed = crate::print(&outcome.text);
            crate::report(&outcome.findings);
            if outcome.differs || !outcome.findings.is_empty() { ExitCode::FAILURE } else { printed }
        }
        Err(findings) => {
            crate::report(&findings);
            ExitCode::from(2)
        }
    })
}
