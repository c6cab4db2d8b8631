//! The loop: budget, credential, signature, send, judge, wait, sign again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Request;
use tracing::Instrument;
use venuekit_wire::Secret;
use venuekit_wire::operation::{ErrorKind, Operation, Protocol};

use crate::answer;
use crate::client::OperationInfo;
use crate::clock::{Offsets, VenueTime};
use crate::credentials::Credential;
use crate::endpoint::may_carry_secrets;
use crate::error::Error;
use crate::idempotency;
use crate::jsonrpc;
use crate::observe::Observed;
use crate::progress::Progress;
use crate::rate::{Debit, Told};
use crate::response::Response;
use crate::send;
use crate::session::{Carrier, Session};
use crate::socket::{Connection, WebSocket};
use crate::token::{Token, TokenCache};

/// What stays the same in every attempt of a call.
struct Plan {
    operation: &'static Operation,
    credentials: Vec<Credential>,
    debit: Option<Debit>,
    way: Way,
}

/// How the call travels.
enum Way {
    /// As the request it is.
    Rest,
    /// As the request whose body is an envelope with this id.
    Rpc { id: u64 },
    /// As a message of its own on a connection.
    Message { params: String, needs_login: bool },
}

impl Session {
    /// Carries out a call: what `ClientHooks::exec` of every venue does.
    ///
    /// # Errors
    /// Everything that can go wrong with a call.
    pub async fn exec(
        &self,
        http: &reqwest::Client,
        request: Request,
        info: &OperationInfo,
    ) -> Result<Response, Error> {
        let Some(operation) = self.shared.common.venue.operation(info.operation_id) else {
            return Err(Error::invalid_request(format!("`{}` is not in the operation table", info.operation_id)));
        };
        let secrets = answer::secret_values(&request, operation);
        if self.carries_secrets(operation) && !may_carry_secrets(request.url()) {
            return Err(Error::plain_text(request.url()).within(operation));
        }
        let observed = Observed::begin(self.shared.common.venue, operation);
        let mut progress = Progress::new(self.call.timeout.unwrap_or(self.shared.common.timeouts.call));
        // On the heap, so that a caller's own futures stay small.
        let call = Box::pin(self.call(http, request, operation, &mut progress));
        let result = call.instrument(observed.span()).await;
        let result = result.map_err(|error| self.presentable(error.within(operation), &secrets));
        observed.end(&result, &progress);
        result
    }

