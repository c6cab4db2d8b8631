//! The methods that are served, who may call each, and what carries it out. What is not listed here is in the spec.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::error::Error;
use super::params::Params;
use super::scope::Level::{self, Read, ReadWrite};
use super::state::{Outcome, Session, State};
use super::{
    address_book, cancel, candles, close, combos, edit, history, instruments, keys, ledger, margins, market, mmp,
    orders, place, positions, profile, quotes, reference, scope, session, subaccounts, subscriptions, summary, tape,
    tokens, trades, transfers, wallet,
};
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
#[derive(Clone, Copy)]
pub(super) enum Run {
    Public(fn(&mut State, &Params) -> Outcome),
    /// May come over a connection, which is logged in then.
    Login(fn(&mut State, Option<u64>, &Params) -> Outcome),
    Private(fn(&mut State, &Session, &Params) -> Outcome),
    /// Comes over a connection only.
    Connected(fn(&mut State, u64, &Params) -> Outcome),
    /// Answers by the spec.
    Example(&'static Operation),
}

/// The method of that name.
pub(super) fn find(name: &str) -> Result<&'static Method, Error> {
    static METHODS: LazyLock<HashMap<&'static str, Method>> = LazyLock::new(all);
    METHODS.get(name).ok_or_else(|| Error::new(Error::METHOD_NOT_FOUND))
}

/// Whether a method is served from state.
pub(crate) fn serves(name: &str) -> bool {
    find(name).is_ok_and(|method| !matches!(method.run, Run::Example(_)))
}

fn all() -> HashMap<&'static str, Method> {
    let spec = LazyLock::force(&spec::DERIBIT);
    let by_spec = spec.operations().map(|operation| {
        let access = access_of(operation);
        Method { name: &operation.id, access, run: Run::Example(operation), operation: Some(operation) }
    });
    let by_hand =
        methods().into_iter().map(|(name, access, run)| Method { name, access, run, operation: spec.method(name) });
    // These ask for what the spec says.
    let with_state = with_state().into_iter().filter_map(|(name, run)| {
        let operation = spec.method(name)?;
        Some(Method { name, access: access_of(operation), run, operation: Some(operation) })
    });
    by_spec.chain(with_state).chain(by_hand).map(|method| (method.name, method)).collect()
}

fn access_of(operation: &'static Operation) -> Option<Access> {
    operation.needs_credentials().then(|| Access {
        scope: operation.scope.as_deref().and_then(scope::named),
        second_factor: operation.second_factor,
    })
}

