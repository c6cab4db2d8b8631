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
pub fn begun(out: &Output, source: &Source, topic: &Topic) {
    let doing = if source.is_replay() { "replaying" } else { "watching" };
    out.note(&format!("{doing} {topic} of {}; Ctrl-C ends", source.place));
}

/// Closes everything, and says what happened to it. `messages` is how many have come.
pub async fn finished(
    context: &Context,
    source: &Source,
    topic: &Topic,
    messages: u64,
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
    context.out().finish()?;
    closed?;
    played.map_err(|error| unreadable(Path::new(&source.place), &error))?;
    match outcome {
        Outcome::Ended(Ended::Closed) if source.is_replay() && messages == 0 => nothing_of(source, topic),
        Outcome::Enough | Outcome::Ended(Ended::Closed) => Ok(()),
        Outcome::Ended(Ended::Refused(refusal)) => {
            let failure = Failure::new(Exit::Refused, refusal.to_string()).code("refused");
            Err(failure.detail("refusals", vec![refusal_json(&refusal)]))
        }
        Outcome::Ended(ended) => Err(Failure::new(Exit::Refused, ended.to_string()).code("connection")),
    }
}

/// The recording was played to its end and has nothing of what was wanted: most likely another channel or another name was meant.
fn nothing_of(source: &Source, topic: &Topic) -> Result<(), Failure> {
    let channels = source.contents(topic)?;
    let has = match channels.len() {
        0 => "it has no messages at all".to_owned(),
        _ => format!("it has {}", channels.join(", ")),
    };
    let message = format!("the recording has no frame of {topic}; {has}");
    Err(Failure::new(Exit::Fault, message).code("not_recorded").detail("channels", channels))
}

/// Something that should not happen.
pub fn internal(error: io::Error) -> Failure {
    Failure::new(Exit::Internal, error.to_string())
}
