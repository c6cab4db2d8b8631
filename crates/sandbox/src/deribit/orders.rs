//! Orders as the venue shows them, where they are kept, and how they are found.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::book::OrderLocation;
use super::channels::Private;
use super::error::Error;
use super::filter::{self, KindFilter, TypeFilter};
use super::funds;
use super::instruments::Instrument;
use super::order_request::QuoteMark;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use crate::number::Number;

const USUAL_COUNT: i64 = 20;

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    Buy,
    Sell,
}

impl Direction {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// The sign of a position that it builds up.
    pub(super) fn sign(self) -> Decimal {
        match self {
            Self::Buy => Decimal::ONE,
            Self::Sell => Decimal::NEGATIVE_ONE,
        }
    }

    /// Whether a price is too bad for an order in this direction with that limit.
    pub(super) fn is_beyond(self, limit: Decimal, price: Decimal) -> bool {
        match self {
            Self::Buy => price > limit,
            Self::Sell => price < limit,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OrderState {
    Open,
    Filled,
    Cancelled,
    Untriggered,
}

/// A number, or a word for an order that will be filled at whatever price there is when it is triggered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Price {
    Limit(Number),
    Market,
}

impl Price {
    pub(super) fn limit(self) -> Option<Decimal> {
        match self {
            Self::Limit(price) => Some(price.0),
            Self::Market => None,
        }
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Limit(price) => price.serialize(serializer),
            Self::Market => serializer.serialize_str("market_price"),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Order {
    pub(super) order_id: String,
    pub(super) order_state: OrderState,
    pub(super) order_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) original_order_type: Option<&'static str>,
    pub(super) time_in_force: &'static str,
    pub(super) instrument_name: &'static str,
    pub(super) direction: Direction,
    pub(super) price: Price,
    pub(super) amount: Number,
    pub(super) contracts: Number,
    pub(super) filled_amount: Number,
    pub(super) average_price: Number,
    pub(super) label: String,
    pub(super) creation_timestamp: i64,
    pub(super) last_update_timestamp: i64,
    pub(super) post_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reject_post_only: Option<bool>,
    pub(super) reduce_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_amount: Option<Number>,
    #[serde(flatten)]
    pub(super) trigger: Option<Trigger>,
    pub(super) is_liquidation: bool,
    pub(super) is_rebalance: bool,
    pub(super) risk_reducing: bool,
    pub(super) replaced: bool,
    pub(super) mmp: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mmp_group: Option<String>,
    /// Whether it is a side of a mass quote.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) quote: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quote_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quote_set_id: Option<String>,
    pub(super) api: bool,
    pub(super) web: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cancel_reason: Option<&'static str>,
    pub(super) user_id: i64,
    /// The connection that it came over.
    #[serde(skip)]
    pub(super) connection: Option<u64>,
    /// When it took its place in the book; none while it has no place there.
    #[serde(skip)]
    pub(super) turn: Option<i64>,
    /// What it ties up.
    #[serde(skip)]
    pub(super) reserved: Decimal,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What makes a trigger order wake up.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Trigger {
    pub(super) triggered: bool,
    pub(super) trigger: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trigger_price: Option<Number>,
    pub(super) trigger_offset: Option<Number>,
    /// The best price since a trailing stop was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trigger_reference_price: Option<Number>,
    /// What the order was before it woke up.
    #[serde(skip)]
    pub(super) order_type: &'static str,
    #[serde(skip)]
    pub(super) triggered_at: i64,
}

impl Order {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.order_state, OrderState::Open | OrderState::Untriggered)
    }

    /// Makes it a side of a mass quote.
    pub(super) fn mark_quote(&mut self, mark: QuoteMark) {
        self.quote = true;
        self.quote_id = Some(mark.quote_id);
        self.quote_set_id = mark.quote_set_id;
        self.mmp_group = Some(mark.group);
    }

    /// What is not filled yet.
    pub(super) fn left(&self) -> Decimal {
        self.amount.0 - self.filled_amount.0
    }
}

/// Numbers of Bitcoin orders and trades stand alone; others carry their currency.
pub(super) fn prefixed(instrument: &Instrument, id: i64) -> String {
    match instrument.fee_currency() {
        "BTC" => id.to_string(),
        currency => format!("{currency}-{id}"),
    }
}

impl State {
    pub(super) fn order(&self, slot: OrderLocation) -> &Order {
        &self.accounts[slot.account].orders[slot.order]
    }

    pub(super) fn order_mut(&mut self, slot: OrderLocation) -> &mut Order {
        &mut self.accounts[slot.account].orders[slot.order]
    }

    /// Keeps a new order.
    pub(super) fn keep(&mut self, account: usize, order: Order) -> OrderLocation {
        let slot = OrderLocation { account, order: self.accounts[account].orders.len() };
        self.by_order_id.insert(order.order_id.clone(), slot);
        self.accounts[account].orders.push(order);
        self.accounts[account].open.insert(slot.order);
        self.reserve(slot);
        slot
    }

    /// Ties up what an order asks for now.
    pub(super) fn reserve(&mut self, slot: OrderLocation) {
        let order = self.order(slot);
        let Some(instrument) = self.instrument(order.instrument_name) else { return };
        let price = order.price.limit().unwrap_or(instrument.prices.mark);
        let (currency, needed) = funds::requirement(instrument, order.direction, order.left(), price);
        let needed = if order.is_open() && !order.reduce_only { needed } else { Decimal::ZERO };
        let before = std::mem::replace(&mut self.order_mut(slot).reserved, needed);
        *self.accounts[slot.account].reserved.entry(currency).or_default() += needed - before;
    }

    /// Gives an order its place in the book.
    pub(super) fn rest(&mut self, slot: OrderLocation) {
        let turn = self.next_id();
        let order = self.order_mut(slot);
        let Some(price) = order.price.limit() else { return };
        order.turn = Some(turn);
        let (name, direction) = (order.instrument_name, order.direction);
        self.book_mut(name).insert(direction, price, turn, slot);
        self.reserve(slot);
    }

    /// Takes an order out of the book and out of what is open.
    pub(super) fn leave_book(&mut self, slot: OrderLocation) {
        self.give_up_place(slot);
        self.accounts[slot.account].open.remove(&slot.order);
    }

    /// Takes an order out of the book for a while.
    pub(super) fn give_up_place(&mut self, slot: OrderLocation) {
        let order = self.order_mut(slot);
        if let (Some(turn), Some(price)) = (order.turn.take(), order.price.limit()) {
            let (name, direction) = (order.instrument_name, order.direction);
            self.book_mut(name).remove(direction, price, turn);
        }
    }

    /// Ends an order that is open.
    pub(super) fn end(&mut self, slot: OrderLocation, order_state: OrderState, reason: Option<&'static str>) {
        let now = self.now();
        self.leave_book(slot);
        let order = self.order_mut(slot);
        order.order_state = order_state;
        order.cancel_reason = reason;
        order.last_update_timestamp = now;
        self.reserve(slot);
        self.notify_order(slot);
    }

    /// Sends its owner how an order stands.
    pub(super) fn notify_order(&mut self, slot: OrderLocation) {
        let order = self.order(slot).clone();
        self.notify_owner(slot.account, Private::Orders, order.instrument_name, std::slice::from_ref(&order));
        self.changes.of(slot.account, order.instrument_name).add_order(order);
    }

    /// The caller's order that `order_id` names; other people's are not there.
    pub(super) fn own_slot(&self, session: &Session, params: &Params) -> Result<OrderLocation, Error> {
        self.slot_of(session.account, params)
    }

    /// The order of an account that `order_id` names.
    pub(super) fn slot_of(&self, account: usize, params: &Params) -> Result<OrderLocation, Error> {
        let id = params.required("order_id", params.text("order_id")?)?;
        let slot = self.by_order_id.get(&id).copied().filter(|slot| slot.account == account);
        slot.ok_or_else(|| Error::new(Error::ORDER_NOT_FOUND))
    }

    /// The caller's open orders, the oldest first.
    pub(super) fn open_orders(&self, account: usize) -> impl Iterator<Item = (OrderLocation, &Order)> {
        let account_of = &self.accounts[account];
        account_of.open.iter().map(move |order| (OrderLocation { account, order: *order }, &account_of.orders[*order]))
    }

    /// Whether an order is on an instrument that a test lets in.
    pub(super) fn is_on(&self, order: &Order, lets_in: impl FnOnce(&Instrument) -> bool) -> bool {
        self.instrument(order.instrument_name).is_some_and(lets_in)
    }
}

/// `private/get_order_state`.
pub(super) fn get_order_state(state: &mut State, session: &Session, params: &Params) -> Outcome {
    done(state.order(state.own_slot(session, params)?))
}

/// `private/get_order_state_by_label`.
pub(super) fn get_order_state_by_label(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let label = params.text("label")?.unwrap_or_default();
    let orders = state.accounts[session.account].orders.iter();
    let listed = |order: &&Order| state.is_on(order, |instrument| instrument.is_listed_under(&currency));
    done(&orders.filter(|order| order.label == label).filter(listed).collect::<Vec<_>>())
}

/// `private/get_open_orders`.
pub(super) fn get_open_orders(state: &mut State, session: &Session, params: &Params) -> Outcome {
    list_open(state, session, params, |_| true)
}

/// `private/get_open_orders_by_currency`.
pub(super) fn get_open_orders_by_currency(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    list_open(state, session, params, |instrument| instrument.is_listed_under(&currency))
}

/// `private/get_open_orders_by_instrument`.
pub(super) fn get_open_orders_by_instrument(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let name = filter::required_instrument(state, params)?.instrument_name;
    list_open(state, session, params, |instrument| instrument.instrument_name == name)
}

/// `private/get_open_orders_by_label`.
pub(super) fn get_open_orders_by_label(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let label = params.text("label")?;
    let open = state.open_orders(session.account).map(|(_, order)| order);
    let listed = |order: &&Order| state.is_on(order, |instrument| instrument.is_listed_under(&currency));
    let labelled = |order: &&Order| label.as_ref().is_none_or(|label| order.label == *label);
    done(&open.filter(listed).filter(labelled).collect::<Vec<_>>())
}

fn list_open(state: &State, session: &Session, params: &Params, wanted: impl Fn(&Instrument) -> bool) -> Outcome {
    let (kind, of_type) = (KindFilter::read(params)?, TypeFilter::read(params)?);
    let open = state.open_orders(session.account).map(|(_, order)| order);
    let fits = |order: &&Order| {
        of_type.lets_in(order) && state.is_on(order, |instrument| wanted(instrument) && kind.lets_in(instrument))
    };
    done(&open.filter(fits).collect::<Vec<_>>())
}

/// `private/get_order_history_by_currency`.
pub(super) fn get_order_history_by_currency(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    list_past(state, session, params, |instrument| instrument.is_listed_under(&currency))
}

/// `private/get_order_history_by_instrument`.
pub(super) fn get_order_history_by_instrument(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let name = filter::required_instrument(state, params)?.instrument_name;
    list_past(state, session, params, |instrument| instrument.instrument_name == name)
}

/// The newest first.
fn list_past(state: &State, session: &Session, params: &Params, wanted: impl Fn(&Instrument) -> bool) -> Outcome {
    let kind = KindFilter::read(params)?;
    let with_unfilled = params.boolean("include_unfilled")?.unwrap_or_default();
    let offset = usize::try_from(params.integer("offset")?.unwrap_or_default()).unwrap_or_default();
    let orders = state.accounts[session.account].orders.iter().rev();
    let fits = |order: &&Order| {
        let traded = !order.filled_amount.0.is_zero() || with_unfilled && !order.is_open();
        traded && state.is_on(order, |instrument| wanted(instrument) && kind.lets_in(instrument))
    };
    let page = orders.filter(fits).skip(offset).take(filter::count(params, USUAL_COUNT)?);
    done(&page.collect::<Vec<_>>())
}
