//! Takes orders, matches them by price and time, and books what trades.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rust_decimal::Decimal;

use super::account::{Account, Position};
use super::book::Book;
use super::journal::{ExchangeEvent, LevelChange};
use super::order::{Order, Reason, Status};
use super::plan::Plan;
use super::records::{Fill, Trade};
use super::terms::{Owner, ReduceOnly, Side, Terms, TimeInForce};
use crate::make::uuid;
use crate::paging::{key, newest_first};

/// What a venue charges and binds.
pub(crate) trait Rules {
    /// The fee on a fill.
    fn fee(&self, price: Decimal, count: Decimal, is_taker: bool) -> Decimal;

    /// What one contract costs the caller who trades on a side.
    fn cost(&self, side: Side, price: Decimal) -> Decimal;

    /// What one resting contract binds, unless it closes a position.
    fn order_margin(&self, side: Side, price: Decimal) -> Decimal;

    /// What a position binds, less its profit where profit counts as funds.
    fn position_margin(&self, position: &Position, mark: Decimal) -> Decimal;
}

/// Why an order or a change was refused. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The user has used the client order id before.
    Duplicate,
    /// A post-only order would trade.
    Crosses,
    /// A fill-or-kill order cannot trade as a whole.
    TooLittleVolume,
    TooLittleFunds,
    /// No order of that id rests.
    NotResting,
    /// The count is below what has traded.
    BelowFilled,
}

/// All markets of a venue.
#[derive(Debug)]
pub(crate) struct Exchange<R> {
    pub(crate) rules: R,
    pub(super) orders: Vec<Order>,
    pub(super) indexes: HashMap<String, usize>,
    pub(super) client_order_ids: HashSet<(usize, String)>,
    /// Unix seconds at which a resting order ends, and its index.
    pub(super) expirations: BTreeSet<(i64, usize)>,
    /// Resting orders that may only close a position.
    pub(super) reducing: BTreeSet<usize>,
    pub(super) books: BTreeMap<String, Book>,
    pub(super) accounts: BTreeMap<Owner, Account>,
    trades: Vec<Trade>,
    fills: Vec<Fill>,
    sequence: u64,
    /// What has happened and was not taken yet.
    journal: Vec<ExchangeEvent>,
}

impl<R: Rules> Exchange<R> {
    pub(crate) fn new(rules: R) -> Self {
        Self {
            rules,
            orders: Vec::new(),
            indexes: HashMap::new(),
            client_order_ids: HashSet::new(),
            expirations: BTreeSet::new(),
            reducing: BTreeSet::new(),
            books: BTreeMap::new(),
            accounts: BTreeMap::new(),
            trades: Vec::new(),
            fills: Vec::new(),
            sequence: 0,
            journal: Vec::new(),
        }
    }

    /// What has happened since this was asked last.
    pub(crate) fn take_journal(&mut self) -> Vec<ExchangeEvent> {
        std::mem::take(&mut self.journal)
    }

    pub(super) fn note(&mut self, happening: ExchangeEvent) {
        self.journal.push(happening);
    }

    /// Notes an order as it is now.
    pub(super) fn note_order(&mut self, index: usize) {
        self.journal.push(ExchangeEvent::Order(Box::new(self.orders[index].clone())));
    }

    /// Notes what an order adds to its level, or takes from it.
    pub(super) fn note_level(&mut self, index: usize, delta: Decimal, reason: Reason, time: i64) {
        let order = &self.orders[index];
        let change = LevelChange {
            ticker: Arc::from(order.ticker.as_str()),
            side: order.terms.side,
            price: order.terms.price,
            delta,
            owner: order.owner,
            client_order_id: order.terms.client_order_id.clone(),
            reason,
            time,
        };
        self.journal.push(ExchangeEvent::Level(change));
    }

    /// Adds to the funds of a subaccount, or takes from them. The caller checks what is available.
    pub(crate) fn deposit(&mut self, owner: Owner, amount: Decimal, now: i64) {
        let account = self.accounts.entry(owner).or_default();
        account.funds += amount;
        account.updated = now;
    }

