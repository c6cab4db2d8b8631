//! What happened to an account's orders, and `listActivities`.

use rust_decimal::Decimal;
use serde::Serialize;

use super::Account;
use super::error::Refusal;
use super::events::{self, Event};
use super::ledger::{Currency, Ledger};
use super::order::{Duration, Order, Side};
use super::read::{self, Pagination};
use crate::clock::rfc3339;
use crate::make::uuid;
use crate::message::{Reply, Request};

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    MarketCreated,
    LimitCreated,
    Cancelled,
    Expired,
    Fill { shares: Decimal, money: Decimal },
}

impl Kind {
    fn name(self, side: Side) -> String {
        let what = match self {
            Self::MarketCreated => "MARKET_ORDER_CREATED",
            Self::LimitCreated => "LIMIT_ORDER_CREATED",
            Self::Cancelled => "LIMIT_ORDER_CANCELLED",
            Self::Expired => "LIMIT_ORDER_EXPIRED",
            Self::Fill { .. } => "TRADE_FILL",
        };
        format!("{}_{what}", side.name())
    }
}

/// One thing that happened, with the order as it stood then.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    id: String,
    kind: Kind,
    order: Order,
    at: i64,
}

impl Ledger {
    pub(super) fn note(&mut self, kind: Kind, order: &Order, at: i64) {
        self.activities.push(Activity { id: uuid(), kind, order: order.clone(), at });
    }
}

/// Amounts are texts here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivityView {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    order_id: String,
    event_id: String,
    event_title: String,
    event_type: String,
    market_id: String,
    market_title: String,
    outcome_id: String,
    outcome: &'static str,
    image_url: String,
    currency: &'static str,
    currency_base_multiplier: String,
    status: String,
    amount: String,
    price: String,
    size: String,
    filled_size: String,
    remaining_size: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_fill_price: Option<String>,
    total_cost: String,
    fee: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_spent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_earned: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_refunded: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shares_returned: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    created_at: String,
    updated_at: String,
}

fn text(value: Decimal) -> String {
    value.normalize().to_string()
}

impl Activity {
    fn shown(&self, events: &[Event]) -> Option<ActivityView> {
        let Self { id, kind, order, at } = self;
        let outcome = events::outcome(events, &order.outcome_id)?;
        let is_buy = order.terms.side == Side::Buy;
        let currency: Currency = order.terms.currency;
        let (fill, is_over) = match kind {
            Kind::Fill { shares, money } => (Some((*shares, *money)), false),
            Kind::Cancelled | Kind::Expired => (None, true),
            _ => (None, false),
        };
        let size = fill.map_or(order.size, |(shares, _)| shares);
        let amount = fill.map_or(order.terms.amount, |(_, money)| money);
        let price = fill.map_or(order.price, |(shares, money)| money / shares / currency.multiplier());
        Some(ActivityView {
            id: id.clone(),
            kind: kind.name(order.terms.side),
            order_id: order.id.clone(),
            event_id: order.event_id.clone(),
            event_title: outcome.event.title.clone(),
            event_type: outcome.event.kind.to_uppercase(),
            market_id: order.market_id.clone(),
            market_title: outcome.market.title.clone(),
            outcome_id: order.outcome_id.clone(),
            outcome: order.outcome_label,
            image_url: outcome.event.image_url.clone(),
            currency: currency.name(),
            currency_base_multiplier: text(currency.multiplier()),
            status: order.status.name().to_uppercase(),
            amount: text(amount),
            price: text(price.round_dp(8)),
            size: text(size),
            filled_size: text(order.filled),
            remaining_size: text(order.remaining()),
            avg_fill_price: order.average_price().map(text),
            total_cost: text(order.paid),
            fee: text(Decimal::ZERO),
            amount_spent: fill.filter(|_| is_buy).map(|(_, money)| text(money)),
            amount_earned: fill.filter(|_| !is_buy).map(|(_, money)| text(money)),
            amount_refunded: (is_over && is_buy).then(|| text(order.worth())),
            shares_returned: (is_over && !is_buy).then(|| text(order.remaining())),
            expires_at: match order.terms.duration {
                Duration::RestUntil(end) => Some(rfc3339(end)),
                _ => None,
            },
            created_at: rfc3339(*at),
            updated_at: rfc3339(*at),
        })
    }
}

#[derive(Serialize)]
struct Page {
    activities: Vec<ActivityView>,
    pagination: Pagination,
}

/// The newest first. Without a filter the fills are left out.
pub(super) fn list(account: &Account, events: &[Event], request: &Request) -> Result<Reply, Refusal> {
    let filter = request.query_value("type").filter(|value| !value.is_empty());
    let fits = |activity: &&Activity| {
        let is_fill = matches!(activity.kind, Kind::Fill { .. });
        let name = activity.kind.name(activity.order.terms.side);
        match filter.as_deref() {
            Some("buys") => name.starts_with("BUY_"),
            Some("sells") => name.starts_with("SELL_"),
            Some("limits") => name.contains("_LIMIT_"),
            // Nothing is settled here.
            Some(_) => false,
            None => !is_fill,
        }
    };
    let all = account.ledger.activities.iter().rev().filter(fits);
    let (activities, pagination) = read::page(request, all.filter_map(|one| one.shown(events)).collect())?;
    Ok(Reply::json(200, &Page { activities, pagination }))
}
