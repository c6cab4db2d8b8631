//! `getPnl`: what an account has gained by selling and burning shares.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::Account;
use super::error::Refusal;
use super::events::Event;
use super::ledger::{Currency, Realized};
use crate::clock::rfc3339;
use crate::message::{Reply, Request};
use crate::number::Number;

const HOUR_MILLIS: i64 = 3_600_000;
const MOST_EVENTS: usize = 30;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pnl {
    realized_pnl: Number,
    realized_pnl_percent: Number,
    trade_pnl: Number,
    settlement_pnl: Number,
    wins: usize,
    losses: usize,
    currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    breakdown: Option<Vec<OfEvent>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfEvent {
    event_id: String,
    event_title: String,
    realized_pnl: Number,
    currency: &'static str,
    last_activity: String,
}

fn moment(request: &Request, name: &str) -> Result<Option<i64>, Refusal> {
    let text = request.query_value(name).filter(|value| !value.is_empty());
    let moment = text.map(|text| OffsetDateTime::parse(&text, &Rfc3339)).transpose();
    let moment = moment.map_err(|_| Refusal::invalid(&format!("{name} must be an ISO 8601 time")))?;
    Ok(moment.map(|moment| moment.unix_timestamp().saturating_mul(1000)))
}

/// When a period began.
fn begin(period: &str, now: i64) -> i64 {
    let hours = |hours: i64| now - hours * HOUR_MILLIS;
    let today = OffsetDateTime::from_unix_timestamp(now / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH).date();
    let of_day = |day: time::Date| day.midnight().assume_utc().unix_timestamp() * 1000;
    let first_of =
        |day: u8, month: time::Month| time::Date::from_calendar_date(today.year(), month, day).unwrap_or(today);
    match period {
        "12H" => hours(12),
        "24H" => hours(24),
        "1W" => hours(7 * 24),
        "1M" => hours(30 * 24),
        "1Y" => hours(365 * 24),
        "THIS_WEEK" => of_day(today - Duration::days(i64::from(today.weekday().number_days_from_monday()))),
        "THIS_MONTH" => of_day(first_of(1, today.month())),
        "THIS_YEAR" => of_day(first_of(1, time::Month::January)),
        _ => 0,
    }
}

pub(super) fn get(account: &Account, events: &[Event], request: &Request, now: i64) -> Result<Reply, Refusal> {
    let query = |name: &str| request.query_value(name).filter(|value| !value.is_empty());
    let currency = Currency::read(query("currency").as_deref().unwrap_or("USD"))
        .ok_or_else(|| Refusal::invalid("currency must be USD or NGN"))?;
    let from =
        moment(request, "start")?.unwrap_or_else(|| begin(query("timePeriod").as_deref().unwrap_or_default(), now));
    let until = moment(request, "end")?.unwrap_or(i64::MAX);
    let in_period = |one: &&Realized| one.currency == currency && (from..=until).contains(&one.at);
    let (mut gain, mut cost, mut wins, mut losses) = (Decimal::ZERO, Decimal::ZERO, 0, 0);
    let mut by_event: BTreeMap<&str, (Decimal, i64)> = BTreeMap::new();
    for one in account.ledger.realized.iter().filter(in_period) {
        let of_one = one.proceeds - one.cost;
        gain += of_one;
        cost += one.cost;
        wins += usize::from(of_one > Decimal::ZERO);
        losses += usize::from(of_one < Decimal::ZERO);
        let (sum, last) = by_event.entry(&one.event_id).or_default();
        *sum += of_one;
        *last = one.at;
    }
    let percent = if cost.is_zero() { Decimal::ZERO } else { (gain / cost * Decimal::ONE_HUNDRED).round_dp(2) };
    let title = |id: &str| events.iter().find(|event| event.id == id).map(|event| event.title.clone());
    let of_event = |(id, (gain, last)): (&str, (Decimal, i64))| OfEvent {
        event_id: id.to_owned(),
        event_title: title(id).unwrap_or_default(),
        realized_pnl: gain.round_dp(6).into(),
        currency: currency.name(),
        last_activity: rfc3339(last),
    };
    let breakdown = query("breakdown").is_some_and(|flag| flag == "true");
    Ok(Reply::json(
        200,
        &Pnl {
            realized_pnl: gain.round_dp(6).into(),
            realized_pnl_percent: percent.into(),
            trade_pnl: gain.round_dp(6).into(),
            settlement_pnl: Number::default(),
            wins,
            losses,
            currency: currency.name(),
            breakdown: breakdown.then(|| by_event.into_iter().take(MOST_EVENTS).map(of_event).collect()),
        },
    ))
}
