//! Yativo: it makes the secrets, its answer to a new key shows no id, and key calls carry a one-time code.

use serde_json::Value;
use venuekit_transport::credential_parts::FromCredentialParts as _;
use venuekit_transport::keys::ApiKeys;
use venuekit_transport::{Error, ErrorKind};
use venuekit_yativo::{Client, Credentials, Environment, VENUE};

use super::access::{self, Access, Factor};
use super::{Facts, settle};
use crate::Credential;
use crate::account::Account;
use crate::network::Network;

pub(super) static FACTS: Facts = Facts {
    environments: &[
        ("production", || Environment::Production.base_url().to_owned()),
        ("sandbox", || Environment::Sandbox.base_url().to_owned()),
    ],
    takes_pairs: false,
    without_ed25519: None,
    keys_manage: true,
    rotates: true,
    takes_restrictions: false,
    needs_scopes: false,
    no_scopes: false,
    lists_use: true,
    most_keys: None,
    longest_name: 64,
    separator: '-',
    check: "the accounts are listed",
    page: "the page API keys of Yativo's dashboard",
};

pub(super) fn connect(account: &Account, credential: &Credential, network: &Network) -> Result<Box<dyn Access>, Error> {
    let credentials = Credentials::from_credential_parts(std::slice::from_ref(credential))?;
    let builder = Client::builder(Environment::Custom(account.base_url.clone()));
    Ok(Box::new(settle(builder, network).credentials(credentials).build()?))
}

impl access::Client for Client {
    fn with(&self, factor: &Factor) -> Self {
        match factor {
            Factor::Code(code) => self.with_code(code.clone()),
            _ => self.clone(),
        }
    }

    fn api_keys(&self) -> impl ApiKeys + Send + Sync {
        self.keys()
    }

    async fn works(&self) -> Result<(), Error> {
        let response = self.list_accounts().send().await?;
        // The typed list takes null for an empty one, which proves nothing here.
        let body: Value = response.body().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        if ["/accounts", "/data", "/data/accounts"].iter().any(|at| body.pointer(at).is_some_and(Value::is_array)) {
            return Ok(());
        }
        let row = VENUE.operation("list_accounts").expect("the spec has it");
        Err(Error::incomplete(row, "the response holds no list of accounts"))
    }

    /// No page shows the error for a missing or wrong code, so that whatever speaks of a second factor is taken for one.
    fn wants_code(error: &Error) -> bool {
        let refused =
            matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Unauthorized | ErrorKind::InvalidRequest);
        let said = format!("{} {}", error.code().unwrap_or_default(), error.message()).to_ascii_lowercase();
        refused && ["two_factor", "two-factor", "2fa"].iter().any(|word| said.contains(word))
    }
}
