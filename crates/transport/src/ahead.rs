//! Signatures that are made before a call needs them, where they cover nothing that only the call knows.
//!
//! A signer wraps the client's own one. It knows method and path of a few operations, and returns their stored signature while that
//! is fresh. In every other case the client's own signer signs at once.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use venuekit_auth::{Parts, SignError, Signed, Signer};
use venuekit_wire::operation::{Operation, Venue};

use crate::clock::Clock;
use crate::endpoint::Base;
use crate::error::Error;

/// No signature that is used is older than this, if nothing else is said.
const OLDEST: Duration = Duration::from_secs(1);

/// The shortest age that may be asked for: below it there would be more signing than calling.
const SHORTEST: Duration = Duration::from_millis(100);

/// A client that signs nothing for so long is left alone until it does.
const IDLE: Duration = Duration::from_secs(300);

/// A call reads the clock before it looks for a signature, and its thread may have to wait in between, while one is made.
const BETWEEN_MILLIS: i64 = 100;

/// The operations whose signature is kept ready, by the names of their methods.
///
/// ```
/// use std::time::Duration;
/// use venuekit_transport::SignAhead;
///
/// let ahead: SignAhead = ["create_order_v2"].into();
/// let ahead = ahead.oldest(Duration::from_millis(500));
/// ```
#[derive(Clone, Debug)]
pub struct SignAhead {
    operations: Vec<String>,
    oldest: Duration,
}

impl SignAhead {
    /// For these operations. None of their signatures is used when it is older than a second.
    pub fn new<S: Into<String>>(operations: impl IntoIterator<Item = S>) -> Self {
        Self { operations: operations.into_iter().map(Into::into).collect(), oldest: OLDEST }
    }

    /// How old a signature may be that is used, at least 100 ms. It is never more than half of what the venue accepts, whatever is
    /// said here: the other half is for the way there.
    #[must_use]
    pub fn oldest(mut self, age: Duration) -> Self {
        self.oldest = age;
        self
    }

    /// What is to be signed for each credential, and for how long at most that may be used.
    pub(crate) fn plan(&self, venue: &'static Venue, base: &Base) -> Result<Vec<Plan>, Error> {
        if self.oldest < SHORTEST {
            let message = format!(
                "the oldest age of a signature that is made ahead must be at least {SHORTEST:?}, not {:?}",
                self.oldest
            );
            return Err(Error::invalid_request(message));
        }
        let mut plans: Vec<Plan> = Vec::new();
        for name in &self.operations {
            let (operation, line) = line(venue, base, name)?;
            let needs = |credential: &str| operation.access.iter().any(|way| way.contains(&credential));
            let ages = venue.signature_ages.iter().filter(|age| needs(age.credential));
            let mut is_planned = false;
            for age in ages {
                is_planned = true;
                match plans.iter_mut().find(|plan| plan.credential == age.credential) {
                    Some(plan) if plan.lines.contains(&line) => {}
                    Some(plan) => plan.lines.push(line.clone()),
                    None => {
                        let oldest = self.oldest.min(Duration::from_secs(age.seconds.into()) / 2);
                        let lines = vec![line.clone()];
                        plans.push(Plan { credential: age.credential, operation, oldest, lines });
                    }
                }
            }
            if !is_planned {
                let message = format!(
                    "`{name}` cannot be signed ahead: the spec of {} has no lifetime for its signature",
                    venue.name
                );
                return Err(Error::invalid_request(message));
            }
        }
        Ok(plans)
    }
}

/// An operation by its name, and what is signed of its requests.
fn line(venue: &'static Venue, base: &Base, name: &str) -> Result<(&'static Operation, Line), Error> {
    let Some(operation) = venue.operation(name) else {
        return Err(Error::invalid_request(format!(
            "`{name}` cannot be signed ahead: {} has no such operation",
            venue.name
        )));
    };
    if operation.path.contains('{') {
        let message = format!(
            "`{name}` cannot be signed ahead: its path `{}` differs from call to call, and the path is signed",
            operation.path
        );
        return Err(Error::invalid_request(message));
    }
    // The path of every request of the operation, as it is written and signed.
    Ok((operation, Line { method: operation.method, path: [base.prefix(), operation.path].concat() }))
}

impl<S: Into<String>, const N: usize> From<[S; N]> for SignAhead {
    fn from(operations: [S; N]) -> Self {
        Self::new(operations)
    }
}

/// What is signed ahead with one credential.
pub(crate) struct Plan {
    /// Its name in the venue's spec.
    pub(crate) credential: &'static str,
    /// An operation that needs it.
    pub(crate) operation: &'static Operation,
    oldest: Duration,
    lines: Vec<Line>,
}

/// All that is signed of a request, apart from the time.
#[derive(Clone, PartialEq, Eq)]
struct Line {
    method: &'static str,
    path: String,
}

/// Keeps signatures ready, and returns them.
#[derive(Clone)]
pub(crate) struct Ahead(Arc<Kept>);

