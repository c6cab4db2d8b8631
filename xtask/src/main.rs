//! The project's chores: `cargo xtask codegen | lint | bundle`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod codegen;
mod document;
mod emit;
mod finding;
mod lint;
mod lower;
mod model;
mod source;

use std::path::Path;
use std::process::ExitCode;

use document::Document;
use finding::Finding;

const USAGE: &str = "\
usage: cargo xtask codegen [VENUE...] [--check]   regenerate the clients; with --check only say what is stale
       cargo xtask lint [VENUE...]                check the specs
       cargo xtask bundle VENUE [--lowered]       print a spec as one JSON document; --lowered: as Progenitor receives it";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, words): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|word| word.starts_with('-'));
    let root = codegen::root();
    let run = match (words.split_first(), flags.as_slice()) {
        (_, ["-h" | "--help"]) => Ok(help()),
        (Some((&"codegen", venues)), []) => chosen(&root, venues).map(|venues| codegen(&root, &venues, false)),
        (Some((&"codegen", venues)), ["--check"]) => chosen(&root, venues).map(|venues| codegen(&root, &venues, true)),
        (Some((&"lint", venues)), []) => chosen(&root, venues).map(|venues| lint(&root, &venues)),
        (Some((&"bundle", [venue])), []) => chosen(&root, &[*venue]).map(|_| bundle(&root, venue, false)),
        (Some((&"bundle", [venue])), ["--lowered"]) => chosen(&root, &[*venue]).map(|_| bundle(&root, venue, true)),
        _ => Err(USAGE.to_owned()),
    };
    run.unwrap_or_else(|message| {
        eprintln!("{message}");
        ExitCode::from(2)
    })
}

fn help() -> ExitCode {
    println!("{USAGE}");
    ExitCode::SUCCESS
}

/// The venues that were named, or all.
fn chosen(root: &Path, names: &[&str]) -> Result<Vec<String>, String> {
    let all = codegen::venues(root);
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|venue| venue == *name)) {
        return Err(format!("there is no venue `{unknown}`; specs/ has {}", all.join(", ")));
    }
    Ok(if names.is_empty() { all } else { names.iter().map(|name| (*name).to_owned()).collect() })
}

fn report(findings: &[Finding]) {
    for finding in findings {
        eprintln!("{finding}\n");
    }
}

fn codegen(root: &Path, venues: &[String], check: bool) -> ExitCode {
    let mut failed = false;
    if !check {
        println!("{:<9} {:>10} {:>7} {:>8}   {:<7}   time", "venue", "operations", "types", "lines", "changed");
    }
    for venue in venues {
        match codegen::codegen(root, venue, check) {
            Err(findings) => {
                report(&findings);
                eprintln!("{venue}: not generated, {} errors", findings.len());
                failed = true;
            }
            Ok(outcome) if check => failed |= stale(&outcome),
            Ok(outcome) => {
                let g = &outcome.generated;
                let changed = if outcome.stale.is_empty() { "no" } else { "yes" };
                let seconds = outcome.took.as_secs_f64();
                println!(
                    "{:<9} {:>10} {:>7} {:>8}   {changed:<7}   {seconds:.2} s",
                    outcome.venue, g.operations, g.types, g.lines
                );
            }
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

fn lint(root: &Path, venues: &[String]) -> ExitCode {
    let mut count = 0;
    for venue in venues {
        let findings = Document::read(root, venue).map_or_else(|findings| findings, |document| lint::lint(&document));
        report(&findings);
        count += findings.len();
    }
    if count > 0 {
        eprintln!("{count} errors");
        return ExitCode::FAILURE;
    }
    println!("{}: no errors", venues.join(", "));
    ExitCode::SUCCESS
}

fn bundle(root: &Path, venue: &str, lowered: bool) -> ExitCode {
    let document = match Document::read(root, venue) {
        Ok(document) => document,
        Err(findings) => {
            report(&findings);
            return ExitCode::FAILURE;
        }
    };
    let value = if lowered { lower::lower(&document) } else { document.value };
    println!("{:#}", emit::canonical(value));
    ExitCode::SUCCESS
}
