//! All markets: books that match, orders and trades, and what has changed since the last publication.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::Value;

use super::lists::OrderList;
use super::members::{Member, SPOT};
use super::order::{Execution, Order, Status};
use super::symbols::{self, Symbol};
use crate::exchange::{Exchange, Free, Owner, Side};
use crate::streams::{BookLevels, History};

/// The venue itself rests in every book, so that an account that trades alone finds somebody to trade with.
pub(super) const MAKER: usize = usize::MAX;
/// The counterparty of the trades that the sandbox begins with.
pub(super) const TAKER: usize = usize::MAX - 1;

/// A trade as everybody sees it.
#[derive(Clone, Debug)]
pub(super) struct PublicTrade {
    pub(super) id: i64,
    pub(super) price: Decimal,
    pub(super) qty: Decimal,
    pub(super) time: i64,
    pub(super) is_buyer_maker: bool,
}

/// The trades that one order made at one price.
#[derive(Clone, Debug)]
pub(super) struct AggregateTrade {
    pub(super) id: i64,
    pub(super) price: Decimal,
    pub(super) qty: Decimal,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) time: i64,
    pub(super) is_buyer_maker: bool,
    /// The order, as the book calls it.
    pub(super) taker: String,
}

/// What has happened to an order, as reports name it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Event {
    New,
    Canceled,
    Replaced,
    Trade,
    TradePrevention,
    Expired,
}

impl Event {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Canceled => "CANCELED",
            Self::Replaced => "REPLACED",
            Self::Trade => "TRADE",
            Self::TradePrevention => "TRADE_PREVENTION",
            Self::Expired => "EXPIRED",
        }
    }
}

/// A report to the owner of an order.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) event: Event,
    /// As it was then.
    pub(super) order: Order,
    pub(super) execution: Option<Execution>,
    /// The id of the request that cancelled it, or that it had before.
    pub(super) other_id: Option<String>,
    pub(super) id: i64,
}

/// A deposit, withdrawal or transfer: whose, of which coin, and how much.
#[derive(Clone, Debug)]
pub(super) struct Movement {
    pub(super) member: usize,
    pub(super) coin: String,
    pub(super) amount: Decimal,
}

/// What has changed and was not published yet.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Levels that have changed, in order: market, side, price and the number of the update.
    pub(super) levels: Vec<(usize, Side, Decimal, i64)>,
    pub(super) trades: Vec<(usize, PublicTrade)>,
    pub(super) aggregates: Vec<(usize, AggregateTrade)>,
    pub(super) reports: Vec<Report>,
    /// Accounts whose coins have changed.
    pub(super) coins: BTreeMap<usize, BTreeSet<String>>,
    pub(super) movements: Vec<Movement>,
    /// Order lists that began or ended: whose, and as they were then.
    pub(super) lists: Vec<(usize, Value)>,
}

/// The numbers of a book's updates, and what the history calls them.
#[derive(Debug, Default)]
pub(super) struct Updates {
    pub(super) first: i64,
    marks: Vec<i64>,
}

impl Updates {
    pub(super) fn last(&self) -> i64 {
        self.first + i64::try_from(self.marks.len()).unwrap_or(i64::MAX) - 1
    }

    pub(super) fn add(&mut self, mark: i64) -> i64 {
        self.marks.push(mark);
        self.last()
    }

    fn mark(&self, update: i64) -> Option<i64> {
        let index = usize::try_from(update - self.first).ok()?;
        self.marks.get(index).copied()
    }
}

/// All markets.
pub(super) struct Trading {
    pub(super) symbols: Vec<Symbol>,
    pub(super) books: Exchange<Free>,
    /// In the order in which they were placed.
    pub(super) orders: Vec<Order>,
    /// By market and number.
    pub(super) by_id: HashMap<(usize, i64), usize>,
    /// By account, market and the id that the client gave. The newest wins.
    pub(super) by_client_id: HashMap<(usize, usize, String), usize>,
    /// Orders by the ids that the books gave them.
    pub(super) by_book_id: HashMap<String, usize>,
    pub(super) book_ids: HashMap<usize, String>,
    /// Accounts and their open orders.
    pub(super) open: BTreeSet<(usize, usize)>,
    /// Open orders that wait for a price.
    pub(super) waiting: BTreeSet<usize>,
    pub(super) lists: Vec<OrderList>,
    /// Lists of which orders have changed since the others of the list were looked at.
    pub(super) changed_lists: BTreeSet<usize>,
    /// Lists with orders that wait for another one to be filled.
    pub(super) unreleased: BTreeSet<usize>,
    pub(super) executions: Vec<Execution>,
    pub(super) trades: Vec<Vec<PublicTrade>>,
    pub(super) aggregates: Vec<Vec<AggregateTrade>>,
    pub(super) updates: Vec<Updates>,
    pub(super) history: History,
    pub(super) changes: Changes,
    pub(super) next_report: i64,
}

