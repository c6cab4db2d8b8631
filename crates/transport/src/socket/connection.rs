//! One connection as calls see it. The [`driver`](super::driver) carries it out.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use venuekit_wire::operation::{ErrorKind, Operation};

use super::calls::{Change, Outgoing, Stage, Waiting};
use super::driver::Driver;
use super::settings::Settings;
use super::supervisor::Supervisor;
use crate::clock::{DatedOffsets, Offsets, after};
use crate::deadline::Deadlines;
use crate::error::{Error, Inner};
use crate::framing;
use crate::handshake::Opened;
use crate::message::Message;
use crate::token::TokenCache;

/// So many bytes may wait to be written, and one request more.
const OUTBOX: usize = 1024 * 1024;

/// What calls see of a connection.
pub(crate) struct Connection {
    outbox: mpsc::UnboundedSender<Outgoing>,
    /// Bytes that still fit into the outbox. Those of a cancelled call count until the writer reaches them.
    room: Arc<Semaphore>,
    /// Turns among the calls in flight, shared by all connections of a client.
    turns: Arc<Semaphore>,
    deadlines: Deadlines,
    ids: AtomicU64,
    login: Option<Arc<TokenCache>>,
    /// What the handshake has said of the clock.
    offsets: Option<DatedOffsets>,
    lost: Arc<OnceLock<String>>,
    /// How many there are of the client with this one.
    number: u64,
    /// The venue has said that it is going to close the connection.
    closing: Arc<Notify>,
    /// Another connection has taken the place of this one.
    is_replaced: AtomicBool,
}

/// A call for a connection.
#[derive(Clone, Copy)]
pub(crate) struct OutgoingCall<'a> {
    pub(crate) operation: &'static Operation,
    /// Writes the request with this id. Called when it is its turn, so that a signature in it is fresh.
    pub(crate) write: &'a (dyn Fn(u64) -> Result<String, Error> + Sync),
    /// Its params, where it changes a setting of the connection.
    pub(crate) changes: Option<&'a str>,
    /// It relies on the log-on of the connection, in place of a signature.
    pub(crate) is_logged_on: bool,
}

/// A request that may be sent at once: it has a turn among the calls in flight, and room in the outbox.
pub(crate) struct Ready {
    operation: &'static Operation,
    id: u64,
    text: String,
    is_logged_on: bool,
    change: Option<Change>,
    turn: OwnedSemaphorePermit,
    room: OwnedSemaphorePermit,
}

impl Connection {
    /// A connection, and what carries it out.
    pub(crate) fn new(
        opened: Opened,
        supervisor: &Arc<Supervisor>,
        login: impl FnOnce(Weak<Self>) -> Option<Arc<TokenCache>>,
    ) -> (Arc<Self>, Driver) {
        let Opened { stream, offsets } = opened;
        let (outbox, queue) = mpsc::unbounded_channel();
        let (lost, closing) = (Arc::new(OnceLock::new()), Arc::new(Notify::new()));
        let number = supervisor.stats().opened + 1;
        let connection = Arc::new_cyclic(|weak| Self {
            outbox,
            room: Arc::new(Semaphore::new(OUTBOX)),
            turns: supervisor.turns.clone(),
            deadlines: supervisor.common.deadlines.clone(),
            ids: AtomicU64::new(framing::first_id(supervisor.common.venue)),
            login: login(weak.clone()),
            offsets,
            lost: lost.clone(),
            number,
            closing: closing.clone(),
            is_replaced: AtomicBool::new(false),
        });
        let login = connection.login.clone();
        (connection, Driver { stream, queue, lost, number, closing, login, supervisor: supervisor.clone() })
    }

    /// How many connections the client has opened, this one included.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// What the venue has said of the clock when the connection was opened, unless the system clock was set since then.
    pub(crate) fn offsets(&self) -> Option<Offsets> {
        self.offsets.and_then(DatedOffsets::now)
    }

    /// The token that this connection is logged in with, where the client can log in.
    pub(crate) fn login(&self) -> Option<&Arc<TokenCache>> {
        self.login.as_ref()
    }

    /// Whether it was lost, if nobody has been notified yet.
    pub(crate) fn is_over(&self) -> bool {
        self.outbox.is_closed()
    }

    /// Returns once the venue has said that it is going to close the connection.
    pub(crate) async fn is_closing(&self) {
        self.closing.notified().await;
    }

    /// Another connection is open, over which calls go from now on.
    pub(crate) fn replace(&self) {
        self.is_replaced.store(true, Ordering::Release);
    }

    /// Whether another connection has taken the place of this one. It carries the calls that are in flight, and ends then.
    pub(crate) fn is_replaced(&self) -> bool {
        self.is_replaced.load(Ordering::Acquire)
    }

