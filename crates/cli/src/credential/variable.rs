//! Credentials in environment variables. The spec declares their names, which contain venue and environment, so that a demo key cannot
//! get to production.

use venuekit_transport::variables::{self, Fault, Found, of_process};
use venuekit_wire::Secret;
use venuekit_wire::variables::VariableKind;

use super::pem;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::target::Target;
use crate::venue::Venue;

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let failure = Self::new(Exit::Store, fault.message).code(fault.code);
        match fault.help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}

/// How the variables of a target begin: `KALSHI_DEMO`.
pub fn prefix(target: &Target) -> String {
    target.venue.table().variables.prefix(&target.environment)
}

/// The variables that a target looks for, for a sentence that says so.
pub fn names(target: &Target) -> String {
    names_after(target.venue, &prefix(target))
}

/// The same for variables whose names begin in another way.
pub fn names_after(venue: Venue, prefix: &str) -> String {
    variables::names(&venue.table().variables, prefix)
}

/// The two variables of a credential of this kind, `None` and the variable for a token.
pub fn of_kind(venue: Venue, prefix: &str, kind: VariableKind) -> Option<(Option<String>, String)> {
    let one = venue.table().variables.of_kind(kind)?;
    Some((one.id.map(|id| format!("{prefix}_{id}")), format!("{prefix}_{}", one.secret)))
}

/// The same for a sentence: `A and B`, or nothing where the venue takes no such credential.
pub fn both(venue: Venue, prefix: &str, kind: VariableKind) -> String {
    match of_kind(venue, prefix, kind) {
        Some((Some(id), secret)) => format!("{id} and {secret}"),
        Some((None, secret)) => secret,
        None => String::new(),
    }
}

/// A secret of an environment variable. An empty one counts as left out.
pub fn secret(name: &str) -> Result<Option<Secret>, Failure> {
    Ok(variables::text(name, of_process)?)
}

/// What is set and counts.
pub fn read(context: &Context, venue: Venue, prefix: &str) -> Result<Vec<Found>, Failure> {
    let passphrase = |encrypted: &variables::Encrypted<'_>| pem::passphrase(context, encrypted).map(Some);
    variables::read(&venue.table().variables, prefix, of_process, passphrase)
}
