//! Order groups of both exchanges: orders that are cancelled together once too many contracts of them trade within 15
//! seconds.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::read::{self, count, fixed_point};
use crate::exchange::{Exchange, Order, Owner, Reason, Rules};
use crate::make::uuid;
use crate::message::Reply;

const WINDOW_MILLIS: i64 = 15_000;
const LARGEST_LIMIT: Decimal = dec!(1000000);

struct Group {
    id: String,
    owner: Owner,
    limit: Decimal,
    exchange_index: i64,
    triggered: bool,
    /// Fills before this do not count.
    reset: i64,
}

/// Something that happened to a group.
pub(super) struct GroupEvent {
    pub(super) owner: Owner,
    pub(super) id: String,
    /// The venue's word for it.
    pub(super) kind: &'static str,
    /// The limit, where it is new.
    pub(super) limit: Option<Decimal>,
}

impl Group {
    fn event(&self, kind: &'static str) -> GroupEvent {
        let is_new = ["created", "limit_updated"].contains(&kind);
        GroupEvent { owner: self.owner, id: self.id.clone(), kind, limit: is_new.then_some(self.limit) }
    }
}

/// The groups of one exchange, and what has happened to them and was not sent yet.
#[derive(Default)]
pub(super) struct Groups(Vec<Group>, Vec<GroupEvent>);

#[derive(Deserialize)]
struct Limit {
    contracts_limit: Option<i64>,
    contracts_limit_fp: Option<String>,
    subaccount: Option<i64>,
    exchange_index: Option<i64>,
}

impl Limit {
    fn contracts(&self) -> Result<Decimal, Refusal> {
        let exact = match &self.contracts_limit_fp {
            Some(text) => Some(fixed_point(text, 2).ok_or_else(|| {
                Refusal::invalid("body/contracts_limit_fp: must be contracts with at most 2 decimals")
            })?),
            None => None,
        };
        let whole = self.contracts_limit.map(Decimal::from);
        if exact.is_some() && whole.is_some() && exact != whole {
            return Err(Refusal::invalid("body: contracts_limit and contracts_limit_fp differ"));
        }
        let limit = exact.or(whole).filter(|limit| *limit > Decimal::ZERO && *limit <= LARGEST_LIMIT);
        limit.ok_or_else(|| Refusal::invalid("body/contracts_limit: is required, from 1 to 1000000"))
    }
}

impl Groups {
    /// What has happened since this was asked last.
    pub(super) fn take_events(&mut self) -> Vec<GroupEvent> {
        std::mem::take(&mut self.1)
    }

    /// A group that a write is about.
    fn writable(&mut self, call: &Call) -> Result<&mut Group, Refusal> {
        let owner = call.subaccount_or_primary()?;
        if call.is_about_other_shard()? {
            return Err(Refusal::not_found());
        }
        let id = call.given.in_path("order_group_id");
        let group = self.0.iter_mut().find(|group| group.id == id && group.owner == owner);
        group.ok_or_else(Refusal::not_found)
    }

    pub(super) fn create(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let new: Limit = read::body(call.request)?;
        super::orders::check_shard(new.exchange_index)?;
        let group = Group {
            id: uuid(),
            owner: call.owner(new.subaccount)?,
            limit: new.contracts()?,
            exchange_index: 0,
            triggered: false,
            reset: call.now,
        };
        let json = json!({
            "order_group_id": group.id,
            "subaccount": group.owner.subaccount,
            "exchange_index": group.exchange_index,
        });
        self.1.push(group.event("created"));
        self.0.push(group);
        Ok(Reply::json(201, &json))
    }

    pub(super) fn list(&self, call: &Call) -> Result<Reply, Refusal> {
        let subaccount = call.subaccount_or_all()?;
        let visible = self
            .0
            .iter()
            .filter(|group| call.sees(group.owner) && subaccount.is_none_or(|number| group.owner.subaccount == number));
        let groups: Vec<Value> = visible
            .map(|group| {
                json!({
                    "id": group.id,
                    "contracts_limit_fp": count(group.limit),
                    "is_auto_cancel_enabled": true,
                    "exchange_index": group.exchange_index,
                })
            })
            .collect();
        Ok(Reply::json(200, &json!({"order_groups": groups})))
    }

