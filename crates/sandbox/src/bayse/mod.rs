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
mod served;

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::accounts::BayseAccount;
use crate::clock::Clock;
use crate::make::uuid;
use crate::message::{Reply, Request};
use crate::spec::{self, Answering, Given, Operation};

pub(crate) use self::served::serves;

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

impl Bayse {
    pub(crate) fn new(accounts: &[BayseAccount], clock: Clock) -> Self {
        let now = clock.millis();
        let accounts = accounts.iter().map(|account| Account::given(account, now)).collect();
        Self { clock, events: events::make(now), accounts: Mutex::new(accounts) }
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
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.iter_mut().for_each(|account| account.ledger.expire(now));
        let caller = authenticate(&accounts, operation, request, now)?;
        let given = operation.check(request).map_err(|problem| Refusal::wrong(&problem))?;
        let counter = spec::BAYSE.counter(operation);
        match caller.map(|index| &mut accounts[index]) {
            Some(account) => self.carry_out(operation, &given, account, request, now),
            None => self.carry_out_for_all(operation, &given, &mut accounts, request, now),
        }
        // A batch under an idempotency key has marked itself, once.
        .map(|reply| if batch::marks_itself(operation, request) { reply } else { reply.executing(counter) })
    }

    /// What needs no key, or does more with one.
    fn carry_out_for_all(
        &self,
        operation: &Operation,
        given: &Given,
        accounts: &mut [Account],
        request: &Request,
        now: i64,
    ) -> Result<Reply, Refusal> {
        let events = &self.events;
        match operation.id.as_str() {
            "getHealth" => Ok(Reply::json(200, &json!({"status": "ok"}))),
            "getVersion" => {
                let version = env!("CARGO_PKG_VERSION");
                Ok(Reply::json(200, &json!({"version": version, "commit": "sandbox"})))
            }
            "login" => keys::login(accounts, request, now),
            "listEvents" => events::list(events, request, false),
            "getEvent" => events::get(events, |event| event.id == given.in_path("eventId"), false),
            "getEventBySlug" => events::get(events, |event| event.slug == given.in_path("slug"), false),
            _ => Ok(operation.reply(given)),
        }
    }

    fn carry_out(
        &self,
        operation: &Operation,
        given: &Given,
        account: &mut Account,
        request: &Request,
        now: i64,
    ) -> Result<Reply, Refusal> {
        let events = &self.events;
        match operation.id.as_str() {
            "createApiKey" => keys::create(account, request, now),
            "listApiKeys" => Ok(keys::list(account)),
            "revokeApiKey" => keys::revoke(account, given.in_path("keyId")),
            "rotateApiKey" => keys::rotate(account, given.in_path("keyId")),
            "listEvents" => events::list(events, request, true),
            "getEvent" => events::get(events, |event| event.id == given.in_path("eventId"), true),
            "getEventBySlug" => events::get(events, |event| event.slug == given.in_path("slug"), true),
            "placeOrder" => {
                let place = (given.in_path("eventId"), given.in_path("marketId"));
                orders::place(account, events, place, request, now)
            }
            "listOrders" => orders::list(account, request),
            "getOrder" => orders::get(account, given.in_path("orderId")),
            "cancelOrder" => orders::cancel(account, given.in_path("orderId"), now),
            "batchPlaceOrders" => {
                batch::once(account, operation, request, now, |account| batch::place(account, events, request, now))
            }
            "batchCancelOrders" => {
                batch::once(account, operation, request, now, |account| batch::cancel(account, request, now))
            }
            "getPortfolio" => portfolio::get(account, events, request),
            "getAssets" => Ok(portfolio::assets(account, now)),
            _ => Ok(operation.reply(given)),
        }
    }
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
