//! What one call changes: subscribers are notified when the call is done.

use std::collections::{BTreeMap, BTreeSet};

use super::orders::Order;
use super::trades::Trade;

/// The changes since they were published last.
#[derive(Default)]
pub(super) struct Changes {
    /// Instruments whose book or trades changed.
    pub(super) instruments: BTreeSet<&'static str>,
    /// By account and instrument.
    pub(super) own: BTreeMap<(usize, &'static str), OwnChanges>,
}

/// What changed for one account on one instrument.
#[derive(Default)]
pub(super) struct OwnChanges {
    pub(super) orders: Vec<Order>,
    pub(super) trades: Vec<Trade>,
}

impl Changes {
    pub(super) fn touch(&mut self, instrument_name: &'static str) {
        self.instruments.insert(instrument_name);
    }

    pub(super) fn of(&mut self, account: usize, instrument_name: &'static str) -> &mut OwnChanges {
        self.own.entry((account, instrument_name)).or_default()
    }
}

impl OwnChanges {
    /// Adds what changed later.
    pub(super) fn extend(&mut self, later: &Self) {
        later.orders.iter().for_each(|order| self.add_order(order.clone()));
        self.trades.extend(later.trades.iter().cloned());
    }

    /// Adds how an order stands now, in the place of how it stood before.
    pub(super) fn add_order(&mut self, order: Order) {
        self.orders.retain(|known| known.order_id != order.order_id);
        self.orders.push(order);
    }

    pub(super) fn add_trade(&mut self, trade: Trade) {
        self.trades.push(trade);
    }
}
