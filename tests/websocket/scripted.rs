//! A WebSocket server that does as a test says.

use std::sync::Arc;

use tokio::net::{TcpSocket, TcpStream};
use tokio_websockets::{ServerBuilder, WebSocketStream};
use venuekit::deribit::{Client, ClientBuilder, Environment, WebSocketOptions};
use venuekit::transport::{RateLimits, RetryPolicy, Timeouts};

pub type Stream = WebSocketStream<TcpStream>;

/// A server that hands each connection to a function, with its number from 1. Returns its URL.
pub async fn serve<F>(each: impl Fn(Stream, u64) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    // Little is kept of what the server does not read.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(64).unwrap();
    let url = format!("ws://{}/ws/api/v2", listener.local_addr().unwrap());
    let each = Arc::new(each);
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            number += 1;
            let (each, number) = (each.clone(), number);
            tokio::spawn(async move {
                if let Ok((_, stream)) = ServerBuilder::new().accept(stream).await {
                    each(stream, number).await;
                }
            });
        }
    });
    url
}

/// A client of such a server: one attempt a call, and no heartbeat that the server would have to respond.
pub fn client(url: &str, timeouts: Timeouts, options: WebSocketOptions) -> ClientBuilder<Client> {
    Client::websocket(Environment::Custom(url.to_owned()))
        .retry(RetryPolicy::none())
        .rate_limits(RateLimits::none())
        .timeouts(timeouts)
        .websocket(options.heartbeat(None))
}

/// The response to a call, whose text is a JSON-RPC request.
pub fn answer(request: &str, result: &str) -> String {
    let request: serde_json::Value = serde_json::from_str(request).unwrap();
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, request["id"])
}
