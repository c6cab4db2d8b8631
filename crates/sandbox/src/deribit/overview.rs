//! What the console shows of Deribit.

use super::Deribit;
use super::keys::{Key, Secret};
use super::orders::Direction;
use super::state::State;
use crate::overview::{self, Account, Balance, DEPTH, MarketView, Overview, Trade, text};
use crate::streams::BookLevels;
use crate::verify::PublicKey;

impl Deribit {
    /// Accounts, instruments and connections.
    pub(crate) fn overview(&self) -> Overview {
        let state = self.state();
        let accounts = (0..state.accounts.len()).filter(|index| !state.accounts[*index].is_removed);
        let accounts = accounts.filter(|index| state.market_taker != Some(*index));
        let market = |instrument: &super::instruments::Instrument| {
            let name = instrument.instrument_name;
            let best = |side| state.levels(instrument, side, 1).first().map(|(price, _)| text(*price));
            overview::Market {
                id: name.to_owned(),
                title: format!("{} {}", instrument.base_currency, instrument.kind.replace('_', " ")),
                bid: best(Direction::Buy),
                ask: best(Direction::Sell),
                last: state.last_price(name).map(text),
            }
        };
        let connections = state.connections.iter().map(|(number, connection)| {
            let login = connection.login.as_ref().and_then(|login| state.key_of_token(&login.access_token));
            overview::Connection {
                id: *number,
                endpoint: super::WEBSOCKET_PATH.to_owned(),
                credential: login.map(|(key, _)| key.client_id.clone()),
                subscriptions: connection.feeds.keys().cloned().collect(),
            }
        });
        Overview {
            accounts: accounts.map(|index| account(&state, index)).collect(),
            markets: state.instruments.iter().map(market).collect(),
            connections: connections.collect(),
        }
    }

    /// The book of an instrument, and its last trades.
    pub(crate) fn market_view(&self, name: &str) -> Option<MarketView> {
        let state = self.state();
        let instrument = state.instrument(name)?;
        let levels = |side| state.levels(instrument, side, DEPTH);
        let book = BookLevels { bids: levels(Direction::Buy), asks: levels(Direction::Sell), mark: 0 };
        let trades = state.tape_of(name).rev().map(|trade| Trade {
            time: trade.timestamp,
            price: text(trade.price.0),
            size: text(trade.amount.0),
            side: side(trade.direction),
        });
        Some(MarketView::new(&book, trades))
    }

    /// Removes a key, with its tokens. Whether there was one of that client id.
    pub(crate) fn revoke(&self, client_id: &str) -> bool {
        let mut state = self.state();
        let Some(index) = state.keys.iter().position(|key| key.client_id == client_id) else { return false };
        let key = state.keys.remove(index);
        state.end_sessions(key.id);
        true
    }
}

fn account(state: &State, index: usize) -> Account {
    let account = &state.accounts[index];
    let kind = if account.main.is_some() { "subaccount" } else { "account" };
    let keys = state.keys.iter().filter(|key| key.account == index);
    let positions = account.positions.iter().filter(|(_, position)| !position.size.is_zero());
    let order = |order: &super::orders::Order| overview::Order {
        id: order.order_id.clone(),
        market: order.instrument_name.to_owned(),
        side: side(order.direction),
        price: order.price.limit().map_or_else(|| "market".to_owned(), text),
        remaining: text(order.left()),
        filled: text(order.filled_amount.0),
    };
    Account {
        name: format!("{kind} {}", account.user_id),
        balances: account.balances.iter().map(|(currency, amount)| Balance::new(*currency, *amount)).collect(),
        keys: keys.map(key_of).collect(),
        orders: state.open_orders(index).map(|(_, one)| order(one)).collect(),
        positions: positions
            .map(|(market, position)| overview::Position { market: (*market).to_owned(), size: text(position.size) })
            .collect(),
    }
}

fn key_of(key: &Key) -> overview::Key {
    overview::Key {
        id: key.client_id.clone(),
        name: key.name.clone(),
        kind: match &key.secret {
            Secret::Shared(_) => "secret",
            Secret::PublicKey { key: PublicKey::Rsa(_), .. } => "RSA",
            Secret::PublicKey { key: PublicKey::Ed25519(_), .. } => "Ed25519",
        },
        scopes: key.max_scope.to_string().split(' ').map(str::to_owned).collect(),
        status: if key.enabled { "active" } else { "disabled" },
    }
}

fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::Buy => "buy",
        Direction::Sell => "sell",
    }
}
