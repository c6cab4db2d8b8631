//! The time that signatures carry, and how it is corrected.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant as Monotonic, SystemTime};

use http::HeaderMap;
use tokio::time::Instant;
use venuekit_wire::operation::VenueTime as Place;
use venuekit_wire::{UnixMillis, UnixMillisOrMicros};

use crate::members::Members;

/// The largest correction that is learned, in milliseconds: a quarter of an hour. Beyond that the clock should be set.
const FURTHEST: u64 = 15 * 60 * 1000;

/// What a clock may be off, in milliseconds, before a refusal as unauthorized is laid to it.
const SUSPICIOUS: i64 = 2_000;

/// The moment after a span, however long: one that no clock can hold is as good as never.
pub(crate) fn after(span: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 86_400);
    Instant::now() + span.min(NEVER)
}

/// The system clock and a correction. Clones share the correction.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    offset_millis: AtomicI64,
    /// When an ordinary response was last looked at, by the system clock.
    looked: AtomicI64,
}

/// Ordinary responses are looked at this often, in milliseconds: no clock runs away faster.
const LOOK_EVERY: i64 = 1_000;

/// The venue's time when it responded: not before the first and not after the second, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VenueTime(i64, i64);

impl VenueTime {
    pub(crate) fn exact(micros: i64) -> Self {
        Self(micros.div_euclid(1000), micros.div_euclid(1000))
    }

    pub(crate) fn of_millis(millis: i64) -> Self {
        Self(millis, millis)
    }

    /// The time that a body says, at this place of it: a number, or a text of one.
    pub(crate) fn of_body(place: Place, body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let said = match place.at {
            "" => text.trim(),
            at => Members::of(text)?.at(at).pop()?.get(),
        };
        let time: i64 = said.trim_matches('"').parse().ok()?;
        if place.per_second == 1000 {
            return Some(Self::of_millis(UnixMillisOrMicros::from(time).millis().get()));
        }
        Some(Self::of_millis(i64::try_from(i128::from(time) * 1000 / i128::from(place.per_second)).ok()?))
    }

    /// The `Date` of a response, which is cut to whole seconds. A cached response has an old time.
    pub(crate) fn of_headers(headers: &HeaderMap) -> Option<Self> {
        if headers.contains_key(http::header::AGE) {
            return None;
        }
        let date = headers.get(http::header::DATE)?.to_str().ok()?;
        let millis = UnixMillis::from(httpdate::parse_http_date(date).ok()?).get();
        Some(Self(millis, millis.saturating_add(999)))
    }
}

/// The corrections that agree with one response.
#[derive(Clone, Copy)]
pub(crate) struct Offsets {
    least: i64,
    most: i64,
}

impl Offsets {
    /// Of a response that was received at this time of the system clock, to a request that was sent at that one.
    pub(crate) fn of(time: VenueTime, sent: UnixMillis, received: UnixMillis) -> Self {
        Self { least: time.0.saturating_sub(received.get()), most: time.1.saturating_sub(sent.get()) }
    }

    /// Whether a clock with this correction is so far off that a refusal which does not say why is likely to be its fault.
    pub(crate) fn are_far_from(self, held: i64) -> bool {
        held < self.least.saturating_sub(SUSPICIOUS) || held > self.most.saturating_add(SUSPICIOUS)
    }
}

/// What was learned of the clock at some time.
#[derive(Clone, Copy)]
pub(crate) struct DatedOffsets {
    offsets: Offsets,
    learned: Monotonic,
    /// The same time by the system clock.
    system: UnixMillis,
}

impl DatedOffsets {
    /// What was learned just now.
    pub(crate) fn new(offsets: Offsets) -> Self {
        Self { offsets, learned: Monotonic::now(), system: UnixMillis::now() }
    }

    /// What of it holds now. Nothing if the system clock was set meanwhile: the corrections were those of the clock before.
    pub(crate) fn now(self) -> Option<Offsets> {
        self.after(self.learned.elapsed(), UnixMillis::now())
    }

