//! The market maker of Deribit: it moves the generated book, and an account that belongs to nobody takes from it.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::Deribit;
use super::instruments::Instrument;
use super::order_request::OrderRequest;
use super::orders::Direction;
use super::place;
use super::scope::Scope;
use super::state::{Session, State};
use crate::market_maker::{MarketStep, Tradable};

const PLENTY: Decimal = dec!(1_000_000_000);

impl Deribit {
    /// The instruments that the market maker quotes: futures and spot pairs.
    pub(crate) fn tradable(&self) -> Vec<Tradable> {
        let state = self.state();
        let plain = state.instruments.iter().filter(|one| !one.is_option() && !one.kind.ends_with("_combo"));
        let instrument = |instrument: &Instrument| {
            let price = instrument.prices.mark;
            let tick = instrument.tick(price);
            // A step of a fiftieth of a percent, on the grid of prices.
            let step = ((price / Decimal::from(5000)) / tick).ceil().max(Decimal::ONE) * tick;
            Tradable {
                id: instrument.instrument_name.to_owned(),
                price: (price / tick).floor() * tick,
                tick: step,
                lowest: price * dec!(0.6),
                highest: price * dec!(1.6),
                lot: instrument.min_trade_amount.0,
            }
        };
        plain.map(instrument).collect()
    }

    /// Moves the book of an instrument, and takes from it.
    pub(crate) fn make_market(&self, name: &str, step: &MarketStep) {
        let mut state = self.state();
        let account = state.market_taker();
        let session = Session { account, scope: Scope::full(), connection: None };
        let Some(index) = state.instruments.iter().position(|one| one.instrument_name == name) else { return };
        let bests = step.bids.first().zip(step.asks.first());
        if let Some(((bid, _), (ask, _))) = bests {
            let prices = &mut state.instruments[index].prices;
            (prices.bid, prices.ask) = (*bid, *ask);
            prices.mark = (*bid + *ask) / Decimal::TWO;
            if !prices.index.is_zero() {
                prices.index = prices.mark;
            }
            let name = state.instruments[index].instrument_name;
            state.book_mut(name);
        }
        let instrument = state.instruments[index].clone();
        // Orders that the price has moved through are taken first.
        let mut takers: Vec<(Direction, Decimal, Decimal)> = Vec::new();
        if let Some(((bid, _), (ask, _))) = bests {
            for (direction, limit) in [(Direction::Buy, *bid), (Direction::Sell, *ask)] {
                let offers = state.offers(&instrument, direction.other());
                let crossed = offers.take_while(|offer| !direction.is_beyond(limit, offer.price));
                let amount: Decimal = crossed.filter(|offer| offer.maker.is_some()).map(|offer| offer.amount).sum();
                takers.push((direction, limit, amount));
            }
        }
        for taker in &step.trades {
            let direction = if taker.is_buy { Direction::Buy } else { Direction::Sell };
            takers.push((direction, taker.price, taker.size));
        }
        for (direction, price, amount) in takers.into_iter().filter(|(.., amount)| !amount.is_zero()) {
            let order_request =
                OrderRequest { time_in_force: "immediate_or_cancel", ..OrderRequest::limit(amount, price) };
            let placed = place::fulfil(&mut state, &session, &instrument, direction, order_request);
            debug_assert!(placed.is_ok(), "the market taker is refused: {:?}", placed.err());
        }
        state.wake_reached(instrument.instrument_name);
        state.publish();
    }
}

impl State {
    /// The account that takes, with plenty of money.
    fn market_taker(&mut self) -> usize {
        let account = match self.market_taker {
            Some(account) => account,
            None => {
                let account = self.add_account(None, None);
                self.market_taker = Some(account);
                account
            }
        };
        for currency in ["BTC", "ETH", "USDC", "USDT", "EURR"] {
            let balance = self.accounts[account].balances.get(currency).copied().unwrap_or_default();
            if balance < PLENTY / Decimal::TWO {
                self.deposit(account, currency, PLENTY);
            }
        }
        account
    }
}
