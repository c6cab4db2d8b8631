//! Candles, made of the trades of an instrument.

use rust_decimal::Decimal;

use super::trading::{PublicTrade, Trading};
use crate::exchange::Interval;

const INTERVALS: [(&str, Interval); 13] = [
    ("1", Interval::minutes(1)),
    ("3", Interval::minutes(3)),
    ("5", Interval::minutes(5)),
    ("15", Interval::minutes(15)),
    ("30", Interval::minutes(30)),
    ("60", Interval::minutes(60)),
    ("120", Interval::minutes(120)),
    ("240", Interval::minutes(240)),
    ("360", Interval::minutes(360)),
    ("720", Interval::minutes(720)),
    ("D", Interval::minutes(1440)),
    ("W", Interval::Week),
    ("M", Interval::Month),
];

/// The interval of a name of the venue.
pub(super) fn interval_named(name: &str) -> Option<Interval> {
    INTERVALS.iter().find(|(known, _)| *known == name).map(|(_, interval)| *interval)
}

/// The venue's name of an interval.
pub(super) fn interval_name(interval: Interval) -> &'static str {
    INTERVALS.iter().find(|(_, known)| *known == interval).map_or("", |(name, _)| name)
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
        assert_eq!(shown(interval_named("5").unwrap().start(time)), "2026-11-29T17:10:00Z");
        assert_eq!(shown(interval_named("240").unwrap().start(time)), "2026-11-29T16:00:00Z");
        assert_eq!(shown(interval_named("W").unwrap().start(time)), "2026-11-23T00:00:00Z");
        assert_eq!(shown(interval_named("M").unwrap().start(time)), "2026-11-01T00:00:00Z");
        assert_eq!(shown(Interval::Month.next(time)), "2026-12-01T00:00:00Z");
        assert_eq!(shown(Interval::Month.next(1_769_950_800_000)), "2026-03-01T00:00:00Z", "February");
        for name in ["1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M"] {
            let interval = interval_named(name).unwrap();
            assert_eq!(interval_name(interval), name);
            assert_eq!(interval.start(interval.next(time)), interval.next(time));
        }
        assert!(interval_named("2").is_none());
    }
}
