//! Who calls: key, time, signature, address and expiry.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::members::{Key, Members, Secret};
use super::reply::Refusal;
use crate::message::Request;
use crate::verify::verify_hmac;

/// Key, time and signature of a call.
pub(super) const HEADERS: [&str; 3] = ["X-BAPI-API-KEY", "X-BAPI-TIMESTAMP", "X-BAPI-SIGN"];
/// The window where a call names none.
pub(super) const USUAL_WINDOW: &str = "5000";
/// A time may lie so far ahead of the server's.
const AHEAD_MILLIS: i64 = 1000;
/// Every caller of the sandbox is on this machine.
const ADDRESS: &str = "127.0.0.1";

/// The key that signed a request, as its index.
pub(super) fn authenticate(members: &Members, request: &Request, now: i64) -> Result<usize, Refusal> {
    let [name, timestamp, signature] = HEADERS;
    let (name, timestamp, signature) =
        (header(request, name)?, header(request, timestamp)?, header(request, signature)?);
    let window = request.header("x-bapi-recv-window").unwrap_or_default();
    let key = find(members, name)?;
    check_time(timestamp, if window.is_empty() { USUAL_WINDOW } else { window }, now)?;
    let payload: &[u8] = match request.method {
        http::Method::GET => request.query.as_deref().unwrap_or_default().as_bytes(),
        _ => &request.body,
    };
    let mut text = format!("{timestamp}{name}{window}").into_bytes();
    text.extend_from_slice(payload);
    if !is_signed(&members.keys[key], &text, signature) {
        let shown = format!("{timestamp}{}{window}{}", masked(name), String::from_utf8_lossy(payload));
        let message = format!("error sign! origin_string[{shown}], please check your signature generation algorithm.");
        return Err(Refusal::new(10004, message));
    }
    check_key(members, key, now)?;
    Ok(key)
}

/// The key of a login on a connection, as its index.
pub(super) fn log_in(members: &Members, name: &str, expires: i64, signature: &str, now: i64) -> Result<usize, Refusal> {
    let key = find(members, name)?;
    if expires <= now {
        return Err(Refusal::params("expires"));
    }
    if !is_signed(&members.keys[key], format!("GET/realtime{expires}").as_bytes(), signature) {
        return Err(Refusal::new(10004, "error sign! please check your signature generation algorithm."));
    }
    check_key(members, key, now)?;
    Ok(key)
}

fn find(members: &Members, name: &str) -> Result<usize, Refusal> {
    members.key(name).ok_or_else(|| Refusal::new(10003, "API key is invalid."))
}

/// Whether a known key may be used: it has not ended, its address fits and its account is not frozen.
pub(super) fn check_key(members: &Members, key: usize, now: i64) -> Result<(), Refusal> {
    let key = &members.keys[key];
    if key.is_expired(now) {
        return Err(Refusal::new(33004, "Your api key has expired."));
    }
    if !key.ips.is_empty() && key.ips.iter().all(|ip| ip != ADDRESS) {
        return Err(Refusal::new(10010, "Unmatched IP, please check your API key's bound IP addresses."));
    }
    if members.all[key.member].frozen {
        return Err(Refusal::new(10008, "Common banned, please check your account mode"));
    }
    Ok(())
}

/// Refuses a time outside of the window.
pub(super) fn check_time(timestamp: &str, window: &str, now: i64) -> Result<(), Refusal> {
    let number = |text: &str, name: &str| text.parse::<i64>().map_err(|_| Refusal::params(name));
    let (stamp, length) = (number(timestamp, "X-BAPI-TIMESTAMP")?, number(window, "X-BAPI-RECV-WINDOW")?);
    if stamp >= now.saturating_sub(length) && stamp < now + AHEAD_MILLIS {
        return Ok(());
    }
    let message = format!(
        "invalid request, please check your server timestamp or recv_window param. \
         req_timestamp[{stamp}],server_timestamp[{now}],recv_window[{length}]"
    );
    Err(Refusal::new(10002, message))
}

fn is_signed(key: &Key, text: &[u8], signature: &str) -> bool {
    match &key.secret {
        // Lower-case hex is what the venue documents.
        Secret::Hmac(secret) => {
            let is_lower = !signature.bytes().any(|byte| byte.is_ascii_uppercase());
            is_lower && hex::decode(signature).is_ok_and(|tag| verify_hmac(secret.as_bytes(), text, &tag))
        }
        Secret::Rsa { public, .. } => {
            STANDARD.decode(signature).is_ok_and(|signature| public.verify_pkcs1v15(text, &signature))
        }
    }
}

fn header<'a>(request: &'a Request, name: &str) -> Result<&'a str, Refusal> {
    let value = request.header(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| Refusal::http(401, 10003, format!("header/{name}: is required")))
}

/// A key's name with its middle hidden.
fn masked(name: &str) -> String {
    let shown = |from: usize| name.get(from..).unwrap_or_default();
    let begin = name.get(..4).unwrap_or_default();
    format!("{begin}******{}", shown(name.len().saturating_sub(4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_open_at_its_end_only() {
        let accepted = |stamp: i64| check_time(&stamp.to_string(), "5000", 100_000).is_ok();
        assert!(accepted(95_000) && accepted(100_999));
        assert!(!accepted(94_999) && !accepted(101_000));
        let refused = check_time("94999", "5000", 100_000).unwrap_err();
        assert_eq!(refused.code, 10002);
        assert!(refused.message.contains("req_timestamp[94999],server_timestamp[100000]"), "{}", refused.message);
    }

    #[test]
    fn published_signatures_are_verified() {
        let key = Key {
            id: 1,
            member: 0,
            name: "test_api_key".to_owned(),
            secret: Secret::Hmac("test_secret".to_owned()),
            note: String::new(),
            read_only: false,
            permissions: super::super::permissions::Permissions::default(),
            ips: Vec::new(),
            created: 0,
            expires: None,
        };
        for (text, signature) in [
            (
                "1700000000000test_api_key5000category=linear&symbol=BTCUSDT",
                "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7",
            ),
            ("GET/realtime1700000000000", "bacffe7500499eb829bb58c45d36d1b3e5ac67c14eaeba91df5e99ccee013925"),
        ] {
            assert!(is_signed(&key, text.as_bytes(), signature));
            assert!(!is_signed(&key, format!("{text} ").as_bytes(), signature));
            assert!(!is_signed(&key, text.as_bytes(), &signature.to_uppercase()));
        }
    }

    #[test]
    fn a_key_is_masked() {
        assert_eq!(masked("abcdefghij"), "abcd******ghij");
        assert_eq!(masked("abc"), "******abc");
    }
}
