//! A connection of the streams' own, from its handshake until it is lost.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{Notify, mpsc};
use tokio::task::coop::has_budget_remaining;
use tokio::time::Instant;
use venuekit_transport::Error;
use venuekit_transport::streaming::Socket;
use venuekit_transport::streaming::websocket::{self, CloseCode, Message};
use venuekit_wire::stream::{KeepAlive, Login};

use super::login::ConnectionLogin;
use super::lost::{broken, ended, failed};
use super::pace::Pace;
use super::report::Report;
use super::{ConnectionOrder, Opening, Shared, lock, until};
use crate::dialect::{self, Dialect};
use crate::hub::io::{Body, Frame, Input, Lost, LostCause, Now, Reply};

/// So many messages are handed to the hub at once, where they are there.
const BATCH: usize = 64;

/// A write may take so long before the venue counts as gone.
const WRITE_WITHIN: Duration = Duration::from_secs(20);

/// The venue may take so long to respond to a close frame.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// So many pongs may wait to be written.
const MOST_PONGS: usize = 1024;

/// How often to check whether anything is left to be read: what a venue does not date counts as sent at the last time at which nothing was.
const LOOK: Duration = Duration::from_secs(1);

/// While a reader has no room, nothing is read, and it is looked again this often. The venue is not to blame for the silence.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Opens a connection and keeps it until it ends.
pub(super) async fn run(shared: Arc<Shared>, opening: Opening) {
    let Opening { report, endpoint, is_private, mut orders } = opening;
    let mut over = shared.over.subscribe();
    let dialect = Dialect::new(shared.table, shared.session.venue());
    let open = async {
        let was_open = shared.was_open(endpoint);
        let upgraded = async {
            let url = shared.url(endpoint)?;
            let login = ConnectionLogin::of(&shared.session, endpoint, &url, is_private).await?;
            let credential = match endpoint.login {
                Login::Upgrade { credential } => Some(credential),
                Login::None | Login::Message { .. } | Login::Command { .. } | Login::Call | Login::Events(_) => None,
            };
            let socket = shared.session.open_stream(&url, credential).await?;
            Ok::<_, Error>((url, socket, login))
        };
        let upgraded = upgraded.await.map_err(|error| failed(&shared.session, &error, was_open));
        let (url, mut socket, mut login) = upgraded?;
        login.log_in(endpoint, &url, &dialect, &mut socket, was_open).await?;
        Ok::<_, Lost>((socket, login))
    };
    let (socket, login) = tokio::select! {
        open = open => match open {
            Ok(open) => open,
            Err(lost) => return report.lost(lost),
        },
        // Nothing is sent before it is open, so that this is the word to close it.
        _ = orders.recv() => return report.lost(ended(LostCause::Ours)),
        () = until(&mut over) => return report.end(),
    };
    let connection = Connection {
        report: &report,
        dialect: Mutex::new(dialect),
        login,
        keep_alive: &shared.table.keep_alive,
        heard: Mutex::new(Instant::now()),
        looked: Mutex::new(SystemTime::now()),
        ask: Notify::new(),
        pinged: Notify::new(),
        pongs: AtomicUsize::new(0),
        written: Notify::new(),
        closes: AtomicBool::new(false),
    };
    report.opened();
    let (sink, source) = socket.split();
    let pace = Pace::new(shared.table.limits.commands_per_second);
    let cause = tokio::select! {
        cause = connection.read(source) => cause,
        cause = connection.write(sink, orders, over, pace) => cause,
        cause = connection.keep_alive() => cause,
        cause = connection.look() => cause,
    };
    drop(connection);
    if shared.is_over() { report.end() } else { report.lost(ended(cause)) }
}

type Sink = SplitSink<Socket, Message>;

/// What reading and writing have in common.
struct Connection<'a> {
    report: &'a Report,
    dialect: Mutex<Dialect>,
    login: ConnectionLogin,
    keep_alive: &'a KeepAlive,
    heard: Mutex<Instant>,
    /// The runtime has asked the system since this time what arrived.
    looked: Mutex<SystemTime>,
    /// It is time to ask whether the venue is there.
    ask: Notify,
    /// The venue has sent a ping, whose pong is queued.
    pinged: Notify,
    /// Pongs that were queued since all was written last.
    pongs: AtomicUsize,
    /// All that was queued is written.
    written: Notify,
    /// Our close frame is on its way.
    closes: AtomicBool,
}

