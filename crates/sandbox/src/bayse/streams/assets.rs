//! Prices of assets: generated, and the same for every connection in the same second.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

/// How often a price goes up and down again.
const PERIOD_SECONDS: i64 = 120;

/// The symbols, with a price and the step by which it moves in a second.
const ASSETS: [(&str, Decimal, Decimal); 7] = [
    ("BTCUSDT", dec!(91250.5), dec!(2.5)),
    ("ETHUSDT", dec!(3042.75), dec!(0.25)),
    ("SOLUSDT", dec!(141.2), dec!(0.02)),
    ("XAUUSD", dec!(4218.4), dec!(0.1)),
    ("EURUSD", dec!(1.15985), dec!(0.00001)),
    ("GBPUSD", dec!(1.3242), dec!(0.00001)),
    ("USDNGN", dec!(1446.5), dec!(0.05)),
];

/// A symbol as the venue writes it.
pub(super) fn symbol(text: &str) -> Option<&'static str> {
    ASSETS.iter().map(|(symbol, ..)| *symbol).find(|symbol| *symbol == text)
}

/// The price of a symbol in a second: up for half the period and down again. What a test has set takes the place of the
/// made-up price, and moves on from there.
pub(super) fn price(symbol: &str, set: Option<Decimal>, second: i64) -> Decimal {
    let Some((_, usual, step)) = ASSETS.iter().find(|(known, ..)| *known == symbol) else { return Decimal::ZERO };
    let phase = second.rem_euclid(PERIOD_SECONDS);
    let height = phase.min(PERIOD_SECONDS - phase);
    (set.unwrap_or(*usual) + *step * Decimal::from(height)).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_goes_up_and_down() {
        assert_eq!(price("ETHUSDT", None, 0), dec!(3042.75));
        assert_eq!(price("ETHUSDT", None, 60), dec!(3057.75));
        assert_eq!(price("ETHUSDT", None, 119), dec!(3043));
        assert_eq!(price("ETHUSDT", Some(dec!(10)), 121), dec!(10.25));
        assert_eq!(price("ETHUSDT", None, -1), price("ETHUSDT", None, 119));
        assert_eq!((symbol("ETHUSDT"), symbol("ethusdt")), (Some("ETHUSDT"), None));
    }
}
