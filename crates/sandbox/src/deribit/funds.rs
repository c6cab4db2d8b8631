//! What orders tie up and what fills move.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::instruments::Instrument;
use super::orders::Direction;
use super::positions;
use super::state::State;
use super::trades::Liquidity;

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

/// The fee on a fill at a rate.
pub(super) fn fee(instrument: &Instrument, amount: Decimal, price: Decimal, rate: Decimal) -> Decimal {
    let fee = match instrument.kind {
        "option" if instrument.quote_currency == instrument.base_currency => amount * rate,
        "future" if instrument.is_inverse_future() => amount / price * rate,
        "future_combo" => amount / instrument.prices.index * rate,
        _ => amount * price * rate,
    };
    fee.round_dp(PLACES).normalize()
}

/// What a position of that size ties up.
pub(super) fn margin(instrument: &Instrument, size: Decimal) -> Decimal {
    let direction = if size.is_sign_negative() { Direction::Sell } else { Direction::Buy };
    // A bought option is paid for.
    if size.is_zero() || instrument.is_option() && direction == Direction::Buy {
        return Decimal::ZERO;
    }
    requirement(instrument, direction, size.abs(), instrument.prices.mark).1
}

/// What the open orders and positions of an account tie up in a currency.
pub(super) fn reserved(state: &State, account: usize, currency: &str) -> Decimal {
    let account = &state.accounts[account];
    let positions = account.positions.iter().filter_map(|(name, position)| {
        let instrument = state.instrument(name).filter(|instrument| instrument.fee_currency() == currency)?;
        Some(margin(instrument, position.size))
    });
    account.reserved.get(currency).copied().unwrap_or_default() + positions.sum::<Decimal>()
}

/// What an account has of a currency, with what its open futures would gain if they were closed now.
pub(super) fn margin_balance(state: &State, account: usize, currency: &str) -> Decimal {
    let balance = state.accounts[account].balances.get(currency).copied().unwrap_or_default();
    balance + positions::floating(state, account, currency, "future")
}

/// What an account may still use of a currency.
pub(super) fn free(state: &State, account: usize, currency: &str) -> Decimal {
    margin_balance(state, account, currency) - reserved(state, account, currency)
}

/// What a fill comes to for one of its sides.
pub(super) struct Booking {
    /// In the fee's currency, as are the next two.
    pub(super) fee: Decimal,
    pub(super) gain: Decimal,
    /// What the balance changes by.
    pub(super) change: Decimal,
    /// What the balance of the base currency changes by, on the spot market.
    pub(super) base_change: Decimal,
}

/// Adds a fill to the position. Returns its fee, what changes hands, and what the position gains by it.
pub(super) fn settle(
    state: &mut State,
    account: usize,
    instrument: &Instrument,
    direction: Direction,
    amount: Decimal,
    price: Decimal,
    liquidity: Liquidity,
) -> Booking {
    let rate = match liquidity {
        Liquidity::Maker => instrument.maker_commission.0,
        Liquidity::Taker => instrument.taker_commission.0,
    };
    let fee = fee(instrument, amount, price, rate);
    let sign = if direction == Direction::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
    let account = &mut state.accounts[account];
    // The legs of a combo would have the positions, and are not traded here.
    let gain = match instrument.kind {
        "future" | "option" => {
            let position = account.positions.entry(instrument.instrument_name).or_default();
            position.add(instrument, direction, amount, price)
        }
        _ => Decimal::ZERO,
    };
    let paid = match instrument.kind {
        "spot" | "option" => sign * amount * price,
        _ => -gain,
    };
    let base_change = if instrument.kind == "spot" { sign * amount } else { Decimal::ZERO };
    Booking { fee, gain, change: -(fee + paid), base_change }
}
