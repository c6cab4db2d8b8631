//! Yativo: keys in three generations, tokens, accounts, transfers, webhooks.

mod accounts;
mod credentials;
mod key_routes;
mod keys;
mod reply;
mod routes;
mod state;
mod tokens;
mod transfers;
mod webhooks;

use std::sync::{Mutex, PoisonError};

use self::reply::Failure;
use self::routes::Call;
use self::state::{REQUESTS_PER_MINUTE, State};
use crate::accounts::YativoAccount;
use crate::clock::Clock;
use crate::message::{Reply, Request};

/// The venue: each key given at the start has an owner of its own.
pub(crate) struct Yativo {
    state: Mutex<State>,
}

impl Yativo {
    pub(crate) fn new(accounts: &[YativoAccount], clock: Clock) -> Self {
        Self { state: Mutex::new(State::new(accounts, clock)) }
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        answer(&mut state, request).unwrap_or_else(Failure::reply)
    }
}

fn answer(state: &mut State, request: &Request) -> Result<Reply, Failure> {
    let path = request.path.strip_prefix("/api/v1").or_else(|| request.path.strip_prefix("/api")).unwrap_or_default();
    let found = routes::find(request.method.as_str(), path);
    let (route, id) = found.ok_or_else(|| Failure::not_found(format!("Cannot {} {}", request.method, request.path)))?;
    let Some(permission) = route.permission else {
        return (route.run)(state, &Call::new(request, id, None)).map(|reply| reply.executing(route.operation()));
    };
    let caller = credentials::authenticate(state, request)?;
    let (left, reset) = state.count_request(caller.owner);
    let checked = state.check_permission(&caller, permission).and_then(|()| match route.second_factor {
        true => state.check_second_factor(&caller, request),
        false => Ok(()),
    });
    let call = Call::new(request, id, Some(caller));
    let reply = match checked.and_then(|()| (route.run)(state, &call)) {
        Ok(reply) if call.is_replayed() => reply,
        Ok(reply) => reply.executing(route.operation()),
        Err(failure) => failure.reply(),
    };
    Ok(reply
        .with_header("x-ratelimit-limit", &REQUESTS_PER_MINUTE.to_string())
        .with_header("x-ratelimit-remaining", &left.to_string())
        .with_header("x-ratelimit-reset", &reset.to_string()))
}
