//! `venuekit keys adopt`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Args;
use venuekit_keys::{Credential, Manager};
use venuekit_transport::flaw::is_key_text;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::Secret;

use super::account_client::{AccountClient, FamilyArgs, printed, show_steps};
use super::operator::CliOperator;
use crate::confirm;
use crate::context::Context;
use crate::credential::pem;
use crate::descriptor::Lines;
use crate::failure::{Exit, Failure};
use crate::input;
use crate::number;
use crate::subject::Subject;

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct AdoptArgs {
    /// VENUE/ENVIRONMENT/NAME
    subject: Subject,
    /// Name in the store
    #[arg(long)]
    name: Option<String>,
    /// What identifies the caller: key id, public key, API key or client id
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    public_id: Option<String>,
    /// A private key as PEM; - is standard input
    #[arg(long, value_name = "FILE", requires = "public_id", conflicts_with = "secret_fd")]
    pem: Option<PathBuf>,
    /// Read a shared secret from this file descriptor
    #[arg(long, value_name = "N", requires = "public_id", value_parser = number::descriptor)]
    secret_fd: Option<u32>,
    #[command(flatten)]
    family: FamilyArgs,
    /// Show what would be done; nothing is changed
    #[arg(long)]
    dry_run: bool,
}

const AFTER_HELP: &str = "\
Without --public-id the key in environment variables is adopted. With --public-id alone the secret is asked for, or \
read from standard input, where it may be a PEM too. The passphrase of an encrypted PEM is asked for, or read from \
--pem-passphrase-fd or VENUEKIT_PEM_PASSPHRASE; the store keeps the key decrypted, under its own passphrase.

Examples:
  venuekit keys adopt kalshi/demo/bot --public-id a952bcbe-... --pem kalshi.pem
  venuekit keys adopt deribit/test/bot --public-id 1sXMQBhM < secret.txt";

/// `venuekit keys adopt`.
pub async fn run(context: &Context, arguments: &AdoptArgs) -> Result<(), Failure> {
    let client = AccountClient::open(context, &arguments.subject)?.of_family(&arguments.family)?;
    let reference = client.reference(&arguments.subject, arguments.name.as_deref())?;
    let credential = match &arguments.public_id {
        Some(public_id) => given(context, public_id, arguments)?,
        None => from_environment(&client)?,
    };
    let out = context.out();
    let public_id = credential.public_id().unwrap_or_default().to_owned();
    if arguments.dry_run {
        if context.keys().to_read()?.get(&reference).await.is_ok() {
            return Err(Failure::usage(format!("`{reference}` is already in the store")).help("choose another name"));
        }
        let steps = [format!("make a signed call with the key {public_id}"), format!("store it as {reference}")];
        show_steps(out, &steps, &[]);
        return Ok(());
    }
    let person = CliOperator::new(context, &client.target, None);
    let adopted = client.engine.adopt(&client.account, &reference, &credential, &person).await;
    let adopted = adopted.map_err(|error| client.explained(error, &Manager::Given(credential)))?;
    out.step("adopted", &public_id);
    out.document(&adopted);
    printed(out, &format!("{reference} is stored"), &client.account.to_string())
}

fn given(context: &Context, public_id: &str, arguments: &AdoptArgs) -> Result<Credential, Failure> {
    let (secret, kind) = match (&arguments.pem, arguments.secret_fd) {
        (Some(path), _) if path == Path::new("-") => pair(context, path, &input::secret(path)?)?,
        (Some(path), _) => pair(context, path, &pem_file(path)?)?,
        (None, Some(number)) => (line(number)?, SecretKind::Shared),
        (None, None) => match asked()? {
            pem if is_key_text(pem.expose()) => pair(context, Path::new("-"), &pem)?,
            secret => (secret, SecretKind::Shared),
        },
    };
    Ok(Credential::Key { public_id: public_id.to_owned(), secret, kind })
}

/// A file that is missing is a mistake in the command line, whatever would be in it.
fn pem_file(path: &Path) -> Result<Secret, Failure> {
    let missing = fs::metadata(path).err().filter(|error| error.kind() == io::ErrorKind::NotFound);
    pem::file(path, "--pem").map_err(|failure| match &missing {
        Some(error) if failure.word() == "key_file" => Failure::file(path, error),
        _ => failure,
    })
}

fn pair(context: &Context, path: &Path, pem: &Secret) -> Result<(Secret, SecretKind), Failure> {
    let source = input::shown(path);
    let key = context.passphrases().key(pem, &source)?;
    if key.is_pss_only() {
        let note =
            format!("note: {source} marks the key for RSASSA-PSS only; it is stored as plain RSA, the same key pair");
        context.out().note(&note);
    }
    Ok((key.private_key_pem(), SecretKind::PrivateKeyPem))
}

fn line(number: u32) -> Result<Secret, Failure> {
    let none = || Failure::new(Exit::Store, "--secret-fd holds no line");
    Lines::new("--secret-fd", number).next()?.filter(|secret| !secret.is_empty()).ok_or_else(none)
}

fn asked() -> Result<Secret, Failure> {
    let secret = match confirm::secret("secret: ")? {
        Some(secret) => secret,
        None => input::secret_from_stdin()?,
    };
    if secret.is_empty() { Err(Failure::new(Exit::Store, "the secret is empty")) } else { Ok(secret) }
}

fn from_environment(client: &AccountClient<'_>) -> Result<Credential, Failure> {
    let found = client.context.credential_of_variables(&client.target)?;
    if let Some(found) = &found {
        found.check(client.target.venue)?;
    }
    let found = found.map(|credential| credential.parts);
    let key = found.into_iter().flatten().find(|credential| matches!(credential, Credential::Key { .. }));
    key.ok_or_else(|| {
        let help = format!(
            "give --public-id with --pem, --secret-fd or standard input, or set {}",
            crate::variables::names(&client.target)
        );
        Failure::new(Exit::Store, format!("no key of {} was given", client.account)).code("no_credential").help(help)
    })
}
