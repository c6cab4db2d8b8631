//! The three shapes in which Kalshi refuses.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::exchange::Refused;
use crate::message::Reply;
use crate::spec::{Operation, Problem, RequestPart};

/// A response with a status of 400 or more.
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

    /// 404 for a path or a method that is not served.
    pub(super) fn nowhere(problem: &Problem) -> Self {
        Self::detailed(404, "not_found", &problem.to_string())
    }

    /// A request that does not keep to its spec.
    pub(super) fn wrong(operation: &Operation, problem: &Problem) -> Self {
        let details = problem.to_string();
        match problem.place {
            RequestPart::Method | RequestPart::Path => Self::nowhere(problem),
            RequestPart::Query => Self::query(&operation.id, problem.field(), &details),
            RequestPart::ContentType => Self::unreadable("invalid_content_type", &details),
            RequestPart::Json => Self::unreadable("bad_request", &details),
            // What has another type is not even read.
            _ if problem.wrong_type => Self::unreadable("bad_request", &details),
            _ => Self::invalid(&details),
        }
    }

    /// The flat shape of a body that cannot be read.
    pub(super) fn unreadable(code: &str, details: &str) -> Self {
        Self { status: 400, body: json!({"code": code, "message": code.replace('_', " "), "details": details}) }
    }

    /// The bare shape of a query that cannot be read.
    pub(super) fn query(operation: &str, parameter: &str, reason: &str) -> Self {
        let key = format!("Key: '{operation}Params.{}' Error: {reason}", field_name(parameter));
        Self { status: 400, body: json!({"msg": format!("Parameter validation failed for {operation}: {key}")}) }
    }

    /// Code, message and details, as they stand beside one order of a batch.
    pub(super) fn into_detail(mut self) -> Value {
        match self.body["error"].take() {
            Value::Null => self.body,
            nested => nested,
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        Reply::json(self.status, &self.body)
    }
}

/// What the exchange refuses, in the venue's words.
impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Duplicate => Self::new(409, "order_already_exists"),
            Refused::Crosses => Self::detailed(400, "invalid_order", "post only cross"),
            Refused::TooLittleVolume => Self::new(409, "fill_or_kill_insufficient_resting_volume"),
            Refused::TooLittleFunds => Self::new(400, "insufficient_balance"),
            Refused::NotResting => Self::not_found(),
            Refused::BelowFilled => {
                Self::detailed(400, "invalid_order_size", "the count is out of the range that the order allows")
            }
        }
    }
}

/// `min_close_ts` as the venue's messages write it: `MinCloseTs`.
fn field_name(parameter: &str) -> String {
    parameter.split('_').fold(String::new(), |mut name, word| {
        let (first, rest) = word.split_at(word.len().min(1));
        let _ = write!(name, "{}{rest}", first.to_uppercase());
        name
    })
}
