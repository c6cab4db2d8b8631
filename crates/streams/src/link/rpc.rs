//! Streams over a connection that speaks JSON-RPC, which may be the one that the client's calls use.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use venuekit_transport::client::{Call, JsonBody, Session};
use venuekit_transport::{Error, Listen, LostHow, Response, RetryPolicy, Room};
use venuekit_wire::stream::Dialect as Words;

use super::lost::{ended, failed, of_calls as cause_of};
use super::pace::Pace;
use super::report::Report;
use super::{Opening, Order, Shared, lock, until};
use crate::dialect::{Dialect, Subscribing, class_of, names};
use crate::hub::io::{Action, Body, Command, Frame, Handle, Input, Lost, LostCause, Now, Reply};

/// So many bytes of data may be held back while the reply is awaited that belongs before them.
const MOST_HELD: usize = 16 * 1024 * 1024;

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
        Err(error) => return finish(report, orders, failed(&error, shared.was_open(endpoint))),
    };
    let ear = Arc::new(Ear {
        shared: shared.clone(),
        report: Mutex::new(Some(report.clone())),
        dialect: Dialect::new(shared.table, session.venue()),
        held: Mutex::default(),
        lost: Mutex::default(),
        is_lost: Notify::new(),
    });
    let listener: Arc<dyn Listen> = ear.clone();
    let weak: Weak<dyn Listen> = Arc::downgrade(&listener);
    // In this order: a connection that is lost in between is told of.
    let is_open = socket.listen(weak).is_some();
    let Some(pinned) = session.on_open_websocket().filter(|_| is_open) else {
        ear.stop();
        return finish(report, orders, ended(LostCause::Cut));
    };
    // The hub says what is repeated.
    let pinned = pinned.with_retry(RetryPolicy::none());
    report.opened();
    let mut pace = Pace::new(shared.table.limits.commands_per_second);
    let mut calls: FuturesUnordered<BoxFuture<'_, Answered>> = FuturesUnordered::new();
    let cause = loop {
        tokio::select! {
            biased;
            () = until(&mut over) => break None,
            // What was answered before the connection was lost counts.
            Some(answered) = calls.next() => ear.answered(&report, &answered),
            () = ear.is_lost.notified() => {
                let lost = lock(&ear.lost).take();
                break Some(lost.unwrap_or(LostCause::Cut));
            }
            order = orders.recv() => match order {
                Some(Order::Command(command)) => {
                    let at = pace.ready(Instant::now());
                    pace.sent(at.unwrap_or_else(Instant::now));
                    ear.expects(&command);
                    calls.push(Box::pin(call(&pinned, &shared.table.dialect, command, at)));
                }
                Some(Order::Close) | None => break Some(LostCause::Ours),
            },
        }
    };
    ear.stop();
    drop(calls);
    // A connection of our own closes with the last hold on it.
    drop((pinned, socket, session));
    match cause {
        Some(cause) => finish(report, orders, ended(cause)),
        None => forget(report),
    }
}

fn finish(report: Arc<Report>, orders: mpsc::UnboundedReceiver<Order>, lost: Lost) {
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

/// What a command got.
struct Answered {
    command: Command,
    result: Result<Response, Error>,
}

/// Carries a command out as a call, at its time.
async fn call(session: &Session, words: &Words, command: Command, at: Option<Instant>) -> Answered {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
    let result = async {
        let refused = |what: &str| Error::invalid_request(what.to_owned());
        let subscribing = Subscribing::of(words, &command).ok_or_else(|| refused("the venue has no such command"))?;
        let operation = session.venue().operation(subscribing.operation);
        let operation = operation.ok_or_else(|| refused("the operation that subscribes is not in the table"))?;
        let body = JsonBody::new(operation, &subscribing.params)?;
        session.send(Call::new(operation).body(body)).await
    };
    let result = result.await;
    Answered { command, result }
}

/// What hears the connection.
struct Ear {
    shared: Arc<Shared>,
    /// None once nothing more is told.
    report: Mutex<Option<Arc<Report>>>,
    dialect: Dialect,
    held: Mutex<Held>,
    lost: Mutex<Option<LostCause>>,
    is_lost: Notify,
}

/// Data that came before the reply that it belongs behind: the two take different ways.
#[derive(Default)]
struct Held {
    /// The channels, in lower case, whose subscription is under way, and the command.
    expected: HashSet<(String, u32)>,
    messages: Vec<(String, Bytes)>,
    bytes: usize,
}

impl Ear {
    /// A command is under way.
    fn expects(&self, command: &Command) {
        if let Action::Subscribe(topics) = &command.action {
            let names = topics.iter().map(|topic| (topic.to_string().to_lowercase(), command.id));
            lock(&self.held).expected.extend(names);
        }
    }

    /// Hands a reply to the hub, and then the data that waited for it.
    fn answered(&self, report: &Report, answered: &Answered) {
        let Answered { command, result } = answered;
        let id = report.id();
        let mut held = lock(&self.held);
        held.expected.retain(|(_, expected)| *expected != command.id);
        let Held { expected, messages, bytes } = &mut *held;
        let still = |name: &str| expected.iter().any(|(expected, _)| expected == name);
        let (waiting, ready): (Vec<_>, Vec<_>) = messages.drain(..).partition(|(name, _)| still(name));
        *bytes = waiting.iter().map(|(_, message)| message.len()).sum();
        *messages = waiting;
        report.shared.hub(|hub| {
            let now = Now::read();
            let nothing = Bytes::new();
            let (bytes, body) = match result {
                Ok(response) => {
                    let body = names(response.body()).map_or(Reply::Ok, Reply::Names);
                    (response.body(), body)
                }
                Err(error) => {
                    let code = error.code().unwrap_or_default().into();
                    let (text, class) = (error.to_string().into(), class_of(error));
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
            for (_, message) in &ready {
                if let Dialect::Calls(calls) = &self.dialect {
                    calls.notification(message, |frame| hub.input(now, Input::Frame(id, frame)));
                }
            }
        });
        drop(held);
        report.shared.kick();
    }

    fn stop(&self) {
        lock(&self.report).take();
    }
}

impl Listen for Ear {
    fn message(&self, body: &Bytes) -> bool {
        let Dialect::Calls(calls) = &self.dialect else { return false };
        // Held for as long as the hub is fed, so that nothing is told after the end.
        let report = lock(&self.report);
        let Some(report) = &*report else { return false };
        let mut held = lock(&self.held);
        let is_taken = calls.notification(body, |frame| {
            let name = match frame.handle {
                Handle::Name(name) if !held.expected.is_empty() => Some(name.to_lowercase()),
                _ => None,
            };
            let expected = name.filter(|name| held.expected.iter().any(|(expected, _)| expected == name));
            match expected {
                Some(name) if held.bytes + body.len() <= MOST_HELD => {
                    held.bytes += body.len();
                    held.messages.push((name, body.clone()));
                }
                _ => {
                    self.shared.hub(|hub| hub.input(Now::read(), Input::Frame(report.id(), frame)));
                }
            }
        });
        drop(held);
        if is_taken {
            self.shared.kick();
        }
        is_taken
    }

    fn opened(&self, _: u64) {}

    fn lost(&self, reason: &str, how: &LostHow) {
        lock(&self.lost).get_or_insert_with(|| cause_of(reason, how));
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
