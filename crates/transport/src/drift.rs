//! What responses hold that the spec does not know, counted while a program runs. The feature `drift` has it, and a client collects only
//! where its builder is given a [`DriftCollector`].
//!
//! A look costs more than the decoding of the response itself, so that only some responses are looked at: the first of each operation,
//! and then as many as fit into a share of the time that decoding takes. Counts are of the responses that were looked at.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use venuekit_wire::json;
use venuekit_wire::lenient::Lenient;
use venuekit_wire::operation::Operation;

use crate::panics::caught;
use crate::place;
use crate::unknown::{self, Unknown};

/// The collector must not cost a caller the response.
const COLLECTS: &str = "a collector of drift";

/// Different findings that are kept. What a venue sends more of is counted as [`DriftSummary::dropped`].
const MOST: usize = 4096;

/// The share with which every response is looked at.
const EVERY: u64 = u64::MAX;

/// The longest name and value that are shown.
const LONGEST: usize = 48;

/// What kind of thing a response held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DriftKind {
    /// A member that the type has no field for: its value is lost.
    Member,
    /// A value that an enum does not name. It is empty where showing it might show a secret.
    Value(String),
    /// Null in place of a list or a map that must be there. It is read as an empty one; where it may be missing, null is expected.
    Null,
    /// The response could not be read at all because of what is in this place.
    Undecoded,
}

impl DriftKind {
    /// A word for labels: `member`, `value`, `null` or `undecoded`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Value(_) => "value",
            Self::Null => "null",
            Self::Undecoded => "undecoded",
        }
    }
}

/// One thing that responses held and the spec does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriftFinding {
    /// The venue.
    pub venue: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// Where in the response, without the numbers of list elements: `markets[].status`. `.` is the whole response.
    pub path: String,
    /// What it is.
    pub kind: DriftKind,
    /// How often it was seen, each response counted once for each place.
    pub count: u64,
}

impl fmt::Display for DriftFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.venue, self.operation, self.path)?;
        match &self.kind {
            DriftKind::Member => f.write_str(": unknown member")?,
            DriftKind::Value(value) => write!(f, ": unknown value {value:?}")?,
            DriftKind::Null => f.write_str(": null")?,
            DriftKind::Undecoded => f.write_str(": cannot be read")?,
        }
        write!(f, ", {} times", self.count)
    }
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriftSummary {
    /// Responses that were decoded.
    pub decoded: u64,
    /// Those of them that were looked at.
    pub examined: u64,
    /// Findings that were not kept because there were too many different ones.
    pub dropped: u64,
}

type Callback = Box<dyn Fn(&DriftFinding) + Send + Sync>;

/// Counts what responses hold that the spec does not know. Clones share the counts, so that one collector may serve several clients.
///
/// ```
/// use venuekit_transport::drift::DriftCollector;
///
/// let collector = DriftCollector::new().on_finding(|finding| {
///     if finding.count == 1 {
///         eprintln!("the venue has something new: {finding}");
///     }
/// });
/// // kalshi::Client::builder(..).drift(collector.clone()).build()?
/// assert!(collector.findings().is_empty());
/// ```
#[derive(Clone)]
pub struct DriftCollector(Arc<Shared>);

struct Shared {
    /// How many parts of a thousand of the time of decoding may be spent on looking.
    share: u64,
    callback: Option<Callback>,
    decoding: AtomicU64,
    looking: AtomicU64,
    decoded: AtomicU64,
    examined: AtomicU64,
    dropped: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Operations, by venue, of which a response was looked at.
    seen: HashSet<(&'static str, &'static str)>,
    counts: BTreeMap<(&'static str, &'static str, String, DriftKind), u64>,
}

impl Default for DriftCollector {
    fn default() -> Self {
        Self::new()
    }
}

impl DriftCollector {
    /// A collector that spends three hundredths of the time of decoding.
    pub fn new() -> Self {
        Self::with_share(0.03)
    }

    /// A collector that spends another share of the time of decoding: 1.0 doubles it, and anything above ten looks at every response.
    pub fn with_share(share: f64) -> Self {
        // Not a number, or less than nothing, is nothing: then only the first response of each operation is looked at.
        let thousandths = share.max(0.0) * 1000.0;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let share = if share > 10.0 { EVERY } else { thousandths as u64 };
        let zero = || AtomicU64::new(0);
        let state = Mutex::default();
        let (decoding, looking, decoded, examined, dropped) = (zero(), zero(), zero(), zero(), zero());
        Self(Arc::new(Shared { share, callback: None, decoding, looking, decoded, examined, dropped, state }))
    }

