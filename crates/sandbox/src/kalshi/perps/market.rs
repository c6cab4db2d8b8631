//! The markets of the perpetual futures, and whether they trade.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::Refusal;
use super::super::read::{count, dollars};
use super::super::state::State;
use super::rules::{INITIAL_MARGIN, MarginRules};
use crate::exchange::{Exchange, Side};
use crate::market_maker::Tradable;
use crate::message::Reply;
use crate::number::Number;

const DAY_MILLIS: i64 = 86_400_000;
const FUNDING_MILLIS: i64 = DAY_MILLIS / 3;
/// Reported and not paid.
const FUNDING_RATE: Number = Number(dec!(0.0001));
/// In percent. The rate that is reported lies between them.
const FUNDING_DEADBAND: Number = Number(dec!(0.005));
const FUNDING_CAP: Number = Number(dec!(2));
pub(in super::super) const TICK: Decimal = dec!(0.0001);

/// When funding is next due, were any paid.
fn next_funding(now: i64) -> i64 {
    now - now.rem_euclid(FUNDING_MILLIS) + FUNDING_MILLIS
}

/// One perpetual future. What trading changes is in the exchange.
pub(in super::super) struct Contract {
    pub(in super::super) ticker: &'static str,
    pub(super) market_id: String,
    pub(super) title: &'static str,
    pub(super) contract_size: Decimal,
    /// Whether counts may have decimals.
    pub(super) fractional: bool,
    pub(super) first_price: Decimal,
}

impl Contract {
    /// How the market maker quotes it.
    pub(in super::super) fn tradable(&self) -> Tradable {
        Tradable {
            id: self.ticker.to_owned(),
            price: self.first_price,
            tick: (self.first_price / Decimal::from(2000)).round_dp(TICK.scale()).max(TICK),
            lowest: (self.first_price * dec!(0.6)).round_dp(TICK.scale()),
            highest: (self.first_price * dec!(1.6)).round_dp(TICK.scale()),
            lot: Decimal::TEN,
        }
    }

    pub(in super::super) fn title(&self) -> &'static str {
        self.title
    }

    /// What the stream of tickers says of it, without the time.
    pub(in super::super) fn ticker_message(&self, exchange: &Exchange<MarginRules>, now: i64) -> Value {
        let shown = self.show(exchange, now);
        let last_size = exchange.trades_of(self.ticker).next_back().map(|trade| trade.count).unwrap_or_default();
        let mut json = json!({
            "market_ticker": self.ticker,
            "last_trade_size_fp": count(last_size),
            "funding_rate": {"rate": FUNDING_RATE, "next_funding_time_ms": next_funding(now), "ts_ms": next_funding(now) - FUNDING_MILLIS},
        });
        for side in Side::BOTH {
            let (price, size) = exchange.best_level(self.ticker, side).unwrap_or_default();
            json[side.name()] = dollars(price).into();
            json[format!("{}_size_fp", side.name())] = count(size).into();
        }
        for member in [
            "price",
            "volume",
            "volume_notional_value_dollars",
            "volume_24h",
            "volume_24h_notional_value_dollars",
            "open_interest",
            "open_interest_notional_value_dollars",
            "reference_price",
            "settlement_mark_price",
            "liquidation_mark_price",
        ] {
            json[member] = shown[member].clone();
        }
        json
    }

    fn show(&self, exchange: &Exchange<MarginRules>, now: i64) -> Value {
        let mark = exchange.mark(self.ticker);
        let book = exchange.book(self.ticker);
        let of_book = |value: fn(&crate::exchange::Book) -> Decimal| book.map(value).unwrap_or_default();
        let day_ago = now - DAY_MILLIS;
        let recent = exchange.trades_of(self.ticker).rev().take_while(|trade| trade.time > day_ago);
        let (volume, turnover) = recent.fold((Decimal::ZERO, Decimal::ZERO), |(volume, turnover), trade| {
            (volume + trade.count, turnover + trade.count * trade.price)
        });
        let last_trade = exchange.trades_of(self.ticker).next_back().map_or(now, |trade| trade.time);
        let mark_price = json!({"price": dollars(mark), "ts_ms": last_trade});
        let leverage = Number(Decimal::ONE / INITIAL_MARGIN);
        let open_interest = of_book(|book| book.open_interest);
        let mut json = json!({
            "ticker": self.ticker,
            "market_id": self.market_id,
            "title": self.title,
            "market_version": 1,
            "exchange_index": 0,
            "contract_size": self.contract_size.to_string(),
            "underlying_multiplier": "1",
            "tick_size": dollars(TICK),
            "status": "active",
            "fractional_trading_enabled": self.fractional,
            "leverage_estimate": leverage,
            "price": dollars(mark),
            "volume": count(of_book(|book| book.volume)),
            "volume_notional_value_dollars": dollars(of_book(|book| book.turnover)),
            "open_interest": count(open_interest),
            "open_interest_notional_value_dollars": dollars(open_interest * mark),
            "volume_24h": count(volume),
            "volume_24h_notional_value_dollars": dollars(turnover),
            "settlement_mark_price": mark_price,
            "liquidation_mark_price": mark_price,
            "reference_price": mark_price,
            "funding_deadband": FUNDING_DEADBAND,
            "funding_cap": FUNDING_CAP,
            "funding_limit_unit": "percentage",
            "funding_invalid_premium_handling": "dampen",
            "halt_sources": [],
            "asset_class": "Crypto",
            "schedule": null,
        });
        for side in Side::BOTH {
            if let Some((price, size)) = exchange.levels(self.ticker, side).first() {
                json[side.name()] = dollars(*price).into();
                json[format!("{}_size_fp", side.name())] = count(*size).into();
            }
        }
        json
    }
}

pub(in super::super) fn list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let status = call.query().one_of("status", &["inactive", "active", "closed"])?.map(str::to_owned);
    let listed = state.perps.contracts.iter().filter(|_| status.as_deref().is_none_or(|status| status == "active"));
    let markets: Vec<Value> = listed.map(|contract| contract.show(&state.perps.exchange, call.now)).collect();
    Ok(Reply::json(200, &json!({"markets": markets})))
}

pub(in super::super) fn get(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let contract = state.perps.contract(call.given.in_path("ticker")).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, &json!({"market": contract.show(&state.perps.exchange, call.now)})))
}

pub(in super::super) fn enabled(_: &mut State, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::json(200, &json!({"enabled": true})))
}

pub(in super::super) fn status(_: &mut State, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::json(200, &json!({"exchange_active": true, "trading_active": true})))
}
