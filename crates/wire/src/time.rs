//! Times, with their unit in the type.

use std::convert::Infallible;
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

macro_rules! unix_time {
    ($name:ident, $unit:literal, $per_second:literal) => {
        #[doc = concat!("A time as whole ", $unit, " since the Unix epoch.")]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// The system clock's time.
            pub fn now() -> Self {
                SystemTime::now().into()
            }

            /// The number itself.
            pub fn get(self) -> i64 {
                self.0
            }

            /// The same time as a [`SystemTime`], where that can hold it.
            pub fn to_system_time(self) -> Option<SystemTime> {
                const NANOS: u128 = 1_000_000_000;
                let nanos = u128::from(self.0.unsigned_abs()) * (NANOS / $per_second);
                let seconds = u64::try_from(nanos / NANOS).ok()?;
                let since = Duration::new(seconds, u32::try_from(nanos % NANOS).ok()?);
                if self.0 < 0 { UNIX_EPOCH.checked_sub(since) } else { UNIX_EPOCH.checked_add(since) }
            }
        }

        impl From<i64> for $name {
            fn from(units: i64) -> Self {
                Self(units)
            }
        }

        impl From<$name> for i64 {
            fn from(time: $name) -> Self {
                time.0
            }
        }

        impl From<SystemTime> for $name {
            fn from(time: SystemTime) -> Self {
                let whole = |since: Duration| {
                    let units = since.as_nanos() / (1_000_000_000 / $per_second);
                    i64::try_from(units).unwrap_or(i64::MAX)
                };
                Self(match time.duration_since(UNIX_EPOCH) {
                    Ok(since) => whole(since),
                    Err(before) => -whole(before.duration()),
                })
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unix_time!(UnixSeconds, "seconds", 1);
unix_time!(UnixMillis, "milliseconds", 1_000);
unix_time!(UnixMicros, "microseconds", 1_000_000);
unix_time!(UnixNanos, "nanoseconds", 1_000_000_000);

/// From this number on a time counts microseconds: in milliseconds it would be in the year 5138.
const MICROS_FROM: u64 = 100_000_000_000_000;

/// A time as whole milliseconds since the Unix epoch, or as microseconds, as the client asked the venue for it.
///
/// A number of 1e14 and above, or of -1e14 and below, counts microseconds. What the two forms have in common is the moment, so they are
/// compared by [`micros`](Self::micros).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillisOrMicros(i64);

impl UnixMillisOrMicros {
    /// The number as the venue wrote it.
    pub fn as_given(self) -> i64 {
        self.0
    }

    /// Whether the venue wrote microseconds.
    pub fn is_micros(self) -> bool {
        self.0.unsigned_abs() >= MICROS_FROM
    }

    /// The time in microseconds.
    pub fn micros(self) -> UnixMicros {
        // What counts milliseconds is small enough for this.
        UnixMicros(if self.is_micros() { self.0 } else { self.0 * 1000 })
    }

    /// The time in milliseconds, which cuts microseconds off.
    pub fn millis(self) -> UnixMillis {
        UnixMillis(if self.is_micros() { self.0.div_euclid(1000) } else { self.0 })
    }

    /// The same time as a [`SystemTime`], where that can hold it.
    pub fn to_system_time(self) -> Option<SystemTime> {
        self.micros().to_system_time()
    }
}

impl From<i64> for UnixMillisOrMicros {
    fn from(number: i64) -> Self {
        Self(number)
    }
}

impl From<UnixMillisOrMicros> for i64 {
    fn from(time: UnixMillisOrMicros) -> Self {
        time.0
    }
}

impl From<UnixMillis> for UnixMillisOrMicros {
    fn from(time: UnixMillis) -> Self {
        Self(time.0)
    }
}

impl From<UnixMicros> for UnixMillisOrMicros {
    fn from(time: UnixMicros) -> Self {
        Self(time.0)
    }
}

impl From<SystemTime> for UnixMillisOrMicros {
    fn from(time: SystemTime) -> Self {
        UnixMillis::from(time).into()
    }
}

impl FromStr for UnixMillisOrMicros {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for UnixMillisOrMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A time as text, by the venues' word RFC 3339.
///
/// The text is kept as it came: an empty or odd one does not fail the response it stands in, and parsing costs only those who
/// ask for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DateTime(String);

impl DateTime {
    /// The text as the venue wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The time, if the text is RFC 3339.
    pub fn parsed(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.0, &Rfc3339).ok()
    }

    /// The same in milliseconds, if the text is RFC 3339.
    pub fn millis(&self) -> Option<UnixMillis> {
        let nanos = self.parsed()?.unix_timestamp_nanos();
        i64::try_from(nanos.div_euclid(1_000_000)).ok().map(UnixMillis)
    }
}

impl From<String> for DateTime {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for DateTime {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl TryFrom<OffsetDateTime> for DateTime {
    type Error = time::error::Format;

    fn try_from(time: OffsetDateTime) -> Result<Self, Self::Error> {
        time.format(&Rfc3339).map(Self)
    }
}

impl FromStr for DateTime {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_agree_about_the_same_moment() {
        let moment = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        assert_eq!(UnixSeconds::from(moment).get(), 1_700_000_000);
        assert_eq!(UnixMillis::from(moment).get(), 1_700_000_000_123);
        assert_eq!(UnixMicros::from(moment).get(), 1_700_000_000_123_000);
        assert_eq!(UnixNanos::from(moment).get(), 1_700_000_000_123_000_000);
        assert_eq!(UnixMillis(1_700_000_000_123).to_system_time(), Some(moment));
        assert_eq!(UnixSeconds(-5).to_system_time(), UNIX_EPOCH.checked_sub(Duration::from_secs(5)));
    }

    #[test]
    fn extremes_neither_panic_nor_wrap() {
        for units in [i64::MIN, i64::MIN + 1, i64::MAX] {
            let text = units.to_string();
            assert_eq!(serde_json::from_str::<UnixSeconds>(&text).unwrap(), UnixSeconds(units));
            let _ = UnixSeconds(units).to_system_time();
            let _ = UnixNanos(units).to_system_time();
        }
    }

    #[test]
    fn milliseconds_and_microseconds_tell_the_same_moment() {
        let (millis, micros) =
            (UnixMillisOrMicros::from(1_700_000_000_123), UnixMillisOrMicros::from(1_700_000_000_123_456));
        assert!(!millis.is_micros() && micros.is_micros());
        assert_eq!((millis.as_given(), micros.as_given()), (1_700_000_000_123, 1_700_000_000_123_456));
        assert_eq!((millis.millis(), micros.millis()), (UnixMillis(1_700_000_000_123), UnixMillis(1_700_000_000_123)));
        assert_eq!(millis.micros(), UnixMicros(1_700_000_000_123_000));
        assert_eq!(micros.micros(), UnixMicros(1_700_000_000_123_456));
        assert_eq!(UnixMillisOrMicros::from(99_999_999_999_999).micros(), UnixMicros(99_999_999_999_999_000));
        assert_eq!(UnixMillisOrMicros::from(-1_500_000_000_000_001).millis(), UnixMillis(-1_500_000_000_001));
        for extreme in [i64::MIN, i64::MAX] {
            let time: UnixMillisOrMicros = serde_json::from_str(&extreme.to_string()).unwrap();
            assert_eq!((time.as_given(), time.micros()), (extreme, UnixMicros(extreme)));
        }
    }

    #[test]
    fn odd_texts_are_kept() {
        for text in ["", "tomorrow", "2026-02-17T10:30:00Z", "2026-02-17T10:30:00.123456+01:00"] {
            let time: DateTime = serde_json::from_value(text.into()).unwrap();
            assert_eq!(time.as_str(), text);
            assert_eq!(time.parsed().is_some(), text.starts_with("2026"));
        }
    }
}
