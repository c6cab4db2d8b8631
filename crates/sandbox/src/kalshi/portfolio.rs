//! Balance, fills, settlements and payments.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::markets::Span;
use super::orders::sides;
use super::read::{cents, count, dollars};
use super::state::{FIRST_DEPOSIT, Settlement, State};
use crate::clock::rfc3339;
use crate::exchange::{Fill, Owner, Side};
use crate::message::Reply;
use crate::paging::newest_first;

/// The worth of a position at the last price: positive counts are yes, negative ones no.
fn worth(state: &State, ticker: &str, contracts: Decimal) -> Decimal {
    let last = state.events.mark(ticker);
    if contracts.is_sign_negative() { -contracts * (Decimal::ONE - last) } else { contracts * last }
}

pub(super) fn balance(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    if call.is_about_other_shard()? {
        return Err(Refusal::invalid("unknown exchange_index"));
    }
    let owner = call.subaccount_or_primary()?;
    let account = state.events.account(owner);
    let positions = account.into_iter().flat_map(|account| account.positions());
    let value: Decimal = positions.map(|(ticker, position)| worth(state, ticker, position.count)).sum();
    let available = state.events.available(owner);
    let mut json = json!({
        "balance": cents(available),
        "balance_dollars": dollars(available),
        "portfolio_value": cents(value),
        "updated_ts": account.map_or(call.now, |account| account.updated) / 1000,
    });
    if call.key()?.subaccount.is_none() {
        json["balance_breakdown"] = json!([{"exchange_index": 0, "balance": dollars(available)}]);
    }
    Ok(Reply::json(200, &json))
}

pub(super) fn resting_value(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let user = call.user()?;
    let owners = state.events.accounts_of(user).map(|(owner, _)| owner).filter(|owner| call.sees(*owner));
    let value: Decimal = owners.map(|owner| state.events.reserved(owner)).sum();
    Ok(Reply::json(
        200,
        &json!({
            "total_resting_order_value": cents(value),
            "resting_order_value_breakdown": [{"exchange_index": 0, "balance": dollars(value)}],
        }),
    ))
}

pub(super) fn fills(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let subaccount = call.subaccount_or_all()?;
    let time = Span { from: query.integer("min_ts")?, to: query.integer("max_ts")? };
    let elsewhere = call.is_about_other_shard()?;
    let matching = state.events.newest_fills().filter(|(_, fill)| {
        !elsewhere
            && call.sees(fill.owner)
            && subaccount.is_none_or(|number| fill.owner.subaccount == number)
            && query.lists("ticker", &fill.ticker)
            && query.text("order_id").is_none_or(|id| fill.order_id == id)
            && time.holds(Some(fill.time))
    });
    let (page, cursor) = query.page(matching)?;
    let page: Vec<Value> = page.into_iter().map(fill).collect();
    Ok(Reply::json(200, &json!({"fills": page, "cursor": cursor})))
}

fn fill(fill: &Fill) -> Value {
    let mut json = json!({
        "fill_id": fill.id,
        "trade_id": fill.id,
        "exchange_index": 0,
        "order_id": fill.order_id,
        "ticker": fill.ticker,
        "market_ticker": fill.ticker,
        "count_fp": count(fill.count),
        "yes_price_dollars": dollars(fill.price),
        "no_price_dollars": dollars(Decimal::ONE - fill.price),
        "is_taker": fill.is_taker,
        "created_time": rfc3339(fill.time),
        "fee_cost": dollars(fill.fee),
        "subaccount_number": fill.owner.subaccount,
        "ts": fill.time / 1000,
    });
    if let Value::Object(members) = &mut json {
        members.extend(sides(fill.side));
    }
    json
}

pub(super) fn settlements(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let subaccount = call.subaccount_or_all()?;
    let time = Span { from: query.integer("min_ts")?, to: query.integer("max_ts")? };
    let matching = newest_first(&state.settlements).filter(|(_, settlement)| {
        let market = &state.markets[settlement.market];
        call.sees(settlement.owner)
            && subaccount.is_none_or(|number| settlement.owner.subaccount == number)
            && query.text("ticker").is_none_or(|ticker| market.ticker == ticker)
            && query.text("event_ticker").is_none_or(|ticker| market.event_ticker == ticker)
            && time.holds(Some(settlement.time))
    });
    let (page, cursor) = query.page(matching)?;
    let page: Vec<Value> = page.into_iter().map(|settlement| settled(state, settlement)).collect();
    Ok(Reply::json(200, &json!({"settlements": page, "cursor": cursor})))
}

fn settled(state: &State, settlement: &Settlement) -> Value {
    let (market, held) = (&state.markets[settlement.market], &settlement.held);
    let cost = |side: Side| match side {
        _ if held.closable_by(side.opposite()).is_zero() => Decimal::ZERO,
        Side::Bid => held.cost,
        Side::Ask => held.cost - held.count,
    };
    let (yes, no) = (held.closable_by(Side::Ask), held.closable_by(Side::Bid));
    let value = market.settlement_value();
    json!({
        "ticker": market.ticker,
        "exchange_index": 0,
        "event_ticker": market.event_ticker,
        "market_result": if market.yes_won { "yes" } else { "no" },
        "yes_count_fp": count(yes),
        "yes_total_cost_dollars": dollars(cost(Side::Bid)),
        "no_count_fp": count(no),
        "no_total_cost_dollars": dollars(cost(Side::Ask)),
        "revenue": cents(yes * value + no * (Decimal::ONE - value)),
        "settled_time": rfc3339(settlement.time),
        "fee_cost": dollars(held.fees),
        "value": cents(value),
    })
}

/// The money that the account began with.
pub(super) fn deposits(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let primary = Owner { user: call.user()?, subaccount: 0 };
    let seconds = state.money.opened / 1000;
    let deposit = json!({
        "id": format!("deposit-{}", primary.user + 1),
        "status": "applied",
        "type": "wire",
        "amount_cents": cents(FIRST_DEPOSIT),
        "fee_cents": 0,
        "created_ts": seconds,
        "finalized_ts": seconds,
    });
    let (page, cursor) = call.query().page_of(std::iter::once((0, deposit)), 100, 500)?;
    Ok(Reply::json(200, &json!({"deposits": page, "cursor": cursor})))
}

/// No operation takes money out.
pub(super) fn withdrawals(_: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (page, cursor) = call.query().page_of(std::iter::empty::<(i64, Value)>(), 100, 500)?;
    Ok(Reply::json(200, &json!({"withdrawals": page, "cursor": cursor})))
}
