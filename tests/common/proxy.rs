//! A loopback proxy that treats requests as a test says, and passes on the rest.

// No test uses all of it.
#![allow(dead_code)]

#[path = "nowhere.rs"]
mod nowhere;

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use nowhere::Nowhere;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset before anything is read.
    Refuse,
    /// The request is read, and the connection reset without passing it on.
    ResetBefore,
    /// The request is passed on, and the connection reset in place of the response.
    ResetAfter,
    /// The request is read and gets no response.
    Stall,
    /// The request is passed on, and the response never comes back.
    StallAfter,
    /// The request is passed on, and the response comes back with half of its body.
    Cut,
    /// The request is answered with this status and not passed on.
    Status(u16),
    /// The same with this many seconds to wait in `Retry-After`.
    RetryAfter(u16, u64),
    /// The same with an HTTP date in `Retry-After`, this many seconds after the response's own `Date`.
    RetryDate(u16, u64),
    /// The same with this in `Retry-After`.
    RetryText(u16, &'static str),
    /// The same with a web page.
    Page(u16),
    /// The same with this JSON.
    Answer(u16, &'static str),
    /// The request is passed on, and this status comes back in place of the response.
    StatusAfter(u16),
    /// The request is passed on, and a web page comes back in place of the response, with this status.
    PageAfter(u16),
    /// The request is passed on, and this JSON comes back in place of the response, with this status.
    AnswerAfter(u16, &'static str),
    /// The request is passed on, and the response comes back as it is but called a web page.
    WrongType,
}

/// An object that proves nothing.
const OTHER: &str = r#"{"ok":true}"#;

/// An envelope of JSON-RPC with neither result nor error.
const EMPTY: &str = r#"{"jsonrpc":"2.0","testnet":true}"#;

/// Every fault, with the statuses and waits that make a difference.
pub const FAULTS: [Fault; 33] = [
    Fault::Refuse,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::Stall,
    Fault::StallAfter,
    Fault::Cut,
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(502),
    Fault::Status(503),
    Fault::Status(504),
    Fault::RetryAfter(429, 0),
    Fault::RetryAfter(502, 0),
    Fault::RetryAfter(503, 0),
    Fault::RetryAfter(504, 0),
    Fault::RetryAfter(429, 1),
    Fault::RetryAfter(503, 1),
    Fault::RetryDate(429, 1),
    Fault::RetryDate(503, 1),
    Fault::Page(200),
    Fault::Page(502),
    Fault::Answer(200, OTHER),
    Fault::Answer(200, EMPTY),
    Fault::Answer(200, "null"),
    Fault::StatusAfter(500),
    Fault::StatusAfter(502),
    Fault::StatusAfter(503),
    Fault::StatusAfter(504),
    Fault::PageAfter(200),
    Fault::AnswerAfter(200, OTHER),
    Fault::AnswerAfter(200, EMPTY),
    Fault::AnswerAfter(200, "null"),
    Fault::WrongType,
];

impl Fault {
    /// Whether the request reaches the venue nevertheless.
    pub fn passes_on(self) -> bool {
        matches!(
            self,
            Self::ResetAfter
                | Self::StallAfter
                | Self::Cut
                | Self::StatusAfter(_)
                | Self::PageAfter(_)
                | Self::AnswerAfter(..)
                | Self::WrongType
        )
    }

    /// Whether something else with a success status comes back in place of the response.
    pub fn is_impostor(self) -> bool {
        matches!(self, Self::Page(200) | Self::PageAfter(200) | Self::Answer(200, _) | Self::AnswerAfter(200, _))
    }
}

/// A request as it came by.
#[derive(Clone)]
pub struct Seen {
    /// The method and the path with its query; empty where nothing was read.
    pub line: String,
    pub body: Vec<u8>,
    pub at: Instant,
    pub fault: Option<Fault>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("line", &self.line).field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl Seen {
    /// Whether the venue was asked.
    pub fn was_passed_on(&self) -> bool {
        self.fault.is_none_or(Fault::passes_on)
    }
}

/// Says what happens to each request in turn.
pub type Choose = Box<dyn FnMut() -> Option<Fault> + Send>;

pub struct Proxy {
    pub base_url: String,
    shared: Arc<Shared>,
    server: Mutex<Option<tokio::task::JoinHandle<()>>>,
    /// Keeps the port of a server that was closed, so that nobody else listens there.
    closed: Mutex<Option<Nowhere>>,
}

struct Shared {
    target: Mutex<SocketAddr>,
    choose: Mutex<Choose>,
    next: Mutex<VecDeque<Fault>>,
    seen: Mutex<Vec<Seen>>,
    under_way: AtomicUsize,
}

impl Proxy {
    /// A proxy in front of `http://HOST:PORT`.
    pub async fn before(base_url: &str) -> Self {
        Self::choosing(base_url, Box::new(|| None)).await
    }

    /// A proxy that asks for each request what is to happen to it.
    pub async fn choosing(base_url: &str, choose: Choose) -> Self {
        let shared = Arc::new(Shared {
            target: Mutex::new(address(base_url)),
            choose: Mutex::new(choose),
            next: Mutex::default(),
            seen: Mutex::default(),
            under_way: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let of_server = shared.clone();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, of_server.clone()));
            }
        });
        Self { base_url, shared, server: Mutex::new(Some(server)), closed: Mutex::default() }
    }

    /// The next request is treated so.
    pub fn next(&self, fault: Fault) {
        self.shared.next.lock().unwrap().push_back(fault);
    }

    /// Every request since the last time this was asked.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.seen.lock().unwrap())
    }

    /// From now on requests go to this server.
    pub fn point_to(&self, base_url: &str) {
        *self.shared.target.lock().unwrap() = address(base_url);
    }

    /// Waits until the venue has responded to all that was passed on to it, whether or not anybody still wanted to know.
    pub async fn settled(&self) {
        let mut quiet = 0;
        while quiet < 10 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            quiet = if self.shared.under_way.load(Ordering::SeqCst) == 0 { quiet + 1 } else { 0 };
        }
    }

    /// From now on no connection comes about.
    pub async fn close(&self) {
        let server = self.server.lock().unwrap().take();
        if let Some(server) = server {
            server.abort();
            let _ = server.await;
            *self.closed.lock().unwrap() = Some(Nowhere::at(address(&self.base_url)));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(server) = self.server.lock().unwrap().take() {
            server.abort();
        }
    }
}

