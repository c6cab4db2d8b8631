//! One error for everything that goes wrong with a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use venuekit_auth::{KeyError, SignError};
use venuekit_wire::Secret;
use venuekit_wire::credentials::Cause;
use venuekit_wire::operation::{ErrorKind, Operation, Retry};

use crate::clock::VenueTime;

/// Why a call failed.
///
/// It has what a program needs to decide: [`kind`](Self::kind), [`retry_after`](Self::retry_after),
/// [`may_have_been_applied`](Self::may_have_been_applied). Neither its `Display` nor its `Debug` shows a secret or a response's
/// body; the body of an operation without secrets is [`raw_body`](Self::raw_body).
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone, Default)]
pub(crate) struct Inner {
    pub(crate) kind: Option<ErrorKind>,
    pub(crate) operation: Option<&'static Operation>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) detail: Option<String>,
    pub(crate) param: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) body: Bytes,
    pub(crate) applied: bool,
    /// The venue's own word that nothing was executed.
    pub(crate) not_processed: bool,
    /// The venue's code says that it is unknown whether the call was executed.
    pub(crate) outcome_unknown: bool,
    /// The venue has seen the call's idempotency key, and refuses it.
    pub(crate) repeated_key: bool,
    /// An earlier attempt of the same call may have been executed.
    pub(crate) earlier_lost: bool,
    /// The venue's clock when it responded, where the body contains it.
    pub(crate) venue_time: Option<VenueTime>,
    /// It is of the login that the call needs, and shared by all calls that waited for that.
    pub(crate) of_login: bool,
    /// Its code is one that the spec lists: the venue itself said this, and nothing in between.
    pub(crate) known_code: bool,
    /// The venue's own words for a key that it does not know, or whose secret is another one.
    pub(crate) unknown_key: bool,
    /// What the refusal means by the spec's first symptoms.
    pub(crate) cause: Option<Cause>,
    /// The venue has banned the address for a while.
    pub(crate) is_ban: bool,
    /// The caller's own id of what the call makes.
    pub(crate) client_id: Option<String>,
    /// Our own limiter did not let it through.
    pub(crate) held_back: bool,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// A venue's demand for a second factor. Pass it to the client's `confirm`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Challenge {
    /// What must be sent back along with the code.
    pub challenge: Secret,
}

/// An error body is kept up to this size.
const KEPT_BODY: usize = 64 * 1024;

/// A sentence of the venue is kept up to this size.
const LONGEST_TEXT: usize = 4 * 1024;

