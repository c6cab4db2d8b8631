//! What the venue has at the start: a few hundred markets, quotes of its market maker, and some trades.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::json;
use time::OffsetDateTime;

use super::fees::EventRules;
use super::markets::{Market, PriceRange, Times};
use super::read::dollars;
use super::series::SERIES;
use crate::clock::rfc3339;
use crate::exchange::{Exchange, Owner, SelfTradePrevention, Side, Terms};

const HOUR_MILLIS: i64 = 3_600_000;
const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;
const STRIKES: i64 = 9;
/// Yesterday's and the day before's markets, and those of days to come. Today's are left out, so that none closes while a
/// short test runs.
const DAYS: [i64; 7] = [-2, -1, 1, 2, 3, 4, 5];
/// The market maker, and the caller who has traded with it before the sandbox started.
pub(super) const MAKER: Owner = Owner { user: usize::MAX, subaccount: 0 };
pub(super) const TAKER: Owner = Owner { user: usize::MAX - 1, subaccount: 0 };
const QUOTE_SIZE: Decimal = dec!(1000);

/// The markets of six series over seven days.
pub(super) fn markets(now: i64) -> Vec<Market> {
    let today = now - now.rem_euclid(DAY_MILLIS);
    let mut markets = Vec::new();
    for series in 0..SERIES.len() {
        for day in DAYS {
            for number in 0..STRIKES {
                markets.push(market(series, today, day, number));
            }
        }
    }
    markets
}

fn market(index: usize, today: i64, day: i64, number: i64) -> Market {
    let series = &SERIES[index];
    let close = today + (day + 1) * DAY_MILLIS - 1000;
    let last_day = DAYS[DAYS.len() - 1];
    // The markets of the last day open the day after tomorrow.
    let open = if day == last_day { today + 2 * DAY_MILLIS } else { close - 7 * DAY_MILLIS };
    // Those of the day before yesterday are settled already, those of yesterday are not yet.
    let settles = close + if day == DAYS[0] { DAY_MILLIS / 4 } else { 2 * DAY_MILLIS };
    let strike = series.first_strike + number * series.strike_step;
    let event_ticker = format!("{}-{}", series.ticker, day_name(close));
    let ticker = format!("{event_ticker}-T{strike}");
    let price_ranges = price_ranges(series.structure);
    let fixed = json!({
        "ticker": ticker,
        "event_ticker": event_ticker,
        "market_type": "binary",
        "title": format!("{} above {strike} {}", series.title, series.unit),
        "subtitle": format!("above {strike} {}", series.unit),
        "yes_sub_title": format!("above {strike} {}", series.unit),
        "no_sub_title": format!("{strike} {} or below", series.unit),
        "created_time": rfc3339(open - DAY_MILLIS),
        "open_time": rfc3339(open),
        "close_time": rfc3339(close),
        "expected_expiration_time": rfc3339(close + HOUR_MILLIS),
        "expiration_time": rfc3339(close + 7 * DAY_MILLIS),
        "latest_expiration_time": rfc3339(close + 7 * DAY_MILLIS),
        "settlement_timer_seconds": 3600,
        "can_close_early": true,
        "notional_value_dollars": dollars(Decimal::ONE),
        "settlement_bounds_type": "default",
        "settlement_floor_dollars": null,
        "occurrence_datetime": rfc3339(close),
        "fee_waiver_expiration_time": null,
        "early_close_condition": null,
        "strike_type": "greater",
        "floor_strike": strike,
        "cap_strike": null,
        "functional_strike": null,
        "custom_strike": null,
        "rules_primary": format!("Yes wins if the value for {} is above {strike}.", day_name(close)),
        "rules_secondary": "A market of the sandbox.",
        "primary_participant_key": null,
        "price_level_structure": series.structure,
        "price_ranges": price_ranges.iter().map(PriceRange::to_json).collect::<Vec<_>>(),
        "is_provisional": false,
        "exchange_index": 0,
    });
    // The value is the middle strike.
    let yes_won = number < STRIKES / 2;
    Market {
        ticker,
        event_ticker,
        series: index,
        price_ranges,
        first_price: first_price(number),
        times: Times { created: open - DAY_MILLIS, open, close, settles },
        paused: day == DAYS[DAYS.len() - 2] && number == STRIKES - 1,
        yes_won,
        closed: false,
        settled: None,
        expiration_value: (series.first_strike + STRIKES / 2 * series.strike_step).to_string(),
        fixed,
    }
}

/// The price of a strike, by its number.
fn first_price(number: i64) -> Decimal {
    Decimal::new(90 - 10 * number, 2)
}

/// Quotes every market that has opened, and trades a little at a price that falls with the strike. The quotes are wide, so that
/// orders at usual prices meet only one another.
pub(super) fn trade(exchange: &mut Exchange<EventRules>, markets: &[Market], now: i64) {
    exchange.open_unlimited(MAKER);
    exchange.open_unlimited(TAKER);
    let mut trades = Vec::new();
    for (index, market) in markets.iter().enumerate().filter(|(_, market)| market.times.open <= now) {
        let number = i64::try_from(index).unwrap_or_default() % STRIKES;
        let last = first_price(number);
        let end = market.times.close.min(now);
        trades.push((market.times.open, index, None));
        for (hours, offset, contracts) in [(30, dec!(-0.02), 20), (5, dec!(-0.01), 30), (1, Decimal::ZERO, 10)] {
            let count = Decimal::from(contracts * (number + 1));
            trades.push((end - hours * HOUR_MILLIS, index, Some((last + offset, count))));
        }
    }
    trades.sort_by_key(|(time, ..)| *time);
    for (time, index, traded) in trades {
        let ticker = &markets[index].ticker;
        let orders = match traded {
            None => [(MAKER, Side::Bid, dec!(0.02), QUOTE_SIZE), (MAKER, Side::Ask, dec!(0.98), QUOTE_SIZE)],
            Some((price, count)) => [(MAKER, Side::Bid, price, count), (TAKER, Side::Ask, price, count)],
        };
        for (owner, side, price, count) in orders {
            let placed = exchange.place(owner, ticker, resting(side, price, count), false, time);
            debug_assert!(placed.is_ok(), "the market maker is refused: {placed:?}");
        }
    }
}

/// An order of the market maker.
pub(super) fn resting(side: Side, price: Decimal, count: Decimal) -> Terms {
    Terms { self_trade_prevention: SelfTradePrevention::TakerAtCross, ..Terms::new(side, price, count) }
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
