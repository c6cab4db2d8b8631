//! Calls that prove something and change nothing (`x-probes`).

use venuekit_wire::credentials::Probe;
use venuekit_wire::operation::ErrorKind;

use super::request::Request;
use crate::error::Error;
use crate::session::Session;

/// Makes the call. A good response proves what the table says.
///
/// # Errors
/// The venue's refusal, or a response that proves nothing.
pub async fn probe(session: &Session, probe: &Probe) -> Result<(), Error> {
    let mut request = Request::new(session, probe.operation)?;
    for (name, value) in probe.with {
        request.set_named(name, value);
    }
    let answer = match request.send(session).await {
        // Nobody else than the venue has this code.
        Err(error) if probe.finds_nothing && error.kind() == ErrorKind::NotFound && error.has_known_code() => {
            return Ok(());
        }
        Err(error) => return Err(error),
        Ok(answer) if probe.finds_nothing => {
            return Err(answer.incomplete("what does not exist was found: this is not the venue"));
        }
        Ok(answer) => answer,
    };
    let is_missing = |name: &&&str| answer.value.get(**name).is_none_or(serde_json::Value::is_null);
    if let Some(name) = probe.members.iter().find(is_missing) {
        return Err(answer.lacks(&format!("`{name}`")));
    }
    if !probe.list.is_empty() && answer.list(probe.list).is_none() {
        return Err(answer.lacks("list"));
    }
    Ok(())
}
