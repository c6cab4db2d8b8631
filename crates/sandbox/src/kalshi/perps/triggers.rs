//! Exit triggers: stop-loss, take-profit and trailing stops that close positions of perpetual futures. No position of the
//! sandbox has a margin of its own, so there is nothing to set isolated triggers on.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::Refusal;
use super::super::read::{self, count, dollars, fixed_point};
use super::super::state::State;
use super::exit::{Kind, Prices, Trigger, TriggerStatus};
use crate::clock::rfc3339;
use crate::exchange::{Exchange, Owner};
use crate::make::uuid;
use crate::message::Reply;

pub(in super::super) use super::exit::Triggers;

use super::rules::MarginRules;

/// Brackets that a position takes.
const MOST_BRACKETS: usize = 20;
const LONGEST_NAME: usize = 64;

/// The body of SetCrossMarginExitTrigger.
#[derive(Deserialize)]
struct NewTrigger {
    count: Option<String>,
    anchor_order_id: Option<String>,
    client_trigger_id: Option<String>,
    kind: Option<String>,
    #[serde(flatten)]
    prices: NewPrices,
    trail_amount: Option<String>,
    trail_bps: Option<i64>,
}

/// The body of UpdateCrossMarginExitTrigger.
#[derive(Deserialize)]
struct NewPrices {
    stop_loss_price: Option<String>,
    take_profit_price: Option<String>,
}

impl NewPrices {
    fn read(&self) -> Result<Prices, Refusal> {
        let stop_loss = amount(self.stop_loss_price.as_deref(), "stop_loss_price")?;
        let take_profit = amount(self.take_profit_price.as_deref(), "take_profit_price")?;
        if stop_loss.is_none() && take_profit.is_none() {
            return Err(Refusal::invalid("stop_loss_price or take_profit_price is required"));
        }
        Ok(Prices::Bracket { stop_loss, take_profit })
    }
}

impl NewTrigger {
    fn kind(&self) -> Result<Kind, Refusal> {
        let kind = self.kind.as_deref().filter(|kind| !kind.is_empty()).unwrap_or("bracket");
        Kind::named(kind).ok_or_else(|| Refusal::invalid("kind must be bracket or trailing"))
    }

    fn prices(&self, kind: Kind) -> Result<Prices, Refusal> {
        let trail = amount(self.trail_amount.as_deref(), "trail_amount")?;
        let has_prices = self.prices.stop_loss_price.is_some() || self.prices.take_profit_price.is_some();
        match (kind, trail, self.trail_bps) {
            (Kind::Bracket, None, None) => self.prices.read(),
            (Kind::Bracket, ..) => Err(Refusal::invalid("trail_amount and trail_bps are for a trailing stop")),
            (Kind::Trailing, ..) if has_prices => {
                Err(Refusal::invalid("stop_loss_price and take_profit_price are for a bracket"))
            }
            (Kind::Trailing, Some(amount), None) => Ok(Prices::Trail { amount: Some(amount), bps: None }),
            (Kind::Trailing, None, Some(bps @ 1..=9999)) => Ok(Prices::Trail { amount: None, bps: Some(bps) }),
            (Kind::Trailing, None, Some(_)) => Err(Refusal::invalid("trail_bps must be from 1 to 9999")),
            (Kind::Trailing, ..) => Err(Refusal::invalid("either trail_amount or trail_bps is required, not both")),
        }
    }
}

fn amount(text: Option<&str>, name: &str) -> Result<Option<Decimal>, Refusal> {
    let read = |text: &str| {
        let amount = fixed_point(text, 4).filter(|amount| !amount.is_zero());
        amount.ok_or_else(|| Refusal::invalid(&format!("{name} must be dollars above 0 with at most 4 decimals")))
    };
    text.filter(|text| !text.is_empty()).map(read).transpose()
}

/// What a call is about: a position, of one subaccount in one market.
struct PositionKey {
    owner: Owner,
    ticker: String,
}

impl PositionKey {
    fn of(state: &State, call: &Call) -> Result<Self, Refusal> {
        let contract = state.perps.contract(call.given.in_path("ticker")).ok_or_else(Refusal::not_found)?;
        Ok(Self { owner: call.subaccount_or_primary()?, ticker: contract.ticker.to_owned() })
    }

