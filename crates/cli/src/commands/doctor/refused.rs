//! A call that was refused: which of the causes it is.

use venuekit_transport::Error;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::credentials::Cause as Known;
use venuekit_wire::variables::VariableKind;

use super::prove::Proof;
use super::symptom::{Cause, cause};
use super::{Examination, account, probe, server};
use crate::target::Target;
use crate::variables;
use crate::venue::LOCAL;

const CHECK: &str = "signed call";

impl Examination<'_> {
    /// Says why.
    pub(super) async fn refused(&mut self, error: &Error, cause: Cause, proof: Proof) {
        let found = error.to_string();
        match cause {
            Cause::Known(
                Known::UnknownKey
                | Known::KeyOrSecret
                | Known::KeyAddressOrScope
                | Known::OtherSecret
                | Known::SessionOver
                | Known::Expired
                | Known::Revoked
                | Known::Disabled,
            ) if proof != Proof::Key => {
                self.no_key(&found, proof);
            }
            Cause::Known(Known::UnknownKey) => {
                let elsewhere = self.elsewhere().await;
                self.unknown(&format!("{} does not know this key", self.target.environment), &found, elsewhere).await;
            }
            Cause::Known(Known::KeyOrSecret) => {
                let elsewhere = self.elsewhere().await;
                self.unknown("the key or its secret is wrong: the venue does not say which", &found, elsewhere).await;
            }
            Cause::Known(Known::KeyAddressOrScope) => {
                let elsewhere = self.elsewhere().await;
                let what = "the key is unknown, bound to another address, or without a permission: the venue does not say \
                            which";
                self.unknown(what, &found, elsewhere).await;
            }
            Cause::Known(Known::OtherSecret) => {
                let said =
                    format!("the venue knows this key, but the signature was made with a different one: {found}");
                self.other_secret(&said).await;
            }
            Cause::Known(Known::Clock) => self.clock_refused(&found),
            Cause::Known(Known::Disabled) => self.disabled(&found, None),
            Cause::Known(Known::NotYetActive) => self.not_yet_active(&found, &format!("see {}", self.page())),
            Cause::Known(Known::Revoked) => self.revoked(&format!("the key was revoked: {found}")),
            Cause::Known(Known::Expired) => self.expired(&format!("the key has expired: {found}")),
            Cause::Unreachable => {
                let (word, remedy) = server::unreachable(error);
                self.report.fault("server", word, found, remedy);
            }
            Cause::Foreign => {
                let (word, remedy) = server::foreign(error);
                self.report.fault("server", word, found, remedy);
            }
            Cause::Wait => self.wait(error),
            other => self.not_the_key(other, &found),
        }
    }

    /// Another proof than a key has no entry anywhere that tells more.
    fn no_key(&mut self, found: &str, proof: Proof) {
        let place = format!("{}/{}", self.target.venue, self.target.environment);
        let prefix = self.credential.prefix.clone().unwrap_or_else(|| variables::prefix(&self.target));
        let both = |kind| variables::both(self.target.venue, &prefix, kind);
        let (check, word, what, remedy) = match proof {
            Proof::Login => (
                "login",
                "login",
                "the email or the password is wrong",
                "try them in the venue's app; an account made with Apple or Google has no password".to_owned(),
            ),
            Proof::Session => (
                "session",
                "expired",
                "the session has ended, or its two parts belong to different sessions",
                format!(
                    "log in again: venuekit call {place} login email=EMAIL password=@FILE --secrets-to session.json\n\
                     or set {} in place of {}: venuekit logs in with them itself",
                    both(VariableKind::Login),
                    both(VariableKind::Session)
                ),
            ),
            _ => {
                let names = variables::names_after(self.target.venue, &prefix);
                let token = both(VariableKind::Token);
                let remedy = format!("in place of {token} set {names}: with a key venuekit fetches tokens itself");
                ("token", "expired", "the token has expired, or is wrong", remedy)
            }
        };
        self.report.fault(check, word, format!("{what}: {found}"), &remedy);
    }

    fn clock_refused(&mut self, found: &str) {
        match self.offset_millis {
            Some(_) => self.report.fault(
                CHECK,
                "clock",
                format!("{found}\nthe timestamp was refused although the clock was corrected by the venue's time"),
                "something between here and the venue delays requests or changes their time; try without a proxy",
            ),
            None => self.report.fault(
                CHECK,
                "clock",
                format!("{found}\nthe timestamp was refused, and the venue sent no time to correct the clock by"),
                "set this machine's clock",
            ),
        }
    }

    /// The venue asks to wait: nothing is wrong with the key.
    fn wait(&mut self, error: &Error) {
        self.was_delayed = true;
        let remedy = match error.retry_after() {
            Some(wait) => format!("ask again in {} s", wait.as_secs().max(1)),
            None => "ask again later".to_owned(),
        };
        let found = format!("the venue asks to wait, which says nothing of the key: {error}");
        self.report.odd(CHECK, "rate_limited", found, &remedy);
    }

    /// What is refused for another reason than the key or its secret.
    fn not_the_key(&mut self, cause: Cause, found: &str) {
        let page = self.page();
        let (check, word, what, remedy) = match cause {
            Cause::Known(Known::Scope) => {
                ("scopes", "scope", "the key is known and may not do this", self.wider_hint())
            }
            Cause::Known(Known::SubAccount) => (
                "scopes",
                "sub_account",
                "the key is of a sub-account, which may not do this",
                format!("use a key of the whole account: {page}"),
            ),
            Cause::Known(Known::Address) => (
                "address",
                "ip_allow_list",
                "the venue refuses calls from this address",
                match self.target.venue.of_keys().keys().is_some_and(|keys| keys.binds_addresses) {
                    true => {
                        format!("add this machine's public address to the key's list, or use a key without one: {page}")
                    }
                    false => "no key of this venue has a list of addresses: call from another one, or ask the venue's \
                              support"
                        .to_owned(),
                },
            ),
            Cause::Known(Known::Region) => (
                "address",
                "region",
                "the venue does not serve this country or region",
                "no other key helps: see where the venue may be used, and whether a proxy or VPN moves this machine"
                    .to_owned(),
            ),
            Cause::Known(Known::Verification) => (
                "account",
                "verification",
                "the venue requires the account to be verified first",
                "finish that in the venue's own pages; no other key helps".to_owned(),
            ),
            Cause::Known(Known::Locked) => (
                "account",
                "locked",
                "the venue has locked this, and not because of the key",
                "see the venue's announcements, or ask its support".to_owned(),
            ),
            Cause::Forbidden => (
                CHECK,
                "forbidden",
                "the venue does not allow this, and names no reason that is known",
                format!("look at what it says, and at the key's limits: {page}"),
            ),
            Cause::Known(Known::NoSignature) => (
                CHECK,
                "no_signature",
                "the headers that prove who calls did not reach the venue",
                "something in between removes them: try without a proxy".to_owned(),
            ),
            Cause::Known(Known::SessionOver) => {
                ("token", "expired", "a token that was just fetched is refused", "ask again".to_owned())
            }
            Cause::Known(known) if known.is_second_factor() => (
                CHECK,
                "second_factor",
                "the venue requires a one-time code for a call that needs none elsewhere",
                "pass one with --totp-fd N".to_owned(),
            ),
            Cause::Unsendable => (
                "key",
                "unusable",
                "the call could not be made with this key",
                "copy the key and its secret again".to_owned(),
            ),
            _ => {
                (CHECK, "other", "this is not one of the known causes", format!("look at what the venue says; {page}"))
            }
        };
        self.report.fault(check, word, format!("{what}: {found}"), &remedy);
    }

    fn wider_hint(&self) -> String {
        format!(
            "make a key with the scope that is needed beside those that it has: {}",
            self.new_key(&self.scopes_at_hand())
        )
    }

    /// What the account calls the key, and who has listed it, where that is known.
    pub(super) fn disabled(&mut self, found: &str, listed: Option<(&str, &str)>) {
        let enable = self.target.venue.of_keys().keys().and_then(|keys| keys.enable);
        let remedy = match (enable, listed) {
            (Some(enable), Some((id, source))) => {
                // The key that is off cannot do it: the one that has listed it can.
                let account = format!("{}/{}", self.target.venue, self.target.environment);
                let by = source.strip_prefix("stored key ").unwrap_or(&account);
                format!(
                    "enable it again: venuekit call {by} {} {}={id} --secrets-to key.json",
                    enable.operation, enable.id.name
                )
            }
            _ => format!("enable it again, or make another: {}", self.page()),
        };
        self.report.fault("key state", "disabled", format!("the key is disabled: {found}"), &remedy);
    }

    pub(super) fn revoked(&mut self, found: &str) {
        let remedy = format!("it cannot come back; make another: {}", self.new_key(&self.scopes_at_hand()));
        self.report.fault("key state", "revoked", found, &remedy);
    }

    pub(super) fn expired(&mut self, found: &str) {
        let remedy = format!("make another: {}", self.new_key(&self.scopes_at_hand()));
        self.report.fault("key state", "expired", found, &remedy);
    }

    async fn other_secret(&mut self, said: &str) {
        if self.has_two_kinds() {
            let seen = account::seen_by_others(self.context, &self.target, &self.credential, self.offset()).await;
            let public_id = self.credential.public_id().unwrap_or_default();
            if let Some((source, keys)) = &seen
                && let Some(own) = account::own(keys, public_id)
                && self.other_kind(own, &format!("{said}\nthe account has the key, according to {source}"))
            {
                return;
            }
        }
        let is_pair = self.credential.key().is_some_and(|(_, _, kind)| kind == SecretKind::PrivateKeyPem);
        let named = |kind| self.credential.variable(&self.target, kind);
        let also = match (self.has_two_kinds(), is_pair) {
            (true, true) => format!("if the id belongs to a key with a secret, set {}", named(VariableKind::Key)),
            (true, false) => format!("if the id belongs to a key pair, set {}", named(VariableKind::PrivateKeyFile)),
            (false, _) => String::new(),
        };
        if is_pair { self.wrong_pair(said, &also) } else { self.wrong_secret(said, &also) }
    }

    /// `also` is what else may help, if anything.
    pub(super) fn wrong_secret(&mut self, said: &str, also: &str) {
        let new = self.new_secret();
        let remedy = format!(
            "the secret belongs to another key, or was replaced by a rotation: use the right one, {new}\n{also}"
        );
        self.report.fault("key", "wrong_secret", said, remedy.trim_end());
    }

    /// `also` is what else may help, if anything.
    pub(super) fn wrong_pair(&mut self, said: &str, also: &str) {
        let remedy = format!(
            "the private key and the key id do not belong together: give the one that was made with this id\n{also}"
        );
        self.report.fault("key", "key_mismatch", said, remedy.trim_end());
    }

    /// Whether a call proves who is calling without sending what is a secret itself.
    pub(super) fn signs(&self) -> bool {
        let Some((_, _, kind)) = self.credential.key() else { return false };
        let kind = if kind == SecretKind::PrivateKeyPem { VariableKind::PrivateKey } else { VariableKind::Key };
        let signs = |name: &&str| {
            let login = self.rules.login(name);
            self.rules.signature(name).is_some() || login.is_some_and(|login| login.signed_by.is_some())
        };
        let variables = self.target.venue.table().variables.of_kind(kind);
        variables.is_some_and(|one| !one.id_is_secret && one.proves.iter().any(signs))
    }

    /// The other environment that knows the key, where it was allowed to ask. Only what signs is sent, never what is a secret itself.
    async fn elsewhere(&mut self) -> Option<String> {
        if !self.arguments.ask_other_environments || !self.signs() {
            return None;
        }
        for other in self.others() {
            let Ok(client) = probe::client(&other, &self.credential, self.offset()) else { continue };
            let Some(first) = self.rules.probes.key.first() else { continue };
            let asked = probe::send(&other, &client, first).await;
            let knows = match &asked {
                Ok(Some(response)) => probe::proves(first, response),
                Ok(None) => true,
                Err(error) => matches!(
                    cause(other.venue, error),
                    Cause::Known(Known::OtherSecret | Known::Scope | Known::SubAccount | Known::Address)
                ),
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
        let network = || self.target.network.clone();
        environments.filter_map(target).map(|target| Target { network: network(), ..target }).collect()
    }
}
