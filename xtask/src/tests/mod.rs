//! What holds for every spec: no input makes the generator panic, the same input gives the same output, and what is committed
//! is what the specs say.

mod docs;
mod fresh;
mod mutate;
pub mod mutated_specs;
pub mod streams;
mod text;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::workspace;

/// The checkout that the tests run in: Cargo starts them in the folder of their package.
pub fn root() -> PathBuf {
    workspace::find(&std::env::current_dir().unwrap()).unwrap()
}

/// A folder that goes when the test does.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("venuekit-xtask-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
