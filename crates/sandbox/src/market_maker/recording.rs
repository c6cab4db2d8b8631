//! A recording of markets: a JSON object on each line.

use std::fmt;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{MarketStep, Taker};
use crate::number::Number;
use crate::venues::Venue;

/// Quotes and trades that are played back at their times.
///
/// Each line is a JSON object: `at_millis`, counted from the start, `venue` and `market`, and either `bids` and `asks`, lists of price
/// and size with the best first, or a trade: `side` (`buy` or `sell`), `price` and `size`. Numbers are JSON numbers or texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording(Vec<Line>);

/// Why a recording cannot be used.
#[derive(Debug)]
pub struct RecordingError {
    line: usize,
    reason: String,
}

impl fmt::Display for RecordingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for RecordingError {}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) at_millis: i64,
    venue: String,
    pub(super) market: String,
    #[serde(default)]
    bids: Option<Vec<(Amount, Amount)>>,
    #[serde(default)]
    asks: Option<Vec<(Amount, Amount)>>,
    #[serde(default)]
    side: Option<Side>,
    #[serde(default)]
    price: Option<Amount>,
    #[serde(default)]
    size: Option<Amount>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Side {
    Buy,
    Sell,
}

/// A number, or a text with one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Amount(Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        let text = raw.get().trim_matches('"');
        serde_json::from_str::<Number>(text).map(|number| Self(number.0)).map_err(serde::de::Error::custom)
    }
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// A line is not such an object, names no venue of the sandbox, or is earlier than the line before it.
    pub fn read(text: &str) -> Result<Self, RecordingError> {
        let mut lines: Vec<Line> = Vec::new();
        for (index, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let error = |reason: String| RecordingError { line: index + 1, reason };
            let line: Line = serde_json::from_str(text).map_err(|wrong| error(wrong.to_string()))?;
            line.check().map_err(&error)?;
            if lines.last().is_some_and(|before| before.at_millis > line.at_millis) {
                return Err(error("at_millis is earlier than on the line before".to_owned()));
            }
            lines.push(line);
        }
        Ok(Self(lines))
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.0
    }
}

impl Line {
    fn check(&self) -> Result<(), String> {
        if Venue::named(&self.venue).is_none() {
            return Err(format!("there is no venue `{}`", self.venue));
        }
        let is_book = self.bids.is_some() || self.asks.is_some();
        let members = [self.side.is_some(), self.price.is_some(), self.size.is_some()];
        let is_trade = members.iter().all(|is_there| *is_there);
        if is_book == is_trade || is_book && members.iter().any(|is_there| *is_there) {
            return Err("expected either bids and asks, or side, price and size".to_owned());
        }
        let levels = self.bids.iter().chain(&self.asks).flatten().flat_map(|(price, size)| [price, size]);
        if levels.chain(&self.price).chain(&self.size).any(|amount| amount.0 <= Decimal::ZERO) {
            return Err("prices and sizes must be positive".to_owned());
        }
        Ok(())
    }

    pub(super) fn venue(&self) -> Venue {
        Venue::named(&self.venue).unwrap_or(Venue::Kalshi)
    }

    /// Puts what the line says into a step.
    pub(super) fn add_to(&self, step: &mut MarketStep) {
        let levels = |levels: &[(Amount, Amount)]| levels.iter().map(|(price, size)| (price.0, size.0)).collect();
        if let Some(bids) = &self.bids {
            step.bids = levels(bids);
        }
        if let Some(asks) = &self.asks {
            step.asks = levels(asks);
        }
        if let (Some(side), Some(price), Some(size)) = (self.side, self.price, self.size) {
            step.trades.push(Taker { is_buy: side == Side::Buy, price: price.0, size: size.0 });
        }
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal_macros::dec;

    use super::*;

    #[test]
    fn a_recording_is_read_line_by_line() {
        let text = r#"{"at_millis":0,"venue":"kalshi","market":"A","bids":[["0.45",10]],"asks":[[0.47,"10"]]}

{"at_millis":5,"venue":"kalshi","market":"A","side":"buy","price":0.47,"size":3}"#;
        let recording = Recording::read(text).unwrap();
        let mut step = MarketStep::default();
        recording.lines().iter().for_each(|line| line.add_to(&mut step));
        assert_eq!((step.bids, step.asks), (vec![(dec!(0.45), dec!(10))], vec![(dec!(0.47), dec!(10))]));
        assert_eq!(step.trades, [Taker { is_buy: true, price: dec!(0.47), size: dec!(3) }]);
    }

    #[test]
    fn what_is_wrong_with_a_recording_is_named_with_its_line() {
        for (text, reason) in [
            (r#"{"at_millis":0,"venue":"nyse","market":"A","bids":[],"asks":[]}"#, "line 1: there is no venue `nyse`"),
            (r#"{"at_millis":0,"venue":"kalshi","market":"A"}"#, "line 1: expected either bids and asks"),
            (r#"{"at_millis":0,"venue":"kalshi","market":"A","bids":[[0,1]]}"#, "line 1: prices and sizes must be"),
            (
                "{\"at_millis\":9,\"venue\":\"kalshi\",\"market\":\"A\",\"bids\":[]}\n\
                 {\"at_millis\":1,\"venue\":\"kalshi\",\"market\":\"A\",\"bids\":[]}",
                "line 2: at_millis is earlier",
            ),
        ] {
            let error = Recording::read(text).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{error}");
        }
    }
}
