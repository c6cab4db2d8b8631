//! What the venue remembers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::Serialize;
use serde_json::value::RawValue;

use super::address_book::AddressBook;
use super::book::{Book, OrderLocation};
use super::changes::Changes;
use super::connections::Connection;
use super::credentials::Nonces;
use super::error::Error;
use super::instruments::{self, Instrument};
use super::keys::{Key, Secret};
use super::ledger::Entry;
use super::limit::{Buckets, RateLimitSubject};
use super::mmp::Protection;
use super::orders::Order;
use super::positions::Position;
use super::profile::Profile;
use super::published::PublishedBooks;
use super::scope::Scope;
use super::second_factor::Challenges;
use super::settings::DeribitSettings;
use super::tape::Tape;
use super::tokens::Login;
use super::trades::Trade;
use super::wallet::Wallet;
use crate::accounts::DeribitKey;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::verify::PublicKey;

/// The number of a book that has not changed yet.
pub(super) const FIRST_CHANGE: i64 = 474_988;
/// The number of the first account.
const FIRST_USER: i64 = 10;

/// The JSON that a method answers with, or why it does not.
pub(super) type Outcome = Result<Box<RawValue>, Error>;

/// A result as JSON.
pub(super) fn done(result: &impl Serialize) -> Outcome {
    Ok(serde_json::value::to_raw_value(result).expect("results are plain JSON"))
}

/// Who calls, and how far the call may go.
#[derive(Debug)]
pub(super) struct Session {
    /// Index into the accounts.
    pub(super) account: usize,
    pub(super) scope: Scope,
    /// The connection that the call came over.
    pub(super) connection: Option<u64>,
}

pub(super) struct Account {
    pub(super) user_id: i64,
    /// The main account of a subaccount.
    pub(super) main: Option<usize>,
    pub(super) is_removed: bool,
    pub(super) profile: Profile,
    pub(super) totp_code: Option<String>,
    pub(super) balances: BTreeMap<&'static str, Decimal>,
    /// All of them, in the order in which they were placed; none is ever removed.
    pub(super) orders: Vec<Order>,
    /// Which of them are open.
    pub(super) open: BTreeSet<usize>,
    /// What they tie up, by currency.
    pub(super) reserved: BTreeMap<&'static str, Decimal>,
    pub(super) positions: BTreeMap<&'static str, Position>,
    pub(super) trades: Vec<Trade>,
    /// Every change of a balance, the oldest first.
    pub(super) ledger: Vec<Entry>,
    pub(super) wallet: Wallet,
    pub(super) addresses: AddressBook,
    pub(super) protections: Vec<Protection>,
    /// How connections to come begin.
    pub(super) cancels_on_disconnect: bool,
}

pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) started: i64,
    pub(super) accounts: Vec<Account>,
    pub(super) keys: Vec<Key>,
    pub(super) logins: Vec<Login>,
    pub(super) nonces: Nonces,
    pub(super) challenges: Challenges,
    pub(super) instruments: Vec<Instrument>,
    pub(super) books: HashMap<&'static str, Book>,
    pub(super) by_order_id: HashMap<String, OrderLocation>,
    pub(super) tape: Tape,
    /// What the call that is in flight has changed.
    pub(super) changes: Changes,
    /// How many orders were made with each label.
    pub(super) labels: BTreeMap<String, u64>,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) settings: DeribitSettings,
    pub(super) faults: Faults,
    pub(super) published: PublishedBooks,
    pub(super) buckets: Buckets,
    /// The account that takes on behalf of the market maker, once there is one.
    pub(super) market_taker: Option<usize>,
    last_id: i64,
    last_change_id: i64,
}

impl State {
    pub(super) fn new(keys: &[DeribitKey], clock: Clock, faults: Faults) -> Self {
        let started = clock.millis();
        let mut state = Self {
            clock,
            started,
            accounts: Vec::new(),
            keys: Vec::new(),
            logins: Vec::new(),
            nonces: Nonces::default(),
            challenges: Challenges::default(),
            instruments: instruments::catalogue(),
            books: HashMap::new(),
            by_order_id: HashMap::new(),
            tape: Tape::default(),
            changes: Changes::default(),
            labels: BTreeMap::new(),
            connections: BTreeMap::new(),
            settings: DeribitSettings::default(),
            faults,
            published: PublishedBooks::default(),
            buckets: Buckets::default(),
            market_taker: None,
            last_id: 0,
            last_change_id: FIRST_CHANGE,
        };
        for key in keys {
            state.open_account(key);
        }
        state
    }

    fn open_account(&mut self, key: &DeribitKey) {
        let account = self.add_account(None, key.totp_code.clone());
        let deposits =
            [("BTC", dec!(10)), ("ETH", dec!(100)), ("EURR", dec!(0)), ("USDC", dec!(250000)), ("USDT", dec!(0))];
        for (currency, amount) in deposits {
            self.deposit(account, currency, amount);
        }
        let public = key.public_key_pem.as_deref().and_then(|pem| Some((pem, PublicKey::from_pem(pem)?)));
        let secret = match (public, &key.client_secret) {
            (Some((pem, key)), _) => Secret::PublicKey { pem: pem.to_owned(), key },
            (None, secret) => Secret::Shared(secret.clone().unwrap_or_else(Secret::random)),
        };
        let id = self.next_id();
        self.keys.push(Key {
            id,
            account,
            client_id: key.client_id.clone(),
            secret,
            max_scope: Scope::full(),
            name: String::new(),
            enabled: true,
            is_default: true,
            enabled_features: Vec::new(),
            ip_whitelist: Vec::new(),
            timestamp: self.started,
        });
    }

    /// Adds an account without money; a subaccount where it has a main account. Returns its index.
    pub(super) fn add_account(&mut self, main: Option<usize>, totp_code: Option<String>) -> usize {
        let account = self.accounts.len();
        let user_id = FIRST_USER + i64::try_from(account).unwrap_or_default();
        self.accounts.push(Account {
            user_id,
            main,
            is_removed: false,
            profile: Profile::new(user_id, main.is_some(), self.now()),
            totp_code,
            balances: BTreeMap::new(),
            orders: Vec::new(),
            open: BTreeSet::new(),
            reserved: BTreeMap::new(),
            positions: BTreeMap::new(),
            trades: Vec::new(),
            ledger: Vec::new(),
            wallet: Wallet::default(),
            addresses: AddressBook::default(),
            protections: Vec::new(),
            cancels_on_disconnect: false,
        });
        account
    }

    /// A number that no other thing of this venue has.
    pub(super) fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    /// The number of one more change, of whichever book.
    pub(super) fn next_change_id(&mut self) -> i64 {
        self.last_change_id += 1;
        self.last_change_id
    }

    /// Counts a call, where there is a limit.
    pub(super) fn spend(&mut self, rate_limit_subject: RateLimitSubject, now: Instant) -> Result<(), Error> {
        match &self.settings.limit {
            Some(limit) => self.buckets.spend(limit, rate_limit_subject, now),
            None => Ok(()),
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.millis()
    }

    pub(super) fn instrument(&self, name: &str) -> Option<&Instrument> {
        self.instruments.iter().find(|instrument| instrument.instrument_name == name)
    }
}
