//! The words of documents, specs, comments and messages: plain technical English, with the standard terms of the field.
//!
//! [`PHRASES`] lists what is not accepted, with what to write. A phrase that is right in one place is listed in [`ALLOWED`].

use std::fs;
use std::path::Path;

/// What is not accepted, and what to write instead.
const PHRASES: &[(&str, &str)] = &[
    ("a good answer", "a successful response"),
    ("a lost answer", "a lost response"),
    ("an answer", "a response; an `answer` is what a person gives at a prompt"),
    ("the answer", "the response"),
    ("the answers", "the responses"),
    ("its answer", "its response"),
    ("no answer", "no response"),
    ("whose answer", "whose response"),
    ("venue answers", "venue responds, returns"),
    ("venues answer", "venues respond, return"),
    ("server answers", "server responds, returns"),
    ("sandbox answers", "sandbox responds, returns"),
    ("whoever", "the caller who, anyone who"),
    ("whomever", "anyone whom"),
    ("tells of", "reports, mentions"),
    ("tells apart", "distinguishes"),
    ("told apart", "distinguished"),
    ("anew", "again; made anew: set up again, rebuilt"),
    ("made up", "generated"),
    ("makes up", "generates"),
    ("passing failure", "transient failure"),
    ("put right", "corrected"),
    ("puts right", "corrects"),
    ("made good", "recovered, repaired"),
    ("makes good", "recovers, repairs"),
    ("heals", "recovers, repairs"),
    ("healed", "recovered, repaired"),
    ("mended", "recovered, repaired"),
    ("puts off", "delays, postpones"),
    ("whence", "source, origin"),
    ("amiss", "wrong"),
    ("nought", "zero"),
    ("of one's own", "your own"),
    ("one's own", "your own, the caller's"),
    ("of your own names", "your own names"),
    ("nobody can tell", "unknown"),
    ("nobody knows", "unknown"),
    ("nobody could tell", "unknown"),
    ("of no json", "that is not JSON"),
    ("is no json", "is not JSON"),
    ("are no json", "are not JSON"),
    ("before anything is told", "before any notification"),
    ("has told", "has reported; check with X first"),
    ("is told nothing", "is not notified"),
    ("the rooms", "architecture, crate map"),
    ("stands twice", "is defined twice"),
    ("stands there", "is present, is defined, occurs"),
    ("a dear call", "an expensive call"),
    ("of theirs alone", "only theirs"),
    ("all the same", "nevertheless, even so"),
    ("at the most", "at most"),
    ("besides", "other than, in addition to, also"),
    ("where there is none", "if it does not exist, by default, if absent"),
    ("if there is none", "if it does not exist"),
    ("is none of", "is not one of"),
    ("in place of no ", "although there is no"),
    ("under way", "in flight, in progress"),
    ("if nothing is said", "by default"),
];

/// Phrases that are right where they are: a path or the beginning of one, and the phrase.
const ALLOWED: &[(&str, &str)] = &[
    // The old name of a type.
    ("CHANGELOG.md", "whence"),
    // What is typed at a prompt.
    ("crates/cli/tests/terminal.rs", "an answer"),
    ("crates/cli/tests/terminal.rs", "the answer"),
    // The answers of a customer to questions.
    ("specs/yativo/", "an answer"),
    ("specs/yativo/", "the answers"),
];

/// Cargo starts tests in the folder of their package: the root of whichever checkout they run in.
fn files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "generated", "node_modules", "corpus"].contains(&name.as_str()) {
                files(&path, found);
            }
        } else if [".rs", ".md", ".yaml"].iter().any(|ending| name.ends_with(ending)) && name != "sources.md" {
            found.push(path.strip_prefix(".").unwrap_or(&path).to_string_lossy().replace('\\', "/"));
        }
    }
}

/// The lines of prose of a file, with their numbers: paragraphs of a document, comments and messages of a source.
fn prose<'a>(path: &str, text: &'a str) -> Vec<(usize, &'a str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    if path.ends_with(".yaml") {
        return lines.collect();
    }
    if path.ends_with(".md") {
        let mut in_code = false;
        let outside = |(_, line): &(usize, &str)| {
            let is_fence = line.trim_start().starts_with("```");
            in_code ^= is_fence;
            !in_code && !is_fence
        };
        return lines.filter(outside).collect();
    }
    lines.flat_map(|(number, line)| comment_and_messages(line).into_iter().map(move |part| (number, part))).collect()
}

/// The comment of a line of Rust, or its string literals that are sentences.
fn comment_and_messages(line: &str) -> Vec<&str> {
    let code = line.trim_start();
    if let Some(comment) = code.strip_prefix("//") {
        return vec![comment];
    }
    let (code, comment) = code.split_once(" // ").map_or((code, None), |(code, comment)| (code, Some(comment)));
    // A literal that goes over several lines has its quotes on two of them: each part is looked at as it is.
    let literals = code.split('"').skip(1).step_by(2).filter(|text| text.contains(' '));
    literals.chain(comment).collect()
}

/// The phrases in a text that are not accepted.
fn faults(text: &str) -> Vec<&'static (&'static str, &'static str)> {
    let text = text.to_lowercase();
    let is_part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let has = |phrase: &str| {
        text.match_indices(phrase).any(|(at, _)| {
            !is_part_of_word(text[..at].chars().next_back())
                && !is_part_of_word(text[at + phrase.len()..].chars().next())
        })
    };
    PHRASES.iter().filter(|(phrase, _)| has(phrase)).collect()
}

#[test]
fn texts_use_the_terms_of_the_field() {
    let mut paths = Vec::new();
    files(Path::new("."), &mut paths);
    paths.retain(|path| path != "tests/prose.rs");
    let (mut lines, mut wrong) = (0, Vec::new());
    for path in &paths {
        let text = fs::read_to_string(path).unwrap();
        for (number, line) in prose(path, &text) {
            lines += 1;
            for (phrase, instead) in faults(line) {
                if !ALLOWED.iter().any(|(place, allowed)| path.starts_with(place) && allowed == phrase) {
                    wrong.push(format!("{path}:{number}: `{phrase}`: write {instead}"));
                }
            }
        }
    }
    assert!(paths.len() > 250 && lines > 6_000, "{} files, {lines} lines", paths.len());
    assert!(wrong.is_empty(), "{} phrases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_was_written_before_is_found() {
    for line in [
        "/// The answer's body, up to 64 KiB.",
        "return Err(format!(\"12 bytes of no JSON\"));",
        "write!(f, \" before `{operation}` has told\")?;",
        "// Requests are signed anew.",
        "let text = \"a key of one's own\"; // and so on",
    ] {
        assert!(comment_and_messages(line).into_iter().any(|part| !faults(part).is_empty()), "{line}");
    }
    let document = "A clock that is off is put right by the venue.\n```\nthe answer\n```\n";
    assert_eq!(prose("a.md", document), [(1, "A clock that is off is put right by the venue.")]);
    assert_eq!(faults(document.lines().next().unwrap()).len(), 1);
}

#[test]
fn what_is_right_is_not_found() {
    for line in ["let answer = ask(\"the price\");", "/// A canewood answering machine.", "x(\"anew\")"] {
        assert!(comment_and_messages(line).into_iter().all(|part| faults(part).is_empty()), "{line}");
    }
}

#[test]
fn no_allowance_is_left_over() {
    for (place, phrase) in ALLOWED {
        assert!(PHRASES.iter().any(|(known, _)| known == phrase), "{phrase}");
        assert!(Path::new(place).exists(), "{place}");
    }
}
