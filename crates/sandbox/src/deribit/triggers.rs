//! How trigger orders wake up: when the last price, the mark price or the index reaches theirs, or turns by the offset of a
//! trailing stop. Trades move the last price; mark price and index move with the market maker.

use rust_decimal::Decimal;

use super::book::OrderLocation;
use super::instruments::Instrument;
use super::matching;
use super::orders::{Direction, Order, OrderState};
use super::positions;
use super::state::State;
use super::trades::Trade;
use crate::number::Number;

impl Order {
    fn is_reached(&self, price: Decimal) -> bool {
        let Some(trigger) = self.trigger.as_ref().filter(|one| !one.triggered) else { return false };
        let is_stop = trigger.order_type == "trailing_stop" || trigger.order_type.starts_with("stop_");
        let sign = self.direction.sign();
        let at = match (trigger.trigger_price, trigger.trigger_offset, trigger.trigger_reference_price) {
            (Some(Number(price)), ..) => price,
            (None, Some(Number(offset)), Some(Number(best))) => best + sign * offset,
            _ => return false,
        };
        match (self.direction, is_stop) {
            (Direction::Buy, true) | (Direction::Sell, false) => price >= at,
            (Direction::Sell, true) | (Direction::Buy, false) => price <= at,
        }
    }

    /// Has a trailing stop follow a price: that of a sale upwards, that of a purchase downwards.
    fn follow(&mut self, price: Decimal) {
        let sign = self.direction.sign();
        if let Some(trigger) = self.trigger.as_mut().filter(|one| !one.triggered && one.trigger_offset.is_some()) {
            let best = trigger.trigger_reference_price;
            if best.is_none_or(|best| sign * (price - best.0) < Decimal::ZERO) {
                trigger.trigger_reference_price = Some(Number::from(price));
            }
        }
    }
}

impl State {
    /// Sees to what an account's trades set off: its market maker protection, and everybody's trigger orders.
    pub(super) fn after_trades(&mut self, account: usize, trades: &[Trade]) {
        if trades.is_empty() {
            return;
        }
        self.protect(account);
        self.wake_reached(trades[0].public.instrument_name);
    }

    /// Wakes up the trigger orders whose price an instrument has reached.
    pub(super) fn wake_reached(&mut self, instrument_name: &str) {
        // An order that wakes up may move the price and wake up others.
        while let Some(slot) = self.reached(instrument_name) {
            self.wake(slot);
        }
    }

    fn reached(&mut self, instrument_name: &str) -> Option<OrderLocation> {
        let waiting = (0..self.accounts.len()).flat_map(|account| self.open_orders(account));
        let waiting = waiting.filter(|(_, order)| {
            order.order_state == OrderState::Untriggered && order.instrument_name == instrument_name
        });
        let waiting: Vec<OrderLocation> = waiting.map(|(slot, _)| slot).collect();
        waiting.into_iter().find(|slot| self.follow_price(*slot))
    }

    /// Has a trailing stop follow the price that triggers it. Returns whether the price of a trigger order is reached.
    pub(super) fn follow_price(&mut self, slot: OrderLocation) -> bool {
        let order = self.order(slot);
        let source = order.trigger.as_ref().map(|trigger| trigger.trigger);
        let price = self.instrument(order.instrument_name).and_then(|one| self.trigger_price(one, source?));
        let Some(price) = price else { return false };
        let order = self.order_mut(slot);
        order.follow(price);
        order.is_reached(price)
    }

    fn trigger_price(&self, instrument: &Instrument, source: &str) -> Option<Decimal> {
        match source {
            "mark_price" => Some(instrument.prices.mark),
            "index_price" => Some(instrument.prices.index),
            _ => self.last_price(instrument.instrument_name),
        }
    }

    fn wake(&mut self, slot: OrderLocation) {
        let now = self.now();
        let order = self.order_mut(slot);
        order.order_state = OrderState::Open;
        order.order_type = if order.order_type.ends_with("limit") { "limit" } else { "market" };
        order.last_update_timestamp = now;
        if let Some(trigger) = &mut order.trigger {
            trigger.triggered = true;
            trigger.triggered_at = now;
        }
        let (direction, amount, reduces) = (order.direction, order.amount.0, order.reduce_only);
        let Some(instrument) = self.instrument(self.order(slot).instrument_name).cloned() else { return };
        if reduces {
            match positions::reducible(self, slot.account, &instrument, direction, amount) {
                Ok(amount) => {
                    let order = self.order_mut(slot);
                    order.amount = amount.into();
                    order.contracts = instrument.contracts(amount).into();
                }
                Err(_) => return self.end(slot, OrderState::Cancelled, None),
            }
        }
        matching::execute(self, &instrument, slot);
        self.notify_order(slot);
    }
}
