//! Kalshi's Trade API v2 and its exchange for perpetual futures: keys, markets, orders,
//! order groups, requests for quotes and balance; the rest by the specs.

mod auth;
mod book;
mod error;
mod exchange;
mod groups;
mod keys;
mod made_up;
mod markets;
mod orders;
mod read;
mod rfqs;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::accounts::KalshiKey;
use crate::clock::Clock;
use crate::message::{Reply, Request};
use crate::spec::{self, Answering, Given, Operation, Spec};

use self::book::Book;
use self::error::Refusal;
use self::groups::Groups;
use self::keys::Key;
use self::markets::Market;
use self::rfqs::Rfqs;

/// One account with several keys.
pub(crate) struct Kalshi {
    clock: Clock,
    markets: Vec<Market>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Vec<Arc<Key>>,
    book: Book,
    groups: Groups,
    rfqs: Rfqs,
}

impl Kalshi {
    pub(crate) fn new(keys: &[KalshiKey], clock: Clock) -> Self {
        let keys = keys.iter().enumerate().map(|(index, key)| Arc::new(Key::given(key, index + 1))).collect();
        let markets = made_up::make(clock.millis());
        Self { clock, markets, state: Mutex::new(State { keys, ..State::default() }) }
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        self.answer(&spec::KALSHI, request).unwrap_or_else(Refusal::into_reply)
    }

    /// The same host serves the perpetual futures, for the same keys.
    pub(crate) fn handle_perps(&self, request: &Request) -> Reply {
        self.answer(&spec::KALSHI_PERPS, request).unwrap_or_else(Refusal::into_reply)
    }

    fn answer(&self, spec: &Spec, request: &Request) -> Result<Reply, Refusal> {
        let path = request.path.strip_prefix(spec.prefix).unwrap_or_default();
        let operation = spec.find(&request.method, path).map_err(|problem| Refusal::nowhere(&problem))?;
        let now = self.clock.millis();
        let key = operation.needs_credentials().then(|| self.authenticate(operation, request, now)).transpose()?;
        let given = operation.check(request).map_err(|problem| Refusal::wrong(operation, &problem))?;
        let reply = match key {
            None => self.read_public(operation, &given, request)?,
            Some(key) => self.carry_out(operation, &given, &key, request, now)?,
        };
        Ok(reply.executing(spec.counter(operation)))
    }

    /// The key that signed. Checked without the lock, so that RSA in one call does not hold up the others.
    fn authenticate(&self, operation: &Operation, request: &Request, now: i64) -> Result<Arc<Key>, Refusal> {
        let key = auth::authenticate(request, now, |id| self.lock().key(id))?;
        auth::authorize(&key, operation.scope.as_deref())?;
        if operation.template.starts_with("/api_keys") && key.subaccount.is_some() {
            let message = "this API key is restricted to a single sub-account and cannot access this endpoint";
            return Err(Refusal::forbidden(message));
        }
        Ok(key)
    }

    fn read_public(&self, operation: &Operation, given: &Given, request: &Request) -> Result<Reply, Refusal> {
        match operation.id.as_str() {
            "GetExchangeStatus" => Ok(exchange::status()),
            "GetMarkets" => markets::list(&self.markets, request),
            "GetMarket" => markets::get(&self.markets, given.in_path("ticker")),
            _ => Ok(operation.reply(given)),
        }
    }

    fn carry_out(
        &self,
        operation: &Operation,
        given: &Given,
        key: &Key,
        request: &Request,
        now: i64,
    ) -> Result<Reply, Refusal> {
        // Made without the lock: it takes a second.
        let new_key = match operation.id.as_str() {
            "CreateApiKey" => Some(keys::create(request)?),
            "GenerateApiKey" => Some(keys::generate(request)?),
            _ => None,
        };
        let mut state = self.lock();
        // The key may have been deleted meanwhile.
        state.key(&key.id).ok_or_else(|| Refusal::authentication("NOT_FOUND"))?;
        state.book.expire(now);
        if let Some((new_key, reply)) = new_key {
            state.keys.push(Arc::new(new_key));
            return Ok(reply);
        }
        let state = &mut *state;
        match operation.id.as_str() {
            "GetApiKeys" => Ok(keys::list(&state.keys, request)),
            "DeleteApiKey" => keys::delete(&mut state.keys, given.in_path("api_key")),
            "GetAccountApiLimits" => Ok(exchange::limits()),
            "GetBalance" => exchange::balance(&state.book, &self.markets, key, request, now),
            "GetOrders" => orders::list(&state.book, key, request),
            "GetOrder" => orders::get(&state.book, key, given.in_path("order_id")),
            "CreateOrderV2" => {
                state.groups.check_order(given.text("order_group_id"))?;
                let reply = orders::create(&mut state.book, &self.markets, key, request, now)?;
                state.groups.watch(&mut state.book, now);
                Ok(reply)
            }
            "CancelOrderV2" => orders::cancel(&mut state.book, key, given.in_path("order_id"), request, now),
            _ if operation.template.starts_with("/portfolio/order_groups") => {
                state.groups.carry_out(&mut state.book, operation, given, key, request, now)
            }
            _ if Rfqs::serves(operation) => state.rfqs.carry_out(&self.markets, operation, given, request, now),
            _ => Ok(operation.reply(given)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn key(&self, id: &str) -> Option<Arc<Key>> {
        self.keys.iter().find(|key| key.id == id).cloned()
    }
}
