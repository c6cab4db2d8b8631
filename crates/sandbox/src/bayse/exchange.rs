//! The books of all outcomes, and how orders meet in them.
//!
//! Each outcome has a book of its own in each currency. Behind all orders of a CLOB market stands the sandbox itself, which
//! trades any amount at the market's outermost prices, so that the caller who trades alone finds somebody to trade with. An automated
//! market maker trades any amount at the price that it shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::{Decimal, RoundingStrategy};

use super::Account;
use super::activities::Kind;
use super::events::{Engine, Outcome};
use super::ledger::{Currency, Realized, Rejection, TOO_FEW_SHARES, rejected};
use super::order::{Duration, Order, SelfTrade, Side, Status, Terms};
use crate::make::uuid;

/// Decimals of a share.
const SHARE_DECIMALS: u32 = 6;

/// Two sides that met.
#[derive(Clone, Debug)]
pub(super) struct Trade {
    pub(super) id: String,
    pub(super) event_id: String,
    pub(super) market_id: String,
    pub(super) outcome_id: String,
    pub(super) outcome_label: &'static str,
    pub(super) currency: Currency,
    pub(super) price: Decimal,
    pub(super) shares: Decimal,
    pub(super) taker_side: Side,
    pub(super) taker: Party,
    /// None where it is the sandbox itself.
    pub(super) maker: Option<Party>,
    /// The order that the sandbox has in that case.
    pub(super) house_order: String,
    pub(super) is_in_book: bool,
    pub(super) at: i64,
}

/// One side of a trade.
#[derive(Clone, Debug)]
pub(super) struct Party {
    pub(super) account: usize,
    pub(super) order_id: String,
}

/// What stands in a book: an order, or the sandbox itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) price: Decimal,
    /// None for any amount.
    pub(super) shares: Option<Decimal>,
    /// Index into the orders.
    maker: Option<usize>,
}

/// A fill of an order: what was traded, and the order as it stands then.
#[derive(Clone, Debug)]
pub(super) struct Fill {
    pub(super) order: Order,
    pub(super) shares: Decimal,
    pub(super) money: Decimal,
    pub(super) price: Decimal,
}

/// What a call changes: subscribers are notified when the call is done.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The books that may have changed, by outcome and currency.
    pub(super) books: BTreeSet<(String, Currency)>,
    pub(super) fills: Vec<Fill>,
}

/// All orders and trades.
#[derive(Default)]
pub(super) struct Exchange {
    /// In the order of arrival.
    pub(super) orders: Vec<Order>,
    /// The oldest first.
    pub(super) trades: Vec<Trade>,
    last_turn: u64,
    changes: Changes,
    /// The orders by their ids.
    by_id: HashMap<String, usize>,
    /// The orders that rest in a book, by outcome and currency.
    resting: BTreeMap<(String, Currency), BTreeSet<usize>>,
    /// When orders end of their own accord.
    expirations: BTreeSet<(i64, usize)>,
    /// The trades of an outcome in a currency.
    traded: BTreeMap<(String, Currency), Vec<usize>>,
}

/// What an order would do if it came now.
struct MatchPlan {
    /// Offers with what is taken of each.
    taken: Vec<(Offer, Decimal)>,
    /// The owner's own orders that are to be cancelled.
    own: Vec<usize>,
    /// Shares that nobody trades.
    left: Decimal,
    /// Whether an order of the owner's own ends it.
    is_stopped: bool,
}

fn shares_for(money: Decimal, price: Decimal, currency: Currency) -> Decimal {
    let shares = money / (price * currency.multiplier());
    shares.round_dp_with_strategy(SHARE_DECIMALS, RoundingStrategy::ToZero)
}

impl Exchange {
    /// What has changed since this was asked last.
    pub(super) fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Notes that the book of an order may have changed.
    fn touch(&mut self, index: usize) {
        let order = &self.orders[index];
        self.changes.books.insert((order.outcome_id.clone(), order.terms.currency));
    }

