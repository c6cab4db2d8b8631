//! What is traded: a few instruments of each product.

use std::sync::Arc;

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};

use super::category::Category;

/// 2027-12-31, 08:00 UTC.
const DELIVERY: i64 = 1_830_240_000_000;
const LAUNCH: i64 = 1_585_526_400_000;

/// One instrument.
#[derive(Debug)]
pub(super) struct Instrument {
    pub(super) category: Category,
    pub(super) symbol: Arc<str>,
    pub(super) base: &'static str,
    pub(super) quote: &'static str,
    /// The coin that profits and fees are in; of spot the quote coin.
    pub(super) settle: &'static str,
    pub(super) tick: Decimal,
    pub(super) step: Decimal,
    pub(super) max_qty: Decimal,
    /// The least value of an order.
    pub(super) min_value: Decimal,
    /// Milliseconds since the Unix epoch; 0 where it has no end.
    pub(super) delivery: i64,
    pub(super) id: i64,
    /// Where its price began.
    pub(super) first_price: Decimal,
    /// What the book holds at each level at first.
    pub(super) level_qty: Decimal,
    /// Strike, and whether it is a call.
    pub(super) strike: Option<(Decimal, bool)>,
}

impl Instrument {
    pub(super) fn taker_rate(&self) -> Decimal {
        match self.category {
            Category::Linear | Category::Inverse => dec!(0.00055),
            Category::Spot => dec!(0.001),
            Category::Option => dec!(0.0003),
        }
    }

    pub(super) fn maker_rate(&self) -> Decimal {
        match self.category {
            Category::Linear | Category::Inverse => dec!(0.0002),
            Category::Spot => dec!(0.001),
            Category::Option => dec!(0.0003),
        }
    }

    /// What so much is worth at a price, in the settlement coin. One inverse contract is worth a dollar.
    pub(super) fn value(&self, price: Decimal, qty: Decimal) -> Decimal {
        match self.category {
            Category::Inverse if price.is_zero() => Decimal::ZERO,
            Category::Inverse => (qty / price).round_dp(8),
            _ => price * qty,
        }
    }

    /// The price that so much came to.
    pub(super) fn price(&self, value: Decimal, qty: Decimal) -> Decimal {
        let (value, qty) = if self.category == Category::Inverse { (qty, value) } else { (value, qty) };
        if qty.is_zero() { Decimal::ZERO } else { (value / qty).round_dp(8) }
    }

    /// A price as the venue writes it.
    pub(super) fn show_price(&self, price: Decimal) -> String {
        fixed(price, self.tick)
    }

    /// A quantity as the venue writes it.
    pub(super) fn show_qty(&self, qty: Decimal) -> String {
        fixed(qty, self.step)
    }

    pub(super) fn is_live(&self, now: i64) -> bool {
        self.delivery == 0 || now < self.delivery
    }

    fn contract_type(&self) -> &'static str {
        match self.category {
            Category::Inverse => "InversePerpetual",
            Category::Linear if self.delivery > 0 => "LinearFutures",
            _ => "LinearPerpetual",
        }
    }

    pub(super) fn show(&self, now: i64) -> Value {
        let status = if self.is_live(now) { "Trading" } else { "Closed" };
        let (tick, step) = (self.tick.to_string(), self.step.to_string());
        let max = self.max_qty.to_string();
        let mut shown = json!({
            "symbol": &*self.symbol, "status": status, "baseCoin": self.base, "quoteCoin": self.quote,
        });
        let more = match self.category {
            Category::Spot => json!({
                "symbolId": self.id, "innovation": "0", "marginTrading": "utaOnly", "stTag": "0", "symbolType": "",
                "lotSizeFilter": {
                    "basePrecision": step, "quotePrecision": "0.0000001", "minOrderQty": step, "maxOrderQty": max,
                    "minOrderAmt": self.min_value.to_string(), "maxOrderAmt": "8000000", "maxLimitOrderQty": max,
                    "maxMarketOrderQty": (self.max_qty / dec!(2)).normalize().to_string(),
                    "postOnlyMaxLimitOrderSize": "60000",
                },
                "priceFilter": {"tickSize": tick},
                "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
            }),
            Category::Option => json!({
                "settleCoin": self.settle, "launchTime": LAUNCH.to_string(), "deliveryTime": self.delivery.to_string(),
                "optionsType": if self.strike.is_some_and(|(_, is_call)| is_call) { "Call" } else { "Put" },
                "deliveryFeeRate": "0.00015", "displayName": &*self.symbol,
                "priceFilter": {"minPrice": tick, "maxPrice": "1110000", "tickSize": tick},
                "lotSizeFilter": {"maxOrderQty": max, "minOrderQty": step, "qtyStep": step},
            }),
            Category::Linear | Category::Inverse => json!({
                "symbolId": self.id, "contractType": self.contract_type(), "launchTime": LAUNCH.to_string(),
                "deliveryTime": self.delivery.to_string(), "deliveryFeeRate": "",
                "priceScale": self.tick.scale().to_string(), "settleCoin": self.settle, "copyTrading": "both",
                "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
                "priceFilter": {"minPrice": tick, "maxPrice": "1999999.80", "tickSize": tick},
                "lotSizeFilter": {
                    "maxOrderQty": max, "minOrderQty": step, "qtyStep": step, "postOnlyMaxOrderQty": max,
                    "maxMktOrderQty": (self.max_qty / dec!(2)).normalize().to_string(),
                    "minNotionalValue": self.min_value.to_string(),
                },
                "unifiedMarginTrade": true, "fundingInterval": 480, "upperFundingRate": "0.00375",
                "lowerFundingRate": "-0.00375", "displayName": "", "forbidUplWithdrawal": false,
                "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
                "isPreListing": false, "preListingInfo": null, "symbolType": "",
            }),
        };
        if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
            shown.extend(more);
        }
        shown
    }
}

