//! The instruments that are traded here, and their prices.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::Serialize;

use super::error::Error;
use super::params::Params;
use super::state::{Outcome, State, done};
use crate::number::Number;

/// What never expires says so with this time.
pub(super) const NEVER: i64 = 32_503_708_800_000;
const CREATED: i64 = 1_774_512_000_000;
const EXPIRES: i64 = 1_806_048_000_000;
pub(super) const KINDS: [&str; 5] = ["future", "option", "spot", "future_combo", "option_combo"];
pub(super) const CURRENCIES: [&str; 5] = ["BTC", "ETH", "USDC", "USDT", "EURR"];

/// An instrument as the venue lists it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Instrument {
    pub(super) instrument_name: &'static str,
    pub(super) instrument_id: i64,
    pub(super) kind: &'static str,
    pub(super) base_currency: &'static str,
    pub(super) quote_currency: &'static str,
    counter_currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settlement_currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settlement_period: Option<&'static str>,
    pub(super) price_index: &'static str,
    underlying_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instrument_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) option_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strike: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_leverage: Option<u32>,
    pub(super) contract_size: Number,
    pub(super) min_trade_amount: Number,
    tick_size: Number,
    tick_size_steps: Vec<TickSizeStep>,
    pub(super) maker_commission: Number,
    pub(super) taker_commission: Number,
    state: &'static str,
    is_active: bool,
    pub(super) creation_timestamp: i64,
    pub(super) expiration_timestamp: i64,
    #[serde(skip)]
    pub(super) prices: Prices,
}

#[derive(Clone, Debug, Serialize)]
struct TickSizeStep {
    above_price: Number,
    tick_size: Number,
}

/// Where an instrument stands. Nothing moves here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prices {
    pub(super) mark: Decimal,
    pub(super) index: Decimal,
    pub(super) bid: Decimal,
    pub(super) ask: Decimal,
    pub(super) size: Decimal,
}

impl Prices {
    /// The lowest price that a sell order may have.
    pub(super) fn min(&self) -> Decimal {
        self.mark * dec!(0.985)
    }

    /// The highest price that a buy order may have.
    pub(super) fn max(&self) -> Decimal {
        self.mark * dec!(1.015)
    }
}

impl Instrument {
    pub(super) fn is_option(&self) -> bool {
        self.kind == "option"
    }

    /// Whether amounts are in US dollars and profit in the base currency.
    pub(super) fn is_inverse_future(&self) -> bool {
        self.kind == "future" && self.instrument_type == Some("reversed")
    }

    pub(super) fn leverage(&self) -> Decimal {
        self.max_leverage.map_or(Decimal::ONE, Decimal::from)
    }

    /// The currency that fees are paid in.
    pub(super) fn fee_currency(&self) -> &'static str {
        self.settlement_currency.unwrap_or(self.quote_currency)
    }

    /// Whether a price is one the book has a place for.
    pub(super) fn is_on_tick(&self, price: Decimal) -> bool {
        (price % self.tick(price)).is_zero()
    }

    /// The step between prices at that height.
    pub(super) fn tick(&self, price: Decimal) -> Decimal {
        let above = self.tick_size_steps.iter().rev().find(|step| price >= step.above_price.0);
        above.map_or(self.tick_size, |step| step.tick_size).0
    }

    /// An amount in contracts.
    pub(super) fn contracts(&self, amount: Decimal) -> Decimal {
        (amount / self.contract_size.0).normalize()
    }

    /// An amount at a price in the base currency.
    pub(super) fn base_amount(&self, amount: Decimal, price: Decimal) -> Decimal {
        let base = match self.kind {
            "future" if self.is_inverse_future() => amount / price,
            // The price of a combo is a difference, so the index values it.
            "future_combo" => amount / self.prices.index,
            _ => amount,
        };
        base.round_dp(8).normalize()
    }

    /// An amount at a price in US dollars.
    pub(super) fn usd_amount(&self, amount: Decimal, price: Decimal) -> Decimal {
        let is_in_dollars = self.quote_currency.starts_with("USD");
        let quote = self.quote_amount(amount, price);
        let usd = if is_in_dollars { quote } else { quote * self.prices.index };
        usd.round_dp(8).normalize()
    }

    /// An amount at a price in the currency that prices are in.
    pub(super) fn quote_amount(&self, amount: Decimal, price: Decimal) -> Decimal {
        // Amounts of inverse futures, and of their combos, are in dollars themselves.
        let quote = if self.is_inverse_future() || self.kind == "future_combo" { amount } else { amount * price };
        quote.round_dp(8).normalize()
    }

    /// Whether the instrument is listed under a currency.
    pub(super) fn is_listed_under(&self, currency: &str) -> bool {
        match self.settlement_currency {
            Some(settlement) => settlement == currency,
            None => self.base_currency == currency || self.quote_currency == currency,
        }
    }
}

