//! The operations that are served from state: who may call them, and their request weight.

use super::limits::Scope;
use super::permissions::Permission;
use super::read::Given;

/// The credentials that a call needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Need {
    /// None: the call is public.
    Public,
    /// A key in the header.
    Key,
    /// A signature of a key that may do this.
    Signed(Permission),
    /// The same, and the key belongs to a master account.
    Master(Permission),
}

/// The request weight of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Weight {
    Fixed(u64),
    Depth,
    /// Less where `symbol` is given.
    Symbol(u64, u64),
    /// Less where `orderId` is given.
    Order(u64, u64),
    /// For up to 20 markets, for up to 100, and for more or all.
    DayTicker,
    /// For each market that is named.
    PerSymbol(u64),
    /// More where `computeCommissionRates` is asked for.
    Rates,
    /// The history of withdrawals.
    Withdrawals,
}

/// An operation that is served from state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Its name in the WebSocket API, where it has one.
    pub(super) name: &'static str,
    pub(super) need: Need,
    pub(super) scope: Scope,
    pub(super) weight: Weight,
}

impl Route {
    /// Whether its responses say how many orders were placed.
    pub(super) fn counts_orders(&self) -> bool {
        let places = self.path.starts_with("/api/v3/order") && self.path != "/api/v3/order/test";
        self.method == "POST" && places
    }

    pub(super) fn weight(&self, given: &Given) -> u64 {
        let symbols = given.list("symbols").ok().flatten().map(|symbols| symbols.len());
        let given_symbol = given.has("symbol");
        match self.weight {
            Weight::Fixed(weight) => weight,
            Weight::Depth => match given.integer("limit").ok().flatten().unwrap_or(100) {
                ..=100 => 5,
                101..=500 => 25,
                501..=1000 => 50,
                _ => 250,
            },
            Weight::Symbol(one, all) => {
                if given_symbol {
                    one
                } else {
                    all
                }
            }
            Weight::Order(one, all) => {
                if given.has("orderId") {
                    one
                } else {
                    all
                }
            }
            Weight::DayTicker => match (given_symbol, symbols) {
                (true, _) | (_, Some(..=20)) => 2,
                (_, Some(21..=100)) => 40,
                _ => 80,
            },
            Weight::PerSymbol(weight) => (weight * u64::try_from(symbols.unwrap_or(1)).unwrap_or(1)).min(200),
            Weight::Rates => {
                if given.flag("computeCommissionRates") == Ok(Some(true)) {
                    20
                } else {
                    1
                }
            }
            Weight::Withdrawals => 18_000,
        }
    }
}

/// Whether an operation is served from state; every other one returns an example of the spec.
pub(crate) fn serves(method: &str, template: &str) -> bool {
    find(method, template).is_some()
}

pub(super) fn find(method: &str, path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.method == method && route.path == path)
}

/// The operation of that name in the WebSocket API.
pub(super) fn named(name: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.name == name && !name.is_empty())
}

const READ: Need = Need::Signed(Permission::Read);
const TRADE: Need = Need::Signed(Permission::Trade);

const fn public(path: &'static str, name: &'static str, weight: Weight) -> Route {
    Route { method: "GET", path, name, need: Need::Public, scope: Scope::Api, weight }
}

const fn read(path: &'static str, name: &'static str, weight: Weight) -> Route {
    Route { method: "GET", path, name, need: READ, scope: Scope::Api, weight }
}

const fn trade(method: &'static str, path: &'static str, name: &'static str, weight: Weight) -> Route {
    Route { method, path, name, need: TRADE, scope: Scope::Api, weight }
}

/// An operation whose path has a limit of its own, by address.
const fn wallet(method: &'static str, path: &'static str, need: Need, weight: u64) -> Route {
    Route { method, path, name: "", need, scope: Scope::Address, weight: Weight::Fixed(weight) }
}

/// The same by account.
const fn by_account(method: &'static str, path: &'static str, need: Need, weight: u64) -> Route {
    Route { method, path, name: "", need, scope: Scope::Account, weight: Weight::Fixed(weight) }
}

