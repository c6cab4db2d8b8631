//! Completions and manual pages, made of the command line itself.

use std::path::PathBuf;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::env::Shells;
use serde_json::json;

use crate::args::Cli;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// The variable by which a shell asks for completions.
pub const COMPLETE: &str = "COMPLETE";

/// What `venuekit completions` takes.
#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS_HELP)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

const COMPLETIONS_HELP: &str = "\
Examples:
  venuekit completions bash > ~/.local/share/bash-completion/completions/venuekit
  venuekit completions fish > ~/.config/fish/completions/venuekit.fish
  venuekit completions zsh > \"${fpath[1]}/_venuekit\"";

/// A shell.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Elvish => "elvish",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Zsh => "zsh",
        }
    }
}

/// What `venuekit man` takes.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Internal, error.to_string())
}

/// `venuekit completions`.
pub fn completions(context: &Context, arguments: &CompletionsArgs) -> Result<(), Failure> {
    let shells = Shells::builtins();
    let name = arguments.shell.name();
    let shell = shells.completer(name).ok_or_else(|| Failure::usage(format!("there are no completions for {name}")))?;
    let mut script = Vec::new();
    shell
        .write_registration(COMPLETE, "venuekit", "venuekit", "venuekit", &mut script)
        .map_err(|error| failed(&error))?;
    let script = String::from_utf8_lossy(&script);
    match context.out().is_json() {
        true => context.out().document(&json!({"shell": name, "script": script})),
        false => context.out().raw(&script),
    }
    Ok(())
}

/// `venuekit man`.
pub fn man(context: &Context, arguments: &ManArgs) -> Result<(), Failure> {
    let out = context.out();
    match &arguments.dir {
        Some(folder) => {
            clap_mangen::generate_to(Cli::command(), folder).map_err(|error| Failure::file(folder, &error))?;
            out.step("written", &folder.display().to_string());
            out.document(&json!({ "written": folder }));
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| failed(&error))?;
            let page = String::from_utf8_lossy(&page);
            match out.is_json() {
                true => out.document(&json!({ "page": page })),
                false => out.raw(&page),
            }
        }
    }
    Ok(())
}

/// The help of a command, for one that has a use of its own for `--help`.
pub fn help_of(name: &str) -> String {
    let mut command = Cli::command();
    command.build();
    command.find_subcommand_mut(name).map(|command| command.render_long_help().to_string()).unwrap_or_default()
}
