//! Numbers of the command line, in one grammar: as JSON writes whole ones.

use serde_json::Number;

/// A hundred years.
const MOST_DAYS: u64 = 36_500;

/// A day.
const MOST_SECONDS: u64 = 86_400;

/// A file descriptor.
pub fn descriptor(text: &str) -> Result<u32, String> {
    within(text, 0, u64::from(u32::MAX) / 2)
}

/// A port; 0 stands for a free one.
pub fn port(text: &str) -> Result<u16, String> {
    within(text, 0, u64::from(u16::MAX))
}

/// A span of days.
pub fn days(text: &str) -> Result<i64, String> {
    within(text, 0, MOST_DAYS)
}

/// A span of seconds that is not empty.
pub fn seconds(text: &str) -> Result<u64, String> {
    within(text, 1, MOST_SECONDS)
}

/// A moment in milliseconds since 1970.
pub fn millis(text: &str) -> Result<i64, String> {
    let number = text.parse::<Number>().ok().and_then(|number| number.as_i64());
    number.ok_or_else(|| "it is not a whole number, such as 1790000000000".to_owned())
}

fn within<T: TryFrom<u64>>(text: &str, least: u64, most: u64) -> Result<T, String> {
    let number = text.parse::<Number>().ok().and_then(|number| number.as_u64());
    let number = number.filter(|number| (least..=most).contains(number)).and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("it is not a whole number from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_one_grammar() {
        assert_eq!((seconds("30"), days("0"), port("65535"), descriptor("3")), (Ok(30), Ok(0), Ok(65535), Ok(3)));
        assert_eq!(millis("-5"), Ok(-5));
        for text in ["+5", "1_0", "1e3", "05", " 5", "5 ", "", "-1", "5.0", "0x5", "99999999999999999999"] {
            assert!(seconds(text).is_err() && days(text).is_err() && port(text).is_err(), "{text}");
            assert!(descriptor(text).is_err() && (text == "-1" || millis(text).is_err()), "{text}");
        }
        assert_eq!(port("65536"), Err("it is not a whole number from 0 to 65535".to_owned()));
        assert!(seconds("0").is_err() && seconds("86401").is_err());
    }
}
