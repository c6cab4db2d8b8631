//! Positions: what an account holds of an instrument.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};

use super::category::Category;
use super::instruments::Instrument;
use super::order::text;
use crate::exchange::Side;

const USUAL_LEVERAGE: Decimal = dec!(10);
const MAINTENANCE: Decimal = dec!(0.005);

/// One position, long or short.
#[derive(Clone, Debug)]
pub(super) struct Position {
    /// Above zero long, below zero short.
    pub(super) size: Decimal,
    /// What it came to when it was opened, in the settlement coin and without a sign.
    pub(super) value: Decimal,
    /// Fees for opening what is held.
    pub(super) open_fees: Decimal,
    /// Profit of this position, and of all before it too, less fees.
    pub(super) current: Decimal,
    pub(super) realized: Decimal,
    pub(super) leverage: Decimal,
    pub(super) seq: i64,
    pub(super) created: i64,
    pub(super) updated: i64,
    /// When it was opened last.
    pub(super) opened: i64,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            size: Decimal::ZERO,
            value: Decimal::ZERO,
            open_fees: Decimal::ZERO,
            current: Decimal::ZERO,
            realized: Decimal::ZERO,
            leverage: USUAL_LEVERAGE,
            seq: -1,
            created: 0,
            updated: 0,
            opened: 0,
        }
    }
}

/// What a fill closed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Close {
    pub(super) size: Decimal,
    pub(super) entry: Decimal,
    pub(super) exit: Decimal,
    /// Before fees.
    pub(super) pnl: Decimal,
    pub(super) open_fee: Decimal,
    pub(super) close_fee: Decimal,
}

impl Position {
    /// How much of it an order on a side can close.
    pub(super) fn closable_by(&self, side: Side) -> Decimal {
        (-side.sign() * self.size).max(Decimal::ZERO)
    }

    /// Adds a fill, and returns what it closed.
    pub(super) fn fill(
        &mut self,
        instrument: &Instrument,
        side: Side,
        (price, qty): (Decimal, Decimal),
        fee: Decimal,
        now: i64,
    ) -> Close {
        let closed = self.closable_by(side).min(qty);
        let mut close = Close::default();
        if !closed.is_zero() {
            let whole = self.size.abs();
            let part = |value: Decimal| if closed == whole { value } else { (value * closed / whole).round_dp(8) };
            let (entry, open_fee) = (part(self.value), part(self.open_fees));
            let exit = instrument.value(price, closed);
            let is_long = self.size > Decimal::ZERO;
            // An inverse contract gains coins where its price in coins falls.
            let gains = is_long == (instrument.category != Category::Inverse);
            let pnl = if gains { exit - entry } else { entry - exit };
            let close_fee = (fee * closed / qty).round_dp(8);
            close = Close { size: closed, entry, exit, pnl, open_fee, close_fee };
            self.value -= entry;
            self.open_fees -= open_fee;
            self.size += side.sign() * closed;
        }
        let opened = qty - closed;
        if !opened.is_zero() {
            if self.size.is_zero() {
                self.opened = now;
                self.current = Decimal::ZERO;
            }
            self.size += side.sign() * opened;
            self.value += instrument.value(price, opened);
            self.open_fees += fee - close.close_fee;
        }
        self.current += close.pnl - fee;
        self.realized += close.pnl - fee;
        if self.created == 0 {
            self.created = now;
        }
        self.updated = now;
        close
    }

    /// Profit at a price.
    pub(super) fn unrealized(&self, instrument: &Instrument, mark: Decimal) -> Decimal {
        if self.size.is_zero() {
            return Decimal::ZERO;
        }
        let now = instrument.value(mark, self.size.abs());
        let gains = (self.size > Decimal::ZERO) == (instrument.category != Category::Inverse);
        if gains { now - self.value } else { self.value - now }
    }

    /// What it binds.
    pub(super) fn initial_margin(&self, instrument: &Instrument, mark: Decimal) -> Decimal {
        (instrument.value(mark, self.size.abs()) / self.leverage).round_dp(8)
    }

    pub(super) fn maintenance_margin(&self, instrument: &Instrument, mark: Decimal) -> Decimal {
        (instrument.value(mark, self.size.abs()) * MAINTENANCE).round_dp(8)
    }

