//! Streams over a connection that speaks JSON-RPC, which may be the one that the client's calls use.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use venuekit_transport::client::{Call, JsonBody, Session};
use venuekit_transport::{Error, ErrorKind, Listen, LostHow, Response, RetryPolicy, Room};
use venuekit_wire::operation::Venue;
use venuekit_wire::stream::{Dialect as Words, Endpoint, Login};

use super::lost::{ended, failed, of_calls as cause_of};
use super::pace::Pace;
use super::report::Report;
use super::{ConnectionOrder, Opening, Shared, lock, until};
use crate::dialect::{Dialect, Events, Subscribing, class_of, names};
use crate::hub::io::{Action, Body, Command, Frame, Handle, Input, Lost, LostCause, Now, Owner, Reply};

/// So many bytes of data may be held back while the reply is awaited that belongs before them.
const MOST_HELD: usize = 16 * 1024 * 1024;

/// How long the calls may take that end subscriptions on a connection that stays open.
const LEAVE_WITHIN: Duration = Duration::from_secs(3);

/// Opens a connection, or takes that of the calls, and keeps it until it ends.
pub(super) async fn run(shared: Arc<Shared>, opening: Opening, of_calls: bool) {
    let Opening { report, endpoint, is_private, mut orders } = opening;
    let report = Arc::new(report);
    let mut over = shared.over.subscribe();
    let open = async {
        let session = match of_calls {
            true => shared.session.clone(),
            false => shared.session.over_own_websocket(&shared.url(endpoint)?)?,
        };
        let gone = || Error::invalid_request("the client has no WebSocket for its calls");
        let socket = session.websocket().ok_or_else(gone)?.clone();
        if is_private {
            socket.open().await?
        } else {
            socket.connect().await?
        }
        Ok::<_, Error>((session, socket))
    };
    let open = tokio::select! {
        open = open => open,
        _ = orders.recv() => return finish(report, orders, ended(LostCause::Ours)),
        () = until(&mut over) => return forget(report),
    };
    let (session, socket) = match open {
        Ok(open) => open,
        Err(error) => return finish(report, orders, failed(&shared.session, &error, shared.was_open(endpoint))),
    };
    let Some((number, pinned)) = session.on_open_websocket() else {
        return finish(report, orders, ended(LostCause::Cut));
    };
    let listener = Arc::new(Listener {
        shared: shared.clone(),
        number,
        of_calls,
        report: Mutex::new(Some(report.clone())),
        words: CallWords::of(&shared, endpoint, session.venue()),
        held: Mutex::default(),
        drained: Mutex::new(SystemTime::now()),
        lost: Mutex::default(),
        is_lost: Notify::new(),
    });
    let as_listen: Arc<dyn Listen> = listener.clone();
    let weak: Weak<dyn Listen> = Arc::downgrade(&as_listen);
    // What happens to the connection from now on is reported. Before that it may have ended, or been replaced.
    if socket.listen(weak) != Some(number) {
        listener.stop();
        return finish(report, orders, ended(LostCause::Cut));
    }
    // The hub says what is repeated.
    let pinned = pinned.with_retry(RetryPolicy::none());
    report.opened();
    let mut pace = Pace::new(shared.table.limits.commands_per_second);
    let mut calls: FuturesUnordered<BoxFuture<'_, CallResult>> = FuturesUnordered::new();
    let mut subscribed = Subscribed::default();
    let cause = loop {
        tokio::select! {
            biased;
            () = until(&mut over) => break None,
            // Responses that came before the connection was lost count.
            Some(answered) = calls.next() => {
                subscribed.answered(&answered);
                // The loss of the connection follows, and is no word of the venue about what was asked for.
                if !answered.is_lost() {
                    listener.answered(&report, &answered);
                }
            }
            () = listener.is_lost.notified() => {
                let lost = lock(&listener.lost).take();
                break Some(lost.unwrap_or(LostCause::Cut));
            }
            order = orders.recv() => match order {
                Some(ConnectionOrder::Command(command)) => {
                    let at = pace.ready(Instant::now());
                    pace.sent(at.unwrap_or_else(Instant::now));
                    listener.expects(&command);
                    subscribed.asked(&command);
                    let subscribing = listener.words.call(&command, &pinned);
                    calls.push(Box::pin(call(&pinned, subscribing, command, at)));
                }
                Some(ConnectionOrder::Close) | None => break Some(LostCause::Ours),
            },
        }
    };
    listener.stop();
    drop(calls);
    // The connection of the calls stays open: the venue would go on sending.
    if of_calls && matches!(cause, None | Some(LostCause::Ours)) {
        let leave = async {
            for command in subscribed.commands(shared.table.limits.per_command) {
                let at = pace.ready(Instant::now());
                pace.sent(at.unwrap_or_else(Instant::now));
                // An error changes nothing: the connection may be lost by now.
                let subscribing = listener.words.call(&command, &pinned);
                let _ = call(&pinned, subscribing, command, at).await;
            }
        };
        let _ = tokio::time::timeout(LEAVE_WITHIN, leave).await;
    }
    // A connection of our own closes with the last hold on it.
    drop((pinned, socket, session));
    match cause {
        Some(cause) => finish(report, orders, ended(cause)),
        None => forget(report),
    }
}

