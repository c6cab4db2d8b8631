//! What happens to the book: the same for all who are measured.

/// A side of 1,000 levels, and as many prices between them that have none.
const PRICES: u64 = 2000;
pub const LEVELS: usize = 1000;
/// The price of the best bid, in ticks of 0.5. The best ask is at the next one.
const BEST_BID: i64 = 120_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    New,
    Change,
    Delete,
}

#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub is_bid: bool,
    pub action: Action,
    /// In ticks of 0.5.
    pub price: i64,
    /// In units of 10; 0 where the level goes.
    pub size: i64,
}

/// Where changes happen.
#[derive(Clone, Copy, Debug)]
pub enum Spread {
    /// As in a market: half of all changes are at the best 16 prices of 2,000, and some are at each depth.
    NearTheTop,
    /// Anywhere: the worst that can happen to a book that keeps its levels in one piece.
    Anywhere,
}

/// SplitMix64: the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// How far from the best price, in ticks.
    fn distance(&mut self, spread: Spread) -> u64 {
        match spread {
            Spread::Anywhere => self.below(PRICES),
            // Each octave of distance is as likely as the next: below 1, 2, 4, ... 2000.
            Spread::NearTheTop => {
                let bound = (1 << self.below(12)).min(PRICES);
                self.below(bound)
            }
        }
    }
}

/// The snapshot, and messages with so many changes in all.
pub fn changes(spread: Spread, count: usize) -> (Vec<Change>, Vec<Vec<Change>>) {
    let mut numbers = Numbers(14);
    let price =
        |is_bid, distance: u64| if is_bid { BEST_BID - distance as i64 } else { BEST_BID + 1 + distance as i64 };
    let mut there = [[false; PRICES as usize]; 2];
    let mut snapshot = Vec::new();
    for is_bid in [true, false] {
        for distance in (0..PRICES).step_by(2) {
            there[usize::from(is_bid)][distance as usize] = true;
            let size = 1 + numbers.below(5000) as i64;
            snapshot.push(Change { is_bid, action: Action::New, price: price(is_bid, distance), size });
        }
    }
    assert_eq!(snapshot.len(), 2 * LEVELS);

    let mut messages = Vec::new();
    let mut left = count;
    while left > 0 {
        let length = (1 + numbers.below(5) as usize).min(left);
        let message = (0..length)
            .map(|_| {
                loop {
                    let is_bid = numbers.below(2) == 0;
                    let distance = numbers.distance(spread);
                    let there = &mut there[usize::from(is_bid)][distance as usize];
                    // As many come as go, so that the side stays about as deep as it is.
                    let action = match (*there, numbers.below(3)) {
                        (true, 0) => Action::Delete,
                        (true, _) => Action::Change,
                        (false, 0) => Action::New,
                        (false, _) => continue,
                    };
                    *there = action != Action::Delete;
                    let size = if *there { 1 + numbers.below(5000) as i64 } else { 0 };
                    break Change { is_bid, action, price: price(is_bid, distance), size };
                }
            })
            .collect();
        left -= length;
        messages.push(message);
    }
    (snapshot, messages)
}
