//! How trigger orders wake up: when the last price reaches theirs. The index and the mark price stand still here.

use rust_decimal::Decimal;

use super::book::OrderLocation;
use super::matching;
use super::orders::{Direction, Order, OrderState};
use super::positions;
use super::state::State;
use super::trades::Trade;
use crate::number::Number;

impl Order {
    fn is_reached(&self, last: Decimal) -> bool {
        let Some(trigger) = self.trigger.as_ref().filter(|one| one.trigger == "last_price" && !one.triggered) else {
            return false;
        };
        let Some(Number(price)) = trigger.trigger_price else { return false };
        let is_stop = trigger.order_type.starts_with("stop_");
        match (self.direction, is_stop) {
            (Direction::Buy, true) | (Direction::Sell, false) => last >= price,
            (Direction::Sell, true) | (Direction::Buy, false) => last <= price,
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
        let name = trades[0].public.instrument_name;
        // An order that wakes up may move the price and wake up others.
        while let Some(slot) = self.reached(name) {
            self.wake(slot);
        }
    }

    fn reached(&self, instrument_name: &str) -> Option<OrderLocation> {
        let last = self.last_price(instrument_name)?;
        let waiting = (0..self.accounts.len()).flat_map(|account| self.open_orders(account));
        let mut waiting = waiting.filter(|(_, order)| {
            order.order_state == OrderState::Untriggered && order.instrument_name == instrument_name
        });
        waiting.find(|(_, order)| order.is_reached(last)).map(|(slot, _)| slot)
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
