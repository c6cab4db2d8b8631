//! The same input gives the same output, and what is committed is what the specs say. `lowered.json` is the snapshot of what the
//! generator receives; accept an intended change with `cargo xtask codegen`.

use std::path::Path;

use super::{Scratch, root};
use crate::codegen::{codegen, orphans, venues};
use crate::document::Document;
use crate::emit::generate;

/// The specs of one venue, on their own.
fn copy(venue: &str) -> Scratch {
    let scratch = Scratch::new();
    let folder = format!("specs/{venue}");
    for entry in std::fs::read_dir(root().join(&folder)).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        scratch.write(&format!("{folder}/{name}"), &std::fs::read_to_string(entry.path()).unwrap());
    }
    scratch
}

fn edit(scratch: &Scratch, path: &str, find: &str, with: &str) {
    let text = std::fs::read_to_string(scratch.path().join(path)).unwrap();
    assert_eq!(text.matches(find).count(), 1, "{find:?} stands once in {path}");
    scratch.write(path, &text.replacen(find, with, 1));
}

fn client(root: &Path, venue: &str) -> String {
    std::fs::read_to_string(root.join(format!("crates/{venue}/src/generated/client.rs"))).unwrap()
}

#[test]
fn the_same_specs_give_the_same_bytes() {
    for venue in venues(&root()) {
        let files = || generate(&Document::read(&root(), &venue).unwrap()).unwrap().files;
        assert!(files() == files(), "{venue}");
    }
}

#[test]
fn what_is_committed_is_what_the_specs_say() {
    for venue in venues(&root()) {
        let outcome = codegen(&root(), &venue, true).unwrap();
        assert_eq!(outcome.stale, Vec::<String>::new(), "run `cargo xtask codegen {venue}`");
    }
}

#[test]
fn a_change_of_a_spec_reaches_the_client() {
    let scratch = copy("bayse");
    let root = scratch.path();
    let first = codegen(root, "bayse", false).unwrap();
    assert_eq!(
        first.stale.len(),
        std::fs::read_dir(root.join("crates/bayse/src/generated")).unwrap().count() + 2,
        "everything is new, the tests' calls and the sandbox's document too"
    );
    assert!(codegen(root, "bayse", true).unwrap().stale.is_empty());
    let before = client(root, "bayse");

    // An optional field, a value of an enum and an operation.
    edit(
        &scratch,
        "specs/bayse/system.yaml",
        "\nschemas:\n",
        "\n  /v1/weather:\n    get:\n      operationId: getWeather\n      summary: The weather\n      x-retry: safe\n      x-rate: { bucket: read, cost: 1 }\n      responses:\n        '200':\n          description: The weather.\n          content: { application/json: { schema: { $ref: '#/schemas/Weather' } } }\n        4XX: { description: Refused }\n        5XX: { description: Failed }\nschemas:\n  Weather:\n    type: object\n    properties:\n      rainfall: { type: string, format: decimal, description: Millimetres. }\n      sky: { $ref: '#/schemas/Sky' }\n  Sky: { type: string, enum: [blue, grey] }\n",
    );
    edit(
        &scratch,
        "specs/bayse/openapi.yaml",
        "\ncomponents:\n",
        "\n  /v1/weather: { $ref: 'system.yaml#/paths/~1v1~1weather' }\ncomponents:\n",
    );
    let outcome = codegen(root, "bayse", true).unwrap();
    let changed = ["client.rs", "lowered.json", "specs.sha256", "venue.rs"];
    let changed = changed.map(|name| format!("crates/bayse/src/generated/{name}"));
    let elsewhere = ["crates/spec/src/generated/bayse.json", "tests/every_operation/generated/bayse.rs"];
    assert_eq!(outcome.stale, [changed.as_slice(), &elsewhere.map(str::to_owned)].concat());
    assert_eq!(outcome.changed_specs, ["specs/bayse/openapi.yaml", "specs/bayse/system.yaml"]);
    assert_eq!(client(root, "bayse"), before, "to check is not to write");

    codegen(root, "bayse", false).unwrap();
    let with_operation = client(root, "bayse");
    for line in [
        "pub fn get_weather(&self)",
        "pub rainfall: Option<wire::Decimal>,",
        "wire::Open<Sky",
        "let call = Call::new(operations::GET_WEATHER);",
    ] {
        assert!(with_operation.contains(line) && !before.contains(line), "{line}");
    }
    edit(&scratch, "specs/bayse/system.yaml", "enum: [blue, grey]", "enum: [blue, grey, black]");
    edit(&scratch, "specs/bayse/system.yaml", "      sky: {", "      wind: { type: string }\n      sky: {");
    codegen(root, "bayse", false).unwrap();
    let after = client(root, "bayse");
    for line in ["Black = \"black\"", "pub wind: Option<String>,"] {
        assert!(after.contains(line) && !with_operation.contains(line), "{line}");
    }
}

