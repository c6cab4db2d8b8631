//! The loop of one connection: messages in, frames out, and what goes wrong with them on purpose.

use std::collections::VecDeque;
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

use super::log::{FrameLog, Outgoing};
use super::outbox::{CloseReason, SendQueue};
use super::{alter, parts};
use crate::clock::Clock;
use crate::faults::Fault;

const MESSAGE_LIMIT: usize = 1024 * 1024;
/// How long a client may take to close its end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// So many frames go into one write at most.
const TOGETHER: usize = 64;

/// What a venue does for its connections.
pub(crate) trait ConnectionHandler: Send + Sync {
    /// Takes a message. What there is to say goes into the connection's outbox.
    fn on_message(&self, connection: u64, text: &str) -> ControlFlow<CloseReason>;

    /// Notes a sign of life that says nothing.
    fn on_activity(&self, _connection: u64) {}

    /// Is called at the time that the outbox was given.
    fn tick(&self, connection: u64);

    /// Forgets a connection.
    fn disconnect(&self, connection: u64);
}

/// A connection that a venue has made room for.
pub(crate) struct ConnectionSetup {
    pub(crate) venue: &'static str,
    /// The log's number of the connection.
    pub(crate) connection: u64,
    pub(crate) outbox: SendQueue,
    pub(crate) log: FrameLog,
    /// Whether messages that wait together go in one frame, a line each.
    pub(crate) joins: bool,
    /// The ping frames that the client is sent.
    pub(crate) ping: Option<Ping>,
}

/// When a venue sends ping frames, and with which payload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ping {
    /// After this time without a frame, with this payload.
    WhenIdle(Duration, &'static str),
    /// At this interval, with the time in milliseconds.
    Every(Duration),
}

/// Serves a connection until it ends.
pub(crate) async fn serve(handler: &impl ConnectionHandler, setup: ConnectionSetup, io: TokioIo<Upgraded>) {
    let config = WebSocketConfig::default()
        .read_buffer_size(32 * 1024)
        .max_message_size(Some(MESSAGE_LIMIT))
        .max_frame_size(Some(MESSAGE_LIMIT));
    let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    let mut socket = Socket {
        stream,
        index: 0,
        held: None,
        late: VecDeque::new(),
        together: None,
        wrote: Instant::now(),
        pinged: Instant::now(),
        setup,
    };
    let end = socket.run(handler).await;
    // Before anything else, so that nobody sees a connection that is gone.
    handler.disconnect(socket.setup.connection);
    socket.withhold_all();
    if let CloseReason::Close(code, reason) = end {
        // A client that reads on gets to see what was sent; one that does not is not waited for.
        _ = tokio::time::timeout(CLOSE_TIMEOUT, socket.close(code, reason)).await;
    }
}

struct Socket {
    setup: ConnectionSetup,
    stream: WebSocketStream<TokioIo<Upgraded>>,
    index: u64,
    /// A frame that waits until another one has gone.
    held: Option<Outgoing>,
    /// Frames that go at a time.
    late: VecDeque<(Instant, Outgoing)>,
    /// Frames that wait for more of them, and how many are to go together.
    together: Option<(usize, Vec<Outgoing>)>,
    /// When the last frame went.
    wrote: Instant,
    /// When the last ping was sent.
    pinged: Instant,
}

type Flow = ControlFlow<CloseReason>;

impl Socket {
    async fn run(&mut self, handler: &impl ConnectionHandler) -> CloseReason {
        loop {
            let flow = match self.write_some().await {
                Continue(()) => self.wait(handler).await,
                end => end,
            };
            if let Break(end) = flow {
                return end;
            }
        }
    }