    async fn call(
        &self,
        http: &reqwest::Client,
        mut request: Request,
        operation: &'static Operation,
        progress: &mut Progress,
    ) -> Result<Response, Error> {
        let key = idempotency::key_of(&mut request, operation)?;
        let debit = self.shared.common.limiter.debit(operation, &request);
        let (credentials, way) = self.way(operation, &mut request)?;
        let plan = Plan { operation, credentials, debit, way };
        self.shared.budget.earn();
        loop {
            let error = match self.attempt(http, &request, &plan, progress).await {
                Ok(response) => {
                    let (venue, attempts) = (self.shared.common.venue.name, progress.attempts());
                    return Ok(Response { venue, idempotency_key: key, attempts, ..response });
                }
                Err(error) => error,
            };
            let Some(wait) = progress.next_wait(self, operation, key.is_some(), &error) else {
                return Err(error.of_call(progress.attempts(), key, progress.earlier_lost()));
            };
            tracing::info!(attempt = progress.attempts(), kind = ?error.kind(), ?wait, "repeating");
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
                progress.waited(wait);
            }
        }
    }

    /// Whether a request of this operation holds what must not be read on its way, or its answer does.
    fn carries_secrets(&self, operation: &Operation) -> bool {
        !self.shared.credentials.is_empty()
            || self.call.code.is_some()
            || operation.secret
            || !operation.secret_fields.is_empty()
    }

    /// How the call travels, and what it carries to prove who calls.
    fn way(&self, operation: &'static Operation, request: &mut Request) -> Result<(Vec<Credential>, Way), Error> {
        let shared = &self.shared;
        if matches!(shared.carrier, Carrier::Http) {
            if operation.on_connection.is_some_and(|on| on.only) {
                let message = "it exists on a WebSocket only: make the client for the venue's `websocket_url`";
                return Err(Error::before_sending(operation, ErrorKind::InvalidRequest, message));
            }
            let credentials = shared.credentials.choose(operation, self.code_for_header())?;
            return Ok(match shared.common.venue.protocol {
                Protocol::Rest => (credentials, Way::Rest),
                Protocol::JsonRpc => {
                    let id = shared.rpc_ids.fetch_add(1, Ordering::Relaxed);
                    let params = jsonrpc::params(self, operation, request)?;
                    jsonrpc::put(jsonrpc::envelope(shared.common.venue, operation, id, &params)?, request);
                    (credentials, Way::Rpc { id })
                }
            });
        }
        let needs_login = shared.credentials.needs_login(operation)?;
        let params = jsonrpc::params(self, operation, request)?;
        Ok((Vec::new(), Way::Message { params, needs_login }))
    }

    /// One attempt, and what is to be learned from it.
    async fn attempt(
        &self,
        http: &reqwest::Client,
        request: &Request,
        plan: &Plan,
        progress: &mut Progress,
    ) -> Result<Response, Error> {
        progress.begin_attempt();
        let Outcome { result, tokens, date } = match &plan.way {
            Way::Message { params, needs_login } => self.over_connection(plan, params, *needs_login, progress).await?,
            Way::Rest => self.over_http(http, request, plan, None, progress).await?,
            Way::Rpc { id } => self.over_http(http, request, plan, Some(*id), progress).await?,
        };
        self.learn(plan, &result, date, progress);
        result.map_err(|error| tokens.iter().fold(error, |error, token| token.judged(error, progress)))
    }

    /// Returns when the venue's limit lets the call through. Whatever else a call waits for comes before: calls that have paid
    /// and then wait for the same thing would leave together.
    async fn pay(&self, plan: &Plan, progress: &mut Progress) -> Result<(), Error> {
        let Some(debit) = &plan.debit else { return Ok(()) };
        let longest = self.call.rate_wait.unwrap_or(self.shared.common.rate_wait).min(progress.time_left());
        let time_left = progress.time_left();
        progress.waits(self.shared.common.limiter.take(plan.operation, debit, longest, time_left)).await
    }

    /// One HTTP request and its answer, with an envelope around it where there is an id.
    async fn over_http(
        &self,
        http: &reqwest::Client,
        request: &Request,
        plan: &Plan,
        id: Option<u64>,
        progress: &mut Progress,
    ) -> Result<Outcome, Error> {
        let (common, operation) = (&self.shared.common, plan.operation);
        // Each attempt is made of the same bytes, and signed for itself.
        let Some(mut request) = request.try_clone() else {
            let message = "a streaming body cannot be signed";
            return Err(Error::before_sending(operation, ErrorKind::InvalidRequest, message));
        };
        let tokens = loop {
            let tokens = self.tokens(plan, progress).await?;
            self.pay(plan, progress).await?;
            // A token may have ended while the limit was waited for.
            if tokens.iter().all(Held::is_current) {
                break tokens;
            }
            progress.in_time(operation)?;
        };
        self.sign(&mut request, plan, &tokens, progress)?;
        let time = self.send_within(operation, progress)?;
        let answer =
            send::send(http, &common.route, request, operation, common.max_answer, time, &common.clock).await?;
        let told = common.limiter.told(&answer.headers, answer.now);
        // What anybody may ask, anybody may have asked before: such an answer may come from a cache.
        let tells_time =
            !plan.credentials.is_empty() && (!answer.status.is_success() || common.clock.looks(progress.sent()));
        let date = tells_time.then(|| VenueTime::of_headers(&answer.headers)).flatten();
        let result = match id {
            Some(id) => jsonrpc::unwrap(common.venue, operation, answer, id),
            None => answer::judge(common.venue, operation, answer),
        };
        if let (Some(debit), Some(told)) = (&plan.debit, told) {
            common.limiter.learn(debit, told);
        }
        Ok(Outcome { result, tokens, date })
    }

    /// One message on a connection, which is logged in where the call needs it, and its answer.
    async fn over_connection(
        &self,
        plan: &Plan,
        params: &str,
        needs_login: bool,
        progress: &mut Progress,
    ) -> Result<Outcome, Error> {
        let operation = plan.operation;
        let (connection, ready, tokens) = loop {
            let connection = self.connection(progress).await?;
            let mut tokens = Vec::new();
            if let Some(cache) = connection.login().filter(|_| needs_login) {
                tokens.push(Held::fetch(cache, operation, progress).await?);
            }
            self.pay(plan, progress).await?;
            // Both may have ended while the limit was waited for.
            if connection.is_over() || !tokens.iter().all(Held::is_current) {
                progress.in_time(operation)?;
                continue;
            }
            if let Some(ready) = connection.ready_now(operation, params)? {
                break (connection, ready, tokens);
            }
            let time = self.shared.common.timeouts.attempt.min(progress.time_left());
            let ready = progress.waits(connection.ready(operation, params, time)).await?;
            // The turn was long in coming: what was paid is past, and those who got theirs together are spread again.
            self.pay(plan, progress).await?;
            break (connection, ready, tokens);
        };
        let time = self.send_within(operation, progress)?;
        let message = connection.call(ready, time).await?;
        let result = jsonrpc::unwrap_message(self.shared.common.venue, operation, message);
        Ok(Outcome { result, tokens, date: None })
    }

    /// The connection that carries the call, once there is one.
    async fn connection(&self, progress: &Progress) -> Result<Arc<Connection>, Error> {
        match &self.shared.carrier {
            Carrier::Socket(socket) => {
                socket.connection(self.shared.common.timeouts.attempt.min(progress.time_left())).await
            }
            Carrier::Connection(connection) => {
                connection.upgrade().filter(|connection| !connection.is_over()).ok_or_else(WebSocket::gone)
            }
            Carrier::Http => Err(WebSocket::gone()),
        }
    }

    /// The request goes out now: how long its answer may take.
    fn send_within(&self, operation: &'static Operation, progress: &mut Progress) -> Result<Duration, Error> {
        let time_left = progress.send().ok_or_else(|| Error::out_of_time(operation))?;
        Ok(self.shared.common.timeouts.attempt.min(time_left))
    }

    /// The tokens that go along, fetched if need be.
    async fn tokens(&self, plan: &Plan, progress: &Progress) -> Result<Vec<Held>, Error> {
        let mut tokens = Vec::new();
        for credential in &plan.credentials {
            if let Credential::Token(cache) = credential {
                tokens.push(Held::fetch(cache, plan.operation, progress).await?);
            }
        }
        Ok(tokens)
    }

    /// Puts every signature on the request, made of exactly what will be sent.
    fn sign(&self, request: &mut Request, plan: &Plan, tokens: &[Held], progress: &mut Progress) -> Result<(), Error> {
        let signers = plan.credentials.iter().filter_map(|credential| match credential {
            Credential::Signer(signer) => Some(&**signer),
            Credential::Grant(_) | Credential::Token(_) => None,
        });
        let signers = signers.chain(tokens.iter().map(|held| held.token.signer()));
        let now = self.shared.common.clock.now().get();
        venuekit_auth::apply(request, signers, now).map_err(|error| Error::from(error).within(plan.operation))?;
        if !plan.credentials.is_empty() {
            progress.signed(self.shared.common.clock.offset_millis());
        }
        Ok(())
    }

    /// What an answer tells of the venue's clock and limits. `date` is the time in its headers. Nothing here is waited for: the
    /// caller's response is at hand.
    fn learn(&self, plan: &Plan, result: &Result<Response, Error>, date: Option<VenueTime>, progress: &mut Progress) {
        let told = match result {
            Ok(response) => response.venue_time(),
            Err(error) => error.venue_time(),
        };
        if let Some(time) = told.or(date) {
            progress.heard(Offsets::of(time, progress.sent()), self);
        }
        if let (Some(debit), Err(error)) = (&plan.debit, result)
            && error.kind() == ErrorKind::RateLimited
        {
            self.shared.common.limiter.learn(debit, Told { left: 0, lasts: error.retry_after() });
        }
    }

    /// A code that answers a challenge travels in the request; any other in a header of its own.
    fn code_for_header(&self) -> Option<&Secret> {
        self.call.code.as_ref().filter(|_| self.shared.common.venue.challenge.is_none())
    }

    /// Takes out of an error what must not be seen.
    fn presentable(&self, mut error: Error, secrets: &[String]) -> Error {
        for secret in self.shared.credentials.hidden() {
            error.redact(secret.expose());
        }
        for secret in secrets {
            error.redact(secret);
        }
        if let Some(code) = &self.call.code {
            error.redact(code.expose());
        }
        error.shorten();
        error
    }
}

/// What came of one attempt that was answered.
struct Outcome {
    result: Result<Response, Error>,
    tokens: Vec<Held>,
    /// The time in the answer's headers, where it is to be believed.
    date: Option<VenueTime>,
}

/// A token that goes along, and where it came from.
struct Held {
    cache: Arc<TokenCache>,
    token: Arc<Token>,
}

impl Held {
    /// The current token, fetched if need be within the call's time.
    async fn fetch(cache: &Arc<TokenCache>, operation: &'static Operation, progress: &Progress) -> Result<Self, Error> {
        let token = tokio::time::timeout(progress.time_left(), cache.get()).await;
        let token = token.map_err(|_| Error::out_of_time(operation))??;
        Ok(Self { cache: cache.clone(), token })
    }

    /// Whether calls still carry this token.
    fn is_current(&self) -> bool {
        self.cache.is_current(&self.token)
    }

    /// An answer's error without the token in it. A token that was refused is forgotten.
    fn judged(&self, mut error: Error, progress: &mut Progress) -> Error {
        self.token.secrets().for_each(|secret| error.redact(secret.expose()));
        if error.kind() == ErrorKind::Unauthorized && self.cache.drop_if(&self.token) {
            progress.token_was_refused();
        }
        error
    }
}
