//! How long a venue asks to be left alone: `Retry-After` (RFC 9110, 10.2.3) and the same said in a body.
//!
//! The value comes from outside, so it is bounded. A wait that cannot be read, or that is longer than anything the venue could
//! mean, counts as [`LONG`]: the caller neither goes on at once nor is stopped for good.

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{Bucket, Limit, Operation, Venue};

/// What counts for a wait that cannot be read or is not believed.
pub(crate) const LONG: Duration = Duration::from_secs(60 * 60);

/// The longest wait that is believed of a bucket with these limits: its longest window, and no less than an hour.
pub(crate) fn longest_of(limits: &[Limit]) -> Duration {
    let window = |limit: &Limit| match *limit {
        Limit::Window { seconds, .. } => Duration::from_secs(seconds),
        Limit::Refill { .. } => Duration::ZERO,
    };
    limits.iter().map(window).fold(LONG, Duration::max)
}

/// The longest wait that is believed after a call of this operation, for any tier of the caller.
pub(crate) fn longest_after(venue: &Venue, operation: &Operation) -> Duration {
    let is_paid = |bucket: &&Bucket| operation.rate.iter().any(|rate| rate.bucket == bucket.name);
    let tiers = venue.buckets.iter().filter(is_paid).flat_map(|bucket| bucket.tiers);
    tiers.map(|tier| longest_of(tier.limits)).fold(LONG, Duration::max)
}

/// The longest ban of the address that a response with this status may announce; none if the status is no ban.
pub(crate) fn longest_ban(venue: &Venue, status: StatusCode) -> Option<Duration> {
    let (_, seconds) = venue.errors.bans.iter().find(|(banned, _)| *banned == status.as_u16())?;
    Some(Duration::from_secs((*seconds).into()))
}

/// The wait as it is to be taken where the longest believable one is known: a longer one is a mistake, and tried again after
/// [`LONG`].
pub(crate) fn believed(wait: Duration, longest: Duration) -> Duration {
    if wait > longest { LONG } else { wait }
}

/// The wait in a response's headers. A date counts against the response's own `Date`, and where that is missing against `now`, the
/// venue's time. Of several the longest holds.
pub(crate) fn of_headers(headers: &HeaderMap, now: UnixMillis, longest: Duration) -> Option<Duration> {
    let date = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?));
    let now = date.unwrap_or(now);
    let waits = headers.get_all(RETRY_AFTER).iter();
    waits.filter_map(|wait| wait.to_str().map_or(Some(LONG), |text| of_text(text, now, longest))).max()
}

/// The wait that a text says: seconds, with decimals too, or an HTTP date. None where it says nothing.
pub(crate) fn of_text(text: &str, now: UnixMillis, longest: Duration) -> Option<Duration> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let wait = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => http_date(text).map(|then| {
            // A date that is over asks for no wait.
            Duration::from_millis(u64::try_from(then.get().saturating_sub(now.get())).unwrap_or(0))
        }),
    };
    Some(wait.map_or(LONG, |wait| believed(wait, longest)))
}

