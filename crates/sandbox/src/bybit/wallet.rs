//! The unified account: what it holds, what is bound, and whether an order can be paid.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::category::Category;
use super::members::Member;
use super::order::{Order, Wish, text};
use super::reply::Refusal;
use super::trading::Trading;
use crate::exchange::Side;

/// What positions and orders bind of a coin, and what they gain.
#[derive(Clone, Copy, Debug, Default)]
struct Bound {
    /// By resting spot orders.
    locked: Decimal,
    orders: Decimal,
    positions: Decimal,
    maintenance: Decimal,
    unrealized: Decimal,
}

/// What is bound of each coin. An order that is to be replaced is left out.
fn bound(trading: &Trading, member: usize, without: Option<usize>) -> BTreeMap<&'static str, Bound> {
    let mut bound: BTreeMap<&'static str, Bound> = BTreeMap::new();
    for ((_, index), position) in trading.positions.range((member, 0)..(member + 1, 0)) {
        let (instrument, mark) = (&trading.instruments[*index], trading.mark(*index));
        let coin = bound.entry(instrument.settle).or_default();
        coin.positions += position.initial_margin(instrument, mark);
        coin.maintenance += position.maintenance_margin(instrument, mark);
        coin.unrealized += position.unrealized(instrument, mark);
    }
    for (index, order) in open(trading, member) {
        if Some(index) == without {
            continue;
        }
        let (coin, amount) = needs(trading, member, &order.wish, order.leaves);
        let bound = bound.entry(coin).or_default();
        if trading.instruments[order.wish.instrument].category.has_positions() {
            bound.orders += amount;
        } else {
            bound.locked += amount;
        }
    }
    bound
}

/// The open orders of an account that bind coins.
fn open(trading: &Trading, member: usize) -> impl Iterator<Item = (usize, &Order)> {
    let resting = trading.resting.range((member, 0)..(member + 1, 0));
    resting.map(|(_, index)| (*index, &trading.orders[*index]))
}

/// What so much of an order binds, and of which coin. What closes a position binds nothing.
fn needs(trading: &Trading, member: usize, wish: &Wish, qty: Decimal) -> (&'static str, Decimal) {
    let instrument = &trading.instruments[wish.instrument];
    if instrument.category == Category::Spot {
        return match wish.side {
            Side::Bid => (instrument.quote, wish.price * qty),
            Side::Ask => (instrument.base, qty),
        };
    }
    if wish.reduce_only {
        return (instrument.settle, Decimal::ZERO);
    }
    let leverage = trading.positions.get(&(member, wish.instrument)).map_or(Decimal::TEN, |one| one.leverage);
    let opened = (qty - trading.closable(member, wish)).max(Decimal::ZERO);
    (instrument.settle, (instrument.value(wish.price, opened) / leverage).round_dp(8))
}

/// Refuses an order that its account cannot pay.
pub(super) fn check(
    trading: &Trading,
    members: &[Member],
    member: usize,
    wish: &Wish,
    without: Option<usize>,
) -> Result<(), Refusal> {
    let instrument = &trading.instruments[wish.instrument];
    let bound = bound(trading, member, without);
    // A market order pays what the book asks, not its limit.
    let mut meant = wish.clone();
    if wish.is_market && wish.side == Side::Bid {
        meant.price = average(trading, member, wish);
    }
    let (coin, amount) = needs(trading, member, &meant, wish.qty);
    if instrument.category == Category::Spot {
        let own = members[member].unified.get(coin).map(|coin| coin.wallet).unwrap_or_default();
        let locked = bound.get(coin).map(|bound| bound.locked).unwrap_or_default();
        return if own - locked >= amount { Ok(()) } else { Err(Refusal::new(170_131, "Balance insufficient")) };
    }
    if amount.is_zero() {
        return Ok(());
    }
    if available(trading, members, member, &bound) >= amount * trading.dollars(coin) {
        Ok(())
    } else {
        Err(Refusal::new(110_007, "ab not enough for new order"))
    }
}

/// The mean price that a market order gets from the book as it is.
fn average(trading: &Trading, member: usize, wish: &Wish) -> Decimal {
    let (mut rest, mut paid) = (wish.qty, Decimal::ZERO);
    for (price, count) in trading.offers(member, wish) {
        let part = rest.min(count);
        paid += part * price;
        rest -= part;
        if rest.is_zero() {
            break;
        }
    }
    let filled = wish.qty - rest;
    if filled.is_zero() { wish.price } else { paid / filled }
}

