//! A few hundred made-up markets.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::markets::{Market, PriceRange, Times};
use super::read::{count, dollars};
use crate::clock::rfc3339;

const DAY_MILLIS: i64 = 86_400_000;
const STRIKES: i64 = 9;

/// What the markets of a series have in common.
struct Series {
    ticker: &'static str,
    title: &'static str,
    unit: &'static str,
    first_strike: i64,
    strike_step: i64,
    structure: &'static str,
}

const SERIES: [Series; 6] = [
    series("KXHIGHNY", "Highest temperature in New York", "°F", 38, 3, "linear_cent"),
    series("KXRAINSEA", "Rain in Seattle", "mm", 1, 2, "linear_cent"),
    series("KXBTCD", "Bitcoin at 5 pm", "USD", 84_000, 1_500, "tapered_deci_cent"),
    series("KXETHD", "Ether at 5 pm", "USD", 2_600, 100, "tapered_deci_cent"),
    series("KXINXD", "S&P 500 at the close", "points", 6_300, 75, "deci_cent"),
    series("KXEURUSD", "Euro in US cents at 10 am", "¢", 104, 2, "deci_cent"),
];

const fn series(
    ticker: &'static str,
    title: &'static str,
    unit: &'static str,
    first_strike: i64,
    strike_step: i64,
    structure: &'static str,
) -> Series {
    Series { ticker, title, unit, first_strike, strike_step, structure }
}

/// Makes the markets of six series over seven days, yesterday's and the day before's included.
pub(super) fn make(now: i64) -> Vec<Market> {
    let today = now - now.rem_euclid(DAY_MILLIS);
    let mut markets = Vec::new();
    for series in &SERIES {
        for day in -2..5 {
            for number in 0..STRIKES {
                markets.push(make_one(series, today, day, number));
            }
        }
    }
    markets
}

fn make_one(series: &Series, today: i64, day: i64, number: i64) -> Market {
    let close = today + (day + 1) * DAY_MILLIS - 1000;
    let open = close - 3 * DAY_MILLIS;
    let status = match (day, number) {
        (-2, _) => "finalized",
        (-1, _) => "closed",
        (4, _) => "initialized",
        (3, 8) => "inactive",
        _ => "active",
    };
    let strike = series.first_strike + number * series.strike_step;
    let event_ticker = format!("{}-{}", series.ticker, day_name(close));
    let ticker = format!("{event_ticker}-T{strike}");
    // A wide quote, so that an order at any usual price rests and one at 0.99 or 0.01 is filled.
    let traded = status != "initialized";
    let (yes_bid, yes_ask) = if traded { (dec!(0.02), dec!(0.98)) } else { (Decimal::ZERO, Decimal::ONE) };
    let last = if traded { Decimal::new(90 - 10 * number, 2) } else { Decimal::ZERO };
    let settled = (status == "finalized").then_some(close + DAY_MILLIS / 4);
    let times = Times { created: open - DAY_MILLIS, updated: settled.unwrap_or(open), close, settled };
    let price_ranges = price_ranges(series.structure);
    let yes_won = number < STRIKES / 2;
    let shown = json!({
        "ticker": ticker,
        "event_ticker": event_ticker,
        "market_type": "binary",
        "title": format!("{} above {strike} {}", series.title, series.unit),
        "subtitle": format!("above {strike} {}", series.unit),
        "yes_sub_title": format!("above {strike} {}", series.unit),
        "no_sub_title": format!("{strike} {} or below", series.unit),
        "created_time": rfc3339(times.created),
        "updated_time": rfc3339(times.updated),
        "open_time": rfc3339(open),
        "close_time": rfc3339(times.close),
        "expected_expiration_time": rfc3339(times.close + DAY_MILLIS / 24),
        "expiration_time": rfc3339(times.close + 7 * DAY_MILLIS),
        "latest_expiration_time": rfc3339(times.close + 7 * DAY_MILLIS),
        "settlement_timer_seconds": 3600,
        "status": status,
        "yes_bid_dollars": dollars(yes_bid),
        "yes_bid_size_fp": count(if traded { dec!(1000) } else { Decimal::ZERO }),
        "yes_ask_dollars": dollars(yes_ask),
        "yes_ask_size_fp": count(if traded { dec!(1000) } else { Decimal::ZERO }),
        "no_bid_dollars": dollars(Decimal::ONE - yes_ask),
        "no_ask_dollars": dollars(Decimal::ONE - yes_bid),
        "last_price_dollars": dollars(last),
        "volume_fp": count(Decimal::from(if traded { 250 * (number + 1) } else { 0 })),
        "volume_24h_fp": count(Decimal::from(if traded { 40 * (number + 1) } else { 0 })),
        "result": match status { "finalized" if yes_won => "yes", "finalized" => "no", _ => "" },
        "can_close_early": true,
        "open_interest_fp": count(Decimal::from(if traded { 120 * (number + 1) } else { 0 })),
        "notional_value_dollars": dollars(Decimal::ONE),
        "previous_yes_bid_dollars": dollars(yes_bid),
        "previous_yes_ask_dollars": dollars(yes_ask),
        "previous_price_dollars": dollars(last),
        "settlement_value_dollars": settled.map(|_| dollars(if yes_won { Decimal::ONE } else { Decimal::ZERO })),
        "settlement_ts": settled.map(rfc3339),
        "settlement_bounds_type": "default",
        "settlement_floor_dollars": null,
        "expiration_value": if settled.is_some() { (strike + series.strike_step).to_string() } else { String::new() },
        "occurrence_datetime": rfc3339(times.close),
        "fee_waiver_expiration_time": null,
        "early_close_condition": null,
        "strike_type": "greater",
        "floor_strike": strike,
        "cap_strike": null,
        "functional_strike": null,
        "custom_strike": null,
        "rules_primary": format!("Yes wins if the value for {} is above {strike}.", day_name(close)),
        "rules_secondary": "Made up by the sandbox.",
        "primary_participant_key": null,
        "price_level_structure": series.structure,
        "price_ranges": price_ranges.iter().map(PriceRange::to_json).collect::<Vec<_>>(),
        "is_provisional": false,
        "exchange_index": 0,
    });
    Market {
        ticker,
        event_ticker,
        status,
        yes_bid,
        yes_ask,
        series_ticker: series.ticker,
        last,
        price_ranges,
        times,
        shown,
    }
}

impl PriceRange {
    fn to_json(&self) -> Value {
        json!({"start": dollars(self.start), "end": dollars(self.end), "step": dollars(self.step)})
    }
}

fn price_ranges(structure: &str) -> Vec<PriceRange> {
    let range = |start, end, step| PriceRange { start, end, step };
    match structure {
        "tapered_deci_cent" => vec![
            range(dec!(0), dec!(0.1), dec!(0.001)),
            range(dec!(0.1), dec!(0.9), dec!(0.01)),
            range(dec!(0.9), dec!(1), dec!(0.001)),
        ],
        "deci_cent" => vec![range(dec!(0), dec!(1), dec!(0.001))],
        _ => vec![range(dec!(0), dec!(1), dec!(0.01))],
    }
}

/// A day as tickers write it: `26NOV22`.
fn day_name(millis: i64) -> String {
    let date = OffsetDateTime::from_unix_timestamp(millis / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let month = date.month().to_string()[..3].to_uppercase();
    format!("{:02}{month}{:02}", date.year() % 100, date.day())
}
