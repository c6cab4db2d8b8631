//! `venuekit call`: any operation of any venue, checked before it is sent.

mod dry_run;
mod look_up;
mod outcome;
mod pages;
mod proof;
mod secrets;
mod send;
mod strict;
mod table;

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Once};

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use venuekit_spec::Request;

use self::outcome::place;
use self::secrets::Secrets;
use self::send::Sender;
use self::strict::Strict;
use self::table::TableView;
use crate::client::{Client, RetryMode};
use crate::commands::describe;
use crate::complete;
use crate::config::KeySource;
use crate::context::Context;
use crate::credential::Credential;
use crate::failure::{Exit, Failure};
use crate::lookup::{self, Found};
use crate::raw_json::RawJson;
use crate::request::{self, RequestBuilder};
use crate::similar::plain;
use crate::subject::Subject;
use crate::target::Target;

#[derive(Args, Debug)]
#[command(disable_help_flag = true, after_help = AFTER_HELP)]
pub struct CallArgs {
    /// The venue, or VENUE/ENVIRONMENT, or the key to use as VENUE/ENVIRONMENT/NAME
    #[arg(value_name = "VENUE", add = ArgValueCompleter::new(complete::venues))]
    subject: Option<Subject>,
    /// The operation; `venuekit describe VENUE` lists them
    #[arg(add = ArgValueCompleter::new(complete::operations))]
    operation: Option<String>,
    /// Parameters, by name: `limit=5`, `orders/0/price=0.56`, `public_key=@FILE`
    #[arg(value_name = "NAME=VALUE", add = ArgValueCompleter::new(complete::parameters))]
    parameters: Vec<String>,
    /// The JSON body, from a file or with - from standard input
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Fetch all pages
    #[arg(long)]
    all: bool,
    /// Print the list in the response as a table
    #[arg(long)]
    table: bool,
    /// The columns of the table; dots lead into nested members
    #[arg(long, value_name = "A,B.C", value_delimiter = ',')]
    columns: Vec<String>,
    /// Show the request; nothing is sent
    #[arg(long)]
    dry_run: bool,
    /// Send a one-time code with the call
    #[arg(long)]
    totp: bool,
    /// Send members of --body and enum values that the spec does not list
    #[arg(long)]
    allow_unknown: bool,
    /// Report members and enum values of the response that the spec does not list, and exit with 8 if there are any
    #[arg(long)]
    strict: bool,
    /// Print secrets in the response
    #[arg(long, conflicts_with = "secrets_to")]
    show_secrets: bool,
    /// Write a response that contains secrets to a new file that only its owner can read
    #[arg(long, value_name = "FILE")]
    secrets_to: Option<PathBuf>,
    /// The operation's parameters and response
    #[arg(long, short)]
    help: bool,
}

/// Where the key of a call comes from.
const KEY: &str = "The call is made with --key NAME, with the key of the profile, or with the key in environment variables. `venuekit keys create` \
creates a key; the first time it asks twice for the passphrase of the new store.";

const AFTER_HELP: &str = "\
With a venue and an operation, --help shows its parameters and response.

A call that needs a key takes it from --key, from the profile or from environment variables. `venuekit keys create` creates one; the \
first time it asks twice for the passphrase of the new store.

Examples:
  venuekit call kalshi get_markets limit=5 status=open --env demo
  venuekit call kalshi get_markets --all --env demo
  venuekit call kalshi get_markets --env demo --columns ticker,yes_bid_dollars,close_time
  venuekit call deribit ticker instrument_name=BTC-PERPETUAL --env test
  venuekit call bayse/local place_order --help";

