//! A one-time code that a venue did not accept, in this command's words.

use venuekit_transport::Error;
use venuekit_wire::credentials::Cause;

use crate::failure::{Exit, Failure};

/// A one-time code that the venue did not accept. What the venue said is among the details.
pub fn of_code(error: &Error, failure: Failure) -> Failure {
    let (why, help) = match error.refusal_cause() {
        Some(Cause::SecondFactorUsed) => ("it was used already", "wait for the next code, and try again"),
        Some(Cause::SecondFactorLate) => ("it arrived too late", "try again, and give the code at once"),
        Some(Cause::SecondFactorLocked) => {
            ("there were too many wrong ones", "wait until the venue accepts codes again")
        }
        _ => (
            "it is not the one that is valid now",
            "try again with the next one; codes depend on the clock: check that it is right",
        ),
    };
    let operation = failure.text_of("operation").map(|name| format!("{name}: ")).unwrap_or_default();
    let message = format!("{operation}the venue did not accept the one-time code: {why}");
    failure.with_message(message).exit(Exit::NeedsPerson).code("second_factor").help(help)
}

/// Whether a refusal is about a one-time code, by the symptoms of the venue's spec.
pub fn is_about_code(error: &Error) -> bool {
    error.refusal_cause().is_some_and(Cause::is_second_factor)
}
