//! Generates what accounts leave out, and refuses accounts that contradict themselves.

use std::collections::BTreeSet;
use std::fmt;

use rand::RngExt;

use crate::accounts::{Accounts, BayseAccount, BinanceKey, BybitKey, DeribitKey, KalshiKey, YativoAccount};
use crate::binance::are_permissions;
use crate::make::{ed25519_key_pair, pkcs8_pem_of, public_pem_of, random_text, shared_rsa_key_pair, uuid};
use crate::verify::PublicKey;

/// Why accounts cannot be used: names the field, never its value.
#[derive(Debug)]
pub struct AccountError {
    at: String,
    reason: &'static str,
}

impl AccountError {
    fn new(at: impl Into<String>, reason: &'static str) -> Self {
        Self { at: at.into(), reason }
    }
}

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.at, self.reason)
    }
}

impl std::error::Error for AccountError {}

impl Accounts {
    /// The same accounts with everything generated that was left out.
    ///
    /// # Errors
    /// A PEM cannot be read, the halves of a key pair do not belong together, scopes contradict each other, or a name
    /// that must be unique occurs twice.
    pub fn complete(mut self) -> Result<Self, AccountError> {
        // By name, so that the compiler finds what the accounts of a new venue need.
        let Self { kalshi, bayse, yativo, deribit, bybit, binance } = &mut self;
        if kalshi.is_empty() {
            let rsa = shared_rsa_key_pair().clone();
            *kalshi = vec![
                KalshiKey { private_key_pem: Some(rsa.private_pem), ..KalshiKey::default() },
                KalshiKey::default(),
                // Of another account, so that two can trade with each other.
                KalshiKey { account: Some("counterparty".to_owned()), ..KalshiKey::default() },
            ];
        }
        if deribit.is_empty() {
            let pair = ed25519_key_pair();
            *deribit = vec![
                DeribitKey::default(),
                DeribitKey { private_key_pem: Some(pair.private_pem), ..DeribitKey::default() },
            ];
        }
        if bybit.is_empty() {
            let rsa = shared_rsa_key_pair().clone();
            *bybit = vec![
                BybitKey::default(),
                // Not every client of the venue reads PKCS#1.
                BybitKey { private_key_pem: pkcs8_pem_of(&rsa.private_pem), ..BybitKey::default() },
                // Of another account, so that two can trade with each other.
                BybitKey { account: Some("counterparty1".to_owned()), ..BybitKey::default() },
            ];
        }
        if binance.is_empty() {
            let rsa = shared_rsa_key_pair().clone();
            *binance = vec![
                BinanceKey::default(),
                BinanceKey { private_key_pem: Some(ed25519_key_pair().private_pem), ..BinanceKey::default() },
                // Not every client of the venue reads PKCS#1.
                BinanceKey { private_key_pem: pkcs8_pem_of(&rsa.private_pem), ..BinanceKey::default() },
                // Of another account, so that two can trade with each other.
                BinanceKey { account: Some("counterparty".to_owned()), ..BinanceKey::default() },
            ];
        }
        if bayse.is_empty() {
            bayse.push(BayseAccount::default());
        }
        if yativo.is_empty() {
            yativo.push(YativoAccount::default());
        }
        for (index, key) in kalshi.iter_mut().enumerate() {
            complete_kalshi(key, &format!("kalshi[{index}]"))?;
        }
        for (index, account) in bayse.iter_mut().enumerate() {
            complete_bayse(account, index);
        }
        for account in yativo.iter_mut() {
            complete_yativo(account);
        }
        for (index, key) in deribit.iter_mut().enumerate() {
            complete_deribit(key, &format!("deribit[{index}]"))?;
        }
        for (index, key) in bybit.iter_mut().enumerate() {
            complete_bybit(key, &format!("bybit[{index}]"))?;
        }
        for (index, key) in binance.iter_mut().enumerate() {
            complete_binance(key, &format!("binance[{index}]"))?;
        }
        unique("binance", "api_key", binance.iter().map(|key| &key.api_key))?;
        unique("kalshi", "key_id", kalshi.iter().map(|key| &key.key_id))?;
        unique("bayse", "email", bayse.iter().map(|account| &account.email))?;
        unique("bayse", "auth_token", bayse.iter().map(|account| &account.auth_token))?;
        unique("bayse", "public_key", bayse.iter().map(|account| &account.public_key))?;
        unique("yativo", "api_key", yativo.iter().map(|account| &account.api_key))?;
        unique("deribit", "client_id", deribit.iter().map(|key| &key.client_id))?;
        unique("bybit", "api_key", bybit.iter().map(|key| &key.api_key))?;
        Ok(self)
    }
}

