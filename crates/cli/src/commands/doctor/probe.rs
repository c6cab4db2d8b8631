//! Calls that change nothing.

use serde_json::Value;
use venuekit_transport::{Error, ErrorKind, Response};

use super::facts::Probe;
use super::symptom;
use crate::client::{Client, RetryMode};
use crate::credential::Credential;
use crate::failure::Failure;
use crate::lookup;
use crate::request::Given;
use crate::target::Target;

/// A client that shows what is wrong: it neither repeats nor follows the venue's clock, unless it is told the offset.
pub fn client(target: &Target, credential: &Credential, offset_millis: i64) -> Result<Client, Failure> {
    let client = Client::new(target, credential, RetryMode::Plain)?;
    client.clock().set_offset_millis(offset_millis);
    Ok(client)
}

/// Whether an answer is one to that call. Whatever stands in between may answer anything with a good status.
pub fn fits(probe: &Probe, response: &Response) -> bool {
    match serde_json::from_slice::<Value>(response.body()) {
        Ok(Value::Object(answer)) => probe.members.iter().any(|member| answer.contains_key(*member)),
        Ok(Value::Number(_)) => probe.members.is_empty(),
        _ => false,
    }
}

/// Whether an answer proves what the call is for: all that is vital in it is there. Where nothing is to be found, nothing proves
/// but the venue's own refusal.
pub fn proves(probe: &Probe, response: &Response) -> bool {
    let Ok(answer) = serde_json::from_slice::<Value>(response.body()) else { return false };
    let is_there = |member: &&str| answer.get(*member).is_some_and(|value| !value.is_null());
    // A member that may be in one of several places was found by the spec's `x-vital`.
    !probe.finds_nothing && answer.is_object() && probe.members.iter().all(is_there)
}

/// Makes the call. The answer, where there is one to be had.
pub async fn send(target: &Target, client: &Client, probe: &Probe) -> Result<Option<Response>, Error> {
    let request = || {
        let found = lookup::operation(target.venue, probe.operation)?;
        let arguments: Vec<String> = probe.arguments.iter().map(|one| (*one).to_owned()).collect();
        Ok::<_, Failure>((found.row.id, Given::read(&found, &arguments, None, false)?.request(&found)?))
    };
    let (operation, request) = request().map_err(|failure| Error::invalid_request(failure.to_string()))?;
    match client.send(operation, &request).await {
        Ok(response) => Ok(Some(response)),
        Err(error) if probe.finds_nothing && error.kind() == ErrorKind::NotFound && is_answer(probe, &error) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether the venue itself says that there is no such thing. To see that it is there at all, any JSON will do.
fn is_answer(probe: &Probe, error: &Error) -> bool {
    if probe.proves.is_empty() { symptom::is_json(error) } else { error.has_known_code() }
}
