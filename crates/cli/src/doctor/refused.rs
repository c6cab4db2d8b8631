//! A key that was refused: which of the causes it is.

use venuekit_auth::PrivateKey;
use venuekit_transport::Error;
use venuekit_transport::keys::{KeyInfo, SecretKind};
use venuekit_wire::{UnixMillis, UnixSeconds};

use super::symptom::{Cause, cause};
use super::{Examination, account, probe};
use crate::target::Target;
use crate::venue::{LOCAL, Venue};

/// How long some venues need before they know a new key, in seconds.
const NEW: i64 = 600;

const CHECK: &str = "signed call";

impl Examination<'_> {
    /// Says why.
    pub(super) async fn refused(&mut self, error: &Error) {
        let found = error.to_string();
        match cause(self.target.venue, error) {
            Cause::UnknownKey => {
                let elsewhere = self.elsewhere().await;
                self.unknown(&format!("{} does not know this key", self.target.environment), &found, elsewhere).await;
            }
            Cause::KeyOrSecret => {
                let elsewhere = self.elsewhere().await;
                self.unknown("the key or its secret is wrong: the venue does not say which", &found, elsewhere).await;
            }
            Cause::OtherSecret => self.other_secret(&found).await,
            Cause::Clock => self.report.fault(
                CHECK,
                "clock",
                format!("{found}\nthe timestamp was refused although the clock was put right by the venue's own"),
                "something between here and the venue delays requests or changes their time; try without a proxy",
            ),
            Cause::Scope => self.report.fault(
                "scopes",
                "scope",
                format!("the key is known and may not do this: {found}"),
                "make a key with the scope that is needed: venuekit keys create --scope",
            ),
            Cause::Address => self.report.fault(
                "address",
                "ip_allow_list",
                format!("the venue refuses calls from this address: {found}"),
                &format!(
                    "add this machine's public address to the key's list, or use a key without one: {}",
                    self.facts.page
                ),
            ),
            Cause::Disabled => self.disabled(&found),
            Cause::Expired => self.report.fault("session", "expired", found, "log in again, or fetch a new token"),
            Cause::SecondFactor => self.report.fault(
                CHECK,
                "second_factor",
                format!("the venue wants a one-time code for a call that needs none elsewhere: {found}"),
                "pass one with --totp-fd N",
            ),
            Cause::Unreachable => {
                self.report.fault("server", "unreachable", found, "try again; if it stays, the venue is down");
            }
            Cause::Other => self.report.fault(CHECK, "other", found, "this is none of the known causes"),
        }
    }

    fn disabled(&mut self, found: &str) {
        let remedy = format!("switch it on again, or make another: {}", self.facts.page);
        self.report.fault("key state", "disabled", format!("the key is switched off: {found}"), &remedy);
    }

    /// The account is asked, by another key of it: that settles what the refusal leaves open.
    async fn unknown(&mut self, said: &str, found: &str, elsewhere: Option<String>) {
        let said = format!("{said}: {found}");
        if let Some(environment) = elsewhere {
            let remedy = format!("use --env {environment}, or a key of {}", self.target.environment);
            return self.report.fault(
                "environment",
                "wrong_environment",
                format!("{said}\n{environment} knows it"),
                &remedy,
            );
        }
        let others = account::seen_by_others(self.context, &self.target, &self.credential, self.offset_millis).await;
        let public_id = self.credential.public_id().unwrap_or_default();
        if let Some((source, keys)) = &others {
            return match account::own(keys, public_id) {
                Some(own) => self.listed(own, &said, source),
                None => {
                    let found = format!("{said}\nthe account has no such key, as {source} sees it");
                    let remedy = "it was revoked, or belongs to another account or environment: make another with venuekit keys create";
                    self.report.fault("key state", "revoked", found, remedy);
                }
            };
        }
        if self.made_now() {
            return self.fresh(&said);
        }
        let others: Vec<&str> = self
            .target
            .venue
            .environments()
            .into_iter()
            .filter(|one| *one != self.target.environment && *one != LOCAL)
            .collect();
        let mut remedy = "it was revoked, belongs to another environment, or is not active yet".to_owned();
        if !others.is_empty() && self.signs() && !self.arguments.ask_other_environments {
            remedy.push_str(&format!("; --ask-other-environments asks {} too", others.join(", ")));
        }
        remedy.push_str(&format!("\nlook it up: {}", self.facts.page));
        let cause = if said.contains("does not know") { "unknown_key" } else { "key_or_secret" };
        self.report.fault("environment", cause, said, &remedy);
    }

    /// The account has the key: its entry says what is wrong, or that it must be the secret.
    fn listed(&mut self, own: &KeyInfo, said: &str, source: &str) {
        let seen = format!("{said}\nthe account has it, as {source} sees it");
        if own.enabled == Some(false) {
            return self.disabled(&seen);
        }
        if own.expires.is_some_and(|end| end.get() <= UnixMillis::now().get()) {
            return self.report.fault(
                "key state",
                "expired",
                format!("{seen}, and it has expired"),
                "make another: venuekit keys create",
            );
        }
        if self.differs(own) {
            return self.wrong_pair(&seen);
        }
        if self.made_now() {
            return self.fresh(&seen);
        }
        if !own.restrictions.is_empty() {
            let found = format!("{seen}; it is limited to {}", own.restrictions.join(", "));
            let remedy = "if this machine's address is not on the list, add it; otherwise the secret is of another key";
            return self.report.fault("address", "ip_allow_list", found, remedy);
        }
        let remedy = "the secret belongs to another key: give the right one, or rotate it with venuekit keys rotate";
        self.report.fault("key", "wrong_secret", seen, remedy);
    }

    async fn other_secret(&mut self, found: &str) {
        let said = format!("the venue knows the key and the signature is of another one: {found}");
        if self.credential.key().is_some_and(|(_, _, kind)| kind == SecretKind::PrivateKeyPem) {
            self.wrong_pair(&said);
        } else {
            let remedy =
                "the secret belongs to another key, or was replaced by a rotation: give the new one, or rotate again";
            self.report.fault("key", "wrong_secret", said, remedy);
        }
    }

    fn wrong_pair(&mut self, said: &str) {
        let remedy = "the private key and the key id do not belong together: give the one that was made with this id";
        self.report.fault("key", "wrong_pem", said, remedy);
    }

    fn fresh(&mut self, said: &str) {
        let found =
            format!("{said}\nit was made {} s ago, and some venues need minutes before they know a key", self.age());
        self.report.fault("key state", "not_yet_active", found, "wait, and ask again");
    }

    fn age(&self) -> i64 {
        self.credential
            .stored
            .as_ref()
            .map_or(i64::MAX, |stored| UnixSeconds::now().get().saturating_sub(stored.made.get()))
    }

    fn made_now(&self) -> bool {
        self.age() < NEW
    }

    /// Whether the account has another public half than that of this private key.
    fn differs(&self, own: &KeyInfo) -> bool {
        let (Some(listed), Some((_, pem, SecretKind::PrivateKeyPem))) = (&own.public_key, self.credential.key()) else {
            return false;
        };
        let plain = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).map(str::trim).collect::<String>();
        PrivateKey::from_pem(pem.expose()).is_ok_and(|key| plain(key.public_key_pem()) != plain(listed))
    }

    /// Whether a call proves who is calling without sending what is a secret itself.
    fn signs(&self) -> bool {
        let signing = matches!(self.target.venue, Venue::Kalshi | Venue::KalshiPerps | Venue::Deribit);
        signing && self.credential.key().is_some()
    }

    /// The other environment that knows the key, where it was allowed to ask. Only what signs is sent, never what is a secret itself.
    async fn elsewhere(&mut self) -> Option<String> {
        if !self.arguments.ask_other_environments || !self.signs() {
            return None;
        }
        for other in self.others() {
            let Ok(client) = probe::client(&other, &self.credential, self.offset_millis) else { continue };
            let Some(first) = self.facts.prove.first() else { continue };
            let asked = probe::send(&other, &client, first).await;
            let knows = match &asked {
                Ok(_) => true,
                Err(error) => matches!(cause(other.venue, error), Cause::OtherSecret | Cause::Scope | Cause::Address),
            };
            if knows {
                return Some(other.environment);
            }
        }
        None
    }

    /// The venue's other environments, at the servers that profiles give them.
    fn others(&self) -> Vec<Target> {
        let (venue, here) = (self.target.venue, &self.target.environment);
        let environments = venue.environments().into_iter().filter(|one| one != here && *one != LOCAL);
        let profiles = &self.context.config().profiles;
        let target = |environment: &str| {
            let profile = profiles.values().find(|one| one.venue == venue && one.environment == environment);
            match profile.and_then(|profile| profile.base_url.as_deref()) {
                Some(url) => Target::new(venue, environment, Some(url)).ok(),
                None => Target::new(venue, environment, None).ok(),
            }
        };
        environments.filter_map(target).collect()
    }
}
