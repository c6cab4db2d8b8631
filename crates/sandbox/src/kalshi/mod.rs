//! Kalshi's Trade API v2: keys, markets, orders and balance.

mod auth;
mod book;
mod error;
mod exchange;
mod keys;
mod made_up;
mod markets;
mod orders;
mod read;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::accounts::KalshiKey;
use crate::clock::Clock;
use crate::message::{Reply, Request};

use self::book::Book;
use self::error::Refusal;
use self::keys::Key;
use self::markets::Market;

/// One account with several keys.
pub(crate) struct Kalshi {
    clock: Clock,
    markets: Vec<Market>,
    state: Mutex<State>,
}

struct State {
    keys: Vec<Arc<Key>>,
    book: Book,
}

/// What a request asks for.
enum Operation {
    ExchangeStatus,
    Markets,
    Market(String),
    Limits,
    Balance,
    Keys,
    CreateKey,
    GenerateKey,
    DeleteKey(String),
    Orders,
    Order(String),
    CreateOrder,
    CancelOrder(String),
}

impl Operation {
    fn find(request: &Request) -> Option<Self> {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["trade-api", "v2", rest @ ..] = segments.as_slice() else { return None };
        Some(match (request.method.as_str(), rest) {
            ("GET", ["exchange", "status"]) => Self::ExchangeStatus,
            ("GET", ["markets"]) => Self::Markets,
            ("GET", ["markets", ticker]) => Self::Market((*ticker).to_owned()),
            ("GET", ["account", "limits"]) => Self::Limits,
            ("GET", ["portfolio", "balance"]) => Self::Balance,
            ("GET", ["api_keys"]) => Self::Keys,
            ("POST", ["api_keys"]) => Self::CreateKey,
            ("POST", ["api_keys", "generate"]) => Self::GenerateKey,
            ("DELETE", ["api_keys", id]) => Self::DeleteKey((*id).to_owned()),
            ("GET", ["portfolio", "orders"]) => Self::Orders,
            ("GET", ["portfolio", "orders", id]) => Self::Order((*id).to_owned()),
            ("POST", ["portfolio", "events", "orders"]) => Self::CreateOrder,
            ("DELETE", ["portfolio", "events", "orders", id]) => Self::CancelOrder((*id).to_owned()),
            _ => return None,
        })
    }

    fn template(&self) -> &'static str {
        match self {
            Self::ExchangeStatus => "GET /trade-api/v2/exchange/status",
            Self::Markets => "GET /trade-api/v2/markets",
            Self::Market(_) => "GET /trade-api/v2/markets/{ticker}",
            Self::Limits => "GET /trade-api/v2/account/limits",
            Self::Balance => "GET /trade-api/v2/portfolio/balance",
            Self::Keys => "GET /trade-api/v2/api_keys",
            Self::CreateKey => "POST /trade-api/v2/api_keys",
            Self::GenerateKey => "POST /trade-api/v2/api_keys/generate",
            Self::DeleteKey(_) => "DELETE /trade-api/v2/api_keys/{api_key}",
            Self::Orders => "GET /trade-api/v2/portfolio/orders",
            Self::Order(_) => "GET /trade-api/v2/portfolio/orders/{order_id}",
            Self::CreateOrder => "POST /trade-api/v2/portfolio/events/orders",
            Self::CancelOrder(_) => "DELETE /trade-api/v2/portfolio/events/orders/{order_id}",
        }
    }

    /// The scopes of which one is needed. None for public operations.
    fn scopes(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::ExchangeStatus | Self::Markets | Self::Market(_) => None,
            Self::Balance => Some(&["read", "read::portfolio_balance"]),
            Self::Limits | Self::Keys | Self::Orders | Self::Order(_) => Some(&["read"]),
            Self::CreateKey | Self::GenerateKey | Self::DeleteKey(_) => Some(&["write"]),
            Self::CreateOrder | Self::CancelOrder(_) => Some(&["write", "write::trade"]),
        }
    }

    fn manages_keys(&self) -> bool {
        matches!(self, Self::Keys | Self::CreateKey | Self::GenerateKey | Self::DeleteKey(_))
    }
}

impl Kalshi {
    pub(crate) fn new(keys: &[KalshiKey], clock: Clock) -> Self {
        let keys = keys.iter().enumerate().map(|(index, key)| Arc::new(Key::given(key, index + 1))).collect();
        let markets = made_up::make(clock.millis());
        Self { clock, markets, state: Mutex::new(State { keys, book: Book::default() }) }
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let Some(operation) = Operation::find(request) else {
            return Refusal::not_found().into_reply();
        };
        match self.carry_out(&operation, request) {
            Ok(reply) => reply.executing(operation.template()),
            Err(refusal) => refusal.into_reply(),
        }
    }

    fn carry_out(&self, operation: &Operation, request: &Request) -> Result<Reply, Refusal> {
        let Some(scopes) = operation.scopes() else {
            return match operation {
                Operation::Markets => markets::list(&self.markets, request),
                Operation::Market(ticker) => markets::get(&self.markets, ticker),
                _ => Ok(exchange::status()),
            };
        };
        let now = self.clock.millis();
        // Checked without the lock, so that RSA in one call does not hold up the others.
        let key = auth::authenticate(request, now, |id| self.lock().key(id))?;
        auth::authorize(&key, scopes)?;
        if operation.manages_keys() && key.subaccount.is_some() {
            let message = "this API key is restricted to a single sub-account and cannot access this endpoint";
            return Err(Refusal::forbidden(message));
        }
        let new_key = match operation {
            Operation::CreateKey => Some(keys::create(request)?),
            Operation::GenerateKey => Some(keys::generate(request)?),
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
        match operation {
            Operation::Keys => Ok(keys::list(&state.keys, request)),
            Operation::DeleteKey(id) => keys::delete(&mut state.keys, id),
            Operation::Limits => Ok(exchange::limits()),
            Operation::Balance => exchange::balance(&state.book, &self.markets, &key, request, now),
            Operation::Orders => orders::list(&state.book, &key, request),
            Operation::Order(id) => orders::get(&state.book, &key, id),
            Operation::CreateOrder => orders::create(&mut state.book, &self.markets, &key, request, now),
            Operation::CancelOrder(id) => orders::cancel(&mut state.book, &key, id, request, now),
            _ => Err(Refusal::not_found()),
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
