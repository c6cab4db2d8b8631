//! A call as a message on a connection: its method, its params, and what proves who calls.

use venuekit_auth::described::{CallParam, add_params};
use venuekit_wire::operation::{Envelope, ErrorKind, Operation, Venue, WebSocket};

use crate::call::{Call, object};
use crate::clock::Clock;
use crate::commands::{self, CommandCall};
use crate::envelope;
use crate::error::Error;
use crate::jsonrpc;
use crate::key_ring::{Credential, KeyRing};
use crate::logon::{MessageSigner, logs_on};

/// A call that travels as a message.
pub(crate) enum MessageCall {
    /// With the envelope of JSON-RPC 2.0. The login of the connection identifies the caller.
    JsonRpc { params: String, needs_login: bool },
    /// With an envelope that the spec describes.
    Described(DescribedCall),
    /// As a command.
    Command(CommandCall),
}

/// A call of a venue whose spec describes the envelope.
pub(crate) struct DescribedCall {
    envelope: &'static Envelope,
    method: &'static str,
    params: Vec<CallParam<'static>>,
    proof: Proof,
}

/// What proves who calls.
enum Proof {
    /// A public call.
    Nothing,
    /// The log-on of the connection. The call adds these parameters.
    Logon(&'static [(&'static str, &'static str)]),
    /// A signature of its own.
    Signature(MessageSigner),
}

impl MessageCall {
    /// A call of a venue with JSON-RPC, with these params.
    pub(crate) fn json_rpc(operation: &'static Operation, params: String, ring: &KeyRing) -> Result<Self, Error> {
        Ok(Self::JsonRpc { params, needs_login: ring.needs_login(operation)? })
    }

    /// A call of a venue whose spec describes the messages.
    pub(crate) fn described(venue: &'static Venue, call: &mut Call, ring: &KeyRing) -> Result<Self, Error> {
        let operation = call.operation();
        let refused = |message: String| Error::before_sending(operation, ErrorKind::InvalidRequest, message);
        let missing = || {
            refused("the venue has no such call over a WebSocket: make it with a client of `Client::builder`".into())
        };
        let method = operation.rpc_method.ok_or_else(missing)?;
        if !call.headers.is_empty() {
            return Err(refused("a header of the call cannot be sent over a WebSocket".to_owned()));
        }
        if let Some(words) = commands::of(venue) {
            return Ok(Self::Command(CommandCall::new(words, method, call, ring)?));
        }
        let described = venue.websocket.as_ref().and_then(|websocket| Some((websocket, websocket.envelope.as_ref()?)));
        let (websocket, envelope) = described.ok_or_else(missing)?;
        let params = call.params().map_err(refused)?;
        let proof = proof(venue, websocket, operation, ring)?;
        Ok(Self::Described(DescribedCall { envelope, method, params, proof }))
    }

    /// Whether the connection must be logged in first.
    pub(crate) fn needs_login(&self) -> bool {
        match self {
            Self::JsonRpc { needs_login, .. } => *needs_login,
            Self::Described(call) => matches!(call.proof, Proof::Logon(_)),
            Self::Command(call) => call.needs_login(),
        }
    }

    /// Whether it relies on a log-on that the venue may end by itself.
    pub(crate) fn is_logged_on(&self) -> bool {
        matches!(self, Self::Described(DescribedCall { proof: Proof::Logon(_), .. }))
    }

    /// Whether the time is part of it, so that it is written when it is sent and no earlier.
    pub(crate) fn has_time(&self) -> bool {
        match self {
            Self::JsonRpc { .. } => false,
            Self::Described(call) => !matches!(call.proof, Proof::Nothing),
            Self::Command(call) => call.has_time(),
        }
    }

    /// The params, for a call that changes a setting of its connection.
    pub(crate) fn params(&self) -> Option<&str> {
        match self {
            Self::JsonRpc { params, .. } => Some(params),
            Self::Described(_) | Self::Command(_) => None,
        }
    }

    /// The request with this id, signed now where it carries a signature.
    pub(crate) fn write(
        &self,
        venue: &'static Venue,
        operation: &'static Operation,
        clock: &Clock,
        id: u64,
    ) -> Result<String, Error> {
        match self {
            Self::JsonRpc { params, .. } => jsonrpc::envelope(venue, operation, id, params),
            Self::Command(call) => call.write(operation, clock.now(), id),
            Self::Described(call) => {
                let mut params = Vec::with_capacity(call.params.len() + 4);
                params.extend(call.params.iter().map(CallParam::by_ref));
                match &call.proof {
                    Proof::Nothing => {}
                    Proof::Logon(adds) => add_params(adds, "", clock.now().get(), &mut params),
                    Proof::Signature(MessageSigner { signer, call }) => signer
                        .sign_params(call, &mut params, clock.now().get())
                        .map_err(|error| Error::from(error).within(operation))?,
                }
                Ok(envelope::request(call.envelope, call.method, id, &object(&params)))
            }
        }
    }
}

/// What proves who calls, for a call of this operation by a client with these credentials.
fn proof(
    venue: &'static Venue,
    websocket: &'static WebSocket,
    operation: &'static Operation,
    ring: &KeyRing,
) -> Result<Proof, Error> {
    let unauthorized = |message: &str| Error::before_sending(operation, ErrorKind::Unauthorized, message);
    let logon = logs_on(venue, ring);
    if operation.on_connection.is_some_and(|on| on.needs_logon) {
        return match logon {
            Some(_) => Ok(Proof::Logon(&[])),
            None => Err(unauthorized("this operation needs a key that can log a connection on")),
        };
    }
    let way = ring.way(operation, false)?;
    let Some(call) = way.iter().find_map(|name| websocket.signed_by(name)) else { return Ok(Proof::Nothing) };
    let signs_itself = operation.on_connection.is_some_and(|on| on.own_signature);
    match logon {
        Some((logon, _)) if logon.operation != operation.id && !signs_itself => return Ok(Proof::Logon(logon.adds)),
        _ => {}
    }
    match ring.by_name.get(call.credential) {
        Some(Credential::Signer(signer)) if signer.key_type().is_some() => {
            Ok(Proof::Signature(MessageSigner { signer: signer.clone(), call }))
        }
        _ => Err(unauthorized("the client's credential cannot sign calls over a WebSocket")),
    }
}
