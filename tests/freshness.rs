//! The committed clients were made of the committed specs.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

#[test]
fn no_spec_has_changed_since_its_client_was_generated() {
    // Cargo starts tests in the folder of their package.
    let root = Path::new(".");
    let mut venues = 0;
    for entry in fs::read_dir(root.join("specs")).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        let venue = entry.file_name().into_string().unwrap();
        let stamped = fs::read_to_string(root.join(format!("crates/{venue}/src/generated/specs.sha256"))).unwrap();
        let mut names: Vec<String> = fs::read_dir(entry.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".yaml") && name != "drift.yaml")
            .collect();
        names.sort();
        let mut now = String::new();
        for name in names {
            let path = format!("specs/{venue}/{name}");
            let text = fs::read_to_string(root.join(&path)).unwrap().replace("\r\n", "\n");
            let digest: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            now += &format!("{digest}  {path}\n");
        }
        assert_eq!(stamped, now, "specs/{venue} has changed; run `cargo xtask codegen {venue}`");
        venues += 1;
    }
    assert!(venues >= 4);
}