/// What may be bound or withdrawn, in dollars.
fn available(trading: &Trading, members: &[Member], member: usize, bound: &BTreeMap<&'static str, Bound>) -> Decimal {
    let own = members[member].unified.iter().map(|(coin, own)| own.wallet * trading.dollars(coin));
    let used = bound.iter().map(|(coin, bound)| {
        (bound.unrealized - bound.positions - bound.orders - bound.locked) * trading.dollars(coin)
    });
    own.sum::<Decimal>() + used.sum::<Decimal>()
}

/// What can be moved out of the unified account.
pub(super) fn transferable(trading: &Trading, members: &[Member], member: usize, coin: &str) -> Decimal {
    let own = members[member].unified.get(coin).map(|own| own.wallet).unwrap_or_default();
    let bound = bound(trading, member, None);
    let locked = bound.get(coin).map(|bound| bound.locked).unwrap_or_default();
    let (worth, free) = (trading.dollars(coin), available(trading, members, member, &bound));
    let covered = if worth.is_zero() {
        own
    } else {
        (free / worth).round_dp_with_strategy(8, rust_decimal::RoundingStrategy::ToZero)
    };
    (own - locked).min(covered).max(Decimal::ZERO)
}

/// The whole account, or some of its coins.
pub(super) fn show(trading: &Trading, members: &[Member], member: usize, is_wanted: impl Fn(&str) -> bool) -> Value {
    let bound = bound(trading, member, None);
    let own = &members[member].unified;
    let mut names: BTreeSet<&str> = own.keys().map(String::as_str).collect();
    names.extend(bound.keys());
    let (mut equity, mut wallet, mut initial, mut maintenance, mut gains) =
        <(Decimal, Decimal, Decimal, Decimal, Decimal)>::default();
    let mut coins = Vec::new();
    for name in names {
        let coin = own.get(name).copied().unwrap_or_default();
        let bound = bound.get(name).copied().unwrap_or_default();
        let worth = trading.dollars(name);
        equity += (coin.wallet + bound.unrealized) * worth;
        wallet += coin.wallet * worth;
        initial += (bound.positions + bound.orders) * worth;
        maintenance += bound.maintenance * worth;
        gains += bound.unrealized * worth;
        if is_wanted(name) {
            let total = coin.wallet + bound.unrealized;
            coins.push(json!({
                "coin": name, "equity": text(total), "usdValue": text((total * worth).round_dp(8)),
                "walletBalance": text(coin.wallet), "locked": text(bound.locked), "spotHedgingQty": "0",
                "borrowAmount": "0", "accruedInterest": "0", "totalOrderIM": text(bound.orders),
                "totalPositionIM": text(bound.positions), "totalPositionMM": text(bound.maintenance),
                "unrealisedPnl": text(bound.unrealized), "cumRealisedPnl": text(coin.realized), "bonus": "0",
                "marginCollateral": true, "collateralSwitch": true, "colRes": "0", "spotBorrow": "0", "free": "",
                "availableToWithdraw": "", "availableToBorrow": "",
            }));
        }
    }
    let free = available(trading, members, member, &bound);
    let rate = |part: Decimal| if equity.is_zero() { "0".to_owned() } else { text((part / equity).round_dp(4)) };
    let dollars = |value: Decimal| text(value.round_dp(8));
    json!({
        "accountType": "UNIFIED", "accountIMRate": rate(initial), "accountMMRate": rate(maintenance),
        "totalEquity": dollars(equity), "totalWalletBalance": dollars(wallet), "totalMarginBalance": dollars(equity),
        "totalAvailableBalance": dollars(free), "totalPerpUPL": dollars(gains), "totalInitialMargin": dollars(initial),
        "totalMaintenanceMargin": dollars(maintenance), "accountIMRateByMp": rate(initial),
        "accountMMRateByMp": rate(maintenance), "totalInitialMarginByMp": dollars(initial),
        "totalMaintenanceMarginByMp": dollars(maintenance), "accountLTV": "0", "coin": coins,
    })
}