fn complete_kalshi(key: &mut KalshiKey, at: &str) -> Result<(), AccountError> {
    fill(&mut key.key_id, uuid);
    let mut public = Some(std::mem::take(&mut key.public_key_pem)).filter(|pem| !pem.is_empty());
    if public.is_none() && key.private_key_pem.is_none() {
        key.private_key_pem = Some(ed25519_key_pair().private_pem);
    }
    complete_public(&mut public, key.private_key_pem.as_deref(), at)?;
    key.public_key_pem = public.unwrap_or_default();
    if let Some(scopes) = &key.scopes {
        let has = |scope: &str| scopes.iter().any(|one| one == scope);
        if scopes.is_empty() || has("write") && !has("read") {
            return Err(AccountError::new(
                format!("{at}.scopes"),
                "needs at least one scope, and `read` beside `write`",
            ));
        }
    }
    Ok(())
}

fn complete_bayse(account: &mut BayseAccount, index: usize) {
    fill(&mut account.email, || format!("trader{}@example.com", index + 1));
    fill(&mut account.password, || random_text(20));
    fill(&mut account.auth_token, || random_text(43));
    fill(&mut account.device_id, || format!("d_{}", random_text(12)));
    fill(&mut account.public_key, || format!("pk_live_{}", random_text(24)));
    fill(&mut account.secret_key, || format!("sk_live_{}", random_text(32)));
}

fn complete_yativo(account: &mut YativoAccount) {
    fill(&mut account.api_key, || format!("yativo_{}", random_hex::<24>()));
    fill(&mut account.api_secret, random_hex::<32>);
    account.access_token.get_or_insert_with(|| random_text(64));
}

fn complete_deribit(key: &mut DeribitKey, at: &str) -> Result<(), AccountError> {
    fill(&mut key.client_id, || random_text(8));
    if key.public_key_pem.is_none() && key.private_key_pem.is_none() {
        key.client_secret.get_or_insert_with(|| random_text(43));
        return Ok(());
    }
    complete_public(&mut key.public_key_pem, key.private_key_pem.as_deref(), at)
}

fn complete_bybit(key: &mut BybitKey, at: &str) -> Result<(), AccountError> {
    fill(&mut key.api_key, || random_text(18));
    if key.public_key_pem.is_none() && key.private_key_pem.is_none() {
        key.api_secret.get_or_insert_with(|| random_text(36));
        return Ok(());
    }
    complete_public(&mut key.public_key_pem, key.private_key_pem.as_deref(), at)?;
    let public = key.public_key_pem.as_deref().and_then(PublicKey::from_pem);
    if public.is_some_and(|public| public.rsa_bits().is_some()) {
        Ok(())
    } else {
        Err(AccountError::new(format!("{at}.public_key_pem"), "must be an RSA key: the venue has no other pairs"))
    }
}

fn complete_binance(key: &mut BinanceKey, at: &str) -> Result<(), AccountError> {
    fill(&mut key.api_key, || random_text(64));
    if key.permissions.as_ref().is_some_and(|names| !are_permissions(names)) {
        let reason = "knows the words of apiRestrictions, such as enableSpotAndMarginTrading";
        return Err(AccountError::new(format!("{at}.permissions"), reason));
    }
    if key.public_key_pem.is_none() && key.private_key_pem.is_none() {
        key.api_secret.get_or_insert_with(|| random_text(64));
        return Ok(());
    }
    complete_public(&mut key.public_key_pem, key.private_key_pem.as_deref(), at)
}

