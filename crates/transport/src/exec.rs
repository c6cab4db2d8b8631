//! The loop: credential, signature, send, judge, wait, sign again.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use reqwest::Request;
use venuekit_auth::{Headers, Signer};
use venuekit_wire::Secret;
use venuekit_wire::operation::{ErrorKind, Operation, Protocol};

use crate::answer::{self, Answer};
use crate::client::OperationInfo;
use crate::credentials::Credential;
use crate::error::{Error, Inner};
use crate::idempotency;
use crate::jsonrpc;
use crate::progress::Progress;
use crate::response::Response;
use crate::session::Session;

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
        let started = Instant::now();
        let secrets = answer::secret_values(&request, operation);
        let result = self.call(http, request, operation).await;
        let result = result.map_err(|error| self.presentable(error.within(operation), &secrets));
        self.trace(operation, &result, started);
        result
    }

    async fn call(
        &self,
        http: &reqwest::Client,
        mut request: Request,
        operation: &'static Operation,
    ) -> Result<Response, Error> {
        let key = idempotency::key_of(&mut request, operation);
        let credentials = self.shared.credentials.choose(operation, self.code_for_header())?;
        let rpc_id = match self.shared.venue.protocol {
            Protocol::Rest => None,
            Protocol::JsonRpc => Some(jsonrpc::wrap(self, operation, &mut request)?),
        };
        let mut progress = Progress::new(self.call.timeout.unwrap_or(self.shared.timeouts.call), key.is_some());
        self.shared.budget.earn();
        loop {
            // The next attempt is made of the same bytes, and signed for itself.
            let Some(attempt) = request.try_clone() else {
                let message = "a streaming body cannot be signed";
                return Err(Error::before_sending(operation, ErrorKind::InvalidRequest, message));
            };
            let error = match self.attempt(http, attempt, operation, &credentials, rpc_id, &mut progress).await {
                Ok(response) => return Ok(Response { idempotency_key: key, ..response }),
                Err(error) => error,
            };
            let Some(wait) = progress.next_wait(self, operation, &error) else {
                return Err(error.of_call(progress.attempts(), key, progress.earlier_lost()));
            };
            let (venue, kind, attempt) = (self.shared.venue.name, error.kind(), progress.attempts());
            tracing::info!(venue, operation = operation.id, attempt, ?kind, ?wait, "repeating");
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// One attempt, signed for itself.
    async fn attempt(
        &self,
        http: &reqwest::Client,
        mut request: Request,
        operation: &'static Operation,
        credentials: &[Credential],
        rpc_id: Option<u64>,
        progress: &mut Progress,
    ) -> Result<Response, Error> {
        let tokens = self.authorize(&mut request, operation, credentials).await?;
        let time_left = progress.begin_attempt().ok_or_else(|| Error::out_of_time(operation))?;
        *request.timeout_mut() = Some(self.shared.timeouts.attempt.min(time_left));
        let answer = self.send(http, request, operation).await?;
        let mut result = match rpc_id {
            None => answer::judge(self.shared.venue, operation, answer),
            Some(id) => jsonrpc::unwrap(self.shared.venue, operation, answer, id),
        };
        if let Err(error) = &mut result {
            for (cache, token) in tokens {
                error.redact(token.expose());
                if error.kind() == ErrorKind::Unauthorized {
                    cache.drop_if(&token).await;
                    progress.token_was_refused();
                }
            }
        }
        result
    }

    /// A code that answers a challenge travels in the request; any other in a header of its own.
    fn code_for_header(&self) -> Option<&Secret> {
        self.call.code.as_ref().filter(|_| self.shared.venue.challenge.is_none())
    }

    /// Puts every signature on the request, made of exactly what will be sent. Returns the tokens that went along.
    async fn authorize<'a>(
        &self,
        request: &mut Request,
        operation: &'static Operation,
        credentials: &'a [Credential],
    ) -> Result<Vec<(&'a crate::token::TokenCache, Secret)>, Error> {
        let mut tokens = Vec::new();
        let mut bearers = Vec::new();
        for credential in credentials {
            if let Credential::Token(cache) = credential {
                let token = cache.get().await?;
                bearers.push(Headers::bearer(token.clone()).map_err(|error| Error::from(error).within(operation))?);
                tokens.push((&**cache, token));
            }
        }
        let signers = credentials.iter().filter_map(|credential| match credential {
            Credential::Signer(signer) => Some(&**signer),
            Credential::Grant(_) | Credential::Token(_) => None,
        });
        let signers = signers.chain(bearers.iter().map(|bearer| bearer as &dyn Signer));
        venuekit_auth::apply(request, signers, self.shared.clock.now().get())?;
        Ok(tokens)
    }

    async fn send(
        &self,
        http: &reqwest::Client,
        request: Request,
        operation: &'static Operation,
    ) -> Result<Answer, Error> {
        let mut response = http.execute(request).await.map_err(|error| broken(operation, error))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = match self.read(&mut response).await {
            Ok(body) => body,
            Err(mut error) => {
                error.operation = Some(operation);
                error.status = Some(status);
                // A client error was refused as a whole; anything else may have been done before the answer broke.
                error.applied = !status.is_client_error();
                return Err(Error::new(error));
            }
        };
        Ok(Answer { status, headers, body })
    }

    async fn read(&self, response: &mut reqwest::Response) -> Result<Bytes, Inner> {
        let limit = self.shared.max_answer;
        let mut body = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(body.freeze()),
                Ok(Some(chunk)) if body.len() + chunk.len() <= limit => {
                    // An answer in one piece, as most are, is not copied.
                    if body.is_empty() && response.content_length() == Some(chunk.len() as u64) {
                        return Ok(chunk);
                    }
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => {
                    let message =
                        format!("the answer is larger than {limit} bytes; raise `max_answer` if that is right");
                    return Err(Inner { kind: Some(ErrorKind::Decode), message, ..Inner::default() });
                }
                Err(error) => {
                    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
                    let message = format!("the answer broke off: {}", reason(&error));
                    return Err(Inner { kind: Some(kind), message, ..Inner::default() });
                }
            }
        }
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

    fn trace(&self, operation: &Operation, result: &Result<Response, Error>, started: Instant) {
        let venue = self.shared.venue.name;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok(response) => {
                tracing::debug!(venue, operation = operation.id, status = response.status.as_u16(), millis, "answered");
            }
            Err(error) => {
                let status = error.status().map(|status| status.as_u16());
                let applied = error.may_have_been_applied();
                tracing::warn!(venue, operation = operation.id, status, kind = ?error.kind(), applied, millis, "failed");
            }
        }
    }
}

/// A call that got no answer.
fn broken(operation: &'static Operation, error: reqwest::Error) -> Error {
    let error = error.without_url();
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
    // Only while connecting is it certain that the venue has seen nothing.
    let (applied, what) = match (error.is_connect(), error.is_timeout()) {
        (true, _) => (false, "no connection"),
        (false, true) => (true, "no answer in time"),
        (false, false) => (true, "no answer"),
    };
    Error::new(Inner {
        kind: Some(kind),
        operation: Some(operation),
        message: format!("{what}: {}", reason(&error)),
        applied,
        source: Some(Box::new(error)),
        ..Inner::default()
    })
}

/// The innermost reason, which is the one that tells something.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
