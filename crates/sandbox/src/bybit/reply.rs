//! The envelope of every response, and what is refused.

use serde::Serialize;
use serde_json::{Value, json};

use crate::message::Reply;
use crate::spec::Problem;

/// What an operation returns, before the envelope.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) message: &'static str,
    pub(super) result: Value,
    /// What the envelope says of each item of a batch.
    pub(super) ext: Value,
}

impl Outcome {
    /// With the text that most operations have.
    pub(super) fn ok(result: Value) -> Self {
        Self { message: "OK", result, ext: json!({}) }
    }

    /// Without a text, as keys and sub-accounts.
    pub(super) fn silent(result: Value) -> Self {
        Self { message: "", ..Self::ok(result) }
    }

    /// With the text of transfers.
    pub(super) fn success(result: Value) -> Self {
        Self { message: "success", ..Self::ok(result) }
    }

    pub(super) fn into_reply(self, now: i64) -> Reply {
        envelope(200, 0, self.message, &self.result, &self.ext, now)
    }
}

/// Whether an error says that key, time, signature or address were not accepted.
pub(crate) fn refuses_credentials(code: i64) -> bool {
    [10002, 10003, 10004, 10007, 10008, 10010, 33004].contains(&code)
}

/// What the venue refuses: nearly always with the status 200 and a code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    status: u16,
    pub(super) code: i64,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { status: 200, code, message: message.into() }
    }

    /// An error that has another status than 200.
    pub(super) fn http(status: u16, code: i64, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// A parameter that is missing or wrong.
    pub(super) fn params(what: impl std::fmt::Display) -> Self {
        Self::new(10001, format!("params error: {what}"))
    }

    pub(super) fn wrong(problem: &Problem) -> Self {
        Self::params(problem)
    }

    pub(super) fn permission() -> Self {
        Self::new(10005, "Permission denied, please check your API key permissions.")
    }

    pub(super) fn into_reply(self, now: i64) -> Reply {
        envelope(self.status, self.code, &self.message, &json!({}), &json!({}), now)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    ret_code: i64,
    ret_msg: &'a str,
    result: &'a Value,
    ret_ext_info: &'a Value,
    time: i64,
}

fn envelope(status: u16, code: i64, message: &str, result: &Value, ext: &Value, now: i64) -> Reply {
    let body = Envelope { ret_code: code, ret_msg: message, result, ret_ext_info: ext, time: now };
    Reply::json(status, &body)
}
