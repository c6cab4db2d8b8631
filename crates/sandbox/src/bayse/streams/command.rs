//! What a client says on a connection, read and checked: what it asks for, or the text of the error.

use serde::Deserialize;

use super::Endpoint;
use crate::bayse::Account;
use crate::bayse::events::{self, Engine, Event};
use crate::bayse::ledger::Currency;

/// So many markets may be named in one message.
const MOST_MARKETS: usize = 10;

/// A message of a client. Each kind uses some of the members.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    #[serde(rename = "type", default)]
    kind: String,
    channel: Option<String>,
    event_id: Option<String>,
    market_id: Option<String>,
    market_ids: Option<Vec<String>>,
    currency: Option<String>,
    symbols: Option<Vec<String>>,
    room: Option<String>,
    user_id: Option<String>,
    auth: Option<Auth>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Auth {
    api_key: Option<String>,
    access_token: Option<String>,
    device_id: Option<String>,
}

/// What a client asks for.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Command {
    Ping,
    Unsubscribe(String),
    /// What it is to receive. What it may not receive has an error of its own, and leaves the others as they are.
    Subscribe(Vec<Result<Room, String>>),
}

/// Something to receive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Room {
    /// All fills of an event, or of one of its markets.
    Activity { event: String, market: Option<String> },
    /// The prices of an event.
    Prices { event: String },
    /// The books of a market's two outcomes.
    Books { market: String, currency: Currency },
    /// The fills of a user.
    UserTrades { user: String },
    /// The orders of a user in a market.
    Orders { user: String, market: String },
    /// The price of an asset.
    Asset(&'static str),
}

impl Room {
    /// How the venue calls it. Dollars are the usual currency and go without saying.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Activity { event, market: None } => format!("activity:{event}"),
            Self::Activity { event, market: Some(market) } => format!("activity:{event}:{market}"),
            Self::Prices { event } => format!("prices:{event}"),
            Self::Books { market, currency: Currency::Usd } => format!("orderbook:{market}"),
            Self::Books { market, currency } => format!("orderbook:{market}:{}", currency.name()),
            Self::UserTrades { user } => format!("user_trades:{user}"),
            Self::Orders { user, market } => format!("orders:{user}:{market}"),
            Self::Asset(symbol) => format!("asset_prices:{symbol}"),
        }
    }
}

impl Room {
    pub(super) fn channel(&self) -> &'static str {
        match self {
            Self::Activity { .. } => "activity",
            Self::Prices { .. } => "prices",
            Self::Books { .. } => "orderbook",
            Self::UserTrades { .. } => "user_trades",
            Self::Orders { .. } => "orders",
            Self::Asset(_) => "asset_prices",
        }
    }

    /// What it is about: the market where it is of one, or else the event, the user or the asset.
    pub(super) fn item(&self) -> &str {
        match self {
            Self::Activity { event, market } => market.as_ref().unwrap_or(event),
            Self::Prices { event } => event,
            Self::Books { market, .. } | Self::Orders { market, .. } => market,
            Self::UserTrades { user } => user,
            Self::Asset(symbol) => symbol,
        }
    }
}

impl Command {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Unsubscribe(_) => "unsubscribe",
            Self::Subscribe(_) => "subscribe",
        }
    }
}