/// How reading went.
enum Read {
    On,
    Ended(LostCause),
}

impl Connection<'_> {
    async fn read(&self, mut source: SplitStream<Socket>) -> LostCause {
        let mut batch: Vec<Bytes> = Vec::with_capacity(BATCH);
        // All that had arrived by then was read.
        let mut drained = *lock(&self.looked);
        loop {
            let mut after = drained;
            let read = poll_fn(|context| {
                let mut is_heard = false;
                while batch.len() < BATCH {
                    match source.poll_next_unpin(context) {
                        Poll::Ready(next) => match self.take(next, &mut batch) {
                            Read::On => is_heard = true,
                            ended @ Read::Ended(_) => return Poll::Ready(ended),
                        },
                        // Pings and pongs are signs of life too.
                        Poll::Pending => {
                            // `Pending` may also mean that the task's budget is used up.
                            if has_budget_remaining() {
                                drained = *lock(&self.looked);
                            }
                            if is_heard {
                                break;
                            }
                            after = drained;
                            return Poll::Pending;
                        }
                    }
                    if self.pongs.load(Ordering::Relaxed) >= MOST_PONGS {
                        break;
                    }
                }
                Poll::Ready(Read::On)
            });
            let read = read.await;
            *lock(&self.heard) = Instant::now();
            let is_more = batch.len() == BATCH;
            self.feed(&mut batch, after);
            match read {
                // Whatever ends it while we close it, we do.
                Read::Ended(_) if self.closes.load(Ordering::Relaxed) => return LostCause::Ours,
                Read::Ended(cause) => return cause,
                Read::On => {}
            }
            // Readers have their turn before more is read: what they get does not wait for all else, and is still in the caches.
            if is_more {
                tokio::task::yield_now().await;
            }
            // A venue that does not read pongs is not read either, until the writer gives it up.
            while self.pongs.load(Ordering::Relaxed) >= MOST_PONGS {
                self.written.notified().await;
            }
            self.room().await;
        }
    }

    /// Notes that the runtime has asked the system what arrived: it does so before a timer wakes the task. That nothing is ready proves nothing
    /// by itself, because the runtime may have been kept from asking.
    async fn look(&self) -> LostCause {
        loop {
            let begin = SystemTime::now();
            tokio::time::sleep(LOOK).await;
            *lock(&self.looked) = begin;
        }
    }

    /// Takes what was read: into the batch where it is a message.
    fn take(&self, next: Option<Result<Message, websocket::Error>>, batch: &mut Vec<Bytes>) -> Read {
        let frame = match next {
            None => return Read::Ended(LostCause::Cut),
            Some(Err(error)) => return Read::Ended(broken(&error)),
            Some(Ok(frame)) => frame,
        };
        if frame.is_text() || frame.is_binary() {
            batch.push(frame.into_payload().into());
        } else if frame.is_ping() {
            self.pongs.fetch_add(1, Ordering::Relaxed);
            self.pinged.notify_one();
        } else if let Some((code, text)) = frame.as_close() {
            let text = self.login.redacted(Cow::Borrowed(text)).into_owned();
            return Read::Ended(LostCause::Closed { code: code.into(), text });
        }
        Read::On
    }

    /// Hands messages to the hub, which arrived after a time.
    fn feed(&self, batch: &mut Vec<Bytes>, after: SystemTime) {
        if batch.is_empty() {
            return;
        }
        let mut dialect = lock(&self.dialect);
        self.report.feed(|hub| {
            let now = Now::read().arrived_after(after);
            for message in batch.drain(..) {
                dialect.read(&message, &mut |mut frame: Frame<'_>| {
                    if let Body::Reply(Reply::Error { text, .. }) = &mut frame.body {
                        *text = self.login.redacted(std::mem::take(text));
                    }
                    hub.input(now, Input::Frame(self.report.id(), frame));
                });
            }
        });
        // Also where there is no hub any more.
        batch.clear();
    }

    /// Waits until all readers that are to be waited for have room.
    async fn room(&self) {
        loop {
            let Some(Some(room)) = self.report.shared.hub(|hub| hub.is_full(self.report.id()).then(|| hub.room()))
            else {
                return;
            };
            let notified = room.notified();
            // Room that was made in between is not missed.
            let still = self.report.shared.hub(|hub| hub.is_full(self.report.id()));
            if still != Some(true) {
                return;
            }
            let _ = tokio::time::timeout(LOOK_AGAIN, notified).await;
            *lock(&self.heard) = Instant::now();
        }
    }

    /// Sends commands as fast as they may follow each other, and pongs at once.
    async fn write(
        &self,
        mut sink: Sink,
        mut orders: mpsc::UnboundedReceiver<ConnectionOrder>,
        mut over: tokio::sync::watch::Receiver<bool>,
        mut pace: Pace,
    ) -> LostCause {
        let mut queue: VecDeque<String> = VecDeque::new();
        loop {
            let ready = pace.ready(Instant::now());
            let turn = async {
                match ready {
                    _ if queue.is_empty() => std::future::pending().await,
                    Some(ready) => tokio::time::sleep_until(ready).await,
                    None => {}
                }
            };
            tokio::select! {
                biased;
                () = until(&mut over) => return self.close(sink).await,
                () = self.pinged.notified() => {}
                () = self.ask.notified() => {
                    let fed = match dialect::ping(self.keep_alive, self.login.login.as_ref()) {
                        Some(ping) => {
                            queue.push_front(ping);
                            Ok(())
                        }
                        None => within(sink.feed(Message::ping(Bytes::new()))).await,
                    };
                    if let Err(cause) = fed {
                        return cause;
                    }
                }
                order = orders.recv() => match order {
                    Some(ConnectionOrder::Command(command)) => {
                        queue.extend(lock(&self.dialect).write(&command, self.login.login.as_ref()));
                    }
                    Some(ConnectionOrder::Close) | None => return self.close(sink).await,
                },
                () = turn => {}
            }
            while let Some(text) = queue.pop_front() {
                let now = Instant::now();
                if pace.ready(now).is_some() {
                    queue.push_front(text);
                    break;
                }
                pace.sent(now);
                if let Err(cause) = within(sink.feed(Message::text(text))).await {
                    return cause;
                }
            }
            if let Err(cause) = within(sink.flush()).await {
                return cause;
            }
            self.pongs.store(0, Ordering::Relaxed);
            self.written.notify_one();
        }
    }

    /// Takes our leave. The venue's own close frame ends reading, which ends this.
    async fn close(&self, mut sink: Sink) -> LostCause {
        self.closes.store(true, Ordering::Relaxed);
        let leave = async {
            if sink.send(Message::close(Some(CloseCode::NORMAL_CLOSURE), "")).await.is_ok() {
                std::future::pending::<()>().await;
            }
        };
        let _ = tokio::time::timeout(CLOSE_WITHIN, leave).await;
        LostCause::Ours
    }

    /// Asks whether the venue is there, and returns when it is not.
    async fn keep_alive(&self) -> LostCause {
        let span = |seconds: u32| Duration::from_secs(seconds.into());
        let (ask_after, dead_after) = (span(self.keep_alive.ask_after), span(self.keep_alive.dead_after));
        let always = self.keep_alive.ping.is_some();
        let mut asked = Instant::now();
        loop {
            let (heard, now) = (*lock(&self.heard), Instant::now());
            let dead_at = Some(heard + dead_after).filter(|_| !dead_after.is_zero());
            let ask_at = if always { asked } else { asked.max(heard) } + ask_after;
            let ask_at = Some(ask_at).filter(|_| !ask_after.is_zero());
            if dead_at.is_some_and(|at| at <= now) {
                return LostCause::Silent;
            }
            if ask_at.is_some_and(|at| at <= now) {
                asked = now;
                self.ask.notify_one();
                continue;
            }
            match [dead_at, ask_at].into_iter().flatten().min() {
                Some(next) => tokio::time::sleep_until(next).await,
                None => std::future::pending().await,
            }
        }
    }
}

/// A step of writing, which a venue that reads lets happen soon.
async fn within(step: impl Future<Output = Result<(), websocket::Error>>) -> Result<(), LostCause> {
    match tokio::time::timeout(WRITE_WITHIN, step).await {
        Ok(done) => done.map_err(|error| broken(&error)),
        Err(_) => Err(LostCause::Failed(format!("the venue has read nothing for {WRITE_WITHIN:.1?}"))),
    }
}
