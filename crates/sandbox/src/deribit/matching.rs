//! How an order meets what stands in the book.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::book::{Offer, OrderLocation};
use super::channels::Private;
use super::funds;
use super::instruments::Instrument;
use super::orders::{Direction, OrderState, Price};
use super::positions::{self, average};
use super::state::State;
use super::trades::{Liquidity, Match, PublicTrade, Trade};
use crate::number::Number;

/// Lets an open order meet the book; what is left of it stays there, or ends. Returns its trades.
pub(super) fn execute(state: &mut State, instrument: &Instrument, slot: OrderLocation) -> Vec<Trade> {
    let order = state.order(slot);
    let (direction, left, is_market) = (order.direction, order.left(), order.order_type == "market");
    let stays_with_rest = order.original_order_type == Some("market_limit");
    let best = state.offers(instrument, direction.other()).next().map(|offer| offer.price);
    let limit = if stays_with_rest { best } else { order.price.limit() };
    let is_immediate = matches!(order.time_in_force, "immediate_or_cancel" | "fill_or_kill");
    let MatchPlan { offers, own, missing, is_stopped } = meet(state, instrument, slot, limit);
    let fills = order.time_in_force != "fill_or_kill" || missing.is_zero();
    let trades = if fills { take(state, instrument, slot, left, offers, own) } else { Vec::new() };

    let order = state.order_mut(slot);
    if is_market {
        let reached = if order.filled_amount.0.is_zero() { limit } else { Some(order.average_price.0) };
        order.price = reached.map_or(Price::Market, |price| Price::Limit(Number::from(price)));
    }
    if order.order_state == OrderState::Open {
        match limit.filter(|_| !is_immediate && !is_stopped && (!is_market || stays_with_rest)) {
            Some(price) => {
                order.price = Price::Limit(Number(price));
                state.rest(slot);
            }
            None => state.end(slot, OrderState::Cancelled, None),
        }
    }
    trades
}

struct MatchPlan {
    offers: Vec<Offer>,
    /// The owner's own orders on the way: they are cancelled, not traded with.
    own: Vec<OrderLocation>,
    /// What nobody offers.
    missing: Decimal,
    /// Whether an order of the owner's own ends the taking order, as the account has chosen.
    is_stopped: bool,
}

fn meet(state: &State, instrument: &Instrument, slot: OrderLocation, limit: Option<Decimal>) -> MatchPlan {
    let order = state.order(slot);
    let (mut offers, mut own, mut missing, mut is_stopped) = (Vec::new(), Vec::new(), order.left(), false);
    let profile = &state.accounts[slot.account].profile;
    let is_own = |maker: OrderLocation| {
        maker.account == slot.account
            || profile.self_trading_in_subaccounts && state.main_of(maker.account) == state.main_of(slot.account)
    };
    // By how much the fills planned so far move the makers' positions: a later order may have nothing left to reduce.
    let mut moved: BTreeMap<usize, Decimal> = BTreeMap::new();
    for offer in state.offers(instrument, order.direction.other()) {
        let is_reached = limit.is_none_or(|limit| !order.direction.is_beyond(limit, offer.price));
        if missing.is_zero() || !is_reached {
            break;
        }
        match offer.maker {
            Some(maker) if is_own(maker) && profile.self_trading_mode == "reject_taker" => {
                is_stopped = true;
                break;
            }
            Some(maker) if is_own(maker) => own.push(maker),
            _ => {
                let amount = missing.min(offer.amount);
                let amount = offer.maker.map_or(amount, |maker| capped(state, instrument, maker, &moved, amount));
                if amount.is_zero() {
                    continue;
                }
                if let Some(maker) = offer.maker {
                    *moved.entry(maker.account).or_default() += state.order(maker).direction.sign() * amount;
                }
                missing -= amount;
                offers.push(Offer { amount, ..offer });
            }
        }
    }
    MatchPlan { offers, own, missing, is_stopped }
}

/// How much of an amount a maker may trade: an order that only reduces a position trades no more than is left of it.
fn capped(
    state: &State,
    instrument: &Instrument,
    maker: OrderLocation,
    moved: &BTreeMap<usize, Decimal>,
    amount: Decimal,
) -> Decimal {
    let order = state.order(maker);
    if !order.reduce_only {
        return amount;
    }
    let size = state.position(maker.account, instrument).size;
    let left = size + moved.get(&maker.account).copied().unwrap_or_default();
    amount.min(-order.direction.sign() * left).max(Decimal::ZERO)
}

