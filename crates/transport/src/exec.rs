//! The loop: budget, credential, signature, send, judge, wait, sign again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use serde::Serialize;
use tracing::Instrument;
use venuekit_auth::{Added, Parts};
use venuekit_wire::lenient::Lenient;
use venuekit_wire::operation::{ErrorKind, Operation, Protocol};
use venuekit_wire::{Secret, UnixMillis};

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::carrier::{Carrier, CarrierRequest, SendError};
use crate::clock::{Offsets, VenueTime};
use crate::error::{Challenge, Error, Inner};
use crate::framing;
use crate::jsonrpc;
use crate::key_ring::Credential;
use crate::message_call::MessageCall;
use crate::observe::{self, Observed};
use crate::progress::Progress;
use crate::rate::{Debits, RateFeedback};
use crate::response::{Response, ResponseValue};
use crate::session::{Channel, Session};
use crate::socket::{Connection, OutgoingCall, WebSocket};
use crate::token::{Token, TokenCache};

/// What stays the same in every attempt of a call.
struct Plan<'a> {
    call: &'a Call,
    credentials: Vec<Credential>,
    debits: Debits,
    way: Encoded,
}

/// How the call travels.
enum Encoded {
    /// As a request with this URL and body. An envelope around the body has an id.
    Request { method: Method, url: String, body: Bytes, rpc_id: Option<u64> },
    /// As a separate message on a connection.
    Message(MessageCall),
}

/// A request before anything proves who calls.
struct Unsigned<'a> {
    method: &'a Method,
    url: &'a str,
    body: &'a Bytes,
    rpc_id: Option<u64>,
}

/// URL and body of a request, where a signature has added something.
#[derive(Default)]
struct Extended {
    url: Option<String>,
    body: Option<Bytes>,
}

impl Session {
    /// Carries out a call and reads the response as a type.
    ///
    /// # Errors
    /// Everything that can go wrong with a call.
    pub fn call<T: for<'de> Lenient<'de> + Serialize>(
        &self,
        call: Call,
    ) -> impl Future<Output = Result<ResponseValue<T>, Error>> {
        let sent = self.send(call);
        async move {
            let response = sent.await?;
            let venue = self.venue();
            #[cfg(feature = "drift")]
            if let Some(collector) = &self.shared.common.drift {
                let read = |response: &Response| collector.read(venue.name, response.operation, &response.body);
                return ResponseValue::read_by(response, read).inspect_err(|error| observe::unreadable(venue, error));
            }
            ResponseValue::read(response).inspect_err(|error| observe::unreadable(venue, error))
        }
    }

    /// Carries out a call of which no response body is expected.
    ///
    /// # Errors
    /// Everything that can go wrong with a call.
    pub fn call_empty(&self, call: Call) -> impl Future<Output = Result<ResponseValue<()>, Error>> {
        let sent = self.send(call);
        async move { Ok(ResponseValue::empty(answer::without_error(self.venue(), sent.await?)?)) }
    }

    /// Carries out a call and returns the response as it came, its envelope off.
    ///
    /// # Errors
    /// Everything that can go wrong with a call.
    pub fn send(&self, call: Call) -> impl Future<Output = Result<Response, Error>> {
        // On the heap at once, so that a caller's own futures stay small, and the call is not moved with them.
        Box::pin(self.observed(call))
    }

    #[expect(clippy::manual_async_fn, reason = "a function that is `async` holds what it is given twice")]
    fn observed(&self, mut call: Call) -> impl Future<Output = Result<Response, Error>> {
        async move {
            let operation = call.operation;
            call.ready()?;
            let common = &self.shared.common;
            if self.carries_secrets(operation) {
                common.base.check_secrets().map_err(|error| error.within(operation))?;
            }
            let observed = Observed::begin(common.venue, operation);
            let mut progress = Progress::new(self.own.timeout.unwrap_or(common.timeouts.call));
            let result = self.repeated(&mut call, &mut progress).instrument(observed.span()).await;
            let result = result.map_err(|error| self.presentable(error.within(operation), &call.secrets));
            observed.end(&result, &progress);
            result
        }
    }

