//! Reads parameters out of queries, forms and the params of the WebSocket API.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::reply::Refusal;
use crate::message::Request;
use crate::number;

/// Timestamps from this one on are in microseconds.
const FIRST_MICROS: i64 = 100_000_000_000_000;
pub(super) const SYMBOL_RANGE: &str = r"^[\w\-._&&[^a-z]]{1,50}$";
const ID_RANGE: &str = r"^[\.A-Z\:/a-z0-9_-]{1,36}$";
const NUMBER_RANGE: &str = r"^([0-9]{1,20})(\.[0-9]{1,20})?$";
const INTEGER_RANGE: &str = r"^[0-9]{1,20}$";

/// What an operation was given, as texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Given(Vec<(String, String)>);

impl Given {
    /// The parameters of a request: those of its query, and those of its form that the query does not have.
    pub(super) fn of(request: &Request) -> Result<Self, Refusal> {
        let mut seen = BTreeSet::new();
        for half in [request.query_pairs(), request.form_pairs()] {
            seen.clear();
            if half.iter().any(|(name, _)| !seen.insert(name.clone())) {
                return Err(Refusal::new(-1101, "Duplicate values for a parameter detected."));
            }
        }
        let pairs = request.pairs();
        match pairs.iter().find(|(name, value)| value.is_empty() && !is_credential(name)) {
            Some((name, _)) => Err(Refusal::empty(name)),
            None => Ok(Self(pairs)),
        }
    }

    /// The params of a call of the WebSocket API. Lists are JSON text then, as they are in a query.
    pub(super) fn from_params(params: &Map<String, Value>) -> Result<Self, Refusal> {
        let text = |(name, value): (&String, &Value)| match value {
            Value::String(text) if text.is_empty() && !is_credential(name) => Err(Refusal::empty(name)),
            Value::String(text) => Ok((name.clone(), text.clone())),
            Value::Null => Err(Refusal::empty(name)),
            other => Ok((name.clone(), other.to_string())),
        };
        params.iter().map(text).collect::<Result<_, _>>().map(Self)
    }

    /// Adds a parameter that the caller named otherwise.
    pub(super) fn add(&mut self, name: String, value: &str) {
        self.0.push((name, value.to_owned()));
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| Refusal::mandatory(name))
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::illegal(name, INTEGER_RANGE));
        }
        text.parse().map(Some).map_err(|_| Refusal::illegal(name, INTEGER_RANGE))
    }

    /// A decimal number without sign and exponent.
    pub(super) fn decimal(&self, name: &str) -> Result<Option<Decimal>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && text.starts_with(|first: char| first.is_ascii_digit())
            && text.ends_with(|last: char| last.is_ascii_digit());
        let number = if is_plain { number::parse(text) } else { None };
        number.map(Some).ok_or_else(|| Refusal::illegal(name, NUMBER_RANGE))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Refusal::invalid(name)),
        }
    }

    /// A time in milliseconds, sent in milliseconds or in microseconds.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Refusal> {
        Ok(self.integer(name)?.map(in_millis))
    }

    /// An id that a client gives an order.
    pub(super) fn client_id(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".:/_-".contains(&byte);
        if text.len() > 36 || !text.bytes().all(fits) {
            return Err(Refusal::illegal(name, ID_RANGE));
        }
        Ok(Some(text.to_owned()))
    }

    /// A list as JSON text.
    pub(super) fn list(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let list = serde_json::from_str::<Vec<String>>(text);
        list.map(Some).map_err(|_| {
            Refusal::illegal(name, r#"^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$"#)
        })
    }

    /// The number of items that are wanted: `usual` by default, and at most `most`.
    pub(super) fn limit(&self, name: &str, usual: usize, most: usize) -> Result<usize, Refusal> {
        match self.integer(name)? {
            None => Ok(usual),
            Some(0) => Err(Refusal::invalid(name)),
            Some(count) => Ok(usize::try_from(count).map_or(most, |count| count.min(most))),
        }
    }

    /// How many items a page skips, and how many it may have. `sizes` are the default and the maximum.
    pub(super) fn page(&self, page: &str, size: &str, sizes: (usize, usize)) -> Result<(usize, usize), Refusal> {
        let (usual, most) = sizes;
        let (page, size) = (self.integer(page)?.unwrap_or(1).max(1), self.limit(size, usual, most)?);
        Ok((usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(size), size))
    }

    /// The times from `startTime` to `endTime`.
    pub(super) fn span(&self) -> Result<(i64, i64), Refusal> {
        let (start, end) = (self.time("startTime")?, self.time("endTime")?);
        let (start, end) = (start.unwrap_or(0), end.unwrap_or(i64::MAX));
        if start > end { Err(Refusal::new(-1127, "Start time is greater than end time.")) } else { Ok((start, end)) }
    }

    /// The parameters without the credentials.
    pub(super) fn without_credentials(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter().filter(|(name, _)| !is_credential(name));
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The first items of a list, or the last ones where the call names no start.
pub(super) fn part<T>(all: &[T], limit: usize, from_start: bool) -> impl Iterator<Item = &T> {
    let skipped = if from_start { 0 } else { all.len().saturating_sub(limit) };
    all.iter().skip(skipped).take(limit)
}

fn is_credential(name: &str) -> bool {
    matches!(name, "signature" | "timestamp" | "recvWindow" | "apiKey")
}

/// A time in milliseconds, whatever it was sent in.
pub(super) fn in_millis(time: i64) -> i64 {
    if time >= FIRST_MICROS { time / 1000 } else { time }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;

    fn given(query: &str, form: &str) -> Result<Given, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        let body = Bytes::copy_from_slice(form.as_bytes());
        let query = Some(query.to_owned());
        Given::of(&Request { method: Method::POST, path: "/".to_owned(), query, headers, body })
    }

    #[test]
    fn the_query_wins_and_nothing_is_empty() {
        let both = given("a=1&b=2", "b=3&c=%5B%22x%22%5D").unwrap();
        assert_eq!((both.text("a"), both.text("b"), both.text("d")), (Some("1"), Some("2"), None));
        assert_eq!(both.list("c").unwrap().unwrap(), ["x"]);
        assert_eq!(given("a=", "").unwrap_err().code, -1105);
        assert_eq!(given("a=1&a=2", "").unwrap_err().code, -1101);
        assert!(given("a=1", "a=2").is_ok(), "once in each is no duplicate");
    }

    #[test]
    fn numbers_have_no_sign_and_no_exponent() {
        let one = |text: &str| given(&format!("p={text}"), "").unwrap().decimal("p");
        assert_eq!(one("0.10").unwrap(), number::parse("0.1"));
        for wrong in ["1e-05", "-1", "1.", ".5", "%2B1", "x", "1.2.3"] {
            assert_eq!(one(wrong).unwrap_err().code, -1100, "{wrong}");
        }
    }

    #[test]
    fn a_time_is_in_either_unit() {
        assert_eq!(in_millis(1_700_000_000_123), 1_700_000_000_123);
        assert_eq!(in_millis(1_700_000_000_123_456), 1_700_000_000_123);
    }
}
