//! The market maker at Bybit: one account quotes, and another one takes.

use super::Bybit;
use super::category::Category;
use super::trading::{MAKER, TAKER, owner};
use super::wishes::MOST;
use crate::exchange::{Side, Terms, TimeInForce};
use crate::market_maker::{MarketStep, Tradable, requoted};

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
        let symbol = state.trading.instruments[index].symbol.clone();
        for level in requoted(state.trading.book(index), (owner(MAKER), &symbol), step) {
            state.trading.quote(&mut state.members.all, index, level, now);
        }
        for taker in &step.trades {
            let side = if taker.is_buy { Side::Bid } else { Side::Ask };
            let terms = Terms::new(side, taker.price, taker.size);
            let terms = Terms { time_in_force: TimeInForce::ImmediateOrCancel, ..terms };
            // The account has no limit, and such an order is refused for no other reason.
            _ = state.trading.book_mut(index).place(owner(TAKER), &symbol, terms, true, now);
            state.trading.settle(&mut state.members.all, index, now);
        }
        state.publish(now);
    }
}
