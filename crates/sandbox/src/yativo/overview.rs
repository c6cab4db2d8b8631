//! What the console shows of Yativo.

use std::sync::PoisonError;

use super::Yativo;
use super::state::Owner;
use crate::overview::{self, Account, Balance, Overview};

impl Yativo {
    /// The accounts of its customers. There is no market and no stream.
    pub(crate) fn overview(&self) -> Overview {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.now();
        let accounts = state.owners.iter().enumerate().map(|(index, owner)| account(index, owner, now));
        Overview { accounts: accounts.collect(), ..Overview::default() }
    }

    /// Revokes a key, with its tokens. Whether there was an active one of that name.
    pub(crate) fn revoke(&self, api_key: &str) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.now();
        let mut keys = state.owners.iter_mut().flat_map(|owner| &mut owner.keys);
        let Some(key) = keys.find(|key| key.api_key == api_key && key.is_active(now)) else { return false };
        key.revoked_at = Some(now);
        let id = key.id.clone();
        state.end_tokens(&id);
        true
    }
}

fn account(index: usize, owner: &Owner, now: i64) -> Account {
    let key = |key: &super::keys::Key| overview::Key {
        id: key.api_key.clone(),
        name: key.name.clone(),
        kind: "secret",
        scopes: key.scopes.clone(),
        status: key.status(now),
    };
    Account {
        name: format!("customer {}", index + 1),
        balances: owner.assets.iter().map(|asset| Balance::new(asset.ticker, asset.balance.0)).collect(),
        keys: owner.keys.iter().map(key).collect(),
        ..Account::default()
    }
}
