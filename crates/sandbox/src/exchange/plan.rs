//! What an order would do on arrival: whom it trades with and how much, before anything is done.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::engine::{Exchange, Rules};
use super::funds::Change;
use super::terms::{Owner, ReduceOnly, SelfTradePrevention, Side, Terms};

/// What an order would do on arrival.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Resting orders and how much of each trades.
    pub(super) fills: Vec<(usize, Decimal)>,
    /// Resting orders of the same user that are cancelled.
    pub(super) give_way: Vec<usize>,
    pub(super) filled: Decimal,
    /// Whether it meets any order.
    pub(super) crosses: bool,
    /// Whether it ends at an order of the same user.
    pub(super) stopped: bool,
}

impl<R: Rules> Exchange<R> {
    /// How much of a count an order may trade or rest: of one that only closes a position, what there is to close.
    pub(super) fn allowed(&self, owner: Owner, ticker: &str, terms: &Terms, count: Decimal) -> Decimal {
        match terms.reduce_only {
            ReduceOnly::No => count,
            ReduceOnly::AtOnce | ReduceOnly::WhileHeld => count.min(closable(self.held(owner, ticker), terms.side)),
        }
    }

    /// The position of an owner: below zero short.
    fn held(&self, owner: Owner, ticker: &str) -> Decimal {
        let position = self.account(owner).and_then(|account| account.position(ticker));
        position.map_or(Decimal::ZERO, |position| position.count)
    }

    pub(super) fn plan(&self, owner: Owner, ticker: &str, terms: &Terms, count: Decimal) -> Plan {
        let mut plan = Plan::default();
        // By how much the fills planned so far move positions: a later maker may have nothing left to close.
        let mut moved: BTreeMap<Owner, Decimal> = BTreeMap::new();
        let Some(book) = self.books.get(ticker) else { return plan };
        for index in book.resting(terms.side.opposite()) {
            let order = &self.orders[index];
            if plan.filled == count || !terms.side.reaches(terms.price, order.terms.price) {
                break;
            }
            plan.crosses = true;
            if order.owner.user == owner.user && terms.self_trade_prevention != SelfTradePrevention::Allowed {
                if terms.self_trade_prevention == SelfTradePrevention::TakerAtCross {
                    plan.stopped = true;
                    break;
                }
                plan.give_way.push(index);
                continue;
            }
            let mut traded = order.remaining.min(count - plan.filled);
            if order.terms.reduce_only != ReduceOnly::No {
                let held = self.held(order.owner, ticker) + moved.get(&order.owner).copied().unwrap_or_default();
                traded = traded.min(closable(held, order.terms.side));
            }
            if traded.is_zero() {
                continue;
            }
            *moved.entry(owner).or_default() += terms.side.sign() * traded;
            *moved.entry(order.owner).or_default() += order.terms.side.sign() * traded;
            plan.filled += traded;
            plan.fills.push((index, traded));
        }
        plan
    }

    /// What a plan does to the holding of the owner, whose older order may be replaced.
    pub(super) fn change(&self, plan: &Plan, rest: Decimal, replaced: Option<usize>) -> Change {
        let price = |(maker, count): &(usize, Decimal)| (self.orders[*maker].terms.price, *count);
        Change {
            fills: plan.fills.iter().map(price).collect(),
            gone: plan.give_way.iter().copied().chain(replaced).collect(),
            rest,
        }
    }
}

/// How much of a position an order on a side can close.
fn closable(held: Decimal, side: Side) -> Decimal {
    (-side.sign() * held).max(Decimal::ZERO)
}
