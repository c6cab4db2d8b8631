//! What a call reports to observers: a `tracing` span, and with the feature `metrics` counters and histograms.
//!
//! Neither carries a parameter, a body or a header: names, numbers and kinds only.

use tracing::Span;
use tracing::field::Empty;
use venuekit_wire::operation::{Operation, Venue};

use crate::error::Error;
use crate::panics::caught;
use crate::progress::Progress;
use crate::response::Response;

/// A failing observer must not cost the caller the response.
const WATCHES: &str = "an observer of calls";

/// A call that is being watched.
pub(crate) struct Observed {
    venue: &'static Venue,
    operation: &'static Operation,
    span: Span,
    is_over: bool,
}

/// A call that its caller gave up. Whether it was carried out is not known here.
impl Drop for Observed {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let (venue, operation) = (self.venue.name, self.operation.id);
        caught(WATCHES, || {
            #[cfg(feature = "metrics")]
            metrics::counter!("venuekit_calls_total", "venue" => venue, "operation" => operation, "outcome" => "abandoned")
                .increment(1);
            self.span.in_scope(|| tracing::warn!(venue, operation, "abandoned"));
        });
    }
}

impl Observed {
    pub(crate) fn begin(venue: &'static Venue, operation: &'static Operation) -> Self {
        let span = tracing::info_span!(
            "call",
            venue = venue.name,
            operation = operation.id,
            attempts = Empty,
            status = Empty,
            kind = Empty,
            waited_ms = Empty,
            latency_ms = Empty,
        );
        Self { venue, operation, span, is_over: false }
    }

    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(crate) fn end(mut self, result: &Result<Response, Error>, progress: &Progress) {
        self.is_over = true;
        caught(WATCHES, || self.report(result, progress));
    }

    fn report(&self, result: &Result<Response, Error>, progress: &Progress) {
        let (venue, operation, span) = (self.venue, self.operation, &self.span);
        #[cfg(feature = "metrics")]
        count(venue, operation, result, progress);
        if span.is_none() && !tracing::enabled!(tracing::Level::WARN) {
            return;
        }
        let (latency, waited) = (progress.elapsed(), progress.waited_so_far());
        let _entered = span.enter();
        let millis = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        span.record("attempts", progress.attempts());
        span.record("waited_ms", millis(waited));
        span.record("latency_ms", millis(latency));
        // The names once more: not everybody who reads the line sees the span.
        let (venue, operation, latency_ms) = (venue.name, operation.id, millis(latency));
        match result {
            Ok(response) => {
                let status = response.status().as_u16();
                span.record("status", status);
                tracing::debug!(venue, operation, status, latency_ms, "answered");
            }
            Err(error) => {
                let status = error.status().map(|status| status.as_u16());
                span.record("status", status);
                span.record("kind", tracing::field::debug(error.kind()));
                let applied = error.may_have_been_applied();
                tracing::warn!(venue, operation, status, kind = ?error.kind(), applied, latency_ms, "failed");
            }
        }
    }
}

/// The span of a call has ended when its response is read into a type, and the call was counted as successful: this is counted separately.
pub(crate) fn unreadable(venue: &Venue, error: &Error) {
    let (venue, operation) = (venue.name, error.operation().unwrap_or_default());
    let status = error.status().map(|status| status.as_u16());
    caught(WATCHES, || {
        #[cfg(feature = "metrics")]
        metrics::counter!("venuekit_unreadable_total", "venue" => venue, "operation" => operation).increment(1);
        let applied = error.may_have_been_applied();
        tracing::warn!(venue, operation, status, kind = ?error.kind(), applied, "failed");
    });
}

/// `venuekit_calls_total` and `venuekit_call_seconds` by venue, operation and outcome; `venuekit_attempts_total` and
/// `venuekit_waited_seconds` by venue and operation. Responses that cannot be read are also counted by `venuekit_unreadable_total`.
#[cfg(feature = "metrics")]
fn count(venue: &'static Venue, operation: &'static Operation, result: &Result<Response, Error>, progress: &Progress) {
    let outcome = match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    };
    let (venue, operation) = (venue.name, operation.id);
    metrics::counter!("venuekit_calls_total", "venue" => venue, "operation" => operation, "outcome" => outcome.clone())
        .increment(1);
    metrics::histogram!("venuekit_call_seconds", "venue" => venue, "operation" => operation, "outcome" => outcome)
        .record(progress.elapsed().as_secs_f64());
    metrics::counter!("venuekit_attempts_total", "venue" => venue, "operation" => operation)
        .increment(progress.attempts().into());
    metrics::histogram!("venuekit_waited_seconds", "venue" => venue, "operation" => operation)
        .record(progress.waited_so_far().as_secs_f64());
}
