//! The grammar of numbers, which is that of JSON, and what they are exactly.
//!
//! `-`, then `0` or digits that do not begin with `0`, then a point with digits, then an exponent; all but the digits may be left
//! out. No `+`, no `_`, no `.5`, no spaces.

use rust_decimal::Decimal as Exact;

/// An exact number in the notation of JSON; none where the text is not one, or has more digits than can be held.
pub(crate) fn exact(text: &str) -> Option<Exact> {
    if let Some(Short { digits, scale }) = short(text) {
        return Some(Exact::new(digits, scale));
    }
    if !is_number(text) {
        return None;
    }
    // It keeps the zeros at the end, and refuses exponents and digits that it cannot hold.
    if let Ok(exact) = Exact::from_str_exact(text) {
        return Some(exact);
    }
    let Shifted { digits, power } = shifted(text)?;
    match u32::try_from(power) {
        Ok(power) => Exact::try_from_i128_with_scale(digits.checked_mul(10_i128.checked_pow(power)?)?, 0).ok(),
        Err(_) => Exact::try_from_i128_with_scale(digits, u32::try_from(-power).ok()?).ok(),
    }
}

/// A whole number in the notation of JSON: `25`, `25.0` and `2.5e1` are the same one.
pub(crate) fn whole(text: &str) -> Option<i128> {
    if let Some(Short { digits, scale: 0 }) = short(text) {
        return Some(digits.into());
    }
    if !is_number(text) {
        return None;
    }
    if let Ok(whole) = text.parse() {
        return Some(whole);
    }
    let Shifted { digits, power } = shifted(text)?;
    digits.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?)
}

/// `digits / 10^scale`.
struct Short {
    digits: i64,
    scale: u32,
}

/// A number of at most 18 digits without an exponent, in one pass: what nearly all numbers of responses are. None of what is written
/// otherwise, which may be a number nevertheless.
fn short(text: &str) -> Option<Short> {
    const MOST: usize = 18;
    let (negative, number) = match text.as_bytes() {
        [b'-', number @ ..] => (true, number),
        number => (false, number),
    };
    if number.len() > MOST + 1 {
        return None;
    }
    // 19 digits may be more than there is room for: that is looked at below.
    let take = |from: usize, digits: i64| {
        let (mut at, mut digits) = (from, digits);
        while let Some(byte) = number.get(at) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            digits = digits.wrapping_mul(10).wrapping_add(i64::from(digit));
            at += 1;
        }
        (at, digits)
    };
    let (whole, digits) = take(0, 0);
    let (scale, digits) = match number.get(whole) {
        None => (0, digits),
        Some(b'.') => {
            let (end, digits) = take(whole + 1, digits);
            if end == whole + 1 || end < number.len() {
                return None;
            }
            (end - whole - 1, digits)
        }
        Some(_) => return None,
    };
    let is_number = whole > 0 && (whole == 1 || number[0] != b'0');
    // There is no negative zero among whole numbers; one with a point keeps its sign.
    if !is_number || whole + scale > MOST || (negative && digits == 0) {
        return None;
    }
    Some(Short { digits: if negative { -digits } else { digits }, scale: u32::try_from(scale).ok()? })
}

/// Whether a text is a number as JSON writes it.
pub(crate) fn is_number(text: &str) -> bool {
    /// What follows the digits at the beginning, of which there is at least one.
    fn after_digits(text: &[u8]) -> Option<&[u8]> {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then(|| &text[count..])
    }

    fn rest(text: &[u8]) -> Option<&[u8]> {
        let text = text.strip_prefix(b"-").unwrap_or(text);
        let mut rest = match text.strip_prefix(b"0") {
            Some(rest) => rest,
            None => after_digits(text)?,
        };
        if let Some(fraction) = rest.strip_prefix(b".") {
            rest = after_digits(fraction)?;
        }
        if let [b'e' | b'E', exponent @ ..] = rest {
            let exponent = exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+")).unwrap_or(exponent);
            rest = after_digits(exponent)?;
        }
        Some(rest)
    }

    rest(text.as_bytes()).is_some_and(<[u8]>::is_empty)
}