fn take(
    state: &mut State,
    instrument: &Instrument,
    slot: OrderLocation,
    left: Decimal,
    offers: Vec<Offer>,
    own: Vec<OrderLocation>,
) -> Vec<Trade> {
    debug_assert!(offers.iter().map(|offer| offer.amount).sum::<Decimal>() <= left);
    for maker in own {
        state.end(maker, OrderState::Cancelled, None);
    }
    let mut trades = Vec::new();
    let name = instrument.instrument_name;
    let mut makers = BTreeSet::new();
    for Offer { price, amount, maker } in offers {
        let (seq, tick_direction) = state.book_mut(name).tick(price);
        let number = state.next_id();
        let pair = Pair { instrument, one: Match { number, seq, tick_direction, amount, price } };
        if let Some(maker) = maker {
            let trade = pair.book(state, maker, Liquidity::Maker);
            state.notify_owner(maker.account, Private::Trades, name, &[trade]);
            state.notify_order(maker);
            makers.insert(maker.account);
        }
        trades.push(pair.book(state, slot, Liquidity::Taker));
    }
    let public: Vec<PublicTrade> = trades.iter().map(|trade| trade.public.clone()).collect();
    state.notify_trades(name, &public);
    state.record(instrument, public);
    state.notify_owner(slot.account, Private::Trades, name, &trades);
    state.curtail(slot.account, instrument);
    for maker in makers {
        state.protect(maker);
        state.curtail(maker, instrument);
    }
    trades
}

impl State {
    /// Makes an account's orders smaller that may only reduce its position, or cancels them, where the position has become smaller.
    pub(super) fn curtail(&mut self, account: usize, instrument: &Instrument) {
        let reducing = self.open_orders(account).filter(|(_, order)| {
            order.reduce_only
                && order.order_state == OrderState::Open
                && order.instrument_name == instrument.instrument_name
        });
        let slots: Vec<OrderLocation> = reducing.map(|(slot, _)| slot).collect();
        for slot in slots {
            let order = self.order(slot);
            let (direction, left) = (order.direction, order.left());
            match positions::reducible(self, account, instrument, direction, left) {
                Err(_) => self.end(slot, OrderState::Cancelled, None),
                Ok(amount) if amount < left => {
                    let order = self.order_mut(slot);
                    order.amount = Number::from(order.filled_amount.0 + amount);
                    order.contracts = Number::from(instrument.contracts(order.amount.0));
                    self.changes.touch(instrument.instrument_name);
                    self.notify_order(slot);
                }
                Ok(_) => {}
            }
        }
    }
}

/// Two orders, or an order and the made-up book, that meet at a price.
struct Pair<'a> {
    instrument: &'a Instrument,
    one: Match,
}

impl Pair<'_> {
    /// Books one side of it.
    fn book(&self, state: &mut State, slot: OrderLocation, liquidity: Liquidity) -> Trade {
        let Self { instrument, one } = *self;
        let Match { amount, price, .. } = one;
        let now = state.now();
        let order = state.order_mut(slot);
        let filled = order.filled_amount.0;
        order.average_price = Number::from(average(instrument, (filled, order.average_price.0), (amount, price)));
        order.filled_amount = Number::from(filled + amount);
        order.last_update_timestamp = now;
        let direction = order.direction;
        if order.left().is_zero() {
            state.leave_book(slot);
            state.order_mut(slot).order_state = OrderState::Filled;
        }
        state.reserve(slot);
        let booking = funds::settle(state, slot.account, instrument, direction, amount, price, liquidity);
        let trade = Trade::new(instrument, state.order(slot), one, liquidity, &booking);
        state.enter_fill(slot.account, instrument, &trade, &booking);
        state.changes.of(slot.account, instrument.instrument_name).add_trade(trade.clone());
        state.accounts[slot.account].trades.push(trade.clone());
        trade
    }
}

/// The limit of an order that must not take: moved to where it does not, or refused.
pub(super) fn post_only_limit(
    state: &State,
    instrument: &Instrument,
    direction: Direction,
    limit: Decimal,
) -> Option<Decimal> {
    let best = state.offers(instrument, direction.other()).next()?.price;
    let tick = instrument.tick(best);
    (!direction.is_beyond(limit, best)).then(|| match direction {
        Direction::Buy => best - tick,
        Direction::Sell => best + tick,
    })
}
