//! Books without money, for venues that keep accounts beside them.

use rust_decimal::Decimal;

use super::account::Position;
use super::engine::Rules;
use super::terms::Side;

/// Rules without fees, costs and margins.
#[derive(Debug)]
pub(crate) struct Free;

impl Rules for Free {
    fn fee(&self, _: Decimal, _: Decimal, _: bool) -> Decimal {
        Decimal::ZERO
    }

    fn cost(&self, _: Side, _: Decimal) -> Decimal {
        Decimal::ZERO
    }

    fn order_margin(&self, _: Side, _: Decimal) -> Decimal {
        Decimal::ZERO
    }

    fn position_margin(&self, _: &Position, _: Decimal) -> Decimal {
        Decimal::ZERO
    }
}
