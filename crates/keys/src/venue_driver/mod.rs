//! A venue's account as one credential sees it. What the venue lets one do with keys is in its table (`x-keys` of its spec).

mod access;

use std::time::Duration;

use venuekit_auth::KeyKind;
use venuekit_transport::environment::LOCAL;
use venuekit_transport::key_lifecycle::{OpenedSession, SessionKeys, log_in as log_in_by_table};
use venuekit_transport::{Credentials, Error};
use venuekit_venues::{Session, Settings, Venue};
use venuekit_wire::credentials::Probe;
use venuekit_wire::key_lifecycle::{KeyLifecycle, ManagedBy, ScopeRule, TextsForm};
use venuekit_wire::signature::KeyType;
use venuekit_wire::variables::VariableKind;
use venuekit_wire::{Secret, UnixMillis};

use self::access::KeyAccess;
pub(crate) use self::access::{Access, Factor};
use crate::Credential;
use crate::account::Account;
use crate::network::Network;

/// The name of this program among those that share a key: a venue may end the older one of two sessions of the same name.
const PROGRAM: &str = "venuekit-keys";

/// What one venue lets one do with keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    rules: &'static KeyLifecycle,
    venue: Venue,
}

impl Facts {
    /// A venue accepts the public half of a pair that was made here.
    pub(crate) fn takes_pairs(&self) -> bool {
        self.rules.register.is_some()
    }

    /// A venue accepts the public half of a pair of this kind.
    pub(crate) fn takes_pair(&self, kind: KeyKind) -> bool {
        let of = if kind == KeyKind::Ed25519 { KeyType::Ed25519 } else { KeyType::Rsa };
        self.rules.register.is_some_and(|rules| rules.pairs.is_empty() || rules.pairs.contains(&of))
    }

    /// A new key can be bound to addresses.
    pub(crate) fn takes_addresses(&self) -> bool {
        let mut ways = [self.rules.create, self.rules.register].into_iter().flatten().peekable();
        ways.peek().is_some() && ways.all(|create| create.addresses.is_some())
    }

    /// The venue has words for a key that it does not know, and for nothing else.
    pub(crate) fn has_words_for_unknown_keys(&self) -> bool {
        !self.venue.table().errors.unknown_key.is_empty()
    }

    /// The list shows whether a key has this scope.
    pub(crate) fn lists_scope(&self, scope: &str) -> bool {
        let entry = &self.rules.list.entry;
        entry.scopes_form != TextsForm::Flags || entry.scopes.iter().any(|place| place.strip_prefix('/') == Some(scope))
    }

    /// Only keys of sub-accounts are made and ended by calls.
    pub(crate) fn ends_keys_of_sub_accounts(&self) -> bool {
        self.rules.revoke.sub_account.is_some() || self.rules.list.sub_account.is_some()
    }

    /// The environments in which keys are managed by calls, where this one is not among them.
    pub(crate) fn only_in(&self, environment: &str) -> Option<String> {
        let is_here = environment == LOCAL || self.rules.is_in(environment);
        (!is_here).then(|| self.rules.environments.join(" and "))
    }

