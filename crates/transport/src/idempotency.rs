//! Idempotency keys: one a call, the same in every attempt.

use std::borrow::Cow;
use std::collections::HashMap;

use http::{HeaderName, HeaderValue};
use reqwest::{Body, Request};
use serde_json::value::RawValue;
use uuid::Uuid;
use venuekit_wire::operation::{Key, Operation, Retry};

use crate::jsonrpc::with_members;

/// The call's key: the caller's, or a new one that is put on the request. None for an operation that takes no key.
pub(crate) fn key_of(request: &mut Request, operation: &Operation) -> Option<String> {
    let Retry::Keyed(place) = operation.retry else { return None };
    match place {
        Key::Header(name) => {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            if let Some(given) = request.headers().get(&name) {
                return Some(given.to_str().ok()?.to_owned());
            }
            let key = Uuid::new_v4().to_string();
            request.headers_mut().insert(name, HeaderValue::from_str(&key).ok()?);
            Some(key)
        }
        Key::Field(name) => {
            let body = request.body().and_then(Body::as_bytes)?;
            let body = std::str::from_utf8(body).ok()?;
            let members: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(body).ok()?;
            if let Some(given) = members.get(name) {
                return serde_json::from_str(given.get()).ok();
            }
            let key = Uuid::new_v4().to_string();
            // The members' own text is kept: a number must reach the venue digit by digit.
            let body = with_members(body, &format!(r#""{name}":"{key}""#));
            *request.body_mut() = Some(body.into());
            Some(key)
        }
    }
}
