//! Patches of our spec that follow what the vendor changed.

use super::super::compare::compare;
use super::super::patch;
use super::against::SEEDS;
use super::{OURS, VENDOR, document, edited, said};
use crate::document::Document;
use crate::source::Source;
use crate::surface::{ours, vendor};

#[test]
fn what_can_be_followed_is_patched_in_place_with_comments_kept() {
    let document = document();
    let mut followed = 0;
    for (rule, place, _, edits) in SEEDS {
        let vendor = vendor::read(&edited(VENDOR, edits), &document).unwrap();
        let (found, _) = compare(&ours::surface(&document), &vendor);
        let patch = patch::propose_with(&document, &found, |_| Some(OURS.to_owned()));
        let Some(text) = patch.files.get("specs/v/openapi.yaml") else { continue };
        let again = Document::join("v", vec![Source::parse("specs/v/openapi.yaml", text).unwrap()]).unwrap();
        let left = compare(&ours::surface(&again), &vendor).0;
        let still: Vec<String> =
            said(&left).into_iter().filter(|one| one.contains(&format!("{rule} {place}:"))).collect();
        let was_left = patch.left.iter().any(|one| one.contains(&format!("{rule} {place}:")));
        assert!(still.is_empty() || was_left, "{rule} {place}: {still:?}\n{text}");
        for comment in ["# What it is called.", "# open set", "# open ones first"] {
            let is_gone_with_it = place == "Market.ticker" || place == "Market.status" || place == "GetMarkets(status)";
            assert!(text.contains(comment) || is_gone_with_it, "{rule} {place} lost a comment:\n{text}");
        }
        followed += usize::from(!was_left);
    }
    assert!(followed >= 30, "{followed} changes were followed");
}

#[test]
fn several_changes_are_patched_together() {
    let document = document();
    let edits = [
        ("            bid_size:", "            bid_size_fp:"),
        (
            "            volume: {",
            "            rank: { type: boolean }\n            on: { type: string }\n            volume: {",
        ),
        ("enum: [active, settled]", "enum: [active, settled, 'no']"),
        ("        post_only: { type: boolean }\n", ""),
    ];
    let vendor = vendor::read(&edited(VENDOR, &edits), &document).unwrap();
    let (found, _) = compare(&ours::surface(&document), &vendor);
    let patch = patch::propose_with(&document, &found, |_| Some(OURS.to_owned()));
    assert_eq!((patch.done.len(), patch.left.len()), (5, 0), "{:?}", patch.left);
    let text = &patch.files["specs/v/openapi.yaml"];
    for line in [
        "        bid_size_fp: { type: string, format: decimal }\n",
        "        rank: { type: boolean }\n",
        "        'on': { type: string }\n",
        "    Status: { type: string, enum: [active, settled, 'no'] }\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    let again = Document::join("v", vec![Source::parse("specs/v/openapi.yaml", text).unwrap()]).unwrap();
    assert_eq!(said(&compare(&ours::surface(&again), &vendor).0), [""; 0]);
}

#[test]
fn a_new_type_has_no_format_of_the_old_one() {
    let document = document();
    let text = edited(VENDOR, &[("volume: { type: number }", "volume: { type: boolean }")]);
    let (found, _) = compare(&ours::surface(&document), &vendor::read(&text, &document).unwrap());
    let patch = patch::propose_with(&document, &found, |_| Some(OURS.to_owned()));
    assert!(patch.files["specs/v/openapi.yaml"].contains("        volume: { type: boolean }\n"), "{:?}", patch.done);
}
