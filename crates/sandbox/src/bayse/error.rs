//! How Bayse refuses.

use serde_json::{Value, json};

use crate::message::Reply;
use crate::spec::{Problem, RequestPart};

/// A response with a status of 400 or more.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    body: Value,
}

impl Refusal {
    pub(super) fn new(status: u16, error: &str, message: &str) -> Self {
        Self { status, body: json!({"error": error, "message": message, "statusCode": status}) }
    }

    /// 400 for what cannot be read or makes no sense.
    pub(super) fn bad_request(message: &str) -> Self {
        Self::new(400, "bad_request", message)
    }

    /// 400 for a field whose value is not allowed.
    pub(super) fn invalid(message: &str) -> Self {
        Self::new(400, "validation_error", message)
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self::new(401, "unauthorized", message)
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", &format!("{what} not found"))
    }

    /// A request that does not keep to its spec.
    pub(super) fn wrong(problem: &Problem) -> Self {
        let message = problem.to_string();
        match problem.place {
            RequestPart::Method | RequestPart::Path => Self::new(404, "not_found", &message),
            RequestPart::ContentType | RequestPart::Json => Self::bad_request(&message),
            // What has another type is not even read.
            RequestPart::Body if problem.wrong_type => Self::bad_request(&message),
            _ => Self::invalid(&message),
        }
    }

    /// The other shape, which only login has.
    pub(super) fn login_limit(seconds: i64) -> Self {
        Self {
            status: 429,
            body: json!({"message": "too many login attempts, try again later", "retryAfter": seconds}),
        }
    }

    pub(super) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    pub(super) fn into_reply(self) -> Reply {
        Reply::json(self.status, &self.body)
    }
}
