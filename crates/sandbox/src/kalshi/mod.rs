//! Kalshi's Trade API v2 and its exchange for perpetual futures: keys, markets, orders, order groups, requests for
//! quotes, portfolios and transfers. [`routes`] lists what is served from state; the rest are examples.

mod auth;
mod batch;
mod books;
mod call;
mod candles;
mod change;
mod error;
mod exchange;
mod fees;
mod groups;
mod historical;
mod inspect;
mod keys;
mod listing;
mod maker;
mod markets;
mod money;
mod orders;
mod overview;
mod perps;
mod portfolio;
mod positions;
mod queue;
mod read;
mod rfqs;
mod routes;
mod seed;
mod series;
mod state;
mod streams;
mod transfers;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::accounts::KalshiKey;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::message::{Reply, Request};
use crate::request_log::RequestLog;
use crate::spec::{self, ExampleReply, Operation, Spec};
use crate::streams::FrameLog;

use self::call::Call;
use self::error::Refusal;
use self::keys::Key;
use self::routes::Run;
use self::state::State;
use self::streams::Streams;

pub(crate) use self::routes::serves;
pub use self::streams::KalshiSettings;
pub(crate) use self::streams::{PERPS_WEBSOCKET_PATH, WEBSOCKET_PATH, WEBSOCKET_ROOT, open_websocket};

/// Any number of accounts, each with several keys.
pub(crate) struct Kalshi {
    clock: Clock,
    requests: RequestLog,
    state: Mutex<State>,
}

impl Kalshi {
    pub(crate) fn new(keys: &[KalshiKey], clock: Clock, faults: Faults, logs: (FrameLog, RequestLog)) -> Self {
        let (frames, requests) = logs;
        let feeds = Streams::new(clock.clone(), faults, frames);
        let state = Mutex::new(State::new(keys, clock.millis(), feeds));
        Self { clock, requests, state }
    }

    /// Puts everything back into the state that it had at the start.
    pub(crate) fn reset(&self, keys: &[KalshiKey]) {
        let mut state = self.lock();
        let feeds = state.feeds.emptied();
        *state = State::new(keys, self.clock.millis(), feeds);
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        self.answer(&spec::KALSHI, request).unwrap_or_else(Refusal::into_reply)
    }

    /// The same host serves the perpetual futures, for the same keys.
    pub(crate) fn handle_perps(&self, request: &Request) -> Reply {
        self.answer(&spec::KALSHI_PERPS, request).unwrap_or_else(Refusal::into_reply)
    }

    fn answer(&self, spec: &Spec, request: &Request) -> Result<Reply, Refusal> {
        let path = request.path.strip_prefix(&*spec.prefix).unwrap_or_default();
        let operation = spec.find(&request.method, path).map_err(|problem| Refusal::nowhere(&problem))?;
        let now = self.clock.millis();
        let key = operation.needs_credentials().then(|| self.authenticate(operation, request, now)).transpose()?;
        let given = operation.check(request).map_err(|problem| Refusal::wrong(operation, &problem))?;
        let call = Call { operation, given, request, key, now };
        let reply = self.carry_out(&call)?;
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

    fn carry_out(&self, call: &Call) -> Result<Reply, Refusal> {
        let run = routes::find(&call.operation.id);
        // Made without the lock: it takes a second.
        let made = match run {
            Some(Run::NewKey(make)) => Some(make(call.request, call.user()?)?),
            _ => None,
        };
        let mut state = self.lock();
        if let Some(key) = &call.key {
            // The key may have been deleted meanwhile.
            state.key(&key.id).ok_or_else(|| Refusal::authentication("NOT_FOUND"))?;
        }
        state.pass_time(call.now);
        let reply = match (run, made) {
            (_, Some((key, reply))) => {
                state.keys.push(Arc::new(key));
                Ok(reply)
            }
            (Some(Run::State(run)), _) => run(&mut state, call),
            _ => Ok(call.operation.reply(&call.given)),
        };
        state.react(call.now);
        state.publish(call.now);
        reply
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
