//! What differs between venues: facts as data, and a client with one credential behind one face.

mod access;
mod bayse;
mod deribit;
mod kalshi;
mod yativo;

use std::time::Duration;

use venuekit_transport::{ClientBuilder, Connect, Error};
use venuekit_wire::Secret;

pub(crate) use self::access::{Access, Factor};
use crate::Credential;
use crate::account::{Account, Venue};
use crate::network::Network;

/// Where an environment is served.
type BaseUrl = fn() -> String;

/// What one venue lets one do with keys.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Its environments, and where they are served.
    pub(crate) environments: &'static [(&'static str, BaseUrl)],
    /// It takes the public half of a pair that was made here.
    pub(crate) takes_pairs: bool,
    /// Which clients of the venue cannot sign with an Ed25519 key, where there are some.
    pub(crate) without_ed25519: Option<&'static str>,
    /// A key manages keys. Where none does, a session of the account's owner is needed.
    pub(crate) keys_manage: bool,
    /// A key can get a new secret.
    pub(crate) rotates: bool,
    /// A new key can be given the restrictions of another one.
    pub(crate) takes_restrictions: bool,
    /// A key without scopes may do nothing.
    pub(crate) needs_scopes: bool,
    /// Keys have no scopes at all.
    pub(crate) no_scopes: bool,
    /// Its list says when a key was used last.
    pub(crate) lists_use: bool,
    /// An account has no more keys than that.
    pub(crate) most_keys: Option<usize>,
    /// The longest name of a key.
    pub(crate) longest_name: usize,
    /// What stands between a name and its tag.
    pub(crate) separator: char,
    /// What is called to see whether a key works.
    pub(crate) check: &'static str,
    /// What a person does where the program cannot.
    pub(crate) page: &'static str,
}

pub(crate) fn facts(venue: Venue) -> &'static Facts {
    match venue {
        Venue::Bayse => &bayse::FACTS,
        Venue::Deribit => &deribit::FACTS,
        Venue::Kalshi => &kalshi::FACTS,
        Venue::Yativo => &yativo::FACTS,
    }
}

/// The account as this credential sees it. Nothing is sent.
pub(crate) fn connect(account: &Account, credential: &Credential, network: &Network) -> Result<Box<dyn Access>, Error> {
    match account.venue {
        Venue::Bayse => bayse::connect(account, credential, network),
        Venue::Deribit => deribit::connect(account, credential, network),
        Venue::Kalshi => kalshi::connect(account, credential, network),
        Venue::Yativo => yativo::connect(account, credential, network),
    }
}

pub(crate) use self::bayse::log_in;
pub(crate) use self::kalshi::attested_until;

/// A session of Bayse's.
pub(crate) struct Opened {
    pub(crate) token: Secret,
    pub(crate) device_id: Secret,
}

fn settle<C: Connect>(builder: ClientBuilder<C>, network: &Network) -> ClientBuilder<C> {
    // A key that a person waits for is not held back for minutes by a limit that was meant for trading.
    let builder = builder.timeouts(network.timeouts).rate_wait(Duration::from_secs(20));
    match &network.proxy {
        Some(proxy) => builder.proxy(proxy.clone()),
        None => builder,
    }
}
