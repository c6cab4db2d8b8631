//! What is available: funds less what positions and resting orders bind.

use rust_decimal::Decimal;

use super::account::{Account, Holding};
use super::engine::{Exchange, Refused, Rules};
use super::order::Order;
use super::terms::{Owner, Side, Terms};

/// What an order does to the holding of its owner.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Prices and counts.
    pub(super) fills: Vec<(Decimal, Decimal)>,
    /// Orders that leave the book.
    pub(super) gone: Vec<usize>,
    /// Contracts that rest afterwards.
    pub(super) rest: Decimal,
}

/// An order that does not rest yet.
struct Arriving {
    side: Side,
    price: Decimal,
    count: Decimal,
}

impl<R: Rules> Exchange<R> {
    /// The price by which positions are valued: that of the last trade.
    pub(crate) fn mark(&self, ticker: &str) -> Decimal {
        self.book(ticker).and_then(|book| book.last_price).unwrap_or_default()
    }

    /// What a subaccount may spend or withdraw.
    pub(crate) fn available(&self, owner: Owner) -> Decimal {
        let Some(account) = self.account(owner) else { return Decimal::ZERO };
        let bound = account.holdings.iter().map(|(ticker, holding)| {
            let position = self.rules.position_margin(&holding.position, self.mark(ticker));
            position + self.resting_margin(owner, ticker, holding, &[], None)
        });
        account.funds - bound.sum::<Decimal>()
    }

    /// What the resting orders of a subaccount bind in all markets.
    pub(crate) fn reserved(&self, owner: Owner) -> Decimal {
        let holdings = self.account(owner).into_iter().flat_map(|account| &account.holdings);
        holdings.map(|(ticker, holding)| self.resting_margin(owner, ticker, holding, &[], None)).sum()
    }

    /// Adds what so many contracts of an order bind to its owner's holding.
    pub(super) fn bind(&mut self, index: usize, count: Decimal) {
        let order = &self.orders[index];
        let side = order.terms.side;
        let margin = self.rules.order_margin(side, order.terms.price) * count;
        let account = self.accounts.entry(order.owner).or_default();
        account.holdings.entry(order.ticker.clone()).or_default().add_resting(side, margin);
    }

    /// Refuses a change that its owner cannot pay. One that frees more than it binds is always taken.
    pub(super) fn check_funds(
        &self,
        owner: Owner,
        ticker: &str,
        terms: &Terms,
        change: &Change,
    ) -> Result<(), Refused> {
        let none = Account::default();
        let account = self.account(owner).unwrap_or(&none);
        if account.unlimited {
            return Ok(());
        }
        let before = account.holdings.get(ticker).cloned().unwrap_or_default();
        let mut after = before.clone();
        let (mut mark, mut growth) = (self.mark(ticker), Decimal::ZERO);
        for (price, count) in &change.fills {
            mark = *price;
            growth += after.position.trade(terms.side, mark, *count) - self.rules.fee(mark, *count, true);
        }
        for order in change.gone.iter().map(|index| &self.orders[*index]).filter(|order| order.owner == owner) {
            let margin = self.rules.order_margin(order.terms.side, order.terms.price);
            after.add_resting(order.terms.side, -margin * order.remaining);
        }
        after.add_resting(terms.side, self.rules.order_margin(terms.side, terms.price) * change.rest);
        let arriving = Arriving { side: terms.side, price: terms.price, count: change.rest };
        growth += self.rules.position_margin(&before.position, self.mark(ticker))
            + self.resting_margin(owner, ticker, &before, &[], None);
        growth -= self.rules.position_margin(&after.position, mark)
            + self.resting_margin(owner, ticker, &after, &change.gone, Some(&arriving));
        let is_short = growth < Decimal::ZERO && self.available(owner) + growth < Decimal::ZERO;
        if is_short { Err(Refused::TooLittleFunds) } else { Ok(()) }
    }

    /// What resting orders bind in a market. Those that close the position, the best prices first, bind nothing.
    fn resting_margin(
        &self,
        owner: Owner,
        ticker: &str,
        holding: &Holding,
        gone: &[usize],
        arriving: Option<&Arriving>,
    ) -> Decimal {
        let of_side = |side: Side| {
            let mut cover = holding.position.closable_by(side);
            let mut margin = holding.resting(side);
            if margin.is_zero() || cover.is_zero() {
                return margin;
            }
            for (price, count) in self.queue_of(owner, ticker, side, gone, arriving) {
                let covered = cover.min(count);
                margin -= self.rules.order_margin(side, price) * covered;
                cover -= covered;
                if cover.is_zero() {
                    break;
                }
            }
            margin
        };
        of_side(Side::Bid) + of_side(Side::Ask)
    }

    /// Prices and counts of a subaccount's orders on a side, in the order in which they trade.
    fn queue_of(
        &self,
        owner: Owner,
        ticker: &str,
        side: Side,
        gone: &[usize],
        arriving: Option<&Arriving>,
    ) -> Vec<(Decimal, Decimal)> {
        let book = self.books.get(ticker);
        let indexes = book.into_iter().flat_map(|book| book.resting(side)).filter(|index| !gone.contains(index));
        let own = |order: &&Order| order.owner == owner;
        let orders = indexes.map(|index| &self.orders[index]).filter(own);
        let mut queue: Vec<_> = orders.map(|order| (order.terms.price, order.remaining)).collect();
        if let Some(arriving) = arriving.filter(|arriving| arriving.side == side) {
            let is_better = |(price, _): &(Decimal, Decimal)| side.reaches(*price, arriving.price);
            let place = queue.partition_point(is_better);
            queue.insert(place, (arriving.price, arriving.count));
        }
        queue
    }
}
