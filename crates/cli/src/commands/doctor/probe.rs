//! Calls that change nothing, by the venue's spec (`x-probes`).

use serde_json::Value;
use venuekit_transport::{Error, ErrorKind, Response};
use venuekit_wire::credentials::Probe;

use super::symptom;
use crate::client::{Client, RetryMode};
use crate::credential::Credential;
use crate::failure::Failure;
use crate::lookup;
use crate::request::RequestBuilder;
use crate::target::Target;

/// A client that shows what is wrong: it neither retries nor follows the venue's clock, unless it is given the offset.
pub fn client(target: &Target, credential: &Credential, offset_millis: i64) -> Result<Client, Failure> {
    let client = Client::new(target, credential, RetryMode::Plain)?;
    client.clock().set_offset_millis(offset_millis);
    Ok(client)
}

/// Whether a response is one to that call. What is between here and the venue may respond to anything with a success status.
pub fn fits(probe: &Probe, response: &Response) -> bool {
    match serde_json::from_slice::<Value>(response.body()) {
        Ok(Value::Object(found)) => probe.members.iter().any(|member| found.contains_key(*member)),
        Ok(Value::Number(_)) => probe.members.is_empty(),
        _ => false,
    }
}

/// Whether a response proves what the call is for: all that is vital is in it. Where the call finds nothing, only the venue's own
/// refusal proves something.
pub fn proves(probe: &Probe, response: &Response) -> bool {
    let Ok(found) = serde_json::from_slice::<Value>(response.body()) else { return false };
    let has = |member: &&str| found.get(*member).is_some_and(|value| !value.is_null());
    let has_list = probe.list.is_empty() || probe.list.iter().any(|at| found.pointer(at).is_some_and(Value::is_array));
    !probe.finds_nothing && (found.is_object() || !probe.list.is_empty()) && probe.members.iter().all(has) && has_list
}

/// Makes the call. The response, where there is one.
pub async fn send(target: &Target, client: &Client, probe: &Probe) -> Result<Option<Response>, Error> {
    let request = || {
        let found = lookup::operation(target.venue, probe.operation)?;
        let arguments: Vec<String> = probe.with.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok::<_, Failure>((found.row.id, RequestBuilder::read(&found, &arguments, None, false)?.request(&found)?))
    };
    let (operation, request) = request().map_err(|failure| Error::invalid_request(failure.to_string()))?;
    match client.send(operation, &request).await {
        Ok(response) => Ok(Some(response)),
        Err(error) if probe.finds_nothing && error.kind() == ErrorKind::NotFound && is_of_venue(probe, &error) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether the venue itself says that nothing was found. To see that it is reached, any JSON will do.
fn is_of_venue(probe: &Probe, error: &Error) -> bool {
    if probe.proves.is_empty() { symptom::is_json(error) } else { error.has_known_code() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::Venue;

    #[test]
    fn each_probe_is_an_operation_that_accepts_its_arguments() {
        for venue in Venue::all() {
            let probes = venue.table().credentials.probes;
            let reach = probes.reach.unwrap_or_else(|| panic!("{venue}: nothing shows that it is reached"));
            assert!(!probes.key.is_empty(), "{venue}: nothing proves a key");
            for probe in probes.key.iter().chain([&reach]) {
                let found = lookup::operation(venue, probe.operation).unwrap();
                let arguments: Vec<String> = probe.with.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let request = RequestBuilder::read(&found, &arguments, None, false).unwrap().request(&found);
                assert!(request.is_ok(), "{venue} {}", probe.operation);
                assert!(!found.is_write() || probe.finds_nothing, "{venue} {} changes something", probe.operation);
            }
            assert!(lookup::operation(venue, reach.operation).unwrap().is_public(), "{venue}");
            if let Some(enable) = venue.keys().and_then(|keys| keys.enable) {
                let found = lookup::operation(venue, enable.operation).unwrap();
                let arguments = [format!("{}=5", enable.id.name)];
                let given = RequestBuilder::read(&found, &arguments, None, false).unwrap();
                assert!(given.request(&found).is_ok(), "{venue} {}", enable.operation);
            }
        }
    }
}
