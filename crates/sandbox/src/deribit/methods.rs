//! The methods that are served, who may call each, and what carries it out. What is not listed here is in the spec.

use std::sync::LazyLock;

use super::error::Error;
use super::params::Params;
use super::scope::Level::{self, Read, ReadWrite};
use super::state::{Outcome, Session, State};
use super::{instruments, keys, market, orders, place, scope, summary, tokens};
use crate::spec::{self, Operation};

/// A method, who may call it, and what carries it out.
pub(super) struct Method {
    pub(super) name: &'static str,
    /// None for everybody.
    pub(super) access: Option<Access>,
    pub(super) run: Run,
    /// What the spec says about it.
    pub(super) operation: Option<&'static Operation>,
}

/// What a private method asks for.
pub(super) struct Access {
    /// A resource and how far a key has to reach into it.
    pub(super) scope: Option<(&'static str, Level)>,
    /// Whether an account with a second factor is asked for it.
    pub(super) second_factor: bool,
}

/// What carries a method out.
pub(super) enum Run {
    Public(fn(&mut State, &Params) -> Outcome),
    Private(fn(&mut State, &Session, &Params) -> Outcome),
    /// Answers by the spec.
    Example,
}

/// Methods of a connection, which a single request is not.
pub(super) const WEBSOCKET_ONLY: [&str; 10] = [
    "private/logout",
    "private/subscribe",
    "private/unsubscribe",
    "private/unsubscribe_all",
    "public/disable_heartbeat",
    "public/hello",
    "public/set_heartbeat",
    "public/subscribe",
    "public/unsubscribe",
    "public/unsubscribe_all",
];

/// The method of that name.
pub(super) fn find(name: &str) -> Result<Method, Error> {
    let operation = LazyLock::force(&spec::DERIBIT).method(name);
    if let Some((name, access, run)) = methods().into_iter().find(|(known, ..)| *known == name) {
        return Ok(Method { name, access, run, operation });
    }
    if WEBSOCKET_ONLY.contains(&name) {
        return Err(Error::new(Error::MUST_BE_WEBSOCKET));
    }
    let operation = operation.ok_or_else(|| Error::new(Error::METHOD_NOT_FOUND))?;
    let access = operation.needs_credentials().then(|| Access {
        scope: operation.scope.as_deref().and_then(scope::named),
        second_factor: operation.second_factor,
    });
    Ok(Method { name: &operation.id, access, run: Run::Example, operation: Some(operation) })
}

type Entry = (&'static str, Option<Access>, Run);
type Private = fn(&mut State, &Session, &Params) -> Outcome;

fn methods() -> Vec<Entry> {
    let public = |name, run| (name, None, Run::Public(run));
    let private = |name, resource, level, second_factor, run: Private| {
        (name, Some(Access { scope: Some((resource, level)), second_factor }), Run::Private(run))
    };
    let account = |name, level, run: Private| private(name, "account", level, false, run);
    let guarded = |name, level, run: Private| private(name, "account", level, true, run);
    let trade = |name, level, run: Private| private(name, "trade", level, false, run);
    vec![
        public("public/auth", tokens::auth),
        public("public/get_currencies", market::get_currencies),
        public("public/get_instrument", instruments::get_instrument),
        public("public/get_instruments", instruments::get_instruments),
        public("public/get_order_book", market::get_order_book),
        public("public/get_time", market::get_time),
        public("public/status", market::status),
        public("public/test", market::test),
        public("public/ticker", market::ticker),
        account("private/change_api_key_name", ReadWrite, keys::change_name),
        guarded("private/change_scope_in_api_key", ReadWrite, keys::change_scope),
        guarded("private/create_api_key", ReadWrite, keys::create),
        guarded("private/disable_api_key", ReadWrite, keys::disable),
        guarded("private/edit_api_key", ReadWrite, keys::edit),
        account("private/enable_api_key", ReadWrite, keys::enable),
        guarded("private/list_api_keys", Read, keys::list),
        account("private/remove_api_key", ReadWrite, keys::remove),
        account("private/reset_api_key", ReadWrite, keys::reset),
        account("private/get_account_summaries", Read, summary::get_account_summaries),
        account("private/get_account_summary", Read, summary::get_account_summary),
        trade("private/buy", ReadWrite, place::buy),
        trade("private/cancel", ReadWrite, orders::cancel),
        trade("private/get_open_orders", Read, orders::get_open_orders),
        trade("private/get_open_orders_by_currency", Read, orders::get_open_orders_by_currency),
        trade("private/get_open_orders_by_instrument", Read, orders::get_open_orders_by_instrument),
        trade("private/get_open_orders_by_label", Read, orders::get_open_orders_by_label),
        trade("private/get_order_state", Read, orders::get_order_state),
        trade("private/get_order_state_by_label", Read, orders::get_order_state_by_label),
        trade("private/sell", ReadWrite, place::sell),
    ]
}
