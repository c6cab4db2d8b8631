//! Sends orders to the books, and records the results: executions, trades, coins.

use rust_decimal::Decimal;

use super::members::{Member, SPOT};
use super::order::{Amend, Duration, Execution, Kind, Order, OwnTrade, Status, Wish};
use super::place;
use super::symbols::{MAKER_RATE, TAKER_RATE};
use super::trading::{AggregateTrade, Event, MAKER, PublicTrade, Report, Trading, owner};
use crate::exchange::{Amendment, ExchangeEvent, Fill, Reason, SelfTradePrevention, Side, Terms, TimeInForce, Trade};

/// The limit price of a buyer's market order in the book.
const ANY_PRICE: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

impl Trading {
    /// Accepts an order: it fills, rests, waits for its price, or ends at once. Gives its index.
    pub(super) fn accept(&mut self, members: &mut [Member], member: usize, wish: Wish, now: i64) -> usize {
        let index = self.add(member, wish, None, now);
        self.start(members, index, now);
        index
    }

    /// Adds an order that nothing is done with yet. Gives its index.
    pub(super) fn add(&mut self, member: usize, wish: Wish, list: Option<usize>, now: i64) -> usize {
        let index = self.orders.len();
        let symbol = wish.symbol;
        let order = Order {
            id: 1_000 + i64::try_from(index).unwrap_or_default(),
            member,
            list,
            status: Status::PendingNew,
            filled: Decimal::ZERO,
            value: Decimal::ZERO,
            time: now,
            updated: now,
            working_since: None,
            fills: Vec::new(),
            amends: Vec::new(),
            wish,
        };
        self.by_id.insert((symbol, order.id), index);
        self.by_client_id.insert((member, symbol, order.wish.client_id.clone()), index);
        self.orders.push(order);
        self.open.insert((member, index));
        index
    }

    /// Has an order begin: it goes to its book, or waits for its price.
    pub(super) fn start(&mut self, members: &mut [Member], index: usize, now: i64) {
        let order = &mut self.orders[index];
        let waits = order.wish.kind.waits().is_some();
        order.status = Status::New;
        order.updated = now;
        order.working_since = (!waits).then_some(now);
        self.report(index, Event::New, None, None);
        if waits {
            self.waiting.insert(index);
        } else {
            self.send(members, index, now);
        }
    }

    /// Sends an order to its book.
    fn send(&mut self, members: &mut [Member], index: usize, now: i64) {
        let (member, wish) = (self.orders[index].member, self.orders[index].wish.clone());
        let name = self.symbols[wish.symbol].name.clone();
        self.books.open_unlimited(owner(member));
        let placed = self.books.place(owner(member), &name, book_terms(&wish), false, now);
        match placed.map(|order| (order.id.clone(), order.reason)) {
            Ok((book_id, reason)) => {
                self.by_book_id.insert(book_id.clone(), index);
                self.book_ids.insert(index, book_id);
                self.settle(members, wish.symbol, now);
                if reason == Reason::SelfTrade && wish.own_trade == OwnTrade::Both {
                    self.expire_own(members, member, &wish, now);
                }
            }
            // A fill-or-kill order that cannot be filled.
            Err(_) => {
                self.end(index, Status::Expired, Event::Expired, now);
                self.follow_lists(members, now);
            }
        }
    }

    /// Ends the resting order that stopped another one of its owner.
    fn expire_own(&mut self, members: &mut [Member], member: usize, wish: &Wish, now: i64) {
        let name = self.symbols[wish.symbol].name.clone();
        let first = self.books.resting(&name, wish.side.opposite()).next();
        let own = first.filter(|order| order.owner == owner(member)).map(|order| order.id.clone());
        if let Some(id) = own {
            _ = self.books.cancel(&id, Reason::SelfTrade, now);
            self.settle(members, wish.symbol, now);
        }
    }

