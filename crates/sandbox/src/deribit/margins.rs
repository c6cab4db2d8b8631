//! What orders would tie up and do tie up, and positions that move between accounts.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::Error;
use super::funds;
use super::instruments::{self, Instrument};
use super::orders::Direction;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use crate::number::Number;

/// `private/get_margins`.
pub(super) fn get_margins(state: &mut State, _session: &Session, params: &Params) -> Outcome {
    let instrument = instruments::named(state, params)?;
    let number = |name: &str| {
        let value = params.required(name, params.decimal(name)?)?;
        let fits = value > Decimal::ZERO && value <= Decimal::from(1_000_000_000_000_i64);
        if fits { Ok(value) } else { Err(Error::invalid_param(name, "must be positive, at most 1e12")) }
    };
    let (amount, price) = (number("amount")?, number("price")?);
    let needed = |direction| Number(funds::requirement(instrument, direction, amount, price).1);
    let fee = |rate: Number| Number(funds::fee(instrument, amount, price, rate.0));
    let (maker, taker) = (fee(instrument.maker_commission), fee(instrument.taker_commission));
    done(&json!({
        "buy": needed(Direction::Buy),
        "sell": needed(Direction::Sell),
        "buy_maker_fee": maker,
        "buy_taker_fee": taker,
        "sell_maker_fee": maker,
        "sell_taker_fee": taker,
        "min_price": Number(instrument.prices.min()),
        "max_price": Number(instrument.prices.max()),
    }))
}

/// `private/get_order_margin_by_ids`: ids of other people's orders are left out.
pub(super) fn get_order_margin_by_ids(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let ids = params.required("ids", params.list("ids")?)?;
    let margin = |id: &String| {
        let slot = state.by_order_id.get(id).filter(|slot| slot.account == session.account)?;
        let order = state.order(*slot);
        let instrument = state.instrument(order.instrument_name)?;
        let price = order.price.limit().unwrap_or(instrument.prices.mark);
        let (currency, _) = funds::requirement(instrument, order.direction, order.amount.0, price);
        Some(json!({
            "order_id": id, "initial_margin": Number::from(order.reserved), "initial_margin_currency": currency,
        }))
    };
    done(&ids.iter().filter_map(margin).collect::<Vec<_>>())
}

#[derive(Deserialize)]
struct Move {
    instrument_name: String,
    amount: Number,
    price: Option<Number>,
}

#[derive(Serialize)]
struct Moved {
    instrument_name: &'static str,
    amount: Number,
    price: Number,
    direction: Direction,
    source_uid: i64,
    target_uid: i64,
}

/// A move that was found good.
struct Checked {
    instrument: Instrument,
    amount: Decimal,
    price: Decimal,
    /// Of the position that moves.
    direction: Direction,
}

/// `private/move_positions`: all of them or none. What the source gains by it is paid out at once.
pub(super) fn move_positions(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let account = |name: &str| {
        let id = params.required(name, params.integer(name)?)?;
        let is_main = state.accounts[session.account].main.is_none();
        let found = state.relative(session.account, id).filter(|_| is_main);
        Ok::<_, Error>((found.ok_or_else(|| Error::no_such_account(name))?, id))
    };
    let ((source, source_uid), (target, target_uid)) = (account("source_uid")?, account("target_uid")?);
    if source == target {
        return Err(Error::invalid_param("target_uid", "is the source"));
    }
    let moves: Vec<Move> = params.required("trades", params.read_list("trades")?)?;
    let checked = moves.iter().map(|one| check(state, source, one)).collect::<Result<Vec<_>, _>>()?;
    let mut moved = Vec::new();
    for Checked { instrument, amount, price, direction } in checked {
        let name = instrument.instrument_name;
        for (account, direction) in [(source, direction.other()), (target, direction)] {
            let position = state.accounts[account].positions.entry(name).or_default();
            let gain = position.add(&instrument, direction, amount, price);
            if !gain.is_zero() {
                state.enter(account, "settlement", instrument.fee_currency(), gain);
            }
            state.curtail(account, &instrument);
        }
        moved.push(Moved {
            instrument_name: name,
            amount: amount.into(),
            price: price.into(),
            direction,
            source_uid,
            target_uid,
        });
    }
    done(&moved)
}

fn check(state: &State, source: usize, one: &Move) -> Result<Checked, Error> {
    let instrument = state.instrument(&one.instrument_name).cloned();
    let instrument = instrument.ok_or_else(|| Error::new(Error::INVALID_INSTRUMENT))?;
    let position = state.position(source, &instrument);
    let amount = one.amount.0.abs();
    if amount.is_zero() || amount > position.size.abs() {
        return Err(Error::invalid_param("trades", "more than the position"));
    }
    let price = one.price.map_or(instrument.prices.mark, |price| price.0);
    if price <= Decimal::ZERO {
        return Err(Error::invalid_param("trades", "price must be positive"));
    }
    let direction = if position.size.is_sign_negative() { Direction::Sell } else { Direction::Buy };
    Ok(Checked { instrument, amount, price, direction })
}
