//! Values of price indices, generated: they swing a little around a price, by the time alone.

use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::channels::{Filter, Indices};
use super::connections::{Connection, Streams};
use super::send::Data;

const WINDOW_MILLIS: i64 = 60_000;
/// The swing takes this many seconds.
const PERIOD: i64 = 40;

fn price(index: &str) -> Decimal {
    match index {
        "BRTI" => dec!(91250),
        "ETHUSD_RTI" => dec!(2840),
        "SOLUSD_RTI" => dec!(134.2),
        "XRPUSD_RTI" => dec!(2.1),
        "DOGEUSD_RTI" => dec!(0.15),
        "Metal.XAU/USD" => dec!(4160),
        "Metal.XAG/USD" => dec!(51.3),
        _ => dec!(1.16),
    }
}

fn value(index: &str, millis: i64) -> Decimal {
    let place = (millis / 1000).rem_euclid(PERIOD);
    let swing = (place - PERIOD / 2).abs() - PERIOD / 4;
    price(index) * (Decimal::ONE + Decimal::new(swing, 4))
}

fn message(kind: &str, indices: &Indices, index: &str, now: i64) -> Value {
    let text = format!("{:.8}", value(index, now));
    let mut json = json!({indices.id: index, "received_at": now});
    // What the seller of the index sent, as text.
    let raw = || json!({"type": "value", "id": index, "value": text, "time": now}).to_string();
    match kind {
        "cfbenchmarks_value" => {
            let start = now - now.rem_euclid(WINDOW_MILLIS);
            json["data"] = raw().into();
            json["avg_60s_data"] = json!({
                "value": text,
                "window_size": 60,
                "window_start_ts_ms": start,
                "window_end_ts_exclusive": start + WINDOW_MILLIS,
            });
        }
        "cfbenchmarks_value_5hz" => {
            json["data"] = raw().into();
            json["value_usd"] = text.into();
            json["source_ts_ms"] = now.into();
        }
        _ => {
            json["value_usd"] = text.into();
            json["source_ts_ms"] = now.into();
        }
    }
    json
}

impl Streams {
    /// Sends the values that are due on a connection.
    pub(super) fn tell_indices(&self, connection: &mut Connection) {
        let now = Instant::now();
        let mut due: Vec<(&'static str, &'static Indices, Vec<&'static str>)> = Vec::new();
        for subscription in connection.subscriptions.values_mut() {
            let Filter::Indices(indices) = subscription.channel.filter else { continue };
            let Some(at) = subscription.next_value else { continue };
            let mut next = at;
            if at <= now {
                let names = indices.known.iter().copied().filter(|name| subscription.selection.has(name));
                due.push((subscription.channel.name, indices, names.collect()));
                next = now + Duration::from_millis(self.settings.index_millis.max(1) / indices.per_value);
                subscription.next_value = Some(next);
            }
            connection.outbox.tick_at(next);
        }
        let millis = self.clock.millis();
        for (channel, indices, names) in due {
            for name in names {
                let msg = message(channel, indices, name, millis).to_string();
                self.writer().send(connection, channel, Data::new(channel, Some(&Arc::from(name)), &msg));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_swings_around_its_price() {
        let values: Vec<Decimal> = (0..PERIOD).map(|second| value("BRTI", second * 1000)).collect();
        let (low, high) = (values.iter().min().unwrap(), values.iter().max().unwrap());
        assert!(*low < price("BRTI") && *high > price("BRTI"));
        assert_eq!(values[0], value("BRTI", PERIOD * 1000));
    }
}