fn finish(report: Arc<Report>, orders: mpsc::UnboundedReceiver<ConnectionOrder>, lost: Lost) {
    // The connection of the calls is free for the next one, which the hub may ask for at once.
    drop(orders);
    if let Some(report) = Arc::into_inner(report) {
        report.lost(lost);
    }
}

fn forget(report: Arc<Report>) {
    if let Some(report) = Arc::into_inner(report) {
        report.end();
    }
}

/// The channels that the venue may be sending, by name, and whether each takes a login.
#[derive(Default)]
struct Subscribed(BTreeMap<Arc<str>, bool>);

impl Subscribed {
    /// A command is sent. Whether it is carried out is unknown from now on.
    fn asked(&mut self, command: &Command) {
        if let Action::Subscribe(topics) = &command.action {
            self.0.extend(topics.iter().map(|topic| (topic.to_string().into(), command.is_private)));
        }
    }

    fn answered(&mut self, answered: &CallResult) {
        match (&answered.command.action, &answered.result) {
            (Action::Unsubscribe(owners), Ok(_)) => {
                self.0.retain(|name, _| !owners.iter().any(|owner| matches!(owner, Owner::Name(own) if own == name)));
            }
            (Action::Subscribe(topics), Ok(response)) => {
                let Some(accepted) = names(response.body()) else { return };
                for name in topics.iter().map(ToString::to_string) {
                    if !accepted.iter().any(|accepted| accepted.eq_ignore_ascii_case(&name)) {
                        self.0.remove(&*name);
                    }
                }
            }
            _ => {}
        }
    }

    /// What ends all of them.
    fn commands(&self, most: usize) -> Vec<Command> {
        let mut commands = Vec::new();
        for is_private in [false, true] {
            let own = self.0.iter().filter(|(_, own)| **own == is_private);
            let own: Vec<Owner> = own.map(|(name, _)| Owner::Name(name.clone())).collect();
            for owners in own.chunks(most.max(1)) {
                commands.push(Command { id: 0, is_private, action: Action::Unsubscribe(owners.to_vec()) });
            }
        }
        commands
    }
}

/// What a command got.
struct CallResult {
    command: Command,
    result: Result<Response, Error>,
}

impl CallResult {
    /// Whether the connection was lost before the response came.
    fn is_lost(&self) -> bool {
        self.result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Network)
    }
}

/// Carries a command out as a call, at its time.
async fn call(
    session: &Session,
    subscribing: Option<Subscribing>,
    command: Command,
    at: Option<Instant>,
) -> CallResult {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
    let result = async {
        let refused = |what: &str| Error::invalid_request(what.to_owned());
        let subscribing = subscribing.ok_or_else(|| refused("the venue has no such command"))?;
        let operation = session.venue().operation(subscribing.operation);
        let operation = operation.ok_or_else(|| refused("the operation that subscribes is not in the table"))?;
        let body = JsonBody::new(operation, &subscribing.params)?;
        session.send(Call::new(operation).body(body)).await
    };
    let result = result.await;
    CallResult { command, result }
}