    fn has(&self, trigger: &Trigger) -> bool {
        trigger.owner == self.owner && trigger.ticker == self.ticker
    }

    fn held(&self, exchange: &Exchange<MarginRules>) -> Decimal {
        let position = exchange.account(self.owner).and_then(|account| account.position(&self.ticker));
        position.map(|position| position.count).unwrap_or_default()
    }
}

/// The kind that a query is limited to.
fn kind(call: &Call) -> Result<Option<Kind>, Refusal> {
    let query = call.query();
    let name = query.one_of("kind", &["bracket", "trailing"])?;
    Ok(name.and_then(Kind::named))
}

pub(in super::super) fn list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (place, kind) = (PositionKey::of(state, call)?, kind(call)?);
    let live =
        state.perps.triggers.0.iter().filter(|trigger| {
            trigger.is_live() && place.has(trigger) && kind.is_none_or(|kind| trigger.kind() == kind)
        });
    let shown: Vec<Value> = live.map(to_json).collect();
    Ok(Reply::json(200, &json!({"exit_triggers": shown})))
}

pub(in super::super) fn set(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let new: NewTrigger = read::body(call.request)?;
    let place = PositionKey::of(state, call)?;
    let perps = &mut state.perps;
    let (kind, name) = (new.kind()?, new.client_trigger_id.clone().filter(|name| !name.is_empty()));
    let anchor = new.anchor_order_id.clone().filter(|id| !id.is_empty());
    let adds = new.count.is_some() || anchor.is_some();
    match &name {
        Some(_) if !adds => return Err(Refusal::invalid("client_trigger_id is for count or anchor_order_id only")),
        None if adds => return Err(Refusal::invalid("client_trigger_id is required")),
        Some(name) if name.len() > LONGEST_NAME => {
            return Err(Refusal::invalid("client_trigger_id has up to 64 characters"));
        }
        _ => {}
    }
    if let Some(made) =
        perps.triggers.0.iter().find(|trigger| {
            name.is_some() && trigger.owner.user == place.owner.user && trigger.client_trigger_id == name
        })
    {
        return Ok(Reply::json(200, &to_json(made)));
    }
    let prices = new.prices(kind)?;
    if adds && kind == Kind::Trailing {
        return Err(Refusal::invalid("count and anchor_order_id are for brackets"));
    }
    let size = match (&new.count, &anchor) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("either count or anchor_order_id may be given, not both")),
        (Some(text), None) => {
            let size = fixed_point(text, 0).filter(|size| !size.is_zero());
            size.ok_or_else(|| Refusal::invalid("count must be whole contracts"))?
        }
        _ => Decimal::ZERO,
    };
    let held = place.held(&perps.exchange);
    let sign = match &anchor {
        Some(id) => {
            let order =
                perps.exchange.order(id).filter(|order| order.owner == place.owner && order.ticker == place.ticker);
            let order = order.filter(|order| !order.remaining.is_zero());
            order.ok_or_else(|| Refusal::new(400, "anchor_order_unavailable"))?.terms.side.sign()
        }
        None if held.is_zero() => return Err(Refusal::detailed(400, "invalid_parameters", "the position is not open")),
        None => held / held.abs(),
    };
    let live = |trigger: &&mut Trigger| trigger.is_live() && place.has(trigger) && trigger.kind() == kind;
    if adds {
        if perps.triggers.0.iter_mut().filter(live).count() >= MOST_BRACKETS {
            return Err(Refusal::invalid("a position takes no more than 20 brackets"));
        }
    } else {
        let replaced = perps.triggers.0.iter_mut().filter(live).filter(|trigger| trigger.client_trigger_id.is_none());
        replaced.for_each(|trigger| trigger.end(TriggerStatus::Canceled, Some("user_canceled"), call.now));
    }
    let trigger = Trigger {
        id: uuid(),
        owner: place.owner,
        ticker: place.ticker.clone(),
        status: if anchor.is_some() { TriggerStatus::PendingOnEntry } else { TriggerStatus::Active },
        reason: None,
        prices,
        sign,
        watermark: perps.exchange.mark(&place.ticker),
        count: size,
        filled: Decimal::ZERO,
        anchor_order_id: anchor,
        client_trigger_id: name,
        leg: None,
        order_id: None,
        created: call.now,
        updated: call.now,
    };
    let id = trigger.id.clone();
    perps.triggers.0.push(trigger);
    // One whose price is reached already fires at once.
    perps.react(call.now);
    shown(&perps.triggers, &id)
}

