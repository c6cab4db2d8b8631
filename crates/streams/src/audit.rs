//! Order books against a call of the venue that has the same number.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use venuekit_books::{Book, BookMessage, BookView, Side};
use venuekit_wire::rust_decimal::Decimal;
use venuekit_wire::stream::BookAudit;

use crate::catch_up;
use crate::hub::io::{CatchUpId, SnapshotRequest};
use crate::live_book::Books;
use crate::read::StreamMessage;
use crate::scan::{self, Elements};
use crate::sink::Entry;
use crate::subscribe::ReaderHandle;

/// How often the call is made.
const CALLS: u32 = 5;

/// The pause between two calls.
const BETWEEN: Duration = Duration::from_millis(300);

/// How long the stream may be behind a call.
const BEHIND: Duration = Duration::from_secs(3);

/// How often the book is checked for the number of the response.
const LOOK: Duration = Duration::from_millis(20);

/// What an audit of an order book has found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Audit {
    /// The book is what the venue has.
    Same {
        /// The number of the state that was compared.
        mark: i64,
        /// How many levels were compared, of both sides.
        levels: usize,
    },
    /// It is not.
    Different {
        /// The number of the state that was compared.
        mark: i64,
        /// The first difference.
        difference: String,
    },
    /// Nothing was compared.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// A book in the venue's response.
struct Listed {
    mark: i64,
    bids: Vec<(Decimal, Decimal)>,
    asks: Vec<(Decimal, Decimal)>,
}

impl Listed {
    fn read(words: &BookAudit, text: &[u8]) -> Result<Self, String> {
        let mark = scan::at(text, words.call.number).and_then(|at| scan::integer(&text[at]));
        let mark = mark.ok_or_else(|| format!("the response has no number at `{}`", words.call.number))?;
        let side = |pointer: &str, is_descending: bool| {
            let mut levels = levels(text, pointer).ok_or_else(|| format!("no levels at `{pointer}`"))?;
            levels.sort_by(|one, two| if is_descending { two.0.cmp(&one.0) } else { one.0.cmp(&two.0) });
            Ok::<_, String>(levels)
        };
        Ok(Self { mark, bids: side(words.bids, true)?, asks: side(words.asks, false)? })
    }

    /// The first difference to a book; none if both are alike. Of a side that is cut off at `depth` the rest is unknown.
    fn difference(&self, book: &Book, depth: usize) -> Option<String> {
        for (name, side, listed) in [("bid", Side::Bid, &self.bids), ("ask", Side::Ask, &self.asks)] {
            let compared = if listed.len() >= depth { listed.len() } else { usize::MAX };
            let mut own = book.levels(side).take(compared);
            for (price, size) in listed {
                match own.next() {
                    Some(level) if (level.price, level.size) == (*price, *size) => {}
                    Some(level) => {
                        return Some(format!(
                            "{name} of {} at {}, and the venue has {size} at {price}",
                            level.size, level.price
                        ));
                    }
                    None => return Some(format!("no {name} at {price}, and the venue has {size}")),
                }
            }
            if let Some(level) = own.next() {
                return Some(format!("{name} of {} at {}, which the venue does not have", level.size, level.price));
            }
        }
        None
    }
}

/// Levels as pairs of price and size. Those with size zero are left out.
fn levels(text: &[u8], pointer: &str) -> Option<Vec<(Decimal, Decimal)>> {
    let list = &text[scan::at(text, pointer)?];
    let mut elements = Elements::of(list, 0);
    let mut levels = Vec::new();
    for element in elements.by_ref() {
        let pair = &list[element];
        let mut numbers = Elements::of(pair, 0).map(|number| decimal(&pair[number]));
        let (price, size) = (numbers.next()??, numbers.next()??);
        if !size.is_zero() {
            levels.push((price, size));
        }
    }
    elements.is_whole().then_some(levels)
}

fn decimal(token: &[u8]) -> Option<Decimal> {
    let text = scan::text(token)?;
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// What keeps changes for an audit until it is over.
struct Watch<'a, T: StreamMessage + BookMessage> {
    books: &'a Books<T>,
    instrument: &'a str,
    is_different: bool,
}

impl<T: StreamMessage + BookMessage> Drop for Watch<'_, T> {
    fn drop(&mut self) {
        self.books.end_audit(self.instrument, self.is_different);
    }
}

