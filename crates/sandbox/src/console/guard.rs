//! Who may use the console: a page of its own, on this machine, that knows the token.

use std::net::SocketAddr;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, Method};

use super::{PREFIX, refusal};

/// The path below the token; or the response to a request that is refused.
pub(super) fn check<'a>(
    request: &'a http::Request<Body>,
    token: &str,
    address: SocketAddr,
) -> Result<&'a str, Box<Response>> {
    let headers = request.headers();
    let refuse = |status, message: &str| Err(Box::new(refusal(status, message)));
    // A name of another site may have been pointed at this machine (DNS rebinding).
    if !header(headers, &HOST).is_some_and(|host| is_own_host(host, address)) {
        return refuse(421, "the console is served to 127.0.0.1 and localhost only");
    }
    let origin_is_own = |origin: &str| origin.strip_prefix("http://").is_some_and(|host| is_own_host(host, address));
    if headers.contains_key(ORIGIN) && !header(headers, &ORIGIN).is_some_and(origin_is_own) {
        return refuse(403, "requests of other origins are refused");
    }
    let fetch = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // A link on another page may lead here.
    let is_navigation = request.method() == Method::GET && fetch("sec-fetch-mode") == Some("navigate");
    if fetch("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) && !is_navigation {
        return refuse(403, "requests of other sites are refused");
    }
    let rest = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
    let Some((_, rest)) =
        rest.strip_prefix('/').and_then(|rest| rest.split_once('/')).filter(|(one, _)| same(one, token))
    else {
        return refuse(404, "open the URL of the console that the sandbox printed when it started");
    };
    // A form of another page cannot send this type without being asked for permission first.
    let is_json = || {
        let value = header(headers, &CONTENT_TYPE).unwrap_or_default();
        value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    };
    if request.method() != Method::GET && !is_json() {
        return refuse(415, "requests that change something have the content type application/json");
    }
    Ok(rest)
}

fn header<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn is_own_host(host: &str, address: SocketAddr) -> bool {
    let port = address.port();
    let names = ["127.0.0.1", "localhost", "[::1]"];
    names.iter().any(|name| host.eq_ignore_ascii_case(&format!("{name}:{port}")) || port == 80 && host == *name)
}

/// Compares in a time that does not depend on where two texts differ.
fn same(one: &str, other: &str) -> bool {
    let different = one.bytes().zip(other.bytes()).fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && different == 0
}
