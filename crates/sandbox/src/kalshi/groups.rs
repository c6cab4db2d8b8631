//! Order groups: orders that are cancelled together once too many contracts of them were filled within 15 seconds.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth;
use super::book::{Book, Status};
use super::error::Refusal;
use super::keys::Key;
use super::read::{self, Query, count, fixed_point};
use crate::make::uuid;
use crate::message::{Reply, Request};
use crate::spec::{Answering, Given, Operation};

const WINDOW_MILLIS: i64 = 15_000;

struct Group {
    id: String,
    limit: Decimal,
    subaccount: i64,
    exchange_index: i64,
    triggered: bool,
    /// Fills before this do not count.
    reset: i64,
}

impl Group {
    fn is_visible(&self, subaccount: Option<i64>) -> bool {
        subaccount.is_none_or(|number| self.subaccount == number)
    }
}

/// The groups of the one account.
#[derive(Default)]
pub(super) struct Groups(Vec<Group>);

#[derive(Deserialize)]
struct Limit {
    contracts_limit: Option<i64>,
    contracts_limit_fp: Option<String>,
    subaccount: Option<i64>,
    exchange_index: Option<i64>,
}

impl Limit {
    fn contracts(&self) -> Result<Decimal, Refusal> {
        let exact = self.contracts_limit_fp.as_deref().and_then(|text| fixed_point(text, 2));
        let limit = exact.or_else(|| self.contracts_limit.map(Decimal::from)).filter(|limit| *limit > Decimal::ZERO);
        limit.ok_or_else(|| Refusal::invalid("body/contracts_limit: is required, and must be more than 0"))
    }
}

impl Groups {
    pub(super) fn carry_out(
        &mut self,
        book: &mut Book,
        operation: &Operation,
        given: &Given,
        key: &Key,
        request: &Request,
        now: i64,
    ) -> Result<Reply, Refusal> {
        let query = Query::new(&operation.id, request);
        let subaccount = auth::subaccount(key, query.integer("subaccount")?)?;
        match operation.id.as_str() {
            "CreateOrderGroup" => return self.create(key, request, now),
            "GetOrderGroups" => return Ok(self.list(subaccount)),
            _ => {}
        }
        let id = given.in_path("order_group_id");
        let index = self.0.iter().position(|group| group.id == id && group.is_visible(subaccount));
        let index = index.ok_or_else(Refusal::not_found)?;
        match operation.id.as_str() {
            "GetOrderGroup" => return Ok(show(&self.0[index], book)),
            "DeleteOrderGroup" => {
                cancel_all(book, id, now);
                self.0.remove(index);
            }
            "ResetOrderGroup" => {
                self.0[index].triggered = false;
                self.0[index].reset = now;
            }
            "TriggerOrderGroup" => {
                self.0[index].triggered = true;
                cancel_all(book, id, now);
            }
            "UpdateOrderGroupLimit" => {
                self.0[index].limit = read::body::<Limit>(request)?.contracts()?;
                self.watch(book, now);
            }
            _ => return Ok(operation.reply(given)),
        }
        Ok(Reply::json(200, &json!({})))
    }

    /// Refuses an order for a group that takes none at the moment.
    pub(super) fn check_order(&self, order_group_id: Option<&str>) -> Result<(), Refusal> {
        let group = order_group_id.and_then(|id| self.0.iter().find(|group| group.id == id));
        match group {
            Some(group) if group.triggered => Err(Refusal::detailed(400, "invalid_order", "order group is triggered")),
            _ => Ok(()),
        }
    }

    /// Triggers the groups of which too much was filled.
    pub(super) fn watch(&mut self, book: &mut Book, now: i64) {
        for group in self.0.iter_mut().filter(|group| !group.triggered) {
            let since = group.reset.max(now - WINDOW_MILLIS);
            let of_group = book.orders().filter(|order| order.terms.order_group_id.as_ref() == Some(&group.id));
            let filled: Decimal = of_group.filter(|order| order.created >= since).map(|order| order.filled).sum();
            if filled >= group.limit {
                group.triggered = true;
                cancel_all(book, &group.id, now);
            }
        }
    }

    fn create(&mut self, key: &Key, request: &Request, now: i64) -> Result<Reply, Refusal> {
        let new: Limit = read::body(request)?;
        let group = Group {
            id: uuid(),
            limit: new.contracts()?,
            subaccount: auth::subaccount(key, new.subaccount)?.unwrap_or(0),
            exchange_index: new.exchange_index.unwrap_or(0),
            triggered: false,
            reset: now,
        };
        let json = json!({
            "order_group_id": group.id, "subaccount": group.subaccount, "exchange_index": group.exchange_index,
        });
        self.0.push(group);
        Ok(Reply::json(201, &json))
    }

    fn list(&self, subaccount: Option<i64>) -> Reply {
        let visible = self.0.iter().filter(|group| group.is_visible(subaccount));
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
        Reply::json(200, &json!({"order_groups": groups}))
    }
}

fn show(group: &Group, book: &Book) -> Reply {
    let orders = resting(book, &group.id);
    Reply::json(
        200,
        &json!({
            "is_auto_cancel_enabled": true,
            "contracts_limit_fp": count(group.limit),
            "orders": orders,
            "exchange_index": group.exchange_index,
        }),
    )
}

fn resting(book: &Book, group: &str) -> Vec<String> {
    let orders = book.orders().filter(|order| order.status == Status::Resting);
    let own = orders.filter(|order| order.terms.order_group_id.as_deref() == Some(group));
    own.map(|order| order.id.clone()).collect()
}

fn cancel_all(book: &mut Book, group: &str, now: i64) {
    for id in resting(book, group) {
        book.cancel(&id, now);
    }
}
