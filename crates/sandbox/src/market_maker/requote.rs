//! The changes that turn a market maker's quotes into those of a step.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::MarketStep;
use crate::exchange::{Exchange, Owner, Rules, Side};

/// The levels that change, each with the size that its owner is to have there. A side that the step leaves out stays.
pub(crate) fn requoted<R: Rules>(
    exchange: &Exchange<R>,
    (owner, ticker): (Owner, &str),
    step: &MarketStep,
) -> Vec<(Side, Decimal, Decimal)> {
    let sides = [(Side::Bid, &step.bids), (Side::Ask, &step.asks)];
    let sides = sides.into_iter().filter(|(_, levels)| !levels.is_empty());
    let own = |side: Side| exchange.resting(ticker, side).filter(move |order| order.owner == owner);
    let mut changes = Vec::new();
    // First what is no longer quoted: a new price may lie beyond an old one of the other side.
    for (side, levels) in sides.clone() {
        let prices: BTreeSet<Decimal> = own(side).map(|order| order.terms.price).collect();
        let gone = prices.into_iter().filter(|price| levels.iter().all(|(wanted, _)| wanted != price));
        changes.extend(gone.map(|price| (side, price, Decimal::ZERO)));
    }
    for (side, levels) in sides {
        for (price, size) in levels {
            let at_price = own(side).filter(|order| order.terms.price == *price);
            let held: Decimal = at_price.map(|order| order.remaining).sum();
            // A quote of about the right size keeps its place in the queue.
            if held < *size / Decimal::TWO {
                changes.push((side, *price, *size));
            }
        }
    }
    changes
}
