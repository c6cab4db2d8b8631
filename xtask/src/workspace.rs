//! Where the specs and clients are that a command works on: in the checkout it is run in, not in the one it was compiled in.

use std::path::{Path, PathBuf};

/// The nearest folder at or above `from` that is a Cargo workspace with specs.
pub fn find(from: &Path) -> Result<PathBuf, String> {
    from.ancestors().find(|folder| is_workspace(folder)).map(Path::to_owned).ok_or_else(|| {
        format!(
            "no workspace found: neither {} nor a folder above it has a Cargo.toml with [workspace] and a folder specs/; \
             run the command in a checkout, or name one with --root=DIR",
            from.display()
        )
    })
}

fn is_workspace(folder: &Path) -> bool {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    folder.join("specs").is_dir() && manifest.lines().any(|line| line.trim_start().starts_with("[workspace]"))
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::tests::Scratch;

    #[test]
    fn the_nearest_workspace_with_specs_is_found() {
        let scratch = Scratch::new();
        scratch.write("outer/Cargo.toml", "[package]\nname = \"outer\"\n\n[workspace] # members\n");
        scratch.write("outer/specs/v/openapi.yaml", "");
        // Another workspace inside, without specs, and a package of it.
        scratch.write("outer/tools/Cargo.toml", "[workspace]\n");
        scratch.write("outer/tools/a/Cargo.toml", "[package]\nname = \"a\"\n[workspace.metadata]\n");
        scratch.write("outer/tools/a/specs/readme", "");
        let outer = scratch.path().join("outer");
        for from in ["outer", "outer/specs/v", "outer/tools/a/specs"] {
            assert_eq!(find(&scratch.path().join(from)).as_ref(), Ok(&outer), "{from}");
        }
        let message = find(scratch.path()).unwrap_err();
        assert!(message.starts_with("no workspace found: ") && message.contains("--root=DIR"), "{message}");
    }
}
