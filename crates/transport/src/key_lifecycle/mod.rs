//! The life cycle of API keys, carried out by a venue's table (`x-keys` of its spec): the calls are made by name, and what they
//! return is read where the table says.

mod entry;
mod login;
mod probe;
mod request;
mod secret;

use serde_json::Value;
use venuekit_wire::UnixMillis;
use venuekit_wire::credentials::Carries;
use venuekit_wire::key_lifecycle::{CreateKey, Field, KeyLifecycle, ListKeys};
use venuekit_wire::operation::Page;

use self::entry::{info, text_at, time_at};
use self::request::{Answer, Request};
use self::secret::created;
use crate::error::Error;
use crate::keys::{ApiKeys, CreatedKey, KeyInfo, NewKey, OldSecret, RotatedKey};
use crate::session::Session;

pub use self::login::{OpenedSession, granted_scopes, log_in};
pub use self::probe::probe;

/// So many pages of keys are read: more are no list of an account's keys.
const PAGES: usize = 1000;

/// An account's API keys, in the words that all venues share.
///
/// Where an account has a second factor, keys are changed by a client whose calls carry it.
#[derive(Clone, Copy, Debug)]
pub struct SessionKeys<'a> {
    session: &'a Session,
    rules: &'static KeyLifecycle,
}

/// A key of a list, and its entry there.
struct Listed {
    info: KeyInfo,
    entry: Value,
}

impl<'a> SessionKeys<'a> {
    /// The keys of a session's account.
    ///
    /// # Errors
    /// The venue's table has no life cycle: keys are another venue's, or made by hand.
    pub fn new(session: &'a Session) -> Result<Self, Error> {
        match session.venue().credentials.keys {
            Some(rules) => Ok(Self { session, rules }),
            None => Err(Error::invalid_request(format!("{} manages no keys", session.venue().name))),
        }
    }

    /// The same by a table that is at hand.
    #[doc(hidden)]
    pub fn with_rules(session: &'a Session, rules: &'static KeyLifecycle) -> Self {
        Self { session, rules }
    }

    /// Until when the account's owner has attested a location, where the venue says so. Past that, some keys may do less.
    ///
    /// # Errors
    /// The venue's refusal.
    pub async fn attested_until(&self) -> Result<Option<UnixMillis>, Error> {
        let Some(time) = self.rules.list.attested_until else { return Ok(None) };
        let reading = self.reading();
        let answer = Request::new(&reading, self.rules.list.operation)?.send(&reading).await?;
        Ok(time_at(&answer.value, time))
    }

    /// The sub-accounts whose keys are managed.
    ///
    /// # Errors
    /// The venue's refusal.
    pub async fn sub_accounts(&self) -> Result<Vec<String>, Error> {
        let Some(all) = self.rules.sub_accounts else { return Ok(Vec::new()) };
        let reading = self.reading();
        let answer = Request::new(&reading, all.operation)?.send(&reading).await?;
        let list = answer.list(all.at).ok_or_else(|| answer.lacks("list of sub-accounts"))?;
        list.iter().map(|one| text_at(one, all.id).ok_or_else(|| answer.lacks("id of a sub-account"))).collect()
    }

