//! The task of one connection: reads, writes, and passes messages to the calls and listeners that they are for, until it is lost.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::coop::has_budget_remaining;
use tokio::time::Instant;
use tokio_websockets::{self as websocket, Message as Frame, WebSocketStream};

use super::calls::{Calls, LoggedOn, Outgoing, Waiting};
use super::listen::LostHow;
use super::options::Event;
use super::supervisor::Supervisor;
use crate::framing;
use crate::handshake::Stream;
use crate::members::{Members, string};
use crate::message::{HEARTBEAT, Id, LogonEnded, Message, Part};
use crate::token::TokenCache;

/// So many responses to the venue's pings may wait to be written.
const MOST_PONGS: usize = 1024;

/// How often to check whether anything is left to be read.
const LOOK: Duration = Duration::from_secs(1);

/// What carries a connection out, for as long as it is polled.
pub(crate) struct Driver {
    pub(super) stream: WebSocketStream<Stream>,
    pub(super) queue: mpsc::UnboundedReceiver<Outgoing>,
    pub(super) lost: Arc<OnceLock<String>>,
    pub(super) number: u64,
    pub(super) closing: Arc<Notify>,
    pub(super) login: Option<Arc<TokenCache>>,
    pub(super) supervisor: Arc<Supervisor>,
}

/// How a connection ended.
pub(crate) struct Lost {
    pub(crate) reason: String,
    pub(crate) how: LostHow,
    /// The user has ended it by a call.
    pub(crate) on_purpose: bool,
}

impl Lost {
    /// By something that the user supplies.
    pub(crate) fn panicked() -> Self {
        Self { reason: "its task panicked".to_owned(), how: LostHow::Other, on_purpose: false }
    }
}

/// What reading and writing have in common.
struct ConnectionTask<'a> {
    supervisor: &'a Supervisor,
    number: u64,
    closing: &'a Notify,
    /// The login of the connection, where the client can log in.
    login: Option<&'a TokenCache>,
    calls: Mutex<Calls>,
    heard: Mutex<Instant>,
    /// Frames came since then.
    has_heard: AtomicBool,
    /// The venue wants to see that somebody is there.
    test: Notify,
    /// The venue has sent a ping, whose response is queued.
    pinged: Notify,
    /// All that was queued is written.
    written: Notify,
    /// Responses to pings that were queued since all was written last.
    pongs: AtomicUsize,
    /// The runtime has asked the system since this time what arrived. None once listeners were told.
    looked: Mutex<Option<SystemTime>>,
    /// A write may take so long.
    patience: Duration,
    /// The user has asked the venue to close the connection, and it has not said no.
    closes: AtomicBool,
    how: Mutex<LostHow>,
}

impl Driver {
    /// Runs until the connection is lost, and says why.
    pub(crate) async fn run(self) -> Lost {
        let Self { stream, queue, lost, number, closing, login, supervisor } = self;
        let longest = supervisor.settings(|settings| settings.silence());
        let ping = supervisor.settings(|settings| settings.ping());
        let task = ConnectionTask {
            supervisor: &supervisor,
            number,
            closing: &closing,
            login: login.as_deref(),
            calls: Mutex::new(Calls::new(supervisor.options.in_flight)),
            heard: Mutex::new(Instant::now()),
            has_heard: AtomicBool::new(false),
            test: Notify::new(),
            pinged: Notify::new(),
            written: Notify::new(),
            pongs: AtomicUsize::new(0),
            looked: Mutex::new(None),
            patience: supervisor.common.timeouts.attempt,
            closes: AtomicBool::new(false),
            how: Mutex::new(LostHow::Other),
        };
        let (sink, source) = stream.split();
        // Set before anything is dropped: that is how waiting calls are notified.
        let say = |reason: String| lost.get_or_init(|| reason).clone();
        // Reading comes last, so that a flood of frames delays neither pings nor writes.
        let reason = tokio::select! {
            biased;
            reason = pings(&task.test, ping) => reason,
            reason = task.look() => reason,
            reason = async {
                let reason = task.write(sink, queue).await;
                // A frame that says why the venue closes may have come already: it is read first.
                tokio::task::yield_now().await;
                say(reason)
            } => reason,
            reason = async { say(task.read(source).await) } => reason,
            reason = async { say(silence(&task.heard, longest).await) } => {
                *lock(&task.how) = LostHow::Silent;
                reason
            }
        };
        let how = std::mem::replace(&mut *lock(&task.how), LostHow::Other);
        Lost { reason, how, on_purpose: task.closes.into_inner() }
    }
}

