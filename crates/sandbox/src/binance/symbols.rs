//! The markets: their coins, and the rules that orders keep to.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};

use super::settings::BinanceSettings;

/// Orders of one account that may be open in a market.
pub(super) const MOST_ORDERS: usize = 200;
/// Conditional orders of one account that may be open in a market.
pub(super) const MOST_CONDITIONAL: usize = 5;
/// How often an order may be amended.
pub(super) const MOST_AMENDS: usize = 10;
const HIGHEST_PRICE: Decimal = dec!(1000000);
const MOST_NOTIONAL: Decimal = dec!(9000000);
/// How far a price may be from the last one, as a factor up and down.
const MULTIPLIER: Decimal = dec!(5);
pub(super) const MAKER_RATE: Decimal = dec!(0.001);
pub(super) const TAKER_RATE: Decimal = dec!(0.001);

/// A market.
#[derive(Clone, Debug)]
pub(super) struct Symbol {
    pub(super) name: String,
    pub(super) base: &'static str,
    pub(super) quote: &'static str,
    pub(super) tick: Decimal,
    pub(super) step: Decimal,
    pub(super) least_notional: Decimal,
    pub(super) first_price: Decimal,
    /// What rests at each price at first.
    pub(super) level_qty: Decimal,
}

pub(super) fn all() -> Vec<Symbol> {
    let symbol = |(base, quote): (&'static str, &'static str), tick, step, least_notional, first_price, level_qty| {
        Symbol { name: format!("{base}{quote}"), base, quote, tick, step, least_notional, first_price, level_qty }
    };
    vec![
        symbol(("BTC", "USDT"), dec!(0.01), dec!(0.00001), dec!(5), dec!(60000), dec!(0.5)),
        symbol(("ETH", "USDT"), dec!(0.01), dec!(0.0001), dec!(5), dec!(3000), dec!(5)),
        symbol(("BNB", "USDT"), dec!(0.01), dec!(0.001), dec!(5), dec!(600), dec!(10)),
        symbol(("ETH", "BTC"), dec!(0.00001), dec!(0.0001), dec!(0.0001), dec!(0.05), dec!(5)),
        symbol(("LTC", "BTC"), dec!(0.000001), dec!(0.001), dec!(0.0001), dec!(0.0012), dec!(100)),
        // The venue has such names: they are percent-encoded in queries and URLs, and not in the WebSocket API.
        symbol(("币安人生", "USDT"), dec!(0.0001), dec!(0.1), dec!(5), dec!(0.5), dec!(1000)),
    ]
}

/// What an order breaks of a market's rules, as the venue names the filter.
pub(super) type Broken = &'static str;

impl Symbol {
    /// Checks a price. `around` is the price of the market.
    pub(super) fn check_price(&self, price: Decimal, around: Decimal) -> Result<(), Broken> {
        if price <= Decimal::ZERO || price > HIGHEST_PRICE || !(price % self.tick).is_zero() {
            return Err("PRICE_FILTER");
        }
        if price < around / MULTIPLIER || price > around * MULTIPLIER { Err("PERCENT_PRICE_BY_SIDE") } else { Ok(()) }
    }

    pub(super) fn check_qty(&self, qty: Decimal, is_market: bool) -> Result<(), Broken> {
        let most = if is_market { self.most_at_market() } else { self.most() };
        let fits = qty >= self.step && qty <= most && (qty % self.step).is_zero();
        match (fits, is_market) {
            (true, _) => Ok(()),
            (false, true) if qty > most => Err("MARKET_LOT_SIZE"),
            (false, _) => Err("LOT_SIZE"),
        }
    }

    /// The largest quantity of an order.
    fn most(&self) -> Decimal {
        dec!(9000) * self.level_qty
    }

    /// The largest quantity of a market order.
    fn most_at_market(&self) -> Decimal {
        dec!(1000) * self.level_qty
    }

