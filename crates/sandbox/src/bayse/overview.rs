//! What the console shows of Bayse.

use super::events::{self, Engine};
use super::ledger::Currency;
use super::order::Side;
use super::{Account, Bayse, State};
use crate::overview::{self, Balance, DEPTH, MarketView, Overview, TRADES, Trade, text};

const CURRENCIES: [Currency; 2] = [Currency::Usd, Currency::Ngn];

impl Bayse {
    /// Accounts, markets and connections. A market is the book of an outcome in dollars.
    pub(crate) fn overview(&self) -> Overview {
        let state = self.state();
        let State { accounts, exchange, hub } = &*state;
        let real = accounts.iter().enumerate().filter(|(_, account)| !account.is_of_market_maker());
        let account = |(index, account): (usize, &Account)| {
            let open = exchange.orders.iter().filter(|order| order.account == index && order.is_open());
            overview::Account {
                name: account.email.clone(),
                balances: CURRENCIES.map(|one| Balance::new(one.name(), account.ledger.cash(one))).into(),
                keys: account.keys.iter().map(key_of).collect(),
                orders: open.map(order).collect(),
                positions: Vec::new(),
            }
        };
        let clob = self.events.iter().filter(|event| event.engine == Engine::Clob && event.is_open());
        let outcomes = clob.flat_map(|event| event.markets.iter().map(move |market| (event, market)));
        let market = |(event, market): (&events::Event, &events::Market)| {
            let outcome = market.outcome(event, &market.outcome1_id)?;
            let best = |side| text(exchange.best(&outcome, Currency::Usd, side));
            let last = exchange.trades_on(outcome.id, Currency::Usd).next_back().map(|trade| text(trade.price));
            Some(overview::Market {
                id: outcome.id.to_owned(),
                title: format!("{} ({}, {})", event.title, market.title, outcome.label),
                bid: Some(best(Side::Buy)),
                ask: Some(best(Side::Sell)),
                last,
            })
        };
        Overview {
            accounts: real.map(account).collect(),
            markets: outcomes.filter_map(market).collect(),
            connections: hub.overview(),
        }
    }

    /// The ids of the first event that trades in a book, of its market and of the outcome.
    pub(crate) fn first_market(&self) -> Option<(&str, &str, &str)> {
        let event = self.events.iter().find(|event| event.engine == Engine::Clob && event.is_open())?;
        let market = event.markets.first()?;
        Some((&event.id, &market.id, &market.outcome1_id))
    }

    /// The book of an outcome in dollars, and its last trades.
    pub(crate) fn market_view(&self, outcome_id: &str) -> Option<MarketView> {
        let outcome = events::outcome(&self.events, outcome_id)?;
        let state = self.state();
        let side = |side| {
            let offers = state.exchange.offers(&outcome, Currency::Usd, side);
            let mut levels: Vec<(rust_decimal::Decimal, Option<rust_decimal::Decimal>)> = Vec::new();
            for offer in offers {
                match levels.last_mut() {
                    Some((price, size)) if *price == offer.price => {
                        *size = size.zip(offer.shares).map(|(size, shares)| size + shares);
                    }
                    _ => levels.push((offer.price, offer.shares)),
                }
            }
            levels.into_iter().take(DEPTH).map(|(price, size)| (text(price), size.map(text))).collect()
        };
        let trades = state.exchange.trades_on(outcome_id, Currency::Usd).rev().take(TRADES);
        let trades = trades.map(|trade| Trade {
            time: trade.at,
            price: text(trade.price),
            size: text(trade.shares),
            side: side_name(trade.taker_side),
        });
        Some(MarketView { bids: side(Side::Buy), asks: side(Side::Sell), trades: trades.collect() })
    }

    /// Revokes a key. Whether there was one of that public key.
    pub(crate) fn revoke(&self, public_key: &str) -> bool {
        let mut state = self.state();
        let mut is_revoked = false;
        for account in &mut state.accounts {
            let before = account.keys.len();
            account.keys.retain(|key| key.public != public_key);
            is_revoked |= account.keys.len() < before;
        }
        is_revoked
    }
}

fn key_of(key: &super::Key) -> overview::Key {
    overview::Key {
        id: key.public.clone(),
        name: key.name.clone(),
        kind: "secret",
        scopes: vec!["all".to_owned()],
        status: "active",
    }
}

fn order(order: &super::order::Order) -> overview::Order {
    overview::Order {
        id: order.id.clone(),
        market: order.outcome_id.clone(),
        side: side_name(order.terms.side),
        price: text(order.price),
        remaining: text(order.remaining()),
        filled: text(order.filled),
    }
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}
