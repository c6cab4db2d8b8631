//! One-time codes: from a file descriptor, from a stored seed, or from a person.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use serde_json::json;
use totp_rs::{Algorithm, TOTP};
use venuekit_keys::record::{Kind, Record, State, StoredKey};
use venuekit_keys::store::StoreError;
use venuekit_wire::{Secret, UnixSeconds};

use crate::confirm;
use crate::context::Context;
use crate::credential::variable;
use crate::descriptor::Lines;
use crate::failure::{Exit, Failure};
use crate::store;
use crate::subject::Subject;
use crate::target::Target;

/// How long a code lives, in seconds.
const STEP: u64 = 30;

/// What a seed is stored under.
const NAME: &str = "@totp";

/// Where codes come from.
#[derive(Debug)]
pub struct Codes {
    lines: Option<Lines>,
    /// The span of time that the last code was made for: a venue takes a code once.
    spent: Mutex<Option<u64>>,
}

impl Codes {
    /// Codes from a descriptor, or from wherever they can be had.
    pub fn new(descriptor: Option<u32>) -> Self {
        Self { lines: descriptor.map(|number| Lines::new("--totp-fd", number)), spent: Mutex::default() }
    }

    /// The next code for an environment of a venue.
    pub async fn next(&self, context: &Context, target: &Target) -> Result<Secret, Failure> {
        if let Some(lines) = &self.lines {
            let none = || Failure::new(Exit::NeedsPerson, "--totp-fd holds no further code");
            return lines.next()?.filter(|code| !code.is_empty()).ok_or_else(none);
        }
        if let Some(seed) = seed(context, target).await? {
            return self.made(context, &seed).await;
        }
        let prompt = format!("one-time code for {}/{}: ", target.venue, target.environment);
        confirm::secret(&prompt)?.filter(|code| !code.is_empty()).ok_or_else(|| {
            let help = "pass it with --totp-fd N, or keep the seed in the store with `venuekit totp set`";
            Failure::new(Exit::NeedsPerson, "the venue wants a one-time code, and nobody is there to be asked")
                .code("second_factor")
                .help(help)
        })
    }

    async fn made(&self, context: &Context, seed: &Secret) -> Result<Secret, Failure> {
        let generator = generator(seed)?;
        loop {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let is_spent = |spent: &mut Option<u64>| spent.replace(now / STEP) == Some(now / STEP);
            if !self.spent.lock().is_ok_and(|mut spent| is_spent(&mut spent)) {
                return Ok(Secret::new(generator.generate(now)));
            }
            context.out().note(&format!("waiting {} s for the next one-time code", STEP - now % STEP));
            tokio::time::sleep(Duration::from_secs(STEP - now % STEP)).await;
        }
    }
}

/// The seed: of an environment variable, or of the store where there is one already.
async fn seed(context: &Context, target: &Target) -> Result<Option<Secret>, Failure> {
    let name = format!("{}_TOTP_SEED", variable::prefix(target));
    if let Some(seed) = variable::secret(&name)? {
        return Ok(Some(seed));
    }
    if !store::is_there(context) {
        return Ok(None);
    }
    let store = context.store()?;
    match store.get(&store::reference(target, NAME)?).await {
        Ok(record) => Ok(record.active().map(|key| key.secret.clone())),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn generator(seed: &Secret) -> Result<TOTP, Failure> {
    let wrong = || {
        let help = "it is the text that a venue shows beside the QR code: base32, or an otpauth:// address";
        Failure::new(Exit::Store, "the seed of one-time codes cannot be read").code("totp_seed").help(help)
    };
    let text = seed.expose().trim();
    let base32 = match text.strip_prefix("otpauth://") {
        Some(_) => {
            let url = url::Url::parse(text).map_err(|_| wrong())?;
            let secret = url.query_pairs().find(|(name, _)| name == "secret");
            Secret::new(secret.ok_or_else(wrong)?.1.into_owned())
        }
        None => Secret::new(text.replace([' ', '-'], "")),
    };
    let upper = Secret::new(base32.expose().to_ascii_uppercase());
    let bytes = totp_rs::Secret::Encoded(upper.expose().to_owned()).to_bytes().map_err(|_| wrong())?;
    if bytes.is_empty() {
        return Err(wrong());
    }
    // Some venues give seeds that are shorter than the standard wants.
    Ok(TOTP::new_unchecked(Algorithm::SHA1, 6, 1, STEP, bytes))
}

/// What can be done with a seed.
#[derive(Debug, Subcommand)]
pub enum TotpCommand {
    /// Store the seed, read from the terminal or from standard input
    Set(Place),
    /// Print the code of now
    Code(Place),
    /// Remove the seed
    Remove(Place),
}

/// Which seed.
#[derive(Args, Debug)]
pub struct Place {
    /// VENUE or VENUE/ENVIRONMENT
    subject: Subject,
}

/// `venuekit totp`.
pub async fn run(context: &Context, command: &TotpCommand) -> Result<(), Failure> {
    let (TotpCommand::Set(place) | TotpCommand::Code(place) | TotpCommand::Remove(place)) = command;
    let target = context.target(&place.subject)?;
    let shown = target.reference(NAME);
    let out = context.out();
    match command {
        TotpCommand::Set(_) => {
            let seed = match confirm::secret("seed: ")? {
                Some(seed) => seed,
                None => crate::input::secret_from_stdin()?,
            };
            generator(&seed)?;
            let key = StoredKey {
                label: NAME.to_owned(),
                id: None,
                public_id: None,
                kind: Kind::Shared,
                secret: seed,
                scopes: Vec::new(),
                made: UnixSeconds::now(),
                state: State::Active,
            };
            let record = Record { reference: store::reference(&target, NAME)?, keys: vec![key] };
            context.store()?.put(&record).await?;
            out.step("stored", &shown);
            out.document(&json!({ "stored": shown }));
        }
        TotpCommand::Code(_) => {
            let code = context.code(&target).await?;
            out.line(code.expose());
            out.document(&json!({ "code": code.expose() }));
        }
        TotpCommand::Remove(_) => {
            context.confirm(&format!("Remove the seed {shown}?"))?;
            context.store()?.remove(&store::reference(&target, NAME)?).await?;
            out.step("removed", &shown);
            out.document(&json!({ "removed": shown }));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_that_of_the_standard() {
        // RFC 6238, appendix B: the last six of the eight digits for SHA-1.
        let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for text in
            [seed.to_owned(), seed.to_lowercase(), format!("otpauth://totp/Venue:me?secret={seed}&issuer=Venue")]
        {
            let generator = generator(&Secret::new(text)).unwrap();
            for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
                assert_eq!(generator.generate(time), code);
            }
        }
        for text in ["", "no base32!", "otpauth://totp/x"] {
            let error = generator(&Secret::new(text)).unwrap_err().to_string();
            assert!(error.contains("cannot be read"), "{error}");
        }
    }
}