    /// Opens the account of a market maker of the venue, whose orders are never refused for want of funds.
    pub(crate) fn open_unlimited(&mut self, owner: Owner) {
        self.accounts.entry(owner).or_default().unlimited = true;
    }

    pub(crate) fn account(&self, owner: Owner) -> Option<&Account> {
        self.accounts.get(&owner)
    }

    /// The subaccounts of a user that have ever had funds or orders.
    pub(crate) fn accounts_of(&self, user: usize) -> impl Iterator<Item = (Owner, &Account)> {
        let own = self.accounts.iter().filter(move |(owner, _)| owner.user == user);
        own.map(|(owner, account)| (*owner, account))
    }

    pub(crate) fn book(&self, ticker: &str) -> Option<&Book> {
        self.books.get(ticker)
    }

    /// The price levels of a side, the best one first.
    pub(crate) fn levels(&self, ticker: &str, side: Side) -> Vec<(Decimal, Decimal)> {
        let mut levels: Vec<(Decimal, Decimal)> = Vec::new();
        for order in self.resting(ticker, side) {
            match levels.last_mut() {
                Some((price, count)) if *price == order.terms.price => *count += order.remaining,
                _ => levels.push((order.terms.price, order.remaining)),
            }
        }
        levels
    }

    /// The best price of a side, and what rests at it.
    pub(crate) fn best_level(&self, ticker: &str, side: Side) -> Option<(Decimal, Decimal)> {
        let mut resting = self.resting(ticker, side);
        let first = resting.next()?;
        let rest = resting.take_while(|order| order.terms.price == first.terms.price);
        Some((first.terms.price, rest.map(|order| order.remaining).sum::<Decimal>() + first.remaining))
    }

    /// The resting orders of a side, in the order in which they trade.
    pub(crate) fn resting(&self, ticker: &str, side: Side) -> impl Iterator<Item = &Order> {
        let book = self.books.get(ticker);
        book.into_iter().flat_map(move |book| book.resting(side)).map(|index| &self.orders[index])
    }

