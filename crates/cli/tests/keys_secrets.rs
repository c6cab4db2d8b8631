//! No `keys` command prints a secret but the one that is told where to: neither those of the accounts nor those of the keys it makes,
//! on no stream, in no journal.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::Path;

use common::{CODE, World, texts};

const KEYS: [(&str, &[&str]); 4] = [
    ("kalshi", &["--scope", "read", "--scope", "write"]),
    ("deribit", &["--scope", "account:read_write", "--kind", "venue"]),
    ("bayse", &[]),
    ("yativo", &["--scope", "read", "--scope", "write"]),
];

/// What is done with every key, in this order.
const COMMANDS: &[&str] = &[
    "keys list",
    "keys list VENUE/local",
    "keys show VENUE/local/bot",
    "keys verify VENUE/local/bot",
    "keys report VENUE/local",
    // Bound to an address, a key of some venues could not be rotated.
    "keys edit VENUE/local/bot --any-address --yes",
    "keys rotate VENUE/local/bot --dry-run",
    "keys revoke VENUE/local/bot --dry-run",
    "keys create VENUE/local/bot",
    "keys adopt VENUE/local/other --public-id wrong",
    "keys resume",
    "keys rotate VENUE/local/bot --yes --hand-over false",
    "keys resume --dry-run",
    "keys resume --hand-over true",
    "keys rotate VENUE/local/bot --yes",
    "keys revoke VENUE/local/bot --yes",
    "keys show VENUE/local/bot",
];

fn run(world: &World, line: &str) -> (String, String) {
    let codes = [CODE; 3].join("\\n");
    texts(&world.shell(&format!("printf '{codes}\\n' | venuekit {line} --totp-fd 0")))
}

/// The secrets of a stored key: a line that tells a PEM, or the text itself.
fn secret_of(world: &World, venue: &str) -> Option<String> {
    let to = world.home.join("exported");
    let _ = fs::remove_file(&to);
    run(world, &format!("keys export {venue}/local/bot --to exported --format secret"));
    let text = fs::read_to_string(to).ok()?;
    Some(text.lines().nth(1).unwrap_or(text.trim()).to_owned())
}

fn files(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), all),
            false => all.push_str(&String::from_utf8_lossy(&fs::read(entry.path()).unwrap())),
        }
    }
}

#[test]
fn no_keys_command_prints_a_secret() {
    let mut world = World::new("keys-secrets");
    // Without a passphrase, which would cost half a second a command.
    world.variables.remove("VENUEKIT_PASSPHRASE");
    world.variables.insert("VENUEKIT_IDENTITY".to_owned(), "identity.txt".to_owned());
    for (venue, options) in KEYS {
        for json in ["", " --json"] {
            let mut secrets = world.secrets.clone();
            let mut printed = Vec::new();
            let create = format!("keys create {venue}/local/bot {}{json}", options.join(" "));
            for command in std::iter::once(create).chain(COMMANDS.iter().map(|line| format!("{line}{json}"))) {
                let line = command.replace("VENUE", venue);
                let (stdout, stderr) = run(&world, &line);
                assert!(!stderr.contains("panicked"), "{line}: {stderr}");
                if !json.is_empty() && !stdout.is_empty() {
                    assert!(serde_json::from_str::<serde_json::Value>(&stdout).is_ok(), "{line}: {stdout}");
                }
                printed.push((line, stdout + &stderr));
                secrets.extend(secret_of(&world, venue).filter(|secret| !secrets.contains(secret)));
            }
            assert!(secrets.len() >= world.secrets.len() + 3, "{venue}: the keys that were made had secrets");
            let mut kept = String::new();
            files(&world.home.join(".local"), &mut kept);
            printed.push(("the files".to_owned(), kept));
            for (line, text) in &printed {
                for secret in &secrets {
                    assert!(!text.contains(secret), "`{line}` prints a secret: {text}");
                }
            }
        }
    }
}
