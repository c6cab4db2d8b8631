//! The tables that `cargo xtask codegen` makes of a spec: what a call needs, may be, costs and returns.
//!
//! They are plain constants. The transport reads them; nobody else decides by venue or operation name.

use std::borrow::Cow;

use crate::credentials::{CredentialRules, contains_words};
use crate::server::Server;
use crate::variables::Variables;
pub use crate::websocket::{
    Envelope, EventMembers, Heartbeat, Logon, Notification, ReplyLimits, SignedCall, WebSocket,
};

/// A venue as its spec describes it.
#[derive(Debug)]
pub struct Venue {
    /// The folder name under `specs/`.
    pub name: &'static str,
    /// How a call travels.
    pub protocol: Protocol,
    /// Its environments.
    pub servers: &'static [Server],
    /// The environment variables of its credentials.
    pub variables: Variables,
    /// Every operation, ordered by [`Operation::id`].
    pub operations: &'static [Operation],
    /// How to read an error.
    pub errors: Errors,
    /// How a successful response asks for a second factor, where a venue does that.
    pub challenge: Option<Challenge>,
    /// The venue's rate limiter.
    pub buckets: &'static [Bucket],
    /// The response headers in which the venue says how much is left, or was used.
    pub rate_headers: &'static [RateHeaders],
    /// The headers that a client may send with every call.
    pub client_headers: &'static [ClientHeader],
    /// The largest request body or message, in bytes.
    pub largest_request: Option<usize>,
    /// How the venue talks over a WebSocket, where that is a way to call it.
    pub websocket: Option<WebSocket>,
    /// The credentials that may be used for a while after they were made.
    pub signature_ages: &'static [SignatureAge],
    /// How callers are proven, and what happens to their keys.
    pub credentials: CredentialRules,
}

impl Venue {
    /// A venue without operations: what the tables of tests are made of.
    pub const EMPTY: Self = Self {
        name: "",
        protocol: Protocol::Rest,
        servers: &[],
        variables: Variables { of: "", together: false, credentials: &[] },
        operations: &[],
        errors: Errors::EMPTY,
        challenge: None,
        buckets: &[],
        rate_headers: &[],
        client_headers: &[],
        largest_request: None,
        websocket: None,
        signature_ages: &[],
        credentials: CredentialRules::NONE,
    };

    /// The operation with this id.
    pub fn operation(&self, id: &str) -> Option<&'static Operation> {
        let at = self.operations.binary_search_by(|operation| operation.id.cmp(id)).ok()?;
        self.operations.get(at)
    }

    /// Where a person manages the keys of an environment: a URL, or the way there in words.
    pub fn key_page(&self, environment: &str) -> Option<&'static str> {
        let server = self.servers.iter().find(|server| server.environment == environment);
        server.or(self.servers.first())?.key_page
    }
}

/// How long a signature may be used that covers nothing of a request but method, path and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureAge {
    /// The credential that signs.
    pub credential: &'static str,
    /// The age in seconds at which the venue is known to take it.
    pub seconds: u32,
}

/// What a call has to do with the connection it is made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnConnection {
    /// Whether it makes sense on a WebSocket only.
    pub only: bool,
    /// Whether the venue responds by closing the connection.
    pub closes: bool,
    /// What it changes for as long as the connection lives.
    pub setting: Option<Setting>,
    /// Whether it needs the log-on of the connection, and carries nothing that proves who calls.
    pub needs_logon: bool,
    /// Whether it ends the log-on of the connection.
    pub ends_logon: bool,
    /// Whether it carries a signature of its own also where the connection is logged on.
    pub own_signature: bool,
}

impl OnConnection {
    /// A call that has nothing to do with its connection.
    pub const NONE: Self =
        Self { only: false, closes: false, setting: None, needs_logon: false, ends_logon: false, own_signature: false };
}

/// A setting that lives as long as a connection, and is set up again on the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Whether the call makes or ends it.
    pub on: bool,
    /// The parameter that must have this text, or be left out, for the call to be about the connection at all.
    pub when: Option<(&'static str, &'static str)>,
}