#[test]
fn a_file_that_was_edited_by_hand_is_stale() {
    let scratch = copy("kalshi");
    codegen(scratch.path(), "kalshi", false).unwrap();
    let path = "crates/kalshi/src/generated/venue.rs";
    let text = std::fs::read_to_string(scratch.path().join(path)).unwrap();
    scratch.write(path, &format!("{text}\n"));
    let outcome = codegen(scratch.path(), "kalshi", true).unwrap();
    assert_eq!((outcome.stale, outcome.changed_specs), (vec![path.to_owned()], vec![]));
    scratch.write(path, &text.replace('\n', "\r\n"));
    assert!(codegen(scratch.path(), "kalshi", true).unwrap().stale.is_empty(), "line endings are git's affair");
}

#[test]
fn a_file_that_is_no_longer_generated_is_stale_and_goes() {
    let scratch = copy("bayse");
    codegen(scratch.path(), "bayse", false).unwrap();
    scratch.write("crates/bayse/src/generated/old.rs", "// of another time\n");
    let left_over = vec!["crates/bayse/src/generated/old.rs".to_owned()];
    assert_eq!(codegen(scratch.path(), "bayse", true).unwrap().stale, left_over);
    assert_eq!(codegen(scratch.path(), "bayse", false).unwrap().stale, left_over);
    assert!(codegen(scratch.path(), "bayse", true).unwrap().stale.is_empty());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let scratch = copy("kalshi");
    scratch.write("crates/kalshi/src", "a file where a folder should be");
    let findings = codegen(scratch.path(), "kalshi", false).unwrap_err();
    assert_eq!(findings[0].rule, "unwritable");
}

#[test]
fn a_folder_among_generated_files_is_named() {
    let scratch = copy("bayse");
    codegen(scratch.path(), "bayse", false).unwrap();
    scratch.write("crates/bayse/src/generated/own/mod.rs", "// kept\n");
    for check in [true, false] {
        let findings = codegen(scratch.path(), "bayse", check).unwrap_err();
        let at = findings[0].at.to_string();
        assert_eq!((findings[0].rule, at.as_str()), ("unwritable", "crates/bayse/src/generated/own"));
        assert!(findings[0].help.contains("delete it"), "{}", findings[0]);
    }
    assert!(scratch.path().join("crates/bayse/src/generated/own/mod.rs").exists());
}

#[test]
fn what_is_left_of_a_venue_without_a_spec_is_named() {
    let scratch = copy("bayse");
    codegen(scratch.path(), "bayse", false).unwrap();
    scratch.write("crates/spec/src/generated/mod.rs", "");
    scratch.write("crates/venues/src/generated/mod.rs", "");
    let there = venues(scratch.path());
    assert!(orphans(scratch.path(), &there).is_empty());
    std::fs::remove_dir_all(scratch.path().join("specs/bayse")).unwrap();
    let left = [
        "crates/bayse/src/generated",
        "tests/every_operation/generated/bayse.rs",
        "crates/spec/src/generated/bayse.json",
    ];
    let gone = orphans(scratch.path(), &venues(scratch.path()));
    assert_eq!(gone.into_iter().collect::<Vec<_>>(), [("bayse".to_owned(), left.map(str::to_owned).to_vec())]);
}

#[test]
fn what_the_generator_refuses_is_a_finding_and_no_panic() {
    let document = Document::read(&root(), "kalshi").unwrap();
    let mut value = document.value.clone();
    value["components"]["schemas"]["Market"]["properties"]["ticker"] =
        serde_json::json!({"$ref": "#/components/schemas/Nowhere"});
    let findings = generate(&document.derived(document.kind, value)).unwrap_err();
    assert_eq!(findings[0].rule, "generator");
    assert!(findings[0].message.contains("Nowhere"), "{}", findings[0]);
}
