//! A server that is not there.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port at which nobody listens, and that nobody else gets as long as this lives: a port that was merely found free is given to the
/// next one who asks, in this program or in another.
pub struct Nowhere(TcpSocket);

impl Nowhere {
    pub fn new() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap())
    }

    /// At the port of a server that has just been closed.
    pub fn at(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        Self(socket)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }
}
