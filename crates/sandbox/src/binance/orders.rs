//! Places, cancels, replaces and amends orders, and shows them.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::limits::{DAY_MILLIS, Limits};
use super::list_calls;
use super::members::Member;
use super::order::{Kind, Order, Wish};
use super::place::{self, Leg};
use super::read::{Given, part};
use super::reply::Refusal;
use super::served::Route;
use super::settings::BinanceSettings;
use super::symbols::{MAKER_RATE, MOST_AMENDS, TAKER_RATE, eight};
use super::trading::Trading;
use crate::make::random_text;

pub(super) type Outcome = Result<Value, Refusal>;

/// Whose orders, and in which markets.
pub(super) struct Desk<'a> {
    pub(super) trading: &'a mut Trading,
    pub(super) members: &'a mut [Member],
    pub(super) limits: &'a mut Limits,
    pub(super) settings: &'a BinanceSettings,
    pub(super) member: usize,
    pub(super) now: i64,
}

/// How much of an order the response shows.
#[derive(Clone, Copy)]
pub(super) enum Detail {
    Ack,
    Result,
    Full,
}

pub(super) fn detail(given: &Given, kind: Kind) -> Result<Detail, Refusal> {
    match given.text("newOrderRespType") {
        Some("ACK") => Ok(Detail::Ack),
        Some("RESULT") => Ok(Detail::Result),
        Some("FULL") => Ok(Detail::Full),
        Some(_) => Err(Refusal::invalid("newOrderRespType")),
        None if matches!(kind, Kind::Market | Kind::Limit) => Ok(Detail::Full),
        None => Ok(Detail::Ack),
    }
}

