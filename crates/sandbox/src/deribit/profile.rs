//! What an account says about itself, and the methods that change it.

use serde::Serialize;
use serde_json::json;

use super::instruments::CURRENCIES;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use super::subaccounts;

const MARGIN_MODELS: [&str; 4] = ["cross_pm", "cross_sm", "segregated_pm", "segregated_sm"];
const SELF_TRADING_MODES: [&str; 2] = ["reject_taker", "cancel_maker"];

/// The settings of an account.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) username: String,
    pub(super) system_name: String,
    pub(super) email: String,
    pub(super) created: i64,
    pub(super) login_enabled: bool,
    pub(super) receives_notifications: bool,
    pub(super) margin_model: &'static str,
    pub(super) self_trading_mode: &'static str,
    pub(super) self_trading_in_subaccounts: bool,
    pub(super) disabled_products: Vec<String>,
    language: String,
    is_affiliate: bool,
}

impl Profile {
    pub(super) fn new(user_id: i64, is_subaccount: bool, created: i64) -> Self {
        Self {
            username: format!("trader{user_id}"),
            system_name: format!("trader_{user_id}"),
            email: format!("trader{user_id}@example.com"),
            created,
            login_enabled: !is_subaccount,
            receives_notifications: false,
            margin_model: "segregated_sm",
            self_trading_mode: "cancel_maker",
            self_trading_in_subaccounts: false,
            disabled_products: Vec::new(),
            language: "en".to_owned(),
            is_affiliate: false,
        }
    }
}

#[derive(Serialize)]
struct MarginModelChange {
    currency: &'static str,
}

/// `private/change_margin_model`. Margins are the same in every model here.
pub(super) fn change_margin_model(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let model = params.required("margin_model", params.one_of("margin_model", &MARGIN_MODELS)?)?;
    let account = subaccounts::named(state, session, params, "user_id")?;
    if !params.boolean("dry_run")?.unwrap_or_default() {
        state.accounts[account].profile.margin_model = model;
    }
    done(&CURRENCIES.map(|currency| MarginModelChange { currency }))
}

/// `private/set_self_trading_config`.
pub(super) fn set_self_trading_config(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let mode = params.required("mode", params.one_of("mode", &SELF_TRADING_MODES)?)?;
    let extended = params.boolean("extended_to_subaccounts")?;
    let extended = params.required("extended_to_subaccounts", extended)?;
    let profile = &mut state.accounts[session.account].profile;
    profile.self_trading_mode = mode;
    profile.self_trading_in_subaccounts = extended;
    done(&"ok")
}

/// `private/set_disabled_trading_products`.
pub(super) fn set_disabled_trading_products(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let account = subaccounts::named(state, session, params, "user_id")?;
    let products = params.required("trading_products", params.list("trading_products")?)?;
    state.accounts[account].profile.disabled_products = products;
    done(&"ok")
}

/// `private/get_email_language`.
pub(super) fn get_email_language(state: &mut State, session: &Session, _params: &Params) -> Outcome {
    done(&state.accounts[session.account].profile.language)
}

/// `private/set_email_language`.
pub(super) fn set_email_language(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let language = params.required("language", params.text("language")?)?;
    state.accounts[session.account].profile.language = language;
    done(&"ok")
}

/// `private/enable_affiliate_program`.
pub(super) fn enable_affiliate_program(state: &mut State, session: &Session, _params: &Params) -> Outcome {
    state.accounts[session.account].profile.is_affiliate = true;
    done(&"ok")
}

/// `private/get_affiliate_program_info`.
pub(super) fn get_affiliate_program_info(state: &mut State, session: &Session, _params: &Params) -> Outcome {
    let account = &state.accounts[session.account];
    if !account.profile.is_affiliate {
        return done(&json!({"is_enabled": false, "number_of_affiliates": 0}));
    }
    let link = format!("https://www.deribit.com/reg-{}", account.user_id);
    done(&json!({"is_enabled": true, "link": link, "number_of_affiliates": 0}))
}

/// `private/get_user_locks`: nothing is ever locked here.
pub(super) fn get_user_locks(_state: &mut State, _session: &Session, _params: &Params) -> Outcome {
    let lock = |currency| json!({"currency": currency, "enabled": true, "locked": false});
    done(&CURRENCIES.map(lock))
}
