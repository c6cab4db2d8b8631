//! The trades of an account, and how they are listed.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use super::error::Error;
use super::filter::{self, KindFilter, is_within};
use super::funds::Booking;
use super::instruments::Instrument;
use super::orders::{Direction, Order, OrderState, prefixed};
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use super::subaccounts;
use crate::number::Number;

const USUAL_COUNT: i64 = 10;

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub(super) enum Liquidity {
    #[serde(rename = "M")]
    Maker,
    #[serde(rename = "T")]
    Taker,
}

/// A trade as its owner sees it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Trade {
    /// The trade's number, without what stands before it in its id.
    #[serde(skip)]
    number: i64,
    /// What it comes to in the base currency.
    #[serde(skip)]
    pub(super) base_amount: Decimal,
    #[serde(skip)]
    mmp_group: Option<String>,
    #[serde(flatten)]
    pub(super) public: PublicTrade,
    pub(super) order_id: String,
    order_type: &'static str,
    /// Always null.
    matching_id: Value,
    pub(super) liquidity: Liquidity,
    fee: Number,
    fee_currency: &'static str,
    profit_loss: Number,
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
    state: OrderState,
    post_only: bool,
    reduce_only: bool,
    mmp: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote_set_id: Option<String>,
    api: bool,
}

/// A trade as everybody sees it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PublicTrade {
    /// The trade's number, without what stands before it in its id.
    #[serde(skip)]
    pub(super) number: i64,
    pub(super) trade_id: String,
    pub(super) trade_seq: i64,
    pub(super) instrument_name: &'static str,
    pub(super) timestamp: i64,
    pub(super) direction: Direction,
    tick_direction: u8,
    index_price: Number,
    mark_price: Number,
    pub(super) price: Number,
    pub(super) amount: Number,
    pub(super) contracts: Number,
}

/// The number of a trade, and how its price stands to those before it.
#[derive(Clone, Copy)]
pub(super) struct Match {
    pub(super) number: i64,
    pub(super) seq: i64,
    pub(super) tick_direction: u8,
    pub(super) amount: Decimal,
    pub(super) price: Decimal,
}

impl Trade {
    pub(super) fn new(
        instrument: &Instrument,
        order: &Order,
        one: Match,
        liquidity: Liquidity,
        booking: &Booking,
    ) -> Self {
        let Match { number, seq, tick_direction, amount, price } = one;
        let public = PublicTrade {
            number,
            trade_id: prefixed(instrument, number),
            trade_seq: seq,
            instrument_name: instrument.instrument_name,
            timestamp: order.last_update_timestamp,
            direction: order.direction,
            tick_direction,
            index_price: Number(instrument.prices.index),
            mark_price: Number(instrument.prices.mark),
            price: Number::from(price),
            amount: Number::from(amount),
            contracts: Number(instrument.contracts(amount)),
        };
        Self {
            number,
            base_amount: instrument.base_amount(amount, price),
            mmp_group: order.mmp_group.clone(),
            public,
            order_id: order.order_id.clone(),
            order_type: if order.order_type == "market" { "market" } else { "limit" },
            matching_id: Value::Null,
            liquidity,
            fee: Number(booking.fee),
            fee_currency: instrument.fee_currency(),
            profit_loss: Number(booking.gain),
            label: order.label.clone(),
            state: order.order_state,
            post_only: order.post_only,
            reduce_only: order.reduce_only,
            mmp: order.mmp,
            quote_id: order.quote_id.clone(),
            quote_set_id: order.quote_set_id.clone(),
            api: order.api,
        }
    }

    /// Its amount in the base currency: below zero where it was sold.
    pub(super) fn signed_base_amount(&self) -> Decimal {
        match self.public.direction {
            Direction::Buy => self.base_amount,
            Direction::Sell => -self.base_amount,
        }
    }

    /// Whether market maker protection of a group watches it; ordinary orders have no group.
    pub(super) fn is_watched(&self, group: &str) -> bool {
        if group.is_empty() { self.mmp && self.mmp_group.is_none() } else { self.mmp_group.as_deref() == Some(group) }
    }
}

impl Liquidity {
    pub(super) fn role(self) -> &'static str {
        match self {
            Self::Maker => "maker",
            Self::Taker => "taker",
        }
    }
}

#[derive(Serialize)]
struct Trades<'a> {
    trades: Vec<&'a Trade>,
    has_more: bool,
}

/// `private/get_user_trades_by_currency`, with or without `_and_time`.
pub(super) fn get_user_trades_by_currency(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let kind = KindFilter::read(params)?;
    let (first, last) = (number(params, "start_id")?, number(params, "end_id")?);
    list(state, session, params, |trade| {
        let instrument = state.instrument(trade.public.instrument_name);
        let fits = |instrument: &Instrument| instrument.is_listed_under(&currency) && kind.lets_in(instrument);
        instrument.is_some_and(fits) && is_within(trade.number, first, last)
    })
}

/// `private/get_user_trades_by_instrument`, with or without `_and_time`.
pub(super) fn get_user_trades_by_instrument(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let name = filter::required_instrument(state, params)?.instrument_name;
    let (first, last) = (params.integer("start_seq")?, params.integer("end_seq")?);
    list(state, session, params, |trade| {
        trade.public.instrument_name == name && is_within(trade.public.trade_seq, first, last)
    })
}

/// `private/get_user_trades_by_order`.
pub(super) fn get_user_trades_by_order(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let account = subaccounts::named(state, session, params, "subaccount_id")?;
    let order = state.order(state.slot_of(account, params)?);
    let all = state.accounts[account].trades.iter();
    let mut trades: Vec<&Trade> = all.filter(|trade| trade.order_id == order.order_id).collect();
    if params.text("sorting")?.as_deref() == Some("desc") {
        trades.reverse();
    }
    done(&trades)
}

/// The numeric part of an id such as `ETH-15`.
pub(super) fn number(params: &Params, name: &str) -> Result<Option<i64>, Error> {
    let Some(id) = params.text(name)? else { return Ok(None) };
    let digits = id.rsplit('-').next().unwrap_or_default();
    digits.parse().map(Some).map_err(|_| Error::invalid_param(name, "must be the id of a trade"))
}

/// The newest first, unless it is requested otherwise.
fn list(state: &State, session: &Session, params: &Params, fits: impl Fn(&Trade) -> bool) -> Outcome {
    let (from, until) = (params.integer("start_timestamp")?, params.integer("end_timestamp")?);
    let count = filter::count(params, USUAL_COUNT)?;
    let account = subaccounts::named(state, session, params, "subaccount_id")?;
    let all = state.accounts[account].trades.iter();
    let mut trades: Vec<&Trade> = all.filter(|one| fits(one) && is_within(one.public.timestamp, from, until)).collect();
    if params.text("sorting")?.as_deref() != Some("asc") {
        trades.reverse();
    }
    let has_more = trades.len() > count;
    trades.truncate(count);
    done(&Trades { trades, has_more })
}
