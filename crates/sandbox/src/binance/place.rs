//! Reads new orders and checks them: parameters, rules of the market, funds.

use rust_decimal::Decimal;

use super::matching::is_reached;
use super::members::Member;
use super::order::{Duration, Kind, OwnTrade, Wish};
use super::read::{Given, SYMBOL_RANGE};
use super::reply::Refusal;
use super::symbols::{MOST_CONDITIONAL, MOST_ORDERS};
use super::trading::{Trading, owner};
use crate::exchange::{Order, Side};
use crate::make::random_text;

const INSUFFICIENT: &str = "Account has insufficient balance for requested action.";

/// The market that a call names.
pub(super) fn symbol(trading: &Trading, given: &Given) -> Result<usize, Refusal> {
    symbol_named(trading, given.required("symbol")?, "symbol")
}

pub(super) fn symbol_named(trading: &Trading, name: &str, parameter: &str) -> Result<usize, Refusal> {
    let is_legal = |one: char| one.is_alphanumeric() && !one.is_ascii_lowercase() || "_-.&".contains(one);
    if !name.chars().all(is_legal) || name.is_empty() || name.chars().count() > 50 {
        return Err(Refusal::illegal(parameter, SYMBOL_RANGE));
    }
    trading.find(name).ok_or_else(Refusal::symbol)
}

/// Reads a word of an enumeration.
fn word<T>(given: &Given, name: &str, named: fn(&str) -> Option<T>, refused: Refusal) -> Result<T, Refusal> {
    named(given.required(name)?).ok_or(refused)
}

fn side(word: &str) -> Option<Side> {
    match word {
        "BUY" => Some(Side::Bid),
        "SELL" => Some(Side::Ask),
        _ => None,
    }
}

/// How a call names the parameters of an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    /// What stands before the names.
    own: &'static str,
    /// The same for what the two orders of a pair share: side and quantity.
    shared: &'static str,
}

impl Leg {
    /// The one order of a call.
    pub(super) const ONLY: Self = Self { own: "", shared: "" };
    pub(super) const ABOVE: Self = Self { own: "above", shared: "" };
    pub(super) const BELOW: Self = Self { own: "below", shared: "" };
    pub(super) const WORKING: Self = Self { own: "working", shared: "working" };
    pub(super) const PENDING: Self = Self { own: "pending", shared: "pending" };
    pub(super) const PENDING_ABOVE: Self = Self { own: "pendingAbove", shared: "pending" };
    pub(super) const PENDING_BELOW: Self = Self { own: "pendingBelow", shared: "pending" };

    fn name(self, name: &str) -> String {
        let (prefix, name) = match name {
            "selfTradePreventionMode" => ("", name),
            "side" | "quantity" => (self.shared, name),
            "newClientOrderId" if !self.own.is_empty() => (self.own, "clientOrderId"),
            _ => (self.own, name),
        };
        if prefix.is_empty() {
            return name.to_owned();
        }
        let (first, rest) = name.split_at(1);
        format!("{prefix}{}{rest}", first.to_ascii_uppercase())
    }
}

/// Reads an order. Only what depends on no state is checked.
pub(super) fn read(trading: &Trading, given: &Given, leg: Leg) -> Result<Wish, Refusal> {
    let named = |name: &str| leg.name(name);
    let symbol = symbol(trading, given)?;
    let side = word(given, &named("side"), side, Refusal::new(-1117, "Invalid side."))?;
    let kind = word(given, &named("type"), Kind::named, Refusal::new(-1116, "Invalid orderType."))?;
    let time_in_force = named("timeInForce");
    let duration = match given.text(&time_in_force) {
        Some(_) if !kind.has_duration() => return Err(Refusal::not_required(&time_in_force)),
        Some(text) => Duration::named(text).ok_or_else(|| Refusal::new(-1115, "Invalid timeInForce."))?,
        None if kind.has_duration() => return Err(Refusal::mandatory(&time_in_force)),
        None => Duration::GoodTillCanceled,
    };
    let required = |name: &str, is_needed: bool| match (given.decimal(name)?, is_needed) {
        (None, true) => Err(Refusal::mandatory(name)),
        (Some(_), false) => Err(Refusal::not_required(name)),
        (value, _) => Ok(value),
    };
    let price = required(&named("price"), kind.is_limit())?.unwrap_or_default();
    let stop_price = required(&named("stopPrice"), kind.waits().is_some())?;
    let quote_qty = given.decimal(&named("quoteOrderQty"))?;
    let qty = given.decimal(&named("quantity"))?;
    let (qty, quote_qty) = match (qty, quote_qty, kind) {
        (Some(_), Some(_), _) => {
            return Err(Refusal::combination("quantity=xxx or quoteOrderQty=xxx, not both"));
        }
        (None, Some(quote_qty), Kind::Market) => (Decimal::ZERO, quote_qty),
        (None, Some(_), _) => return Err(Refusal::not_required("quoteOrderQty")),
        (Some(qty), None, _) => (qty, Decimal::ZERO),
        (None, None, _) => return Err(Refusal::mandatory(&named("quantity"))),
    };
    for name in ["icebergQty", "trailingDelta", "pegPriceType", "pegOffsetValue", "pegOffsetType"] {
        let name = named(name);
        if given.has(&name) {
            return Err(Refusal::new(-1013, format!("{name}: the sandbox does not simulate it.")));
        }
    }
    let own_trade = match given.text("selfTradePreventionMode") {
        None => OwnTrade::Maker,
        Some(text) => OwnTrade::named(text).ok_or_else(|| {
            Refusal::new(-1013, "This symbol does not allow the specified self-trade prevention mode.")
        })?,
    };
    let (strategy_id, strategy_type) = (given.integer(&named("strategyId"))?, given.integer(&named("strategyType"))?);
    if strategy_type.is_some_and(|kind| kind < 1_000_000) {
        return Err(Refusal::invalid(&named("strategyType")));
    }
    let client_id = given.client_id(&named("newClientOrderId"))?.unwrap_or_else(|| random_text(22));
    Ok(Wish {
        symbol,
        client_id,
        side,
        kind,
        duration,
        price,
        qty,
        quote_qty,
        stop_price,
        own_trade,
        strategy_id,
        strategy_type,
    })
}

