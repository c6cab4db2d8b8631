//! `venuekit call`: any operation of any venue, checked before it is sent.

pub mod build;
mod pages;
mod secrets;
mod send;
mod value;

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use venuekit_spec::Request;

use self::build::Given;
use self::secrets::Secrets;
use self::send::Sender;
use crate::client::{Client, Manner};
use crate::complete;
use crate::context::Context;
use crate::credential::Credential;
use crate::describe;
use crate::exact::Exact;
use crate::failure::{Exit, Failure};
use crate::lookup::{self, Found};
use crate::sign;
use crate::subject::Subject;
use crate::target::Target;

/// What `venuekit call` takes.
#[derive(Args, Debug)]
#[command(disable_help_flag = true, after_help = AFTER_HELP)]
pub struct CallArgs {
    /// The venue, or VENUE/ENVIRONMENT, or the key to use as VENUE/ENVIRONMENT/NAME
    #[arg(value_name = "VENUE", add = ArgValueCompleter::new(complete::venues))]
    subject: Option<Subject>,
    /// The operation; `venuekit describe VENUE` lists them
    #[arg(add = ArgValueCompleter::new(complete::operations))]
    operation: Option<String>,
    /// What goes along, by name: `limit=5`, `orders/0/price=0.56`, `public_key=@FILE`
    #[arg(value_name = "NAME=VALUE", add = ArgValueCompleter::new(complete::parameters))]
    parameters: Vec<String>,
    /// The JSON body, from a file or with - from standard input
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// All pages, one after the other
    #[arg(long)]
    all: bool,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Send a one-time code along
    #[arg(long)]
    totp: bool,
    /// Send members of --body that the spec does not know
    #[arg(long)]
    allow_unknown: bool,
    /// Print secrets that the answer holds
    #[arg(long, conflicts_with = "secrets_to")]
    show_secrets: bool,
    /// Keep an answer that holds secrets in a new file, which only its owner may read
    #[arg(long, value_name = "FILE")]
    secrets_to: Option<PathBuf>,
    /// What the operation takes and gives
    #[arg(long, short)]
    help: bool,
}

const AFTER_HELP: &str = "\
With a venue and an operation, --help shows what that operation takes and gives.

Examples:
  venuekit call kalshi get_markets limit=5 status=open --env demo
  venuekit call kalshi get_markets --all --env demo
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
        return Ok(());
    }
    warn_of_secrets(context, &found, arguments);
    let given = Given::read(&found, &arguments.parameters, arguments.body.as_deref(), arguments.allow_unknown)?;
    let request = given.request(&found)?;
    let target = context.target(subject)?;
    if arguments.dry_run {
        let credential = context.credential(&target, subject).await?;
        let with_code = found.needs_code() || found.takes_code() && (arguments.totp || context.has_codes());
        return sign::dry_run(context, &target, &credential, &found, &request, with_code);
    }
    let credential = credential(context, &target, subject, &found).await?;
    let client = Client::new(&target, &credential, Manner::Forgiving)?;
    // Before anything is sent: a secret that has no place to go would be lost.
    Secrets::check(&found, arguments.show_secrets, arguments.secrets_to.as_deref())?;
    if found.is_write() {
        let place = format!("{}/{}", target.venue, target.environment);
        context.confirm(&format!("{} at {place} changes something. Go on?", found.spec.name))?;
    }
    let secrets = Secrets::prepare(&found, arguments.secrets_to.as_deref())?;
    let sender =
        Sender { context, target: &target, client, found: &found, with_code: arguments.totp, secrets: &secrets };
    let sent = if arguments.all { all(context, &sender, given).await } else { once(context, &sender, &request).await };
    if sent.is_err() {
        secrets.discard();
    }
    sent
}

async fn once(context: &Context, sender: &Sender<'_>, request: &Request) -> Result<(), Failure> {
    let answer = sender.secrets.hide(sender.send(request).await?);
    match context.out().is_json() {
        true => context.out().raw(&format!("{}\n", answer.compact())),
        false if answer == Exact::null() => context.out().note("done: the venue answers nothing"),
        false => context.out().line(&answer.pretty()),
    }
    Ok(())
}

async fn all(context: &Context, sender: &Sender<'_>, given: Given) -> Result<(), Failure> {
    let out = context.out();
    let mut kept = Vec::new();
    pages::all(sender, given, |items| {
        let items = items.into_iter().map(|item| sender.secrets.hide(item));
        match out.is_json() {
            true => kept.extend(items),
            false => items.for_each(|item| out.line(&item.compact())),
        }
        !out.is_closed()
    })
    .await?;
    if out.is_json() {
        out.raw(&format!("{}\n", Exact::List(kept).compact()));
    }
    Ok(())
}

fn without_operation(context: &Context, subject: Option<&Subject>, help: bool) -> Result<(), Failure> {
    match subject {
        Some(subject) => {
            describe::all(context.out(), subject.venue, None);
            Ok(())
        }
        None if help => {
            context.out().raw(&crate::manual::help_of("call"));
            Ok(())
        }
        None => Err(Failure::usage("which venue, and which operation?").help("venuekit call --help")),
    }
}

/// The credential; none for what anybody may call, where there is none.
async fn credential(
    context: &Context,
    target: &Target,
    subject: &Subject,
    found: &Found,
) -> Result<Credential, Failure> {
    let credential = context.credential(target, subject).await?;
    if credential.is_none() && !found.is_public() {
        let variables = crate::credential::variable::names(target);
        let message = format!("`{}` needs a key of {}/{}", found.spec.name, target.venue, target.environment);
        let help = format!("name a stored key with --key NAME, or set {variables}");
        return Err(Failure::new(Exit::Store, message).code("no_key").help(help));
    }
    Ok(credential)
}

/// What is typed shows in the list of processes.
fn warn_of_secrets(context: &Context, found: &Found, arguments: &CallArgs) {
    let fields = found.spec.fields();
    let is_secret = |name: &str| fields.iter().any(|field| field.name == name && field.schema.is_secret());
    let typed = arguments.parameters.iter().filter_map(|argument| argument.split_once('='));
    for (name, _) in typed.filter(|(name, value)| is_secret(name) && !value.starts_with('@')) {
        context.out().note(&format!(
            "note: {name} is a secret and shows in the list of processes; {name}=@- reads it from standard input"
        ));
    }
}
