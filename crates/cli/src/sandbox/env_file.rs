//! The accounts' keys as environment variables, in a file for a shell.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use venuekit_sandbox::Sandbox;
use venuekit_wire::variables::VariableKind;

use crate::failure::Failure;
use crate::target::LOCAL_URL;
use crate::variables;
use crate::venue::{LOCAL, Venue};

/// How such a file begins. Only one that begins so is written over.
const FIRST_LINE: &str = "# keys of a venuekit sandbox";

/// On this machine a server responds at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes the file, which only its owner may read.
pub fn write(file: &Path, sandbox: &Sandbox) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file(file, &error);
    if fs::symlink_metadata(file).is_ok() {
        if !is_ours(file) {
            let message = format!("{} already exists and is not a file of sandbox keys", file.display());
            return Err(Failure::usage(message).code("exists").help("name another file"));
        }
        if let Some(server) = running(file).filter(|server| *server != sandbox.base_url()) {
            let message = format!("{} holds the keys of a sandbox that still runs: {server}", file.display());
            return Err(Failure::usage(message).code("exists").help("name another file, or stop that one first"));
        }
        fs::remove_file(file).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut text = format!("{FIRST_LINE}\n");
    for (name, value) in variables(sandbox) {
        text.push_str(&format!("export {name}='{}'\n", value.replace('\'', r"'\''")));
    }
    let mut opened = options.open(file).map_err(failed)?;
    opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()).map_err(failed)
}

fn is_ours(file: &Path) -> bool {
    let Some(found) = fs::symlink_metadata(file).ok().filter(fs::Metadata::is_file) else { return false };
    let first = || BufReader::new(fs::File::open(file).ok()?).lines().next()?.ok();
    found.len() == 0 || first().is_some_and(|line| line == FIRST_LINE)
}

/// The server that a file names, where it responds.
fn running(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let start = format!("export {LOCAL_URL}='");
    let server = text.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix('\''))?;
    let address: SocketAddr = server.strip_prefix("http://")?.parse().ok()?;
    TcpStream::connect_timeout(&address, PATIENCE).is_ok().then(|| server.to_owned())
}

/// The first account of each venue, by the names that `--env local` looks for.
fn variables(sandbox: &Sandbox) -> Vec<(String, String)> {
    let mut all = vec![(LOCAL_URL.to_owned(), sandbox.base_url())];
    for account in sandbox.accounts().exported() {
        let Ok(venue) = account.venue.parse::<Venue>() else { continue };
        let kind = match account.kind {
            "private-key" => VariableKind::PrivateKey,
            "session" => VariableKind::Session,
            "login" => VariableKind::Login,
            _ => VariableKind::Key,
        };
        let prefix = venue.table().variables.prefix(LOCAL);
        if let Some((Some(id), secret)) = variables::of_kind(venue, &prefix, kind) {
            all.extend([(id, account.id), (secret, account.secret)]);
        }
    }
    all
}
