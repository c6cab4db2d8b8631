//! A loopback server that responds to every request as a test says, byte for byte.

// No test uses all of it.
#![allow(dead_code)]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request line and the headers.
    pub head: String,
    pub body: Vec<u8>,
}

/// What to send: the bytes of a whole HTTP response.
pub type Script = Arc<dyn Fn(&Seen) -> Vec<u8> + Send + Sync>;

/// What has arrived so far.
pub type Log = Arc<Mutex<Vec<Seen>>>;

pub struct Canned {
    pub base_url: String,
    seen: Log,
    server: tokio::task::JoinHandle<()>,
}

impl Canned {
    pub async fn start(script: Script) -> Self {
        Self::serving(move |stream, log| answer(stream, script.clone(), log)).await
    }

    /// A server of another protocol: the function that serves a connection records what arrives.
    pub async fn serving<F>(serve: impl Fn(TcpStream, Log) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Log::default();
        let log = seen.clone();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, log.clone()));
            }
        });
        Self { base_url, seen, server }
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(mut stream: TcpStream, script: Script, log: Log) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let Ok(count @ 1..) = stream.read(&mut buffer).await else { return };
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let whole = end + 4 + length.unwrap_or(0_usize);
        if bytes.len() >= whole {
            let seen = Seen { head, body: bytes[end + 4..whole].to_vec() };
            log.lock().unwrap().push(seen.clone());
            let _ = stream.write_all(&script(&seen)).await;
            return;
        }
    }
}

/// A whole HTTP response.
pub fn http(status: u16, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Canned\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
