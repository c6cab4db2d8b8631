//! A key that the venue does not know, or not with this secret: the account itself is asked, by another key of it.

use venuekit_auth::PrivateKey;
use venuekit_keys::record::State;
use venuekit_transport::keys::{KeyInfo, SecretKind};
use venuekit_wire::UnixMillis;
use venuekit_wire::variables::VariableKind;

use super::{Examination, account};
use crate::target::Target;
use crate::variables;
use crate::venue::LOCAL;

/// What else keeps a new key from working.
const OR_OTHER_SECRET: &str = "the secret is of another key";

/// How old a key may be that the venue may not know everywhere yet, in milliseconds.
const NEW: i64 = 600_000;

impl Examination<'_> {
    /// That settles what the refusal leaves open.
    pub(super) async fn unknown(&mut self, said: &str, found: &str, elsewhere: Option<String>) {
        let is_unknown = said.contains("does not know");
        let (words, said) = (found, format!("{said}: {found}"));
        if let Some(environment) = elsewhere {
            let remedy = self.to_environment(&environment);
            let found = format!("{said}\n{environment} knows it");
            return self.report.fault("environment", "wrong_environment", found, &remedy);
        }
        let others = account::seen_by_others(self.context, &self.target, &self.credential, self.offset()).await;
        if let Some((source, keys)) = &others {
            let public_id = self.credential.public_id().unwrap_or_default();
            return match account::own(keys, public_id) {
                Some(own) => self.listed(own, &said, words, source),
                None => {
                    let found = format!("{said}\nthe account has no such key, according to {source}");
                    let new = self.new_key(&self.scopes_at_hand());
                    let remedy =
                        format!("it was revoked, or belongs to another account or environment; make another: {new}");
                    self.report.fault("key state", "revoked", found, &remedy);
                }
            };
        }
        if let Some(why) = self.is_new(None) {
            return self.not_yet_active(&format!("{said}\n{why}"), OR_OTHER_SECRET);
        }
        let word = if is_unknown { "unknown_key" } else { "key_or_secret" };
        let ended =
            if words.to_ascii_lowercase().contains("expired") { "was revoked, has expired" } else { "was revoked" };
        let mut remedy = match is_unknown {
            true => "it was revoked, or belongs to another environment".to_owned(),
            false => format!(
                "the key {ended} or belongs to another environment, or its secret is not the one that was made with it, or \
                 was replaced by a rotation"
            ),
        };
        let others = self.target.venue.environments().into_iter();
        let others: Vec<&str> = others.filter(|one| *one != self.target.environment && *one != LOCAL).collect();
        if !others.is_empty() && self.signs() && !self.arguments.ask_other_environments {
            remedy.push_str(&format!("; --ask-other-environments asks {} too", others.join(", ")));
        }
        remedy.push_str(&format!("\nsee {}", self.page()));
        self.report.fault("environment", word, said, &remedy);
    }

    /// How a key of another environment is used there.
    fn to_environment(&self, environment: &str) -> String {
        let there = Target { environment: environment.to_owned(), ..self.target.clone() };
        let place = format!("{}/{environment}", self.target.venue);
        if let Some(stored) = &self.credential.stored {
            let name = stored.reference.rsplit('/').next().unwrap_or_default();
            let id = self.credential.public_id().unwrap_or_default();
            let how = match self.credential.key() {
                Some((_, _, SecretKind::PrivateKeyPem)) => " --pem FILE",
                _ => "",
            };
            let reference = there.reference(name);
            return format!("store it as one of {environment}: venuekit keys adopt {reference} --public-id {id}{how}");
        }
        let usual = variables::prefix(&self.target);
        let part = self.credential.parts.first();
        match part.and_then(|part| variables::halves(self.target.venue, &usual, part)) {
            Some(names) if self.credential.prefix.as_ref() == Some(&usual) => {
                let [id, secret] = [names.0, names.1].map(|name| name.replacen(&usual, &variables::prefix(&there), 1));
                format!("set {id} and {secret} in place of {usual}_*, then: venuekit doctor {place}")
            }
            _ => format!("the key belongs to {environment}: set environment = \"{environment}\" in its profile"),
        }
    }

    /// The account has the key: its entry says what is wrong, or that it must be the secret. `words` are the venue's own.
    fn listed(&mut self, own: &KeyInfo, said: &str, words: &str, source: &str) {
        let seen = format!("{said}\nthe account has it, according to {source}");
        let settled = format!("{words}\nthe account has it, according to {source}");
        let is_over = own.expires.is_some_and(|end| end.get() <= UnixMillis::now().get());
        match own.status.as_deref() {
            Some("revoked") => return self.revoked(&format!("the key was revoked: {settled}")),
            Some("expired") => return self.expired(&format!("the key has expired: {settled}")),
            _ if is_over => return self.expired(&format!("the key has expired: {settled}")),
            _ if own.enabled == Some(false) => return self.disabled(&settled, Some((&own.id, source))),
            _ => {}
        }
        if self.other_kind(own, &seen) {
            return;
        }
        if self.differs(own) {
            return self.wrong_pair(&seen, "");
        }
        let addresses: Vec<&str> =
            own.restrictions.iter().map(String::as_str).filter(|limit| limit.starts_with("address")).collect();
        if !addresses.is_empty() {
            let found = format!("{seen}; it is limited to {}", addresses.join(", "));
            let remedy = "if this machine's address is not on the list, add it; otherwise the secret is of another key";
            return self.report.fault("address", "ip_allow_list", found, remedy);
        }
        if let Some(why) = self.is_new(Some(own)) {
            return self.not_yet_active(&format!("{seen}, and {why}"), OR_OTHER_SECRET);
        }
        self.wrong_secret(&seen, "");
    }

    /// Whether the key is of another kind than what is given for it. Where there are two kinds, the list shows which.
    pub(super) fn other_kind(&mut self, own: &KeyInfo, seen: &str) -> bool {
        if !self.has_two_kinds() {
            return false;
        }
        let named = |kind| self.credential.variable(&self.target, kind);
        let (found, remedy) = match (self.credential.key(), &own.public_key) {
            (Some((_, _, SecretKind::Shared)), Some(_)) => (
                "as a key pair: it has no secret of this kind",
                format!(
                    "give the private key that was made with this id: {} or {}",
                    named(VariableKind::PrivateKey),
                    named(VariableKind::PrivateKeyFile)
                ),
            ),
            (Some((_, _, SecretKind::PrivateKeyPem)), None) => (
                "as one with a shared secret: no private key belongs to it",
                format!(
                    "give the secret that {} showed when the key was created: {}",
                    self.target.venue,
                    named(VariableKind::Key)
                ),
            ),
            _ => return false,
        };
        self.report.fault("key", "wrong_key_type", format!("{seen}, {found}"), &remedy);
        true
    }

    /// Why the venue may not know the key yet. One that has signed a call once is known.
    fn is_new(&self, own: Option<&KeyInfo>) -> Option<String> {
        match &self.credential.stored {
            Some(stored) if stored.state == State::Stored => Some("it has never signed a call yet".to_owned()),
            Some(_) => None,
            None => {
                let age = UnixMillis::now().get().saturating_sub(own?.created?.get());
                (0..NEW).contains(&age).then(|| format!("it was made {} s ago", age / 1000))
            }
        }
    }

    /// `otherwise` is what else it may be.
    pub(super) fn not_yet_active(&mut self, found: &str, otherwise: &str) {
        let remedy =
            format!("some venues need minutes before a new key works: ask again then; if it stays so, {otherwise}");
        self.report.fault("key state", "not_yet_active", found, &remedy);
    }

    /// Whether the account has another public half than that of this private key.
    fn differs(&self, own: &KeyInfo) -> bool {
        let (Some(listed), Some((_, pem, SecretKind::PrivateKeyPem))) = (&own.public_key, self.credential.key()) else {
            return false;
        };
        let plain = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).map(str::trim).collect::<String>();
        PrivateKey::from_pem(pem.expose()).is_ok_and(|key| plain(key.public_key_pem()) != plain(listed))
    }
}
