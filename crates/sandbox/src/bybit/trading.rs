//! All markets: books that match, orders and positions of accounts, and what has changed since the last publication.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rust_decimal::Decimal;

use super::category::Category;
use super::instruments::{self, Instrument};
use super::order::{Closed, Execution, Order, OwnTrade, Wish};
use super::position::Position;
use crate::exchange::{Exchange, Free, Owner, Side};
use crate::streams::{BookLevels, History};

/// The venue itself rests in every book, so that an account that trades alone finds somebody to trade with.
pub(super) const MAKER: usize = usize::MAX;
/// Who it traded with before.
pub(super) const TAKER: usize = usize::MAX - 1;

/// A trade as everybody sees it.
#[derive(Clone, Debug)]
pub(super) struct PublicTrade {
    pub(super) id: String,
    pub(super) side: Side,
    pub(super) price: Decimal,
    pub(super) qty: Decimal,
    pub(super) seq: i64,
    pub(super) time: i64,
    /// Whether the price rose, fell, or stayed.
    pub(super) tick: &'static str,
}

/// What has changed, by instrument, and what is to be sent to accounts.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Instruments whose book has changed, and the mark that it leads to.
    pub(super) books: BTreeMap<usize, i64>,
    pub(super) trades: BTreeMap<usize, Vec<PublicTrade>>,
    /// Orders as they were after each change.
    pub(super) orders: Vec<Order>,
    pub(super) executions: Vec<Execution>,
    /// Positions of accounts.
    pub(super) positions: BTreeSet<(usize, usize)>,
    /// Accounts whose coins have changed.
    pub(super) wallets: BTreeMap<usize, BTreeSet<&'static str>>,
}

/// All markets.
pub(super) struct Trading {
    pub(super) instruments: Vec<Instrument>,
    pub(super) books: BTreeMap<Category, Exchange<Free>>,
    /// In the order in which they were placed.
    pub(super) orders: Vec<Order>,
    pub(super) by_id: HashMap<String, usize>,
    /// Orders by the ids that the books gave them.
    pub(super) by_book_id: HashMap<String, usize>,
    pub(super) book_ids: HashMap<usize, String>,
    /// Open orders that wait for a price.
    pub(super) watched: BTreeSet<usize>,
    /// Accounts and their orders that bind coins: those that rest in a book, and some that wait for a price.
    pub(super) resting: BTreeSet<(usize, usize)>,
    pub(super) by_link: HashMap<(usize, Category, String), usize>,
    pub(super) executions: Vec<Execution>,
    pub(super) closed: Vec<Closed>,
    /// By account and instrument.
    pub(super) positions: BTreeMap<(usize, usize), Position>,
    pub(super) trades: BTreeMap<usize, Vec<PublicTrade>>,
    pub(super) history: History,
    /// The mark of each instrument's book.
    pub(super) marks: BTreeMap<usize, i64>,
    pub(super) changes: Changes,
}

impl Trading {
    pub(super) fn new(now: i64) -> Self {
        let mut trading = Self {
            instruments: instruments::all(),
            books: Category::ALL.into_iter().map(|category| (category, Exchange::new(Free))).collect(),
            orders: Vec::new(),
            by_id: HashMap::new(),
            by_book_id: HashMap::new(),
            book_ids: HashMap::new(),
            watched: BTreeSet::new(),
            resting: BTreeSet::new(),
            by_link: HashMap::new(),
            executions: Vec::new(),
            closed: Vec::new(),
            positions: BTreeMap::new(),
            trades: BTreeMap::new(),
            history: History::default(),
            marks: BTreeMap::new(),
            changes: Changes::default(),
        };
        super::seed::fill(&mut trading, now);
        trading
    }

    /// The instrument of a symbol, as an index.
    pub(super) fn find(&self, category: Category, symbol: &str) -> Option<usize> {
        self.instruments.iter().position(|one| one.category == category && *one.symbol == *symbol)
    }