impl Desk<'_> {
    /// Executes a call.
    pub(super) fn trade(&mut self, route: &Route, given: &Given) -> Outcome {
        match (route.method, route.path) {
            ("POST", "/api/v3/order") => self.place(given),
            ("POST", "/api/v3/order/test") => self.test(given),
            ("DELETE", "/api/v3/order") => self.cancel(given),
            ("DELETE", "/api/v3/openOrders") => self.cancel_all(given),
            ("POST", "/api/v3/order/cancelReplace") => self.replace(given),
            ("PUT", "/api/v3/order/amend/keepPriority") => self.amend(given),
            ("POST", "/api/v3/orderList/oco") => self.place_oco(given),
            ("POST", "/api/v3/order/oco") => self.place_oco_legacy(given),
            ("POST", "/api/v3/orderList/oto") => self.place_oto(given),
            ("POST", "/api/v3/orderList/otoco") => self.place_otoco(given),
            ("DELETE", "/api/v3/orderList") => self.cancel_list(given),
            (_, path) => Err(super::unserved(path)),
        }
    }

    /// Places an order.
    fn place(&mut self, given: &Given) -> Outcome {
        let wish = place::read(self.trading, given, Leg::ONLY)?;
        let detail = detail(given, wish.kind)?;
        self.place_checked(wish, detail)
    }

    /// Checks an order without placing it.
    fn test(&self, given: &Given) -> Outcome {
        let wish = place::read(self.trading, given, Leg::ONLY)?;
        detail(given, wish.kind)?;
        place::check(self.trading, self.members, self.member, wish)?;
        if given.flag("computeCommissionRates")? != Some(true) {
            return Ok(json!({}));
        }
        let rates = |maker: Decimal, taker: Decimal| json!({"maker": eight(maker), "taker": eight(taker)});
        Ok(json!({
            "standardCommissionForOrder": rates(MAKER_RATE, TAKER_RATE),
            "specialCommissionForOrder": rates(Decimal::ZERO, Decimal::ZERO),
            "taxCommissionForOrder": rates(Decimal::ZERO, Decimal::ZERO),
            "discount": {"enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB", "discount": eight(Decimal::ZERO)},
        }))
    }

    pub(super) fn answer(&self, index: usize, detail: Detail) -> Value {
        let order = &self.trading.orders[index];
        let symbol = &self.trading.symbols[order.wish.symbol];
        match detail {
            Detail::Ack => order.acknowledge(symbol),
            Detail::Result => order.result(symbol, None),
            Detail::Full => {
                let fills = order.fills.iter().map(|fill| self.trading.executions[*fill].fill());
                order.result(symbol, Some(fills.collect()))
            }
        }
    }

    /// Cancels an order.
    fn cancel(&mut self, given: &Given) -> Outcome {
        let index = self.open(given, ("orderId", "origClientOrderId"))?;
        self.check_restriction(index, given)?;
        let id = given.client_id("newClientOrderId")?.unwrap_or_else(|| random_text(22));
        Ok(self.cancel_as(index, &id))
    }

    fn cancel_as(&mut self, index: usize, id: &str) -> Value {
        self.trading.cancel(self.members, index, id, self.now);
        let order = &self.trading.orders[index];
        order.cancelled(&self.trading.symbols[order.wish.symbol], id)
    }

    /// Refuses to cancel an order that is not in the state that the call asks for.
    fn check_restriction(&self, index: usize, given: &Given) -> Result<(), Refusal> {
        let is_new = self.trading.orders[index].filled.is_zero();
        let fits = match given.text("cancelRestrictions") {
            None => true,
            Some("ONLY_NEW") => is_new,
            Some("ONLY_PARTIALLY_FILLED") => !is_new,
            Some(_) => return Err(Refusal::new(-1145, "Invalid cancelRestrictions")),
        };
        if fits { Ok(()) } else { Err(Refusal::new(-2011, "Order was not canceled due to cancel restrictions.")) }
    }

    /// Cancels all open orders of a market.
    fn cancel_all(&mut self, given: &Given) -> Outcome {
        let symbol = place::symbol(self.trading, given)?;
        let own = self.trading.open_of(self.member).filter(|index| self.trading.orders[*index].wish.symbol == symbol);
        let own: Vec<usize> = own.collect();
        if own.is_empty() {
            return Err(Refusal::unknown_order());
        }
        let id = random_text(22);
        let mut shown = Vec::new();
        for index in own {
            let order = &self.trading.orders[index];
            match order.list {
                // Gone with another one of its list.
                _ if !order.status.is_open() => {}
                Some(list) => shown.push(self.cancel_list_as(list, &id)),
                None => shown.push(self.cancel_as(index, &id)),
            }
        }
        Ok(shown.into())
    }

    /// Cancels an order and places another one. Each half may fail.
    fn replace(&mut self, given: &Given) -> Outcome {
        let mode = given.required("cancelReplaceMode")?;
        if !["STOP_ON_FAILURE", "ALLOW_FAILURE"].contains(&mode) {
            return Err(Refusal::invalid("cancelReplaceMode"));
        }
        if !given.has("cancelOrderId") && !given.has("cancelOrigClientOrderId") {
            return Err(Refusal::combination("cancelOrderId or cancelOrigClientOrderId"));
        }
        let wish = place::read(self.trading, given, Leg::ONLY)?;
        let detail = detail(given, wish.kind)?;
        let cancel_id = given.client_id("cancelNewClientOrderId")?.unwrap_or_else(|| random_text(22));
        let found = self.open(given, ("cancelOrderId", "cancelOrigClientOrderId"));
        let found = found.and_then(|index| self.check_restriction(index, given).map(|()| index));
        let cancelled = match &found {
            Ok(index) => Ok(self.cancel_as(*index, &cancel_id)),
            Err(refused) => Err(refused.clone()),
        };
        let placed =
            if cancelled.is_err() && mode == "STOP_ON_FAILURE" { None } else { Some(self.place_checked(wish, detail)) };
        let word = |outcome: Option<&Outcome>| match outcome {
            None => "NOT_ATTEMPTED",
            Some(Ok(_)) => "SUCCESS",
            Some(Err(_)) => "FAILURE",
        };
        let shown = |outcome: Option<&Outcome>| match outcome {
            None => Value::Null,
            Some(Ok(value)) => value.clone(),
            Some(Err(refused)) => refused.error(),
        };
        let body = json!({
            "cancelResult": word(Some(&cancelled)),
            "newOrderResult": word(placed.as_ref()),
            "cancelResponse": shown(Some(&cancelled)),
            "newOrderResponse": shown(placed.as_ref()),
        });
        let (status, code, message) = match (cancelled.is_ok(), placed.as_ref().is_some_and(Result::is_ok)) {
            (true, true) => return Ok(body),
            (false, false) => (400, -2022, "Order cancel-replace failed."),
            _ => (409, -2021, "Order cancel-replace partially failed."),
        };
        Err(Refusal { data: Some(body), ..Refusal::new(code, message).with_status(status) })
    }

    fn place_checked(&mut self, wish: Wish, detail: Detail) -> Outcome {
        let wish = place::check(self.trading, self.members, self.member, wish)?;
        self.limits.count_orders(self.member, 1, self.settings, self.now)?;
        let index = self.trading.accept(self.members, self.member, wish, self.now);
        Ok(self.answer(index, detail))
    }

    /// Makes an order smaller.
    fn amend(&mut self, given: &Given) -> Outcome {
        let qty = given.decimal("newQty")?.ok_or_else(|| Refusal::mandatory("newQty"))?;
        let index = self.open(given, ("orderId", "origClientOrderId"))?;
        let order = &self.trading.orders[index];
        let symbol = &self.trading.symbols[order.wish.symbol];
        symbol.check_qty(qty, false).map_err(Refusal::filter)?;
        if order.amends.len() >= MOST_AMENDS {
            return Err(Refusal::filter("MAX_NUM_ORDER_AMENDS"));
        }
        if qty >= order.wish.qty || qty <= order.filled {
            let message = "The requested action would change no state; order rejected.";
            let message = if qty == order.wish.qty { message } else { "Quantity invalid." };
            return Err(Refusal::new(-2038, message));
        }
        let id = given.client_id("newClientOrderId")?.unwrap_or_else(|| random_text(22));
        let is_taken = |index: usize| self.trading.orders[index].wish.client_id == id;
        if id != order.wish.client_id && self.trading.open_of(self.member).any(is_taken) {
            return Err(Refusal::order("Duplicate order sent."));
        }
        self.trading.shrink(self.members, index, (qty, &id), self.now);
        let order = &self.trading.orders[index];
        let amended = order.amended(&self.trading.symbols[order.wish.symbol]);
        let id = order.amends.last().map_or(0, |amend| amend.id);
        let list = order.list;
        let mut shown = json!({"transactTime": self.now, "executionId": id, "amendedOrder": amended});
        if let Some(list) = list {
            shown["listStatus"] = list_calls::status_of(self.trading, list);
        }
        Ok(shown)
    }

    /// The open order that a call names, by either of its ids.
    fn open(&self, given: &Given, names: (&str, &str)) -> Result<usize, Refusal> {
        let found = find(self.trading, self.member, given, names)?;
        let open = found.filter(|index| self.trading.orders[*index].status.is_open());
        open.ok_or_else(Refusal::unknown_order)
    }
}

