//! What a key that works may do.

use venuekit_transport::keys::KeyInfo;
use venuekit_wire::UnixMillis;

use super::{Examination, account, probe};
use crate::lookup;
use crate::target::Target;
use crate::venue::Venue;

const CHECK: &str = "scopes";

/// How far ahead the end of a key is worth a word, in milliseconds.
const SOON: i64 = 7 * 24 * 3600 * 1000;

/// Whether one of the scopes allows what needs `needed`: itself, the one above it, or writing where reading is needed.
fn covers(scopes: &[String], needed: &str) -> bool {
    scopes.iter().any(|scope| {
        let above = needed.split_once("::").is_some_and(|(above, _)| above == scope);
        let wider = needed.strip_suffix(":read").is_some_and(|part| *scope == format!("{part}:read_write"));
        scope == needed || above || wider
    })
}

impl Examination<'_> {
    /// Says what the key may do, and whether that is enough for the operation that was named.
    pub(super) async fn look_at_scopes(&mut self) {
        let own = self.own_entry().await;
        let listed = own.as_ref().map(|own| own.scopes.clone()).filter(|scopes| !scopes.is_empty());
        let stored =
            || self.credential.stored.as_ref().map(|stored| stored.scopes.clone()).filter(|scopes| !scopes.is_empty());
        let scopes = listed.or_else(stored);
        match &scopes {
            Some(scopes) => self.report.good(CHECK, scopes.join(", ")),
            None if self.target.venue == Venue::Bayse => self.report.good(CHECK, "all: this venue has none"),
            None => self.report.skipped(CHECK, "the key may not list keys, so nothing tells what it may do"),
        }
        if let Some(own) = &own {
            self.look_at_entry(own);
        }
        let Some(name) = &self.arguments.operation else { return };
        match lookup::operation(self.target.venue, name) {
            Err(failure) => {
                self.report.fault("operation", "operation", failure.message(), failure.advice().unwrap_or_default())
            }
            Ok(found) => match (found.row.scope, &scopes) {
                (None, _) => self.report.good("operation", format!("{} needs no scope", found.spec.name)),
                (Some(needed), None) => self.report.skipped("operation", format!("{} needs {needed}", found.spec.name)),
                (Some(needed), Some(scopes)) if covers(scopes, needed) => {
                    self.report.good("operation", format!("{} needs {needed}", found.spec.name));
                }
                (Some(needed), Some(_)) => {
                    let text = format!("{} needs {needed}, which the key has not", found.spec.name);
                    let remedy =
                        format!("make a key with it: venuekit keys create {} --scope {needed}", self.target.venue);
                    self.report.fault("operation", "scope", text, &remedy);
                }
            },
        }
    }

    /// The key's own entry in the account's list. Perpetual futures are reached with a key that Kalshi itself lists.
    async fn own_entry(&mut self) -> Option<KeyInfo> {
        let target = match self.target.venue {
            Venue::KalshiPerps => Target { venue: Venue::Kalshi, ..self.target.clone() },
            _ => self.target.clone(),
        };
        let client = probe::client(&target, &self.credential, self.offset_millis).ok()?;
        let keys = account::keys(&client).await.ok()?;
        account::own(&keys, self.credential.public_id()?).cloned()
    }

    fn look_at_entry(&mut self, own: &KeyInfo) {
        if !own.restrictions.is_empty() {
            self.report.good("limits", own.restrictions.join(", "));
        }
        if let Some(end) = own.expires {
            let left = end.get() - UnixMillis::now().get();
            match left < SOON {
                true => self.report.odd(
                    "expiry",
                    "expires_soon",
                    format!("the key ends at {end}"),
                    "rotate it: venuekit keys rotate",
                ),
                false => self.report.good("expiry", format!("the key ends at {end}")),
            }
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
        assert!(!covers(&scopes(&["read", "write::transfer"]), "write::trade"));
        assert!(!covers(&scopes(&["trade:read"]), "trade:read_write"));
    }
}
