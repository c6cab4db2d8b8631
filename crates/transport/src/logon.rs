//! The log-on of a connection by a signed call, where a venue has that (`x-websocket.logon`).

use std::fmt;
use std::sync::{Arc, Weak};

use venuekit_auth::{Parts, SignError, Signed, Signer};
use venuekit_wire::operation::{Logon, Operation, SignedCall, Venue};

use crate::call::Call;
use crate::commands;
use crate::error::Error;
use crate::key_ring::{Credential, KeyRing};
use crate::retry::RetryPolicy;
use crate::session::{Channel, MakeGrant, Session};
use crate::token::{Grant, GrantFuture, Token};

/// A credential that signs the params of messages.
#[derive(Clone)]
pub(crate) struct MessageSigner {
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) call: &'static SignedCall,
}

/// The credential with which this client logs a connection on, where the venue has that and the key can do it.
pub(crate) fn logs_on(venue: &'static Venue, ring: &KeyRing) -> Option<(&'static Logon, MessageSigner)> {
    let websocket = venue.websocket.as_ref()?;
    let logon = websocket.logon.as_ref()?;
    let signer = websocket.signed.iter().find_map(|call| match ring.by_name.get(call.credential) {
        Some(Credential::Signer(signer)) if signer.key_type().is_some_and(|key| logon.keys.contains(&key)) => {
            Some(MessageSigner { signer: signer.clone(), call })
        }
        _ => None,
    })?;
    Some((logon, signer))
}

impl Session {
    /// Whether a connection of this client is logged on by a call, so that its calls are not signed.
    #[doc(hidden)]
    pub fn logs_on(&self) -> bool {
        logs_on(self.venue(), &self.shared.credentials).is_some()
    }
}

/// What logs on connections of a client with these credentials.
pub(crate) fn grant(venue: &'static Venue, ring: &KeyRing) -> Option<MakeGrant> {
    let (operation, done) = match commands::of(venue) {
        Some(words) => commands::logs_on(words, ring).map(|_| (words.logon.operation, words.logon.done))?,
        None => (logs_on(venue, ring)?.0.operation, &[][..]),
    };
    let operation = venue.operation(operation)?;
    let ring = ring.clone();
    Some(Arc::new(move |anonymous: Session| {
        let Channel::Connection(connection) = &anonymous.shared.channel else { return Box::new(NoConnection) };
        let channel = Channel::Connection(Weak::clone(connection));
        let session = Session::new(anonymous.shared.common.clone(), ring.clone(), RetryPolicy::none(), channel);
        Box::new(LogonGrant { session, operation, done })
    }))
}

struct LogonGrant {
    session: Session,
    operation: &'static Operation,
    /// Codes that say that the connection is logged on already.
    done: &'static [&'static str],
}

impl Grant for LogonGrant {
    fn fetch(&self) -> GrantFuture<'_> {
        Box::pin(async {
            match self.session.send(Call::new(self.operation)).await {
                Err(error) if !error.code().is_some_and(|code| self.done.contains(&code)) => Err(error),
                Ok(_) | Err(_) => Ok(Token::new(NoSignature, Vec::new())),
            }
        })
    }
}

/// A client that is not bound to a connection cannot log one on.
struct NoConnection;

impl Grant for NoConnection {
    fn fetch(&self) -> GrantFuture<'_> {
        Box::pin(async { Err(Error::invalid_request("a log-on belongs to a connection")) })
    }
}

/// Calls on a connection that is logged on carry no signature.
struct NoSignature;

impl fmt::Debug for NoSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoSignature")
    }
}

impl Signer for NoSignature {
    fn sign(&self, _: &Parts<'_>, _: i64) -> Result<Signed, SignError> {
        Ok(Signed::default())
    }
}