/// How a call travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// One HTTP request and response, as described by OpenAPI.
    Rest,
    /// A JSON-RPC 2.0 envelope, as described by OpenRPC.
    JsonRpc,
}

/// One operation's row.
#[derive(Debug)]
pub struct Operation {
    /// The generated method's name.
    pub id: &'static str,
    /// The HTTP method; for JSON-RPC always `POST`.
    pub method: &'static str,
    /// The path template, relative to the server; for JSON-RPC a slash and the method name.
    pub path: &'static str,
    /// The ways to authorize the call, any one of which will do. Each is a list of credentials that are all needed; an empty
    /// one means that the call is public.
    pub access: &'static [&'static [&'static str]],
    /// Whether the call may be repeated.
    pub retry: Retry,
    /// How long a text the venue takes as the idempotency key, where the call has one.
    pub key: Option<KeyBounds>,
    /// What the call costs the venue's limiter, by bucket.
    pub rate: &'static [Rate],
    /// Where the response has the venue's own time.
    pub venue_time: Option<VenueTime>,
    /// How the response pages.
    pub page: Option<Page>,
    /// The lookup operation that shows what became of this one when its response was lost.
    pub reconcile: Option<Reconcile>,
    /// The permission the venue asks for.
    pub scope: Option<&'static str>,
    /// Whether the request or the response carries a secret, so that neither may show in an error.
    pub secret: bool,
    /// The members of the request that are secrets.
    pub secret_fields: &'static [&'static str],
    /// What it has to do with the connection, where it has.
    pub on_connection: Option<OnConnection>,
    /// Whether the body is a form (`application/x-www-form-urlencoded`) and not JSON.
    pub form: bool,
    /// The lists of the query that are written as JSON text in one parameter.
    pub json_lists: &'static [&'static str],
    /// The member by which the caller finds again what the call made. It is no idempotency key: the venue may accept the same one
    /// twice.
    pub client_id: Option<&'static str>,
    /// The method that the call is over a WebSocket, where it is another one than its path.
    pub rpc_method: Option<&'static str>,
}

impl Operation {
    /// A call of no name that anybody may make: what the tables of tests are made of.
    pub const EMPTY: Self = Self {
        id: "",
        method: "GET",
        path: "/",
        access: &[&[]],
        retry: Retry::Safe,
        key: None,
        rate: &[],
        venue_time: None,
        page: None,
        reconcile: None,
        scope: None,
        secret: false,
        secret_fields: &[],
        on_connection: None,
        form: false,
        json_lists: &[],
        client_id: None,
        rpc_method: None,
    };

    /// Whether anybody may make the call.
    pub fn is_public(&self) -> bool {
        self.access.iter().any(|way| way.is_empty())
    }
}

/// How to find out what became of a call whose response was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconcile {
    /// The lookup operation.
    pub operation: &'static str,
    /// Its parameters without which it finds nothing.
    pub by: &'static [&'static str],
}

/// Whether a call may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It only reads.
    Safe,
    /// It may, with the same idempotency key.
    Keyed(Key),
    /// It may not, unless it is certain that nothing was processed.
    Never,
}

/// Where an idempotency key travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// In a header of this name.
    Header(&'static str),
    /// In a member of the request body of this name.
    Field(&'static str),
}

/// How long a text a venue takes as an idempotency key. A pattern is checked by the type of the parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyBounds {
    /// The smallest number of characters.
    pub shortest: usize,
    /// The largest number of characters, where the venue's sources give one.
    pub longest: Option<usize>,
    /// What the venue does with a key that it has seen.
    pub repeat: Repeat,
}

/// What a venue does with a call whose idempotency key it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It returns the response to the first call.
    Replayed,
    /// It refuses the call with one of [`Errors::repeated_key`]: the first call was executed.
    Refused,
}

/// What a call costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The bucket it is taken from.
    pub bucket: &'static str,
    /// Tokens a call, or an item.
    pub cost: u32,
    /// The request list whose every element costs [`cost`](Self::cost).
    pub per_item: Option<&'static str>,
    /// What the whole call costs where something holds of its parameters. The last row that holds counts.
    pub costs: &'static [CostRule],
}

