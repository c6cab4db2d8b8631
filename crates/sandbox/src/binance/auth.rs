//! Who calls: key, time, signature, address and permission.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::members::{Key, Members, Secret};
use super::permissions::Permission;
use super::read::Given;
use super::reply::Refusal;
use crate::message::Request;
use crate::verify::verify_hmac;

/// The header that carries the API key.
pub(super) const HEADER: &str = "X-MBX-APIKEY";
/// The default window.
pub(super) const USUAL_WINDOW_MILLIS: i64 = 5_000;
const LONGEST_WINDOW_MILLIS: i64 = 60_000;
/// How far a timestamp may be ahead of the server's clock.
const AHEAD_MILLIS: i64 = 1_000;
/// Every caller of the sandbox is on this machine.
const ADDRESS: &str = "127.0.0.1";

/// The key that a request names in its header, as an index.
pub(super) fn key_of(members: &Members, name: Option<&str>) -> Result<usize, Refusal> {
    let name = name.unwrap_or_default();
    if let Some(key) = members.key(name) {
        return Ok(key);
    }
    let is_well_formed = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_well_formed {
        Err(Refusal::key())
    } else {
        Err(Refusal::new(-2014, "API-key format invalid.").with_status(401))
    }
}

/// Refuses a key that may not be used from here, or not for this.
pub(super) fn check_key(key: &Key, permission: Permission) -> Result<(), Refusal> {
    let is_bound_elsewhere = key.is_restricted() && key.ips.iter().all(|ip| ip != ADDRESS);
    if is_bound_elsewhere || !key.permissions.allows(permission) { Err(Refusal::key()) } else { Ok(()) }
}

/// Refuses a time outside of the window.
pub(super) fn check_time(given: &Given, now: i64) -> Result<(), Refusal> {
    if given.text("timestamp").is_none_or(str::is_empty) {
        return Err(Refusal::mandatory("timestamp"));
    }
    let stamp = given.time("timestamp")?.ok_or_else(|| Refusal::mandatory("timestamp"))?;
    let window = window(given)?;
    if stamp >= now + AHEAD_MILLIS {
        let message = format!("Timestamp for this request was {AHEAD_MILLIS}ms ahead of the server's time.");
        return Err(Refusal::new(-1021, message));
    }
    if now - stamp > window {
        return Err(Refusal::new(-1021, "Timestamp for this request is outside of the recvWindow."));
    }
    Ok(())
}

/// The window of a call in milliseconds; the venue takes up to three decimals.
fn window(given: &Given) -> Result<i64, Refusal> {
    let Some(window) = given.decimal("recvWindow")? else { return Ok(USUAL_WINDOW_MILLIS) };
    if window > LONGEST_WINDOW_MILLIS.into() {
        return Err(Refusal::new(-1131, "recvWindow must be less than 60000"));
    }
    Ok(i64::try_from(window.trunc()).unwrap_or(LONGEST_WINDOW_MILLIS))
}

/// Query and body without the signature, and the signature as it was sent, still percent-encoded.
pub(super) fn signed_text(request: &Request) -> (Vec<u8>, Option<String>) {
    let (query, of_query) = without_signature(request.query.as_deref().unwrap_or_default().as_bytes());
    let (body, of_body) = without_signature(&request.body);
    ([query, body].concat(), of_query.or(of_body))
}

/// A query or a form without its last parameter if that is the signature.
fn without_signature(text: &[u8]) -> (Vec<u8>, Option<String>) {
    let name = b"signature=";
    let start = match text.iter().rposition(|byte| *byte == b'&') {
        Some(last) => last + 1,
        None => 0,
    };
    match text[start..].strip_prefix(name) {
        Some(signature) => {
            let rest = text[..start.saturating_sub(1)].to_vec();
            (rest, Some(String::from_utf8_lossy(signature).into_owned()))
        }
        None => (text.to_vec(), None),
    }
}

/// Refuses a request whose signature is not that of its key.
pub(super) fn check_signature(key: &Key, request: &Request, given: &Given) -> Result<(), Refusal> {
    let (text, signature) = signed_text(request);
    if given.text("signature").is_none_or(str::is_empty) {
        return Err(Refusal::mandatory("signature"));
    }
    let Some(signature) = signature else { return Err(invalid()) };
    // A plus sign that is not encoded stands for a space in a query.
    let signature = percent_decode_str(&signature.replace('+', " ")).decode_utf8_lossy().into_owned();
    if is_signed(key, &text, &signature) { Ok(()) } else { Err(invalid()) }
}

/// The refusal of a signature that is not valid.
pub(super) fn invalid() -> Refusal {
    Refusal::new(-1022, "Signature for this request is not valid.")
}

