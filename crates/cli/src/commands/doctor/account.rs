//! What the account itself says of a key, as another key of it or the key itself sees it.

use venuekit_transport::Error;
use venuekit_transport::credential_parts::CredentialParts;
use venuekit_transport::key_lifecycle::{SessionKeys, granted_scopes};
use venuekit_transport::keys::{ApiKeys as _, KeyInfo};

use super::probe;
use crate::client::Client;
use crate::commands::sign;
use crate::context::Context;
use crate::credential::Credential;
use crate::subject::Subject;
use crate::target::Target;
use crate::variables;

/// The keys of an account.
pub async fn keys(client: &Client) -> Result<Vec<KeyInfo>, Error> {
    SessionKeys::new(client.session())?.list().await
}

/// The key itself, if the venue has a call that shows it.
pub async fn itself(client: &Client) -> Result<Option<KeyInfo>, Error> {
    SessionKeys::new(client.session())?.own().await
}

/// Where an account's keys are managed: at the venue itself, or at the one whose keys it accepts.
pub fn keeper(target: &Target) -> Target {
    Target { venue: target.venue.of_keys(), ..target.clone() }
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

/// Whose credential lists keys: where a session does that, the session or the login alone, whatever key is given beside it.
fn lister(target: &Target, credential: &Credential) -> String {
    let (true, Some(prefix)) = (target.venue.has_sessions(), &credential.prefix) else {
        return credential.source.clone();
    };
    let is_session =
        |one: &&CredentialParts| matches!(one, CredentialParts::Session { .. } | CredentialParts::Login { .. });
    let session = credential.parts.iter().find(is_session);
    match session.and_then(|session| variables::halves(target.venue, prefix, session)) {
        Some((_, variable)) => format!("environment variable {variable}"),
        None => credential.source.clone(),
    }
}

/// What a login says that the key may do, where its response names the scopes that were granted.
pub async fn granted(client: &Client, target: &Target, credential: &Credential) -> Option<Vec<String>> {
    let rules = &target.venue.table().credentials;
    let login = rules.logins.iter().find(|login| login.scopes_at.is_some())?;
    let signature = rules.signature(login.signed_by?)?;
    let key = credential.parts.iter().find(|one| matches!(one, CredentialParts::Key { .. }))?;
    let signer = sign::signer(signature, key, None).ok()?;
    granted_scopes(client.session(), login, &signer).await.ok()?
}

/// What else is at hand: the environment's variables, and the store where it already exists.
async fn candidates(context: &Context, target: &Target) -> Vec<Credential> {
    let mut found: Vec<Credential> = context.credential_of_variables(target).ok().flatten().into_iter().collect();
    if !context.keys().options().exists() {
        return found;
    }
    let Ok(opened) = context.keys().to_read() else { return found };
    let references = opened.list().await.unwrap_or_default();
    let of_account = |reference: &venuekit_keys::Reference| {
        reference.venue == target.venue.key_venue()
            && reference.environment == target.environment
            && reference.is_a_key()
    };
    for reference in references.into_iter().filter(of_account) {
        let subject =
            Subject { venue: target.venue, environment: Some(reference.environment), name: Some(reference.name) };
        found.extend(context.credential(target, &subject).await);
    }
    found
}
