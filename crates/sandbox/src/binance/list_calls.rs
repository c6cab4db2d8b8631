//! Places, cancels and shows order lists.

use rust_decimal::Decimal;
use serde_json::Value;

use super::lists::{OrderList, list_id};
use super::order::{Kind, Wish};
use super::orders::{Desk, Outcome, check_span, detail};
use super::place::{self, Leg};
use super::read::{Given, part};
use super::reply::Refusal;
use super::trading::Trading;
use crate::exchange::Side;
use crate::make::random_text;

impl Desk<'_> {
    /// Places two orders of which one ends the other.
    pub(super) fn place_oco(&mut self, given: &Given) -> Outcome {
        let wishes = self.pair(given, (Leg::ABOVE, Leg::BELOW))?;
        check_around(self.trading, &wishes)?;
        self.place_list(given, None, wishes)
    }

    /// The same as it was called earlier: a limit order and a stop order.
    pub(super) fn place_oco_legacy(&mut self, given: &Given) -> Outcome {
        let is_sale = given.required("side")? == "SELL";
        let (limit, stop) = if is_sale { ("above", "below") } else { ("below", "above") };
        let mut named = given.clone();
        named.add(format!("{limit}Type"), "LIMIT_MAKER");
        named.add(format!("{stop}Type"), if given.has("stopLimitPrice") { "STOP_LOSS_LIMIT" } else { "STOP_LOSS" });
        for (old, leg, new) in [
            ("price", limit, "Price"),
            ("limitClientOrderId", limit, "ClientOrderId"),
            ("limitStrategyId", limit, "StrategyId"),
            ("limitStrategyType", limit, "StrategyType"),
            ("limitIcebergQty", limit, "IcebergQty"),
            ("stopIcebergQty", stop, "IcebergQty"),
            ("trailingDelta", stop, "TrailingDelta"),
            ("stopPrice", stop, "StopPrice"),
            ("stopLimitPrice", stop, "Price"),
            ("stopLimitTimeInForce", stop, "TimeInForce"),
            ("stopClientOrderId", stop, "ClientOrderId"),
            ("stopStrategyId", stop, "StrategyId"),
            ("stopStrategyType", stop, "StrategyType"),
        ] {
            if let Some(value) = given.text(old) {
                named.add(format!("{leg}{new}"), value);
            }
        }
        self.place_oco(&named)
    }

    /// Places an order that another one waits for.
    pub(super) fn place_oto(&mut self, given: &Given) -> Outcome {
        let working = self.working(given)?;
        let pending = place::read(self.trading, given, Leg::PENDING)?;
        self.place_list(given, Some(working), vec![pending])
    }

    /// Places an order that a pair waits for.
    pub(super) fn place_otoco(&mut self, given: &Given) -> Outcome {
        let working = self.working(given)?;
        let pair = self.pair(given, (Leg::PENDING_ABOVE, Leg::PENDING_BELOW))?;
        self.place_list(given, Some(working), pair)
    }

    fn working(&self, given: &Given) -> Result<Wish, Refusal> {
        let working = place::read(self.trading, given, Leg::WORKING)?;
        match working.kind {
            Kind::Limit | Kind::LimitMaker => Ok(working),
            _ => Err(Refusal::new(-1116, "Invalid orderType.")),
        }
    }

    /// Reads a pair. The one that stops a loss comes first.
    fn pair(&self, given: &Given, (above, below): (Leg, Leg)) -> Result<Vec<Wish>, Refusal> {
        let above = place::read(self.trading, given, above)?;
        let below = place::read(self.trading, given, below)?;
        let (stop, other) = if above.side == Side::Bid { (above, below) } else { (below, above) };
        let is_stop = |wish: &Wish| matches!(wish.kind, Kind::StopLoss | Kind::StopLossLimit);
        let rejected = |code: i64, message: &str| Err(Refusal::new(code, message));
        match (stop.kind, other.kind) {
            (Kind::Limit | Kind::Market, _) | (_, Kind::Limit | Kind::Market) => {
                rejected(-1158, "Order type not supported in OCO.")
            }
            (Kind::LimitMaker, Kind::LimitMaker) => rejected(-1168, "At least one OCO order must be contingent."),
            (Kind::LimitMaker, _) if stop.side == Side::Bid => {
                rejected(-1165, "A limit order in a buy OCO must be below.")
            }
            (Kind::LimitMaker, _) => rejected(-1166, "A limit order in a sell OCO must be above."),
            _ if !is_stop(&stop) || is_stop(&other) => rejected(-1158, "Order type not supported in OCO."),
            _ if !is_beyond(&other, stop.stop_price.unwrap_or_default()) => Err(wrong_prices()),
            _ => Ok(vec![stop, other]),
        }
    }

    fn place_list(&mut self, given: &Given, working: Option<Wish>, others: Vec<Wish>) -> Outcome {
        let all: Vec<&Wish> = working.iter().chain(&others).collect();
        let details: Result<Vec<_>, Refusal> = all.iter().map(|wish| detail(given, wish.kind)).collect();
        let (details, count) = (details?, all.len());
        let client_id = given.client_id("listClientOrderId")?.unwrap_or_else(|| random_text(22));
        let is_twice = |at: usize| all[..at].iter().any(|wish| wish.client_id == all[at].client_id);
        let is_open = |wish: &Wish| {
            let mut open = self.trading.open_of(self.member).map(|index| &self.trading.orders[index].wish);
            open.any(|own| own.symbol == wish.symbol && own.client_id == wish.client_id)
        };
        let is_used = (0..count).any(is_twice) || all.iter().copied().any(is_open);
        if is_used || self.trading.open_list(self.member, &client_id).is_some() {
            return Err(Refusal::order("Duplicate order sent."));
        }
        let check = |wish: Wish| place::check(self.trading, self.members, self.member, wish);
        // What waits for another order is checked when its turn comes, but its id is taken at once.
        let (working, others) = match working {
            Some(working) => (Some(check(working)?), others),
            None => (None, others.into_iter().map(check).collect::<Result<_, _>>()?),
        };
        let placed = u64::try_from(count).unwrap_or(u64::MAX);
        self.limits.count_orders(self.member, placed, self.settings, self.now)?;
        let list = self.trading.accept_list(self.members, (self.member, client_id), (working, others), self.now);
        let orders = self.trading.lists[list].orders().zip(details);
        let reports: Vec<Value> = orders.map(|(index, detail)| self.answer(index, detail)).collect();
        Ok(self.with_reports(list, reports))
    }

    /// Cancels all orders of a list.
    pub(super) fn cancel_list(&mut self, given: &Given) -> Outcome {
        let symbol = place::symbol(self.trading, given)?;
        let found = find(self.trading, self.member, given, "listClientOrderId")?;
        let is_wanted = |list: &usize| {
            let list = &self.trading.lists[*list];
            list.symbol == symbol && !list.is_done
        };
        let list = found.filter(is_wanted).ok_or_else(Refusal::unknown_order)?;
        let id = given.client_id("newClientOrderId")?.unwrap_or_else(|| random_text(22));
        Ok(self.cancel_list_as(list, &id))
    }

    pub(super) fn cancel_list_as(&mut self, list: usize, id: &str) -> Value {
        let first = self.trading.lists[list].orders().find(|index| self.trading.orders[*index].status.is_open());
        let open = first.map(|index| self.trading.open_with(index)).unwrap_or_default();
        if let Some(index) = first {
            self.trading.cancel(self.members, index, id, self.now);
        }
        let symbol = &self.trading.symbols[self.trading.lists[list].symbol];
        let reports = open.into_iter().map(|index| self.trading.orders[index].cancelled(symbol, id)).collect();
        self.with_reports(list, reports)
    }

    fn with_reports(&self, list: usize, reports: Vec<Value>) -> Value {
        let mut shown = self.trading.show_list(list);
        shown["orderReports"] = reports.into();
        shown
    }
}

