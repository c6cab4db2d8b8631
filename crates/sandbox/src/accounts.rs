//! The accounts a sandbox starts with. Also the shape of `--accounts FILE` and of the line printed at start.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Who may call. What a file leaves out is generated and printed.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// Kalshi keys. Several may belong to one account.
    pub kalshi: Vec<KalshiKey>,
    /// Bayse accounts.
    pub bayse: Vec<BayseAccount>,
    /// Yativo keys: one account each.
    pub yativo: Vec<YativoAccount>,
    /// Deribit keys: one account each.
    pub deribit: Vec<DeribitKey>,
    /// Bybit keys. Several may belong to one account.
    pub bybit: Vec<BybitKey>,
    /// Binance keys. Several may belong to one account.
    pub binance: Vec<BinanceKey>,
}

/// Credentials of an account, as clients read them from variables.
#[derive(Clone)]
#[non_exhaustive]
pub struct Exported {
    /// The folder of the venue's spec.
    pub venue: &'static str,
    /// The word that the spec has for such variables: `key`, `private-key`, `login` or `session`.
    pub kind: &'static str,
    /// The half that may be shown: the name of a key, of a login or of a device.
    pub id: String,
    /// The secret half.
    pub secret: String,
}

impl Accounts {
    /// The first account of each venue, as the credentials that clients read from variables.
    pub fn exported(&self) -> Vec<Exported> {
        // By name, so that the compiler finds what the accounts of a new venue need.
        let Self { kalshi, bayse, yativo, deribit, bybit, binance } = self;
        let mut all = Vec::new();
        let mut add = |venue, kind, id: &str, secret: &str| {
            all.push(Exported { venue, kind, id: id.to_owned(), secret: secret.to_owned() });
        };
        if let Some(account) = bayse.first() {
            add("bayse", "key", &account.public_key, &account.secret_key);
            add("bayse", "login", &account.email, &account.password);
            add("bayse", "session", &account.device_id, &account.auth_token);
        }
        if let Some((key, secret)) = binance.iter().find_map(|key| Some((key, key.api_secret.as_deref()?))) {
            add("binance", "key", &key.api_key, secret);
        }
        if let Some((key, secret)) = bybit.iter().find_map(|key| Some((key, key.api_secret.as_deref()?))) {
            add("bybit", "key", &key.api_key, secret);
        }
        if let Some((key, secret)) = deribit.iter().find_map(|key| Some((key, key.client_secret.as_deref()?))) {
            add("deribit", "key", &key.client_id, secret);
        }
        if let Some((key, pem)) = kalshi.iter().find_map(|key| Some((key, key.private_key_pem.as_deref()?))) {
            add("kalshi", "private-key", &key.key_id, pem);
        }
        if let Some(account) = yativo.first() {
            add("yativo", "key", &account.api_key, &account.api_secret);
        }
        all
    }
}

/// A Kalshi key. `scopes` left out means full access.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct KalshiKey {
    /// What the `KALSHI-ACCESS-KEY` header carries.
    pub key_id: String,
    /// SPKI PEM, RSA or Ed25519. Left out, it is derived from the private half.
    pub public_key_pem: String,
    /// The private half. The sandbox does not need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key_pem: Option<String>,
    /// The account that the key belongs to. Keys with the same name, and those without one, share orders, positions and money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What the key may do, such as `read` and `write::trade`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// A Bayse account: its login, its session and its first API key.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BayseAccount {
    /// Login name.
    pub email: String,
    /// Login password.
    pub password: String,
    /// A session that is already open: its `x-auth-token`.
    pub auth_token: String,
    /// The `x-device-id` of that session.
    pub device_id: String,
    /// What `X-Public-Key` carries.
    pub public_key: String,
    /// What signs writes.
    pub secret_key: String,
}

/// A Yativo account. With a `totp_code`, key management and transfers ask for it.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct YativoAccount {
    /// The public half of the first key.
    pub api_key: String,
    /// The secret half of the first key.
    pub api_secret: String,
    /// A bearer token that is valid from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// The one second-factor code that is taken. Left out, the account has no second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp_code: Option<String>,
}

/// A Deribit key: a client secret, or the public half of a key pair. With a `totp_code`, the account has a security key.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeribitKey {
    /// The key's public name.
    pub client_id: String,
    /// The secret of a key without a key pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// SPKI PEM, RSA or Ed25519. Left out, it is derived from the private half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key_pem: Option<String>,
    /// The private half. The sandbox does not need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key_pem: Option<String>,
    /// The one security-key code that is taken. Left out, the account has no security key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp_code: Option<String>,
}

/// A Bybit key of a main account: a secret, or the public half of an RSA key pair.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BybitKey {
    /// What the `X-BAPI-API-KEY` header carries.
    pub api_key: String,
    /// The secret of a key that signs by HMAC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_secret: Option<String>,
    /// SPKI PEM, RSA. Left out, it is derived from the private half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key_pem: Option<String>,
    /// The private half. The sandbox does not need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key_pem: Option<String>,
    /// The account that the key belongs to. Keys with the same name, and those without one, share orders, positions and coins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What the key may do, by product, such as `Spot` with `SpotTrade`. Left out, everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<BTreeMap<String, Vec<String>>>,
    /// Whether the key may only read.
    #[serde(skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// The addresses that it is bound to. Left out, it is unbound, and ends after 90 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ips: Option<Vec<String>>,
}

/// A Binance key of a main account: a secret, or the public half of an RSA or Ed25519 key pair.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinanceKey {
    /// What the `X-MBX-APIKEY` header carries.
    pub api_key: String,
    /// The secret of a key that signs by HMAC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_secret: Option<String>,
    /// SPKI PEM, RSA or Ed25519. Left out, it is derived from the private half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key_pem: Option<String>,
    /// The private half. The sandbox does not need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key_pem: Option<String>,
    /// The account that the key belongs to. Keys with the same name, and those without one, share orders and coins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What the key may do beside reading, such as `enableSpotAndMarginTrading`, as the venue's `apiRestrictions` names it. Left out,
    /// everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// The addresses that it is bound to. Left out, it is unbound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ips: Option<Vec<String>>,
}

fn is_false(value: &bool) -> bool {
    !value
}

// Only what is public is shown: these values end up in assertion messages.
macro_rules! show_only {
    ($type:ty, $name:literal, $field:ident) => {
        impl fmt::Debug for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct($name).field(stringify!($field), &self.$field).finish_non_exhaustive()
            }
        }
    };
}

show_only!(KalshiKey, "KalshiKey", key_id);
show_only!(BayseAccount, "BayseAccount", email);
show_only!(YativoAccount, "YativoAccount", api_key);
show_only!(DeribitKey, "DeribitKey", client_id);
show_only!(BybitKey, "BybitKey", api_key);
show_only!(BinanceKey, "BinanceKey", api_key);
show_only!(Exported, "Exported", id);
