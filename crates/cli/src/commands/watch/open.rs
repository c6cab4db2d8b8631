//! From the command line to where frames come from: a server and a key, or a recording.

use std::io;
use std::path::Path;
use std::time::Duration;

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
use crate::remedy;
use crate::subject::Subject;
use crate::target::Target;
use crate::topic;
use crate::venue::Venue;

/// Where frames come from.
pub struct Source {
    /// What can be subscribed to.
    pub streams: Streams,
    /// What it is, for people: a place such as `kalshi/demo`, or the name of a file.
    pub place: String,
    table: &'static Table,
    venue: Venue,
    /// The server; none for a recording.
    server: Option<Server>,
    recorder: Option<Recorder>,
    replay: Option<Replay>,
}

/// What the help of an error names.
struct Server {
    url: String,
    /// What `venuekit doctor` is about: the place, and the stored key that is used.
    doctor: String,
}

/// A subscription may take so long, or as long as `--for` allows.
const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(30);

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
        let venue = subject.venue;
        return Ok(Source { streams, place, table, venue, server: None, recorder: None, replay: Some(replay) });
    }
    let target = context.target(subject)?;
    let credential = credential(context, &target, subject, table, topic).await?;
    let client = Client::new(&target, &credential, RetryMode::Forgiving)?;
    let within = arguments.span.map_or(SUBSCRIBE_WITHIN, |span| span.min(SUBSCRIBE_WITHIN));
    let mut options = StreamOptions::new().subscribe_within(within);
    for (endpoint, url) in urls(table, &target) {
        options = options.url(endpoint, url);
    }
    // Begun last: a file is not left behind where nothing comes of it.
    let recorder = arguments.record.as_deref().map(|file| recorder(file, table)).transpose()?;
    if let Some(recorder) = &recorder {
        options = options.record(recorder);
    }
    let place = format!("{}/{}", target.venue, target.environment);
    let server = Some(Server { doctor: credential.subject_at(&target), url: target.base_url.clone() });
    let streams = client.streams(table).with(options);
    Ok(Source { streams, place, table, venue: target.venue, server, recorder, replay: None })
}

impl Source {
    /// Whether it is a recording.
    pub fn is_replay(&self) -> bool {
        self.server.is_none()
    }

    /// The channels that a recording has messages of, by their ids; those of `topic`'s channel by their whole names.
    pub fn contents(&self, topic: &Topic) -> Result<Vec<String>, Failure> {
        let file = Path::new(&self.place);
        let named = Replay::contents(file, self.table, self.venue.table()).map_err(|error| unreadable(file, &error))?;
        let shown = |name: String| match topic::channel(self.venue, self.table, &name) {
            Ok((channel, _)) if channel.id != topic.channel().id => channel.id.to_owned(),
            _ => name,
        };
        let mut channels: Vec<String> = named.into_iter().map(shown).collect();
        channels.sort_unstable();
        channels.dedup();
        Ok(channels)
    }

    /// Why there is no subscription.
    pub fn refused(&self, error: &Error) -> Failure {
        let message = error.to_string();
        match error {
            Error::Topic(_) | Error::NotWhole { .. } => Failure::usage(message).code("topic"),
            Error::Refused(refused) => {
                let refusals: Vec<_> = refused.refusals.iter().map(refusal_json).collect();
                Failure::new(Exit::Refused, message).code("refused").detail("refusals", refusals)
            }
            Error::Full { .. } => Failure::new(Exit::Refused, message).code("full"),
            Error::Connection(_) => {
                let failure = Failure::new(Exit::Refused, message).code("connection");
                self.with_help(failure, |server| remedy::of_key(&server.doctor))
            }
            Error::Timeout { after, last } => self.unconfirmed(*after, last.as_deref()),
            _ => Failure::new(Exit::Network, message).code("network"),
        }
    }

    /// The venue did not accept the subscription in time. What went wrong last says more than that.
    pub fn unconfirmed(&self, after: Duration, last: Option<&str>) -> Failure {
        let waited = format!("the subscription was not confirmed within {after:?}");
        let message = last.map_or_else(|| waited.clone(), |last| format!("{last}; {waited}"));
        let failure = Failure::new(Exit::Network, message).code("network");
        self.with_help(failure, |server| remedy::of_server(&server.url, &server.doctor))
    }

    fn with_help(&self, failure: Failure, help: impl FnOnce(&Server) -> String) -> Failure {
        match &self.server {
            Some(server) => failure.help(help(server)),
            None => failure,
        }
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
                Some(venue) => failure.help(format!("write `venuekit watch {venue}`")),
                None => failure,
            }
        }
        _ => Failure::new(Exit::Fault, message).code("recording"),
    }
}
