//! Arithmetic that is exact, or gives no result.
//!
//! `rust_decimal` rounds where a result has more than 28 or 29 digits. Here such a result is `None`.

use venuekit_wire::rust_decimal::Decimal;

/// The scale that a decimal may have.
const MAX_SCALE: u32 = 28;

/// The sum.
pub(crate) fn add(a: Decimal, b: Decimal) -> Option<Decimal> {
    // Rounding shows in the scale: an exact sum is at the finer one of the two.
    match a.checked_add(b) {
        Some(sum) if sum.scale() == a.scale().max(b.scale()) => Some(sum),
        _ => {
            let (a, b, scale) = at_one_scale(a, b)?;
            shortened(a.checked_add(b)?, scale)
        }
    }
}

/// The difference.
pub(crate) fn sub(a: Decimal, b: Decimal) -> Option<Decimal> {
    add(a, -b)
}

/// The product.
pub(crate) fn mul(a: Decimal, b: Decimal) -> Option<Decimal> {
    match a.mantissa().checked_mul(b.mantissa()) {
        Some(product) => shortened(product, a.scale() + b.scale()),
        None => {
            let (a, b) = (a.normalize(), b.normalize());
            shortened(a.mantissa().checked_mul(b.mantissa())?, a.scale() + b.scale())
        }
    }
}

/// Half of it.
pub(crate) fn half(a: Decimal) -> Option<Decimal> {
    mul(a, Decimal::new(5, 1))
}

/// The multiple of `step` that is next to `number`, itself included: below it, or above it.
pub(crate) fn to_step(number: Decimal, step: Decimal, up: bool) -> Option<Decimal> {
    let (number, step, scale) = at_one_scale(number, step)?;
    if step <= 0 {
        return None;
    }
    let mut multiple = number.div_euclid(step);
    if up && number.rem_euclid(step) != 0 {
        multiple += 1;
    }
    shortened(multiple.checked_mul(step)?, scale)
}

/// Both as whole numbers of the same unit.
///
/// Without their trailing zeros, numbers that do not fit into this have no sum that fits into a decimal either.
fn at_one_scale(a: Decimal, b: Decimal) -> Option<(i128, i128, u32)> {
    let (a, b) = (a.normalize(), b.normalize());
    let scale = a.scale().max(b.scale());
    let at = |number: Decimal| number.mantissa().checked_mul(10_i128.pow(scale - number.scale()));
    Some((at(a)?, at(b)?, scale))
}

