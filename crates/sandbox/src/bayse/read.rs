//! Reads bodies and pages.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::Refusal;
use crate::message::Request;

pub(super) fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    let mut deserializer = serde_json::Deserializer::from_slice(&request.body);
    let value = serde_path_to_error::deserialize(&mut deserializer);
    let value: T = value.map_err(|error| Refusal::bad_request(&error.to_string()))?;
    deserializer.end().map_err(|error| Refusal::bad_request(&error.to_string()))?;
    Ok(value)
}

/// A string that is there and not blank.
pub(super) fn required<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str, Refusal> {
    value.filter(|value| !value.trim().is_empty()).ok_or_else(|| Refusal::invalid(&format!("{name} is required")))
}

/// Where in a list a page stands.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pagination {
    page: usize,
    size: usize,
    last_page: usize,
    total_count: usize,
}

/// One page of a list, as `page` and `size` ask for it.
pub(super) fn page<T>(request: &Request, items: Vec<T>) -> Result<(Vec<T>, Pagination), Refusal> {
    let number = |name: &str, default: usize| match request.query_value(name) {
        None => Ok(default),
        Some(text) => {
            let number = text.parse().ok().filter(|number| *number >= 1);
            number.ok_or_else(|| Refusal::invalid(&format!("{name} must be a number of at least 1")))
        }
    };
    let (page, size) = (number("page", 1)?, number("size", 20)?.min(100));
    let total_count = items.len();
    let pagination = Pagination { page, size, last_page: total_count.div_ceil(size).max(1), total_count };
    Ok((items.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect(), pagination))
}
