//! What the venue remembers.

use std::collections::HashMap;

use bytes::Bytes;
use rust_decimal_macros::dec;

use super::accounts::{Account, Asset};
use super::keys::{ALL_SCOPES, Key};
use super::transfers::{Transaction, Transfer};
use super::webhooks::Webhook;
use crate::accounts::YativoAccount;
use crate::clock::Clock;

const MINUTE_MILLIS: i64 = 60_000;

/// Requests a minute that a key is reported to have. The count is kept and shown, not enforced.
pub(super) const REQUESTS_PER_MINUTE: u32 = 60;

/// Everything of one customer.
#[derive(Default)]
pub(super) struct Owner {
    pub(super) session_token: Option<String>,
    pub(super) totp_code: Option<String>,
    pub(super) keys: Vec<Key>,
    pub(super) accounts: Vec<Account>,
    pub(super) assets: Vec<Asset>,
    pub(super) transactions: Vec<Transaction>,
    pub(super) transfers: HashMap<String, StoredTransfer>,
    pub(super) webhooks: Vec<Webhook>,
    window: Window,
}

/// A transfer and its response, by idempotency key.
pub(super) struct StoredTransfer {
    pub(super) transfer: Transfer,
    pub(super) transaction_id: String,
    pub(super) answer: Bytes,
    pub(super) until: i64,
}

#[derive(Default)]
struct Window {
    minute: i64,
    count: u32,
}

/// A bearer token that a key and its secret were exchanged for.
pub(super) struct Token {
    pub(super) value: String,
    pub(super) owner: usize,
    pub(super) key_id: String,
    pub(super) until: i64,
}

pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) owners: Vec<Owner>,
    pub(super) tokens: Vec<Token>,
}

impl State {
    pub(super) fn new(accounts: &[YativoAccount], clock: Clock) -> Self {
        let now = clock.millis();
        let owners = accounts.iter().map(|account| Owner::new(account, now)).collect();
        Self { clock, owners, tokens: Vec::new() }
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.millis()
    }

    /// Counts a request: how many are left in this minute, and the Unix second at which the next one begins.
    pub(super) fn count_request(&mut self, owner: usize) -> (u32, i64) {
        let minute = self.now().div_euclid(MINUTE_MILLIS);
        let window = &mut self.owners[owner].window;
        if window.minute != minute {
            *window = Window { minute, count: 0 };
        }
        window.count = window.count.saturating_add(1);
        (REQUESTS_PER_MINUTE.saturating_sub(window.count), (minute + 1) * MINUTE_MILLIS / 1000)
    }
}

impl Owner {
    fn new(account: &YativoAccount, now: i64) -> Self {
        let key = Key {
            id: object_id("key_"),
            api_key: account.api_key.clone(),
            api_secret: account.api_secret.clone(),
            name: "First key".to_owned(),
            scopes: ALL_SCOPES.map(str::to_owned).to_vec(),
            allowed_ips: Vec::new(),
            created_at: now,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        let wallets = Account::new("Main", "business", now);
        let assets = vec![
            Asset::new(&wallets.id, "USDC_SOL", "solana", dec!(1000)),
            Asset::new(&wallets.id, "USDC_XDC", "xdc", dec!(250.5)),
            Asset::new(&wallets.id, "SOL", "solana", dec!(12.25)),
        ];
        Self {
            session_token: account.access_token.clone(),
            totp_code: account.totp_code.clone(),
            keys: vec![key],
            accounts: vec![wallets],
            assets,
            ..Self::default()
        }
    }
}

/// A fresh identifier: a prefix and 24 hexadecimal digits.
pub(super) fn object_id(prefix: &str) -> String {
    format!("{prefix}{}", random_hex::<12>())
}

pub(super) fn random_hex<const BYTES: usize>() -> String {
    hex::encode(rand::random::<[u8; BYTES]>())
}

/// A time as the venue writes it: UTC with milliseconds.
pub(super) fn iso(millis: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}
