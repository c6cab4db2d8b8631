//! The filters that lists of orders, trades and positions share.

use super::error::Error;
use super::instruments::Instrument;
use super::orders::Order;
use super::params::Params;
use super::state::State;

const MAX_COUNT: i64 = 1000;

/// A kind of instrument, where one is requested.
pub(super) struct KindFilter(Option<String>);

impl KindFilter {
    pub(super) fn read(params: &Params) -> Result<Self, Error> {
        Ok(Self(params.text("kind")?))
    }

    pub(super) fn lets_in(&self, instrument: &Instrument) -> bool {
        match self.0.as_deref() {
            None | Some("any") => true,
            Some("combo") => matches!(instrument.kind, "future_combo" | "option_combo"),
            Some(kind) => instrument.kind == kind,
        }
    }
}

/// A kind of order, where one is requested.
pub(super) struct TypeFilter(Option<String>);

impl TypeFilter {
    pub(super) fn read(params: &Params) -> Result<Self, Error> {
        Ok(Self(params.text("type")?))
    }

    pub(super) fn lets_in(&self, order: &Order) -> bool {
        match self.0.as_deref() {
            None | Some("all") => true,
            Some("trigger_all") => order.trigger.is_some(),
            // Cancelling names some of them more briefly than listing.
            Some("stop_all" | "stop") => order.order_type.starts_with("stop_"),
            Some("take_all" | "take") => order.order_type.starts_with("take_"),
            Some("trailing_all") => order.order_type.starts_with("trailing_"),
            Some(one) => order.order_type == one,
        }
    }
}

/// Whether a value is between two limits, each of which may be left out.
pub(super) fn is_within(value: i64, first: Option<i64>, last: Option<i64>) -> bool {
    first.is_none_or(|first| value >= first) && last.is_none_or(|last| value <= last)
}

pub(super) fn required_currency(params: &Params) -> Result<String, Error> {
    params.required("currency", params.text("currency")?)
}

pub(super) fn required_instrument<'a>(state: &'a State, params: &Params) -> Result<&'a Instrument, Error> {
    let name = params.required("instrument_name", params.text("instrument_name")?)?;
    state.instrument(&name).ok_or_else(|| Error::new(Error::INVALID_INSTRUMENT))
}

/// How many entries a response shall have.
pub(super) fn count(params: &Params, usual: i64) -> Result<usize, Error> {
    let count = params.integer("count")?.unwrap_or(usual).clamp(1, MAX_COUNT);
    Ok(usize::try_from(count).unwrap_or_default())
}