impl Rate {
    /// So many tokens of a bucket.
    pub const fn new(bucket: &'static str, cost: u32) -> Self {
        Self { bucket, cost, per_item: None, costs: &[] }
    }

    /// The same for each element of a list of the request.
    #[must_use]
    pub const fn each(mut self, list: &'static str) -> Self {
        self.per_item = Some(list);
        self
    }

    /// With other costs for some parameters.
    #[must_use]
    pub const fn unless(mut self, costs: &'static [CostRule]) -> Self {
        self.costs = costs;
        self
    }

    /// What a call costs. `given` finds a parameter of the request by its name.
    pub fn tokens<'v>(&self, given: impl Fn(&str) -> Option<Given<'v>>) -> u64 {
        if let Some(rule) = self.costs.iter().rev().find(|rule| rule.when.holds(&given)) {
            return rule.cost.into();
        }
        let items = self.per_item.map_or(1, |list| given(list).map_or(1, |given| given.items.max(1)));
        u64::from(self.cost).saturating_mul(items as u64)
    }
}

/// A parameter that a request gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<'a> {
    /// Its text; of a list whatever text it was written as.
    pub text: Cow<'a, str>,
    /// How many items it has, where it is a list.
    pub items: usize,
}

/// What a call costs where something holds of its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostRule {
    /// What must hold.
    pub when: CostWhen,
    /// The tokens of the whole call.
    pub cost: u32,
}

/// What must hold of a parameter, which comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostWhen {
    /// It is left out.
    Without(&'static str),
    /// It is given.
    Given(&'static str),
    /// It is given as this text.
    Is(&'static str, &'static str),
    /// It is a number above this one.
    Above(&'static str, i64),
    /// It is a list of more items than these.
    ItemsAbove(&'static str, u32),
}

impl CostWhen {
    fn holds<'v>(self, given: &impl Fn(&str) -> Option<Given<'v>>) -> bool {
        match self {
            Self::Without(name) => given(name).is_none(),
            Self::Given(name) => given(name).is_some(),
            Self::Is(name, text) => given(name).is_some_and(|given| given.text == text),
            // A number too large to be read is above every bound.
            Self::Above(name, bound) => given(name).is_some_and(|given| match given.text.parse::<i64>() {
                Ok(number) => number > bound,
                Err(_) => !given.text.is_empty() && given.text.bytes().all(|byte| byte.is_ascii_digit()),
            }),
            Self::ItemsAbove(name, bound) => given(name).is_some_and(|given| given.items > bound as usize),
        }
    }
}

/// One bucket of a venue's limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name, as in [`Rate::bucket`].
    pub name: &'static str,
    /// Whether each path has one of its own.
    pub per_path: bool,
    /// Its size for each of the venue's account tiers; the first is the one a new account has.
    pub tiers: &'static [Tier],
}

/// A bucket's size for one account tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The venue's name for the tier.
    pub name: &'static str,
    /// What it allows. All of them hold at once.
    pub limits: &'static [Limit],
}

/// One limit of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Tokens that come back evenly.
    Refill {
        /// Tokens that come back in a second, in thousandths.
        per_second_millis: u64,
        /// Tokens that fit.
        capacity: u64,
    },
    /// So many tokens in any span of this length.
    Window {
        /// Tokens.
        count: u64,
        /// The span.
        seconds: u64,
    },
}

/// Response headers in which a venue says how much of a limit is left, or was used. Names are in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateHeaders {
    /// What is left until the limit resets.
    Left {
        /// The bucket; none where the call pays into one alone.
        bucket: Option<&'static str>,
        /// Tokens that are left.
        remaining: &'static str,
        /// When the limit resets.
        reset: &'static str,
        /// How many of the units of that time make a second: 1 for Unix seconds.
        per_second: i64,
    },
    /// What was used of a window that begins at a full multiple of its length.
    Used {
        /// The bucket.
        bucket: &'static str,
        /// Tokens that were used.
        used: &'static str,
        /// The window's length.
        seconds: u64,
    },
}

