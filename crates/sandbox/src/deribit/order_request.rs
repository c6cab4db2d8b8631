//! What a caller wants to have placed, read from params.

use rust_decimal::Decimal;

use super::error::Error;
use super::instruments::Instrument;
use super::orders::Trigger;
use super::params::Params;
use crate::number::Number;

const MAX_LABEL: usize = 64;

/// What a caller wants, checked.
pub(super) struct OrderRequest {
    pub(super) order_type: &'static str,
    pub(super) original_order_type: Option<&'static str>,
    pub(super) amount: Decimal,
    pub(super) limit: Option<Decimal>,
    pub(super) trigger: Option<Trigger>,
    pub(super) time_in_force: &'static str,
    pub(super) label: String,
    pub(super) post_only: bool,
    pub(super) reject_post_only: bool,
    pub(super) reduce_only: bool,
    pub(super) mmp: bool,
    pub(super) display_amount: Option<Decimal>,
    /// Where it is a side of a mass quote.
    pub(super) quote: Option<QuoteMark>,
}

/// What names a side of a mass quote.
#[derive(Clone, Debug)]
pub(super) struct QuoteMark {
    pub(super) quote_id: String,
    pub(super) quote_set_id: Option<String>,
    pub(super) group: String,
}

impl OrderRequest {
    /// A plain limit order.
    pub(super) fn limit(amount: Decimal, price: Decimal) -> Self {
        Self {
            order_type: "limit",
            original_order_type: None,
            amount,
            limit: Some(price),
            trigger: None,
            time_in_force: "good_til_cancelled",
            label: String::new(),
            post_only: false,
            reject_post_only: false,
            reduce_only: false,
            mmp: false,
            display_amount: None,
            quote: None,
        }
    }
}

/// Refuses what would be ignored otherwise: prices in dollars or volatility, and orders that set off others.
pub(super) fn check_simulated(params: &Params) -> Result<(), Error> {
    match ["advanced", "linked_order_type", "otoco_config"].into_iter().find(|name| params.asks_for(name)) {
        Some(name) => Err(Error::invalid_param(name, "the sandbox does not simulate it")),
        None => Ok(()),
    }
}

/// Reads the params of a new order.
pub(super) fn read(params: &Params, instrument: &Instrument) -> Result<OrderRequest, Error> {
    check_simulated(params)?;
    let types =
        ["limit", "stop_limit", "take_limit", "market", "stop_market", "take_market", "market_limit", "trailing_stop"];
    let times = ["good_til_cancelled", "good_til_day", "fill_or_kill", "immediate_or_cancel"];
    let asked = params.one_of("type", &types)?.unwrap_or("limit");
    let original_order_type = (asked == "market_limit").then_some(asked);
    let order_type = if asked == "market_limit" { "market" } else { asked };
    let label = params.text("label")?.unwrap_or_default();
    if label.chars().count() > MAX_LABEL {
        return Err(Error::invalid_param("label", "at most 64 characters"));
    }
    Ok(OrderRequest {
        order_type,
        original_order_type,
        amount: params.required("amount", read_amount(params, instrument)?)?,
        limit: read_limit(params, instrument, order_type)?,
        trigger: read_trigger(params, order_type)?,
        time_in_force: params.one_of("time_in_force", &times)?.unwrap_or("good_til_cancelled"),
        label,
        post_only: params.boolean("post_only")?.unwrap_or_default(),
        reject_post_only: params.boolean("reject_post_only")?.unwrap_or_default(),
        reduce_only: params.boolean("reduce_only")?.unwrap_or_default(),
        mmp: params.boolean("mmp")?.unwrap_or_default(),
        display_amount: params.decimal("display_amount")?,
        quote: None,
    })
}

/// The size: `amount`, or `contracts`, or both where they agree.
pub(super) fn read_amount(params: &Params, instrument: &Instrument) -> Result<Option<Decimal>, Error> {
    let amount = params.decimal("amount")?;
    let of_contracts = match params.decimal("contracts")? {
        Some(contracts) => Some(
            contracts
                .checked_mul(instrument.contract_size.0)
                .ok_or_else(|| Error::invalid_param("contracts", "too large"))?,
        ),
        None => None,
    };
    if amount.is_some() && of_contracts.is_some() && amount != of_contracts {
        return Err(Error::invalid_param("contracts", "does not agree with amount"));
    }
    let Some(amount) = amount.or(of_contracts) else { return Ok(None) };
    check_amount(instrument, amount)?;
    Ok(Some(amount))
}

/// Whether an instrument is traded in such amounts.
pub(super) fn check_amount(instrument: &Instrument, amount: Decimal) -> Result<(), Error> {
    if amount <= Decimal::ZERO {
        return Err(Error::invalid_param("amount", "must be positive"));
    }
    if !(amount % instrument.min_trade_amount.0).is_zero() {
        return Err(Error::invalid_param("amount", "must be a multiple of contract size"));
    }
    Ok(())
}

fn read_limit(params: &Params, instrument: &Instrument, order_type: &str) -> Result<Option<Decimal>, Error> {
    if !order_type.ends_with("limit") {
        return Ok(None);
    }
    let price = params.required("price", params.decimal("price")?)?;
    check_price(instrument, price)?;
    Ok(Some(price))
}

/// Whether the book has a place for a price.
pub(super) fn check_price(instrument: &Instrument, price: Decimal) -> Result<(), Error> {
    // Only a combo's price, a difference, may be negative.
    if price <= Decimal::ZERO && instrument.kind != "future_combo" {
        return Err(Error::invalid_param("price", "must be positive"));
    }
    if instrument.is_on_tick(price) { Ok(()) } else { Err(Error::new(Error::PRICE_WRONG_TICK)) }
}

fn read_trigger(params: &Params, order_type: &'static str) -> Result<Option<Trigger>, Error> {
    let needed = match order_type {
        "trailing_stop" => "trigger_offset",
        "stop_limit" | "take_limit" | "stop_market" | "take_market" => "trigger_price",
        _ => return Ok(None),
    };
    let value = params.required(needed, params.decimal(needed)?)?;
    let sources = ["index_price", "mark_price", "last_price"];
    Ok(Some(Trigger {
        triggered: false,
        trigger: params.required("trigger", params.one_of("trigger", &sources)?)?,
        trigger_price: (needed == "trigger_price").then_some(Number(value)),
        trigger_offset: (needed == "trigger_offset").then_some(Number(value)),
        trigger_reference_price: None,
        order_type,
        triggered_at: 0,
    }))
}