impl Shared {
    fn fault(&self) -> Option<Fault> {
        self.next.lock().unwrap().pop_front().or_else(|| (self.choose.lock().unwrap())())
    }

    fn see(&self, request: &[u8], fault: Option<Fault>) {
        let end = end_of_head(request).unwrap_or_default();
        let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line).trim_end_matches(" HTTP/1.1").to_owned();
        let seen = Seen { line, body: request[end..].to_vec(), at: Instant::now(), fault };
        self.seen.lock().unwrap().push(seen);
    }
}

/// Counts as one in flight as long as it lives.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn address(base_url: &str) -> SocketAddr {
    base_url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// One connection: requests in turn, until a fault ends it.
async fn serve(mut client: TcpStream, shared: Arc<Shared>) {
    let mut venue = None;
    // A connection that is kept for later meets no fault before a request comes.
    while let Ok(1..) = client.peek(&mut [0]).await {
        let fault = shared.fault();
        if fault == Some(Fault::Refuse) {
            shared.see(b"", fault);
            return reset(client);
        }
        let Some(answer) = answer(&mut client, &mut venue, &shared, fault).await else { return };
        match fault {
            Some(Fault::ResetBefore | Fault::ResetAfter) => return reset(client),
            // Until the caller has had enough.
            Some(Fault::Stall | Fault::StallAfter) => return drop(client.read(&mut [0]).await),
            _ => {}
        }
        let written = client.write_all(&answer).await;
        if written.is_err() || !matches!(fault, None | Some(Fault::WrongType)) {
            return;
        }
    }
}

/// Reads a request, passes it on where that is to happen, and returns what to respond.
async fn answer(
    client: &mut TcpStream,
    venue: &mut Option<(SocketAddr, TcpStream)>,
    shared: &Shared,
    fault: Option<Fault>,
) -> Option<Vec<u8>> {
    let _under_way = UnderWay::new(&shared.under_way);
    let request = message(client).await?;
    shared.see(&request, fault);
    let mut passed_on = Vec::new();
    if fault.is_none_or(Fault::passes_on) {
        let target = *shared.target.lock().unwrap();
        passed_on = forward(venue, target, &request).await?;
    }
    let head = |status: u16, more: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {status} Fault\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
            .into_bytes()
    };
    Some(match fault {
        Some(Fault::Cut) => {
            let end = end_of_head(&passed_on).unwrap();
            passed_on[..end + (passed_on.len() - end) / 2].to_vec()
        }
        Some(Fault::Status(status) | Fault::StatusAfter(status)) => head(status, "", ""),
        Some(Fault::RetryAfter(status, seconds)) => head(status, &format!("retry-after: {seconds}\r\n"), ""),
        Some(Fault::RetryDate(status, seconds)) => {
            let dates = [0, seconds].map(|seconds| format!("Sun, 22 Nov 2026 03:00:{seconds:02} GMT"));
            head(status, &format!("date: {}\r\nretry-after: {}\r\n", dates[0], dates[1]), "")
        }
        Some(Fault::RetryText(status, text)) => head(status, &format!("retry-after: {text}\r\n"), ""),
        Some(Fault::Page(status) | Fault::PageAfter(status)) => {
            head(status, "content-type: text/html\r\n", "<html>somebody else answers</html>")
        }
        Some(Fault::Answer(status, body) | Fault::AnswerAfter(status, body)) => {
            head(status, "content-type: application/json\r\n", body)
        }
        Some(Fault::WrongType) => {
            let (head, body) = passed_on.split_at(end_of_head(&passed_on).unwrap());
            let head = String::from_utf8_lossy(head).replace("application/json", "text/html");
            assert!(head.contains("text/html"), "{head}");
            [head.as_bytes(), body].concat()
        }
        _ => passed_on,
    })
}

/// Ends a connection so that the other side cannot take it for the end of a response.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}

/// Passes a request on, over the connection of the request before it if there is one, and returns the whole response.
async fn forward(venue: &mut Option<(SocketAddr, TcpStream)>, target: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let stream = match venue {
        Some((address, stream)) if *address == target => stream,
        _ => {
            let stream = TcpStream::connect(target).await.ok()?;
            stream.set_nodelay(true).ok()?;
            &mut venue.insert((target, stream)).1
        }
    };
    stream.write_all(request).await.ok()?;
    message(stream).await
}

/// One whole HTTP message.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = end_of_head(&bytes) else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if bytes.len() >= end + length.unwrap_or(0_usize) {
            return Some(bytes);
        }
    }
}

/// Where the body begins.
fn end_of_head(message: &[u8]) -> Option<usize> {
    message.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
