//! Orders as the exchange keeps them.

use rust_decimal::Decimal;

use super::ledger::Currency;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Buy,
    Sell,
}

impl Side {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Whether an order of this side with a limit trades at a price.
    pub(super) fn reaches(self, limit: Decimal, price: Decimal) -> bool {
        match self {
            Self::Buy => price <= limit,
            Self::Sell => price >= limit,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Open,
    PartialFilled,
    Filled,
    Cancelled,
    Expired,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::PartialFilled => "partial_filled",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

/// How long an order stands when it is not filled at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duration {
    Rest,
    /// Milliseconds since the Unix epoch.
    RestUntil(i64),
    FillAndKill,
    FillOrKill,
}

/// What happens where an order meets one of its owner's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SelfTrade {
    /// They pass each other by.
    Skip,
    CancelOldest,
    CancelNewest,
    CancelBoth,
}

impl SelfTrade {
    /// The venue takes whatever it does not know for `SKIP`.
    pub(super) fn read(text: Option<&str>) -> Self {
        match text {
            Some("CANCEL_OLDEST") => Self::CancelOldest,
            Some("CANCEL_NEWEST") => Self::CancelNewest,
            Some("CANCEL_BOTH") => Self::CancelBoth,
            _ => Self::Skip,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Skip => "SKIP",
            Self::CancelOldest => "CANCEL_OLDEST",
            Self::CancelNewest => "CANCEL_NEWEST",
            Self::CancelBoth => "CANCEL_BOTH",
        }
    }
}

/// What an order asks for, checked.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) side: Side,
    /// Money: to spend, or to receive.
    pub(super) amount: Decimal,
    pub(super) currency: Currency,
    /// The limit. None for a market order.
    pub(super) limit: Option<Decimal>,
    /// How far the price of a market order may be from the best one, as a part of it.
    pub(super) max_slippage: Option<Decimal>,
    pub(super) duration: Duration,
    pub(super) post_only: bool,
    pub(super) self_trade: SelfTrade,
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: String,
    /// Index into the accounts.
    pub(super) account: usize,
    pub(super) event_id: String,
    pub(super) market_id: String,
    pub(super) outcome_id: String,
    pub(super) outcome_label: &'static str,
    pub(super) terms: Terms,
    /// The limit, or the price of a market order.
    pub(super) price: Decimal,
    /// In shares.
    pub(super) size: Decimal,
    pub(super) filled: Decimal,
    /// Money that the fills came to.
    pub(super) paid: Decimal,
    pub(super) status: Status,
    /// Its place among orders of one price: who comes first trades first.
    pub(super) turn: u64,
    pub(super) created: i64,
    pub(super) updated: i64,
}

impl Order {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.status, Status::Open | Status::PartialFilled)
    }

    pub(super) fn kind(&self) -> &'static str {
        if self.terms.limit.is_some() { "LIMIT" } else { "MARKET" }
    }

    /// What is not filled.
    pub(super) fn remaining(&self) -> Decimal {
        self.size - self.filled
    }

    /// What its fills came to a share.
    pub(super) fn average_price(&self) -> Option<Decimal> {
        let average = (!self.filled.is_zero()).then(|| self.paid / self.filled / self.terms.currency.multiplier());
        average.map(|average| average.round_dp(8).normalize())
    }

    /// What the part that is not filled is worth at its limit.
    pub(super) fn worth(&self) -> Decimal {
        self.remaining() * self.price * self.terms.currency.multiplier()
    }
}
