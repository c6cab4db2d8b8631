//! Binance: spot orders that match, three types of keys, sub-accounts and transfers; the WebSocket API and the streams.

mod account;
mod auth;
mod candles;
mod inspect;
mod keys;
mod limits;
mod list_calls;
mod lists;
mod maker;
mod margin_keys;
mod market;
mod matching;
mod members;
mod order;
mod orders;
mod overview;
mod permissions;
mod place;
mod read;
mod reply;
mod seed;
mod served;
mod settings;
mod streams;
mod subaccounts;
mod symbols;
mod time_unit;
mod trading;
mod transfers;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::accounts::BinanceKey;
use crate::clock::Clock;
use crate::exchange::Side;
use crate::executed::Executed;
use crate::faults::Faults;
use crate::message::{Reply, Request};
use crate::request_log::RequestLog;
use crate::spec::{self, BINANCE, ExampleReply, Operation, Problem};
use crate::streams::{BookLevels, FrameLog};

use self::limits::{Limits, Scope};
use self::members::Members;
use self::orders::Desk;
use self::permissions::Permission;
pub(crate) use self::permissions::are_permissions;
use self::read::Given;
use self::reply::Refusal;
pub(crate) use self::reply::refuses_credentials;
pub(crate) use self::served::serves;
use self::served::{Need, Route};
pub use self::settings::BinanceSettings;
use self::streams::Hub;
pub(crate) use self::streams::{channel_of, is_stream, open_websocket};
use self::trading::Trading;

/// What stands before the paths of the venue.
pub(crate) const ROOTS: [&str; 2] = ["/api/v3", "/sapi"];

/// All accounts, each with its keys and orders.
pub(crate) struct Binance {
    given: Vec<BinanceKey>,
    clock: Clock,
    executed: Executed,
    faults: Faults,
    log: FrameLog,
    requests: RequestLog,
    /// Made on the first call: most users of a sandbox have another venue in mind.
    state: OnceLock<Mutex<State>>,
}

/// What changes.
struct State {
    members: Members,
    trading: Trading,
    limits: Limits,
    moved: transfers::Moved,
    settings: BinanceSettings,
    /// The connections and what they hear.
    hub: Hub,
}

/// A call whose caller is known.
struct Call<'a> {
    route: &'static Route,
    given: &'a Given,
    /// The key, as an index. `None` for public calls.
    key: Option<usize>,
    now: i64,
}

/// What a call has used, for the headers of its response.
#[derive(Clone, Copy)]
struct Used {
    scope: Scope,
    weight: u64,
    /// Of the account that placed an order, in ten seconds and in a day.
    orders: Option<[u64; 2]>,
}

impl Binance {
    pub(crate) fn new(
        given: &[BinanceKey],
        clock: Clock,
        executed: Executed,
        faults: Faults,
        (log, requests): (FrameLog, RequestLog),
    ) -> Self {
        Self { given: given.to_vec(), clock, executed, faults, log, requests, state: OnceLock::new() }
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let now = self.clock.millis();
        let mut used = None;
        let reply = self.respond(request, now, &mut used).unwrap_or_else(Refusal::into_reply);
        match used {
            Some(used) => with_usage(reply, used),
            None => reply,
        }
    }