    /// Takes an order that has ended out of its book.
    fn leave_if_ended(&mut self, index: usize) {
        let order = &self.orders[index];
        if !order.is_open()
            && let Some(resting) = self.resting.get_mut(&(order.outcome_id.clone(), order.terms.currency))
        {
            resting.remove(&index);
        }
    }

    fn record(&mut self, trade: Trade) {
        self.traded.entry((trade.outcome_id.clone(), trade.currency)).or_default().push(self.trades.len());
        self.trades.push(trade);
    }

    /// The trades on an outcome in a currency, the oldest first.
    pub(super) fn trades_on(&self, outcome_id: &str, currency: Currency) -> impl DoubleEndedIterator<Item = &Trade> {
        let places = self.traded.get(&(outcome_id.to_owned(), currency)).map(Vec::as_slice).unwrap_or_default();
        places.iter().map(|place| &self.trades[*place])
    }

    /// The latest trade of an outcome, and how many trades there were before it.
    pub(super) fn latest_on(&self, outcome_id: &str, currency: Currency) -> Option<(usize, &Trade)> {
        let place = self.traded.get(&(outcome_id.to_owned(), currency))?.last()?;
        Some((*place, &self.trades[*place]))
    }

    fn note_fill(&mut self, index: usize, shares: Decimal, money: Decimal, price: Decimal) {
        self.touch(index);
        self.changes.fills.push(Fill { order: self.orders[index].clone(), shares, money, price });
    }

    fn next_turn(&mut self) -> u64 {
        self.last_turn += 1;
        self.last_turn
    }

    /// What stands on a side of an outcome's book, best first and of one price the oldest; the sandbox itself last of its price.
    pub(super) fn offers(&self, outcome: &Outcome<'_>, currency: Currency, side: Side) -> Vec<Offer> {
        let resting = self.resting.get(&(outcome.id.to_owned(), currency)).into_iter().flatten();
        let resting = resting.map(|index| (*index, &self.orders[*index]));
        let resting = resting.filter(|(_, order)| order.is_open() && order.turn > 0 && order.terms.side == side);
        let mut offers: Vec<(u64, Offer)> = resting
            .map(|(index, order)| {
                (order.turn, Offer { price: order.price, shares: Some(order.remaining()), maker: Some(index) })
            })
            .collect();
        let price = match side {
            Side::Buy => outcome.sell_price,
            Side::Sell => outcome.buy_price,
        };
        offers.push((u64::MAX, Offer { price, shares: None, maker: None }));
        offers.sort_by(|(turn, one), (other_turn, other)| {
            let by_price = one.price.cmp(&other.price);
            let by_price = if side == Side::Buy { by_price.reverse() } else { by_price };
            by_price.then(turn.cmp(other_turn))
        });
        offers.into_iter().map(|(_, offer)| offer).collect()
    }

    /// Takes an order: lets it trade, rests what is left of it, or rejects it without a trace. Returns its index.
    pub(super) fn place(
        &mut self,
        accounts: &mut [Account],
        account: usize,
        outcome: Outcome<'_>,
        terms: Terms,
        now: i64,
    ) -> Result<usize, Rejection> {
        if outcome.event.engine == Engine::Amm {
            return self.trade_with_market_maker(accounts, account, outcome, terms, now);
        }
        let best = self.offers(&outcome, terms.currency, terms.side.other())[0].price;
        let limit = terms.limit.unwrap_or_else(|| furthest(&terms, best));
        let price = terms.limit.unwrap_or(best);
        let size = match terms.limit {
            Some(limit) => shares_for(terms.amount, limit, terms.currency),
            None => self.shares_for_money(account, &outcome, &terms),
        };
        if size.is_zero() {
            return Err(rejected("BAD_REQUEST", "the amount buys no share"));
        }
        let mut order = new_order(account, &outcome, terms, price, size, now);
        let meeting = self.meet(&order, &outcome, limit);
        if order.terms.post_only && !meeting.taken.is_empty() {
            return Err(rejected("POST_ONLY_WOULD_CROSS", "a post-only order must not match at once"));
        }
        if order.terms.duration == Duration::FillOrKill && !meeting.left.is_zero() {
            return Err(rejected("FOK_NOT_FILLED", "the order cannot be filled as a whole"));
        }
        let rests = matches!(order.terms.duration, Duration::Rest | Duration::RestUntil(_)) && !meeting.is_stopped;
        afford(&accounts[account], &order, &meeting, rests)?;
        order.status = Status::Open;
        let index = self.keep(accounts, order);
        self.carry_out(accounts, index, &outcome, meeting, rests, now);
        Ok(index)
    }

