//! Refusals: `{"code", "msg"}` with a status of 400 and above.

use serde_json::{Value, json};

use crate::message::Reply;
use crate::spec::Problem;

/// What the venue refuses.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: i64,
    pub(super) message: String,
    /// Additional data of a refusal.
    pub(super) data: Option<Value>,
    /// Seconds after which the caller may retry.
    pub(super) retry_after: Option<i64>,
}

/// Whether an error says that key, time, signature or address were not accepted.
pub(crate) fn refuses_credentials(code: i64) -> bool {
    [-1002, -1021, -1022, -2014, -2015].contains(&code)
}

impl Refusal {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into(), data: None, retry_after: None }
    }

    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// A parameter that must be there is not, or cannot be read.
    pub(super) fn mandatory(name: &str) -> Self {
        Self::new(-1102, format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."))
    }

    /// A parameter was sent without a value.
    pub(super) fn empty(name: &str) -> Self {
        Self::new(-1105, format!("Parameter '{name}' was empty."))
    }

    /// A parameter does not belong to what the others ask for.
    pub(super) fn not_required(name: &str) -> Self {
        Self::new(-1106, format!("Parameter '{name}' sent when not required."))
    }

    pub(super) fn illegal(name: &str, range: &str) -> Self {
        let message = format!("Illegal characters found in parameter '{name}'; legal range is '{range}'.");
        Self::new(-1100, message)
    }

    pub(super) fn invalid(name: &str) -> Self {
        Self::new(-1130, format!("Data sent for parameter '{name}' is not valid."))
    }

    /// Parameters that exclude each other, or lack each other.
    pub(super) fn combination(advice: &str) -> Self {
        Self::new(-1128, format!("Combination of optional parameters invalid. Recommendation: '{advice}'"))
    }

    pub(super) fn symbol() -> Self {
        Self::new(-1121, "Invalid symbol.")
    }

    /// An order is refused by a rule of its market.
    pub(super) fn filter(name: &str) -> Self {
        Self::new(-1013, format!("Filter failure: {name}"))
    }

    /// An order is refused for a reason that only the text names.
    pub(super) fn order(message: &str) -> Self {
        Self::new(-2010, message)
    }

    pub(super) fn unknown_order() -> Self {
        Self::new(-2011, "Unknown order sent.")
    }

    pub(super) fn no_order() -> Self {
        Self::new(-2013, "Order does not exist.")
    }

    /// Key, address or permission: the venue does not say which.
    pub(super) fn key() -> Self {
        Self::new(-2015, "Invalid API-key, IP, or permissions for action.").with_status(401)
    }

    pub(super) fn wrong(problem: &Problem) -> Self {
        let name = problem.at.rsplit('/').next().unwrap_or_default();
        if problem.reason == "is required" {
            return Self::mandatory(name);
        }
        Self::new(-1130, format!("Data sent for parameter '{name}' is not valid. {problem}"))
    }

    /// As the WebSocket API says it.
    pub(super) fn error(&self) -> Value {
        let mut error = json!({"code": self.code, "msg": self.message});
        if let Some(data) = &self.data {
            error["data"] = data.clone();
        }
        error
    }

    pub(super) fn into_reply(self) -> Reply {
        let reply = Reply::json(self.status, &self.error());
        match self.retry_after {
            Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
            None => reply,
        }
    }
}