    async fn wait(&mut self, handler: &impl ConnectionHandler) -> Flow {
        if let Some(end) = self.setup.outbox.is_over() {
            return Break(end);
        }
        let outbox = self.setup.outbox.clone();
        let connection = self.setup.connection;
        let ping_at = self.setup.ping.and_then(|ping| match ping {
            Ping::WhenIdle(pause, _) => self.wrote.checked_add(pause),
            Ping::Every(pause) => self.pinged.checked_add(pause),
        });
        let tick_at = outbox.next_tick();
        let late_at = self.late.iter().map(|(at, _)| *at).min();
        let until = |at: Option<Instant>| sleep_until(at.unwrap_or_else(Instant::now));
        tokio::select! {
            // What has come already is heard before anything is due.
            biased;
            message = self.stream.next() => match message {
                None | Some(Err(_)) => Break(CloseReason::Abort),
                Some(Ok(Message::Text(text))) => handler.on_message(connection, text.as_str()),
                Some(Ok(Message::Binary(_))) => {
                    Break(CloseReason::Close(CloseCode::Unsupported.into(), "text frames only".to_owned()))
                }
                // The library answers pings and closing frames itself; the latter are followed by the end of the stream.
                Some(Ok(_)) => {
                    handler.on_activity(connection);
                    Continue(())
                }
            },
            () = outbox.changed() => Continue(()),
            () = until(tick_at), if tick_at.is_some() => {
                outbox.ticked();
                handler.tick(connection);
                Continue(())
            }
            () = until(late_at), if late_at.is_some() => self.write_late().await,
            () = until(ping_at), if ping_at.is_some() => self.ping().await,
        }
    }

    /// Writes what waits, though not so much that nothing is read meanwhile.
    async fn write_some(&mut self) -> Flow {
        let (mut count, mut joined) = (0, Vec::new());
        while count < TOGETHER
            && let Some(outgoing) = self.setup.outbox.pop()
        {
            count += 1;
            if self.setup.joins && outgoing.fault.is_none() && self.together.is_none() {
                joined.push(outgoing);
                continue;
            }
            self.write_joined(&mut joined).await?;
            self.treat(outgoing).await?;
        }
        self.write_joined(&mut joined).await?;
        if count == TOGETHER {
            // There may be more, and nobody says so again.
            self.setup.outbox.tell_again();
        }
        if count > 0 { self.flush().await } else { Continue(()) }
    }

    async fn write_late(&mut self) -> Flow {
        let now = Instant::now();
        let (due, rest): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = rest;
        for (_, outgoing) in due {
            self.write(outgoing).await?;
        }
        self.flush().await
    }

    async fn ping(&mut self) -> Flow {
        self.pinged = Instant::now();
        let payload: Bytes = match self.setup.ping {
            Some(Ping::WhenIdle(_, payload)) => payload.into(),
            _ => Clock::default().millis().to_string().into(),
        };
        self.feed(Message::Ping(payload)).await?;
        self.flush().await
    }

    /// Sends a frame, or does with it what its fault says.
    async fn treat(&mut self, outgoing: Outgoing) -> Flow {
        match outgoing.fault.clone() {
            // The other two are identified by another frame.
            Some(Fault::Drop | Fault::Error { .. } | Fault::SlowReader) => self.withhold(outgoing),
            Some(Fault::DropBefore) => {
                self.withhold(outgoing);
                return Break(CloseReason::Abort);
            }
            Some(Fault::Close { code, reason }) => {
                self.withhold(outgoing);
                return Break(CloseReason::Close(code, reason));
            }
            Some(Fault::CloseMidAnswer) => return self.break_off(outgoing).await,
            Some(Fault::Delay { ms }) => {
                self.late.push_back((Instant::now() + Duration::from_millis(ms), outgoing));
            }
            Some(Fault::Reorder) if self.held.is_none() => self.held = Some(outgoing),
            Some(Fault::Several { count }) if self.together.is_none() && count > 1 => {
                self.together = Some((count, vec![outgoing]));
            }
            Some(Fault::Duplicate) => {
                self.write(outgoing.clone()).await?;
                return self.write(outgoing).await;
            }
            Some(Fault::Split { parts }) => return self.split(outgoing, parts).await,
            Some(Fault::Stall { ms }) => {
                self.flush().await?;
                tokio::time::sleep(Duration::from_millis(ms)).await;
                return self.write(outgoing).await;
            }
            Some(Fault::Ping) => {
                self.write(outgoing).await?;
                return self.feed(Message::Ping("behind".into())).await;
            }
            Some(Fault::Exponents) => {
                let text = alter::exponents(&outgoing.text);
                return self.write(Outgoing { text, ..outgoing }).await;
            }
            Some(Fault::Set { at, to }) => {
                let text = alter::set(&outgoing.text, &at, &to);
                return self.write(Outgoing { text, ..outgoing }).await;
            }
            _ => return self.write(outgoing).await,
        }
        Continue(())
    }

