//! A workspace of its own with clients of synthetic specs, so that the compiler's part can be measured without touching
//! ours. The manifests are those of the real venues: what they depend on is said once.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::synthetic;
use crate::codegen;

/// A client crate without anything hand-written.
const LIB: &str = "//! A synthetic client.

mod generated;

pub use generated::client::{Client, builder, types};
pub use generated::venue::{Environment, VENUE};
";

/// A workspace in a folder that nobody else uses.
pub struct Workspace {
    /// The checkout whose crates the clients depend on.
    home: PathBuf,
    folder: PathBuf,
}

impl Workspace {
    /// Makes the workspace, or what is missing of it. Compiled dependencies of an earlier run stay.
    pub fn new(home: &Path, folder: &Path) -> Result<Self, String> {
        let home = std::path::absolute(home).map_err(|error| format!("{}: {error}", home.display()))?;
        let workspace = Self { home, folder: folder.to_owned() };
        workspace.write("Cargo.toml", &manifest(&read(&workspace.home.join("Cargo.toml"))?, &workspace.home))?;
        workspace.write("Cargo.lock", &read(&workspace.home.join("Cargo.lock"))?)?;
        // Clients of an earlier run would be members too.
        let _ = std::fs::remove_dir_all(folder.join("crates"));
        Ok(workspace)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds a venue of so many operations, without its generated files, and tells its name.
    pub fn add(&self, operations: usize) -> Result<String, String> {
        let venue = format!("synthetic_{operations}");
        synthetic::write(&self.folder.join("specs").join(&venue), operations).map_err(|error| error.to_string())?;
        let like = codegen::venues(&self.home).into_iter().next().ok_or("the checkout has no venue")?;
        let like_folder = self.home.join("crates").join(&like);
        let dashed = |name: &str| name.replace('_', "-");
        let own = format!("crates/{venue}");
        let manifest = read(&like_folder.join("Cargo.toml"))?
            .replace(&format!("name = \"venuekit-{}\"", dashed(&like)), &format!("name = \"{}\"", package(&venue)));
        self.write(&format!("{own}/Cargo.toml"), &manifest)?;
        self.write(&format!("{own}/src/lib.rs"), LIB)?;
        Ok(venue)
    }

    /// Has the compiler check a venue's client. Dependencies are checked too, once.
    pub fn check(&self, venue: &str) -> Result<(), String> {
        let lib = format!("crates/{venue}/src/lib.rs");
        // Cargo goes by the time of a change.
        self.write(&lib, &read(&self.folder.join(&lib))?)?;
        let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["check", "--quiet", "--package", &package(venue), "--target-dir"])
            .arg(self.folder.join("target"))
            .current_dir(&self.folder)
            // Nothing of it is used a second time.
            .env("CARGO_INCREMENTAL", "0")
            .status()
            .map_err(|error| format!("cannot run cargo: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("`cargo check` of {venue} failed")) }
    }

    fn write(&self, path: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(path);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn package(venue: &str) -> String {
    format!("venuekit-{}", venue.replace('_', "-"))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The checkout's own manifest, with what members inherit and nothing else, and with its crates named from outside.
fn manifest(root: &str, home: &Path) -> String {
    // `crates/` also gets what the generator writes for the crate of specs, which is no crate here.
    let mut text = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/synthetic_*\"]\n\n".to_owned();
    let mut is_kept = false;
    for line in root.lines() {
        if line.starts_with('[') {
            is_kept = line.starts_with("[workspace.");
        }
        if is_kept {
            let _ = writeln!(text, "{}", line.replace("path = \"", &format!("path = \"{}/", home.display())));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::manifest;

    #[test]
    fn a_manifest_keeps_what_members_inherit() {
        let root = "[workspace]\nmembers = [\"xtask\"]\n[workspace.package]\nedition = \"2024\"\n[workspace.dependencies]\na = { path = \"crates/a\" }\n[package]\nname = \"b\"\n[workspace.lints.rust]\nx = \"warn\"\n";
        let expected = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/synthetic_*\"]\n\n[workspace.package]\nedition = \"2024\"\n[workspace.dependencies]\na = { path = \"home/crates/a\" }\n[workspace.lints.rust]\nx = \"warn\"\n";
        assert_eq!(manifest(root, Path::new("home")), expected);
    }
}