    async fn repeated(&self, call: &mut Call, progress: &mut Progress) -> Result<Response, Error> {
        let key = call.key.take();
        let operation = call.operation;
        let debits = self.shared.common.limiter.debits(operation, |name| call.parameter(name));
        let client_id = operation.client_id.and_then(|name| Some(call.parameter(name)?.text.into_owned()));
        let (credentials, way) = self.way(call)?;
        let plan = Plan { call, credentials, debits, way };
        self.shared.budget.earn();
        loop {
            // On the heap for itself: allocators have blocks of up to a kilobyte at hand.
            let error = match Box::pin(self.attempt(&plan, progress)).await {
                Ok(response) => {
                    return Ok(Response { idempotency_key: key, attempts: progress.attempts(), ..response });
                }
                Err(error) => error,
            };
            let Some(wait) = progress.next_wait(self, operation, key.is_some(), &error) else {
                let earlier_lost = progress.earlier_lost();
                let error = if earlier_lost { error.after_lost_attempt(operation) } else { error };
                return Err(error.of_call(progress.attempts(), key, earlier_lost).about(client_id));
            };
            tracing::info!(attempt = progress.attempts(), kind = ?error.kind(), ?wait, "repeating");
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
                progress.waited(wait);
            }
        }
    }

    /// Whether a request of this operation holds what must not be read on its way, or its response does.
    fn carries_secrets(&self, operation: &Operation) -> bool {
        !self.shared.credentials.is_empty()
            || self.own.code.is_some()
            || operation.secret
            || !operation.secret_fields.is_empty()
    }

    /// How the call travels, and what it carries to prove who calls.
    fn way(&self, call: &mut Call) -> Result<(Vec<Credential>, Encoded), Error> {
        let (shared, operation) = (&self.shared, call.operation);
        let refused = |message: String| Error::before_sending(operation, ErrorKind::InvalidRequest, message);
        let venue = shared.common.venue;
        if !matches!(shared.channel, Channel::Requests(_)) {
            let message = match venue.protocol {
                Protocol::JsonRpc => {
                    let params = self.params(call.body.take());
                    MessageCall::json_rpc(operation, params, &shared.credentials)?
                }
                Protocol::Rest => MessageCall::described(venue, call, &shared.credentials)?,
            };
            return Ok((Vec::new(), Encoded::Message(message)));
        }
        if operation.on_connection.is_some_and(|on| on.only) {
            return Err(refused(
                "this operation exists on a WebSocket only: build the client with `Client::websocket`".to_owned(),
            ));
        }
        if let Some(server) = shared.common.server.filter(|server| !server.has(operation.path)) {
            let (name, environment, paths) = (venue.name, server.environment, server.serves.join(" and "));
            return Err(refused(format!(
                "{name}'s environment {environment} does not serve this: only what is below {paths}"
            )));
        }
        let credentials = shared.credentials.choose(operation, self.code_for_header())?;
        let method = Method::from_bytes(operation.method.as_bytes())
            .map_err(|_| refused(format!("`{}` is not an HTTP method", operation.method)))?;
        let url = call.take_url(&shared.common.base.url);
        let (body, rpc_id) = match venue.protocol {
            Protocol::Rest => (call.take_body().map_err(|problem| refused(problem.to_owned()))?.into(), None),
            Protocol::JsonRpc => {
                let id = shared.rpc_ids.fetch_add(1, Ordering::Relaxed);
                (jsonrpc::envelope(venue, operation, id, &self.params(call.body.take()))?.into(), Some(id))
            }
        };
        Ok((credentials, Encoded::Request { method, url, body, rpc_id }))
    }

    /// A call's params, with the response to the venue's challenge, if this call has one.
    fn params(&self, params: Option<String>) -> String {
        let params = params.unwrap_or_else(|| "{}".to_owned());
        match self.confirmation() {
            Some((challenge, code)) => jsonrpc::confirmed(self.shared.common.venue, &params, challenge, code),
            None => params,
        }
    }

    /// A challenge of the venue and the code for it, which travel in the params.
    fn confirmation(&self) -> Option<(&Challenge, &Secret)> {
        self.own.challenge.as_ref().zip(self.own.code.as_ref())
    }

    /// One attempt, and what is to be learned from it.
    async fn attempt(&self, plan: &Plan<'_>, progress: &mut Progress) -> Result<Response, Error> {
        progress.begin_attempt();
        let Outcome { result, tokens, received, date, looks } = match &plan.way {
            Encoded::Message(message) => self.over_connection(plan, message, progress).await?,
            Encoded::Request { method, url, body, rpc_id } => {
                let unsigned = Unsigned { method, url, body, rpc_id: *rpc_id };
                self.over_carrier(plan, &unsigned, progress).await?
            }
        };
        self.learn(plan, &result, received, date, looks, progress);
        result.map_err(|error| tokens.iter().fold(error, |error, token| token.judged(error, progress)))
    }

    /// The headers of an attempt, without those of a signature.
    fn headers(&self, plan: &Plan<'_>, has_body: bool) -> HeaderMap {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
        let own = &self.shared.common.headers;
        // With those of a signature and of the HTTP client.
        let mut headers = HeaderMap::with_capacity(if has_body { 8 } else { 6 } + own.len());
        headers.insert(ACCEPT, JSON);
        if has_body {
            headers.insert(CONTENT_TYPE, if plan.call.operation.form { FORM } else { JSON });
        }
        headers.extend(own.iter().cloned());
        headers.extend(plan.call.headers.iter().cloned());
        headers
    }

    /// Returns when the venue's limit lets the call through. Everything else that a call waits for comes before: calls that have paid
    /// and then wait for the same thing would leave together.
    async fn pay(&self, plan: &Plan<'_>, progress: &mut Progress) -> Result<(), Error> {
        let time_left = progress.time_left();
        let longest = self.own.rate_wait.unwrap_or(self.shared.common.rate_wait).min(time_left);
        match self.shared.common.limiter.pay(plan.call.operation, &plan.debits, longest, time_left)? {
            Some(waiting) => progress.waits(waiting).await,
            None => Ok(()),
        }
    }

    /// One request and its response.
    async fn over_carrier(
        &self,
        plan: &Plan<'_>,
        unsigned: &Unsigned<'_>,
        progress: &mut Progress,
    ) -> Result<Outcome, Error> {
        let (common, operation) = (&self.shared.common, plan.call.operation);
        let Channel::Requests(carrier) = &self.shared.channel else { return Err(WebSocket::gone()) };
        let tokens = loop {
            let tokens = self.tokens(plan, progress).await?;
            self.pay(plan, progress).await?;
            // A token may have ended while the limit was waited for.
            if tokens.iter().all(TokenLease::is_current) {
                break tokens;
            }
            progress.in_time(operation)?;
        };
        let Unsigned { method, url, body, rpc_id } = *unsigned;
        let mut headers = self.headers(plan, !body.is_empty());
        let signed = self.sign(&mut headers, plan, unsigned, &tokens, progress)?;
        let request = CarrierRequest {
            operation,
            method: method.clone(),
            url: signed.url.as_deref().unwrap_or(url),
            path_at: common.base.path_at,
            headers,
            body: signed.body.as_ref().unwrap_or(body),
            unsigned_url: url,
            unsigned_body: Some(body).filter(|_| rpc_id.is_none() || self.confirmation().is_none()),
            rpc_id,
            time: self.send_within(operation, progress)?,
            largest: common.max_answer,
        };
        let response = carrier.send(request).await.map_err(|error| of_carrier(operation, error))?;
        let received = UnixMillis::now();
        let answer = Answer::of(response, common.clock.at(received));
        common.limiter.heard(&plan.debits, &answer.headers, answer.now);
        // The response to a public call may come from a cache. The time in it is believed only if the call is made for the time.
        let is_public = plan.credentials.is_empty();
        let tells_time = !is_public && (!answer.status.is_success() || common.clock.looks(progress.sent()));
        let date = tells_time.then(|| VenueTime::of_headers(&answer.headers)).flatten();
        let is_for_time = common.venue.credentials.probes.reach.is_some_and(|reach| reach.operation == operation.id);
        let looks = tells_time || is_public && is_for_time;
        let result = match rpc_id {
            Some(id) => jsonrpc::unwrap(common.venue, common.challenge.as_ref(), operation, answer, id),
            None => answer::judge(common.venue, operation, answer),
        };
        Ok(Outcome { result, tokens, received, date, looks })
    }

    /// One message on a connection, which is logged in where the call needs it, and its response.
    async fn over_connection(
        &self,
        plan: &Plan<'_>,
        message: &MessageCall,
        progress: &mut Progress,
    ) -> Result<Outcome, Error> {
        let (common, operation) = (&self.shared.common, plan.call.operation);
        let write = |id| message.write(common.venue, operation, &common.clock, id);
        let call = OutgoingCall {
            operation,
            write: &write,
            changes: message.params().filter(|_| plan.call.changes_setting),
            is_logged_on: message.is_logged_on(),
        };
        let (connection, ready, tokens) = loop {
            let connection = match self.open_connection() {
                Some(connection) => connection,
                None => Box::pin(self.connection(progress)).await?,
            };
            let mut tokens = Vec::new();
            if let Some(cache) = connection.login().filter(|_| message.needs_login()) {
                tokens.push(TokenLease::fetch(cache, operation, progress).await?);
            }
            self.pay(plan, progress).await?;
            // Both may have ended while the limit was waited for.
            if self.is_past(&connection) || !tokens.iter().all(TokenLease::is_current) {
                progress.in_time(operation)?;
                continue;
            }
            if let Some(ready) = connection.ready_now(call)? {
                break (connection, ready, tokens);
            }
            let time = common.timeouts.attempt.min(progress.time_left());
            let mut ready = Box::pin(progress.waits(connection.ready(call, time))).await?;
            // The turn was long in coming: what was paid is past, and those who got theirs together are spread again.
            self.pay(plan, progress).await?;
            if self.is_past(&connection) {
                progress.in_time(operation)?;
                continue;
            }
            if message.has_time() {
                ready.rewrite(call)?;
            }
            break (connection, ready, tokens);
        };
        if message.has_time() {
            progress.signed(common.clock.offset_millis());
        }
        let time = self.send_within(operation, progress)?;
        let reply = connection.response(connection.send(ready)?, time).await?;
        let received = UnixMillis::now();
        let now = common.clock.at(received);
        framing::learn_limits(common.venue, &common.limiter, &plan.debits, &reply, now);
        let result = framing::unwrap(common.venue, common.challenge.as_ref(), operation, reply, now);
        // A refused timestamp may come without the venue's time: then that of the handshake counts.
        if let (Err(error), Some(offsets)) = (&result, connection.offsets())
            && error.kind() == ErrorKind::Clock
            && error.venue_time().is_none()
        {
            progress.heard(offsets, self);
        }
        if result.is_ok()
            && operation.on_connection.is_some_and(|on| on.ends_logon)
            && let Some(login) = connection.login()
        {
            login.forget();
        }
        Ok(Outcome { result, tokens, received, date: None, looks: true })
    }

    /// The connection that carries the call, where one is open.
    fn open_connection(&self) -> Option<Arc<Connection>> {
        match &self.shared.channel {
            Channel::Socket(socket) => socket.open_now(),
            Channel::Connection(connection) => connection.upgrade().filter(|connection| !connection.is_over()),
            Channel::Requests(_) => None,
        }
    }

    /// Whether a call is better made over another connection: this one is over, or another has taken its place.
    fn is_past(&self, connection: &Connection) -> bool {
        let is_bound = matches!(self.shared.channel, Channel::Connection(_));
        connection.is_over() || !is_bound && connection.is_replaced()
    }

    /// The connection that carries the call, once there is one.
    async fn connection(&self, progress: &Progress) -> Result<Arc<Connection>, Error> {
        match &self.shared.channel {
            Channel::Socket(socket) => {
                socket.connection(self.shared.common.timeouts.attempt.min(progress.time_left())).await
            }
            Channel::Connection(_) | Channel::Requests(_) => Err(WebSocket::gone()),
        }
    }

    /// The request goes out now: how long its response may take.
    fn send_within(&self, operation: &'static Operation, progress: &mut Progress) -> Result<Duration, Error> {
        let time_left = progress.send().ok_or_else(|| Error::out_of_time(operation))?;
        Ok(self.shared.common.timeouts.attempt.min(time_left))
    }

    /// The tokens that go along, fetched if need be.
    async fn tokens(&self, plan: &Plan<'_>, progress: &Progress) -> Result<Vec<TokenLease>, Error> {
        let mut tokens = Vec::new();
        for credential in &plan.credentials {
            if let Credential::Token(cache) = credential {
                tokens.push(TokenLease::fetch(cache, plan.call.operation, progress).await?);
            }
        }
        Ok(tokens)
    }

    /// Puts every signature on the request, made of exactly what will be sent: headers, and what is added to URL or body.
    fn sign(
        &self,
        headers: &mut HeaderMap,
        plan: &Plan<'_>,
        unsigned: &Unsigned<'_>,
        tokens: &[TokenLease],
        progress: &mut Progress,
    ) -> Result<Extended, Error> {
        let signers = plan.credentials.iter().filter_map(|credential| match credential {
            Credential::Signer(signer) => Some(&**signer),
            Credential::Login | Credential::Token(_) => None,
        });
        let signers = signers.chain(tokens.iter().map(|held| held.token.signer()));
        let common = &self.shared.common;
        let now = common.clock.now().get();
        let Unsigned { method, url, body, .. } = *unsigned;
        let mut extended = Extended::default();
        for signer in signers {
            let url = extended.url.as_deref().unwrap_or(url);
            let body = extended.body.as_ref().unwrap_or(body);
            let parts = Parts::new(method.as_str(), &url[common.base.path_at..], body);
            let signed = signer.sign(&parts, now).map_err(|error| Error::from(error).within(plan.call.operation))?;
            match signed.added() {
                Some(Added::Query(text)) => extended.url = Some([url, text].concat()),
                Some(Added::Body(text)) => extended.body = Some([body, text.as_bytes()].concat().into()),
                None => {}
            }
            for (name, value) in signed {
                headers.insert(name, value);
            }
        }
        if !plan.credentials.is_empty() {
            progress.signed(common.clock.offset_millis());
        }
        Ok(extended)
    }

    /// What a response says of the venue's clock and limits. It was `received` at this time of the system clock; `date` is the time in its
    /// headers; `looks` says whether a good body is read for it too. Nothing here is waited for: the caller's response is at hand.
    fn learn(
        &self,
        plan: &Plan<'_>,
        result: &Result<Response, Error>,
        received: UnixMillis,
        date: Option<VenueTime>,
        looks: bool,
        progress: &mut Progress,
    ) {
        let told = match result {
            Ok(response) => response.venue_time(looks),
            Err(error) => error.venue_time(),
        };
        if let Some(time) = told.or(date) {
            progress.heard(Offsets::of(time, progress.sent(), received), self);
        }
        let Err(error) = result else { return };
        let limiter = &self.shared.common.limiter;
        if error.is_ban() {
            limiter.banned(error.retry_after());
        } else if error.kind() == ErrorKind::RateLimited {
            let told = RateFeedback { left: 0, lasts: error.retry_after() };
            plan.debits.iter().for_each(|debit| limiter.learn(debit, told));
        }
    }

    /// A code for a challenge travels in the request; any other in a separate header.
    fn code_for_header(&self) -> Option<&Secret> {
        self.own.code.as_ref().filter(|_| self.shared.common.venue.challenge.is_none())
    }

    /// Takes out of an error what must not be seen.
    fn presentable(&self, mut error: Error, secrets: &[Secret]) -> Error {
        for secret in self.shared.credentials.hidden() {
            error.redact(secret.expose());
        }
        for secret in secrets {
            error.redact(secret.expose());
        }
        if let Some(code) = &self.own.code {
            error.redact(code.expose());
        }
        error.shorten();
        error
    }
}

