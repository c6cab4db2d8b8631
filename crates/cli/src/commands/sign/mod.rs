//! `venuekit sign`: the headers of a request, and the exact text that was signed.

mod signature;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};
use venuekit_auth::{Added, Parts};
use venuekit_wire::UnixMillis;
use venuekit_wire::signature::Piece;

pub use self::signature::signer;
use self::signature::{Signature, sign};
use crate::commands::verify::{below_host, is_url, shown};
use crate::context::Context;
use crate::credential::Credential;
use crate::failure::Failure;
use crate::input;
use crate::number;
use crate::subject::Subject;
use crate::target::Target;

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct SignArgs {
    /// VENUE, VENUE/ENVIRONMENT, or the key to use as VENUE/ENVIRONMENT/NAME
    #[arg(value_name = "VENUE")]
    subject: Subject,
    /// The HTTP method
    method: String,
    /// The path as it is sent, with its query, or the whole URL. The prefix of the venue's REST paths may be omitted
    path: String,
    /// The body, exactly as it is sent, from a file or with - from standard input
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The time to sign for, in Unix milliseconds; by default now
    #[arg(long, value_name = "MILLIS", allow_negative_numbers = true, value_parser = number::millis)]
    time: Option<i64>,
    /// The nonce, if the venue requires one; by default random
    #[arg(long)]
    nonce: Option<String>,
    /// Show headers that contain the credential itself, such as a bearer token
    #[arg(long)]
    show_secrets: bool,
}

const AFTER_HELP: &str = "\
Nothing is sent. If a key signs a login and not each request, METHOD and PATH are those of the login.

Examples:
  venuekit sign kalshi/demo/bot GET '/trade-api/v2/portfolio/orders?limit=5'
  venuekit sign kalshi/demo/bot GET /trade-api/ws/v2         # opens a WebSocket connection";

/// What stands in place of a credential.
const HIDDEN: &str = "[hidden]";

/// `venuekit sign`.
pub async fn run(context: &Context, arguments: &SignArgs) -> Result<(), Failure> {
    check(arguments)?;
    let target = context.target(&arguments.subject)?;
    let credential = context.credential(&target, &arguments.subject).await?;
    let body = arguments.body.as_deref().map(input::bytes).transpose()?.unwrap_or_default();
    let given = below_host(&arguments.path);
    let (path, prefix) = match is_url(&arguments.path) || target.venue.is_websocket(&given) {
        true => (given, None),
        false => whole_path(&target, &given),
    };
    let parts = Parts::new(&arguments.method, &path, &body);
    let time = arguments.time.unwrap_or_else(|| UnixMillis::now().get());
    let signature = sign(&target, &credential, &parts, time, arguments.nonce.as_deref())?;
    let is_login = signature.login.is_some();
    notes(context, arguments, &target, &parts, &signature);
    if let Some(row) = signature.login.and_then(|login| target.venue.table().operation(login.operation))
        && !parts.path.ends_with(row.path)
    {
        let path = row.path.trim_start_matches('/');
        let note =
            format!("note: this key signs no request: these params are for {path}, and requests carry its token");
        context.out().note(&note);
    }
    if let Some(prefix) = prefix.filter(|_| signature.text.is_some() && !is_login) {
        context.out().note(&format!("note: {prefix} was added to the path: it is signed too"));
    }
    show(context, &target, &credential, &signature, arguments.show_secrets);
    Ok(())
}

/// What was given and does not count, and what the venue does not know.
fn notes(context: &Context, arguments: &SignArgs, target: &Target, parts: &Parts<'_>, signature: &Signature) {
    let (venue, is_login) = (target.venue, signature.login.is_some());
    let signs = |pieces: &[Piece]| signature.rule.is_some_and(|rule| pieces.iter().any(|piece| rule.covers(*piece)));
    if arguments.nonce.is_some() && !signs(&[Piece::Nonce]) {
        context.out().note("note: --nonce was not used: no nonce is signed here");
    }
    if arguments.body.is_some() && !signs(&[Piece::Body, Piece::BodyHash]) {
        context.out().note("note: --body was not used: no body is signed here");
    }
    let is_websocket = venue.is_websocket(parts.path);
    if signature.text.is_some() && is_websocket && parts.method != "GET" {
        context.out().note("note: a WebSocket connection is opened by a GET, and that is the method to sign");
    }
    if signature.text.is_some() && !is_login && !is_websocket && !venue.spec().knows(parts.path) {
        context.out().note(&format!("note: no operation of {venue} has the path {}", parts.path));
    }
}

