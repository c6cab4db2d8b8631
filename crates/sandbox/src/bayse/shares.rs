//! Minting and burning: a pair of shares, one of each outcome, for what a share pays if it wins.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::Account;
use super::error::Refusal;
use super::events::{self, Event, Market};
use super::exchange::Exchange;
use super::ledger::{Currency, Realized};
use super::orders::single;
use super::read;
use crate::make::uuid;
use crate::message::{Reply, Request};
use crate::number::Number;

/// Decimals of a share.
const SHARE_DECIMALS: u32 = 6;

#[derive(Deserialize)]
struct Body {
    /// Money.
    quantity: Option<Number>,
    currency: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SharesResponse {
    operation_id: String,
    market_id: String,
    /// Shares of each outcome.
    quantity: Number,
    outcome1_price: Number,
    outcome2_price: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    proceeds: Option<Number>,
}

struct SharesRequest<'a> {
    event: &'a Event,
    market: &'a Market,
    currency: Currency,
    shares: Decimal,
    money: Decimal,
}

fn read_body<'a>(events: &'a [Event], market_id: &str, request: &Request) -> Result<SharesRequest<'a>, Refusal> {
    let body: Body = read::body(request)?;
    let (event, market) = events::market(events, market_id).ok_or_else(|| Refusal::not_found("market"))?;
    if event.status != "open" {
        return Err(Refusal::bad_request("the event is not open"));
    }
    let currency = Currency::read(body.currency.as_deref().unwrap_or("USD"))
        .ok_or_else(|| Refusal::invalid("currency must be USD or NGN"))?;
    let money = body.quantity.ok_or_else(|| Refusal::invalid("quantity is required"))?.0;
    if money <= Decimal::ZERO || money > Decimal::from(1_000_000_000_000_i64) {
        return Err(Refusal::invalid("quantity must be greater than 0"));
    }
    let shares = (money / currency.multiplier()).round_dp_with_strategy(SHARE_DECIMALS, RoundingStrategy::ToZero);
    if shares.is_zero() {
        return Err(Refusal::invalid("quantity is worth no share"));
    }
    Ok(SharesRequest { event, market, currency, shares, money: shares * currency.multiplier() })
}

fn answer(exchange: &Exchange, asked: &SharesRequest<'_>, proceeds: Option<Decimal>) -> Reply {
    let price = |id: &str| Number::from(exchange.price_of(asked.market, id));
    Reply::json(
        200,
        &SharesResponse {
            operation_id: uuid(),
            market_id: asked.market.id.clone(),
            quantity: asked.shares.into(),
            outcome1_price: price(&asked.market.outcome1_id),
            outcome2_price: price(&asked.market.outcome2_id),
            proceeds: proceeds.map(Number::from),
        },
    )
}

/// `mintShares`. What the pair costs is split between the two by their first prices, which add up to one.
pub(super) fn mint(
    exchange: &Exchange,
    account: &mut Account,
    events: &[Event],
    market_id: &str,
    request: &Request,
    now: i64,
) -> Result<Reply, Refusal> {
    let asked = read_body(events, market_id, request)?;
    let ledger = &mut account.ledger;
    ledger.spend(asked.currency, asked.money).map_err(single)?;
    let first = asked.money * asked.market.initial_price(&asked.market.outcome1_id);
    ledger.add_shares(&asked.market.outcome1_id, asked.currency, asked.shares, first, now);
    ledger.add_shares(&asked.market.outcome2_id, asked.currency, asked.shares, asked.money - first, now);
    Ok(answer(exchange, &asked, None))
}

/// `burnShares`.
pub(super) fn burn(
    exchange: &Exchange,
    account: &mut Account,
    events: &[Event],
    market_id: &str,
    request: &Request,
    now: i64,
) -> Result<Reply, Refusal> {
    let asked = read_body(events, market_id, request)?;
    let outcomes = [&asked.market.outcome1_id, &asked.market.outcome2_id];
    let ledger = &mut account.ledger;
    if outcomes.iter().any(|id| ledger.free_shares(id, asked.currency) < asked.shares) {
        return Err(single(super::ledger::TOO_FEW_SHARES));
    }
    let cost = outcomes.map(|id| ledger.take_shares(id, asked.currency, asked.shares, now)).into_iter().sum();
    ledger.receive(asked.currency, asked.money);
    ledger.realized.push(Realized {
        at: now,
        event_id: asked.event.id.clone(),
        currency: asked.currency,
        proceeds: asked.money,
        cost,
    });
    Ok(answer(exchange, &asked, Some(asked.money)))
}
