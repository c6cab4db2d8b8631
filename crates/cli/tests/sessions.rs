//! Terminal sessions as a new user has them, each in a file of `sessions/`.
//!
//! `$ ` begins a command line, `> ` continues it. Below stands what it prints: standard output as it is, standard error behind `! `,
//! and `? CODE` where the exit code is not 0. `[..]` stands for anything in a line, `[...]` for any number of lines. `% clock MILLIS`
//! shifts the venue's clock, `% other` starts another sandbox as `$OTHER_URL`. `VENUEKIT_ACCEPT=1` writes what is printed into the files.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{World, texts};
use venuekit_sandbox::Sandbox;

/// A command line and what it prints.
struct Step {
    /// Comments, empty lines and directives in front of it.
    before: Vec<String>,
    command: Vec<String>,
    expected: Vec<String>,
}

fn read(text: &str) -> (Vec<Step>, Vec<String>) {
    let (mut steps, mut before): (Vec<Step>, Vec<String>) = (Vec::new(), Vec::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with("$ ") {
            before.push(line.to_owned());
            continue;
        }
        let mut command = vec![line.to_owned()];
        while let Some(more) = lines.next_if(|line| line.starts_with("> ") || *line == ">") {
            command.push(more.to_owned());
        }
        let mut expected = Vec::new();
        // An empty line ends what is expected, where a comment, a directive or a command follows.
        while let Some(line) =
            lines.next_if(|line| !line.starts_with("$ ") && !line.starts_with("% ") && !line.starts_with("# "))
        {
            expected.push(line.to_owned());
        }
        let blank = expected.iter().rev().take_while(|line| line.is_empty()).count();
        expected.truncate(expected.len() - blank);
        steps.push(Step { before: std::mem::take(&mut before), command, expected });
        before.extend(std::iter::repeat_n(String::new(), blank));
    }
    (steps, before)
}

fn run(world: &World, step: &Step) -> Vec<String> {
    let script: Vec<&str> = step.command.iter().map(|line| line.get(2..).unwrap_or_default()).collect();
    let output = world.shell(&script.join("\n"));
    let (stdout, stderr) = texts(&output);
    for secret in &world.secrets {
        let asked = script.join(" ").contains("--show-secrets") || !script.join(" ").contains("venuekit");
        assert!(asked || !stdout.contains(secret) && !stderr.contains(secret), "a secret shows: {}", script.join("\n"));
    }
    let mut lines: Vec<String> = stdout.lines().map(str::to_owned).collect();
    lines.extend(stderr.lines().map(|line| format!("! {line}").trim_end().to_owned()));
    let code = output.status.code().unwrap_or(-1);
    if code != 0 {
        lines.push(format!("? {code}"));
    }
    let home = world.home.display().to_string();
    let plain = |line: &String| {
        let line = line.replace(&world.sandbox.base_url(), "[url]").replace(&home, "[home]");
        match world.variables.get("OTHER_URL") {
            Some(other) => line.replace(other, "[other]"),
            None => line,
        }
    };
    lines.iter().map(plain).map(|line| line.trim_end().to_owned()).collect()
}

/// Whether a line is as expected.
fn fits(expected: &str, line: &str) -> bool {
    let mut parts = expected.split("[..]");
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

fn all_fit(expected: &[String], lines: &[String]) -> bool {
    match (expected.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "[...]" => {
            (0..=lines.len()).any(|skipped| all_fit(rest, &lines[skipped..]))
        }
        (Some((first, rest)), Some((line, lines))) => fits(first, line) && all_fit(rest, lines),
        _ => false,
    }
}

fn follow(directive: &str, world: &mut World, others: &mut Vec<Sandbox>) {
    match directive.split_whitespace().collect::<Vec<_>>()[..] {
        ["clock", millis] => world.sandbox.clock().set_offset_millis(millis.parse().unwrap()),
        ["other"] => others.push(world.other_environment()),
        _ => panic!("unknown directive: {directive}"),
    }
}

fn session(path: &Path) -> Result<(), String> {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let (mut world, mut others) = (World::new(&name), Vec::new());
    let text = fs::read_to_string(path).unwrap();
    let (steps, after) = read(&text);
    let (mut written, mut failed) = (Vec::new(), Vec::new());
    for step in &steps {
        for line in &step.before {
            if let Some(directive) = line.strip_prefix("% ") {
                follow(directive, &mut world, &mut others);
            }
        }
        let lines = run(&world, step);
        let good = all_fit(&step.expected, &lines);
        written.extend(step.before.iter().chain(&step.command).cloned());
        written.extend(if good { step.expected.clone() } else { lines.clone() });
        if !good {
            let shown = |lines: &[String]| lines.join("\n");
            failed.push(format!(
                "{name}: {}\n--- expected\n{}\n--- printed\n{}",
                shown(&step.command),
                shown(&step.expected),
                shown(&lines)
            ));
        }
    }
    written.extend(after);
    if std::env::var_os("VENUEKIT_ACCEPT").is_some() {
        fs::write(path, written.join("\n") + "\n").unwrap();
        return Ok(());
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n\n")) }
}

#[test]
fn sessions_go_as_they_are_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let wanted = std::env::var("VENUEKIT_SESSION").ok();
    files.retain(|path| wanted.as_ref().is_none_or(|wanted| path.to_string_lossy().contains(wanted)));
    files.sort();
    assert!(!files.is_empty());
    let failed: Vec<String> = files.iter().filter_map(|path| session(path).err()).collect();
    assert!(failed.is_empty(), "{}\n\nVENUEKIT_ACCEPT=1 accepts what is printed", failed.join("\n\n"));
}

#[test]
fn an_expected_line_may_leave_parts_open() {
    assert!(fits("a [..] c", "a b c") && fits("[..]", "") && fits("a", "a") && fits("[..]x[..]", "yxz"));
    assert!(!fits("a [..] c", "a b d") && !fits("a", "ab") && !fits("a[..]", "b"));
    let lines = |text: &[&str]| text.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert!(all_fit(&lines(&["a", "[...]", "d"]), &lines(&["a", "b", "c", "d"])));
    assert!(!all_fit(&lines(&["a", "[...]", "d"]), &lines(&["a", "b"])));
}
