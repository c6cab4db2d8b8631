//! Queries on a book. Every result is exact: one with more digits than a decimal holds is `None`.

use venuekit_wire::rust_decimal::Decimal;

use crate::book::Book;
use crate::exact;
use crate::level::{Level, Side};

/// A level, and how much there is down to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Depth {
    /// The price.
    pub price: Decimal,
    /// How much there is at it.
    pub size: Decimal,
    /// How much there is at it and at all better prices.
    pub total: Decimal,
}

/// What a market order would get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// How much it would get.
    pub size: Decimal,
    /// How much the book has too little.
    pub missing: Decimal,
    /// What that costs, or brings: price times size, summed over the levels.
    pub value: Decimal,
    /// The price of the last level that it takes from.
    pub worst: Option<Decimal>,
    /// How many levels it takes from.
    pub levels: usize,
}

impl Taken {
    /// The average price, weighted by size. Unlike everything else here it is a quotient, and rounded where that has more than 28
    /// digits.
    pub fn average(&self) -> Option<Decimal> {
        self.value.checked_div(self.size)
    }
}

impl Book {
    /// The middle between the best bid and the best ask.
    pub fn mid(&self) -> Option<Decimal> {
        exact::half(exact::add(self.best_bid()?.price, self.best_ask()?.price)?)
    }

    /// How far the best ask is above the best bid.
    pub fn spread(&self) -> Option<Decimal> {
        exact::sub(self.best_ask()?.price, self.best_bid()?.price)
    }

    /// The best levels of a side, as many as there are of so many, each with how much there is down to it.
    pub fn depth(&self, side: Side, levels: usize) -> Option<Vec<Depth>> {
        let mut total = Decimal::ZERO;
        self.levels(side)
            .take(levels)
            .map(|Level { price, size }| {
                total = exact::add(total, size)?;
                Some(Depth { price, size, total })
            })
            .collect()
    }

    /// How much there is at a price and at all better ones.
    pub fn size_to(&self, side: Side, price: Decimal) -> Option<Decimal> {
        let within = |level: &Level| match side {
            Side::Bid => level.price >= price,
            Side::Ask => level.price <= price,
        };
        self.levels(side).take_while(within).try_fold(Decimal::ZERO, |total, level| exact::add(total, level.size))
    }

    /// The levels of a side, put together at multiples of `step`, the best first: bids at the next one below, asks at the next one
    /// above, so that nobody would get a worse price than it says.
    ///
    /// None either where the step is not above zero.
    ///
    /// ```
    /// use venuekit_books::{Book, Fault, Level, Side};
    ///
    /// let level = |price: i64, size: i64| Level::new(price.into(), size.into());
    /// let mut book = Book::new();
    /// book.snapshot([level(19, 1), level(14, 2), level(10, 3)], [level(20, 4), level(21, 5)])?;
    /// assert_eq!(book.aggregated(Side::Bid, 10.into()).unwrap(), [level(10, 6)]);
    /// assert_eq!(book.aggregated(Side::Ask, 10.into()).unwrap(), [level(20, 4), level(30, 5)]);
    /// # Ok::<(), Fault>(())
    /// ```
    pub fn aggregated(&self, side: Side, step: Decimal) -> Option<Vec<Level>> {
        if step <= Decimal::ZERO {
            return None;
        }
        let mut steps: Vec<Level> = Vec::new();
        for Level { price, size } in self.levels(side) {
            let price = exact::to_step(price, step, side == Side::Ask)?;
            match steps.last_mut() {
                Some(last) if last.price == price => last.size = exact::add(last.size, size)?,
                _ => steps.push(Level { price, size }),
            }
        }
        Some(steps)
    }

    /// What a market order of this size would get from a side, were it alone: an order to buy takes from the asks.
    ///
    /// None either where the size is below zero.
    ///
    /// ```
    /// use venuekit_books::{Book, Fault, Level, Side};
    /// use venuekit_wire::rust_decimal::Decimal;
    ///
    /// let number = |text: &str| text.parse::<Decimal>().unwrap();
    /// let mut book = Book::new();
    /// book.set(Side::Ask, number("0.53"), number("100"))?;
    /// book.set(Side::Ask, number("0.55"), number("50"))?;
    /// let taken = book.take(Side::Ask, number("120")).unwrap();
    /// assert_eq!(taken.value, number("64.00"));
    /// assert_eq!(taken.worst, Some(number("0.55")));
    /// assert!(taken.missing.is_zero());
    /// assert_eq!(book.take(Side::Ask, number("200")).unwrap().missing, number("50"));
    /// # Ok::<(), Fault>(())
    /// ```
    pub fn take(&self, side: Side, size: Decimal) -> Option<Taken> {
        if size < Decimal::ZERO {
            return None;
        }
        let mut taken = Taken { size: Decimal::ZERO, missing: size, value: Decimal::ZERO, worst: None, levels: 0 };
        for level in self.levels(side) {
            if taken.missing.is_zero() {
                break;
            }
            let part = level.size.min(taken.missing);
            taken.size = exact::add(taken.size, part)?;
            taken.missing = exact::sub(taken.missing, part)?;
            taken.value = exact::add(taken.value, exact::mul(level.price, part)?)?;
            taken.worst = Some(level.price);
            taken.levels += 1;
        }
        Some(taken)
    }
}