/// `digits * 10^power`, without zeros at the end of the digits.
struct Shifted {
    digits: i128,
    power: i128,
}

/// Takes a number apart. None where its digits are too many to matter.
fn shifted(text: &str) -> Option<Shifted> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let kept = all.trim_end_matches('0');
    if kept.trim_start_matches('-').is_empty() {
        return Some(Shifted { digits: 0, power: 0 });
    }
    let zeros = all.len() - kept.len();
    let exponent: i64 = exponent.parse().ok()?;
    // An `i128` holds the sum of an `i64` and two lengths.
    let power = i128::from(exponent) + i128::try_from(zeros).ok()? - i128::try_from(fraction.len()).ok()?;
    Some(Shifted { digits: kept.parse().ok()?, power })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REFUSED: [&str; 28] = [
        "", " ", "1_0", "5_0e-3", "+1", "+0.5", "00", "01", "-01", "007.5", ".5", "-.5", "5.", "5.e1", "-", "--1",
        "1e", "1e+", "1e1.5", "1e1_0", "0x10", "1,000", " 1", "1 ", "Infinity", "NaN", "١", "1.5.2",
    ];

    #[test]
    fn the_grammar_is_that_of_json() {
        for text in REFUSED {
            assert!(!is_number(text), "{text:?}");
            assert_eq!((exact(text), whole(text)), (None, None), "{text:?}");
        }
        for text in
            ["0", "-0", "10", "-1.50", "0.5", "5E-2", "5e+3", "1.5e03", "0e0", "100000000000000000000000000000000"]
        {
            assert!(is_number(text), "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_read_by_their_text() {
        for (text, number) in [
            ("25.0", 25),
            ("1e3", 1000),
            ("35.000", 35),
            ("-2.50E+1", -25),
            ("1200e-2", 12),
            ("0e-999999999999999999999999", 0),
            ("-0.0", 0),
            // As a 64-bit float the first is 9007199254740992.
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("9223372036854775807.00", i128::from(i64::MAX)),
            ("-9.223372036854775808e18", i128::from(i64::MIN)),
        ] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for text in [
            "25.5",
            "35.639422",
            "25.00000000000000001",
            "1e-1",
            "1e99",
            "1e9223372036854775807",
            "1e99999999999999999999",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_exact_is_held_however_it_is_written() {
        for (text, plain) in [
            ("-4.739622041017375e-07", "-0.0000004739622041017375"),
            ("1e3", "1000"),
            ("1.5E+2", "150"),
            ("12300e-2", "123"),
            ("0e-99", "0"),
            ("0.00000000000000000000000000000000000000000", "0"),
            ("1.50000000000000000000000000000000000000000", "1.5"),
            ("100000000000000000000000000000000000000e-38", "1"),
        ] {
            assert_eq!(exact(text), Some(plain.parse().unwrap()), "{text}");
        }
        for text in
            ["0.12345678901234567890123456789", "1e60", "1e-40", "1e-9223372036854775808", "1e9223372036854775807"]
        {
            assert_eq!(exact(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_long_one(text in "-?[0-9]{0,20}(\\.[0-9]{0,20})?") {
            if let Some(Short { digits, scale }) = short(&text) {
                prop_assert!(is_number(&text));
                let long = Exact::from_str_exact(&text).unwrap();
                prop_assert_eq!(Exact::new(digits, scale).to_string(), long.to_string());
            }
        }

        #[test]
        fn no_exponent_panics(digits in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?", exponent in any::<i128>(), small in -60_i64..60) {
            for text in [format!("{digits}e{exponent}"), format!("{digits}E{small}"), digits] {
                let (exact, whole) = (exact(&text), whole(&text));
                // The two readings agree.
                if let (Some(exact), Some(whole)) = (exact, whole) {
                    prop_assert_eq!(exact, Exact::try_from_i128_with_scale(whole, 0).unwrap());
                }
            }
        }

        #[test]
        fn the_grammar_agrees_with_serde_json(text in "[-+0-9.eE_ ]{0,12}") {
            let number = serde_json::from_str::<&serde_json::value::RawValue>(&text);
            prop_assert_eq!(is_number(&text), number.is_ok_and(|token| token.get() == text));
        }
    }
}
