//! The console: a page in the browser that shows requests, state and reference documentation, and injects faults.
//!
//! Everything is below [`PREFIX`] and a random token, which only the person who started the sandbox knows. The page consists of
//! embedded files and makes no request to any other server.

mod api;
mod assets;
mod call;
mod credentials;
mod entries;
mod events;
mod guard;
mod samples;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::make::random_text;
use crate::venues::Venues;

/// The beginning of every path of the console. No venue has such a path.
pub(crate) const PREFIX: &str = "/_console";
/// A longer body is not read.
const BODY_LIMIT: usize = 1024 * 1024;

/// The headers of every response: nothing is loaded from elsewhere, framed elsewhere or kept.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// A token that nobody can guess.
pub(crate) fn new_token() -> String {
    random_text(32)
}

/// Serves a request below [`PREFIX`].
pub(crate) async fn serve(
    venues: &Arc<Venues>,
    token: &str,
    address: SocketAddr,
    request: http::Request<Body>,
) -> Response {
    let mut response = match guard::check(&request, token, address) {
        Ok(path) => {
            let path = path.to_owned();
            let (parts, body) = request.into_parts();
            match axum::body::to_bytes(body, BODY_LIMIT).await {
                Ok(body) => api::answer(venues, address, &path, &parts, &body).await,
                Err(_) => refusal(413, "the body is larger than 1 MiB"),
            }
        }
        Err(refused) => *refused,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A response with an error in it.
fn refusal(status: u16, message: impl Into<String>) -> Response {
    json_response(status, &json!({"error": message.into()}))
}

fn json_response(status: u16, body: &impl Serialize) -> Response {
    text_response(status, "application/json", serde_json::to_string(body).expect("the console writes plain JSON"))
}

/// A response whose document is cleared of secrets first.
fn masked_response(venues: &Venues, body: &impl Serialize) -> Response {
    let mut value: Value = serde_json::to_value(body).expect("the console writes plain JSON");
    venues.secrets.mask_json(&mut value);
    json_response(200, &value)
}

fn text_response(status: u16, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).expect("the console names valid statuses");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
