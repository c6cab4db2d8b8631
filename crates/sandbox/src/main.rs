//! Serves the four venues on loopback until it is stopped.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use venuekit_sandbox::{Accounts, Sandbox};

const HELP: &str = "\
A loopback server that behaves like Bayse, Kalshi, Yativo and Deribit.

Usage: venuekit-sandbox [--port PORT] [--accounts FILE]

  --port PORT       port on 127.0.0.1; 0, the default, takes a free one
  --accounts FILE   JSON with the accounts that may call; what it leaves out is made up
  --help            this text
  --version         the version

Once it listens it prints one line of JSON with `base_url` and `accounts`, and serves until it is interrupted.
";

enum Command {
    Print(String),
    Serve { port: u16, accounts: Option<PathBuf> },
}

#[derive(Serialize)]
struct Started<'a> {
    base_url: String,
    accounts: &'a Accounts,
}

#[tokio::main]
async fn main() -> ExitCode {
    let (port, accounts) = match parse(std::env::args_os().skip(1)) {
        Ok(Command::Print(text)) => return finish(io::stdout().write_all(text.as_bytes())),
        Ok(Command::Serve { port, accounts }) => (port, accounts),
        Err(message) => return refuse(&format!("{message}\nTry --help.")),
    };
    let given = match accounts.as_deref().map(read_accounts).transpose() {
        Ok(given) => given.unwrap_or_default(),
        Err(message) => return refuse(&message),
    };
    let complete = match given.complete() {
        Ok(complete) => complete,
        Err(error) => {
            let file = accounts.unwrap_or_default();
            return refuse(&format!("{}: {error}", file.display()));
        }
    };
    finish(serve(port, complete).await)
}

async fn serve(port: u16, accounts: Accounts) -> io::Result<()> {
    let sandbox = Sandbox::start_on(port, accounts).await?;
    let line = serde_json::to_string(&Started { base_url: sandbox.base_url(), accounts: sandbox.accounts() })?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    stopped().await
}

/// Waits for an interrupt or a request to terminate.
async fn stopped() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let (mut port, mut accounts) = (0, None);
    let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = || inline.clone().or_else(|| arguments.next()).ok_or_else(|| format!("{name} needs a value"));
        match name {
            "--help" | "-h" => return Ok(Command::Print(HELP.to_owned())),
            "--version" | "-V" => {
                return Ok(Command::Print(format!("venuekit-sandbox {}\n", env!("CARGO_PKG_VERSION"))));
            }
            "--port" => {
                let text = value()?;
                port = text.parse().map_err(|_| format!("--port: {text:?} is no port between 0 and 65535"))?;
            }
            "--accounts" => accounts = Some(PathBuf::from(value()?)),
            _ => return Err(format!("unknown argument {argument:?}")),
        }
    }
    Ok(Command::Serve { port, accounts })
}

fn read_accounts(file: &Path) -> Result<Accounts, String> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| {
        let message = error.to_string();
        // serde_json puts the place at the end of its text; here it stands in front, as compilers write it.
        let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
        // A value of a wrong type may be a secret in the wrong place: only what was expected is said.
        let reason = match reason.rsplit_once(", expected ") {
            Some((found, expected)) if found.starts_with("invalid ") => format!("expected {expected}"),
            _ => reason.to_owned(),
        };
        format!("{shown}:{}:{}: {reason}", error.line(), error.column())
    })
}

fn finish(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn refuse(message: &str) -> ExitCode {
    complain(message);
    ExitCode::from(2)
}

fn complain(message: &str) {
    // Nothing is left to do where standard error is closed.
    let _ = writeln!(io::stderr(), "venuekit-sandbox: {message}");
}