    fn respond(&self, request: &Request, now: i64, used: &mut Option<Used>) -> Result<Reply, Refusal> {
        let operation = operation(request)?;
        let route = served::find(request.method.as_str(), &request.path);
        let unit = time_unit::of(request)?;
        let state = &mut *self.state();
        let given = Given::of(request)?;
        let need = route.map_or_else(|| need_of(operation), |route| route.need);
        let key = state.authenticate(need, request, &given, now)?;
        let account = key.map(|key| state.members.keys[key].member).unwrap_or_default();
        let (scope, weight) = match route {
            Some(route) => (route.scope, route.weight(&given)),
            None if request.path.starts_with("/api") => (Scope::Api, 1),
            None => (Scope::Address, 1),
        };
        let path = format!("{} {}", request.method, request.path);
        let weight = state.limits.count((scope, &path, account), weight, &state.settings, now)?;
        *used = Some(Used { scope, weight, orders: None });
        let values = match operation.check(request) {
            Ok(values) => values,
            Err(problem) if route.is_some() && is_judged_later(&problem) => spec::Given::default(),
            Err(problem) => return Err(Refusal::wrong(&problem)),
        };
        let reply = match route {
            Some(route) => {
                let outcome = state.carry_out(&Call { route, given: &given, key, now });
                if let (true, Some(used)) = (route.counts_orders(), used.as_mut()) {
                    used.orders = Some(state.limits.orders(account, now));
                }
                let mut value = outcome?;
                if request.path.starts_with("/api") {
                    unit.apply(&mut value);
                }
                Reply::json(200, &value)
            }
            None => operation.reply(&values),
        };
        state.publish(now);
        Ok(reply.executing(path))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.state.get_or_init(|| {
            let hub = Hub::new(self.faults.clone(), self.log.clone());
            Mutex::new(State::new(&self.given, BinanceSettings::default(), hub, self.clock.millis()))
        });
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the state where there is one: without a call there is nothing to see.
    fn if_used<T: Default>(&self, ask: impl FnOnce(&mut State) -> T) -> T {
        let state = self.state.get();
        state.map(|state| ask(&mut state.lock().unwrap_or_else(PoisonError::into_inner))).unwrap_or_default()
    }

    pub(crate) fn settings(&self) -> BinanceSettings {
        self.state().settings.clone()
    }

    /// Holds from now on; what belongs to a connection holds for new ones.
    pub(crate) fn set_settings(&self, settings: BinanceSettings) {
        self.state().settings = settings;
    }

    /// A book as it was after an update, or as it is now.
    pub(crate) fn book_at(&self, symbol: &str, update: Option<i64>) -> Option<BookLevels> {
        let state = self.state();
        state.trading.book_at(state.trading.find(symbol)?, update)
    }

    /// Has the venue rest as much as this at a price, with 0 nothing. Whether there is such a market.
    pub(crate) fn quote(&self, symbol: &str, side: Side, price: Decimal, qty: Decimal) -> bool {
        let now = self.clock.millis();
        let state = &mut *self.state();
        let Some(symbol) = state.trading.find(symbol) else { return false };
        state.trading.quote(&mut state.members.all, symbol, (side, price, qty), now);
        state.publish(now);
        true
    }

    /// Puts everything back into the state that it had at the start, but for the settings.
    pub(crate) fn reset(&self) {
        let now = self.clock.millis();
        self.if_used(|state| {
            state.hub.cut_connections();
            let hub = Hub::new(self.faults.clone(), self.log.clone());
            *state = State::new(&self.given, state.settings.clone(), hub, now);
        });
    }
}

/// The operation of a request.
fn operation(request: &Request) -> Result<&'static Operation, Refusal> {
    BINANCE.find(&request.method, &request.path).map_err(|problem| match problem.place {
        spec::RequestPart::Method => Refusal::new(-1000, problem.to_string()).with_status(405),
        _ => not_found(),
    })
}

fn not_found() -> Refusal {
    Refusal::new(-1000, "Not found, no such path.").with_status(404)
}

/// What the spec says that an operation needs.
fn need_of(operation: &Operation) -> Need {
    if !operation.needs_credentials() {
        Need::Public
    } else if operation.needs("signature") {
        Need::Signed(permission_of(operation.scope.as_deref().unwrap_or_default()))
    } else {
        Need::Key
    }
}

fn permission_of(scope: &str) -> Permission {
    match scope {
        "enableSpotAndMarginTrading" => Permission::Trade,
        "enableMargin" => Permission::Margin,
        "enableWithdrawals" => Permission::Withdraw,
        "permitsUniversalTransfer" => Permission::UniversalTransfer,
        "enableInternalTransfer" => Permission::InternalTransfer,
        _ => Permission::Read,
    }
}

/// Whether a problem of a request is for the operation to judge: the venue has its own codes and texts for what it knows
/// best, and an order of parameters in which it looks at them.
fn is_judged_later(problem: &Problem) -> bool {
    problem.place != spec::RequestPart::ContentType
}

