//! Positions: what an account's trades on futures and options add up to.

use rust_decimal::Decimal;
use serde::Serialize;

use super::error::Error;
use super::filter::KindFilter;
use super::funds;
use super::instruments::{self, Instrument};
use super::market;
use super::orders::Direction;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use super::subaccounts;
use crate::number::Number;

const PLACES: u32 = 8;

/// A position: below zero it is short.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    pub(super) size: Decimal,
    pub(super) average: Decimal,
    pub(super) realized: Decimal,
}

impl Position {
    /// Adds a trade. Returns what it gained.
    pub(super) fn add(
        &mut self,
        instrument: &Instrument,
        direction: Direction,
        amount: Decimal,
        price: Decimal,
    ) -> Decimal {
        let trade = if direction == Direction::Buy { amount } else { -amount };
        let is_same_side = self.size.is_zero() || self.size.is_sign_negative() == trade.is_sign_negative();
        if is_same_side {
            self.average = average(instrument, (self.size.abs(), self.average), (amount, price));
            self.size += trade;
            return Decimal::ZERO;
        }
        let closed = amount.min(self.size.abs());
        let closed = if self.size.is_sign_negative() { -closed } else { closed };
        let gain = profit(instrument, closed, self.average, price);
        self.realized += gain;
        self.size += trade;
        if self.size.is_zero() {
            self.average = Decimal::ZERO;
        } else if amount > closed.abs() {
            self.average = price;
        }
        gain
    }
}

/// The price at which two amounts at their prices come to the same. Amounts in US dollars are worth less coin at a higher price.
pub(super) fn average(instrument: &Instrument, first: (Decimal, Decimal), second: (Decimal, Decimal)) -> Decimal {
    let ((amount, price), (other_amount, other_price)) = (first, second);
    let total = amount + other_amount;
    let average = if amount.is_zero() || price == other_price || total.is_zero() {
        other_price
    } else if instrument.is_inverse_future() {
        total / (amount / price + other_amount / other_price)
    } else {
        (amount * price + other_amount * other_price) / total
    };
    average.round_dp(PLACES).normalize()
}

fn profit(instrument: &Instrument, size: Decimal, entry: Decimal, exit: Decimal) -> Decimal {
    let profit = if size.is_zero() {
        Decimal::ZERO
    } else if instrument.is_inverse_future() {
        size / entry - size / exit
    } else {
        size * (exit - entry)
    };
    profit.round_dp(PLACES).normalize()
}

/// How much of an amount would make the account's position smaller.
pub(super) fn reducible(
    state: &State,
    account: usize,
    instrument: &Instrument,
    direction: Direction,
    amount: Decimal,
) -> Result<Decimal, Error> {
    let size = state.position(account, instrument).size;
    let is_reducing = !size.is_zero() && size.is_sign_negative() == (direction == Direction::Buy);
    if is_reducing { Ok(amount.min(size.abs())) } else { Err(Error::other_reject("reduce_only")) }
}

impl State {
    pub(super) fn position(&self, account: usize, instrument: &Instrument) -> Position {
        self.accounts[account].positions.get(instrument.instrument_name).copied().unwrap_or_default()
    }
}

/// What the open positions of a kind would gain in a currency if they were closed at their mark prices.
pub(super) fn floating(state: &State, account: usize, currency: &str, kind: &str) -> Decimal {
    let of_kind = held(state, account, |one| one.kind == kind && one.fee_currency() == currency);
    of_kind
        .map(|(instrument, position)| profit(instrument, position.size, position.average, instrument.prices.mark))
        .sum()
}

/// The positions of an account that are open, on instruments that a test lets in.
pub(super) fn held<'a>(
    state: &'a State,
    account: usize,
    lets_in: impl Fn(&Instrument) -> bool + 'a,
) -> impl Iterator<Item = (&'a Instrument, &'a Position)> {
    let positions = state.accounts[account].positions.iter().filter(|(_, position)| !position.size.is_zero());
    positions
        .filter_map(|(name, position)| Some((state.instrument(name)?, position)))
        .filter(move |(instrument, _)| lets_in(instrument))
}

/// The views of the same.
pub(super) fn open(state: &State, account: usize, lets_in: impl Fn(&Instrument) -> bool) -> Vec<View> {
    held(state, account, lets_in).map(|(instrument, _)| view(state, account, instrument)).collect()
}

/// A position as the venue shows it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct View {
    instrument_name: &'static str,
    kind: &'static str,
    user_id: i64,
    direction: &'static str,
    size: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_currency: Option<Number>,
    average_price: Number,
    mark_price: Number,
    index_price: Number,
    settlement_price: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    leverage: Option<u32>,
    initial_margin: Number,
    maintenance_margin: Number,
    open_orders_margin: Number,
    total_profit_loss: Number,
    floating_profit_loss: Number,
    realized_profit_loss: Number,
    delta: Number,
}