/// How commands are calls, and which messages are data.
enum CallWords {
    /// By lists of channels.
    Channels(&'static Words, Box<Dialect>),
    /// The events of an account.
    Events(Events),
}

impl CallWords {
    fn of(shared: &Shared, endpoint: &'static Endpoint, venue: &'static Venue) -> Self {
        let channel = shared.table.channels.iter().find(|channel| channel.endpoint == endpoint.name);
        match (endpoint.login, channel) {
            (Login::Events(words), Some(channel)) => Self::Events(Events::new(words, channel)),
            _ => Self::Channels(&shared.table.dialect, Box::new(Dialect::new(shared.table, venue))),
        }
    }

    /// The call that a command is.
    fn call(&self, command: &Command, session: &Session) -> Option<Subscribing> {
        match self {
            Self::Channels(words, _) => Subscribing::of(words, command),
            Self::Events(events) => events.call(command, session.logs_on()),
        }
    }

    /// Whether a message is data. Then it is handed over.
    fn notification(&self, message: &Bytes, take: impl FnOnce(Frame<'_>)) -> bool {
        match self {
            Self::Channels(_, dialect) => match &**dialect {
                Dialect::Calls(calls) => calls.notification(message, take),
                _ => false,
            },
            Self::Events(events) => events.notification(message, take),
        }
    }

    /// A command that subscribes was carried out.
    fn subscribed(&self, result: &[u8]) {
        if let Self::Events(events) = self {
            events.subscribed(result);
        }
    }
}

/// What hears the connection.
struct Listener {
    shared: Arc<Shared>,
    /// Of the connection. What happens on another one concerns others.
    number: u64,
    /// The connection is that of the client's calls.
    of_calls: bool,
    /// None once nothing more is reported.
    report: Mutex<Option<Arc<Report>>>,
    words: CallWords,
    held: Mutex<HeldBack>,
    /// All that had arrived by then was read.
    drained: Mutex<SystemTime>,
    lost: Mutex<Option<LostCause>>,
    is_lost: Notify,
}

/// Data that came before the reply that it belongs behind: the two take different ways.
#[derive(Default)]
struct HeldBack {
    /// The channels, in lower case, whose subscription is in flight, and the command.
    expected: HashSet<(String, u32)>,
    /// When each command that is in flight was sent.
    sent: HashMap<u32, SystemTime>,
    messages: Vec<HeldMessage>,
    bytes: usize,
}

/// A message of a channel, in lower case, that arrived after a time.
struct HeldMessage {
    channel: String,
    body: Bytes,
    after: SystemTime,
}

impl Listener {
    /// A command is in flight.
    fn expects(&self, command: &Command) {
        lock(&self.held).sent.insert(command.id, SystemTime::now());
        if let Action::Subscribe(topics) = &command.action {
            let names = topics.iter().map(|topic| (topic.to_string().to_lowercase(), command.id));
            lock(&self.held).expected.extend(names);
        }
    }

    /// Hands a reply to the hub, and then the data that waited for it.
    fn answered(&self, report: &Report, answered: &CallResult) {
        let CallResult { command, result } = answered;
        let id = report.id();
        let mut held = lock(&self.held);
        held.expected.retain(|(_, expected)| *expected != command.id);
        let HeldBack { expected, sent, messages, bytes } = &mut *held;
        let sent = sent.remove(&command.id);
        let still = |name: &str| expected.iter().any(|(expected, _)| expected == name);
        let (waiting, ready): (Vec<_>, Vec<_>) = messages.drain(..).partition(|message| still(&message.channel));
        *bytes = waiting.iter().map(|message| message.body.len()).sum();
        *messages = waiting;
        report.shared.hub(|hub| {
            // The reply was read some time ago; it came after the command.
            let now = Now::read();
            let now = sent.map_or(now, |sent| now.arrived_after(sent));
            let nothing = Bytes::new();
            let (bytes, body) = match result {
                Ok(response) => {
                    if matches!(command.action, Action::Subscribe(_)) {
                        self.words.subscribed(response.body());
                    }
                    let body = names(response.body()).map_or(Reply::Ok, Reply::Names);
                    (response.body(), body)
                }
                Err(error) => {
                    let code = error.code().unwrap_or_default().into();
                    let text = report.shared.session.redacted(&error.to_string()).into();
                    let class = class_of(error);
                    (&nothing, Reply::Error { code, text, items: Vec::new(), class })
                }
            };
            let frame = Frame {
                bytes,
                handle: Handle::None,
                kind: "",
                data: 0..0,
                sequence: None,
                sent: None,
                command: Some(command.id),
                body: Body::Reply(body),
            };
            hub.input(now, Input::Frame(id, frame));
            for HeldMessage { body, after, .. } in &ready {
                let now = now.arrived_after(*after);
                self.words.notification(body, |frame| hub.input(now, Input::Frame(id, frame)));
            }
        });
        drop(held);
        report.shared.kick();
    }

