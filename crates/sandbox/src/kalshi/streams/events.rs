//! Events other than trading: order groups, requests for quotes, the life cycle of markets, and events that a test sends.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::channels::{Channel, Endpoint, Filter};
use super::connections::{Connection, Event, Streams};
use super::send::Data;
use crate::exchange::Owner;
use crate::kalshi::groups::GroupEvent;
use crate::kalshi::markets::Market;
use crate::kalshi::read::{count, dollars};
use crate::kalshi::state::State;

/// What is sent about a request, and which member of what it shows that is.
const OF_REQUEST: &[(&str, &str)] = &[
    ("id", "id"),
    ("creator_id", "creator_id"),
    ("market_ticker", "market_ticker"),
    ("contracts_fp", "contracts_fp"),
    ("target_cost_dollars", "target_cost_dollars"),
];
/// The same of a quote.
const OF_QUOTE: &[(&str, &str)] = &[
    ("quote_id", "id"),
    ("rfq_id", "rfq_id"),
    ("quote_creator_id", "creator_id"),
    ("rfq_creator_id", "rfq_creator_id"),
    ("market_ticker", "market_ticker"),
];

impl State {
    /// Sends what has become of order groups on both exchanges.
    pub(super) fn note_groups(&mut self, now: i64) {
        for (endpoint, happened) in
            [(Endpoint::Events, self.groups.take_events()), (Endpoint::Perps, self.perps.groups.take_events())]
        {
            for GroupEvent { owner, id, kind, limit } in happened {
                let mut data = json!({"event_type": kind, "order_group_id": id, "ts_ms": now});
                if let Some(limit) = limit {
                    data["contracts_limit_fp"] = count(limit).into();
                }
                let channel = "order_group_updates";
                self.feeds
                    .tell_event(endpoint, &Event { channel, kind: channel, owners: vec![owner], item: None, data });
            }
        }
    }
}

impl Event {
    /// What becomes of a request for quotes, or of a quote, with some members of what it shows.
    pub(in crate::kalshi) fn of_quotes(kind: &'static str, owners: Vec<Owner>, shown: &Value, more: Value) -> Self {
        let members: &[(&str, &str)] = if kind.starts_with("rfq_") { OF_REQUEST } else { OF_QUOTE };
        let known = members.iter().filter_map(|(name, member)| Some((*name, shown.get(member)?.clone())));
        let mut data: Value = known.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into();
        if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
            data.extend(more);
        }
        let item = data["market_ticker"].as_str().map(str::to_owned);
        Self { channel: "communications", kind, owners, item, data }
    }

    /// What a market has come to.
    pub(in crate::kalshi) fn of_market(market: &Market, event_type: &str, time: i64) -> Self {
        let mut data = json!({"market_ticker": market.ticker, "event_type": event_type, "exchange_index": 0});
        let more = match event_type {
            "activated" => json!({"open_ts": market.times.open / 1000, "close_ts": market.times.close / 1000}),
            "determined" => json!({
                "determination_ts": time / 1000,
                "result": if market.yes_won { "yes" } else { "no" },
                "settlement_value": dollars(market.settlement_value()),
            }),
            _ => json!({"settled_ts": time / 1000}),
        };
        if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
            data.extend(more);
        }
        let channel = "market_lifecycle_v2";
        Self { channel, kind: channel, owners: Vec::new(), item: Some(market.ticker.clone()), data }
    }
}

impl Streams {
    /// Sends an event to those who may receive it. Returns how many those are.
    pub(super) fn tell_event(&mut self, endpoint: Endpoint, event: &Event) -> usize {
        let Some(channel) = endpoint.channel(event.channel) else { return 0 };
        let mut connections = std::mem::take(&mut self.connections);
        let mut count = 0;
        for connection in connections.values_mut().filter(|connection| connection.endpoint == endpoint) {
            if !lets_in(connection, channel, event) {
                continue;
            }
            let item: Option<Arc<str>> = event.item.as_deref().map(Arc::from);
            let msg = event.data.to_string();
            self.writer().send(connection, channel.name, Data::new(event.kind, item.as_ref(), &msg));
            count += 1;
        }
        self.connections = connections;
        count
    }

    /// Sends what a test says, to all whose subscriptions let it in.
    pub(super) fn notify(&mut self, endpoint: Endpoint, channel: &str, kind: &str, data: &Value) -> usize {
        let Some(channel) = endpoint.channel(channel) else { return 0 };
        let member = match channel.filter {
            Filter::Indices(indices) => indices.id,
            _ => "market_ticker",
        };
        let nested = data["corporate_action"][member].as_str();
        let item: Option<Arc<str>> =
            data[member].as_str().or_else(|| data["ticker"].as_str()).or(nested).map(Arc::from);
        let mut connections = std::mem::take(&mut self.connections);
        let mut count = 0;
        for connection in connections.values_mut().filter(|connection| connection.endpoint == endpoint) {
            let Some(subscription) = connection.subscriptions.get(channel.name) else { continue };
            if item.as_ref().is_some_and(|item| !subscription.selection.has(item)) {
                continue;
            }
            self.writer().send(connection, channel.name, Data::new(kind, item.as_ref(), &data.to_string()));
            count += 1;
        }
        self.connections = connections;
        count
    }
}

fn lets_in(connection: &Connection, channel: &Channel, event: &Event) -> bool {
    let Some(subscription) = connection.subscriptions.get(channel.name) else { return false };
    let is_of_account = |owner: Owner| connection.sees(owner);
    let is_for_account = event.owners.is_empty() || event.owners.iter().any(|owner| is_of_account(*owner));
    let item = event.item.as_deref();
    match channel.filter {
        // Everybody's requests are sent unless only own ones are wanted; quotes have an owner.
        Filter::Quotes => {
            let is_own = event.owners.iter().any(|owner| is_of_account(*owner));
            let is_public = event.kind.starts_with("rfq_");
            (is_own || is_public && !subscription.quotes.own) && item.is_none_or(|item| subscription.quotes.has(item))
        }
        _ => is_for_account && item.is_none_or(|item| subscription.selection.has(item)),
    }
}
