//! Explains who called, and what is wrong with a secret, a token or a signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Deribit;
use super::credentials::WINDOW_MILLIS;
use super::envelope;
use super::keys::{Key, Secret};
use super::params::Params;
use super::state::State;
use crate::message::Request;
use crate::signature::{
    Algorithm, ClockWindow, Encoding, Evidence, Inspection, Part, Signed, SigningKey, SigningText, body_alternatives,
    constant, method, milliseconds, path,
};

impl Deribit {
    /// What a request says about its sender. `now` is when it arrived.
    pub(crate) fn inspect(&self, request: &Request, now: i64) -> Evidence {
        let call = envelope::open(request).call.ok();
        let state = self.state();
        if let Some(call) = call.as_ref().filter(|call| call.method == "public/auth") {
            return login(&state, &call.params, now);
        }
        let Some(header) = request.header("authorization") else {
            let is_private = call.is_some_and(|call| call.method.starts_with("private/"));
            let missing = "the header Authorization is missing: log in with public/auth, or sign the request";
            let none = Inspection::none();
            return if is_private { none.with("header", missing).into() } else { none.into() };
        };
        let (scheme, value) = header.trim().split_once(' ').unwrap_or((header, ""));
        let value = value.trim();
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => bearer(&state, value, now).into(),
            "basic" => basic(&state, value).into(),
            "deri-hmac-sha256" => signed(&state, request, value, now),
            _ => {
                let why = "the scheme of Authorization is not bearer, basic or deri-hmac-sha256";
                Inspection::none().with("header", why).into()
            }
        }
    }

    /// The same for a message of a connection, whose credential is the login of the connection.
    pub(super) fn inspect_message(&self, connection: u64, request: &Request, now: i64) -> Evidence {
        let evidence = self.inspect(request, now);
        let inspection = evidence.inspection();
        if inspection.credential.is_some() {
            return evidence;
        }
        let state = self.state();
        let login = state.connections.get(&connection).and_then(|connection| connection.login.as_ref());
        let key = login.and_then(|login| state.key_of_token(&login.access_token));
        match key {
            Some((key, _)) => Inspection::of(key.client_id.clone()).into(),
            None if inspection.mistakes.is_empty() => evidence,
            None => {
                let why = "the connection is not logged in: call public/auth on it first";
                Inspection::none().with("login", why).into()
            }
        }
    }
}

fn bearer(state: &State, token: &str, now: i64) -> Inspection {
    match state.key_of_token(token) {
        None => {
            // Tokens of the venue begin with the client id.
            let id = token.rsplit_once('.').map_or("", |(id, _)| id);
            let known = state.keys.iter().any(|key| key.client_id == id);
            let inspection = if known { Inspection::of(id) } else { Inspection::none() };
            inspection.with("token", "no login has this access token: it was renewed, revoked or never issued")
        }
        Some((key, until)) if until <= now => {
            let ago = (now - until) / 1000;
            Inspection::of(key.client_id.clone())
                .with("token", format!("the access token expired {ago} s ago: renew it with the refresh token"))
        }
        Some((key, _)) => Inspection::of(key.client_id.clone()),
    }
}

fn basic(state: &State, value: &str) -> Inspection {
    let decoded = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some((id, secret)) = decoded.as_deref().and_then(|text| text.split_once(':')) else {
        return Inspection::none()
            .with("header", "the value of Authorization is not the base64 of client_id:client_secret");
    };
    with_secret(state, id, secret)
}

/// A client id with its secret.
fn with_secret(state: &State, id: &str, secret: &str) -> Inspection {
    let inspection = Inspection::of(id);
    match known_key(state, id) {
        Err(message) => inspection.with("key", message),
        Ok(key) => match &key.secret {
            Secret::PublicKey { .. } => {
                inspection.with("key", "the key is a key pair and has no secret: sign public/auth with it")
            }
            Secret::Shared(own) if own != secret => inspection.with("secret", "the client secret is wrong"),
            Secret::Shared(_) => inspection,
        },
    }
}

fn known_key<'a>(state: &'a State, id: &str) -> Result<&'a Key, &'static str> {
    match state.keys.iter().find(|key| key.client_id == id) {
        None => Err("no key has this client id: it was never created here, or it was removed"),
        Some(key) if !key.enabled => Err("the key is disabled"),
        Some(key) => Ok(key),
    }
}

