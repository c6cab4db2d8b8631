//! The test accounts that "try it" calls with. Requests are signed here, so that no secret reaches the page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::accounts::{Accounts, BayseAccount, BinanceKey, BybitKey, DeribitKey, KalshiKey, YativoAccount};
use crate::make::{random_text, sign_pss};
use crate::spec::Operation;
use crate::venues::Venue;

/// A test account, by its index among those of its venue.
#[derive(Debug, Serialize)]
pub(super) struct Name {
    index: usize,
    name: String,
}

/// A request that is to be signed.
pub(super) struct Unsigned<'a> {
    pub(super) operation: &'a Operation,
    pub(super) method: &'a str,
    /// Without the query.
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) body: &'a [u8],
    /// Milliseconds since the Unix epoch.
    pub(super) now: i64,
}

/// Headers that carry credentials.
type Headers = Vec<(&'static str, String)>;

/// What a request carries once it is signed.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    pub(super) headers: Headers,
    /// Goes last in the form of a request, or in its query where it has no form. Empty for venues that sign in headers.
    pub(super) parameters: String,
}

impl From<Headers> for Credentials {
    fn from(headers: Headers) -> Self {
        Self { headers, ..Self::default() }
    }
}

/// The accounts of a venue that can call.
pub(super) fn names(accounts: &Accounts, venue: &str) -> Vec<Name> {
    let named = |names: Vec<Option<String>>| {
        let all = names.into_iter().enumerate();
        all.filter_map(|(index, name)| Some(Name { index, name: name? })).collect()
    };
    // Without `_`, so that the compiler finds what a new venue needs.
    let Some(venue) = Venue::named(venue) else { return Vec::new() };
    match venue {
        Venue::Bayse => named(accounts.bayse.iter().map(|account| Some(account.email.clone())).collect()),
        Venue::Binance => {
            let name = |key: &BinanceKey| key.api_secret.is_some().then(|| key.api_key.clone());
            named(accounts.binance.iter().map(name).collect())
        }
        Venue::Bybit => {
            let name = |key: &BybitKey| key.api_secret.is_some().then(|| key.api_key.clone());
            named(accounts.bybit.iter().map(name).collect())
        }
        Venue::Kalshi | Venue::KalshiPerps => {
            let name = |key: &KalshiKey| {
                let account = key.account.as_deref().unwrap_or("sandbox");
                key.private_key_pem.is_some().then(|| format!("{account}: {}", key.key_id))
            };
            named(accounts.kalshi.iter().map(name).collect())
        }
        Venue::Yativo => named(accounts.yativo.iter().map(|account| Some(account.api_key.clone())).collect()),
        Venue::Deribit => {
            let name = |key: &DeribitKey| key.client_secret.is_some().then(|| key.client_id.clone());
            named(accounts.deribit.iter().map(name).collect())
        }
    }
}

/// The credentials of a request of an account. None where there is no such account.
pub(super) fn sign(accounts: &Accounts, venue: &str, index: usize, request: &Unsigned<'_>) -> Option<Credentials> {
    let headers = match Venue::named(venue)? {
        Venue::Binance => return binance(accounts.binance.get(index)?, request),
        Venue::Bayse => Some(bayse(accounts.bayse.get(index)?, request)),
        Venue::Bybit => bybit(accounts.bybit.get(index)?, request),
        Venue::Kalshi | Venue::KalshiPerps => kalshi(accounts.kalshi.get(index)?, request),
        Venue::Yativo => Some(yativo(accounts.yativo.get(index)?, request)),
        Venue::Deribit => deribit(accounts.deribit.get(index)?, request),
    };
    headers.map(Credentials::from)
}

fn hmac(secret: &str, text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn bayse(account: &BayseAccount, request: &Unsigned<'_>) -> Headers {
    let operation = request.operation;
    if operation.may_carry("x-auth-token") {
        return vec![("x-auth-token", account.auth_token.clone()), ("x-device-id", account.device_id.clone())];
    }
    let key = ("x-public-key", account.public_key.clone());
    if !operation.may_carry("x-signature") {
        return vec![key];
    }
    let timestamp = request.now / 1000;
    let hash = if request.body.is_empty() { String::new() } else { hex::encode(Sha256::digest(request.body)) };
    let text = format!("{timestamp}.{}.{}.{hash}", request.method, request.path);
    let signature = STANDARD.encode(hmac(&account.secret_key, text.as_bytes()));
    vec![key, ("x-timestamp", timestamp.to_string()), ("x-signature", signature)]
}

fn binance(key: &BinanceKey, request: &Unsigned<'_>) -> Option<Credentials> {
    let headers = vec![("x-mbx-apikey", key.api_key.clone())];
    if !request.operation.needs("signature") {
        return Some(headers.into());
    }
    let query = request.query.unwrap_or_default().as_bytes();
    let last = if request.operation.form { request.body } else { query };
    let separator = if last.is_empty() { "" } else { "&" };
    let timestamp = format!("timestamp={}", request.now);
    // The form is signed after the query, with nothing between.
    let text = [query, request.body, separator.as_bytes(), timestamp.as_bytes()].concat();
    let signature = hex::encode(hmac(key.api_secret.as_deref()?, &text));
    Some(Credentials { headers, parameters: format!("{timestamp}&signature={signature}") })
}

fn bybit(key: &BybitKey, request: &Unsigned<'_>) -> Option<Headers> {
    let (timestamp, window) = (request.now, "5000");
    let payload = if request.method == "GET" { request.query.unwrap_or_default().as_bytes() } else { request.body };
    let text = [format!("{timestamp}{}{window}", key.api_key).as_bytes(), payload].concat();
    Some(vec![
        ("x-bapi-api-key", key.api_key.clone()),
        ("x-bapi-timestamp", timestamp.to_string()),
        ("x-bapi-recv-window", window.to_owned()),
        ("x-bapi-sign", hex::encode(hmac(key.api_secret.as_deref()?, &text))),
    ])
}

fn kalshi(key: &KalshiKey, request: &Unsigned<'_>) -> Option<Headers> {
    let timestamp = request.now;
    let text = format!("{timestamp}{}{}", request.method, request.path);
    let signature = sign_pss(key.private_key_pem.as_deref()?, text.as_bytes())?;
    Some(vec![
        ("kalshi-access-key", key.key_id.clone()),
        ("kalshi-access-timestamp", timestamp.to_string()),
        ("kalshi-access-signature", STANDARD.encode(signature)),
    ])
}

fn yativo(account: &YativoAccount, request: &Unsigned<'_>) -> Headers {
    let mut headers = match &account.access_token {
        Some(token) => vec![("authorization", format!("Bearer {token}"))],
        None => vec![("x-api-key", account.api_key.clone()), ("x-api-secret", account.api_secret.clone())],
    };
    if let Some(code) = account.totp_code.as_ref().filter(|_| request.operation.may_carry("x-2fa-token")) {
        headers.push(("x-2fa-token", code.clone()));
    }
    headers
}

fn deribit(key: &DeribitKey, request: &Unsigned<'_>) -> Option<Headers> {
    let secret = key.client_secret.as_deref()?;
    let (timestamp, nonce) = (request.now, random_text(12));
    let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
    let head = format!("{timestamp}\n{nonce}\n{}\n{}{query}\n", request.method, request.path);
    let signature = hex::encode(hmac(secret, &[head.as_bytes(), request.body, b"\n"].concat()));
    let value = format!("deri-hmac-sha256 id={},ts={timestamp},nonce={nonce},sig={signature}", key.client_id);
    Some(vec![("authorization", value)])
}
