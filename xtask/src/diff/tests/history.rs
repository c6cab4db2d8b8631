//! Lines of the changelog, and specs of other revisions.

use super::super::changelog::Called;
use super::super::compare::Change;
use super::super::revision::{self, State};
use super::super::{changelog, changes as changes_between, check as check_changelog};
use super::{FILES, TAG, changes};
use crate::tests::Scratch;

#[test]
fn lines_for_the_changelog_say_what_changed() {
    let found = changes(&[
        ("enum: [buy, sell]", "enum: [buy]"),
        ("      word: { type: string }\n", "      word: { type: string }\n      rank: { type: boolean }\n"),
    ]);
    let lines = changelog::lines("Test", &found);
    assert_eq!(
        lines,
        [
            "- **breaking:** Test: values of requests removed: `Side=sell`.",
            "- **added:** Test: new members of responses: `Market.rank`.",
        ]
    );
}

#[test]
fn a_changed_spec_needs_its_line() {
    let breaking = changes(&[("enum: [buy, sell]", "enum: [buy]")]);
    let docs = changes(&[("description: Title.", "description: Heading.")]);
    let gained = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let called = |venue: &str, title: &str| Called { venue: venue.to_owned(), title: title.to_owned() };
    let (perps, kalshi) = (called("kalshi_perps", "Kalshi Perps"), called("kalshi", "Kalshi"));
    let lacks = |changes: &[Change], lines: &[&str]| {
        changelog::lacks(&perps, std::slice::from_ref(&kalshi), changes, &gained(lines))
    };
    assert!(lacks(&breaking, &[]).unwrap().contains("names it"));
    assert!(lacks(&breaking, &["- **added:** Kalshi: markets"]).unwrap().contains("names it"));
    assert!(lacks(&breaking, &["- **added:** Kalshi perps: sides"]).unwrap().contains("**breaking:**"));
    assert_eq!(lacks(&breaking, &["- **breaking:** kalshi_perps: orders are bought only"]), None);
    assert_eq!(lacks(&breaking, &["- **breaking:** every venue: sides"]), None);
    assert_eq!(lacks(&docs, &[]), None, "words need no line");
    // The other way round: the name of one venue is the beginning of another's.
    let of_kalshi = |line: &str| changelog::lacks(&kalshi, std::slice::from_ref(&perps), &breaking, &gained(&[line]));
    for line in ["Kalshi perps: a", "kalshi-perps: a", "`kalshi_perps`: a", "Kalshi Perps: a", "Kalshi  Perps: a"] {
        assert!(of_kalshi(&format!("- **breaking:** {line}")).is_some(), "{line}");
    }
    for line in
        ["Kalshi: a", "Kalshi and Kalshi Perps: a", "Kalshi Perps, Kalshi: a", "Kalshi-only: a", "all venues: a"]
    {
        assert_eq!(of_kalshi(&format!("- **breaking:** {line}")), None, "{line}");
    }
    let (before, now) = ("- **added:** a\n  b\n", "- **added:** a\n  b\n- **fixed:** c\n  d\n");
    assert_eq!(changelog::gained(before, now), ["- **fixed:** c d"]);
}

#[test]
fn revisions_are_read_without_a_checkout() {
    let scratch = Scratch::new();
    let git = |arguments: &[&str]| revision::git(scratch.path(), arguments).unwrap();
    for (name, text) in FILES {
        scratch.write(&format!("specs/v/{name}"), text);
    }
    scratch.write("specs/v/sources.md", "x");
    scratch.write("CHANGELOG.md", "- **added:** v\n");
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&[
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.com",
        "-c",
        "commit.gpgsign=false",
        "commit",
        "-q",
        "-m",
        "one",
    ]);
    scratch.write("specs/v/a.yaml", &TAG.replace("enum: [buy, sell]", "enum: [buy]"));
    let (head, now) = (State::Revision("HEAD".to_owned()), State::Worktree);
    let (_, found) = changes_between(scratch.path(), "v", &(head.clone(), now.clone())).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule.name, found[0].place.as_str()), ("request-value-removed", "Side=sell"));
    // The line is missing, and then it is there.
    let check = |words: &[&str]| format!("{:?}", check_changelog(scratch.path(), words).unwrap());
    assert_eq!(check(&["HEAD"]), format!("{:?}", std::process::ExitCode::FAILURE));
    scratch.write("CHANGELOG.md", "- **added:** v\n- **breaking:** v: no sells\n");
    assert_eq!(check(&["HEAD"]), format!("{:?}", std::process::ExitCode::SUCCESS));
    assert!(!revision::resolves(scratch.path(), "--help") && !revision::resolves(scratch.path(), "nothing"));
    // A venue that comes or goes is one change.
    std::fs::remove_dir_all(scratch.path().join("specs/v")).unwrap();
    let (_, gone) = changes_between(scratch.path(), "v", &(head.clone(), now.clone())).unwrap();
    let (_, come) = changes_between(scratch.path(), "v", &(now, head)).unwrap();
    assert_eq!((gone[0].rule.name, come[0].rule.name), ("venue-removed", "venue-added"));
}
