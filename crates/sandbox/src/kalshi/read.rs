//! Reads bodies, query parameters and fixed-point text.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::de::DeserializeOwned;

use super::error::Refusal;
use crate::message::Request;
use crate::paging::page_after;

/// Reads a JSON body. Unknown fields are left alone, as the venue does.
pub(super) fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    let content_type = request.header("content-type").unwrap_or_default();
    if !content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::unreadable("invalid_content_type", "expected application/json"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(&request.body);
    let value: T = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Refusal::unreadable("bad_request", &format!("json: {error}")))?;
    deserializer.end().map_err(|error| Refusal::unreadable("bad_request", &format!("json: {error}")))?;
    Ok(value)
}

/// The query of one operation.
pub(super) struct Query<'a> {
    operation: &'a str,
    pairs: Vec<(String, String)>,
}

impl<'a> Query<'a> {
    pub(super) fn new(operation: &'a str, request: &Request) -> Self {
        Self { operation, pairs: request.query_pairs() }
    }

    /// A parameter that was given and is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(key, _)| key == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let parse = |text: &str| text.parse().map_err(|_| self.refuse(name, "number"));
        self.text(name).map(parse).transpose()
    }

    /// A parameter with a closed set of values.
    pub(super) fn one_of(&self, name: &str, allowed: &[&str]) -> Result<Option<&str>, Refusal> {
        match self.text(name) {
            Some(value) if !allowed.contains(&value) => Err(self.refuse(name, "oneof")),
            value => Ok(value),
        }
    }

    /// Whether a parameter with tickers divided by commas has one of them. One that was left out has all.
    pub(super) fn lists(&self, name: &str, ticker: &str) -> bool {
        self.text(name).is_none_or(|tickers| tickers.split(',').any(|one| one.trim() == ticker))
    }

    /// A parameter that is `true` or `false`; left out, it is `false`.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// How many items a page holds.
    fn limit(&self, usual: usize, most: usize) -> Result<usize, Refusal> {
        match self.integer("limit")? {
            None | Some(0) => Ok(usual),
            Some(limit) => match usize::try_from(limit) {
                Ok(limit) if limit <= most => Ok(limit),
                Ok(_) => Err(self.refuse("limit", "max")),
                Err(_) => Err(self.refuse("limit", "min")),
            },
        }
    }

    /// The key of the last item of the page before. A cursor that was not made here starts again, as the venue does.
    fn after<K: FromStr>(&self) -> Option<K> {
        let bytes = URL_SAFE_NO_PAD.decode(self.text("cursor")?).ok()?;
        std::str::from_utf8(&bytes).ok()?.strip_prefix("after:")?.parse().ok()
    }

    /// One page of a list whose items have rising keys, and the cursor of the next: empty on the last page. 100 items unless
    /// asked otherwise, 1000 at most.
    pub(super) fn page<K, T>(&self, items: impl Iterator<Item = (K, T)>) -> Result<(Vec<T>, String), Refusal>
    where
        K: Ord + Display + FromStr,
    {
        self.page_of(items, 100, 1000)
    }

    /// The same with another usual and another largest page.
    pub(super) fn page_of<K, T>(
        &self,
        items: impl Iterator<Item = (K, T)>,
        usual: usize,
        most: usize,
    ) -> Result<(Vec<T>, String), Refusal>
    where
        K: Ord + Display + FromStr,
    {
        let (page, last) = page_after(items, self.after().as_ref(), self.limit(usual, most)?);
        let cursor = last.map(|key| URL_SAFE_NO_PAD.encode(format!("after:{key}")));
        Ok((page, cursor.unwrap_or_default()))
    }

    pub(super) fn refuse(&self, name: &str, rule: &str) -> Refusal {
        Refusal::query(self.operation, name, &format!("the rule '{rule}' does not hold"))
    }
}

/// Fixed-point text with at most so many decimals, without a sign or an exponent.
pub(super) fn fixed_point(text: &str, decimals: u32) -> Option<Decimal> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value = Decimal::from_str(text).ok()?;
    (plain && value.normalize().scale() <= decimals).then_some(value)
}

/// Dollars as answers write them: four decimals, or as many more as there are.
pub(super) fn dollars(value: Decimal) -> String {
    let value = value.round_dp(8).normalize();
    let decimals = value.scale().max(4) as usize;
    format!("{value:.decimals$}")
}

/// A mean of dollars: six decimals at most.
pub(super) fn mean(value: Decimal) -> String {
    dollars(value.round_dp(6))
}

/// Whole cents; what is less than a cent is cut off.
pub(super) fn cents(amount: Decimal) -> i64 {
    (amount * Decimal::ONE_HUNDRED).trunc().to_i64().unwrap_or(i64::MAX)
}

/// Contracts as answers write them.
pub(super) fn count(value: Decimal) -> String {
    format!("{value:.2}")
}
