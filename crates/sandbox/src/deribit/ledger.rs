//! The ledger of an account: every change of a balance, and `private/get_transaction_log`.

use rust_decimal::Decimal;
use serde::Serialize;

use super::error::Error;
use super::filter;
use super::funds::Booking;
use super::instruments::Instrument;
use super::orders::Direction;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use super::subaccounts;
use super::trades::Trade;
use crate::number::Number;

const USUAL_COUNT: i64 = 100;

/// One change of a balance.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    pub(super) id: i64,
    user_id: i64,
    user_seq: usize,
    username: String,
    timestamp: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    pub(super) currency: &'static str,
    pub(super) change: Number,
    cashflow: Number,
    pub(super) balance: Number,
    commission: Number,
    #[serde(flatten)]
    trade: Option<TradeDetails>,
}

/// What the entry of a trade says in addition.
#[derive(Clone, Debug, Serialize)]
struct TradeDetails {
    trade_id: String,
    order_id: String,
    instrument_name: &'static str,
    #[serde(skip)]
    instrument_kind: &'static str,
    side: &'static str,
    user_role: &'static str,
    fee_role: &'static str,
    amount: Number,
    contracts: Number,
    price: Number,
    price_currency: &'static str,
    mark_price: Number,
    index_price: Number,
    position: Number,
}

impl State {
    /// Changes a balance and notes why.
    pub(super) fn enter(&mut self, account: usize, kind: &'static str, currency: &'static str, change: Decimal) {
        self.append(account, kind, currency, change, Decimal::ZERO, None);
    }

    fn append(
        &mut self,
        account: usize,
        kind: &'static str,
        currency: &'static str,
        change: Decimal,
        fee: Decimal,
        trade: Option<TradeDetails>,
    ) {
        let (id, timestamp) = (self.next_id(), self.now());
        let owner = &mut self.accounts[account];
        let balance = owner.balances.entry(currency).or_default();
        *balance += change;
        let entry = Entry {
            id,
            user_id: owner.user_id,
            user_seq: owner.ledger.len() + 1,
            username: owner.profile.username.clone(),
            timestamp,
            kind,
            currency,
            change: change.into(),
            cashflow: (change + fee).into(),
            balance: (*balance).into(),
            commission: fee.into(),
            trade,
        };
        owner.ledger.push(entry);
    }

    /// Changes the balances that a fill moves: that of the fee's currency, and for spot that of the base currency.
    pub(super) fn enter_fill(&mut self, account: usize, instrument: &Instrument, trade: &Trade, booking: &Booking) {
        let position = self.position(account, instrument).size;
        let (side, is_reducing) = match trade.public.direction {
            Direction::Buy => ("buy", position <= Decimal::ZERO),
            Direction::Sell => ("sell", position >= Decimal::ZERO),
        };
        let side = match (instrument.kind, side, is_reducing) {
            ("spot", "buy", _) => "buy",
            ("spot", ..) => "sell",
            (_, "buy", true) => "close buy",
            (_, "buy", false) => "open buy",
            (_, _, true) => "close sell",
            _ => "open sell",
        };
        let details = TradeDetails {
            trade_id: trade.public.trade_id.clone(),
            order_id: trade.order_id.clone(),
            instrument_name: instrument.instrument_name,
            instrument_kind: instrument.kind,
            side,
            user_role: trade.liquidity.role(),
            fee_role: trade.liquidity.role(),
            amount: trade.public.amount,
            contracts: trade.public.contracts,
            price: trade.public.price,
            price_currency: instrument.quote_currency,
            mark_price: Number(instrument.prices.mark),
            index_price: Number(instrument.prices.index),
            position: position.into(),
        };
        let currency = instrument.fee_currency();
        self.append(account, "trade", currency, booking.change, booking.fee, Some(details.clone()));
        if !booking.base_change.is_zero() {
            let base = instrument.base_currency;
            self.append(account, "trade", base, booking.base_change, Decimal::ZERO, Some(details));
        }
    }
}

impl Entry {
    fn answers(&self, query: &str) -> bool {
        let trade = self.trade.as_ref();
        match query {
            "maker" | "taker" => trade.is_some_and(|trade| trade.user_role == query),
            "buy" | "sell" => trade.is_some_and(|trade| trade.side.ends_with(query)),
            "open" | "close" => trade.is_some_and(|trade| trade.side.starts_with(query)),
            "future" | "option" | "spot" => trade.is_some_and(|trade| trade.instrument_kind == query),
            kind => self.kind == kind,
        }
    }
}

#[derive(Serialize)]
struct Log<'a> {
    logs: Vec<&'a Entry>,
    /// Null on the last page, and not left out.
    continuation: Option<i64>,
}

/// `private/get_transaction_log`, the newest first. `continuation` is the id of the first entry of the next page.
pub(super) fn get_transaction_log(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let account = subaccounts::named(state, session, params, "subaccount_id")?;
    let (from, until) = (params.integer("start_timestamp")?, params.integer("end_timestamp")?);
    let (from, until) = (params.required("start_timestamp", from)?, params.required("end_timestamp", until)?);
    if from > until {
        return Err(Error::invalid_param("end_timestamp", "must not be before start_timestamp"));
    }
    let (query, count) = (params.text("query")?, filter::count(params, USUAL_COUNT)?);
    let continuation = params.integer("continuation")?;
    let fits = |entry: &&Entry| {
        entry.currency == currency
            && (from..=until).contains(&entry.timestamp)
            && continuation.is_none_or(|first| entry.id <= first)
            && query.as_ref().is_none_or(|query| entry.answers(query))
    };
    let mut entries = state.accounts[account].ledger.iter().rev().filter(fits);
    let logs: Vec<&Entry> = entries.by_ref().take(count).collect();
    done(&Log { logs, continuation: entries.next().map(|entry| entry.id) })
}
