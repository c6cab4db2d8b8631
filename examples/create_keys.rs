//! How do I create, list, use, rotate and revoke an API key?
//!
//! `cargo run --example create_keys` does it on all four venues, through the same interface, against its own sandbox.
//!
//! For the real venues change two lines per venue: the environment (`kalshi::Environment::Demo` instead of `Custom`), and the
//! credentials (`kalshi::Credentials::from_pem_file("key id", "kalshi.pem")?`, or your own secret).

#![allow(clippy::print_stdout)]

use std::error::Error;

use venuekit::auth::KeyKind;
use venuekit::keys::{ApiKeys, CreatedKey, NewKey};
use venuekit::{bayse, deribit, kalshi, yativo};
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// All four venues in turn.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    on_kalshi(&sandbox).await?;
    on_bayse(&sandbox).await?;
    on_yativo(&sandbox).await?;
    on_deribit(&sandbox).await
}

/// The life of a key whose secret the venue generates. `call` makes any call that needs the key.
async fn life_of_a_key<C>(venue: &str, keys: &impl ApiKeys, new: NewKey, call: C) -> Result<(), Box<dyn Error>>
where
    C: AsyncFn(&CreatedKey) -> Result<(), venuekit::Error>,
{
    let made = keys.create(new).await?;
    // The venue shows the secret only once. Store it first: `made.secret.expose()` is its text.
    println!("{venue}: created the key {}, its secret is {:?}", made.id, made.secret);
    for key in keys.list().await? {
        println!("{venue}: the account has {} {:?} {:?}", key.id, key.name.unwrap_or_default(), key.scopes);
    }
    call(&made).await?;
    println!("{venue}: a call with the new key works");

    // Once there is a new secret it is returned, even if the old one could not be revoked: look at `rotated.old`.
    let rotated = keys.rotate(&made.id).await?;
    println!("{venue}: rotated, and the old secret is {:?}", rotated.old);
    refused(venue, "with the old secret", call(&made).await)?;
    call(&rotated.key).await?;

    keys.revoke(&rotated.key.id).await?;
    refused(venue, "after the key was revoked", call(&rotated.key).await)
}

/// The life of a key pair that is generated here: only its public half is sent. Kalshi and Deribit support that.
async fn life_of_a_pair<C>(venue: &str, keys: &impl ApiKeys, new: NewKey, call: C) -> Result<(), Box<dyn Error>>
where
    C: AsyncFn(&CreatedKey) -> Result<(), venuekit::Error>,
{
    let made = keys.create(new.local(KeyKind::Ed25519)).await?;
    println!("{venue}: registered the public half of the Ed25519 pair {}", made.id);
    call(&made).await?;
    keys.revoke(&made.id).await?;
    refused(venue, "after the pair was revoked", call(&made).await)
}

fn refused(venue: &str, when: &str, outcome: Result<(), venuekit::Error>) -> Result<(), Box<dyn Error>> {
    match outcome {
        Err(error) if error.kind() == venuekit::ErrorKind::Unauthorized => {
            println!("{venue}: a call {when} is refused: {error}");
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(()) => Err(format!("{venue}: a call {when} worked").into()),
    }
}

async fn on_kalshi(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    let account = &sandbox.accounts().kalshi[0];
    let pem = account.private_key_pem.as_deref().unwrap_or_default();
    let environment = kalshi::Environment::Custom(sandbox.kalshi_url());
    let credentials = kalshi::Credentials::from_pem(&account.key_id, pem)?;

    let kalshi = kalshi::Client::builder(environment.clone()).credentials(credentials).build()?;
    let call = async |key: &CreatedKey| {
        let client = kalshi::Client::builder(environment.clone()).credentials(kalshi::Credentials::try_from(key)?);
        client.build()?.get_balance().send().await.map(drop)
    };
    let new = NewKey::named("example").scopes(["read", "write"]);
    life_of_a_key("Kalshi", &kalshi.keys(), new.clone(), call).await?;
    life_of_a_pair("Kalshi", &kalshi.keys(), new, call).await
}

async fn on_bayse(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    let account = &sandbox.accounts().bayse[0];
    let environment = bayse::Environment::Custom(sandbox.bayse_url());
    let (email, password) = (account.email.clone(), account.password.as_str());

    // Keys are managed in a session. Bayse allows one login in two minutes: keep the token.
    let anonymous = bayse::Client::builder(environment.clone()).build()?;
    let login = anonymous.login().email(email).password(password).send().await?;
    let session = bayse::Credentials::session(login.token.clone(), login.device_id.clone())?;

    let bayse = bayse::Client::builder(environment.clone()).credentials(session).build()?;
    let call = async |key: &CreatedKey| {
        let client = bayse::Client::builder(environment.clone()).credentials(bayse::Credentials::try_from(key)?);
        // A read proves the public key only. A write is signed: cancelling an order that does not exist needs the secret and changes nothing.
        match client.build()?.cancel_order().order_id("no-such-order").send().await {
            Err(error) if error.kind() == venuekit::ErrorKind::NotFound => Ok(()),
            other => other.map(drop),
        }
    };
    life_of_a_key("Bayse", &bayse.keys(), NewKey::named("example"), call).await
}

async fn on_yativo(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    let account = &sandbox.accounts().yativo[0];
    let environment = yativo::Environment::Custom(sandbox.yativo_url());
    let credentials = yativo::Credentials::api_key(&account.api_key, account.api_secret.as_str())?;

    let yativo = yativo::Client::builder(environment.clone()).credentials(credentials).build()?;
    let call = async |key: &CreatedKey| {
        let client = yativo::Client::builder(environment.clone()).credentials(yativo::Credentials::try_from(key)?);
        client.build()?.list_accounts().send().await.map(drop)
    };
    life_of_a_key("Yativo", &yativo.keys(), NewKey::named("example").scopes(["read", "write"]), call).await
}

async fn on_deribit(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    let account = &sandbox.accounts().deribit[0];
    let secret = account.client_secret.as_deref().unwrap_or_default();
    let environment = deribit::Environment::Custom(sandbox.deribit_url());
    let credentials = deribit::Credentials::secret(&account.client_id, secret)?;

    let deribit = deribit::Client::builder(environment.clone()).credentials(credentials).build()?;
    let call = async |key: &CreatedKey| {
        let credentials = deribit::Credentials::try_from(key)?;
        let client = deribit::Client::builder(environment.clone()).credentials(credentials).build()?;
        let summary = client.get_account_summary().currency(deribit::types::Currency::Btc);
        summary.send().await.map(drop)
    };
    let new = NewKey::named("example").scopes(["account:read_write", "trade:read_write", "wallet:none"]);
    life_of_a_key("Deribit", &deribit.keys(), new.clone(), call).await?;
    life_of_a_pair("Deribit", &deribit.keys(), new, call).await
}
