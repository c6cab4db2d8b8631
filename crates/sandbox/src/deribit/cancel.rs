//! How orders are cancelled: one by one, by what they have in common, or with their connection.

use std::collections::BTreeMap;

use serde::Serialize;

use super::book::OrderLocation;
use super::error::Error;
use super::filter::{self, KindFilter, TypeFilter};
use super::instruments::Instrument;
use super::orders::{Order, OrderState};
use super::params::Params;
use super::state::{Outcome, Session, State, done};

/// What was cancelled on one instrument, of one type.
#[derive(Serialize)]
struct Report<'a> {
    currency: &'static str,
    instrument_name: &'static str,
    #[serde(rename = "type")]
    order_type: &'static str,
    result: Vec<&'a Order>,
}

/// `private/cancel`.
pub(super) fn cancel(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let slot = state.own_slot(session, params)?;
    if !state.order(slot).is_open() {
        return Err(Error::new(Error::NOT_OPEN_ORDER));
    }
    state.end(slot, OrderState::Cancelled, Some("user_request"));
    done(state.order(slot))
}

/// `private/cancel_all`.
pub(super) fn cancel_all(state: &mut State, session: &Session, params: &Params) -> Outcome {
    cancel_where(state, session, params, |_| true)
}

/// `private/cancel_all_by_currency`.
pub(super) fn cancel_all_by_currency(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    cancel_where(state, session, params, |instrument| instrument.is_listed_under(&currency))
}

/// `private/cancel_all_by_currency_pair`.
pub(super) fn cancel_all_by_currency_pair(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let pair = params.required("currency_pair", params.text("currency_pair")?)?;
    cancel_where(state, session, params, |instrument| instrument.price_index == pair)
}

/// `private/cancel_all_by_instrument`.
pub(super) fn cancel_all_by_instrument(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let name = filter::required_instrument(state, params)?.instrument_name;
    cancel_where(state, session, params, |instrument| instrument.instrument_name == name)
}

/// `private/cancel_all_by_kind_or_type`: one currency, several, or `any`.
pub(super) fn cancel_all_by_kind_or_type(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currencies = params.required("currency", params.words("currency")?)?;
    cancel_where(state, session, params, |instrument| {
        currencies.iter().any(|currency| currency == "any" || instrument.is_listed_under(currency))
    })
}

/// `private/cancel_by_label`.
pub(super) fn cancel_by_label(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let label = params.required("label", params.text("label")?)?;
    let currency = params.text("currency")?;
    let open = state.open_orders(session.account).filter(|(_, order)| order.label == label);
    let listed = |order: &Order| {
        currency.as_ref().is_none_or(|currency| state.is_on(order, |one| one.is_listed_under(currency)))
    };
    let slots: Vec<OrderLocation> = open.filter(|(_, order)| listed(order)).map(|(slot, _)| slot).collect();
    end_all(state, &slots, "user_request");
    done(&slots.len())
}

fn cancel_where(
    state: &mut State,
    session: &Session,
    params: &Params,
    wanted: impl Fn(&Instrument) -> bool,
) -> Outcome {
    let (kind, of_type) = (KindFilter::read(params)?, TypeFilter::read(params)?);
    let fits = |order: &Order| {
        of_type.lets_in(order) && state.is_on(order, |instrument| wanted(instrument) && kind.lets_in(instrument))
    };
    let open = state.open_orders(session.account);
    let slots: Vec<OrderLocation> = open.filter(|(_, order)| fits(order)).map(|(slot, _)| slot).collect();
    end_and_report(state, &slots, params)
}

/// Cancels orders, and lists them where `detailed` asks for it, else counts them.
pub(super) fn end_and_report(state: &mut State, slots: &[OrderLocation], params: &Params) -> Outcome {
    let is_detailed = params.boolean("detailed")?.unwrap_or_default();
    end_all(state, slots, "user_request");
    if is_detailed { done(&reports(state, slots)) } else { done(&slots.len()) }
}

pub(super) fn end_all(state: &mut State, slots: &[OrderLocation], reason: &'static str) {
    for slot in slots {
        state.end(*slot, OrderState::Cancelled, Some(reason));
    }
}

fn reports<'a>(state: &'a State, slots: &[OrderLocation]) -> Vec<Report<'a>> {
    let mut groups: BTreeMap<(&'static str, &'static str), Vec<&Order>> = BTreeMap::new();
    for order in slots.iter().map(|slot| state.order(*slot)) {
        groups.entry((order.instrument_name, order.order_type)).or_default().push(order);
    }
    let report = |((instrument_name, order_type), result)| {
        let currency = state.instrument(instrument_name).map_or("", Instrument::fee_currency);
        Report { currency, instrument_name, order_type, result }
    };
    groups.into_iter().map(report).collect()
}

impl State {
    /// Cancels what a connection that is lost has placed.
    pub(super) fn cancel_orders_of(&mut self, connection: u64) {
        for account in 0..self.accounts.len() {
            let own = self.open_orders(account).filter(|(_, order)| order.connection == Some(connection));
            let slots: Vec<OrderLocation> = own.map(|(slot, _)| slot).collect();
            end_all(self, &slots, "cancel_on_disconnect");
        }
    }
}