fn http_date(text: &str) -> Option<UnixMillis> {
    httpdate::parse_http_date(text.trim()).ok().map(UnixMillis::from)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    /// 22 November 2026, 03:00:00 GMT.
    const NOW: UnixMillis = UnixMillis(1_795_316_400_000);

    fn said(text: &str) -> Option<Duration> {
        of_text(text, NOW, LONG)
    }

    fn headers(all: &[(HeaderName, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap())).collect()
    }

    #[test]
    fn seconds_and_all_three_forms_of_a_date_are_read() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(said("0"), seconds(0));
        assert_eq!(said(" 120 "), seconds(120));
        assert_eq!(said("2.5"), Some(Duration::from_millis(2_500)));
        for date in ["Sun, 22 Nov 2026 03:05:00 GMT", "Sunday, 22-Nov-26 03:05:00 GMT", "Sun Nov 22 03:05:00 2026"] {
            assert_eq!(said(date), seconds(300), "{date}");
        }
        assert_eq!(said("Sun, 22 Nov 2026 02:59:00 GMT"), seconds(0), "a date that is over");
        assert_eq!(said("Thu, 01 Jan 1970 00:00:00 GMT"), seconds(0));
        assert_eq!((said(""), said("  ")), (None, None));
    }

    #[test]
    fn what_cannot_be_read_or_believed_is_long() {
        let enormous = ["1e19", "18446744073709551615", "18446744073709551616", "1e400", "inf", "infinity", "3601"];
        let unreadable =
            ["-1", "-1e19", "-inf", "NaN", "soon", "12 s", "0x10", "Sun, 99 Nov 2026 03:05:00 GMT", "\u{1f}"];
        let far = ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 22 Nov 2027 03:00:00 GMT"];
        for text in enormous.into_iter().chain(unreadable).chain(far) {
            assert_eq!(said(text), Some(LONG), "{text}");
        }
    }

    #[test]
    fn a_bucket_with_a_longer_window_may_ask_for_that() {
        let day = Duration::from_secs(86_400);
        assert_eq!(
            longest_of(&[Limit::Window { count: 1, seconds: 60 }, Limit::Window { count: 1, seconds: 86_400 }]),
            day
        );
        assert_eq!(longest_of(&[Limit::Refill { per_second_millis: 1, capacity: u64::MAX }]), LONG);
        assert_eq!(of_text("86400", NOW, day), Some(day));
        assert_eq!(of_text("86401", NOW, day), Some(LONG));
        assert_eq!(of_text("1e19", NOW, Duration::MAX), Some(Duration::from_secs(10_000_000_000_000_000_000)));
        assert_eq!(of_text("1e20", NOW, Duration::MAX), Some(LONG));
    }

    #[test]
    fn a_date_counts_against_the_date_of_its_own_response() {
        let wait = (RETRY_AFTER, "Sun, 22 Nov 2026 03:05:00 GMT");
        let of = |headers: &HeaderMap| of_headers(headers, NOW, LONG);
        assert_eq!(of(&headers(std::slice::from_ref(&wait))), Some(Duration::from_secs(300)));
        let date = (DATE, "Sun, 22 Nov 2026 03:04:00 GMT");
        assert_eq!(of(&headers(&[wait.clone(), date])), Some(Duration::from_secs(60)));
        assert_eq!(of(&headers(&[wait, (DATE, "yesterday")])), Some(Duration::from_secs(300)));
        assert_eq!(
            of(&headers(&[(RETRY_AFTER, "1"), (RETRY_AFTER, "7")])),
            Some(Duration::from_secs(7)),
            "the longest"
        );
        assert_eq!(of(&headers(&[(RETRY_AFTER, "\u{fc}")])), Some(LONG));
        assert_eq!(of(&HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn no_text_stops_a_client(text in ".*", now in any::<i64>()) {
            prop_assert!(of_text(&text, UnixMillis(now), LONG).is_none_or(|wait| wait <= LONG));
        }

        #[test]
        fn no_number_stops_a_client(number in any::<f64>(), whole in any::<i128>(), now in any::<i64>()) {
            for text in [number.to_string(), format!("{number:e}"), whole.to_string()] {
                let wait = of_text(&text, UnixMillis(now), LONG);
                prop_assert!(wait.is_some_and(|wait| wait <= LONG), "{} is {:?}", text, wait);
            }
        }

        #[test]
        fn no_date_stops_a_client(seconds in 0_u64..253_402_300_800, date in 0_u64..253_402_300_800, now in any::<i64>()) {
            let text = |seconds| httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(seconds));
            let headers = headers(&[(RETRY_AFTER, &text(seconds)), (DATE, &text(date))]);
            let expected = Duration::from_secs(seconds.saturating_sub(date));
            prop_assert_eq!(of_headers(&headers, UnixMillis(now), LONG), Some(believed(expected, LONG)));
            prop_assert!(of_text(&text(seconds), UnixMillis(now), LONG).is_some_and(|wait| wait <= LONG));
        }
    }
}
