//! Bayse: it makes the secrets, and only a session of the account's owner manages keys.

use venuekit_bayse::{Client, Credentials, Environment, VENUE};
use venuekit_transport::credential_parts::FromCredentialParts as _;
use venuekit_transport::keys::ApiKeys;
use venuekit_transport::{Error, ErrorKind};
use venuekit_wire::Secret;

use super::access::{self, Access, Factor};
use super::{Facts, Opened, settle};
use crate::Credential;
use crate::account::Account;
use crate::network::Network;

pub(super) static FACTS: Facts = Facts {
    environments: &[("production", || Environment::Production.base_url().to_owned())],
    takes_pairs: false,
    without_ed25519: None,
    keys_manage: false,
    rotates: true,
    takes_restrictions: false,
    needs_scopes: false,
    no_scopes: true,
    lists_use: false,
    most_keys: None,
    longest_name: 64,
    separator: '-',
    check: "the portfolio is read and an order that does not exist is cancelled",
    page: "https://app.bayse.markets/settings/api-keys",
};

/// No order has this id, so that cancelling it proves the signature and does nothing.
const NO_ORDER: &str = "00000000-0000-0000-0000-000000000000";

pub(super) fn connect(account: &Account, credential: &Credential, network: &Network) -> Result<Box<dyn Access>, Error> {
    let credentials = Credentials::from_credential_parts(std::slice::from_ref(credential))?;
    let builder = Client::builder(Environment::Custom(account.base_url.clone()));
    Ok(Box::new(settle(builder, network).credentials(credentials).build()?))
}

/// Opens a session. Bayse takes one login in two minutes, so that whoever opens one keeps it.
pub(crate) async fn log_in(
    account: &Account,
    email: &str,
    password: &Secret,
    network: &Network,
) -> Result<Opened, Error> {
    let client: Client = settle(Client::builder(Environment::Custom(account.base_url.clone())), network).build()?;
    let answer = client.login().email(email).password(password.clone()).send().await?;
    Ok(Opened { token: answer.token.clone(), device_id: answer.device_id.clone().into() })
}

impl access::Client for Client {
    fn with(&self, _: &Factor) -> Self {
        self.clone()
    }

    fn api_keys(&self) -> impl ApiKeys + Send + Sync {
        self.keys()
    }

    /// Reading takes the public half alone; a write proves the secret.
    async fn works(&self) -> Result<(), Error> {
        self.get_portfolio().send().await?;
        match self.cancel_order().order_id(NO_ORDER).send().await {
            Err(error) if error.kind() == ErrorKind::NotFound && error.has_known_code() => Ok(()),
            Err(error) => Err(error),
            Ok(_) => {
                let row = VENUE.operation("get_order").expect("the spec has it");
                Err(Error::incomplete(row, "an order that does not exist was cancelled: this is not the venue"))
            }
        }
    }
}
