//! What the console shows of Binance.

use super::account::coins;
use super::members::{Key, SPOT};
use super::{Binance, State};
use crate::exchange::Side;
use crate::overview::{self, Account, Balance, MarketView, Overview, Trade, text};

impl Binance {
    /// Accounts, markets and connections.
    pub(crate) fn overview(&self) -> Overview {
        let state = self.state();
        Overview { accounts: accounts(&state), markets: markets(&state), connections: state.hub.overview() }
    }

    /// The book of a market, and its last trades.
    pub(crate) fn market_view(&self, market: &str) -> Option<MarketView> {
        let state = self.state();
        let index = state.trading.find(market)?;
        let book = state.trading.book_at(index, None)?;
        let trades = state.trading.trades[index].iter().rev().map(|trade| Trade {
            time: trade.time,
            price: text(trade.price),
            size: text(trade.qty),
            side: if trade.is_buyer_maker { "sell" } else { "buy" },
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

fn accounts(state: &State) -> Vec<Account> {
    let account = |(index, member): (usize, &super::members::Member)| {
        let held = coins(&state.trading).into_iter().map(|coin| (coin, member.held(SPOT, coin)));
        let orders = state.trading.open_of(index).map(|order| &state.trading.orders[order]);
        Account {
            name: format!("{} ({})", member.email, member.uid),
            balances: held.filter(|(_, held)| !held.is_zero()).map(|(coin, held)| Balance::new(coin, held)).collect(),
            keys: state.members.keys.iter().filter(|key| key.member == index).map(key_of).collect(),
            orders: orders
                .map(|order| overview::Order {
                    id: order.id.to_string(),
                    market: state.trading.symbols[order.wish.symbol].name.clone(),
                    side: if order.wish.side == Side::Bid { "buy" } else { "sell" },
                    price: text(order.wish.price),
                    remaining: text(order.leaves()),
                    filled: text(order.filled),
                })
                .collect(),
            positions: Vec::new(),
        }
    };
    state.members.all.iter().enumerate().map(account).collect()
}

fn key_of(key: &Key) -> overview::Key {
    let kind = match key.secret.kind() {
        "HMAC_SHA256" => "secret",
        other => other,
    };
    overview::Key {
        id: key.name.clone(),
        name: key.label.clone(),
        kind,
        scopes: key.permissions.list(),
        status: "active",
    }
}

fn markets(state: &State) -> Vec<overview::Market> {
    let best = |index: usize, side: Side| state.trading.best(index, side).map(|(price, _)| text(price));
    let market = |(index, symbol): (usize, &super::symbols::Symbol)| overview::Market {
        id: symbol.name.clone(),
        title: format!("{}/{}", symbol.base, symbol.quote),
        bid: best(index, Side::Bid),
        ask: best(index, Side::Ask),
        last: Some(text(state.trading.last(index))),
    };
    state.trading.symbols.iter().enumerate().map(market).collect()
}