    /// Writes a frame, and after it the one that waited for this.
    async fn write(&mut self, outgoing: Outgoing) -> Flow {
        if let Some((count, mut waiting)) = self.together.take() {
            waiting.push(outgoing);
            if waiting.len() < count {
                self.together = Some((count, waiting));
                return Continue(());
            }
            return self.write_together(waiting).await;
        }
        self.feed(Message::Text(outgoing.text.clone())).await?;
        self.note(outgoing, true);
        self.release().await
    }

    /// Writes several messages as one frame.
    async fn write_together(&mut self, all: Vec<Outgoing>) -> Flow {
        let texts: Vec<&str> = all.iter().map(|one| one.text.trim_end_matches('\n')).collect();
        self.feed(Message::text(texts.join("\n"))).await?;
        all.into_iter().for_each(|one| self.note(one, true));
        self.release().await
    }

    async fn write_joined(&mut self, joined: &mut Vec<Outgoing>) -> Flow {
        if joined.is_empty() { Continue(()) } else { self.write_together(std::mem::take(joined)).await }
    }

    async fn split(&mut self, outgoing: Outgoing, count: usize) -> Flow {
        for frame in parts::parts(&outgoing.text, count) {
            self.feed(Message::Frame(frame)).await?;
        }
        self.note(outgoing, true);
        self.release().await
    }

    async fn release(&mut self) -> Flow {
        let Some(held) = self.held.take() else { return Continue(()) };
        self.feed(Message::Text(held.text.clone())).await?;
        self.note(held, true);
        Continue(())
    }

    async fn break_off(&mut self, outgoing: Outgoing) -> Flow {
        self.flush().await?;
        let half = parts::first_half(&outgoing.text);
        self.withhold(outgoing);
        let io = self.stream.get_mut();
        // Whatever comes of it, the connection ends here.
        _ = io.write_all(&half).await;
        _ = io.flush().await;
        _ = io.shutdown().await;
        Break(CloseReason::Abort)
    }

    fn note(&mut self, outgoing: Outgoing, sent: bool) {
        let ConnectionSetup { venue, connection, log, .. } = &self.setup;
        log.add((venue, *connection, self.index), outgoing, sent);
        self.index += 1;
    }

    fn withhold(&mut self, outgoing: Outgoing) {
        self.note(outgoing, false);
    }

    /// Notes what will not be sent any more.
    fn withhold_all(&mut self) {
        let held = self.held.take().into_iter();
        let together = self.together.take().into_iter().flat_map(|(_, waiting)| waiting);
        let late = std::mem::take(&mut self.late).into_iter().map(|(_, outgoing)| outgoing);
        let waiting: Vec<Outgoing> = held.chain(together).chain(late).chain(self.setup.outbox.close()).collect();
        waiting.into_iter().for_each(|outgoing| self.withhold(outgoing));
    }

    async fn feed(&mut self, message: Message) -> Flow {
        self.wrote = Instant::now();
        lost(self.stream.feed(message).await)
    }

    async fn flush(&mut self) -> Flow {
        lost(self.stream.flush().await)
    }

    async fn close(&mut self, code: u16, reason: String) {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        if self.stream.close(Some(frame)).await.is_ok() {
            // What still comes is not carried out.
            while let Some(Ok(_)) = self.stream.next().await {}
        }
    }
}

fn lost(written: Result<(), tungstenite::Error>) -> Flow {
    match written {
        Ok(()) => Continue(()),
        Err(_) => Break(CloseReason::Abort),
    }
}