/// A header that a client may send with every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientHeader {
    /// Its name, in lower case.
    pub name: &'static str,
    /// What it may say.
    pub values: &'static [&'static str],
}

/// Where a response has the venue's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueTime {
    /// A JSON pointer into the response.
    pub at: &'static str,
    /// How many of its units make a second. A time in milliseconds may be in microseconds too: see
    /// [`UnixMillisOrMicros`](crate::UnixMillisOrMicros).
    pub per_second: i64,
}

/// How a response pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// An opaque cursor in the response goes into the next request.
    Cursor {
        /// The request parameter.
        param: &'static str,
        /// Where the response has the next cursor, as a dotted name.
        next: &'static str,
        /// Its value on the last page, apart from nothing.
        end: Option<&'static str>,
        /// Where the response has its items, as a dotted name.
        items: &'static str,
    },
    /// Pages are numbered.
    Number {
        /// The request parameter.
        param: &'static str,
        /// Where the response has the number of the last page, as a dotted name. Without it, an empty page ends the list.
        last: Option<&'static str>,
        /// Where the response has its items, as a dotted name.
        items: &'static str,
    },
    /// The request says how many items to leave out. An empty page ends the list.
    Offset {
        /// The request parameter.
        param: &'static str,
        /// Where the response has its items, as a dotted name.
        items: &'static str,
    },
    /// The request says with which number a page begins: after a page, with the one behind that of its last item. An empty page
    /// ends the list.
    After {
        /// The request parameter.
        param: &'static str,
        /// The member of an item that has its number.
        key: &'static str,
        /// Where the response has its items, as a dotted name.
        items: &'static str,
    },
}

/// How to read a venue's errors. Places are JSON pointers into the error body, tried in order.
#[derive(Debug)]
pub struct Errors {
    /// The venue's code: a string or a number.
    pub code: &'static [&'static str],
    /// The sentence for people.
    pub message: &'static [&'static str],
    /// Further explanation.
    pub detail: &'static [&'static str],
    /// The offending parameter.
    pub param: &'static [&'static str],
    /// Seconds to wait.
    pub retry_after: &'static [&'static str],
    /// The response header that identifies the request to the venue's support.
    pub request_id_header: Option<&'static str>,
    /// What makes a response with a success status a failure nevertheless.
    pub failed_when: &'static [FailedWhen],
    /// What codes mean together with a text, in this order; before [`kinds`](Self::kinds).
    pub texts: &'static [ErrorText],
    /// Codes and what they mean, ordered by code. A trailing `*` stands for any ending.
    pub kinds: &'static [(&'static str, ErrorKind)],
    /// Statuses that mean something else here than usual.
    pub statuses: &'static [(u16, ErrorKind)],
    /// Statuses by which the venue bans the address for a while, and the longest ban in seconds.
    pub bans: &'static [(u16, u32)],
    /// How the venue says that it does not know a key, or that its secret is another one. Any one of them will do.
    pub unknown_key: &'static [UnknownKey],
    /// Codes after which nothing was executed.
    pub not_processed: &'static [&'static str],
    /// Statuses after which nothing was executed, beside the refusals by 4xx.
    pub not_processed_statuses: &'static [u16],
    /// Codes after which it is unknown whether the call was executed, under any status.
    pub outcome_unknown: &'static [&'static str],
    /// Codes by which the venue refuses an idempotency key that it has seen.
    pub repeated_key: &'static [&'static str],
}

impl Errors {
    /// Nothing is known of errors but their status.
    pub const EMPTY: Self = Self {
        code: &[],
        message: &[],
        detail: &[],
        param: &[],
        retry_after: &[],
        request_id_header: None,
        failed_when: &[],
        texts: &[],
        kinds: &[],
        statuses: &[],
        bans: &[],
        unknown_key: &[],
        not_processed: &[],
        not_processed_statuses: &[],
        outcome_unknown: &[],
        repeated_key: &[],
    };