    /// Ends an open order that did nothing, and takes it out of its book.
    pub(super) fn expire(&mut self, members: &mut [Member], index: usize, now: i64) {
        self.end(index, Status::Expired, Event::Expired, now);
        self.withdraw(members, index, now);
    }

    pub(super) fn end(&mut self, index: usize, status: Status, event: Event, now: i64) {
        let order = &mut self.orders[index];
        order.status = status;
        order.updated = now;
        self.close(index);
        self.report(index, event, None, None);
    }

    /// Takes an order that has ended out of its book.
    fn withdraw(&mut self, members: &mut [Member], index: usize, now: i64) {
        if let Some(book_id) = self.book_ids.get(&index).cloned() {
            _ = self.books.cancel(&book_id, Reason::Decreased, now);
            self.settle(members, self.orders[index].wish.symbol, now);
        }
    }

    pub(super) fn close(&mut self, index: usize) {
        self.open.remove(&(self.orders[index].member, index));
        self.waiting.remove(&index);
    }

    /// Cancels an open order, and those that are of a list with it. `id` is the client id of the cancellation.
    pub(super) fn cancel(&mut self, members: &mut [Member], index: usize, id: &str, now: i64) {
        let all = self.open_with(index);
        for index in &all {
            let order = &mut self.orders[*index];
            order.status = Status::Canceled;
            order.updated = now;
            self.close(*index);
            self.report(*index, Event::Canceled, None, Some(id.to_owned()));
        }
        for index in all {
            self.withdraw(members, index, now);
        }
        self.follow_lists(members, now);
    }

    /// Makes an open order smaller. It keeps its place in the queue.
    pub(super) fn shrink(&mut self, members: &mut [Member], index: usize, (qty, id): (Decimal, &str), now: i64) {
        let report = self.next_report;
        let order = &mut self.orders[index];
        let (symbol, member) = (order.wish.symbol, order.member);
        let old_id = std::mem::replace(&mut order.wish.client_id, id.to_owned());
        let old_qty = std::mem::replace(&mut order.wish.qty, qty);
        order.updated = now;
        let amend = Amend {
            id: report,
            old_client_id: old_id.clone(),
            new_client_id: id.to_owned(),
            old_qty,
            new_qty: qty,
            time: now,
        };
        order.amends.push(amend);
        let price = order.wish.price;
        self.by_client_id.insert((member, symbol, id.to_owned()), index);
        self.report(index, Event::Replaced, None, Some(old_id));
        if let Some(book_id) = self.book_ids.get(&index).cloned() {
            let amendment = Amendment { price, count: qty, expiration: None, client_order_id: None };
            _ = self.books.amend(&book_id, amendment, now);
            self.settle(members, symbol, now);
        }
    }

    /// Records the events of a book, and triggers the orders that wait for its price.
    pub(super) fn settle(&mut self, members: &mut [Member], symbol: usize, now: i64) {
        self.apply(members, symbol);
        self.follow_lists(members, now);
        self.trigger(members, symbol, now);
    }

    pub(super) fn apply(&mut self, members: &mut [Member], symbol: usize) {
        let name = self.history_name(symbol);
        // The trade whose two sides are being recorded.
        let mut current = (String::new(), 0);
        for one in self.books.take_journal() {
            match one {
                ExchangeEvent::Level(change) => {
                    let mark = self.history.change(&name, change.side, change.price, change.delta);
                    let update = self.updates[symbol].add(mark);
                    self.changes.levels.push((symbol, change.side, change.price, update));
                }
                ExchangeEvent::Fill(fill, ..) => {
                    if current.0 != fill.id {
                        let next = self.trades[symbol].last().map_or(1, |trade| trade.id + 1);
                        current = (fill.id.clone(), next);
                    }
                    if fill.is_taker {
                        self.aggregate(symbol, &fill, current.1);
                    }
                    self.fill(members, symbol, &fill, current.1);
                }
                ExchangeEvent::Trade(trade) => self.note_trade(symbol, &trade, current.1),
                ExchangeEvent::Order(order) => {
                    if let Some(index) = self.by_book_id.get(&order.id).copied() {
                        self.follow(index, &order);
                    }
                }
                ExchangeEvent::Position(..) => {}
            }
        }
    }

