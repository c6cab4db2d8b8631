//! Example requests with values that this sandbox knows, so that "try it" finds something.

use serde_json::{Map, Value, json};

use crate::exchange::Side;
use crate::spec::example_requests;
use crate::venues::{Venue, Venues};

/// Optional members that an order needs nevertheless, by operation.
const NEEDED: [(&str, &[&str]); 4] = [
    ("newOrder", &["price", "quantity", "timeInForce"]),
    ("placeOrder", &["price"]),
    ("private/buy", &["amount", "price", "type"]),
    ("private/sell", &["amount", "price", "type"]),
];

/// An example of each operation of a venue, by operation.
pub(super) fn examples(venues: &Venues, venue: &str) -> Value {
    let known = known_values(venues, venue);
    let mut all = Map::new();
    for (request, full) in example_requests(venue, false).into_iter().zip(example_requests(venue, true)) {
        let pairs = |pairs: &[(String, String)]| -> Vec<(String, String)> {
            let value = |name: &str, value: &str| known_text(&known, name).unwrap_or_else(|| value.to_owned());
            pairs.iter().map(|(name, text)| (name.clone(), value(name, text))).collect()
        };
        let mut body = request.body.clone();
        if let Some(body) = &mut body {
            let needed = NEEDED.iter().filter(|(operation, _)| *operation == request.operation);
            for name in needed.flat_map(|(_, names)| *names) {
                body[*name] = known.get(*name).cloned().unwrap_or_default();
            }
            fill(body, &known);
        }
        let example = json!({
            "path": pairs(&request.path), "query": pairs(&request.query), "headers": pairs(&request.headers),
            "body": body, "full_body": full.body,
        });
        all.insert(request.operation, example);
    }
    all.into()
}

/// Values that exist at a venue, by the names that parameters and members have.
fn known_values(venues: &Venues, venue: &str) -> Map<String, Value> {
    let known = |value: Value| value.as_object().cloned().unwrap_or_default();
    let market = || Venue::named(venue).and_then(|venue| venues.overview(venue).markets.into_iter().next());
    let Some(named) = Venue::named(venue) else { return Map::new() };
    match named {
        Venue::Kalshi | Venue::KalshiPerps => {
            let Some(market) = market() else { return Map::new() };
            let event = market.id.rsplit_once('-').map_or(market.id.as_str(), |(event, _)| event).to_owned();
            let series = market.id.split('-').next().unwrap_or_default().to_owned();
            let price = if named == Venue::Kalshi { "0.5000" } else { market.bid.as_deref().unwrap_or("1.0000") };
            known(json!({
                "ticker": market.id, "tickers": market.id, "market_ticker": market.id, "market_tickers": market.id,
                "event_ticker": event, "series_ticker": series, "price": price, "count": "1.00",
                "side": Side::Bid.name(), "time_in_force": "good_till_canceled", "client_order_id": crate::make::uuid(),
            }))
        }
        Venue::Binance => known(json!({
            "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001",
            "price": "50000.00", "interval": "1h", "asset": "USDT", "coin": "USDT",
            "newClientOrderId": crate::make::uuid(),
        })),
        Venue::Bybit => known(json!({
            "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001",
            "price": "90000", "interval": "60", "accountType": "UNIFIED", "coin": "USDT", "baseCoin": "BTC",
            "settleCoin": "USDT", "timeInForce": "GTC", "orderLinkId": crate::make::uuid(),
        })),
        Venue::Deribit => known(json!({
            "instrument_name": "BTC-PERPETUAL", "currency": "BTC", "amount": 10, "price": 20000, "kind": "future",
            "type": "limit", "index_name": "btc_usd",
        })),
        Venue::Bayse => venues
            .bayse
            .first_market()
            .map(|(event, market, outcome)| {
                known(json!({"eventId": event, "marketId": market, "outcomeId": outcome, "amount": 10, "price": 0.5}))
            })
            .unwrap_or_default(),
        Venue::Yativo => Map::new(),
    }
}

fn known_text(known: &Map<String, Value>, name: &str) -> Option<String> {
    known.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// Puts known values where a member of the same name and type is.
fn fill(value: &mut Value, known: &Map<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let same =
                    |other: &&Value| other.is_string() && member.is_string() || other.is_number() && member.is_number();
                match known.get(name).filter(same) {
                    Some(other) => *member = other.clone(),
                    None => fill(member, known),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, known)),
        _ => {}
    }
}
