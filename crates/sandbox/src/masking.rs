//! Keeps secrets out of what people see: by their names, and by their values where those are known.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::accounts::Accounts;

/// What is shown in place of a secret.
pub(crate) const HIDDEN: &str = "[hidden]";
/// Shorter values are no secrets, and would hide what they happen to be part of.
const SHORTEST: usize = 6;
/// The most values that are remembered, in addition to those of the accounts.
const MOST_VALUES: usize = 10_000;

/// Parts of the names of members, headers and parameters that hold secrets.
const SECRET_NAMES: [&str; 8] =
    ["secret", "password", "passphrase", "token", "privatekey", "totp", "2fa", "accesskeysecret"];
/// Names that look like those of secrets and are none.
const PUBLIC_NAMES: [&str; 8] = [
    "tokentype",
    "secretkeyhint",
    "invalidatetoken",
    "tokenid",
    "tokens",
    "securitykeyenabled",
    "tokenaddress",
    "tokensymbol",
];

/// The secrets of one sandbox. A copy is a handle on the same ones.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<BTreeSet<String>>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    pub(crate) fn new(accounts: &Accounts) -> Self {
        let secrets = Self::default();
        let all = serde_json::to_value(accounts).unwrap_or_default();
        secrets.learn(&all);
        secrets
    }

    /// The same secrets, to which more can be added without changing these.
    pub(crate) fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    /// Remembers the secrets of a document by the names of their members.
    pub(crate) fn learn(&self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(text) if is_secret(name) => self.add(text),
                        other => self.learn(other),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            _ => {}
        }
    }

    /// Remembers one secret.
    pub(crate) fn add(&self, text: &str) {
        let mut known = self.lock();
        if text.len() >= SHORTEST && known.len() < MOST_VALUES {
            known.insert(text.to_owned());
            // Bodies are masked in their JSON form, where the line ends of a PEM text are `\n`.
            let written = Value::from(text).to_string();
            known.insert(written[1..written.len() - 1].to_owned());
        }
    }

    /// A text without the secrets that are known.
    pub(crate) fn mask(&self, text: &str) -> String {
        let known = self.lock();
        // A longer one first: a shorter one may be part of it.
        let mut found: Vec<&String> = known.iter().filter(|secret| text.contains(secret.as_str())).collect();
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        found.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
    }

    /// A document without secrets: neither under their names nor anywhere else.
    pub(crate) fn mask_json(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match member {
                        Value::String(text) if is_secret(name) && !text.is_empty() => *text = HIDDEN.to_owned(),
                        other => self.mask_json(other),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_json(item)),
            Value::String(text) => *text = self.mask(text),
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a member, a header or a parameter of that name holds a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    // A token is a secret where somebody logs in with it, and an asset elsewhere.
    let is_token = plain == "token" || plain.ends_with("authtoken");
    is_token || !PUBLIC_NAMES.contains(&plain.as_str()) && SECRET_NAMES.iter().any(|part| plain.contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_hidden_as_json_writes_it() {
        let secrets = Secrets::default();
        let body = json!({ "private_key": "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n" });
        secrets.learn(&body);
        let shown = secrets.mask(&body.to_string());
        assert_eq!(shown, format!(r#"{{"private_key":"{HIDDEN}"}}"#));
    }

    #[test]
    fn secrets_are_found_by_name_and_by_value() {
        let secrets = Secrets::default();
        secrets.learn(&json!({"keys": [{"publicKey": "pk_live_1", "secretKey": "sk_live_1"}]}));
        let mut shown = json!({
            "secretKey": "sk_live_2", "text": "1.POST./v1.sk_live_1", "publicKey": "pk_live_1",
            "secretKeyHint": "sk_live_...e_1", "private_key": "-----BEGIN", "token_type": "bearer",
        });
        secrets.mask_json(&mut shown);
        let expected = json!({
            "secretKey": HIDDEN, "text": format!("1.POST./v1.{HIDDEN}"), "publicKey": "pk_live_1",
            "secretKeyHint": "sk_live_...e_1", "private_key": HIDDEN, "token_type": "bearer",
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for name in [
            "client_secret",
            "X-API-Secret",
            "secretKey",
            "x-auth-token",
            "password",
            "private_key_pem",
            "token",
            "refresh_token",
            "X-2FA-Token",
            "totp_code",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["publicKey", "x-api-key", "token_type", "KALSHI-ACCESS-KEY", "signature", "nonce", "ticker"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
