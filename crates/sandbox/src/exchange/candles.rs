//! Candles, made from the trades and the best prices of a market.

use rust_decimal::Decimal;

use super::book::{Book, Quote};
use super::engine::{Exchange, Rules};
use super::records::Trade;
use super::terms::Side;

/// First, lowest, highest and last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Range {
    pub(crate) open: Decimal,
    pub(crate) low: Decimal,
    pub(crate) high: Decimal,
    pub(crate) close: Decimal,
}

impl Range {
    fn of(prices: impl Iterator<Item = Decimal>) -> Option<Self> {
        prices.fold(None, |range: Option<Self>, price| {
            Some(match range {
                None => Self { open: price, low: price, high: price, close: price },
                Some(range) => Self { low: range.low.min(price), high: range.high.max(price), close: price, ..range },
            })
        })
    }
}

/// What happened in one period. Its end belongs to it, its start does not.
#[derive(Clone, Debug)]
pub(crate) struct Candle {
    /// Unix seconds.
    pub(crate) end: i64,
    pub(crate) bid: Option<Range>,
    pub(crate) ask: Option<Range>,
    pub(crate) price: Option<Range>,
    /// Mean of the prices, weighted by counts.
    pub(crate) mean: Option<Decimal>,
    /// Price of the last trade before.
    pub(crate) previous: Option<Decimal>,
    pub(crate) volume: Decimal,
    pub(crate) turnover: Decimal,
    pub(crate) open_interest: Decimal,
}

impl<R: Rules> Exchange<R> {
    /// The candles that end from `from` to `to`, in Unix seconds, without those before the market was quoted and those
    /// that have not begun.
    pub(crate) fn candles(&self, ticker: &str, from: i64, to: i64, minutes: i64, now: i64) -> Vec<Candle> {
        let Some(book) = self.book(ticker) else { return Vec::new() };
        let trades: Vec<&Trade> = self.trades_of(ticker).collect();
        let quoted = book.quotes().first().map(|quote| quote.time);
        let first = [quoted, trades.first().map(|trade| trade.time)].into_iter().flatten().min();
        let Some(first) = first else { return Vec::new() };
        let length = minutes * 60;
        let begin = from.max(first / 1000);
        let mut end = begin.div_euclid(length) * length;
        if end < begin {
            end += length;
        }
        let mut candles = Vec::new();
        while end <= to && end - length <= now / 1000 {
            candles.push(candle(book, &trades, end, length));
            end += length;
        }
        candles
    }
}

fn candle(book: &Book, trades: &[&Trade], end: i64, length: i64) -> Candle {
    // Milliseconds of the last second belong to the period.
    let (after, until) = ((end - length) * 1000 + 999, end * 1000 + 999);
    let start = trades.partition_point(|trade| trade.time <= after);
    let stop = trades.partition_point(|trade| trade.time <= until);
    let within = &trades[start..stop];
    let volume: Decimal = within.iter().map(|trade| trade.count).sum();
    let turnover: Decimal = within.iter().map(|trade| trade.price * trade.count).sum();
    let price = |index: usize| trades.get(index).map(|trade| trade.price);
    Candle {
        end,
        bid: quotes(book, after, until, Side::Bid),
        ask: quotes(book, after, until, Side::Ask),
        price: Range::of(within.iter().map(|trade| trade.price)),
        mean: (!volume.is_zero()).then(|| turnover / volume),
        previous: start.checked_sub(1).and_then(price),
        volume,
        turnover,
        open_interest: stop.checked_sub(1).map_or(Decimal::ZERO, |last| trades[last].open_interest),
    }
}

fn quotes(book: &Book, after: i64, until: i64, side: Side) -> Option<Range> {
    let of_side = |quote: &Quote| match side {
        Side::Bid => quote.bid,
        Side::Ask => quote.ask,
    };
    // The one before the start holds at the start.
    let start = book.quotes().partition_point(|quote| quote.time <= after).saturating_sub(1);
    let stop = book.quotes().partition_point(|quote| quote.time <= until);
    Range::of(book.quotes()[start..stop].iter().filter_map(of_side))
}
