//! What an event contract costs, and the fees on it.

use rust_decimal::{Decimal, RoundingStrategy};
use rust_decimal_macros::dec;

use crate::exchange::{Position, Rules, Side};

const FEE_RATE: Decimal = dec!(0.07);

/// Event contracts are paid in full: a yes and a no contract together cost a dollar.
#[derive(Debug)]
pub(super) struct EventRules;

impl Rules for EventRules {
    /// The quadratic fee of the taker, rounded up to a hundredth of a cent. Makers pay nothing.
    fn fee(&self, price: Decimal, count: Decimal, is_taker: bool) -> Decimal {
        if !is_taker {
            return Decimal::ZERO;
        }
        let fee = FEE_RATE * count * price * (Decimal::ONE - price);
        fee.round_dp_with_strategy(4, RoundingStrategy::ToPositiveInfinity)
    }

    fn cost(&self, side: Side, price: Decimal) -> Decimal {
        match side {
            Side::Bid => price,
            Side::Ask => Decimal::ONE - price,
        }
    }

    fn order_margin(&self, side: Side, price: Decimal) -> Decimal {
        self.cost(side, price)
    }

    /// What the contracts cost: those of no are what is missing to a dollar.
    fn position_margin(&self, position: &Position, _mark: Decimal) -> Decimal {
        if position.count.is_sign_negative() { position.cost - position.count } else { position.cost }
    }
}
