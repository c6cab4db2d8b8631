//! How do I handle errors of four venues in one place?
//!
//! `cargo run --example error_kinds` makes the same mistakes on every venue, against its own sandbox. Each venue responds with
//! its own codes, texts and shapes; `Error::kind` is the same for the same problem.
//!
//! For the real venues change the environments, and add your own credentials.

#![allow(clippy::print_stdout)]

use std::error::Error as StdError;

use venuekit::{Error, ErrorKind, bayse, deribit, kalshi, yativo};
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    run().await
}

/// Errors of all venues through one function.
pub async fn run() -> Result<(), Box<dyn StdError>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    let kalshi = kalshi::Client::builder(kalshi::Environment::Custom(sandbox.kalshi_url())).build()?;
    let bayse = bayse::Client::builder(bayse::Environment::Custom(sandbox.bayse_url())).build()?;
    let deribit = deribit::Client::builder(deribit::Environment::Custom(sandbox.deribit_url())).build()?;

    let environment = yativo::Environment::Custom(sandbox.yativo_url());
    let wrong = yativo::Credentials::api_key("yativo_wrong", "wrong")?;
    let yativo = yativo::Client::builder(environment).credentials(wrong).build()?;

    // Rejected here, before anything was sent: a credential is missing.
    handle(kalshi.get_balance().send().await)?;
    // Refused by the venue: the credential is wrong. The exchange for a token fails, before the call itself.
    handle(yativo.list_accounts().send().await)?;
    // The same, in another shape.
    handle(bayse.login().email("nobody@example.com").password("wrong").send().await)?;
    // Two shapes of "there is no such thing".
    handle(kalshi.get_market().ticker("NO-SUCH-MARKET").send().await)?;
    handle(deribit.ticker().instrument_name("BTC-NEVER").send().await)?;
    // A value that cannot be sent is rejected here, too.
    handle(deribit.buy().instrument_name("BTC-PERPETUAL").amount("ten").send().await)?;
    // No server is listening.
    let nowhere = kalshi::Client::builder(kalshi::Environment::Custom("http://127.0.0.1:9".into())).build()?;
    handle(nowhere.get_exchange_status().send().await)
}

/// What a program would do, on any venue.
fn handle<T>(outcome: Result<T, Error>) -> Result<(), Box<dyn StdError>> {
    let Err(error) = outcome else { return Err("this call was meant to fail".into()) };
    let advice = match error.kind() {
        _ if error.may_have_been_applied() => "look it up before anything else",
        _ if error.is_retryable() => "try again later",
        ErrorKind::Unauthorized => "look at the credentials",
        ErrorKind::NotFound | ErrorKind::InvalidRequest => "look at the parameters",
        ErrorKind::InsufficientFunds => "make it smaller",
        _ => "tell somebody",
    };
    println!("{:?}: {error}\n  -> {advice}", error.kind());
    Ok(())
}