    /// How many shares a market order's money comes to at the prices of the book.
    fn shares_for_money(&self, account: usize, outcome: &Outcome<'_>, terms: &Terms) -> Decimal {
        let (mut left, mut shares) = (terms.amount, Decimal::ZERO);
        for offer in self.offers(outcome, terms.currency, terms.side.other()) {
            if offer.maker.is_some_and(|maker| self.orders[maker].account == account) {
                continue;
            }
            let wanted = shares_for(left, offer.price, terms.currency);
            let taken = offer.shares.map_or(wanted, |offered| offered.min(wanted));
            shares += taken;
            left -= taken * offer.price * terms.currency.multiplier();
            if taken == wanted {
                break;
            }
        }
        shares
    }

    fn keep(&mut self, accounts: &mut [Account], order: Order) -> usize {
        let kind = if order.terms.limit.is_some() { Kind::LimitCreated } else { Kind::MarketCreated };
        accounts[order.account].ledger.note(kind, &order, order.created);
        self.by_id.insert(order.id.clone(), self.orders.len());
        self.orders.push(order);
        self.orders.len() - 1
    }

    fn meet(&self, order: &Order, outcome: &Outcome<'_>, limit: Decimal) -> MatchPlan {
        let side = order.terms.side;
        let mut meeting = MatchPlan { taken: Vec::new(), own: Vec::new(), left: order.remaining(), is_stopped: false };
        for offer in self.offers(outcome, order.terms.currency, side.other()) {
            if meeting.left.is_zero() || !side.reaches(limit, offer.price) {
                break;
            }
            let is_own = offer.maker.is_some_and(|maker| self.orders[maker].account == order.account);
            if is_own {
                let maker = offer.maker.unwrap_or_default();
                match order.terms.self_trade {
                    SelfTrade::Skip => {}
                    SelfTrade::CancelOldest => meeting.own.push(maker),
                    SelfTrade::CancelNewest => meeting.is_stopped = true,
                    SelfTrade::CancelBoth => {
                        meeting.own.push(maker);
                        meeting.is_stopped = true;
                    }
                }
                if meeting.is_stopped {
                    break;
                }
                continue;
            }
            let shares = offer.shares.map_or(meeting.left, |shares| shares.min(meeting.left));
            meeting.left -= shares;
            meeting.taken.push((offer, shares));
        }
        meeting
    }

    /// Lets an order of the book trade, and rests or ends what is left.
    fn carry_out(
        &mut self,
        accounts: &mut [Account],
        index: usize,
        outcome: &Outcome<'_>,
        meeting: MatchPlan,
        rests: bool,
        now: i64,
    ) {
        for own in meeting.own {
            self.close(accounts, own, Status::Cancelled, now);
        }
        for (offer, shares) in meeting.taken {
            self.trade(accounts, index, outcome, offer, shares, now);
        }
        let turn = self.next_turn();
        self.touch(index);
        let order = &mut self.orders[index];
        if order.remaining().is_zero() {
            return;
        }
        if rests {
            order.turn = turn;
            reserve(accounts, order, Decimal::ONE);
            if let Duration::RestUntil(end) = order.terms.duration {
                self.expirations.insert((end, index));
            }
            self.resting.entry((order.outcome_id.clone(), order.terms.currency)).or_default().insert(index);
        } else {
            order.status = Status::Cancelled;
        }
    }

