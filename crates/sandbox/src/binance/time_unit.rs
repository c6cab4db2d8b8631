//! The unit of the times in responses: milliseconds, or microseconds where the caller asks for them.

use serde_json::Value;

use super::reply::Refusal;
use crate::message::Request;

pub(super) const HEADER: &str = "X-MBX-TIME-UNIT";

/// The members of responses that are times.
const TIMES: [&str; 12] = [
    "serverTime",
    "time",
    "updateTime",
    "workingTime",
    "transactTime",
    "openTime",
    "closeTime",
    "transactionTime",
    "trailingTime",
    "T",
    "authorizedSince",
    "connectedSince",
];

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum TimeUnit {
    #[default]
    Milli,
    Micro,
}

impl TimeUnit {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "MILLISECOND" => Some(Self::Milli),
            "MICROSECOND" => Some(Self::Micro),
            _ => None,
        }
    }

    /// A time in milliseconds in this unit.
    pub(super) fn show(self, millis: i64) -> i64 {
        match self {
            Self::Milli => millis,
            Self::Micro => millis * 1000,
        }
    }

    /// Writes the times of a response in this unit.
    pub(super) fn apply(self, value: &mut Value) {
        if self == Self::Micro {
            to_micros(value);
        }
    }
}

/// The unit that a request asks for.
pub(super) fn of(request: &Request) -> Result<TimeUnit, Refusal> {
    match request.header(HEADER) {
        None => Ok(TimeUnit::Milli),
        Some(name) => TimeUnit::named(name).ok_or_else(|| Refusal::invalid(HEADER)),
    }
}

fn to_micros(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_i64().filter(|time| *time > 0) {
                    Some(time) if TIMES.contains(&name.as_str()) => *member = (time * 1000).into(),
                    _ => to_micros(member),
                }
            }
        }
        // A candle is a list of twelve: it begins and ends at a time.
        Value::Array(items) if items.len() == 12 && items[0].is_i64() && items[6].is_i64() => {
            let begin = items[0].as_i64().unwrap_or_default();
            let end = items[6].as_i64().unwrap_or_default();
            items[0] = (begin * 1000).into();
            // The last moment before the next one.
            items[6] = ((end + 1) * 1000 - 1).into();
        }
        Value::Array(items) => items.iter_mut().for_each(to_micros),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_written_in_microseconds() {
        let mut value = json!({"time": 5, "workingTime": -1, "orderId": 5, "list": [{"updateTime": 7}]});
        TimeUnit::Micro.apply(&mut value);
        assert_eq!(value, json!({"time": 5000, "workingTime": -1, "orderId": 5, "list": [{"updateTime": 7000}]}));
        let mut candle = json!([[60_000, "1", "1", "1", "1", "1", 119_999, "1", 1, "1", "1", "0"]]);
        TimeUnit::Micro.apply(&mut candle);
        assert_eq!((&candle[0][0], &candle[0][6]), (&json!(60_000_000), &json!(119_999_999)));
        let mut same = json!({"time": 5});
        TimeUnit::Milli.apply(&mut same);
        assert_eq!(same, json!({"time": 5}));
    }
}