    /// Calls a function with each finding and its count so far. It runs in the task that made the call: it must be quick.
    ///
    /// A collector that is shared already keeps the function that it has.
    #[must_use]
    pub fn on_finding(mut self, callback: impl Fn(&DriftFinding) + Send + Sync + 'static) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.callback = Some(Box::new(callback));
        }
        self
    }

    /// Everything that was found, in the order of venue, operation and path.
    pub fn findings(&self) -> Vec<DriftFinding> {
        let state = self.state();
        let all = state.counts.iter().map(|((venue, operation, path, kind), count)| DriftFinding {
            venue,
            operation,
            path: path.clone(),
            kind: kind.clone(),
            count: *count,
        });
        all.collect()
    }

    /// How much was looked at.
    pub fn summary(&self) -> DriftSummary {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        DriftSummary {
            decoded: read(&self.0.decoded),
            examined: read(&self.0.examined),
            dropped: read(&self.0.dropped),
        }
    }

    /// Reads a response, and looks at it where that is due.
    #[doc(hidden)]
    pub fn read<T: for<'de> Lenient<'de> + Serialize>(
        &self,
        venue: &'static str,
        operation: &'static Operation,
        body: &[u8],
    ) -> Result<T, json::Error> {
        let started = Instant::now();
        let value = json::from_slice::<T>(body);
        let took = started.elapsed();
        caught(COLLECTS, || match &value {
            Ok(_) if self.is_due((venue, operation.id), took) => {
                let started = Instant::now();
                let (unknown, nulls) = unknown::examine::<T>(body);
                self.note_all(venue, operation, unknown, nulls);
                add(&self.0.looking, started.elapsed());
            }
            Ok(_) => {}
            Err(error) => {
                self.0.decoded.fetch_add(1, Ordering::Relaxed);
                let path = place::of(body, error);
                self.note(venue, operation, general(&path), DriftKind::Undecoded);
            }
        });
        value
    }

    /// Whether a response is to be looked at, and that it was decoded in so much time.
    fn is_due(&self, operation: (&'static str, &'static str), took: Duration) -> bool {
        let shared = &self.0;
        shared.decoded.fetch_add(1, Ordering::Relaxed);
        add(&shared.decoding, took);
        let (decoding, looking) = (shared.decoding.load(Ordering::Relaxed), shared.looking.load(Ordering::Relaxed));
        let is_paid =
            shared.share == EVERY || looking <= decoding.saturating_mul(shared.share) / 1000 && shared.share > 0;
        // The first one of an operation is looked at in any case, and paid for by those after it.
        let is_due = self.state().seen.insert(operation) || is_paid;
        if is_due {
            shared.examined.fetch_add(1, Ordering::Relaxed);
        }
        is_due
    }

    fn note_all(&self, venue: &'static str, operation: &'static Operation, unknown: Vec<Unknown>, nulls: Vec<String>) {
        let mut found: Vec<(String, DriftKind)> = unknown
            .into_iter()
            .map(|unknown| match unknown {
                Unknown::Member { path } => (general(&path), DriftKind::Member),
                Unknown::Value { path, value } => {
                    // Where a response holds a secret, no value of it is shown.
                    let shown = if operation.secret { String::new() } else { word(&value) };
                    (general(&path), DriftKind::Value(shown))
                }
            })
            .collect();
        found.extend(nulls.iter().map(|path| (general(path), DriftKind::Null)));
        found.sort();
        found.dedup();
        for (path, kind) in found {
            self.note(venue, operation, path, kind);
        }
    }

    fn note(&self, venue: &'static str, operation: &'static Operation, path: String, kind: DriftKind) {
        let key = (venue, operation.id, path, kind);
        let count = {
            let mut state = self.state();
            if state.counts.len() >= MOST && !state.counts.contains_key(&key) {
                self.0.dropped.fetch_add(1, Ordering::Relaxed);
                return;
            }
            let count = state.counts.entry(key.clone()).or_default();
            *count += 1;
            *count
        };
        let (venue, operation, path, kind) = key;
        let finding = DriftFinding { venue, operation, path, kind, count };
        #[cfg(feature = "metrics")]
        metrics::counter!("venuekit_drift_total", "venue" => venue, "operation" => operation, "path" => finding.path.clone(),
            "kind" => finding.kind.name())
        .increment(1);
        if count == 1 {
            let (path, kind) = (&finding.path, finding.kind.name());
            tracing::warn!(venue, operation, path, kind, "the spec does not know what the venue sent");
        }
        if let Some(callback) = &self.0.callback {
            callback(&finding);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DriftCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriftCollector").field("summary", &self.summary()).finish_non_exhaustive()
    }
}

