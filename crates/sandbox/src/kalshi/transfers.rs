//! The operations on subaccounts and transfers, of both exchanges.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::money::{Allocation, Instance, MoneyLocation, Transfer};
use super::orders::check_shard;
use super::read::{self, cents, dollars};
use super::state::State;
use crate::exchange::Owner;
use crate::message::Reply;
use crate::paging::newest_first;

/// The body of ApplySubaccountTransfer and of its twin for the perpetual futures.
#[derive(Deserialize)]
struct BetweenSubaccounts {
    client_transfer_id: String,
    from_subaccount: i64,
    to_subaccount: i64,
    amount_cents: i64,
    exchange_index: Option<i64>,
}

/// The body of IntraExchangeInstanceTransfer.
#[derive(Deserialize)]
struct BetweenInstances {
    client_transfer_id: Option<String>,
    source: String,
    destination: String,
    /// Hundredths of a cent.
    amount: i64,
    source_exchange_shard: Option<i64>,
    destination_exchange_shard: Option<i64>,
    source_subaccount: Option<i64>,
    destination_subaccount: Option<i64>,
}

#[derive(Deserialize)]
struct NewSubaccount {
    exchange_index: Option<i64>,
}

#[derive(Deserialize)]
struct Netting {
    subaccount_number: i64,
    enabled: bool,
}

#[derive(Deserialize)]
struct NewAllocation {
    allocations: Vec<Share>,
    resting_margin_reservation: Option<Value>,
}

#[derive(Deserialize)]
struct Share {
    exchange_index: i64,
    percent: i64,
}

/// A key that is locked to a subaccount moves no money.
fn unlocked(call: &Call) -> Result<usize, Refusal> {
    let key = call.key()?;
    if key.subaccount.is_some() {
        let message = "this API key is restricted to a single sub-account and cannot access this endpoint";
        return Err(Refusal::forbidden(message));
    }
    Ok(key.user)
}

fn new_subaccount(state: &mut State, call: &Call, instance: Instance) -> Result<Reply, Refusal> {
    let user = unlocked(call)?;
    if !call.request.body.is_empty() {
        check_shard(read::body::<NewSubaccount>(call.request)?.exchange_index)?;
    }
    let number = state.money.open(user, instance)?;
    Ok(Reply::json(201, &json!({"subaccount_number": number})))
}

pub(super) fn create_subaccount(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    new_subaccount(state, call, Instance::EventContract)
}

pub(super) fn create_margin_subaccount(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    new_subaccount(state, call, Instance::Margined)
}

pub(super) fn balances(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let owners = state.subaccounts(call.user()?, Instance::EventContract);
    let balances: Vec<Value> = owners
        .into_iter()
        .filter(|owner| call.sees(*owner))
        .map(|owner| {
            let updated = state.events.account(owner).map_or(state.money.opened, |account| account.updated);
            json!({
                "subaccount_number": owner.subaccount,
                "exchange_index": 0,
                "balance": dollars(state.events.available(owner)),
                "updated_ts": updated / 1000,
            })
        })
        .collect();
    Ok(Reply::json(200, &json!({"subaccount_balances": balances})))
}

pub(super) fn netting(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let owners = state.subaccounts(call.user()?, Instance::EventContract);
    let configs: Vec<Value> = owners
        .into_iter()
        .filter(|owner| call.sees(*owner))
        .map(|owner| {
            let enabled = !state.money.netting_off.contains(&owner);
            json!({"subaccount_number": owner.subaccount, "enabled": enabled, "exchange_index": 0})
        })
        .collect();
    Ok(Reply::json(200, &json!({"netting_configs": configs})))
}

pub(super) fn set_netting(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let netting: Netting = read::body(call.request)?;
    let owner = call.owner(Some(netting.subaccount_number))?;
    if !state.subaccounts(owner.user, Instance::EventContract).contains(&owner) {
        return Err(Refusal::invalid("there is no subaccount of this number"));
    }
    if netting.enabled {
        state.money.netting_off.remove(&owner);
    } else {
        state.money.netting_off.insert(owner);
    }
    Ok(Reply::empty(200))
}

fn between_subaccounts(state: &mut State, call: &Call, instance: Instance) -> Result<Reply, Refusal> {
    unlocked(call)?;
    let body: BetweenSubaccounts = read::body(call.request)?;
    check_shard(body.exchange_index)?;
    if body.client_transfer_id.is_empty() {
        return Err(Refusal::invalid("client_transfer_id is required"));
    }
    let purse = |number: i64| Ok::<_, Refusal>(MoneyLocation { instance, owner: call.owner(Some(number))? });
    let places = (purse(body.from_subaccount)?, purse(body.to_subaccount)?);
    let amount = Decimal::new(body.amount_cents, 2);
    state.transfer(places, amount, Some(&body.client_transfer_id), call.now)?;
    Ok(Reply::json(200, &json!({})))
}