/// The order that a call names.
fn find(
    trading: &Trading,
    member: usize,
    given: &Given,
    (id, client_id): (&str, &str),
) -> Result<Option<usize>, Refusal> {
    let symbol = place::symbol(trading, given)?;
    let (number, text) = (given.integer(id)?, given.text(client_id));
    let is_own = |index: &usize| trading.orders[*index].member == member;
    match (number, text) {
        (None, None) => {
            let message = format!("Param '{client_id}' or '{id}' must be sent, but both were empty/null!");
            Err(Refusal::new(-1102, message))
        }
        (Some(number), text) => {
            let found = trading.by_id.get(&(symbol, number)).copied().filter(is_own);
            // Where both are sent, both have to name the order.
            Ok(found.filter(|index| text.is_none_or(|text| trading.orders[*index].wish.client_id == text)))
        }
        (None, Some(text)) => Ok(trading.by_client_id.get(&(member, symbol, text.to_owned())).copied()),
    }
}

fn show(trading: &Trading, order: &Order) -> Value {
    order.show(&trading.symbols[order.wish.symbol])
}

/// One order.
pub(super) fn get(trading: &Trading, member: usize, given: &Given) -> Outcome {
    let found = find(trading, member, given, ("orderId", "origClientOrderId"))?;
    found.map(|index| show(trading, &trading.orders[index])).ok_or_else(Refusal::no_order)
}