    /// Ends an order that the book has ended for another reason than a trade or a cancellation.
    fn follow(&mut self, index: usize, book: &crate::exchange::Order) {
        if !self.orders[index].status.is_open() || book.status_name() != "canceled" {
            return;
        }
        let (status, event) = match book.reason {
            Reason::SelfTrade => (Status::ExpiredInMatch, Event::TradePrevention),
            _ => (Status::Expired, Event::Expired),
        };
        self.end(index, status, event, book.updated);
    }

    fn note_trade(&mut self, symbol: usize, trade: &Trade, id: i64) {
        let trade = PublicTrade {
            id,
            price: trade.price,
            qty: trade.count,
            time: trade.time,
            is_buyer_maker: trade.taker_side == Side::Ask,
        };
        self.trades[symbol].push(trade.clone());
        self.changes.trades.push((symbol, trade));
    }

    /// Trades of one order at one price count as one.
    fn aggregate(&mut self, symbol: usize, fill: &Fill, trade: i64) {
        let all = &mut self.aggregates[symbol];
        match all.last_mut() {
            Some(last) if last.taker == fill.order_id && last.price == fill.price => {
                last.qty += fill.count;
                last.last = trade;
                let last = last.clone();
                // Not sent yet: an order is carried out as a whole.
                match self.changes.aggregates.last_mut() {
                    Some((of, known)) if *of == symbol && known.id == last.id => *known = last,
                    _ => self.changes.aggregates.push((symbol, last)),
                }
            }
            _ => {
                let one = AggregateTrade {
                    id: all.last().map_or(1, |last| last.id + 1),
                    price: fill.price,
                    qty: fill.count,
                    first: trade,
                    last: trade,
                    time: fill.time,
                    is_buyer_maker: fill.side == Side::Ask,
                    taker: fill.order_id.clone(),
                };
                all.push(one.clone());
                self.changes.aggregates.push((symbol, one));
            }
        }
    }

    /// Records one side of a trade, unless it is the venue's own.
    fn fill(&mut self, members: &mut [Member], index: usize, fill: &Fill, trade: i64) {
        let symbol = &self.symbols[index];
        let Some(member) = members.get_mut(fill.owner.user) else { return };
        let value = fill.price * fill.count;
        let rate = if fill.is_taker { TAKER_RATE } else { MAKER_RATE };
        // The fee is taken from what comes in.
        let (fee, fee_coin) = match fill.side {
            Side::Bid => ((fill.count * rate).round_dp(8), symbol.base),
            Side::Ask => ((value * rate).round_dp(8), symbol.quote),
        };
        let sign = fill.side.sign();
        for (coin, change) in [(symbol.base, sign * fill.count), (symbol.quote, -sign * value), (fee_coin, -fee)] {
            *member.coin(SPOT, coin) += change;
        }
        member.updated = fill.time;
        let (base, quote) = (symbol.base, symbol.quote);
        let Some(order_index) = self.by_book_id.get(&fill.order_id).copied() else { return };
        let order = &mut self.orders[order_index];
        order.filled += fill.count;
        order.value += value;
        order.updated = fill.time;
        order.status = if order.filled == order.wish.qty { Status::Filled } else { Status::PartiallyFilled };
        order.fills.push(self.executions.len());
        let execution = Execution {
            trade,
            order: order_index,
            price: fill.price,
            qty: fill.count,
            fee,
            fee_coin,
            is_maker: !fill.is_taker,
            time: fill.time,
        };
        if order.status == Status::Filled {
            self.close(order_index);
        }
        self.executions.push(execution.clone());
        self.report(order_index, Event::Trade, Some(execution), None);
        self.note_coins(fill.owner.user, [base, quote]);
    }

