//! Creates, amends and cancels orders, one or several at once. The trade channel carries the same out.

use serde_json::{Value, json};

use super::category::Category;
use super::members::Member;
use super::order::{Order, Status};
use super::read::Given;
use super::reply::{Outcome, Refusal};
use super::trading::Trading;
use super::{wallet, wishes};
use crate::paging::newest_first;

/// What is done with orders.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Action {
    Create,
    Amend,
    Cancel,
}

/// Whose orders, and in which markets.
pub(super) struct Desk<'a> {
    pub(super) trading: &'a mut Trading,
    pub(super) members: &'a mut [Member],
    pub(super) member: usize,
    pub(super) now: i64,
}

impl Desk<'_> {
    /// Carries one request out.
    pub(super) fn one(&mut self, action: Action, given: &Given) -> Result<Outcome, Refusal> {
        let index = self.carry_out(action, given)?;
        let order = &self.trading.orders[index];
        Ok(Outcome::ok(json!({"orderId": order.id, "orderLinkId": order.wish.link})))
    }

    fn carry_out(&mut self, action: Action, given: &Given) -> Result<usize, Refusal> {
        match action {
            Action::Create => {
                let wish = wishes::read(self.trading, self.members, self.member, given, self.now)?;
                Ok(self.trading.accept(self.members, self.member, wish, self.now))
            }
            Action::Amend => self.amend(given),
            Action::Cancel => {
                let index = self.open(given)?;
                self.trading.cancel(self.members, index, self.now);
                Ok(index)
            }
        }
    }

    /// Carries a batch out. What each item came to is in the envelope, beside the result.
    pub(super) fn batch(&mut self, action: Action, given: &Given) -> Result<Outcome, Refusal> {
        let category = given.category()?;
        let items = given.items("request")?;
        let most = if category == Category::Spot { 10 } else { 20 };
        if items.is_empty() || items.len() > most {
            return Err(Refusal::params(format!("request must have 1 to {most} items")));
        }
        let (mut list, mut ext) = (Vec::new(), Vec::new());
        for item in items {
            let item = item.with("category", category.name());
            let (symbol, link) =
                (item.text("symbol").unwrap_or_default(), item.text("orderLinkId").unwrap_or_default());
            let mut shown = json!({"category": category.name(), "symbol": symbol, "orderLinkId": link});
            let (id, created, code, message) = match self.carry_out(action, &item) {
                Ok(index) => {
                    let order = &self.trading.orders[index];
                    shown["orderLinkId"] = order.wish.link.as_str().into();
                    (order.id.clone(), order.created.to_string(), 0, "OK".to_owned())
                }
                Err(refused) => (String::new(), String::new(), refused.code, refused.message),
            };
            shown["orderId"] = id.into();
            if action == Action::Create {
                shown["createAt"] = created.into();
            }
            list.push(shown);
            ext.push(json!({"code": code, "msg": message}));
        }
        Ok(Outcome { ext: json!({"list": ext}), ..Outcome::ok(json!({"list": list})) })
    }

    fn amend(&mut self, given: &Given) -> Result<usize, Refusal> {
        wishes::check_simulated(given)?;
        let index = self.open(given)?;
        let order = &self.trading.orders[index];
        let mut wish = order.wish.clone();
        let instrument = &self.trading.instruments[wish.instrument];
        if given.text("price").is_some() {
            wish.price = wishes::limit(self.trading, wish.instrument, given)?;
        }
        if let Some(qty) = given.decimal("qty")? {
            wish.qty = qty;
        }
        let new_trigger = given.decimal("triggerPrice")?.filter(|price| !price.is_zero());
        if let (Some(price), Some(trigger)) = (new_trigger, &mut wish.trigger) {
            trigger.price = price;
            if wish.is_market {
                wish.price = wishes::limit_around(self.trading, wish.instrument, wish.side, price);
            }
        }
        if (wish.price, wish.qty, wish.trigger) == (order.wish.price, order.wish.qty, order.wish.trigger) {
            return Err(Refusal::params(
                "The order remains unchanged as the parameters entered match the existing ones.",
            ));
        }
        if wish.qty <= order.filled {
            return Err(match instrument.category {
                Category::Spot => {
                    Refusal::new(170_313, "The modified contract quantity cannot be less than to the filled quantity")
                }
                _ => Refusal::new(
                    110_064,
                    "The modified contract quantity cannot be less than or equal to the filled quantity.",
                ),
            });
        }
        wishes::check_size(self.trading, &wish)?;
        if order.status != Status::Untriggered {
            wishes::check_reducing(self.trading, self.member, &wish)?;
            if wish.reduce_only {
                // As when it was created: cut to what there is to close.
                wish.qty = wish.qty.min(order.filled + self.trading.closable(self.member, &wish));
            }
            let mut rest = wish.clone();
            rest.qty -= order.filled;
            wallet::check(self.trading, self.members, self.member, &rest, Some(index))?;
        } else if wish.is_tpsl() {
            wallet::check(self.trading, self.members, self.member, &wish.as_bound(), Some(index))?;
        }
        self.trading.amend(self.members, index, (wish.price, wish.qty, wish.trigger), self.now);
        Ok(index)
    }

    /// The open order that a request names, by either of its ids.
    fn open(&self, given: &Given) -> Result<usize, Refusal> {
        let category = given.category()?;
        let instrument = wishes::instrument(self.trading, category, given, self.now)?;
        let is_spot = category == Category::Spot;
        let found = match (given.text("orderId"), given.text("orderLinkId")) {
            (Some(id), _) => self.trading.by_id.get(id),
            (None, Some(link)) => self.trading.by_link.get(&(self.member, category, link.to_owned())),
            (None, None) => return Err(Refusal::params("orderId or orderLinkId is required")),
        };
        let own = |index: &&usize| {
            let order = &self.trading.orders[**index];
            order.member == self.member && order.wish.instrument == instrument
        };
        let index = *found.filter(own).ok_or_else(|| {
            if is_spot {
                Refusal::new(170_213, "Order does not exist.")
            } else {
                Refusal::new(110_001, "order not exists or too late to cancel")
            }
        })?;
        match self.trading.orders[index].status {
            status if status.is_open() => Ok(index),
            Status::Filled if is_spot => Err(Refusal::new(170_139, "Order has been filled.")),
            Status::Filled => Err(Refusal::new(110_008, "The order has been completed or cancelled.")),
            _ if is_spot => Err(Refusal::new(170_142, "Order has been cancelled")),
            _ => Err(Refusal::new(110_010, "The order has been cancelled")),
        }
    }

    /// Cancels all open orders that a request is for.
    pub(super) fn cancel_all(&mut self, given: &Given) -> Result<Outcome, Refusal> {
        let category = given.category()?;
        let needs_more = matches!(category, Category::Linear | Category::Inverse);
        if needs_more && ["symbol", "baseCoin", "settleCoin"].into_iter().all(|name| given.text(name).is_none()) {
            return Err(Refusal::params("symbol, settleCoin or baseCoin is required"));
        }
        if given.text("symbol").is_some() {
            wishes::instrument(self.trading, category, given, self.now)?;
        }
        let is_meant = |order: &Order| {
            let kind = given.text("stopOrderType");
            order.member == self.member
                && order.status.is_open()
                && is_of(self.trading, order, category, given)
                && kind.is_none_or(|kind| kind == order.stop_type())
        };
        let orders = self.trading.orders.iter().enumerate();
        let meant: Vec<usize> = orders.filter(|(_, order)| is_meant(order)).map(|(index, _)| index).collect();
        let mut list = Vec::new();
        for index in meant {
            // One may have ended with an order before it.
            if !self.trading.orders[index].status.is_open() {
                continue;
            }
            self.trading.cancel(self.members, index, self.now);
            let order = &self.trading.orders[index];
            list.push(json!({"orderId": order.id, "orderLinkId": order.wish.link}));
        }
        Ok(Outcome::ok(json!({"list": list, "success": "1"})))
    }
}

