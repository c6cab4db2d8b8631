//! A random walk of each market, which returns to where it began.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::{MarketStep, Taker, Tradable};

/// Levels of each side.
const LEVELS: i64 = 5;

/// The walks of all markets.
pub(super) struct Walks {
    seed: u64,
    by_market: HashMap<(&'static str, String), Walk>,
}

/// The walk of one market: its price in ticks from where it began.
struct Walk {
    random: StdRng,
    offset: i64,
    /// As it was at first: what a venue says of its price later is what the walk has made of it.
    market: Tradable,
}

impl Walks {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, by_market: HashMap::new() }
    }

    /// What a market looks like next.
    pub(super) fn step(&mut self, venue: &'static str, market: &Tradable) -> MarketStep {
        let seed = self.seed;
        let walk = self.by_market.entry((venue, market.id.clone())).or_insert_with(|| {
            // Each market has numbers of its own, whichever others there are.
            let hash = Sha256::digest(format!("{seed}/{venue}/{}", market.id));
            Walk { random: StdRng::from_seed(hash.into()), offset: 0, market: market.clone() }
        });
        walk.step()
    }
}

impl Walk {
    /// A change of the price: up, down or none, and the likelier back the further the price is from where it began.
    fn change(&mut self) -> i64 {
        let pull = (self.offset * 4).clamp(-60, 60);
        match self.random.random_range(0..300_i64) {
            drawn if drawn < 100 - pull => 1,
            drawn if drawn >= 200 - pull => -1,
            _ => 0,
        }
    }

    fn step(&mut self) -> MarketStep {
        let moved = self.offset + self.change();
        let market = &self.market;
        let price = |offset: i64| market.price + market.tick * Decimal::from(offset);
        // A price at its bound turns back.
        let room = market.tick * Decimal::from(LEVELS + 1);
        if price(moved) - room >= market.lowest && price(moved) + room <= market.highest {
            self.offset = moved;
        } else {
            self.offset -= (moved - self.offset).signum();
        }
        let mut side = |sign: i64| -> Vec<(Decimal, Decimal)> {
            let level = |step| {
                let size = market.lot * Decimal::from(self.random.random_range(5..=20) * step);
                (price(self.offset + sign * step), size)
            };
            (1..=LEVELS).map(level).collect()
        };
        let (bids, asks) = (side(-1), side(1));
        let count = self.random.random_range(0..=1);
        let trades = (0..count).map(|_| {
            let is_buy = self.random.random_bool(0.5);
            let best = if is_buy { asks[0].0 } else { bids[0].0 };
            Taker { is_buy, price: best, size: market.lot * Decimal::from(self.random.random_range(1..=4)) }
        });
        MarketStep { trades: trades.collect(), bids, asks }
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal_macros::dec;

    use super::*;

    fn market() -> Tradable {
        Tradable {
            id: "ONE".to_owned(),
            price: dec!(0.50),
            tick: dec!(0.01),
            lowest: dec!(0.40),
            highest: dec!(0.60),
            lot: dec!(10),
        }
    }

    #[test]
    fn the_same_seed_walks_the_same_way() {
        let walk = |seed| {
            let mut walks = Walks::new(seed);
            (0..200).map(|_| walks.step("kalshi", &market())).collect::<Vec<_>>()
        };
        assert_eq!(walk(1), walk(1));
        assert_ne!(walk(1), walk(2));
    }

    #[test]
    fn prices_move_and_stay_within_their_bounds() {
        let mut walks = Walks::new(3);
        let steps: Vec<MarketStep> = (0..1000).map(|_| walks.step("kalshi", &market())).collect();
        for step in &steps {
            assert!(step.bids[0].0 < step.asks[0].0);
            assert!(step.bids.iter().all(|(price, size)| *price >= dec!(0.40) && *size > Decimal::ZERO));
            assert!(step.asks.iter().all(|(price, _)| *price <= dec!(0.60)));
        }
        let bests: std::collections::BTreeSet<Decimal> = steps.iter().map(|step| step.bids[0].0).collect();
        assert!(bests.len() > 3, "{bests:?}");
        assert!(steps.iter().any(|step| !step.trades.is_empty()));
    }
}
