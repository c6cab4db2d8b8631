//! Explains who called, and what is wrong with a session, a key or a signature.

use sha2::{Digest, Sha256};

use super::auth::WINDOW_SECONDS;
use super::{Account, Bayse};
use crate::message::Request;
use crate::signature::{
    Algorithm, ClockWindow, Encoding, Evidence, Inspection, Part, Signed, SigningKey, SigningText,
    body_hash_alternatives, method, path, seconds,
};
use crate::spec;

impl Bayse {
    /// What the headers of a request say about its sender. `now` is when it arrived.
    pub(crate) fn inspect(&self, request: &Request, now: i64) -> Evidence {
        let Ok(operation) = spec::BAYSE.find(&request.method, &request.path) else { return Inspection::none().into() };
        let state = self.state();
        if operation.may_carry("x-auth-token") {
            return session(&state.accounts, request).into();
        }
        let header = |name: &str| request.header(name).filter(|value| !value.is_empty());
        let Some(public_key) = header("x-public-key") else {
            let is_open = !operation.needs_credentials();
            let none = Inspection::none();
            let none = if is_open { none } else { none.with("header", "the header X-Public-Key is missing") };
            return none.into();
        };
        let inspection = Inspection::of(public_key);
        let secrets = state.accounts.iter().flat_map(|account| &account.keys);
        let secrets: Vec<(&str, &str)> = secrets.map(|key| (key.public.as_str(), key.secret.as_str())).collect();
        let Some((_, secret)) = secrets.iter().find(|(public, _)| *public == public_key) else {
            let why = "no key has this public key: it was never created here, or it was revoked";
            return inspection.with("key", why).into();
        };
        if !operation.may_carry("x-signature") {
            return inspection.into();
        }
        let missing = ["X-Timestamp", "X-Signature"].into_iter().filter(|name| header(name).is_none());
        let inspection =
            missing.fold(inspection, |all, name| all.with("header", format!("the header {name} is missing")));
        let (Some(timestamp), Some(signature)) = (header("x-timestamp"), header("x-signature")) else {
            return inspection.into();
        };
        let inspection = clock(inspection, timestamp, now);
        let signed = signed(request, (public_key, secret), &secrets, (timestamp, signature));
        Evidence::signed(inspection, signed)
    }
}

fn session(accounts: &[Account], request: &Request) -> Inspection {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let (token, device) = (header("x-auth-token"), header("x-device-id"));
    if token.is_empty() || device.is_empty() {
        let names =
            [("X-Auth-Token", token), ("X-Device-Id", device)].into_iter().filter(|(_, value)| value.is_empty());
        return names
            .fold(Inspection::none(), |all, (name, _)| all.with("header", format!("the header {name} is missing")));
    }
    match accounts.iter().find(|account| account.is_logged_in(token, None)) {
        None => Inspection::of(format!("session on {device}")).with("token", "no session has this token"),
        Some(account) if account.is_logged_in(token, Some(device)) => Inspection::of(account.email.clone()),
        Some(account) => {
            let message = "the session belongs to another device: send the X-Device-Id that the login returned";
            Inspection::of(account.email.clone()).with("device", message)
        }
    }
}

fn clock(inspection: Inspection, timestamp: &str, now: i64) -> Inspection {
    let Ok(sent) = timestamp.parse::<i64>() else {
        return inspection.with("timestamp", "the timestamp is not a number: send Unix seconds");
    };
    let ages = -WINDOW_SECONDS..=WINDOW_SECONDS;
    inspection.with_clock(sent, &ClockWindow { is_millis: false, ages, seconds: WINDOW_SECONDS }, now)
}

fn signed(
    request: &Request,
    (public_key, secret): (&str, &str),
    secrets: &[(&str, &str)],
    (timestamp, signature): (&str, &str),
) -> Signed {
    let body = &request.body;
    let hash = if body.is_empty() { String::new() } else { hex::encode(Sha256::digest(body)) };
    let hash = body_hash_alternatives(body)
        .into_iter()
        .fold(Part::new("body hash", hash), |part, (value, message)| part.or(value, message));
    let others = secrets.iter().filter(|(public, _)| *public != public_key);
    let others = others.map(|(public, secret)| (format!("the secret of {public}"), SigningKey::secret(secret)));
    let public = ("the public key".to_owned(), SigningKey::secret(public_key));
    Signed {
        text: SigningText::new(".", "")
            .part(seconds(timestamp))
            .part(method(request))
            .part(path(request, "/v1", false))
            .part(hash),
        algorithm: Algorithm::HmacSha256,
        encoding: Encoding::Base64,
        signature: signature.to_owned(),
        key: SigningKey::secret(secret),
        other_keys: others.chain([public]).collect(),
    }
}
