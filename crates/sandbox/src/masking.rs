//! Keeps secrets out of what people see: by their names, and by their values where those are known.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::accounts::Accounts;
use crate::named_values::{self, NamedValue, Reading};

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
                    if is_secret(name) {
                        self.learn_all(member);
                    } else {
                        self.learn(member);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            _ => {}
        }
    }

    /// Remembers every text and number of a value.
    fn learn_all(&self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Number(number) => self.add(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.learn_all(item)),
            Value::Object(members) => members.values().for_each(|member| self.learn_all(member)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Remembers the secrets of a text that is not JSON.
    pub(crate) fn learn_text(&self, text: &str) {
        for value in named_values::find(text, Reading::Lenient).into_iter().filter(|value| !value.is_bare) {
            let value = &text[value.range];
            self.add(value);
            // In a form it is encoded.
            let decoded = url::form_urlencoded::parse(value.as_bytes()).next();
            decoded.iter().for_each(|(decoded, _)| self.add(decoded));
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

    /// A text without the secrets that are known, nor what stands under their names.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.mask_read(text, Reading::Strict)
    }

    /// The same for a text that is nearly JSON.
    pub(crate) fn mask_lenient(&self, text: &str) -> String {
        self.mask_read(text, Reading::Lenient)
    }

    fn mask_read(&self, text: &str, reading: Reading) -> String {
        let known = self.lock();
        // A longer one first: a shorter one may be part of it.
        let mut found: Vec<&String> = known.iter().filter(|secret| text.contains(secret.as_str())).collect();
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let text = found.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN));
        hide_named(&text, reading)
    }

    /// A document without secrets: neither under their names nor anywhere else.
    pub(crate) fn mask_json(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    if is_secret(name) && says_something(member) {
                        *member = HIDDEN.into();
                    } else {
                        self.mask_json(member);
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

/// Whether a value under the name of a secret may be one.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(_) => true,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// A text without what stands under the names of secrets.
fn hide_named(text: &str, reading: Reading) -> String {
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for NamedValue { range, is_bare } in named_values::find(text, reading) {
        shown.push_str(&text[at..range.start]);
        // JSON stays JSON.
        shown.push_str(&if is_bare { format!("\"{HIDDEN}\"") } else { HIDDEN.to_owned() });
        at = range.end;
    }
    shown.push_str(&text[at..]);
    shown
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
