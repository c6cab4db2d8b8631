//! The methods that are served, who may call each, and what carries it out.

use super::params::Params;
use super::scope::Level::{self, Read, ReadWrite};
use super::state::{Outcome, Session, State};
use super::{instruments, keys, market, orders, place, summary, tokens};

/// How a method is called.
pub(super) enum Method {
    Public(fn(&mut State, &Params) -> Outcome),
    Private {
        resource: &'static str,
        level: Level,
        /// Whether an account with a second factor is asked for it.
        second_factor: bool,
        run: fn(&mut State, &Session, &Params) -> Outcome,
    },
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

/// The method of that name, with the name as it stands in the program.
pub(super) fn find(name: &str) -> Option<(&'static str, Method)> {
    methods().into_iter().find(|(known, _)| *known == name)
}

type Run = fn(&mut State, &Session, &Params) -> Outcome;

fn methods() -> Vec<(&'static str, Method)> {
    let private = |resource, level, second_factor, run: Run| Method::Private { resource, level, second_factor, run };
    let account = |level, run: Run| private("account", level, false, run);
    let guarded = |level, run: Run| private("account", level, true, run);
    let trade = |level, run: Run| private("trade", level, false, run);
    vec![
        ("public/auth", Method::Public(tokens::auth)),
        ("public/get_currencies", Method::Public(market::get_currencies)),
        ("public/get_instrument", Method::Public(instruments::get_instrument)),
        ("public/get_instruments", Method::Public(instruments::get_instruments)),
        ("public/get_order_book", Method::Public(market::get_order_book)),
        ("public/get_time", Method::Public(market::get_time)),
        ("public/status", Method::Public(market::status)),
        ("public/test", Method::Public(market::test)),
        ("public/ticker", Method::Public(market::ticker)),
        ("private/change_api_key_name", account(ReadWrite, keys::change_name)),
        ("private/change_scope_in_api_key", guarded(ReadWrite, keys::change_scope)),
        ("private/create_api_key", guarded(ReadWrite, keys::create)),
        ("private/disable_api_key", guarded(ReadWrite, keys::disable)),
        ("private/edit_api_key", guarded(ReadWrite, keys::edit)),
        ("private/enable_api_key", account(ReadWrite, keys::enable)),
        ("private/list_api_keys", guarded(Read, keys::list)),
        ("private/remove_api_key", account(ReadWrite, keys::remove)),
        ("private/reset_api_key", account(ReadWrite, keys::reset)),
        ("private/get_account_summaries", account(Read, summary::get_account_summaries)),
        ("private/get_account_summary", account(Read, summary::get_account_summary)),
        ("private/buy", trade(ReadWrite, place::buy)),
        ("private/cancel", trade(ReadWrite, orders::cancel)),
        ("private/get_open_orders", trade(Read, orders::get_open_orders)),
        ("private/get_open_orders_by_currency", trade(Read, orders::get_open_orders_by_currency)),
        ("private/get_open_orders_by_instrument", trade(Read, orders::get_open_orders_by_instrument)),
        ("private/get_open_orders_by_label", trade(Read, orders::get_open_orders_by_label)),
        ("private/get_order_state", trade(Read, orders::get_order_state)),
        ("private/get_order_state_by_label", trade(Read, orders::get_order_state_by_label)),
        ("private/sell", trade(ReadWrite, place::sell)),
    ]
}