    /// What a code, a text and a status mean. The text is that of [`words`](crate::credentials::words).
    pub fn kind(&self, code: Option<&str>, said: &str, status: u16) -> ErrorKind {
        let by_text = self.texts.iter().find(|row| row.fits(code, said)).map(|row| row.kind);
        let by_status = || self.statuses.iter().find(|(known, _)| *known == status).map(|(_, kind)| *kind);
        by_text
            .or_else(|| code.and_then(|code| self.kind_of_code(code)))
            .or_else(by_status)
            .unwrap_or_else(|| ErrorKind::of_status(status))
    }

    /// What a code means by itself; none for a code that the spec does not list.
    pub fn kind_of_code(&self, code: &str) -> Option<ErrorKind> {
        let exact = self.kinds.iter().find(|(known, _)| *known == code);
        let prefix = || {
            let starts = |known: &str| known.strip_suffix('*').is_some_and(|start| code.starts_with(start));
            self.kinds.iter().find(|(known, _)| starts(known))
        };
        exact.or_else(prefix).map(|(_, kind)| *kind)
    }
}

/// What a code means together with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorText {
    /// The code; none where the text alone decides.
    pub code: Option<&'static str>,
    /// Words of code, message or detail, as [`words`](crate::credentials::words) writes them.
    pub says: &'static str,
    /// What they mean.
    pub kind: ErrorKind,
}

impl ErrorText {
    /// Whether an error says so.
    pub fn fits(&self, code: Option<&str>, said: &str) -> bool {
        self.code.is_none_or(|wanted| code == Some(wanted)) && contains_words(said, self.says)
    }
}

/// One way in which a venue says that it does not know a key, or that its secret is another one. All that is given must hold.
#[derive(Debug)]
pub struct UnknownKey {
    /// The HTTP status.
    pub status: Option<u16>,
    /// The code.
    pub code: Option<&'static str>,
    /// The sentence.
    pub message: Option<&'static str>,
    /// The further explanation.
    pub detail: Option<&'static str>,
    /// Words that the explanation must not have: the same code with one of them is about something else, such as the clock.
    pub except: &'static [&'static str],
}

impl UnknownKey {
    /// Whether an error says so.
    pub fn fits(&self, status: u16, code: Option<&str>, message: &str, detail: Option<&str>) -> bool {
        let explained = detail.unwrap_or_default().to_ascii_lowercase();
        self.status.is_none_or(|wanted| status == wanted)
            && self.code.is_none_or(|wanted| code == Some(wanted))
            && self.message.is_none_or(|wanted| message == wanted)
            && self.detail.is_none_or(|wanted| detail == Some(wanted))
            && !self.except.iter().any(|word| explained.contains(word))
    }
}

/// A member whose value makes a response with a success status a failure. A member that is absent makes none.
#[derive(Debug)]
pub struct FailedWhen {
    /// A JSON pointer into the response.
    pub at: &'static str,
    /// What its value means failure by.
    pub value: FailedValue,
}

/// Which values of a member mean failure. Values are JSON texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedValue {
    /// This one.
    Is(&'static str),
    /// Every other one.
    IsNot(&'static str),
}

/// How a successful response asks for a second factor.
#[derive(Debug)]
pub struct Challenge {
    /// The member of the result that is `true` in a challenge.
    pub flag: &'static str,
    /// The member that must be sent back.
    pub challenge: &'static str,
    /// The parameter that sends it back.
    pub challenge_param: &'static str,
    /// The parameter that carries the code.
    pub code_param: &'static str,
    /// Codes of errors that say that the one-time code was wrong.
    pub wrong_code: &'static [&'static str],
}

