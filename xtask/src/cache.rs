//! The cache of codegen: for each venue, digests of the program, of the specs that it read and of the files that it wrote. The same program
//! generates the same files from the same specs, so a venue for which all three are unchanged is skipped. Anything else, such as a file
//! edited by hand, another build of the program or an entry that cannot be read, leads to a whole run.
//!
//! It is kept in the build folder, beside the program. `cargo clean` deletes it, and CI begins without it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Texts by their paths, relative to the root of the workspace.
pub type Texts = BTreeMap<String, String>;

/// The cache of this program.
pub struct Cache {
    folder: PathBuf,
    program: String,
}

/// How much was generated.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Size {
    /// Operations.
    pub operations: usize,
    /// Named types.
    pub types: usize,
    /// Lines of Rust.
    pub lines: usize,
}

#[derive(PartialEq, Deserialize, Serialize)]
struct Entry {
    program: String,
    specs: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    size: Size,
}

impl Cache {
    /// The cache of the running program, unless it cannot read itself.
    pub fn of_this_program() -> Option<Self> {
        let program = std::env::current_exe().ok()?;
        let digest = digest(&std::fs::read(&program).ok()?);
        Some(Self { folder: program.parent()?.join("codegen"), program: digest })
    }

    /// The size of what was generated, if specs and files are still those of the last run.
    pub fn get(&self, venue: &str, specs: &Texts, files: &Texts) -> Option<Size> {
        let entry: Entry = serde_json::from_slice(&std::fs::read(self.place(venue)).ok()?).ok()?;
        let now =
            Entry { program: self.program.clone(), specs: digests(specs), files: digests(files), size: entry.size };
        (entry == now).then_some(entry.size)
    }

    /// Stores a run after which `files` were in place. An entry that cannot be written is left out.
    pub fn put(&self, venue: &str, specs: &Texts, files: &Texts, size: Size) {
        let entry = Entry { program: self.program.clone(), specs: digests(specs), files: digests(files), size };
        let place = self.place(venue);
        // Two runs at once each write a whole entry.
        let draft = place.with_extension(std::process::id().to_string());
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&draft, serde_json::to_vec(&entry)?))
            .and_then(|()| std::fs::rename(&draft, &place));
        if written.is_err() {
            let _ = std::fs::remove_file(&draft);
        }
    }

    /// Checkouts that share a build folder share this too: an entry has relative paths.
    fn place(&self, venue: &str) -> PathBuf {
        self.folder.join(format!("{venue}.json"))
    }
}

fn digests(texts: &Texts) -> BTreeMap<String, String> {
    texts.iter().map(|(path, text)| (path.clone(), digest(text.as_bytes()))).collect()
}

/// A SHA-256 digest in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Scratch;

    #[test]
    fn only_what_did_not_change_is_skipped() {
        let scratch = Scratch::new();
        let cache = |program: &str| Cache { folder: scratch.path().join("codegen"), program: program.to_owned() };
        let texts = |path: &str, text: &str| Texts::from([(path.to_owned(), text.to_owned())]);
        let (specs, files) = (texts("specs/v/openapi.yaml", "a"), texts("crates/v/src/generated/mod.rs", "b"));
        let size = Size { operations: 1, types: 2, lines: 3 };
        assert_eq!(cache("1").get("v", &specs, &files), None, "nothing is cached");
        cache("1").put("v", &specs, &files, size);
        assert_eq!(cache("1").get("v", &specs, &files), Some(size));
        assert_eq!(cache("2").get("v", &specs, &files), None, "another program");
        assert_eq!(cache("1").get("w", &specs, &files), None, "another venue");
        assert_eq!(cache("1").get("v", &texts("specs/v/openapi.yaml", "A"), &files), None);
        assert_eq!(cache("1").get("v", &specs, &texts("crates/v/src/generated/mod.rs", "B")), None);
        assert_eq!(cache("1").get("v", &specs, &Texts::new()), None, "a file is gone");
        scratch.write("codegen/v.json", "{");
        assert_eq!(cache("1").get("v", &specs, &files), None, "an entry that cannot be read is not used");
    }
}
