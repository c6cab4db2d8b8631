//! What everybody sees of the trades: lists of them, and what they come to in a day.

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::error::Error;
use super::filter::{self, KindFilter, is_within};
use super::instruments::{self, CURRENCIES, Instrument};
use super::params::Params;
use super::state::{Outcome, State, done};
use super::trades::{PublicTrade, number};
use crate::number::Number;

const USUAL_COUNT: i64 = 10;
const DAY_MILLIS: i64 = 86_400_000;

/// What everybody sees of all trades.
#[derive(Default)]
pub(super) struct Tape {
    /// The oldest first.
    pub(super) trades: Vec<PublicTrade>,
    /// The places of an instrument's own among them.
    places: HashMap<&'static str, Vec<usize>>,
    /// What all trades of an instrument come to, and when the first one was.
    sums: HashMap<&'static str, (i64, Day)>,
}

/// The trades of one instrument in the last 24 hours.
#[derive(Clone, Default)]
pub(super) struct Day {
    /// In the base currency.
    pub(super) volume: Decimal,
    pub(super) volume_usd: Decimal,
    pub(super) high: Option<Decimal>,
    pub(super) low: Option<Decimal>,
    first: Option<Decimal>,
    pub(super) last: Option<Decimal>,
}

impl Day {
    fn add(&mut self, instrument: &Instrument, trade: &PublicTrade) {
        let (amount, price) = (trade.amount.0, trade.price.0);
        self.volume += instrument.base_amount(amount, price);
        self.volume_usd += instrument.usd_amount(amount, price);
        self.high = self.high.max(Some(price));
        self.low = Some(self.low.map_or(price, |low| low.min(price)));
        self.first = self.first.or(Some(price));
        self.last = Some(price);
    }

    /// In percent.
    pub(super) fn price_change(&self) -> Option<Decimal> {
        let (first, last) = self.first.zip(self.last)?;
        Some(((last - first) / first * Decimal::ONE_HUNDRED).round_dp(4))
    }
}

impl State {
    /// The trades on an instrument, the oldest first.
    pub(super) fn tape_of<'a>(&'a self, instrument_name: &'a str) -> impl DoubleEndedIterator<Item = &'a PublicTrade> {
        let places = self.tape.places.get(instrument_name).map(Vec::as_slice).unwrap_or_default();
        places.iter().map(|place| &self.tape.trades[*place])
    }

    /// Shows the trades of an instrument to everybody from now on.
    pub(super) fn record(&mut self, instrument: &Instrument, trades: Vec<PublicTrade>) {
        let name = instrument.instrument_name;
        for trade in trades {
            let (_, sum) = self.tape.sums.entry(name).or_insert_with(|| (trade.timestamp, Day::default()));
            sum.add(instrument, &trade);
            self.tape.places.entry(name).or_default().push(self.tape.trades.len());
            self.tape.trades.push(trade);
        }
    }

    /// The price of the last trade on an instrument.
    pub(super) fn last_price(&self, instrument_name: &str) -> Option<Decimal> {
        self.books.get(instrument_name)?.last.map(|(price, _)| price)
    }

    pub(super) fn day(&self, instrument: &Instrument) -> Day {
        let begins = self.now() - DAY_MILLIS;
        // A ticker for each trade would otherwise go through all of them each time.
        match self.tape.sums.get(instrument.instrument_name) {
            None => Day::default(),
            Some((first, sum)) if *first > begins => sum.clone(),
            Some(_) => {
                let mut day = Day::default();
                let trades = self.tape_of(instrument.instrument_name).filter(|trade| trade.timestamp > begins);
                trades.for_each(|trade| day.add(instrument, trade));
                day
            }
        }
    }

    /// What is held of an instrument. A caller who traded with the made-up book holds the other side of it.
    pub(super) fn open_interest(&self, instrument: &Instrument) -> Decimal {
        let sizes = self.accounts.iter().filter_map(|account| account.positions.get(instrument.instrument_name));
        let (mut long, mut short) = (Decimal::ZERO, Decimal::ZERO);
        for position in sizes {
            let side = if position.size.is_sign_negative() { &mut short } else { &mut long };
            *side += position.size.abs();
        }
        long.max(short)
    }
}

#[derive(Serialize)]
struct Trades<'a> {
    trades: Vec<&'a PublicTrade>,
    has_more: bool,
}

