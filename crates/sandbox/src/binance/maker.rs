//! The market maker at Binance: one account quotes, and another one takes.

use rust_decimal::Decimal;

use super::Binance;
use super::trading::{MAKER, TAKER, owner};
use crate::exchange::{Side, Terms, TimeInForce};
use crate::market_maker::{MarketStep, Tradable, requoted};

impl Binance {
    /// The markets that can be quoted.
    pub(crate) fn tradable(&self) -> Vec<Tradable> {
        let state = self.state();
        let markets = state.trading.symbols.iter().enumerate();
        let tradable = |(index, symbol): (usize, &super::symbols::Symbol)| Tradable {
            id: symbol.name.clone(),
            price: state.trading.last(index),
            tick: symbol.tick,
            lowest: symbol.tick,
            highest: Decimal::from(1_000_000),
            lot: symbol.step,
        };
        markets.map(tradable).collect()
    }

    /// Quotes a market, and takes from what is quoted.
    pub(crate) fn make_market(&self, market: &str, step: &MarketStep) {
        let now = self.clock.millis();
        let state = &mut *self.state();
        let Some(index) = state.trading.find(market) else { return };
        for level in requoted(&state.trading.books, (owner(MAKER), market), step) {
            state.trading.quote(&mut state.members.all, index, level, now);
        }
        for taker in &step.trades {
            let side = if taker.is_buy { Side::Bid } else { Side::Ask };
            let terms = Terms::new(side, taker.price, taker.size);
            let terms = Terms { time_in_force: TimeInForce::ImmediateOrCancel, ..terms };
            // The account has no limit, and such an order is refused for no other reason.
            _ = state.trading.books.place(owner(TAKER), market, terms, true, now);
            state.trading.settle(&mut state.members.all, index, now);
        }
        state.publish(now);
    }
}
