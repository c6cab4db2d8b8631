//! Deribit: pairs of one's own, a reset that replaces a secret at once, and a challenge where the account has a security key.

use venuekit_deribit::types::Currency;
use venuekit_deribit::{Client, Credentials, Environment};
use venuekit_transport::Error;
use venuekit_transport::credential_parts::FromCredentialParts as _;
use venuekit_transport::keys::ApiKeys;

use super::access::{self, Access, Factor};
use super::{Facts, settle};
use crate::Credential;
use crate::account::Account;
use crate::network::Network;

pub(super) static FACTS: Facts = Facts {
    environments: &[
        ("production", || Environment::Production.base_url().to_owned()),
        ("test", || Environment::Test.base_url().to_owned()),
    ],
    takes_pairs: true,
    without_ed25519: None,
    keys_manage: true,
    rotates: true,
    takes_restrictions: false,
    needs_scopes: true,
    no_scopes: false,
    lists_use: false,
    most_keys: Some(8),
    longest_name: 16,
    separator: '_',
    check: "an account summary is read",
    page: "the page API of Deribit's account menu",
};

/// Programs that share a key must not share a session: the newest would end the oldest.
const SESSION: &str = "venuekit-keys";

/// `security_key_authorization_error`.
const WRONG_CODE: &str = "13668";

pub(super) fn connect(account: &Account, credential: &Credential, network: &Network) -> Result<Box<dyn Access>, Error> {
    let credentials = Credentials::from_credential_parts(std::slice::from_ref(credential))?;
    let builder = Client::builder(Environment::Custom(account.base_url.clone()));
    Ok(Box::new(settle(builder, network).credentials(credentials.session_name(SESSION)).build()?))
}

impl access::Client for Client {
    fn with(&self, factor: &Factor) -> Self {
        match factor {
            Factor::Answer(challenge, code) => self.confirm(challenge, code.clone()),
            _ => self.clone(),
        }
    }

    fn api_keys(&self) -> impl ApiKeys + Send + Sync {
        self.keys()
    }

    async fn works(&self) -> Result<(), Error> {
        self.get_account_summary().currency(Currency::Btc).send().await.map(drop)
    }

    fn was_wrong_code(error: &Error) -> bool {
        error.code() == Some(WRONG_CODE)
    }
}
