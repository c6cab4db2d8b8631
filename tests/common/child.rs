//! A test of this program in a separate process, where variables of the environment can be set.

use std::process::Command;

/// The variables that name a proxy.
pub const VARIABLES: [&str; 6] = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// Runs an ignored test with variables, and fails if it fails.
pub fn run(test: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    for name in VARIABLES.into_iter().chain(["no_proxy", "NO_PROXY"]) {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).join("\n");
    assert!(output.status.success() && said.contains("1 passed"), "{variables:?}: {said}");
}
