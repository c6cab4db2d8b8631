//! The tables that `cargo xtask codegen` makes of a spec: what a call needs, may be, costs and returns.
//!
//! They are plain constants. The transport reads them; nobody else decides by venue or operation name.

use crate::credentials::CredentialRules;
pub use crate::errors::{ErrorKind, ErrorText, Errors, FailedValue, FailedWhen, UnknownKey};
pub use crate::rates::{Bucket, CostRule, CostWhen, Given, Limit, Rate, RateHeaders, Tier};
use crate::server::Server;
use crate::variables::Variables;
pub use crate::websocket::{
    CommandLogon, Commands, Envelope, EventMembers, Heartbeat, Logon, Notification, Ping, ReplyLimits, SignedCall,
    WebSocket,
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
    /// Whether the connection must be logged on for it. The call itself carries no credential.
    pub needs_logon: bool,
    /// Whether it ends the log-on of the connection.
    pub ends_logon: bool,
    /// Whether it is signed even if the connection is logged on.
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

/// A header that a client may send with every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientHeader {
    /// Its name, in lower case.
    pub name: &'static str,
    /// The values that it may have.
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
    /// The request says at which number a page begins: the next one begins at the number after that of the last item. An empty
    /// page ends the list.
    After {
        /// The request parameter.
        param: &'static str,
        /// The member of an item that has its number.
        key: &'static str,
        /// Where the response has its items, as a dotted name.
        items: &'static str,
    },
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