pub(super) fn view(state: &State, account: usize, instrument: &Instrument) -> View {
    let position = state.position(account, instrument);
    let mark = instrument.prices.mark;
    let floating = profit(instrument, position.size, position.average, mark);
    let margin = funds::margin(instrument, position.size);
    let is_future = instrument.kind == "future";
    let in_base = in_base(instrument, position.size);
    let open = state.accounts[account].open.iter().map(|order| &state.accounts[account].orders[*order]);
    let own = open.filter(|order| order.instrument_name == instrument.instrument_name);
    View {
        instrument_name: instrument.instrument_name,
        kind: instrument.kind,
        user_id: state.accounts[account].user_id,
        direction: match position.size {
            size if size.is_zero() => "zero",
            size if size.is_sign_negative() => "sell",
            _ => "buy",
        },
        size: Number::from(position.size),
        size_currency: is_future.then_some(Number(in_base)),
        average_price: Number(position.average),
        mark_price: Number(mark),
        index_price: Number(instrument.prices.index),
        settlement_price: Number(mark),
        leverage: instrument.max_leverage.filter(|_| is_future),
        initial_margin: Number(margin),
        maintenance_margin: Number::from((margin / Decimal::TWO).round_dp(PLACES)),
        open_orders_margin: Number::from(own.map(|order| order.reserved).sum::<Decimal>()),
        total_profit_loss: Number::from(floating + position.realized),
        floating_profit_loss: Number(floating),
        realized_profit_loss: Number::from(position.realized),
        delta: Number(delta(instrument, position.size)),
    }
}

/// The size of a position in the base currency.
fn in_base(instrument: &Instrument, size: Decimal) -> Decimal {
    let size = if instrument.is_inverse_future() { size / instrument.prices.mark } else { size };
    size.round_dp(PLACES).normalize()
}

/// How the value of a position follows the price of its base currency.
pub(super) fn delta(instrument: &Instrument, size: Decimal) -> Decimal {
    let of_one = market::delta(instrument).unwrap_or(Decimal::ONE);
    (in_base(instrument, size) * of_one).round_dp(PLACES).normalize()
}

/// `private/get_position`.
pub(super) fn get_position(state: &mut State, session: &Session, params: &Params) -> Outcome {
    done(&view(state, session.account, instruments::named(state, params)?))
}

/// `private/get_positions`.
pub(super) fn get_positions(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = params.text("currency")?.filter(|currency| currency != "any");
    let kind = KindFilter::read(params)?;
    let account = subaccounts::named(state, session, params, "subaccount_id")?;
    done(&open(state, account, |instrument| {
        let listed = currency.as_ref().is_none_or(|currency| instrument.is_listed_under(currency));
        listed && kind.lets_in(instrument)
    }))
}

#[cfg(test)]
mod tests {
    use rust_decimal_macros::dec;

    use super::*;

    fn instrument(name: &str) -> Instrument {
        instruments::catalogue().into_iter().find(|instrument| instrument.instrument_name == name).unwrap()
    }

    #[test]
    fn a_linear_position_grows_shrinks_and_turns() {
        let linear = instrument("BTC_USDC-PERPETUAL");
        let mut position = Position::default();
        assert_eq!(position.add(&linear, Direction::Buy, dec!(1), dec!(100)), dec!(0));
        assert_eq!(position.add(&linear, Direction::Buy, dec!(3), dec!(200)), dec!(0));
        assert_eq!((position.size, position.average), (dec!(4), dec!(175)));
        assert_eq!(position.add(&linear, Direction::Sell, dec!(1), dec!(185)), dec!(10));
        assert_eq!(position.add(&linear, Direction::Sell, dec!(5), dec!(165)), dec!(-30));
        assert_eq!((position.size, position.average, position.realized), (dec!(-2), dec!(165), dec!(-20)));
        assert_eq!(position.add(&linear, Direction::Buy, dec!(2), dec!(160)), dec!(10));
        assert_eq!((position.size, position.average), (dec!(0), dec!(0)));
    }

    #[test]
    fn an_inverse_position_gains_coin() {
        let inverse = instrument("BTC-PERPETUAL");
        let mut position = Position::default();
        position.add(&inverse, Direction::Buy, dec!(1000), dec!(40000));
        position.add(&inverse, Direction::Buy, dec!(1000), dec!(50000));
        assert_eq!(position.average.round_dp(2), dec!(44444.44));
        assert_eq!(position.add(&inverse, Direction::Sell, dec!(2000), dec!(50000)), dec!(0.005));
    }
}