fn with_usage(reply: Reply, used: Used) -> Reply {
    let weight = used.weight.to_string();
    let reply = match used.scope {
        Scope::Api => reply.with_header("x-mbx-used-weight", &weight).with_header("x-mbx-used-weight-1m", &weight),
        Scope::Address => reply.with_header("x-sapi-used-ip-weight-1m", &weight),
        Scope::Account => reply.with_header("x-sapi-used-uid-weight-1m", &weight),
    };
    match used.orders {
        Some([short, long]) => reply
            .with_header("x-mbx-order-count-10s", &short.to_string())
            .with_header("x-mbx-order-count-1d", &long.to_string()),
        None => reply,
    }
}

impl State {
    fn new(given: &[BinanceKey], settings: BinanceSettings, hub: Hub, now: i64) -> Self {
        Self {
            members: Members::new(given, now),
            trading: Trading::new(now),
            limits: Limits::default(),
            moved: transfers::Moved::default(),
            settings,
            hub,
        }
    }

    /// The key that a request is sent with, if it needs one.
    fn authenticate(&self, need: Need, request: &Request, given: &Given, now: i64) -> Result<Option<usize>, Refusal> {
        if need == Need::Public {
            return Ok(None);
        }
        let index = auth::key_of(&self.members, request.header(auth::HEADER))?;
        let key = &self.members.keys[index];
        if need != Need::Key {
            auth::check_time(given, now)?;
            auth::check_signature(key, request, given)?;
        }
        self.permit(index, need)?;
        Ok(Some(index))
    }

    /// Refuses a key that may not make a call.
    fn permit(&self, key: usize, need: Need) -> Result<(), Refusal> {
        let key = &self.members.keys[key];
        match need {
            Need::Public => Ok(()),
            Need::Key => auth::check_key(key, Permission::Read),
            Need::Signed(permission) => auth::check_key(key, permission),
            Need::Master(_) if self.members.all[key.member].master.is_some() => Err(Refusal::key()),
            Need::Master(permission) => auth::check_key(key, permission),
        }
    }

    fn carry_out(&mut self, call: &Call<'_>) -> Result<Value, Refusal> {
        let Call { route, given, key, now } = *call;
        let member = key.map(|key| self.members.keys[key].member).unwrap_or_default();
        let Self { members, trading, limits, moved, settings, .. } = self;
        match (route.method, route.path) {
            (_, "/api/v3/ping") => Ok(json!({})),
            (_, "/api/v3/time") => Ok(json!({"serverTime": now})),
            (_, "/api/v3/exchangeInfo") => market::exchange_info(trading, given, settings, now),
            (_, "/api/v3/depth") => market::depth(trading, given),
            (_, "/api/v3/trades" | "/api/v3/historicalTrades") => market::trades(trading, given),
            (_, "/api/v3/aggTrades") => market::aggregate_trades(trading, given),
            (_, "/api/v3/klines" | "/api/v3/uiKlines") => market::klines(trading, given, now),
            (_, "/api/v3/avgPrice") => market::average_price(trading, given, now),
            (_, "/api/v3/ticker/24hr") => market::day_ticker(trading, given, now),
            (_, "/api/v3/ticker/tradingDay") => market::trading_day(trading, given, now),
            (_, "/api/v3/ticker/price") => market::price(trading, given),
            (_, "/api/v3/ticker/bookTicker") => market::book_ticker(trading, given),
            (_, "/api/v3/ticker") => market::window_ticker(trading, given, now),
            ("GET", "/api/v3/order") => orders::get(trading, member, given),
            ("GET", "/api/v3/openOrders") => orders::open(trading, member, given),
            (_, "/api/v3/allOrders") => orders::all(trading, member, given),
            (_, "/api/v3/order/amendments") => orders::amendments(trading, member, given),
            (_, "/api/v3/myTrades") => orders::trades(trading, member, given),
            ("GET", "/api/v3/orderList") => list_calls::get(trading, member, given),
            (_, "/api/v3/openOrderList") => Ok(list_calls::open(trading, member)),
            (_, "/api/v3/allOrderList") => list_calls::all(trading, member, given),
            (_, "/api/v3/myPreventedMatches" | "/api/v3/myAllocations") => {
                place::symbol(trading, given).map(|_| json!([]))
            }
            (_, "/api/v3/account/commission") => account::commission(trading, given),
            (_, "/api/v3/rateLimit/order") => Ok(account::order_rates(limits, settings, member, now)),
            (_, "/sapi/v1/system/status") => Ok(json!({"status": 0, "msg": "normal"})),
            (_, "/sapi/v1/account/status") => Ok(json!({"data": "Normal"})),
            (_, "/sapi/v1/account/apiTradingStatus") => Ok(account::trading_status(now)),
            (_, "/sapi/v1/capital/config/getall") => Ok(account::all_coins(trading, &members.all, member)),
            (_, "/sapi/v1/asset/tradeFee") => account::trade_fee(trading, given),
            (_, "/sapi/v3/asset/getUserAsset") => account::assets(trading, &members.all, member, given),
            (_, "/sapi/v1/sub-account/virtualSubAccount") => subaccounts::create(members, member, given, now),
            (_, "/sapi/v1/sub-account/list") => subaccounts::list(members, member, given),
            (_, "/sapi/v4/sub-account/assets") => subaccounts::assets(members, trading, member, given),
            (_, path) if path.starts_with("/api/v3/") && path != "/api/v3/account" => {
                let members = &mut members.all;
                Desk { trading, members, limits, settings, member, now }.trade(route, given)
            }
            (_, path) if path.contains("transfer") || path.contains("Transfer") || path.contains("/capital/") => {
                transfers::Desk { trading, members, moved, member, now }.carry_out(route, given)
            }
            _ => self.keys(call, key.unwrap_or_default(), member),
        }
    }