/// The error of a call whose request got no response.
fn of_carrier(operation: &'static Operation, error: SendError) -> Error {
    let SendError { kind, message, may_have_left, status, source } = error;
    let inner = Inner { kind: Some(kind), operation: Some(operation), status, ..Inner::default() };
    Error::new(Inner { message, applied: may_have_left, source, ..inner })
}

/// The outcome of one attempt that got a response.
struct Outcome {
    result: Result<Response, Error>,
    tokens: Vec<TokenLease>,
    /// When the response was here, by the system clock.
    received: UnixMillis,
    /// The time in the response's headers, where it is to be believed.
    date: Option<VenueTime>,
    /// Whether the time in a good body is worth a look.
    looks: bool,
}

/// A token that goes along, and where it came from.
struct TokenLease {
    cache: Arc<TokenCache>,
    token: Arc<Token>,
}

impl TokenLease {
    /// The current token, fetched if need be within the call's time.
    async fn fetch(cache: &Arc<TokenCache>, operation: &'static Operation, progress: &Progress) -> Result<Self, Error> {
        // Most calls have one at hand, and need neither a timer nor a future of this size.
        if let Some(token) = cache.at_hand() {
            return Ok(Self { cache: cache.clone(), token });
        }
        let token = Box::pin(tokio::time::timeout(progress.time_left(), cache.get())).await;
        let token = token.map_err(|_| Error::out_of_time(operation))??;
        Ok(Self { cache: cache.clone(), token })
    }

    /// Whether calls still carry this token.
    fn is_current(&self) -> bool {
        self.cache.is_current(&self.token)
    }

    /// A response's error without the token in it. A token that was refused is forgotten.
    fn judged(&self, mut error: Error, progress: &mut Progress) -> Error {
        self.token.secrets().for_each(|secret| error.redact(secret.expose()));
        // A call that may have been executed is not repeated with another token.
        let is_refused = error.kind() == ErrorKind::Unauthorized && !error.may_have_been_applied();
        if is_refused && self.cache.drop_if(&self.token) {
            progress.token_was_refused();
        }
        error
    }
}