/// Whether the take-profit or limit leg is on its own side of a price.
fn is_beyond(wish: &Wish, price: Decimal) -> bool {
    let own = if wish.kind == Kind::TakeProfit { wish.stop_price.unwrap_or_default() } else { wish.price };
    if wish.side == Side::Bid { own < price } else { own > price }
}

/// Refuses a pair that is not around the last price.
fn check_around(trading: &Trading, pair: &[Wish]) -> Result<(), Refusal> {
    let [stop, other] = pair else { return Ok(()) };
    let (last, at) = (trading.last(stop.symbol), stop.stop_price.unwrap_or_default());
    let is_behind = if stop.side == Side::Bid { at > last } else { at < last };
    if is_behind && is_beyond(other, last) { Ok(()) } else { Err(wrong_prices()) }
}

fn wrong_prices() -> Refusal {
    Refusal::order("The relationship of the prices for the orders is not correct.")
}

/// The list that a call names, by either of its ids.
fn find(trading: &Trading, member: usize, given: &Given, client_id: &str) -> Result<Option<usize>, Refusal> {
    let (number, text) = (given.integer("orderListId")?, given.text(client_id));
    let fits = |list: &OrderList| list.member == member && text.is_none_or(|text| list.client_id == text);
    let all = || trading.lists.iter().enumerate().filter(|(_, list)| fits(list)).map(|(index, _)| index);
    match (number, text) {
        (None, None) => {
            let message = format!("Param '{client_id}' or 'orderListId' must be sent, but both were empty/null!");
            Err(Refusal::new(-1102, message))
        }
        (Some(number), _) => Ok(all().find(|index| list_id(Some(*index)) == number)),
        // The newest of that id.
        (None, Some(_)) => Ok(all().next_back()),
    }
}

/// One list.
pub(super) fn get(trading: &Trading, member: usize, given: &Given) -> Outcome {
    let found = find(trading, member, given, "origClientOrderId")?;
    found.map(|list| trading.show_list(list)).ok_or_else(Refusal::no_order)
}

/// The open lists of an account.
pub(super) fn open(trading: &Trading, member: usize) -> Value {
    let own = trading.lists.iter().enumerate().filter(|(_, list)| list.member == member && !list.is_done);
    own.map(|(index, _)| trading.show_list(index)).collect()
}

/// All lists of an account: from an id on, or within a span of time, or the newest.
pub(super) fn all(trading: &Trading, member: usize, given: &Given) -> Outcome {
    let (start, end) = check_span(given)?;
    let limit = given.limit("limit", 500, 1000)?;
    let from = given.integer("fromId")?;
    if from.is_some() && (given.has("startTime") || given.has("endTime")) {
        return Err(Refusal::combination("fromId, or startTime and endTime"));
    }
    let is_wanted = |(index, list): &(usize, &OrderList)| {
        list.member == member
            && from.is_none_or(|from| list_id(Some(*index)) >= from)
            && (start..=end).contains(&list.time)
    };
    let own: Vec<usize> = trading.lists.iter().enumerate().filter(is_wanted).map(|(index, _)| index).collect();
    Ok(part(&own, limit, from.is_some() || given.has("startTime")).map(|list| trading.show_list(*list)).collect())
}

/// What a list is, for a response about one of its orders.
pub(super) fn status_of(trading: &Trading, list: usize) -> Value {
    let mut shown = trading.show_list(list);
    if let Some(members) = shown.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "listStatusType" | "transactionTime"));
    }
    shown
}
