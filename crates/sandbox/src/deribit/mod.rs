//! Deribit: JSON-RPC over HTTP and over a WebSocket.

mod address_book;
mod book;
mod cancel;
mod candles;
mod changes;
mod channels;
mod close;
mod combos;
mod connections;
mod credentials;
mod edit;
mod envelope;
mod error;
mod feeds;
mod filter;
mod funds;
mod heartbeat;
mod history;
mod indexes;
mod inspect;
mod instruments;
mod keys;
mod ledger;
mod limit;
mod maker;
mod margins;
mod market;
mod matching;
mod methods;
mod mmp;
mod order_request;
mod orders;
mod overview;
mod params;
mod place;
mod positions;
mod profile;
mod publish;
mod published;
mod quotes;
mod reference;
mod scope;
mod second_factor;
mod session;
mod settings;
mod state;
mod subaccounts;
mod subscriptions;
mod summary;
mod tape;
mod tokens;
mod trades;
mod transfers;
mod triggers;
mod wallet;
mod websocket;

use std::collections::BTreeMap;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use self::envelope::{Call, ParsedRequest, ReceiveTime};
use self::error::Error;
use self::limit::RateLimitSubject;
pub(crate) use self::methods::serves;
use self::methods::{Access, Run};
use self::second_factor::Step;
pub use self::settings::{DeribitSettings, RequestLimit};
use self::state::{Session, State, done};
pub(crate) use self::websocket::open_websocket;
use crate::accounts::DeribitKey;
use crate::clock::Clock;
use crate::executed::Executed;
use crate::faults::{Candidate, Fault, Faults, Transport};
use crate::message::{Reply, Request};
use crate::request_log::{self, Arrived, Pending, RequestLog};
use crate::streams::{BookLevels, CloseReason, FrameLog};

/// Where the WebSocket is served.
pub(crate) const WEBSOCKET_PATH: &str = "/ws/api/v2";

/// The venue: each key given at the start has an account of its own.
pub(crate) struct Deribit {
    clock: Clock,
    executed: Executed,
    faults: Faults,
    log: FrameLog,
    requests: RequestLog,
    state: Mutex<State>,
}

/// What a call came to.
struct CallResult {
    result: Box<RawValue>,
    /// The method that was carried out; none where a second factor was asked for instead.
    executed: Option<&'static str>,
    /// Nothing is remembered for the method.
    generated: bool,
}

/// Where a call comes from.
#[derive(Clone, Copy)]
enum Origin<'a> {
    Request(&'a Request),
    Connection(u64),
}

/// A message of a connection, read.
struct Message {
    opened: ParsedRequest,
    received: ReceiveTime,
}

impl Message {
    /// The method that it calls.
    fn method(&self) -> Option<&str> {
        self.opened.call.as_ref().ok().map(|call| call.method.as_str())
    }
}

/// The method that a request calls.
pub(crate) fn method_of(request: &Request) -> Option<String> {
    envelope::open(request).call.ok().map(|call| call.method)
}

impl Deribit {
    pub(crate) fn new(
        keys: &[DeribitKey],
        clock: Clock,
        executed: Executed,
        faults: Faults,
        (log, requests): (FrameLog, RequestLog),
    ) -> Self {
        let state = Mutex::new(State::new(keys, clock.clone(), faults.clone()));
        Self { clock, executed, log, requests, state, faults }
    }

