//! The person at the terminal, or the script that stands in.

use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use tokio::process::Command;
use venuekit_keys::{Account, BoxFuture, Event, Handed, Operator};
use venuekit_wire::Secret;

use crate::confirm;
use crate::context::Context;
use crate::interrupt;
use crate::target::Target;

/// Who is told how a run goes, has the codes, and takes the new key over.
pub struct CliOperator<'a> {
    pub context: &'a Context,
    target: &'a Target,
    /// What has the consumer take the new key.
    command: Option<&'a str>,
    events: Mutex<Vec<Event>>,
}

impl<'a> CliOperator<'a> {
    pub fn new(context: &'a Context, target: &'a Target, command: Option<&'a str>) -> Self {
        Self { context, target, command, events: Mutex::default() }
    }

    /// The account, as a command line says it.
    pub fn account(&self) -> String {
        format!("{}/{}", self.target.venue.of_keys(), self.target.environment)
    }

    /// All that was told.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn acknowledge(&self, key: &Handed) -> Result<(), String> {
        if let Some(command) = self.command {
            return run(command, key).await;
        }
        let yes = self.context.global().yes;
        // A run that was interrupted before its command ran: the consumer was not notified, and `--yes` does not do it.
        if key.by_command && (yes || !confirm::is_attended()) {
            return Err(
                "its run was started with --hand-over: pass that again (`--hand-over true` if it was done)".to_owned()
            );
        }
        if yes || !(key.replaces || key.by_command) {
            return Ok(());
        }
        if !confirm::is_attended() {
            return Err("there is no terminal to confirm it: use --yes, or --hand-over COMMAND".to_owned());
        }
        let question = format!("The new key is stored as {}. Does its consumer use it now?", key.reference);
        confirm::ask(&question).map_err(|_| "it was not confirmed".to_owned())
    }
}

/// Runs a command that acknowledges by its exit code. It reads the key from the store by its name.
async fn run(command: &str, key: &Handed) -> Result<(), String> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut start = Command::new(shell);
    let start = start
        .args([flag, command])
        .env("VENUEKIT_KEY", key.reference.to_string())
        .env("VENUEKIT_PUBLIC_ID", &key.public_id)
        // Standard output belongs to this command.
        .stdout(Stdio::from(std::io::stderr()));
    // If this program ended before the command, another run could revoke a key that the command hands over a second later.
    let started = interrupt::waiting_for(|| start.spawn());
    let (mut child, waiting) = started.map_err(|error| format!("`{command}` did not start: {error}"))?;
    let status = child.wait().await.map_err(|error| format!("`{command}`: {error}"))?;
    let how = status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"));
    match status.success() {
        _ if waiting.was_interrupted() => Err(format!("`{command}` was interrupted, and ended with {how}")),
        true => Ok(()),
        false => Err(format!("`{command}` ended with {how}")),
    }
}

impl Operator for CliOperator<'_> {
    fn notify(&self, event: &Event) {
        let out = self.context.out();
        match event {
            Event::Waiting { .. }
            | Event::Unknown { .. }
            | Event::Full { .. }
            | Event::Warning { .. }
            | Event::Unsupported { .. } => {
                out.note(&format!("{}: {event}", event.word()));
            }
            _ => out.step(event.word(), &event.to_string()),
        }
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }

    fn code<'a>(&'a self, _: &'a Account) -> BoxFuture<'a, Result<Secret, String>> {
        Box::pin(async { self.context.code(self.target).await.map_err(|failure| failure.message().to_owned()) })
    }

    fn hand_over<'a>(&'a self, key: &'a Handed) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(self.acknowledge(key))
    }
}
