//! From the command line to where frames come from: a server and a key, or a recording.

use std::io;
use std::path::Path;

use url::Url;
use venuekit_streams::record::{RecordError, Recorder};
use venuekit_streams::replay::Replay;
use venuekit_streams::{Error, StreamOptions, Streams, Topic};
use venuekit_wire::stream::Streams as Table;

use super::WatchArgs;
use super::channels::is_signed;
use super::status::refusal_json;
use crate::client::{Client, RetryMode};
use crate::config::KeySource;
use crate::context::Context;
use crate::credential::Credential;
use crate::failure::{Exit, Failure};
use crate::subject::Subject;
use crate::target::Target;
use crate::venue::Venue;

/// Where frames come from.
pub struct Source {
    /// What can be subscribed to.
    pub streams: Streams,
    /// What it is, for people: a place such as `kalshi/demo`, or the name of a file.
    pub place: String,
    is_replay: bool,
    recorder: Option<Recorder>,
    replay: Option<Replay>,
}

/// The venue, or the recording that stands for it. Nothing is connected yet.
pub async fn source(
    context: &Context,
    subject: &Subject,
    table: &'static Table,
    topic: &Topic,
    arguments: &WatchArgs,
) -> Result<Source, Failure> {
    context.check_key(subject)?;
    if let Some(file) = &arguments.replay {
        let replay = Replay::open(file, table, subject.venue.table()).map_err(|error| unreadable(file, &error))?;
        let (streams, place) = (replay.streams().clone(), file.display().to_string());
        return Ok(Source { streams, place, is_replay: true, recorder: None, replay: Some(replay) });
    }
    let target = context.target(subject)?;
    let credential = credential(context, &target, subject, table, topic).await?;
    let client = Client::new(&target, &credential, RetryMode::Forgiving)?;
    let mut options = StreamOptions::new();
    for (endpoint, url) in urls(table, &target) {
        options = options.url(endpoint, url);
    }
    // Begun last: a file is not left behind where nothing comes of it.
    let recorder = arguments.record.as_deref().map(|file| recorder(file, table)).transpose()?;
    if let Some(recorder) = &recorder {
        options = options.record(recorder);
    }
    let place = format!("{}/{}", target.venue, target.environment);
    Ok(Source { streams: client.streams(table).with(options), place, is_replay: false, recorder, replay: None })
}

impl Source {
    /// Whether it is a recording.
    pub fn is_replay(&self) -> bool {
        self.is_replay
    }

    /// Starts the replay, where the source is a recording. Subscribe before, so that no frame is missed.
    pub fn play(&mut self) -> Option<tokio::task::JoinHandle<Result<(), RecordError>>> {
        self.replay.take().map(|replay| tokio::spawn(replay.run()))
    }

    /// Ends in good order: what was subscribed to is unsubscribed, what was recorded is written.
    pub async fn close(&self) -> Result<(), Failure> {
        self.streams.close().await;
        match &self.recorder {
            Some(recorder) => recorder.finish().map_err(|error| {
                Failure::new(Exit::Internal, format!("the recording is not whole: {error}")).code("record")
            }),
            None => Ok(()),
        }
    }
}

/// The URLs of the venue's endpoints in one of its own environments. Elsewhere everything is at the server that was named.
fn urls(table: &'static Table, target: &Target) -> Vec<(&'static str, Url)> {
    let own = target.venue.base_url(&target.environment).map(|own| own.trim_end_matches('/'));
    if own != Some(&*target.base_url) {
        return Vec::new();
    }
    let of = |endpoint: &'static venuekit_wire::stream::Endpoint| {
        let (_, url) = endpoint.servers.iter().find(|(environment, _)| *environment == target.environment)?;
        Some((endpoint.name, Url::parse(url).ok()?))
    };
    table.endpoints.iter().filter_map(of).collect()
}

/// The key. `None` for a channel that needs no key, where no key is given or where reading it would mean opening the store.
async fn credential(
    context: &Context,
    target: &Target,
    subject: &Subject,
    table: &'static Table,
    topic: &Topic,
) -> Result<Credential, Failure> {
    let needs = topic.is_private() || is_signed(table, topic.channel());
    let is_named = subject.name.is_some() || context.global().key.is_some();
    let profile = context.profile_for(target)?;
    let is_stored = profile.is_some_and(|profile| matches!(profile.key, Some(KeySource::Stored(_))));
    if !needs && !is_named && is_stored {
        return Ok(Credential::none());
    }
    let credential = context.credential(target, subject).await?;
    if credential.is_none() && needs {
        let message = format!("`{}` needs a key of {}/{}", topic.channel().id, target.venue, target.environment);
        let help = format!("name a stored key with --key NAME, or set {}", crate::variables::names(target));
        return Err(Failure::new(Exit::Store, message).code("no_key").help(help));
    }
    Ok(credential)
}

/// A new file, which only its owner may read: private channels tell of an account.
fn recorder(path: &Path, table: &'static Table) -> Result<Recorder, Failure> {
    Recorder::create(path, table.venue).map_err(|error| {
        let failure = Failure::file(path, &error);
        if error.kind() == io::ErrorKind::AlreadyExists {
            failure.help("a recording is not overwritten: name another file")
        } else {
            failure
        }
    })
}

/// Why a recording cannot be played, or not to its end.
pub fn unreadable(path: &Path, error: &RecordError) -> Failure {
    let message = format!("{}: {error}", path.display());
    match error {
        RecordError::Io(error) => Failure::file(path, error),
        RecordError::OtherVenue { venue } => {
            let named = Venue::all().find(|one| one.streams().is_some_and(|table| table.venue == *venue));
            let failure = Failure::usage(message).code("other_venue");
            match named {
                Some(venue) => failure.help(format!("say `venuekit watch {venue}`")),
                None => failure,
            }
        }
        _ => Failure::new(Exit::Fault, message).code("recording"),
    }
}

/// Why there is no subscription.
pub fn refused(error: &Error) -> Failure {
    let message = error.to_string();
    match error {
        Error::Topic(_) | Error::NotWhole { .. } => Failure::usage(message).code("topic"),
        Error::Refused(refused) => {
            let refusals: Vec<_> = refused.refusals.iter().map(refusal_json).collect();
            Failure::new(Exit::Refused, message).code("refused").detail("refusals", refusals)
        }
        Error::Full { .. } => Failure::new(Exit::Refused, message).code("full"),
        Error::Connection(_) => Failure::new(Exit::Refused, message)
            .code("connection")
            .help("`venuekit doctor` finds out what is wrong with the key, the clock or the environment"),
        _ => Failure::new(Exit::Network, message).code("network"),
    }
}
