//! Sends orders to the books, and books what comes of it: fills, positions, coins.

use rust_decimal::Decimal;

use super::category::Category;
use super::members::Member;
use super::order::{Closed, Duration, Execution, Order, OwnTrade, Status, Trigger, Wish};
use super::position::Close;
use super::seed::tick;
use super::trading::{MAKER, PublicTrade, TAKER, Trading, owner};
use super::wallet;
use crate::exchange::{
    Amendment, ExchangeEvent, Fill, Reason, ReduceOnly, Refused, SelfTradePrevention, Side, Terms, TimeInForce, Trade,
};
use crate::make::uuid;

/// What an order says that nothing went wrong with.
pub(super) const NO_ERROR: &str = "EC_NoError";

impl Trading {
    /// Accepts an order: it fills, rests, waits for its price, or ends at once. Gives its index.
    pub(super) fn accept(&mut self, members: &mut [Member], member: usize, wish: Wish, now: i64) -> usize {
        let index = self.orders.len();
        let category = self.instruments[wish.instrument].category;
        if !wish.link.is_empty() {
            self.by_link.insert((member, category, wish.link.clone()), index);
        }
        let is_conditional = wish.trigger.is_some();
        let order = Order {
            id: uuid(),
            member,
            status: if is_conditional { Status::Untriggered } else { Status::New },
            cancel_type: "UNKNOWN",
            reject: NO_ERROR,
            leaves: wish.qty,
            filled: Decimal::ZERO,
            value: Decimal::ZERO,
            fees: Decimal::ZERO,
            fee_coin: "",
            closed_pnl: Decimal::ZERO,
            last_on_created: self.last(wish.instrument),
            created: now,
            updated: now,
            wish,
        };
        self.by_id.insert(order.id.clone(), index);
        if is_conditional {
            self.watched.insert(index);
        }
        self.orders.push(order);
        if is_conditional {
            self.note_order(index);
        } else {
            self.send(members, index, now);
        }
        index
    }

    /// Sends an order to its book.
    fn send(&mut self, members: &mut [Member], index: usize, now: i64) {
        let (member, mut wish) = (self.orders[index].member, self.orders[index].wish.clone());
        if wish.reduce_only {
            let closable = self.closable(member, &wish);
            if closable.is_zero() {
                return self.end(index, Status::Cancelled, "CancelByReduceOnly", "EC_Others", now);
            }
            wish.qty = wish.qty.min(closable);
            self.orders[index].wish.qty = wish.qty;
            self.orders[index].leaves = wish.qty;
        }
        // A conditional order binds nothing while it waits, so what it needs may be gone by now.
        if wish.trigger.is_some() && wallet::check(self, members, member, &wish, Some(index)).is_err() {
            return self.end(index, Status::Rejected, "UNKNOWN", "EC_Others", now);
        }
        let symbol = self.instruments[wish.instrument].symbol.clone();
        self.book_mut(wish.instrument).open_unlimited(owner(member));
        let placed = self.book_mut(wish.instrument).place(owner(member), &symbol, book_terms(&wish), false, now);
        let placed = placed.map(|order| (order.id.clone(), order.reason));
        match placed {
            Ok((book_id, reason)) => {
                self.by_book_id.insert(book_id.clone(), index);
                self.book_ids.insert(index, book_id);
                self.settle(members, wish.instrument, now);
                if reason == Reason::SelfTrade && wish.own_trade == OwnTrade::CancelBoth {
                    self.cancel_own_crossing(members, member, &wish, now);
                }
            }
            Err(Refused::Crosses) => {
                self.end(index, Status::Cancelled, "UNKNOWN", "EC_PostOnlyWillTakeLiquidity", now);
            }
            Err(_) => self.end(index, Status::Cancelled, "UNKNOWN", "EC_NoEnoughQtyToFill", now),
        }
        self.note_position(member, wish.instrument);
    }

    /// Cancels the resting order of the owner that stopped an order of theirs.
    fn cancel_own_crossing(&mut self, members: &mut [Member], member: usize, wish: &Wish, now: i64) {
        let symbol = self.instruments[wish.instrument].symbol.clone();
        let first = self.book(wish.instrument).resting(&symbol, wish.side.opposite()).next();
        let own = first.filter(|order| order.owner == owner(member)).map(|order| order.id.clone());
        if let Some(id) = own {
            _ = self.book_mut(wish.instrument).cancel(&id, Reason::SelfTrade, now);
            self.settle(members, wish.instrument, now);
        }
    }

