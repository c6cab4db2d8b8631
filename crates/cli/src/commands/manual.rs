//! Completions and manual pages, made of the command line itself.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::{Args, Command, ValueEnum};
use clap_complete::env::Shells;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::target::LOCAL_URL;

/// The variable by which a shell asks for completions.
pub const COMPLETE: &str = "COMPLETE";

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

#[derive(Args, Debug)]
pub struct ManArgs {
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

fn failed(error: &io::Error) -> Failure {
    Failure::new(Exit::Internal, error.to_string())
}

/// In place of clap's own, which is lost as soon as there is a `=` or `:` in a word.
const BASH: &str = include_str!("completions.bash");

/// `venuekit completions`.
pub fn completions(context: &Context, arguments: &CompletionsArgs) -> Result<(), Failure> {
    let name = arguments.shell.name();
    let script = match arguments.shell {
        Shell::Bash => BASH.to_owned(),
        _ => registration(name)?,
    };
    match context.out().is_json() {
        true => context.out().document(&json!({"shell": name, "script": script})),
        false => context.out().raw(&script),
    }
    Ok(())
}

fn registration(name: &str) -> Result<String, Failure> {
    let shells = Shells::builtins();
    let shell = shells.completer(name).ok_or_else(|| Failure::usage(format!("there are no completions for {name}")))?;
    let mut script = Vec::new();
    let written = shell.write_registration(COMPLETE, "venuekit", "venuekit", "venuekit", &mut script);
    written.map_err(|error| failed(&error))?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// `venuekit man`.
pub fn man(context: &Context, arguments: &ManArgs) -> Result<(), Failure> {
    let out = context.out();
    match &arguments.dir {
        Some(folder) => {
            let mut command = context.command_line().disable_help_subcommand(true);
            command.build();
            fs::create_dir_all(folder)
                .and_then(|()| write_pages(&command, folder))
                .map_err(|error| Failure::file(folder, &error))?;
            out.step("written", &folder.display().to_string());
            out.document(&json!({ "written": folder }));
        }
        None => {
            let page = page(&context.command_line()).map_err(|error| failed(&error))?;
            let page = String::from_utf8_lossy(&page);
            match out.is_json() {
                true => out.document(&json!({ "page": page })),
                false => out.raw(&page),
            }
        }
    }
    Ok(())
}

/// One page for a command and for each below it.
fn write_pages(command: &Command, folder: &Path) -> io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        write_pages(inner, folder)?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(folder.join(format!("{name}.1")), page(command)?)
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let source = format!("venuekit {}", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).source(source).render(&mut page)?;
    if command.get_name() == "venuekit" {
        page.extend(environment(command).into_bytes());
    }
    Ok(page)
}

/// Variables that stand for no option.
const VARIABLES: [(&str, &str); 3] = [
    ("VENUEKIT_PASSPHRASE", "The passphrase of the store"),
    (LOCAL_URL, "Where the server on this machine is"),
    ("VENUE_ENVIRONMENT_...", "A key, such as KALSHI_DEMO_KEY_ID and KALSHI_DEMO_PRIVATE_KEY_FILE"),
];

/// The section about variables.
fn environment(command: &Command) -> String {
    let of_options = command.get_arguments().filter_map(|argument| {
        let name = argument.get_env()?.to_string_lossy().into_owned();
        Some((name, argument.get_help()?.to_string()))
    });
    let others = VARIABLES.map(|(name, meaning)| (name.to_owned(), meaning.to_owned()));
    let entries = of_options.chain(others).map(|(name, meaning)| format!(".TP\n\\fB{name}\\fR\n{meaning}\n"));
    format!(".SH ENVIRONMENT\n{}", entries.collect::<String>())
}
