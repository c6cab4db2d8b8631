//! Every kind of change that `diff` knows, and what each means to three audiences.
//!
//! - **Rust API**: whether code that compiled against the client still compiles and means the same.
//! - **wire**: whether requests and responses are others, for mocks, recordings, proxies and other clients of the bundle.
//! - **bots**: whether a program that runs (a strategy, a script of the command, a dashboard) behaves otherwise after an upgrade.

use crate::judgement::Judgement::{self, Addition, Behaviour, Breaking, Docs};

/// One kind of change.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What it means for Rust code; nothing where it does not concern it.
    pub rust: Option<Judgement>,
    /// What it means for what is sent and received.
    pub wire: Option<Judgement>,
    /// What it means for programs that run.
    pub bots: Option<Judgement>,
    /// What it is, in the plural, as a line of the changelog begins.
    pub says: &'static str,
}

impl Rule {
    /// The heaviest of the three.
    pub fn overall(&self) -> Judgement {
        [self.rust, self.wire, self.bots].into_iter().flatten().max().unwrap_or(Docs)
    }

    /// The rule of a name.
    pub fn named(name: &str) -> &'static Self {
        RULES.iter().find(|rule| rule.name == name).unwrap_or(&RULES[0])
    }
}

const fn rule(
    name: &'static str,
    rust: Option<Judgement>,
    wire: Option<Judgement>,
    bots: Option<Judgement>,
    says: &'static str,
) -> Rule {
    Rule { name, rust, wire, bots, says }
}

const B: Option<Judgement> = Some(Breaking);
const H: Option<Judgement> = Some(Behaviour);
const A: Option<Judgement> = Some(Addition);
const D: Option<Judgement> = Some(Docs);
const NO: Option<Judgement> = None;

