//! Members of a response, one of which must be there: what a type with optional members only cannot say.

use std::collections::HashMap;

use serde_json::value::RawValue;
use venuekit_wire::operation::ErrorKind;

use crate::error::Error;
use crate::response::Response;

/// The response, if it has one of the members that its spec calls vital. Anything else with a good status proves nothing.
pub(crate) fn checked(response: Response) -> Result<Response, Error> {
    let vital = response.operation.vital;
    if vital.is_empty() {
        return Ok(response);
    }
    let top: HashMap<String, &RawValue> = serde_json::from_slice(&response.body).unwrap_or_default();
    if vital.iter().any(|member| top.get(*member).is_some_and(|value| value.get() != "null")) {
        return Ok(response);
    }
    let message = format!("the response has none of the members `{}`", vital.join("`, `"));
    Err(Error::of_response(&response, ErrorKind::Decode, message))
}
