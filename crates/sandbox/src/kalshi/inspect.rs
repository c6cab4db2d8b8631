//! Explains who called, and what is wrong with a signature.

use std::sync::Arc;

use super::Kalshi;
use super::auth::{NEWEST_MILLIS, OLDEST_MILLIS};
use super::keys::Key;
use crate::message::Request;
use crate::signature::{
    Algorithm, ClockWindow, Encoding, Evidence, Inspection, Signed, SigningKey, SigningText, method, milliseconds,
    optional_body, path,
};

const HEADERS: [&str; 3] = ["KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE"];
const PREFIX: &str = "/trade-api/v2";

impl Kalshi {
    /// What the headers of a request say about its sender. `now` is when it arrived, `is_accepted` whether its credentials were.
    pub(crate) fn inspect(&self, request: &Request, now: i64, is_accepted: bool) -> Evidence {
        let values = HEADERS.map(|name| request.header(name).unwrap_or_default());
        if values.iter().all(|value| value.is_empty()) {
            let none = Inspection::none();
            return if is_accepted { none.into() } else { missing(none, values).into() };
        }
        let [key_id, timestamp, signature] = values;
        let inspection = missing(Inspection::of(key_id), values);
        if !inspection.mistakes.is_empty() {
            return inspection.into();
        }
        let (key, others) = {
            let state = self.lock();
            (state.key(key_id), state.keys.clone())
        };
        let Some(key) = key else {
            let why = "no key has this id: it was never created here, or it was deleted";
            return inspection.with("key", why).into();
        };
        let inspection = clock(inspection, timestamp, now);
        let signed = signed(request, &key, &others, (timestamp, signature));
        Evidence::signed(inspection, signed)
    }
}

fn missing(inspection: Inspection, values: [&str; 3]) -> Inspection {
    let names = HEADERS.iter().zip(values).filter(|(_, value)| value.is_empty());
    names.fold(inspection, |inspection, (name, _)| inspection.with("header", format!("the header {name} is missing")))
}

fn clock(inspection: Inspection, timestamp: &str, now: i64) -> Inspection {
    let Ok(sent) = timestamp.parse::<i64>() else {
        return inspection.with("timestamp", "the timestamp is not a number: send Unix milliseconds");
    };
    let ages = -NEWEST_MILLIS..=OLDEST_MILLIS - 1;
    inspection.with_clock(sent, &ClockWindow { is_millis: true, ages, seconds: 30 }, now)
}

fn signed(request: &Request, key: &Key, others: &[Arc<Key>], (timestamp, signature): (&str, &str)) -> Signed {
    let mut path = path(request, PREFIX, false);
    if let Some(rest) = request.path.strip_prefix("/trade-api/ws/v2") {
        let message = "the path of the WebSocket was signed with the prefix of the REST paths: sign it as it is sent";
        path = path.or(format!("{PREFIX}{}", request.path), message).or(format!("{PREFIX}/ws{rest}"), message);
    }
    Signed {
        text: SigningText::new("", "")
            .part(milliseconds(timestamp))
            .part(method(request))
            .part(path)
            .part(optional_body(request)),
        algorithm: Algorithm::RsaPss,
        encoding: Encoding::Base64,
        signature: signature.to_owned(),
        key: SigningKey::Public(key.public.clone()),
        other_keys: others
            .iter()
            .filter(|other| other.id != key.id && other.public != key.public)
            .map(|other| (format!("the private key of {}", other.id), SigningKey::Public(other.public.clone())))
            .collect(),
    }
}
