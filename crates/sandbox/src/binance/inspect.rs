//! Explains who called, and what is wrong with a signature.

use percent_encoding::percent_decode_str;

use super::auth::{self, HEADER};
use super::members::{Key, Secret};
use super::read::Given;
use super::{Binance, Need, need_of, operation, served};
use crate::message::Request;
use crate::signature::{Algorithm, Encoding, Evidence, Inspection, Part, Signed, SigningKey, SigningText};

impl Binance {
    /// What a request says about its sender, and the signature to be explained. `now` is when it arrived.
    pub(crate) fn inspect(&self, request: &Request, now: i64) -> Evidence {
        let route = served::find(request.method.as_str(), &request.path);
        let need = match route {
            Some(route) => route.need,
            None => operation(request).map_or(Need::Public, need_of),
        };
        let name = request.header(HEADER).unwrap_or_default();
        if name.is_empty() {
            let none = Inspection::none();
            let missing = need != Need::Public;
            let none = if missing { none.with("header", format!("the header {HEADER} is missing")) } else { none };
            return none.into();
        }
        let inspection = Inspection::of(name);
        let state = self.state();
        let Some(key) = state.members.key(name) else {
            let why = "no key has this name: it was never created here, or it was deleted";
            return inspection.with("key", why).into();
        };
        if matches!(need, Need::Public | Need::Key) {
            return inspection.into();
        }
        let Ok(given) = Given::of(request) else { return inspection.into() };
        let inspection = match auth::check_time(&given, now) {
            Ok(()) => inspection,
            Err(refused) => inspection.with("timestamp", refused.message),
        };
        if !given.has("signature") {
            return inspection.with("signature", "the parameter signature is missing").into();
        }
        let (text, signature) = auth::signed_text(request);
        let Some(signature) = signature else {
            let why = "the signature is not the last parameter: nothing may follow it";
            return inspection.with("signature", why).into();
        };
        let decoded = percent_decode_str(&signature).decode_utf8_lossy().into_owned();
        let key = &state.members.keys[key];
        let is_base64 = matches!(key.secret, Secret::Public(_));
        let inspection = if is_base64 && signature == decoded && signature.contains(['+', '/', '=']) {
            inspection.with("signature", "the base64 of the signature is not percent-encoded: + is a space in a query")
        } else {
            inspection
        };
        let (signing, algorithm, encoding) = signing(key);
        let others = state.members.keys.iter().filter(|other| other.name != key.name);
        let others = others.map(|other| (format!("the key {}", other.name), self::signing(other).0));
        Evidence::signed(
            inspection,
            Signed {
                text: SigningText::new("", "").part(parameters(request, &text)),
                algorithm,
                encoding,
                signature: decoded,
                key: signing,
                other_keys: others.collect(),
            },
        )
    }
}

fn signing(key: &Key) -> (SigningKey, Algorithm, Encoding) {
    match &key.secret {
        Secret::Hmac(secret) => (SigningKey::secret(secret), Algorithm::HmacSha256, Encoding::Hex),
        Secret::Public(public) => (SigningKey::Public((**public).clone()), Algorithm::RsaPkcs1v15, Encoding::Base64),
    }
}

/// Query and body as they were sent, without the signature.
fn parameters(request: &Request, text: &[u8]) -> Part {
    let sent = String::from_utf8_lossy(text).into_owned();
    let decoded = percent_decode_str(&sent).collect::<Vec<u8>>();
    let mut sorted: Vec<&str> = sent.split('&').collect();
    sorted.sort_unstable();
    let pairs: Vec<(String, String)> = request.pairs().into_iter().filter(|(name, _)| name != "signature").collect();
    let encoded: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let query = request.query.as_deref().unwrap_or_default();
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let body = body.split("&signature=").next().unwrap_or_default();
    let timestamp = pairs.iter().find(|(name, _)| name == "timestamp").map(|(_, time)| time.as_str());
    let seconds = timestamp.and_then(|time| Some((time, time.get(..time.len().checked_sub(3)?)?)));
    let part = Part::new("parameters", text)
        .or("", "nothing was signed: sign all parameters")
        .or(decoded, "the parameters were signed before they were percent-encoded: sign them as they are sent")
        .or(sorted.join("&"), "the parameters were sorted before they were signed: sign them as they are sent")
        .or(encoded, "the parameters were encoded in another way for the signature: sign the bytes that are sent")
        .or(format!("?{sent}"), "the question mark was signed as well: sign the parameters without it")
        .or(format!("{query}&{body}"), "an & was put between query and body: put nothing there")
        .or(query, "the body was left out: it belongs to the signed text")
        .or(body, "the query was left out: it belongs to the signed text")
        .or(format!("{sent}&"), "the & before the signature was signed as well: sign what stands before it");
    match seconds {
        Some((millis, seconds)) => {
            let other = sent.replace(&format!("timestamp={millis}"), &format!("timestamp={seconds}"));
            part.or(other, "seconds were signed: sign the milliseconds that are sent")
        }
        None => part,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::*;

    #[test]
    fn any_timestamp_can_be_explained() {
        for timestamp in ["", "1", "a\u{20ac}b", "1700000000000"] {
            let query = format!("timestamp={timestamp}");
            let request = Request {
                method: Method::GET,
                path: "/api/v3/account".to_owned(),
                query: Some(query.clone()),
                headers: HeaderMap::new(),
                body: Bytes::new(),
            };
            assert_eq!(parameters(&request, query.as_bytes()).value, query.as_bytes());
        }
    }
}
