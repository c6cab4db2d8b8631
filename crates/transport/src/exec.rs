//! The loop: budget, credential, signature, send, judge, wait, sign again.

use std::sync::Arc;

use reqwest::Request;
use tracing::Instrument;
use venuekit_wire::Secret;
use venuekit_wire::operation::{ErrorKind, Operation, Protocol};

use crate::answer::{self, Answer};
use crate::client::OperationInfo;
use crate::clock::{Offsets, VenueTime};
use crate::credentials::Credential;
use crate::error::Error;
use crate::idempotency;
use crate::jsonrpc;
use crate::observe::Observed;
use crate::progress::Progress;
use crate::rate::{Debit, Told};
use crate::response::Response;
use crate::send;
use crate::session::Session;
use crate::token::{Token, TokenCache};

/// What stays the same in every attempt of a call.
struct Plan {
    operation: &'static Operation,
    credentials: Vec<Credential>,
    debit: Option<Debit>,
    rpc_id: Option<u64>,
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
        let Some(operation) = self.shared.venue.operation(info.operation_id) else {
            return Err(Error::invalid_request(format!("`{}` is not in the operation table", info.operation_id)));
        };
        let secrets = answer::secret_values(&request, operation);
        let observed = Observed::begin(self.shared.venue, operation);
        let mut progress = Progress::new(self.call.timeout.unwrap_or(self.shared.timeouts.call));
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
        let key = idempotency::key_of(&mut request, operation);
        let credentials = self.shared.credentials.choose(operation, self.code_for_header())?;
        let debit = self.shared.limiter.debit(operation, &request);
        let rpc_id = match self.shared.venue.protocol {
            Protocol::Rest => None,
            Protocol::JsonRpc => Some(jsonrpc::wrap(self, operation, &mut request)?),
        };
        let plan = Plan { operation, credentials, debit, rpc_id };
        self.shared.budget.earn();
        loop {
            // The next attempt is made of the same bytes, and signed for itself.
            let Some(attempt) = request.try_clone() else {
                let message = "a streaming body cannot be signed";
                return Err(Error::before_sending(operation, ErrorKind::InvalidRequest, message));
            };
            let error = match self.attempt(http, attempt, &plan, progress).await {
                Ok(response) => {
                    return Ok(Response { idempotency_key: key, attempts: progress.attempts(), ..response });
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

    /// One attempt, and what is to be learned from it.
    async fn attempt(
        &self,
        http: &reqwest::Client,
        mut request: Request,
        plan: &Plan,
        progress: &mut Progress,
    ) -> Result<Response, Error> {
        let operation = plan.operation;
        progress.begin_attempt();
        if let Some(debit) = &plan.debit {
            let longest = self.call.rate_wait.unwrap_or(self.shared.rate_wait).min(progress.time_left());
            progress.waits(self.shared.limiter.take(operation, debit, longest)).await?;
        }
        let tokens = self.sign(&mut request, plan, progress).await?;
        let time_left = progress.send().ok_or_else(|| Error::out_of_time(operation))?;
        let time = self.shared.timeouts.attempt.min(time_left);
        let answer = send::send(http, request, operation, self.shared.max_answer, time).await?;
        let mut result = self.judge(plan, answer, progress).await;
        if let Err(error) = &mut result {
            for held in tokens {
                held.token.secrets().for_each(|secret| error.redact(secret.expose()));
                if error.kind() == ErrorKind::Unauthorized {
                    held.cache.drop_if(&held.token);
                    progress.token_was_refused();
                }
            }
        }
        result
    }

    /// Puts every signature on the request, made of exactly what will be sent. Returns the tokens that go along.
    async fn sign<'a>(
        &self,
        request: &mut Request,
        plan: &'a Plan,
        progress: &mut Progress,
    ) -> Result<Vec<Held<'a>>, Error> {
        let operation = plan.operation;
        let mut tokens = Vec::new();
        for credential in &plan.credentials {
            if let Credential::Token(cache) = credential {
                let token = tokio::time::timeout(progress.time_left(), cache.get()).await;
                let token = token.map_err(|_| Error::out_of_time(operation))??;
                tokens.push(Held { cache, token });
            }
        }
        let signers = plan.credentials.iter().filter_map(|credential| match credential {
            Credential::Signer(signer) => Some(&**signer),
            Credential::Grant(_) | Credential::Token(_) => None,
        });
        let signers = signers.chain(tokens.iter().map(|held| held.token.signer()));
        let now = self.shared.clock.now().get();
        venuekit_auth::apply(request, signers, now).map_err(|error| Error::from(error).within(operation))?;
        if !plan.credentials.is_empty() {
            progress.signed(self.shared.clock.offset_millis());
        }
        Ok(tokens)
    }

    /// What an answer means, and what it tells of the venue's limits and clock.
    async fn judge(&self, plan: &Plan, answer: Answer, progress: &mut Progress) -> Result<Response, Error> {
        let (venue, operation) = (self.shared.venue, plan.operation);
        if let Some(debit) = &plan.debit
            && let Some(told) = self.shared.limiter.told(&answer.headers, self.shared.clock.now())
        {
            self.shared.limiter.learn(debit, told).await;
        }
        // What anybody may ask, anybody may have asked before: such an answer may come from a cache.
        let tells_time =
            !plan.credentials.is_empty() && (!answer.status.is_success() || self.shared.clock.looks(progress.sent()));
        let date = tells_time.then(|| VenueTime::of_headers(&answer.headers)).flatten();
        let result = match plan.rpc_id {
            None => answer::judge(venue, operation, answer),
            Some(id) => jsonrpc::unwrap(venue, operation, answer, id),
        };
        let told = match &result {
            Ok(response) => response.venue_time(),
            Err(error) => error.venue_time(),
        };
        if let Some(time) = told.or(date) {
            progress.heard(Offsets::of(time, progress.sent()), self);
        }
        if let (Some(debit), Err(error)) = (&plan.debit, &result)
            && error.kind() == ErrorKind::RateLimited
        {
            self.shared.limiter.learn(debit, Told { left: 0, lasts: error.retry_after() }).await;
        }
        result
    }

    /// A code that answers a challenge travels in the request; any other in a header of its own.
    fn code_for_header(&self) -> Option<&Secret> {
        self.call.code.as_ref().filter(|_| self.shared.venue.challenge.is_none())
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
        error
    }
}

/// A token that goes along, and where it came from.
struct Held<'a> {
    cache: &'a TokenCache,
    token: Arc<Token>,
}
