//! How many contracts have to trade before a resting order does.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::orders::visible;
use super::read::count;
use super::state::State;
use crate::exchange::{Order, Side};
use crate::message::Reply;

pub(super) fn one(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let order = visible(state, call, call.given.in_path("order_id"))?;
    if order.remaining.is_zero() {
        return Err(Refusal::not_found());
    }
    let ahead = state.events.resting(&order.ticker, order.terms.side).take_while(|other| other.id != order.id);
    let ahead: Decimal = ahead.map(|other| other.remaining).sum();
    Ok(Reply::json(200, &json!({"queue_position_fp": count(ahead)})))
}

pub(super) fn all(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let owner = call.subaccount_or_primary()?;
    let mut positions: Vec<Value> = Vec::new();
    for market in &state.markets {
        if !query.lists("market_tickers", &market.ticker) || !query.lists("event_ticker", &market.event_ticker) {
            continue;
        }
        for side in Side::BOTH {
            let mut ahead = Decimal::ZERO;
            for order in state.events.resting(&market.ticker, side) {
                if order.owner == owner {
                    positions.push(to_json(order, ahead));
                }
                ahead += order.remaining;
            }
        }
    }
    Ok(Reply::json(200, &json!({"queue_positions": positions})))
}

fn to_json(order: &Order, ahead: Decimal) -> Value {
    json!({"order_id": order.id, "market_ticker": order.ticker, "queue_position_fp": count(ahead)})
}