type Sink = SplitSink<WebSocketStream<Stream>, Frame>;
type Source = SplitStream<WebSocketStream<Stream>>;

impl ConnectionTask<'_> {
    async fn read(&self, mut source: Source) -> String {
        while let Some(frame) = self.next(&mut source).await {
            match frame {
                Ok(frame) if frame.is_text() || frame.is_binary() => {
                    self.take(frame.into_payload().into());
                    self.room().await;
                }
                Ok(frame) if frame.is_ping() => {
                    self.pinged.notify_one();
                    // A venue that does not read the responses is not read either, until the writer gives it up.
                    if self.pongs.fetch_add(1, Ordering::Relaxed) >= MOST_PONGS {
                        self.note_heard();
                        self.written.notified().await;
                    }
                }
                Ok(frame) => {
                    let Some((code, reason)) = frame.as_close() else { continue };
                    let code = u16::from(code);
                    *lock(&self.how) = LostHow::Closed { code, reason: reason.to_owned() };
                    return match reason {
                        "" => format!("the venue closed it ({code})"),
                        reason => format!("the venue closed it ({code}): {reason}"),
                    };
                }
                Err(error) => {
                    if matches!(error, websocket::Error::Io(_)) {
                        *lock(&self.how) = LostHow::Cut;
                    }
                    return broken(&error);
                }
            }
        }
        *lock(&self.how) = LostHow::Cut;
        "it broke off".to_owned()
    }

    /// The next frame. That the venue was heard is noted once for all frames that are there together.
    async fn next(&self, source: &mut Source) -> Option<Result<Frame, websocket::Error>> {
        poll_fn(|context| {
            let next = source.poll_next_unpin(context);
            match next.is_ready() {
                true => self.has_heard.store(true, Ordering::Relaxed),
                false => {
                    self.note_heard();
                    // `Pending` may also mean that the task's budget is used up.
                    if has_budget_remaining()
                        && let Some(by) = lock(&self.looked).take()
                    {
                        self.supervisor.listeners.each(|listener| listener.drained(self.number, by));
                    }
                }
            }
            next
        })
        .await
    }

    /// Notes that the runtime has asked the system what arrived: it does so before a timer wakes the task. That nothing is ready proves nothing
    /// by itself, because the runtime may have been kept from asking.
    async fn look(&self) -> String {
        loop {
            let begin = SystemTime::now();
            tokio::time::sleep(LOOK).await;
            *lock(&self.looked) = Some(begin);
        }
    }

    /// The venue was heard just now, if it was since this was noted last.
    fn note_heard(&self) {
        if self.has_heard.load(Ordering::Relaxed) {
            self.has_heard.store(false, Ordering::Relaxed);
            *lock(&self.heard) = Instant::now();
        }
    }

    /// Waits until every listener has room. The venue is not to blame for the silence meanwhile.
    async fn room(&self) {
        while let Some(listener) = self.supervisor.listeners.full() {
            self.note_heard();
            tokio::select! {
                () = listener.room() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
            *lock(&self.heard) = Instant::now();
        }
    }

    /// Hands a message to whom it is for.
    fn take(&self, body: Bytes) {
        let counts = &self.supervisor.counts;
        if self.supervisor.listeners.take(self.number, &body) && !self.supervisor.options.has_handler() {
            return;
        }
        let Some(message) = framing::read(self.supervisor.common.venue, body) else {
            counts.unreadable.fetch_add(1, Ordering::Relaxed);
            return;
        };
        match &message.part {
            Part::Notification { method, params } => return self.notify(method, params),
            Part::Event { subscription, data } => return self.event(subscription.as_ref(), data, &message.body),
            Part::Error(_) if message.ends_logon() && self.login.is_some() => return self.logon_ended(&message),
            Part::Result(_) | Part::Error(_) | Part::Nothing => {}
        }
        if message.is_closing {
            self.closing.notify_one();
        }
        let waiting = match message.id {
            Id::Number(HEARTBEAT) => return,
            Id::Number(id) => lock(&self.calls).remove(id),
            Id::Missing | Id::Other => None,
        };
        let Some(Waiting { answer, closes, change, .. }) = waiting else {
            counts.unasked.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if closes {
            self.closes.store(false, Ordering::Relaxed);
        }
        if let (Some(change), Part::Result(_)) = (change, &message.part) {
            self.supervisor.settings(|settings| settings.note(change));
        }
        if answer.send(message).is_err() {
            counts.unasked.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The venue has ended the log-on of the connection. Calls that relied on it get no response; those that carry a signature of their
    /// own, and those that anybody may make, go on.
    fn logon_ended(&self, message: &Message) {
        if let Some(login) = self.login {
            login.forget();
        }
        let LoggedOn { waiting, in_flight } = lock(&self.calls).take_logged_on();
        tracing::warn!(
            venue = self.supervisor.common.venue.name,
            calls = waiting.len(),
            "the venue has ended the log-on"
        );
        // A call that nobody waits for may be the one that was refused: then the others may have been executed.
        let how = if in_flight == 1 { LogonEnded::Alone } else { LogonEnded::WithOthers };
        for waiting in waiting {
            // A call that was cancelled in the meantime needs no response.
            let _ = waiting.answer.send(message.for_logged_on(how));
        }
        // What was subscribed to with the log-on has ended too.
        let reason = "the venue has ended the log-on";
        self.supervisor.listeners.each(|listener| listener.lost(self.number, reason, &LostHow::Other));
    }

    fn event(&self, subscription: Option<&Bytes>, data: &Bytes, message: &Bytes) {
        fn text(part: &Bytes) -> &str {
            std::str::from_utf8(part).unwrap_or_default()
        }
        if subscription.is_none() && self.says_closing(text(data)) {
            self.closing.notify_one();
        }
        // Usually a number. One that is a text is passed without its quotes.
        let channel = subscription.map(text).unwrap_or_default().trim_matches('"');
        self.supervisor.tell(Event::Notification { channel, data: text(data), params: text(message) });
    }

    /// Whether an event of the connection itself is the notice that the venue is going to close it.
    fn says_closing(&self, data: &str) -> bool {
        let envelope = self.supervisor.common.venue.websocket.as_ref().and_then(|words| words.envelope.as_ref());
        let Some((member, closing)) = envelope.and_then(|words| words.event.as_ref()?.closing) else { return false };
        let kind = Members::of(data).and_then(|members| string(members.get(member)?));
        kind.as_deref() == Some(closing)
    }

    fn notify(&self, method: &str, params: &Bytes) {
        let Some(websocket) = &self.supervisor.common.venue.websocket else { return };
        let (Some(words), Some(heartbeat)) = (&websocket.notification, &websocket.heartbeat) else { return };
        let members = || std::str::from_utf8(params).ok().and_then(|params| Some((params, Members::of(params)?)));
        if method == words.method
            && let Some((params, members)) = members()
            && let (Some(channel), Some(data)) = (members.get(words.channel).and_then(string), members.get(words.data))
        {
            self.supervisor.tell(Event::Notification { channel: &channel, data: data.get(), params });
        } else if method == heartbeat.method
            && let Some((_, members)) = members()
        {
            let kind = members.get(heartbeat.kind).and_then(string);
            if kind.as_deref() == Some(heartbeat.test) {
                self.test.notify_one();
            }
        } else {
            self.supervisor.counts.unreadable.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends what is queued, in as few writes as it takes.
    async fn write(&self, mut sink: Sink, mut queue: mpsc::UnboundedReceiver<Outgoing>) -> String {
        let (mut test, mut pinged) = (pin!(self.test.notified()), pin!(self.pinged.notified()));
        loop {
            // What is rare comes first, so that calls do not keep it back.
            let fed = tokio::select! {
                biased;
                () = &mut test => {
                    test.set(self.test.notified());
                    self.within(sink.feed(self.heartbeat())).await
                }
                () = &mut pinged => {
                    pinged.set(self.pinged.notified());
                    Ok(())
                }
                outgoing = queue.recv() => {
                    let mut next = outgoing;
                    let mut fed = Ok(());
                    if next.is_none() {
                        let _ = sink.close().await;
                        return "the client was dropped".to_owned();
                    }
                    while let (Some(outgoing), Ok(())) = (next.take(), &fed) {
                        fed = self.feed(&mut sink, outgoing).await;
                        next = queue.try_recv().ok();
                    }
                    fed
                }
            };
            let sent = match fed {
                Ok(()) => self.within(sink.flush()).await,
                Err(reason) => Err(reason),
            };
            if let Err(reason) = sent {
                return reason;
            }
            self.pongs.store(0, Ordering::Relaxed);
            self.written.notify_one();
        }
    }

    async fn feed(&self, sink: &mut Sink, outgoing: Outgoing) -> Result<(), String> {
        let Outgoing { id, text, room, stage, waiting } = outgoing;
        // Until what was written before is gone, the request has not left and may be cancelled.
        self.within(poll_fn(|context| sink.poll_ready_unpin(context))).await?;
        if !stage.take() {
            return Ok(());
        }
        self.closes.fetch_or(waiting.closes, Ordering::Relaxed);
        lock(&self.calls).add(id, waiting);
        drop(room);
        sink.start_send_unpin(Frame::text(text)).map_err(|error| broken(&error))
    }

    /// A step of writing, which a venue that reads lets happen soon. That it goes on sending proves nothing.
    async fn within(&self, step: impl Future<Output = Result<(), websocket::Error>>) -> Result<(), String> {
        let mut step = pin!(step);
        // Most steps wait for nothing, and need no time limit.
        let done = match poll_fn(|context| Poll::Ready(step.as_mut().poll(context))).await {
            Poll::Ready(done) => Ok(done),
            Poll::Pending => tokio::time::timeout(self.patience, step).await,
        };
        match done {
            Ok(done) => done.map_err(|error| broken(&error)),
            Err(_) => Err(format!("the venue has read nothing for {:.1?}", self.patience)),
        }
    }

    fn heartbeat(&self) -> Frame {
        let websocket = self.supervisor.common.venue.websocket.as_ref();
        if let Some(ping) = websocket.and_then(|words| words.ping) {
            return Frame::text(ping.message);
        }
        let method = websocket.and_then(|words| words.heartbeat.as_ref()).map_or("", |words| words.answer);
        Frame::text(format!(r#"{{"jsonrpc":"2.0","id":{HEARTBEAT},"method":"{method}","params":{{}}}}"#))
    }
}

/// Has the venue be shown again and again that somebody is there, where it wants that.
async fn pings(test: &Notify, every: Option<Duration>) -> String {
    loop {
        match every {
            Some(every) => tokio::time::sleep(every).await,
            None => std::future::pending().await,
        }
        test.notify_one();
    }
}

/// Waits until nothing was heard for longer than it may be.
async fn silence(heard: &Mutex<Instant>, mut longest: watch::Receiver<Option<Duration>>) -> String {
    loop {
        let Some(limit) = *longest.borrow_and_update() else {
            if longest.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            continue;
        };
        let end = *lock(heard) + limit;
        tokio::select! {
            () = tokio::time::sleep_until(end) => {
                if Instant::now() >= *lock(heard) + limit {
                    return format!("nothing was received for {limit:.1?}");
                }
            }
            Ok(()) = longest.changed() => {}
        }
    }
}

fn broken(error: &websocket::Error) -> String {
    match error {
        websocket::Error::PayloadTooLong { max_len, .. } => {
            format!("a message has more than {max_len} bytes; raise `max_answer` if this is expected")
        }
        error => format!("it broke ({error})"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_venue_may_be_silent_for_so_long_and_no_longer() {
        let (limit, longest) = watch::channel(Some(Duration::from_secs(25)));
        let heard = Arc::new(Mutex::new(Instant::now()));
        let begin = Instant::now();
        let waiting = tokio::spawn({
            let heard = heard.clone();
            async move { silence(&heard, longest).await }
        });
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(20)).await;
            *lock(&heard) = Instant::now();
        }
        limit.send_replace(None);
        tokio::time::sleep(Duration::from_secs(1000)).await;
        assert!(!waiting.is_finished(), "without heartbeats it may be silent");
        *lock(&heard) = Instant::now();
        limit.send_replace(Some(Duration::from_secs(65)));
        assert_eq!(waiting.await.unwrap(), "nothing was received for 65.0s");
        assert_eq!(begin.elapsed().as_secs(), 200 + 1000 + 65);
    }
}
