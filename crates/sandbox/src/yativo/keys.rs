//! API keys: what all generations of the interface do alike.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::credentials::Caller;
use super::reply::Failure;
use super::state::{State, object_id, random_hex};

/// What a key may have that is given no scopes.
pub(super) const ALL_SCOPES: [&str; 4] = ["read", "write", "transactions", "webhooks"];

/// Keys in use that the plan allows.
const MAX_KEYS: usize = 10;
const DAY_MILLIS: i64 = 86_400_000;
/// Ten years: more is a mistake.
const MAX_DAYS: i64 = 3650;

/// An API key.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) api_key: String,
    pub(super) api_secret: String,
    pub(super) name: String,
    pub(super) scopes: Vec<String>,
    pub(super) allowed_ips: Vec<String>,
    pub(super) created_at: i64,
    pub(super) expires_at: Option<i64>,
    pub(super) revoked_at: Option<i64>,
    pub(super) last_used_at: Option<i64>,
}

impl Key {
    pub(super) fn is_active(&self, now: i64) -> bool {
        self.status(now) == "active"
    }

    pub(super) fn status(&self, now: i64) -> &'static str {
        if self.revoked_at.is_some() {
            "revoked"
        } else if self.expires_at.is_some_and(|expires_at| expires_at <= now) {
            "expired"
        } else {
            "active"
        }
    }
}

/// How a generation of the interface generates keys and secrets.
#[derive(Clone, Copy)]
pub(super) enum Generation {
    Canonical,
    First,
    Guide,
}

impl Generation {
    fn key_and_secret(self) -> (String, String) {
        match self {
            Self::Canonical => (format!("yativo_{}", random_hex::<24>()), random_hex::<32>()),
            Self::First => (format!("yk_live_{}", random_hex::<13>()), format!("ys_live_{}", random_hex::<16>())),
            Self::Guide => (format!("yvk_live_{}", random_hex::<13>()), format!("yvs_live_{}", random_hex::<16>())),
        }
    }
}

/// A key to be made, under the field names of every generation.
#[derive(Debug, Deserialize)]
pub(super) struct NewKey {
    #[serde(alias = "name")]
    key_name: Option<String>,
    #[serde(alias = "permissions")]
    scopes: Option<Vec<String>>,
    expires_in_days: Option<i64>,
    expires_at: Option<String>,
    allowed_ips: Option<Vec<String>>,
}

/// A new list of scopes.
#[derive(Debug, Deserialize)]
pub(super) struct NewScopes {
    #[serde(alias = "scopes")]
    permissions: Option<Vec<String>>,
}

impl State {
    pub(super) fn create_key(&mut self, caller: &Caller, new: NewKey, made: Generation) -> Result<&Key, Failure> {
        let now = self.now();
        let name = new.key_name.filter(|name| !name.trim().is_empty());
        let name = name.ok_or_else(|| Failure::validation("key_name", "is required"))?;
        let scopes = new.scopes.unwrap_or_else(|| ALL_SCOPES.map(str::to_owned).to_vec());
        check_scopes(&scopes)?;
        let expires_at = match (new.expires_in_days, new.expires_at) {
            (Some(days), _) if (1..=MAX_DAYS).contains(&days) => Some(now + days * DAY_MILLIS),
            (Some(_), _) => return Err(Failure::validation("expires_in_days", "must be between 1 and 3650")),
            (None, Some(text)) => Some(parse_expiry(&text, now)?),
            (None, None) => None,
        };
        let keys = &mut self.owners[caller.owner].keys;
        if keys.iter().filter(|key| key.is_active(now)).count() >= MAX_KEYS {
            return Err(Failure::forbidden("The plan allows 10 API keys"));
        }
        let (api_key, api_secret) = made.key_and_secret();
        keys.push(Key {
            id: object_id("key_"),
            api_key,
            api_secret,
            name,
            scopes,
            allowed_ips: new.allowed_ips.unwrap_or_default(),
            created_at: now,
            expires_at,
            revoked_at: None,
            last_used_at: None,
        });
        Ok(&keys[keys.len() - 1])
    }

    /// A new secret for the same key. The old one ends at once, with its tokens.
    pub(super) fn rotate_key(&mut self, caller: &Caller, id: &str) -> Result<&Key, Failure> {
        let now = self.now();
        let key = self.active_key(caller, id, now)?;
        key.api_secret = Generation::Canonical.key_and_secret().1;
        self.end_tokens(id);
        self.key(caller, id)
    }

    pub(super) fn revoke_key(&mut self, caller: &Caller, id: &str) -> Result<&Key, Failure> {
        let now = self.now();
        let key = self.active_key(caller, id, now)?;
        key.revoked_at = Some(now);
        self.end_tokens(id);
        self.key(caller, id)
    }

    pub(super) fn set_scopes(&mut self, caller: &Caller, id: &str, new: NewScopes) -> Result<&Key, Failure> {
        let scopes = new.permissions.ok_or_else(|| Failure::validation("permissions", "is required"))?;
        check_scopes(&scopes)?;
        let now = self.now();
        let key = self.active_key(caller, id, now)?;
        key.scopes = scopes;
        Ok(key)
    }

    pub(super) fn key(&self, caller: &Caller, id: &str) -> Result<&Key, Failure> {
        self.owners[caller.owner].keys.iter().find(|key| key.id == id).ok_or_else(no_key)
    }

    fn active_key(&mut self, caller: &Caller, id: &str, now: i64) -> Result<&mut Key, Failure> {
        let keys = &mut self.owners[caller.owner].keys;
        keys.iter_mut().find(|key| key.id == id && key.is_active(now)).ok_or_else(no_key)
    }
}

fn no_key() -> Failure {
    Failure::not_found("API key not found")
}

/// Takes the words of the guides and the `resource:action` pairs of the older pages.
fn check_scopes(scopes: &[String]) -> Result<(), Failure> {
    let is_pair = |scope: &str| {
        scope
            .split_once(':')
            .is_some_and(|(resource, action)| !resource.is_empty() && matches!(action, "read" | "write" | "manage"))
    };
    match scopes.iter().find(|scope| !ALL_SCOPES.contains(&scope.as_str()) && !is_pair(scope)) {
        Some(unknown) => Err(Failure::validation("scopes", format!("unknown scope {unknown}"))),
        None if scopes.is_empty() => Err(Failure::validation("scopes", "must not be empty")),
        None => Ok(()),
    }
}

fn parse_expiry(text: &str, now: i64) -> Result<i64, Failure> {
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| Failure::validation("expires_at", "must be an ISO 8601 time"))?;
    let millis = i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX);
    if millis <= now { Err(Failure::validation("expires_at", "must lie ahead")) } else { Ok(millis) }
}