fn add(total: &AtomicU64, time: Duration) {
    total.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// A path without the numbers of list elements. Names that are no names, such as ids that a map has as keys, are not shown.
fn general(path: &str) -> String {
    if path.is_empty() || path == "." {
        return ".".to_owned();
    }
    let mut out = String::with_capacity(path.len());
    for (index, part) in path.split('.').enumerate() {
        if index > 0 {
            out.push('.');
        }
        let mut parts = part.split('[');
        let name = parts.next().unwrap_or_default();
        let is_name = name.len() <= LONGEST
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'))
            && name.bytes().filter(u8::is_ascii_digit).count() <= 4;
        out.push_str(if is_name { name } else { "(name)" });
        for inside in parts {
            // A name in brackets is one that has dots or spaces.
            let is_number = inside.trim_end_matches(']').bytes().all(|byte| byte.is_ascii_digit());
            out.push_str(if is_number { "[]" } else { "[(name)]" });
        }
    }
    out
}

/// A value of an enum, if it is plainly a word: letters and separators.
fn word(value: &str) -> String {
    let is_word = value.len() <= LONGEST / 2
        && value.chars().any(|c| c.is_ascii_alphabetic())
        && value.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | ' ' | '.' | ':'));
    if is_word { value.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::fixtures::OPERATION;
    use venuekit_wire::{Open, lenient};

    #[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
    #[serde(rename_all = "snake_case")]
    enum Status {
        Active,
    }

    impl std::str::FromStr for Status {
        type Err = ();

        fn from_str(text: &str) -> Result<Self, ()> {
            if text == "active" { Ok(Self::Active) } else { Err(()) }
        }
    }

    impl fmt::Display for Status {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("active")
        }
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Market {
        ticker: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        status: Option<Open<Status>>,
        #[serde(default, deserialize_with = "lenient::collection")]
        tags: Vec<String>,
    }

    impl<'de> Lenient<'de> for Market {
        fn read<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
            serde::Deserialize::deserialize(deserializer).map(Some)
        }
    }

    fn read(collector: &DriftCollector, body: &str) -> bool {
        collector.read::<Market>("test", &OPERATION, body.as_bytes()).is_ok()
    }

    fn lines(collector: &DriftCollector) -> Vec<String> {
        collector.findings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_type_does_not_know_is_counted_by_place() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&told);
        let collector =
            DriftCollector::with_share(100.0).on_finding(move |finding| keep.lock().unwrap().push(finding.count));
        assert!(read(&collector, r#"{"ticker": "A", "status": "active", "tags": ["x"]}"#));
        assert!(lines(&collector).is_empty());
        for _ in 0..2 {
            assert!(read(&collector, r#"{"ticker": "A", "status": "paused", "tags": null, "rank": 1}"#));
        }
        assert!(!read(&collector, r#"{"ticker": 1}"#));
        let id = OPERATION.id;
        let expected = [
            format!("test {id} rank: unknown member, 2 times"),
            format!("test {id} status: unknown value \"paused\", 2 times"),
            format!("test {id} tags: null, 2 times"),
            format!("test {id} ticker: cannot be read, 1 times"),
        ];
        assert_eq!(lines(&collector), expected);
        assert_eq!(*told.lock().unwrap(), [1, 1, 1, 2, 2, 2, 1]);
        assert_eq!(collector.summary(), DriftSummary { decoded: 4, examined: 3, dropped: 0 });
    }

    #[test]
    fn without_a_share_the_first_response_of_an_operation_is_looked_at_alone() {
        let collector = DriftCollector::with_share(0.0);
        for _ in 0..100 {
            assert!(read(&collector, r#"{"ticker": "A", "rank": 1}"#));
        }
        assert_eq!(collector.summary(), DriftSummary { decoded: 100, examined: 1, dropped: 0 });
        assert_eq!(collector.findings()[0].count, 1);
        // The operation of the same name at another venue is another one.
        for _ in 0..100 {
            collector.read::<Market>("other", &OPERATION, br#"{"ticker": "A", "rank": 1}"#).unwrap();
        }
        assert_eq!(collector.summary(), DriftSummary { decoded: 200, examined: 2, dropped: 0 });
    }

    #[test]
    fn ids_and_secrets_are_not_shown() {
        assert_eq!(general("markets[12].status"), "markets[].status");
        assert_eq!(general("by_id.7f3a99bc1290.x"), "by_id.(name).x");
        assert_eq!(general(""), ".");
        assert_eq!((word("paused"), word("sk_9aF3kQ2m")), ("paused".to_owned(), String::new()));
    }

    #[test]
    fn different_findings_are_bounded_and_a_panic_costs_nothing() {
        let collector = DriftCollector::with_share(100.0).on_finding(|_| panic!("on purpose"));
        assert!(read(&collector, r#"{"ticker": "A", "rank": 1}"#));
        assert_eq!(collector.findings().len(), 1);
        let collector = DriftCollector::with_share(100.0);
        for number in 0..MOST + 5 {
            collector.note("test", &OPERATION, format!("p{number}"), DriftKind::Member);
        }
        assert_eq!((collector.findings().len(), collector.summary().dropped), (MOST, 5));
    }
}
