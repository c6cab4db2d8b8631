//! Changes and ends of orders that rest.

use rust_decimal::Decimal;

use super::account::Position;
use super::engine::{Exchange, Refused, Rules};
use super::funds::Change;
use super::journal::ExchangeEvent;
use super::order::{Order, Reason, Status, Traded};
use super::terms::{Owner, SelfTradePrevention, Side, Terms, TimeInForce};

/// The new terms of an order.
#[derive(Debug)]
pub(crate) struct Amendment {
    pub(crate) price: Decimal,
    /// What has traded and what is to rest.
    pub(crate) count: Decimal,
    /// Left out, the expiration stays; with none, it is taken away.
    pub(crate) expiration: Option<Option<i64>>,
    pub(crate) client_order_id: Option<String>,
}

impl<R: Rules> Exchange<R> {
    fn resting_index(&self, id: &str) -> Result<usize, Refused> {
        let index = self.indexes.get(id).copied().ok_or(Refused::NotResting)?;
        if self.orders[index].status == Status::Resting { Ok(index) } else { Err(Refused::NotResting) }
    }

    /// Changes an order and gives what traded because of that. Another price or a larger count loses the place in the
    /// queue.
    pub(crate) fn amend(&mut self, id: &str, amendment: Amendment, now: i64) -> Result<Traded, Refused> {
        let index = self.resting_index(id)?;
        let order = &self.orders[index];
        let (owner, ticker, before) = (order.owner, order.ticker.clone(), order.taker);
        if amendment.count < order.filled() {
            return Err(Refused::BelowFilled);
        }
        let renamed = amendment.client_order_id.filter(|id| order.terms.client_order_id.as_ref() != Some(id));
        if renamed.as_ref().is_some_and(|id| self.client_order_ids.contains(&(owner.user, id.clone()))) {
            return Err(Refused::Duplicate);
        }
        let mut terms = Terms { price: amendment.price, count: amendment.count, ..order.terms.clone() };
        terms.expiration = amendment.expiration.unwrap_or(terms.expiration);
        if let Some(id) = renamed {
            terms.client_order_id = Some(id);
        }
        let rest = self.allowed(owner, &ticker, &terms, terms.count - order.filled());
        terms.count = order.filled() + rest;
        if terms.price == order.terms.price && rest <= order.remaining {
            self.amend_in_place(index, terms, rest, now);
        } else {
            let plan = self.plan(owner, &ticker, &terms, rest);
            if terms.post_only && plan.crosses {
                return Err(Refused::Crosses);
            }
            let rest = if plan.stopped { Decimal::ZERO } else { rest - plan.filled };
            self.check_funds(owner, &ticker, &terms, &self.change(&plan, rest, Some(index)))?;
            self.remember(owner, &terms);
            self.unrest(index, Reason::Amended, now);
            self.orders[index].terms = terms;
            self.orders[index].reason = Reason::Amended;
            self.execute(index, &plan, rest, now);
        }
        Ok(self.orders[index].taker.since(before))
    }

    fn remember(&mut self, owner: Owner, terms: &Terms) {
        if let Some(id) = &terms.client_order_id {
            self.client_order_ids.insert((owner.user, id.clone()));
        }
    }

    fn amend_in_place(&mut self, index: usize, terms: Terms, rest: Decimal, now: i64) {
        self.remember(self.orders[index].owner, &terms);
        if let Some(seconds) = self.orders[index].terms.expiration {
            self.expirations.remove(&(seconds, index));
        }
        if let Some(seconds) = terms.expiration {
            self.expirations.insert((seconds, index));
        }
        let order = &mut self.orders[index];
        order.terms = terms;
        self.shrink(index, rest, Reason::Amended, now);
    }

    /// Leaves so much of an order in the book, in its place. Nothing ends it.
    fn shrink(&mut self, index: usize, rest: Decimal, reason: Reason, now: i64) {
        if rest.is_zero() {
            self.take_off(index, reason, now);
            return;
        }
        let taken = self.orders[index].remaining - rest;
        self.bind(index, -taken);
        if !taken.is_zero() {
            self.note_level(index, -taken, reason, now);
        }
        let order = &mut self.orders[index];
        order.remaining = rest;
        order.reason = reason;
        order.updated = now;
        self.note_order(index);
    }

    /// Cuts the resting orders of a market that may only close a position to what there is to close.
    pub(super) fn curtail(&mut self, ticker: &str, now: i64) {
        let of_market: Vec<usize> =
            self.reducing.iter().copied().filter(|index| self.orders[*index].ticker == ticker).collect();
        for index in of_market {
            let order = &self.orders[index];
            let rest = self.allowed(order.owner, ticker, &order.terms, order.remaining);
            if rest < order.remaining {
                if !rest.is_zero() {
                    self.orders[index].terms.count = self.orders[index].filled() + rest;
                }
                self.shrink(index, rest, Reason::ReduceOnly, now);
            }
        }
    }

