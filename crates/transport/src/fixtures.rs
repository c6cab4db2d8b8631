//! Rows of operation tables for unit tests: a test says what it is about and takes the rest from here.

use venuekit_wire::operation::{Operation, Retry, Venue};
use venuekit_wire::variables::Variables;

/// A public operation that may not be repeated, of which the spec says nothing more.
pub(crate) const OPERATION: Operation =
    Operation { id: "write", method: "POST", path: "/write", access: &[&[]], retry: Retry::Never, ..Operation::EMPTY };

/// A venue of which the spec says nothing.
pub(crate) const VENUE: Venue =
    Venue { name: "venue", variables: Variables { of: "venue", together: false, credentials: &[] }, ..Venue::EMPTY };