    /// A request for a call, once it may be sent.
    pub(crate) async fn ready(&self, call: OutgoingCall<'_>, time: Duration) -> Result<Ready, Error> {
        if let Some(ready) = self.ready_now(call)? {
            return Ok(ready);
        }
        let end = after(time);
        let mut what = "no turn among the calls in flight";
        let both = async {
            let turn = self.turns.clone().acquire_owned().await;
            what = "the outgoing queue is full, because the venue does not read";
            let (id, text) = self.request(call)?;
            let room = self.room.clone().acquire_many_owned(room_for(&text)).await;
            let (turn, room) = turn.ok().zip(room.ok()).ok_or_else(super::WebSocket::gone)?;
            Ok(Ready::new(call, id, text, turn, room))
        };
        match tokio::time::timeout_at(end, both).await {
            Ok(ready) => ready,
            Err(_) => Err(late(call.operation, time, what, false)),
        }
    }

    /// The same where nothing has to be waited for.
    pub(crate) fn ready_now(&self, call: OutgoingCall<'_>) -> Result<Option<Ready>, Error> {
        let Ok(turn) = self.turns.clone().try_acquire_owned() else { return Ok(None) };
        let (id, text) = self.request(call)?;
        let Ok(room) = self.room.clone().try_acquire_many_owned(room_for(&text)) else { return Ok(None) };
        Ok(Some(Ready::new(call, id, text, turn, room)))
    }

    fn request(&self, call: OutgoingCall<'_>) -> Result<(u64, String), Error> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        Ok((id, (call.write)(id)?))
    }

    /// Hands a request to the connection.
    pub(crate) fn send(&self, ready: Ready) -> Result<InFlight, Error> {
        let Ready { operation, id, text, is_logged_on, change, turn, room } = ready;
        let (answer, answered) = oneshot::channel();
        let stage = Arc::new(Stage::default());
        let closes = operation.on_connection.is_some_and(|on| on.closes);
        let waiting = Waiting { answer, closes, is_logged_on, change };
        let outgoing = Outgoing { id, text, room, stage: stage.clone(), waiting };
        let sent = InFlight { operation, answered, stage, closes, _turn: turn };
        self.outbox.send(outgoing).map_err(|_| self.lost(operation, false))?;
        Ok(sent)
    }

    /// Waits for the response to a request.
    pub(crate) async fn response(&self, mut sent: InFlight, time: Duration) -> Result<Message, Error> {
        let answered = self.deadlines.until(after(time), &mut sent.answered).await;
        let has_left = !sent.stage.give_up();
        match answered {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(_)) if has_left && sent.closes => Ok(Message::nothing()),
            Ok(Err(_)) => Err(self.lost(sent.operation, has_left)),
            Err(_) => Err(late(sent.operation, time, "no response", has_left)),
        }
    }

    fn lost(&self, operation: &'static Operation, has_left: bool) -> Error {
        let reason = self.lost.get().map_or("its task has ended", String::as_str);
        let when = if has_left { "before the response arrived" } else { "before the request was sent" };
        Error::new(Inner {
            kind: Some(ErrorKind::Network),
            operation: Some(operation),
            message: format!("the connection was lost {when}: {reason}"),
            applied: has_left,
            ..Inner::default()
        })
    }
}

impl Ready {
    fn new(
        call: OutgoingCall<'_>,
        id: u64,
        text: String,
        turn: OwnedSemaphorePermit,
        room: OwnedSemaphorePermit,
    ) -> Self {
        let OutgoingCall { operation, changes, is_logged_on, .. } = call;
        Self { operation, id, text, is_logged_on, change: Settings::change(operation, changes), turn, room }
    }

    /// Writes the request again, because what it was written with has become old.
    pub(crate) fn rewrite(&mut self, call: OutgoingCall<'_>) -> Result<(), Error> {
        self.text = (call.write)(self.id)?;
        Ok(())
    }
}

/// A request that is larger than the outbox has it for itself.
fn room_for(text: &str) -> u32 {
    u32::try_from(text.len().min(OUTBOX)).unwrap_or(u32::MAX)
}

/// A call whose request is on its way. Dropping it cancels the request, if that has not left.
pub(crate) struct InFlight {
    operation: &'static Operation,
    answered: oneshot::Receiver<Message>,
    stage: Arc<Stage>,
    /// The venue responds by closing the connection.
    closes: bool,
    _turn: OwnedSemaphorePermit,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.stage.give_up();
    }
}

fn late(operation: &'static Operation, time: Duration, what: &str, has_left: bool) -> Error {
    Error::new(Inner {
        kind: Some(ErrorKind::Timeout),
        operation: Some(operation),
        message: format!("{what} in {time:.1?}"),
        applied: has_left,
        ..Inner::default()
    })
}
