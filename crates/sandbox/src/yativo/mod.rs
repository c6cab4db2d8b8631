//! Yativo: keys in three generations, tokens, accounts, transfers, webhooks.

mod accounts;
mod credentials;
mod inspect;
mod key_routes;
mod keys;
mod overview;
mod reply;
mod routes;
mod served;
mod state;
mod tokens;
mod transfers;
mod webhooks;

use std::sync::{Mutex, PoisonError};

pub(crate) use self::routes::serves;

use self::reply::Failure;
use self::routes::Call;
use self::served::Served;
use self::state::{REQUESTS_PER_MINUTE, State};
use crate::accounts::YativoAccount;
use crate::clock::Clock;
use crate::message::{Reply, Request};
use crate::spec;

/// The venue: each key given at the start has an owner of its own.
pub(crate) struct Yativo {
    state: Mutex<State>,
}

impl Yativo {
    pub(crate) fn new(accounts: &[YativoAccount], clock: Clock) -> Self {
        Self { state: Mutex::new(State::new(accounts, clock)) }
    }

    /// Puts everything back into the state that it had at the start.
    pub(crate) fn reset(&self, accounts: &[YativoAccount]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State::new(accounts, state.clock.clone());
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        answer(&mut state, request).unwrap_or_else(Failure::reply)
    }
}

fn answer(state: &mut State, request: &Request) -> Result<Reply, Failure> {
    let path = request.path.strip_prefix("/api/v1").or_else(|| request.path.strip_prefix("/api")).unwrap_or_default();
    let operation = spec::YATIVO.find(&request.method, path);
    let template = operation.as_ref().ok().map(|operation| operation.template.as_str());
    let (id, route) = match (routes::find(request.method.as_str(), path, template), operation) {
        (Some((route, id)), operation) => (id, Served::route(route, operation.ok())),
        (None, Ok(operation)) => ("", Served::example(operation)),
        (None, Err(problem)) => return Err(Failure::not_found(problem.to_string())),
    };
    if !route.needs_caller {
        let reply = route.run(state, &Call::new(request, id, None))?;
        return Ok(reply.executing(route.counter));
    }
    let caller = credentials::authenticate(state, request).and_then(|caller| route.check_headers(caller, request))?;
    let (left, reset) = state.count_request(caller.owner);
    let call = Call::new(request, id, Some(caller));
    let reply = match route.check_caller(state, &call).and_then(|()| route.run(state, &call)) {
        Ok(reply) if call.is_replayed() => reply,
        Ok(reply) => reply.executing(route.counter),
        Err(failure) => failure.reply(),
    };
    Ok(reply
        .with_header("x-ratelimit-limit", &REQUESTS_PER_MINUTE.to_string())
        .with_header("x-ratelimit-remaining", &left.to_string())
        .with_header("x-ratelimit-reset", &reset.to_string()))
}