    fn side(&self) -> &'static str {
        match self.size.cmp(&Decimal::ZERO) {
            std::cmp::Ordering::Greater => "Buy",
            std::cmp::Ordering::Equal => "",
            std::cmp::Ordering::Less => "Sell",
        }
    }

    /// As the list shows it.
    pub(super) fn show(&self, instrument: &Instrument, mark: Decimal) -> Value {
        let is_flat = self.size.is_zero();
        let or_none = |value: String| if is_flat { String::new() } else { value };
        let average = instrument.price(self.value, self.size.abs());
        let (initial, maintenance) = (self.initial_margin(instrument, mark), self.maintenance_margin(instrument, mark));
        let greeks = if instrument.strike.is_some() { "0" } else { "" };
        json!({
            "positionIdx": 0, "riskId": 1, "riskLimitValue": "2000000", "symbol": &*instrument.symbol,
            "side": self.side(), "size": text(self.size.abs()), "avgPrice": text(average),
            "positionValue": or_none(text(self.value)), "autoAddMargin": 0, "positionStatus": "Normal",
            "leverage": text(self.leverage), "breakEvenPrice": or_none(text(average)),
            "markPrice": instrument.show_price(mark), "liqPrice": "", "positionIM": or_none(text(initial)),
            "positionIMByMp": or_none(text(initial)), "positionMM": or_none(text(maintenance)),
            "positionMMByMp": or_none(text(maintenance)), "takeProfit": "", "stopLoss": "", "trailingStop": "0",
            "sessionAvgPrice": "", "delta": greeks, "gamma": greeks, "vega": greeks, "theta": greeks,
            "unrealisedPnl": or_none(text(self.unrealized(instrument, mark))), "curRealisedPnl": text(self.current),
            "cumRealisedPnl": text(self.realized), "adlRankIndicator": if is_flat { 0 } else { 2 },
            "createdTime": self.created.to_string(), "updatedTime": self.updated.to_string(),
            "openTime": self.opened, "seq": self.seq, "isReduceOnly": false, "mmrSysUpdatedTime": "",
            "leverageSysUpdatedTime": "", "tpslMode": "Full", "bustPrice": "", "positionBalance": "0", "tradeMode": 0,
        })
    }

    /// As the stream shows it: the mean price has another name there.
    pub(super) fn show_on_stream(&self, instrument: &Instrument, mark: Decimal) -> Value {
        let mut shown = self.show(instrument, mark);
        shown["category"] = instrument.category.name().into();
        if let Some(shown) = shown.as_object_mut() {
            let average = shown.remove("avgPrice").unwrap_or_default();
            shown.insert("entryPrice".to_owned(), average);
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::super::instruments;
    use super::*;

    fn instrument(category: Category) -> Instrument {
        instruments::all().into_iter().find(|one| one.category == category).unwrap()
    }

    #[test]
    fn a_linear_position_is_closed_in_parts() {
        let linear = instrument(Category::Linear);
        let mut position = Position::default();
        position.fill(&linear, Side::Bid, (dec!(100), dec!(2)), dec!(0.2), 1);
        position.fill(&linear, Side::Bid, (dec!(110), dec!(2)), dec!(0.2), 2);
        assert_eq!((position.size, position.value), (dec!(4), dec!(420)));
        let close = position.fill(&linear, Side::Ask, (dec!(120), dec!(1)), dec!(0.1), 3);
        assert_eq!((close.size, close.entry, close.exit, close.pnl), (dec!(1), dec!(105), dec!(120), dec!(15)));
        assert_eq!(close.open_fee, dec!(0.1));
        // Through zero: the rest of the long position closes, and a short one opens.
        let close = position.fill(&linear, Side::Ask, (dec!(100), dec!(5)), dec!(0.5), 4);
        assert_eq!((close.size, close.pnl), (dec!(3), dec!(-15)));
        assert_eq!((position.size, position.value, position.open_fees), (dec!(-2), dec!(200), dec!(0.2)));
        assert_eq!(position.unrealized(&linear, dec!(90)), dec!(20));
    }

    #[test]
    fn an_inverse_position_gains_coins() {
        let inverse = instrument(Category::Inverse);
        let mut position = Position::default();
        position.fill(&inverse, Side::Bid, (dec!(50000), dec!(10000)), Decimal::ZERO, 1);
        assert_eq!(position.value, dec!(0.2));
        let close = position.fill(&inverse, Side::Ask, (dec!(62500), dec!(10000)), Decimal::ZERO, 2);
        assert_eq!(close.pnl, dec!(0.04));
    }
}
