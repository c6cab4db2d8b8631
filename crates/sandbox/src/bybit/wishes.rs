//! Reads and checks what an order asks for.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::category::Category;
use super::members::Member;
use super::order::{Duration, OwnTrade, Trigger, Wish, side_named};
use super::read::Given;
use super::reply::Refusal;
use super::trading::Trading;
use super::wallet;
use crate::exchange::Side;

/// No price is higher, and no trigger either.
pub(super) const MOST: Decimal = dec!(1999999.80);
/// A market order goes no further than this part from the best price.
const SLIPPAGE: Decimal = dec!(0.05);
/// Members of an order that are kept as they were given, and shown. Those of a take profit or a stop loss mean nothing, as
/// an order with one is refused.
const EXTRA: [&str; 8] = [
    "marketUnit",
    "tpslMode",
    "tpLimitPrice",
    "slLimitPrice",
    "tpTriggerBy",
    "slTriggerBy",
    "triggerBy",
    "orderFilter",
];

/// Parameters that change what an order does, and that the sandbox does not simulate.
const NOT_SIMULATED: [&str; 8] = [
    "takeProfit",
    "stopLoss",
    "slippageToleranceType",
    "slippageTolerance",
    "orderIv",
    "mmp",
    "bboSideType",
    "bboLevel",
];

/// Refuses what would be ignored otherwise. Clients send empty texts, zeros and `false` for what their caller leaves out.
pub(super) fn check_simulated(given: &Given) -> Result<(), Refusal> {
    let refused = |name: &str| Refusal::params(format!("{name}: the sandbox does not simulate it"));
    if let Some(name) = NOT_SIMULATED.into_iter().find(|name| given.asks_for(name)) {
        return Err(refused(name));
    }
    match given.text("orderFilter") {
        None | Some("Order" | "StopOrder" | "tpslOrder") => Ok(()),
        Some(_) => Err(refused("orderFilter")),
    }
}

/// The instrument that a request names, which has to be open for trading.
pub(super) fn instrument(trading: &Trading, category: Category, given: &Given, now: i64) -> Result<usize, Refusal> {
    let symbol = given.required("symbol")?;
    let unknown = || match category {
        Category::Spot => Refusal::new(170121, "Invalid symbol."),
        _ => Refusal::params("symbol invalid"),
    };
    let found = trading.find(category, symbol).ok_or_else(unknown)?;
    if trading.instruments[found].is_live(now) {
        Ok(found)
    } else {
        Err(Refusal::new(110_074, "This contract is not live"))
    }
}

/// What a request to create an order asks for.
pub(super) fn read(
    trading: &Trading,
    members: &[Member],
    member: usize,
    given: &Given,
    now: i64,
) -> Result<Wish, Refusal> {
    check_simulated(given)?;
    let category = given.category()?;
    let index = instrument(trading, category, given, now)?;
    let link = link(trading, member, category, given)?;
    let side = side_named(given.required("side")?).ok_or_else(|| invalid(category, "side", 170_117))?;
    let is_market = match given.required("orderType")? {
        "Market" => true,
        "Limit" => false,
        _ => return Err(invalid(category, "orderType", 170_116)),
    };
    let duration = match given.text("timeInForce") {
        _ if is_market => Duration::ImmediateOrCancel,
        None => Duration::GoodTillCancelled,
        Some("RPI") => {
            let code = if category == Category::Spot { 170_355 } else { 110_119 };
            return Err(Refusal::new(code, "Order failed. RPI orders are restricted to approved market makers only"));
        }
        Some(name) => Duration::named(name).ok_or_else(|| invalid(category, "timeInForce", 170_115))?,
    };
    let own_trade = match given.text("smpType") {
        None => OwnTrade::Allowed,
        Some(name) => OwnTrade::named(name).ok_or_else(|| Refusal::params("smpType invalid"))?,
    };
    if !matches!(given.integer("positionIdx")?, None | Some(0)) {
        return Err(Refusal::params("position idx not match position mode"));
    }
    let trigger = trigger(trading, index, given)?;
    let close_on_trigger = given.flag("closeOnTrigger");
    // The venue has such an order only reduce a position too.
    let reduce_only = (given.flag("reduceOnly") || close_on_trigger) && category.has_positions();
    let extra: BTreeMap<_, _> =
        EXTRA.into_iter().filter_map(|name| Some((name, given.text(name)?.to_owned()))).collect();
    let mut wish = Wish {
        instrument: index,
        link,
        side,
        is_market,
        price: Decimal::ZERO,
        qty: Decimal::ZERO,
        duration,
        reduce_only,
        close_on_trigger,
        own_trade,
        trigger,
        is_leverage: given.integer("isLeverage")? == Some(1),
        extra,
    };
    wish.price = match (is_market, trigger) {
        (false, _) => limit(trading, index, given)?,
        (true, Some(trigger)) => limit_around(trading, index, side, trigger.price),
        (true, None) => market_limit(trading, index, side),
    };
    if trigger.is_none() {
        check_reducing(trading, member, &wish)?;
    }
    wish.qty = quantity(trading, member, &wish, given)?;
    check_size(trading, &wish)?;
    if trigger.is_none() {
        wallet::check(trading, members, member, &wish, None)?;
    } else if wish.is_tpsl() {
        wallet::check(trading, members, member, &wish.as_bound(), None)?;
    }
    Ok(wish)
}

