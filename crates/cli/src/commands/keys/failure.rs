//! The engine's errors as the command's.

use venuekit_keys::{Class, Error, NeedsPerson};

use crate::failure::{Exit, Failure};
use crate::one_time_code::{is_about_code, of_code};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error.class() {
            Class::Refused => Exit::Refused,
            Class::Usage => Exit::Usage,
            Class::NotFound => Exit::NotFound,
            Class::Unknown => Exit::Unknown,
            Class::NeedsPerson => Exit::NeedsPerson,
            Class::Network | Class::Busy => Exit::Network,
            Class::Failed => Exit::Fault,
            // Store, and what later versions add.
            _ => Exit::Store,
        };
        let mut failure = match error.of_venue() {
            Some(venue) if is_about_code(venue) => of_code(venue, Self::from(venue.clone())),
            // A look-up that failed leaves open what became of the call before it.
            Some(venue) if exit == Exit::Unknown => Self::from(venue.clone()).exit(exit),
            Some(venue) => Self::from(venue.clone()),
            None => Self::new(exit, error.to_string()),
        };
        if error.class() == Class::Busy {
            failure = failure.code("busy");
        }
        if let Some(help) = error.help() {
            failure = failure.help(help);
        }
        match error.run() {
            Some(run) => failure.detail("run", run.as_str()),
            None => failure,
        }
    }
}

/// A run that waits for a person.
pub fn of_person(needs: &NeedsPerson) -> Failure {
    let help = format!("{}\n`venuekit keys resume {}` continues", needs.how, needs.run);
    Failure::new(Exit::NeedsPerson, needs.what.clone()).help(help).detail("run", needs.run.as_str())
}
