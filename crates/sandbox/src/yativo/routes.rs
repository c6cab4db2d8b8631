//! The operations that are served, what each needs, and what carries it out.

use std::cell::Cell;

use bytes::Bytes;
use serde::Deserialize;

use super::credentials::Caller;
use super::reply::Failure;
use super::state::State;
use super::{accounts, key_routes, tokens, transfers, webhooks};
use crate::message::{Reply, Request};

/// What an operation needs of the key that calls it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Permission {
    ReadAccounts,
    WriteAccounts,
    ReadTransactions,
    Send,
    Webhooks,
}

impl Permission {
    /// The scope of the newest vocabulary.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ReadAccounts | Self::ReadTransactions => "read",
            Self::WriteAccounts => "write",
            Self::Send => "transactions",
            Self::Webhooks => "webhooks",
        }
    }

    /// The permission that a scope of the newest vocabulary stands for.
    pub(super) fn named(scope: &str) -> Option<Self> {
        let all = [Self::ReadAccounts, Self::WriteAccounts, Self::Send, Self::Webhooks];
        all.into_iter().find(|permission| permission.name() == scope)
    }

    pub(super) fn is_read(self) -> bool {
        self.name() == "read"
    }

    /// Whether a scope allows it, in any of the documented vocabularies.
    pub(super) fn is_granted_by(self, scope: &str) -> bool {
        let older: &[&str] = match self {
            Self::ReadAccounts => &["accounts:read", "wallets:read"],
            Self::WriteAccounts => &["accounts:write", "wallets:write"],
            Self::ReadTransactions => &["transactions:read"],
            Self::Send => &["transactions:write"],
            Self::Webhooks => &["webhooks:manage"],
        };
        scope == self.name() || older.contains(&scope)
    }
}

/// One request on its way through.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    /// The id in the path; empty where the path has none.
    pub(super) id: &'a str,
    pub(super) caller: Option<Caller>,
    replayed: Cell<bool>,
}

impl<'a> Call<'a> {
    pub(super) fn new(request: &'a Request, id: &'a str, caller: Option<Caller>) -> Self {
        Self { request, id, caller, replayed: Cell::new(false) }
    }

    pub(super) fn caller(&self) -> Result<&Caller, Failure> {
        self.caller.as_ref().ok_or_else(|| Failure::unauthorized("Authentication is required"))
    }

    /// The JSON body. None at all counts as an empty object.
    pub(super) fn body<T: Deserialize<'a>>(&self) -> Result<T, Failure> {
        let body: &[u8] = if self.request.body.is_empty() { b"{}" } else { &self.request.body };
        serde_json::from_slice(body).map_err(|error| Failure::validation("body", error.to_string()))
    }

    /// A response that was given before.
    pub(super) fn replay(&self, body: Bytes) -> Reply {
        self.replayed.set(true);
        let mut reply = Reply::empty(200).with_header("content-type", "application/json");
        reply.body = body;
        reply
    }

    pub(super) fn is_replayed(&self) -> bool {
        self.replayed.get()
    }
}

use Permission::{ReadAccounts, ReadTransactions, Send, Webhooks, WriteAccounts};

type Run = fn(&mut State, &Call<'_>) -> Result<Reply, Failure>;

/// One operation.
pub(super) struct Route {
    method: &'static str,
    template: &'static str,
    /// None for the exchange of a key for a token, which nobody is logged in for.
    pub(super) permission: Option<Permission>,
    /// Whether an account with a second factor needs it here.
    pub(super) second_factor: bool,
    pub(super) run: Run,
}

impl Route {
    /// Method and path template, the same for both prefixes.
    pub(super) fn operation(&self) -> String {
        format!("{} /api/v1{}", self.method, self.template)
    }
}

/// The route of a method and a path without its prefix, and the id in the path. Where the spec knows the path, the route has the
/// template that the spec has: another word may stand where this one would be an id.
pub(super) fn find<'a>(method: &str, path: &'a str, template: Option<&str>) -> Option<(&'static Route, &'a str)> {
    let routes = ROUTES.iter().filter(|route| template.is_none_or(|template| route.template == template));
    routes.filter(|route| route.method == method).find_map(|route| Some((route, fit(route.template, path)?)))
}

