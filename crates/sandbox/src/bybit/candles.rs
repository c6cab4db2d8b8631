//! Candles, made of the trades of an instrument.

use rust_decimal::Decimal;
use time::{Date, OffsetDateTime};

use super::trading::{PublicTrade, Trading};

const MINUTE_MILLIS: i64 = 60_000;
const DAY_MINUTES: i64 = 1440;
/// The day of the epoch was a Thursday, and weeks begin on Monday.
const MONDAY_MILLIS: i64 = 4 * DAY_MINUTES * MINUTE_MILLIS;

/// The length of a candle.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Interval {
    Minutes(i64),
    Week,
    Month,
}

impl Interval {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "1" | "3" | "5" | "15" | "30" | "60" | "120" | "240" | "360" | "720" => {
                name.parse().ok().map(Self::Minutes)
            }
            "D" => Some(Self::Minutes(DAY_MINUTES)),
            "W" => Some(Self::Week),
            "M" => Some(Self::Month),
            _ => None,
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Minutes(DAY_MINUTES) => "D".to_owned(),
            Self::Minutes(minutes) => minutes.to_string(),
            Self::Week => "W".to_owned(),
            Self::Month => "M".to_owned(),
        }
    }

    /// When the candle of a time begins.
    pub(super) fn start(self, time: i64) -> i64 {
        match self {
            Self::Minutes(minutes) => time - time.rem_euclid(minutes * MINUTE_MILLIS),
            Self::Week => time - (time - MONDAY_MILLIS).rem_euclid(7 * DAY_MINUTES * MINUTE_MILLIS),
            Self::Month => {
                let day = OffsetDateTime::from_unix_timestamp(time.div_euclid(1000)).map(OffsetDateTime::date);
                day.ok().and_then(|day| day.replace_day(1).ok()).map_or(time, millis)
            }
        }
    }

    /// When the candle after the one of a time begins.
    pub(super) fn next(self, time: i64) -> i64 {
        let start = self.start(time);
        match self {
            Self::Minutes(minutes) => start + minutes * MINUTE_MILLIS,
            Self::Week => start + 7 * DAY_MINUTES * MINUTE_MILLIS,
            // No month has more days.
            Self::Month => self.start(start + 31 * DAY_MINUTES * MINUTE_MILLIS + MINUTE_MILLIS),
        }
    }
}

fn millis(day: Date) -> i64 {
    day.midnight().assume_utc().unix_timestamp() * 1000
}

/// One candle.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candle {
    pub(super) start: i64,
    /// The first millisecond after it.
    pub(super) end: i64,
    pub(super) open: Decimal,
    pub(super) high: Decimal,
    pub(super) low: Decimal,
    pub(super) close: Decimal,
    pub(super) volume: Decimal,
    pub(super) turnover: Decimal,
}

impl Trading {
    /// The candle of a time. One without trades stands at the price before it.
    pub(super) fn candle(&self, instrument: usize, interval: Interval, time: i64) -> Candle {
        let (start, end) = (interval.start(time), interval.next(time));
        let all = self.trades.get(&instrument).map(Vec::as_slice).unwrap_or_default();
        let (first, last) = (position(all, start), position(all, end));
        let before = first.checked_sub(1).map_or(self.instruments[instrument].first_price, |index| all[index].price);
        let within = &all[first..last];
        let open = within.first().map_or(before, |trade| trade.price);
        let prices = within.iter().map(|trade| trade.price);
        let value = |trade: &PublicTrade| self.instruments[instrument].value(trade.price, trade.qty);
        Candle {
            start,
            end,
            open,
            high: prices.clone().max().unwrap_or(before),
            low: prices.min().unwrap_or(before),
            close: within.last().map_or(before, |trade| trade.price),
            volume: within.iter().map(|trade| trade.qty).sum(),
            turnover: within.iter().map(value).sum(),
        }
    }

    /// At most so many candles that begin from `start` to `end`, the newest first.
    pub(super) fn candles(
        &self,
        instrument: usize,
        interval: Interval,
        (start, end): (Option<i64>, Option<i64>),
        most: usize,
        now: i64,
    ) -> Vec<Candle> {
        let first = self.trades.get(&instrument).and_then(|trades| trades.first()).map_or(now, |trade| trade.time);
        let earliest = interval.start(first).max(start.unwrap_or(i64::MIN));
        let mut at = interval.start(end.unwrap_or(now).clamp(0, now.max(0)));
        let mut candles = Vec::new();
        while at >= earliest && candles.len() < most {
            candles.push(self.candle(instrument, interval, at));
            at = interval.start(at - 1);
        }
        candles
    }
}

/// How many trades were before a time.
fn position(trades: &[PublicTrade], time: i64) -> usize {
    trades.partition_point(|trade| trade.time < time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candles_begin_where_the_calendar_does() {
        // Sunday, 2026-11-29, 17:11:15.
        let time = 1_795_972_275_000;
        let shown = |millis: i64| crate::clock::rfc3339(millis);
        assert_eq!(shown(Interval::named("5").unwrap().start(time)), "2026-11-29T17:10:00Z");
        assert_eq!(shown(Interval::named("240").unwrap().start(time)), "2026-11-29T16:00:00Z");
        assert_eq!(shown(Interval::named("W").unwrap().start(time)), "2026-11-23T00:00:00Z");
        assert_eq!(shown(Interval::named("M").unwrap().start(time)), "2026-11-01T00:00:00Z");
        assert_eq!(shown(Interval::Month.next(time)), "2026-12-01T00:00:00Z");
        assert_eq!(shown(Interval::Month.next(1_769_950_800_000)), "2026-03-01T00:00:00Z", "February");
        for name in ["1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M"] {
            let interval = Interval::named(name).unwrap();
            assert_eq!(interval.name(), name);
            assert_eq!(interval.start(interval.next(time)), interval.next(time));
        }
        assert!(Interval::named("2").is_none());
    }
}