/// Refuses an order that only closes a position where there is nothing to close.
pub(super) fn check_reducing(trading: &Trading, member: usize, wish: &Wish) -> Result<(), Refusal> {
    if wish.reduce_only && trading.closable(member, wish).is_zero() {
        return Err(Refusal::new(110_017, "current position is zero, cannot fix reduce-only order qty"));
    }
    Ok(())
}

/// The caller's own id of the order, which nobody of the account has used in this product.
fn link(trading: &Trading, member: usize, category: Category, given: &Given) -> Result<String, Refusal> {
    let link = given.text("orderLinkId").unwrap_or_default().to_owned();
    if link.is_empty() && category == Category::Option {
        return Err(Refusal::params("orderLinkId is required"));
    }
    let is_plain = link.chars().all(|one| one.is_ascii_alphanumeric() || one == '-' || one == '_');
    if link.len() > 36 || !is_plain {
        return Err(Refusal::params("orderLinkId must have at most 36 letters, digits, dashes and underscores"));
    }
    if !link.is_empty() && trading.by_link.contains_key(&(member, category, link.clone())) {
        return Err(match category {
            Category::Spot => Refusal::new(170_141, "Duplicate clientOrderId"),
            _ => Refusal::new(110_072, "OrderLinkedID is duplicate"),
        });
    }
    Ok(link)
}

fn trigger(trading: &Trading, instrument: usize, given: &Given) -> Result<Option<Trigger>, Refusal> {
    let Some(price) = given.decimal("triggerPrice")?.filter(|price| !price.is_zero()) else { return Ok(None) };
    if !(Decimal::ZERO..=MOST).contains(&price) {
        return Err(Refusal::params("triggerPrice invalid"));
    }
    let last = trading.last(instrument);
    let category = trading.instruments[instrument].category;
    let rises = match given.integer("triggerDirection")? {
        Some(1) => true,
        Some(2) => false,
        // Of spot it follows from where the price is.
        None | Some(0) if category == Category::Spot => price > last,
        _ => return Err(Refusal::params("triggerDirection invalid")),
    };
    if rises && price <= last {
        return Err(Refusal::new(110_092, format!("expect Rising, but trigger_price[{price}] <= current[{last}]")));
    }
    if !rises && price >= last {
        return Err(Refusal::new(110_093, format!("expect Falling, but trigger_price[{price}] >= current[{last}]")));
    }
    Ok(Some(Trigger { price, rises }))
}