impl Trading {
    pub(super) fn new(now: i64) -> Self {
        let symbols = symbols::all();
        let count = symbols.len();
        let mut trading = Self {
            symbols,
            books: Exchange::new(Free),
            orders: Vec::new(),
            by_id: HashMap::new(),
            by_client_id: HashMap::new(),
            by_book_id: HashMap::new(),
            book_ids: HashMap::new(),
            open: BTreeSet::new(),
            waiting: BTreeSet::new(),
            lists: Vec::new(),
            changed_lists: BTreeSet::new(),
            unreleased: BTreeSet::new(),
            executions: Vec::new(),
            trades: vec![Vec::new(); count],
            aggregates: vec![Vec::new(); count],
            updates: Vec::new(),
            history: History::default(),
            changes: Changes::default(),
            next_report: 1,
        };
        // No book begins at zero, and no two of them with the same number.
        trading.updates =
            (1..).map(|number| Updates { first: number * 1_000_003, ..Updates::default() }).take(count).collect();
        super::seed::fill(&mut trading, now);
        trading
    }

    /// The market of that name, as an index.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.symbols.iter().position(|symbol| symbol.name == name)
    }

    /// The levels of a side, the best one first.
    pub(super) fn levels(&self, symbol: usize, side: Side) -> Vec<(Decimal, Decimal)> {
        self.books.levels(&self.symbols[symbol].name, side)
    }

    pub(super) fn best(&self, symbol: usize, side: Side) -> Option<(Decimal, Decimal)> {
        self.books.best_level(&self.symbols[symbol].name, side)
    }

    /// What rests at a price.
    pub(super) fn size_at(&self, symbol: usize, side: Side, price: Decimal) -> Decimal {
        let resting = self.books.resting(&self.symbols[symbol].name, side);
        let resting = resting.skip_while(|order| order.terms.price != price);
        resting.take_while(|order| order.terms.price == price).map(|order| order.remaining).sum()
    }

    /// The price of the last trade.
    pub(super) fn last(&self, symbol: usize) -> Decimal {
        self.trades[symbol].last().map_or(self.symbols[symbol].first_price, |trade| trade.price)
    }

    /// The name of a book in the history.
    pub(super) fn history_name(&self, symbol: usize) -> Arc<str> {
        self.symbols[symbol].name.as_str().into()
    }

    /// A book as it was after an update, or as it is now.
    pub(super) fn book_at(&self, symbol: usize, update: Option<i64>) -> Option<BookLevels> {
        let name = &self.symbols[symbol].name;
        let updates = &self.updates[symbol];
        let update = update.unwrap_or_else(|| updates.last());
        let mut book = self.history.at(name, updates.mark(update)?)?;
        book.mark = update;
        Some(book)
    }

    /// The open orders of an account, as indices.
    pub(super) fn open_of(&self, member: usize) -> impl Iterator<Item = usize> {
        self.open.range((member, 0)..(member + 1, 0)).map(|(_, index)| *index)
    }

    /// What the open orders of an account hold of a coin.
    fn locked(&self, member: usize, coin: &str) -> Decimal {
        let held = |index: usize| {
            let order = &self.orders[index];
            let symbol = &self.symbols[order.wish.symbol];
            match order.wish.side {
                _ if order.status == Status::PendingNew => Decimal::ZERO,
                Side::Bid if symbol.quote == coin => order.leaves() * order.wish.bound_price(),
                Side::Ask if symbol.base == coin => order.leaves(),
                _ => Decimal::ZERO,
            }
        };
        // Of a pair only one will trade: it holds what the larger one needs.
        let open = self.open_of(member).map(|index| match self.partner(index) {
            Some(other) if other < index => Decimal::ZERO,
            Some(other) => held(index).max(held(other)),
            None => held(index),
        });
        open.sum()
    }

    /// What an account has of a coin in its spot wallet: free, and held by open orders.
    pub(super) fn balance(&self, members: &[Member], member: usize, coin: &str) -> (Decimal, Decimal) {
        let locked = self.locked(member, coin);
        (members[member].held(SPOT, coin) - locked, locked)
    }

    pub(super) fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Notes that coins of an account have changed.
    pub(super) fn note_coins(&mut self, member: usize, coins: impl IntoIterator<Item = impl Into<String>>) {
        self.changes.coins.entry(member).or_default().extend(coins.into_iter().map(Into::into));
    }
}

/// The account of the books that an owner has: it has no limit there.
pub(super) fn owner(member: usize) -> Owner {
    Owner { user: member, subaccount: 0 }
}
