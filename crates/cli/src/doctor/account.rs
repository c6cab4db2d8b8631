//! What the account itself says of a key, as another key of it or the key itself sees it.

use venuekit_keys::Credential as Material;
use venuekit_transport::Error;
use venuekit_transport::keys::{ApiKeys, KeyInfo};

use super::probe;
use crate::client::Client;
use crate::context::Context;
use crate::credential::{self, Credential};
use crate::store;
use crate::subject::Subject;
use crate::target::Target;

/// The keys of an account.
pub async fn keys(client: &Client) -> Result<Vec<KeyInfo>, Error> {
    match client {
        Client::Bayse(client) => client.keys().list().await,
        Client::Deribit(client) => client.keys().list().await,
        Client::Kalshi(client) => client.keys().list().await,
        Client::Yativo(client) => client.keys().list().await,
        Client::KalshiPerps(_) => Err(Error::invalid_request("keys are listed by Kalshi itself")),
    }
}

/// The entry of a key in a list.
pub fn own<'a>(keys: &'a [KeyInfo], public_id: &str) -> Option<&'a KeyInfo> {
    keys.iter().find(|key| key.public_id.as_deref() == Some(public_id) || key.id == public_id)
}

/// The account's keys as some other credential sees them, and whose credential that was. Each one that is at hand is tried.
pub async fn seen_by_others(
    context: &Context,
    target: &Target,
    but: &Credential,
    offset_millis: i64,
) -> Option<(String, Vec<KeyInfo>)> {
    let is_other = |other: &Credential| {
        let is_session =
            other.material.iter().any(|one| matches!(one, Material::Session { .. } | Material::Login { .. }));
        !other.is_none() && (is_session || other.public_id() != but.public_id())
    };
    for other in candidates(context, target).await.into_iter().filter(is_other) {
        let Ok(client) = probe::client(target, &other, offset_millis) else { continue };
        if let Ok(keys) = keys(&client).await {
            return Some((other.source, keys));
        }
    }
    None
}

/// What else is at hand: the environment's variables, and the store where it is there already.
async fn candidates(context: &Context, target: &Target) -> Vec<Credential> {
    let mut found: Vec<Credential> = credential::from_environment(target).into_iter().collect();
    if !store::is_there(context) {
        return found;
    }
    let Ok(opened) = context.store() else { return found };
    let references = opened.list().await.unwrap_or_default();
    let of_account = |reference: &venuekit_keys::Reference| {
        reference.venue == target.venue.of_keys() && reference.environment == target.environment && reference.is_a_key()
    };
    for reference in references.into_iter().filter(of_account) {
        let subject =
            Subject { venue: target.venue, environment: Some(reference.environment), name: Some(reference.name) };
        found.extend(context.credential(target, &subject).await);
    }
    found
}
