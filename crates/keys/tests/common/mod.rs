//! A sandbox with one account a venue, and an engine in a folder.

// No test uses all of it.
#![allow(dead_code)]

use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use venuekit_auth::{KeyKind, PrivateKey};
use venuekit_keys::journal::FolderJournal;
use venuekit_keys::store::{FileStore, Unlock};
use venuekit_keys::{
    Account, BoxFuture, Create, Credential, Engine, Event, Handed, Line, Manager, Operator, Origin, Reference, Rotate,
    Settings, Silent, StoreLocation, Venue, Waits,
};
use venuekit_sandbox::{Accounts, DeribitKey, KalshiKey, Sandbox, YativoAccount};
use venuekit_transport::Timeouts;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::Secret;

/// The venues that these tests know.
pub const VENUES: [Venue; 4] = [Venue::BAYSE, Venue::DERIBIT, Venue::KALSHI, Venue::YATIVO];

/// The one code that guarded accounts take.
pub const CODE: &str = "123456";

pub const DERIBIT_SCOPES: [&str; 3] = ["account:read_write", "trade:read_write", "wallet:none"];

/// A credential that can be handed to a child process.
#[derive(Clone, Serialize, Deserialize)]
pub enum Given {
    Pair(String, String),
    Shared(String, String),
    Session(String, String),
    Login(String, String),
}

impl Given {
    pub fn credential(&self) -> Credential {
        let key = |public_id: &str, secret: &str, kind| Credential::Key {
            public_id: public_id.to_owned(),
            secret: Secret::new(secret),
            kind,
        };
        match self {
            Self::Pair(id, pem) => key(id, pem, SecretKind::PrivateKeyPem),
            Self::Shared(id, secret) => key(id, secret, SecretKind::Shared),
            Self::Session(token, device) => {
                Credential::Session { token: Secret::new(token), device_id: Secret::new(device) }
            }
            Self::Login(email, password) => Credential::Login { email: email.clone(), password: Secret::new(password) },
        }
    }
}

pub struct World {
    pub sandbox: Sandbox,
    pub venue: Venue,
    /// What manages the account's keys.
    pub given: Given,
    /// A key of the account's that was there before.
    pub first: Given,
}

impl World {
    pub async fn start(venue: Venue) -> Self {
        Self::guarded(venue, None).await
    }

    /// With a second factor where the venue has one.
    pub async fn guarded(venue: Venue, code: Option<&str>) -> Self {
        let pair = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let pem = pair.private_key_pem().expose().to_owned();
        let totp_code = code.map(str::to_owned);
        let accounts = Accounts {
            kalshi: vec![KalshiKey {
                key_id: "0b5d9f5c-0000-4000-8000-000000000001".into(),
                private_key_pem: Some(pem.clone()),
                ..KalshiKey::default()
            }],
            deribit: vec![DeribitKey {
                client_id: "first001".into(),
                client_secret: Some("FIRSTSECRET-first-secret".into()),
                totp_code: totp_code.clone(),
                ..DeribitKey::default()
            }],
            yativo: vec![YativoAccount { totp_code, ..YativoAccount::default() }],
            ..Accounts::default()
        };
        let sandbox = Sandbox::start(accounts).await.unwrap();
        let accounts = sandbox.accounts();
        let (kalshi, bayse) = (&accounts.kalshi[0], &accounts.bayse[0]);
        let (yativo, deribit) = (&accounts.yativo[0], &accounts.deribit[0]);
        let first = match venue.name() {
            "bayse" => Given::Shared(bayse.public_key.clone(), bayse.secret_key.clone()),
            "deribit" => Given::Shared(deribit.client_id.clone(), deribit.client_secret.clone().unwrap()),
            "kalshi" => Given::Pair(kalshi.key_id.clone(), pem),
            _ => Given::Shared(yativo.api_key.clone(), yativo.api_secret.clone()),
        };
        let given = match venue.name() {
            "bayse" => Given::Session(bayse.auth_token.clone(), bayse.device_id.clone()),
            _ => first.clone(),
        };
        Self { sandbox, venue, given, first }
    }