/// A number with as many decimals as its step has.
pub(super) fn fixed(value: Decimal, step: Decimal) -> String {
    let mut value = value.round_dp(step.scale());
    value.rescale(step.scale());
    value.to_string()
}

/// All instruments.
pub(super) fn all() -> Vec<Instrument> {
    let usdt = |symbol, base, price, tick, step, level| perpetual(symbol, (base, "USDT"), price, tick, step, level);
    let mut all = vec![
        usdt("BTCUSDT", "BTC", dec!(95000), dec!(0.10), dec!(0.001), dec!(0.500)),
        usdt("ETHUSDT", "ETH", dec!(3200), dec!(0.01), dec!(0.01), dec!(12.00)),
        perpetual("BTCPERP", ("BTC", "USDC"), dec!(94990), dec!(0.10), dec!(0.001), dec!(0.200)),
        Instrument {
            delivery: DELIVERY,
            ..perpetual("BTCUSDT-31DEC27", ("BTC", "USDT"), dec!(97500), dec!(0.50), dec!(0.001), dec!(0.300))
        },
        inverse("BTCUSD", "BTC", dec!(95010), dec!(0.50)),
        inverse("ETHUSD", "ETH", dec!(3201), dec!(0.05)),
        spot("BTCUSDT", "BTC", "USDT", dec!(95005), dec!(0.1), dec!(0.000001), dec!(0.250000)),
        spot("ETHUSDT", "ETH", "USDT", dec!(3200.50), dec!(0.01), dec!(0.00001), dec!(8.00000)),
        spot("BTCUSDC", "BTC", "USDC", dec!(94995), dec!(0.1), dec!(0.000001), dec!(0.100000)),
        spot("ETHBTC", "ETH", "BTC", dec!(0.033680), dec!(0.000001), dec!(0.0001), dec!(5.0000)),
    ];
    for (strike, call, put) in [(dec!(80000), dec!(23500), dec!(6500)), (dec!(100000), dec!(15000), dec!(16500))] {
        all.push(option(strike, true, call));
        all.push(option(strike, false, put));
    }
    for (instrument, id) in all.iter_mut().zip(1..) {
        instrument.id = id;
    }
    all
}

fn perpetual(
    symbol: &str,
    (base, quote): (&'static str, &'static str),
    first_price: Decimal,
    tick: Decimal,
    step: Decimal,
    level_qty: Decimal,
) -> Instrument {
    Instrument {
        category: Category::Linear,
        symbol: symbol.into(),
        base,
        quote,
        settle: quote,
        tick,
        step,
        max_qty: dec!(1190),
        min_value: dec!(5),
        delivery: 0,
        id: 0,
        first_price,
        level_qty,
        strike: None,
    }
}

fn inverse(symbol: &str, base: &'static str, first_price: Decimal, tick: Decimal) -> Instrument {
    Instrument {
        category: Category::Inverse,
        settle: base,
        max_qty: dec!(4000000),
        min_value: Decimal::ZERO,
        ..perpetual(symbol, (base, "USD"), first_price, tick, dec!(1), dec!(20000))
    }
}

fn spot(
    symbol: &str,
    base: &'static str,
    quote: &'static str,
    first_price: Decimal,
    tick: Decimal,
    step: Decimal,
    level_qty: Decimal,
) -> Instrument {
    let min_value = if quote == "BTC" { dec!(0.00005) } else { dec!(5) };
    Instrument {
        category: Category::Spot,
        max_qty: dec!(83),
        min_value,
        ..perpetual(symbol, (base, quote), first_price, tick, step, level_qty)
    }
}

fn option(strike: Decimal, is_call: bool, first_price: Decimal) -> Instrument {
    let symbol = format!("BTC-31DEC27-{strike}-{}-USDT", if is_call { "C" } else { "P" });
    Instrument {
        category: Category::Option,
        max_qty: dec!(500),
        min_value: Decimal::ZERO,
        delivery: DELIVERY,
        strike: Some((strike, is_call)),
        ..perpetual(&symbol, ("BTC", "USDT"), first_price, dec!(5), dec!(0.01), dec!(1.50))
    }
}
