//! `private/close_position`.

use super::error::Error;
use super::filter;
use super::orders::Direction;
use super::params::Params;
use super::place;
use super::state::{Outcome, Session, State, done};
use super::wish::{self, Wish};

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
            wish::check_price(&instrument, price)?;
            Some(price)
        }
        _ => None,
    };
    let wish = Wish {
        order_type,
        original_order_type: None,
        amount: size.abs(),
        limit,
        trigger: None,
        time_in_force: "good_til_cancelled",
        label: String::new(),
        post_only: false,
        reject_post_only: false,
        reduce_only: true,
        mmp: false,
        display_amount: None,
    };
    let direction = if size.is_sign_negative() { Direction::Buy } else { Direction::Sell };
    done(&place::fulfil(state, session, &instrument, direction, wish)?)
}