    fn trade(
        &mut self,
        accounts: &mut [Account],
        taker: usize,
        outcome: &Outcome<'_>,
        offer: Offer,
        shares: Decimal,
        now: i64,
    ) {
        let order = &self.orders[taker];
        let party = |order: &Order| Party { account: order.account, order_id: order.id.clone() };
        let trade = Trade {
            id: uuid(),
            event_id: order.event_id.clone(),
            market_id: order.market_id.clone(),
            outcome_id: order.outcome_id.clone(),
            outcome_label: outcome.label,
            currency: order.terms.currency,
            price: offer.price,
            shares,
            taker_side: order.terms.side,
            taker: party(order),
            maker: offer.maker.map(|maker| party(&self.orders[maker])),
            house_order: uuid(),
            is_in_book: true,
            at: now,
        };
        let money = shares * offer.price * order.terms.currency.multiplier();
        if let Some(maker) = offer.maker {
            // What is still in the book is tied up for the smaller rest.
            reserve(accounts, &self.orders[maker], Decimal::NEGATIVE_ONE);
            settle(accounts, &mut self.orders[maker], shares, money, now);
            if self.orders[maker].is_open() {
                reserve(accounts, &self.orders[maker], Decimal::ONE);
            }
            self.note_fill(maker, shares, money, offer.price);
            self.leave_if_ended(maker);
        }
        settle(accounts, &mut self.orders[taker], shares, money, now);
        self.note_fill(taker, shares, money, offer.price);
        self.leave_if_ended(taker);
        self.record(trade);
    }

    /// An automated market maker trades the whole amount at once, whatever the limit.
    fn trade_with_market_maker(
        &mut self,
        accounts: &mut [Account],
        account: usize,
        outcome: Outcome<'_>,
        terms: Terms,
        now: i64,
    ) -> Result<usize, Rejection> {
        if terms.post_only {
            return Err(rejected("POST_ONLY_WOULD_CROSS", "a post-only order must not match at once"));
        }
        let price = match terms.side {
            Side::Buy => outcome.buy_price,
            Side::Sell => outcome.sell_price,
        };
        let shares = shares_for(terms.amount, price, terms.currency);
        if shares.is_zero() {
            return Err(rejected("BAD_REQUEST", "the amount buys no share"));
        }
        let money = terms.amount;
        let mut order = new_order(account, &outcome, terms, price, shares, now);
        let ledger = &accounts[account].ledger;
        match order.terms.side {
            Side::Buy if ledger.cash(order.terms.currency) < money => {
                return Err(rejected("INSUFFICIENT_BALANCE", "the balance is too low"));
            }
            Side::Sell if ledger.free_shares(outcome.id, order.terms.currency) < shares => return Err(TOO_FEW_SHARES),
            _ => {}
        }
        order.status = Status::Open;
        let index = self.keep(accounts, order);
        settle(accounts, &mut self.orders[index], shares, money, now);
        self.changes.fills.push(Fill { order: self.orders[index].clone(), shares, money, price });
        let order = &self.orders[index];
        let trade = Trade {
            id: uuid(),
            event_id: order.event_id.clone(),
            market_id: order.market_id.clone(),
            outcome_id: order.outcome_id.clone(),
            outcome_label: outcome.label,
            currency: order.terms.currency,
            price,
            shares,
            taker_side: order.terms.side,
            taker: Party { account, order_id: order.id.clone() },
            maker: None,
            house_order: uuid(),
            is_in_book: false,
            at: now,
        };
        self.record(trade);
        Ok(index)
    }

