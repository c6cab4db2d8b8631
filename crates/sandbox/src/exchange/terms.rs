//! What an order asks for, and who asks.

use rust_decimal::Decimal;

/// A subaccount of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Owner {
    pub(crate) user: usize,
    pub(crate) subaccount: i64,
}

/// The side of the book: a bid buys, an ask sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Bid,
    Ask,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Bid, Self::Ask];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|side| side.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Ask => "ask",
        }
    }

    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
        }
    }

    /// The sign of a position that this side builds up.
    pub(crate) fn sign(self) -> Decimal {
        match self {
            Self::Bid => Decimal::ONE,
            Self::Ask => Decimal::NEGATIVE_ONE,
        }
    }

    /// Whether a limit price on this side reaches a price on the other one.
    pub(crate) fn reaches(self, limit: Decimal, price: Decimal) -> bool {
        match self {
            Self::Bid => limit >= price,
            Self::Ask => limit <= price,
        }
    }
}

/// How long an order stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeInForce {
    FillOrKill,
    GoodTillCanceled,
    ImmediateOrCancel,
}

impl TimeInForce {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "fill_or_kill" => Some(Self::FillOrKill),
            "good_till_canceled" => Some(Self::GoodTillCanceled),
            "immediate_or_cancel" => Some(Self::ImmediateOrCancel),
            _ => None,
        }
    }
}

/// Which of two orders of the same user is cancelled instead of a trade between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SelfTradePrevention {
    /// Neither: they trade.
    Allowed,
    /// The order that arrives.
    TakerAtCross,
    /// The order that rests.
    Maker,
}

impl SelfTradePrevention {
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::TakerAtCross, Self::Maker].into_iter().find(|one| one.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::TakerAtCross => "taker_at_cross",
            Self::Maker => "maker",
        }
    }
}

/// Whether an order may only close a position of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReduceOnly {
    No,
    /// It never rests: what does not trade on arrival is cancelled.
    AtOnce,
    /// It may rest. It becomes smaller with the position, and ends with it.
    WhileHeld,
}

/// What an order asks for.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) client_order_id: Option<String>,
    pub(crate) side: Side,
    pub(crate) price: Decimal,
    /// Contracts in all: traded, resting and taken off.
    pub(crate) count: Decimal,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) self_trade_prevention: SelfTradePrevention,
    /// Unix seconds.
    pub(crate) expiration: Option<i64>,
    pub(crate) post_only: bool,
    pub(crate) reduce_only: ReduceOnly,
    pub(crate) cancel_order_on_pause: bool,
    pub(crate) order_group_id: Option<String>,
}

impl Terms {
    /// A plain limit order that rests until it is cancelled, and trades with orders of its owner.
    pub(crate) fn new(side: Side, price: Decimal, count: Decimal) -> Self {
        Self {
            client_order_id: None,
            side,
            price,
            count,
            time_in_force: TimeInForce::GoodTillCanceled,
            self_trade_prevention: SelfTradePrevention::Allowed,
            expiration: None,
            post_only: false,
            reduce_only: ReduceOnly::No,
            cancel_order_on_pause: false,
            order_group_id: None,
        }
    }
}
