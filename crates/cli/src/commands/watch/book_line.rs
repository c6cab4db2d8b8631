//! A change of a book as a line: for people, and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};
use venuekit_books::{Level, Levels};

use super::board::BookState;
use super::message::clock;
use super::status::millis;

/// The best levels, for people.
pub fn text(instrument: &str, shown: &BookState) -> String {
    let mut line = format!("{}  {instrument}", clock(shown.received));
    for (side, level) in [("bid", shown.book.best_bid()), ("ask", shown.book.best_ask())] {
        _ = match level {
            Some(Level { price, size }) => write!(line, "  {side} {price} x {size}"),
            None => write!(line, "  no {side}s"),
        };
    }
    if let Some(spread) = shown.book.spread() {
        _ = write!(line, "  spread {}", spread.normalize());
    }
    line
}

/// The levels of both sides, so many of each, the best first: price and size as texts, so that no reader rounds them.
pub fn json(instrument: &str, shown: &BookState, is_live: bool, levels: usize) -> Value {
    let of = |side: Levels<'_>| -> Vec<[String; 2]> {
        side.take(levels).map(|Level { price, size }| [price.to_string(), size.to_string()]).collect()
    };
    json!({
        "event": "book",
        "instrument": instrument,
        "live": is_live,
        "received_ms": millis(shown.received),
        "lag_ms": shown.lag.map(|lag| lag.as_millis() as u64),
        "sequence": shown.sequence,
        "mark": shown.book.mark(),
        "bids": of(shown.book.bids()),
        "asks": of(shown.book.asks()),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use venuekit_books::{Book, BookView, Side};

    use super::*;

    #[test]
    fn a_change_is_a_line() {
        let mut book = Book::new();
        for (side, price, size) in [(Side::Bid, "0.40", "10.0"), (Side::Bid, "0.39", "7"), (Side::Ask, "0.425", "5")] {
            book.set(side, price.parse().unwrap(), size.parse().unwrap()).unwrap();
        }
        book.set_mark(9);
        let received = UNIX_EPOCH + Duration::from_millis(1_790_000_000_005);
        let lag = Some(Duration::from_millis(12));
        let shown = BookState { book: BookView::from(book), received, lag, sequence: None };
        assert_eq!(text("A", &shown), "14:13:20.005  A  bid 0.40 x 10.0  ask 0.425 x 5  spread 0.025");
        assert_eq!(
            json("A", &shown, true, 1),
            json!({"event": "book", "instrument": "A", "live": true, "received_ms": 1_790_000_000_005_i64, "lag_ms": 12,
                "sequence": null, "mark": 9, "bids": [["0.40", "10.0"]], "asks": [["0.425", "5"]]})
        );
        let empty = BookState { book: BookView::default(), ..shown };
        assert_eq!(text("A", &empty), "14:13:20.005  A  no bids  no asks");
    }
}