    /// The open orders of an account on an outcome.
    pub(super) fn open_on(&self, account: usize, outcome_id: &str) -> impl Iterator<Item = &Order> {
        let books = self.resting.iter().filter(move |((outcome, _), _)| outcome == outcome_id);
        let all = books.flat_map(|(_, orders)| orders).map(|index| &self.orders[*index]);
        all.filter(move |order| order.account == account && order.is_open())
    }

    /// The order of an account by its id.
    pub(super) fn own(&self, account: usize, id: &str) -> Result<usize, Rejection> {
        let found = self.by_id.get(id).copied().filter(|index| self.orders[*index].account == account);
        found.ok_or(rejected("ORDER_NOT_FOUND", "order not found"))
    }

    /// Takes an open order off the book.
    pub(super) fn cancel(
        &mut self,
        accounts: &mut [Account],
        account: usize,
        id: &str,
        now: i64,
    ) -> Result<(), Rejection> {
        let index = self.own(account, id)?;
        if !self.orders[index].is_open() {
            return Err(rejected("ORDER_NOT_OPEN", "only an open order can be cancelled"));
        }
        self.close(accounts, index, Status::Cancelled, now);
        Ok(())
    }

    /// Changes price and size of an open order. It keeps its turn where it only gets smaller; the new size is that of the whole.
    pub(super) fn amend(
        &mut self,
        accounts: &mut [Account],
        (account, id): (usize, &str),
        outcome: &Outcome<'_>,
        (price, size): (Option<Decimal>, Option<Decimal>),
        now: i64,
    ) -> Result<usize, Rejection> {
        let index = self.own(account, id)?;
        let before = self.orders[index].clone();
        if !before.is_open() {
            return Err(rejected("ORDER_NOT_OPEN", "only an open order can be amended"));
        }
        let mut changed = before.clone();
        changed.price = price.unwrap_or(before.price);
        changed.size = size.unwrap_or(before.size);
        if changed.size <= before.filled {
            return Err(rejected("BAD_REQUEST", "newSize must be greater than what is filled"));
        }
        changed.terms.limit = Some(changed.price);
        changed.terms.amount = (changed.size * changed.price * changed.terms.currency.multiplier()).normalize();
        changed.updated = now;
        let keeps_turn = changed.price == before.price && changed.size <= before.size;
        // On amending, the venue always cancels the older one of two own orders.
        let meant =
            Order { terms: Terms { self_trade: SelfTrade::CancelOldest, ..changed.terms.clone() }, ..changed.clone() };
        reserve(accounts, &before, Decimal::NEGATIVE_ONE);
        let meeting = self.meet(&meant, outcome, changed.price);
        let crosses = !meeting.taken.is_empty();
        let refused = if changed.terms.post_only && crosses {
            Err(rejected("POST_ONLY_WOULD_CROSS", "a post-only order must not match at once"))
        } else {
            afford(&accounts[account], &changed, &meeting, true)
        };
        if let Err(refused) = refused {
            reserve(accounts, &before, Decimal::ONE);
            return Err(refused);
        }
        let turn = before.turn;
        self.orders[index] = Order { turn: 0, ..changed };
        self.carry_out(accounts, index, outcome, meeting, true, now);
        if keeps_turn {
            self.orders[index].turn = turn;
        }
        Ok(index)
    }

    /// Closes what has passed its time.
    pub(super) fn expire(&mut self, accounts: &mut [Account], now: i64) {
        while let Some((end, index)) = self.expirations.first().copied().filter(|(end, _)| *end <= now) {
            self.expirations.remove(&(end, index));
            if self.orders[index].is_open() {
                self.close(accounts, index, Status::Expired, now);
            }
        }
    }

