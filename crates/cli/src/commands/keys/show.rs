//! `venuekit keys show` and `verify`.

use clap::Args;
use serde_json::{Value, json};
use venuekit_auth::PrivateKey;
use venuekit_keys::record::{Kind, State, StoredKey};
use venuekit_keys::{Class, Manager};
use venuekit_wire::UnixMillis;

use super::account_client::AccountClient;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::subject::Subject;
use crate::when;

#[derive(Args, Debug)]
pub struct ShowArgs {
    /// VENUE/ENVIRONMENT/NAME
    subject: Subject,
    /// Print the public half of a key pair as PEM, and nothing else
    #[arg(long)]
    public_key: bool,
}

/// `venuekit keys show`.
pub async fn run(context: &Context, arguments: &ShowArgs) -> Result<(), Failure> {
    context.check_key(&arguments.subject)?;
    let client = AccountClient::reading(context, &arguments.subject)?;
    let reference = client.reference(&arguments.subject, None)?;
    let record = context.keys().record(&reference, None).await?;
    let out = context.out();
    if arguments.public_key {
        let key = record.active().and_then(public_key);
        let key = key.ok_or_else(|| Failure::usage(format!("{reference} is no key pair in use")))?;
        out.raw(&key);
        return Ok(());
    }
    for (index, key) in record.keys.iter().enumerate() {
        if index > 0 {
            out.line("");
        }
        out.step("key", &reference.to_string());
        out.step("name", &key.label);
        out.step("id", key.id.as_deref().unwrap_or("-"));
        out.step("public id", key.public_id.as_deref().unwrap_or("-"));
        out.step("secret", &secret_kind(key));
        out.step("scopes", &if key.scopes.is_empty() { "-".to_owned() } else { key.scopes.join(" ") });
        out.step("created", &created(key).map_or_else(|| "-".to_owned(), when::day));
        out.step("state", state(key));
    }
    let keys: Vec<Value> = record.keys.iter().map(document).collect();
    out.document(&json!({ "reference": reference.to_string(), "keys": keys }));
    Ok(())
}

fn created(key: &StoredKey) -> Option<UnixMillis> {
    (key.made.get() > 0).then(|| UnixMillis(key.made.get().saturating_mul(1000)))
}

fn public_key(key: &StoredKey) -> Option<String> {
    let pair = PrivateKey::from_pem(key.secret.expose()).ok().filter(|_| key.kind == Kind::PrivateKeyPem)?;
    Some(pair.public_key_pem().to_owned())
}

/// What the secret is, without it.
fn secret_kind(key: &StoredKey) -> String {
    let pair = || PrivateKey::from_pem(key.secret.expose()).ok();
    match key.kind {
        _ if key.secret.is_empty() => "none yet".to_owned(),
        Kind::PrivateKeyPem => {
            pair().map_or_else(|| "a private key".to_owned(), |pair| format!("{} private key", pair.algorithm()))
        }
        Kind::Shared => "shared with the venue".to_owned(),
        Kind::Session => "a session".to_owned(),
    }
}

fn state(key: &StoredKey) -> &'static str {
    match key.state {
        State::Prepared => "prepared: the venue does not have it yet",
        State::Stored => "stored, not verified yet",
        State::Active => "in use",
        State::Retiring => "replaced, about to be revoked",
    }
}

fn document(key: &StoredKey) -> Value {
    json!({
        "name": key.label,
        "id": key.id,
        "public_id": key.public_id,
        "secret_kind": key.kind,
        "public_key": public_key(key),
        "scopes": key.scopes,
        "created": created(key),
        "state": key.state,
    })
}

#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// VENUE/ENVIRONMENT/NAME
    subject: Subject,
}

/// `venuekit keys verify`.
pub async fn verify(context: &Context, arguments: &VerifyArgs) -> Result<(), Failure> {
    context.check_key(&arguments.subject)?;
    let client = AccountClient::reading(context, &arguments.subject)?;
    let reference = client.reference(&arguments.subject, None)?;
    context.keys().record(&reference, None).await?;
    let client = client.of_stored(&reference).await?;
    let out = context.out();
    let shown = match client.engine.verify(&client.account, &reference).await {
        Ok(shown) => shown,
        // What a check found is its result, for scripts too.
        Err(error) if out.is_json() && error.class() == Class::Failed => {
            let (reason, help) = (error.to_string(), error.help());
            out.document(
                &json!({ "reference": reference.to_string(), "works": false, "reason": reason, "help": help }),
            );
            return Err(Failure::reported(Exit::Fault));
        }
        Err(error) => return Err(client.explained(error, &Manager::Stored(reference))),
    };
    out.step(shown.word(), &shown.to_string());
    out.document(&json!({ "reference": reference.to_string(), "works": true, "event": shown }));
    Ok(())
}
