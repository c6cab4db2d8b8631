//! Positions: listed, set up, and what was closed of them.

use serde_json::{Value, json};

use super::category::Category;
use super::position::Position;
use super::read::Given;
use super::reply::{Outcome, Refusal};
use super::trading::Trading;
use super::wishes;
use crate::paging::{key, newest_first};

/// The positions of an account. One that is named by its symbol is listed though nothing is held.
pub(super) fn list(trading: &Trading, member: usize, given: &Given) -> Result<Outcome, Refusal> {
    let category = with_positions(given)?;
    let is_narrow = given.text("symbol").is_some() || given.text("settleCoin").is_some();
    if category == Category::Linear && !is_narrow {
        return Err(Refusal::params("symbol or settleCoin is required"));
    }
    let named = match given.text("symbol") {
        Some(symbol) => {
            let found = trading.find(category, symbol);
            Some(found.ok_or_else(|| Refusal::params("symbol invalid"))?)
        }
        None => None,
    };
    let none = Position::default();
    let own = trading.of(category).filter_map(|(index, instrument)| {
        let position = trading.positions.get(&(member, index)).unwrap_or(&none);
        let is_wanted = match named {
            Some(named) => named == index,
            None => {
                !position.size.is_zero()
                    && given.lets_in("settleCoin", instrument.settle)
                    && given.lets_in("baseCoin", instrument.base)
            }
        };
        is_wanted.then(|| (key(index), position.show(instrument, trading.mark(index))))
    });
    let (page, next) = given.page(own, 20, 200)?;
    Ok(Outcome::ok(json!({"category": category.name(), "list": page, "nextPageCursor": next})))
}

/// Leverage and mode of every symbol that an account has set up or traded.
pub(super) fn symbols(trading: &Trading, member: usize, given: &Given) -> Result<Outcome, Refusal> {
    let category = with_positions(given)?;
    let own = trading.of(category).filter_map(|(index, instrument)| {
        let position = trading.positions.get(&(member, index))?;
        let shown = json!({
            "symbol": &*instrument.symbol, "leverage": position.leverage.normalize().to_string(), "side": "",
            "positionIdx": 0,
        });
        given.lets_in("symbol", &instrument.symbol).then_some(shown)
    });
    let own: Vec<Value> = own.collect();
    Ok(Outcome::ok(json!({"category": category.name(), "list": own})))
}

pub(super) fn set_leverage(trading: &mut Trading, member: usize, given: &Given, now: i64) -> Result<Outcome, Refusal> {
    let category = with_positions(given)?;
    let instrument = wishes::instrument(trading, category, given, now)?;
    let leverage = |name: &str| -> Result<_, Refusal> {
        let value = given.decimal(name)?.ok_or_else(|| Refusal::params(format!("{name} is required")))?;
        if (1..=100).contains(&i64::try_from(value.ceil()).unwrap_or_default()) && value >= 1.into() {
            Ok(value)
        } else {
            Err(Refusal::new(110_013, "Cannot set leverage due to risk limit level."))
        }
    };
    let (buy, sell) = (leverage("buyLeverage")?, leverage("sellLeverage")?);
    if buy != sell {
        return Err(Refusal::params("buyLeverage and sellLeverage must be the same"));
    }
    let position = trading.positions.entry((member, instrument)).or_default();
    if position.leverage == buy {
        return Err(Refusal::new(110_043, "leverage not modified"));
    }
    position.leverage = buy;
    position.updated = now;
    trading.changes.positions.insert((member, instrument));
    Ok(Outcome::ok(json!({})))
}

/// What orders have closed, the newest first.
pub(super) fn closed(trading: &Trading, member: usize, given: &Given) -> Result<Outcome, Refusal> {
    let category = with_positions(given)?;
    given.spans(0)?;
    let own = newest_first(&trading.closed).filter(|(_, closed)| {
        let instrument = &trading.instruments[closed.instrument];
        closed.member == member
            && instrument.category == category
            && given.lets_in("symbol", &instrument.symbol)
            && given.spans(closed.updated).unwrap_or_default()
    });
    let (page, next) = given.page(own, 50, 100)?;
    let page: Vec<Value> =
        page.into_iter().map(|closed| closed.show(&trading.instruments[closed.instrument])).collect();
    Ok(Outcome::ok(json!({"category": category.name(), "list": page, "nextPageCursor": next})))
}

fn with_positions(given: &Given) -> Result<Category, Refusal> {
    let category = given.category()?;
    if category.has_positions() { Ok(category) } else { Err(Refusal::params("category is invalid")) }
}
