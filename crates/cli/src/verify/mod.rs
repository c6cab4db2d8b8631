//! `venuekit verify-signature`: which part of somebody's signature is wrong.

mod capture;
mod check;
mod given;
mod guess;
mod mistakes;
mod search;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use self::search::{Found, search};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::subject::Subject;

/// What `venuekit verify-signature` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct VerifyArgs {
    /// VENUE, VENUE/ENVIRONMENT, or the key as VENUE/ENVIRONMENT/NAME
    #[arg(value_name = "VENUE")]
    subject: Subject,
    /// The captured request: request line, headers and body, or what `curl -v` shows; - is standard input
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// The method, where the file has no request line
    #[arg(long)]
    method: Option<String>,
    /// Path and query, where the file has no request line
    #[arg(long)]
    path: Option<String>,
    /// The body, where it is not in the file
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The key: a PEM, public or private, or a file with the shared secret
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Another key that may have signed
    #[arg(long, value_name = "FILE")]
    other_key: Vec<PathBuf>,
}

const AFTER_HELP: &str = "\
Nothing is sent. Where no --key-file is given, the key is that of --key, of the profile or of the environment.
Exit code 8 says that the signature is wrong.

Example:
  venuekit verify-signature kalshi --headers captured.txt --key-file kalshi.pub.pem";

/// `venuekit verify-signature`.
pub async fn run(context: &Context, arguments: &VerifyArgs) -> Result<(), Failure> {
    let given = given::read(context, arguments).await?;
    let out = context.out();
    let found = search(&given);
    let faults: Vec<&str> = given.faults.iter().map(String::as_str).collect();
    let right = given.guess.shown();
    let (verdict, signed, mistakes): (_, _, Vec<Value>) = match &found {
        Found::Right => ("right", Some(right.clone()), Vec::new()),
        Found::Wrong { guess, mistakes } => {
            let told = mistakes.iter().map(|one| json!({"mistake": one.name, "remedy": one.remedy})).collect();
            ("wrong", Some(guess.shown()), told)
        }
        Found::OtherKey { name, guess, mistakes } => {
            let key =
                json!({"mistake": "another_key", "remedy": format!("sign with the right key: {name} signed this")});
            let told = mistakes.iter().map(|one| json!({"mistake": one.name, "remedy": one.remedy}));
            ("wrong", Some(guess.shown()), [key].into_iter().chain(told).collect())
        }
        Found::Nothing { tried } => {
            show_nothing(out, &right, *tried);
            ("unknown", None, Vec::new())
        }
    };
    if let (Some(signed), "wrong") = (&signed, verdict) {
        out.line(&format!("FAIL  the signature is valid for  {signed}"));
        out.line(&format!("      the venue expects           {right}"));
        mistakes.iter().for_each(|one| out.line(&format!("      {}", one["remedy"].as_str().unwrap_or_default())));
    } else if verdict == "right" {
        out.line(&format!("ok    the signature is right for  {right}"));
    }
    faults.iter().for_each(|fault| out.line(&format!("FAIL  {fault}")));
    out.document(
        &json!({"verdict": verdict, "expected": right, "signed": signed, "mistakes": mistakes, "faults": faults}),
    );
    let ok = verdict == "right" && faults.is_empty();
    if ok { Ok(()) } else { Err(Failure::told(Exit::Fault)) }
}

fn show_nothing(out: &Output, right: &str, tried: usize) {
    out.line(&format!(
        "FAIL  the signature fits none of {tried} forms that were tried: another key signed, or another text"
    ));
    out.line(&format!("      the venue expects           {right}"));
    out.line("      give keys that may have signed with --other-key, and the body exactly as it was sent with --body");
}
