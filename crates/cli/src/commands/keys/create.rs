//! `venuekit keys create`.

use std::net::IpAddr;

use clap::{Args, ValueEnum};
use venuekit_auth::KeyKind;
use venuekit_keys::{Create, Origin, Task};

use super::account_client::{AccountClient, FamilyArgs};
use super::operator::CliOperator;
use super::values;
use crate::context::Context;
use crate::failure::Failure;
use crate::scopes::{self, note_unknown};
use crate::subject::Subject;

#[derive(Args, Debug)]
#[command(after_help = after_help())]
pub struct CreateArgs {
    /// VENUE/ENVIRONMENT/NAME, or VENUE with --env and --name
    subject: Subject,
    /// What to call it in the store; at the venue a tag follows
    #[arg(long)]
    name: Option<String>,
    /// A permission, in the venue's own words, as listed below; several times for several
    #[arg(long = "scope", value_name = "SCOPE", value_parser = values::scope)]
    scopes: Vec<String>,
    /// Who makes the secret, and of what kind; best takes this machine where the venue lets it
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// The sub-account that the key is for, where the venue manages keys of sub-accounts
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    sub_account: Option<String>,
    /// An IP address that the key may be used from, if the venue accepts addresses for a new key; may be given several times
    #[arg(long = "address", value_name = "IP")]
    addresses: Vec<IpAddr>,
    #[command(flatten)]
    family: FamilyArgs,
    /// A command that has the consumer take the key over; its exit code 0 acknowledges
    #[arg(long, value_name = "COMMAND", value_parser = values::command)]
    hand_over: Option<String>,
    /// Say what would be done; nothing is changed
    #[arg(long)]
    dry_run: bool,
}

fn after_help() -> String {
    format!(
        "The first key makes the store: an encrypted file, for which a new passphrase is asked for twice. A script gives one with \
         --passphrase-fd N or VENUEKIT_PASSPHRASE, or an age identity with --identity FILE.\n\n{}\n\nExample:\n  venuekit \
         keys create deribit/test/bot --scope account:read --scope trade:read_write",
        scopes::help()
    )
}

/// Who makes the secret of a new key.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Kind {
    /// A pair made here where the venue takes one, the venue otherwise. It is Ed25519, or like the pair that it replaces
    #[default]
    Best,
    /// An Ed25519 pair made here
    Ed25519,
    /// An RSA pair made here, 2048 bits
    Rsa2048,
    /// The same with 3072 bits
    Rsa3072,
    /// The same with 4096 bits
    Rsa4096,
    /// The venue
    Venue,
}

impl From<Kind> for Origin {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Best => Self::Best,
            Kind::Ed25519 => Self::Here(KeyKind::Ed25519),
            Kind::Rsa2048 => Self::Here(KeyKind::Rsa2048),
            Kind::Rsa3072 => Self::Here(KeyKind::Rsa3072),
            Kind::Rsa4096 => Self::Here(KeyKind::Rsa4096),
            Kind::Venue => Self::Venue,
        }
    }
}

/// `venuekit keys create`.
pub async fn run(context: &Context, arguments: &CreateArgs) -> Result<(), Failure> {
    let client = AccountClient::open(context, &arguments.subject)?.of_family(&arguments.family)?;
    let reference = client.reference(&arguments.subject, arguments.name.as_deref())?;
    let manager = client.manager(None).await?;
    // The scopes of another family are not those that operations ask for.
    if client.account.family.is_none() {
        note_unknown(context.out(), client.target.venue, &arguments.scopes);
    }
    let create = Create {
        reference,
        scopes: arguments.scopes.clone(),
        sub_account: arguments.sub_account.clone(),
        addresses: arguments.addresses.iter().map(ToString::to_string).collect(),
        origin: arguments.kind.into(),
        by_command: arguments.hand_over.is_some(),
    };
    let person = CliOperator::new(context, &client.target, arguments.hand_over.as_deref());
    client.run(Task::Create(create), &manager, &person, arguments.dry_run).await
}
