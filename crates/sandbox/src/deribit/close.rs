//! `private/close_position`.

use rust_decimal::Decimal;

use super::error::Error;
use super::filter;
use super::order_request::{self, OrderRequest};
use super::orders::Direction;
use super::params::Params;
use super::place;
use super::state::{Outcome, Session, State, done};

/// An order for the whole position, which only makes it smaller.
pub(super) fn close_position(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let instrument = filter::required_instrument(state, params)?.clone();
    let size = state.position(session.account, &instrument).size;
    if size.is_zero() {
        return Err(Error::new(Error::ALREADY_CLOSED));
    }
    let order_type = params.required("type", params.one_of("type", &["limit", "market"])?)?;
    let limit = match order_type {
        "limit" => {
            let price = params.required("price", params.decimal("price")?)?;
            order_request::check_price(&instrument, price)?;
            Some(price)
        }
        _ => None,
    };
    let order_request =
        OrderRequest { order_type, limit, reduce_only: true, ..OrderRequest::limit(size.abs(), Decimal::ZERO) };
    let direction = if size.is_sign_negative() { Direction::Buy } else { Direction::Sell };
    done(&place::fulfil(state, session, &instrument, direction, order_request)?)
}
