//! Opens connections one after the other, the next one before the venue ends one, and gives each what the one before it had.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::{Notify, Semaphore, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use venuekit_wire::operation::Operation;

use super::MakeLogin;
use super::connection::{Connection, OutgoingCall};
use super::driver::Lost;
use super::listen::{Listeners, LostHow};
use super::options::{Event, WebSocketOptions, WebSocketStats};
use super::settings::Settings;
use crate::clock::after;
use crate::common::Common;
use crate::error::Error;
use crate::handshake;
use crate::jsonrpc;
use crate::panics::caught_in;
use crate::retry_after;
use crate::token::TokenCache;

pub(crate) struct Supervisor {
    pub(crate) common: Common,
    pub(crate) options: WebSocketOptions,
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) counts: Counts,
    pub(crate) listeners: Listeners,
    http: reqwest::Client,
    /// Where connections are opened, with what the user has chosen for them.
    url: String,
    login: Option<MakeLogin>,
    settings: Mutex<Settings>,
    state: watch::Sender<State>,
    runs: AtomicBool,
    let_go: Notify,
}

#[derive(Default)]
pub(crate) struct Counts {
    opened: AtomicU64,
    lost: AtomicU64,
    replaced: AtomicU64,
    pub(crate) unasked: AtomicU64,
    pub(crate) unreadable: AtomicU64,
    handler_panics: AtomicU64,
}

/// Where the connection stands.
pub(crate) enum State {
    /// Nobody has asked for one, or the user has ended it.
    Idle,
    Opening,
    Open(Arc<Connection>),
    Paused(Pause),
    /// The task has ended, with the runtime that it ran in or because nobody wants a connection any more.
    Ended,
}

/// Between a failure and the next try.
pub(crate) struct Pause {
    error: Option<Error>,
    until: Instant,
}

impl Pause {
    /// What waiting calls are told. Nothing after a lost connection, because another one follows soon.
    pub(crate) fn error(&self) -> Option<Error> {
        let left = self.until.saturating_duration_since(Instant::now());
        self.error.clone().map(|error| error.waiting(left))
    }

    pub(crate) fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }
}

/// What became of a connection.
enum End {
    Lost { number: u64, lost: Lost, lasted: bool },
    Failed(Error),
    LetGo,
}

/// A connection that is open, and what carries it out.
struct Live {
    connection: Arc<Connection>,
    driver: DriverTask,
    began: Instant,
}

/// What carries a connection out, in a task of its own: what it reads and writes wakes nothing else. Dropped, it ends.
struct DriverTask(JoinHandle<Lost>);

impl Future for DriverTask {
    type Output = Lost;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Lost> {
        Pin::new(&mut self.0).poll(context).map(|ended| ended.unwrap_or_else(|_| Lost::panicked()))
    }
}

impl Drop for DriverTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A connection that lasted this long was a good one.
const LASTING: Duration = Duration::from_secs(1);

/// How long a replaced connection stays open, so that its subscriptions can be made on the new one meanwhile.
const BESIDE: Duration = Duration::from_secs(30);

/// The task that keeps the connection. However it ends, calls that wait for a connection notice, and the next call starts another:
/// a runtime that shuts down takes its tasks with it.
struct Task(Arc<Supervisor>);

impl Drop for Task {
    fn drop(&mut self) {
        let mut before = State::Ended;
        // In one step with what `wake` does.
        self.0.state.send_modify(|state| {
            std::mem::swap(state, &mut before);
            self.0.runs.store(false, Ordering::Release);
        });
    }
}

/// The last word to the venue may take this long.
const LEAVE: Duration = Duration::from_secs(1);