struct Kept {
    signer: Arc<dyn Signer>,
    clock: Clock,
    oldest: Duration,
    slots: Vec<Slot>,
    /// When something was signed last, in milliseconds after the beginning.
    used: AtomicU64,
    began: Instant,
    is_kept_up: AtomicBool,
}

/// The place of one signature.
struct Slot {
    line: Line,
    made: Mutex<Option<Made>>,
}

#[derive(Clone)]
struct Made {
    signed: Signed,
    when: Moment,
}

/// A moment by each clock that the age of a signature is measured with.
#[derive(Clone, Copy, Debug)]
struct Moment {
    /// As it is signed, in milliseconds since the Unix epoch.
    millis: i64,
    /// The clock's correction.
    offset: i64,
    /// By a clock that nobody sets.
    at: Instant,
}

impl Moment {
    /// Whether what was made at that moment may be used now: not when the clock was corrected or set in the meantime.
    fn may_use(self, made: Self, oldest: Duration) -> bool {
        let age = self.millis.saturating_sub(made.millis);
        let longest = i64::try_from(oldest.as_millis()).unwrap_or(i64::MAX);
        self.offset == made.offset
            && (-BETWEEN_MILLIS..=longest).contains(&age)
            && self.at.saturating_duration_since(made.at) <= oldest
    }
}

impl Ahead {
    /// Begins where there is a runtime already, and else with the first call.
    pub(crate) fn start(signer: Arc<dyn Signer>, plan: Plan, clock: Clock) -> Self {
        let slots = plan.lines.into_iter().map(|line| Slot { line, made: Mutex::default() }).collect();
        let ahead = Self(Arc::new(Kept {
            signer,
            clock,
            oldest: plan.oldest,
            slots,
            used: AtomicU64::new(0),
            began: Instant::now(),
            is_kept_up: AtomicBool::new(false),
        }));
        ahead.keep_up(ahead.0.began);
        ahead
    }

    /// Notes that the client is at work, and sees that signatures are made.
    fn keep_up(&self, now: Instant) {
        let since = now.saturating_duration_since(self.0.began).as_millis();
        self.0.used.store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
        if !self.0.is_kept_up.load(Ordering::Relaxed)
            && let Ok(runtime) = Handle::try_current()
            && !self.0.is_kept_up.swap(true, Ordering::AcqRel)
        {
            runtime.spawn(Refresher(Arc::downgrade(&self.0)).run());
        }
    }
}

impl Signer for Ahead {
    fn sign(&self, parts: &Parts<'_>, now_millis: i64) -> Result<Signed, SignError> {
        let kept = &*self.0;
        let now = Moment { millis: now_millis, offset: kept.clock.offset_millis(), at: Instant::now() };
        self.keep_up(now.at);
        let slot = kept.slots.iter().find(|slot| slot.line.path == parts.path && slot.line.method == parts.method);
        if let Some(signed) = slot.and_then(|slot| slot.fresh(now, kept.oldest)) {
            return Ok(signed);
        }
        let is_near = kept.clock.now().get().abs_diff(now_millis) <= BETWEEN_MILLIS.unsigned_abs();
        let signed = kept.signer.sign(parts, now_millis)?;
        // The clock may have been corrected between the caller's look at it and this one; then it is not known which it was.
        if let Some(slot) = slot.filter(|_| is_near) {
            slot.put(Made { signed: signed.clone(), when: now });
        }
        Ok(signed)
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.signer.fmt(f)
    }
}

impl Kept {
    /// A signature for each place, made now.
    fn renew(&self) {
        for slot in &self.slots {
            let (offset, at) = (self.clock.offset_millis(), Instant::now());
            let millis = self.clock.now().get();
            if self.clock.offset_millis() != offset {
                continue;
            }
            let parts = Parts { method: slot.line.method, path: &slot.line.path, query: None, body: &[] };
            // An error is left to the call that needs the signature: it signs by itself and returns the error.
            if let Ok(signed) = self.signer.sign(&parts, millis) {
                slot.put(Made { signed, when: Moment { millis, offset, at } });
            }
        }
    }

    fn is_idle(&self) -> bool {
        let used = self.began + Duration::from_millis(self.used.load(Ordering::Relaxed));
        Instant::now().saturating_duration_since(used) >= IDLE
    }
}

impl Slot {
    fn fresh(&self, now: Moment, oldest: Duration) -> Option<Signed> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.as_ref().filter(|made| now.may_use(made.when, oldest)).map(|made| made.signed.clone())
    }

    fn put(&self, made: Made) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
    }
}

/// Renews signatures until the client is idle or gone. When it ends, also with its runtime, the next call starts another.
struct Refresher(Weak<Kept>);

impl Refresher {
    async fn run(self) {
        while let Some(kept) = self.0.upgrade().filter(|kept| !kept.is_idle()) {
            // Twice as often as is needed, so that one is fresh whenever a call comes.
            let pause = kept.oldest / 2;
            // A thread that runs calls has better to do than a signature of a third of a millisecond.
            if tokio::task::spawn_blocking(move || kept.renew()).await.is_err() {
                return;
            }
            tokio::time::sleep(pause).await;
        }
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        if let Some(kept) = self.0.upgrade() {
            kept.is_kept_up.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
