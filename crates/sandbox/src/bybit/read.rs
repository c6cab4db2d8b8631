//! Reads values out of queries and bodies, and pages out of lists.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::category::Category;
use super::reply::Refusal;
use crate::message::Request;
use crate::number;
use crate::paging::page_after;

/// What an operation was given: the query of a GET, the body of a POST.
pub(super) struct Given(Map<String, Value>);

impl Given {
    pub(super) fn of(request: &Request) -> Result<Self, Refusal> {
        if request.method == http::Method::GET {
            let pairs = request.query_pairs().into_iter().filter(|(_, value)| !value.is_empty());
            return Ok(Self(pairs.map(|(name, value)| (name, Value::from(value))).collect()));
        }
        if request.body.is_empty() {
            return Ok(Self(Map::new()));
        }
        let body = serde_json::from_slice(&request.body).map_err(|_| Refusal::params("body: is not JSON"))?;
        Self::from(body)
    }

    pub(super) fn from(value: Value) -> Result<Self, Refusal> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(Refusal::params("body: must be an object")),
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text that is there and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| Refusal::params(format!("{name} is required")))
    }

    /// A number, written as one or as a text.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let wrong = || Refusal::params(format!("{name} must be an integer"));
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| wrong()),
            Some(value) => value.as_i64().map(Some).ok_or_else(wrong),
        }
    }

    /// A decimal number as text. A JSON number is refused, as the venue does.
    pub(super) fn decimal(&self, name: &str) -> Result<Option<Decimal>, Refusal> {
        let wrong = || Refusal::params(format!("{name} must be a decimal number as text"));
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => number::parse(text).map(Some).ok_or_else(wrong),
            Some(_) => Err(wrong()),
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Whether a parameter asks for anything: it is not left out, empty, zero or `false`.
    pub(super) fn asks_for(&self, name: &str) -> bool {
        match self.value(name) {
            None | Some(Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty() && number::parse(text).is_none_or(|number| !number.is_zero()),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(_) => true,
        }
    }

    pub(super) fn category(&self) -> Result<Category, Refusal> {
        let name = self.required("category")?;
        Category::named(name).ok_or_else(|| Refusal::params("category is invalid"))
    }

    /// The items of a batch, each an object.
    pub(super) fn items(&self, name: &str) -> Result<Vec<Self>, Refusal> {
        let items = self.value(name).and_then(Value::as_array);
        let items = items.ok_or_else(|| Refusal::params(format!("{name} is required")))?;
        items.iter().map(|item| Self::from(item.clone())).collect()
    }

    /// The same values with another category.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Whether a time in milliseconds lies between `startTime` and `endTime`.
    pub(super) fn spans(&self, time: i64) -> Result<bool, Refusal> {
        let (start, end) = (self.integer("startTime")?, self.integer("endTime")?);
        Ok(start.is_none_or(|start| time >= start) && end.is_none_or(|end| time <= end))
    }

    /// Whether a filter lets a value in; one that is absent lets in all.
    pub(super) fn lets_in(&self, name: &str, value: &str) -> bool {
        self.text(name).is_none_or(|wanted| wanted == value)
    }

    /// One page of a list whose items have rising keys, and the cursor of the next one: empty on the last.
    pub(super) fn page<T>(
        &self,
        items: impl Iterator<Item = (i64, T)>,
        usual: usize,
        most: usize,
    ) -> Result<(Vec<T>, String), Refusal> {
        let wrong = || Refusal::params("limit is invalid");
        let size = match self.integer("limit")? {
            None => usual,
            Some(size) => usize::try_from(size).ok().filter(|size| *size > 0).ok_or_else(wrong)?.min(most),
        };
        let after = self.text("cursor").map(last_of).map(|key| key.ok_or_else(|| Refusal::params("cursor is invalid")));
        let (page, last) = page_after(items, after.transpose()?.as_ref(), size);
        Ok((page, last.map(|key| format!("after%3A{key}")).unwrap_or_default()))
    }
}

/// The key of the last item before a cursor. Some clients encode the percent sign that a cursor holds, and some do not.
fn last_of(cursor: &str) -> Option<i64> {
    let number = cursor.strip_prefix("after:").or_else(|| cursor.strip_prefix("after%3A"))?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_ends_with_an_empty_cursor() {
        let mut cursor = String::new();
        let mut seen = Vec::new();
        loop {
            let given = Given::from(json!({"limit": "2", "cursor": cursor})).unwrap();
            let (page, next) = given.page((0..5).map(|item| (item, item)), 50, 50).unwrap();
            seen.push(page);
            if next.is_empty() {
                break;
            }
            // As it is decoded from a query, encoded or not.
            cursor = if seen.len() == 1 { next.replace("%3A", ":") } else { next };
        }
        assert_eq!(seen, [vec![0, 1], vec![2, 3], vec![4]]);
        for wrong in [json!({"limit": 0}), json!({"limit": "x"}), json!({"cursor": "5"})] {
            assert!(Given::from(wrong).unwrap().page((0..5).map(|item| (item, item)), 50, 50).is_err());
        }
    }
}
