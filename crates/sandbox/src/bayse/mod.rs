//! Bayse: login, API keys, events, orders and portfolio.

mod activities;
mod auth;
mod batch;
mod error;
mod events;
mod exchange;
mod inspect;
mod keys;
mod ledger;
mod maker;
mod market_data;
mod order;
mod orders;
mod overview;
mod pnl;
mod portfolio;
mod read;
mod served;
mod shares;
mod streams;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::accounts::BayseAccount;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::make::uuid;
use crate::message::{Reply, Request};
use crate::request_log::RequestLog;
use crate::spec::{self, ExampleReply, Given, Operation};
use crate::streams::FrameLog;

use self::error::Refusal;
use self::events::Event;
use self::exchange::Exchange;
use self::keys::Key;
use self::ledger::{Currency, Ledger};
pub(crate) use self::served::serves;
pub use self::streams::BayseStreamSettings;
use self::streams::{Hub, MarketState};
pub(crate) use self::streams::{is_stream, open_websocket};

/// Any number of accounts, each with its sessions, keys and orders.
pub(crate) struct Bayse {
    clock: Clock,
    requests: RequestLog,
    events: Vec<Event>,
    state: Mutex<State>,
}

/// What changes.
struct State {
    accounts: Vec<Account>,
    exchange: Exchange,
    /// Who is subscribed to what.
    hub: Hub,
}

struct Account {
    user_id: String,
    email: String,
    password: String,
    created: i64,
    last_login: Option<i64>,
    sessions: Vec<Session>,
    keys: Vec<Key>,
    ledger: Ledger,
    replays: Vec<batch::Replay>,
}

struct Session {
    token: String,
    device: String,
}

impl Account {
    fn given(account: &BayseAccount, now: i64) -> Self {
        let key = Key {
            id: uuid(),
            name: "sandbox".to_owned(),
            public: account.public_key.clone(),
            secret: account.secret_key.clone(),
            created: now,
        };
        Self {
            user_id: uuid(),
            email: account.email.clone(),
            password: account.password.clone(),
            created: now,
            last_login: None,
            sessions: vec![Session { token: account.auth_token.clone(), device: account.device_id.clone() }],
            keys: vec![key],
            ledger: Ledger::default(),
            replays: Vec::new(),
        }
    }

    fn has_session(&self, token: &str, device: &str) -> bool {
        self.is_logged_in(token, Some(device))
    }

    /// Whether a token is good, on a device where one is named.
    fn is_logged_in(&self, token: &str, device: Option<&str>) -> bool {
        self.sessions
            .iter()
            .any(|session| session.token == token && device.is_none_or(|device| session.device == device))
    }

    /// What other users call the account: what stands before the `@` of the address.
    fn tag(&self) -> &str {
        self.email.split('@').next().unwrap_or_default()
    }

    fn secret_of(&self, public_key: &str) -> Option<&str> {
        self.keys.iter().find(|key| key.public == public_key).map(|key| key.secret.as_str())
    }
}

impl Bayse {
    pub(crate) fn new(accounts: &[BayseAccount], clock: Clock, faults: Faults, logs: (FrameLog, RequestLog)) -> Self {
        let (frames, requests) = logs;
        let now = clock.millis();
        let accounts = accounts.iter().map(|account| Account::given(account, now)).collect();
        let state = State { accounts, exchange: Exchange::default(), hub: Hub::new(faults, frames) };
        Self { clock, requests, events: events::make(now), state: Mutex::new(state) }
    }

    /// Puts everything back into the state that it had at the start.
    pub(crate) fn reset(&self, accounts: &[BayseAccount]) {
        let now = self.clock.millis();
        let mut state = self.state();
        let hub = state.hub.emptied();
        let accounts = accounts.iter().map(|account| Account::given(account, now)).collect();
        *state = State { accounts, exchange: Exchange::default(), hub };
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let reply = self.answer(request).unwrap_or_else(Refusal::into_reply);
        match request.headers.get("x-trace-id") {
            Some(trace) => reply.with_value("x-trace-id", trace.clone()),
            None => reply,
        }
    }

    fn answer(&self, request: &Request) -> Result<Reply, Refusal> {
        let operation = spec::BAYSE.find(&request.method, &request.path).map_err(|problem| Refusal::wrong(&problem))?;
        let now = self.clock.millis();
        let State { accounts, exchange, hub } = &mut *self.state();
        exchange.expire(accounts, now);
        let reply = self.answer_at(operation, request, exchange, accounts, now);
        let changes = exchange.take_changes();
        hub.publish(&changes, MarketState { events: &self.events, accounts, exchange, now });
        reply
    }