/// Whether an operation is served from state.
pub(crate) fn serves(method: &str, template: &str) -> bool {
    ROUTES.iter().any(|route| route.method == method && route.template == template)
}

/// The id in a path that fits a template; empty where the template has none.
fn fit<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    let Some((before, name)) = template.split_once('{') else { return (template == path).then_some("") };
    let (_, after) = name.split_once('}')?;
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

const fn plain(method: &'static str, template: &'static str, permission: Permission, run: Run) -> Route {
    Route { method, template, permission: Some(permission), second_factor: false, run }
}

const fn guarded(method: &'static str, template: &'static str, permission: Permission, run: Run) -> Route {
    Route { method, template, permission: Some(permission), second_factor: true, run }
}

const fn open(method: &'static str, template: &'static str, run: Run) -> Route {
    Route { method, template, permission: None, second_factor: false, run }
}

/// A path without an id stands before one that its last word would fit as an id.
static ROUTES: [Route; 37] = [
    open("POST", "/auth/token", tokens::exchange),
    open("POST", "/apikey/token", tokens::exchange),
    guarded("POST", "/apikey/generate", WriteAccounts, key_routes::generate),
    plain("GET", "/apikey", ReadAccounts, key_routes::list),
    plain("GET", "/apikey/list", ReadAccounts, key_routes::list_guide),
    plain("GET", "/apikey/{keyId}", ReadAccounts, key_routes::get),
    guarded("POST", "/apikey/{keyId}/rotate", WriteAccounts, key_routes::rotate),
    guarded("DELETE", "/apikey/{keyId}", WriteAccounts, key_routes::revoke),
    guarded("PUT", "/apikey/{keyId}/permissions", WriteAccounts, key_routes::set_permissions),
    guarded("POST", "/apikey/create", WriteAccounts, key_routes::create_guide),
    guarded("POST", "/apikey/{keyId}/revoke", WriteAccounts, key_routes::revoke),
    guarded("POST", "/api-keys", WriteAccounts, key_routes::create_first_gen),
    plain("GET", "/api-keys", ReadAccounts, key_routes::list_first_gen),
    guarded("DELETE", "/api-keys/{keyId}", WriteAccounts, key_routes::revoke_first_gen),
    plain("POST", "/accounts/create-account", WriteAccounts, accounts::create_account),
    plain("GET", "/accounts/get-accounts", ReadAccounts, accounts::list_accounts),
    plain("GET", "/assets/get-all-assets", ReadAccounts, accounts::list_supported),
    plain("GET", "/assets/get-chains", ReadAccounts, accounts::list_chains),
    plain("POST", "/assets/add-asset", WriteAccounts, accounts::add_asset),
    plain("POST", "/assets/get-user-assets", ReadAccounts, accounts::list_assets),
    plain("POST", "/balance/check", ReadAccounts, accounts::check_balance),
    guarded("POST", "/transactions/send-funds", Send, transfers::send_funds),
    plain("POST", "/transactions/get-transaction", ReadTransactions, transfers::get_transaction),
    plain("POST", "/transactions/get-transactions", ReadTransactions, transfers::list_transactions),
    plain("POST", "/webhook/create-webhook", Webhooks, webhooks::create),
    plain("GET", "/webhook/get-webhooks", Webhooks, webhooks::list),
    plain("GET", "/webhook/{webhookId}", Webhooks, webhooks::get),
    plain("DELETE", "/webhook/{webhookId}", Webhooks, webhooks::delete),
    plain("PUT", "/webhook/{webhookId}", Webhooks, webhooks::update),
    plain("POST", "/webhook/{webhookId}/activate", Webhooks, webhooks::activate),
    plain("POST", "/webhook/{webhookId}/deactivate", Webhooks, webhooks::deactivate),
    plain("POST", "/assets/archive-asset", WriteAccounts, accounts::archive_asset),
    plain("POST", "/accounts/get-user-accounts", ReadAccounts, accounts::list_user_accounts),
    plain("POST", "/assets/batch-add-asset", WriteAccounts, accounts::batch_add_assets),
    plain("POST", "/assets/get-user-assets-by-id", ReadAccounts, accounts::list_user_assets),
    plain("POST", "/transactions/asset-history", ReadTransactions, transfers::list_asset_transactions),
    plain("POST", "/transactions/cancel", Send, transfers::cancel_transaction),
];