    pub(super) fn check_notional(&self, price: Decimal, qty: Decimal) -> Result<(), Broken> {
        let value = price * qty;
        if value < self.least_notional || value > MOST_NOTIONAL { Err("NOTIONAL") } else { Ok(()) }
    }

    pub(super) fn show(&self) -> Value {
        json!({
            "symbol": self.name,
            "status": "TRADING",
            "baseAsset": self.base,
            "baseAssetPrecision": 8,
            "quoteAsset": self.quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "baseCommissionPrecision": 8,
            "quoteCommissionPrecision": 8,
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"],
            "icebergAllowed": false,
            "ocoAllowed": true,
            "otoAllowed": true,
            "opoAllowed": true,
            "quoteOrderQtyMarketAllowed": true,
            "allowTrailingStop": false,
            "cancelReplaceAllowed": true,
            "amendAllowed": true,
            "pegInstructionsAllowed": false,
            "isSpotTradingAllowed": true,
            "isMarginTradingAllowed": true,
            "filters": self.filters(),
            "permissions": [],
            "permissionSets": [["SPOT", "MARGIN"]],
            "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
            "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
        })
    }

    fn filters(&self) -> Value {
        let step = eight(self.step);
        let (up, down) = (MULTIPLIER.to_string(), (Decimal::ONE / MULTIPLIER).to_string());
        json!([
            {"filterType": "PRICE_FILTER", "minPrice": eight(self.tick), "maxPrice": eight(HIGHEST_PRICE), "tickSize": eight(self.tick)},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": eight(self.most()), "stepSize": step},
            {"filterType": "MARKET_LOT_SIZE", "minQty": eight(Decimal::ZERO), "maxQty": eight(self.most_at_market()), "stepSize": eight(Decimal::ZERO)},
            {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": up, "bidMultiplierDown": down, "askMultiplierUp": up, "askMultiplierDown": down, "avgPriceMins": 5},
            {"filterType": "NOTIONAL", "minNotional": eight(self.least_notional), "applyMinToMarket": true, "maxNotional": eight(MOST_NOTIONAL), "applyMaxToMarket": false, "avgPriceMins": 5},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MOST_ORDERS},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": MOST_CONDITIONAL},
            {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": MOST_AMENDS},
        ])
    }
}

/// A number with eight decimals, as the venue writes most of them.
pub(super) fn eight(value: Decimal) -> String {
    let mut value = value.round_dp(8);
    value.rescale(8);
    value.to_string()
}

/// The limits that a caller has.
pub(super) fn rate_limits(settings: &BinanceSettings) -> Vec<Value> {
    let limit = |kind: &str, interval: &str, count: i64, limit: u64| json!({"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit});
    vec![
        limit("REQUEST_WEIGHT", "MINUTE", 1, settings.weight_per_minute),
        limit("ORDERS", "SECOND", 10, settings.orders_per_ten_seconds),
        limit("ORDERS", "DAY", 1, settings.orders_per_day),
        limit("RAW_REQUESTS", "MINUTE", 5, 61_000),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_the_filter_that_is_broken() {
        let btc = &all()[0];
        let price = |price| btc.check_price(price, dec!(60000));
        assert_eq!(price(dec!(59999.99)), Ok(()));
        assert_eq!(price(dec!(59999.999)), Err("PRICE_FILTER"));
        assert_eq!(price(dec!(11999.99)), Err("PERCENT_PRICE_BY_SIDE"));
        assert_eq!(price(dec!(300000.01)), Err("PERCENT_PRICE_BY_SIDE"));
        assert_eq!(btc.check_qty(dec!(0.00001), false), Ok(()));
        assert_eq!(btc.check_qty(dec!(0.000001), false), Err("LOT_SIZE"));
        assert_eq!(btc.check_qty(dec!(600), true), Err("MARKET_LOT_SIZE"));
        assert_eq!(btc.check_notional(dec!(60000), dec!(0.00001)), Err("NOTIONAL"));
        assert_eq!(eight(dec!(60000.1)), "60000.10000000");
    }
}
