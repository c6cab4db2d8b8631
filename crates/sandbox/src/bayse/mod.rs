//! Bayse: login, API keys, events, orders and portfolio.

mod auth;
mod batch;
mod error;
mod events;
mod keys;
mod ledger;
mod orders;
mod portfolio;
mod read;

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::accounts::BayseAccount;
use crate::clock::Clock;
use crate::make::uuid;
use crate::message::{Reply, Request};

use self::error::Refusal;
use self::events::Event;
use self::keys::Key;
use self::ledger::Ledger;

/// Any number of accounts, each with its sessions, keys and orders.
pub(crate) struct Bayse {
    clock: Clock,
    events: Vec<Event>,
    accounts: Mutex<Vec<Account>>,
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
        self.sessions.iter().any(|session| session.token == token && session.device == device)
    }

    fn secret_of(&self, public_key: &str) -> Option<&str> {
        self.keys.iter().find(|key| key.public == public_key).map(|key| key.secret.as_str())
    }
}

/// What a request asks for.
enum Operation {
    Health,
    Version,
    Login,
    CreateKey,
    Keys,
    RevokeKey(String),
    RotateKey(String),
    Events,
    Event(String),
    EventBySlug(String),
    PlaceOrder(String, String),
    Orders,
    Order(String),
    CancelOrder(String),
    PlaceBatch,
    CancelBatch,
    Portfolio,
    Assets,
}

impl Operation {
    fn find(request: &Request) -> Option<Self> {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let own = |text: &&str| (*text).to_owned();
        Some(match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["health"]) => Self::Health,
            ("GET", ["version"]) => Self::Version,
            ("POST", ["v1", "user", "login"]) => Self::Login,
            ("POST", ["v1", "user", "me", "api-keys"]) => Self::CreateKey,
            ("GET", ["v1", "user", "me", "api-keys"]) => Self::Keys,
            ("DELETE", ["v1", "user", "me", "api-keys", id]) => Self::RevokeKey(own(id)),
            ("POST", ["v1", "user", "me", "api-keys", id, "rotate"]) => Self::RotateKey(own(id)),
            ("GET", ["v1", "pm", "events"]) => Self::Events,
            ("GET", ["v1", "pm", "events", id]) => Self::Event(own(id)),
            ("GET", ["v1", "pm", "events", "slug", slug]) => Self::EventBySlug(own(slug)),
            ("POST", ["v1", "pm", "events", event, "markets", market, "orders"]) => {
                Self::PlaceOrder(own(event), own(market))
            }
            ("POST", ["v1", "pm", "orders", "batch"]) => Self::PlaceBatch,
            ("DELETE", ["v1", "pm", "orders", "batch"]) => Self::CancelBatch,
            ("GET", ["v1", "pm", "orders"]) => Self::Orders,
            ("GET", ["v1", "pm", "orders", id]) => Self::Order(own(id)),
            ("DELETE", ["v1", "pm", "orders", id]) => Self::CancelOrder(own(id)),
            ("GET", ["v1", "pm", "portfolio"]) => Self::Portfolio,
            ("GET", ["v1", "wallet", "assets"]) => Self::Assets,
            _ => return None,
        })
    }

    fn template(&self) -> &'static str {
        match self {
            Self::Health => "GET /health",
            Self::Version => "GET /version",
            Self::Login => "POST /v1/user/login",
            Self::CreateKey => "POST /v1/user/me/api-keys",
            Self::Keys => "GET /v1/user/me/api-keys",
            Self::RevokeKey(_) => "DELETE /v1/user/me/api-keys/{keyId}",
            Self::RotateKey(_) => "POST /v1/user/me/api-keys/{keyId}/rotate",
            Self::Events => "GET /v1/pm/events",
            Self::Event(_) => "GET /v1/pm/events/{eventId}",
            Self::EventBySlug(_) => "GET /v1/pm/events/slug/{slug}",
            Self::PlaceOrder(..) => "POST /v1/pm/events/{eventId}/markets/{marketId}/orders",
            Self::Orders => "GET /v1/pm/orders",
            Self::Order(_) => "GET /v1/pm/orders/{orderId}",
            Self::CancelOrder(_) => "DELETE /v1/pm/orders/{orderId}",
            Self::PlaceBatch => "POST /v1/pm/orders/batch",
            Self::CancelBatch => "DELETE /v1/pm/orders/batch",
            Self::Portfolio => "GET /v1/pm/portfolio",
            Self::Assets => "GET /v1/wallet/assets",
        }
    }
}

