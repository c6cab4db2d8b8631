//! Rows of operation tables for unit tests: a test says what it is about and takes the rest from here.

use venuekit_wire::operation::{Errors, Operation, Protocol, Retry, Venue};
use venuekit_wire::variables::Variables;

/// A public operation that may not be repeated, of which the spec says nothing more.
pub(crate) const OPERATION: Operation = Operation {
    id: "write",
    method: "POST",
    path: "/write",
    access: &[&[]],
    retry: Retry::Never,
    key: None,
    venue_time: None,
    page: None,
    reconcile: None,
    scope: None,
    secret: false,
    secret_fields: &[],
    on_connection: None,
    ..Operation::EMPTY
};

/// A venue of which the spec says nothing.
pub(crate) const VENUE: Venue = Venue {
    name: "venue",
    protocol: Protocol::Rest,
    servers: &[],
    variables: Variables { of: "venue", together: false, credentials: &[] },
    operations: &[],
    errors: ERRORS,
    challenge: None,
    buckets: &[],
    rate_headers: &[],
    client_headers: &[],
    largest_request: None,
    websocket: None,
    signature_ages: &[],
    credentials: venuekit_wire::credentials::CredentialRules::NONE,
};

/// Errors of which the spec says nothing.
pub(crate) const ERRORS: Errors = Errors {
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
