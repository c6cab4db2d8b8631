//! What each market holds at first: a book, and the trades of the last day.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::trading::{MAKER, TAKER, Trading, owner};
use crate::exchange::{Side, Terms};

/// Levels on each side.
const LEVELS: i64 = 60;
const TRADES: i64 = 100;
const BETWEEN_MILLIS: i64 = 900_000;

pub(super) fn fill(trading: &mut Trading, now: i64) {
    trading.books.open_unlimited(owner(MAKER));
    trading.books.open_unlimited(owner(TAKER));
    for symbol in 0..trading.symbols.len() {
        trade(trading, symbol, now);
        rest(trading, symbol, now);
        trading.apply(&mut [], symbol);
    }
    // There is nothing to publish yet.
    trading.take_changes();
}

/// Trades of the last day, at prices that move up and down.
fn trade(trading: &mut Trading, index: usize, now: i64) {
    let symbol = trading.symbols[index].clone();
    // About a tenth of a percent at most.
    let unit = ((symbol.first_price / dec!(20000)) / symbol.tick).round().max(Decimal::ONE) * symbol.tick;
    for number in 0..TRADES {
        let offset = Decimal::from((number * 7919) % 41 - 20);
        // The last one is where the book stands.
        let price = if number == TRADES - 1 { symbol.first_price } else { symbol.first_price + offset * unit };
        let side = if (number * 31) % 7 < 4 { Side::Bid } else { Side::Ask };
        let time = now - (TRADES - number) * BETWEEN_MILLIS;
        // Nobody owns these, so that nothing can refuse them.
        let pair = (owner(TAKER), owner(MAKER));
        _ = trading.books.trade_by_agreement(pair, &symbol.name, (side, price, symbol.level_qty), time);
    }
}

fn rest(trading: &mut Trading, index: usize, now: i64) {
    let symbol = trading.symbols[index].clone();
    for level in 1..=LEVELS {
        for side in Side::BOTH {
            let price = symbol.first_price - side.sign() * symbol.tick * Decimal::from(level);
            // Levels further away hold more.
            let count = symbol.level_qty * Decimal::from(1 + level / 10);
            _ = trading.books.place(owner(MAKER), &symbol.name, Terms::new(side, price, count), true, now);
        }
    }
}
