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

/// On this machine a server answers at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes the file, which only its owner may read.
pub fn write(file: &Path, sandbox: &Sandbox) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file(file, &error);
    if fs::symlink_metadata(file).is_ok() {
        if !is_ours(file) {
            let message = format!("{} is there already, and no file of a sandbox's keys", file.display());
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

/// The server that a file names, where it answers.
fn running(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let start = format!("export {LOCAL_URL}='");
    let server = text.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix('\''))?;
    let address: SocketAddr = server.strip_prefix("http://")?.parse().ok()?;
    TcpStream::connect_timeout(&address, PATIENCE).is_ok().then(|| server.to_owned())
}

/// The first account of each venue, by the names that `--env local` looks for.
fn variables(sandbox: &Sandbox) -> Vec<(String, String)> {
    let accounts = sandbox.accounts();
    let mut all = vec![(LOCAL_URL.to_owned(), sandbox.base_url())];
    let mut add = |venue: Venue, kind: VariableKind, id: &str, secret: &str| {
        let prefix = venue.table().variables.prefix(LOCAL);
        if let Some((Some(id_name), secret_name)) = variables::of_kind(venue, &prefix, kind) {
            all.extend([(id_name, id.to_owned()), (secret_name, secret.to_owned())]);
        }
    };
    if let Some(account) = accounts.bayse.first() {
        add(Venue::Bayse, VariableKind::Key, &account.public_key, &account.secret_key);
        add(Venue::Bayse, VariableKind::Login, &account.email, &account.password);
        add(Venue::Bayse, VariableKind::Session, &account.device_id, &account.auth_token);
    }
    if let Some((key, pem)) = accounts.kalshi.iter().find_map(|key| Some((key, key.private_key_pem.as_deref()?))) {
        add(Venue::Kalshi, VariableKind::PrivateKey, &key.key_id, pem);
    }
    if let Some(account) = accounts.yativo.first() {
        add(Venue::Yativo, VariableKind::Key, &account.api_key, &account.api_secret);
    }
    if let Some((key, secret)) = accounts.deribit.iter().find_map(|key| Some((key, key.client_secret.as_deref()?))) {
        add(Venue::Deribit, VariableKind::Key, &key.client_id, secret);
    }
    all
}