    fn answer_at(
        &self,
        operation: &Operation,
        request: &Request,
        exchange: &mut Exchange,
        accounts: &mut [Account],
        now: i64,
    ) -> Result<Reply, Refusal> {
        let caller = authenticate(accounts, operation, request, now)?;
        let given = operation.check(request).map_err(|problem| Refusal::wrong(&problem))?;
        let counter = spec::BAYSE.counter(operation);
        if !serves(&operation.id) {
            return Ok(operation.reply(&given).executing(counter));
        }
        let call = Call { operation, given: &given, request, now };
        match caller {
            Some(account) => self.carry_out(&call, exchange, accounts, account),
            None => self.carry_out_for_all(&call, exchange, accounts),
        }
        // A batch under an idempotency key has marked itself, once.
        .map(|reply| if batch::marks_itself(operation, request) { reply } else { reply.executing(counter) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What needs no key, or does more with one.
    fn carry_out_for_all(
        &self,
        call: &Call<'_>,
        exchange: &Exchange,
        accounts: &mut [Account],
    ) -> Result<Reply, Refusal> {
        let Call { operation, request, now, .. } = *call;
        match operation.id.as_str() {
            "getHealth" => Ok(Reply::json(200, &json!({"status": "ok"}))),
            "getVersion" => {
                let version = env!("CARGO_PKG_VERSION");
                Ok(Reply::json(200, &json!({"version": version, "commit": "sandbox"})))
            }
            "login" => keys::login(accounts, request, now),
            _ => self.show_market(call, exchange, accounts, false).unwrap_or_else(|| Err(unserved(operation))),
        }
    }

    /// What everybody sees of the markets; a caller with a key may see more.
    fn show_market(
        &self,
        call: &Call<'_>,
        exchange: &Exchange,
        accounts: &[Account],
        signed_in: bool,
    ) -> Option<Result<Reply, Refusal>> {
        let Call { operation, given, request, now } = *call;
        let events = &self.events;
        let event_id = given.in_path("eventId");
        let market_id = given.in_path("marketId");
        Some(match operation.id.as_str() {
            "listEvents" => events::list(exchange, events, request, signed_in),
            "getEvent" => events::get(exchange, events, |event| event.id == event_id, request, signed_in),
            "getEventBySlug" => {
                let slug = given.in_path("slug");
                events::get(exchange, events, |event| event.slug == slug, request, signed_in)
            }
            "getOrderBooks" => market_data::books(exchange, events, request, now),
            "getPriceHistory" => market_data::price_history(exchange, events, event_id, request, now),
            "getQuote" => market_data::quote(exchange, events, market_id, request),
            "getTicker" => market_data::ticker(exchange, events, market_id, request, now),
            "listTrades" => market_data::trades(exchange, accounts, request),
            "lookupUser" => keys::look_up(accounts, request),
            _ => return None,
        })
    }

    fn carry_out(
        &self,
        call: &Call<'_>,
        exchange: &mut Exchange,
        accounts: &mut [Account],
        account: usize,
    ) -> Result<Reply, Refusal> {
        if let Some(reply) = self.show_market(call, exchange, accounts, true) {
            return reply;
        }
        let Call { operation, given, request, now } = *call;
        let events = &self.events;
        let own = &mut accounts[account];
        match operation.id.as_str() {
            "createApiKey" => keys::create(own, request, now),
            "listApiKeys" => Ok(keys::list(own)),
            "revokeApiKey" => keys::revoke(own, given.in_path("keyId")),
            "rotateApiKey" => keys::rotate(own, given.in_path("keyId")),
            "placeOrder" => {
                let place = (given.in_path("eventId"), given.in_path("marketId"));
                orders::place(exchange, (accounts, account), events, place, request, now)
            }
            "listOrders" => orders::list(exchange, account, request),
            "getOrder" => orders::get(exchange, account, given.in_path("orderId")),
            "cancelOrder" => orders::cancel(exchange, (accounts, account), given.in_path("orderId"), now),
            "batchPlaceOrders" => batch::once(accounts, account, operation, request, now, |accounts| {
                batch::place(exchange, (accounts, account), events, request, now)
            }),
            "batchCancelOrders" => batch::once(accounts, account, operation, request, now, |accounts| {
                batch::cancel(exchange, (accounts, account), request, now)
            }),
            "batchAmendOrders" => batch::once(accounts, account, operation, request, now, |accounts| {
                batch::amend(exchange, (accounts, account), events, request, now)
            }),
            "mintShares" => shares::mint(exchange, own, events, given.in_path("marketId"), request, now),
            "burnShares" => shares::burn(exchange, own, events, given.in_path("marketId"), request, now),
            "getPortfolio" => portfolio::get(exchange, own, events, request),
            "getPnl" => pnl::get(own, events, request, now),
            "listActivities" => activities::list(own, events, request),
            "getAssets" => Ok(portfolio::assets(own, now)),
            _ => Err(unserved(operation)),
        }
    }
}

/// An operation that is said to be served, and nothing carries out.
fn unserved(operation: &Operation) -> Refusal {
    Refusal::new(500, "internal_server_error", &format!("the sandbox does not serve {}", operation.id))
}

/// A call that was found good.
#[derive(Clone, Copy)]
struct Call<'a> {
    operation: &'a Operation,
    given: &'a Given,
    request: &'a Request,
    now: i64,
}

/// The account that calls, by the level that the operation asks for; none where a call needs no key and carries none.
fn authenticate(
    accounts: &[Account],
    operation: &Operation,
    request: &Request,
    now: i64,
) -> Result<Option<usize>, Refusal> {
    let is_open = !operation.needs_credentials();
    if let Some(missing) = operation.missing_credential(request) {
        return Err(Refusal::unauthorized(&missing.to_string()));
    }
    if operation.may_carry("x-auth-token") {
        auth::session(accounts, request).map(Some)
    } else if operation.may_carry("x-signature") {
        auth::write(accounts, request, now).map(Some)
    } else if is_open && !(operation.may_carry("x-public-key") && request.headers.contains_key("x-public-key")) {
        Ok(None)
    } else {
        auth::read(accounts, request).map(Some)
    }
}
