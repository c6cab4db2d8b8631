#![doc = include_str!("../README.md")]

mod args;
mod client;
mod commands;
mod complete;
mod config;
mod confirm;
mod context;
mod credential;
mod descriptor;
mod failure;
mod input;
mod interrupt;
mod lookup;
mod network;
mod number;
mod one_time_code;
mod options;
mod output;
mod raw_json;
mod remedy;
mod request;
mod sandbox;
mod scopes;
mod similar;
mod store;
mod subject;
mod target;
mod topic;
mod totp;
mod variables;
mod venue;
mod visible;
mod when;

use std::process::ExitCode;

use clap::Parser;
use clap_complete::CompleteEnv;

use crate::args::{Cli, Command, command_line};
use crate::commands::{call, describe, doctor, keys, manual, sign, verify, watch};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::visible::visible;

fn main() -> ExitCode {
    CompleteEnv::with_factory(command_line).var(manual::COMPLETE).complete();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error),
    };
    let json = cli.global.json;
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            Output::new(json).failure(&failure);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let out = Output::new(cli.global.json);
    let context = Context::new(cli.global, out, command_line)?;
    command(&context, cli.command)?;
    context.out().finish()
}

fn command(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Keys(command) => wait(keys::run(context, command)),
        Command::Doctor(arguments) => wait(doctor::run(context, &arguments)),
        Command::Call(arguments) => wait(call::run(context, &arguments)),
        Command::Describe(arguments) => describe::run(context, &arguments),
        Command::Watch(arguments) => wait(watch::run(context, &arguments)),
        Command::Sign(arguments) => wait(sign::run(context, &arguments)),
        Command::VerifySignature(arguments) => wait(verify::run(context, &arguments)),
        Command::Sandbox(arguments) => wait(sandbox::run(context, &arguments)),
        Command::Totp(command) => wait(commands::totp::run(context, &command)),
        Command::Config(command) => commands::config::run(context, &command),
        Command::Completions(arguments) => manual::completions(context, &arguments),
        Command::Man(arguments) => manual::man(context, &arguments),
    }
}

/// Runs a command that waits for something. The others need no threads.
fn wait(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| Failure::new(Exit::Internal, error.to_string()))?.block_on(command)
}

/// A command line that was not understood, or a question for help or the version.
fn misunderstood(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    // What was not understood is quoted: a key must not be.
    if std::env::args_os().any(|argument| argument.to_string_lossy().contains("-----BEGIN")) {
        let help = "name a stored key, or a file: what is typed shows in the list of processes";
        let failure = Failure::usage("an argument is the text of a key").code("key_text").help(help);
        Output::new(json).failure(&failure);
        return Exit::Usage.into();
    }
    if error.use_stderr() && json {
        Output::new(true).failure(&as_failure(&error.to_string()));
        return Exit::Usage.into();
    }
    let text = error.to_string();
    if error.use_stderr() && visible(&text) != text {
        Output::new(false).note(text.trim_end());
        return Exit::Usage.into();
    }
    // Nothing is left to do where the stream is closed.
    _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS }
}

/// What clap says: its sentence, and its tips.
fn as_failure(text: &str) -> Failure {
    let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let tips: Vec<&str> = text.lines().filter_map(|line| line.trim_start().strip_prefix("tip: ")).collect();
    match tips.as_slice() {
        [] => Failure::usage(message),
        tips => Failure::usage(message).help(tips.join("\n")),
    }
}