    /// Ends an order that does not rest.
    fn end(&mut self, index: usize, status: Status, cancel: &'static str, reject: &'static str, now: i64) {
        let order = &mut self.orders[index];
        order.status = status;
        order.cancel_type = cancel;
        order.reject = reject;
        order.leaves = Decimal::ZERO;
        order.updated = now;
        self.note_order(index);
    }

    /// Cancels an open order.
    pub(super) fn cancel(&mut self, members: &mut [Member], index: usize, now: i64) {
        let (member, instrument) = (self.orders[index].member, self.orders[index].wish.instrument);
        match self.book_ids.get(&index).cloned() {
            Some(id) if self.orders[index].status != Status::Untriggered => {
                _ = self.book_mut(instrument).cancel(&id, Reason::Decreased, now);
                self.settle(members, instrument, now);
            }
            _ => self.end(index, Status::Deactivated, "CancelByUser", "EC_PerCancelRequest", now),
        }
        self.note_position(member, instrument);
    }

    /// Changes price or quantity of an open order. The venue cancels one that would no longer be post-only.
    pub(super) fn amend(
        &mut self,
        members: &mut [Member],
        index: usize,
        (price, qty, trigger): (Decimal, Decimal, Option<Trigger>),
        now: i64,
    ) {
        let order = &mut self.orders[index];
        let (member, instrument) = (order.member, order.wish.instrument);
        order.wish.price = price;
        order.wish.qty = qty;
        order.wish.trigger = trigger.or(order.wish.trigger);
        order.leaves = qty - order.filled;
        order.updated = now;
        let id = self.book_ids.get(&index).cloned().filter(|_| order.status != Status::Untriggered);
        let Some(id) = id else { return self.note_order(index) };
        let amendment = Amendment { price, count: qty, expiration: None, client_order_id: None };
        if self.book_mut(instrument).amend(&id, amendment, now).is_err() {
            _ = self.book_mut(instrument).cancel(&id, Reason::Decreased, now);
            self.settle(members, instrument, now);
            self.orders[index].cancel_type = "UNKNOWN";
            self.orders[index].reject = "EC_PostOnlyWillTakeLiquidity";
            self.note_order(index);
        } else {
            self.settle(members, instrument, now);
        }
        self.note_position(member, instrument);
    }

    /// Books what has happened in the book of an instrument, and what follows from it.
    pub(super) fn settle(&mut self, members: &mut [Member], instrument: usize, now: i64) {
        self.apply(members, instrument);
        self.trigger(members, instrument, now);
    }

    fn apply(&mut self, members: &mut [Member], instrument: usize) {
        let name = self.history_name(instrument);
        let happened = self.book_mut(instrument).take_journal();
        // Trades and executions whose number is that of the level that changes with them.
        let (mut fills, mut trades, mut touched) = (Vec::new(), Vec::new(), Vec::new());
        for one in happened {
            match one {
                ExchangeEvent::Level(change) => {
                    let mark = self.history.change(&name, change.side, change.price, change.delta);
                    self.marks.insert(instrument, mark);
                    self.changes.books.insert(instrument, mark);
                    for fill in fills.drain(..) {
                        self.fill(members, instrument, &fill, mark);
                    }
                    for trade in trades.drain(..) {
                        self.note_trade(instrument, &trade, mark);
                    }
                }
                ExchangeEvent::Fill(fill, ..) => fills.push(*fill),
                ExchangeEvent::Trade(trade) => trades.push(trade),
                ExchangeEvent::Order(order) => {
                    if let Some(index) = self.by_book_id.get(&order.id).copied() {
                        self.follow(index, &order);
                        if !touched.contains(&index) {
                            touched.push(index);
                        }
                    }
                }
                ExchangeEvent::Position(..) => {}
            }
        }
        for index in touched {
            self.note_order(index);
        }
    }