const fn fixed(weight: u64) -> Weight {
    Weight::Fixed(weight)
}

const SUB_KEYS: &str = "/sapi/v1/sub-account/subAccountApi";
/// Keys of sub-accounts are the master's to manage.
const MANAGE: Need = Need::Master(Permission::Read);
/// Addresses of such keys are changed by a key that may trade.
const MANAGE_ADDRESSES: Need = Need::Master(Permission::Trade);

const ROUTES: [Route; 71] = [
    public("/api/v3/ping", "ping", fixed(1)),
    public("/api/v3/time", "time", fixed(1)),
    public("/api/v3/exchangeInfo", "exchangeInfo", fixed(20)),
    public("/api/v3/depth", "depth", Weight::Depth),
    public("/api/v3/trades", "trades.recent", fixed(25)),
    public("/api/v3/historicalTrades", "trades.historical", fixed(25)),
    public("/api/v3/aggTrades", "trades.aggregate", fixed(4)),
    public("/api/v3/klines", "klines", fixed(2)),
    public("/api/v3/uiKlines", "uiKlines", fixed(2)),
    public("/api/v3/avgPrice", "avgPrice", fixed(2)),
    public("/api/v3/ticker/24hr", "ticker.24hr", Weight::DayTicker),
    public("/api/v3/ticker/tradingDay", "ticker.tradingDay", Weight::PerSymbol(4)),
    public("/api/v3/ticker/price", "ticker.price", Weight::Symbol(2, 4)),
    public("/api/v3/ticker/bookTicker", "ticker.book", Weight::Symbol(2, 4)),
    public("/api/v3/ticker", "ticker", Weight::PerSymbol(4)),
    trade("POST", "/api/v3/order", "order.place", fixed(1)),
    trade("POST", "/api/v3/order/test", "order.test", Weight::Rates),
    trade("DELETE", "/api/v3/order", "order.cancel", fixed(1)),
    trade("DELETE", "/api/v3/openOrders", "openOrders.cancelAll", fixed(1)),
    trade("POST", "/api/v3/order/cancelReplace", "order.cancelReplace", fixed(1)),
    trade("PUT", "/api/v3/order/amend/keepPriority", "order.amend.keepPriority", fixed(4)),
    trade("POST", "/api/v3/orderList/oco", "orderList.place.oco", fixed(1)),
    trade("POST", "/api/v3/orderList/oto", "orderList.place.oto", fixed(1)),
    trade("POST", "/api/v3/orderList/otoco", "orderList.place.otoco", fixed(1)),
    trade("POST", "/api/v3/order/oco", "orderList.place", fixed(1)),
    trade("DELETE", "/api/v3/orderList", "orderList.cancel", fixed(1)),
    read("/api/v3/orderList", "orderList.status", fixed(4)),
    read("/api/v3/allOrderList", "allOrderLists", fixed(20)),
    read("/api/v3/openOrderList", "openOrderLists.status", fixed(6)),
    read("/api/v3/order", "order.status", fixed(4)),
    read("/api/v3/openOrders", "openOrders.status", Weight::Symbol(6, 80)),
    read("/api/v3/allOrders", "allOrders", fixed(20)),
    read("/api/v3/order/amendments", "order.amendments", fixed(4)),
    read("/api/v3/myTrades", "myTrades", Weight::Order(5, 20)),
    read("/api/v3/account", "account.status", fixed(20)),
    read("/api/v3/account/commission", "account.commission", fixed(20)),
    read("/api/v3/rateLimit/order", "account.rateLimits.orders", fixed(40)),
    wallet("GET", "/sapi/v1/system/status", Need::Public, 1),
    wallet("GET", "/sapi/v1/account/apiRestrictions", READ, 1),
    wallet("GET", "/sapi/v1/account/status", READ, 1),
    wallet("GET", "/sapi/v1/account/apiTradingStatus", READ, 1),
    wallet("GET", "/sapi/v1/asset/tradeFee", READ, 1),
    wallet("POST", "/sapi/v3/asset/getUserAsset", READ, 5),
    by_account("POST", "/sapi/v1/asset/transfer", Need::Signed(Permission::UniversalTransfer), 300),
    wallet("GET", "/sapi/v1/asset/transfer", Need::Signed(Permission::UniversalTransfer), 1),
    wallet("GET", "/sapi/v1/capital/config/getall", READ, 10),
    wallet("GET", "/sapi/v1/capital/deposit/address", READ, 10),
    by_account("POST", "/sapi/v1/capital/withdraw/apply", Need::Signed(Permission::Withdraw), 900),
    Route {
        method: "GET",
        path: "/sapi/v1/capital/withdraw/history",
        name: "",
        need: READ,
        scope: Scope::Account,
        weight: Weight::Withdrawals,
    },
    wallet("POST", "/sapi/v1/sub-account/virtualSubAccount", MANAGE, 1),
    wallet("GET", "/sapi/v1/sub-account/list", MANAGE, 1),
    by_account("GET", "/sapi/v4/sub-account/assets", MANAGE, 60),
    wallet("POST", "/sapi/v1/sub-account/universalTransfer", Need::Master(Permission::InternalTransfer), 1),
    wallet("GET", "/sapi/v1/sub-account/universalTransfer", MANAGE, 1),
    wallet("POST", "/sapi/v1/sub-account/transfer/subToMaster", TRADE, 1),
    wallet("POST", "/sapi/v1/sub-account/transfer/subToSub", TRADE, 1),
    by_account("POST", SUB_KEYS, MANAGE, 3000),
    by_account("GET", SUB_KEYS, MANAGE, 3000),
    by_account("DELETE", SUB_KEYS, MANAGE, 3000),
    by_account("POST", "/sapi/v1/sub-account/subAccountApiPermission", MANAGE, 3000),
    by_account("GET", "/sapi/v1/sub-account/subAccountApi/ipRestriction", MANAGE, 3000),
    by_account("POST", "/sapi/v2/sub-account/subAccountApi/ipRestriction", MANAGE_ADDRESSES, 3000),
    by_account("DELETE", "/sapi/v1/sub-account/subAccountApi/ipRestriction/ipList", MANAGE_ADDRESSES, 3000),
    by_account("POST", "/sapi/v1/margin/apiKey", TRADE, 1),
    by_account("GET", "/sapi/v1/margin/apiKey", TRADE, 1),
    by_account("DELETE", "/sapi/v1/margin/apiKey", TRADE, 1),
    by_account("PUT", "/sapi/v1/margin/apiKey/ip", TRADE, 1),
    by_account("GET", "/sapi/v1/margin/api-key-list", TRADE, 1),
    by_account("POST", "/sapi/v1/margin/exit-special-key-mode", TRADE, 10),
    // Always empty in the sandbox.
    read("/api/v3/myPreventedMatches", "myPreventedMatches", Weight::Order(20, 2)),
    read("/api/v3/myAllocations", "myAllocations", fixed(20)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_operation_is_there_twice() {
        for (index, route) in ROUTES.iter().enumerate() {
            let later = &ROUTES[index + 1..];
            assert!(later.iter().all(|other| (other.method, other.path) != (route.method, route.path)), "{route:?}");
            assert!(route.name.is_empty() || later.iter().all(|other| other.name != route.name), "{route:?}");
        }
    }

    #[test]
    fn weight_depends_on_what_is_asked_for() {
        let weight = |path: &str, params: serde_json::Value| {
            let given = Given::from_params(params.as_object().unwrap()).unwrap();
            find("GET", path).unwrap().weight(&given)
        };
        let limit = |limit: i64| weight("/api/v3/depth", serde_json::json!({"symbol": "A", "limit": limit}));
        assert_eq!([limit(100), limit(500), limit(1000), limit(5000)], [5, 25, 50, 250]);
        assert_eq!(weight("/api/v3/openOrders", serde_json::json!({})), 80);
        assert_eq!(weight("/api/v3/openOrders", serde_json::json!({"symbol": "A"})), 6);
        assert_eq!(weight("/api/v3/ticker", serde_json::json!({"symbols": ["A", "B"]})), 8);
    }
}
