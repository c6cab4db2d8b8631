//! Fees and margins of perpetual futures.

use rust_decimal::{Decimal, RoundingStrategy};
use rust_decimal_macros::dec;

use crate::exchange::{Position, Rules, Side};

/// Fractions of the notional.
pub(in super::super) const TAKER_FEE: Decimal = dec!(0.0005);
pub(in super::super) const MAKER_FEE: Decimal = dec!(0.0002);
pub(in super::super) const INITIAL_MARGIN: Decimal = dec!(0.1);
pub(in super::super) const MAINTENANCE_MARGIN: Decimal = dec!(0.05);

/// A position binds a part of its notional. Its profit at the mark price counts as funds.
#[derive(Debug)]
pub(in super::super) struct MarginRules;

impl Rules for MarginRules {
    fn fee(&self, price: Decimal, count: Decimal, is_taker: bool) -> Decimal {
        let rate = if is_taker { TAKER_FEE } else { MAKER_FEE };
        (rate * price * count).round_dp_with_strategy(4, RoundingStrategy::ToPositiveInfinity)
    }

    fn cost(&self, _: Side, price: Decimal) -> Decimal {
        price
    }

    fn order_margin(&self, _: Side, price: Decimal) -> Decimal {
        INITIAL_MARGIN * price
    }

    fn position_margin(&self, position: &Position, mark: Decimal) -> Decimal {
        INITIAL_MARGIN * notional(position, mark) - profit(position, mark)
    }
}

/// The worth of a position without its sign.
pub(in super::super) fn notional(position: &Position, mark: Decimal) -> Decimal {
    position.count.abs() * mark
}

/// The profit of what is held at a price.
pub(in super::super) fn profit(position: &Position, mark: Decimal) -> Decimal {
    position.count * mark - position.cost
}
