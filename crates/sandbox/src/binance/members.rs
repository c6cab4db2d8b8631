//! Accounts, sub-accounts and their keys.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::permissions::Permissions;
use crate::accounts::BinanceKey;
use crate::verify::PublicKey;

/// The initial holdings of an account.
const COINS: [(&str, Decimal); 5] =
    [("BTC", dec!(10)), ("ETH", dec!(100)), ("BNB", dec!(500)), ("USDT", dec!(1000000)), ("LTC", dec!(1000))];
/// The wallet that orders are paid from.
pub(super) const SPOT: &str = "SPOT";

/// An account or a sub-account.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) email: String,
    pub(super) uid: i64,
    /// The account that a sub-account belongs to.
    pub(super) master: Option<usize>,
    pub(super) created: i64,
    /// Coins by wallet. What open orders hold is part of it.
    pub(super) wallets: BTreeMap<String, BTreeMap<String, Decimal>>,
    pub(super) updated: i64,
    /// Whether the account has left the special key mode for margin.
    pub(super) left_special_keys: bool,
}

impl Member {
    pub(super) fn coin(&mut self, wallet: &str, coin: &str) -> &mut Decimal {
        self.wallets.entry(wallet.to_owned()).or_default().entry(coin.to_owned()).or_default()
    }

    /// All that a wallet holds of a coin.
    pub(super) fn held(&self, wallet: &str, coin: &str) -> Decimal {
        self.wallets.get(wallet).and_then(|coins| coins.get(coin)).copied().unwrap_or_default()
    }
}

/// What a key signs with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Secret {
    Hmac(String),
    Public(Box<PublicKey>),
}

impl Secret {
    /// The name in lists of special keys.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "HMAC_SHA256",
            Self::Public(key) if key.rsa_bits().is_some() => "RSA",
            Self::Public(_) => "Ed25519",
        }
    }
}

/// What a key is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Family {
    /// Made on the venue's site.
    Own,
    /// A sub-account's, made by its master.
    SubAccount,
    /// A low-latency key for margin, of one symbol if that is isolated.
    Margin { symbol: Option<String> },
}

/// A key of an account.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) member: usize,
    pub(super) name: String,
    pub(super) label: String,
    pub(super) secret: Secret,
    pub(super) family: Family,
    pub(super) permissions: Permissions,
    /// 1: every address, 2: those that are listed, 3: those of a third party.
    pub(super) status: i64,
    pub(super) ips: Vec<String>,
    pub(super) created: i64,
    pub(super) updated: i64,
}

impl Key {
    pub(super) fn is_restricted(&self) -> bool {
        !self.ips.is_empty() || self.status == 3
    }
}

/// All accounts and keys.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) all: Vec<Member>,
    pub(super) keys: Vec<Key>,
    next_uid: i64,
}

impl Members {
    pub(super) fn new(given: &[BinanceKey], now: i64) -> Self {
        let mut members = Self { all: Vec::new(), keys: Vec::new(), next_uid: 354_937_868 };
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for key in given {
            let name = key.account.as_deref().unwrap_or("main");
            let member = *names.entry(name).or_insert_with(|| members.add_account(name, now));
            members.keys.push(Key {
                member,
                name: key.api_key.clone(),
                label: "sandbox".to_owned(),
                secret: secret(key),
                family: Family::Own,
                permissions: Permissions::named(key.permissions.as_deref()),
                status: if key.ips.is_some() { 2 } else { 1 },
                ips: key.ips.clone().unwrap_or_default(),
                created: now,
                updated: now,
            });
        }
        members
    }

    /// An account with coins and one sub-account.
    fn add_account(&mut self, name: &str, now: i64) -> usize {
        let account = self.add(format!("{name}@example.com"), None, now);
        for (coin, amount) in COINS {
            *self.all[account].coin(SPOT, coin) = amount;
        }
        self.add(format!("{name}.sub_virtual@sandboxnoemail.com"), Some(account), now);
        account
    }

    pub(super) fn add(&mut self, email: String, master: Option<usize>, now: i64) -> usize {
        self.next_uid += 1;
        self.all.push(Member {
            email,
            uid: self.next_uid,
            master,
            created: now,
            wallets: BTreeMap::new(),
            updated: now,
            left_special_keys: false,
        });
        self.all.len() - 1
    }

    /// The key of that name, as an index.
    pub(super) fn key(&self, name: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.name == name)
    }

    /// The sub-account of a master with that email.
    pub(super) fn sub_account(&self, master: usize, email: &str) -> Option<usize> {
        self.all.iter().position(|member| member.master == Some(master) && member.email.eq_ignore_ascii_case(email))
    }

    pub(super) fn sub_accounts(&self, master: usize) -> impl Iterator<Item = &Member> {
        self.all.iter().filter(move |member| member.master == Some(master))
    }
}

fn secret(key: &BinanceKey) -> Secret {
    match key.public_key_pem.as_deref().and_then(PublicKey::from_pem) {
        Some(public) => Secret::Public(Box::new(public)),
        None => Secret::Hmac(key.api_secret.clone().unwrap_or_default()),
    }
}