/// `venuekit call`.
pub async fn run(context: &Context, arguments: &CallArgs) -> Result<(), Failure> {
    let (subject, name) = match (&arguments.subject, &arguments.operation) {
        (Some(subject), Some(name)) => (subject, name),
        (subject, _) => return without_operation(context, subject.as_ref(), arguments.help),
    };
    let found = lookup::operation(subject.venue, name)?;
    if arguments.help {
        describe::one(context.out(), &found);
        if !found.is_public() {
            context.out().line(&format!("\n{}", describe::wrapped(KEY, 0)));
        }
        return Ok(());
    }
    if found.is_socket_only() {
        let message = format!("`{}` exists on a WebSocket only: not from the command line", found.spec.name);
        let help = "the client library calls it over a connection";
        return Err(Failure::usage(message).code("websocket_only").help(help));
    }
    note_of(context, &found, arguments);
    let (mut given, target, table) = checked(context, subject, &found, arguments)?;
    let request = given.request(&found)?;
    for at in request::check(&given, &found)?.1 {
        context.out().note(&format!("note: {at} is not one of the values that the spec lists; it is sent unchanged"));
    }
    let credential = credential(context, &target, subject, &found, arguments.dry_run).await?;
    if arguments.dry_run {
        let with_code = found.needs_code() || found.takes_code() && (arguments.totp || context.has_codes());
        return dry_run::dry_run(context, &target, &credential, &found, &request, with_code);
    }
    let client = Client::new(&target, &credential, RetryMode::Forgiving)?;
    if found.is_write() {
        let what = given.shown(&secret_names(&found));
        let what = if what.is_empty() { String::new() } else { format!(": {what}") };
        context.confirm(&format!("{} at {} changes something{what}. Continue?", found.spec.name, place(&target)))?;
    }
    let key = given.identify(&found);
    let request = given.request(&found)?;
    let secrets = Arc::new(Secrets::prepare(&found, arguments.secrets_to.as_deref())?);
    let look_up = look_up::said(&found, &given, &place(&target));
    let sender = Sender {
        context,
        target: &target,
        doctor: credential.subject_at(&target),
        client,
        found: &found,
        with_code: arguments.totp,
        secrets: Arc::clone(&secrets),
        key,
        look_up,
        strict: arguments.strict.then(Strict::default),
        generated: Once::new(),
        in_flight: RefCell::default(),
    };
    let sent = match arguments.all {
        true => all(context, &sender, given, table.as_ref()).await,
        false => once(context, &sender, &request, table.as_ref()).await,
    };
    let sent = match &sender.strict {
        Some(strict) => sent.and_then(|()| strict.verdict(&found, arguments.all)),
        None => sent,
    };
    if sent.is_err() {
        secrets.discard();
    }
    sent
}

async fn once(
    context: &Context,
    sender: &Sender<'_>,
    request: &Request,
    table: Option<&TableView>,
) -> Result<(), Failure> {
    let whole = sender.send(request).await?;
    let response = sender.secrets.hide(whole);
    let out = context.out();
    let rows = table.and_then(|table| Some((table, table.items(&response)?)));
    match rows {
        _ if out.is_json() => out.raw(&format!("{}\n", response.compact())),
        Some((table, items)) => table.print(out, &items),
        None if response == RawJson::null() => out.note("done: the venue returns nothing"),
        None => {
            if table.is_some() {
                out.note("note: the response has no list; it is printed as JSON");
            }
            out.line(&response.pretty());
        }
    }
    let printed = if out.is_closed() && sender.found.is_write() {
        Err(Failure::new(Exit::Network, "standard output is closed"))
    } else {
        out.finish()
    };
    match printed {
        Err(why) if sender.found.is_write() => Err(sender.unprinted(&why, &response.compact())),
        printed => printed,
    }
}

async fn all(
    context: &Context,
    sender: &Sender<'_>,
    given: RequestBuilder,
    table: Option<&TableView>,
) -> Result<(), Failure> {
    let out = context.out();
    let mut kept = Vec::new();
    let sent = pages::all(sender, given, |items| {
        let items = items.into_iter().map(|item| sender.secrets.hide(item));
        match out.is_json() || table.is_some() {
            true => kept.extend(items),
            false => items.for_each(|item| out.line(&item.compact())),
        }
        !out.is_closed()
    })
    .await;
    // The rows that came are shown, also before an error.
    if let Some(table) = table.filter(|_| sent.is_ok() || !kept.is_empty()) {
        table.print(out, &kept);
    }
    sent?;
    if out.is_json() {
        out.raw(&format!("{}\n", RawJson::List(kept).compact()));
    }
    out.finish()
}

fn without_operation(context: &Context, subject: Option<&Subject>, help: bool) -> Result<(), Failure> {
    match subject {
        Some(subject) => {
            describe::all(context.out(), subject.venue, None);
            Ok(())
        }
        None if help => {
            context.print_help_of("call");
            Ok(())
        }
        None => Err(Failure::usage("no venue and no operation was given")
            .help("write venuekit call VENUE OPERATION [NAME=VALUE...]; `venuekit describe VENUE` lists operations")),
    }
}