    /// Brings an order up to date with the one in the book.
    fn follow(&mut self, index: usize, book: &crate::exchange::Order) {
        let is_spot = !self.instruments[self.orders[index].wish.instrument].category.has_positions();
        let order = &mut self.orders[index];
        order.leaves = book.remaining;
        order.updated = book.updated;
        order.status = match book.status_name() {
            "resting" if book.filled().is_zero() => Status::New,
            "resting" => Status::PartiallyFilled,
            "executed" => Status::Filled,
            _ if is_spot && !book.filled().is_zero() => Status::PartiallyFilledCanceled,
            _ => Status::Cancelled,
        };
        if book.status_name() == "resting" {
            // The book cuts an order that only closes a position to what there is to close.
            order.wish.qty = book.terms.count;
        }
        if order.status.is_open() || order.status == Status::Filled {
            return;
        }
        (order.cancel_type, order.reject) = match book.reason {
            Reason::Decreased | Reason::Amended => ("CancelByUser", "EC_PerCancelRequest"),
            Reason::SelfTrade => ("CancelBySmp", "EC_BySelfMatch"),
            Reason::ReduceOnly => ("CancelByReduceOnly", "EC_PerCancelRequest"),
            Reason::MarketClosed => ("CancelByDelivery", "EC_PerCancelRequest"),
            _ if book.filled().is_zero() => ("UNKNOWN", "EC_NoImmediateQtyToFill"),
            _ => ("UNKNOWN", "EC_CancelForNoFullFill"),
        };
    }

    fn note_trade(&mut self, instrument: usize, trade: &Trade, mark: i64) {
        let before = self.trades.get(&instrument).and_then(|trades| trades.last()).map(|trade| trade.price);
        let trade = PublicTrade {
            id: trade.id.clone(),
            side: trade.taker_side,
            price: trade.price,
            qty: trade.count,
            seq: mark,
            time: trade.time,
            tick: tick(before.unwrap_or_default(), trade.price),
        };
        self.trades.entry(instrument).or_default().push(trade.clone());
        self.changes.trades.entry(instrument).or_default().push(trade);
    }

    /// Books one side of a trade, unless it is the venue's own.
    fn fill(&mut self, members: &mut [Member], index: usize, fill: &Fill, mark: i64) {
        if fill.owner.user == MAKER || fill.owner.user == TAKER {
            return;
        }
        let Some(order) = self.by_book_id.get(&fill.order_id).copied() else { return };
        let (price_mark, instrument) = (self.mark(index), &self.instruments[index]);
        let rate = if fill.is_taker { instrument.taker_rate() } else { instrument.maker_rate() };
        let value = instrument.value(fill.price, fill.count);
        let member = self.orders[order].member;
        let mut close = Close::default();
        let (fee, fee_coin) = match (instrument.category, fill.side) {
            (Category::Spot, Side::Bid) => ((fill.count * rate).round_dp(10), instrument.base),
            _ => ((value * rate).round_dp(10), instrument.settle),
        };
        if instrument.category.has_positions() {
            let position = self.positions.entry((member, index)).or_default();
            close = position.fill(instrument, fill.side, (fill.price, fill.count), fee, fill.time);
            position.seq = mark;
            let coin = members[member].unified.entry(instrument.settle.to_owned()).or_default();
            coin.wallet += close.pnl - fee;
            coin.realized += close.pnl - fee;
            self.changes.wallets.entry(member).or_default().insert(instrument.settle);
        } else {
            let sign = fill.side.sign();
            for (coin, change) in
                [(instrument.base, sign * fill.count), (instrument.quote, -sign * value), (fee_coin, -fee)]
            {
                members[member].unified.entry(coin.to_owned()).or_default().wallet += change;
                self.changes.wallets.entry(member).or_default().insert(coin);
            }
        }
        let order = &mut self.orders[order];
        order.filled += fill.count;
        order.value += value;
        order.fees += fee;
        order.fee_coin = fee_coin;
        order.closed_pnl += close.pnl - close.open_fee - close.close_fee;
        let execution = Execution {
            id: if fill.is_taker { fill.id.clone() } else { uuid() },
            member,
            instrument: index,
            order_id: order.id.clone(),
            link: order.wish.link.clone(),
            side: fill.side,
            order_price: order.wish.price,
            order_qty: order.wish.qty,
            leaves: order.wish.qty - order.filled,
            is_market: order.wish.is_market,
            price: fill.price,
            qty: fill.count,
            value,
            fee,
            fee_coin,
            fee_rate: rate,
            is_maker: !fill.is_taker,
            closed: close.size,
            pnl: close.pnl,
            mark: price_mark,
            seq: mark,
            time: fill.time,
        };
        self.executions.push(execution.clone());
        self.changes.executions.push(execution.clone());
        if !close.size.is_zero() {
            self.note_closed(&execution, close);
        }
        if self.instruments[index].category.has_positions() {
            self.changes.positions.insert((member, index));
        }
    }