/// The methods that show or change state and ask for what the spec says.
fn with_state() -> Vec<(&'static str, Run)> {
    let public = |name, run| (name, Run::Public(run));
    let private = |name, run: Private| (name, Run::Private(run));
    vec![
        public("public/get_book_summary_by_currency", market::get_book_summary_by_currency),
        public("public/get_book_summary_by_instrument", market::get_book_summary_by_instrument),
        public("public/get_combo_details", combos::get_combo_details),
        public("public/get_combo_ids", combos::get_combo_ids),
        public("public/get_combos", combos::get_combos),
        public("public/get_contract_size", reference::get_contract_size),
        public("public/get_delivery_prices", reference::get_delivery_prices),
        public("public/get_expirations", reference::get_expirations),
        public("public/get_funding_chart_data", reference::get_funding_chart_data),
        public("public/get_funding_rate_history", reference::get_funding_rate_history),
        public("public/get_funding_rate_value", reference::get_funding_rate_value),
        public("public/get_index_chart_data", reference::get_index_chart_data),
        public("public/get_index_price", reference::get_index_price),
        public("public/get_index_price_names", reference::get_index_price_names),
        public("public/get_last_settlements_by_currency", history::get_last_settlements_by_currency),
        public("public/get_last_settlements_by_instrument", history::get_last_settlements_by_instrument),
        public("public/get_last_trades_by_currency", tape::get_last_trades_by_currency),
        public("public/get_last_trades_by_currency_and_time", tape::get_last_trades_by_currency),
        public("public/get_last_trades_by_instrument", tape::get_last_trades_by_instrument),
        public("public/get_last_trades_by_instrument_and_time", tape::get_last_trades_by_instrument),
        public("public/get_mark_price_history", reference::get_mark_price_history),
        public("public/get_order_book_by_instrument_id", market::get_order_book_by_instrument_id),
        public("public/get_supported_index_names", reference::get_supported_index_names),
        public("public/get_trade_volumes", tape::get_trade_volumes),
        public("public/get_tradingview_chart_data", candles::get_tradingview_chart_data),
        private("private/add_to_address_book", address_book::add_to_address_book),
        private("private/cancel_quotes", quotes::cancel_quotes),
        private("private/cancel_transfer_by_id", transfers::cancel),
        private("private/cancel_withdrawal", wallet::cancel_withdrawal),
        private("private/change_margin_model", profile::change_margin_model),
        private("private/change_subaccount_name", subaccounts::change_subaccount_name),
        private("private/create_combo", combos::create_combo),
        private("private/create_deposit_address", wallet::get_deposit_address),
        private("private/create_subaccount", subaccounts::create_subaccount),
        private("private/delete_address_beneficiary", address_book::delete_beneficiary),
        private("private/enable_affiliate_program", profile::enable_affiliate_program),
        private("private/get_address_beneficiary", address_book::get_beneficiary),
        private("private/get_address_book", address_book::get_address_book),
        private("private/get_affiliate_program_info", profile::get_affiliate_program_info),
        private("private/get_currencies", reference::get_currencies),
        private("private/get_current_deposit_address", wallet::get_deposit_address),
        private("private/get_deposits", wallet::get_deposits),
        private("private/get_email_language", profile::get_email_language),
        private("private/get_margins", margins::get_margins),
        private("private/get_mmp_config", mmp::get_mmp_config),
        private("private/get_mmp_status", mmp::get_mmp_status),
        private("private/get_order_margin_by_ids", margins::get_order_margin_by_ids),
        private("private/get_settlement_history_by_currency", history::get_settlement_history_by_currency),
        private("private/get_settlement_history_by_instrument", history::get_settlement_history_by_instrument),
        private("private/get_subaccounts", subaccounts::get_subaccounts),
        private("private/get_subaccounts_details", subaccounts::get_subaccounts_details),
        private("private/get_transaction_log", ledger::get_transaction_log),
        private("private/get_transfers", transfers::get_transfers),
        private("private/get_trigger_order_history", history::get_trigger_order_history),
        private("private/get_user_locks", profile::get_user_locks),
        private("private/get_withdrawals", wallet::get_withdrawals),
        private("private/list_address_beneficiaries", address_book::list_beneficiaries),
        private("private/mass_quote", quotes::mass_quote),
        private("private/move_positions", margins::move_positions),
        private("private/remove_from_address_book", address_book::remove_from_address_book),
        private("private/remove_subaccount", subaccounts::remove_subaccount),
        private("private/reset_mmp", mmp::reset_mmp),
        private("private/save_address_beneficiary", address_book::save_beneficiary),
        private("private/set_disabled_trading_products", profile::set_disabled_trading_products),
        private("private/set_email_for_subaccount", subaccounts::set_email_for_subaccount),
        private("private/set_email_language", profile::set_email_language),
        private("private/set_mmp_config", mmp::set_mmp_config),
        private("private/set_self_trading_config", profile::set_self_trading_config),
        private("private/submit_transfer_between_subaccounts", transfers::between_subaccounts),
        private("private/submit_transfer_to_subaccount", transfers::to_subaccount),
        private("private/submit_transfer_to_user", transfers::to_user),
        private("private/toggle_notifications_from_subaccount", subaccounts::toggle_notifications),
        private("private/toggle_subaccount_login", subaccounts::toggle_subaccount_login),
        private("private/update_in_address_book", address_book::update_in_address_book),
        private("private/withdraw", wallet::withdraw),
    ]
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
    let login = |name, run| (name, None, Run::Login(run));
    let open = |name, run| (name, None, Run::Connected(run));
    let logged_in = |name, run| (name, Some(Access { scope: None, second_factor: false }), Run::Connected(run));
    vec![
        login("public/auth", tokens::auth),
        login("public/exchange_token", tokens::exchange),
        login("public/fork_token", tokens::fork),
        open("public/disable_heartbeat", session::disable_heartbeat),
        open("public/hello", session::hello),
        open("public/set_heartbeat", session::set_heartbeat),
        open("public/subscribe", subscriptions::subscribe),
        open("public/unsubscribe", subscriptions::unsubscribe),
        open("public/unsubscribe_all", subscriptions::unsubscribe_all),
        logged_in("private/logout", session::logout),
        logged_in("private/subscribe", subscriptions::subscribe_private),
        logged_in("private/unsubscribe", subscriptions::unsubscribe),
        logged_in("private/unsubscribe_all", subscriptions::unsubscribe_all),
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
        account("private/disable_cancel_on_disconnect", ReadWrite, session::disable_cancel_on_disconnect),
        account("private/enable_cancel_on_disconnect", ReadWrite, session::enable_cancel_on_disconnect),
        account("private/get_cancel_on_disconnect", Read, session::get_cancel_on_disconnect),
        trade("private/buy", ReadWrite, place::buy),
        trade("private/cancel", ReadWrite, cancel::cancel),
        trade("private/cancel_all", ReadWrite, cancel::cancel_all),
        trade("private/cancel_all_by_currency", ReadWrite, cancel::cancel_all_by_currency),
        trade("private/cancel_all_by_currency_pair", ReadWrite, cancel::cancel_all_by_currency_pair),
        trade("private/cancel_all_by_instrument", ReadWrite, cancel::cancel_all_by_instrument),
        trade("private/cancel_all_by_kind_or_type", ReadWrite, cancel::cancel_all_by_kind_or_type),
        trade("private/cancel_by_label", ReadWrite, cancel::cancel_by_label),
        trade("private/close_position", ReadWrite, close::close_position),
        trade("private/edit", ReadWrite, edit::edit),
        trade("private/edit_by_label", ReadWrite, edit::edit_by_label),
        trade("private/get_open_orders", Read, orders::get_open_orders),
        trade("private/get_open_orders_by_currency", Read, orders::get_open_orders_by_currency),
        trade("private/get_open_orders_by_instrument", Read, orders::get_open_orders_by_instrument),
        trade("private/get_open_orders_by_label", Read, orders::get_open_orders_by_label),
        trade("private/get_order_history_by_currency", Read, orders::get_order_history_by_currency),
        trade("private/get_order_history_by_instrument", Read, orders::get_order_history_by_instrument),
        trade("private/get_order_state", Read, orders::get_order_state),
        trade("private/get_order_state_by_label", Read, orders::get_order_state_by_label),
        trade("private/get_position", Read, positions::get_position),
        trade("private/get_positions", Read, positions::get_positions),
        trade("private/get_user_trades_by_currency", Read, trades::get_user_trades_by_currency),
        trade("private/get_user_trades_by_currency_and_time", Read, trades::get_user_trades_by_currency),
        trade("private/get_user_trades_by_instrument", Read, trades::get_user_trades_by_instrument),
        trade("private/get_user_trades_by_instrument_and_time", Read, trades::get_user_trades_by_instrument),
        trade("private/get_user_trades_by_order", Read, trades::get_user_trades_by_order),
        trade("private/sell", ReadWrite, place::sell),
    ]
}
