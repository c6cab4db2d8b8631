//! What the venue's own market maker does because a test says so: it has money without end, and no calls are made for it.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::Kalshi;
use super::perps::market::TICK;
use super::seed::{MAKER, TAKER, resting};
use super::state::State;
use crate::exchange::{Exchange, Rules, Side, Terms, TimeInForce};
use crate::market_maker::{MarketStep, Taker, Tradable, requoted};

/// So many markets are quoted.
const MOST_MARKETS: usize = 12;

impl Kalshi {
    /// Sets what the market maker has at a price. Whether there is such a market, and such a price.
    pub(crate) fn quote(&self, ticker: &str, side: Side, price: Decimal, size: Decimal) -> bool {
        let is_size = size >= Decimal::ZERO && size.scale() <= 2;
        is_size && self.make(ticker, price, |exchange, now| exchange.quote(ticker, side, price, size, now))
    }

    /// Makes a trade: the market maker offers, and somebody takes that, and whatever is better.
    pub(crate) fn trade(&self, ticker: &str, price: Decimal, count: Decimal) -> bool {
        let is_count = count > Decimal::ZERO && count.scale() <= 2;
        is_count && self.make(ticker, price, |exchange, now| exchange.trade(ticker, price, count, now))
    }

    fn make(&self, ticker: &str, price: Decimal, act: impl FnOnce(&mut dyn MarketMakerOrders, i64)) -> bool {
        let now = self.clock.millis();
        let mut state = self.lock();
        state.pass_time(now);
        let Some(exchange) = exchange_of(&mut state, ticker, price) else { return false };
        act(exchange, now);
        state.react(now);
        state.publish(now);
        true
    }
}

/// The exchange of a market, if it has the price.
fn exchange_of<'a>(state: &'a mut State, ticker: &str, price: Decimal) -> Option<&'a mut dyn MarketMakerOrders> {
    if state.perps.contract(ticker).is_some() {
        let is_price = price >= TICK && price.scale() <= TICK.scale();
        return is_price.then_some(&mut state.perps.exchange as &mut dyn MarketMakerOrders);
    }
    state.market(ticker).filter(|market| market.allows(price))?;
    Some(&mut state.events)
}

/// What the market maker does on either exchange.
trait MarketMakerOrders {
    fn quote(&mut self, ticker: &str, side: Side, price: Decimal, size: Decimal, now: i64);
    fn trade(&mut self, ticker: &str, price: Decimal, count: Decimal, now: i64);
    /// Quotes what a step says and nothing else. A side that it leaves out stays.
    fn requote(&mut self, ticker: &str, step: &MarketStep, now: i64);
    fn take(&mut self, ticker: &str, taker: &Taker, now: i64);
}

impl<R: Rules> MarketMakerOrders for Exchange<R> {
    fn quote(&mut self, ticker: &str, side: Side, price: Decimal, size: Decimal, now: i64) {
        let own = self.resting(ticker, side).filter(|order| order.owner == MAKER && order.terms.price == price);
        let own: Vec<(String, Decimal)> = own.map(|order| (order.id.clone(), order.remaining)).collect();
        let held: Decimal = own.iter().map(|(_, remaining)| remaining).sum();
        if size > held {
            let placed = self.place(MAKER, ticker, resting(side, price, size - held), false, now);
            debug_assert!(placed.is_ok(), "the market maker is refused: {placed:?}");
        }
        let mut excess = (held - size).max(Decimal::ZERO);
        for (id, remaining) in own.into_iter().rev() {
            let taken = remaining.min(excess);
            excess -= taken;
            if !taken.is_zero() {
                let decreased = self.decrease(&id, remaining - taken, now);
                debug_assert!(decreased.is_ok(), "an order of the market maker is gone: {decreased:?}");
            }
        }
    }

    fn requote(&mut self, ticker: &str, step: &MarketStep, now: i64) {
        for (side, price, size) in requoted(self, (MAKER, ticker), step) {
            self.quote(ticker, side, price, size, now);
        }
    }

    fn take(&mut self, ticker: &str, taker: &Taker, now: i64) {
        let side = if taker.is_buy { Side::Bid } else { Side::Ask };
        let terms = resting(side, taker.price, taker.size);
        let terms = Terms { time_in_force: TimeInForce::ImmediateOrCancel, ..terms };
        let placed = self.place(TAKER, ticker, terms, false, now);
        debug_assert!(placed.is_ok(), "a taker is refused: {placed:?}");
    }

    fn trade(&mut self, ticker: &str, price: Decimal, count: Decimal, now: i64) {
        let taken = Terms { time_in_force: TimeInForce::ImmediateOrCancel, ..resting(Side::Ask, price, count) };
        for (owner, terms) in [(MAKER, resting(Side::Bid, price, count)), (TAKER, taken)] {
            let placed = self.place(owner, ticker, terms, false, now);
            debug_assert!(placed.is_ok(), "the market maker is refused: {placed:?}");
        }
    }
}

impl Kalshi {
    /// The markets that the market maker quotes: a few that are open, or all contracts.
    pub(crate) fn tradable(&self, is_perps: bool) -> Vec<Tradable> {
        let now = self.clock.millis();
        let state = self.lock();
        if is_perps {
            let contracts = state.perps.contracts.iter();
            return contracts.map(|contract| contract.tradable()).collect();
        }
        // Of each series a few strikes of a day: those with prices in the middle.
        let open = state.markets.iter().filter(|market| market.status(now) == "active");
        let market = |market: &super::markets::Market| Tradable {
            id: market.ticker.clone(),
            price: market.first_price,
            tick: dec!(0.01),
            lowest: dec!(0.02),
            highest: dec!(0.98),
            lot: Decimal::TEN,
        };
        open.map(market).filter(|one| one.price > dec!(0.25) && one.price < dec!(0.75)).take(MOST_MARKETS).collect()
    }

    /// Has the market maker quote a market, and others take from it.
    pub(crate) fn make_market(&self, ticker: &str, step: &MarketStep) {
        let now = self.clock.millis();
        let mut state = self.lock();
        state.pass_time(now);
        let levels = step.bids.iter().chain(&step.asks).map(|(price, _)| *price);
        let mut prices = levels.chain(step.trades.iter().map(|taker| taker.price));
        // A recording may hold a price that the market does not accept.
        if !prices.all(|price| exchange_of(&mut state, ticker, price).is_some()) {
            return;
        }
        let Some(exchange) = exchange_of(&mut state, ticker, step.any_price()) else { return };
        exchange.requote(ticker, step, now);
        step.trades.iter().for_each(|taker| exchange.take(ticker, taker, now));
        state.react(now);
        state.publish(now);
    }
}