    pub fn base_url(&self) -> String {
        match self.venue.name() {
            "bayse" => self.sandbox.bayse_url(),
            "deribit" => self.sandbox.deribit_url(),
            "kalshi" => self.sandbox.kalshi_url(),
            _ => self.sandbox.yativo_url(),
        }
    }

    pub fn account(&self) -> Account {
        self.account_at(&self.base_url())
    }

    pub fn account_at(&self, base_url: &str) -> Account {
        Account { venue: self.venue, environment: "local".into(), base_url: base_url.to_owned(), family: None }
    }

    pub fn reference(&self) -> Reference {
        Reference::new(self.venue, "local", "bot").unwrap()
    }

    pub fn manager(&self) -> Manager {
        Manager::Given(self.given.credential())
    }

    pub fn create(&self, origin: Origin) -> Create {
        Create {
            reference: self.reference(),
            scopes: scopes(self.venue),
            origin,
            sub_account: None,
            addresses: Vec::new(),
            by_command: false,
        }
    }

    pub fn rotate(&self) -> Rotate {
        Rotate { reference: self.reference(), scopes: None, origin: Origin::Best, in_place: false, by_command: false }
    }

    /// The live keys that the venue lists, as this credential sees them.
    pub async fn live(&self, engine: &Engine, manager: &Manager) -> Vec<Line> {
        let operator = Watching::default();
        let mut lines = engine.list(&self.account(), manager, &operator).await.unwrap();
        lines.retain(|line| line.live == Some(true));
        lines
    }
}

pub fn scopes(venue: Venue) -> Vec<String> {
    let scopes: &[&str] = match venue.name() {
        "bayse" => &[],
        "deribit" => &DERIBIT_SCOPES,
        _ => &["read", "write"],
    };
    scopes.iter().map(|scope| (*scope).to_owned()).collect()
}

pub fn open_store(folder: &Path) -> FileStore {
    FileStore::open(folder.join("keys.age"), &Unlock::IdentityFile(folder.join("identity.txt"))).unwrap()
}

/// The place of that store, for reading from it.
pub fn place(folder: &Path) -> StoreLocation {
    StoreLocation::file(folder.join("keys.age")).identity(folder.join("identity.txt"))
}

pub fn journal(folder: &Path) -> FolderJournal {
    FolderJournal::new(folder.join("journal"))
}

pub fn engine(folder: &Path) -> Engine {
    Engine::new(Arc::new(open_store(folder)), Arc::new(journal(folder))).settings(settings())
}

/// Short waits: the sandbox knows its keys at once.
pub fn settings() -> Settings {
    let millis = Duration::from_millis;
    let waits = Waits { first: millis(10), longest: millis(100), total: millis(1000) };
    let seconds = Duration::from_secs;
    let timeouts = Timeouts { connect: seconds(5), attempt: seconds(20), call: seconds(40) };
    Settings { timeouts, verify: waits, prove: waits, settle: millis(50), ..Settings::default() }
}

/// Remembers what it is told, has the code, and takes keys over as it was told to.
#[derive(Default)]
pub struct Watching {
    pub events: Mutex<Vec<Event>>,
    pub handed: Mutex<Vec<Handed>>,
    pub refuses: bool,
    /// How many codes it has; none: as many as are wanted.
    pub codes: Option<AtomicUsize>,
}

impl Watching {
    pub fn words(&self) -> Vec<&'static str> {
        self.events.lock().unwrap().iter().map(Event::word).collect()
    }
}

impl Operator for Watching {
    fn notify(&self, event: &Event) {
        self.events.lock().unwrap().push(event.clone());
    }

    fn code<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Secret, String>> {
        let one_less = |left: usize| left.checked_sub(1);
        match &self.codes {
            Some(left) if left.fetch_update(SeqCst, SeqCst, one_less).is_err() => Silent.code(account),
            _ => Box::pin(async { Ok(Secret::new(CODE)) }),
        }
    }

    fn hand_over<'a>(&'a self, key: &'a Handed) -> BoxFuture<'a, Result<(), String>> {
        self.handed.lock().unwrap().push(key.clone());
        Box::pin(async { if self.refuses { Err("the bot is busy".to_owned()) } else { Ok(()) } })
    }
}