/// Derives or checks the public half.
fn complete_public(public: &mut Option<String>, private: Option<&str>, at: &str) -> Result<(), AccountError> {
    let derived = private
        .map(|pem| {
            public_pem_of(pem).ok_or_else(|| {
                let reason =
                    "is no private key this sandbox reads: PKCS#8 Ed25519, or PKCS#8 or PKCS#1 RSA, not encrypted";
                AccountError::new(format!("{at}.private_key_pem"), reason)
            })
        })
        .transpose()?;
    match (public.as_deref(), derived) {
        (None, derived) => *public = derived,
        (Some(given), derived) => {
            let Some(given) = PublicKey::from_pem(given) else {
                let reason = "is no public key in SPKI PEM (BEGIN PUBLIC KEY), RSA or Ed25519";
                return Err(AccountError::new(format!("{at}.public_key_pem"), reason));
            };
            if derived.is_some_and(|derived| PublicKey::from_pem(&derived) != Some(given)) {
                let reason = "does not belong to private_key_pem";
                return Err(AccountError::new(format!("{at}.public_key_pem"), reason));
            }
        }
    }
    Ok(())
}

fn fill(field: &mut String, make: impl FnOnce() -> String) {
    if field.is_empty() {
        *field = make();
    }
}

fn random_hex<const BYTES: usize>() -> String {
    hex::encode(rand::rng().random::<[u8; BYTES]>())
}

fn unique<'a>(list: &str, field: &str, values: impl Iterator<Item = &'a String>) -> Result<(), AccountError> {
    let mut seen = BTreeSet::new();
    for (index, value) in values.enumerate() {
        if !seen.insert(value) {
            return Err(AccountError::new(format!("{list}[{index}].{field}"), "occurs twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_left_out_is_generated() {
        let accounts = Accounts::default().complete().unwrap();
        let kinds: Vec<_> =
            accounts.kalshi.iter().map(|key| PublicKey::from_pem(&key.public_key_pem).unwrap().rsa_bits()).collect();
        assert_eq!(kinds, [Some(2048), None, None]);
        for key in &accounts.kalshi {
            let derived = public_pem_of(key.private_key_pem.as_deref().unwrap()).unwrap();
            assert_eq!(derived, key.public_key_pem);
        }
        assert!(accounts.deribit[0].client_secret.is_some() && accounts.deribit[0].public_key_pem.is_none());
        assert!(accounts.deribit[1].client_secret.is_none() && accounts.deribit[1].public_key_pem.is_some());
        assert!(accounts.yativo[0].totp_code.is_none(), "a second factor is never generated");
        let text = serde_json::to_string(&accounts).unwrap();
        assert!(
            serde_json::from_str::<Accounts>(&text).unwrap().complete().is_ok(),
            "what is printed can be read again"
        );
    }

    #[test]
    fn a_public_half_is_derived_and_checked() {
        let (one, other) = (ed25519_key_pair(), ed25519_key_pair());
        let key = |public: &str| KalshiKey {
            public_key_pem: public.to_owned(),
            private_key_pem: Some(one.private_pem.clone()),
            ..KalshiKey::default()
        };
        let complete = |key| Accounts { kalshi: vec![key], ..Accounts::default() }.complete();
        assert_eq!(complete(key("")).unwrap().kalshi[0].public_key_pem, one.public_pem);
        assert!(complete(key(&one.public_pem)).is_ok());
        let error = complete(key(&other.public_pem)).unwrap_err().to_string();
        assert_eq!(error, "kalshi[0].public_key_pem: does not belong to private_key_pem");
        assert!(complete(key(&one.private_pem)).is_err(), "a private key is no public key");
    }

    #[test]
    fn a_name_used_twice_is_refused() {
        let account = BayseAccount { email: "a@example.com".to_owned(), ..BayseAccount::default() };
        let accounts = Accounts { bayse: vec![account.clone(), account], ..Accounts::default() };
        assert_eq!(accounts.complete().unwrap_err().to_string(), "bayse[1].email: occurs twice");
    }

    #[test]
    fn nothing_secret_is_shown() {
        let accounts = Accounts::default().complete().unwrap();
        let shown = format!("{accounts:?}");
        for secret in [&accounts.bayse[0].secret_key, &accounts.bayse[0].password, &accounts.yativo[0].api_secret] {
            assert!(!shown.contains(secret.as_str()));
        }
        assert!(!shown.contains("PRIVATE"));
    }
}