/// What was given, and where it goes; or all mistakes in it, before anybody is asked anything.
fn checked(
    context: &Context,
    subject: &Subject,
    found: &Found,
    arguments: &CallArgs,
) -> Result<(RequestBuilder, Target, Option<TableView>), Failure> {
    let (given, mut mistakes) =
        RequestBuilder::collect(found, &arguments.parameters, arguments.body.as_deref(), arguments.allow_unknown);
    mistakes.extend(given.mistakes(found));
    let name = &found.spec.name;
    if arguments.totp && !found.takes_code() && !found.spec.second_factor {
        mistakes.push(Failure::usage(format!("`{name}` accepts no one-time code")).help("omit --totp"));
    }
    if arguments.all && found.row.page.is_none() {
        mistakes.push(pages::no_pages(found));
    }
    if !arguments.dry_run {
        // A secret that has no place to go would be lost.
        mistakes.extend(Secrets::check(found, arguments.show_secrets, arguments.secrets_to.as_deref()).err());
    }
    let is_table = arguments.table || !arguments.columns.is_empty();
    if is_table && context.out().is_json() {
        let option = if arguments.table { "--table" } else { "--columns" };
        mistakes.push(Failure::usage(format!("--json and {option} cannot be combined")).help("omit one"));
    }
    let table = is_table.then(|| TableView::new(found, &arguments.columns, arguments.allow_unknown)).transpose();
    let table = table.unwrap_or_else(|failure| {
        mistakes.push(failure);
        None
    });
    match context.check_key(subject).and_then(|()| context.target(subject)) {
        Ok(target) => Failure::all(mistakes).map_or(Ok((given, target, table)), Err),
        Err(failure) => Err(failure.after(mistakes)),
    }
}

/// The credential; `None` for a public operation, if no key is given or if reading it would open the store.
async fn credential(
    context: &Context,
    target: &Target,
    subject: &Subject,
    found: &Found,
    dry_run: bool,
) -> Result<Credential, Failure> {
    let is_named = subject.name.is_some() || context.global().key.is_some();
    let is_stored = || {
        let profile = context.profile(target.venue).ok().flatten();
        profile.is_some_and(|profile| matches!(profile.key, Some(KeySource::Stored(_))))
    };
    if found.row.access.iter().all(|way| way.is_empty()) || found.is_public() && !is_named && is_stored() {
        return Ok(Credential::none());
    }
    let credential = context.credential(target, subject).await?;
    if credential.is_none() && !found.is_public() && !dry_run {
        let variables = crate::variables::names(target);
        let message = format!("`{}` needs a key of {}", found.spec.name, place(target));
        let help = format!("name a stored key with --key NAME, or set {variables}");
        return Err(Failure::new(Exit::Store, message).code("no_key").help(help));
    }
    Ok(credential)
}

/// The names of what is given that is secret, wherever it stands.
fn secret_names(found: &Found) -> Vec<String> {
    let of_body = found.spec.body.iter().flat_map(venuekit_spec::Schema::secret_names);
    let parameters = found.spec.parameters.iter().filter(|one| one.schema.is_secret()).map(|one| one.name.clone());
    of_body.chain(parameters).collect()
}

/// What is to be known before the call: that it will not be there for long, and that what is typed shows in the list of processes.
fn note_of(context: &Context, found: &Found, arguments: &CallArgs) {
    if found.spec.deprecated {
        let instead = describe::said(found.venue, &found.spec.description);
        context.out().note(format!("note: {} is deprecated. {instead}", found.spec.name).trim_end());
    }
    let secrets = secret_names(found);
    let is_secret = |name: &str| {
        let last = plain(name.rsplit('/').next().unwrap_or_default());
        secrets.iter().any(|secret| plain(secret) == last)
    };
    let typed = arguments.parameters.iter().filter_map(|argument| argument.split_once('='));
    for (name, _) in
        typed.filter(|(name, value)| is_secret(name) && (!value.starts_with('@') || value.starts_with("@@")))
    {
        context.out().note(&format!(
            "note: {name} is a secret and shows in the list of processes; {name}=@FILE reads it from a file, {name}=@- from \
             standard input"
        ));
    }
}
