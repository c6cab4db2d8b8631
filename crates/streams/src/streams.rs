//! The streams of a client.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::Url;
use venuekit_transport::client::Session;
use venuekit_wire::stream::{Channel, Streams as Table};

use crate::event::Raw;
use crate::hub::io::Now;
use crate::hub::{Config, Hub, ReaderKey};
use crate::link::{self, Link, LinkOptions};
use crate::record::Recorder;
use crate::stats::Stats;
use crate::subscribe::Subscribe;
use crate::topic::Topic;

/// How long [`Streams::close`] waits for the venue's goodbye.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// The streams of a client: its connections, and what is subscribed to over them. Clones share everything; the connections are closed
/// when the last of them and the last subscription have been dropped.
///
/// Generated clients make it, and put a method for each channel around it.
#[derive(Clone)]
pub struct Streams(Arc<Shared>);

struct Shared {
    table: &'static Table,
    /// None in a replay.
    session: Option<Session>,
    options: StreamOptions,
    hub: Arc<Mutex<Hub>>,
    link: Option<Arc<Link>>,
    /// The hubs of a replay: one for each connection that was recorded at the same time.
    replayed: Mutex<Vec<Arc<Mutex<Hub>>>>,
}

/// What may be chosen about streams, before the first subscription.
///
/// ```
/// use venuekit_streams::StreamOptions;
///
/// let options = StreamOptions::new().own_connection(true).connections(2);
/// # drop(options);
/// ```
#[derive(Clone, Debug, Default)]
pub struct StreamOptions {
    urls: Vec<(String, Url)>,
    own_connection: bool,
    connections: Option<usize>,
    subscribe_within: Option<Duration>,
    record: Option<Recorder>,
    query: Vec<(String, String)>,
}

impl StreamOptions {
    /// Everything as the venue's table has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another URL for an endpoint, by its name in the venue's table.
    #[must_use]
    pub fn url(mut self, endpoint: impl Into<String>, url: Url) -> Self {
        self.urls.push((endpoint.into(), url));
        self
    }

    /// Whether streams have a separate connection where the client's calls go over a WebSocket that would do. By default they
    /// share it.
    #[must_use]
    pub fn own_connection(mut self, is_own: bool) -> Self {
        self.own_connection = is_own;
        self
    }

    /// How many connections there may be, in place of the venue's limit: an account's limit counts those of other programs too.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = Some(most);
        self
    }

    /// How long a subscription may take until the venue has accepted all of it, the opening of a connection included. By default half a
    /// minute.
    #[must_use]
    pub fn subscribe_within(mut self, time: Duration) -> Self {
        self.subscribe_within = Some(time);
        self
    }

    /// A parameter of the URL that connections are opened to, such as the unit of times, where the venue has one. One that the venue
    /// does not take is an error when a connection is opened.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Records every frame, with the time at which it came.
    #[must_use]
    pub fn record(mut self, recorder: &Recorder) -> Self {
        self.record = Some(recorder.clone());
        self
    }
}

impl Streams {
    /// Those of a client: the same ones for all its clones.
    pub fn of(session: &Session, table: &'static Table) -> Self {
        let shared = session.extension(|session| Self::new(session, table, StreamOptions::new()));
        (*shared).clone()
    }

    /// Others of the same client, with separate connections and these options.
    #[must_use]
    pub fn with(&self, options: StreamOptions) -> Self {
        match &self.0.session {
            Some(session) => Self::new(session.clone(), self.0.table, options),
            None => self.clone(),
        }
    }

    fn new(session: Session, table: &'static Table, options: StreamOptions) -> Self {
        let mut config = Config { seed: seed(), clock: session.clock().clone(), ..Config::default() };
        if let Some(time) = options.subscribe_within {
            config.subscribe_within = time;
        }
        if let Some(most) = options.connections {
            config.connections = most.max(1);
        }
        let mut hub = Hub::new(table, config);
        hub.record(options.record.as_ref());
        let hub = Arc::new(Mutex::new(hub));
        let named = |name: &str| table.endpoint(name).map(|endpoint| endpoint.name);
        let urls = options.urls.iter().filter_map(|(name, url)| Some((named(name)?, url.clone()))).collect();
        let query = options.query.clone();
        let link_options = LinkOptions { urls, own_connection: options.own_connection, query };
        let link = Link::start(session.clone(), table, link_options, &hub);
        Self(Arc::new(Shared {
            table,
            session: Some(session),
            options,
            hub,
            link: Some(link),
            replayed: Mutex::default(),
        }))
    }

