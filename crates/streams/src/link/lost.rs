//! Why there is no connection, for the hub.

use std::time::Duration;

use venuekit_transport::client::Session;
use venuekit_transport::streaming::websocket;
use venuekit_transport::{Error, ErrorKind, LostHow};

use crate::hub::io::{Lost, LostCause};

/// After a credential was refused that had been good before, the venue is left alone for so long.
const REFUSED: Duration = Duration::from_secs(30);

/// A connection that could not be opened. `was_open` says whether the same endpoint has been open before: then a refusal may pass.
pub(super) fn failed(session: &Session, error: &Error, was_open: bool) -> Lost {
    let is_refused = matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden);
    // What is refused before anything is sent is refused again.
    let is_ours = error.kind() == ErrorKind::InvalidRequest && error.status().is_none();
    let asked = error.retry_after();
    let retry_after = if is_refused { Some(asked.unwrap_or_default().max(REFUSED)) } else { asked };
    let text = session.redacted(&error.to_string());
    let cause = if is_refused { LostCause::Refused(text) } else { LostCause::Failed(text) };
    Lost { cause, is_final: is_ours || (is_refused && !was_open), retry_after }
}

/// A login that the venue refused on an open connection.
pub(super) fn refused(why: String, was_open: bool) -> Lost {
    Lost { cause: LostCause::Refused(why), is_final: !was_open, retry_after: Some(REFUSED) }
}

/// A connection that was open.
pub(super) fn ended(cause: LostCause) -> Lost {
    Lost { cause, is_final: false, retry_after: None }
}

/// What broke a connection.
pub(super) fn broken(error: &websocket::Error) -> LostCause {
    match error {
        websocket::Error::Io(_) => LostCause::Cut,
        websocket::Error::PayloadTooLong { max_len, .. } => LostCause::Failed(format!(
            "a message has more than {max_len} bytes; raise `max_answer` if this is expected"
        )),
        error => LostCause::Failed(format!("it broke ({error})")),
    }
}

/// How a connection of the calls ended.
pub(super) fn of_calls(session: &Session, reason: &str, how: &LostHow) -> LostCause {
    match how {
        LostHow::Closed { code, reason } => LostCause::Closed { code: *code, text: session.redacted(reason) },
        LostHow::Cut => LostCause::Cut,
        LostHow::Silent => LostCause::Silent,
        LostHow::Other => LostCause::Failed(session.redacted(reason)),
    }
}
