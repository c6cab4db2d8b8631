//! Spec files, as `cargo xtask lint` reads them: an input is read, or refused with a place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../xtask/src/characters.rs"]
#[allow(dead_code)]
mod characters;
#[path = "../../xtask/src/finding.rs"]
#[allow(dead_code)]
mod finding;
#[path = "../../xtask/src/source.rs"]
#[allow(dead_code)]
mod source;
#[path = "../../xtask/src/yaml.rs"]
#[allow(dead_code)]
mod yaml;

fuzz_target!(|text: &str| {
    match source::Source::parse("fuzz.yaml", text) {
        Ok(source) => drop(source.locate("/paths/~1x/get")),
        Err(finding) => {
            assert!(finding.at.line <= text.lines().count() + 1, "{finding:?}");
            assert!(!finding.help.is_empty());
        }
    }
});
