//! What is said over a WebSocket: calls in, answers and notifications out.

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use axum::response::Response;
use hyper::upgrade::OnUpgrade;

use super::Deribit;
use crate::faults::Fault;
use crate::message::Request;
use crate::stream::Disconnector;
use crate::streams::handshake::Handshake;
use crate::streams::{CloseReason, ConnectionHandler, ConnectionSetup, serve};
use crate::venues::Venue;

/// Answers a handshake, and serves the connection that it opens.
pub(crate) fn open_websocket(
    deribit: &Arc<Deribit>,
    request: &Request,
    upgrade: Option<OnUpgrade>,
    cut: Disconnector,
) -> Response {
    let handshake = match Handshake::read(request, upgrade) {
        Ok(handshake) => handshake,
        Err(refusal) => return *refusal,
    };
    // It counts as open before the caller can know of it.
    let seat = deribit.seat(cut);
    let deribit = Arc::clone(deribit);
    handshake.accept(move |io| async move {
        match io {
            Some(io) => serve(&*deribit, seat, io).await,
            None => deribit.disconnect(seat.connection),
        }
    })
}

impl ConnectionHandler for Deribit {
    fn on_message(&self, connection: u64, text: &str) -> ControlFlow<CloseReason> {
        let call = self.read(text);
        let (pending, request) = self.arrive(call.method(), text);
        let fault = call.method().and_then(|method| self.fault_of_message(method));
        if let Some(fault) = &fault {
            pending.fault(fault);
        }
        let is_lost = matches!(fault, Some(Fault::DropAfter | Fault::SilenceAfter));
        let mut sent = None;
        let flow = match fault {
            Some(Fault::DropBefore) => Break(CloseReason::Abort),
            Some(Fault::SilenceBefore) => Continue(()),
            fault => self.carry_out(connection, call, fault, &mut sent),
        };
        if let Some(sent) = sent {
            let is_accepted = !Venue::Deribit.refuses_credentials(&sent);
            let id = pending.id;
            if !is_lost {
                pending.respond(sent);
            }
            let evidence = self.inspect_message(connection, &request, self.clock.millis());
            let requests = self.requests.clone();
            // Explaining a signature takes a while, and must not delay the connection.
            tokio::task::spawn_blocking(move || requests.inspected(id, evidence.explain(), is_accepted));
        }
        flow
    }

    fn tick(&self, connection: u64) {
        self.state().tick(connection);
    }

    fn disconnect(&self, connection: u64) {
        let mut state = self.state();
        state.disconnect(connection);
        state.publish();
    }
}

impl Deribit {
    fn seat(&self, cut: Disconnector) -> ConnectionSetup {
        let (connection, outbox) = self.state().connect(cut, self.faults.clone(), &self.log);
        ConnectionSetup { venue: "deribit", connection, outbox, log: self.log.clone(), ping: None, joins: false }
    }
}
