//! A book as text.

use std::fmt;

use venuekit_wire::rust_decimal::Decimal;

use crate::book::Book;

/// So many levels of each side are shown, unless the format says how many.
const SHOWN: usize = 10;

/// The numbers as texts of the same width, with their points below each other. Every digit is there.
///
/// ```
/// use venuekit_books::aligned;
///
/// let numbers = ["61234.5", "7", "-0.25"].map(|text| text.parse().unwrap());
/// assert_eq!(aligned(numbers), ["61234.5 ", "    7   ", "   -0.25"]);
/// ```
pub fn aligned(numbers: impl IntoIterator<Item = Decimal>) -> Vec<String> {
    let texts: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    let before = |text: &str| text.find('.').unwrap_or(text.len());
    let left = texts.iter().map(|text| before(text)).max().unwrap_or(0);
    let right = texts.iter().map(|text| text.len() - before(text)).max().unwrap_or(0);
    texts
        .iter()
        .map(|text| {
            let (whole, rest) = text.split_at(before(text));
            format!("{whole:>left$}{rest:<right$}")
        })
        .collect()
}

/// A ladder, the asks above the bids, with the best levels in the middle. A precision says how many levels of each side are shown:
/// `{:.3}`.
impl fmt::Display for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = f.precision().unwrap_or(SHOWN);
        let (asks, bids) = (self.asks().len().min(shown), self.bids().len().min(shown));
        let levels: Vec<_> = self.asks().take(shown).rev().chain(self.bids().take(shown)).collect();
        let prices = aligned(levels.iter().map(|level| level.price));
        let sizes = aligned(levels.iter().map(|level| level.size));
        for (row, (price, size)) in prices.iter().zip(&sizes).enumerate() {
            let side = if row < asks { "ask" } else { "bid" };
            writeln!(f, "{side}  {price}  {}", size.trim_end())?;
        }
        let hidden = self.asks().len() - asks + self.bids().len() - bids;
        match (self.spread(), self.mid()) {
            (Some(spread), Some(mid)) => write!(f, "spread {}, mid {}", spread.normalize(), mid.normalize())?,
            _ if self.is_empty() => write!(f, "no levels")?,
            _ => write!(f, "one side is empty")?,
        }
        if hidden > 0 {
            write!(f, ", {hidden} more not shown")?;
        }
        Ok(())
    }
}
