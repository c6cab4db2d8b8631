//! The methods of a connection's life: introduction, heartbeat, logout, cancel on disconnect.

use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::json;

use super::connections::Connection;
use super::error::Error;
use super::params::Params;
use super::state::{Outcome, Session, State, done};

/// Seconds.
const SHORTEST_HEARTBEAT: i64 = 10;
const SCOPES: [&str; 2] = ["connection", "account"];

/// `public/hello`.
pub(super) fn hello(_state: &mut State, _connection: u64, params: &Params) -> Outcome {
    params.required("client_name", params.text("client_name")?)?;
    params.required("client_version", params.text("client_version")?)?;
    done(&json!({"version": "1.2.26"}))
}

/// `public/set_heartbeat`.
pub(super) fn set_heartbeat(state: &mut State, connection: u64, params: &Params) -> Outcome {
    let seconds = params.required("interval", params.decimal("interval")?)?;
    if seconds < Decimal::from(SHORTEST_HEARTBEAT) {
        return Err(Error::invalid_param("interval", "must be at least 10"));
    }
    let second = Decimal::from(state.settings.heartbeat_second_millis);
    let millis = seconds.checked_mul(second).and_then(|millis| millis.to_u64());
    let millis = millis.ok_or_else(|| Error::invalid_param("interval", "too large"))?;
    // A timer needs some time.
    let own = connected(state, connection)?;
    own.set_heartbeat(Some(Duration::from_millis(millis.max(1))));
    done(&"ok")
}

/// `public/disable_heartbeat`.
pub(super) fn disable_heartbeat(state: &mut State, connection: u64, _params: &Params) -> Outcome {
    connected(state, connection)?.set_heartbeat(None);
    done(&"ok")
}

/// `private/logout`: its outcome reaches nobody.
pub(super) fn logout(state: &mut State, connection: u64, params: &Params) -> Outcome {
    let ends_tokens = params.boolean("invalidate_token")?.unwrap_or(true);
    let own = connected(state, connection)?;
    own.is_leaving = true;
    let login = own.login.take();
    if let Some(login) = login.filter(|_| ends_tokens) {
        state.logins.retain(|one| !one.has_access_token(&login.access_token));
    }
    done(&"ok")
}

/// `private/enable_cancel_on_disconnect`.
pub(super) fn enable_cancel_on_disconnect(state: &mut State, session: &Session, params: &Params) -> Outcome {
    set_cancel_on_disconnect(state, session, params, true)
}

/// `private/disable_cancel_on_disconnect`.
pub(super) fn disable_cancel_on_disconnect(state: &mut State, session: &Session, params: &Params) -> Outcome {
    set_cancel_on_disconnect(state, session, params, false)
}

fn set_cancel_on_disconnect(state: &mut State, session: &Session, params: &Params, on: bool) -> Outcome {
    match scope(params)? {
        "account" => state.accounts[session.account].cancels_on_disconnect = on,
        _ => own(state, session)?.cancels_on_disconnect = on,
    }
    done(&"ok")
}

/// `private/get_cancel_on_disconnect`.
pub(super) fn get_cancel_on_disconnect(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let scope = scope(params)?;
    let enabled = match scope {
        "account" => state.accounts[session.account].cancels_on_disconnect,
        _ => own(state, session)?.cancels_on_disconnect,
    };
    done(&json!({"scope": scope, "enabled": enabled}))
}

fn scope(params: &Params) -> Result<&'static str, Error> {
    Ok(params.one_of("scope", &SCOPES)?.unwrap_or(SCOPES[0]))
}

/// The connection that a call came over; a request has none.
fn own<'a>(state: &'a mut State, session: &Session) -> Result<&'a mut Connection, Error> {
    let number = session.connection.ok_or_else(|| Error::new(Error::MUST_BE_WEBSOCKET))?;
    connected(state, number)
}

pub(super) fn connected(state: &mut State, connection: u64) -> Result<&mut Connection, Error> {
    state.connections.get_mut(&connection).ok_or_else(|| Error::new(Error::INTERNAL_SERVER_ERROR))
}