pub(super) fn is_signed(key: &Key, text: &[u8], signature: &str) -> bool {
    match &key.secret {
        Secret::Hmac(secret) => hex::decode(signature).is_ok_and(|tag| verify_hmac(secret.as_bytes(), text, &tag)),
        Secret::Public(public) => {
            STANDARD.decode(signature).is_ok_and(|signature| public.verify_pkcs1v15(text, &signature))
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method};

    use super::super::members::Family;
    use super::super::permissions::Permissions;
    use super::*;

    fn key(secret: Secret) -> Key {
        Key {
            member: 0,
            name: "k".to_owned(),
            label: String::new(),
            secret,
            family: Family::Own,
            permissions: Permissions::default(),
            status: 1,
            ips: Vec::new(),
            created: 0,
            updated: 0,
        }
    }

    fn check(key: &Key, query: &str, body: &str) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        let body = Bytes::copy_from_slice(body.as_bytes());
        let query = Some(query.to_owned());
        let request = Request { method: Method::POST, path: "/".to_owned(), query, headers, body };
        check_signature(key, &request, &Given::of(&request)?)
    }

    fn hmac() -> Key {
        key(Secret::Hmac("NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j".to_owned()))
    }

    const ORDER: &str = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    const SIGNATURE: &str = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";

    #[test]
    fn published_signatures_are_verified() {
        let code = |key: &Key, query: &str, body: &str| check(key, query, body).map_err(|refusal| refusal.code);
        assert_eq!(code(&hmac(), &format!("{ORDER}&signature={SIGNATURE}"), ""), Ok(()));
        assert_eq!(code(&hmac(), "", &format!("{ORDER}&signature={SIGNATURE}")), Ok(()));
        assert_eq!(code(&hmac(), &format!("{ORDER}&signature={}", SIGNATURE.to_uppercase()), ""), Ok(()));
        // Nothing stands between query and body.
        let (query, body) = ORDER.split_once("&quantity").unwrap();
        let split = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77";
        assert_eq!(code(&hmac(), query, &format!("quantity{body}&signature={split}")), Ok(()));
        let wide = "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
        let signature = "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3";
        assert_eq!(code(&hmac(), &format!("{wide}&signature={signature}"), ""), Ok(()));
    }

    #[test]
    fn another_text_or_place_is_refused() {
        let code = |query: &str| check(&hmac(), query, "").unwrap_err().code;
        assert_eq!(code(&format!("{ORDER}&x=1&signature={SIGNATURE}")), -1022);
        assert_eq!(code(&format!("signature={SIGNATURE}&{ORDER}")), -1022, "the signature is the last parameter");
        assert_eq!(code(ORDER), -1102);
        assert_eq!(code(&format!("{ORDER}&signature=")), -1102);
        assert_eq!(code(&format!("{ORDER}&signature=zz")), -1022);
    }

    #[test]
    fn a_key_pair_signs_in_base64() {
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u\n-----END PRIVATE KEY-----\n";
        let public = crate::make::public_pem_of(pem).and_then(|pem| crate::verify::PublicKey::from_pem(&pem)).unwrap();
        let own = key(Secret::Public(Box::new(public)));
        let text = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=0.2&timestamp=1668481559918&recvWindow=5000";
        let signature = "inDT086KVIP8vgUfw5sV3VTkescWztiAGlf4x8FLKHM4NInsn0c1kYVLoGMO8cyjfR6vmTku2YQE0gtfVVlfCw%3D%3D";
        assert!(check(&own, &format!("{text}&signature={signature}"), "").is_ok());
        assert!(check(&own, &format!("{text}&signature={}", signature.to_lowercase()), "").is_err());
    }

    #[test]
    fn the_window_is_the_one_of_the_call() {
        let accepted = |query: &str| {
            let headers = HeaderMap::new();
            let request = Request {
                method: Method::GET,
                path: "/".to_owned(),
                query: Some(query.to_owned()),
                headers,
                body: Bytes::new(),
            };
            check_time(&Given::of(&request).unwrap(), 1_700_000_100_000).map_err(|refused| refused.code)
        };
        assert_eq!(accepted("timestamp=1700000095000"), Ok(()));
        assert_eq!(accepted("timestamp=1700000095000000"), Ok(()), "microseconds");
        assert_eq!(accepted("timestamp=1700000094999"), Err(-1021));
        assert_eq!(accepted("timestamp=1700000094999&recvWindow=5001.5"), Ok(()));
        assert_eq!(accepted("timestamp=1700000100999"), Ok(()));
        assert_eq!(accepted("timestamp=1700000101000"), Err(-1021));
        assert_eq!(accepted("timestamp=1700000095000&recvWindow=60001"), Err(-1131));
        assert_eq!(accepted("timestamp=1700000095"), Err(-1021), "seconds");
        assert_eq!(accepted("recvWindow=5"), Err(-1102));
        assert_eq!(accepted("timestamp="), Err(-1102));
        for wrong in ["-1", "-9223372036854775808", "99999999999999999999", "x"] {
            assert_eq!(accepted(&format!("timestamp={wrong}")), Err(-1100), "{wrong}");
        }
    }
}
