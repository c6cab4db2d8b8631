//! Mass quotes: at most one quote a side of an instrument in a group of market maker protection.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::book::OrderLocation;
use super::cancel;
use super::edit::{self, Amendment};
use super::error::Error;
use super::filter::KindFilter;
use super::market;
use super::order_request::{self, OrderRequest, QuoteMark};
use super::orders::{Direction, Order};
use super::params::Params;
use super::place::{self, OrderResult};
use super::state::{Outcome, Session, State, done};
use super::trades::Trade;
use crate::number::Number;

const MAX_QUOTES: usize = 100;
const CANCEL_TYPES: [&str; 7] =
    ["delta", "quote_set_id", "instrument", "instrument_kind", "currency", "currency_pair", "all"];

#[derive(Deserialize)]
struct Quote {
    instrument_name: String,
    quote_set_id: Option<String>,
    bid: Option<Side>,
    ask: Option<Side>,
}

#[derive(Deserialize)]
struct Side {
    price: Option<Number>,
    amount: Option<Number>,
    post_only: Option<bool>,
    reject_post_only: Option<bool>,
}

#[derive(Serialize)]
struct QuoteError {
    instrument_name: String,
    side: &'static str,
    error: Reason,
}

#[derive(Serialize)]
struct Reason {
    code: i32,
    message: String,
}

#[derive(Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<Vec<Order>>,
    trades: Vec<Trade>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<QuoteError>>,
    errors_count: usize,
}

/// Whom a call quotes for.
struct Batch<'a> {
    session: &'a Session,
    quote_id: String,
    group: String,
}

/// `private/mass_quote`. An amount of 0 takes a quote away.
pub(super) fn mass_quote(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let batch = Batch {
        session,
        quote_id: params.required("quote_id", params.text("quote_id")?)?,
        group: params.required("mmp_group", params.text("mmp_group")?)?,
    };
    let quotes: Vec<Quote> = params.required("quotes", params.read_list("quotes")?)?;
    if quotes.len() > MAX_QUOTES {
        return Err(Error::invalid_param("quotes", "at most 100"));
    }
    place::check_in_time(state, params)?;
    let is_detailed = params.boolean("detailed")?.unwrap_or_default();
    let (mut orders, mut trades, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for quote in quotes {
        for (side, direction) in [(&quote.bid, Direction::Buy), (&quote.ask, Direction::Sell)] {
            let Some(side) = side else { continue };
            match batch.place(state, &quote, side, direction) {
                Ok(Some(placed)) => {
                    orders.push(placed.order);
                    trades.extend(placed.trades);
                }
                Ok(None) => {}
                Err(error) => {
                    let side = if direction == Direction::Buy { "bid" } else { "ask" };
                    let error = Reason { code: error.code(), message: error.message().to_owned() };
                    errors.push(QuoteError { instrument_name: quote.instrument_name.clone(), side, error });
                }
            }
        }
    }
    done(&Report {
        orders: is_detailed.then_some(orders),
        trades,
        errors_count: errors.len(),
        errors: is_detailed.then_some(errors),
    })
}

impl Batch<'_> {
    fn place(
        &self,
        state: &mut State,
        quote: &Quote,
        side: &Side,
        direction: Direction,
    ) -> Result<Option<OrderResult>, Error> {
        let instrument = state.instrument(&quote.instrument_name).cloned();
        let instrument = instrument.ok_or_else(|| Error::new(Error::INVALID_INSTRUMENT))?;
        let account = self.session.account;
        if state.is_frozen(account, instrument.price_index, &self.group) {
            return Err(Error::other_reject("mmp_frozen"));
        }
        let is_mine = |order: &Order| {
            order.instrument_name == instrument.instrument_name
                && order.direction == direction
                && order.mmp_group.as_ref() == Some(&self.group)
        };
        let old = state.open_orders(account).find(|(_, order)| is_mine(order)).map(|(slot, _)| slot);
        let amount = side.amount.map(|amount| amount.0);
        if amount.is_some_and(|amount| amount.is_zero()) {
            let old = old.ok_or_else(|| Error::new(Error::ORDER_NOT_FOUND))?;
            cancel::end_all(state, &[old], "user_request");
            return Ok(Some(OrderResult { order: state.order(old).clone(), trades: Vec::new() }));
        }
        let price = side.price.map(|price| price.0);
        if let Some(amount) = amount {
            order_request::check_amount(&instrument, amount)?;
        }
        if let Some(price) = price {
            order_request::check_price(&instrument, price)?;
        }
        let mark = QuoteMark {
            quote_id: self.quote_id.clone(),
            quote_set_id: quote.quote_set_id.clone(),
            group: self.group.clone(),
        };
        if let Some(old) = old {
            // The amount of a quote is what is left to be traded.
            let amount = amount.map(|amount| amount + state.order(old).filled_amount.0);
            let amendment = Amendment {
                amount,
                price,
                post_only: side.post_only,
                reject_post_only: side.reject_post_only,
                quote: Some(mark),
                ..Amendment::default()
            };
            return edit::amend(state, old, amendment).map(Some);
        }
        let missing = |name: &str| Error::invalid_param(name, "missing");
        let order_request = OrderRequest {
            mmp: true,
            post_only: side.post_only.unwrap_or_default(),
            reject_post_only: side.reject_post_only.unwrap_or_default(),
            quote: Some(mark),
            ..OrderRequest::limit(amount.ok_or_else(|| missing("amount"))?, price.ok_or_else(|| missing("price"))?)
        };
        place::fulfil(state, self.session, &instrument, direction, order_request).map(Some)
    }
}

/// Which orders a call is about.
type Test = Box<dyn Fn(&State, &Order) -> bool>;

/// `private/cancel_quotes`.
pub(super) fn cancel_quotes(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let cancel_type = params.required("cancel_type", params.one_of("cancel_type", &CANCEL_TYPES)?)?;
    let needed = |name: &str| params.required(name, params.text(name)?);
    let test: Test = match cancel_type {
        "quote_set_id" => {
            let set = needed("quote_set_id")?;
            Box::new(move |_, order| order.quote_set_id.as_ref() == Some(&set))
        }
        "instrument" => {
            let name = needed("instrument_name")?;
            Box::new(move |_, order| order.instrument_name == name)
        }
        "instrument_kind" => {
            let kind = KindFilter::read(params)?;
            let currency = params.text("currency")?;
            Box::new(move |state, order| {
                state.is_on(order, |instrument| {
                    kind.lets_in(instrument)
                        && currency.as_ref().is_none_or(|currency| instrument.is_listed_under(currency))
                })
            })
        }
        "currency" => {
            let currency = needed("currency")?;
            Box::new(move |state, order| state.is_on(order, |instrument| instrument.is_listed_under(&currency)))
        }
        "currency_pair" => {
            let pair = needed("currency_pair")?;
            Box::new(move |state, order| state.is_on(order, |instrument| instrument.price_index == pair))
        }
        "delta" => {
            let low = params.required("min_delta", params.decimal("min_delta")?)?;
            let high = params.required("max_delta", params.decimal("max_delta")?)?;
            Box::new(move |state, order| {
                state.is_on(order, |instrument| {
                    let delta = market::delta(instrument).unwrap_or(Decimal::ONE);
                    (low..=high).contains(&delta)
                })
            })
        }
        _ => Box::new(|_, _| true),
    };
    let open = state.open_orders(session.account);
    let quotes = open.filter(|(_, order)| order.quote && test(state, order));
    let slots: Vec<OrderLocation> = quotes.map(|(slot, _)| slot).collect();
    cancel::end_and_report(state, &slots, params)
}