/// The decimal, without as many trailing zeros as it takes to hold it.
fn shortened(mut mantissa: i128, mut scale: u32) -> Option<Decimal> {
    const LARGEST: u128 = (1 << 96) - 1;
    while scale > MAX_SCALE || (scale > 0 && mantissa.unsigned_abs() > LARGEST) {
        if mantissa % 10 != 0 {
            return None;
        }
        mantissa /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// Digits of a number as text, so that nothing of the arithmetic above is trusted to check itself.
    fn decimal() -> impl Strategy<Value = Decimal> {
        (any::<bool>(), prop_oneof![0..1000_u128, 0..(1_u128 << 64), 0..(1_u128 << 96)], 0..=28_u32).prop_map(
            |(negative, mantissa, scale)| {
                let mut decimal = Decimal::from_i128_with_scale(mantissa as i128, scale);
                decimal.set_sign_negative(negative && mantissa != 0);
                decimal
            },
        )
    }

    /// The digits of a number at the scale 28, as limbs of one digit, least first.
    fn digits(number: Decimal, scale: u32) -> Vec<i8> {
        let mut digits = vec![0; (scale - number.scale()) as usize];
        let mut rest = number.mantissa();
        while rest != 0 {
            digits.push((rest % 10) as i8);
            rest /= 10;
        }
        digits.resize(120, 0);
        digits
    }

    /// Digits between 0 and 9, or 0 and -9, of sums of digits.
    fn carried(mut digits: Vec<i64>) -> Vec<i64> {
        let carry = |digits: &mut [i64]| {
            for place in 0..digits.len() - 1 {
                digits[place + 1] += digits[place].div_euclid(10);
                digits[place] = digits[place].rem_euclid(10);
            }
        };
        carry(&mut digits);
        if digits.last().is_some_and(|&last| last < 0) {
            digits.iter_mut().for_each(|digit| *digit = -*digit);
            carry(&mut digits);
            digits.iter_mut().for_each(|digit| *digit = -*digit);
        }
        digits
    }

    fn long(number: Decimal, scale: u32) -> Vec<i64> {
        digits(number, scale).into_iter().map(i64::from).collect()
    }

    fn long_sum(a: Decimal, b: Decimal) -> Vec<i64> {
        carried(long(a, 28).iter().zip(long(b, 28)).map(|(a, b)| a + b).collect())
    }

    fn long_product(a: Decimal, b: Decimal) -> Vec<i64> {
        let (a, b) = (long(a, 28), long(b, 28));
        let mut product = vec![0; 240];
        for (place, a) in a.iter().enumerate().take(119) {
            for (other, b) in b.iter().enumerate().take(119) {
                product[place + other] += a * b;
            }
        }
        carried(product)
    }

    /// Whether a decimal can hold these digits, the last `scale` of which are behind the point.
    fn fits(digits: &[i64], scale: usize) -> bool {
        let first = digits.iter().position(|&digit| digit != 0).unwrap_or(scale);
        let behind = scale.saturating_sub(first);
        if behind > 28 {
            return false;
        }
        let mut mantissa = 0_u128;
        for &digit in digits.iter().skip(scale - behind).rev() {
            let Some(next) = mantissa.checked_mul(10).and_then(|m| m.checked_add(digit.unsigned_abs().into())) else {
                return false;
            };
            mantissa = next;
        }
        mantissa < 1 << 96
    }

    proptest! {
        #[test]
        fn a_sum_is_exact_or_none(a in decimal(), b in decimal()) {
            let expected = long_sum(a, b);
            match add(a, b) {
                Some(sum) => prop_assert_eq!(long(sum, 28), expected),
                None => prop_assert!(!fits(&expected, 28), "{} + {} can be held", a, b),
            }
            prop_assert_eq!(sub(a, -b), add(a, b));
        }

        #[test]
        fn a_product_is_exact_or_none(a in decimal(), b in decimal()) {
            let expected = long_product(a, b);
            if let Some(product) = mul(a, b) {
                let mut found = long(product, 56);
                found.resize(240, 0);
                prop_assert_eq!(found, expected);
            } else {
                // Only a product of two long numbers may be rejected although, without its zeros, it could be held.
                prop_assert!(!fits(&expected, 56) || (a.mantissa().unsigned_abs() >> 31) * (b.mantissa().unsigned_abs() >> 31) > 0);
            }
        }

        #[test]
        fn a_step_is_a_multiple_at_most_one_away(a in -10_000_000..10_000_000_i64, scale in 0..9_u32, step in 1..5000_i64, step_scale in 0..9_u32) {
            let (number, step) = (Decimal::new(a, scale), Decimal::new(step, step_scale));
            let down = to_step(number, step, false).unwrap();
            let up = to_step(number, step, true).unwrap();
            prop_assert!((down % step).is_zero() && (up % step).is_zero());
            prop_assert!(down <= number && number < down + step);
            prop_assert!(up >= number && number > up - step);
        }
    }

    #[test]
    fn a_sum_that_has_to_be_rounded_is_none() {
        let large = Decimal::MAX;
        assert_eq!(add(large, number("0.1")), None);
        assert_eq!(add(large, Decimal::ONE), None);
        assert_eq!(add(large, -large), Some(Decimal::ZERO));
        assert_eq!(
            add(number("7922816251426433759354395033.5"), number("0.5")),
            Some(number("7922816251426433759354395034"))
        );
        assert_eq!(mul(number("0.00000000000000000001"), number("0.000000001")), None);
        assert_eq!(half(number("0.3")), Some(number("0.15")));
    }

    #[test]
    fn no_step_is_no_multiple() {
        assert_eq!(to_step(Decimal::ONE, Decimal::ZERO, true), None);
        assert_eq!(to_step(Decimal::ONE, Decimal::NEGATIVE_ONE, true), None);
        assert_eq!(to_step(number("-0.7"), number("0.5"), false), Some(number("-1.0")));
        assert_eq!(to_step(number("-0.7"), number("0.5"), true), Some(number("-0.5")));
    }
}
