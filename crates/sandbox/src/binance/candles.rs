//! Candles and windows of time, made of the trades of a market.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::symbols::eight;
use super::trading::{PublicTrade, Trading};
use crate::exchange::Interval;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const INTERVALS: [(&str, Interval); 16] = [
    ("1s", Interval::Millis(SECOND)),
    ("1m", Interval::Millis(MINUTE)),
    ("3m", Interval::Millis(3 * MINUTE)),
    ("5m", Interval::Millis(5 * MINUTE)),
    ("15m", Interval::Millis(15 * MINUTE)),
    ("30m", Interval::Millis(30 * MINUTE)),
    ("1h", Interval::Millis(HOUR)),
    ("2h", Interval::Millis(2 * HOUR)),
    ("4h", Interval::Millis(4 * HOUR)),
    ("6h", Interval::Millis(6 * HOUR)),
    ("8h", Interval::Millis(8 * HOUR)),
    ("12h", Interval::Millis(12 * HOUR)),
    ("1d", Interval::Millis(DAY)),
    ("3d", Interval::Millis(3 * DAY)),
    ("1w", Interval::Week),
    ("1M", Interval::Month),
];

/// The interval of a name of the venue.
pub(super) fn interval_named(name: &str) -> Option<Interval> {
    INTERVALS.iter().find(|(known, _)| *known == name).map(|(_, interval)| *interval)
}

/// The venue's name of an interval.
pub(super) fn interval_name(interval: Interval) -> &'static str {
    INTERVALS.iter().find(|(_, known)| *known == interval).map_or("", |(name, _)| name)
}

/// What happened from one time to another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    pub(super) start: i64,
    /// The first millisecond after it.
    pub(super) end: i64,
    pub(super) open: Decimal,
    pub(super) high: Decimal,
    pub(super) low: Decimal,
    pub(super) close: Decimal,
    pub(super) volume: Decimal,
    pub(super) turnover: Decimal,
    /// What takers bought.
    pub(super) bought: Decimal,
    pub(super) bought_value: Decimal,
    pub(super) first_id: i64,
    pub(super) last_id: i64,
    pub(super) last_qty: Decimal,
    /// The price before it.
    pub(super) before: Decimal,
    pub(super) count: usize,
}

impl Window {
    /// A candle as the venue writes it: a list.
    pub(super) fn candle(&self) -> Value {
        json!([
            self.start,
            eight(self.open),
            eight(self.high),
            eight(self.low),
            eight(self.close),
            eight(self.volume),
            self.end - 1,
            eight(self.turnover),
            self.count,
            eight(self.bought),
            eight(self.bought_value),
            "0",
        ])
    }

    /// The mean price of what was traded.
    pub(super) fn mean(&self) -> Decimal {
        if self.volume.is_zero() { self.close } else { self.turnover / self.volume }
    }
}

impl Trading {
    /// What happened in a market between two times. Without trades, all prices are the one before.
    pub(super) fn window(&self, symbol: usize, start: i64, end: i64) -> Window {
        let all = &self.trades[symbol];
        let position = |time: i64| all.partition_point(|trade| trade.time < time);
        let (first, last) = (position(start), position(end));
        let before = first.checked_sub(1).map_or(self.symbols[symbol].first_price, |index| all[index].price);
        let within = &all[first..last];
        let prices = || within.iter().map(|trade| trade.price);
        let value = |trade: &PublicTrade| trade.price * trade.qty;
        let bought = || within.iter().filter(|trade| !trade.is_buyer_maker);
        Window {
            start,
            end,
            open: prices().next().unwrap_or(before),
            high: prices().max().unwrap_or(before),
            low: prices().min().unwrap_or(before),
            close: prices().next_back().unwrap_or(before),
            volume: within.iter().map(|trade| trade.qty).sum(),
            turnover: within.iter().map(value).sum(),
            bought: bought().map(|trade| trade.qty).sum(),
            bought_value: bought().map(value).sum(),
            first_id: within.first().map_or(-1, |trade| trade.id),
            last_id: within.last().map_or(-1, |trade| trade.id),
            last_qty: within.last().map(|trade| trade.qty).unwrap_or_default(),
            before,
            count: within.len(),
        }
    }

    /// At most `limit` candles that begin from `start` to `end`, the oldest first. Without a start: the last ones.
    pub(super) fn candles(
        &self,
        symbol: usize,
        (interval, zone): (Interval, i64),
        (start, end): (Option<i64>, i64),
        limit: usize,
    ) -> Vec<Window> {
        let first_trade = self.trades[symbol].first().map_or(end, |trade| trade.time);
        let mut candles = Vec::new();
        match start {
            Some(start) => {
                let mut time = start.max(interval.start_in(first_trade, zone));
                if interval.start_in(time, zone) < time {
                    time = interval.next_in(time, zone);
                }
                while time <= end && candles.len() < limit {
                    candles.push(self.window(symbol, time, interval.next_in(time, zone)));
                    time = interval.next_in(time, zone);
                }
            }
            None => {
                let mut time = interval.start_in(end, zone);
                while candles.len() < limit && interval.next_in(time, zone) > first_trade {
                    candles.push(self.window(symbol, time, interval.next_in(time, zone)));
                    time = interval.start_in(time - 1, zone);
                }
                candles.reverse();
            }
        }
        candles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candles_begin_where_the_calendar_says() {
        // 2023-11-14, a Tuesday, 22:13:20 UTC.
        let time = 1_700_000_000_000;
        let start = |name: &str| interval_named(name).unwrap().start(time);
        assert_eq!(start("1m"), 1_699_999_980_000);
        assert_eq!(start("1d"), 1_699_920_000_000);
        assert_eq!(start("1w"), 1_699_833_600_000, "Monday");
        assert_eq!(start("1M"), 1_698_796_800_000);
        assert_eq!(Interval::Month.next(time), 1_701_388_800_000);
        assert_eq!(
            interval_named("1d").unwrap().start_in(time, 8 * HOUR),
            1_699_977_600_000,
            "the next day in the east"
        );
        assert!(INTERVALS.iter().all(|(name, interval)| interval_name(*interval) == *name));
        assert_eq!(interval_named("2m"), None);
    }

    #[test]
    fn a_window_counts_what_traded_in_it() {
        let now = 1_700_000_000_000;
        let trading = Trading::new(now);
        let day = trading.window(0, now - DAY, now);
        assert_eq!(day.count, 96);
        assert_eq!(day.last_id - day.first_id, 95);
        assert!(day.low <= day.mean() && day.mean() <= day.high);
        assert!(day.bought < day.volume && !day.bought.is_zero());
        let minute = trading.window(0, now, now + MINUTE);
        assert_eq!((minute.count, minute.open, minute.close), (0, day.close, day.close));
        let candles = trading.candles(0, (Interval::Millis(HOUR), 0), (None, now), 5);
        assert!(candles.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(candles.last().unwrap().start, Interval::Millis(HOUR).start(now));
        let from = candles[0].start;
        let again = trading.candles(0, (Interval::Millis(HOUR), 0), (Some(from), now), 5);
        assert_eq!(again, candles);
    }
}
