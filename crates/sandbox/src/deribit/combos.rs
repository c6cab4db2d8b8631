//! Combos: instruments of two legs.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::filter;
use super::instruments::Instrument;
use super::orders::Direction;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use crate::number::Number;

#[derive(Serialize)]
struct Combo {
    id: &'static str,
    instrument_id: i64,
    legs: Vec<Leg>,
    state: &'static str,
    state_timestamp: i64,
    creation_timestamp: i64,
}

#[derive(Clone, Serialize)]
struct Leg {
    instrument_name: String,
    /// Below zero where buying the combo sells the leg.
    amount: i64,
}

/// The combo that an instrument is.
fn combo(instrument: &Instrument) -> Option<Combo> {
    let (base, legs) = instrument.instrument_name.split_once("-FS-")?;
    let (far, near) = legs.split_once('_')?;
    let leg = |expiry: &str, amount| Leg {
        instrument_name: format!("{base}-{}", if expiry == "PERP" { "PERPETUAL" } else { expiry }),
        amount,
    };
    Some(Combo {
        id: instrument.instrument_name,
        instrument_id: instrument.instrument_id,
        legs: vec![leg(far, 1), leg(near, -1)],
        state: "active",
        state_timestamp: instrument.creation_timestamp,
        creation_timestamp: instrument.creation_timestamp,
    })
}

/// `public/get_combos`.
pub(super) fn get_combos(state: &mut State, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let listed = state.instruments.iter().filter(|one| currency == "any" || one.is_listed_under(&currency));
    done(&listed.filter_map(combo).collect::<Vec<_>>())
}

/// `public/get_combo_ids`.
pub(super) fn get_combo_ids(state: &mut State, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let wanted = params.text("state")?;
    let listed = state.instruments.iter().filter(|one| currency == "any" || one.is_listed_under(&currency));
    let fits = |combo: &Combo| wanted.as_ref().is_none_or(|wanted| combo.state == wanted);
    done(&listed.filter_map(combo).filter(fits).map(|combo| combo.id).collect::<Vec<_>>())
}

/// `public/get_combo_details`.
pub(super) fn get_combo_details(state: &mut State, params: &Params) -> Outcome {
    let id = params.required("combo_id", params.text("combo_id")?)?;
    let found = state.instrument(&id).and_then(combo);
    done(&found.ok_or_else(|| Error::new(Error::NOT_FOUND))?)
}

#[derive(Deserialize)]
struct NewLeg {
    instrument_name: String,
    direction: String,
    amount: Option<Number>,
}

/// `private/create_combo`: gives the combo of these legs where it is listed. No other can be made here.
pub(super) fn create_combo(state: &mut State, _session: &Session, params: &Params) -> Outcome {
    let legs: Vec<NewLeg> = params.required("trades", params.read_list("trades")?)?;
    let mut wanted: BTreeMap<&str, Decimal> = BTreeMap::new();
    for leg in &legs {
        if state.instrument(&leg.instrument_name).is_none() {
            return Err(Error::new(Error::INVALID_INSTRUMENT));
        }
        let direction = match leg.direction.as_str() {
            "buy" => Direction::Buy,
            "sell" => Direction::Sell,
            _ => return Err(Error::invalid_param("trades", "direction must be buy or sell")),
        };
        let amount = leg.amount.map_or(Decimal::ONE, |amount| amount.0);
        let signed = if direction == Direction::Buy { amount } else { -amount };
        wanted.insert(&leg.instrument_name, signed);
    }
    let found = state.instruments.iter().filter_map(combo).find(|combo| {
        let ratios: Vec<Decimal> = combo
            .legs
            .iter()
            .filter_map(|leg| Some(*wanted.get(leg.instrument_name.as_str())? / Decimal::from(leg.amount)))
            .collect();
        // The same legs in the same proportion, either way around.
        ratios.len() == combo.legs.len()
            && wanted.len() == ratios.len()
            && ratios.iter().all(|ratio| !ratio.is_zero() && *ratio == ratios[0])
    });
    done(&found.ok_or_else(|| Error::other_reject("combo_not_offered_in_this_sandbox"))?)
}