    fn venue(&self) -> &'static str {
        self.session.venue().name
    }

    /// A session for calls that only read. A one-time code counts once, and is meant for the change.
    fn reading(&self) -> Session {
        let has_codes = self.session.venue().credentials.schemes.iter().any(|scheme| scheme.carries == Carries::Code);
        if has_codes { self.session.without_code() } else { self.session.clone() }
    }

    async fn listed(&self, session: &Session) -> Result<Vec<Listed>, Error> {
        let list = self.rules.list;
        let mut found = Vec::new();
        match list.sub_account {
            None => self.list_of(session, &list, None, &mut found).await?,
            Some(field) => {
                for account in self.sub_accounts().await? {
                    self.list_of(session, &list, Some((field, &account)), &mut found).await?;
                }
            }
        }
        if let Some(own) = self.rules.own {
            let answer = Request::new(session, own.operation)?.send(session).await?;
            let entry = answer.value.pointer(own.at).cloned().unwrap_or_default();
            let info = info(&own.entry, &entry).ok_or_else(|| answer.lacks("id of the key that asks"))?;
            match found.iter_mut().find(|one| one.info.id == info.id) {
                Some(listed) => *listed = Listed { info, entry },
                None => found.insert(0, Listed { info, entry }),
            }
        }
        Ok(found)
    }

    async fn list_of(
        &self,
        session: &Session,
        list: &ListKeys,
        of: Option<(Field, &str)>,
        found: &mut Vec<Listed>,
    ) -> Result<(), Error> {
        let mut cursor: Option<String> = None;
        let mut read = 0;
        for page_number in 1..=PAGES {
            let mut request = Request::new(session, list.operation)?;
            if let Some((field, account)) = of {
                request.set(field, account)?;
            }
            let page = request.row().page;
            if let (Some(Page::Cursor { param, .. }), Some(cursor)) = (page, &cursor) {
                request.set_named(param, cursor);
            }
            let answer = request.send(session).await?;
            let entries = answer.list(list.at).ok_or_else(|| answer.lacks("list of keys"))?;
            read += entries.len() as u64;
            for entry in entries {
                // A caller that looks for a key in the list must not take one that cannot be read for one that does not exist.
                let mut info =
                    info(&list.entry, entry).ok_or_else(|| answer.incomplete("the list holds a key without an id"))?;
                info.sub_account = of.map(|(_, account)| account.to_owned());
                found.push(Listed { info, entry: entry.clone() });
            }
            let next = match page {
                Some(Page::Cursor { next, end, .. }) => answer.dotted(next).filter(|one| Some(one.as_str()) != end),
                _ => None,
            };
            // A caller that looks for a key must not take a partial list for a complete one.
            let Some(next) = next.filter(|next| !next.is_empty()) else {
                let total = list.total.and_then(|at| answer.value.pointer(at)?.as_u64());
                return match total.filter(|total| *total > read) {
                    Some(total) => Err(answer.incomplete(format!("the response shows {read} of {total} keys"))),
                    None => Ok(()),
                };
            };
            if cursor.as_ref() == Some(&next) {
                return Err(answer.incomplete("the cursor repeats: the list would never end"));
            }
            if page_number == PAGES {
                return Err(answer.incomplete(format!("the list has more than {PAGES} pages")));
            }
            cursor = Some(next);
        }
        Ok(())
    }

    /// Makes a key. `like` is the entry of a key whose restrictions it gets.
    async fn make(&self, rules: &CreateKey, mut key: NewKey, like: Option<&Value>) -> Result<CreatedKey, Error> {
        let pair = key.take_pair()?;
        let mut request = Request::new(self.session, rules.operation)?;
        if let Some(name) = rules.name {
            request.set(name, &key.name)?;
        }
        match rules.scopes {
            Some(field) => request.set_texts(field, &key.scopes)?,
            None if !key.scopes.is_empty() => {
                return Err(Error::invalid_request(format!("keys of {} have no scopes", self.venue())));
            }
            None => {}
        }
        match rules.addresses {
            Some(field) => request.set_texts(field, &key.addresses)?,
            None if !key.addresses.is_empty() => {
                return Err(Error::invalid_request(format!("{} binds no new key to addresses", self.venue())));
            }
            None => {}
        }
        if let (Some(field), Some(pair)) = (rules.public_key, &pair) {
            request.set(field, pair.public_key_pem())?;
        }
        if let Some(field) = rules.sub_account {
            request.set(field, &self.sub_account(key.sub_account.take()).await?)?;
        }
        for (name, value) in rules.fixed {
            request.set_json(name, value);
        }
        for (name, place) in rules.copies {
            if let Some(value) = like.and_then(|entry| entry.pointer(place)).filter(|value| !value.is_null()) {
                request.set_value(name, value.clone());
            }
        }
        let mut answer = request.send(self.session).await?;
        let mut made = created(&mut answer, &rules.returns, pair.as_ref())?;
        if made.id.is_empty() && rules.returns.id.is_empty() {
            // The secret is shown this once: a list that fails must not lose it.
            made.id = self.id_of(&made.public_id).await.unwrap_or_default();
        }
        Ok(made)
    }

    /// The sub-account that a new key is of: the only one, if none was named.
    async fn sub_account(&self, named: Option<String>) -> Result<String, Error> {
        if let Some(named) = named {
            return Ok(named);
        }
        let mut all = self.sub_accounts().await?;
        match all.len() {
            1 => Ok(all.remove(0)),
            0 => Err(Error::invalid_request(format!(
                "{} makes keys of sub-accounts, and the account has none",
                self.venue()
            ))),
            _ => Err(Error::invalid_request(format!("name the sub-account that the key is of: {}", all.join(", ")))),
        }
    }

    async fn id_of(&self, public_id: &str) -> Option<String> {
        let keys = self.list().await.ok()?;
        keys.into_iter().find(|key| key.public_id.as_deref() == Some(public_id)).map(|key| key.id)
    }

    /// The entry of a key before it is changed. None where the list asks for a second factor, which is meant for the change.
    async fn known(&self, id: &str) -> Result<Option<Listed>, Error> {
        match self.listed(&self.session.without_code()).await {
            Ok(keys) => match keys.into_iter().find(|key| key.info.id == id) {
                Some(key) => Ok(Some(key)),
                None => Err(Error::invalid_request(format!("the account has no key `{id}`"))),
            },
            Err(error) if error.challenge().is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl ApiKeys for SessionKeys<'_> {
    async fn create(&self, key: NewKey) -> Result<CreatedKey, Error> {
        let venue = self.venue();
        let wants_pair = key.local.is_some() || key.pair.is_some();
        let rules = match (wants_pair, self.rules.register, self.rules.create) {
            (true, Some(rules), _) | (false, _, Some(rules)) => rules,
            (true, None, _) => {
                return Err(Error::invalid_request(format!(
                    "{venue} makes the secret itself, and registers no key pair"
                )));
            }
            (false, _, None) => {
                return Err(Error::invalid_request(format!("{venue} makes no secret: give a key pair to register")));
            }
        };
        let Some(id) = key.like.clone() else { return self.make(&rules, key, None).await };
        if rules.copies.is_empty() {
            let message = format!("{venue} gives no restrictions to a new key: rotate the old key, which keeps them");
            return Err(Error::invalid_request(message));
        }
        let Some(like) = self.known(&id).await? else {
            let message =
                format!("the list of {venue} asks for a second factor, so the restrictions of `{id}` are unknown");
            return Err(Error::invalid_request(message));
        };
        let scopes = if key.scopes.is_empty() { like.info.scopes } else { key.scopes.clone() };
        self.make(&rules, NewKey { scopes, ..key }, Some(&like.entry)).await
    }

    async fn list(&self) -> Result<Vec<KeyInfo>, Error> {
        Ok(self.listed(&self.reading()).await?.into_iter().map(|one| one.info).collect())
    }

    async fn rotate(&self, id: &str) -> Result<RotatedKey, Error> {
        let known = self.known(id).await?;
        let Some(rules) = self.rules.rotate else {
            let (Some(known), Some(create)) = (known, self.rules.create) else {
                return Err(Error::invalid_request(format!("{} cannot rotate the key `{id}`", self.venue())));
            };
            let mut new = NewKey::named(known.info.name.unwrap_or_default()).scopes(known.info.scopes);
            new.sub_account = known.info.sub_account;
            let key = self.make(&create, new, Some(&known.entry)).await?;
            let old = match self.revoke(id).await {
                Ok(()) => OldSecret::Revoked,
                Err(error) => OldSecret::StillValid(error),
            };
            return Ok(RotatedKey::new(key, old));
        };
        if known.as_ref().is_some_and(|key| key.info.public_key.is_some()) {
            return Err(Error::invalid_request(format!(
                "the key `{id}` has a public key, and so no secret that could be replaced: make a new key, then revoke this one"
            )));
        }
        let mut request = Request::new(self.session, rules.call.operation)?;
        request.set(rules.call.id, id)?;
        let mut answer = request.send(self.session).await?;
        if text_at(&answer.value, rules.returns.id).is_some_and(|own| own != id) {
            let message =
                "the venue has replaced a secret, and its response is about another key: rotate the key again";
            return Err(answer.incomplete(message));
        }
        // The id stays, and so does what identifies the caller, which the response may leave out.
        let public_id = known.and_then(|known| known.info.public_id);
        let key = secret::replaced(&mut answer, &rules.returns, id, public_id)?;
        Ok(RotatedKey::new(key, OldSecret::Replaced))
    }

    async fn revoke(&self, id: &str) -> Result<(), Error> {
        let call = self.rules.revoke;
        let mut request = Request::new(self.session, call.operation)?;
        request.set(call.id, id)?;
        request.send_unread(self.session, call.returns).await
    }
}

impl Answer {
    /// The first place that holds a list.
    fn list(&self, places: &[&str]) -> Option<&Vec<Value>> {
        places.iter().find_map(|place| self.value.pointer(place)?.as_array())
    }
}
