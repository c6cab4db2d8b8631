//! Deribit asks for my security key. What do I do?
//!
//! `cargo run --example deribit_second_factor` manages keys on an account that has a second factor, against its own sandbox.
//!
//! For the real venue change two lines: `let environment = Environment::Test;` and your own client id and secret. The code then
//! comes from your authenticator app; `code` asks for it.

#![allow(clippy::print_stdout)]

use std::error::Error;

use venuekit::deribit::{Client, Credentials, Environment};
use venuekit::keys::{ApiKeys, NewKey};
use venuekit::wire::Secret;
use venuekit_sandbox::{Accounts, DeribitKey, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// A challenge, a wrong code, the right one.
pub async fn run() -> Result<(), Box<dyn Error>> {
    // An account with a second factor; the sandbox generates the rest.
    let account = DeribitKey { totp_code: Some(CODE.into()), ..DeribitKey::default() };
    let sandbox = Sandbox::start(Accounts { deribit: vec![account], ..Accounts::default() }).await?;
    let account = &sandbox.accounts().deribit[0];
    let secret = account.client_secret.as_deref().unwrap_or_default();

    let environment = Environment::Custom(sandbox.deribit_url());
    let credentials = Credentials::secret(&account.client_id, secret)?;
    let deribit = Client::builder(environment).credentials(credentials).build()?;

    // The venue responds with a challenge, and does not execute the call.
    let new = || NewKey::named("second_factor").scopes(["account:read", "trade:read_write"]);
    let Err(error) = deribit.keys().create(new()).await else { return Err("no code was asked for".into()) };
    let challenge = error.challenge().ok_or("the error is no challenge")?;
    println!("{:?}: {error}", error.kind());

    // The same call again, with the same parameters, through a client that carries the code. A challenge is valid for a minute, a code for
    // half a minute, and a wrong code uses up the challenge: then start again.
    match deribit.confirm(challenge, "000000").keys().create(new()).await {
        Err(error) => println!("a wrong code: {:?}, {error}", error.kind()),
        Ok(_) => return Err("a wrong code was accepted".into()),
    }

    let made = match deribit.keys().create(new()).await {
        Err(error) if error.challenge().is_some() => {
            let challenge = error.challenge().ok_or("the error is no challenge")?;
            deribit.confirm(challenge, code()).keys().create(new()).await?
        }
        other => other?, // an account without a second factor
    };
    println!("created the key {}", made.id);

    // Not every call asks for a code: removing a key does not.
    deribit.keys().revoke(&made.id).await?;
    println!("removed it again");
    Ok(())
}

/// The only code that the sandbox accepts.
const CODE: &str = "314159";

/// Where a user would be asked.
fn code() -> Secret {
    Secret::new(CODE)
}
