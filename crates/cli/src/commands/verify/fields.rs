//! The fields of a signature, as a venue's headers or params have them.

use serde_json::Value;
use venuekit_wire::UnixMillis;

use super::capture::Capture;
use super::guess::Kind;
use crate::failure::{Exit, Failure};
use crate::venue::Venue;

/// The fields of a signature.
pub struct Fields {
    /// What it signs.
    pub kind: Kind,
    /// The time, as its digits.
    pub time: String,
    /// The nonce, where there is one.
    pub nonce: String,
    /// The data of a login.
    pub data: String,
    /// The signature, as it is sent.
    pub signature: String,
    /// What identifies the key.
    pub key_id: Option<String>,
}

/// The headers that a venue looks at.
fn headers(venue: Venue) -> &'static [&'static str] {
    match venue {
        Venue::Kalshi | Venue::KalshiPerps => {
            &["kalshi-access-timestamp", "kalshi-access-signature", "kalshi-access-key"]
        }
        Venue::Bayse => &["x-timestamp", "x-signature", "x-public-key"],
        Venue::Deribit => &["authorization"],
        Venue::Yativo => &[],
    }
}

/// Finds the fields in a captured request to a path.
pub fn read(venue: Venue, capture: &Capture, target: Option<&str>, body: &[u8]) -> Result<Fields, Failure> {
    let header = |name: &str| {
        let missing = || Failure::new(Exit::Fault, format!("the header {name} is missing")).code("missing_header");
        capture.header(name).filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(missing)
    };
    let three = |kind| match headers(venue) {
        [time, signature, key_id] => Ok(Fields {
            kind,
            time: header(time)?,
            nonce: String::new(),
            data: String::new(),
            signature: header(signature)?,
            key_id: Some(header(key_id)?),
        }),
        _ => Err(Failure::new(Exit::Internal, format!("{venue} signs in another way"))),
    };
    match venue {
        Venue::Kalshi | Venue::KalshiPerps => three(Kind::Kalshi),
        Venue::Bayse => three(Kind::Bayse),
        Venue::Deribit => match login(body).or_else(|| login_by_query(target?)) {
            Some(fields) => fields,
            None => of_authorization(&header("authorization")?),
        },
        Venue::Yativo => {
            let message = "Yativo signs no requests: a key is exchanged for a token, or stands in two headers";
            Err(Failure::usage(message).help("`venuekit doctor yativo` tells what is wrong with a key"))
        }
    }
}

/// `deri-hmac-sha256 id=...,ts=...,nonce=...,sig=...`.
fn of_authorization(value: &str) -> Result<Fields, Failure> {
    let wrong =
        |what: &str| Failure::new(Exit::Fault, format!("the header authorization {what}")).code("malformed_header");
    let Some((scheme, rest)) = value.split_once(' ') else { return Err(wrong("has no scheme")) };
    if !scheme.eq_ignore_ascii_case("deri-hmac-sha256") {
        return Err(
            wrong("does not begin with deri-hmac-sha256").help("a bearer token and a basic header are not signed")
        );
    }
    let field = |name: &str| {
        let mut pairs = rest.split(',').filter_map(|pair| pair.trim().split_once('='));
        let found = pairs.find(|(own, _)| own.trim() == name).map(|(_, value)| value.trim().to_owned());
        found.ok_or_else(|| wrong(&format!("has no {name}=")))
    };
    let (time, nonce, signature) = (field("ts")?, field("nonce")?, field("sig")?);
    Ok(Fields { kind: Kind::Deribit, time, nonce, data: String::new(), signature, key_id: Some(field("id")?) })
}

/// The one way to log in that is signed.
const SIGNED_GRANT: &str = "client_signature";

/// The params of `public/auth`, in their envelope or without.
fn login(body: &[u8]) -> Option<Result<Fields, Failure>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    of_params(body.get("params").unwrap_or(&body))
}

/// The same in the query of a GET.
fn login_by_query(target: &str) -> Option<Result<Fields, Failure>> {
    let (path, query) = target.split_once('?')?;
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let params = pairs.map(|(name, value)| (name.into_owned(), Value::from(value))).collect();
    path.ends_with("/public/auth").then(|| of_params(&Value::Object(params)))?
}

fn of_params(params: &Value) -> Option<Result<Fields, Failure>> {
    if let Some(grant) = params.get("grant_type").and_then(Value::as_str).filter(|grant| *grant != SIGNED_GRANT) {
        let message = format!("a login with the grant_type {grant} is not signed");
        let help = format!("the grant_type {SIGNED_GRANT} is the one that takes a signature");
        return Some(Err(Failure::new(Exit::Fault, message).code("not_signed").help(help)));
    }
    let text = |name: &str| match params.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Some(Ok(Fields {
        kind: Kind::Login,
        time: text("timestamp")?,
        nonce: text("nonce").unwrap_or_default(),
        data: text("data").unwrap_or_default(),
        signature: text("signature")?,
        key_id: text("client_id"),
    }))
}

/// What is wrong with them whatever was signed. The signature is freed of what does not belong to it.
pub fn faults(venue: Venue, capture: &Capture, fields: &mut Fields) -> Vec<String> {
    let mut found = Vec::new();
    if fields.kind != Kind::Login {
        let twice = headers(venue).iter().filter(|name| capture.is_ambiguous(name));
        found.extend(twice.map(|name| format!("the header {name} stands there twice, with different values")));
    }
    found.extend(time_fault(venue, &fields.time));
    let signature = &fields.signature;
    let inner = signature.strip_prefix('b').unwrap_or(signature);
    let quoted = ['\'', '"'].iter().find_map(|quote| inner.strip_prefix(*quote)?.strip_suffix(*quote));
    if let Some(bare) = quoted {
        let what = if inner == signature { "quotes" } else { "Python's b'...'" };
        found.push(format!("the signature has {what} around it: send the text alone"));
        fields.signature = bare.to_owned();
    }
    if fields.signature.contains(char::is_whitespace) || fields.signature.contains("\\n") {
        found.push("the signature has line breaks or blanks in it: encode it without".to_owned());
        fields.signature = fields.signature.replace("\\n", "").split_whitespace().collect();
    }
    found
}

fn time_fault(venue: Venue, time: &str) -> Option<String> {
    let (unit, digits) = if venue == Venue::Bayse { ("seconds", 10) } else { ("milliseconds", 13) };
    match time.parse::<i64>() {
        Err(_) => Some(format!("the timestamp is no number: Unix {unit} are wanted")),
        Ok(_) if time.len() != digits => {
            let other = match time.len() {
                10 => "seconds",
                13 => "milliseconds",
                16 => "microseconds",
                19 => "nanoseconds",
                _ => "something else",
            };
            Some(format!("the timestamp is in {other}: Unix {unit} are wanted, {digits} digits"))
        }
        Ok(stamp) => {
            let millis = if venue == Venue::Bayse { stamp.saturating_mul(1000) } else { stamp };
            let is_future = millis > UnixMillis::now().get().saturating_add(15 * 60 * 1000);
            is_future.then(|| "the timestamp lies in the future: set the clock of the machine that signed".to_owned())
        }
    }
}
