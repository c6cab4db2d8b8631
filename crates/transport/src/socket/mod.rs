//! Calls over one WebSocket: opened by the first of them, and again whenever it is lost.
//!
//! [`WebSocket`] is the client's handle. A separate task ([`supervisor`]) opens connections one after the other, and the next one
//! before the venue ends one; a [`connection`] carries calls until it is lost, and its [`driver`] reads and writes; [`calls`] knows
//! who waits for which response; [`settings`] what the next connection begins with.

mod calls;
mod connection;
mod driver;
mod listen;
mod options;
mod settings;
mod supervisor;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use venuekit_wire::operation::ErrorKind;

pub(crate) use self::connection::{Connection, OutgoingCall};
pub use self::listen::{Listen, LostHow, Room};
pub use self::options::{Event, WebSocketOptions, WebSocketStats};
use self::supervisor::{State, Supervisor};
use crate::common::Common;
use crate::error::{Error, Inner};
use crate::token::Grant;

/// One WebSocket for all calls of a client and its clones.
///
/// It is opened by the first call, or by [`open`](Self::open), and closed when the last clone of the client is gone. When it is
/// lost, each call that was in flight fails with an error that says whether it may have been carried out; a new connection is
/// opened after a random wait, logged in if the lost one was, and given the settings that the lost one had (heartbeat, cancel on
/// disconnect) before any call goes over it. Calls in the meantime wait for that.
///
/// Where the venue ends connections because of their age, or says that it is going to close one, another takes its place before that:
/// it is opened, logged in and given the settings while the old one carries calls. From then on calls go over the new one. The old one
/// goes on for half a minute, so that events are missed by nobody who subscribes on the new one meanwhile, and until the calls in flight
/// have their responses.
///
/// A task does this, on the runtime of the call that first needed it. Where that runtime ends, the connection is lost, and the next
/// call starts the task again on its own runtime.
#[derive(Clone)]
pub struct WebSocket(Arc<Handle>);

/// What logs in on a connection: it calls over that one and no other.
pub(crate) type MakeLogin = Arc<dyn Fn(Weak<Connection>) -> Box<dyn Grant> + Send + Sync>;

/// Lets go of the connection when the last client does.
struct Handle(Arc<Supervisor>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

impl WebSocket {
    pub(crate) fn new(
        common: Common,
        http: reqwest::Client,
        login: Option<MakeLogin>,
        options: WebSocketOptions,
    ) -> Self {
        Self(Arc::new(Handle(Arc::new(Supervisor::new(common, http, login, options)))))
    }

    /// Opens the connection, and logs in where the client has credentials for it.
    ///
    /// # Errors
    /// No connection, a venue that does not take it, or a login that is refused.
    pub async fn open(&self) -> Result<(), Error> {
        let connection = self.connection(self.0.0.common.timeouts.call).await?;
        match connection.login() {
            Some(login) => login.get().await.map(drop),
            None => Ok(()),
        }
    }

    /// What has happened so far.
    pub fn stats(&self) -> WebSocketStats {
        self.0.0.stats()
    }

    /// Adds a listener, for as long as somebody holds it. Returns the number of the connection that is open now; the listener may
    /// be notified of that one too.
    #[doc(hidden)]
    pub fn listen(&self, listener: Weak<dyn Listen>) -> Option<u64> {
        let supervisor = &self.0.0;
        supervisor.listeners.add(listener);
        // In this order: what opens in between is reported twice rather than never.
        supervisor.open().map(|connection| connection.number())
    }

    /// Opens a connection where none is open, without a login.
    ///
    /// # Errors
    /// No connection, or a venue that does not take it.
    #[doc(hidden)]
    pub async fn connect(&self) -> Result<(), Error> {
        self.connection(self.0.0.common.timeouts.call).await.map(drop)
    }

    /// The connection, if one is open.
    pub(crate) fn open_now(&self) -> Option<Arc<Connection>> {
        self.0.0.open()
    }

    /// The open connection, waited for no longer than this. While the supervisor pauses after a failure there is none, and the error
    /// says for how long.
    pub(crate) async fn connection(&self, time: Duration) -> Result<Arc<Connection>, Error> {
        let supervisor = &self.0.0;
        if let Some(connection) = supervisor.open() {
            return Ok(connection);
        }
        let mut state = supervisor.state();
        let open = async {
            let mut has_waited = false;
            loop {
                // Starts the task again where it has ended, be it while this call waits.
                supervisor.wake();
                match &*state.borrow_and_update() {
                    State::Open(connection) if !connection.is_over() => return Ok(connection.clone()),
                    State::Paused(pause) if has_waited || !pause.is_over() => {
                        if let Some(error) = pause.error() {
                            return Err(error);
                        }
                    }
                    // The runtime takes no tasks any more.
                    State::Ended => return Err(Error::no_connection("its task ended with its runtime")),
                    State::Idle | State::Opening | State::Open(_) | State::Paused(_) => {}
                }
                has_waited = true;
                if state.changed().await.is_err() {
                    return Err(Self::gone());
                }
            }
        };
        match tokio::time::timeout(time, open).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(Inner {
                kind: Some(ErrorKind::Timeout),
                message: format!("no connection in {time:.1?}"),
                ..Inner::default()
            })),
        }
    }

    /// There is no connection any more, and nothing was sent.
    pub(crate) fn gone() -> Error {
        Error::new(Inner {
            kind: Some(ErrorKind::Network),
            message: "the connection no longer exists".to_owned(),
            ..Inner::default()
        })
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
