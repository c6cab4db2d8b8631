//! Orders, executions and closed positions as the venue keeps and shows them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::category::Category;
use super::instruments::Instrument;
use crate::exchange::Side;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Status {
    /// A conditional order that waits for its price.
    Untriggered,
    New,
    PartiallyFilled,
    Filled,
    Cancelled,
    /// Of spot: cancelled after a part of it was filled.
    PartiallyFilledCanceled,
    /// A conditional order that was cancelled before its price came.
    Deactivated,
    /// A conditional order that its account could not pay when its price came.
    Rejected,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Untriggered => "Untriggered",
            Self::New => "New",
            Self::PartiallyFilled => "PartiallyFilled",
            Self::Filled => "Filled",
            Self::Cancelled => "Cancelled",
            Self::PartiallyFilledCanceled => "PartiallyFilledCanceled",
            Self::Deactivated => "Deactivated",
            Self::Rejected => "Rejected",
        }
    }

    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Untriggered | Self::New | Self::PartiallyFilled)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Duration {
    GoodTillCancelled,
    ImmediateOrCancel,
    FillOrKill,
    PostOnly,
}

impl Duration {
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::GoodTillCancelled, Self::ImmediateOrCancel, Self::FillOrKill, Self::PostOnly]
            .into_iter()
            .find(|one| one.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GoodTillCancelled => "GTC",
            Self::ImmediateOrCancel => "IOC",
            Self::FillOrKill => "FOK",
            Self::PostOnly => "PostOnly",
        }
    }
}

/// What happens when an order meets one of its owner's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OwnTrade {
    Allowed,
    CancelMaker,
    CancelTaker,
    CancelBoth,
}

impl OwnTrade {
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Allowed, Self::CancelMaker, Self::CancelTaker, Self::CancelBoth]
            .into_iter()
            .find(|one| one.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Allowed => "None",
            Self::CancelMaker => "CancelMaker",
            Self::CancelTaker => "CancelTaker",
            Self::CancelBoth => "CancelBoth",
        }
    }
}

/// The price at which a conditional order becomes active.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Trigger {
    pub(super) price: Decimal,
    /// Whether the price has to rise to it; it falls to it otherwise.
    pub(super) rises: bool,
}

/// What an order asks for, checked.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// An index into the instruments.
    pub(super) instrument: usize,
    pub(super) link: String,
    pub(super) side: Side,
    pub(super) is_market: bool,
    /// The limit, or how far a market order may go.
    pub(super) price: Decimal,
    pub(super) qty: Decimal,
    pub(super) duration: Duration,
    pub(super) reduce_only: bool,
    pub(super) close_on_trigger: bool,
    pub(super) own_trade: OwnTrade,
    pub(super) trigger: Option<Trigger>,
    pub(super) is_leverage: bool,
    /// Members that are shown as they were given.
    pub(super) extra: BTreeMap<&'static str, String>,
}

/// An order that was accepted, whatever happened to it.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) member: usize,
    pub(super) wish: Wish,
    pub(super) status: Status,
    pub(super) cancel_type: &'static str,
    pub(super) reject: &'static str,
    pub(super) leaves: Decimal,
    pub(super) filled: Decimal,
    /// What the fills came to, in the settlement coin.
    pub(super) value: Decimal,
    pub(super) fees: Decimal,
    pub(super) fee_coin: &'static str,
    /// Profit of what it closed.
    pub(super) closed_pnl: Decimal,
    pub(super) last_on_created: Decimal,
    pub(super) created: i64,
    pub(super) updated: i64,
}

pub(super) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Bid => "Buy",
        Side::Ask => "Sell",
    }
}

pub(super) fn side_named(name: &str) -> Option<Side> {
    Side::BOTH.into_iter().find(|side| side_name(*side) == name)
}

pub(super) fn text(value: Decimal) -> String {
    value.normalize().to_string()
}

impl Wish {
    /// Whether it is a take profit or a stop loss of the spot market: it binds coins before its price comes.
    pub(super) fn is_tpsl(&self) -> bool {
        self.trigger.is_some() && self.extra.get("orderFilter").is_some_and(|filter| filter == "tpslOrder")
    }

    /// The same as it is counted while it waits: at its limit, whatever the book asks.
    pub(super) fn as_bound(&self) -> Self {
        Self { is_market: false, ..self.clone() }
    }
}

