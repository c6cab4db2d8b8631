//! What each market holds at first: a book, and the trades of the last day.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::trading::{MAKER, PublicTrade, TAKER, Trading, owner};
use crate::exchange::{ExchangeEvent, Side, Terms};

/// Levels on each side.
const LEVELS: i64 = 60;
const TRADES: i64 = 100;
const BETWEEN_MILLIS: i64 = 900_000;

pub(super) fn fill(trading: &mut Trading, now: i64) {
    for book in trading.books.values_mut() {
        book.open_unlimited(owner(MAKER));
        book.open_unlimited(owner(TAKER));
    }
    for instrument in 0..trading.instruments.len() {
        trade(trading, instrument, now);
        rest(trading, instrument, now);
        note(trading, instrument);
    }
}

/// Trades of the last day, at prices that move up and down.
fn trade(trading: &mut Trading, index: usize, now: i64) {
    let instrument = &trading.instruments[index];
    let (symbol, tick, first) = (instrument.symbol.clone(), instrument.tick, instrument.first_price);
    let qty = instrument.level_qty;
    // About a tenth of a percent at most.
    let unit = ((first / dec!(20000)) / tick).round().max(Decimal::ONE) * tick;
    for number in 0..TRADES {
        let offset = Decimal::from((number * 7919) % 41 - 20);
        // The last one is where the book stands.
        let price = if number == TRADES - 1 { first } else { first + offset * unit };
        let side = if (number * 31) % 7 < 4 { Side::Bid } else { Side::Ask };
        let time = now - (TRADES - number) * BETWEEN_MILLIS;
        // Nobody owns these, so that nothing can refuse them.
        let pair = (owner(TAKER), owner(MAKER));
        _ = trading.book_mut(index).trade_by_agreement(pair, &symbol, (side, price, qty), time);
    }
}

fn rest(trading: &mut Trading, index: usize, now: i64) {
    let instrument = &trading.instruments[index];
    let (symbol, tick, first, qty) =
        (instrument.symbol.clone(), instrument.tick, instrument.first_price, instrument.level_qty);
    for level in 1..=LEVELS {
        for side in Side::BOTH {
            let price = first - side.sign() * tick * Decimal::from(level);
            // Levels further away hold more.
            let count = qty * Decimal::from(1 + level / 10);
            _ = trading.book_mut(index).place(owner(MAKER), &symbol, Terms::new(side, price, count), true, now);
        }
    }
}

/// Notes what has happened, without publishing it.
fn note(trading: &mut Trading, index: usize) {
    let name = trading.history_name(index);
    let happened = trading.book_mut(index).take_journal();
    let mut last = Decimal::ZERO;
    for one in happened {
        match one {
            ExchangeEvent::Level(change) => {
                let mark = trading.history.change(&name, change.side, change.price, change.delta);
                trading.marks.insert(index, mark);
            }
            ExchangeEvent::Trade(trade) => {
                let tick = tick(last, trade.price);
                last = trade.price;
                let trade = PublicTrade {
                    id: trade.id,
                    side: trade.taker_side,
                    price: trade.price,
                    qty: trade.count,
                    seq: 0,
                    time: trade.time,
                    tick,
                };
                trading.trades.entry(index).or_default().push(trade);
            }
            _ => {}
        }
    }
}

/// How a price compares with the one before.
pub(super) fn tick(before: Decimal, price: Decimal) -> &'static str {
    match price.cmp(&before) {
        std::cmp::Ordering::Greater => "PlusTick",
        std::cmp::Ordering::Equal => "ZeroPlusTick",
        std::cmp::Ordering::Less => "MinusTick",
    }
}