impl Message {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|_| "Invalid message format".to_owned())
    }

    /// What it asks for, where the endpoint offers that and the caller may have it.
    pub(super) fn command(self, endpoint: Endpoint, accounts: &[Account], events: &[Event]) -> Result<Command, String> {
        let user = match endpoint {
            Endpoint::User => Some(self.user(accounts)?),
            Endpoint::Markets | Endpoint::Realtime => None,
        };
        match self.kind.as_str() {
            "ping" => Ok(Command::Ping),
            "unsubscribe" => {
                self.room.filter(|room| !room.is_empty()).map(Command::Unsubscribe).ok_or_else(|| required("Room"))
            }
            "subscribe" => self.subscribe(endpoint, user, events).map(Command::Subscribe),
            other => Err(format!("unknown message type: {other}")),
        }
    }

    /// The user whose credential it carries. Of two, the token counts.
    fn user(&self, accounts: &[Account]) -> Result<String, String> {
        let auth = self.auth.as_ref().ok_or("auth required: send auth with every message")?;
        let found = match (&auth.access_token, &auth.api_key) {
            (Some(token), _) => {
                let device = auth.device_id.as_deref();
                accounts.iter().find(|account| account.is_logged_in(token, device))
            }
            (None, Some(key)) => accounts.iter().find(|account| account.secret_of(key).is_some()),
            (None, None) => return Err("auth required: apiKey or accessToken is missing".to_owned()),
        };
        found.map(|account| account.user_id.clone()).ok_or_else(|| "auth required: invalid credentials".to_owned())
    }

    fn subscribe(
        self,
        endpoint: Endpoint,
        user: Option<String>,
        events: &[Event],
    ) -> Result<Vec<Result<Room, String>>, String> {
        let channel =
            self.channel.as_deref().filter(|channel| !channel.is_empty()).ok_or_else(|| required("Channel"))?;
        let home = Endpoint::of_channel(channel).ok_or_else(|| format!("unknown channel: {channel}"))?;
        if home != endpoint {
            let (here, there) = (endpoint.path(), home.path());
            return Err(format!("channel \"{channel}\" is not available on {here}; use {there} instead"));
        }
        match (channel, user) {
            ("activity", _) => self.activity(events).map(|room| vec![Ok(room)]),
            ("prices", _) => {
                let event = self.event(events)?.id.clone();
                Ok(vec![Ok(Room::Prices { event })])
            }
            ("orderbook", _) => self.books(events),
            ("user_trades", _) => {
                let user = self.user_id.filter(|user| !user.is_empty()).ok_or_else(|| required("User ID"))?;
                Ok(vec![Ok(Room::UserTrades { user })])
            }
            ("orders", Some(user)) => {
                let room = |market: &String| {
                    let known = events::market(events, market).ok_or_else(|| not_found("Market", market));
                    known.map(|_| Room::Orders { user: user.clone(), market: market.clone() })
                };
                Ok(self.markets()?.iter().map(room).collect())
            }
            _ => self.assets(),
        }
    }

    fn event<'a>(&self, events: &'a [Event]) -> Result<&'a Event, String> {
        let id = self.event_id.as_deref().filter(|id| !id.is_empty()).ok_or_else(|| required("Event ID"))?;
        events.iter().find(|event| event.id == id).ok_or_else(|| not_found("Event", id))
    }

    fn activity(&self, events: &[Event]) -> Result<Room, String> {
        let event = self.event(events)?;
        let market = self.market_id.clone().filter(|market| !market.is_empty());
        match market {
            Some(id) if event.markets.iter().all(|market| market.id != id) => Err(not_found("Market", &id)),
            market => Ok(Room::Activity { event: event.id.clone(), market }),
        }
    }

    /// The markets that it names, in one member or the other.
    fn markets(&self) -> Result<Vec<String>, String> {
        let ids: Vec<String> = self.market_ids.iter().flatten().chain(&self.market_id).cloned().collect();
        match ids.len() {
            0 => Err("Market IDs are required".to_owned()),
            count if count > MOST_MARKETS => Err(format!("at most {MOST_MARKETS} market IDs are allowed")),
            _ => Ok(ids),
        }
    }

    fn books(&self, events: &[Event]) -> Result<Vec<Result<Room, String>>, String> {
        let name = self.currency.as_deref().filter(|name| !name.is_empty()).unwrap_or("USD");
        let currency = Currency::read(name).ok_or_else(|| format!("Unsupported currency: {name}"))?;
        let room = |id: &String| match events::market(events, id) {
            None => Err(not_found("Market", id)),
            Some((event, _)) if event.engine == Engine::Amm => Err(format!("Market has no order book: {id}")),
            Some(_) => Ok(Room::Books { market: id.clone(), currency }),
        };
        Ok(self.markets()?.iter().map(room).collect())
    }

    fn assets(&self) -> Result<Vec<Result<Room, String>>, String> {
        let symbols = self
            .symbols
            .as_ref()
            .filter(|symbols| !symbols.is_empty())
            .ok_or_else(|| "Symbols are required".to_owned())?;
        let room = |symbol: &String| {
            let known = super::assets::symbol(symbol);
            known.map(Room::Asset).ok_or_else(|| format!("Unsupported symbol: {symbol}"))
        };
        Ok(symbols.iter().map(room).collect())
    }
}

fn required(what: &str) -> String {
    format!("{what} is required")
}

fn not_found(what: &str, id: &str) -> String {
    format!("{what} not found: {id}")
}