/// Whether an order is of the product and of the coins or the symbol that a request names.
fn is_of(trading: &Trading, order: &Order, category: Category, given: &Given) -> bool {
    let instrument = &trading.instruments[order.wish.instrument];
    let is_conditional = order.wish.trigger.is_some();
    let filter = match given.text("orderFilter") {
        Some("Order") => !is_conditional,
        Some("StopOrder" | "tpslOrder") => is_conditional,
        _ => true,
    };
    filter
        && instrument.category == category
        && given.lets_in("symbol", &instrument.symbol)
        && given.lets_in("baseCoin", instrument.base)
        && given.lets_in("settleCoin", instrument.settle)
}

/// The open orders of an account; with an id the one of it, whatever happened to it.
pub(super) fn open(trading: &Trading, member: usize, given: &Given) -> Result<Outcome, Refusal> {
    let category = given.category()?;
    let by_id = ["orderId", "orderLinkId"].into_iter().any(|name| given.text(name).is_some());
    let is_narrow = by_id || ["symbol", "baseCoin", "settleCoin"].into_iter().any(|name| given.text(name).is_some());
    if category == Category::Linear && !is_narrow {
        return Err(Refusal::params("symbol, settleCoin or baseCoin is required"));
    }
    let wants_open = given.integer("openOnly")?.is_none_or(|word| word == 0);
    list(trading, member, category, given, |order| by_id || order.status.is_open() == wants_open)
}