impl State {
    /// The name of a price index that instruments follow.
    pub(super) fn index_name(&self, name: &str) -> Option<&'static str> {
        self.instruments.iter().map(|instrument| instrument.price_index).find(|index| *index == name)
    }

    /// Where a price index stands.
    pub(super) fn index_price(&self, name: &str) -> Option<Decimal> {
        self.instruments.iter().find(|instrument| instrument.price_index == name).map(|one| one.prices.index)
    }
}

/// `public/get_instruments`. Clients ask for all currencies by naming none.
pub(super) fn get_instruments(state: &mut State, params: &Params) -> Outcome {
    let known = [&CURRENCIES[..], &["any"]].concat();
    let currency = params.one_of("currency", &known)?.filter(|currency| *currency != "any");
    let kind = params.one_of("kind", &KINDS)?;
    if params.boolean("expired")?.unwrap_or_default() {
        return done(&[(); 0]);
    }
    let matching = state.instruments.iter().filter(|instrument| {
        currency.is_none_or(|currency| instrument.is_listed_under(currency))
            && kind.is_none_or(|kind| instrument.kind == kind)
    });
    done(&matching.collect::<Vec<_>>())
}

/// `public/get_instrument`.
pub(super) fn get_instrument(state: &mut State, params: &Params) -> Outcome {
    done(named(state, params)?)
}

/// The instrument that `instrument_name` names.
pub(super) fn named<'a>(state: &'a State, params: &Params) -> Result<&'a Instrument, Error> {
    let name = params.required("instrument_name", params.text("instrument_name")?)?;
    state.instrument(&name).ok_or_else(|| Error::new(Error::NOT_FOUND))
}

