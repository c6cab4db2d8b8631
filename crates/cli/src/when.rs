//! Times as people read them.

use time::OffsetDateTime;
use venuekit_wire::UnixMillis;

/// A day.
pub const DAY_MILLIS: i64 = 86_400_000;

/// The day, in UTC.
pub fn day(at: UnixMillis) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(at.get().div_euclid(1000));
    moment.map_or_else(|_| "-".to_owned(), |moment| moment.date().to_string())
}

/// Whole days from one time to another; less than none where it lies ahead.
pub fn days_between(from: UnixMillis, to: UnixMillis) -> i64 {
    to.get().saturating_sub(from.get()).div_euclid(DAY_MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_down_to_whole_ones() {
        let at = |millis| UnixMillis(millis);
        assert_eq!(days_between(at(0), at(2 * DAY_MILLIS - 1)), 1);
        assert_eq!(days_between(at(1), at(0)), -1);
        assert_eq!(day(at(1_795_329_967_338)), "2026-11-22");
    }
}