    /// Sends the orders whose trigger price is reached.
    fn trigger(&mut self, members: &mut [Member], symbol: usize, now: i64) {
        let last = self.last(symbol);
        let reached = |order: &Order| order.wish.symbol == symbol && is_reached(&order.wish, last);
        // One after the other: each may move the price.
        while let Some(index) = self.waiting.iter().copied().find(|index| reached(&self.orders[*index])) {
            self.waiting.remove(&index);
            let order = &mut self.orders[index];
            order.working_since = Some(now);
            order.updated = now;
            self.changed_lists.extend(order.list);
            self.follow_lists(members, now);
            if self.can_pay(members, index) {
                self.send(members, index, now);
            } else {
                self.end(index, Status::Expired, Event::Expired, now);
                self.follow_lists(members, now);
            }
        }
    }

    /// Whether an account can pay an order that has just been triggered. Without a limit, the market may ask for more than
    /// the order has bound.
    fn can_pay(&self, members: &[Member], index: usize) -> bool {
        let Order { member, ref wish, .. } = self.orders[index];
        if wish.side == Side::Ask || wish.kind.is_limit() {
            return true;
        }
        let (free, _) = self.balance(members, member, self.symbols[wish.symbol].quote);
        free + wish.bound_price() * wish.qty >= place::cost(self, member, wish)
    }

    pub(super) fn report(
        &mut self,
        index: usize,
        event: Event,
        execution: Option<Execution>,
        other_id: Option<String>,
    ) {
        let order = self.orders[index].clone();
        self.changed_lists.extend(order.list);
        let symbol = &self.symbols[order.wish.symbol];
        let (member, coins) = (order.member, [symbol.base, symbol.quote]);
        let id = self.next_report;
        self.next_report += 1;
        self.changes.reports.push(Report { event, order, execution, other_id, id });
        self.note_coins(member, coins);
    }

    /// Has the venue itself rest as much as this at a price, with 0 nothing.
    pub(super) fn quote(&mut self, members: &mut [Member], symbol: usize, level: (Side, Decimal, Decimal), now: i64) {
        let (side, price, qty) = level;
        let name = self.symbols[symbol].name.clone();
        self.books.cancel_where(Reason::Decreased, now, |order| {
            order.owner == owner(MAKER)
                && order.ticker == name
                && order.terms.side == side
                && order.terms.price == price
        });
        if !qty.is_zero() {
            _ = self.books.place(owner(MAKER), &name, Terms::new(side, price, qty), true, now);
        }
        self.settle(members, symbol, now);
    }
}

/// Whether the trigger price of an order is reached.
pub(super) fn is_reached(wish: &Wish, last: Decimal) -> bool {
    let (Some(stop), Some(rises_for_buyer)) = (wish.stop_price, wish.kind.waits()) else { return false };
    let rises = rises_for_buyer == (wish.side == Side::Bid);
    if rises { last >= stop } else { last <= stop }
}

fn book_terms(wish: &Wish) -> Terms {
    let price = match (wish.kind.is_limit(), wish.side) {
        (true, _) => wish.price,
        (false, Side::Bid) => ANY_PRICE,
        (false, Side::Ask) => Decimal::ZERO,
    };
    Terms {
        time_in_force: match wish.duration {
            _ if !wish.kind.is_limit() => TimeInForce::ImmediateOrCancel,
            Duration::GoodTillCanceled => TimeInForce::GoodTillCanceled,
            Duration::ImmediateOrCancel => TimeInForce::ImmediateOrCancel,
            Duration::FillOrKill => TimeInForce::FillOrKill,
        },
        self_trade_prevention: match wish.own_trade {
            OwnTrade::Maker => SelfTradePrevention::Maker,
            OwnTrade::Taker | OwnTrade::Both => SelfTradePrevention::TakerAtCross,
        },
        post_only: wish.kind == Kind::LimitMaker,
        ..Terms::new(wish.side, price, wish.qty)
    }
}
