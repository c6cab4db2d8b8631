//! Reference data that follows from the instruments: indexes, expiries, funding, deliveries.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::error::Error;
use super::instruments::{self, CURRENCIES, Instrument, NEVER};
use super::market;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use super::tape::required_time;
use crate::number::Number;

const HOUR_MILLIS: i64 = 3_600_000;

/// `public/get_contract_size`.
pub(super) fn get_contract_size(state: &mut State, params: &Params) -> Outcome {
    done(&json!({"contract_size": instruments::named(state, params)?.contract_size}))
}

fn index(state: &State, params: &Params) -> Result<(&'static str, Decimal), Error> {
    let name = params.required("index_name", params.text("index_name")?)?;
    let found = state.index_name(&name).zip(state.index_price(&name));
    found.ok_or_else(|| Error::invalid_param("index_name", "unknown index"))
}

/// `public/get_index_price`.
pub(super) fn get_index_price(state: &mut State, params: &Params) -> Outcome {
    let price = Number(index(state, params)?.1);
    done(&json!({"index_price": price, "estimated_delivery_price": price}))
}

/// `public/get_index_chart_data`: the index has stood where it stands.
pub(super) fn get_index_chart_data(state: &mut State, params: &Params) -> Outcome {
    let price = Number(index(state, params)?.1);
    let hours = match params.required("range", params.text("range")?)?.as_str() {
        "1h" => 1,
        "1d" => 24,
        "2d" => 48,
        "1m" => 30 * 24,
        _ => 365 * 24,
    };
    let now = state.now();
    done(&[(now - hours * HOUR_MILLIS, price), (now, price)])
}

fn indexes(state: &State) -> BTreeSet<&'static str> {
    state.instruments.iter().map(|instrument| instrument.price_index).collect()
}

/// `public/get_index_price_names`.
pub(super) fn get_index_price_names(state: &mut State, params: &Params) -> Outcome {
    if !params.boolean("extended")?.unwrap_or_default() {
        return done(&indexes(state));
    }
    let has =
        |index: &str, kind: &str| state.instruments.iter().any(|one| one.price_index == index && one.kind == kind);
    let details = |name: &'static str| {
        json!({
            "name": name,
            "future_combo_creation_enabled": has(name, "future_combo"),
            "option_combo_creation_enabled": has(name, "option_combo"),
        })
    };
    done(&indexes(state).into_iter().map(details).collect::<Vec<_>>())
}

/// `public/get_supported_index_names`.
pub(super) fn get_supported_index_names(state: &mut State, params: &Params) -> Outcome {
    let wanted = params.text("type")?;
    let fits = |instrument: &&Instrument| match wanted.as_deref() {
        Some("spot") => instrument.kind == "spot",
        Some("derivative") => instrument.kind != "spot",
        _ => true,
    };
    let names: BTreeSet<_> = state.instruments.iter().filter(fits).map(|instrument| instrument.price_index).collect();
    done(&names)
}

#[derive(Default, Serialize)]
struct Expirations {
    #[serde(skip_serializing_if = "Option::is_none")]
    future: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<BTreeSet<String>>,
}

/// `public/get_expirations`.
pub(super) fn get_expirations(state: &mut State, params: &Params) -> Outcome {
    let currency = params.required("currency", params.text("currency")?)?;
    let kind = params.required("kind", params.one_of("kind", &["future", "option", "any"])?)?;
    let pair = params.text("currency_pair")?;
    let of = |currency: Option<&str>| {
        let dates = |wanted: &str| {
            let fits = |one: &&Instrument| {
                one.kind == wanted
                    && currency.is_none_or(|currency| one.is_listed_under(currency))
                    && pair.as_ref().is_none_or(|pair| one.price_index == *pair)
            };
            let asked = kind == "any" || kind == wanted;
            asked.then(|| state.instruments.iter().filter(fits).map(expiry).collect())
        };
        Expirations { future: dates("future"), option: dates("option") }
    };
    if currency == "any" {
        return done(&of(None));
    }
    let wanted = CURRENCIES.into_iter().filter(|one| currency == "grouped" || one.eq_ignore_ascii_case(&currency));
    let grouped: BTreeMap<String, Expirations> = wanted.map(|one| (one.to_lowercase(), of(Some(one)))).collect();
    if grouped.is_empty() {
        return Err(Error::invalid_param("currency", "invalid currency"));
    }
    done(&grouped)
}

/// Such as `26MAR27`.
fn expiry(instrument: &Instrument) -> String {
    if instrument.expiration_timestamp == NEVER {
        return "PERPETUAL".to_owned();
    }
    let moment = OffsetDateTime::from_unix_timestamp(instrument.expiration_timestamp / 1000);
    moment.map_or_else(
        |_| String::new(),
        |moment| {
            let month = moment.month().to_string().to_uppercase();
            format!("{}{}{:02}", moment.day(), &month[..3], moment.year() % 100)
        },
    )
}

/// `public/get_mark_price_history`: kept for no instrument here, as the venue keeps it for few.
pub(super) fn get_mark_price_history(state: &mut State, params: &Params) -> Outcome {
    instruments::named(state, params)?;
    done(&[(); 0])
}

/// `public/get_delivery_prices`: nothing has been delivered here.
pub(super) fn get_delivery_prices(state: &mut State, params: &Params) -> Outcome {
    index(state, params)?;
    done(&json!({"data": [], "records_total": 0}))
}

fn perpetual<'a>(state: &'a State, params: &Params) -> Result<&'a Instrument, Error> {
    let instrument = instruments::named(state, params)?;
    match instrument.settlement_period {
        Some("perpetual") => Ok(instrument),
        _ => Err(Error::new(Error::INVALID_INSTRUMENT)),
    }
}

/// `public/get_funding_rate_history`: one entry for each full hour.
pub(super) fn get_funding_rate_history(state: &mut State, params: &Params) -> Outcome {
    let index_price = Number(perpetual(state, params)?.prices.index);
    let (from, until) = (required_time(params, "start_timestamp")?, required_time(params, "end_timestamp")?);
    let (first, last) =
        (from.max(state.started).div_euclid(HOUR_MILLIS) + 1, until.min(state.now()).div_euclid(HOUR_MILLIS));
    let entry = |hour: i64| {
        json!({
            "timestamp": hour * HOUR_MILLIS, "index_price": index_price, "prev_index_price": index_price,
            "interest_1h": market::INTEREST, "interest_8h": market::FUNDING_8H,
        })
    };
    done(&(first..=last).map(entry).collect::<Vec<Value>>())
}

/// `public/get_funding_rate_value`: nobody pays funding here.
pub(super) fn get_funding_rate_value(state: &mut State, params: &Params) -> Outcome {
    perpetual(state, params)?;
    done(&market::INTEREST)
}

/// `public/get_funding_chart_data`.
pub(super) fn get_funding_chart_data(state: &mut State, params: &Params) -> Outcome {
    let index_price = Number(perpetual(state, params)?.prices.index);
    let point = json!({"timestamp": state.now(), "index_price": index_price, "interest_8h": market::FUNDING_8H});
    done(&json!({"current_interest": market::INTEREST, "interest_8h": market::FUNDING_8H, "data": [point]}))
}

/// `private/get_currencies`.
pub(super) fn get_currencies(_state: &mut State, _session: &Session, _params: &Params) -> Outcome {
    done(&CURRENCIES.map(|currency| json!({"currency": currency})))
}
