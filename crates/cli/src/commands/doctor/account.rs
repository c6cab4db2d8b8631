//! What the account itself says of a key, as another key of it or the key itself sees it.

use venuekit_auth::PrivateKey;
use venuekit_auth::deribit::{DeribitHmac, DeribitKey};
use venuekit_deribit::types::GrantType;
use venuekit_keys::Credential as CredentialParts;
use venuekit_transport::Error;
use venuekit_transport::keys::{ApiKeys, KeyInfo, SecretKind};

use super::probe;
use crate::client::Client;
use crate::context::Context;
use crate::credential::Credential;
use crate::subject::Subject;
use crate::target::Target;
use crate::variables;
use crate::venue::Venue;

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

/// Where an account's keys are cared for. Perpetual futures are reached with a key that Kalshi itself lists.
pub fn keeper(target: &Target) -> Target {
    let venue = if target.venue == Venue::KalshiPerps { Venue::Kalshi } else { target.venue };
    Target { venue, ..target.clone() }
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
        let is_session = other
            .parts
            .iter()
            .any(|one| matches!(one, CredentialParts::Session { .. } | CredentialParts::Login { .. }));
        !other.is_none() && (is_session || other.public_id() != but.public_id())
    };
    for other in candidates(context, target).await.into_iter().filter(is_other) {
        let Ok(client) = probe::client(&keeper(target), &other, offset_millis) else { continue };
        if let Ok(keys) = keys(&client).await {
            return Some((lister(target, &other), keys));
        }
    }
    None
}

/// Whose credential lists keys: with Bayse the session or the login alone, whatever key stands beside it.
fn lister(target: &Target, credential: &Credential) -> String {
    let (Venue::Bayse, Some(prefix)) = (target.venue, &credential.prefix) else { return credential.source.clone() };
    let is_session =
        |one: &&CredentialParts| matches!(one, CredentialParts::Session { .. } | CredentialParts::Login { .. });
    let session = credential.parts.iter().find(is_session);
    match session.and_then(|session| variables::halves(target.venue, prefix, session)) {
        Some((_, variable)) => format!("environment variable {variable}"),
        None => credential.source.clone(),
    }
}

/// What a login says that the key may do: Deribit's answer names the scopes that were granted.
pub async fn granted(client: &Client, credential: &Credential) -> Option<Vec<String>> {
    let (Client::Deribit(client), Some((id, secret, kind))) = (client, credential.key()) else { return None };
    let now = client.clock().now().get();
    let signed = match kind {
        SecretKind::PrivateKeyPem => {
            let key = PrivateKey::from_pem(secret.expose()).ok()?;
            DeribitKey::new(id, key).ok()?.client_signature(now, "")
        }
        _ => DeribitHmac::new(id, secret.clone()).ok()?.client_signature(now, ""),
    };
    let signed = signed.ok()?;
    let call = client.auth().grant_type(GrantType::ClientSignature).client_id(signed.client_id).data(signed.data);
    let call = call.timestamp(signed.timestamp).nonce(signed.nonce).signature(signed.signature);
    let scope = call.send().await.ok()?.into_inner().scope?;
    // Beside what the key may do it names what the login is bound to: a connection, an address, an end.
    let allows = |word: &&str| word.ends_with(":read") || word.ends_with(":read_write");
    Some(scope.split_whitespace().filter(allows).map(str::to_owned).collect())
}

/// What else is at hand: the environment's variables, and the store where it is there already.
async fn candidates(context: &Context, target: &Target) -> Vec<Credential> {
    let mut found: Vec<Credential> = context.credential_of_variables(target).ok().flatten().into_iter().collect();
    if !context.keys().options().exists() {
        return found;
    }
    let Ok(opened) = context.keys().to_read() else { return found };
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