/// All of them: name, Rust API, wire, bots.
pub const RULES: [Rule; 112] = [
    rule("other-change", NO, NO, H, "other facts changed"),
    // Operations.
    rule("operation-removed", B, B, B, "operations removed"),
    rule("operation-added", A, A, NO, "new operations"),
    rule("operation-renamed", B, NO, B, "operations renamed"),
    rule("operation-moved", NO, B, NO, "operations with another path or method"),
    rule("operation-deprecated", D, NO, D, "operations deprecated"),
    rule("operation-not-deprecated", D, NO, D, "operations no longer deprecated"),
    rule("credential-newly-needed", NO, H, B, "operations that need a credential now"),
    rule("credential-no-longer-needed", NO, H, A, "operations that anybody may call now"),
    rule("authentication-changed", NO, H, H, "how credentials are read, fetched or sent"),
    rule("credential-changed", NO, H, H, "operations that take other credentials"),
    rule("scope-changed", NO, NO, H, "operations that need another scope"),
    rule("retry-changed", NO, H, H, "operations with another retry class"),
    rule("retry-newly-safe", NO, H, B, "operations that are repeated now"),
    rule("retry-no-longer-keyed", NO, B, B, "operations without an idempotency key"),
    rule("cost-changed", NO, NO, H, "operations with another cost or bucket"),
    rule("pages-added", A, NO, NO, "operations with a stream of all items"),
    rule("pages-removed", B, NO, B, "operations without a stream of all items"),
    rule("pages-changed", NO, H, H, "operations that page otherwise"),
    rule("reconcile-changed", NO, NO, H, "operations with another call to find lost responses"),
    rule("status-changed", NO, H, NO, "operations with another status of a good response"),
    rule("request-body-added", B, B, B, "operations that take a body now"),
    rule("request-body-format-changed", NO, B, NO, "operations whose body is a form now, or JSON"),
    rule("request-body-removed", B, B, B, "operations that take no body any more"),
    rule("response-body-added", B, A, NO, "operations that return something now"),
    rule("response-body-removed", B, H, B, "operations that return nothing any more"),
    rule("http-removed", NO, B, B, "operations that are calls over a WebSocket only"),
    rule("description-changed", D, NO, NO, "descriptions"),
    // Parameters.
    rule("parameter-removed", B, B, B, "parameters removed"),
    rule("parameter-added", A, A, NO, "new parameters"),
    rule("required-parameter-added", B, B, B, "new required parameters"),
    rule("parameter-renamed", B, B, B, "parameters renamed"),
    rule("path-parameter-renamed", B, NO, NO, "parameters of paths renamed"),
    rule("parameter-moved", NO, B, NO, "parameters in another place of the request"),
    rule("parameter-notation-changed", NO, B, NO, "parameters whose lists are written in another way"),
    rule("parameter-newly-required", B, B, B, "parameters that are required now"),
    rule("parameter-no-longer-required", A, A, NO, "parameters that may be left out now"),
    rule("parameter-deprecated", D, NO, D, "parameters deprecated"),
    rule("parameter-not-deprecated", D, NO, D, "parameters no longer deprecated"),
    // Members of what is sent.
    rule("request-field-removed", B, B, B, "members of requests removed"),
    rule("request-field-added", A, A, NO, "new members of requests"),
    rule("required-request-field-added", B, B, B, "new required members of requests"),
    rule("request-field-renamed", B, B, B, "members of requests renamed"),
    rule("request-field-newly-required", B, B, B, "members of requests that are required now"),
    rule("request-field-no-longer-required", B, A, NO, "members of requests that may be left out now"),
    rule("request-newly-nullable", B, A, NO, "members of requests that may be null now"),
    rule("request-no-longer-nullable", B, B, B, "members of requests that may not be null any more"),
    // Members of what is received.
    rule("response-field-removed", B, H, H, "members of responses removed"),
    rule("response-field-added", A, NO, NO, "new members of responses"),
    rule("response-field-renamed", B, H, H, "members of responses renamed"),
    rule("response-field-newly-vital", B, H, H, "members of responses that must be there now"),
    rule("response-field-no-longer-vital", B, NO, A, "members of responses that may be missing now"),
    rule("response-newly-nullable", B, NO, A, "vital members of responses that may be null now"),
    rule("response-no-longer-nullable", B, H, H, "vital members of responses that may not be null any more"),
    rule("vital-set-changed", NO, H, H, "responses that are rejected in other cases"),
    rule("field-deprecated", D, NO, D, "members deprecated"),
    rule("field-not-deprecated", D, NO, D, "members no longer deprecated"),
    rule("rust-name-changed", B, NO, NO, "members with another name in Rust"),
    // Types.
    rule("request-type-changed", B, B, B, "members of requests with another type"),
    rule("response-type-changed", B, H, H, "members of responses with another type"),
    rule("request-format-changed", B, H, H, "members of requests with another format"),
    rule("response-format-changed", B, NO, H, "members of responses with another format"),
    rule("object-opened", A, NO, NO, "objects whose other members are kept now"),
    rule("object-closed", B, NO, H, "objects whose other members are lost now"),
    rule("unit-changed", B, B, B, "times in another unit"),
    rule("type-renamed", B, NO, NO, "types renamed"),
    rule("request-limit-tightened", NO, H, B, "tighter bounds"),
    rule("request-limit-loosened", NO, H, A, "looser bounds"),
    rule("request-pattern-changed", NO, H, H, "other patterns"),
    rule("response-limit-changed", NO, NO, D, "bounds of responses"),
    rule("default-changed", NO, NO, H, "other defaults"),
    // Enums.
    rule("request-value-removed", B, B, B, "values of requests removed"),
    rule("request-value-added", A, A, NO, "new values of requests"),
    rule("response-value-removed", B, NO, H, "values of responses removed"),
    rule("response-value-added", A, NO, H, "new values of responses"),
    rule("enum-closed", B, NO, H, "enums closed"),
    rule("enum-opened", B, NO, A, "enums opened"),
    rule("enum-introduced", B, NO, H, "texts that are enums now"),
    rule("enum-dropped", B, NO, NO, "enums that are texts now"),
    // Channels.
    rule("channel-removed", B, B, B, "channels removed"),
    rule("channel-added", A, A, NO, "new channels"),
    rule("channel-renamed", B, NO, B, "channels renamed"),
    rule("channel-moved", NO, B, NO, "channels with another address"),
    rule("channel-access-changed", NO, H, H, "channels that other credentials are needed for"),
    rule("channel-credential-newly-needed", NO, H, B, "channels that need a credential now"),
    rule("message-removed", B, H, H, "messages removed"),
    rule("message-added", A, NO, H, "new messages"),
    rule("second-message-added", B, NO, H, "channels whose messages are of several types now"),
    rule("book-added", A, NO, NO, "channels with an order book"),
    rule("book-removed", B, NO, B, "channels without an order book"),
    rule("recovery-changed", NO, NO, H, "channels that recover otherwise"),
    // The venue.
    rule("venue-added", A, A, NO, "new venues"),
    rule("venue-removed", B, B, B, "venues removed"),
    rule("server-added", A, NO, NO, "new servers"),
    rule("server-removed", B, B, B, "servers removed"),
    rule("server-changed", NO, H, H, "servers with another URL"),
    rule("server-narrowed", NO, NO, B, "servers that lack paths now"),
    rule("server-words-changed", NO, NO, H, "what else servers are"),
    rule("websocket-added", NO, A, A, "calls over a WebSocket"),
    rule("websocket-removed", NO, B, B, "no calls over a WebSocket any more"),
    rule("setting-added", NO, NO, A, "headers and parameters of connections that a client may send"),
    rule("setting-removed", NO, B, B, "headers and parameters of connections that a client may no longer send"),
    rule("variable-renamed", NO, NO, B, "environment variables renamed"),
    rule("variable-removed", NO, NO, B, "environment variables that are no longer read"),
    rule("keys-added", A, NO, A, "what can be done with API keys"),
    rule("keys-removed", B, NO, B, "what can no longer be done with API keys"),
    rule("keys-changed", NO, H, H, "how API keys are managed"),
    rule("limits-changed", NO, NO, H, "rate limits"),
    rule("error-code-added", A, NO, H, "new names of error codes"),
    rule("error-code-removed", B, NO, H, "names of error codes removed"),
    rule("error-code-renamed", B, NO, H, "error codes renamed"),
    rule("errors-changed", NO, NO, H, "error codes"),
];