    fn stop(&self) {
        lock(&self.report).take();
    }

    /// The moment at which a message is handed over that was just read.
    fn now(&self) -> Now {
        Now::read().arrived_after(*lock(&self.drained))
    }

    /// Whether a notice that the venue is going to close the connection is the client's business, which has another connection take its
    /// place and says so.
    fn is_for_client(&self) -> bool {
        let words = self.shared.session.venue().websocket.as_ref();
        let event = words.and_then(|words| words.envelope.as_ref()?.event.as_ref());
        self.of_calls && event.is_some_and(|event| event.closing.is_some())
    }
}

impl Listen for Listener {
    fn message(&self, number: u64, body: &Bytes) -> bool {
        if number != self.number {
            return false;
        }
        // Locked for as long as the hub is fed, so that nothing is reported after the end.
        let report = lock(&self.report);
        let Some(report) = &*report else { return false };
        let mut held = lock(&self.held);
        let mut is_for_client = false;
        let is_taken = self.words.notification(body, |frame| {
            if matches!(frame.body, Body::Closing) && self.is_for_client() {
                is_for_client = true;
                return;
            }
            let name = match frame.handle {
                Handle::Name(name) if !held.expected.is_empty() => Some(name.to_lowercase()),
                _ => None,
            };
            let expected = name.filter(|name| held.expected.iter().any(|(expected, _)| expected == name));
            match expected {
                Some(channel) if held.bytes + body.len() <= MOST_HELD => {
                    held.bytes += body.len();
                    held.messages.push(HeldMessage { channel, body: body.clone(), after: *lock(&self.drained) });
                }
                _ => {
                    self.shared.hub(|hub| hub.input(self.now(), Input::Frame(report.id(), frame)));
                }
            }
        });
        drop(held);
        if is_taken {
            self.shared.kick();
        }
        is_taken && !is_for_client
    }

    fn drained(&self, number: u64, by: SystemTime) {
        if number == self.number {
            *lock(&self.drained) = by;
        }
    }

    fn opened(&self, _: u64) {}

    fn replaced(&self, number: u64) {
        let report = lock(&self.report);
        let Some(report) = report.as_ref().filter(|_| number == self.number) else { return };
        {
            // The connection that has taken its place is free for streams.
            let mut tasks = lock(&self.shared.tasks);
            if tasks.of_calls == Some(report.id()) {
                tasks.of_calls = None;
            }
        }
        let nothing = Bytes::new();
        let frame = Frame {
            bytes: &nothing,
            handle: Handle::None,
            kind: "",
            data: 0..0,
            sequence: None,
            sent: None,
            command: None,
            body: Body::Closing,
        };
        self.shared.hub(|hub| hub.input(Now::read(), Input::Frame(report.id(), frame)));
        self.shared.kick();
    }

    fn lost(&self, number: u64, reason: &str, how: &LostHow) {
        if number != self.number {
            return;
        }
        lock(&self.lost).get_or_insert_with(|| cause_of(&self.shared.session, reason, how));
        self.is_lost.notify_one();
    }

    fn is_full(&self) -> bool {
        let report = lock(&self.report);
        report.as_ref().is_some_and(|report| self.shared.hub(|hub| hub.is_full(report.id())).unwrap_or_default())
    }

    fn room(&self) -> Room<'_> {
        Box::pin(async {
            let Some(room) = self.shared.hub(|hub| hub.room()) else { return };
            let notified = room.notified();
            if self.is_full() {
                notified.await;
            }
        })
    }
}