    /// What an order closes counts as one, however many fills it has.
    fn note_closed(&mut self, execution: &Execution, close: Close) {
        let pnl = close.pnl - close.open_fee - close.close_fee;
        if let Some(known) = self.closed.iter_mut().rev().find(|one| one.order_id == execution.order_id) {
            known.size += close.size;
            known.entry += close.entry;
            known.exit += close.exit;
            known.pnl += pnl;
            known.fills += 1;
            known.open_fee += close.open_fee;
            known.close_fee += close.close_fee;
            known.updated = execution.time;
            return;
        }
        let position = self.positions.get(&(execution.member, execution.instrument));
        self.closed.push(Closed {
            member: execution.member,
            instrument: execution.instrument,
            order_id: execution.order_id.clone(),
            side: execution.side,
            order_price: execution.order_price,
            order_qty: execution.order_qty,
            is_market: execution.is_market,
            size: close.size,
            entry: close.entry,
            exit: close.exit,
            pnl,
            fills: 1,
            leverage: position.map(|position| position.leverage).unwrap_or_default(),
            open_fee: close.open_fee,
            close_fee: close.close_fee,
            created: execution.time,
            updated: execution.time,
        });
    }

    /// Sends the conditional orders whose price has come.
    fn trigger(&mut self, members: &mut [Member], instrument: usize, now: i64) {
        let last = self.last(instrument);
        let reached = |order: &Order| {
            order.wish.instrument == instrument
                && order.status == Status::Untriggered
                && order
                    .wish
                    .trigger
                    .is_some_and(|trigger| if trigger.rises { last >= trigger.price } else { last <= trigger.price })
        };
        // One after the other: each may move the price.
        while let Some(index) = self.watched.iter().copied().find(|index| reached(&self.orders[*index])) {
            self.orders[index].status = Status::New;
            self.orders[index].updated = now;
            self.send(members, index, now);
        }
    }

    pub(super) fn note_order(&mut self, index: usize) {
        let order = &self.orders[index];
        if !order.status.is_open() {
            self.watched.remove(&index);
        }
        let (is_resting, place) = (order.binds(), (order.member, index));
        let was_resting = if is_resting { !self.resting.insert(place) } else { self.resting.remove(&place) };
        let instrument = &self.instruments[order.wish.instrument];
        if instrument.category == Category::Spot && (is_resting || was_resting) {
            // What is locked of the coin has changed.
            let coin = if order.wish.side == Side::Bid { instrument.quote } else { instrument.base };
            self.changes.wallets.entry(order.member).or_default().insert(coin);
        }
        self.changes.orders.push(order.clone());
    }

    /// A position is sent for each change of an order, whether it has changed or not.
    fn note_position(&mut self, member: usize, instrument: usize) {
        if self.instruments[instrument].category.has_positions() {
            self.changes.positions.insert((member, instrument));
        }
    }

    /// Has the venue itself rest as much as this at a price, with 0 nothing.
    pub(super) fn quote(
        &mut self,
        members: &mut [Member],
        instrument: usize,
        level: (Side, Decimal, Decimal),
        now: i64,
    ) {
        let (side, price, qty) = level;
        let symbol = self.instruments[instrument].symbol.clone();
        self.book_mut(instrument).cancel_where(Reason::Decreased, now, |order| {
            order.owner == owner(MAKER)
                && order.ticker == *symbol
                && order.terms.side == side
                && order.terms.price == price
        });
        if !qty.is_zero() {
            let terms = Terms::new(side, price, qty);
            _ = self.book_mut(instrument).place(owner(MAKER), &symbol, terms, true, now);
        }
        self.settle(members, instrument, now);
    }
}

fn book_terms(wish: &Wish) -> Terms {
    Terms {
        time_in_force: match wish.duration {
            Duration::ImmediateOrCancel => TimeInForce::ImmediateOrCancel,
            Duration::FillOrKill => TimeInForce::FillOrKill,
            Duration::GoodTillCancelled | Duration::PostOnly => TimeInForce::GoodTillCanceled,
        },
        self_trade_prevention: match wish.own_trade {
            OwnTrade::Allowed => SelfTradePrevention::Allowed,
            OwnTrade::CancelMaker => SelfTradePrevention::Maker,
            OwnTrade::CancelTaker | OwnTrade::CancelBoth => SelfTradePrevention::TakerAtCross,
        },
        post_only: wish.duration == Duration::PostOnly,
        reduce_only: if wish.reduce_only { ReduceOnly::WhileHeld } else { ReduceOnly::No },
        ..Terms::new(wish.side, wish.price, wish.qty)
    }
}
