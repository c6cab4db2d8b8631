//! `venuekit sandbox`: all venues on this machine.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::json;
use venuekit_sandbox::{Accounts, Rule, Sandbox};

use crate::context::{Context, LOCAL_URL};
use crate::failure::{Exit, Failure};
use crate::target::SANDBOX_PORT;

/// What `venuekit sandbox` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct SandboxArgs {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = SANDBOX_PORT)]
    port: u16,
    /// JSON with the accounts that may call; what it leaves out is made up
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// JSON with a list of faults: which calls go wrong, how, and how often
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Write the accounts' keys as environment variables that `--env local` finds
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Print the accounts with all that is secret
    #[arg(long)]
    show_accounts: bool,
}

const AFTER_HELP: &str = "\
It serves until it is interrupted, and forgets everything then. In another terminal:
  . ./sandbox.env
  venuekit call kalshi get_balance --env local

A file with faults holds a list such as
  [{\"operation\": \"private/buy\", \"fault\": \"drop-after\", \"times\": 1},
   {\"venue\": \"kalshi\", \"fault\": \"delay\", \"ms\": 500, \"chance\": 0.1}]
An operation is a JSON-RPC method, or method and path; the faults are delay, drop-before, drop-after, silence-before,
silence-after, close-mid-answer and status, on a WebSocket also reorder, duplicate, split and unknown-id.

Example:
  venuekit sandbox --env-file sandbox.env";

/// `venuekit sandbox`.
pub async fn run(context: &Context, arguments: &SandboxArgs) -> Result<(), Failure> {
    let given: Accounts = read_json(arguments.accounts.as_deref(), "accounts")?.unwrap_or_default();
    let faults: Vec<Rule> = read_json(arguments.faults.as_deref(), "faults")?.unwrap_or_default();
    let complete = given.complete().map_err(|error| {
        let file = arguments.accounts.as_deref().unwrap_or(Path::new("accounts"));
        Failure::usage(format!("{}: {error}", file.display())).code("accounts")
    })?;
    let started = Sandbox::start_on(arguments.port, complete).await;
    let sandbox = started.map_err(|error| in_use(arguments.port, &error))?;
    sandbox.faults().set(faults);
    if let Some(file) = &arguments.env_file {
        write_variables(file, &sandbox).map_err(|error| Failure::file(file, &error))?;
    }
    let internal = |error: io::Error| Failure::new(Exit::Internal, error.to_string());
    let stopped = stopped().map_err(internal)?;
    show(context, arguments, &sandbox);
    stopped.await.map_err(internal)
}

fn in_use(port: u16, error: &io::Error) -> Failure {
    let failure = Failure::new(Exit::Internal, format!("127.0.0.1:{port}: {error}")).code("port");
    match error.kind() {
        io::ErrorKind::AddrInUse => failure.help("something listens there already: --port 0 takes a free port"),
        _ => failure,
    }
}

fn show(context: &Context, arguments: &SandboxArgs, sandbox: &Sandbox) {
    let (out, accounts) = (context.out(), sandbox.accounts());
    out.step("listening", &sandbox.base_url());
    let counts = [
        ("bayse", accounts.bayse.len()),
        ("deribit", accounts.deribit.len()),
        ("kalshi", accounts.kalshi.len()),
        ("yativo", accounts.yativo.len()),
    ];
    let counts: Vec<String> = counts.iter().map(|(venue, count)| format!("{venue} {count}")).collect();
    out.step("accounts", &counts.join(", "));
    if let Some(file) = &arguments.env_file {
        out.step("keys", &format!("{}: read it into a shell, and use --env local", file.display()));
    }
    let shown = arguments.show_accounts.then_some(accounts);
    if let Some(accounts) = shown {
        out.line(&serde_json::to_string_pretty(accounts).unwrap_or_default());
    }
    out.document(&json!({"base_url": sandbox.base_url(), "env_file": arguments.env_file, "accounts": shown}));
}

/// The first account of each venue, by the names that `--env local` looks for.
fn variables(sandbox: &Sandbox) -> Vec<(String, String)> {
    let accounts = sandbox.accounts();
    let mut all = vec![(LOCAL_URL.to_owned(), sandbox.base_url())];
    let mut add = |venue: &str, pairs: &[(&str, &str)]| {
        all.extend(pairs.iter().map(|(name, value)| (format!("{venue}_LOCAL_{name}"), (*value).to_owned())));
    };
    if let Some(account) = accounts.bayse.first() {
        add("BAYSE", &[("PUBLIC_KEY", &account.public_key), ("SECRET_KEY", &account.secret_key)]);
        add("BAYSE", &[("EMAIL", &account.email), ("PASSWORD", &account.password)]);
        add("BAYSE", &[("AUTH_TOKEN", &account.auth_token), ("DEVICE_ID", &account.device_id)]);
    }
    if let Some((key, pem)) = accounts.kalshi.iter().find_map(|key| Some((key, key.private_key_pem.as_deref()?))) {
        add("KALSHI", &[("KEY_ID", &key.key_id), ("PRIVATE_KEY", pem)]);
    }
    if let Some(account) = accounts.yativo.first() {
        add("YATIVO", &[("API_KEY", &account.api_key), ("API_SECRET", &account.api_secret)]);
    }
    if let Some((key, secret)) = accounts.deribit.iter().find_map(|key| Some((key, key.client_secret.as_deref()?))) {
        add("DERIBIT", &[("CLIENT_ID", &key.client_id), ("CLIENT_SECRET", secret)]);
    }
    all
}

/// A file for a shell, which only its owner may read.
fn write_variables(file: &Path, sandbox: &Sandbox) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file)?;
    for (name, value) in variables(sandbox) {
        writeln!(opened, "export {name}='{}'", value.replace('\'', r"'\''"))?;
    }
    opened.sync_all()
}

/// What a file says, or where it is wrong.
fn read_json<T: DeserializeOwned>(file: Option<&Path>, code: &'static str) -> Result<Option<T>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let text = fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    serde_json::from_str(&text).map(Some).map_err(|error| {
        let message = error.to_string();
        // serde_json puts the place at the end of its text; here it stands in front, as compilers write it.
        let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
        // A value of a wrong type may be a secret in the wrong place: only what was expected is said.
        let reason = match reason.rsplit_once(", expected ") {
            Some((found, expected)) if found.starts_with("invalid ") => format!("expected {expected}"),
            _ => reason.to_owned(),
        };
        Failure::usage(format!("{}:{}:{}: {reason}", file.display(), error.line(), error.column())).code(code)
    })
}

/// An interrupt or a request to terminate, listened for from now on: whoever reads that the sandbox listens may end it at once.
#[cfg(unix)]
fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    })
}

/// An interrupt.
#[cfg(not(unix))]
fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