    fn close(&mut self, accounts: &mut [Account], index: usize, status: Status, now: i64) {
        self.touch(index);
        reserve(accounts, &self.orders[index], Decimal::NEGATIVE_ONE);
        let order = &mut self.orders[index];
        order.status = status;
        order.turn = 0;
        order.updated = now;
        self.leave_if_ended(index);
        let order = &self.orders[index];
        let kind = if status == Status::Expired { Kind::Expired } else { Kind::Cancelled };
        let ledger = &mut accounts[order.account].ledger;
        ledger.note(kind, order, now);
    }
}

/// The worst price that a market order takes.
fn furthest(terms: &Terms, best: Decimal) -> Decimal {
    let slippage = terms.max_slippage.unwrap_or(Decimal::ONE);
    match terms.side {
        Side::Buy => best * (Decimal::ONE + slippage),
        Side::Sell => best * (Decimal::ONE - slippage),
    }
}

fn new_order(account: usize, outcome: &Outcome<'_>, terms: Terms, price: Decimal, size: Decimal, now: i64) -> Order {
    Order {
        id: uuid(),
        account,
        event_id: outcome.event.id.clone(),
        market_id: outcome.market.id.clone(),
        outcome_id: outcome.id.to_owned(),
        outcome_label: outcome.label,
        terms,
        price,
        size,
        filled: Decimal::ZERO,
        paid: Decimal::ZERO,
        status: Status::Cancelled,
        turn: 0,
        created: now,
        updated: now,
    }
}

/// Whether an account has the money or the shares for what an order takes, and for its rest.
fn afford(account: &Account, order: &Order, meeting: &MatchPlan, rests: bool) -> Result<(), Rejection> {
    let terms = &order.terms;
    let unit = terms.currency.multiplier();
    let rest = if rests { meeting.left } else { Decimal::ZERO };
    let taken: Decimal = meeting.taken.iter().map(|(_, shares)| *shares).sum();
    match terms.side {
        Side::Buy => {
            let spent: Decimal = meeting.taken.iter().map(|(offer, shares)| *shares * offer.price * unit).sum();
            let needed = spent + rest * order.price * unit;
            let is_enough = needed <= account.ledger.cash(terms.currency);
            if is_enough { Ok(()) } else { Err(rejected("INSUFFICIENT_BALANCE", "the balance is too low")) }
        }
        Side::Sell => {
            let is_enough = taken + rest <= account.ledger.free_shares(&order.outcome_id, terms.currency);
            if is_enough { Ok(()) } else { Err(TOO_FEW_SHARES) }
        }
    }
}

/// Ties up what a resting order may come to, or gives it back.
fn reserve(accounts: &mut [Account], order: &Order, sign: Decimal) {
    if order.turn == 0 {
        return;
    }
    let ledger = &mut accounts[order.account].ledger;
    match order.terms.side {
        Side::Buy => ledger.reserve(order.terms.currency, sign * order.worth()),
        Side::Sell => ledger.offer(&order.outcome_id, order.terms.currency, sign * order.remaining()),
    }
}

/// Books a fill of an order: shares for money, or money for shares.
fn settle(accounts: &mut [Account], order: &mut Order, shares: Decimal, money: Decimal, now: i64) {
    order.filled += shares;
    order.paid += money;
    order.updated = now;
    order.status = if order.remaining().is_zero() { Status::Filled } else { Status::PartialFilled };
    let (currency, outcome_id) = (order.terms.currency, order.outcome_id.as_str());
    let ledger = &mut accounts[order.account].ledger;
    match order.terms.side {
        Side::Buy => {
            ledger.receive(currency, -money);
            ledger.add_shares(outcome_id, currency, shares, money, now);
        }
        Side::Sell => {
            let cost = ledger.take_shares(outcome_id, currency, shares, now);
            ledger.receive(currency, money);
            let event_id = order.event_id.clone();
            ledger.realized.push(Realized { at: now, event_id, currency, proceeds: money, cost });
        }
    }
    ledger.note(Kind::Fill { shares, money }, order, now);
}
