//! Explains who called, and what is wrong with a signature.

use super::auth::{self, USUAL_WINDOW};
use super::members::Secret;
use super::{Bybit, auth::HEADERS};
use crate::message::Request;
use crate::signature::{
    Algorithm, Encoding, Evidence, Inspection, Part, Signed, SigningKey, SigningText, body_alternatives, constant,
    milliseconds,
};

impl Bybit {
    /// What the headers of a request say about its sender. `now` is when it arrived, `is_accepted` whether its
    /// credentials were.
    pub(crate) fn inspect(&self, request: &Request, now: i64, is_accepted: bool) -> Evidence {
        let values = HEADERS.map(|name| request.header(name).unwrap_or_default());
        let missing = |inspection: Inspection| {
            let names = HEADERS.iter().zip(values).filter(|(_, value)| value.is_empty());
            names.fold(inspection, |one, (name, _)| one.with("header", format!("the header {name} is missing")))
        };
        if values.iter().all(|value| value.is_empty()) {
            let none = Inspection::none();
            return if is_accepted { none.into() } else { missing(none).into() };
        }
        let [name, timestamp, signature] = values;
        let inspection = missing(Inspection::of(name));
        if !inspection.mistakes.is_empty() {
            return inspection.into();
        }
        let window = request.header("x-bapi-recv-window").unwrap_or_default();
        let state = self.state();
        let Some(key) = state.members.key(name) else {
            let why = "no key has this name: it was never created here, or it was deleted";
            return inspection.with("key", why).into();
        };
        let inspection = match auth::check_time(timestamp, if window.is_empty() { USUAL_WINDOW } else { window }, now) {
            Ok(()) => inspection,
            Err(refused) => inspection.with("timestamp", refused.message),
        };
        let (signing, algorithm, encoding) = match &state.members.keys[key].secret {
            Secret::Hmac(secret) => (SigningKey::secret(secret), Algorithm::HmacSha256, Encoding::Hex),
            Secret::Rsa { public, .. } => {
                (SigningKey::Public((**public).clone()), Algorithm::RsaPkcs1v15, Encoding::Base64)
            }
        };
        let others = state.members.keys.iter().enumerate().filter(|(index, _)| *index != key);
        let others = others.map(|(_, other)| {
            let signing = match &other.secret {
                Secret::Hmac(secret) => SigningKey::secret(secret),
                Secret::Rsa { public, .. } => SigningKey::Public((**public).clone()),
            };
            (format!("the key {}", other.name), signing)
        });
        let signed = Signed {
            text: SigningText::new("", "")
                .part(milliseconds(timestamp))
                .part(constant("key", name))
                .part(
                    constant("window", window)
                        .or(USUAL_WINDOW, "a window was signed that is not sent: send the header"),
                )
                .part(payload(request)),
            algorithm,
            encoding,
            signature: signature.to_owned(),
            key: signing,
            other_keys: others.collect(),
        };
        Evidence::signed(inspection, signed)
    }
}

/// The query of a GET, the body of a POST.
fn payload(request: &Request) -> Part {
    if request.method != http::Method::GET {
        let part = Part::new("body", request.body.to_vec());
        return body_alternatives(&request.body)
            .into_iter()
            .fold(part, |part, (value, message)| part.or(value, message));
    }
    let query = request.query.as_deref().unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(query).collect::<Vec<u8>>();
    let mut sorted: Vec<&str> = query.split('&').collect();
    sorted.sort_unstable();
    Part::new("query", query)
        .or("", "the query was left out: it belongs to the signed text")
        .or(decoded, "the query was signed before it was percent-encoded: sign it as it is sent")
        .or(sorted.join("&"), "the query was sorted before it was signed: sign it as it is sent")
        .or(format!("?{query}"), "the question mark was signed as well: sign the query without it")
}
