//! The lengths of candles, and where candles begin in the calendar.

use time::OffsetDateTime;

const MINUTE_MILLIS: i64 = 60_000;
const DAY_MILLIS: i64 = 1440 * MINUTE_MILLIS;
const WEEK_MILLIS: i64 = 7 * DAY_MILLIS;
/// The day of the epoch was a Thursday, and weeks begin on Monday.
const MONDAY_MILLIS: i64 = 4 * DAY_MILLIS;

/// The length of a candle.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Interval {
    Millis(i64),
    Week,
    Month,
}

impl Interval {
    pub(crate) const fn minutes(minutes: i64) -> Self {
        Self::Millis(minutes * MINUTE_MILLIS)
    }

    /// When the candle of a time begins, in milliseconds.
    pub(crate) fn start(self, time: i64) -> i64 {
        match self {
            Self::Millis(length) => time - time.rem_euclid(length),
            Self::Week => time - (time - MONDAY_MILLIS).rem_euclid(WEEK_MILLIS),
            Self::Month => {
                let day = OffsetDateTime::from_unix_timestamp(time.div_euclid(1000)).map(OffsetDateTime::date);
                let first = day.ok().and_then(|day| day.replace_day(1).ok());
                first.map_or(time, |first| first.midnight().assume_utc().unix_timestamp() * 1000)
            }
        }
    }

    /// When the candle after the one of a time begins.
    pub(crate) fn next(self, time: i64) -> i64 {
        let start = self.start(time);
        match self {
            Self::Millis(length) => start + length,
            Self::Week => start + WEEK_MILLIS,
            // No month is longer.
            Self::Month => self.start(start + 31 * DAY_MILLIS + MINUTE_MILLIS),
        }
    }

    /// When the candle of a time begins in a zone that is `zone` milliseconds ahead of UTC.
    pub(crate) fn start_in(self, time: i64, zone: i64) -> i64 {
        self.start(time + zone) - zone
    }

    /// When the candle after the one of a time begins, in such a zone.
    pub(crate) fn next_in(self, time: i64, zone: i64) -> i64 {
        self.next(time + zone) - zone
    }
}
