//! What a key that works may do.

use venuekit_transport::keys::KeyInfo;
use venuekit_wire::UnixMillis;
use venuekit_wire::credentials::Cause as Known;
use venuekit_wire::key_lifecycle::ScopeRule;

use super::symptom::{Cause, cause};
use super::{Examination, account, probe};
use crate::lookup::{Found, SECOND_FACTOR};
use crate::scopes::{OF_ACCOUNT, grantable, is_of_account};
use crate::variables;
use crate::when;

const CHECK: &str = "scopes";

/// How far ahead the end of a key is worth a word, in milliseconds.
const SOON: i64 = 7 * DAY;

/// A day in milliseconds.
const DAY: i64 = 24 * 3600 * 1000;

/// Whether one of the scopes allows what needs `needed`: itself, the one above it, or writing where reading is needed.
pub fn covers(scopes: &[String], needed: &str) -> bool {
    let covered = |needed: &str| {
        scopes.iter().any(|scope| {
            let above = needed.split_once("::").is_some_and(|(above, _)| above == scope);
            let wider = needed.strip_suffix(":read").is_some_and(|part| *scope == format!("{part}:read_write"));
            scope == needed || above || wider
        })
    };
    covered(grantable(needed))
}

impl Examination<'_> {
    /// Says what the key may do, and whether that is enough for the operation that was named.
    pub(super) async fn look_at_scopes(&mut self) {
        let scopes = self.scopes().await;
        match &scopes {
            Ok(Some(scopes)) if scopes.is_empty() => self.report.good(CHECK, "none"),
            Ok(Some(scopes)) => self.report.good(CHECK, scopes.join(", ")),
            Ok(None) if self.credential.key().is_some() => self.report.good(CHECK, "all: this venue has none"),
            Ok(None) => {}
            Err(why) => self.report.skipped(CHECK, why.clone()),
        }
        if let Some(wanted) = self.wanted.take() {
            self.look_at_operation(&wanted, scopes);
        }
    }

    fn look_at_operation(&mut self, wanted: &Found, scopes: Result<Option<Vec<String>>, String>) {
        const CHECK: &str = "operation";
        let name = &wanted.spec.name;
        if !self.carries(wanted) {
            let found = format!("{name} needs another credential than the one given");
            let remedy = match wanted.row.access.iter().any(|way| way.contains(&"session")) {
                true => "a session manages keys here, and no key does: give a session or a login",
                false => "give a key: a session manages keys and nothing else",
            };
            return self.report.fault(CHECK, "credential_kind", found, remedy);
        }
        let Some(needed) = wanted.row.scope else {
            let has_scopes = self.target.venue.table().operations.iter().any(|one| one.scope.is_some());
            return match has_scopes && !wanted.is_public() {
                true => self.report.skipped(CHECK, format!("the spec names no scope for {name}: it may need one")),
                false => self.report.good(CHECK, format!("{name} needs no scope")),
            };
        };
        match scopes {
            Ok(None) => self.report.good(CHECK, format!("{name} needs {needed}")),
            Ok(Some(scopes)) if covers(&scopes, needed) => {
                let is_open = is_of_account(needed) && !scopes.iter().any(|scope| scope == OF_ACCOUNT);
                let part = if is_open { "; the account decides whether its keys have mainaccount" } else { "" };
                self.report.good(CHECK, format!("{name} needs {needed}{part}"));
            }
            Ok(Some(scopes)) => {
                let also = match is_of_account(needed) {
                    true => {
                        "\ncreate it in the main account: the venue itself gives mainaccount to that account's keys"
                    }
                    false => "",
                };
                let remedy = format!("create a key with it: {}{also}", self.wider_key(&scopes, needed));
                self.report.fault(
                    CHECK,
                    "scope",
                    format!("{name} needs {needed}, which the key does not have"),
                    &remedy,
                );
            }
            Err(why) => {
                let found = format!("{name} needs {needed}, and whether the key has it is unknown: {why}");
                self.report.fault(CHECK, "open", found, &format!("see {}", self.page()));
            }
        }
    }

    /// Whether what is given is good for a call of an operation.
    fn carries(&self, wanted: &Found) -> bool {
        let has = |credential: &str| {
            let mut proves = self.credential.parts.iter().flat_map(|parts| variables::proves(self.target.venue, parts));
            credential == SECOND_FACTOR || proves.any(|name| *name == credential)
        };
        wanted.row.access.iter().any(|way| way.iter().all(|credential| has(credential)))
    }

    /// The key's scopes; none where the venue has none. Otherwise why nothing tells.
    async fn scopes(&mut self) -> Result<Option<Vec<String>>, String> {
        let rule = self.target.venue.of_keys().keys().map(|keys| keys.scopes);
        if rule == Some(ScopeRule::None) {
            return Ok(None);
        }
        let why = match self.own_entry().await {
            Ok(Some(own)) => {
                self.look_at_entry(&own);
                // A key without scopes may do nothing at all there.
                if !own.scopes.is_empty() || rule == Some(ScopeRule::Required) {
                    return Ok(Some(own.scopes));
                }
                "the account's list shows no scopes".to_owned()
            }
            Ok(None) => "the account's list does not show the key".to_owned(),
            Err(why) => why,
        };
        let stored = self.scopes_at_hand();
        if !stored.is_empty() {
            return Ok(Some(stored));
        }
        let client = probe::client(&self.target, &self.credential, self.offset());
        match client {
            Ok(client) => account::granted(&client, &self.target, &self.credential).await.map(Some).ok_or(why),
            Err(_) => Err(why),
        }
    }

    /// The key's own entry in the account's list, as the key or another one sees it.
    async fn own_entry(&mut self) -> Result<Option<KeyInfo>, String> {
        let Some(public_id) = self.credential.public_id().map(str::to_owned) else {
            return Err("a token does not say what it may do".to_owned());
        };
        let client = probe::client(&account::keeper(&self.target), &self.credential, self.offset())
            .map_err(|failure| failure.message().to_owned())?;
        // A key that may not list others still shows itself, if the venue has a call for that.
        if let Ok(Some(own)) = account::itself(&client).await {
            return Ok(Some(own));
        }
        let error = match account::keys(&client).await {
            Ok(keys) => return Ok(account::own(&keys, &public_id).cloned()),
            Err(error) => error,
        };
        let seen = account::seen_by_others(self.context, &self.target, &self.credential, self.offset()).await;
        if let Some(own) = seen.and_then(|(_, keys)| account::own(&keys, &public_id).cloned()) {
            return Ok(Some(own));
        }
        Err(match cause(self.target.venue, &error) {
            Cause::Known(Known::Scope | Known::SubAccount) => {
                "the key may not list keys, so what it may do is unknown".to_owned()
            }
            _ => format!("the account's keys could not be listed: {error}"),
        })
    }

    /// When the key ends for want of an address that it is bound to, at venues where that ends keys.
    fn end_of_unbound(&self, own: &KeyInfo) -> Option<UnixMillis> {
        let days = self.target.venue.of_keys().keys()?.unbound_days?;
        let is_bound = own.restrictions.iter().any(|limit| limit.starts_with("address"));
        let created = own.created.filter(|_| !is_bound)?;
        Some(UnixMillis(created.get().saturating_add(i64::from(days) * DAY)))
    }

    fn look_at_entry(&mut self, own: &KeyInfo) {
        if !own.restrictions.is_empty() {
            self.report.good("limits", own.restrictions.join(", "));
        }
        let Some(end) = own.expires.or_else(|| self.end_of_unbound(own)) else { return };
        let (left, day) = (end.get() - UnixMillis::now().get(), when::day(end));
        if left <= 0 {
            let found = format!("the key should have expired on {day}, and still works");
            let remedy = format!("do not rely on it; create another: {}", self.new_key(&own.scopes));
            self.report.odd("expiry", "expired", found, &remedy);
        } else if left < SOON {
            let remedy = match &self.credential.stored {
                Some(stored) => format!("rotate it: venuekit keys rotate {}", stored.reference),
                None => format!("create another: {}", self.new_key(&own.scopes)),
            };
            self.report.odd("expiry", "expires_soon", format!("the key expires on {day}"), &remedy);
        } else {
            self.report.good("expiry", format!("the key expires on {day}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_wider_scope_covers_a_narrower_one() {
        let scopes = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        assert!(covers(&scopes(&["write"]), "write::trade") && covers(&scopes(&["write::trade"]), "write::trade"));
        assert!(covers(&scopes(&["trade:read_write"]), "trade:read"));
        assert!(covers(&scopes(&["wallet:read_write"]), "wallet:read_write mainaccount"));
        assert!(!covers(&scopes(&["read", "write::transfer"]), "write::trade"));
        assert!(!covers(&scopes(&["trade:read"]), "trade:read_write"));
    }
}
