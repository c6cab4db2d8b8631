//! The envelopes and error bodies that the venue uses side by side.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::message::Reply;
use crate::spec::{Problem, RequestPart};

/// `{success, message?, warning?, data}`: keys, assets, transactions.
#[derive(Serialize)]
pub(super) struct Success<T> {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
    data: T,
}

impl<T: Serialize> Success<T> {
    pub(super) fn of(data: T) -> Self {
        Self { success: true, message: None, warning: None, data }
    }

    pub(super) fn message(self, message: &'static str) -> Self {
        Self { message: Some(message), ..self }
    }

    pub(super) fn warning(self, warning: &'static str) -> Self {
        Self { warning: Some(warning), ..self }
    }

    pub(super) fn reply(self) -> Reply {
        Reply::json(200, &self)
    }
}

/// `{status: true, message, data}`: transfers and webhooks.
#[derive(Serialize)]
pub(super) struct Done<T> {
    pub(super) status: bool,
    pub(super) message: &'static str,
    pub(super) data: T,
}

impl<T: Serialize> Done<T> {
    pub(super) fn reply(message: &'static str, data: T) -> Reply {
        Reply::json(200, &Self { status: true, message, data })
    }
}

/// Why a call was refused: `{error, message, ...}`.
#[derive(Debug)]
pub(super) struct Failure {
    status: u16,
    body: Map<String, Value>,
}

impl Failure {
    fn new(status: u16, error: &str, message: impl Into<String>) -> Self {
        let mut body = Map::new();
        body.insert("error".to_owned(), json!(error));
        body.insert("message".to_owned(), json!(message.into()));
        Self { status, body }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.body.insert(name.to_owned(), value);
        self
    }

    pub(super) fn validation(field: &str, text: impl Into<String>) -> Self {
        let details = json!({ field: text.into() });
        Self::new(400, "validation_error", "The request is not valid").with("details", details)
    }

    /// A request that does not keep to its spec.
    pub(super) fn wrong(problem: &Problem) -> Self {
        let field = match (problem.place, problem.field()) {
            (RequestPart::Method | RequestPart::Path, _) => return Self::not_found(problem.to_string()),
            (RequestPart::ContentType, _) => "content-type",
            (_, "") => "body",
            (_, field) => field,
        };
        Self::validation(field, problem.to_string())
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self::new(401, "unauthorized", message)
    }

    /// What the venue responds where a key or its secret is wrong: another shape than all other errors.
    pub(super) fn invalid_key() -> Self {
        let mut body = Map::new();
        body.insert("success".to_owned(), json!(false));
        body.insert("error".to_owned(), json!("Invalid, expired, or revoked API key"));
        Self { status: 401, body }
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "forbidden", message)
    }

    pub(super) fn two_factor(error: &str, message: &str) -> Self {
        Self::new(403, error, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "not_found", message)
    }

    pub(super) fn conflict(existing_transaction_id: &str) -> Self {
        Self::new(409, "conflict", "This idempotency key was used for another transfer")
            .with("existing_transaction_id", json!(existing_transaction_id))
    }

    pub(super) fn insufficient_balance(available: &str) -> Self {
        Self::new(422, "insufficient_balance", "The wallet holds less than that")
            .with("details", json!({ "available_balance": available }))
    }

    pub(super) fn reply(self) -> Reply {
        Reply::json(self.status, &self.body)
    }
}
