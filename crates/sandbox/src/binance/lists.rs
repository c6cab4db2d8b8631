//! Order lists: what the orders of a list do to each other, and how a list is shown.
//!
//! Of a pair (OCO), each order ends the other as soon as it does something. A working order (OTO) has other orders wait for it: they are
//! placed once it is filled, and end with it otherwise.

use serde_json::{Value, json};

use super::members::Member;
use super::order::{Status, Wish};
use super::place;
use super::trading::{Event, Trading};

/// Some orders of a market that depend on each other.
#[derive(Clone, Debug)]
pub(super) struct OrderList {
    pub(super) member: usize,
    pub(super) symbol: usize,
    pub(super) client_id: String,
    /// The order that the others wait for.
    working: Option<usize>,
    /// One order or a pair, as indices.
    others: Vec<usize>,
    /// Whether the others wait for nothing any more.
    is_released: bool,
    pub(super) is_done: bool,
    pub(super) time: i64,
    updated: i64,
}

impl OrderList {
    /// Its orders, as indices.
    pub(super) fn orders(&self) -> impl Iterator<Item = usize> + '_ {
        self.working.into_iter().chain(self.others.iter().copied())
    }

    fn contingency(&self) -> &'static str {
        if self.working.is_some() { "OTO" } else { "OCO" }
    }

    /// What the list did last, and the state of its orders.
    fn status(&self) -> (&'static str, &'static str) {
        if self.is_done { ("ALL_DONE", "ALL_DONE") } else { ("EXEC_STARTED", "EXECUTING") }
    }
}

/// The id of an order list in responses: -1 for an order without one.
pub(super) fn list_id(list: Option<usize>) -> i64 {
    list.and_then(|list| i64::try_from(list + 1).ok()).unwrap_or(-1)
}

impl Trading {
    /// Accepts a list whose orders were checked: a working order that others wait for, or a pair.
    pub(super) fn accept_list(
        &mut self,
        members: &mut [Member],
        (member, client_id): (usize, String),
        (working, others): (Option<Wish>, Vec<Wish>),
        now: i64,
    ) -> usize {
        let list = self.lists.len();
        let symbol = others.iter().chain(&working).map(|wish| wish.symbol).next().unwrap_or_default();
        let is_released = working.is_none();
        let working = working.map(|wish| self.add(member, wish, Some(list), now));
        let others: Vec<usize> = others.into_iter().map(|wish| self.add(member, wish, Some(list), now)).collect();
        let of_list = OrderList {
            member,
            symbol,
            client_id,
            working,
            others,
            is_released,
            is_done: false,
            time: now,
            updated: now,
        };
        self.lists.push(of_list.clone());
        self.note_list(list);
        for index in &of_list.others {
            match is_released {
                true => self.start(members, *index, now),
                false => self.report(*index, Event::New, None, None),
            }
        }
        if let Some(working) = working {
            self.unreleased.insert(list);
            self.start(members, working, now);
        }
        list
    }

    /// The open orders of the list that an order is of, the order itself included.
    pub(super) fn open_with(&self, index: usize) -> Vec<usize> {
        match self.orders[index].list {
            None => vec![index],
            Some(list) => self.lists[list].orders().filter(|one| self.orders[*one].status.is_open()).collect(),
        }
    }

    /// The other order of a pair, while both hold coins.
    pub(super) fn partner(&self, index: usize) -> Option<usize> {
        let list = &self.lists[self.orders[index].list?];
        let other = match list.others[..] {
            [one, other] if one == index => other,
            [one, other] if other == index => one,
            _ => return None,
        };
        self.orders[other].status.is_open().then_some(other)
    }

    /// Ends the orders that must not stay after what happened to others of their lists.
    pub(super) fn follow_lists(&mut self, members: &mut [Member], now: i64) {
        while let Some(number) = self.changed_lists.pop_first() {
            let list = self.lists[number].clone();
            if list.is_done {
                continue;
            }
            let is_over = |index: usize| !self.orders[index].status.is_open();
            let ends_others = match list.working {
                Some(working) if !list.is_released => is_over(working) && self.orders[working].status != Status::Filled,
                _ => list.others.iter().any(|index| is_over(*index) || self.orders[*index].has_begun()),
            };
            let ended = list.others.iter().filter(|index| !is_over(**index) && !self.orders[**index].has_begun());
            let ended: Vec<usize> = if ends_others { ended.copied().collect() } else { Vec::new() };
            for index in ended {
                self.expire(members, index, now);
            }
            if list.orders().all(|index| !self.orders[index].status.is_open()) {
                let list = &mut self.lists[number];
                (list.is_done, list.updated) = (true, now);
                self.unreleased.remove(&number);
                self.note_list(number);
            }
        }
    }

    /// Places the orders that waited for one which is filled. The response to that one shows them as waiting, so this comes later.
    pub(super) fn release_lists(&mut self, members: &mut [Member], now: i64) {
        let is_filled = |trading: &Self, list: &usize| {
            trading.lists[*list].working.is_some_and(|index| trading.orders[index].status == Status::Filled)
        };
        while let Some(number) = self.unreleased.iter().copied().find(|list| is_filled(self, list)) {
            self.unreleased.remove(&number);
            self.lists[number].is_released = true;
            let (member, others) = (self.lists[number].member, self.lists[number].others.clone());
            // They neither count nor hold coins before, not even for each other.
            others.iter().for_each(|index| self.close(*index));
            let checked =
                others.iter().map(|index| place::check(self, members, member, self.orders[*index].wish.clone()));
            let checked: Vec<_> = checked.collect();
            for (index, checked) in others.into_iter().zip(checked) {
                self.open.insert((member, index));
                match checked {
                    Ok(wish) => {
                        self.orders[index].wish = wish;
                        self.start(members, index, now);
                    }
                    Err(_) => self.end(index, Status::Expired, Event::Expired, now),
                }
            }
            self.follow_lists(members, now);
        }
    }

    /// Notes that a list began or is done.
    fn note_list(&mut self, list: usize) {
        let shown = self.show_list(list);
        self.changes.lists.push((self.lists[list].member, shown));
    }

    /// The open list of an account with that id.
    pub(super) fn open_list(&self, member: usize, client_id: &str) -> Option<usize> {
        let is_wanted = |list: &OrderList| !list.is_done && list.member == member && list.client_id == client_id;
        self.lists.iter().rposition(is_wanted)
    }

    /// A list as responses show it.
    pub(super) fn show_list(&self, number: usize) -> Value {
        let list = &self.lists[number];
        let (kind, status) = list.status();
        let name = &self.symbols[list.symbol].name;
        let order = |index: usize| {
            let order = &self.orders[index];
            json!({"symbol": name, "orderId": order.id, "clientOrderId": order.wish.client_id})
        };
        json!({
            "orderListId": list_id(Some(number)),
            "contingencyType": list.contingency(),
            "listStatusType": kind,
            "listOrderStatus": status,
            "listClientOrderId": list.client_id,
            "transactionTime": list.updated,
            "symbol": name,
            "orders": list.orders().map(order).collect::<Vec<Value>>(),
        })
    }
}