/// The open orders of an account, of one market or of all.
pub(super) fn open(trading: &Trading, member: usize, given: &Given) -> Outcome {
    let symbol = if given.has("symbol") { Some(place::symbol(trading, given)?) } else { None };
    let own = trading.open_of(member).map(|index| &trading.orders[index]);
    let own = own.filter(|order| symbol.is_none_or(|symbol| order.wish.symbol == symbol));
    Ok(own.map(|order| show(trading, order)).collect())
}

/// Refuses a span of more than a day.
pub(super) fn check_span(given: &Given) -> Result<(i64, i64), Refusal> {
    let (start, end) = given.span()?;
    let both = given.has("startTime") && given.has("endTime");
    if both && end - start > DAY_MILLIS {
        return Err(Refusal::new(-1127, "More than 24 hours between startTime and endTime."));
    }
    Ok((start, end))
}

/// All orders of a market: from an id on, or within a span of time, or the newest.
pub(super) fn all(trading: &Trading, member: usize, given: &Given) -> Outcome {
    let symbol = place::symbol(trading, given)?;
    let (start, end) = check_span(given)?;
    let limit = given.limit("limit", 500, 1000)?;
    let from = given.integer("orderId")?;
    let own = trading.orders.iter().filter(|order| {
        order.member == member
            && order.wish.symbol == symbol
            && from.is_none_or(|from| order.id >= from)
            && (from.is_some() || (start..=end).contains(&order.time))
    });
    let own: Vec<&Order> = own.collect();
    Ok(part(&own, limit, from.is_some() || given.has("startTime")).map(|order| show(trading, order)).collect())
}

/// The trades of an account in a market.
pub(super) fn trades(trading: &Trading, member: usize, given: &Given) -> Outcome {
    let symbol = place::symbol(trading, given)?;
    let (start, end) = check_span(given)?;
    let limit = given.limit("limit", 500, 1000)?;
    let (from, of) = (given.integer("fromId")?, given.integer("orderId")?);
    if from.is_some() && (given.has("startTime") || given.has("endTime")) {
        return Err(Refusal::combination("symbol with fromId, or with startTime and endTime"));
    }
    let own = trading.executions.iter().filter_map(|execution| {
        let order = &trading.orders[execution.order];
        let fits = order.member == member
            && order.wish.symbol == symbol
            && of.is_none_or(|of| order.id == of)
            && from.is_none_or(|from| execution.trade >= from)
            && (start..=end).contains(&execution.time);
        fits.then_some((execution, order))
    });
    let own: Vec<_> = own.collect();
    let from_start = from.is_some() || given.has("startTime") || of.is_some();
    let shown = part(&own, limit, from_start);
    Ok(shown.map(|(execution, order)| execution.show(&trading.symbols[symbol], order)).collect())
}

/// How an order was amended.
pub(super) fn amendments(trading: &Trading, member: usize, given: &Given) -> Outcome {
    let symbol = place::symbol(trading, given)?;
    let id = given.integer("orderId")?.ok_or_else(|| Refusal::mandatory("orderId"))?;
    let (from, limit) = (given.integer("fromExecutionId")?.unwrap_or(0), given.limit("limit", 500, 1000)?);
    let found = trading.by_id.get(&(symbol, id)).map(|index| &trading.orders[*index]);
    let order = found.filter(|order| order.member == member).ok_or_else(Refusal::no_order)?;
    let amends = order.amends.iter().filter(|amend| amend.id >= from).take(limit);
    let shown = amends.map(|amend| {
        json!({
            "symbol": trading.symbols[symbol].name,
            "orderId": order.id,
            "executionId": amend.id,
            "origClientOrderId": amend.old_client_id,
            "newClientOrderId": amend.new_client_id,
            "origQty": eight(amend.old_qty),
            "newQty": eight(amend.new_qty),
            "time": amend.time,
        })
    });
    Ok(shown.collect())
}
