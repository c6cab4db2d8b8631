//! Deribit: JSON-RPC over HTTP.

mod credentials;
mod envelope;
mod error;
mod funds;
mod instruments;
mod keys;
mod market;
mod methods;
mod orders;
mod params;
mod place;
mod scope;
mod second_factor;
mod state;
mod summary;
mod tokens;

use std::sync::{Mutex, PoisonError};

use serde_json::value::RawValue;

use self::envelope::{Arrival, Call, Opened};
use self::error::Error;
use self::methods::{Access, Run};
use self::second_factor::Step;
use self::state::{Session, State, done};
use crate::accounts::DeribitKey;
use crate::clock::Clock;
use crate::message::{Reply, Request};

/// The venue: each key given at the start has an account of its own.
pub(crate) struct Deribit {
    clock: Clock,
    state: Mutex<State>,
}

/// What a call came to.
struct Answered {
    result: Box<RawValue>,
    /// The method that was carried out; none where a second factor was asked for instead.
    executed: Option<&'static str>,
}

impl Deribit {
    pub(crate) fn new(keys: &[DeribitKey], clock: Clock) -> Self {
        Self { clock: clock.clone(), state: Mutex::new(State::new(keys, clock)) }
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let arrival = Arrival::now(&self.clock);
        let Opened { id, call } = envelope::open(request);
        let answered = call.and_then(|call| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            answer(&mut state, request, &call)
        });
        match answered {
            Err(error) => envelope::seal(id, Err(&error), &arrival),
            Ok(Answered { result, executed }) => {
                let reply = envelope::seal(id, Ok(&result), &arrival);
                match executed {
                    // GET is another way to write the same call.
                    Some(method) => reply.executing(format!("POST /api/v2/{method}")),
                    None => reply,
                }
            }
        }
    }
}

fn answer(state: &mut State, request: &Request, call: &Call) -> Result<Answered, Error> {
    let method = methods::find(&call.method)?;
    let session = method.access.as_ref().map(|access| authenticate(state, request, access)).transpose()?;
    let given = method.operation.map(|operation| call.params.check(operation)).transpose()?.unwrap_or_default();
    if let Some(session) = &session
        && method.access.is_some_and(|access| access.second_factor)
        && let Step::Ask(challenge) = second_factor::check(state, session, method.name, &call.params)?
    {
        return Ok(Answered { result: challenge?, executed: None });
    }
    let result = match (method.run, session, method.operation) {
        (Run::Public(run), ..) => run(state, &call.params)?,
        (Run::Private(run), Some(session), _) => run(state, &session, &call.params)?,
        (Run::Example, _, Some(operation)) => done(&operation.example(&given))?,
        _ => return Err(Error::new(Error::METHOD_NOT_FOUND)),
    };
    Ok(Answered { result, executed: Some(method.name) })
}

/// The session of a private call, if it reaches as far as the method asks for.
fn authenticate(state: &mut State, request: &Request, access: &Access) -> Result<Session, Error> {
    let session = credentials::authenticate(state, request)?;
    match access.scope {
        Some((resource, level)) if session.scope.level(resource) < level => {
            Err(Error::new(Error::FORBIDDEN).because(format!("needs {resource} access")))
        }
        _ => Ok(session),
    }
}