/// The methods that venues have.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Milliseconds since 1970 have more digits for fifty years, and fewer for thousands.
const MILLIS: std::ops::Range<i64> = 100_000_000_000..100_000_000_000_000;

/// Refuses what no venue takes, since its signature would be of no use.
fn check(arguments: &SignArgs) -> Result<(), Failure> {
    let (method, path) = (&arguments.method, &arguments.path);
    if !METHODS.contains(&method.to_ascii_uppercase().as_str()) {
        let message = format!("invalid method `{method}`: METHOD comes first, then PATH");
        return Err(Failure::usage(message).help(format!("METHOD is one of {}", METHODS.join(", "))));
    }
    if path.is_empty() {
        return Err(Failure::usage("the path is empty").help("write it as it is sent, such as /portfolio/balance"));
    }
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("invalid path `{}`: it has a blank or another character that cannot be sent", path);
        return Err(Failure::usage(message).help("write it as it is sent, with %20 for a blank"));
    }
    match arguments.time {
        Some(time) if !MILLIS.contains(&time) => {
            let message = format!("--time {time} is not in milliseconds since 1970: those have 13 digits");
            return Err(Failure::usage(message).help("give milliseconds, also for a venue that signs seconds"));
        }
        _ => {}
    }
    match &arguments.nonce {
        Some(nonce) if nonce.is_empty() || !nonce.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') => {
            let message = format!("invalid --nonce `{nonce}`");
            Err(Failure::usage(message).help("expected visible ASCII without blanks and commas, such as a1b2c3"))
        }
        _ => Ok(()),
    }
}

/// The path with the venue's prefix, and that prefix where it was missing: signatures cover it, and a path without it is the
/// commonest mistake.
///
/// A path that begins as the prefix does is whole, also where its version is another: it is signed as it is sent.
fn whole_path(target: &Target, path: &str) -> (String, Option<String>) {
    let prefix =
        url::Url::parse(&target.base_url).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let first = |path: &str| path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    if prefix.is_empty() || first(&path) == first(&prefix) {
        return (path, None);
    }
    (format!("{prefix}{path}"), Some(prefix))
}

fn show(context: &Context, target: &Target, credential: &Credential, signature: &Signature, secrets: bool) {
    let out = context.out();
    out.step("key", &credential.source);
    match &signature.text {
        Some(text) => out.step("signed", &shown(text)),
        None => out.step("signed", &format!("nothing: {} accepts this credential as it is", target.venue)),
    }
    let value_of = |value: &str, hidden: bool| if hidden && !secrets { HIDDEN.to_owned() } else { value.to_owned() };
    let mut headers = Map::new();
    for (name, value, hidden) in &signature.headers {
        out.step("header", &format!("{name}: {}", value_of(value, *hidden)));
        headers.insert(name.clone(), value_of(value, *hidden).into());
    }
    let added = signature.added.as_ref().map(|added| match added {
        Added::Query(text) => ("query", text.trim_start_matches(['?', '&'])),
        Added::Body(text) => ("body", text.trim_start_matches('&')),
    });
    if let Some((place, text)) = added {
        out.step("added", &format!("to the {place}: {text}"));
    }
    for (name, value) in &signature.params {
        out.step("param", &format!("{name}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    if signature.headers.iter().any(|(_, _, hidden)| *hidden) && !secrets {
        out.note("note: --show-secrets shows what is hidden");
    }
    let params: Map<String, Value> = signature.params.iter().cloned().collect();
    out.document(&json!({"venue": target.venue.name(), "environment": target.environment, "key": credential.source,
        "string_to_sign": signature.text, "headers": headers, "params": params,
        "added": added.map(|(place, text)| json!({"to": place, "text": text}))}));
}
