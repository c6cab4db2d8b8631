//! A key that the venue does not know, or not with this secret: the account itself is asked, by another key of it.

use venuekit_auth::PrivateKey;
use venuekit_keys::record::State;
use venuekit_transport::keys::{KeyInfo, SecretKind};
use venuekit_wire::UnixMillis;

use super::{Examination, account};
use crate::venue::LOCAL;

/// How old a key may be that the venue may not know everywhere yet, in milliseconds.
const NEW: i64 = 600_000;

impl Examination<'_> {
    /// That settles what the refusal leaves open.
    pub(super) async fn unknown(&mut self, said: &str, found: &str, elsewhere: Option<String>) {
        let is_unknown = said.contains("does not know");
        let said = format!("{said}: {found}");
        if let Some(environment) = elsewhere {
            let remedy = format!("use --env {environment}, or a key of {}", self.target.environment);
            let found = format!("{said}\n{environment} knows it");
            return self.report.fault("environment", "wrong_environment", found, &remedy);
        }
        let others = account::seen_by_others(self.context, &self.target, &self.credential, self.offset()).await;
        if let Some((source, keys)) = &others {
            let public_id = self.credential.public_id().unwrap_or_default();
            return match account::own(keys, public_id) {
                Some(own) => self.listed(own, &said, source),
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
            return self.not_yet_active(&format!("{said}\n{why}"));
        }
        let word = if is_unknown { "unknown_key" } else { "key_or_secret" };
        let mut remedy = match is_unknown {
            true => "it was revoked, or belongs to another environment".to_owned(),
            false => "the key was revoked or belongs to another environment, or its secret is not the one that was made with \
                      it, or was replaced by a rotation"
                .to_owned(),
        };
        let others = self.target.venue.environments().into_iter();
        let others: Vec<&str> = others.filter(|one| *one != self.target.environment && *one != LOCAL).collect();
        if !others.is_empty() && self.signs() && !self.arguments.ask_other_environments {
            remedy.push_str(&format!("; --ask-other-environments asks {} too", others.join(", ")));
        }
        remedy.push_str(&format!("\nlook it up: {}", self.facts.page));
        self.report.fault("environment", word, said, &remedy);
    }

    /// The account has the key: its entry says what is wrong, or that it must be the secret.
    fn listed(&mut self, own: &KeyInfo, said: &str, source: &str) {
        let seen = format!("{said}\nthe account has it, according to {source}");
        let is_over = own.expires.is_some_and(|end| end.get() <= UnixMillis::now().get());
        match own.status.as_deref() {
            Some("revoked") => return self.revoked(&format!("{seen}, and it was revoked")),
            Some("expired") => return self.expired(&format!("{seen}, and it has expired")),
            _ if is_over => return self.expired(&format!("{seen}, and it has expired")),
            _ if own.enabled == Some(false) => return self.disabled(&seen),
            _ => {}
        }
        if own.public_key.is_some() && self.credential.key().is_some_and(|(_, _, kind)| kind == SecretKind::Shared) {
            let found = format!("{seen}, as a key pair: it has no secret of this kind");
            let remedy = "give the private key that was made with this id: ..._PRIVATE_KEY or _PRIVATE_KEY_FILE";
            return self.report.fault("key", "wrong_key_type", found, remedy);
        }
        if self.differs(own) {
            return self.wrong_pair(&seen);
        }
        let addresses: Vec<&str> =
            own.restrictions.iter().map(String::as_str).filter(|limit| limit.starts_with("address")).collect();
        if !addresses.is_empty() {
            let found = format!("{seen}; it is limited to {}", addresses.join(", "));
            let remedy = "if this machine's address is not on the list, add it; otherwise the secret is of another key";
            return self.report.fault("address", "ip_allow_list", found, remedy);
        }
        if let Some(why) = self.is_new(Some(own)) {
            return self.not_yet_active(&format!("{seen}, and {why}"));
        }
        let remedy = format!("the secret belongs to another key: give the right one, {}", self.new_secret());
        self.report.fault("key", "wrong_secret", seen, &remedy);
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

    fn not_yet_active(&mut self, found: &str) {
        let remedy = "some venues need minutes before a new key works: ask again then; if it stays so, the secret is of \
                      another key";
        self.report.fault("key state", "not_yet_active", found, remedy);
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
