//! How does my program trade with a key that the command created?
//!
//! `cargo run --example stored_key` creates a key with the engine of the command, which stores it first, reads it back and places an
//! order with it, against its own sandbox and in a temporary folder.
//!
//! With the command and the venue it is `venuekit keys create kalshi/demo/bot --scope read --scope write::trade`, and in the program
//! `Credentials::from_store("kalshi/demo/bot").await?` with `Environment::Demo`; the passphrase is in `VENUEKIT_PASSPHRASE`. In the
//! facade it needs the feature `keys`, as `venuekit::FromStore`.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use venuekit::auth::KeyKind;
use venuekit::kalshi::types::{BookSide, MarketStatusFilter, SelfTradePreventionType, TimeInForce};
use venuekit::kalshi::{Client, Credentials, Environment};
use venuekit::transport::keys::SecretKind;
use venuekit_keys::journal::FolderJournal;
use venuekit_keys::{
    Account, Create, Credential, Engine, FromStore, Manager, Origin, Outcome, Reference, Silent, StoreLocation, Task,
    Venue,
};
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

/// Create, store, read back, trade; and what is rejected.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Accounts::default()).await?;
    let folder = tempfile::tempdir()?;
    // An age identity opens the store; with a passphrase it is `.passphrase(..)`.
    let place = StoreLocation::file(folder.path().join("keys.age")).identity(folder.path().join("identity.txt"));

    create(&sandbox, &place, &folder.path().join("journal")).await?;

    // From here on this could be another program.
    let credentials = Credentials::from_store_at(&place, "kalshi/local/bot").await?;
    let environment = Environment::Custom(sandbox.kalshi_url());
    let kalshi = Client::builder(environment).credentials(credentials.clone()).build()?;

    let open = kalshi.get_markets().status(MarketStatusFilter::Open).limit(1).send().await?;
    let market = open.markets.first().ok_or("no market is open")?;
    let order = kalshi
        .create_order_v2()
        .ticker(&market.ticker)
        .side(BookSide::Bid)
        .count("10")
        .price("0.05")
        .time_in_force(TimeInForce::GoodTillCanceled)
        .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
        .client_order_id("my-order-1")
        .send()
        .await?;
    println!("the order {} is placed", order.order_id);

    // A key belongs to the environment in its name: one of `local` or `demo` is never sent to production.
    match Client::builder(Environment::Production).credentials(credentials).build() {
        Err(error) => println!("{error}"),
        Ok(_) => return Err("a local key was accepted for production".into()),
    }
    match Credentials::from_store_at(&place, "kalshi/local/bto").await {
        Err(error) => println!("{error}"),
        Ok(_) => return Err("a key that is not stored was found".into()),
    }
    Ok(())
}

/// What `venuekit keys create kalshi/local/bot --scope read --scope write::trade` does.
async fn create(sandbox: &Sandbox, place: &StoreLocation, journal: &Path) -> Result<(), Box<dyn Error>> {
    let account =
        Account { venue: Venue::KALSHI, environment: "local".into(), base_url: sandbox.kalshi_url(), family: None };
    let owner = &sandbox.accounts().kalshi[0];
    let manager = Manager::Given(Credential::Key {
        public_id: owner.key_id.clone(),
        secret: owner.private_key_pem.clone().unwrap_or_default().into(),
        kind: SecretKind::PrivateKeyPem,
    });
    let create = Create {
        reference: Reference::of(&account, "bot")?,
        scopes: vec!["read".into(), "write::trade".into()],
        sub_account: None,
        addresses: Vec::new(),
        origin: Origin::Here(KeyKind::Ed25519),
        by_command: false,
    };
    // If the program is interrupted anywhere, no secret is lost: `engine.resume` continues.
    let engine = Engine::new(place.open()?, Arc::new(FolderJournal::new(journal)));
    match engine.run(&account, Task::Create(create), &manager, &Silent).await? {
        Outcome::Done(report) => println!("created the key {}", report.public_id.unwrap_or_default()),
        Outcome::NeedsPerson(needs) => return Err(format!("{}: {}", needs.what, needs.how).into()),
    }
    Ok(())
}
