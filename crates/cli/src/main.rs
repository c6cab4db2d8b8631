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
    let out = Output::new(cli.global.json);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err((out, Failure::new(Exit::Internal, error.to_string()))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((out, failure)) => {
            out.failure(&failure);
            failure.exit.into()
        }
    }
}

async fn run(cli: Cli) -> Result<(), (Output, Failure)> {
    let json = cli.global.json;
    let context =
        Context::new(cli.global, Output::new(json), command_line).map_err(|failure| (Output::new(json), failure))?;
    let result = command(&context, cli.command).await.and_then(|()| context.out().finish());
    result.map_err(|failure| (Output::new(json), failure))
}

async fn command(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Keys(command) => keys::run(context, command).await,
        Command::Doctor(arguments) => doctor::run(context, &arguments).await,
        Command::Call(arguments) => call::run(context, &arguments).await,
        Command::Describe(arguments) => describe::run(context, &arguments),
        Command::Watch(arguments) => watch::run(context, &arguments).await,
        Command::Sign(arguments) => sign::run(context, &arguments).await,
        Command::VerifySignature(arguments) => verify::run(context, &arguments).await,
        Command::Sandbox(arguments) => sandbox::run(context, &arguments).await,
        Command::Totp(command) => commands::totp::run(context, &command).await,
        Command::Config(command) => commands::config::run(context, &command),
        Command::Completions(arguments) => manual::completions(context, &arguments),
        Command::Man(arguments) => manual::man(context, &arguments),
    }
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