    pub(super) fn get<R: Rules>(&self, exchange: &Exchange<R>, call: &Call) -> Result<Reply, Refusal> {
        let (subaccount, id) = (call.subaccount_or_all()?, call.given.in_path("order_group_id"));
        let group = self.0.iter().find(|group| {
            group.id == id && call.sees(group.owner) && subaccount.is_none_or(|number| group.owner.subaccount == number)
        });
        let group = group.ok_or_else(Refusal::not_found)?;
        let orders = exchange.orders().filter(|order| !order.remaining.is_zero() && is_in(order, group.owner, id));
        let orders: Vec<&str> = orders.map(|order| order.id.as_str()).collect();
        Ok(Reply::json(
            200,
            &json!({
                "is_auto_cancel_enabled": true,
                "contracts_limit_fp": count(group.limit),
                "orders": orders,
                "exchange_index": group.exchange_index,
            }),
        ))
    }

    pub(super) fn delete<R: Rules>(&mut self, exchange: &mut Exchange<R>, call: &Call) -> Result<Reply, Refusal> {
        let group = self.writable(call)?;
        let (id, owner, deleted) = (group.id.clone(), group.owner, group.event("deleted"));
        cancel_orders(exchange, owner, &id, call.now);
        self.0.retain(|group| group.id != id);
        self.1.push(deleted);
        Ok(done())
    }

    pub(super) fn reset(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let group = self.writable(call)?;
        group.triggered = false;
        group.reset = call.now;
        let reset = group.event("reset");
        self.1.push(reset);
        Ok(done())
    }

    pub(super) fn trigger<R: Rules>(&mut self, exchange: &mut Exchange<R>, call: &Call) -> Result<Reply, Refusal> {
        let group = self.writable(call)?;
        group.triggered = true;
        cancel_orders(exchange, group.owner, &group.id, call.now);
        let triggered = group.event("triggered");
        self.1.push(triggered);
        Ok(done())
    }

    /// Changes a limit. One that was reached already triggers the group with the next look at it.
    pub(super) fn update_limit(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let limit = read::body::<Limit>(call.request)?.contracts()?;
        let group = self.writable(call)?;
        group.limit = limit;
        let updated = group.event("limit_updated");
        self.1.push(updated);
        Ok(done())
    }

    /// Refuses an order for a group that does not exist, or that takes none at the moment.
    pub(super) fn check_order(&self, owner: Owner, order_group_id: Option<&str>) -> Result<(), Refusal> {
        let Some(id) = order_group_id else { return Ok(()) };
        match self.0.iter().find(|group| group.id == id && group.owner == owner) {
            None => Err(Refusal::detailed(400, "invalid_order", "order group not found")),
            Some(group) if group.triggered => Err(Refusal::detailed(400, "invalid_order", "order group is triggered")),
            Some(_) => Ok(()),
        }
    }

    /// Triggers the groups of which too much has traded.
    pub(super) fn watch<R: Rules>(&mut self, exchange: &mut Exchange<R>, now: i64) {
        for group in self.0.iter_mut().filter(|group| !group.triggered) {
            let window = exchange.fills().take_while(|fill| fill.time > now - WINDOW_MILLIS);
            let own = window.filter(|fill| {
                fill.time >= group.reset && fill.owner == group.owner && fill.order_group_id.as_ref() == Some(&group.id)
            });
            if own.map(|fill| fill.count).sum::<Decimal>() >= group.limit {
                group.triggered = true;
                cancel_orders(exchange, group.owner, &group.id, now);
                self.1.push(group.event("triggered"));
            }
        }
    }
}

fn is_in(order: &Order, owner: Owner, group: &str) -> bool {
    order.owner == owner && order.terms.order_group_id.as_deref() == Some(group)
}

fn cancel_orders<R: Rules>(exchange: &mut Exchange<R>, owner: Owner, group: &str, now: i64) {
    exchange.cancel_where(Reason::Decreased, now, |order| is_in(order, owner, group));
}

fn done() -> Reply {
    Reply::json(200, &json!({}))
}
