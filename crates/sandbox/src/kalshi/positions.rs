//! What the caller holds, by market and by event.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::read::{count, dollars};
use super::state::State;
use crate::clock::rfc3339;
use crate::exchange::{Position, Rules};
use crate::message::Reply;

/// A position and the event of its market.
struct PositionRow<'a> {
    ticker: &'a str,
    event: &'a str,
    position: &'a Position,
}

pub(super) fn get(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let owner = call.subaccount_or_primary()?;
    let elsewhere = call.is_about_other_shard()?;
    let settlement = query.one_of("settlement_status", &["all", "unsettled", "settled"])?.unwrap_or("unsettled");
    let filters: Vec<&str> =
        query.text("count_filter").map(|text| text.split(',').map(str::trim).collect()).unwrap_or_default();
    if filters.iter().any(|filter| !["position", "total_traded"].contains(filter)) {
        return Err(query.refuse("count_filter", "oneof"));
    }
    let counts = |position: &Position| {
        filters.iter().any(|filter| match *filter {
            "position" => !position.count.is_zero(),
            _ => !position.traded.is_zero(),
        })
    };
    let positions = state.events.account(owner).into_iter().flat_map(|account| account.positions());
    let held = positions.filter_map(|(ticker, position)| {
        state.market(ticker).map(|market| PositionRow { ticker, event: &market.event_ticker, position })
    });
    let matching: Vec<PositionRow> = held
        .filter(|held| {
            !elsewhere
                && (settlement == "all" || held.position.settled == (settlement == "settled"))
                && (filters.is_empty() || counts(held.position))
                && query.text("ticker").is_none_or(|ticker| held.ticker == ticker)
                && query.text("event_ticker").is_none_or(|ticker| held.event == ticker)
        })
        .collect();
    let (page, cursor) = query.page(matching.iter().map(|held| (held.ticker.to_owned(), held)))?;
    let mut events: Vec<&str> = page.iter().map(|held| held.event).collect();
    events.dedup();
    let events: Vec<Value> = events.into_iter().map(|event| event_json(state, event, &matching)).collect();
    let markets: Vec<Value> = page.into_iter().map(|held| market_json(state, held)).collect();
    Ok(Reply::json(200, &json!({"market_positions": markets, "event_positions": events, "cursor": cursor})))
}

fn exposure(state: &State, held: &PositionRow) -> Decimal {
    state.events.rules.position_margin(held.position, Decimal::ZERO)
}

fn market_json(state: &State, held: &PositionRow) -> Value {
    let position = held.position;
    json!({
        "ticker": held.ticker,
        "exchange_index": 0,
        "total_traded_dollars": dollars(position.spent),
        "position_fp": count(position.count),
        "market_exposure_dollars": dollars(exposure(state, held)),
        "realized_pnl_dollars": dollars(position.realized),
        "fees_paid_dollars": dollars(position.fees),
        "last_updated_ts": rfc3339(position.updated),
    })
}

fn event_json(state: &State, event: &str, all: &[PositionRow]) -> Value {
    let sum = |value: &dyn Fn(&PositionRow) -> Decimal| {
        all.iter().filter(|held| held.event == event).map(value).sum::<Decimal>()
    };
    json!({
        "event_ticker": event,
        "total_cost_dollars": dollars(sum(&|held| held.position.spent)),
        "total_cost_shares_fp": count(sum(&|held| held.position.traded)),
        "event_exposure_dollars": dollars(sum(&|held| exposure(state, held))),
        "realized_pnl_dollars": dollars(sum(&|held| held.position.realized)),
        "fees_paid_dollars": dollars(sum(&|held| held.position.fees)),
    })
}
