//! `venuekit totp`: the seed of one-time codes in the store.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;
use serde_json::json;
use venuekit_keys::record::{Kind, Record, State, StoredKey};
use venuekit_keys::store::StoreError;
use venuekit_wire::UnixSeconds;

use crate::complete;
use crate::confirm;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::input;
use crate::store;
use crate::subject::Subject;
use crate::totp::{NAME, generator, now, seed};

/// Bytes of a seed that is shorter than those that venues generate: a part of it may be missing.
const SHORT: usize = 10;

/// What can be done with a seed.
#[derive(Debug, Subcommand)]
pub enum TotpCommand {
    /// Store the seed, read from the terminal or from standard input
    Set(Place),
    /// Print the current code
    Code(Place),
    /// Remove the seed
    Remove(Place),
}

/// Which seed.
#[derive(Args, Debug)]
pub struct Place {
    /// VENUE or VENUE/ENVIRONMENT
    #[arg(add = ArgValueCompleter::new(complete::venues))]
    subject: Subject,
}

/// `venuekit totp`.
pub async fn run(context: &Context, command: &TotpCommand) -> Result<(), Failure> {
    let (TotpCommand::Set(place) | TotpCommand::Code(place) | TotpCommand::Remove(place)) = command;
    if place.subject.name.is_some() {
        let help = format!("write VENUE/ENVIRONMENT in place of {}", place.subject);
        return Err(Failure::usage("an environment has one seed, for all of its keys").help(help));
    }
    let target = context.target(&place.subject)?;
    let shown = target.reference(NAME);
    let out = context.out();
    let confirm = |question: String| {
        context.confirm(&question).map_err(|failure| match failure.exit {
            Exit::Usage => failure.help("use --yes to confirm"),
            _ => failure,
        })
    };
    match command {
        TotpCommand::Set(_) => {
            let seed = match confirm::secret("seed: ")? {
                Some(seed) => seed,
                None => input::secret_from_stdin()?,
            };
            if generator(&seed)?.secret().len() < SHORT {
                out.note("note: the seed is very short: check that all of it was copied");
            }
            let reference = store::reference(&target, NAME)?;
            let opened = context.keys().to_write()?;
            match opened.get(&reference).await {
                Ok(record) if record.active().is_some_and(|key| key.secret.expose() != seed.expose()) => {
                    confirm(format!("Replace the seed {shown}?"))?;
                }
                Ok(_) | Err(StoreError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
            let key = StoredKey {
                label: NAME.to_owned(),
                id: None,
                public_id: None,
                kind: Kind::Shared,
                secret: seed,
                scopes: Vec::new(),
                made: UnixSeconds::now(),
                state: State::Active,
                family: None,
            };
            opened.put(&Record { reference, keys: vec![key] }).await?;
            out.step("stored", &shown);
            out.document(&json!({ "stored": shown }));
        }
        TotpCommand::Code(_) => {
            let none = || Failure::new(Exit::NotFound, format!("no seed of one-time codes is stored as {shown}"));
            let seed = seed(context.keys(), &target).await?.ok_or_else(none)?;
            let code = generator(&seed)?.generate(now()).to_string();
            out.line(&code);
            out.document(&json!({ "code": code }));
        }
        TotpCommand::Remove(_) => {
            confirm(format!("Remove the seed {shown}?"))?;
            context.keys().to_read()?.remove(&store::reference(&target, NAME)?).await?;
            out.step("removed", &shown);
            out.document(&json!({ "removed": shown }));
        }
    }
    Ok(())
}
