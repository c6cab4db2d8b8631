//! How exit triggers live: they follow their order, fire at their price and end with their position.

use rust_decimal::Decimal;

use super::rules::MarginRules;
use crate::exchange::{Exchange, Owner, ReduceOnly, SelfTradePrevention, Side, Terms, TimeInForce};

/// The lowest and the highest price of an order that closes a position at any price.
const ANY_PRICE: (Decimal, Decimal) =
    (Decimal::from_parts(1, 0, 0, false, 4), Decimal::from_parts(1_000_000_000, 0, 0, false, 0));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bracket,
    Trailing,
}

impl Kind {
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Bracket, Self::Trailing].into_iter().find(|kind| kind.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bracket => "bracket",
            Self::Trailing => "trailing",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TriggerStatus {
    PendingOnEntry,
    Active,
    Filled,
    Canceled,
}

impl TriggerStatus {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PendingOnEntry => "pending_on_entry",
            Self::Active => "active",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
        }
    }
}

/// When a trigger fires, in mark prices.
#[derive(Clone, Copy, Debug)]
pub(super) enum Prices {
    Bracket {
        stop_loss: Option<Decimal>,
        take_profit: Option<Decimal>,
    },
    /// At a distance from the best price so far.
    Trail {
        amount: Option<Decimal>,
        bps: Option<i64>,
    },
}

#[derive(Debug)]
pub(super) struct Trigger {
    pub(super) id: String,
    pub(super) owner: Owner,
    pub(super) ticker: String,
    pub(super) status: TriggerStatus,
    pub(super) reason: Option<&'static str>,
    pub(super) prices: Prices,
    /// 1 for a long position, -1 for a short one.
    pub(super) sign: Decimal,
    /// The best mark price so far.
    pub(super) watermark: Decimal,
    /// Contracts to close; zero for the whole position.
    pub(super) count: Decimal,
    pub(super) filled: Decimal,
    pub(super) anchor_order_id: Option<String>,
    pub(super) client_trigger_id: Option<String>,
    pub(super) leg: Option<&'static str>,
    pub(super) order_id: Option<String>,
    pub(super) created: i64,
    pub(super) updated: i64,
}

impl Trigger {
    pub(super) fn kind(&self) -> Kind {
        match self.prices {
            Prices::Bracket { .. } => Kind::Bracket,
            Prices::Trail { .. } => Kind::Trailing,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.status, TriggerStatus::PendingOnEntry | TriggerStatus::Active)
    }

    pub(super) fn end(&mut self, status: TriggerStatus, reason: Option<&'static str>, now: i64) {
        self.status = status;
        self.reason = reason;
        self.updated = now;
    }

    /// The price at which the loss is stopped now.
    pub(super) fn stop(&self) -> Option<Decimal> {
        match self.prices {
            Prices::Bracket { stop_loss, .. } => stop_loss,
            Prices::Trail { amount, bps } => {
                let share = || bps.map(|bps| self.watermark * Decimal::new(bps, 4));
                Some((self.watermark - self.sign * amount.or_else(share)?).round_dp(4))
            }
        }
    }

