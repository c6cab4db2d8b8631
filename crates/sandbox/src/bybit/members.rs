//! Accounts, their sub-accounts and their keys.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::permissions::Permissions;
use crate::accounts::BybitKey;
use crate::verify::PublicKey;

const DAY_MILLIS: i64 = 86_400_000;
/// A key that is bound to no address ends after so many days.
const UNBOUND_DAYS: i64 = 90;
/// The first account's number; the others follow in steps.
const FIRST_UID: i64 = 53_888_000;

/// An account, or a sub-account of one.
pub(super) struct Member {
    pub(super) uid: i64,
    pub(super) name: String,
    /// The account that it belongs to, as an index; none for an account itself.
    pub(super) parent: Option<usize>,
    pub(super) kind: i64,
    pub(super) remark: String,
    pub(super) frozen: bool,
    pub(super) deleted: bool,
    /// Coins of the unified trading account.
    pub(super) unified: BTreeMap<String, Coin>,
    /// Coins of the funding account.
    pub(super) funding: BTreeMap<String, Decimal>,
}

/// What a unified account has of a coin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Coin {
    pub(super) wallet: Decimal,
    /// Profits and losses of positions so far, less fees.
    pub(super) realized: Decimal,
}

impl Member {
    pub(super) fn is_master(&self) -> bool {
        self.parent.is_none()
    }

    pub(super) fn new(uid: i64, name: String, parent: Option<usize>) -> Self {
        Self {
            uid,
            name,
            parent,
            kind: 1,
            remark: String::new(),
            frozen: false,
            deleted: false,
            unified: BTreeMap::new(),
            funding: BTreeMap::new(),
        }
    }
}

/// What a key signs with.
pub(super) enum Secret {
    Hmac(String),
    Rsa { public: Box<PublicKey>, pem: String },
}

/// An API key that has not been deleted.
pub(super) struct Key {
    pub(super) id: i64,
    pub(super) member: usize,
    pub(super) name: String,
    pub(super) secret: Secret,
    pub(super) note: String,
    pub(super) read_only: bool,
    pub(super) permissions: Permissions,
    /// The addresses that it is bound to; without any it is unbound.
    pub(super) ips: Vec<String>,
    pub(super) created: i64,
    /// When an unbound key ends.
    pub(super) expires: Option<i64>,
}

impl Key {
    /// Binds the key to addresses, or to none.
    pub(super) fn bind(&mut self, ips: Vec<String>, now: i64) {
        self.expires = ips.is_empty().then(|| now + UNBOUND_DAYS * DAY_MILLIS);
        self.ips = ips;
    }

    pub(super) fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// Days until it ends; -2 for a key that does not end.
    pub(super) fn days_left(&self, now: i64) -> i64 {
        self.expires.map_or(-2, |at| ((at - now).max(0) + DAY_MILLIS - 1) / DAY_MILLIS)
    }
}

/// All accounts and keys.
pub(super) struct Members {
    pub(super) all: Vec<Member>,
    pub(super) keys: Vec<Key>,
    next_uid: i64,
    next_key: i64,
}

impl Members {
    pub(super) fn new(given: &[BybitKey], now: i64) -> Self {
        let mut members = Self { all: Vec::new(), keys: Vec::new(), next_uid: FIRST_UID, next_key: 16_651_283 };
        let mut by_account: BTreeMap<&str, usize> = BTreeMap::new();
        for key in given {
            let account = key.account.as_deref().unwrap_or_default();
            let member = *by_account.entry(account).or_insert_with(|| members.add_account(account));
            let secret = match (&key.api_secret, &key.public_key_pem) {
                (_, Some(pem)) => {
                    PublicKey::from_pem(pem).map(|public| Secret::Rsa { public: Box::new(public), pem: pem.clone() })
                }
                (secret, None) => secret.clone().map(Secret::Hmac),
            };
            // Accounts are checked when they are completed.
            let Some(secret) = secret else { continue };
            let id = members.key_id();
            let mut made = Key {
                id,
                member,
                name: key.api_key.clone(),
                secret,
                note: "sandbox".to_owned(),
                read_only: key.read_only,
                permissions: key.permissions.as_ref().map_or_else(|| Permissions::all(true), Permissions::of),
                ips: Vec::new(),
                created: now,
                expires: None,
            };
            made.bind(key.ips.clone().unwrap_or_default(), now);
            members.keys.push(made);
        }
        members
    }

    fn add_account(&mut self, name: &str) -> usize {
        let name = if name.is_empty() { "master1" } else { name };
        let mut member = Member::new(self.uid(), name.to_owned(), None);
        for (coin, amount) in [("USDT", 1_000_000), ("USDC", 500_000), ("BTC", 50), ("ETH", 500)] {
            member.unified.insert(coin.to_owned(), Coin { wallet: amount.into(), realized: Decimal::ZERO });
        }
        for (coin, amount) in [("USDT", 100_000), ("BTC", 5)] {
            member.funding.insert(coin.to_owned(), amount.into());
        }
        self.all.push(member);
        self.all.len() - 1
    }

    pub(super) fn uid(&mut self) -> i64 {
        self.next_uid += 17;
        self.next_uid
    }

    pub(super) fn key_id(&mut self) -> i64 {
        self.next_key += 3;
        self.next_key
    }

    pub(super) fn key(&self, name: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.name == name)
    }

    /// A sub-account of an account, by its number.
    pub(super) fn sub(&self, master: usize, uid: i64) -> Option<usize> {
        let is_meant = |member: &Member| member.uid == uid && member.parent == Some(master) && !member.deleted;
        self.all.iter().position(is_meant)
    }

    /// An account or a sub-account of the same master, by its number.
    pub(super) fn relative(&self, member: usize, uid: i64) -> Option<usize> {
        let master = self.all[member].parent.unwrap_or(member);
        if self.all[master].uid == uid { Some(master) } else { self.sub(master, uid) }
    }

    /// The sub-accounts of an account that are not deleted.
    pub(super) fn subs(&self, master: usize) -> impl Iterator<Item = (usize, &Member)> {
        self.all.iter().enumerate().filter(move |(_, member)| member.parent == Some(master) && !member.deleted)
    }
}