/// `public/get_last_trades_by_instrument`, with or without `_and_time`.
pub(super) fn get_last_trades_by_instrument(state: &mut State, params: &Params) -> Outcome {
    let name = instruments::named(state, params)?.instrument_name;
    let (first, last) = (params.integer("start_seq")?, params.integer("end_seq")?);
    list(state, params, |trade| trade.instrument_name == name && is_within(trade.trade_seq, first, last))
}

/// `public/get_last_trades_by_currency`, with or without `_and_time`.
pub(super) fn get_last_trades_by_currency(state: &mut State, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let kind = KindFilter::read(params)?;
    let (first, last) = (number(params, "start_id")?, number(params, "end_id")?);
    list(state, params, |trade| {
        let instrument = state.instrument(trade.instrument_name);
        let fits = |instrument: &Instrument| instrument.is_listed_under(&currency) && kind.lets_in(instrument);
        instrument.is_some_and(fits) && is_within(trade.number, first, last)
    })
}

/// The newest first, unless it is requested otherwise.
fn list(state: &State, params: &Params, fits: impl Fn(&PublicTrade) -> bool) -> Outcome {
    let (from, until) = (params.integer("start_timestamp")?, params.integer("end_timestamp")?);
    let count = filter::count(params, USUAL_COUNT)?;
    let is_asked_for = |trade: &&PublicTrade| fits(trade) && is_within(trade.timestamp, from, until);
    let mut trades: Vec<&PublicTrade> = state.tape.trades.iter().filter(is_asked_for).collect();
    if params.text("sorting")?.as_deref() != Some("asc") {
        trades.reverse();
    }
    let has_more = trades.len() > count;
    trades.truncate(count);
    done(&Trades { trades, has_more })
}

/// What was traded of a currency: each kind in one, seven and thirty days.
#[derive(Serialize)]
struct Volumes {
    currency: &'static str,
    futures_volume: Number,
    calls_volume: Number,
    puts_volume: Number,
    spot_volume: Number,
    #[serde(flatten)]
    more: Option<MoreVolumes>,
}

#[derive(Serialize)]
struct MoreVolumes {
    futures_volume_7d: Number,
    futures_volume_30d: Number,
    calls_volume_7d: Number,
    calls_volume_30d: Number,
    puts_volume_7d: Number,
    puts_volume_30d: Number,
    spot_volume_7d: Number,
    spot_volume_30d: Number,
}

/// `public/get_trade_volumes`.
pub(super) fn get_trade_volumes(state: &mut State, params: &Params) -> Outcome {
    let is_extended = params.boolean("extended")?.unwrap_or_default();
    let now = state.now();
    let volume = |currency: &str, kind: &str, days: i64| {
        let of_kind = |instrument: &&Instrument| match kind {
            "call" | "put" => instrument.option_type == Some(kind) && instrument.is_option(),
            kind => instrument.kind == kind,
        };
        let traded =
            state.tape.trades.iter().filter(|trade| trade.timestamp > now - days * DAY_MILLIS).filter_map(|trade| {
                let instrument = state.instrument(trade.instrument_name).filter(of_kind)?;
                let is_listed = instrument.is_listed_under(currency);
                is_listed.then(|| instrument.base_amount(trade.amount.0, trade.price.0))
            });
        Number::from(traded.sum::<Decimal>())
    };
    let volumes = |currency| Volumes {
        currency,
        futures_volume: volume(currency, "future", 1),
        calls_volume: volume(currency, "call", 1),
        puts_volume: volume(currency, "put", 1),
        spot_volume: volume(currency, "spot", 1),
        more: is_extended.then(|| MoreVolumes {
            futures_volume_7d: volume(currency, "future", 7),
            futures_volume_30d: volume(currency, "future", 30),
            calls_volume_7d: volume(currency, "call", 7),
            calls_volume_30d: volume(currency, "call", 30),
            puts_volume_7d: volume(currency, "put", 7),
            puts_volume_30d: volume(currency, "put", 30),
            spot_volume_7d: volume(currency, "spot", 7),
            spot_volume_30d: volume(currency, "spot", 30),
        }),
    };
    done(&CURRENCIES.map(volumes))
}

/// A time that a param must give.
pub(super) fn required_time(params: &Params, name: &str) -> Result<i64, Error> {
    params.required(name, params.integer(name)?)
}
