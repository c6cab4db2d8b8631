//! What the documents name exists, and what is shown as documentation of a crate has no link into the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The checkout that the tests run in, whichever it was where they were built: Cargo starts them in the folder of their package.
fn root() -> &'static Path {
    Path::new(".")
}

/// Every file and folder of the repository, relative to its root, folders with a slash at the end.
fn paths() -> BTreeSet<String> {
    fn walk(folder: &Path, at: &str, into: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_dir() {
                if ![".git", "target", "node_modules"].contains(&name.as_str()) {
                    into.insert(format!("{at}{name}/"));
                    walk(&entry.path(), &format!("{at}{name}/"), into);
                }
            } else {
                into.insert(format!("{at}{name}"));
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(root(), "", &mut found);
    found
}

/// The documents, with their texts.
fn documents() -> Vec<(String, String)> {
    let all = paths().into_iter().filter(|path| path.ends_with(".md") && !path.ends_with("sources.md"));
    let all: Vec<_> = all.map(|path| (path.clone(), fs::read_to_string(root().join(&path)).unwrap())).collect();
    assert!(all.len() >= 10, "{}", all.len());
    all
}

/// A text without the blocks of code between fences.
fn prose(text: &str) -> String {
    let mut in_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// What stands in single backticks.
fn codes(text: &str) -> Vec<String> {
    let paragraphs = text.split("\n\n");
    paragraphs
        .flat_map(|text| text.split('`').skip(1).step_by(2).map(|code| code.replace('\n', " ")).collect::<Vec<_>>())
        .collect()
}

/// The paths that a word in backticks stands for; none for what is not a path of this repository.
fn named(code: &str) -> Vec<String> {
    const ENDINGS: [&str; 6] = [".rs", ".md", ".yaml", ".toml", ".json", ".sh"];
    const FOLDERS: [&str; 9] =
        ["crates/", "docs/", "specs/", "xtask/", "tests/", "benches/", "examples/", ".ci/", ".github/"];
    let is_path =
        FOLDERS.iter().any(|folder| code.starts_with(folder)) || ENDINGS.iter().any(|ending| code.ends_with(ending));
    if !is_path
        || code.contains([' ', '(', ':', '#', '=', '\'', '"'])
        || code.starts_with(['-', '.', '/', '~']) && !code.starts_with(".ci/")
    {
        return Vec::new();
    }
    match (code.find('{'), code.find('}')) {
        (Some(open), Some(close)) if open < close => {
            let parts = code[open + 1..close].split(',');
            parts.map(|part| format!("{}{part}{}", &code[..open], &code[close + 1..])).collect()
        }
        _ => vec![code.to_owned()],
    }
}

/// Whether a path ends in what a document names: by its full name, or, as where a folder was named before, by the end of it.
/// `<venue>` and `*` stand for any name.
fn is(path: &str, named: &str) -> bool {
    let parts = |text: &str| text.trim_end_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
    let (path, named) = (parts(path), parts(named));
    let fits = |part: &str, pattern: &str| match pattern.find(['<', '*']) {
        None => part == pattern,
        Some(start) => {
            let end = pattern.rfind(['>', '*']).map_or(pattern.len(), |end| end + 1);
            part.len() >= start + pattern.len() - end
                && part.starts_with(&pattern[..start])
                && part.ends_with(&pattern[end..])
        }
    };
    path.len() >= named.len() && path.iter().rev().zip(named.iter().rev()).all(|(part, pattern)| fits(part, pattern))
}

#[test]
fn every_path_in_backticks_exists() {
    let paths = paths();
    let (mut checked, mut missing) = (0, Vec::new());
    for (document, text) in documents() {
        // It describes what was.
        if document == "CHANGELOG.md" {
            continue;
        }
        for code in codes(&prose(&text)) {
            for name in named(&code) {
                checked += 1;
                if !paths.iter().any(|path| is(path, &name)) {
                    missing.push(format!("{document}: `{name}`"));
                }
            }
        }
    }
    assert!(checked > 60, "{checked}");
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn a_path_that_does_not_exist_is_found() {
    let paths = paths();
    let exists = |code: &str| named(code).iter().all(|name| paths.iter().any(|path| is(path, name)));
    for code in [
        "crates/spec/src/lenient.rs",
        "crates/nowhere",
        "lower/nothing.rs",
        "crates/{bayse,nowhere}",
        "specs/*/nothing.yaml",
    ] {
        assert!(!named(code).is_empty() && !exists(code), "{code}");
    }
    for code in [
        "crates/spec/src/lib.rs",
        "crates/<venue>/",
        "lower/*.rs",
        "crates/{bayse,deribit}",
        "specs/<venue>/sources.md",
    ] {
        assert!(!named(code).is_empty() && exists(code), "{code}");
    }
    for code in ["application/json", "cargo xtask lint", "private/buy", "/error/code", "venuekit::wire"] {
        assert!(named(code).is_empty(), "{code}");
    }
}

/// Where the links of a text lead, in both forms of Markdown.
fn links(text: &str) -> Vec<String> {
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let defined = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('[')?.split_once("]: "))
        .map(|(_, target)| target);
    let targets = inline.chain(defined).filter_map(|target| target.split_whitespace().next());
    targets.map(|target| target.trim_matches(['<', '>']).to_owned()).collect()
}

fn is_elsewhere(target: &str) -> bool {
    ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

/// Whether a document is the documentation of a crate.
fn is_of_a_crate(document: &str) -> bool {
    let folder = Path::new(document).parent().map(PathBuf::from).unwrap_or_default();
    let sources = ["src/lib.rs", "src/main.rs"]
        .map(|source| fs::read_to_string(root().join(&folder).join(source)).unwrap_or_default());
    sources.iter().any(|source| source.starts_with("#![doc = include_str!(\"../README.md\")]"))
        && document.ends_with("README.md")
}

#[test]
fn links_lead_somewhere() {
    let (mut of_crates, mut dead) = (0, Vec::new());
    for (document, text) in documents() {
        let folder = root().join(&document).parent().unwrap().to_owned();
        let is_of_a_crate = is_of_a_crate(&document);
        of_crates += usize::from(is_of_a_crate);
        for target in links(&prose(&text)).into_iter().filter(|target| !is_elsewhere(target)) {
            let (file, _) = target.split_once('#').unwrap_or((&target, ""));
            // Rustdoc checks what names an item; a file is nowhere beside the pages that it writes.
            let names_an_item = target.contains("::") || file.chars().all(|c| c.is_alphanumeric() || c == '_');
            let good = if is_of_a_crate { names_an_item } else { file.is_empty() || folder.join(file).exists() };
            if !good {
                dead.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(of_crates >= 6, "{of_crates}");
    assert_eq!(dead, Vec::<String>::new());
}

/// The commands in the shell blocks of a document, in order.
fn commands(text: &str) -> Vec<&str> {
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block);
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" #").next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_readme_begins_with_what_a_checkout_needs() {
    let readme = fs::read_to_string("README.md").unwrap();
    assert_eq!(commands(&readme)[..2], ["cargo xtask codegen", "cargo test --workspace"]);
}

/// The row of a crate in the README's table of venues: its numbers of operations and of channels.
fn counts(readme: &str, package: &str) -> Option<(usize, usize)> {
    let row = readme.lines().find(|line| line.contains(&format!("[`{package}`]")))?;
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let number = |cell: &str| cell.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse().unwrap_or(0);
    Some((number(cells[3]), number(cells[4])))
}

#[test]
fn the_readme_counts_what_the_specs_have() {
    let readme = fs::read_to_string("README.md").unwrap();
    let specs = venuekit_spec::all();
    for spec in &specs {
        let package = format!("venuekit-{}", spec.venue.replace('_', "-"));
        let document = fs::read_to_string(format!("crates/spec/src/generated/{}.json", spec.venue)).unwrap();
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        let channels = document["x-streams"]["channels"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(counts(&readme, &package), Some((spec.operations().len(), channels)), "the row of {package}");
    }
    let apis = format!("({} APIs)", specs.len());
    assert!(readme.contains(&apis), "the comparison should say {apis}");
    let channels: usize = specs
        .iter()
        .filter_map(|spec| counts(&readme, &format!("venuekit-{}", spec.venue.replace('_', "-"))))
        .map(|(_, channels)| channels)
        .sum();
    assert!(readme.contains(&format!("| {channels} channels, typed")), "the comparison should say {channels} channels");
}

#[test]
fn actions_of_workflows_are_pinned_and_their_steps_exist() {
    let run = fs::read_to_string(".ci/run").unwrap();
    let (mut actions, mut steps) = (0, BTreeSet::new());
    for entry in fs::read_dir(".github/workflows").unwrap().map(Result::unwrap) {
        let text = fs::read_to_string(entry.path()).unwrap();
        for action in text.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, action)| action) {
            let commit = action.split_once('@').map_or("", |(_, rest)| rest.split(' ').next().unwrap_or_default());
            assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{action}");
            assert!(action.contains(" # v"), "{action}: its version stands behind the commit");
            actions += 1;
        }
        let called = text.split("bash .ci/run ").skip(1).filter_map(|rest| rest.split_whitespace().next());
        steps.extend(called.map(str::to_owned));
    }
    assert!(actions > 20, "{actions}");
    assert_eq!(steps.into_iter().collect::<Vec<_>>(), ["deny", "docs", "features", "lint", "msrv", "package", "test"]);
    assert!(run.contains("STEPS=(lint docs deny test)") && run.contains("MORE_STEPS=(features package msrv)"));
}

/// The chapters of the guide, with their texts.
fn chapters() -> Vec<(String, String)> {
    let all = documents().into_iter().filter(|(path, _)| path.starts_with("book/src/"));
    all.filter(|(path, _)| !path.ends_with("SUMMARY.md")).collect()
}

#[test]
fn every_chapter_is_in_the_summary() {
    let summary = links(&fs::read_to_string("book/src/SUMMARY.md").unwrap());
    let listed: BTreeSet<String> = summary.into_iter().map(|link| format!("book/src/{link}")).collect();
    let there: BTreeSet<String> = chapters().into_iter().map(|(path, _)| path).collect();
    assert!(there.len() > 10, "{there:?}");
    assert_eq!(listed, there, "book/src/SUMMARY.md on the left, the chapters on the right");
}

#[test]
fn the_code_of_every_chapter_is_compiled() {
    let library = fs::read_to_string("src/lib.rs").unwrap();
    let mut with_code = 0;
    for (path, text) in chapters() {
        let mut sources = vec![(path.clone(), text.clone())];
        for included in text.split("{{#include ").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name)
        {
            let file = Path::new(&path).parent().unwrap().join(included);
            let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {included}: {error}"));
            sources.push((file.file_name().unwrap().to_string_lossy().into_owned(), text));
        }
        for (name, text) in sources.iter().filter(|(_, text)| text.lines().any(|line| line.starts_with("```rust"))) {
            with_code += 1;
            assert!(library.contains(&format!("{name}\")]")), "src/lib.rs does not include {name}");
            assert!(!text.contains("```rust,ignore"), "{name}");
        }
    }
    assert!(with_code > 8, "{with_code}");
}

#[test]
fn links_are_read_in_both_forms() {
    let text = "[a](docs/A.md) and [b](<crates/b> 'title') and [c](https://v.test)\n\n[d]: e.md\n";
    assert_eq!(links(text), ["docs/A.md", "crates/b", "https://v.test", "e.md"]);
}