    /// Takes contracts off an order, which keeps its place. Its count stays what it was.
    pub(crate) fn decrease(&mut self, id: &str, rest: Decimal, now: i64) -> Result<&Order, Refused> {
        let index = self.resting_index(id)?;
        if rest > self.orders[index].remaining {
            return Err(Refused::BelowFilled);
        }
        if rest < self.orders[index].remaining {
            self.shrink(index, rest, Reason::Decreased, now);
        }
        Ok(&self.orders[index])
    }

    /// Cancels a resting order and gives it with the count that was taken off the book.
    pub(crate) fn cancel(&mut self, id: &str, reason: Reason, now: i64) -> Result<(&Order, Decimal), Refused> {
        let index = self.resting_index(id)?;
        let reduced_by = self.take_off(index, reason, now);
        Ok((&self.orders[index], reduced_by))
    }

    /// Cancels the resting orders that are wanted.
    pub(crate) fn cancel_where(&mut self, reason: Reason, now: i64, is_wanted: impl Fn(&Order) -> bool) {
        let books = self.books.values();
        let resting = books.flat_map(|book| Side::BOTH.into_iter().flat_map(|side| book.resting(side)));
        let wanted: Vec<usize> = resting.filter(|index| is_wanted(&self.orders[*index])).collect();
        for index in wanted {
            self.take_off(index, reason, now);
        }
    }

    /// When the next resting order ends, in Unix seconds.
    pub(crate) fn next_expiration(&self) -> Option<i64> {
        self.expirations.first().map(|(at, _)| *at)
    }

    /// Cancels what has passed its expiration.
    pub(crate) fn expire(&mut self, now: i64) {
        while let Some((_, index)) = self.expirations.first().copied().filter(|(at, _)| *at <= now / 1000) {
            self.take_off(index, Reason::Expired, now);
        }
    }

    /// Ends a market: nothing rests, and every position is paid out at a value. Gives the positions as they were.
    pub(crate) fn settle(&mut self, ticker: &str, value: Decimal, now: i64) -> Vec<(Owner, Position)> {
        self.cancel_where(Reason::MarketClosed, now, |order| order.ticker == ticker);
        let (mut settled, mut notes) = (Vec::new(), Vec::new());
        for (owner, account) in &mut self.accounts {
            let Some(position) = account.holdings.get_mut(ticker).map(|holding| &mut holding.position) else {
                continue;
            };
            let before = position.clone();
            let side = if before.count.is_sign_negative() { Side::Bid } else { Side::Ask };
            account.funds += position.trade(side, value, before.count.abs());
            position.settled = true;
            if !before.count.is_zero() {
                account.updated = now;
                position.updated = now;
                notes.push(ExchangeEvent::Position(*owner, ticker.to_owned(), Box::new(position.clone())));
                settled.push((*owner, before));
            }
        }
        notes.into_iter().for_each(|one| self.note(one));
        if let Some(book) = self.books.get_mut(ticker) {
            book.open_interest = Decimal::ZERO;
        }
        settled
    }

    /// Makes two users trade at a price that they agreed on away from the book, and gives the ids of their orders. The first
    /// one is the taker. Two orders of one user do not trade: both are cancelled.
    pub(crate) fn trade_by_agreement(
        &mut self,
        (taker, maker): (Owner, Owner),
        ticker: &str,
        (side, price, count): (Side, Decimal, Decimal),
        now: i64,
    ) -> Result<(String, String), Refused> {
        let terms = |side: Side| Terms {
            time_in_force: TimeInForce::FillOrKill,
            self_trade_prevention: SelfTradePrevention::TakerAtCross,
            ..Terms::new(side, price, count)
        };
        let both = [(taker, terms(side)), (maker, terms(side.opposite()))];
        let trades = taker.user != maker.user;
        if trades {
            let change = Change { fills: vec![(price, count)], ..Change::default() };
            for (owner, terms) in &both {
                self.check_funds(*owner, ticker, terms, &change)?;
            }
        }
        let (status, reason) =
            if trades { (Status::Executed, Reason::Trade) } else { (Status::Canceled, Reason::SelfTrade) };
        let first = self.orders.len();
        for (owner, terms) in both {
            let order = Order { status, reason, ..Order::new(owner, ticker, terms, false, now) };
            self.indexes.insert(order.id.clone(), self.orders.len());
            self.orders.push(order);
        }
        if trades {
            self.record(first, first + 1, price, count, now);
            self.curtail(ticker, now);
        }
        self.note_order(first);
        self.note_order(first + 1);
        Ok((self.orders[first].id.clone(), self.orders[first + 1].id.clone()))
    }
}
