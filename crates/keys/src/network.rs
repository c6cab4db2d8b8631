//! How calls get to a venue.

use venuekit_transport::Timeouts;
use venuekit_wire::Secret;

/// How long a call may take, and what it is tunnelled through.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) timeouts: Timeouts,
    pub(crate) proxy: Option<Secret>,
}
