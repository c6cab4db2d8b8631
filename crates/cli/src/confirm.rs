//! Asking a person at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use venuekit_wire::Secret;

use crate::failure::{Exit, Failure};
use crate::interrupt;
use crate::visible::visible;

/// Whether somebody can be asked.
pub fn is_attended() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks whether to go on.
pub fn ask(question: &str) -> Result<(), Failure> {
    if !is_attended() {
        let help = "use --yes to confirm, or --dry-run to see what would be done";
        return Err(Failure::usage(format!("not a terminal, cannot ask for confirmation: {question}"))
            .code("unconfirmed")
            .help(help));
    }
    let answer = line(&format!("{question} [y/N] "))?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::declined()),
    }
}

/// Asks for a text that everybody may see.
pub fn line(prompt: &str) -> Result<String, Failure> {
    let broken = |error: io::Error| Failure::new(Exit::Internal, format!("the terminal: {error}"));
    let mut stderr = io::stderr();
    write!(stderr, "{}", visible(prompt)).and_then(|()| stderr.flush()).map_err(broken)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(broken)?;
    // After an end of input the line goes on.
    if !answer.ends_with('\n') {
        _ = writeln!(stderr);
    }
    Ok(answer)
}

/// Asks for a text that is not shown. None where nobody is there.
pub fn secret(prompt: &str) -> Result<Option<Secret>, Failure> {
    if !is_attended() {
        return Ok(None);
    }
    match interrupt::unseen(|| rpassword::prompt_password(prompt)) {
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(Failure::new(Exit::NeedsPerson, "nothing was typed").code("declined"))
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            // The terminal was told to send the signal that ends the command.
            std::thread::sleep(Duration::from_secs(5));
            Err(Failure::declined())
        }
        Err(error) => Err(Failure::new(Exit::Internal, format!("the terminal: {error}"))),
    }
}
