//! Webhook subscriptions. Nothing is delivered.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply::{Done, Failure, Success};
use super::routes::Call;
use super::state::{State, iso, object_id, random_hex};
use crate::message::Reply;

type Answer = Result<Reply, Failure>;

#[derive(Clone, Serialize)]
pub(super) struct Webhook {
    webhook_id: String,
    url: String,
    events: Vec<String>,
    /// Shown to the caller who asks for this one, not in the list.
    #[serde(skip_serializing)]
    secret: String,
    description: Option<String>,
    enabled: bool,
    last_success_at: Option<String>,
    last_failure_at: Option<String>,
    consecutive_failures: u32,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
struct WithSecret<'a> {
    #[serde(flatten)]
    webhook: &'a Webhook,
    secret: &'a str,
}

#[derive(Deserialize)]
struct NewWebhook {
    url: Option<String>,
    events: Option<Vec<String>>,
    description: Option<String>,
}

/// `POST /webhook/create-webhook`.
pub(super) fn create(state: &mut State, call: &Call<'_>) -> Answer {
    let body: NewWebhook = call.body()?;
    let url = body.url.ok_or_else(|| Failure::validation("url", "is required"))?;
    let url = checked_url(url)?;
    let now = iso(state.now());
    let webhook = Webhook {
        webhook_id: object_id(""),
        url,
        events: body.events.filter(|events| !events.is_empty()).unwrap_or_else(|| vec!["*".to_owned()]),
        secret: format!("whsec_{}", random_hex::<24>()),
        description: body.description,
        enabled: true,
        last_success_at: None,
        last_failure_at: None,
        consecutive_failures: 0,
        created_at: now.clone(),
        updated_at: now,
    };
    let data = json!({
        "webhook_id": webhook.webhook_id,
        "url": webhook.url,
        "events": webhook.events,
        "secret": webhook.secret,
        "created_at": webhook.created_at,
    });
    state.owners[call.caller()?.owner].webhooks.push(webhook);
    Ok(Done::reply("Webhook created", data))
}

/// `GET /webhook/get-webhooks`.
pub(super) fn list(state: &mut State, call: &Call<'_>) -> Answer {
    Ok(Success::of(&state.owners[call.caller()?.owner].webhooks).reply())
}

/// `GET /webhook/{webhookId}`.
pub(super) fn get(state: &mut State, call: &Call<'_>) -> Answer {
    let webhooks = &state.owners[call.caller()?.owner].webhooks;
    let webhook = webhooks.iter().find(|webhook| webhook.webhook_id == call.id).ok_or_else(no_webhook)?;
    Ok(Success::of(WithSecret { webhook, secret: &webhook.secret }).reply())
}

/// `DELETE /webhook/{webhookId}`.
pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Answer {
    let webhooks = &mut state.owners[call.caller()?.owner].webhooks;
    let index = webhooks.iter().position(|webhook| webhook.webhook_id == call.id).ok_or_else(no_webhook)?;
    webhooks.remove(index);
    Ok(Done::reply("Webhook deleted", Value::Null))
}

#[derive(Deserialize)]
struct Changes {
    url: Option<String>,
    events: Option<Vec<String>>,
    description: Option<String>,
    enabled: Option<bool>,
}

/// `PUT /webhook/{webhookId}`. What is left out stays.
pub(super) fn update(state: &mut State, call: &Call<'_>) -> Answer {
    let changes: Changes = call.body()?;
    change(state, call, "Webhook updated", |webhook| {
        if let Some(url) = changes.url {
            webhook.url = checked_url(url)?;
        }
        if let Some(events) = changes.events.filter(|events| !events.is_empty()) {
            webhook.events = events;
        }
        if changes.description.is_some() {
            webhook.description = changes.description;
        }
        webhook.enabled = changes.enabled.unwrap_or(webhook.enabled);
        Ok(())
    })
}

/// `POST /webhook/{webhookId}/activate`.
pub(super) fn activate(state: &mut State, call: &Call<'_>) -> Answer {
    change(state, call, "Webhook activated", |webhook| {
        webhook.enabled = true;
        Ok(())
    })
}

/// `POST /webhook/{webhookId}/deactivate`.
pub(super) fn deactivate(state: &mut State, call: &Call<'_>) -> Answer {
    change(state, call, "Webhook deactivated", |webhook| {
        webhook.enabled = false;
        Ok(())
    })
}

fn change(
    state: &mut State,
    call: &Call<'_>,
    message: &'static str,
    edit: impl FnOnce(&mut Webhook) -> Result<(), Failure>,
) -> Answer {
    let now = iso(state.now());
    let webhooks = &mut state.owners[call.caller()?.owner].webhooks;
    let webhook = webhooks.iter_mut().find(|webhook| webhook.webhook_id == call.id).ok_or_else(no_webhook)?;
    edit(webhook)?;
    webhook.updated_at = now;
    Ok(Done::reply(message, webhook))
}

fn checked_url(url: String) -> Result<String, Failure> {
    if url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
        return Ok(url);
    }
    Err(Failure::validation("url", "must be an http or https address"))
}

fn no_webhook() -> Failure {
    Failure::not_found("Webhook not found")
}