impl Bayse {
    pub(crate) fn new(accounts: &[BayseAccount], clock: Clock) -> Self {
        let now = clock.millis();
        let accounts = accounts.iter().map(|account| Account::given(account, now)).collect();
        Self { clock, events: events::make(now), accounts: Mutex::new(accounts) }
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let reply = match Operation::find(request) {
            None => Refusal::not_found("route").into_reply(),
            Some(operation) => match self.carry_out(&operation, request) {
                Ok(reply) => self.count(&operation, request, reply),
                Err(refusal) => refusal.into_reply(),
            },
        };
        match request.header("x-trace-id") {
            Some(trace) => reply.with_header("x-trace-id", trace),
            None => reply,
        }
    }

    /// Marks what was carried out. A batch under an idempotency key has marked itself, once.
    fn count(&self, operation: &Operation, request: &Request, reply: Reply) -> Reply {
        let is_batch = matches!(operation, Operation::PlaceBatch | Operation::CancelBatch);
        if is_batch && request.headers.contains_key("idempotency-key") {
            return reply;
        }
        reply.executing(operation.template())
    }

    fn carry_out(&self, operation: &Operation, request: &Request) -> Result<Reply, Refusal> {
        let now = self.clock.millis();
        let events = &self.events;
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.iter_mut().for_each(|account| account.ledger.expire(now));
        let accounts = accounts.as_mut_slice();
        match operation {
            Operation::Health => Ok(Reply::json(200, &json!({"status": "ok"}))),
            Operation::Version => {
                let version = env!("CARGO_PKG_VERSION");
                Ok(Reply::json(200, &json!({"version": version, "commit": "sandbox"})))
            }
            Operation::Login => keys::login(accounts, request, now),
            Operation::CreateKey => keys::create(auth::session(accounts, request)?, request, now),
            Operation::Keys => Ok(keys::list(auth::session(accounts, request)?)),
            Operation::RevokeKey(id) => keys::revoke(auth::session(accounts, request)?, id),
            Operation::RotateKey(id) => keys::rotate(auth::session(accounts, request)?, id),
            Operation::Events => events::list(events, request, signed_in(accounts, request)?),
            Operation::Event(id) => events::get(events, |event| event.id == *id, signed_in(accounts, request)?),
            Operation::EventBySlug(slug) => {
                events::get(events, |event| event.slug == *slug, signed_in(accounts, request)?)
            }
            Operation::PlaceOrder(event, market) => {
                orders::place(auth::write(accounts, request, now)?, events, (event, market), request, now)
            }
            Operation::Orders => orders::list(auth::read(accounts, request)?, request),
            Operation::Order(id) => orders::get(auth::read(accounts, request)?, id),
            Operation::CancelOrder(id) => orders::cancel(auth::write(accounts, request, now)?, id, now),
            Operation::PlaceBatch => {
                let place = |account: &mut Account| batch::place(account, events, request, now);
                batch::once(auth::write(accounts, request, now)?, request, operation.template(), now, place)
            }
            Operation::CancelBatch => {
                let cancel = |account: &mut Account| batch::cancel(account, request, now);
                batch::once(auth::write(accounts, request, now)?, request, operation.template(), now, cancel)
            }
            Operation::Portfolio => portfolio::get(auth::read(accounts, request)?, events, request),
            Operation::Assets => Ok(portfolio::assets(auth::read(accounts, request)?, now)),
        }
    }
}

/// Whether a call that needs no key carries one all the same; a wrong one is refused.
fn signed_in(accounts: &mut [Account], request: &Request) -> Result<bool, Refusal> {
    match request.header("x-public-key") {
        None => Ok(false),
        Some(_) => auth::read(accounts, request).map(|_| true),
    }
}
