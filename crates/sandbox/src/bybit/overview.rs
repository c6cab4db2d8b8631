//! What the console shows of Bybit.

use super::category::Category;
use super::members::{Key, Secret};
use super::order::side_name;
use super::{Bybit, State};
use crate::exchange::Side;
use crate::overview::{self, Account, Balance, MarketView, Overview, Trade, text};

impl Bybit {
    /// Accounts, markets and connections.
    pub(crate) fn overview(&self) -> Overview {
        let now = self.clock.millis();
        let state = self.state();
        let connections = state.hub.overview();
        Overview { accounts: accounts(&state, now), markets: markets(&state), connections }
    }

    /// The book of a market, named by product and symbol such as `linear/BTCUSDT`, and its last trades.
    pub(crate) fn market_view(&self, market: &str) -> Option<MarketView> {
        let state = self.state();
        let (category, symbol) = market.split_once('/')?;
        let index = state.trading.find(Category::named(category)?, symbol)?;
        let book = state.trading.book_at(index, None)?;
        let trades = state.trading.trades.get(&index).into_iter().flatten().rev().map(|trade| Trade {
            time: trade.time,
            price: text(trade.price),
            size: text(trade.qty),
            side: side(trade.side),
        });
        Some(MarketView::new(&book, trades))
    }

    /// Deletes a key. Whether there was one of that name.
    pub(crate) fn revoke(&self, name: &str) -> bool {
        let members = &mut self.state().members;
        let found = members.key(name);
        found.map(|index| members.keys.remove(index)).is_some()
    }
}

fn accounts(state: &State, now: i64) -> Vec<Account> {
    let members = state.members.all.iter().enumerate().filter(|(_, member)| !member.deleted);
    let account = |(index, member): (usize, &super::members::Member)| {
        let unified = member.unified.iter().map(|(coin, own)| Balance::new(coin.as_str(), own.wallet));
        let orders = state.trading.resting.range((index, 0)..(index + 1, 0));
        let orders = orders.map(|(_, order)| &state.trading.orders[*order]);
        let positions = state.trading.positions.range((index, 0)..(index + 1, 0));
        Account {
            name: format!("{} ({})", member.name, member.uid),
            balances: unified.collect(),
            keys: state.members.keys.iter().filter(|key| key.member == index).map(|key| key_of(key, now)).collect(),
            orders: orders
                .map(|order| overview::Order {
                    id: order.id.clone(),
                    market: name(state, order.wish.instrument),
                    side: side(order.wish.side),
                    price: text(order.wish.price),
                    remaining: text(order.leaves),
                    filled: text(order.filled),
                })
                .collect(),
            positions: positions
                .filter(|(_, position)| !position.size.is_zero())
                .map(|((_, instrument), position)| overview::Position {
                    market: name(state, *instrument),
                    size: text(position.size),
                })
                .collect(),
        }
    };
    members.map(account).collect()
}

fn key_of(key: &Key, now: i64) -> overview::Key {
    let kind = if matches!(key.secret, Secret::Hmac(_)) { "secret" } else { "RSA" };
    let status = if key.is_expired(now) { "expired" } else { "active" };
    overview::Key { id: key.name.clone(), name: key.note.clone(), kind, scopes: key.permissions.words(), status }
}

fn markets(state: &State) -> Vec<overview::Market> {
    let best = |index: usize, side: Side| state.trading.best(index, side).map(|(price, _)| text(price));
    let market = |index: usize| overview::Market {
        id: name(state, index),
        title: name(state, index),
        bid: best(index, Side::Bid),
        ask: best(index, Side::Ask),
        last: Some(text(state.trading.last(index))),
    };
    (0..state.trading.instruments.len()).map(market).collect()
}

fn name(state: &State, instrument: usize) -> String {
    let instrument = &state.trading.instruments[instrument];
    format!("{}/{}", instrument.category.name(), instrument.symbol)
}

fn side(side: Side) -> &'static str {
    if side_name(side) == "Buy" { "buy" } else { "sell" }
}
