//! The state of the exchange, the caller's limits and the caller's money.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::json;

use super::auth;
use super::book::Book;
use super::error::Refusal;
use super::keys::Key;
use super::markets::Market;
use super::read::{Query, dollars};
use crate::message::{Reply, Request};

pub(super) fn status() -> Reply {
    Reply::json(
        200,
        &json!({
            "exchange_active": true,
            "trading_active": true,
            "intra_exchange_transfers_active": true,
            "exchange_index_statuses": [{
                "exchange_index": 0,
                "description": "sandbox",
                "exchange_active": true,
                "trading_active": true,
                "intra_exchange_transfers_active": true,
            }],
        }),
    )
}

/// The account has the Premier level, which the venue asks for in order to register own public keys.
pub(super) fn limits() -> Reply {
    Reply::json(
        200,
        &json!({
            "usage_tier": "premier",
            "read": {"refill_rate": 1200, "bucket_capacity": 1200},
            "write": {"refill_rate": 1200, "bucket_capacity": 3600},
            "grants": [{"exchange_instance": "event_contract", "level": "premier", "source": "sandbox"}],
        }),
    )
}

pub(super) fn balance(
    book: &Book,
    markets: &[Market],
    key: &Key,
    request: &Request,
    now: i64,
) -> Result<Reply, Refusal> {
    let query = Query::new("GetBalance", request);
    let subaccount = auth::subaccount(key, query.integer("subaccount")?)?.unwrap_or(0);
    if query.integer("exchange_index")?.is_some_and(|index| index != 0) {
        return Err(Refusal::invalid("unknown exchange_index"));
    }
    let cash = book.cash(subaccount);
    let value: Decimal = book
        .positions(subaccount)
        .filter_map(|(ticker, count)| Some(Market::find(markets, ticker)?.worth(count)))
        .sum();
    Ok(Reply::json(
        200,
        &json!({
            "balance": cents(cash),
            "balance_dollars": dollars(cash),
            "portfolio_value": cents(value),
            "updated_ts": now / 1000,
            "balance_breakdown": [{"exchange_index": 0, "balance": dollars(cash)}],
        }),
    ))
}

/// Whole cents; what is less than a cent is cut off.
fn cents(amount: Decimal) -> i64 {
    (amount * Decimal::ONE_HUNDRED).trunc().to_i64().unwrap_or(i64::MAX)
}