/// What went wrong, in one vocabulary for all venues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The credential is missing, wrong, expired or revoked.
    Unauthorized,
    /// The credential is good, but does not allow this.
    Forbidden,
    /// The request's timestamp is outside the venue's window: one of the two clocks is wrong.
    Clock,
    /// Too many calls.
    RateLimited,
    /// There is not enough money.
    InsufficientFunds,
    /// The venue or the client refused the request as it stands; repeating it is useless.
    InvalidRequest,
    /// There is no such thing.
    NotFound,
    /// It exists already, or is in a state that does not allow this.
    Conflict,
    /// The venue, or the part that was asked, is not open.
    Maintenance,
    /// The venue wants a second factor before it does this.
    Challenge,
    /// The venue failed.
    Server,
    /// No connection, or it broke.
    Network,
    /// The response did not arrive in time.
    Timeout,
    /// The response is not what the spec says.
    Decode,
    /// A venue's error of another kind.
    Other,
}

impl ErrorKind {
    /// What a status means where the venue says nothing more.
    pub fn of_status(status: u16) -> Self {
        match status {
            400 | 422 => Self::InvalidRequest,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            408 => Self::Timeout,
            409 => Self::Conflict,
            429 => Self::RateLimited,
            503 => Self::Maintenance,
            500..=599 => Self::Server,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::words;

    #[test]
    fn the_last_row_that_holds_is_what_a_call_costs() {
        const RATE: Rate = Rate::new("weight", 4).each("symbols").unless(&[
            CostRule { when: CostWhen::Without("symbols"), cost: 80 },
            CostRule { when: CostWhen::ItemsAbove("symbols", 50), cost: 200 },
            CostRule { when: CostWhen::Above("limit", 100), cost: 25 },
            CostRule { when: CostWhen::Above("limit", 500), cost: 50 },
            CostRule { when: CostWhen::Is("full", "true"), cost: 9 },
            CostRule { when: CostWhen::Given("orderId"), cost: 5 },
        ]);
        let cost = |parameters: &[(&str, &str, usize)]| {
            RATE.tokens(|name| {
                let (_, text, items) = *parameters.iter().find(|(own, _, _)| *own == name)?;
                Some(Given { text: text.to_owned().into(), items })
            })
        };
        assert_eq!(cost(&[]), 80);
        assert_eq!(cost(&[("symbols", "", 0)]), 4, "an empty list costs one");
        assert_eq!(cost(&[("symbols", "", 50)]), 200, "each of the items");
        assert_eq!(cost(&[("symbols", "", 51)]), 200, "no more than that");
        for (limit, tokens) in
            [("100", 12), ("101", 25), ("501", 50), ("99999999999999999999", 50), ("-7", 12), ("", 12), ("many", 12)]
        {
            assert_eq!(cost(&[("symbols", "", 3), ("limit", limit, 1)]), tokens, "{limit}");
        }
        assert_eq!(cost(&[("full", "false", 1)]), 80);
        assert_eq!(cost(&[("full", "true", 1)]), 9);
        assert_eq!(cost(&[("full", "true", 1), ("orderId", "7", 1)]), 5);
        assert_eq!(Rate::new("all", 3).tokens(|_| None), 3);
    }

    #[test]
    fn a_code_means_what_its_text_says() {
        const ERRORS: Errors = Errors {
            texts: &[
                ErrorText { code: Some("-2010"), says: "insufficient balance", kind: ErrorKind::InsufficientFunds },
                ErrorText { code: None, says: "market is closed", kind: ErrorKind::Maintenance },
            ],
            kinds: &[("-2010", ErrorKind::InvalidRequest)],
            statuses: &[(418, ErrorKind::RateLimited)],
            ..Errors::EMPTY
        };
        let kind = |code, said: &str, status| ERRORS.kind(code, &words([said]), status);
        let funds = "Account has insufficient balance for requested action.";
        assert_eq!(kind(Some("-2010"), funds, 400), ErrorKind::InsufficientFunds);
        assert_eq!(kind(Some("-2011"), funds, 400), ErrorKind::InvalidRequest, "by its status");
        assert_eq!(kind(Some("-2010"), "Duplicate order sent.", 400), ErrorKind::InvalidRequest);
        assert_eq!(kind(None, "Market is closed!", 400), ErrorKind::Maintenance);
        assert_eq!(kind(None, "", 418), ErrorKind::RateLimited);
    }
}
