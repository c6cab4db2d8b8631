//! The WebSocket connections that are open, and what the venue remembers of each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::mpsc;

use super::channels::Pace;
use super::feeds::Feed;
use super::limit::Spender;
use super::state::State;
use crate::stream::Cut;

/// So many frames may wait for a client that does not read; then its connection is cut, as the venue does.
const MAX_WAITING: usize = 4096;

/// What a connection is to send.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// A notification.
    Notification(String),
    /// An answer that was kept back for a while.
    Answer(String),
    /// Nothing yet: channels of a pace are due after its pause.
    FlushAfterPause(Pace),
    /// Nothing itself: what is due on channels of a pace.
    Flush(Pace),
}

/// An open connection.
pub(super) struct Connection {
    outgoing: mpsc::Sender<Outgoing>,
    cut: Cut,
    pub(super) login: Option<ConnectionLogin>,
    /// What it hears, by channel.
    pub(super) feeds: BTreeMap<String, Feed>,
    /// The paces at which something is going to be told.
    pub(super) planned: BTreeSet<Pace>,
    pub(super) heartbeat: Option<Duration>,
    pub(super) cancels_on_disconnect: bool,
    /// Whether it was logged out, which cancels nothing.
    pub(super) is_leaving: bool,
}

/// Who a connection is logged in as.
pub(super) struct ConnectionLogin {
    pub(super) access_token: String,
    pub(super) account: usize,
}

impl Connection {
    /// Puts a frame into the queue. Whoever reads too slowly loses the connection.
    pub(super) fn send(&self, outgoing: Outgoing) {
        if self.outgoing.try_send(outgoing).is_err() {
            self.cut.cut();
        }
    }
}

impl State {
    /// Remembers a new connection: its number, what puts frames into its queue, and the queue.
    pub(super) fn connect(&mut self, cut: Cut) -> (u64, mpsc::Sender<Outgoing>, mpsc::Receiver<Outgoing>) {
        let (outgoing, queue) = mpsc::channel(MAX_WAITING);
        self.last_connection += 1;
        let connection = Connection {
            outgoing: outgoing.clone(),
            cut,
            login: None,
            feeds: BTreeMap::new(),
            planned: BTreeSet::new(),
            heartbeat: None,
            cancels_on_disconnect: false,
            is_leaving: false,
        };
        self.connections.insert(self.last_connection, connection);
        (self.last_connection, outgoing, queue)
    }

    /// Forgets a connection and what ends with it: its tokens, and its orders where that was asked for.
    pub(super) fn disconnect(&mut self, number: u64) {
        let Some(connection) = self.connections.remove(&number) else { return };
        self.end_connection_logins(number);
        if connection.cancels_on_disconnect && !connection.is_leaving {
            self.cancel_orders_of(number);
        }
    }

    /// Cuts all connections. Returns how many there were.
    pub(super) fn cut_connections(&mut self) -> usize {
        let open: Vec<u64> = self.connections.keys().copied().collect();
        for number in &open {
            if let Some(connection) = self.connections.get(number) {
                connection.cut.cut();
            }
            self.disconnect(*number);
        }
        open.len()
    }

    /// Whose calls a connection's calls count among.
    pub(super) fn spender(&self, connection: Option<u64>) -> Spender {
        match connection {
            None => Spender::Stranger,
            Some(number) => match self.connections.get(&number).and_then(|connection| connection.login.as_ref()) {
                Some(login) => Spender::Account(login.account),
                None => Spender::Connection(number),
            },
        }
    }
}
