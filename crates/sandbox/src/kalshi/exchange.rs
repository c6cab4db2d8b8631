//! The state of the exchange, and what the caller may do.

use serde_json::json;

use super::call::Call;
use super::error::Refusal;
use super::state::State;
use crate::clock::rfc3339;
use crate::message::Reply;

pub(super) fn status(_: &mut State, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::json(
        200,
        &json!({
            "exchange_active": true,
            "trading_active": true,
            "intra_exchange_transfers_active": true,
            "exchange_index_statuses": [{
                "exchange_index": 0,
                "description": "sandbox",
                "exchange_active": true,
                "trading_active": true,
                "intra_exchange_transfers_active": true,
            }],
        }),
    ))
}

/// Reads never lag behind writes.
pub(super) fn user_data_timestamp(_: &mut State, call: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::json(200, &json!({"as_of_time": rfc3339(call.now)})))
}

/// Accounts have the Premier level, which the venue asks for in order to register own public keys.
pub(super) fn limits(_: &mut State, _: &Call) -> Result<Reply, Refusal> {
    Ok(limits_of("event_contract"))
}

pub(super) fn perps_limits(_: &mut State, _: &Call) -> Result<Reply, Refusal> {
    Ok(limits_of("margined"))
}

fn limits_of(instance: &str) -> Reply {
    Reply::json(
        200,
        &json!({
            "usage_tier": "premier",
            "read": {"refill_rate": 1200, "bucket_capacity": 1200},
            "write": {"refill_rate": 1200, "bucket_capacity": 3600},
            "grants": [{"exchange_instance": instance, "level": "premier", "source": "sandbox"}],
        }),
    )
}