    /// The half that a mark price fires.
    fn reached(&self, mark: Decimal) -> Option<&'static str> {
        let past = |price: Decimal| (mark - price) * self.sign;
        let take_profit = match self.prices {
            Prices::Bracket { take_profit, .. } => take_profit,
            Prices::Trail { .. } => None,
        };
        if self.stop().is_some_and(|stop| past(stop) <= Decimal::ZERO) {
            Some("stop_loss")
        } else if take_profit.is_some_and(|price| past(price) >= Decimal::ZERO) {
            Some("take_profit")
        } else {
            None
        }
    }

    /// Takes over what its order has traded.
    fn follow(&mut self, exchange: &Exchange<MarginRules>, now: i64) {
        let Some(order) = self.anchor_order_id.as_deref().and_then(|id| exchange.order(id)) else { return };
        self.count = order.filled();
        let waits = self.count == self.filled;
        if !order.remaining.is_zero() {
            self.status = if waits { TriggerStatus::PendingOnEntry } else { TriggerStatus::Active };
            return;
        }
        self.anchor_order_id = None;
        if self.count.is_zero() {
            self.end(TriggerStatus::Canceled, Some("entry_not_filled"), now);
        } else if waits {
            self.end(TriggerStatus::Filled, None, now);
        } else {
            self.status = TriggerStatus::Active;
        }
    }

    /// Ends with the position.
    fn check_position(&mut self, held: Decimal, now: i64) {
        if self.status == TriggerStatus::Active && held.is_zero() {
            self.end(TriggerStatus::Canceled, Some("position_closed"), now);
        } else if self.status == TriggerStatus::Active && held * self.sign < Decimal::ZERO {
            self.end(TriggerStatus::Canceled, Some("position_flipped"), now);
        }
    }

    fn follow_price(&mut self, mark: Decimal) {
        if (mark - self.watermark) * self.sign > Decimal::ZERO {
            self.watermark = mark;
        }
    }

    /// The order that closes what the trigger is for.
    fn exit(&self, held: Decimal) -> Terms {
        let whole = self.count.is_zero();
        let count = if whole { held.abs() } else { (self.count - self.filled).min(held.abs()) };
        let is_long = self.sign > Decimal::ZERO;
        Terms {
            client_order_id: None,
            side: if is_long { Side::Ask } else { Side::Bid },
            price: if is_long { ANY_PRICE.0 } else { ANY_PRICE.1 },
            count,
            time_in_force: TimeInForce::ImmediateOrCancel,
            self_trade_prevention: SelfTradePrevention::Maker,
            expiration: None,
            post_only: false,
            reduce_only: ReduceOnly::AtOnce,
            cancel_order_on_pause: false,
            order_group_id: None,
        }
    }
}

/// All triggers, the oldest first. Those that have ended stay.
#[derive(Debug, Default)]
pub(in super::super) struct Triggers(pub(super) Vec<Trigger>);

impl Triggers {
    /// Moves every live trigger on, until nothing more trades.
    pub(super) fn watch(&mut self, exchange: &mut Exchange<MarginRules>, now: i64) {
        while self.0.iter_mut().filter(|trigger| trigger.is_live()).any(|trigger| advance(trigger, exchange, now)) {}
    }
}

/// Moves a trigger on, and gives whether it has traded.
fn advance(trigger: &mut Trigger, exchange: &mut Exchange<MarginRules>, now: i64) -> bool {
    let held = |exchange: &Exchange<MarginRules>| {
        let position = exchange.account(trigger.owner).and_then(|account| account.position(&trigger.ticker));
        position.map(|position| position.count).unwrap_or_default()
    };
    let before = held(exchange);
    let mark = exchange.mark(&trigger.ticker);
    trigger.follow(exchange, now);
    trigger.check_position(before, now);
    trigger.follow_price(mark);
    let Some(leg) = trigger.reached(mark).filter(|_| trigger.status == TriggerStatus::Active) else { return false };
    let terms = trigger.exit(before);
    let is_liquid =
        exchange.resting(&trigger.ticker, terms.side.opposite()).any(|order| order.owner.user != trigger.owner.user);
    if !is_liquid {
        return false;
    }
    let Ok(order) = exchange.place(trigger.owner, &trigger.ticker, terms, true, now) else { return false };
    let (id, traded) = (order.id.clone(), order.filled());
    trigger.leg = Some(leg);
    trigger.order_id = Some(id);
    trigger.filled += traded;
    trigger.updated = now;
    let is_done = if trigger.count.is_zero() {
        exchange
            .account(trigger.owner)
            .and_then(|account| account.position(&trigger.ticker))
            .is_none_or(|left| left.count.is_zero())
    } else {
        trigger.filled == trigger.count
    };
    if is_done && trigger.anchor_order_id.is_none() {
        trigger.end(TriggerStatus::Filled, None, now);
    } else if is_done {
        trigger.status = TriggerStatus::PendingOnEntry;
    }
    !traded.is_zero()
}
