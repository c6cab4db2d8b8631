//! What the sandbox's market maker does at Bybit: it quotes, and others take from it.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::category::Category;
use super::seed::terms;
use super::trading::{MAKER, TAKER, owner};
use super::wishes::MOST;
use super::{Bybit, State};
use crate::exchange::{Side, Terms, TimeInForce};
use crate::market_maker::{MarketStep, Tradable};

impl Bybit {
    /// The markets that can be quoted, named as the console names them.
    pub(crate) fn tradable(&self) -> Vec<Tradable> {
        let state = self.state();
        let markets = state.trading.instruments.iter().enumerate();
        // An option has too few steps between its prices.
        let markets = markets.filter(|(_, one)| one.category != Category::Option);
        let tradable = |(index, one): (usize, &super::instruments::Instrument)| Tradable {
            id: format!("{}/{}", one.category.name(), one.symbol),
            price: state.trading.last(index),
            tick: one.tick,
            lowest: one.tick,
            highest: (MOST / one.tick).floor() * one.tick,
            lot: one.step,
        };
        markets.map(tradable).collect()
    }

    /// Quotes a market, and takes from what is quoted.
    pub(crate) fn make_market(&self, market: &str, step: &MarketStep) {
        let now = self.clock.millis();
        let state = &mut *self.state();
        let found = market
            .split_once('/')
            .and_then(|(category, symbol)| state.trading.find(Category::named(category)?, symbol));
        let Some(index) = found else { return };
        requote(state, index, step, now);
        for taker in &step.trades {
            let side = if taker.is_buy { Side::Bid } else { Side::Ask };
            let terms = terms(side, taker.price, taker.size);
            let terms = Terms { time_in_force: TimeInForce::ImmediateOrCancel, ..terms };
            let symbol = state.trading.instruments[index].symbol.clone();
            // The account has no limit, and such an order is refused for no other reason.
            _ = state.trading.book_mut(index).place(owner(TAKER), &symbol, terms, true, now);
            state.trading.settle(&mut state.members.all, index, now);
        }
        state.publish(now);
    }
}

/// Quotes what a step says and nothing else. A side that it leaves out stays.
fn requote(state: &mut State, index: usize, step: &MarketStep, now: i64) {
    let State { trading, members, .. } = state;
    let sides = [(Side::Bid, &step.bids), (Side::Ask, &step.asks)];
    let sides = sides.into_iter().filter(|(_, levels)| !levels.is_empty());
    let symbol = trading.instruments[index].symbol.clone();
    // First what is no longer quoted: a new price may lie beyond an old one of the other side.
    for (side, levels) in sides.clone() {
        let own = trading.book(index).resting(&symbol, side).filter(|order| order.owner == owner(MAKER));
        let own: BTreeSet<Decimal> = own.map(|order| order.terms.price).collect();
        for price in own.into_iter().filter(|price| levels.iter().all(|(wanted, _)| wanted != price)) {
            trading.quote(&mut members.all, index, (side, price, Decimal::ZERO), now);
        }
    }
    for (side, levels) in sides {
        for (price, size) in levels {
            let own = trading.book(index).resting(&symbol, side);
            let own = own.filter(|order| order.owner == owner(MAKER) && order.terms.price == *price);
            let held: Decimal = own.map(|order| order.remaining).sum();
            // What is about as large as it should be stays in its place in the queue.
            if held < *size / Decimal::TWO {
                trading.quote(&mut members.all, index, (side, *price, *size), now);
            }
        }
    }
}