impl Supervisor {
    pub(crate) fn new(
        common: Common,
        http: reqwest::Client,
        login: Option<MakeLogin>,
        options: WebSocketOptions,
    ) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(options.in_flight)),
            settings: Mutex::new(Settings::new(common.venue, options.heartbeat)),
            counts: Counts::default(),
            listeners: Listeners::default(),
            state: watch::Sender::new(State::Idle),
            runs: AtomicBool::new(false),
            let_go: Notify::new(),
            url: url(&common),
            common,
            http,
            login,
            options,
        }
    }

    /// The connection, if one is open.
    pub(crate) fn open(&self) -> Option<Arc<Connection>> {
        match &*self.state.borrow() {
            State::Open(connection) if !connection.is_over() => Some(connection.clone()),
            _ => None,
        }
    }

    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Somebody wants a connection. Where no task keeps one, it is started on the caller's runtime.
    pub(crate) fn wake(self: &Arc<Self>) {
        let mut runs = true;
        self.state.send_if_modified(|state| {
            runs = self.runs.swap(true, Ordering::AcqRel);
            let is_idle = matches!(state, State::Idle | State::Ended);
            if is_idle {
                *state = State::Opening;
            }
            is_idle
        });
        if !runs {
            let task = Task(self.clone());
            tokio::spawn(async move { task.0.run().await });
        }
    }

    /// Hands an event to the user's handler.
    pub(crate) fn tell(&self, event: Event<'_>) {
        if !self.options.tell(event) {
            self.counts.handler_panics.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Nobody wants one any more.
    pub(crate) fn let_go(&self) {
        self.let_go.notify_one();
    }

    pub(crate) fn settings<T>(&self, does: impl FnOnce(&mut Settings) -> T) -> T {
        does(&mut self.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn stats(&self) -> WebSocketStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        WebSocketStats {
            opened: read(&self.counts.opened),
            lost: read(&self.counts.lost),
            replaced: read(&self.counts.replaced),
            unasked_answers: read(&self.counts.unasked),
            unreadable_messages: read(&self.counts.unreadable),
            handler_panics: read(&self.counts.handler_panics),
        }
    }

    async fn run(self: &Arc<Self>) {
        let mut failures = 0_u32;
        let mut was_logged_in = false;
        loop {
            self.state.send_replace(State::Opening);
            let end = caught_in("the task of a connection", self.connect(&mut was_logged_in)).await;
            let (error, lasted) = match end.unwrap_or_else(|| self.panicked()) {
                End::LetGo => return,
                End::Lost { number, lost, lasted } => {
                    self.ended(number, &lost);
                    if lost.on_purpose {
                        (failures, was_logged_in) = (0, false);
                        self.settings(Settings::forget_private);
                        self.state.send_replace(State::Idle);
                        let mut state = self.state.subscribe();
                        tokio::select! {
                            _ = state.wait_for(|state| !matches!(state, State::Idle)) => continue,
                            () = self.let_go.notified() => return,
                        }
                    }
                    (None, lasted)
                }
                End::Failed(error) => (Some(error), false),
            };
            failures = if lasted { 0 } else { failures.saturating_add(1) };
            let asked = error.as_ref().and_then(Error::retry_after).unwrap_or_default().min(retry_after::LONG);
            let wait = self.wait(failures).max(asked);
            if let Some(error) = &error {
                tracing::warn!(venue = self.common.venue.name, %error, ?wait, "no connection");
                self.tell(Event::Failed { error, wait });
            }
            self.state.send_replace(State::Paused(Pause { error, until: after(wait) }));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.let_go.notified() => return,
            }
        }
    }

    /// Something that the user supplies has panicked: a login, a rate budget, a subscriber of the log.
    fn panicked(&self) -> End {
        let lost = Lost::panicked();
        match &*self.state.borrow() {
            State::Open(connection) => End::Lost { number: connection.number(), lost, lasted: false },
            _ => End::Failed(Error::no_connection(&lost.reason)),
        }
    }

    /// A connection that was open is over.
    fn ended(&self, number: u64, lost: &Lost) {
        let Lost { reason, how, on_purpose } = lost;
        tracing::info!(venue = self.common.venue.name, number, reason, on_purpose, "a connection has ended");
        self.counts.lost.fetch_add(1, Ordering::Relaxed);
        self.tell(Event::Lost { number, reason });
        self.listeners.each(|listener| listener.lost(number, reason, how));
    }

    fn wait(&self, failures: u32) -> Duration {
        self.options.reconnect.wait(failures.saturating_add(1), None, fastrand::f64()).unwrap_or_default()
    }

    /// Opens a connection and keeps it until it ends, or one that has taken its place does.
    async fn connect(self: &Arc<Self>, was_logged_in: &mut bool) -> End {
        let opened = tokio::select! {
            opened = self.live(*was_logged_in) => opened,
            () = self.let_go.notified() => return End::LetGo,
        };
        let mut live = match opened {
            Ok(live) => live,
            Err(error) => return End::Failed(error),
        };
        self.begin(&live);
        let mut short_lived = 0_u32;
        // Dropping it ends the wait of the connection before this one.
        let mut _beside = None;
        let lost = loop {
            let Live { connection, driver, began } = &mut live;
            let next = tokio::select! {
                // What is rare comes first, so that a busy connection does not keep it back.
                biased;
                () = self.let_go.notified() => break None,
                () = keep_logged_in(connection) => break None,
                next = self.successor(connection, *began, short_lived) => next,
                lost = driver => break Some(lost),
            };
            // A venue that closes each connection soon is not asked for another one again and again.
            short_lived = if live.began.elapsed() >= BESIDE { 0 } else { short_lived.saturating_add(1) };
            let old = std::mem::replace(&mut live, next);
            self.begin(&live);
            old.connection.replace();
            self.listeners.each(|listener| listener.replaced(old.connection.number()));
            let (beside, alone) = oneshot::channel();
            _beside = Some(beside);
            tokio::spawn(self.clone().end_replaced(old, alone));
        };
        *was_logged_in = is_logged_in(&live.connection);
        let number = live.connection.number();
        if let Some(lost) = lost {
            return End::Lost { number, lost, lasted: live.began.elapsed() >= LASTING };
        }
        // The driver closes the connection once nothing can send any more.
        self.state.send_replace(State::Idle);
        drop(live.connection);
        let _ = tokio::time::timeout(LEAVE, live.driver).await;
        End::LetGo
    }

    /// Opens a connection, logged in and with the settings of the one before it. No call uses it yet.
    async fn live(self: &Arc<Self>, log_in: bool) -> Result<Live, Error> {
        let open = handshake::open(&self.http, &self.common, &self.url, HeaderMap::new());
        let opened = tokio::time::timeout(self.common.timeouts.connect, open).await.unwrap_or_else(|_| {
            Err(Error::no_connection(&format!("the handshake took too long{}", self.common.route)))
        })?;
        let (connection, driver) = Connection::new(opened, self, |weak| self.token_cache(weak));
        let mut driver = DriverTask(tokio::spawn(driver.run()));
        let prepare = tokio::time::timeout(self.common.timeouts.call, self.prepare(&connection, log_in));
        tokio::select! {
            lost = &mut driver => return Err(Error::no_connection(&lost.reason)),
            prepared = prepare => {
                prepared.unwrap_or_else(|_| Err(Error::no_connection("the login and the settings took too long")))?;
            }
        }
        // A login also fails when the connection is lost, and this task may see that first.
        if connection.is_over() {
            return Err(Error::no_connection(&driver.await.reason));
        }
        Ok(Live { connection, driver, began: Instant::now() })
    }

    /// Calls go over a connection from now on.
    fn begin(&self, live: &Live) {
        let number = live.connection.number();
        self.counts.opened.fetch_add(1, Ordering::Relaxed);
        self.tell(Event::Opened { number });
        self.state.send_replace(State::Open(live.connection.clone()));
        self.listeners.each(|listener| listener.opened(number));
    }

    /// Another connection, once it is time: because of the age of this one, or because the venue is going to close it.
    async fn successor(self: &Arc<Self>, old: &Connection, began: Instant, short_lived: u32) -> Live {
        if !self.options.is_replaced {
            return std::future::pending().await;
        }
        let age = async {
            match self.common.venue.websocket.as_ref().and_then(|words| words.connection_life) {
                Some(seconds) => tokio::time::sleep_until(began + Duration::from_secs(seconds.into())).await,
                None => std::future::pending().await,
            }
        };
        let why = tokio::select! {
            () = age => "of its age",
            () = old.is_closing() => "the venue is going to close it",
        };
        tracing::info!(venue = self.common.venue.name, why, "another connection takes the place of this one");
        if short_lived > 0 {
            tokio::time::sleep(self.wait(short_lived)).await;
        }
        let mut failures = 0_u32;
        loop {
            let error = match self.live(is_logged_in(old)).await {
                Ok(live) => return live,
                Err(error) => error,
            };
            failures = failures.saturating_add(1);
            let asked = error.retry_after().unwrap_or_default().min(retry_after::LONG);
            let wait = self.wait(failures).max(asked);
            tracing::warn!(venue = self.common.venue.name, %error, ?wait, "no connection in place of this one");
            self.tell(Event::Failed { error: &error, wait });
            tokio::time::sleep(wait).await;
        }
    }

    /// Ends a replaced connection: after a while, or once its successor is replaced too; and not before the calls in flight have their
    /// responses.
    async fn end_replaced(self: Arc<Self>, old: Live, alone: oneshot::Receiver<()>) {
        let Live { connection, mut driver, .. } = old;
        let number = connection.number();
        let end = async {
            tokio::select! {
                lost = &mut driver => return lost,
                _ = alone => {}
                () = tokio::time::sleep(BESIDE) => {}
            }
            // Each of these calls holds it.
            drop(connection);
            let calls = self.common.timeouts.attempt.saturating_mul(2).saturating_add(LEAVE);
            let _ = tokio::time::timeout(calls, driver).await;
            let reason = "another connection has taken its place".to_owned();
            Lost { reason, how: LostHow::Other, on_purpose: false }
        };
        let lost = caught_in("the task of a connection that was replaced", end).await;
        let lost = lost.unwrap_or_else(Lost::panicked);
        self.counts.replaced.fetch_add(1, Ordering::Relaxed);
        self.ended(number, &lost);
    }

    fn token_cache(&self, connection: Weak<Connection>) -> Option<Arc<TokenCache>> {
        let login = self.login.as_ref()?;
        Some(Arc::new(TokenCache::new(login(connection), self.common.timeouts.call)))
    }

    /// Gives a connection what the one before it had. Without it no call may go over it: an order would stay that was to be
    /// cancelled on disconnect.
    async fn prepare(&self, connection: &Connection, log_in: bool) -> Result<(), Error> {
        if let Some(login) = connection.login().filter(|_| log_in) {
            // A refusal is for the calls that need the login.
            let _ = login.get().await;
        }
        for (operation, params) in self.settings(|settings| settings.calls()) {
            self.make(connection, operation, &params).await.map_err(|error| {
                error.of_connection(&format!("could not restore the setting `{}` on the connection", operation.id))
            })?;
        }
        Ok(())
    }

    async fn make(&self, connection: &Connection, operation: &'static Operation, params: &str) -> Result<(), Error> {
        if let Some(login) = connection.login().filter(|_| !operation.is_public()) {
            login.get().await?;
        }
        let time = self.common.timeouts.attempt;
        let write = |id| jsonrpc::envelope(self.common.venue, operation, id, params);
        let call = OutgoingCall { operation, write: &write, changes: Some(params), is_logged_on: false };
        let ready = connection.ready(call, time).await?;
        let message = connection.response(connection.send(ready)?, time).await?;
        jsonrpc::unwrap_message(self.common.venue, self.common.challenge.as_ref(), operation, message).map(drop)
    }
}

/// The URL of the connections: what requests say in headers, these say in parameters.
fn url(common: &Common) -> String {
    let parameters = common.venue.websocket.as_ref().map_or(&[][..], |words| words.parameters);
    let chosen = parameters.iter().filter_map(|(header, parameter)| {
        let (_, value) = common.headers.iter().find(|(name, _)| name == header)?;
        Some((parameter, value.to_str().ok()?))
    });
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(chosen).finish();
    match query.is_empty() {
        true => common.base.url.clone(),
        false if common.base.url.contains('?') => format!("{}&{query}", common.base.url),
        false => format!("{}?{query}", common.base.url),
    }
}

fn is_logged_in(connection: &Connection) -> bool {
    connection.login().is_some_and(|login| login.is_held())
}

async fn keep_logged_in(connection: &Connection) {
    match connection.login() {
        Some(login) => login.keep().await,
        None => std::future::pending().await,
    }
}