impl Order {
    /// Whether it binds coins.
    pub(super) fn binds(&self) -> bool {
        match self.status {
            Status::New | Status::PartiallyFilled => true,
            Status::Untriggered => self.wish.is_tpsl(),
            _ => false,
        }
    }

    /// The kind of a conditional order.
    pub(super) fn stop_type(&self) -> &'static str {
        match self.wish.trigger {
            None => "",
            Some(_) if self.wish.is_tpsl() => "tpslOrder",
            Some(_) => "Stop",
        }
    }

    /// As the lists show it.
    pub(super) fn show(&self, instrument: &Instrument) -> Value {
        let wish = &self.wish;
        let is_spot = !instrument.category.has_positions();
        let extra = |name: &str| wish.extra.get(name).cloned().unwrap_or_default();
        let average = instrument.price(self.value, self.filled);
        let price = if is_spot && wish.is_market { "0".to_owned() } else { instrument.show_price(wish.price) };
        let trigger = wish.trigger.map(|trigger| instrument.show_price(trigger.price)).unwrap_or_default();
        let is_leverage = if wish.is_leverage { "1" } else { "0" };
        let fees = if self.fees.is_zero() { json!({}) } else { json!({self.fee_coin: text(self.fees)}) };
        let mut shown = json!({
            "orderId": self.id, "orderLinkId": wish.link, "parentOrderLinkId": "", "blockTradeId": "",
            "symbol": &*instrument.symbol, "price": price, "qty": instrument.show_qty(wish.qty),
            "side": side_name(wish.side), "isLeverage": if is_spot { is_leverage } else { "" }, "positionIdx": 0,
            "orderStatus": self.status.name(), "createType": "CreateByUser", "cancelType": self.cancel_type,
            "rejectReason": self.reject, "avgPrice": if self.filled.is_zero() { String::new() } else { text(average) },
            "leavesQty": instrument.show_qty(self.leaves),
            "leavesValue": text(instrument.value(wish.price, self.leaves)),
            "cumExecQty": instrument.show_qty(self.filled), "cumExecValue": text(self.value),
            "cumExecFee": text(self.fees), "timeInForce": wish.duration.name(),
            "orderType": if wish.is_market { "Market" } else { "Limit" },
            "stopOrderType": self.stop_type(), "orderIv": extra("orderIv"),
            "marketUnit": extra("marketUnit"), "triggerPrice": trigger, "takeProfit": extra("takeProfit"),
            "stopLoss": extra("stopLoss"), "tpslMode": extra("tpslMode"), "ocoTriggerBy": "",
            "tpLimitPrice": extra("tpLimitPrice"), "slLimitPrice": extra("slLimitPrice"),
            "tpTriggerBy": extra("tpTriggerBy"), "slTriggerBy": extra("slTriggerBy"),
            "triggerDirection": wish.trigger.map_or(0, |trigger| if trigger.rises { 1 } else { 2 }),
            "triggerBy": extra("triggerBy"), "lastPriceOnCreated": instrument.show_price(self.last_on_created),
            "basePrice": "", "reduceOnly": wish.reduce_only, "closeOnTrigger": wish.close_on_trigger,
            "placeType": if instrument.strike.is_some() { "price" } else { "" }, "smpType": wish.own_trade.name(),
            "smpGroup": 0, "smpOrderId": "", "createdTime": self.created.to_string(),
            "updatedTime": self.updated.to_string(), "cumFeeDetail": fees,
        });
        match (instrument.category, shown.as_object_mut()) {
            // Clients take an order that has it for one of a perpetual.
            (Category::Spot, Some(shown)) => _ = shown.remove("tpslMode"),
            (Category::Option, _) => shown["tpslMode"] = "".into(),
            _ => {}
        }
        shown
    }

    /// As the stream shows it.
    pub(super) fn show_on_stream(&self, instrument: &Instrument) -> Value {
        let mut shown = self.show(instrument);
        shown["category"] = instrument.category.name().into();
        shown["feeCurrency"] = self.fee_coin.into();
        shown["closedPnl"] = text(self.closed_pnl).into();
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("basePrice");
        }
        shown
    }
}