impl Error {
    /// What went wrong, in one vocabulary for all venues.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind.unwrap_or(ErrorKind::Other)
    }

    /// The operation that failed, as the generated method is called: the call's, or that of the login that it needs. Where an earlier
    /// attempt of the call may have been executed it is the call's. None outside of a call.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation.map(|operation| operation.id)
    }

    /// The HTTP status, where there was a response.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The venue's own code, where it gave one.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Whether the code is one that the spec lists. Then the venue itself said this, and not a proxy or a firewall before it.
    pub fn has_known_code(&self) -> bool {
        self.0.known_code
    }

    /// Whether these are the venue's own words (the spec's `unknown-key`) for a key that it does not know, or whose secret is
    /// another one. A refusal for everybody, by an outage, a proxy or a firewall, has other words as a rule; compare with a
    /// call that another key signs before you take a key for gone.
    pub fn is_unknown_key(&self) -> bool {
        self.0.unknown_key
    }

    /// What the refusal means, where the venue's spec says it beyond doubt (`x-symptoms`, `first`).
    pub fn refusal_cause(&self) -> Option<Cause> {
        self.0.cause
    }

    /// The error message, from the venue or from this client.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The venue's further explanation.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The parameter that the venue objects to.
    pub fn param(&self) -> Option<&str> {
        self.0.param.as_deref()
    }

    /// The id under which the venue's support finds the request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long to wait before another attempt, where the venue says so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The venue's demand for a second factor, for the kind [`Challenge`](ErrorKind::Challenge).
    pub fn challenge(&self) -> Option<&Challenge> {
        self.0.challenge.as_ref()
    }

    /// Whether the venue may have executed the operation nevertheless: its response was lost, could not be read, or says only
    /// that something broke. Never true for an operation that only reads.
    ///
    /// Do not repeat the call then. [`reconcile_with`](Self::reconcile_with) names the operation that finds out what happened to it.
    pub fn may_have_been_applied(&self) -> bool {
        self.0.applied && self.0.operation.is_none_or(|operation| operation.retry != Retry::Safe)
    }

    /// Whether the venue refused the call because it has seen its idempotency key: a call with that key was executed.
    /// [`was_applied_before`](Self::was_applied_before) says whether that was this one.
    pub fn is_repeated_key(&self) -> bool {
        self.0.repeated_key
    }

    /// Whether an earlier attempt of this call was executed: its response was lost, and the venue refused the next attempt
    /// because it had seen the idempotency key. [`reconcile_with`](Self::reconcile_with) names the operation that shows the result.
    pub fn was_applied_before(&self) -> bool {
        self.0.repeated_key && self.0.earlier_lost
    }

    /// The operation with which to find out what became of this one.
    pub fn reconcile_with(&self) -> Option<&'static str> {
        self.0.operation.and_then(|operation| operation.reconcile).map(|reconcile| reconcile.operation)
    }

    /// The caller's own id of what the call makes, where its operation has one and the call carried it: by it
    /// [`reconcile_with`](Self::reconcile_with) finds what may have been made. It is no idempotency key.
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// The idempotency key that the call carried, its own or one that was made for it.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.0.idempotency_key.as_deref()
    }

    /// How often the call was sent, or tried to be.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    pub(crate) fn was_not_processed(&self) -> bool {
        self.0.not_processed
    }

    pub(crate) fn leaves_outcome_unknown(&self) -> bool {
        self.0.outcome_unknown
    }

    pub(crate) fn was_held_back(&self) -> bool {
        self.0.held_back
    }

    pub(crate) fn is_ban(&self) -> bool {
        self.0.is_ban
    }

    /// With the caller's own id of what the call makes.
    pub(crate) fn about(mut self, client_id: Option<String>) -> Self {
        self.0.client_id = client_id;
        self
    }

    pub(crate) fn venue_time(&self) -> Option<VenueTime> {
        self.0.venue_time
    }

    /// The error of a call of which an earlier attempt may have been executed. A login that failed after that says nothing of the outcome:
    /// its operation goes into the message, and what the error says of repeating and of looking it up is the call's.
    pub(crate) fn after_lost_attempt(mut self, operation: &'static Operation) -> Self {
        if let Some(other) = self.0.operation.filter(|other| other.id != operation.id) {
            self.0.message = format!("`{}` failed: {}", other.id, self.0.message);
            // Neither the call's response, nor as secret as that one is.
            self.0.body = Bytes::new();
        }
        self.0.operation = Some(operation);
        self
    }

    /// An error with what is known of the whole call. An earlier attempt whose response was lost may have been executed, whatever
    /// the last response says.
    pub(crate) fn of_call(mut self, attempts: u32, key: Option<String>, earlier_lost: bool) -> Self {
        self.0.attempts = attempts;
        self.0.idempotency_key = key;
        self.0.applied |= earlier_lost;
        self.0.earlier_lost = earlier_lost;
        self
    }

    /// Whether the same call may succeed later, and may be repeated without harm.
    pub fn is_retryable(&self) -> bool {
        let passing = matches!(
            self.kind(),
            ErrorKind::RateLimited
                | ErrorKind::Maintenance
                | ErrorKind::Server
                | ErrorKind::Network
                | ErrorKind::Timeout
        );
        passing && !self.may_have_been_applied()
    }

    /// The response's body, up to 64 KiB. None for an operation that handles secrets: see [`sealed_body`](Self::sealed_body).
    pub fn raw_body(&self) -> Option<&[u8]> {
        (!self.is_secret() && !self.0.body.is_empty()).then_some(&*self.0.body)
    }

    /// The body of a response that may hold a secret, such as that of a new key whose response could not be read. The secret is
    /// shown once: keep it before anything else.
    pub fn sealed_body(&self) -> Option<Secret> {
        let text = || String::from_utf8_lossy(&self.0.body).into_owned();
        (self.is_secret() && !self.0.body.is_empty()).then(|| Secret::new(text()))
    }

    fn is_secret(&self) -> bool {
        self.0.operation.is_some_and(|operation| operation.secret)
    }

    /// A call that was refused before anything was sent.
    #[doc(hidden)]
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(Inner { kind: Some(ErrorKind::InvalidRequest), message: message.into(), ..Inner::default() })
    }

    /// A successful response that lacks what the call was made for. The venue has acted where the operation changes something.
    #[doc(hidden)]
    pub fn incomplete(operation: &'static Operation, message: impl Into<String>) -> Self {
        Self::new(Inner {
            kind: Some(ErrorKind::Decode),
            operation: Some(operation),
            status: Some(StatusCode::OK),
            message: message.into(),
            applied: true,
            ..Inner::default()
        })
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Box::new(inner))
    }

    pub(crate) fn before_sending(operation: &'static Operation, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::new(Inner { kind: Some(kind), operation: Some(operation), message: message.into(), ..Inner::default() })
    }

    /// A login that failed. The attempt that needed it was not sent, whatever happened to the login.
    pub(crate) fn of_login(mut self) -> Self {
        self.0.message = format!("no token: {}", self.0.message);
        self.0.applied = false;
        self.0.of_login = true;
        self
    }

    /// A connection that did not come about. The call that waited for it was not sent.
    pub(crate) fn of_connection(mut self, what: &str) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self.0.operation = None;
        self.0.applied = false;
        self
    }

    pub(crate) fn no_connection(reason: &str) -> Self {
        let message = format!("no connection: {reason}");
        Self::new(Inner { kind: Some(ErrorKind::Network), message, ..Inner::default() })
    }

    /// With a wait before the same may succeed.
    pub(crate) fn waiting(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Whether the login that the call needs has failed. This attempt of the call was not sent; where an earlier one was and may have been
    /// executed, [`may_have_been_applied`](Self::may_have_been_applied) says so, and [`operation`](Self::operation) is the call's.
    pub fn is_login_failure(&self) -> bool {
        self.0.of_login
    }

    /// With the venue's clock when it responded.
    pub(crate) fn at(mut self, time: Option<VenueTime>) -> Self {
        self.0.venue_time = time;
        self
    }

    pub(crate) fn out_of_time(operation: &'static Operation) -> Self {
        Self::before_sending(operation, ErrorKind::Timeout, "the time limit of the whole call has passed")
    }

    /// An error with the operation it happened in.
    pub(crate) fn within(mut self, operation: &'static Operation) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// An error that came over a WebSocket: there is no status that shows whether the venue failed after it began.
    pub(crate) fn without_status(mut self) -> Self {
        self.0.status = None;
        let is_open = matches!(self.kind(), ErrorKind::Server | ErrorKind::Timeout | ErrorKind::Maintenance);
        self.0.applied |= is_open && !self.0.not_processed;
        self
    }

    /// An error after which it is unknown whether the call was executed, whatever the venue's words are.
    pub(crate) fn possibly_applied(mut self) -> Self {
        self.0.applied = true;
        self
    }

    pub(crate) fn with_body(mut self, body: &[u8]) -> Self {
        self.0.body = kept(body);
        self
    }

    /// Takes a text out of everything that is shown.
    pub(crate) fn redact(&mut self, secret: &str) {
        if secret.len() < 4 {
            return;
        }
        for text in self.texts().filter(|text| text.contains(secret)) {
            *text = text.replace(secret, "[redacted]");
        }
    }

    /// Cuts what the venue said to what somebody may read. Secrets are taken out before: half of one is not found.
    pub(crate) fn shorten(&mut self) {
        for text in self.texts().filter(|text| text.len() > LONGEST_TEXT) {
            let end = (0..=LONGEST_TEXT).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or_default());
            text.push_str("...");
            text.shrink_to_fit();
        }
    }

    /// Every text that is shown.
    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let inner = &mut *self.0;
        let optional =
            [&mut inner.code, &mut inner.detail, &mut inner.param, &mut inner.request_id, &mut inner.client_id];
        optional.into_iter().flatten().chain([&mut inner.message])
    }
}