    /// Puts everything back into the state that it had at the start.
    pub(crate) fn reset(&self, keys: &[DeribitKey]) {
        let mut state = self.state();
        let settings = state.settings.clone();
        *state = State::new(keys, self.clock.clone(), self.faults.clone());
        state.settings = settings;
    }

    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let received = ReceiveTime::now(&self.clock);
        let ParsedRequest { id, call } = envelope::open(request);
        let answered = call.and_then(|call| {
            let mut state = self.state();
            let answered = answer(&mut state, Origin::Request(request), &call);
            state.publish();
            answered
        });
        match answered {
            Err(error) => envelope::seal(id, Err(&error), &received),
            Ok(CallResult { result, executed, generated }) => {
                let reply = envelope::seal(id, Ok(&result), &received);
                let reply = if generated { reply.generated() } else { reply };
                match executed {
                    Some(method) => reply.executing(counter(method)),
                    None => reply,
                }
            }
        }
    }

    fn read(&self, text: &str) -> Message {
        Message { received: ReceiveTime::now(&self.clock), opened: envelope::open_message(text) }
    }

    /// Notes a message of a connection in the log.
    fn arrive(&self, method: Option<&str>, text: &str) -> (Pending, Arc<Request>) {
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        let request = Arc::new(Request {
            method: http::Method::POST,
            path: format!("/api/v2/{}", method.unwrap_or_default()),
            query: None,
            headers,
            body: text.to_owned().into(),
        });
        let (time, transport) = (self.clock.millis(), Transport::Websocket);
        let arrived = Arrived { venue: "deribit", transport, request: Arc::clone(&request), time };
        (self.requests.arrive(arrived), request)
    }

    fn fault_of_message(&self, method: &str) -> Option<Fault> {
        let call = format!("POST /api/v2/{method}");
        let names = [method, call.as_str()];
        let transport = Transport::Websocket;
        self.faults.strike(&Candidate { venue: "deribit", transport, names: &names, by_name_only: false })
    }

    /// Carries out a call of a connection, unless that has been cut.
    fn carry_out(
        &self,
        connection: u64,
        message: Message,
        fault: Option<Fault>,
        sent: &mut Option<request_log::Response>,
    ) -> ControlFlow<CloseReason> {
        let Message { opened: ParsedRequest { id, call }, received } = message;
        let mut state = self.state();
        let Some(own) = state.connections.get_mut(&connection) else { return Break(CloseReason::Abort) };
        own.hear(call.as_ref().is_ok_and(|call| call.method == "public/test"));
        let answered = call.and_then(|call| answer(&mut state, Origin::Connection(connection), &call));
        if let Ok(CallResult { executed: Some(method), .. }) = &answered {
            self.executed.add("deribit", &counter(method));
        }
        let idle = state.idle();
        let is_over_limit = matches!(&answered, Err(error) if error.is(Error::TOO_MANY_REQUESTS));
        let closes = is_over_limit && state.settings.limit.as_ref().is_some_and(|limit| limit.closes);
        let Some(own) = state.connections.get(&connection) else { return Break(CloseReason::Abort) };
        if own.is_leaving {
            // The response to a logout is the end of the connection.
            state.publish();
            return Break(CloseReason::Close(CloseCode::Normal.into(), "logged out".to_owned()));
        }
        let outcome = answered.as_ref().map(|answered| &*answered.result);
        // Before what the call has changed is sent: a channel does not begin before its subscription is acknowledged.
        let status = answered.as_ref().map_or_else(Error::status, |_| 200);
        let text = envelope::seal_message(id, outcome, &received);
        *sent = Some(request_log::Response { status, headers: http::HeaderMap::new(), body: text.clone().into() });
        own.answer(text, fault);
        if closes {
            own.end(CloseReason::Close(CloseCode::Policy.into(), "too many requests".to_owned()));
        }
        own.arrange(idle);
        state.publish();
        Continue(())
    }

    pub(crate) fn connections(&self) -> usize {
        self.state().connections.len()
    }

    pub(crate) fn cut_connections(&self) -> usize {
        let mut state = self.state();
        let count = state.cut_connections();
        state.publish();
        count
    }

    pub(crate) fn notify(&self, channel: &str, data: &Value) -> usize {
        self.state().notify(channel, data)
    }

    pub(crate) fn order_labels(&self) -> BTreeMap<String, u64> {
        self.state().labels.clone()
    }

    pub(crate) fn settings(&self) -> DeribitSettings {
        self.state().settings.clone()
    }

    /// The book of an instrument as it was sent at a number; none where it was not sent then, or that is too long ago.
    pub(crate) fn book_at(&self, instrument: &str, change_id: i64) -> Option<BookLevels> {
        self.state().shown_at(instrument, change_id)
    }

    pub(crate) fn set_settings(&self, settings: DeribitSettings) {
        let mut state = self.state();
        if state.settings.limit != settings.limit {
            state.buckets.clear();
        }
        let changes_books = state.settings.generated_book != settings.generated_book;
        state.settings = settings;
        if changes_books {
            state.touch_all();
            state.publish();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an error of this number says that credentials were not accepted.
pub(crate) fn refuses_credentials(code: i64) -> bool {
    [Error::INVALID_CREDENTIALS, Error::UNAUTHORIZED].map(i64::from).contains(&code)
}

/// GET, and a message, are other ways to write the same call.
fn counter(method: &str) -> String {
    format!("POST /api/v2/{method}")
}

fn answer(state: &mut State, origin: Origin<'_>, call: &Call) -> Result<CallResult, Error> {
    let method = methods::find(&call.method)?;
    state.deliver_transfers();
    let connection = match origin {
        Origin::Request(_) if matches!(method.run, Run::Connected(_)) => {
            return Err(Error::new(Error::MUST_BE_WEBSOCKET));
        }
        Origin::Request(_) => None,
        Origin::Connection(number) => Some(number),
    };
    let session = method.access.as_ref().map(|access| authenticate(state, origin, &call.params, access)).transpose();
    let rate_limit_subject = match &session {
        Ok(Some(session)) => RateLimitSubject::Account(session.account),
        _ => state.rate_limit_subject(connection),
    };
    state.spend(rate_limit_subject, Instant::now())?;
    let session = session?;
    let given = method.operation.map(|operation| call.params.check(operation)).transpose()?.unwrap_or_default();
    if let Some(session) = &session
        && method.access.as_ref().is_some_and(|access| access.second_factor)
        && let Step::Ask(challenge) = second_factor::check(state, session, method.name, &call.params)?
    {
        return Ok(CallResult { result: challenge?, executed: None, generated: false });
    }
    let generated = matches!(method.run, Run::Example(_));
    let result = match (method.run, session, connection) {
        (Run::Public(run), ..) => run(state, &call.params)?,
        (Run::Login(run), ..) => run(state, connection, &call.params)?,
        (Run::Private(run), Some(session), _) => run(state, &session, &call.params)?,
        (Run::Connected(run), _, Some(connection)) => run(state, connection, &call.params)?,
        (Run::Example(operation), ..) => done(&operation.example(&given))?,
        _ => return Err(Error::new(Error::METHOD_NOT_FOUND)),
    };
    Ok(CallResult { result, executed: Some(method.name), generated })
}

/// The session of a private call, if it reaches as far as the method asks for.
fn authenticate(
    state: &mut State,
    origin: Origin<'_>,
    params: &params::Params,
    access: &Access,
) -> Result<Session, Error> {
    let session = match origin {
        Origin::Request(request) => credentials::authenticate(state, request)?,
        Origin::Connection(number) => credentials::authenticate_connection(state, number, params)?,
    };
    match access.scope {
        Some((resource, level)) if session.scope.level(resource) < level => {
            Err(Error::new(Error::FORBIDDEN).because(format!("needs {resource} access")))
        }
        _ => Ok(session),
    }
}
