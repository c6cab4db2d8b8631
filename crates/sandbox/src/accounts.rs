//! The accounts a sandbox starts with. Also the shape of `--accounts FILE` and of the line printed at start.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who may call. What a file leaves out is made up and printed.
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
