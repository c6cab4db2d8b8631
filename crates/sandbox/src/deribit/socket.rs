//! One WebSocket connection: calls in, answers and notifications out, and what goes wrong on purpose.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

use super::connections::Outgoing;
use super::heartbeat::{Beat, Heartbeat};
use super::{Deribit, frames};
use crate::faults::Fault;

/// Far beyond what the venue takes, which answers with an error where more comes than that.
const MESSAGE_LIMIT: usize = 1024 * 1024;
/// How long a client may take to close its end.
const FAREWELL: Duration = Duration::from_secs(1);
const UNKNOWN_ANSWER: &str = r#"{"jsonrpc":"2.0","id":9007199254740991,"result":"to nobody","testnet":true}"#;

/// A connection that the venue has made room for.
pub(super) struct Seat {
    pub(super) connection: u64,
    pub(super) outgoing: mpsc::Sender<Outgoing>,
    pub(super) queue: mpsc::Receiver<Outgoing>,
}

/// How a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// Without a word.
    Cut,
    Close(u16, &'static str),
}

/// Serves a connection until it ends.
pub(super) async fn serve(deribit: &Deribit, seat: Seat, io: TokioIo<Upgraded>) {
    let config = WebSocketConfig::default()
        .read_buffer_size(32 * 1024)
        .max_message_size(Some(MESSAGE_LIMIT))
        .max_frame_size(Some(MESSAGE_LIMIT));
    let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    let Seat { connection, outgoing, mut queue } = seat;
    let mut socket = Socket { deribit, connection, stream, outgoing, held: None, heartbeat: Heartbeat::default() };
    let end = socket.run(&mut queue).await;
    // Before anything else, so that nobody sees a connection that is gone.
    deribit.disconnect(connection);
    if let End::Close(code, reason) = end {
        // A client that reads on gets to see what was sent; one that does not is not waited for.
        _ = tokio::time::timeout(FAREWELL, socket.close(code, reason)).await;
    }
}

struct Socket<'a> {
    deribit: &'a Deribit,
    connection: u64,
    stream: WebSocketStream<TokioIo<Upgraded>>,
    outgoing: mpsc::Sender<Outgoing>,
    /// An answer that waits until another one has gone.
    held: Option<String>,
    heartbeat: Heartbeat,
}

type Flow = ControlFlow<End>;

impl Socket<'_> {
    async fn run(&mut self, queue: &mut mpsc::Receiver<Outgoing>) -> End {
        loop {
            let beat_at = self.heartbeat.next();
            let flow = tokio::select! {
                message = self.stream.next() => self.take(message).await,
                // The sender lives as long as the socket.
                Some(outgoing) = queue.recv() => match outgoing {
                    Outgoing::Notification(text) => self.send(text).await,
                    Outgoing::Answer(text) => self.answer(text).await,
                    Outgoing::FlushAfterPause(pace) => {
                        self.send_later(pace.pause(), Outgoing::Flush(pace));
                        Continue(())
                    }
                    Outgoing::Flush(pace) => {
                        self.deribit.flush(self.connection, pace);
                        Continue(())
                    }
                },
                () = sleep_until(beat_at.unwrap_or_else(Instant::now)), if beat_at.is_some() => self.beat().await,
            };
            if let Break(end) = flow {
                return end;
            }
        }
    }

    async fn take(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> Flow {
        match message {
            None | Some(Err(_)) => Break(End::Cut),
            Some(Ok(Message::Text(text))) => self.call(text.as_str()).await,
            Some(Ok(Message::Binary(_))) => Break(End::Close(CloseCode::Unsupported.into(), "text frames only")),
            // The library answers pings and closing frames itself; the latter are followed by the end of the stream.
            Some(Ok(_)) => Continue(()),
        }
    }

    async fn call(&mut self, text: &str) -> Flow {
        let call = self.deribit.read(text);
        let fault = call.method().and_then(|method| self.deribit.fault_of_message(method));
        match fault {
            Some(Fault::DropBefore) => return Break(End::Cut),
            Some(Fault::SilenceBefore) => return Continue(()),
            _ => {}
        }
        let Some(carried_out) = self.deribit.carry_out(self.connection, call) else { return Break(End::Cut) };
        self.heartbeat.heard(carried_out.is_test);
        self.heartbeat.set(carried_out.heartbeat);
        if let Some(answer) = carried_out.answer {
            self.answer_with(fault, answer).await?;
        }
        carried_out.end.map_or(Continue(()), Break)
    }

    async fn answer_with(&mut self, fault: Option<Fault>, answer: String) -> Flow {
        match fault {
            Some(Fault::DropAfter) => Break(End::Cut),
            Some(Fault::SilenceAfter) => Continue(()),
            Some(Fault::CloseMidAnswer) => self.break_off(&answer).await,
            Some(Fault::Delay { ms }) => {
                self.send_later(Duration::from_millis(ms), Outgoing::Answer(answer));
                Continue(())
            }
            Some(Fault::Reorder) if self.held.is_none() => {
                self.held = Some(answer);
                Continue(())
            }
            Some(Fault::Duplicate) => {
                self.send(answer.clone()).await?;
                self.answer(answer).await
            }
            Some(Fault::Split { parts }) => {
                for frame in frames::parts(&answer, parts) {
                    self.write(Message::Frame(frame)).await?;
                }
                self.release().await
            }
            Some(Fault::UnknownId) => {
                self.send(UNKNOWN_ANSWER.to_owned()).await?;
                self.answer(answer).await
            }
            _ => self.answer(answer).await,
        }
    }

    /// Puts something into the queue after a while.
    fn send_later(&self, pause: Duration, later: Outgoing) {
        let outgoing = self.outgoing.clone();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            // Nobody waits any more where the connection is gone.
            _ = outgoing.send(later).await;
        });
    }

    /// Sends an answer, and after it the one that waited for this.
    async fn answer(&mut self, text: String) -> Flow {
        self.send(text).await?;
        self.release().await
    }

    async fn release(&mut self) -> Flow {
        match self.held.take() {
            Some(held) => self.send(held).await,
            None => Continue(()),
        }
    }

    async fn break_off(&mut self, answer: &str) -> Flow {
        let half = frames::first_half(answer);
        let io = self.stream.get_mut();
        // Whatever comes of it, the connection ends here.
        _ = io.write_all(&half).await;
        _ = io.flush().await;
        _ = io.shutdown().await;
        Break(End::Cut)
    }

    async fn beat(&mut self) -> Flow {
        // What has come already is no silence.
        if let Some(message) = self.stream.next().now_or_never() {
            return self.take(message).await;
        }
        match self.heartbeat.beat() {
            Beat::Say(kind) => {
                let params = format!(r#"{{"type":"{kind}"}}"#);
                self.send(format!(r#"{{"jsonrpc":"2.0","method":"heartbeat","params":{params}}}"#)).await
            }
            Beat::Silence => Break(End::Close(4000, "heartbeat close")),
        }
    }

    async fn send(&mut self, text: String) -> Flow {
        self.write(Message::text(text)).await
    }

    async fn write(&mut self, message: Message) -> Flow {
        match self.stream.send(message).await {
            Ok(()) => Continue(()),
            Err(_) => Break(End::Cut),
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        if self.stream.close(Some(frame)).await.is_ok() {
            // What still comes is not carried out.
            while let Some(Ok(_)) = self.stream.next().await {}
        }
    }
}
