//! What the console shows of Kalshi and of its perpetual futures.

use rust_decimal::Decimal;

use super::Kalshi;
use super::keys::Key;
use super::state::State;
use super::streams::Endpoint;
use crate::exchange::{Exchange, Rules, Side, Status};
use crate::overview::{self, Account, Balance, MarketView, Overview, Trade, text};
use crate::streams::BookLevels;
use crate::verify::PublicKey;

/// So many markets are listed.
const MOST_MARKETS: usize = 60;

impl Kalshi {
    /// Accounts, markets and connections of one of the two exchanges.
    pub(crate) fn overview(&self, is_perps: bool) -> Overview {
        let now = self.clock.millis();
        let mut state = self.lock();
        state.pass_time(now);
        let endpoint = if is_perps { Endpoint::Perps } else { Endpoint::Events };
        let (accounts, markets) = if is_perps {
            let contracts = state.perps.contracts.iter().map(|contract| (contract.ticker, contract.title().to_owned()));
            (accounts(&state, &state.perps.exchange), markets(&state.perps.exchange, contracts))
        } else {
            let title = |fixed: &serde_json::Value| fixed["title"].as_str().unwrap_or_default().to_owned();
            let open = state.markets.iter().filter(|market| market.status(now) == "active");
            let open = open.map(|market| (market.ticker.as_str(), title(&market.fixed)));
            (accounts(&state, &state.events), markets(&state.events, open))
        };
        Overview { accounts, markets, connections: state.feeds.overview(endpoint) }
    }

    /// The book of a market of either exchange, and its last trades.
    pub(crate) fn market_view(&self, ticker: &str) -> Option<MarketView> {
        let state = self.lock();
        if state.perps.contract(ticker).is_some() {
            return Some(view(&state.perps.exchange, ticker));
        }
        state.market(ticker)?;
        Some(view(&state.events, ticker))
    }

    /// Deletes a key. Whether there was one of that id.
    pub(crate) fn revoke(&self, id: &str) -> bool {
        let mut state = self.lock();
        let before = state.keys.len();
        state.keys.retain(|key| key.id != id);
        state.keys.len() < before
    }
}

fn accounts<R: Rules>(state: &State, exchange: &Exchange<R>) -> Vec<Account> {
    let users = state.users.iter().enumerate();
    let account = |(user, name): (usize, &String)| {
        let own = || exchange.accounts_of(user);
        let funds: Decimal = own().map(|(owner, _)| exchange.available(owner)).sum();
        let positions = own().flat_map(|(_, account)| account.positions());
        let positions = positions.filter(|(_, position)| !position.count.is_zero());
        Account {
            name: name.clone(),
            balances: vec![Balance::new("USD", funds)],
            keys: state.keys.iter().filter(|key| key.user == user).map(|key| key_of(key)).collect(),
            orders: orders(exchange, user),
            positions: positions
                .map(|(ticker, position)| overview::Position { market: ticker.to_owned(), size: text(position.count) })
                .collect(),
        }
    };
    users.map(account).collect()
}

fn key_of(key: &Key) -> overview::Key {
    let kind = match key.public {
        PublicKey::Rsa(_) => "RSA",
        PublicKey::Ed25519(_) => "Ed25519",
    };
    overview::Key { id: key.id.clone(), name: key.name.clone(), kind, scopes: key.scopes.clone(), status: "active" }
}

fn orders<R: Rules>(exchange: &Exchange<R>, user: usize) -> Vec<overview::Order> {
    let open = exchange.orders().filter(|order| order.owner.user == user && order.status == Status::Resting);
    let order = |order: &crate::exchange::Order| overview::Order {
        id: order.id.clone(),
        market: order.ticker.clone(),
        side: side(order.terms.side),
        price: text(order.terms.price),
        remaining: text(order.remaining),
        filled: text(order.filled()),
    };
    open.map(order).collect()
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Bid => "buy",
        Side::Ask => "sell",
    }
}

fn markets<'a, R: Rules>(
    exchange: &Exchange<R>,
    all: impl Iterator<Item = (&'a str, String)>,
) -> Vec<overview::Market> {
    let best = |ticker: &str, side| exchange.best_level(ticker, side).map(|(price, _)| text(price));
    let last = |ticker: &str| exchange.book(ticker).and_then(|book| book.last_price).map(text);
    let market = |(ticker, title): (&'a str, String)| overview::Market {
        id: ticker.to_owned(),
        title,
        bid: best(ticker, Side::Bid),
        ask: best(ticker, Side::Ask),
        last: last(ticker),
    };
    all.take(MOST_MARKETS).map(market).collect()
}

fn view<R: Rules>(exchange: &Exchange<R>, ticker: &str) -> MarketView {
    let levels = |side| exchange.levels(ticker, side);
    let book = BookLevels { bids: levels(Side::Bid), asks: levels(Side::Ask), mark: 0 };
    let trades = exchange.trades_of(ticker).rev().map(|trade| Trade {
        time: trade.time,
        price: text(trade.price),
        size: text(trade.count),
        side: side(trade.taker_side),
    });
    MarketView::new(&book, trades)
}