/// One side of a trade.
#[derive(Clone, Debug)]
pub(super) struct Execution {
    pub(super) id: String,
    pub(super) member: usize,
    pub(super) instrument: usize,
    pub(super) order_id: String,
    pub(super) link: String,
    pub(super) side: Side,
    pub(super) order_price: Decimal,
    pub(super) order_qty: Decimal,
    pub(super) leaves: Decimal,
    pub(super) is_market: bool,
    pub(super) price: Decimal,
    pub(super) qty: Decimal,
    pub(super) value: Decimal,
    pub(super) fee: Decimal,
    pub(super) fee_coin: &'static str,
    pub(super) fee_rate: Decimal,
    pub(super) is_maker: bool,
    pub(super) closed: Decimal,
    pub(super) pnl: Decimal,
    pub(super) mark: Decimal,
    pub(super) seq: i64,
    pub(super) time: i64,
}

impl Execution {
    /// As the list shows it.
    pub(super) fn show(&self, instrument: &Instrument) -> Value {
        json!({
            "symbol": &*instrument.symbol, "orderId": self.order_id, "orderLinkId": self.link,
            "side": side_name(self.side), "orderPrice": instrument.show_price(self.order_price),
            "orderQty": instrument.show_qty(self.order_qty), "leavesQty": instrument.show_qty(self.leaves),
            "createType": "CreateByUser", "orderType": if self.is_market { "Market" } else { "Limit" },
            "stopOrderType": "UNKNOWN", "execFee": text(self.fee), "execFeeV2": "", "execId": self.id,
            "execPrice": instrument.show_price(self.price), "execQty": instrument.show_qty(self.qty),
            "execType": "Trade", "execValue": text(self.value), "execTime": self.time.to_string(),
            "feeCurrency": self.fee_coin, "isMaker": self.is_maker, "feeRate": text(self.fee_rate), "tradeIv": "",
            "markIv": "", "markPrice": instrument.show_price(self.mark), "indexPrice": "", "underlyingPrice": "",
            "blockTradeId": "", "closedSize": text(self.closed), "seq": self.seq, "extraFees": "",
        })
    }

    /// As the stream shows it.
    pub(super) fn show_on_stream(&self, instrument: &Instrument) -> Value {
        let mut shown = self.show(instrument);
        shown["category"] = instrument.category.name().into();
        shown["isLeverage"] = "0".into();
        shown["execPnl"] = text(self.pnl).into();
        shown["marketUnit"] = "".into();
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("execFeeV2");
        }
        shown
    }

    /// As the fast stream shows it: without the link of a maker.
    pub(super) fn show_fast(&self, instrument: &Instrument) -> Value {
        json!({
            "category": instrument.category.name(), "symbol": &*instrument.symbol, "orderId": self.order_id,
            "isMaker": self.is_maker, "orderLinkId": if self.is_maker { "" } else { self.link.as_str() },
            "execId": self.id, "execPrice": instrument.show_price(self.price),
            "execQty": instrument.show_qty(self.qty), "side": side_name(self.side),
            "execTime": self.time.to_string(), "seq": self.seq,
        })
    }
}

/// What an order closed of a position.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    pub(super) member: usize,
    pub(super) instrument: usize,
    pub(super) order_id: String,
    pub(super) side: Side,
    pub(super) order_price: Decimal,
    pub(super) order_qty: Decimal,
    pub(super) is_market: bool,
    pub(super) size: Decimal,
    pub(super) entry: Decimal,
    pub(super) exit: Decimal,
    pub(super) pnl: Decimal,
    pub(super) fills: u64,
    pub(super) leverage: Decimal,
    pub(super) open_fee: Decimal,
    pub(super) close_fee: Decimal,
    pub(super) created: i64,
    pub(super) updated: i64,
}

impl Closed {
    pub(super) fn show(&self, instrument: &Instrument) -> Value {
        let average = |value| text(instrument.price(value, self.size));
        json!({
            "symbol": &*instrument.symbol, "orderId": self.order_id, "side": side_name(self.side),
            "qty": text(self.order_qty), "orderPrice": instrument.show_price(self.order_price),
            "orderType": if self.is_market { "Market" } else { "Limit" }, "execType": "Trade",
            "closedSize": text(self.size), "cumEntryValue": text(self.entry), "avgEntryPrice": average(self.entry),
            "cumExitValue": text(self.exit), "avgExitPrice": average(self.exit), "closedPnl": text(self.pnl),
            "fillCount": self.fills.to_string(), "leverage": text(self.leverage), "openFee": text(self.open_fee),
            "closeFee": text(self.close_fee), "createdTime": self.created.to_string(),
            "updatedTime": self.updated.to_string(),
        })
    }
}
