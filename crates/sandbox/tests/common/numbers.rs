//! Numbers of responses without loss, and lists.

#![allow(dead_code, reason = "each test binary uses its part")]

use rust_decimal::Decimal;
use serde_json::Value;

/// A number as it is written, a text that holds one included; nothing counts as 0.
pub fn dec(value: &Value) -> Decimal {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.as_str() {
        "null" => Decimal::ZERO,
        text if text.contains(['e', 'E']) => Decimal::from_scientific(text).unwrap(),
        text => text.parse().unwrap(),
    }
}

/// A decimal as a JSON number.
pub fn number(value: Decimal) -> Value {
    serde_json::from_str(&value.normalize().to_string()).unwrap()
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