/// The orders of an account that have ended.
pub(super) fn history(trading: &Trading, member: usize, given: &Given) -> Result<Outcome, Refusal> {
    let category = given.category()?;
    let status = given.text("orderStatus");
    list(trading, member, category, given, |order| {
        !order.status.is_open()
            && status.is_none_or(|status| order.status.name() == status)
            && given.spans(order.created).unwrap_or_default()
    })
}

fn list(
    trading: &Trading,
    member: usize,
    category: Category,
    given: &Given,
    is_wanted: impl Fn(&Order) -> bool,
) -> Result<Outcome, Refusal> {
    // A wrong time is refused, although no order may be compared with it.
    given.spans(0)?;
    let own = newest_first(&trading.orders).filter(|(_, order)| {
        order.member == member
            && is_of(trading, order, category, given)
            && given.lets_in("orderId", &order.id)
            && given.lets_in("orderLinkId", &order.wish.link)
            && is_wanted(order)
    });
    let (page, next) = given.page(own, 20, 50)?;
    let page: Vec<Value> =
        page.into_iter().map(|order| order.show(&trading.instruments[order.wish.instrument])).collect();
    Ok(Outcome::ok(json!({"category": category.name(), "list": page, "nextPageCursor": next})))
}

/// The executions of an account, the newest first.
pub(super) fn executions(trading: &Trading, member: usize, given: &Given) -> Result<Outcome, Refusal> {
    let category = given.category()?;
    given.spans(0)?;
    let own = newest_first(&trading.executions).filter(|(_, execution)| {
        let instrument = &trading.instruments[execution.instrument];
        execution.member == member
            && instrument.category == category
            && given.lets_in("symbol", &instrument.symbol)
            && given.lets_in("baseCoin", instrument.base)
            && given.lets_in("settleCoin", instrument.settle)
            && given.lets_in("orderId", &execution.order_id)
            && given.lets_in("orderLinkId", &execution.link)
            && given.lets_in("execType", "Trade")
            && given.spans(execution.time).unwrap_or_default()
    });
    let (page, next) = given.page(own, 50, 100)?;
    let page: Vec<Value> =
        page.into_iter().map(|execution| execution.show(&trading.instruments[execution.instrument])).collect();
    Ok(Outcome::ok(json!({"category": category.name(), "list": page, "nextPageCursor": next})))
}
