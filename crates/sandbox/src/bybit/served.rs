//! The operations that are served from state: who may call them, and how often.

use super::limits::Limit;

/// What a caller must have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Need {
    /// Nothing: everybody may call.
    Public,
    /// A key.
    Key,
    /// A key of an account that is no sub-account.
    Master,
    /// A key of such an account that may manage keys and sub-accounts.
    Manager,
    /// A key that may manage keys: of any sub-account, or itself.
    KeyManager,
    /// The permission to trade the product that the call names.
    Trade,
    /// The permission to see and set up positions of the product.
    Positions,
    /// The permission to trade any product.
    AnyTrade,
    /// The permission to withdraw.
    Withdraw,
    /// The permission to move coins within the account.
    Transfer,
    /// The permission to move coins between accounts.
    MemberTransfer,
}

/// An operation that is served from state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) need: Need,
    pub(super) limit: Option<Limit>,
}

/// Whether an operation is served from state; every other one returns an example of the spec.
pub(crate) fn serves(method: &str, template: &str) -> bool {
    find(method, template).is_some()
}

pub(super) fn find(method: &str, path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.method == method && route.path == path)
}

/// What a caller needs for an operation that is not in the table.
pub(super) fn need_elsewhere(path: &str) -> Need {
    let trades =
        ["/v5/order/", "/v5/position/", "/v5/spread/order/", "/v5/spread/execution/", "/v5/spot-margin-trade/"];
    match path {
        "/v5/asset/withdraw/create" | "/v5/asset/withdraw/cancel" => Need::Withdraw,
        _ if path.starts_with("/v5/user/") => Need::Master,
        _ if trades.iter().any(|prefix| path.starts_with(prefix)) => Need::AnyTrade,
        _ => Need::Key,
    }
}

const fn get(path: &'static str, need: Need, calls: usize) -> Route {
    Route { method: "GET", path, need, limit: Some(Limit { calls, millis: 1000 }) }
}

const fn post(path: &'static str, need: Need, calls: usize) -> Route {
    Route { method: "POST", path, need, limit: Some(Limit { calls, millis: 1000 }) }
}

const fn public(path: &'static str) -> Route {
    Route { method: "GET", path, need: Need::Public, limit: None }
}

const fn per_minute(method: &'static str, path: &'static str, need: Need) -> Route {
    Route { method, path, need, limit: Some(Limit { calls: 60, millis: 60_000 }) }
}

const ROUTES: [Route; 49] = [
    public("/v5/market/time"),
    public("/v5/market/instruments-info"),
    public("/v5/market/tickers"),
    public("/v5/market/orderbook"),
    public("/v5/market/full_orderbook"),
    public("/v5/market/kline"),
    public("/v5/market/recent-trade"),
    get("/v5/account/info", Need::Key, 50),
    get("/v5/asset/coin/query-info", Need::Key, 5),
    get("/v5/account/fee-rate", Need::Key, 5),
    get("/v5/account/wallet-balance", Need::Key, 50),
    post("/v5/order/create", Need::Trade, 10),
    post("/v5/order/amend", Need::Trade, 10),
    post("/v5/order/cancel", Need::Trade, 10),
    post("/v5/order/cancel-all", Need::Trade, 10),
    post("/v5/order/create-batch", Need::Trade, 10),
    post("/v5/order/amend-batch", Need::Trade, 10),
    post("/v5/order/cancel-batch", Need::Trade, 10),
    get("/v5/order/realtime", Need::Trade, 50),
    get("/v5/order/history", Need::Trade, 50),
    get("/v5/execution/list", Need::Trade, 50),
    get("/v5/position/list", Need::Positions, 50),
    get("/v5/position/closed-pnl", Need::Positions, 50),
    post("/v5/position/set-leverage", Need::Positions, 10),
    per_minute("POST", "/v5/asset/transfer/inter-transfer", Need::Transfer),
    per_minute("GET", "/v5/asset/transfer/query-inter-transfer-list", Need::Key),
    post("/v5/asset/transfer/universal-transfer", Need::MemberTransfer, 5),
    get("/v5/asset/transfer/query-universal-transfer-list", Need::Key, 5),
    get("/v5/asset/transfer/query-account-coin-balance", Need::Key, 5),
    get("/v5/asset/transfer/query-account-coins-balance", Need::Key, 5),
    per_minute("GET", "/v5/asset/transfer/query-sub-member-list", Need::Master),
    per_minute("GET", "/v5/asset/transfer/query-transfer-coin-list", Need::Key),
    post("/v5/user/create-sub-api", Need::Manager, 1),
    get("/v5/user/sub-apikeys", Need::Master, 10),
    get("/v5/user/query-api", Need::Key, 10),
    post("/v5/user/update-api", Need::Manager, 5),
    // A key of a sub-account may edit and delete itself.
    post("/v5/user/update-sub-api", Need::KeyManager, 5),
    post("/v5/user/delete-api", Need::Manager, 5),
    post("/v5/user/delete-sub-api", Need::KeyManager, 5),
    post("/v5/user/create-sub-member", Need::Manager, 1),
    get("/v5/user/query-sub-members", Need::Manager, 10),
    get("/v5/user/submembers", Need::Manager, 5),
    post("/v5/user/frozen-sub-member", Need::Manager, 5),
    post("/v5/user/del-submember", Need::Manager, 5),
    get("/v5/user/get-member-type", Need::Master, 10),
    get("/v5/account/smp-group", Need::Key, 5),
    get("/v5/position/symbol-info", Need::Positions, 10),
    public("/v5/market/price-limit"),
    public("/v5/market/mark-price-kline"),
];
