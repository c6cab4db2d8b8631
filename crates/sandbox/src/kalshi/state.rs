//! Everything that the venue remembers.

use std::sync::Arc;

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::fees::EventRules;
use super::groups::Groups;
use super::keys::Key;
use super::markets::{Market, made_id};
use super::money::Money;
use super::perps::Perps;
use super::rfqs::Rfqs;
use super::seed;
use super::streams::{Event, Streams};
use crate::accounts::KalshiKey;
use crate::exchange::{Exchange, Owner, Position, Reason};

/// What each account has at the start, on each of the two exchanges.
pub(super) const FIRST_DEPOSIT: Decimal = dec!(10000);

/// A market that was settled while a subaccount held contracts of it.
pub(super) struct Settlement {
    pub(super) owner: Owner,
    /// The index of the market.
    pub(super) market: usize,
    pub(super) held: Position,
    /// Milliseconds since the Unix epoch.
    pub(super) time: i64,
}

pub(super) struct State {
    pub(super) keys: Vec<Arc<Key>>,
    /// The names of the accounts. An index stands for each.
    pub(super) users: Vec<String>,
    pub(super) markets: Vec<Market>,
    pub(super) events: Exchange<EventRules>,
    pub(super) groups: Groups,
    pub(super) settlements: Vec<Settlement>,
    pub(super) rfqs: Rfqs,
    pub(super) money: Money,
    pub(super) perps: Perps,
    pub(super) feeds: Streams,
    /// When time passed last, in milliseconds since the Unix epoch.
    last_time: i64,
    /// When a market next changes by itself, in milliseconds since the Unix epoch.
    next_change: i64,
}

impl State {
    pub(super) fn new(keys: &[KalshiKey], now: i64, feeds: Streams) -> Self {
        let mut users: Vec<String> = Vec::new();
        let mut registered = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let name = key.account.as_deref().unwrap_or("sandbox");
            let user = users.iter().position(|user| user == name).unwrap_or_else(|| {
                users.push(name.to_owned());
                users.len() - 1
            });
            registered.push(Arc::new(Key::given(key, index + 1, user)));
        }
        let mut events = Exchange::new(EventRules);
        let markets = seed::markets(now);
        seed::trade(&mut events, &markets, now);
        for user in 0..users.len() {
            events.deposit(Owner { user, subaccount: 0 }, FIRST_DEPOSIT, now);
        }
        let mut state = Self {
            keys: registered,
            perps: Perps::new(users.len(), now),
            users,
            markets,
            events,
            groups: Groups::default(),
            settlements: Vec::new(),
            rfqs: Rfqs::default(),
            money: Money::new(now),
            feeds,
            last_time: now,
            next_change: i64::MIN,
        };
        state.pass_time(now);
        state.publish(now);
        state
    }

    pub(super) fn key(&self, id: &str) -> Option<Arc<Key>> {
        self.keys.iter().find(|key| key.id == id).cloned()
    }

    /// The id of an account, which is a UUID made of its name.
    pub(super) fn user_id(&self, owner: Owner) -> String {
        made_id(self.users.get(owner.user).map(String::as_str).unwrap_or_default())
    }

    pub(super) fn market(&self, ticker: &str) -> Option<&Market> {
        self.markets.iter().find(|market| market.ticker == ticker)
    }

    /// Ends what has come to its end: orders that expire, markets that close and markets that are settled.
    pub(super) fn pass_time(&mut self, now: i64) {
        self.events.expire(now);
        self.perps.exchange.expire(now);
        if now < self.next_change {
            return;
        }
        let last_time = std::mem::replace(&mut self.last_time, now);
        for (index, market) in self.markets.iter_mut().enumerate() {
            if (last_time + 1..=now).contains(&market.times.open) {
                self.feeds.note(Event::of_market(market, "activated", market.times.open));
            }
            if market.times.close <= now && !market.closed {
                market.closed = true;
                self.events.cancel_where(Reason::MarketClosed, now, |order| order.ticker == market.ticker);
            }
            if market.times.settles <= now && market.settled.is_none() {
                let time = market.times.settles;
                market.settled = Some(time);
                let held = self.events.settle(&market.ticker, market.settlement_value(), now);
                let settled = held.into_iter().map(|(owner, held)| Settlement { owner, market: index, held, time });
                self.settlements.extend(settled);
                for event_type in ["determined", "settled"] {
                    self.feeds.note(Event::of_market(market, event_type, time));
                }
            }
        }
        let times =
            self.markets.iter().flat_map(|market| [market.times.open, market.times.close, market.times.settles]);
        self.next_change = times.filter(|time| *time > now).min().unwrap_or(i64::MAX);
    }

    /// When something next changes by itself, in milliseconds since the Unix epoch.
    pub(super) fn next_change(&self) -> i64 {
        let expirations = [self.events.next_expiration(), self.perps.exchange.next_expiration()];
        expirations.into_iter().flatten().map(|seconds| seconds.saturating_mul(1000)).fold(self.next_change, i64::min)
    }

    /// What the exchanges do by themselves after a call: triggers groups and exits.
    pub(super) fn react(&mut self, now: i64) {
        self.groups.watch(&mut self.events, now);
        self.perps.react(now);
    }
}
