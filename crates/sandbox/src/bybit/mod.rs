//! Bybit: keys and sub-accounts, orders in four products, wallets and transfers.

mod account;
mod auth;
mod candles;
mod category;
mod inspect;
mod instruments;
mod keys;
mod limits;
mod maker;
mod market;
mod matching;
mod members;
mod order;
mod orders;
mod overview;
mod permissions;
mod position;
mod positions;
mod read;
mod reply;
mod seed;
mod served;
mod settings;
mod streams;
mod subaccounts;
mod trading;
mod transfers;
mod wallet;
mod wishes;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rust_decimal::Decimal;
use serde_json::Value;

use crate::accounts::BybitKey;
use crate::clock::Clock;
use crate::exchange::Side;
use crate::executed::Executed;
use crate::faults::Faults;
use crate::message::{Reply, Request};
use crate::request_log::RequestLog;
use crate::spec::{self, ExampleReply, Operation, Problem};
use crate::streams::{BookLevels, FrameLog};

use self::category::Category;
use self::limits::{Limit, Limits, Standing};
use self::members::Members;
use self::orders::{Action, Desk};
use self::permissions::Permissions;
use self::read::Given;
pub(crate) use self::reply::refuses_credentials;
use self::reply::{Outcome, Refusal};
pub(crate) use self::served::serves;
use self::served::{Need, Route};
pub use self::settings::BybitSettings;
use self::streams::Hub;
pub(crate) use self::streams::{is_stream, open_websocket};
use self::trading::Trading;

/// What stands before every path.
pub(crate) const ROOT: &str = "/v5";
/// The limit of what is not in the table.
const USUAL_LIMIT: Limit = Limit { calls: 10, millis: 1000 };

/// All accounts, each with its keys and orders.
pub(crate) struct Bybit {
    given: Vec<BybitKey>,
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
    transfers: Vec<transfers::Transfer>,
    /// The connections and what they hear.
    hub: Hub,
}

/// A call whose caller is known.
struct Call<'a> {
    path: &'a str,
    given: &'a Given,
    /// The key, as an index.
    key: usize,
    member: usize,
    now: i64,
}

impl Bybit {
    pub(crate) fn new(
        given: &[BybitKey],
        clock: Clock,
        executed: Executed,
        faults: Faults,
        (log, requests): (FrameLog, RequestLog),
    ) -> Self {
        Self { given: given.to_vec(), clock, executed, faults, log, requests, state: OnceLock::new() }
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let now = self.clock.millis();
        let mut standing = None;
        let reply = self.respond(request, now, &mut standing);
        let reply = reply.unwrap_or_else(|refused| refused.into_reply(now));
        match standing {
            Some(standing) => with_limit(reply, standing),
            None => reply,
        }
    }