    fn after(self, elapsed: Duration, system: UnixMillis) -> Option<Offsets> {
        let elapsed = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        let by_system = system.get().saturating_sub(self.system.get());
        (by_system.saturating_sub(elapsed).saturating_abs() <= SUSPICIOUS).then_some(self.offsets)
    }
}

impl Clock {
    /// The corrected time.
    pub fn now(&self) -> UnixMillis {
        self.at(UnixMillis::now())
    }

    /// The corrected time at this time of the system clock.
    pub(crate) fn at(&self, system: UnixMillis) -> UnixMillis {
        UnixMillis(system.get().saturating_add(self.offset_millis()))
    }

    /// Converts a time of the system clock to the venue's time, with the precision of the system clock. A correction that leads out of what
    /// it can hold is left out.
    pub fn at_system(&self, system: SystemTime) -> SystemTime {
        let offset = self.offset_millis();
        let by = Duration::from_millis(offset.unsigned_abs());
        if offset < 0 { system.checked_sub(by) } else { system.checked_add(by) }.unwrap_or(system)
    }

    /// The correction in milliseconds: what is added to the system clock.
    pub fn offset_millis(&self) -> i64 {
        self.0.offset_millis.load(Ordering::Relaxed)
    }

    /// Sets the correction, for a machine whose own clock cannot be set.
    pub fn set_offset_millis(&self, offset: i64) {
        self.0.offset_millis.store(offset, Ordering::Relaxed);
    }

    /// Whether it is time to look at an ordinary response, which was asked for at this time of the system clock.
    pub(crate) fn looks(&self, sent: UnixMillis) -> bool {
        let last = self.0.looked.load(Ordering::Relaxed);
        let due = sent.get().abs_diff(last) >= LOOK_EVERY.unsigned_abs();
        if due {
            self.0.looked.store(sent.get(), Ordering::Relaxed);
        }
        due
    }

    /// Takes over no more than an ordinary response proves: a correction that agrees with it stays. Says whether anything changed.
    pub(crate) fn agree(&self, offsets: Offsets) -> bool {
        let held = self.offset_millis();
        // A system clock that was set while the call was in flight proves nothing.
        let agreed = if offsets.least <= offsets.most { held.clamp(offsets.least, offsets.most) } else { held };
        agreed != held && self.set_if_believable(agreed)
    }

    /// Takes the venue's time over, which refused the timestamp. Says whether it is believed.
    pub(crate) fn follow(&self, offsets: Offsets) -> bool {
        self.set_if_believable(offsets.least.midpoint(offsets.most))
    }