/// Compares a book with what the venue's call returns.
pub(crate) async fn audit<T: StreamMessage + BookMessage>(
    handle: &ReaderHandle,
    books: &Books<T>,
    instrument: &str,
) -> Audit {
    let unknown = |reason: &str| Audit::Unknown { reason: reason.to_owned() };
    let channel = handle.topic().channel();
    let Some(words) = channel.audit else {
        return unknown("the venue has no call that returns a book with a number of the stream");
    };
    let Some(session) = handle.streams().session() else { return unknown("a replay has no venue that could be asked") };
    let topic = match channel.items {
        Some(name) if handle.topic().items().is_some() => handle.topic().clone().list(name, [instrument]),
        _ => handle.topic().clone(),
    };
    let request = SnapshotRequest { id: CatchUpId(0), words: &words.call, topic };
    let mut reason = String::new();
    for call in 0..CALLS {
        if call > 0 {
            sleep(BETWEEN).await;
        }
        let Some(view) = books.begin_audit(instrument) else {
            "the book is uncertain".clone_into(&mut reason);
            continue;
        };
        let mut watch = Watch { books, instrument, is_different: false };
        let records = catch_up::snapshot(session, &request).await;
        let text = records.and_then(|records| records.into_iter().next().ok_or_else(|| "no response".to_owned()));
        let listed = match text.and_then(|record| Listed::read(words, &record.text)) {
            Ok(listed) => listed,
            Err(why) => {
                reason = why;
                continue;
            }
        };
        let view = match follow(&watch, view, listed.mark).await {
            Ok(view) => view,
            Err(why) => {
                reason = why;
                continue;
            }
        };
        let mark = listed.mark;
        let Some(difference) = listed.difference(&view, words.depth) else {
            return Audit::Same { mark, levels: listed.bids.len() + listed.asks.len() };
        };
        watch.is_different = true;
        drop(watch);
        handle.differs(instrument, format!("not what the venue has at {mark}: {difference}"));
        return Audit::Different { mark, difference };
    }
    Audit::Unknown { reason }
}

/// The book as it was at this number: what has changed it since the audit began is applied to what it was then.
async fn follow<T: StreamMessage + BookMessage>(
    watch: &Watch<'_, T>,
    mut view: BookView,
    mark: i64,
) -> Result<BookView, String> {
    let until = Instant::now() + BEHIND;
    let mut changes = Vec::<Entry>::new().into_iter();
    loop {
        match view.mark() {
            Some(own) if own == mark => return Ok(view),
            Some(own) if own < mark => {}
            // Messages that have several updates in them pass over numbers.
            _ => return Err(format!("the stream has no state with the number {mark}, which the call has")),
        }
        if let Some(entry) = changes.next() {
            let message = T::read(entry.kind.as_str(), entry.data()).ok().flatten();
            let applied = message.map(|message| view.to_mut().apply(&message));
            if !matches!(applied, Some(Ok(()))) {
                return Err("a change cannot be applied".to_owned());
            }
            continue;
        }
        let more = watch.books.audited_changes(watch.instrument).ok_or("the book became uncertain meanwhile")?;
        if more.is_empty() {
            if Instant::now() >= until {
                return Err(format!("the stream has not come to the number {mark} of the call"));
            }
            sleep(LOOK).await;
        }
        changes = more.into_iter();
    }
}

#[cfg(test)]
mod tests {
    use venuekit_wire::stream::SnapshotCall;

    use super::*;

    const WORDS: BookAudit = BookAudit {
        call: SnapshotCall {
            operation: "GetBook",
            parameters: &[],
            fixed: &[],
            kind: "",
            number: "/result/change_id",
            added: &[],
        },
        bids: "/result/bids",
        asks: "/result/asks",
        depth: 3,
    };

    fn listed(bids: &str, asks: &str) -> Result<Listed, String> {
        let text = format!(r#"{{"result":{{"change_id":7,"bids":{bids},"asks":{asks}}}}}"#);
        Listed::read(&WORDS, text.as_bytes())
    }

    fn book() -> Book {
        let mut book = Book::new();
        for (side, price, size) in [(Side::Bid, 10, 1), (Side::Bid, 9, 2), (Side::Ask, 11, 3)] {
            book.set(side, Decimal::from(price), Decimal::from(size)).unwrap();
        }
        book
    }

    #[test]
    fn a_difference_is_named() {
        let difference = |bids, asks| listed(bids, asks).unwrap().difference(&book(), WORDS.depth);
        assert_eq!(difference("[[10,1.0],[9,2]]", "[[11,3],[12,0.0]]"), None);
        assert_eq!(difference("[[9.0,2],[1e1,\"1\"]]", "[[11,3]]"), None, "in any order and notation");
        let cases = [
            ("[[10,1],[9,3]]", "[[11,3]]", "bid of 2 at 9, and the venue has 3 at 9"),
            ("[[10,1]]", "[[11,3]]", "bid of 2 at 9, which the venue does not have"),
            ("[[10,1],[9,2]]", "[[11,3],[12,1]]", "no ask at 12, and the venue has 1"),
            ("[[10,1],[9,2]]", "[]", "ask of 3 at 11, which the venue does not have"),
        ];
        for (bids, asks, expected) in cases {
            assert_eq!(difference(bids, asks).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_cut_off_is_not_compared() {
        let mut book = book();
        for price in [8, 7] {
            book.set(Side::Bid, Decimal::from(price), Decimal::ONE).unwrap();
        }
        let of_three = listed("[[10,1],[9,2],[8,1]]", "[[11,3]]").unwrap();
        assert_eq!(of_three.difference(&book, 3), None);
        assert!(of_three.difference(&book, 4).is_some());
    }

    #[test]
    fn a_response_without_a_number_or_levels_is_none() {
        assert_eq!(listed("[[10,1]]", "[]").unwrap().mark, 7);
        for (bids, asks) in [("null", "[]"), ("[[10]]", "[]"), ("[[10,\"x\"]]", "[]")] {
            assert!(listed(bids, asks).is_err(), "{bids}");
        }
        assert!(Listed::read(&WORDS, br#"{"result":{"bids":[],"asks":[]}}"#).is_err());
    }
}