    /// What is done with keys.
    fn keys(&mut self, call: &Call<'_>, key: usize, member: usize) -> Result<Value, Refusal> {
        let Call { route, given, now, .. } = *call;
        let Self { members, trading, .. } = self;
        match (route.method, route.path) {
            (_, "/api/v3/account") => account::account(trading, &members.all, member, &members.keys[key], given),
            (_, "/sapi/v1/account/apiRestrictions") => Ok(keys::restrictions(&members.keys[key])),
            ("POST", "/sapi/v1/sub-account/subAccountApi") => keys::create(members, member, given, now),
            ("GET", "/sapi/v1/sub-account/subAccountApi") => keys::list(members, member, given),
            ("DELETE", "/sapi/v1/sub-account/subAccountApi") => keys::delete(members, member, given),
            (_, "/sapi/v1/sub-account/subAccountApiPermission") => keys::permit(members, member, given, now),
            ("GET", "/sapi/v1/sub-account/subAccountApi/ipRestriction") => keys::get_addresses(members, member, given),
            (_, "/sapi/v2/sub-account/subAccountApi/ipRestriction") => keys::set_addresses(members, member, given, now),
            (_, "/sapi/v1/sub-account/subAccountApi/ipRestriction/ipList") => {
                keys::delete_addresses(members, member, given, now)
            }
            ("POST", "/sapi/v1/margin/apiKey") => margin_keys::create(members, trading, member, given, now),
            ("GET", "/sapi/v1/margin/apiKey") => margin_keys::get(members, trading, member, given),
            ("DELETE", "/sapi/v1/margin/apiKey") => margin_keys::delete(members, trading, member, given),
            (_, "/sapi/v1/margin/apiKey/ip") => margin_keys::set_addresses(members, trading, member, given, now),
            (_, "/sapi/v1/margin/api-key-list") => margin_keys::list(members, trading, member, given),
            (_, "/sapi/v1/margin/exit-special-key-mode") => Ok(margin_keys::leave(members, member)),
            (_, path) => Err(unserved(path)),
        }
    }

    /// Sends what has changed to those who hear of it.
    fn publish(&mut self, now: i64) {
        self.trading.release_lists(&mut self.members.all, now);
        let mut changes = self.trading.take_changes();
        for movement in &changes.movements {
            changes.coins.entry(movement.member).or_default().insert(movement.coin.clone());
        }
        for report in &changes.reports {
            if report.order.status == order::Status::Filled && report.execution.is_some() {
                self.limits.uncount_order(report.order.member, report.order.time, now);
            }
        }
        self.hub.publish(&changes, (&self.trading, &self.members.all), &self.settings, now);
    }
}

/// An operation that is in the table, and nothing carries out.
fn unserved(path: &str) -> Refusal {
    Refusal::new(-1000, format!("the sandbox does not serve {path}")).with_status(500)
}