    /// Which clients of the venue cannot sign with an Ed25519 key, where there are some.
    pub(crate) fn without_ed25519(&self) -> Option<&'static str> {
        self.rules.without_ed25519
    }

    /// A key manages keys. Where none does, a session of the account's owner is needed.
    pub(crate) fn keys_manage(&self) -> bool {
        self.rules.managed_by == ManagedBy::Key
    }

    /// A key can get a new secret.
    pub(crate) fn rotates(&self) -> bool {
        self.rules.rotate.is_some()
    }

    /// A new key can be given the restrictions of another one, its addresses aside.
    pub(crate) fn takes_restrictions(&self) -> bool {
        let ways = [self.rules.create, self.rules.register];
        let mut ways = ways.iter().flatten().peekable();
        ways.peek().is_some() && ways.all(|create| !create.copies.is_empty())
    }

    /// A new key must be given what limits another one, also where that is not limited.
    pub(crate) fn always_copies(&self) -> bool {
        let ways = [self.rules.create, self.rules.register];
        ways.iter().flatten().any(|create| create.copies.iter().any(|(field, _)| field.is_required))
    }

    /// A key without scopes may do nothing.
    pub(crate) fn needs_scopes(&self) -> bool {
        self.rules.scopes == ScopeRule::Required
    }

    /// A key without scopes gets what the venue gives by default, which may be everything.
    pub(crate) fn gives_scopes(&self) -> bool {
        let ways = [self.rules.create, self.rules.register];
        ways.iter().flatten().any(|create| create.scopes.is_some_and(|field| field.is_optional()))
    }

    /// Keys have no scopes at all.
    pub(crate) fn no_scopes(&self) -> bool {
        self.rules.scopes == ScopeRule::None
    }

    /// Its list says when a key was used last.
    pub(crate) fn lists_use(&self) -> bool {
        self.rules.list.entry.last_used.is_some()
    }

    /// An account has no more keys than that.
    pub(crate) fn most_keys(&self) -> Option<usize> {
        self.rules.most
    }

    /// The longest name of a key.
    pub(crate) fn longest_name(&self) -> usize {
        self.rules.longest_name
    }

    /// What stands between a name and its tag.
    pub(crate) fn separator(&self) -> char {
        self.rules.name_separator
    }

    /// What a call shows that verifies a key.
    pub(crate) fn check(&self) -> String {
        probes(self.venue, self.rules).iter().map(|probe| probe.proves).collect::<Vec<_>>().join(", and ")
    }

    /// Where a person does what the program cannot.
    pub(crate) fn page(&self, environment: &str) -> &'static str {
        self.venue.table().key_page(environment).unwrap_or("the venue's own pages")
    }
}

/// What the venue of an account lets one do.
pub(crate) fn facts(account: &Account) -> Facts {
    Facts { rules: rules(account), venue: account.venue }
}

/// The table of an account's keys. Accounts are of venues that manage keys.
fn rules(account: &Account) -> &'static KeyLifecycle {
    let keys = account.venue.table().credentials.keys.expect("an account's venue manages keys");
    keys.of_family(account.family.as_deref()).unwrap_or(keys)
}

/// The calls that prove that a key works.
fn probes(venue: Venue, rules: &'static KeyLifecycle) -> &'static [Probe] {
    if rules.probes.is_empty() { venue.table().credentials.probes.key } else { rules.probes }
}

/// The account as this credential sees it. Nothing is sent.
pub(crate) fn connect(account: &Account, credential: &Credential, network: &Network) -> Result<Box<dyn Access>, Error> {
    let rules = rules(account);
    let (session, probes) = (session(account, credential, network)?, probes(account.venue, rules));
    Ok(Box::new(KeyAccess { session, rules, probes }))
}

fn session(account: &Account, credential: &Credential, network: &Network) -> Result<Session, Error> {
    let credentials = account.venue.credentials_of_program(std::slice::from_ref(credential), PROGRAM)?;
    open(account, credentials, network)
}

fn open(account: &Account, credentials: Credentials, network: &Network) -> Result<Session, Error> {
    let settings = Settings::new(account.base_url.clone(), credentials).timeouts(network.timeouts);
    // A key that a person waits for is not held back for minutes by a limit that was meant for trading.
    let settings = settings.rate_wait(Duration::from_secs(20)).proxy(network.proxy.clone());
    account.venue.session(settings)
}

/// Opens a session with an e-mail address and its password. A venue may accept few logins: a caller keeps the session.
pub(crate) async fn log_in(
    account: &Account,
    email: &str,
    password: &Secret,
    network: &Network,
) -> Result<OpenedSession, Error> {
    let logins = account.venue.table().credentials.logins;
    let Some(login) = logins.iter().find(|login| login.takes.contains(&VariableKind::Login)) else {
        return Err(Error::invalid_request(format!("{} has no login with an e-mail address", account.venue)));
    };
    log_in_by_table(&open(account, Credentials::none(), network)?, login, email, password).await
}

/// Until when the account's owner has attested a location. Past that, keys may do less.
pub(crate) async fn attested_until(
    account: &Account,
    credential: &Credential,
    network: &Network,
) -> Result<Option<UnixMillis>, Error> {
    let session = session(account, credential, network)?;
    SessionKeys::with_rules(&session, rules(account)).attested_until().await
}
