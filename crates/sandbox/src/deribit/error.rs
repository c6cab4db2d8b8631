//! JSON-RPC errors by their number.

use std::borrow::Cow;

use serde::Serialize;

/// Why a call was refused.
#[derive(Debug, Serialize)]
pub(super) struct Error {
    code: i32,
    message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
}

#[derive(Debug, Default, Serialize)]
struct Data {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<i64>,
}

impl Error {
    pub(super) const PARSE_ERROR: i32 = -32700;
    pub(super) const ENTITY_TOO_LARGE: i32 = -32600;
    pub(super) const METHOD_NOT_FOUND: i32 = -32601;
    pub(super) const INVALID_PARAMS: i32 = -32602;
    pub(super) const MISSING_PARAMS: i32 = -32000;
    pub(super) const ORDER_NOT_FOUND: i32 = 10004;
    pub(super) const NOT_ENOUGH_FUNDS: i32 = 10009;
    pub(super) const ALREADY_CLOSED: i32 = 10010;
    pub(super) const INVALID_INSTRUMENT: i32 = 10020;
    pub(super) const TOO_MANY_REQUESTS: i32 = 10028;
    pub(super) const MUST_BE_WEBSOCKET: i32 = 10030;
    pub(super) const PRICE_WRONG_TICK: i32 = 10043;
    pub(super) const OTHER_REJECT: i32 = 11030;
    pub(super) const NOT_OPEN_ORDER: i32 = 11044;
    pub(super) const BAD_REQUEST: i32 = 11050;
    pub(super) const POST_ONLY_REJECT: i32 = 11054;
    pub(super) const INTERNAL_SERVER_ERROR: i32 = 11094;
    pub(super) const SECURITY_KEY_OVER_LIMIT: i32 = 12998;
    pub(super) const INVALID_CREDENTIALS: i32 = 13004;
    pub(super) const UNAUTHORIZED: i32 = 13009;
    pub(super) const INVALID_CONTENT_TYPE: i32 = 13018;
    pub(super) const NOT_FOUND: i32 = 13020;
    pub(super) const FORBIDDEN: i32 = 13021;
    pub(super) const NON_UNIQUE_LABEL: i32 = 13032;
    pub(super) const SCOPE_EXCEEDED: i32 = 13403;
    pub(super) const SECURITY_KEY: i32 = 13668;
    pub(super) const RAW_NEEDS_LOGIN: i32 = 13778;
    pub(super) const TIMED_OUT: i32 = 13888;

    /// The error of that number, with the venue's message for it.
    pub(super) fn new(code: i32) -> Self {
        Self { code, message: message(code).into(), data: None }
    }

    pub(super) fn invalid_param(param: &str, reason: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(Self::INVALID_PARAMS).because(reason);
        error.data.get_or_insert_default().param = Some(param.to_owned());
        error
    }

    /// The account that a param names is not there, or not the caller's to use.
    pub(super) fn no_such_account(param: &str) -> Self {
        Self::invalid_param(param, "no such subaccount")
    }

    pub(super) fn unauthorized(reason: &'static str) -> Self {
        Self::new(Self::UNAUTHORIZED).because(reason)
    }

    pub(super) fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.data.get_or_insert_default().reason = Some(reason.into());
        self
    }

    pub(super) fn wait(mut self, seconds: i64) -> Self {
        self.data.get_or_insert_default().wait = Some(seconds);
        self
    }

    /// The venue appends the reason to some messages.
    pub(super) fn other_reject(reason: &str) -> Self {
        let message = format!("{} {reason}", message(Self::OTHER_REJECT));
        Self { code: Self::OTHER_REJECT, message: message.into(), data: None }
    }

    pub(super) fn code(&self) -> i32 {
        self.code
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether it has that number.
    pub(super) fn is(&self, code: i32) -> bool {
        self.code == code
    }

    /// The HTTP status that carries this error.
    pub(super) fn status(&self) -> u16 {
        match self.code {
            Self::UNAUTHORIZED => 401,
            Self::METHOD_NOT_FOUND => 404,
            Self::ENTITY_TOO_LARGE => 413,
            Self::TOO_MANY_REQUESTS => 429,
            Self::INTERNAL_SERVER_ERROR => 500,
            _ => 400,
        }
    }
}

fn message(code: i32) -> &'static str {
    match code {
        Error::PARSE_ERROR => "Parse error",
        Error::ENTITY_TOO_LARGE => "request entity too large",
        Error::METHOD_NOT_FOUND => "Method not found",
        Error::INVALID_PARAMS => "Invalid params",
        Error::MISSING_PARAMS => "Missing params",
        Error::ORDER_NOT_FOUND => "order_not_found",
        Error::NOT_ENOUGH_FUNDS => "not_enough_funds",
        Error::ALREADY_CLOSED => "already_closed",
        Error::INVALID_INSTRUMENT => "invalid_or_unsupported_instrument",
        Error::TOO_MANY_REQUESTS => "too_many_requests",
        Error::MUST_BE_WEBSOCKET => "must_be_websocket_request",
        Error::PRICE_WRONG_TICK => "price_wrong_tick",
        Error::OTHER_REJECT => "other_reject",
        Error::NOT_OPEN_ORDER => "not_open_order",
        Error::BAD_REQUEST => "bad_request",
        Error::POST_ONLY_REJECT => "post_only_reject",
        Error::INTERNAL_SERVER_ERROR => "internal_server_error",
        Error::SECURITY_KEY_OVER_LIMIT => "security_key_authorization_over_limit",
        Error::INVALID_CREDENTIALS => "invalid_credentials",
        Error::UNAUTHORIZED => "unauthorized",
        Error::INVALID_CONTENT_TYPE => "invalid_content_type",
        Error::NOT_FOUND => "not_found",
        Error::FORBIDDEN => "forbidden",
        Error::NON_UNIQUE_LABEL => "non_unique_order_label",
        Error::SCOPE_EXCEEDED => "scope_exceeded",
        Error::SECURITY_KEY => "security_key_authorization_error",
        Error::RAW_NEEDS_LOGIN => "raw_subscriptions_not_available_for_unauthorized",
        Error::TIMED_OUT => "timed_out",
        _ => "error",
    }
}
