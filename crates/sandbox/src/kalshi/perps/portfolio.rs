//! Balance, fills and positions of perpetual futures.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::Refusal;
use super::super::markets::Span;
use super::super::money::Instance;
use super::super::read::{count, dollars, mean};
use super::super::state::State;
use super::rules::{INITIAL_MARGIN, MAINTENANCE_MARGIN, notional, profit};
use crate::clock::rfc3339;
use crate::exchange::{Fill, Owner, Position};
use crate::message::Reply;
use crate::number::Number;

/// The open positions of a subaccount, each with its mark price.
pub(super) fn open(state: &State, owner: Owner) -> impl Iterator<Item = (&str, &Position, Decimal)> {
    let exchange = &state.perps.exchange;
    let positions = exchange.account(owner).into_iter().flat_map(|account| account.positions());
    let open = positions.filter(|(_, position)| !position.count.is_zero());
    open.map(|(ticker, position)| (ticker, position, exchange.mark(ticker)))
}

/// The subaccounts that the caller sees.
pub(super) fn visible(state: &State, call: &Call) -> Result<Vec<Owner>, Refusal> {
    let owners = state.subaccounts(call.user()?, Instance::Margined);
    Ok(owners.into_iter().filter(|owner| call.sees(*owner)).collect())
}

pub(in super::super) fn balance(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let exchange = &state.perps.exchange;
    let with_available = call.query().is_set("compute_available_balance");
    let owners = visible(state, call)?;
    let funds = |owner: Owner| exchange.account(owner).map(|account| account.funds).unwrap_or_default();
    let settled: Decimal = owners.iter().map(|owner| funds(*owner)).sum();
    let balances: Vec<Value> = owners
        .into_iter()
        .map(|owner| {
            let (mut value, mut gain, mut held) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
            for (_, position, mark) in open(state, owner) {
                value += position.count * mark;
                gain += profit(position, mark);
                held += notional(position, mark);
            }
            let computed = |amount: Decimal| dollars(if with_available { amount } else { Decimal::ZERO });
            json!({
                "subaccount": owner.subaccount,
                "position_value": dollars(value),
                "account_equity": dollars(funds(owner) + gain),
                "maintenance_margin": dollars(MAINTENANCE_MARGIN * held),
                "initial_margin": dollars(INITIAL_MARGIN * held),
                "resting_orders_margin": computed(exchange.reserved(owner)),
                "available_balance": computed(exchange.available(owner)),
            })
        })
        .collect();
    Ok(Reply::json(200, &json!({"subaccount_balances": balances, "settled_funds": dollars(settled)})))
}

pub(in super::super) fn fills(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (query, subaccount) = (call.query(), call.subaccount_or_all()?);
    let time = Span { from: query.integer("min_ts")?, to: query.integer("max_ts")? };
    let is_own = |owner: Owner| call.sees(owner) && subaccount.is_none_or(|number| owner.subaccount == number);
    let fills = state.perps.exchange.newest_fills();
    let matching = fills.filter(|(_, fill)| is_own(fill.owner) && time.holds(Some(fill.time)));
    let (page, cursor) = query.page(matching)?;
    let page: Vec<Value> = page.into_iter().map(fill).collect();
    Ok(Reply::json(200, &json!({"fills": page, "cursor": cursor})))
}

fn fill(fill: &Fill) -> Value {
    json!({
        "fill_id": fill.id,
        "order_id": fill.order_id,
        "is_taker": fill.is_taker,
        "side": fill.side.name(),
        "count": count(fill.count),
        "created_time": rfc3339(fill.time),
        "ticker": fill.ticker,
        "price": dollars(fill.price),
        "entry_price": mean(fill.entry_price.unwrap_or(fill.price)),
        "fees": dollars(fill.fee),
        "realized_pnl": dollars(fill.realized),
        "order_source": if fill.by_venue { "system" } else { "user" },
    })
}

pub(in super::super) fn positions(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let subaccount = call.subaccount_or_all()?;
    let mut positions: Vec<Value> = Vec::new();
    for owner in visible(state, call)? {
        if subaccount.is_some_and(|number| owner.subaccount != number) {
            continue;
        }
        for (ticker, position, mark) in open(state, owner) {
            if query.text("ticker").is_none_or(|wanted| wanted == ticker) {
                positions.push(to_json(owner, ticker, position, mark));
            }
        }
    }
    Ok(Reply::json(200, &json!({"positions": positions})))
}

fn to_json(owner: Owner, ticker: &str, position: &Position, mark: Decimal) -> Value {
    let margin = MAINTENANCE_MARGIN * notional(position, mark);
    let mut json = json!({
        "subaccount": owner.subaccount,
        "market_ticker": ticker,
        "position": count(position.count),
        "entry_price": mean(position.entry_price().unwrap_or_default()),
        "unrealized_pnl": dollars(profit(position, mark)),
        "margin_used": dollars(margin),
        "fees": dollars(position.open_fees),
        "is_portfolio": false,
    });
    if let Some(share) = profit(position, mark).checked_div(margin) {
        json["roe"] = json!(Number((share * Decimal::ONE_HUNDRED).round_dp(4).normalize()));
    }
    json
}

/// The sandbox pays no funding.
pub(in super::super) fn funding_history(_: &mut State, call: &Call) -> Result<Reply, Refusal> {
    call.subaccount_or_all()?;
    Ok(Reply::json(200, &json!({"funding_history": []})))
}
