//! The endpoints of the console.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::response::Response;
use http::Method;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    assets, call, credentials, entries, events, json_response, masked_response, refusal, samples, text_response,
};
use crate::faults::Rule;
use crate::market_maker::MarketMakerSettings;
use crate::spec;
use crate::venues::{Venue, Venues, keeps_state};

/// The clock is shifted by at most a day.
const LARGEST_OFFSET: u64 = 86_400_000;
/// So many rules may be in force.
const MOST_RULES: usize = 100;

/// Answers a request that was let in.
pub(super) async fn answer(
    venues: &Arc<Venues>,
    address: SocketAddr,
    path: &str,
    parts: &Parts,
    body: &[u8],
) -> Response {
    let Some(endpoint) = path.strip_prefix("api/") else {
        let file = assets::find(path).filter(|_| parts.method == Method::GET);
        return file.unwrap_or_else(|| refusal(404, "there is no such page"));
    };
    let query = |name: &str| {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned();
        pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
    };
    let (name, rest) = endpoint.split_once('/').unwrap_or((endpoint, ""));
    match (parts.method.as_str(), name, rest) {
        ("GET", "events", "") => {
            // A browser that reconnects sends the id of the last event; its query is still the one of the first connection.
            let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
            events::stream(venues, last.or_else(|| query("since").parse().ok()).unwrap_or_default())
        }
        ("GET", "log", "") => {
            let (all, version) = venues.requests.since(query("since").parse().unwrap_or_default());
            let entries: Vec<Value> = all.iter().map(|entry| entries::summary(venues, entry)).collect();
            json_response(200, &json!({"entries": entries, "version": version}))
        }
        ("GET", "log", id) => match id.parse().ok().and_then(|id| venues.requests.entry(id)) {
            Some(entry) => json_response(200, &entries::detail(venues, &entry)),
            None => refusal(404, "the log has no such entry"),
        },
        ("GET", "venues", "") => masked_response(venues, &venue_list(venues, address)),
        ("GET", "spec", venue) => match venuekit_spec::of(venue) {
            Some(spec) => text_response(200, "application/json", spec.document()),
            None => refusal(404, "there is no such venue"),
        },
        ("GET", "examples", venue) => masked_response(venues, &samples::examples(venues, venue)),
        ("GET", "state", "") => masked_response(venues, &state(venues)),
        ("GET", "market", venue) => match Venue::named(venue) {
            Some(venue) => match venues.market_view(venue, &query("id")) {
                Some(view) => json_response(200, &view),
                None => refusal(404, "the venue has no such market"),
            },
            None => refusal(404, "there is no such venue"),
        },
        ("POST", "call", "") => match read(body) {
            Ok(wanted) => call::send(venues, address, wanted).await,
            Err(response) => *response,
        },
        _ => change(venues, (parts.method.as_str(), name, rest), body),
    }
}

#[derive(Deserialize)]
struct Shift {
    offset_millis: i64,
}

#[derive(Deserialize)]
struct Revoke {
    venue: String,
    key: String,
}

/// Changes something.
fn change(venues: &Arc<Venues>, (method, name, rest): (&str, &str, &str), body: &[u8]) -> Response {
    let done = || json_response(200, &state(venues));
    match (method, name, rest) {
        ("POST", "faults", "") => match read::<Rule>(body) {
            Ok(_) if venues.faults.rules().len() >= MOST_RULES => {
                refusal(400, "there are too many fault rules already")
            }
            // A name that nothing has would never strike, and nobody would notice.
            Ok(rule) => match rule.resolve() {
                Ok(rules) => {
                    rules.into_iter().for_each(|rule| venues.faults.add(rule));
                    done()
                }
                Err(message) => refusal(400, message),
            },
            Err(response) => *response,
        },
        ("DELETE", "faults", "") => {
            venues.faults.clear();
            done()
        }
        ("DELETE", "faults", index) => match index.parse().is_ok_and(|index| venues.faults.remove(index)) {
            true => done(),
            false => refusal(404, "there is no such fault rule"),
        },
        ("POST", "clock", "") => match read::<Shift>(body) {
            Ok(Shift { offset_millis }) if offset_millis.unsigned_abs() <= LARGEST_OFFSET => {
                venues.clock.set_offset_millis(offset_millis);
                done()
            }
            Ok(_) => refusal(400, "invalid offset_millis: the clock is shifted by at most a day"),
            Err(response) => *response,
        },
        ("POST", "revoke", "") => match read::<Revoke>(body) {
            Ok(Revoke { venue, key }) => match Venue::named(&venue).is_some_and(|venue| venues.revoke(venue, &key)) {
                true => done(),
                false => refusal(404, "the venue has no such key"),
            },
            Err(response) => *response,
        },
        ("POST", "disconnect", "") => {
            venues.cut_connections();
            done()
        }
        ("POST", "market-maker", "") => match read::<Option<MarketMakerSettings>>(body) {
            Ok(settings) => match venues.market_maker.set(venues, settings) {
                Ok(()) => done(),
                Err(message) => refusal(400, message),
            },
            Err(response) => *response,
        },
        ("POST", "reset", "") => {
            venues.reset();
            done()
        }
        _ => refusal(404, "the console has no such endpoint"),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response>> {
    serde_json::from_slice(body).map_err(|error| Box::new(refusal(400, format!("invalid body: {error}"))))
}

/// What the page needs to know of each venue.
fn venue_list(venues: &Venues, address: SocketAddr) -> Value {
    let venue = |spec: &&'static spec::Spec| {
        let stateful: Vec<&str> =
            spec.operations().filter(|one| keeps_state(spec.venue, &one.id)).map(|one| one.id.as_str()).collect();
        json!({
            "venue": spec.venue,
            "base_url": format!("http://{address}{}", spec.prefix),
            "prefix": spec.prefix,
            "credentials": credentials::names(&venues.accounts, spec.venue),
            "stateful": stateful,
        })
    };
    venuekit_spec::all().iter().map(venue).collect()
}

/// What the page shows of the state.
fn state(venues: &Venues) -> Value {
    let mut all = Map::new();
    for venue in Venue::ALL {
        let mut value = serde_json::to_value(venues.overview(venue)).unwrap_or_default();
        let uses = venues.requests.uses(venue.name());
        let accounts = value["accounts"].as_array_mut().into_iter().flatten();
        for key in accounts.flat_map(|account| account["keys"].as_array_mut().into_iter().flatten()) {
            let last = key["id"].as_str().and_then(|id| uses.get(id));
            key["last_used"] = last.map_or(Value::Null, |last| last.time.into());
            key["requests"] = last.map_or(0, |last| last.count).into();
        }
        all.insert(venue.name().to_owned(), value);
    }
    let rules: Vec<Value> =
        venues.faults.rules().iter().map(|rule| serde_json::to_value(rule).unwrap_or_default()).collect();
    json!({
        "venues": all,
        "faults": {"rules": rules, "strikes": venues.faults.strikes()},
        "clock": {"now": venues.clock.millis(), "offset_millis": venues.clock.offset_millis()},
        "market_maker": venues.market_maker.settings(),
    })
}
