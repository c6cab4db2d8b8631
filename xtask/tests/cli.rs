//! The commands as a contributor types them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A workspace with one venue, which goes when the test does.
struct Workspace(PathBuf);

const SPEC: &str = "\
openapi: 3.0.3
info: { title: Things, version: '1' }
servers:
  - { url: 'https://things.test', x-environment: production }
security: []
x-errors: { code: [/code] }
paths:
  /things:
    get:
      operationId: ListThings
      x-retry: safe
      responses:
        '200':
          description: All of them.
          content: { application/json: { schema: { type: array, items: { $ref: '#/schemas/Thing' } } } }
        4XX: { description: Refused. }
        5XX: { description: Failed. }
schemas:
  Thing:
    type: object
    properties:
      name: { type: string }
";

impl Workspace {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("venuekit-xtask-cli-{name}-{}", std::process::id()));
        let workspace = Self(path);
        workspace.write(SPEC);
        workspace
    }

    fn write(&self, spec: &str) {
        self.add("things", spec);
    }

    fn add(&self, venue: &str, spec: &str) {
        let folder = self.0.join("specs").join(venue);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("openapi.yaml"), spec).unwrap();
        std::fs::write(folder.join("sources.md"), "None.\n").unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = xtask(&self.0);
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        said(self.command(arguments).output().unwrap())
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn xtask(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg(format!("--root={}", root.display()));
    command
}