/// The limit of a request, on the instrument's grid.
pub(super) fn limit(trading: &Trading, index: usize, given: &Given) -> Result<Decimal, Refusal> {
    let instrument = &trading.instruments[index];
    let is_spot = instrument.category == Category::Spot;
    let price = given.decimal("price")?.ok_or_else(|| Refusal::params("price is required"))?;
    if price <= Decimal::ZERO {
        return Err(if is_spot { Refusal::new(170_133, "Order price lower than the minimum.") } else { bad_price() });
    }
    if price > MOST {
        return Err(if is_spot { Refusal::new(170_132, "Order price too high.") } else { bad_price() });
    }
    if !(price % instrument.tick).is_zero() {
        return Err(if is_spot { Refusal::new(170_134, "Order price decimal too long.") } else { bad_price() });
    }
    Ok(price)
}

fn bad_price() -> Refusal {
    Refusal::params("The price is invalid: it must be a multiple of the tick size")
}

/// How far a market order may go: a part from the best price of the other side.
pub(super) fn market_limit(trading: &Trading, index: usize, side: Side) -> Decimal {
    let best = trading.best(index, side.opposite()).map(|(price, _)| price);
    limit_around(trading, index, side, best.unwrap_or_else(|| trading.last(index)))
}

pub(super) fn limit_around(trading: &Trading, index: usize, side: Side, price: Decimal) -> Decimal {
    let tick = trading.instruments[index].tick;
    let far = price * (Decimal::ONE + side.sign() * SLIPPAGE);
    (far / tick).floor().max(Decimal::ONE) * tick
}

fn quantity(trading: &Trading, member: usize, wish: &Wish, given: &Given) -> Result<Decimal, Refusal> {
    let instrument = &trading.instruments[wish.instrument];
    let qty = given.decimal("qty")?.ok_or_else(|| Refusal::params("qty is required"))?;
    if qty.is_zero() && wish.reduce_only && wish.close_on_trigger {
        // Closes all of the position.
        return Ok(trading.closable(member, wish).max(instrument.step));
    }
    let is_spot_market = instrument.category == Category::Spot && wish.is_market;
    let by_value = match wish.extra.get("marketUnit").map(String::as_str) {
        Some("quoteCoin") => true,
        Some(_) => false,
        // A market order that buys says what it spends.
        None => wish.side == Side::Bid,
    };
    if !is_spot_market || !by_value {
        return Ok(qty);
    }
    if qty < instrument.min_value {
        return Err(Refusal::new(170_140, "Order value exceeded lower limit"));
    }
    let (mut money, mut bought) = (qty, Decimal::ZERO);
    for (price, count) in trading.offers(member, wish) {
        let most = money / price;
        if most <= count {
            bought += most;
            break;
        }
        bought += count;
        money -= price * count;
    }
    Ok((bought / instrument.step).floor() * instrument.step)
}

/// Whether a quantity is on the instrument's grid and within its bounds.
pub(super) fn check_size(trading: &Trading, wish: &Wish) -> Result<(), Refusal> {
    let instrument = &trading.instruments[wish.instrument];
    let is_spot = instrument.category == Category::Spot;
    let (qty, step) = (wish.qty, instrument.step);
    if qty < step {
        return Err(match instrument.category {
            Category::Spot => Refusal::new(170_136, "Order quantity lower than the minimum."),
            _ => Refusal::new(110_017, "orderQty will be truncated to zero"),
        });
    }
    if !(qty % step).is_zero() {
        return Err(if is_spot {
            Refusal::new(170_137, "Order volume decimal too long")
        } else {
            Refusal::params("Qty invalid: it must be a multiple of the quantity step")
        });
    }
    if qty > instrument.max_qty {
        return Err(if is_spot {
            Refusal::new(170_124, "Order amount too large.")
        } else {
            Refusal::params("The number of contracts exceeds maximum limit allowed: too large")
        });
    }
    if instrument.value(wish.price, qty) < instrument.min_value && !wish.reduce_only {
        return Err(match instrument.category {
            Category::Spot => Refusal::new(170_140, "Order value exceeded lower limit"),
            _ => Refusal::new(110_094, "Order does not meet minimum order value"),
        });
    }
    Ok(())
}

fn invalid(category: Category, name: &str, spot: i64) -> Refusal {
    match category {
        Category::Spot => Refusal::new(spot, format!("Invalid {name}.")),
        _ => Refusal::params(format!("{name} invalid")),
    }
}