/// A copy, so that an error that is kept does not keep the whole body with it.
pub(crate) fn kept(body: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&body[..body.len().min(KEPT_BODY)])
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(operation) = self.operation() {
            write!(f, "{operation}: ")?;
        }
        match (&inner.code, inner.status) {
            (Some(code), Some(status)) => write!(f, "{code} ({}): ", status.as_u16())?,
            (Some(code), None) => write!(f, "{code}: ")?,
            (None, Some(status)) => write!(f, "{}: ", status.as_u16())?,
            (None, None) => {}
        }
        f.write_str(&inner.message)?;
        if let Some(detail) = &inner.detail {
            write!(f, "; {detail}")?;
        }
        if let Some(param) = &inner.param {
            write!(f, " (parameter `{param}`)")?;
        }
        if let Some(id) = &inner.request_id {
            write!(f, " [request {id}]")?;
        }
        if self.was_applied_before() {
            f.write_str("; an earlier attempt of this call was executed")?;
            if let Some(operation) = self.reconcile_with() {
                write!(f, ", see `{operation}`")?;
            }
        } else if self.may_have_been_applied() {
            f.write_str("; it may have been executed, do not repeat it")?;
            if let Some(operation) = self.reconcile_with() {
                write!(f, ": check with `{operation}` first")?;
            }
            if let Some(id) = self.client_id() {
                write!(f, " (its id is `{id}`)")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("said", &format_args!("{self}"))
            .field("retry_after", &self.0.retry_after)
            .field("attempts", &self.0.attempts)
            .field("bytes", &self.0.body.len())
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<SignError> for Error {
    fn from(error: SignError) -> Self {
        let message = format!("the credential cannot be used: {error}");
        Self::new(Inner {
            kind: Some(ErrorKind::InvalidRequest),
            message,
            source: Some(Arc::new(error)),
            ..Inner::default()
        })
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        let message = format!("the key cannot be used: {error}");
        Self::new(Inner {
            kind: Some(ErrorKind::InvalidRequest),
            message,
            source: Some(Arc::new(error)),
            ..Inner::default()
        })
    }
}
