//! Orders and executions as the venue keeps and shows them.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::lists::list_id;
use super::symbols::{Symbol, eight};
use crate::exchange::Side;

/// Gives an enum the words that the venue has for it.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $type {
            pub(super) fn named(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }

            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Status {
    /// It waits for another order.
    PendingNew,
    New,
    PartiallyFilled,
    Filled,
    Canceled,
    Expired,
    ExpiredInMatch,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PendingNew => "PENDING_NEW",
            Self::New => "NEW",
            Self::PartiallyFilled => "PARTIALLY_FILLED",
            Self::Filled => "FILLED",
            Self::Canceled => "CANCELED",
            Self::Expired => "EXPIRED",
            Self::ExpiredInMatch => "EXPIRED_IN_MATCH",
        }
    }

    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::PendingNew | Self::New | Self::PartiallyFilled)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Limit,
    LimitMaker,
    Market,
    StopLoss,
    StopLossLimit,
    TakeProfit,
    TakeProfitLimit,
}

words!(Kind {
    Limit = "LIMIT",
    LimitMaker = "LIMIT_MAKER",
    Market = "MARKET",
    StopLoss = "STOP_LOSS",
    StopLossLimit = "STOP_LOSS_LIMIT",
    TakeProfit = "TAKE_PROFIT",
    TakeProfitLimit = "TAKE_PROFIT_LIMIT",
});

impl Kind {
    /// Whether it has a price.
    pub(super) fn is_limit(self) -> bool {
        !matches!(self, Self::Market | Self::StopLoss | Self::TakeProfit)
    }

    /// Whether it says how long it stays.
    pub(super) fn has_duration(self) -> bool {
        matches!(self, Self::Limit | Self::StopLossLimit | Self::TakeProfitLimit)
    }

    /// Whether it waits for a trigger price: `Some(true)` if a buyer's is reached from below.
    pub(super) fn waits(self) -> Option<bool> {
        match self {
            Self::StopLoss | Self::StopLossLimit => Some(true),
            Self::TakeProfit | Self::TakeProfitLimit => Some(false),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Duration {
    GoodTillCanceled,
    ImmediateOrCancel,
    FillOrKill,
}

words!(Duration { GoodTillCanceled = "GTC", ImmediateOrCancel = "IOC", FillOrKill = "FOK" });

/// Self-trade prevention: which order expires.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OwnTrade {
    Taker,
    Maker,
    Both,
}

words!(OwnTrade { Taker = "EXPIRE_TAKER", Maker = "EXPIRE_MAKER", Both = "EXPIRE_BOTH" });

pub(super) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Bid => "BUY",
        Side::Ask => "SELL",
    }
}

/// What an order asks for, checked.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// An index into the symbols.
    pub(super) symbol: usize,
    pub(super) client_id: String,
    pub(super) side: Side,
    pub(super) kind: Kind,
    pub(super) duration: Duration,
    /// Zero where the market decides.
    pub(super) price: Decimal,
    pub(super) qty: Decimal,
    /// The quote amount that a market order is to spend or to receive.
    pub(super) quote_qty: Decimal,
    pub(super) stop_price: Option<Decimal>,
    pub(super) own_trade: OwnTrade,
    pub(super) strategy_id: Option<i64>,
    pub(super) strategy_type: Option<i64>,
}

impl Wish {
    /// What a buyer's order binds for each unit while it is open: its limit, or without one its trigger price.
    pub(super) fn bound_price(&self) -> Decimal {
        if self.kind.is_limit() { self.price } else { self.stop_price.unwrap_or_default() }
    }
}

/// A change of an order's quantity.
#[derive(Clone, Debug)]
pub(super) struct Amend {
    pub(super) id: i64,
    pub(super) old_client_id: String,
    pub(super) new_client_id: String,
    pub(super) old_qty: Decimal,
    pub(super) new_qty: Decimal,
    pub(super) time: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) member: usize,
    /// The list that it is of, as an index.
    pub(super) list: Option<usize>,
    pub(super) wish: Wish,
    pub(super) status: Status,
    pub(super) filled: Decimal,
    /// Prices times quantities of what was filled.
    pub(super) value: Decimal,
    pub(super) time: i64,
    pub(super) updated: i64,
    /// When it came into the book; none while it waits for its price.
    pub(super) working_since: Option<i64>,
    /// Its executions, as indices.
    pub(super) fills: Vec<usize>,
    pub(super) amends: Vec<Amend>,
}

impl Order {
    pub(super) fn leaves(&self) -> Decimal {
        if self.status.is_open() { self.wish.qty - self.filled } else { Decimal::ZERO }
    }

    /// Whether it has done something: an order of a pair then ends the other.
    pub(super) fn has_begun(&self) -> bool {
        !self.filled.is_zero() || self.wish.kind.waits().is_some() && self.working_since.is_some()
    }

    /// Adds what only some orders have.
    fn with_conditional(&self, mut shown: Value) -> Value {
        if let Some(price) = self.wish.stop_price {
            shown["stopPrice"] = eight(price).into();
        }
        if let Some(id) = self.wish.strategy_id {
            shown["strategyId"] = id.into();
        }
        if let Some(kind) = self.wish.strategy_type {
            shown["strategyType"] = kind.into();
        }
        shown
    }