fn said(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_is_not_understood_is_answered_with_the_usage() {
    let workspace = Workspace::new("usage");
    for arguments in [
        &[][..],
        &["generate"],
        &["codegen", "--force"],
        &["lint", "--check"],
        &["bundle"],
        &["bundle", "things", "more"],
        &["synthetic", "12"],
        &["growth", "--check"],
    ] {
        let (code, stdout, stderr) = workspace.run(arguments);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(stderr.starts_with("usage: cargo xtask codegen [VENUE...]"), "{arguments:?}: {stderr}");
    }
    let (code, stdout, _) = workspace.run(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("usage: "));
}

#[test]
fn a_venue_that_is_not_there_is_named_with_those_that_are() {
    let workspace = Workspace::new("unknown");
    for command in ["codegen", "lint", "bundle"] {
        let (code, _, stderr) = workspace.run(&[command, "thing"]);
        assert_eq!((code, stderr.as_str()), (Some(2), "there is no venue `thing`; specs/ has things\n"));
    }
    let nowhere = workspace.0.join("nowhere");
    let (code, _, stderr) = said(xtask(&nowhere).arg("lint").output().unwrap());
    assert_eq!(code, Some(2));
    assert!(stderr.starts_with("there is no venue below "), "{stderr}");
}

/// A built command works on the checkout that it is run in, wherever it was built and whatever ran it.
#[test]
fn the_workspace_is_the_one_around_the_current_folder() {
    let workspace = Workspace::new("around");
    std::fs::write(workspace.0.join("Cargo.toml"), "[workspace]\n").unwrap();
    let run = |folder: &Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        // What Cargo sets for the package that it runs something for.
        command.env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"));
        said(command.args(arguments).current_dir(folder).output().unwrap())
    };
    for folder in ["", "specs", "specs/things"] {
        let lint = run(&workspace.0.join(folder), &["lint"]);
        assert_eq!(lint, (Some(0), "things: no errors\n".to_owned(), String::new()), "{folder}");
    }
    let (code, ..) = run(&workspace.0.join("specs"), &["codegen", "things"]);
    assert_eq!(code, Some(0));
    assert!(workspace.0.join("crates/things/src/generated/client.rs").is_file());
    let nowhere = std::env::temp_dir();
    let (code, stdout, stderr) = run(&nowhere, &["lint"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.starts_with("no workspace found: ") && stderr.contains("--root=DIR"), "{stderr}");
    let named = format!("--root={}", workspace.0.display());
    assert_eq!(run(&nowhere, &["lint", &named]).0, Some(0));
    assert_eq!(run(&nowhere, &["--help"]).0, Some(0), "help needs no workspace");
}

#[test]
fn an_error_has_a_rule_a_place_and_a_remedy() {
    let workspace = Workspace::new("lint");
    assert_eq!(workspace.run(&["lint"]), (Some(0), "things: no errors\n".to_owned(), String::new()));
    workspace.write(&SPEC.replace("name: { type: string }", "price: { type: number }"));
    let expected = "error[float-money]: `price` looks like money and is a float\n  --> specs/things/openapi.yaml:22:7\n  = help: say `format: decimal`\n\n";
    let (code, stdout, stderr) = workspace.run(&["lint", "things"]);
    assert_eq!((code, stdout.as_str(), stderr), (Some(1), "", format!("{expected}1 error\n")));
    let (code, _, stderr) = workspace.run(&["codegen"]);
    assert_eq!((code, stderr), (Some(1), format!("{expected}things: not generated, 1 error\n")));
    let (code, stdout, stderr) = workspace.run(&["bundle", "things", "--lowered"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(1), "", expected));
}

#[test]
fn what_is_stale_is_said_with_the_repair() {
    let workspace = Workspace::new("stale");
    let (code, _, stderr) = workspace.run(&["codegen", "--check"]);
    assert_eq!(code, Some(1));
    assert!(stderr.ends_with("repair: cargo xtask codegen things\n"), "{stderr}");
    let (code, stdout, stderr) = workspace.run(&["codegen", "things"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("yes"), "{stdout}");
    assert_eq!(workspace.run(&["codegen", "--check"]), (Some(0), String::new(), String::new()));
    workspace.write(&SPEC.replace("      name:", "      size: { type: integer }\n      name:"));
    let (code, _, stderr) = workspace.run(&["codegen", "--check", "things"]);
    assert_eq!(code, Some(1));
    let expected = "\
stale: crates/things/src/generated (specs/things/openapi.yaml changed)
       crates/spec/src/generated/things.json
       crates/things/src/generated/client.rs
       crates/things/src/generated/lowered.json
       crates/things/src/generated/specs.sha256
repair: cargo xtask codegen things
";
    assert_eq!(stderr, expected);
}

/// Venues are generated side by side, and whichever is done first: what is said of them comes in their order.
#[test]
fn what_is_said_of_several_venues_comes_in_order() {
    let workspace = Workspace::new("several");
    let broken = SPEC.replace("name: { type: string }", "price: { type: number }");
    // The last one has most to do, and would be first with its errors if it were not for the order.
    let large: String = (0..300).map(|at| format!("      name{at}: {{ type: string }}\n")).collect();
    for (venue, spec) in
        [("a", &broken), ("b", &format!("{SPEC}{large}")), ("c", &broken), ("d", &format!("{broken}{large}"))]
    {
        workspace.add(venue, spec);
    }
    let (code, stdout, stderr) = workspace.run(&["codegen"]);
    assert_eq!(code, Some(1));
    let first_words = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    };
    assert_eq!(first_words(&stdout), ["venue", "b", "things"]);
    let places: Vec<&str> =
        stderr.lines().filter(|line| line.contains("--> ") || line.contains("not generated")).collect();
    let expected = ["a", "c", "d"]
        .map(|venue| [format!("  --> specs/{venue}/openapi.yaml:22:7"), format!("{venue}: not generated, 1 error")]);
    assert_eq!(places, expected.concat());
    // In the order that was asked for, and once each.
    let (_, stdout, _) = workspace.run(&["codegen", "things", "b", "things"]);
    assert_eq!(first_words(&stdout), ["venue", "things", "b"]);
}

#[test]
fn a_synthetic_spec_is_written_where_it_is_wanted() {
    let workspace = Workspace::new("synthetic");
    let folder = workspace.0.join("elsewhere/specs/made");
    let (code, stdout, stderr) = workspace.run(&["synthetic", "12", &folder.display().to_string()]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.ends_with(": 12 operations\n"), "{stdout}");
    let root = format!("--root={}", workspace.0.join("elsewhere").display());
    let (code, stdout, stderr) =
        said(Command::new(env!("CARGO_BIN_EXE_xtask")).args(["codegen", &root]).output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.lines().last().is_some_and(|line| line.starts_with("made ") && line.contains(" 12 ")), "{stdout}");
    for number in ["0", "many", "1000000"] {
        assert_eq!(workspace.run(&["synthetic", number, &folder.display().to_string()]).0, Some(2), "{number}");
    }
}

#[test]
fn a_bundle_is_one_json_document() {
    let workspace = Workspace::new("bundle");
    for (arguments, key) in [(&["bundle", "things"][..], "x-errors"), (&["bundle", "things", "--lowered"], "paths")] {
        let (code, stdout, _) = workspace.run(arguments);
        let document: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(code, Some(0));
        assert!(document.get(key).is_some());
    }
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let workspace = Workspace::new("pipe");
    // More than a pipe holds, so that the writer does notice.
    let long = format!("      name: {{ type: string, description: '{}' }}", "long ".repeat(200_000));
    workspace.write(&SPEC.replace("      name: { type: string }", &long));
    let mut child =
        workspace.command(&["bundle", "things"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let (code, _, stderr) = said(child.wait_with_output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
}
