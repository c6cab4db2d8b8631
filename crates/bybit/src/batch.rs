//! The result of each order of a batch. The call succeeds although orders fail.

use std::fmt;

use venuekit_wire::operation::ErrorKind;

use crate::VENUE;
use crate::types::{
    BatchAmendOrdersResponse, BatchCancelOrdersResponse, BatchOrderAck, BatchOutcomes, BatchPlaceOrdersResponse,
    BatchPlacedOrder,
};

/// Why one order of a batch failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ItemError {
    /// The venue's code, where it gave one.
    pub code: Option<i64>,
    /// The venue's message.
    pub message: String,
}

impl ItemError {
    /// What went wrong, in one vocabulary for all venues.
    pub fn kind(&self) -> ErrorKind {
        self.code.and_then(|code| VENUE.errors.kind_of_code(&code.to_string())).unwrap_or(ErrorKind::Other)
    }

    /// Whether it is unknown what became of the order: query it before you send it again.
    pub fn may_have_been_applied(&self) -> bool {
        self.code.is_none_or(|code| VENUE.errors.outcome_unknown.contains(&code.to_string().as_str()))
    }

    /// Whether an order with this `orderLinkId` exists already.
    pub fn is_repeated_key(&self) -> bool {
        self.code.is_some_and(|code| VENUE.errors.repeated_key.contains(&code.to_string().as_str()))
    }
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{code}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ItemError {}

/// Pairs the orders with their results: one result for each entry of the longer list. An order without a result counts as accepted
/// where it has an id.
fn paired<'a, T>(
    orders: &'a [T],
    outcomes: Option<&BatchOutcomes>,
    order_id: impl Fn(&T) -> Option<&str>,
) -> Vec<Result<&'a T, ItemError>> {
    let outcomes = outcomes.map(|outcomes| outcomes.list.as_slice()).unwrap_or_default();
    let failed = |code, message: &str| Err(ItemError { code, message: message.to_owned() });
    let result = |at: usize| match (orders.get(at), outcomes.get(at).and_then(|outcome| Some((outcome, outcome.code?))))
    {
        (Some(order), Some((_, 0))) => Ok(order),
        // Accepted, and the response does not show which order: the caller has to look it up.
        (None, Some((_, 0))) => failed(None, "the order was accepted, and the response leaves it out"),
        (_, Some((outcome, code))) => failed(Some(code), outcome.msg.as_deref().unwrap_or_default()),
        (Some(order), None) if order_id(order).is_some_and(|id| !id.is_empty()) => Ok(order),
        (_, None) => failed(None, "the response has neither an order id nor a code"),
    };
    (0..orders.len().max(outcomes.len())).map(result).collect()
}

macro_rules! results {
    ($($response:ty => $order:ty;)*) => {$(
        impl $response {
            /// The result of each order, in the order of the request.
            pub fn results(&self) -> Vec<Result<&$order, ItemError>> {
                let orders = self.result.as_ref().map(|result| result.list.as_slice()).unwrap_or_default();
                paired(orders, self.ret_ext_info.as_ref(), |order| order.order_id.as_deref())
            }
        }
    )*};
}

results! {
    BatchPlaceOrdersResponse => BatchPlacedOrder;
    BatchAmendOrdersResponse => BatchOrderAck;
    BatchCancelOrdersResponse => BatchOrderAck;
}
