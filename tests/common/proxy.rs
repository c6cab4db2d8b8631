//! A loopback proxy that treats the next requests as a test says, and passes on the rest.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed before anything is read.
    Refuse,
    /// The request is read, and the connection closed without passing it on.
    ResetBefore,
    /// The request is passed on, and the connection closed in place of the answer.
    ResetAfter,
    /// The request is read and never answered.
    Stall,
    /// The request is passed on, and half of the answer comes back.
    Cut,
    /// The request is answered with this status and not passed on.
    Status(u16),
    /// The same with a web page.
    Page(u16),
    /// The request is passed on, and this status comes back in place of the answer.
    StatusAfter(u16),
}

pub struct Proxy {
    pub base_url: String,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A proxy in front of `http://HOST:PORT`.
    pub async fn before(base_url: &str) -> Self {
        let target: SocketAddr = base_url.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let faults = Arc::new(Mutex::new(VecDeque::new()));
        let queue = faults.clone();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fault = queue.lock().unwrap().pop_front();
                tokio::spawn(serve(stream, target, fault));
            }
        });
        Self { base_url, faults, server }
    }

    /// The next request is treated so. Every request has a connection of its own.
    pub fn next(&self, fault: Fault) {
        self.faults.lock().unwrap().push_back(fault);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(mut client: TcpStream, target: SocketAddr, fault: Option<Fault>) {
    if fault == Some(Fault::Refuse) {
        return;
    }
    let Some(request) = message(&mut client).await else { return };
    let passed_on = match fault {
        None | Some(Fault::ResetAfter | Fault::Cut | Fault::StatusAfter(_)) => forward(target, &request).await,
        _ => Vec::new(),
    };
    let answer = match fault {
        None => passed_on,
        Some(Fault::Cut) => passed_on[..passed_on.len() - passed_on.len() / 4].to_vec(),
        Some(Fault::Status(status) | Fault::StatusAfter(status)) => {
            format!("HTTP/1.1 {status} Fault\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
        }
        Some(Fault::Page(status)) => {
            let page = "<html>bad gateway</html>";
            let length = page.len();
            let head = format!("HTTP/1.1 {status} Fault\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n");
            format!("{head}connection: close\r\n\r\n{page}").into_bytes()
        }
        Some(Fault::Stall) => return std::future::pending().await,
        Some(Fault::Refuse | Fault::ResetBefore | Fault::ResetAfter) => return,
    };
    let _ = client.write_all(&answer).await;
}

/// Passes a request on over a connection of its own, and returns the whole answer.
async fn forward(target: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(target).await.unwrap();
    let text = String::from_utf8_lossy(request);
    let end = text.find("\r\n\r\n").unwrap();
    stream.write_all(&request[..end]).await.unwrap();
    stream.write_all(b"\r\nconnection: close").await.unwrap();
    stream.write_all(&request[end..]).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

/// One whole HTTP message.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if bytes.len() >= end + 4 + length.unwrap_or(0_usize) {
            return Some(bytes);
        }
    }
}
