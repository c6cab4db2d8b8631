//! How watching begins and ends.

use std::io;
use std::path::Path;

use tokio::task::JoinHandle;
use venuekit_streams::record::RecordError;
use venuekit_streams::{Ended, Topic};

use super::open::{Source, unreadable};
use super::status::refusal_json;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Why it ended.
#[derive(Debug)]
pub enum Outcome {
    /// As much as was wanted was shown, or nobody wants more.
    Enough,
    /// The stream is over.
    Ended(Ended),
}

/// Tells people what they see.
pub fn begun(out: &Output, place: &str, topic: &Topic) {
    out.note(&format!("watching {topic} of {place}; Ctrl-C ends"));
}

/// Closes everything, and says what happened to it.
pub async fn finished(
    context: &Context,
    source: &Source,
    playing: Option<JoinHandle<Result<(), RecordError>>>,
    outcome: Outcome,
) -> Result<(), Failure> {
    // A recording is at its end where the stream is; else it is left.
    let played = match playing {
        Some(playing) if matches!(outcome, Outcome::Ended(_)) => playing.await.unwrap_or(Ok(())),
        Some(playing) => {
            playing.abort();
            Ok(())
        }
        None => Ok(()),
    };
    let closed = source.close().await;
    context.out().finish().map_err(|why| why.exit(Exit::Network))?;
    closed?;
    played.map_err(|error| unreadable(Path::new(&source.place), &error))?;
    match outcome {
        Outcome::Enough | Outcome::Ended(Ended::Closed) => Ok(()),
        Outcome::Ended(Ended::Refused(refusal)) => {
            let failure = Failure::new(Exit::Refused, refusal.to_string()).code("refused");
            Err(failure.detail("refusals", vec![refusal_json(&refusal)]))
        }
        Outcome::Ended(ended) => Err(Failure::new(Exit::Refused, ended.to_string()).code("connection")),
    }
}

/// Something that should not happen.
pub fn internal(error: io::Error) -> Failure {
    Failure::new(Exit::Internal, error.to_string())
}