/// Checks an order against its market and the account's funds. Computes the quantity of a market order with a quote amount.
pub(super) fn check(trading: &Trading, members: &[Member], member: usize, mut wish: Wish) -> Result<Wish, Refusal> {
    let symbol = &trading.symbols[wish.symbol];
    let last = trading.last(wish.symbol);
    if !wish.quote_qty.is_zero() {
        wish.qty = worth(trading, member, &wish);
    }
    if wish.kind.is_limit() {
        too_precise(wish.price, "price")?;
        symbol.check_price(wish.price, last).map_err(Refusal::filter)?;
    }
    too_precise(wish.qty, "quantity")?;
    symbol.check_qty(wish.qty, !wish.kind.is_limit()).map_err(Refusal::filter)?;
    let price = if wish.kind.is_limit() { wish.price } else { last };
    symbol.check_notional(price, wish.qty).map_err(Refusal::filter)?;
    if let Some(stop) = wish.stop_price {
        symbol.check_price(stop, last).map_err(Refusal::filter)?;
        if is_reached(&wish, last) {
            return Err(Refusal::order("Order would trigger immediately."));
        }
    }
    let open = || trading.open_of(member).map(|index| &trading.orders[index]);
    let orders = || open().filter(|order| order.wish.symbol == wish.symbol);
    if orders().any(|order| order.wish.client_id == wish.client_id) {
        return Err(Refusal::order("Duplicate order sent."));
    }
    if orders().count() >= MOST_ORDERS {
        return Err(Refusal::filter("MAX_NUM_ORDERS"));
    }
    if wish.stop_price.is_some() && orders().filter(|order| order.wish.stop_price.is_some()).count() >= MOST_CONDITIONAL
    {
        return Err(Refusal::filter("MAX_NUM_ALGO_ORDERS"));
    }
    let opposite = trading.best(wish.symbol, wish.side.opposite());
    if wish.kind == Kind::LimitMaker && opposite.is_some_and(|(best, _)| wish.side.reaches(wish.price, best)) {
        return Err(Refusal::order("Order would immediately match and take."));
    }
    let (coin, needed) = match wish.side {
        Side::Ask => (symbol.base, wish.qty),
        Side::Bid if wish.kind == Kind::Market => (symbol.quote, cost(trading, member, &wish)),
        Side::Bid => (symbol.quote, wish.bound_price() * wish.qty),
    };
    if trading.balance(members, member, coin).0 < needed {
        return Err(Refusal::order(INSUFFICIENT));
    }
    Ok(wish)
}

fn too_precise(value: Decimal, name: &str) -> Result<(), Refusal> {
    if value.normalize().scale() > 8 {
        return Err(Refusal::new(-1111, format!("Parameter '{name}' has too much precision.")));
    }
    Ok(())
}

/// What an order can trade with: prices and quantities, the best first. Orders of the same account expire, or stop it.
fn offers(trading: &Trading, member: usize, wish: &Wish) -> Vec<(Decimal, Decimal)> {
    let resting = trading.books.resting(&trading.symbols[wish.symbol].name, wish.side.opposite());
    let is_own = |order: &&Order| order.owner == owner(member);
    let resting = resting.take_while(|order| wish.own_trade == OwnTrade::Maker || !is_own(order));
    resting.filter(|order| !is_own(order)).map(|order| (order.terms.price, order.remaining)).collect()
}

/// The cost of a quantity in the market.
pub(super) fn cost(trading: &Trading, member: usize, wish: &Wish) -> Decimal {
    let (mut left, mut cost) = (wish.qty, Decimal::ZERO);
    for (price, size) in offers(trading, member, wish) {
        let taken = size.min(left);
        cost += taken * price;
        left -= taken;
        if left.is_zero() {
            break;
        }
    }
    cost
}

/// The quantity that the market offers for a quote amount, in whole steps.
fn worth(trading: &Trading, member: usize, wish: &Wish) -> Decimal {
    let (mut left, mut qty) = (wish.quote_qty, Decimal::ZERO);
    for (price, size) in offers(trading, member, wish) {
        let taken = size.min(left / price);
        qty += taken;
        left -= taken * price;
        if taken < size {
            break;
        }
    }
    let step = trading.symbols[wish.symbol].step;
    (qty / step).floor() * step
}
