//! Warns when a spec was changed and its client was not regenerated. In `tests/freshness.rs` the same is an error.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

fn main() {
    // A published package has neither specs nor the other crates, and nothing to compare.
    println!("cargo::rerun-if-changed=specs");
    for entry in fs::read_dir("specs").into_iter().flatten().flatten() {
        let venue = entry.file_name().to_string_lossy().into_owned();
        let stamp = format!("crates/{venue}/src/generated/specs.sha256");
        let Ok(stamped) = fs::read_to_string(&stamp) else { continue };
        println!("cargo::rerun-if-changed={stamp}");
        for line in stamped.lines() {
            if let Some((digest, path)) = line.split_once("  ")
                && digest != digest_of(Path::new(path))
            {
                println!("cargo::warning={path} has changed; run `cargo xtask codegen {venue}`");
            }
        }
    }
}

fn digest_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
