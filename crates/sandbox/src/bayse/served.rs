//! The operations that are served from state.

/// Whether an operation is served from state. A test compares this with what answers say.
pub(crate) fn serves(id: &str) -> bool {
    SERVED.contains(&id)
}

const SERVED: [&str; 18] = [
    "batchCancelOrders",
    "batchPlaceOrders",
    "cancelOrder",
    "createApiKey",
    "getAssets",
    "getEvent",
    "getEventBySlug",
    "getHealth",
    "getOrder",
    "getPortfolio",
    "getVersion",
    "listApiKeys",
    "listEvents",
    "listOrders",
    "login",
    "placeOrder",
    "revokeApiKey",
    "rotateApiKey",
];
