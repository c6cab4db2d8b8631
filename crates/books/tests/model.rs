//! A book compared with a naive one under random changes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use venuekit_books::{Book, BookKind, BookMessage, BookView, Fault, Level, Side};
use venuekit_wire::rust_decimal::Decimal;

#[derive(Clone, Debug)]
enum Step {
    Snapshot(Vec<(Side, Decimal, Decimal)>),
    Set(Side, Decimal, Decimal),
    Change(Side, Decimal, Decimal),
    Clear,
}

/// Two maps and additions, and nothing clever.
#[derive(Clone, Debug, Default)]
struct Naive {
    bids: BTreeMap<Decimal, Decimal>,
    asks: BTreeMap<Decimal, Decimal>,
    unknown_removals: u64,
    repeated_levels: u64,
}

impl Naive {
    fn side(&mut self, side: Side) -> &mut BTreeMap<Decimal, Decimal> {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    /// Whether the step makes sense. If not, nothing changes, but for a snapshot, which leaves nothing.
    fn step(&mut self, step: &Step) -> bool {
        match step {
            Step::Clear => {
                self.bids.clear();
                self.asks.clear();
                true
            }
            Step::Snapshot(levels) => {
                self.step(&Step::Clear);
                if levels.iter().any(|(_, _, size)| *size < Decimal::ZERO) {
                    return false;
                }
                for (side, price, size) in levels {
                    if self.side(*side).insert(*price, *size).is_some() {
                        self.repeated_levels += 1;
                    }
                }
                self.bids.retain(|_, size| !size.is_zero());
                self.asks.retain(|_, size| !size.is_zero());
                true
            }
            Step::Set(side, price, size) => {
                if *size < Decimal::ZERO {
                    return false;
                }
                if !size.is_zero() {
                    self.side(*side).insert(*price, *size);
                } else if self.side(*side).remove(price).is_none() {
                    self.unknown_removals += 1;
                }
                true
            }
            Step::Change(side, price, delta) => {
                let levels = self.side(*side);
                let size = levels.get(price).copied().unwrap_or_default() + delta;
                if size < Decimal::ZERO {
                    return false;
                }
                if size.is_zero() {
                    levels.remove(price);
                } else {
                    levels.insert(*price, size);
                }
                true
            }
        }
    }

    fn levels(&self, side: Side) -> Vec<Level> {
        match side {
            Side::Bid => self.bids.iter().rev().map(|(&price, &size)| Level { price, size }).collect(),
            Side::Ask => self.asks.iter().map(|(&price, &size)| Level { price, size }).collect(),
        }
    }
}

fn take(book: &mut Book, step: &Step) -> Result<(), Fault> {
    match step {
        Step::Clear => book.clear(),
        Step::Set(side, price, size) => book.set(*side, *price, *size)?,
        Step::Change(side, price, delta) => book.change(*side, *price, *delta)?,
        Step::Snapshot(levels) => {
            let of = |wanted: Side| {
                levels.iter().filter(move |(side, ..)| *side == wanted).map(|&(_, price, size)| Level { price, size })
            };
            book.snapshot(of(Side::Bid), of(Side::Ask))?;
        }
    }
    Ok(())
}

/// The same number in one of its spellings.
fn spelled() -> impl Strategy<Value = fn(Decimal) -> Decimal> {
    select(vec![
        (|number| number) as fn(Decimal) -> Decimal,
        |number| {
            let mut number = number;
            number.rescale(number.scale() + 3);
            number
        },
        |number| number.normalize(),
        |number| if number.is_zero() { -number } else { number },
    ])
}

fn side() -> impl Strategy<Value = Side> {
    select(Side::BOTH.to_vec())
}

/// Few prices, so that they meet, below zero too.
fn price() -> impl Strategy<Value = Decimal> {
    (-20..60_i64, spelled()).prop_map(|(number, spelled)| spelled(Decimal::new(number, 1)))
}

/// The same numbers again and again, in few digits or in all that there are.
fn long_price() -> impl Strategy<Value = Decimal> {
    let number = prop_oneof![6 => -3..3_i128, 1 => Just(i128::from(i64::MAX)), 1 => Just(i128::from(i64::MIN)), 1 => Just((1 << 96) - 1)];
    let scale = prop_oneof![6 => 0..3_u32, 2 => 0..20_u32, 1 => 0..=28_u32];
    (number, scale, spelled_within())
        .prop_map(|(number, scale, spelled)| spelled(Decimal::from_i128_with_scale(number, scale)))
}

/// The same number in a spelling that loses no digit.
fn spelled_within() -> impl Strategy<Value = fn(Decimal) -> Decimal> {
    select(vec![(|number| number) as fn(Decimal) -> Decimal, |number| number.normalize(), |number| {
        number.checked_mul(Decimal::new(100, 2)).filter(|same| *same == number).unwrap_or(number)
    }])
}

fn size() -> impl Strategy<Value = Decimal> {
    let number = prop_oneof![2 => Just(0), 1 => -5..0_i64, 8 => 1..300_i64];
    (number, spelled()).prop_map(|(number, spelled)| spelled(Decimal::new(number, 2)))
}

fn step() -> impl Strategy<Value = Step> {
    let levels =
        proptest::collection::vec((side(), price(), (0..300_i64).prop_map(|size| Decimal::new(size, 2))), 0..60);
    let doubtful = proptest::collection::vec((side(), price(), size()), 0..6);
    prop_oneof![
        20 => (side(), price(), size()).prop_map(|(side, price, size)| Step::Set(side, price, size)),
        20 => (side(), price(), size(), any::<bool>()).prop_map(|(side, price, size, down)| {
            Step::Change(side, price, if down { -size } else { size })
        }),
        2 => levels.prop_map(Step::Snapshot),
        1 => doubtful.prop_map(Step::Snapshot),
        1 => Just(Step::Clear),
    ]
}

fn assert_same(book: &Book, naive: &Naive) {
    for side in Side::BOTH {
        let expected = naive.levels(side);
        assert_eq!(book.levels(side).collect::<Vec<_>>(), expected);
        assert_eq!(book.levels(side).rev().collect::<Vec<_>>(), expected.iter().rev().copied().collect::<Vec<_>>());
        assert_eq!(book.best(side), expected.first().copied());
        for level in &expected {
            assert_eq!(book.at(side, level.price), Some(level.size));
        }
        assert_eq!(book.at(side, Decimal::new(123, 3)), None);

        let mut total = Decimal::ZERO;
        for (depth, level) in book.depth(side, usize::MAX).unwrap().iter().zip(&expected) {
            total += level.size;
            assert_eq!((depth.price, depth.size, depth.total), (level.price, level.size, total));
            assert_eq!(book.size_to(side, level.price), Some(total));
        }
        assert_eq!(book.depth(side, 3).unwrap().len(), expected.len().min(3));
    }
    assert_eq!(book.is_empty(), naive.bids.is_empty() && naive.asks.is_empty());
    let (bid, ask) = (naive.bids.keys().next_back(), naive.asks.keys().next());
    let fine = bid.zip(ask).is_none_or(|(bid, ask)| bid < ask);
    assert_eq!(book.check().is_ok(), fine);
    assert_eq!(book.spread(), bid.zip(ask).map(|(bid, ask)| ask - bid));
    assert_eq!(book.mid(), bid.zip(ask).map(|(bid, ask)| (ask + bid) / Decimal::TWO));
    assert_eq!(book.counts().unknown_removals, naive.unknown_removals);
}

proptest! {
    #[test]
    fn a_book_is_the_naive_one_after_every_step(steps in proptest::collection::vec(step(), 0..200)) {
        let (mut book, mut naive, mut changes) = (Book::new(), Naive::default(), 0);
        for step in &steps {
            let made_sense = naive.step(step);
            changes += u64::from(made_sense && matches!(step, Step::Set(..) | Step::Change(..)));
            prop_assert_eq!(take(&mut book, step).is_ok(), made_sense, "{:?}", step);
            assert_same(&book, &naive);
        }
        // Levels of a snapshot that makes no sense are not counted to the end.
        prop_assert!(book.counts().repeated_levels >= naive.repeated_levels);
        prop_assert_eq!(book.counts().changes, changes, "what is an error has changed nothing");
    }

    #[test]
    fn what_is_put_together_is_all_there_is_and_never_better(
        levels in proptest::collection::vec((side(), price(), 1..300_i64), 0..60),
        step in 1..40_i64,
    ) {
        let mut book = Book::new();
        let step = Decimal::new(step, 1);
        for (side, price, size) in levels {
            book.set(side, price, size.into()).unwrap();
        }
        for side in Side::BOTH {
            let steps = book.aggregated(side, step).unwrap();
            let total: Decimal = book.levels(side).map(|level| level.size).sum();
            prop_assert_eq!(steps.iter().map(|level| level.size).sum::<Decimal>(), total);
            for at in &steps {
                prop_assert!((at.price % step).is_zero());
                let within: Decimal = book
                    .levels(side)
                    .filter(|level| match side {
                        Side::Bid => level.price >= at.price && level.price < at.price + step,
                        Side::Ask => level.price <= at.price && level.price > at.price - step,
                    })
                    .map(|level| level.size)
                    .sum();
                prop_assert_eq!(at.size, within);
            }
            let best_first = steps.windows(2).all(|pair| match side {
                Side::Bid => pair[0].price > pair[1].price,
                Side::Ask => pair[0].price < pair[1].price,
            });
            prop_assert!(best_first);
        }
    }

    #[test]
    fn a_market_order_takes_unit_by_unit(
        levels in proptest::collection::vec((price(), 1..30_i64), 0..20),
        wanted in 0..400_i64,
    ) {
        let mut book = Book::new();
        for (price, size) in levels {
            book.set(Side::Ask, price, size.into()).unwrap();
        }
        let units: Vec<Decimal> = book
            .asks()
            .flat_map(|level| std::iter::repeat_n(level.price, level.size.try_into().unwrap()))
            .take(wanted.try_into().unwrap())
            .collect();
        let taken = book.take(Side::Ask, wanted.into()).unwrap();
        prop_assert_eq!(taken.size, Decimal::from(units.len()));
        prop_assert_eq!(taken.missing, Decimal::from(wanted) - taken.size);
        prop_assert_eq!(taken.value, units.iter().sum::<Decimal>());
        prop_assert_eq!(taken.worst, units.last().copied());
        prop_assert_eq!(taken.average().is_some(), !units.is_empty());
    }

    /// Prices of any length, which are not all numbers of one unit in 64 bits, and prices of more and more digits.
    #[test]
    fn prices_of_any_length_are_in_order(
        steps in proptest::collection::vec((side(), long_price(), 0..3_i64, any::<bool>()), 0..120),
    ) {
        let (mut book, mut naive) = (Book::new(), Naive::default());
        for (side, price, size, is_snapshot) in steps {
            let step = match is_snapshot && size == 0 {
                true => Step::Snapshot(naive.levels(side).iter().map(|level| (side, level.price, level.size)).collect()),
                false => Step::Set(side, price, size.into()),
            };
            naive.step(&step);
            take(&mut book, &step).unwrap();
            for side in Side::BOTH {
                let expected = naive.levels(side);
                prop_assert_eq!(book.levels(side).collect::<Vec<_>>(), expected.clone());
                for level in expected {
                    prop_assert_eq!(book.at(side, level.price), Some(level.size));
                    prop_assert_eq!(book.at(side, level.price.normalize()), Some(level.size));
                }
            }
            prop_assert_eq!(book.at(side, price).unwrap_or_default(), naive.side(side).get(&price).copied().unwrap_or_default());
        }
    }

    /// Any decimals at all: the largest, the finest, with any sign.
    #[test]
    fn nothing_makes_it_panic(
        numbers in proptest::collection::vec((side(), any::<[u8; 16]>(), any::<[u8; 16]>(), any::<bool>()), 0..40),
        other in any::<[u8; 16]>(),
    ) {
        let decimal = |bytes: [u8; 16]| Decimal::from_parts(
            u32::from_le_bytes(bytes[..4].try_into().unwrap()),
            u32::from_le_bytes(bytes[4..8].try_into().unwrap()),
            u32::from_le_bytes(bytes[8..12].try_into().unwrap()),
            bytes[13] & 1 == 1,
            u32::from(bytes[12] % 29),
        );
        let mut book = Book::new();
        for (side, price, size, is_set) in numbers {
            let (price, size) = (decimal(price), decimal(size));
            let done = if is_set { book.set(side, price, size) } else { book.change(side, price, size) };
            if let Err(fault) = done {
                prop_assert!(!fault.to_string().is_empty());
            }
        }
        let other = decimal(other);
        for side in Side::BOTH {
            let _ = (book.depth(side, 100), book.size_to(side, other), book.aggregated(side, other));
            if let Some(taken) = book.take(side, other) {
                let _ = taken.average();
            }
            let levels: Vec<_> = book.levels(side).collect();
            prop_assert!(levels.windows(2).all(|pair| (pair[0].price > pair[1].price) == (side == Side::Bid)));
            prop_assert!(levels.iter().all(|level| level.size > Decimal::ZERO));
        }
        let _ = (book.mid(), book.spread(), book.check(), book.to_string());
    }
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A message as a venue with signed changes has it.
struct Told(BookKind, Option<i64>, Vec<(Side, &'static str, &'static str)>);

impl BookMessage for Told {
    fn instrument(&self) -> Option<Cow<'_, str>> {
        Some("A".into())
    }

    fn kind(&self) -> BookKind {
        self.0
    }

    fn mark(&self) -> Option<i64> {
        self.1
    }

    fn apply(&self, book: &mut Book) -> Result<(), Fault> {
        let of = |wanted| {
            self.2.iter().filter(move |told| told.0 == wanted).map(|(_, price, size)| (number(price), number(size)))
        };
        match self.0 {
            BookKind::Snapshot => book.snapshot(of(Side::Bid), of(Side::Ask)),
            _ => self.2.iter().try_for_each(|(side, price, size)| book.change(*side, number(price), number(size))),
        }
    }
}

#[test]
fn messages_make_a_book_and_are_checked_as_a_whole() {
    let mut book = Book::new();
    let snapshot = Told(BookKind::Snapshot, Some(7), vec![(Side::Bid, "0.40", "10"), (Side::Ask, "0.42", "5")]);
    book.apply(&snapshot).unwrap();
    assert_eq!(book.mark(), Some(7));

    // In the middle of this message the book is crossed, at its end it is not.
    let moved = vec![(Side::Bid, "0.43", "1"), (Side::Ask, "0.42", "-5.00"), (Side::Ask, "0.44", "2")];
    book.apply(&Told(BookKind::Change, Some(9), moved)).unwrap();
    assert_eq!(book.mark(), Some(9));
    assert_eq!(book.best_bid().unwrap().price, number("0.43"));
    assert_eq!(book.at(Side::Ask, number("0.42")), None);

    let nothing = Told(BookKind::Other, Some(10), vec![(Side::Bid, "0.99", "1")]);
    book.apply(&nothing).unwrap();
    assert_eq!((book.mark(), book.bids().len()), (Some(9), 2));

    let locked = book.apply(&Told(BookKind::Change, None, vec![(Side::Bid, "0.4400", "1")])).unwrap_err();
    assert_eq!(locked, Fault::Locked { price: number("0.44") });
    let crossed = book.apply(&Told(BookKind::Change, None, vec![(Side::Bid, "0.5", "1")])).unwrap_err();
    assert_eq!(crossed.to_string(), "crossed: the best bid 0.5 is above the best ask 0.44");

    // A snapshot repairs it, and has no earlier mark.
    book.apply(&Told(BookKind::Snapshot, None, vec![(Side::Bid, "0.40", "10"), (Side::Bid, "0.4", "11")])).unwrap();
    assert_eq!((book.mark(), book.at(Side::Bid, number("0.40"))), (None, Some(number("11"))));
    assert_eq!((book.counts().snapshots, book.counts().repeated_levels), (2, 1));
}

#[test]
fn zero_removes_in_any_spelling() {
    for zero in ["0", "0.0", "0.00000000", "-0.0"] {
        let mut book = Book::new();
        book.set(Side::Bid, number("5042.0"), number("1")).unwrap();
        book.set(Side::Bid, number("5042"), number(zero)).unwrap();
        assert!(book.is_empty(), "{zero}");
        assert_eq!(book.counts().unknown_removals, 0);
        book.set(Side::Bid, number("5042"), number(zero)).unwrap();
        assert_eq!(book.counts().unknown_removals, 1);
    }
}

#[test]
fn faults_name_the_level_and_leave_it_as_it_was() {
    let mut book = Book::new();
    book.set(Side::Ask, number("1.5"), number("2")).unwrap();
    let fault = book.set(Side::Ask, number("1.5"), number("-0.1")).unwrap_err();
    assert_eq!(fault.to_string(), "the ask at 1.5 has the size -0.1");
    let fault = book.change(Side::Ask, number("1.50"), number("-2.01")).unwrap_err();
    assert_eq!(fault.to_string(), "the ask at 1.50 would have the size -0.01 after a change by -2.01");
    let fault = book.change(Side::Bid, number("1"), number("-1")).unwrap_err();
    assert!(matches!(fault, Fault::Negative { side: Side::Bid, change: Some(_), .. }), "{fault}");
    assert_eq!(book.at(Side::Ask, number("1.5")), Some(number("2")));

    book.set(Side::Bid, number("1"), Decimal::MAX).unwrap();
    let fault = book.change(Side::Bid, number("1"), number("0.1")).unwrap_err();
    assert_eq!(fault, Fault::TooLarge { side: Side::Bid, price: number("1") });
    assert_eq!(book.at(Side::Bid, number("1")), Some(Decimal::MAX));
}

#[test]
fn a_side_is_bounded() {
    let mut book = Book::new();
    let levels = |count: usize| (0..count).map(|price| (Decimal::from(price), Decimal::ONE));
    book.snapshot(levels(venuekit_books::MAX_LEVELS), std::iter::empty::<Level>()).unwrap();
    let fault = book.set(Side::Bid, number("-1"), Decimal::ONE).unwrap_err();
    assert_eq!(fault.to_string(), "more than 100000 bids");
    assert_eq!(book.change(Side::Bid, number("-1"), Decimal::ONE), Err(Fault::TooManyLevels { side: Side::Bid }));
    // What is there can still be changed and removed, and the other side has its own room.
    book.set(Side::Bid, number("5"), Decimal::ZERO).unwrap();
    book.set(Side::Ask, number("1000000"), Decimal::ONE).unwrap();
    book.set(Side::Bid, number("-1"), Decimal::ONE).unwrap();

    let endless = (0..).map(|price: i64| (Decimal::from(price), Decimal::ONE));
    let fault = book.snapshot(std::iter::empty::<Level>(), endless).unwrap_err();
    assert_eq!(fault, Fault::TooManyLevels { side: Side::Ask });
    assert!(book.is_empty());
}

#[test]
fn a_view_stays_as_it_was_and_costs_no_copy_unless_it_is_kept() {
    let mut current = BookView::default();
    current.to_mut().set(Side::Bid, number("3"), number("1")).unwrap();
    let before: *const Book = &*current;
    current.to_mut().set(Side::Bid, number("3"), number("2")).unwrap();
    assert!(std::ptr::eq(before, &*current), "nobody holds a view");
    let kept = current.clone();
    current.to_mut().set(Side::Bid, number("3"), number("4")).unwrap();
    assert_eq!(kept.at(Side::Bid, number("3")), Some(number("2")));
    assert_eq!(current.at(Side::Bid, number("3")), Some(number("4")));
    assert!(!kept.has_levels_of(&current));
    current.to_mut().set(Side::Bid, number("3.0"), number("2.00")).unwrap();
    assert!(kept.has_levels_of(&current));
}

#[test]
fn a_ladder_is_shown_with_every_digit() {
    let mut book = Book::new();
    assert_eq!(book.to_string(), "no levels");
    for (side, price, size) in [
        (Side::Ask, "61234.5", "7"),
        (Side::Ask, "61235", "1200.25"),
        (Side::Ask, "61240", "3"),
        (Side::Bid, "9999.5", "11"),
        (Side::Bid, "9998", "0.5"),
    ] {
        book.set(side, number(price), number(size)).unwrap();
    }
    let expected = "\
ask  61235    1200.25
ask  61234.5     7
bid   9999.5    11
bid   9998       0.5
spread 51235, mid 35617, 1 more not shown";
    assert_eq!(format!("{book:.2}"), expected);
    assert!(book.to_string().starts_with("ask  61240"));
}
