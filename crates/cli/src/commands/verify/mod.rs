//! `venuekit verify-signature`: which part of somebody's signature is wrong.

mod body;
mod capture;
mod case;
mod check;
mod fields;
mod guess;
mod key;
mod make;
mod mistake;
mod mistakes;
mod parameters;
mod pss;
mod search;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

pub use self::capture::{below_host, is_url};
use self::case::Case;
pub use self::guess::shown;
use self::mistake::Mistake;
use self::search::{Found, search};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::subject::Subject;

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct VerifyArgs {
    /// VENUE, VENUE/ENVIRONMENT, or the key as VENUE/ENVIRONMENT/NAME
    #[arg(value_name = "VENUE")]
    subject: Subject,
    /// The captured request: request line, headers and body, or what `curl -v` shows; - is standard input
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// The method, if the file has no request line
    #[arg(long)]
    method: Option<String>,
    /// Path and query, if the file has no request line
    #[arg(long)]
    path: Option<String>,
    /// The body, if it is not in the file
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The key: a PEM, public or private, or a file with the shared secret
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Another key that may have signed. Repeatable
    #[arg(long, value_name = "FILE")]
    other_key: Vec<PathBuf>,
}

const AFTER_HELP: &str = "\
Nothing is sent. Without --key-file the key is that of --key, of the profile or of environment variables.
Exit code 8 means that the signature is wrong.

Example:
  venuekit verify-signature kalshi --headers captured.txt --key-file kalshi.pub.pem";

/// `venuekit verify-signature`.
pub async fn run(context: &Context, arguments: &VerifyArgs) -> Result<(), Failure> {
    let out = context.out();
    let given = match case::read(context, arguments).await {
        Err(failure) if failure.exit == Exit::Fault => return Err(incomplete(out, &failure)),
        read => read?,
    };
    let found = search(&given);
    let mut faults = given.faults.clone();
    let right = given.guess.shown();
    let told = |mistakes: &[&Mistake]| -> Vec<Value> {
        mistakes.iter().map(|one| json!({"mistake": one.name, "remedy": one.told(&given.guess)})).collect()
    };
    let (verdict, signed, mistakes) = match &found {
        Found::Right => ("right", Some(right.clone()), Vec::new()),
        Found::Wrong { guess, mistakes } => ("wrong", Some(guess.shown()), told(mistakes)),
        Found::OtherKey { name, guess, mistakes } => {
            let key =
                json!({"mistake": "another_key", "remedy": format!("sign with the right key: {name} signed this")});
            ("wrong", Some(guess.shown()), [vec![key], told(mistakes)].concat())
        }
        Found::Nothing { tried } => {
            match key::odd_length(&given.guess, &given.signature) {
                Some(fault) => faults.push(fault),
                None => show_nothing(out, &given, *tried),
            }
            ("unknown", None, Vec::new())
        }
    };
    match (verdict, &signed) {
        ("right", _) => out.line(&format!("ok    the signature is right for  {right}")),
        (_, Some(signed)) => {
            out.line(&format!("FAIL  the signature is valid for  {signed}"));
            out.line(&format!("      the venue expects           {right}"));
            mistakes.iter().for_each(|one| out.line(&format!("      {}", one["remedy"].as_str().unwrap_or_default())));
        }
        (_, None) => {}
    }
    faults.iter().for_each(|fault| out.line(&format!("FAIL  {fault}")));
    // A signature that is right does not make a request right.
    let verdict = if faults.is_empty() { verdict } else { "wrong" };
    out.document(
        &json!({"verdict": verdict, "expected": right, "signed": signed, "mistakes": mistakes, "faults": faults}),
    );
    if verdict == "right" { Ok(()) } else { Err(Failure::reported(Exit::Fault)) }
}

/// A request without what a signature needs.
fn incomplete(out: &Output, failure: &Failure) -> Failure {
    out.line(&format!("FAIL  {}", failure.message()));
    failure.advice().into_iter().for_each(|help| out.line(&format!("      {help}")));
    out.document(&json!({"verdict": "incomplete", "expected": null, "signed": null, "mistakes": [],
        "faults": [failure.message()]}));
    Failure::reported(Exit::Fault)
}

fn show_nothing(out: &Output, given: &Case, tried: usize) {
    let nonce = if given.guess.nonce.is_empty() { "" } else { " nonce," };
    out.line(&format!(
        "FAIL  the signature fits none of {tried} forms that were tried: another key signed, or another time,{nonce} path or body"
    ));
    out.line(&format!("      the venue expects           {}", given.guess.shown()));
    out.line("      compare it with the text that was signed; give the body exactly as it was sent with --body,");
    out.line("      and keys that may have signed with --other-key");
}
