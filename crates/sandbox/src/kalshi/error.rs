//! The three shapes in which Kalshi refuses.

use serde_json::{Value, json};

use crate::message::Reply;

/// An answer with a status of 400 or more.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    body: Value,
}

impl Refusal {
    /// The nested shape, with the code's own words as the message.
    pub(super) fn new(status: u16, code: &str) -> Self {
        Self { status, body: json!({"error": {"code": code, "message": code.replace('_', " ")}}) }
    }

    /// The nested shape with details.
    pub(super) fn detailed(status: u16, code: &str, details: &str) -> Self {
        let mut refusal = Self::new(status, code);
        refusal.body["error"]["details"] = details.into();
        refusal
    }

    /// 401 for a key that is not known or did not sign.
    pub(super) fn authentication(details: &str) -> Self {
        let code = "authentication_error";
        Self { status: 401, body: json!({"error": {"code": code, "message": code, "details": details}}) }
    }

    /// 403 with a sentence.
    pub(super) fn forbidden(message: &str) -> Self {
        Self { status: 403, body: json!({"error": {"code": "forbidden", "message": message}}) }
    }

    /// 400 for a value that makes no sense, in the nested shape.
    pub(super) fn invalid(details: &str) -> Self {
        Self::detailed(400, "invalid_parameters", details)
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "not_found")
    }

    /// The flat shape of a body that cannot be read.
    pub(super) fn unreadable(code: &str, details: &str) -> Self {
        Self { status: 400, body: json!({"code": code, "message": code.replace('_', " "), "details": details}) }
    }

    /// The bare shape of a query that cannot be read.
    pub(super) fn query(operation: &str, field: &str, rule: &str) -> Self {
        let key = format!("Key: '{operation}Params.{field}' Error: the rule '{rule}' does not hold");
        Self { status: 400, body: json!({"msg": format!("Parameter validation failed for {operation}: {key}")}) }
    }

    pub(super) fn into_reply(self) -> Reply {
        Reply::json(self.status, &self.body)
    }
}