/// Every instrument.
pub(super) fn catalogue() -> Vec<Instrument> {
    let btc_perpetual = Instrument {
        instrument_name: "BTC-PERPETUAL",
        instrument_id: 124_972,
        kind: "future",
        base_currency: "BTC",
        quote_currency: "USD",
        counter_currency: "USD",
        settlement_currency: Some("BTC"),
        settlement_period: Some("perpetual"),
        price_index: "btc_usd",
        underlying_type: "crypto",
        instrument_type: Some("reversed"),
        option_type: None,
        strike: None,
        max_leverage: Some(50),
        contract_size: Number(dec!(10)),
        min_trade_amount: Number(dec!(10)),
        tick_size: Number(dec!(0.5)),
        tick_size_steps: Vec::new(),
        maker_commission: Number(dec!(0)),
        taker_commission: Number(dec!(0.0005)),
        state: "open",
        is_active: true,
        creation_timestamp: CREATED,
        expiration_timestamp: NEVER,
        prices: prices(dec!(68250.25), dec!(68241.83), dec!(68250), dec!(68250.5), dec!(50000)),
    };
    let btc_call = Instrument {
        instrument_name: "BTC-26MAR27-70000-C",
        instrument_id: 144_613,
        kind: "option",
        quote_currency: "BTC",
        settlement_period: Some("month"),
        option_type: Some("call"),
        strike: Some(Number(dec!(70000.0))),
        max_leverage: None,
        contract_size: Number(dec!(1.0)),
        min_trade_amount: Number(dec!(0.1)),
        tick_size: Number(dec!(0.0001)),
        tick_size_steps: vec![TickSizeStep { above_price: Number(dec!(0.005)), tick_size: Number(dec!(0.0005)) }],
        maker_commission: Number(dec!(0.0003)),
        taker_commission: Number(dec!(0.0003)),
        expiration_timestamp: EXPIRES,
        prices: prices(dec!(0.0478), dec!(68241.83), dec!(0.0475), dec!(0.048), dec!(12.5)),
        ..btc_perpetual.clone()
    };
    vec![
        Instrument {
            instrument_name: "ETH-PERPETUAL",
            instrument_id: 124_973,
            base_currency: "ETH",
            settlement_currency: Some("ETH"),
            price_index: "eth_usd",
            contract_size: Number(dec!(1)),
            min_trade_amount: Number(dec!(1)),
            tick_size: Number(dec!(0.05)),
            prices: prices(dec!(2510.6), dec!(2510.31), dec!(2510.55), dec!(2510.6), dec!(8800)),
            ..btc_perpetual.clone()
        },
        Instrument {
            instrument_name: "BTC-26MAR27",
            instrument_id: 138_583,
            settlement_period: Some("month"),
            tick_size: Number(dec!(2.5)),
            expiration_timestamp: EXPIRES,
            prices: prices(dec!(69402.5), dec!(68241.83), dec!(69400), dec!(69405), dec!(21000)),
            ..btc_perpetual.clone()
        },
        Instrument {
            instrument_name: "BTC-FS-26MAR27_PERP",
            instrument_id: 201_337,
            kind: "future_combo",
            instrument_type: None,
            settlement_period: Some("month"),
            expiration_timestamp: EXPIRES,
            prices: prices(dec!(1152.25), dec!(68241.83), dec!(1149.5), dec!(1155), dec!(10000)),
            ..btc_perpetual.clone()
        },
        Instrument {
            instrument_name: "BTC_USDC-PERPETUAL",
            instrument_id: 222_114,
            quote_currency: "USDC",
            counter_currency: "USDC",
            settlement_currency: Some("USDC"),
            price_index: "btc_usdc",
            instrument_type: Some("linear"),
            contract_size: Number(dec!(0.0001)),
            min_trade_amount: Number(dec!(0.0001)),
            prices: prices(dec!(68256.12), dec!(68247.5), dec!(68255.5), dec!(68256.5), dec!(1.2034)),
            ..btc_perpetual.clone()
        },
        Instrument {
            instrument_name: "BTC_USDC",
            instrument_id: 222_115,
            kind: "spot",
            quote_currency: "USDC",
            counter_currency: "USDC",
            settlement_currency: None,
            settlement_period: None,
            price_index: "btc_usdc",
            instrument_type: Some("linear"),
            max_leverage: None,
            contract_size: Number(dec!(0.0001)),
            min_trade_amount: Number(dec!(0.0001)),
            tick_size: Number(dec!(1)),
            taker_commission: Number(dec!(0)),
            prices: prices(dec!(68247), dec!(68247.5), dec!(68246), dec!(68248), dec!(0.75)),
            ..btc_perpetual.clone()
        },
        Instrument {
            instrument_name: "BTC-26MAR27-60000-P",
            instrument_id: 144_614,
            option_type: Some("put"),
            strike: Some(Number(dec!(60000.0))),
            prices: prices(dec!(0.0312), dec!(68241.83), dec!(0.031), dec!(0.0315), dec!(8.0)),
            ..btc_call.clone()
        },
        Instrument {
            instrument_name: "XRP_USDC-26MAR27-0d625-C",
            instrument_id: 230_871,
            base_currency: "XRP",
            quote_currency: "USDC",
            counter_currency: "USDC",
            settlement_currency: Some("USDC"),
            price_index: "xrp_usdc",
            instrument_type: Some("linear"),
            strike: Some(Number(dec!(0.625))),
            contract_size: Number(dec!(1000)),
            min_trade_amount: Number(dec!(1000)),
            tick_size_steps: Vec::new(),
            prices: prices(dec!(0.0441), dec!(0.5823), dec!(0.0436), dec!(0.0446), dec!(25000)),
            ..btc_call.clone()
        },
        btc_call,
        btc_perpetual,
    ]
}

fn prices(mark: Decimal, index: Decimal, bid: Decimal, ask: Decimal, size: Decimal) -> Prices {
    Prices { mark, index, bid, ask, size }
}
