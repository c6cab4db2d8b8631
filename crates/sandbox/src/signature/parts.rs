//! The parts that texts of several venues have, with what clients sign by mistake.

use percent_encoding::percent_decode_str;

use super::body::body_hash_alternatives;
use super::text::Part;
use crate::message::Request;

/// A part that is signed as it is sent.
pub(crate) fn constant(name: &'static str, value: &str) -> Part {
    Part::new(name, value).or("", "the part was left empty: sign the value that is sent")
}

/// A time in milliseconds.
pub(crate) fn milliseconds(sent: &str) -> Part {
    let seconds = sent.get(..sent.len().saturating_sub(3)).unwrap_or_default();
    let part = Part::new("timestamp", sent)
        .or(seconds, "seconds were signed: sign the milliseconds that are sent")
        .or("", "the timestamp was left out: it belongs to the signed text");
    nearby(part, sent)
}

/// A time in seconds.
pub(crate) fn seconds(sent: &str) -> Part {
    let part = Part::new("timestamp", sent)
        .or(format!("{sent}000"), "milliseconds were signed: sign the seconds that are sent")
        .or("", "the timestamp was left out: it belongs to the signed text");
    nearby(part, sent)
}

/// The clock was read twice: once for the text and once for the header.
fn nearby(mut part: Part, sent: &str) -> Part {
    let Ok(sent) = sent.parse::<i64>() else { return part };
    for distance in 1..=20 {
        for other in [sent.saturating_sub(distance), sent.saturating_add(distance)] {
            let message = "another timestamp was signed than the one that is sent: read the clock once";
            part = part.or_one_of_many(other.to_string(), message);
        }
    }
    part
}

/// The HTTP method.
pub(crate) fn method(request: &Request) -> Part {
    let sent = request.method.as_str();
    let others = ["GET", "POST", "PUT", "DELETE", "PATCH"].into_iter();
    let part = Part::new("method", sent)
        .or(sent.to_lowercase(), "the method was signed in lower case: sign it in capitals")
        .or("", "the method was left out: it belongs to the signed text");
    others.fold(part, |part, other| part.or(other, "another method was signed than the one that is sent"))
}

/// The path, with the query where the venue signs that as well. `prefix` is what comes before the paths of its documentation.
pub(crate) fn path(request: &Request, prefix: &str, with_query: bool) -> Part {
    let path = request.path.as_str();
    let query = request.query.as_deref();
    let joined = |path: &str, query: Option<&str>| match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let signed_query = query.filter(|_| with_query);
    let full = |path: &str| joined(path, signed_query);
    let host = request.header("host").unwrap_or_default();
    let mut part = Part::new("path", full(path));
    if with_query {
        part = part.or(path, "the query was left out: sign the path with its query");
        let decoded = query.map(|query| percent_decode_str(query).decode_utf8_lossy().into_owned());
        part = part.or(joined(path, decoded.as_deref()), "the query was signed decoded: sign it as it is sent");
    } else {
        part = part.or(joined(path, query), "the query was signed as well: sign the path alone");
    }
    if let Some(short) = path.strip_prefix(prefix).filter(|_| !prefix.is_empty()) {
        part = part.or(full(short), "the path was signed without its prefix: sign the whole path");
        part = part.or(full(&format!("{prefix}{path}")), "the prefix was signed twice: sign the path as it is sent");
    }
    // The version alone: /trade-api/v2 has two segments.
    if let Some((_, version)) = prefix.trim_start_matches('/').split_once('/') {
        let rest = path.strip_prefix(prefix).unwrap_or_default();
        let short = format!("/{version}{rest}");
        part = part.or(full(&short), "the path was signed without the first part of its prefix: sign the whole path");
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy().into_owned();
    let without_slash = "the path was signed without the slash at its end, which is sent";
    part.or(full(&format!("{path}/")), "the path was signed with a slash at its end, which is not sent")
        .or(full(path.trim_end_matches('/')), without_slash)
        .or(full(path.trim_start_matches('/')), "the path was signed without its first slash")
        .or(full(&decoded), "the path was signed decoded: sign it as it is sent")
        .or(full(&format!("http://{host}{path}")), "scheme and host were signed as well: sign the path alone")
        .or(full(&format!("{host}{path}")), "the host was signed as well: sign the path alone")
        .or("", "the path was left out: it belongs to the signed text")
}

/// The body, where the venue does not sign it.
pub(crate) fn optional_body(request: &Request) -> Part {
    let message = "the body was signed as well: it does not belong to the signed text";
    let hash = "a hash of the body was signed as well: it does not belong to the signed text";
    let mut part = Part { extra: true, ..Part::new("body", "") }.or(request.body.to_vec(), message).or("{}", message);
    for (value, _) in body_hash_alternatives(&request.body) {
        part = part.or(value, hash);
    }
    part.or(super::body::hash(&request.body), hash)
}