    fn respond(&self, request: &Request, now: i64, standing: &mut Option<Standing>) -> Result<Reply, Refusal> {
        let operation = operation(request)?;
        if request.method == http::Method::GET && !request.body.is_empty() {
            return Err(Refusal::http(403, 403, "body: a GET has none"));
        }
        let route = served::find(request.method.as_str(), &request.path);
        let state = &mut *self.state();
        let is_public = match route {
            Some(route) => route.need == Need::Public,
            None => !operation.needs_credentials(),
        };
        let key = if is_public { None } else { Some(auth::authenticate(&state.members, request, now)?) };
        if let Some(key) = key {
            let path = route.map_or(operation.template.as_str(), |route| route.path);
            let limit = route.and_then(|route| route.limit).unwrap_or(USUAL_LIMIT);
            let enforced = state.hub.settings.enforces_limits;
            let counted = state.limits.count((state.members.keys[key].member, path.to_owned()), limit, now, enforced);
            *standing = Some(counted);
            if counted.exceeded {
                return Err(Refusal::new(10006, "Too many visits. Exceeded the API Rate Limit."));
            }
        }
        let values = match operation.check(request) {
            Ok(values) => Some(values),
            Err(problem) if route.is_some() && is_judged_later(&problem) => None,
            Err(problem) => return Err(Refusal::wrong(&problem)),
        };
        let given = Given::of(request)?;
        if let Some(key) = key {
            let is_write = request.method != http::Method::GET;
            state.permit(key, (route, &request.path), is_write, &given)?;
        }
        let reply = match route {
            Some(route) => {
                let member = key.map(|key| state.members.keys[key].member).unwrap_or_default();
                let call = Call { path: route.path, given: &given, key: key.unwrap_or_default(), member, now };
                state.carry_out(&call).map(|outcome| outcome.into_reply(now))
            }
            None => Ok(operation.reply(&values.unwrap_or_default())),
        };
        state.publish(now);
        reply.map(|reply| reply.executing(format!("{} {}", request.method, request.path)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.state.get_or_init(|| {
            let now = self.clock.millis();
            Mutex::new(State::new(&self.given, Hub::new(self.faults.clone(), self.log.clone()), now))
        });
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the state where there is one: without a call there is nothing to see.
    fn if_used<T: Default>(&self, ask: impl FnOnce(&mut State) -> T) -> T {
        let state = self.state.get();
        state.map(|state| ask(&mut state.lock().unwrap_or_else(PoisonError::into_inner))).unwrap_or_default()
    }

    pub(crate) fn settings(&self) -> BybitSettings {
        self.state().hub.settings.clone()
    }

    /// Holds from now on; what belongs to a connection holds for new ones.
    pub(crate) fn set_settings(&self, settings: BybitSettings) {
        self.state().hub.settings = settings;
    }

    /// A book as it was at a mark, or as it is now.
    pub(crate) fn book_at(&self, category: &str, symbol: &str, mark: Option<i64>) -> Option<BookLevels> {
        let state = self.state();
        let instrument = state.trading.find(Category::named(category)?, symbol)?;
        state.trading.book_at(instrument, mark)
    }

    /// Has the venue rest as much as this at a price, with 0 nothing. Whether there is such an instrument.
    pub(crate) fn quote(&self, (category, symbol): (&str, &str), side: Side, price: Decimal, qty: Decimal) -> bool {
        let now = self.clock.millis();
        let state = &mut *self.state();
        let instrument = Category::named(category).and_then(|category| state.trading.find(category, symbol));
        let Some(instrument) = instrument else { return false };
        state.trading.quote(&mut state.members.all, instrument, (side, price, qty), now);
        state.publish(now);
        true
    }

    /// Sends data on a topic to every connection that holds it. Returns how many those are.
    pub(crate) fn notify(&self, endpoint: &str, topic: &str, kind: &str, data: &Value) -> usize {
        self.state().hub.notify(endpoint, topic, kind, data, self.clock.millis())
    }

    /// Puts everything back into the state that it had at the start, but for the settings.
    pub(crate) fn reset(&self) {
        let now = self.clock.millis();
        self.if_used(|state| {
            state.hub.cut_connections();
            let mut hub = Hub::new(self.faults.clone(), self.log.clone());
            hub.settings = state.hub.settings.clone();
            *state = State::new(&self.given, hub, now);
        });
    }

    /// Has all books begin again with the number 1.
    pub(crate) fn restart_books(&self) {
        let now = self.clock.millis();
        let state = &mut *self.state();
        state.hub.restart_books(&state.trading, now);
    }
}

/// The operation of a request.
fn operation(request: &Request) -> Result<&'static Operation, Refusal> {
    // What is below exists on the trade channel alone.
    if request.path.starts_with("/v5/trade/") {
        return Err(Refusal::http(404, 10017, "Route not found."));
    }
    spec::BYBIT.find(&request.method, &request.path).map_err(|problem| match problem.place {
        spec::RequestPart::Method => Refusal::http(400, 10001, problem.to_string()),
        _ => Refusal::http(404, 10017, "Route not found."),
    })
}

/// Whether a problem of a request is for the operation to judge: the venue has its own codes for unknown words, an item
/// of a batch is refused alone, and some clients send addresses as a list.
fn is_judged_later(problem: &Problem) -> bool {
    problem.wrong_word || problem.at.starts_with("request/") || problem.field() == "ips"
}

fn with_limit(reply: Reply, standing: Standing) -> Reply {
    reply
        .with_header("x-bapi-limit", &standing.limit.to_string())
        .with_header("x-bapi-limit-status", &standing.left.to_string())
        .with_header("x-bapi-limit-reset-timestamp", &standing.reset.to_string())
}

impl State {
    fn new(given: &[BybitKey], hub: Hub, now: i64) -> Self {
        let (members, trading) = (Members::new(given, now), Trading::new(now));
        Self { members, trading, limits: Limits::default(), transfers: Vec::new(), hub }
    }

    /// Refuses a call that its key may not make.
    fn permit(
        &self,
        key: usize,
        (route, path): (Option<&Route>, &str),
        is_write: bool,
        given: &Given,
    ) -> Result<(), Refusal> {
        let key = &self.members.keys[key];
        let is_master = self.members.all[key.member].is_master();
        let may: &Permissions = &key.permissions;
        // A key that only reads may still end itself.
        let ends_itself = path == "/v5/user/delete-sub-api" && !is_master;
        if key.read_only && is_write && !ends_itself {
            return Err(Refusal::permission());
        }
        let allowed = match route.map_or_else(|| served::need_elsewhere(path), |route| route.need) {
            Need::Public | Need::Key => true,
            Need::Master => is_master,
            Need::Manager => is_master && may.manages(),
            Need::KeyManager => may.manages(),
            Need::Trade => may.trades(given.category()?),
            Need::Positions => may.holds(given.category()?),
            Need::AnyTrade => Category::ALL.into_iter().any(|category| may.trades(category)),
            Need::Withdraw => may.has("Wallet", "Withdraw"),
            Need::Transfer => may.has("Wallet", "AccountTransfer"),
            Need::MemberTransfer => {
                may.has("Wallet", "SubMemberTransfer") || may.has("Wallet", "SubMemberTransferList")
            }
        };
        if allowed { Ok(()) } else { Err(Refusal::permission()) }
    }

    fn carry_out(&mut self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let Call { path, given, key, member, now } = *call;
        let Self { members, trading, hub, .. } = self;
        match path {
            "/v5/market/time" => Ok(market::time(now)),
            "/v5/market/instruments-info" => market::instruments(trading, given, now),
            "/v5/market/tickers" => market::tickers(trading, given, now),
            "/v5/market/kline" => market::klines(trading, given, now, true),
            "/v5/market/mark-price-kline" => market::klines(trading, given, now, false),
            "/v5/market/recent-trade" => market::recent_trades(trading, given),
            "/v5/market/price-limit" => market::price_limit(trading, given, now),
            "/v5/market/orderbook" | "/v5/market/full_orderbook" => {
                let (index, most) = market::book_request(trading, given, path.ends_with("full_orderbook"))?;
                Ok(market::book(trading, index, hub.book_for_rest(trading, index, most, now), most, now))
            }
            "/v5/account/info" => Ok(account::info(now)),
            "/v5/account/smp-group" => Ok(account::self_trade_group()),
            "/v5/asset/coin/query-info" => Ok(account::coins(trading, given)),
            "/v5/account/fee-rate" => account::fees(trading, given),
            "/v5/account/wallet-balance" => account::balance(trading, &members.all, member, given),
            "/v5/order/realtime" => orders::open(trading, member, given),
            "/v5/order/history" => orders::history(trading, member, given),
            "/v5/execution/list" => orders::executions(trading, member, given),
            "/v5/position/list" => positions::list(trading, member, given),
            "/v5/position/symbol-info" => positions::symbols(trading, member, given),
            "/v5/position/closed-pnl" => positions::closed(trading, member, given),
            "/v5/position/set-leverage" => positions::set_leverage(trading, member, given, now),
            "/v5/user/create-sub-api" => keys::create_sub(members, key, given, now),
            "/v5/user/sub-apikeys" => keys::list_sub(members, key, given, now),
            "/v5/user/query-api" => Ok(keys::query(members, key, now)),
            "/v5/user/update-api" => keys::update_own(members, key, given),
            "/v5/user/update-sub-api" => keys::update_sub(members, key, given, now),
            "/v5/user/delete-api" => Ok(keys::delete_own(members, key)),
            "/v5/user/delete-sub-api" => keys::delete_sub(members, key, given),
            "/v5/user/create-sub-member" => subaccounts::create(members, key, given),
            "/v5/user/query-sub-members" => Ok(subaccounts::list(members, key)),
            "/v5/user/submembers" => subaccounts::page(members, key, given),
            "/v5/user/frozen-sub-member" => subaccounts::freeze(members, key, given),
            "/v5/user/del-submember" => subaccounts::delete(members, trading, key, given),
            "/v5/user/get-member-type" => subaccounts::wallets(members, key, given),
            _ if path.starts_with("/v5/order/") => self.trade(path, given, member, now),
            _ => self.transfer(call),
        }
    }

    /// What is done with orders.
    fn trade(&mut self, path: &str, given: &Given, member: usize, now: i64) -> Result<Outcome, Refusal> {
        let Self { members, trading, .. } = self;
        let mut desk = Desk { trading, members: &mut members.all, member, now };
        match path {
            "/v5/order/create" => desk.one(Action::Create, given),
            "/v5/order/amend" => desk.one(Action::Amend, given),
            "/v5/order/cancel" => desk.one(Action::Cancel, given),
            "/v5/order/create-batch" => desk.batch(Action::Create, given),
            "/v5/order/amend-batch" => desk.batch(Action::Amend, given),
            "/v5/order/cancel-batch" => desk.batch(Action::Cancel, given),
            "/v5/order/cancel-all" => desk.cancel_all(given),
            other => Err(unserved(other)),
        }
    }

    fn transfer(&mut self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let Self { members, trading, transfers, .. } = self;
        let mut desk = transfers::Desk { trading, members, done: transfers, caller: call.key, now: call.now };
        match call.path {
            "/v5/asset/transfer/inter-transfer" => desk.within(call.given),
            "/v5/asset/transfer/universal-transfer" => desk.between(call.given),
            "/v5/asset/transfer/query-inter-transfer-list" => desk.list(call.given, false),
            "/v5/asset/transfer/query-universal-transfer-list" => desk.list(call.given, true),
            "/v5/asset/transfer/query-account-coin-balance" => desk.balance(call.given, true),
            "/v5/asset/transfer/query-account-coins-balance" => desk.balance(call.given, false),
            "/v5/asset/transfer/query-transfer-coin-list" => desk.coins(call.given),
            "/v5/asset/transfer/query-sub-member-list" => Ok(desk.members()),
            other => Err(unserved(other)),
        }
    }

    /// Sends what has changed to those who hear of it.
    fn publish(&mut self, now: i64) {
        let changes = self.trading.take_changes();
        self.hub.publish(&changes, &self.trading, &self.members.all, now);
    }
}

/// An operation that is in the table, and nothing carries out.
fn unserved(path: &str) -> Refusal {
    Refusal::http(500, 10016, format!("the sandbox does not serve {path}"))
}