fn login(state: &State, params: &Params, now: i64) -> Evidence {
    let text = |name: &str| params.text(name).ok().flatten().unwrap_or_default();
    let id = text("client_id");
    match text("grant_type").as_str() {
        "client_credentials" => with_secret(state, &id, &text("client_secret")).into(),
        "client_signature" => {
            let inspection = Inspection::of(id.clone());
            let key = match known_key(state, &id) {
                Ok(key) => key,
                Err(message) => return inspection.with("key", message).into(),
            };
            let timestamp = params.lenient_integer("timestamp").ok().flatten();
            let Some(timestamp) = timestamp else {
                return inspection.with("timestamp", "the timestamp is missing, or not a number").into();
            };
            let inspection = clock(inspection, timestamp, now);
            let stamp = timestamp.to_string();
            let (nonce, data, signature) = (text("nonce"), text("data"), text("signature"));
            let signed_text = SigningText::new("\n", "")
                .part(milliseconds(&stamp))
                .part(constant("nonce", &nonce))
                .part(constant("data", &data));
            evidence(inspection, state, key, signed_text, signature)
        }
        _ => Inspection::none().into(),
    }
}

fn signed(state: &State, request: &Request, fields: &str, now: i64) -> Evidence {
    let field = |name: &str| {
        let mut pairs = fields.split(',').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).unwrap_or_default()
    };
    let id = field("id");
    let inspection = if id.is_empty() { Inspection::none() } else { Inspection::of(id) };
    let missing = ["id", "ts", "nonce", "sig"].into_iter().filter(|name| field(name).is_empty());
    let inspection = missing
        .fold(inspection, |all, name| all.with("header", format!("the field {name} of Authorization is missing")));
    if !inspection.mistakes.is_empty() {
        return inspection.into();
    }
    let key = match known_key(state, id) {
        Ok(key) => key,
        Err(message) => return inspection.with("key", message).into(),
    };
    let Ok(timestamp) = field("ts").parse::<i64>() else {
        return inspection.with("timestamp", "the timestamp is not a number: send Unix milliseconds").into();
    };
    let inspection = clock(inspection, timestamp, now);
    let body = body_alternatives(&request.body)
        .into_iter()
        .fold(Part::new("body", request.body.to_vec()), |part, (value, message)| part.or(value, message));
    let text = SigningText::new("\n", "\n")
        .part(milliseconds(field("ts")))
        .part(constant("nonce", field("nonce")))
        .part(method(request))
        .part(path(request, "/api/v2", true))
        .part(body);
    if matches!(key.secret, Secret::PublicKey { .. }) {
        let why = "a key pair signs public/auth only: log in, and send the access token";
        return inspection.with("key", why).into();
    }
    evidence(inspection, state, key, text, field("sig").to_owned())
}

fn evidence(inspection: Inspection, state: &State, key: &Key, text: SigningText, signature: String) -> Evidence {
    let material = |secret: &'_ Secret| match secret {
        Secret::Shared(secret) => SigningKey::secret(secret),
        Secret::PublicKey { key, .. } => SigningKey::Public(key.clone()),
    };
    let is_shared = matches!(key.secret, Secret::Shared(_));
    let others = state.keys.iter().filter(|other| other.id != key.id);
    let others = others.filter(|other| matches!(other.secret, Secret::Shared(_)) == is_shared);
    let others = others.map(|other| (format!("the secret of {}", other.client_id), material(&other.secret)));
    let public = is_shared.then(|| ("the client id".to_owned(), SigningKey::secret(&key.client_id)));
    let signed = Signed {
        text,
        algorithm: if is_shared { Algorithm::HmacSha256 } else { Algorithm::RsaPkcs1v15 },
        encoding: if is_shared { Encoding::Hex } else { Encoding::Base64Url },
        signature,
        key: material(&key.secret),
        other_keys: others.chain(public).collect(),
    };
    Evidence::signed(inspection, signed)
}

fn clock(inspection: Inspection, sent: i64, now: i64) -> Inspection {
    let ages = -WINDOW_MILLIS..=WINDOW_MILLIS;
    inspection.with_clock(sent, &ClockWindow { is_millis: true, ages, seconds: WINDOW_MILLIS / 1000 }, now)
}