    fn set_if_believable(&self, offset: i64) -> bool {
        let believable = offset.unsigned_abs() <= FURTHEST;
        if believable {
            self.set_offset_millis(offset);
        }
        believable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_moves_the_clock_no_further_than_it_proves() {
        let clock = Clock::default();
        let seen = |least, most| clock.agree(Offsets { least, most }).then(|| clock.offset_millis());
        assert_eq!(seen(-20, 980), None, "a right clock stays");
        assert_eq!(seen(9_900, 10_950), Some(9_900));
        assert_eq!(seen(9_700, 10_700), None);
        assert_eq!(seen(9_000, 9_850), Some(9_850));
        assert_eq!(seen(-3_600_000, -3_599_000), None, "an hour is not believed");
        assert_eq!(seen(500, 400), None, "the system clock jumped");
        assert_eq!(clock.offset_millis(), 9_850);
    }

    #[test]
    fn a_refused_timestamp_takes_the_middle() {
        let clock = Clock::default();
        assert!(clock.follow(Offsets { least: 600_000, most: 601_000 }));
        assert_eq!(clock.offset_millis(), 600_500);
        assert!(!clock.follow(Offsets { least: 901_000, most: 902_000 }));
        assert_eq!(clock.offset_millis(), 600_500);
        assert!(Offsets { least: 603_000, most: 604_000 }.are_far_from(clock.offset_millis()));
        assert!(!Offsets { least: 601_000, most: 602_000 }.are_far_from(clock.offset_millis()));
    }

    #[test]
    fn what_was_learned_before_the_system_clock_was_set_no_longer_holds() {
        let learned = DatedOffsets::new(Offsets { least: 0, most: 999 });
        let day = Duration::from_secs(86_400);
        let at = |elapsed: Duration, set_by: i64| {
            let millis = i64::try_from(elapsed.as_millis()).unwrap();
            learned.after(elapsed, UnixMillis(learned.system.get() + millis + set_by)).is_some()
        };
        for elapsed in [Duration::ZERO, day] {
            assert!([-1_000, 0, 1_000].iter().all(|set_by| at(elapsed, *set_by)), "clocks run apart a little");
            assert!(![-3_600_000, -5_000, 5_000, 3_600_000].iter().any(|set_by| at(elapsed, *set_by)));
        }
        assert!(learned.now().is_some());
        for end in [i64::MIN, i64::MAX] {
            assert!(learned.after(Duration::MAX, UnixMillis(end)).is_none());
        }
    }

    #[test]
    fn a_time_of_the_system_is_corrected() {
        let clock = Clock::default();
        let system = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_790_000_000_123_456_789);
        for offset in [0, 1_500, -1_500] {
            clock.set_offset_millis(offset);
            let by = Duration::from_millis(offset.unsigned_abs());
            let expected = if offset < 0 { system - by } else { system + by };
            assert_eq!(clock.at_system(system), expected);
        }
        clock.set_offset_millis(i64::MIN);
        assert!(clock.at_system(system) <= system);
    }

    /// For any time of the venue and of the system clock, nothing overflows and corrections stay bounded.
    fn survives(time: VenueTime, sent: i64, held: i64) {
        let offsets = Offsets::of(time, UnixMillis(sent), UnixMillis::now());
        let clock = Clock::default();
        clock.set_offset_millis(held);
        let _ = offsets.are_far_from(held);
        for moved in [clock.agree(offsets), clock.follow(offsets)] {
            assert!(!moved || clock.offset_millis().unsigned_abs() <= FURTHEST);
        }
        let _ = clock.now();
    }

    #[test]
    fn the_ends_of_time_move_no_clock() {
        const EDGES: [i64; 7] = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
        for time in EDGES {
            for sent in EDGES {
                for held in EDGES {
                    survives(VenueTime::of_millis(time), sent, held);
                    survives(VenueTime::exact(time), sent, held);
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_time_of_a_venue_is_too_much(time: i64, sent: i64, held: i64) {
            survives(VenueTime::of_millis(time), sent, held);
            survives(VenueTime::exact(time), sent, held);
        }

        #[test]
        fn no_date_is_too_much(date: String, year in 0_u32..100_000) {
            for date in [date, format!("Sun, 22 Nov {year} 03:00:00 GMT"), format!("Sunday, 22-Nov-{year} 03:00:00 GMT")] {
                let Ok(value) = http::HeaderValue::from_str(&date) else { continue };
                if let Some(time) = VenueTime::of_headers(&HeaderMap::from_iter([(http::header::DATE, value)])) {
                    survives(time, 0, 0);
                }
            }
        }
    }

    #[test]
    fn a_cached_answer_tells_no_time() {
        let date = ("date", "Sun, 22 Nov 2026 03:00:00 GMT");
        let headers = |all: &[(&'static str, &'static str)]| {
            all.iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
                .collect()
        };
        let millis = 1_795_316_400_000;
        assert_eq!(VenueTime::of_headers(&headers(&[date])), Some(VenueTime(millis, millis + 999)));
        assert_eq!(VenueTime::of_headers(&headers(&[date, ("age", "30")])), None);
        assert_eq!(VenueTime::of_headers(&headers(&[("date", "today")])), None);
        assert_eq!(VenueTime::exact(1_795_316_400_123_456), VenueTime::of_millis(1_795_316_400_123));
    }
}