pub(super) fn apply(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    between_subaccounts(state, call, Instance::EventContract)
}

pub(super) fn apply_margin(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    between_subaccounts(state, call, Instance::Margined)
}

/// Transfers of the caller between subaccounts of one exchange, or between the exchanges; the newest first.
fn of_caller(state: &State, user: usize, between_instances: bool) -> impl Iterator<Item = (i64, &Transfer)> {
    let own = newest_first(&state.money.transfers).filter(move |(_, transfer)| transfer.from.owner.user == user);
    own.filter(move |(_, transfer)| (transfer.from.instance != transfer.to.instance) == between_instances)
}

pub(super) fn list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let of_events = |(_, transfer): &(i64, &Transfer)| transfer.from.instance == Instance::EventContract;
    let transfers = of_caller(state, call.user()?, false).filter(of_events);
    let (page, cursor) = call.query().page(transfers)?;
    let page = page.into_iter().map(|transfer| {
        json!({
            "transfer_id": transfer.id,
            "from_subaccount": transfer.from.owner.subaccount,
            "to_subaccount": transfer.to.owner.subaccount,
            "amount_cents": cents(transfer.amount),
            "created_ts": transfer.time / 1000,
            "exchange_index": 0,
        })
    });
    let page: Vec<Value> = page.collect();
    Ok(Reply::json(200, &json!({"transfers": page, "cursor": cursor})))
}

pub(super) fn between_instances(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let user = unlocked(call)?;
    let body: BetweenInstances = read::body(call.request)?;
    check_shard(body.source_exchange_shard)?;
    check_shard(body.destination_exchange_shard)?;
    let purse = |name: &str, subaccount: Option<i64>| {
        let instance = Instance::named(name).ok_or_else(|| Refusal::invalid("unknown exchange instance"))?;
        let owner = Owner { user, ..call.owner(subaccount)? };
        Ok::<_, Refusal>(MoneyLocation { instance, owner })
    };
    let from = purse(&body.source, body.source_subaccount)?;
    let to = purse(&body.destination, body.destination_subaccount)?;
    let is_numbered = from.owner.subaccount != 0 || to.owner.subaccount != 0;
    if is_numbered && (from.instance, to.instance) != (Instance::EventContract, Instance::EventContract) {
        return Err(Refusal::invalid("numbered subaccounts take part between event contracts only"));
    }
    if is_numbered && body.client_transfer_id.is_some() {
        return Err(Refusal::invalid("client_transfer_id is for primary accounts"));
    }
    let amount = Decimal::new(body.amount, 4);
    let id = state.transfer((from, to), amount, body.client_transfer_id.as_deref(), call.now)?;
    Ok(Reply::json(200, &json!({"transfer_id": id})))
}

fn instance_json(transfer: &Transfer) -> Value {
    json!({
        "transfer_id": transfer.id,
        "source": transfer.from.instance.name(),
        "destination": transfer.to.instance.name(),
        "source_exchange_shard": 0,
        "destination_exchange_shard": 0,
        "amount": dollars(transfer.amount),
        "status": "complete",
        "created_ts": transfer.time / 1000,
    })
}

pub(super) fn instance_list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (page, cursor) = call.query().page_of(of_caller(state, call.user()?, true), 100, 500)?;
    let page: Vec<Value> = page.into_iter().map(instance_json).collect();
    Ok(Reply::json(200, &json!({"transfers": page, "cursor": cursor})))
}

pub(super) fn instance_one(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let id = call.given.in_path("transfer_id");
    let user = call.user()?;
    let own = state.money.transfers.iter().find(|transfer| transfer.id == id && transfer.from.owner.user == user);
    let transfer = own.ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, &json!({"transfer": instance_json(transfer)})))
}

pub(super) fn allocation(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let allocation = state.money.allocations.entry(call.user()?).or_default();
    Ok(Reply::json(
        200,
        &json!({"allocations": allocation.allocations, "resting_margin_reservation": allocation.reservation}),
    ))
}

pub(super) fn set_allocation(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let new: NewAllocation = read::body(call.request)?;
    let sum: i64 = new.allocations.iter().map(|share| share.percent.clamp(0, 1000)).sum();
    if !new.allocations.is_empty() && !(100..=101).contains(&sum) {
        return Err(Refusal::invalid("the percentages of allocations must add up to 100"));
    }
    for share in &new.allocations {
        check_shard(Some(share.exchange_index))?;
    }
    let share = |share: &Share| json!({"exchange_index": share.exchange_index, "percent": share.percent});
    let allocation = Allocation {
        allocations: new.allocations.iter().map(share).collect(),
        reservation: new.resting_margin_reservation.filter(|value| !value.is_null()).unwrap_or_else(|| json!("sum")),
    };
    state.money.allocations.insert(call.user()?, allocation);
    Ok(Reply::json(200, &json!({})))
}
