//! Should I sign each Deribit call, or log in and send a token?
//!
//! `cargo run --example deribit_key_and_token` makes the same call in both ways, and a third time with an Ed25519 key, against its
//! own sandbox. Only the credentials differ; the call does not.
//!
//! For the real venue change two lines: `let environment = Environment::Test;` and your own client id and secret in
//! `Credentials::secret("client id", "secret")?`.

#![allow(clippy::print_stdout)]

use std::error::Error;

use venuekit::auth::PrivateKey;
use venuekit::deribit::types::Currency;
use venuekit::deribit::{Client, Credentials, Environment};
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// One call, three credentials.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    let [with_secret, with_pair, ..] = sandbox.accounts().deribit.as_slice() else { return Err("two accounts".into()) };
    let secret = with_secret.client_secret.as_deref().unwrap_or_default();
    let pem = with_pair.private_key_pem.as_deref().unwrap_or_default();
    let environment = Environment::Custom(sandbox.deribit_url());

    // The secret signs every request and never crosses the wire. Nothing expires, nothing has to be fetched first.
    let signed = Credentials::secret(&with_secret.client_id, secret)?;
    show("signed by the client secret", &environment, signed).await?;

    // The secret signs a login, and the calls carry the token that it returns: cheaper per call, one more round trip at first.
    // The first call fetches the token, and it is renewed before it expires.
    let login = Credentials::login(&with_secret.client_id, secret)?;
    show("with a token, logged in by the secret", &environment, login).await?;

    // A key pair has no secret that Deribit could lose. It can only log in.
    let pair = Credentials::private_key(&with_pair.client_id, PrivateKey::from_pem(pem)?)?;
    show("with a token, logged in by an Ed25519 key", &environment, pair).await
}

async fn show(how: &str, environment: &Environment, credentials: Credentials) -> Result<(), Box<dyn Error>> {
    println!("{how}:");
    let deribit = Client::builder(environment.clone()).credentials(credentials).build()?;
    for currency in [Currency::Btc, Currency::Eth] {
        let summary = deribit.get_account_summary().currency(currency).send().await?;
        let equity = summary.equity.map(|equity| equity.to_string()).unwrap_or_default();
        println!("  {equity} {currency}");
    }
    Ok(())
}