    /// As queries show it.
    pub(super) fn show(&self, symbol: &Symbol) -> Value {
        self.with_conditional(json!({
            "symbol": symbol.name,
            "orderId": self.id,
            "orderListId": list_id(self.list),
            "clientOrderId": self.wish.client_id,
            "price": eight(self.wish.price),
            "origQty": eight(self.wish.qty),
            "executedQty": eight(self.filled),
            "origQuoteOrderQty": eight(self.wish.quote_qty),
            "cummulativeQuoteQty": eight(self.value),
            "status": self.status.name(),
            "timeInForce": self.wish.duration.name(),
            "type": self.wish.kind.name(),
            "side": side_name(self.wish.side),
            "stopPrice": eight(self.wish.stop_price.unwrap_or_default()),
            "icebergQty": eight(Decimal::ZERO),
            "time": self.time,
            "updateTime": self.updated,
            "isWorking": self.working_since.is_some(),
            "workingTime": self.working_since.unwrap_or(-1),
            "selfTradePreventionMode": self.wish.own_trade.name(),
        }))
    }

    /// The short response to a new order.
    pub(super) fn acknowledge(&self, symbol: &Symbol) -> Value {
        json!({
            "symbol": symbol.name,
            "orderId": self.id,
            "orderListId": list_id(self.list),
            "clientOrderId": self.wish.client_id,
            "transactTime": self.updated,
        })
    }

    /// The response to a new order, with the executions where those are asked for.
    pub(super) fn result(&self, symbol: &Symbol, fills: Option<Vec<Value>>) -> Value {
        let mut shown = self.acknowledge(symbol);
        let more = json!({
            "price": eight(self.wish.price),
            "origQty": eight(self.wish.qty),
            "executedQty": eight(self.filled),
            "origQuoteOrderQty": eight(self.wish.quote_qty),
            "cummulativeQuoteQty": eight(self.value),
            "status": self.status.name(),
            "timeInForce": self.wish.duration.name(),
            "type": self.wish.kind.name(),
            "side": side_name(self.wish.side),
            "workingTime": self.working_since.unwrap_or(-1),
            "selfTradePreventionMode": self.wish.own_trade.name(),
        });
        extend(&mut shown, more);
        if let Some(fills) = fills {
            shown["fills"] = fills.into();
        }
        self.with_conditional(shown)
    }

    /// The response to a cancellation, which has an id of its own.
    pub(super) fn cancelled(&self, symbol: &Symbol, id: &str) -> Value {
        let mut shown = self.result(symbol, None);
        if let Some(members) = shown.as_object_mut() {
            members.remove("workingTime");
        }
        shown["origClientOrderId"] = self.wish.client_id.as_str().into();
        shown["clientOrderId"] = id.into();
        shown
    }

    /// As the response to a change of its quantity shows it.
    pub(super) fn amended(&self, symbol: &Symbol) -> Value {
        self.with_conditional(json!({
            "symbol": symbol.name,
            "orderId": self.id,
            "orderListId": list_id(self.list),
            "origClientOrderId": self.amends.last().map_or("", |amend| amend.old_client_id.as_str()),
            "clientOrderId": self.wish.client_id,
            "price": eight(self.wish.price),
            "qty": eight(self.wish.qty),
            "executedQty": eight(self.filled),
            "preventedQty": eight(Decimal::ZERO),
            "quoteOrderQty": eight(self.wish.quote_qty),
            "cumulativeQuoteQty": eight(self.value),
            "status": self.status.name(),
            "timeInForce": self.wish.duration.name(),
            "type": self.wish.kind.name(),
            "side": side_name(self.wish.side),
            "workingTime": self.working_since.unwrap_or(-1),
            "selfTradePreventionMode": self.wish.own_trade.name(),
        }))
    }
}

fn extend(value: &mut Value, more: Value) {
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
}

/// One side of a trade.
#[derive(Clone, Debug)]
pub(super) struct Execution {
    pub(super) trade: i64,
    /// An index into the orders.
    pub(super) order: usize,
    pub(super) price: Decimal,
    pub(super) qty: Decimal,
    pub(super) fee: Decimal,
    pub(super) fee_coin: &'static str,
    pub(super) is_maker: bool,
    pub(super) time: i64,
}

impl Execution {
    pub(super) fn value(&self) -> Decimal {
        self.price * self.qty
    }

    /// As part of the response to a new order.
    pub(super) fn fill(&self) -> Value {
        json!({
            "price": eight(self.price),
            "qty": eight(self.qty),
            "commission": eight(self.fee),
            "commissionAsset": self.fee_coin,
            "tradeId": self.trade,
        })
    }

    /// As a trade of an account.
    pub(super) fn show(&self, symbol: &Symbol, order: &Order) -> Value {
        json!({
            "symbol": symbol.name,
            "id": self.trade,
            "orderId": order.id,
            "orderListId": list_id(order.list),
            "price": eight(self.price),
            "qty": eight(self.qty),
            "quoteQty": eight(self.value()),
            "commission": eight(self.fee),
            "commissionAsset": self.fee_coin,
            "time": self.time,
            "isBuyer": order.wish.side == Side::Bid,
            "isMaker": self.is_maker,
            "isBestMatch": true,
        })
    }
}
