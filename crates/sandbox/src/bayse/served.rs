//! The operations that are served from state.

/// Whether an operation is served from state; every other one is answered with an example made from the spec.
pub(crate) fn serves(id: &str) -> bool {
    SERVED.contains(&id)
}

const SERVED: [&str; 29] = [
    "batchAmendOrders",
    "batchCancelOrders",
    "batchPlaceOrders",
    "burnShares",
    "cancelOrder",
    "createApiKey",
    "getAssets",
    "getEvent",
    "getEventBySlug",
    "getHealth",
    "getOrder",
    "getOrderBooks",
    "getPnl",
    "getPortfolio",
    "getPriceHistory",
    "getQuote",
    "getTicker",
    "getVersion",
    "listActivities",
    "listApiKeys",
    "listEvents",
    "listOrders",
    "listTrades",
    "login",
    "lookupUser",
    "mintShares",
    "placeOrder",
    "revokeApiKey",
    "rotateApiKey",
];
