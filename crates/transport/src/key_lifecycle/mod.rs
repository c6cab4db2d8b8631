//! The life cycle of API keys, carried out by a venue's table (`x-keys` of its spec): the calls are made by name, and what they
//! return is read where the table says.

mod edit;
mod entry;
mod list;
mod login;
mod probe;
mod request;
mod secret;

use serde_json::Value;
use venuekit_auth::{Algorithm, PrivateKey};
use venuekit_wire::UnixMillis;
use venuekit_wire::credentials::Carries;
use venuekit_wire::key_lifecycle::{CreateKey, KeyLifecycle, ScopesFor};
use venuekit_wire::operation::ErrorKind;
use venuekit_wire::signature::KeyType;

use self::entry::{limits, text_at, time_at};
use self::list::Listed;
use self::request::{Answer, Request};
use self::secret::created;
use crate::environment::LOCAL;
use crate::error::{Error, Inner};
use crate::keys::{ApiKeys, CreatedKey, KeyEdit, KeyInfo, NewKey, OldSecret, RotatedKey};
use crate::session::Session;

pub use self::login::{OpenedSession, granted_scopes, log_in};
pub use self::probe::probe;

/// An account's API keys, in the words that all venues share.
///
/// Where an account has a second factor, keys are changed by a client whose calls carry it.
#[derive(Clone, Copy, Debug)]
pub struct SessionKeys<'a> {
    session: &'a Session,
    rules: &'static KeyLifecycle,
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

    /// Another family of the venue's keys, by its name.
    ///
    /// # Errors
    /// The venue has no such family.
    pub fn of_family(self, name: &str) -> Result<Self, Error> {
        match self.rules.of_family(Some(name)) {
            Some(rules) => Ok(Self { rules, ..self }),
            None => {
                let known: Vec<&str> = self.rules.families().filter_map(|rules| rules.family).collect();
                let known = if known.is_empty() { "one family of keys".to_owned() } else { known.join(", ") };
                Err(Error::invalid_request(format!("{} has no keys `{name}`; it has {known}", self.venue())))
            }
        }
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

    /// The key that asks, where the venue has a call for that. A key that may list no others may still make it.
    ///
    /// # Errors
    /// The venue's refusal.
    pub async fn own(&self) -> Result<Option<KeyInfo>, Error> {
        self.check_environment()?;
        Ok(self.listed_own(&self.reading()).await?.map(|own| own.info))
    }

    /// A key of the account with all that the venue shows of it, the addresses that its list leaves out among them.
    ///
    /// # Errors
    /// The venue's refusal.
    pub async fn find(&self, id: &str) -> Result<Option<KeyInfo>, Error> {
        let found = self.listed(&self.reading()).await?.into_iter().find(|one| one.info.id == id);
        match found {
            Some(found) => Ok(Some(self.with_detail(found.info).await?)),
            None => Ok(None),
        }
    }

    fn venue(&self) -> &'static str {
        self.session.venue().name
    }

    /// Some venues have calls for keys in one of their environments only.
    fn check_environment(&self) -> Result<(), Error> {
        let Some(served) = self.session.served_environment() else { return Ok(()) };
        if served == LOCAL || self.rules.is_in(served) {
            return Ok(());
        }
        let venue = self.session.venue();
        let page = venue.key_page(served).map(|page| format!("; create and delete keys of {served} at {page}"));
        Err(Error::invalid_request(format!(
            "{} has calls for keys in {} only, and this is {served}{}",
            venue.name,
            self.rules.environments.join(" and "),
            page.unwrap_or_default()
        )))
    }

    /// A session for calls that only read. A one-time code counts once, and is meant for the change.
    fn reading(&self) -> Session {
        let has_codes = self.session.venue().credentials.schemes.iter().any(|scheme| scheme.carries == Carries::Code);
        if has_codes { self.session.without_code() } else { self.session.clone() }
    }

    /// Makes a key. `like` is the entry of a key whose restrictions it gets.
    async fn make(&self, rules: &CreateKey, mut key: NewKey, like: Option<&Value>) -> Result<CreatedKey, Error> {
        let pair = key.take_pair()?;
        if let Some(pair) = &pair {
            check_pair(self.venue(), rules, pair)?;
        }
        let mut request = Request::new(self.session, rules.operation)?;
        // First, because what is set along with scopes and addresses overrides it.
        for (name, value) in rules.fixed {
            request.set_json(name, value);
        }
        if let Some(name) = rules.name {
            request.set(name, &key.name)?;
        }
        let scopes = key.scopes.as_deref().unwrap_or_default();
        match rules.scopes {
            // Left out, the field stands for what the venue gives by default, which may be everything.
            Some(field) if key.scopes.is_some() && scopes.is_empty() && field.is_optional() => {
                return Err(Error::invalid_request(format!(
                    "{} makes no key without scopes: name at least one scope",
                    self.venue()
                )));
            }
            Some(field) => match rules.scopes_for.filter(|only| !counts(only, pair.as_ref())) {
                None => request.set_texts(field, scopes)?,
                Some(only) if scopes.iter().all(|scope| scope == only.otherwise) => {}
                Some(only) => {
                    let names: Vec<&str> = field.fields.iter().map(|field| field.name).collect();
                    let kinds: Vec<String> = only.pairs.iter().map(|kind| format!("{kind:?}")).collect();
                    return Err(Error::invalid_request(format!(
                        "`{}` counts for {} keys alone, and any other key of {} gets {}: register such a pair",
                        names.join("`, `"),
                        kinds.join(" and "),
                        self.venue(),
                        only.otherwise
                    )));
                }
            },
            None if !scopes.is_empty() => {
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
        for (field, place) in rules.copies.iter().filter(|_| like.is_some()) {
            match like.and_then(|entry| entry.pointer(place)).filter(|value| !value.is_null()) {
                Some(value) => request.copy(*field, value),
                // What is sent otherwise may allow more.
                None if field.is_required => {
                    let message =
                        format!("the list does not show `{}` of the key, and a new key must be given it", field.name);
                    return Err(Error::invalid_request(message));
                }
                None => {}
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

    /// Refuses to make a key like another one if it would lose something that limits that one.
    fn check_kept(&self, rules: &CreateKey, known: &Listed) -> Result<(), Error> {
        let copied =
            self.rules.list.entry.limits.iter().filter(|(at, _)| rules.copies.iter().any(|(_, from)| from == at));
        let mut kept: Vec<String> = copied.flat_map(|(at, says)| limits(&known.entry, at, says)).collect();
        if rules.addresses.is_some() {
            kept.extend(known.info.addresses.iter().map(|address| format!("address {address}")));
        }
        let restrictions = known.info.restrictions.iter();
        let lost: Vec<&str> = restrictions.filter(|one| !kept.contains(one)).map(String::as_str).collect();
        if lost.is_empty() {
            return Ok(());
        }
        Err(Error::invalid_request(format!(
            "the key `{}` is limited ({}), and {} makes no new key with that",
            known.info.id,
            lost.join(", "),
            self.venue()
        )))
    }

    async fn id_of(&self, public_id: &str) -> Option<String> {
        let keys = self.list().await.ok()?;
        keys.into_iter().find(|key| key.public_id.as_deref() == Some(public_id)).map(|key| key.id)
    }

    /// The entry of a key before it is changed. None where the list asks for a second factor, which is meant for the change.
    async fn known(&self, id: &str) -> Result<Option<Listed>, Error> {
        let session = self.session.without_code();
        match self.listed(&session).await {
            Ok(keys) => match keys.into_iter().find(|key| key.info.id == id) {
                Some(mut key) => {
                    key.info = self.with_detail(key.info).await?;
                    Ok(Some(key))
                }
                None => Err(Error::invalid_request(format!("the account has no key `{id}`"))),
            },
            Err(error) if error.challenge().is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The sub-account of a key that is to be deleted.
    async fn sub_account_of(&self, id: &str) -> Result<String, Error> {
        let found = self.listed(&self.reading()).await?.into_iter().find(|one| one.info.id == id);
        // The venue's own list says so.
        let found = found.ok_or_else(|| no_key(format!("no sub-account has a key `{id}`")))?;
        found.info.sub_account.ok_or_else(|| self.not_of_sub_account(id, "create and delete"))
    }

    /// The error for a key that no call can change, with the page where a person can.
    fn not_of_sub_account(&self, id: &str, what: &str) -> Error {
        let venue = self.session.venue();
        let page = self.session.served_environment().and_then(|served| venue.key_page(served));
        let page = page.map(|page| format!(": {what} it at {page}")).unwrap_or_default();
        Error::invalid_request(format!("the key `{id}` does not belong to a sub-account{page}"))
    }
}

/// A key that the venue's own list does not have.
fn no_key(message: String) -> Error {
    Error::new(Inner { kind: Some(ErrorKind::NotFound), message, known_code: true, ..Inner::default() })
}

/// The scopes of a key that another one is to have. Where the list shows none, it is unknown what the key may do.
fn scopes_of(rules: &CreateKey, known: &Listed) -> Result<Vec<String>, Error> {
    if known.info.scopes.is_empty() && rules.scopes.is_some_and(|field| field.is_optional()) {
        return Err(Error::invalid_request(format!(
            "the list shows no scopes of the key `{}`, and a new key without any may do everything: make a key with the scopes that it \
             needs, then revoke this one",
            known.info.id
        )));
    }
    Ok(known.info.scopes.clone())
}

/// Whether scopes count for a key with this pair, or with a shared secret.
fn counts(only: &ScopesFor, pair: Option<&PrivateKey>) -> bool {
    pair.is_some_and(|pair| only.pairs.contains(&kind_of(pair)))
}

fn kind_of(pair: &PrivateKey) -> KeyType {
    match pair.algorithm() {
        Algorithm::Rsa => KeyType::Rsa,
        Algorithm::Ed25519 => KeyType::Ed25519,
    }
}

/// Refuses a pair of a kind that the venue does not register.
fn check_pair(venue: &str, rules: &CreateKey, pair: &PrivateKey) -> Result<(), Error> {
    let kind = kind_of(pair);
    if rules.pairs.is_empty() || rules.pairs.contains(&kind) {
        return Ok(());
    }
    let known: Vec<String> = rules.pairs.iter().map(|kind| format!("{kind:?}")).collect();
    Err(Error::invalid_request(format!("{venue} registers {} keys here, and this is {kind:?}", known.join(" and "))))
}

impl ApiKeys for SessionKeys<'_> {
    async fn create(&self, key: NewKey) -> Result<CreatedKey, Error> {
        self.check_environment()?;
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
        self.check_kept(&rules, &like)?;
        let scopes = match key.scopes.clone() {
            Some(scopes) => scopes,
            None => scopes_of(&rules, &like)?,
        };
        let wants_addresses = key.addresses.is_empty() && rules.addresses.is_some();
        let addresses = if wants_addresses { like.info.addresses } else { key.addresses.clone() };
        self.make(&rules, NewKey { scopes: Some(scopes), addresses, ..key }, Some(&like.entry)).await
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
            if create.sub_account.is_some() && known.info.sub_account.is_none() {
                return Err(self.not_of_sub_account(id, "create and delete"));
            }
            self.check_kept(&create, &known)?;
            let scopes = scopes_of(&create, &known)?;
            let mut new = NewKey::named(known.info.name.unwrap_or_default()).scopes(scopes);
            if create.addresses.is_some() {
                new = new.addresses(known.info.addresses);
            }
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

    async fn edit(&self, id: &str, edit: KeyEdit) -> Result<KeyInfo, Error> {
        self.change(id, &edit).await
    }

    async fn revoke(&self, id: &str) -> Result<(), Error> {
        let call = self.rules.revoke;
        self.check_environment()?;
        let mut request = Request::new(self.session, call.operation)?;
        request.set(call.id, id)?;
        if let Some(field) = call.sub_account {
            request.set(field, &self.sub_account_of(id).await?)?;
        }
        match request.send_unread(self.session, call.returns).await {
            // Not every venue has a word for a key that is gone, and its own list has one.
            Err(error) if error.kind() == ErrorKind::InvalidRequest && error.has_known_code() => {
                let is_listed = self.listed(&self.reading()).await?.iter().any(|one| one.info.id == id);
                Err(if is_listed { error } else { no_key(format!("the account has no key `{id}`")) })
            }
            sent => sent,
        }
    }
}

impl Answer {
    /// The first place that holds a list.
    fn list(&self, places: &[&str]) -> Option<&Vec<Value>> {
        places.iter().find_map(|place| self.value.pointer(place)?.as_array())
    }
}