    pub(super) fn of(&self, category: Category) -> impl Iterator<Item = (usize, &Instrument)> {
        self.instruments.iter().enumerate().filter(move |(_, one)| one.category == category)
    }

    pub(super) fn book(&self, instrument: usize) -> &Exchange<Free> {
        &self.books[&self.instruments[instrument].category]
    }

    pub(super) fn book_mut(&mut self, instrument: usize) -> &mut Exchange<Free> {
        self.books.entry(self.instruments[instrument].category).or_insert_with(|| Exchange::new(Free))
    }

    /// The levels of a side, the best one first.
    pub(super) fn levels(&self, instrument: usize, side: Side) -> Vec<(Decimal, Decimal)> {
        self.book(instrument).levels(&self.instruments[instrument].symbol, side)
    }

    /// What an order can trade with: prices and quantities, the best first. Its owner's own orders may have to go, or stop it.
    pub(super) fn offers(&self, member: usize, wish: &Wish) -> Vec<(Decimal, Decimal)> {
        let symbol = &self.instruments[wish.instrument].symbol;
        let resting = self.book(wish.instrument).resting(symbol, wish.side.opposite());
        let is_own =
            |order: &&crate::exchange::Order| order.owner == owner(member) && wish.own_trade != OwnTrade::Allowed;
        let resting = resting.take_while(|order| wish.own_trade == OwnTrade::CancelMaker || !is_own(order));
        resting.filter(|order| !is_own(order)).map(|order| (order.terms.price, order.remaining)).collect()
    }

    pub(super) fn best(&self, instrument: usize, side: Side) -> Option<(Decimal, Decimal)> {
        self.book(instrument).best_level(&self.instruments[instrument].symbol, side)
    }

    /// The price of the last trade.
    pub(super) fn last(&self, instrument: usize) -> Decimal {
        let book = self.book(instrument).book(&self.instruments[instrument].symbol);
        book.and_then(|book| book.last_price).unwrap_or(self.instruments[instrument].first_price)
    }

    /// The price that positions are judged by: between the best ones, or the last. Rounded as it is shown, so that what is
    /// reckoned with it agrees with what is shown.
    pub(super) fn mark(&self, instrument: usize) -> Decimal {
        let decimals = self.instruments[instrument].tick.scale();
        match (self.best(instrument, Side::Bid), self.best(instrument, Side::Ask)) {
            (Some((bid, _)), Some((ask, _))) => ((bid + ask) / Decimal::TWO).round_dp(decimals),
            _ => self.last(instrument),
        }
    }

    /// What a coin is worth in dollars.
    pub(super) fn dollars(&self, coin: &str) -> Decimal {
        if coin == "USDT" || coin == "USDC" || coin == "USD" {
            return Decimal::ONE;
        }
        let pair = self.find(Category::Spot, &format!("{coin}USDT"));
        pair.map_or(Decimal::ZERO, |pair| self.last(pair))
    }

    /// The name under which a book's past is kept.
    pub(super) fn history_name(&self, instrument: usize) -> Arc<str> {
        let instrument = &self.instruments[instrument];
        format!("{}/{}", instrument.category.name(), instrument.symbol).into()
    }

    /// A book as it was at a mark, or as it is now.
    pub(super) fn book_at(&self, instrument: usize, mark: Option<i64>) -> Option<BookLevels> {
        let name = self.history_name(instrument);
        match mark {
            Some(mark) => self.history.at(&name, mark),
            None => Some(self.history.now(&name)),
        }
    }

    /// How much of a position an order can close.
    pub(super) fn closable(&self, member: usize, wish: &Wish) -> Decimal {
        let position = self.positions.get(&(member, wish.instrument));
        position.map_or(Decimal::ZERO, |position| position.closable_by(wish.side))
    }

    pub(super) fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }
}

/// The account of the books that an owner has: it has no limit there.
pub(super) fn owner(member: usize) -> Owner {
    Owner { user: member, subaccount: 0 }
}