    /// Those of a replay: frames come from a file.
    pub(crate) fn of_replay(table: &'static Table, hub: Arc<Mutex<Hub>>) -> Self {
        let (options, replayed) = (StreamOptions::new(), Mutex::default());
        Self(Arc::new(Shared { table, session: None, options, hub, link: None, replayed }))
    }

    /// Adds a connection of a recording.
    pub(crate) fn add_replayed(&self, hub: Arc<Mutex<Hub>>) {
        self.0.replayed.lock().unwrap_or_else(PoisonError::into_inner).push(hub);
    }

    fn replayed(&self) -> Vec<Arc<Mutex<Hub>>> {
        self.0.replayed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Messages were dropped for a slow reader on which later ones build. Returns how many hubs withhold changes from now on, and have marked
    /// its queue.
    pub(crate) fn overflowed(&self, reader: ReaderKey) -> usize {
        if self.is_replay() {
            return self.replayed().iter().filter(|hub| lock(hub).overflowed_followed(reader)).count();
        }
        let is_withheld = self.hub().overflowed(Now::read(), reader);
        self.kick();
        usize::from(is_withheld)
    }

    /// What the venue offers.
    pub fn table(&self) -> &'static Table {
        self.0.table
    }

    /// What was chosen.
    pub fn options(&self) -> &StreamOptions {
        &self.0.options
    }

    /// What has happened so far.
    pub fn stats(&self) -> Stats {
        let mut stats = self.hub().stats();
        for hub in self.replayed() {
            stats += &lock(&hub).stats();
        }
        stats
    }

    /// A subscription to a topic that is only known when the program runs. Its messages are not typed.
    pub fn topic(&self, topic: Topic) -> Subscribe<Raw> {
        Subscribe::new(self.clone(), topic)
    }

    /// Ends all subscriptions, and closes the connections in good order. Nothing can be subscribed to afterwards.
    pub async fn close(&self) {
        let over = self.hub().over();
        self.hub().close(Now::read());
        self.kick();
        let _ = tokio::time::timeout(CLOSE_WITHIN, async {
            loop {
                let told = over.notified();
                if self.hub().is_over() {
                    break;
                }
                told.await;
            }
        })
        .await;
    }

    /// The client. None in a replay.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.0.session.as_ref()
    }

    /// A call has shown that a reader's book is not what the venue has.
    pub(crate) fn differs(&self, reader: ReaderKey, instrument: &str, why: String) {
        self.hub().differs(Now::read(), reader, instrument, why);
        self.kick();
    }

    /// Whether a channel may come by the connection of the client's calls.
    pub(crate) fn shares_calls(&self, channel: &Channel) -> bool {
        let Self(shared) = self;
        let has_socket = shared.session.as_ref().is_some_and(|session| session.websocket().is_some());
        let endpoint = shared.table.endpoint(channel.endpoint);
        has_socket
            && !shared.options.own_connection
            && endpoint.is_some_and(|endpoint| link::speaks_calls(shared.table, endpoint))
    }

    pub(crate) fn is_replay(&self) -> bool {
        self.0.session.is_none()
    }

    pub(crate) fn hub(&self) -> MutexGuard<'_, Hub> {
        // A panic in the hub would be a defect of it; its queues and connections are still what they were.
        lock(&self.0.hub)
    }

    /// Has what the hub wants carried out.
    pub(crate) fn kick(&self) {
        if let Some(link) = &self.0.link {
            link.kick();
        }
    }

    /// The same for a waiting task, where the runtime that the tasks ran in has ended meanwhile.
    pub(crate) fn keep_running(&self) {
        if let Some(link) = &self.0.link
            && !link.is_running()
        {
            link.kick();
        }
    }
}

fn lock(hub: &Mutex<Hub>) -> MutexGuard<'_, Hub> {
    hub.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits differ between programs.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("venue", &self.0.table.venue).finish_non_exhaustive()
    }
}
