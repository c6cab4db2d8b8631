//! What orders tie up and what fills move.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::instruments::Instrument;
use super::orders::{Direction, OrderState};
use super::state::State;

/// What a short option ties up, as a part of what it is on.
const SHORT_OPTION_MARGIN: Decimal = dec!(0.15);
const PLACES: u32 = 8;

/// What an order of that size ties up, and in which currency.
pub(super) fn requirement(
    instrument: &Instrument,
    direction: Direction,
    amount: Decimal,
    price: Decimal,
) -> (&'static str, Decimal) {
    let selling = direction == Direction::Sell;
    let prices = instrument.prices;
    let needed = match instrument.kind {
        "spot" if selling => return (instrument.base_currency, amount),
        "spot" => amount * price,
        "option" if selling && instrument.quote_currency == instrument.base_currency => amount * SHORT_OPTION_MARGIN,
        "option" if selling => amount * prices.index * SHORT_OPTION_MARGIN,
        "option" => amount * price,
        "future" if !instrument.is_inverse_future() => amount * price / instrument.leverage(),
        // The price of a combo is a difference, so the index values its legs.
        "future" => amount / price / instrument.leverage(),
        _ => amount / prices.index / instrument.leverage(),
    };
    (instrument.fee_currency(), needed.round_dp(PLACES).normalize())
}

/// What the open orders of an account tie up in a currency.
pub(super) fn reserved(state: &State, account: usize, currency: &str) -> Decimal {
    let open = state.accounts[account].orders.iter().filter(|order| order.order_state == OrderState::Open);
    let tied_up = open.filter_map(|order| {
        let instrument = state.instrument(order.instrument_name)?;
        let price = order.price.limit().unwrap_or(instrument.prices.mark);
        Some(requirement(instrument, order.direction, order.amount.0, price))
    });
    tied_up.filter(|(tied_up_in, _)| *tied_up_in == currency).map(|(_, amount)| amount).sum()
}

/// Books a fill: its fee, and for spot and options what changes hands. Returns the fee.
pub(super) fn settle(
    state: &mut State,
    account: usize,
    instrument: &Instrument,
    direction: Direction,
    amount: Decimal,
    price: Decimal,
) -> Decimal {
    let rate = instrument.taker_commission.0;
    let fee = match instrument.kind {
        "option" if instrument.quote_currency == instrument.base_currency => amount * rate,
        "future" if instrument.is_inverse_future() => amount / price * rate,
        "future_combo" => amount / instrument.prices.index * rate,
        _ => amount * price * rate,
    };
    let fee = fee.round_dp(PLACES).normalize();
    let sign = if direction == Direction::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
    let balances = &mut state.accounts[account].balances;
    *balances.entry(instrument.fee_currency()).or_default() -= fee;
    if matches!(instrument.kind, "spot" | "option") {
        *balances.entry(instrument.fee_currency()).or_default() -= sign * amount * price;
    }
    if instrument.kind == "spot" {
        *balances.entry(instrument.base_currency).or_default() += sign * amount;
    }
    fee
}
