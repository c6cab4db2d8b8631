//! Applying the changes of a Deribit book: `venuekit-books` beside the order book of `nautilus-model`, in one run.
//!
//! Both get what their decoders make of a message: ours levels in exact decimals, theirs its deltas with prices in fixed point.
//! Ours is also asked after each message whether it is crossed, as it is in use. They take turns in short rounds; the processor
//! time of the thread counts, and the quotient of each round. At the end both have to hold the same levels.

use std::time::Duration;

use nautilus_core::UnixNanos;
use nautilus_model::data::order::BookOrder;
use nautilus_model::data::{OrderBookDelta, OrderBookDeltas};
use nautilus_model::enums::{BookAction, BookType, OrderSide};
use nautilus_model::identifiers::InstrumentId;
use nautilus_model::orderbook::OrderBook;
use nautilus_model::types::{Price, Quantity};
use venuekit_books::{Book, Level, Side};
use venuekit_wire::rust_decimal::Decimal;

use crate::changes::{Action, Change, Spread, changes};

mod changes;

const CHANGES: usize = 100_000;
const ROUNDS: usize = 41;

type OurMessage = Vec<(Side, Decimal, Decimal)>;

fn ours(change: &Change) -> (Side, Decimal, Decimal) {
    let side = if change.is_bid { Side::Bid } else { Side::Ask };
    (side, Decimal::new(change.price * 5, 1), Decimal::from(change.size * 10))
}

fn theirs(instrument: InstrumentId, change: &Change, sequence: u64) -> OrderBookDelta {
    let (action, side) = match (change.action, change.is_bid) {
        (Action::New, true) => (BookAction::Add, OrderSide::Buy),
        (Action::New, false) => (BookAction::Add, OrderSide::Sell),
        (Action::Change, true) => (BookAction::Update, OrderSide::Buy),
        (Action::Change, false) => (BookAction::Update, OrderSide::Sell),
        (Action::Delete, true) => (BookAction::Delete, OrderSide::Buy),
        (Action::Delete, false) => (BookAction::Delete, OrderSide::Sell),
    };
    let price = Price::from_decimal_dp(Decimal::new(change.price * 5, 1), 1).expect("a price");
    let size = Quantity::from_decimal_dp(Decimal::from(change.size * 10), 0).expect("a size");
    let order = BookOrder::new(side, price, size, 0);
    OrderBookDelta::new(instrument, action, order, 0, sequence, UnixNanos::default(), UnixNanos::default())
}

fn apply_ours(book: &mut Book, messages: &[OurMessage]) {
    for message in messages {
        for &(side, price, size) in message {
            book.set(side, price, size).expect("a size");
        }
        book.check().expect("not crossed");
    }
}

fn apply_theirs(book: &mut OrderBook, messages: &[OrderBookDeltas]) {
    for message in messages {
        book.apply_deltas(message).expect("deltas");
    }
}

/// The processor time of this thread.
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn seconds(run: impl FnOnce()) -> f64 {
    let before = now();
    run();
    (now() - before).as_secs_f64()
}

fn median(rounds: &mut [(f64, f64)], of: impl Fn(&(f64, f64)) -> f64) -> f64 {
    rounds.sort_by(|a, b| of(a).total_cmp(&of(b)));
    of(&rounds[rounds.len() / 2])
}

fn assert_same(ours: &Book, theirs: &OrderBook) {
    let levels = |levels: &mut dyn Iterator<Item = &nautilus_model::orderbook::BookLevel>| -> Vec<Level> {
        levels.map(|level| Level::new(level.price.value.as_decimal(), level.size_decimal())).collect()
    };
    assert_eq!(ours.bids().collect::<Vec<_>>(), levels(&mut theirs.bids(None)), "bids differ");
    assert_eq!(ours.asks().collect::<Vec<_>>(), levels(&mut theirs.asks(None)), "asks differ");
}

fn measure(spread: Spread, name: &str) {
    let instrument = InstrumentId::from("BTC-PERPETUAL.DERIBIT");
    let (snapshot, messages) = changes(spread, CHANGES);
    let our_messages: Vec<OurMessage> = messages.iter().map(|message| message.iter().map(ours).collect()).collect();
    let their_messages: Vec<OrderBookDeltas> = messages
        .iter()
        .zip(1..)
        .map(|(message, sequence)| {
            let deltas = message.iter().map(|change| theirs(instrument, change, sequence)).collect();
            OrderBookDeltas::new(instrument, deltas)
        })
        .collect();

    let mut our_start = Book::new();
    let of = |wanted: Side| {
        snapshot.iter().map(ours).filter(move |level| level.0 == wanted).map(|(_, price, size)| (price, size))
    };
    our_start.snapshot(of(Side::Bid), of(Side::Ask)).expect("a snapshot");
    let mut their_start = OrderBook::new(instrument, BookType::L2_MBP);
    for change in &snapshot {
        their_start.apply_delta(&theirs(instrument, change, 0)).expect("a snapshot");
    }
    assert_same(&our_start, &their_start);

    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|round| {
            let (mut our_book, mut their_book) = (our_start.clone(), their_start.clone());
            // The first of the two starts with a colder cache: the order alternates.
            let times = if round % 2 == 0 {
                let ours = seconds(|| apply_ours(&mut our_book, &our_messages));
                (ours, seconds(|| apply_theirs(&mut their_book, &their_messages)))
            } else {
                let theirs = seconds(|| apply_theirs(&mut their_book, &their_messages));
                (seconds(|| apply_ours(&mut our_book, &our_messages)), theirs)
            };
            assert_same(&our_book, &their_book);
            times
        })
        .collect();
    let nanos = |seconds: f64| seconds / CHANGES as f64 * 1e9;
    let ours = nanos(median(&mut rounds, |round| round.0));
    let theirs = nanos(median(&mut rounds, |round| round.1));
    let ratio = median(&mut rounds, |round| round.0 / round.1);
    let (low, high) = (rounds[ROUNDS / 10], rounds[ROUNDS - 1 - ROUNDS / 10]);
    println!(
        "{name}: venuekit-books {ours:.1} ns a level, nautilus-model {theirs:.1} ns, ratio {ratio:.3} \
         ({:.3} to {:.3} in eight rounds of ten)",
        low.0 / low.1,
        high.0 / high.1,
    );
}

fn main() {
    measure(Spread::NearTheTop, "changes near the top");
    measure(Spread::Anywhere, "changes anywhere");
}
