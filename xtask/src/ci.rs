//! `cargo xtask ci`: what CI runs, on this machine.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Runs `.ci/run` in a workspace; the names of steps, if any, choose among them.
pub fn run(root: &Path, steps: &[&str]) -> Result<ExitCode, String> {
    let status = Command::new("bash").arg(".ci/run").args(steps).current_dir(root).status();
    let status = status.map_err(|error| format!("cannot run bash, which .ci/run needs: {error}"))?;
    // A signal leaves no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}