fn shown(triggers: &Triggers, id: &str) -> Result<Reply, Refusal> {
    let trigger = triggers.0.iter().find(|trigger| trigger.id == id).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, &to_json(trigger)))
}

/// The live bracket that a call names.
fn bracket<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Trigger, Refusal> {
    let (place, id) = (PositionKey::of(state, call)?, call.given.in_path("trigger_id"));
    let found =
        state.perps.triggers.0.iter_mut().find(|trigger| {
            trigger.id == id && trigger.is_live() && place.has(trigger) && trigger.kind() == Kind::Bracket
        });
    found.ok_or_else(Refusal::not_found)
}

pub(in super::super) fn update(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let prices = read::body::<NewPrices>(call.request)?.read()?;
    let trigger = bracket(state, call)?;
    trigger.prices = prices;
    trigger.updated = call.now;
    let id = trigger.id.clone();
    state.perps.react(call.now);
    shown(&state.perps.triggers, &id)
}

pub(in super::super) fn delete_one(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    bracket(state, call)?.end(TriggerStatus::Canceled, Some("user_canceled"), call.now);
    Ok(Reply::empty(204))
}

pub(in super::super) fn delete(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (place, kind) = (PositionKey::of(state, call)?, kind(call)?);
    for trigger in &mut state.perps.triggers.0 {
        if trigger.is_live() && place.has(trigger) && kind.is_none_or(|kind| trigger.kind() == kind) {
            trigger.end(TriggerStatus::Canceled, Some("user_canceled"), call.now);
        }
    }
    Ok(Reply::empty(204))
}

pub(in super::super) fn list_isolated(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    PositionKey::of(state, call)?;
    Ok(Reply::json(200, &json!({"exit_triggers": []})))
}

pub(in super::super) fn set_isolated(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let new: NewTrigger = read::body(call.request)?;
    new.prices(new.kind()?)?;
    PositionKey::of(state, call)?;
    Err(Refusal::detailed(400, "invalid_parameters", "the position is not open"))
}

pub(in super::super) fn delete_isolated(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    PositionKey::of(state, call)?;
    Ok(Reply::empty(204))
}

fn to_json(trigger: &Trigger) -> Value {
    let mut json = json!({
        "id": trigger.id,
        "ticker": trigger.ticker,
        "kind": trigger.kind().name(),
        "status": trigger.status.name(),
        "count": count(trigger.count),
        "filled_count": count(trigger.filled),
        "created_time": rfc3339(trigger.created),
        "updated_time": rfc3339(trigger.updated),
    });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            json[name] = value;
        }
    };
    put("status_reason", trigger.reason.map(Value::from));
    put("triggered_leg", trigger.leg.map(Value::from));
    put("triggered_order_id", trigger.order_id.clone().map(Value::from));
    put("anchor_order_id", trigger.anchor_order_id.clone().map(Value::from));
    put("client_trigger_id", trigger.client_trigger_id.clone().map(Value::from));
    match trigger.prices {
        Prices::Bracket { stop_loss, take_profit } => {
            put("stop_loss_price", stop_loss.map(|price| dollars(price).into()));
            put("take_profit_price", take_profit.map(|price| dollars(price).into()));
        }
        Prices::Trail { amount, bps } => {
            put("trail_amount", amount.map(|amount| dollars(amount).into()));
            put("trail_bps", bps.map(Value::from));
            put("watermark_price", Some(dollars(trigger.watermark).into()));
            put("effective_stop_price", trigger.stop().map(|price| dollars(price).into()));
        }
    }
    json
}
