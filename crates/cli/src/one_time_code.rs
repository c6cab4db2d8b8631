//! What venues say about one-time codes, in this command's words.

use venuekit_transport::Error;

use crate::failure::{Exit, Failure};

/// Why a code was not accepted, by what venues say.
const REASONS: [(&str, &str, &str); 3] = [
    ("used_tfa_code", "it was used already", "wait for the next code, and try again"),
    ("challenge_timeout", "it came too late", "try again, and give the code at once"),
    ("over_limit", "there were too many wrong ones", "wait until the venue accepts codes again"),
];

/// A one-time code that the venue did not accept. What the venue said is among the details.
pub fn of_code(failure: Failure) -> Failure {
    let said = failure.message().to_ascii_lowercase();
    let known = REASONS.iter().find(|(word, _, _)| said.contains(word));
    let (why, help) = known.map_or(
        (
            "it is not the one that is valid now",
            "try again with the next one; codes depend on the clock: check that it is right",
        ),
        |(_, why, help)| (why, help),
    );
    let operation = failure.text_of("operation").map(|name| format!("{name}: ")).unwrap_or_default();
    let message = format!("{operation}the venue did not accept the one-time code: {why}");
    failure.with_message(message).exit(Exit::NeedsPerson).code("second_factor").help(help)
}

/// Whether a refusal is about a one-time code. The venues have no code in common for it.
pub fn is_about_code(error: &Error) -> bool {
    const WORDS: [&str; 5] = ["two_factor", "2fa", "one_time", "one-time", "security_key_authorization"];
    let says = |text: &str| WORDS.iter().any(|word| text.contains(word));
    error.status().is_some_and(|status| status.is_client_error())
        && [error.code(), Some(error.message())].into_iter().flatten().any(|text| says(&text.to_ascii_lowercase()))
}