    /// All orders, the newest first.
    pub(crate) fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().rev()
    }

    pub(crate) fn order(&self, id: &str) -> Option<&Order> {
        self.indexes.get(id).map(|index| &self.orders[*index])
    }

    /// The trades of a market, the oldest first.
    pub(crate) fn trades_of(&self, ticker: &str) -> impl DoubleEndedIterator<Item = &Trade> {
        let book = self.books.get(ticker);
        book.into_iter().flat_map(|book| &book.trades).map(|index| &self.trades[*index])
    }

    /// The trades of a market or of all with their keys, the newest first. Those of one market are found without the others.
    pub(crate) fn newest_trades<'a>(
        &'a self,
        ticker: Option<&'a str>,
    ) -> Box<dyn Iterator<Item = (i64, &'a Trade)> + 'a> {
        match ticker {
            Some(ticker) => {
                let of_market = self.books.get(ticker).into_iter().flat_map(|book| book.trades.iter().rev());
                Box::new(of_market.map(|index| (-key(*index), &self.trades[*index])))
            }
            None => Box::new(newest_first(&self.trades)),
        }
    }

    /// All orders with their keys, the newest first.
    pub(crate) fn newest_orders(&self) -> impl Iterator<Item = (i64, &Order)> {
        newest_first(&self.orders)
    }

    /// All fills with their keys, the newest first.
    pub(crate) fn newest_fills(&self) -> impl Iterator<Item = (i64, &Fill)> {
        newest_first(&self.fills)
    }

    /// All fills, the newest first.
    pub(crate) fn fills(&self) -> impl Iterator<Item = &Fill> {
        self.fills.iter().rev()
    }

    /// Takes an order: fills it, rests it, or refuses it without a trace.
    pub(crate) fn place(
        &mut self,
        owner: Owner,
        ticker: &str,
        mut terms: Terms,
        by_venue: bool,
        now: i64,
    ) -> Result<&Order, Refused> {
        if terms.client_order_id.as_ref().is_some_and(|id| self.client_order_ids.contains(&(owner.user, id.clone()))) {
            return Err(Refused::Duplicate);
        }
        let count = self.allowed(owner, ticker, &terms, terms.count);
        let plan = self.plan(owner, ticker, &terms, count);
        if terms.post_only && plan.crosses {
            return Err(Refused::Crosses);
        }
        if terms.time_in_force == TimeInForce::FillOrKill && (plan.filled < count || count.is_zero()) {
            return Err(Refused::TooLittleVolume);
        }
        let may_rest = terms.time_in_force == TimeInForce::GoodTillCanceled
            && terms.reduce_only != ReduceOnly::AtOnce
            && !plan.stopped;
        let rest = if may_rest { count - plan.filled } else { Decimal::ZERO };
        self.check_funds(owner, ticker, &terms, &self.change(&plan, rest, None))?;

        let is_cut = count < terms.count;
        if is_cut && !count.is_zero() {
            terms.count = count;
        }
        if let Some(id) = &terms.client_order_id {
            self.client_order_ids.insert((owner.user, id.clone()));
        }
        let index = self.orders.len();
        let mut order = Order::new(owner, ticker, terms, by_venue, now);
        if is_cut {
            order.reason = Reason::ReduceOnly;
        }
        self.indexes.insert(order.id.clone(), index);
        self.orders.push(order);
        self.accounts.entry(owner).or_default();
        self.execute(index, &plan, rest, now);
        Ok(&self.orders[index])
    }

    /// Carries a plan out, and rests what is left.
    pub(super) fn execute(&mut self, index: usize, plan: &Plan, rest: Decimal, now: i64) {
        for own in &plan.give_way {
            self.take_off(*own, Reason::SelfTrade, now);
        }
        for (maker, count) in &plan.fills {
            self.trade(index, *maker, *count, now);
        }
        let order = &mut self.orders[index];
        order.remaining = rest;
        order.updated = now;
        if !rest.is_zero() {
            order.status = Status::Resting;
            self.rest(index, now);
        } else if order.filled() == order.terms.count {
            order.status = Status::Executed;
        } else {
            order.status = Status::Canceled;
            if plan.stopped {
                order.reason = Reason::SelfTrade;
            }
        }
        self.note_order(index);
        let ticker = self.orders[index].ticker.clone();
        self.curtail(&ticker, now);
        self.books.entry(ticker).or_default().note_quote(now);
    }

    /// Puts what remains of an order at the end of the queue of its price.
    fn rest(&mut self, index: usize, now: i64) {
        self.sequence += 1;
        self.orders[index].sequence = self.sequence;
        let order = &self.orders[index];
        if let Some(seconds) = order.terms.expiration {
            self.expirations.insert((seconds, index));
        }
        if order.terms.reduce_only != ReduceOnly::No {
            self.reducing.insert(index);
        }
        self.books.entry(order.ticker.clone()).or_default().insert(order, index);
        let (remaining, reason) = (order.remaining, order.reason);
        self.bind(index, remaining);
        self.note_level(index, remaining, reason, now);
    }

    /// Takes a resting order out of the book and gives the count that rested.
    pub(super) fn unrest(&mut self, index: usize, reason: Reason, now: i64) -> Decimal {
        let order = &self.orders[index];
        let remaining = order.remaining;
        if let Some(seconds) = order.terms.expiration {
            self.expirations.remove(&(seconds, index));
        }
        self.reducing.remove(&index);
        if let Some(book) = self.books.get_mut(&order.ticker) {
            book.remove(order);
        }
        self.bind(index, -remaining);
        self.orders[index].remaining = Decimal::ZERO;
        self.note_level(index, -remaining, reason, now);
        remaining
    }

    /// Cancels a resting order and gives the count that was taken off the book.
    pub(super) fn take_off(&mut self, index: usize, reason: Reason, now: i64) -> Decimal {
        let remaining = self.unrest(index, reason, now);
        let order = &mut self.orders[index];
        // Nothing ends an order that has traded all that is left of it.
        order.status = if order.filled() == order.terms.count { Status::Executed } else { Status::Canceled };
        order.reason = reason;
        order.updated = now;
        self.note_order(index);
        let order = &self.orders[index];
        if let Some(book) = self.books.get_mut(&order.ticker) {
            book.note_quote(now);
        }
        remaining
    }

    fn trade(&mut self, taker: usize, maker: usize, count: Decimal, now: i64) {
        let price = self.orders[maker].terms.price;
        self.record(taker, maker, price, count, now);
        self.bind(maker, -count);
        self.note_level(maker, -count, Reason::Trade, now);
        let resting = &mut self.orders[maker];
        resting.remaining -= count;
        resting.updated = now;
        resting.reason = Reason::Trade;
        if resting.remaining.is_zero() {
            let (expiration, order) = (resting.terms.expiration, &self.orders[maker]);
            if let Some(book) = self.books.get_mut(&order.ticker) {
                book.remove(order);
            }
            if let Some(seconds) = expiration {
                self.expirations.remove(&(seconds, maker));
            }
            self.reducing.remove(&maker);
            self.orders[maker].status = Status::Executed;
        }
        self.note_order(maker);
    }

    /// Books a trade between two orders, whose fills and positions change.
    pub(super) fn record(&mut self, taker: usize, maker: usize, price: Decimal, count: Decimal, now: i64) {
        let id = uuid();
        let held = self.fill(taker, &id, price, count, true, now) + self.fill(maker, &id, price, count, false, now);
        let order = &self.orders[taker];
        let book = self.books.entry(order.ticker.clone()).or_default();
        book.volume += count;
        book.turnover += price * count;
        book.open_interest += held;
        book.last_price = Some(price);
        book.trades.push(self.trades.len());
        let trade = Trade {
            id,
            ticker: order.ticker.clone(),
            price,
            count,
            taker_side: order.terms.side,
            time: now,
            open_interest: book.open_interest,
        };
        self.trades.push(trade.clone());
        self.note(ExchangeEvent::Trade(trade));
        self.orders[taker].reason = Reason::Trade;
    }

    /// Books a fill and gives by how much the long position of its owner has grown.
    fn fill(&mut self, index: usize, id: &str, price: Decimal, count: Decimal, is_taker: bool, now: i64) -> Decimal {
        let fee = self.rules.fee(price, count, is_taker);
        let order = &mut self.orders[index];
        let traded = if is_taker { &mut order.taker } else { &mut order.maker };
        traded.add(price, count, fee);
        let side = order.terms.side;
        let account = self.accounts.entry(order.owner).or_default();
        let position = &mut account.holdings.entry(order.ticker.clone()).or_default().position;
        let (long, entry) = (position.count.max(Decimal::ZERO), position.entry_price());
        let closes = !position.closable_by(side).is_zero();
        let realized = position.trade(side, price, count);
        position.fees += fee;
        if !position.count.is_zero() {
            position.open_fees += fee;
        }
        position.spent += self.rules.cost(side, price) * count;
        position.traded += count;
        position.updated = now;
        account.funds += realized - fee;
        account.updated = now;
        let grown = position.count.max(Decimal::ZERO) - long;
        let held = position.clone();
        let client_order_id = order.terms.client_order_id.clone();
        let fill = Fill {
            id: id.to_owned(),
            order_id: order.id.clone(),
            order_group_id: order.terms.order_group_id.clone(),
            owner: order.owner,
            ticker: order.ticker.clone(),
            side,
            price,
            count,
            fee,
            is_taker,
            by_venue: order.by_venue,
            time: now,
            entry_price: entry.filter(|_| closes),
            realized,
        };
        self.fills.push(fill.clone());
        self.note(ExchangeEvent::Fill(Box::new(fill), Box::new(held), client_order_id));
        grown
    }
}
