//! Kalshi: no rotation, but pairs of one's own; a key manages keys.

use venuekit_kalshi::{Client, Credentials, Environment};
use venuekit_transport::Error;
use venuekit_transport::credential_parts::FromCredentialParts as _;
use venuekit_transport::keys::ApiKeys;
use venuekit_wire::UnixMillis;

use super::access::{self, Access, Factor};
use super::{Facts, settle};
use crate::Credential;
use crate::account::Account;
use crate::network::Network;

pub(super) static FACTS: Facts = Facts {
    environments: &[
        ("production", || Environment::Production.base_url().to_owned()),
        ("demo", || Environment::Demo.base_url().to_owned()),
    ],
    takes_pairs: true,
    // specs/kalshi/sources.md says where this was read.
    without_ed25519: Some(
        "Kalshi's TypeScript SDK up to 3.30.0, its Python SDK up to 3.2.0 (the newest for Python below 3.13) and pykalshi 2.0.0",
    ),
    keys_manage: true,
    rotates: false,
    takes_restrictions: true,
    needs_scopes: false,
    no_scopes: false,
    lists_use: false,
    most_keys: None,
    longest_name: 64,
    separator: '-',
    check: "the account's limits are read",
    page: "the page API keys of Kalshi's account settings",
};

pub(super) fn connect(account: &Account, credential: &Credential, network: &Network) -> Result<Box<dyn Access>, Error> {
    Ok(Box::new(client(account, credential, network)?))
}

fn client(account: &Account, credential: &Credential, network: &Network) -> Result<Client, Error> {
    let builder = Client::builder(Environment::Custom(account.base_url.clone()));
    let credentials = Credentials::from_credential_parts(std::slice::from_ref(credential))?;
    settle(builder, network).credentials(credentials).build()
}

/// Until when the account's owner has attested a location. Past that, keys cannot trade in some categories.
pub(crate) async fn attested_until(
    account: &Account,
    credential: &Credential,
    network: &Network,
) -> Result<Option<UnixMillis>, Error> {
    let answer = client(account, credential, network)?.get_api_keys().send().await?;
    Ok(answer.api_key_region_expiration_ts.map(|seconds| UnixMillis(seconds.get().saturating_mul(1000))))
}

impl access::Client for Client {
    fn with(&self, _: &Factor) -> Self {
        self.clone()
    }

    fn api_keys(&self) -> impl ApiKeys + Send + Sync {
        self.keys()
    }

    async fn works(&self) -> Result<(), Error> {
        self.get_account_api_limits().send().await.map(drop)
    }
}
