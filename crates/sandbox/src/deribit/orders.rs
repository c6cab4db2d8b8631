//! Orders as the venue shows them, and how they are found and cancelled.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::error::Error;
use super::instruments::{CURRENCIES, KINDS};
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use crate::number::Number;

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    Buy,
    Sell,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OrderState {
    Open,
    Filled,
    Cancelled,
    Untriggered,
}

/// A number, or a word for an order that will be filled at whatever price there is when it is triggered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Price {
    Limit(Number),
    Market,
}

impl Price {
    pub(super) fn limit(self) -> Option<Decimal> {
        match self {
            Self::Limit(price) => Some(price.0),
            Self::Market => None,
        }
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Limit(price) => price.serialize(serializer),
            Self::Market => serializer.serialize_str("market_price"),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Order {
    pub(super) order_id: String,
    pub(super) order_state: OrderState,
    pub(super) order_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) original_order_type: Option<&'static str>,
    pub(super) time_in_force: &'static str,
    pub(super) instrument_name: &'static str,
    pub(super) direction: Direction,
    pub(super) price: Price,
    pub(super) amount: Number,
    pub(super) contracts: Number,
    pub(super) filled_amount: Number,
    pub(super) average_price: Number,
    pub(super) label: String,
    pub(super) creation_timestamp: i64,
    pub(super) last_update_timestamp: i64,
    pub(super) post_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reject_post_only: Option<bool>,
    pub(super) reduce_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_amount: Option<Number>,
    #[serde(flatten)]
    pub(super) trigger: Option<Trigger>,
    pub(super) is_liquidation: bool,
    pub(super) is_rebalance: bool,
    pub(super) risk_reducing: bool,
    pub(super) replaced: bool,
    pub(super) mmp: bool,
    pub(super) api: bool,
    pub(super) web: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cancel_reason: Option<&'static str>,
    pub(super) user_id: i64,
}

/// What makes a trigger order wake up. Nothing moves here, so none does.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Trigger {
    pub(super) triggered: bool,
    pub(super) trigger: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trigger_price: Option<Number>,
    pub(super) trigger_offset: Option<Number>,
}

impl Order {
    fn is_open(&self) -> bool {
        matches!(self.order_state, OrderState::Open | OrderState::Untriggered)
    }
}

/// `private/cancel`.
pub(super) fn cancel(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let now = state.now();
    let order = find(state, session, params)?;
    if !order.is_open() {
        return Err(Error::new(Error::NOT_OPEN_ORDER));
    }
    order.order_state = OrderState::Cancelled;
    order.cancel_reason = Some("user_request");
    order.last_update_timestamp = now;
    done(order)
}

/// `private/get_order_state`.
pub(super) fn get_order_state(state: &mut State, session: &Session, params: &Params) -> Outcome {
    done(find(state, session, params)?)
}

/// The caller's order that `order_id` names; other people's are not there.
fn find<'a>(state: &'a mut State, session: &Session, params: &Params) -> Result<&'a mut Order, Error> {
    let id = params.required("order_id", params.text("order_id")?)?;
    let orders = &mut state.accounts[session.account].orders;
    orders.iter_mut().find(|order| order.order_id == id).ok_or_else(|| Error::new(Error::ORDER_NOT_FOUND))
}

/// `private/get_order_state_by_label`.
pub(super) fn get_order_state_by_label(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = required_currency(params)?;
    let label = params.text("label")?.unwrap_or_default();
    let orders = listed(state, session, Some(currency));
    done(&orders.filter(|order| order.label == label).collect::<Vec<_>>())
}

/// `private/get_open_orders`.
pub(super) fn get_open_orders(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let matching = filter(state, params)?;
    done(&listed(state, session, None).filter(|order| order.is_open() && matching(order)).collect::<Vec<_>>())
}

/// `private/get_open_orders_by_currency`.
pub(super) fn get_open_orders_by_currency(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = required_currency(params)?;
    let matching = filter(state, params)?;
    let orders = listed(state, session, Some(currency));
    done(&orders.filter(|order| order.is_open() && matching(order)).collect::<Vec<_>>())
}

/// `private/get_open_orders_by_instrument`.
pub(super) fn get_open_orders_by_instrument(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let name = params.required("instrument_name", params.text("instrument_name")?)?;
    let name = state.instrument(&name).ok_or_else(|| Error::new(Error::INVALID_INSTRUMENT))?.instrument_name;
    let matching = filter(state, params)?;
    let orders = listed(state, session, None).filter(|order| order.instrument_name == name);
    done(&orders.filter(|order| order.is_open() && matching(order)).collect::<Vec<_>>())
}

/// `private/get_open_orders_by_label`.
pub(super) fn get_open_orders_by_label(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = required_currency(params)?;
    let label = params.text("label")?;
    let orders = listed(state, session, Some(currency)).filter(|order| order.is_open());
    done(&orders.filter(|order| label.as_ref().is_none_or(|label| order.label == *label)).collect::<Vec<_>>())
}

fn required_currency(params: &Params) -> Result<&'static str, Error> {
    params.required("currency", params.one_of("currency", &CURRENCIES)?)
}

/// The caller's orders, those of one currency or all.
fn listed<'a>(state: &'a State, session: &Session, currency: Option<&'a str>) -> impl Iterator<Item = &'a Order> {
    let under = move |order: &&Order| {
        let instrument = state.instrument(order.instrument_name);
        currency.is_none_or(|currency| instrument.is_some_and(|instrument| instrument.is_listed_under(currency)))
    };
    state.accounts[session.account].orders.iter().filter(under)
}

/// The filters that all lists of open orders share: the instrument's kind and the order's type.
fn filter<'a>(state: &'a State, params: &Params) -> Result<impl Fn(&Order) -> bool + use<'a>, Error> {
    let types = [
        "all",
        "limit",
        "trigger_all",
        "stop_all",
        "stop_limit",
        "stop_market",
        "take_all",
        "take_limit",
        "take_market",
        "trailing_all",
        "trailing_stop",
    ];
    let kind = params.one_of("kind", &KINDS)?;
    let wanted = params.one_of("type", &types)?.unwrap_or("all");
    Ok(move |order: &Order| {
        let of_kind =
            kind.is_none_or(|kind| state.instrument(order.instrument_name).is_some_and(|found| found.kind == kind));
        let of_type = match wanted {
            "all" => true,
            "trigger_all" => order.trigger.is_some(),
            "stop_all" => order.order_type.starts_with("stop_"),
            "take_all" => order.order_type.starts_with("take_"),
            "trailing_all" => order.order_type.starts_with("trailing_"),
            one => order.order_type == one,
        };
        of_kind && of_type
    })
}
