//! The envelope of calls over a WebSocket, for venues whose spec describes it (`x-websocket.envelope`).

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;
use venuekit_wire::operation::{Envelope, ErrorKind, Operation, Venue};
use venuekit_wire::{UnixMillis, UnixMillisOrMicros};

use crate::answer::{Answer, error};
use crate::error::Error;
use crate::members::{Members, string};
use crate::message::{Id, LogonEnded, Message, Part};
use crate::rate::UsedCount;
use crate::response::Response;
use crate::retry_after::{believed, longest_after, longest_ban};

/// The description of the venue's envelope, where it has one.
pub(crate) fn of(venue: &'static Venue) -> Option<&'static Envelope> {
    venue.websocket.as_ref()?.envelope.as_ref()
}

/// A request around a call's params, which are a JSON object.
pub(crate) fn request(envelope: &Envelope, method: &str, id: u64, params: &str) -> String {
    let Envelope { id: id_name, method: method_name, params: params_name, .. } = envelope;
    let size = id_name.len() + method_name.len() + params_name.len() + method.len() + params.len() + 48;
    let mut request = String::with_capacity(size);
    // Writing to a string cannot fail.
    let _ = write!(request, r#"{{"{id_name}":{id},"{method_name}":"{method}""#);
    // A call that takes no params at all refuses even an empty list of them.
    if params != "{}" {
        let _ = write!(request, r#","{params_name}":{params}"#);
    }
    request.push('}');
    request
}

/// Cuts a message into its parts. `None` if the text is not an object.
pub(crate) fn read(envelope: &Envelope, body: Bytes) -> Option<Message> {
    // Checked as a whole, which is faster than text by text.
    let members = Members::of(std::str::from_utf8(&body).ok()?)?;
    let slice = |part: &RawValue| body.slice_ref(part.get().as_bytes());
    let error = members.get(envelope.error).filter(|error| error.get() != "null");
    let event = envelope.event.as_ref().and_then(|names| Some((names, members.get(names.data)?)));
    let part = match (error, members.get(envelope.result), event) {
        // One of them is not of this call, and nothing says which.
        (Some(_), Some(result), _) if result.get() != "null" => Part::Nothing,
        (Some(error), ..) => Part::Error(slice(error)),
        (None, Some(result), _) => Part::Result(slice(result)),
        (None, None, Some((names, data))) => {
            Part::Event { subscription: members.get(names.subscription).map(slice), data: slice(data) }
        }
        (None, None, None) => Part::Nothing,
    };
    let id = Id::of(members.get(envelope.id).map(RawValue::get));
    let status = members.get(envelope.status).and_then(|status| StatusCode::from_u16(status.get().parse().ok()?).ok());
    let limits = envelope.limits.as_ref().and_then(|limits| members.get(limits.list)).map(slice);
    Some(Message { status, limits, ..Message::new(body, id, part) })
}

/// Takes the envelope off a response. `now` is the venue's time, as far as it is known.
pub(crate) fn unwrap(
    venue: &'static Venue,
    envelope: &Envelope,
    operation: &'static Operation,
    message: Message,
    now: UnixMillis,
) -> Result<Response, Error> {
    let Message { body, part, status, logon_ended, .. } = message;
    let has_status = status.is_some();
    let status = status.unwrap_or(StatusCode::OK);
    let answer = |body: Bytes| Answer { status, headers: HeaderMap::new(), body, is_cut: false, now };
    let failed = |inner: Bytes| {
        let failed = error(venue, operation, &answer(inner.clone()), &inner);
        let failed = match retry_at(envelope, &inner, now) {
            Some(wait) => {
                let ban = longest_ban(venue, status).unwrap_or_default();
                failed.waiting(believed(wait, longest_after(venue, operation).max(ban)))
            }
            None => failed,
        };
        let failed = if has_status { failed } else { failed.without_status() };
        match logon_ended {
            Some(LogonEnded::WithOthers) => failed.possibly_applied(),
            Some(LogonEnded::Alone) | None => failed,
        }
    };
    match part {
        Part::Result(result) if status.is_success() => Ok(Response::new(operation, status, HeaderMap::new(), result)),
        Part::Error(inner) => Err(failed(inner)),
        _ if !status.is_success() => Err(failed(body)),
        _ => {
            let message = "the message has neither a result nor an error, or it has both".to_owned();
            Err(Response::new(operation, status, HeaderMap::new(), body).refused(ErrorKind::Decode, message))
        }
    }
}

/// What a reply says has been used of the venue's limits. An entry that cannot be read says nothing.
pub(crate) fn used(envelope: &Envelope, limits: &[u8]) -> Vec<UsedCount<'static>> {
    let Some(names) = &envelope.limits else { return Vec::new() };
    let entries: Vec<&RawValue> = serde_json::from_slice(limits).unwrap_or_default();
    let read = |entry: &&RawValue| {
        let entry = Members::of(entry.get())?;
        let text = |name: &str| string(entry.get(name)?);
        let number = |name: &str| entry.get(name)?.get().parse::<u64>().ok();
        let (kind, unit) = (text(names.kind)?, text(names.unit)?);
        let (_, bucket) = names.buckets.iter().find(|(name, _)| *name == kind)?;
        let (_, seconds) = names.units.iter().find(|(name, _)| *name == unit)?;
        Some(UsedCount { bucket, seconds: seconds.checked_mul(number(names.number)?)?, used: number(names.used)? })
    };
    entries.iter().filter_map(read).collect()
}

/// How long the venue accepts no calls, by its error. `None` if it has no time that can be read. A connection may have its times in
/// microseconds.
fn retry_at(envelope: &Envelope, error: &[u8], now: UnixMillis) -> Option<Duration> {
    let members = Members::of(std::str::from_utf8(error).ok()?)?;
    let value = members.at(envelope.retry_at?).pop()?;
    let text = string(value).unwrap_or_else(|| value.get().to_owned());
    let time: UnixMillisOrMicros = text.trim().parse().ok()?;
    let left = time.millis().get().saturating_sub(now.get());
    Some(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use venuekit_wire::operation::{Errors, EventMembers, ReplyLimits, Retry, WebSocket};

    use super::*;
    use crate::fixtures;

    static ENVELOPE: Envelope = Envelope {
        id: "id",
        method: "method",
        params: "params",
        status: "status",
        result: "result",
        error: "error",
        retry_at: Some("/data/retryAfter"),
        event: Some(EventMembers { data: "event", subscription: "subscriptionId", closing: None }),
        limits: Some(ReplyLimits {
            list: "rateLimits",
            kind: "rateLimitType",
            unit: "interval",
            number: "intervalNum",
            used: "count",
            buckets: &[("REQUEST_WEIGHT", "weight")],
            units: &[("MINUTE", 60)],
        }),
    };

    static VENUE: Venue = Venue {
        errors: Errors {
            code: &["/code"],
            message: &["/msg"],
            kinds: &[("-1003", ErrorKind::RateLimited), ("-1007", ErrorKind::Server)],
            statuses: &[(418, ErrorKind::RateLimited)],
            bans: &[(418, 259_200)],
            outcome_unknown: &["-1007"],
            ..Errors::EMPTY
        },
        ..fixtures::VENUE
    };

    static ORDER: Operation = Operation { retry: Retry::Never, ..fixtures::OPERATION };

    const NOW: UnixMillis = UnixMillis(1_795_316_400_000);

    fn message(text: &str) -> Message {
        read(&ENVELOPE, Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn unwrapped(text: &str) -> Result<Response, Error> {
        unwrap(&VENUE, &ENVELOPE, &ORDER, message(text), NOW)
    }

    #[test]
    fn a_table_without_a_description_has_none() {
        static RPC: Venue = Venue { websocket: Some(WebSocket::EMPTY), ..fixtures::VENUE };
        static REST: Venue = fixtures::VENUE;
        assert!(of(&RPC).is_none() && of(&REST).is_none());
    }

    #[test]
    fn a_request_has_no_params_where_there_are_none() {
        assert_eq!(request(&ENVELOPE, "ping", 7, "{}"), r#"{"id":7,"method":"ping"}"#);
        let request = request(&ENVELOPE, "order.status", 8, r#"{"orderId":5}"#);
        assert_eq!(request, r#"{"id":8,"method":"order.status","params":{"orderId":5}}"#);
    }

    #[test]
    fn a_reply_is_cut_into_its_parts() {
        let reply =
            message(r#"{"id":3,"status":200,"result":{"a":[1.50]},"rateLimits":[{"count":12}],"more":{"result":1}}"#);
        assert_eq!((reply.id, reply.status), (Id::Number(3), Some(StatusCode::OK)));
        assert!(matches!(&reply.part, Part::Result(result) if &result[..] == br#"{"a":[1.50]}"#));
        assert_eq!(reply.limits.as_deref(), Some(&br#"[{"count":12}]"#[..]));
        let event = message(r#"{"subscriptionId":0,"event":{"e":"balanceUpdate"}}"#);
        assert_eq!(event.id, Id::Missing);
        let Part::Event { subscription, data } = &event.part else { panic!("no event") };
        assert_eq!((subscription.as_deref(), &data[..]), (Some(&b"0"[..]), &br#"{"e":"balanceUpdate"}"#[..]));
        let event = message(r#"{"event":{"e":"serverShutdown"}}"#);
        assert!(matches!(event.part, Part::Event { subscription: None, .. }));
        let escaped = message(r#"{"\u0069d":4,"result":null,"error":null}"#);
        assert!(matches!((escaped.id, &escaped.part), (Id::Number(4), Part::Result(_))));
        for other in ["", "[]", "1", "{} {}", r#"{"id":1"#] {
            assert!(read(&ENVELOPE, Bytes::copy_from_slice(other.as_bytes())).is_none(), "{other}");
        }
        assert_eq!(message(r#"{"id":"a"}"#).id, Id::Other);
        assert_eq!(message(r#"{"id":null}"#).id, Id::Missing);
    }

    #[test]
    fn a_status_says_what_it_says_over_http() {
        let response = unwrapped(r#"{"id":1,"status":200,"result":{"orderId":5}}"#).unwrap();
        assert_eq!((response.status, &response.body[..]), (StatusCode::OK, &br#"{"orderId":5}"#[..]));
        let error =
            unwrapped(r#"{"id":1,"status":400,"error":{"code":-2011,"msg":"Unknown order sent."}}"#).unwrap_err();
        assert_eq!((error.code(), error.message()), (Some("-2011"), "Unknown order sent."));
        assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
        assert!(!error.may_have_been_applied());
        let error =
            unwrapped(r#"{"id":1,"status":409,"error":{"code":-2022,"msg":"x","data":{"newOrderResult":"FAILURE"}}}"#);
        let body = error.unwrap_err().raw_body().map(<[u8]>::to_vec).unwrap();
        assert_eq!(body, br#"{"code":-2022,"msg":"x","data":{"newOrderResult":"FAILURE"}}"#, "as over HTTP");
        for unknown in [
            r#"{"id":1,"status":500,"error":{"code":-1000,"msg":"x"}}"#,
            r#"{"id":1,"status":503}"#,
            r#"{"id":1,"status":400,"error":{"code":-1007,"msg":"x"}}"#,
            r#"{"id":1,"status":200}"#,
            r#"{"id":1,"status":200,"result":{},"error":{"code":-2011,"msg":"x"}}"#,
        ] {
            assert!(unwrapped(unknown).unwrap_err().may_have_been_applied(), "{unknown}");
        }
        let failed = unwrapped(r#"{"id":1,"status":500,"result":{}}"#).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Server, "a failure is no success, whatever it brings");
    }

    #[test]
    fn the_time_of_a_retry_is_a_time_and_not_a_duration() {
        let waits = |status: u16, at: &str| {
            let error = format!(
                r#"{{"id":1,"status":{status},"error":{{"code":-1003,"msg":"x","data":{{"retryAfter":{at}}}}}}}"#
            );
            let error = unwrapped(&error).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RateLimited);
            error.retry_after()
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(waits(429, "1795316460000"), seconds(60));
        assert_eq!(waits(418, "1795316400000000"), seconds(0), "in microseconds");
        assert_eq!(waits(418, "\"1795316410000\""), seconds(10));
        assert_eq!(waits(418, "1"), seconds(0), "it is over");
        assert_eq!(waits(429, "9223372036854775807"), seconds(3600), "no more than is believed");
        assert_eq!(waits(429, "1795402800000"), seconds(3600), "a day");
        assert_eq!(waits(418, "1795402800000"), seconds(86_400), "a ban may be so long");
        assert_eq!(waits(418, "null"), None);
    }

    #[test]
    fn the_use_of_known_limits_is_read() {
        let limits = r#"[
            {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":12},
            {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":5,"limit":61000,"count":3},
            {"rateLimitType":"REQUEST_WEIGHT","interval":"AGE","intervalNum":1,"count":12},
            {"rateLimitType":"ORDERS","interval":"MINUTE","intervalNum":1,"count":12},
            {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1},
            {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":18446744073709551615,"count":1},
            7
        ]"#;
        let used = used(&ENVELOPE, limits.as_bytes());
        let used: Vec<_> = used.iter().map(|count| (count.bucket, count.seconds, count.used)).collect();
        assert_eq!(used, [("weight", 60, 12), ("weight", 300, 3)]);
        assert!(super::used(&ENVELOPE, b"{}").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".*") {
            let _ = read(&ENVELOPE, Bytes::from(text));
        }

        #[test]
        fn no_reply_breaks_what_is_made_of_it(id in ".{0,9}", status: u16, code: i64, at: i64) {
            let text = serde_json::json!({"id": id, "status": status, "error": {"code": code, "data": {"retryAfter": at}}});
            prop_assert!(unwrapped(&text.to_string()).is_err());
        }
    }
}
