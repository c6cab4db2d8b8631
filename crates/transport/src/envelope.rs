//! The envelope of calls over a WebSocket, for venues whose spec describes it (`x-websocket.envelope`).

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{Envelope, ErrorKind, Operation, Venue};

use crate::answer::{Answer, error};
use crate::error::Error;
use crate::members::{Members, string};
use crate::message::{Id, LogonEnded, Message, Part};
use crate::rate::UsedCount;
use crate::response::Response;
use crate::retry_after::{believed, longest_after};

/// The description of the venue's envelope, where it has one.
pub(crate) fn of(venue: &'static Venue) -> Option<&'static Envelope> {
    venue.websocket.as_ref()?.envelope.as_ref()
}

/// A request around a call's params, which are a JSON object.
pub(crate) fn request(words: &Envelope, method: &str, id: u64, params: &str) -> String {
    let size = words.id.len() + words.method.len() + words.params.len() + method.len() + params.len() + 48;
    let mut request = String::with_capacity(size);
    let Envelope { id: id_name, method: method_name, params: params_name, .. } = words;
    // Writing to a text cannot fail.
    let _ = write!(request, r#"{{"{id_name}":{id},"{method_name}":"{method}""#);
    // A call that takes no params at all refuses even an empty list of them.
    if params != "{}" {
        let _ = write!(request, r#","{params_name}":{params}"#);
    }
    request.push('}');
    request
}

/// Cuts a message into its parts. `None` if the text is not an object.
pub(crate) fn read(words: &Envelope, body: Bytes) -> Option<Message> {
    // Checked as a whole, which is faster than text by text.
    let text = std::str::from_utf8(&body).ok()?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let cut = Cutting(words).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    let slice = |part: &RawValue| body.slice_ref(part.get().as_bytes());
    let part = match (cut.error.filter(|error| error.get() != "null"), cut.result, cut.event) {
        (Some(error), ..) => Part::Error(slice(error)),
        (None, Some(result), _) => Part::Result(slice(result)),
        (None, None, Some(event)) => Part::Event { subscription: cut.subscription.map(slice), data: slice(event) },
        (None, None, None) => Part::Nothing,
    };
    let id = match cut.id.map(RawValue::get) {
        None | Some("null") => Id::Missing,
        Some(id) => id.parse().map_or(Id::Other, Id::Number),
    };
    let status = cut.status.and_then(|status| StatusCode::from_u16(status.get().parse().ok()?).ok());
    let limits = cut.limits.map(slice);
    Some(Message { status, limits, ..Message::new(body, id, part) })
}

/// Members of a message, each as its own text.
#[derive(Default)]
struct Cut<'a> {
    id: Option<&'a RawValue>,
    status: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    event: Option<&'a RawValue>,
    subscription: Option<&'a RawValue>,
    limits: Option<&'a RawValue>,
}

struct Cutting<'w>(&'w Envelope);

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> DeserializeSeed<'de> for Cutting<'_> {
    type Value = Cut<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cut<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Cutting<'_> {
    type Value = Cut<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cut<'de>, A::Error> {
        let words = self.0;
        let event = words.event.as_ref();
        let mut cut = Cut::default();
        while let Some(Name(name)) = map.next_key()? {
            let name = &*name;
            let place = if name == words.id {
                &mut cut.id
            } else if name == words.status {
                &mut cut.status
            } else if name == words.result {
                &mut cut.result
            } else if name == words.error {
                &mut cut.error
            } else if event.is_some_and(|event| name == event.data) {
                &mut cut.event
            } else if event.is_some_and(|event| name == event.subscription) {
                &mut cut.subscription
            } else if words.limits.as_ref().is_some_and(|limits| name == limits.list) {
                &mut cut.limits
            } else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            *place = Some(map.next_value()?);
        }
        Ok(cut)
    }
}

/// Takes the envelope off a response. `now` is the venue's time, as far as it is known.
pub(crate) fn unwrap(
    venue: &'static Venue,
    words: &Envelope,
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
        let failed = match retry_at(words, &inner, now) {
            Some(wait) => failed.waiting(believed(wait, longest(venue, operation, status))),
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
            let message = "the message holds neither a result nor an error".to_owned();
            Err(Response::new(operation, status, HeaderMap::new(), body).refused(ErrorKind::Decode, message))
        }
    }
}

/// The longest wait that is believed after a reply with this status.
fn longest(venue: &Venue, operation: &Operation, status: StatusCode) -> Duration {
    let ban = venue.errors.bans.iter().find(|(banned, _)| *banned == status.as_u16());
    let longest = longest_after(venue, operation);
    ban.map_or(longest, |(_, seconds)| longest.max(Duration::from_secs((*seconds).into())))
}

/// What a reply says has been used of the venue's limits. An entry that cannot be read says nothing.
pub(crate) fn used(words: &Envelope, limits: &[u8]) -> Vec<UsedCount<'static>> {
    let Some(words) = &words.limits else { return Vec::new() };
    let entries: Vec<&RawValue> = serde_json::from_slice(limits).unwrap_or_default();
    let read = |entry: &&RawValue| {
        let entry = Members::of(entry.get())?;
        let text = |name: &str| string(entry.get(name)?);
        let number = |name: &str| entry.get(name)?.get().parse::<u64>().ok();
        let (kind, unit) = (text(words.kind)?, text(words.unit)?);
        let (_, bucket) = words.buckets.iter().find(|(name, _)| *name == kind)?;
        let (_, seconds) = words.units.iter().find(|(name, _)| *name == unit)?;
        Some(UsedCount { bucket, seconds: seconds.checked_mul(number(words.number)?)?, used: number(words.used)? })
    };
    entries.iter().filter_map(read).collect()
}

/// Above this a time is in microseconds, as a connection may have all of its times.
const MICROS: i64 = 100_000_000_000_000;

/// How long the venue takes no call. A time that cannot be read says nothing.
fn retry_at(words: &Envelope, error: &[u8], now: UnixMillis) -> Option<Duration> {
    let members = Members::of(std::str::from_utf8(error).ok()?)?;
    let value = members.at(words.retry_at?).pop()?;
    let text = string(value).unwrap_or_else(|| value.get().to_owned());
    let time: i64 = text.trim().parse().ok()?;
    let millis = if time >= MICROS { time / 1000 } else { time };
    Some(Duration::from_millis(u64::try_from(millis.saturating_sub(now.get())).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use venuekit_wire::operation::{Errors, EventMembers, ReplyLimits, Retry, WebSocket};

    use super::*;
    use crate::fixtures;

    pub(crate) static WORDS: Envelope = Envelope {
        id: "id",
        method: "method",
        params: "params",
        status: "status",
        result: "result",
        error: "error",
        retry_at: Some("/data/retryAfter"),
        event: Some(EventMembers { data: "event", subscription: "subscriptionId" }),
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
            ..fixtures::ERRORS
        },
        ..fixtures::VENUE
    };

    static ORDER: Operation = Operation { retry: Retry::Never, ..fixtures::OPERATION };

    const NOW: UnixMillis = UnixMillis(1_795_316_400_000);

    fn message(text: &str) -> Message {
        read(&WORDS, Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn unwrapped(text: &str) -> Result<Response, Error> {
        unwrap(&VENUE, &WORDS, &ORDER, message(text), NOW)
    }

    #[test]
    fn a_table_without_a_description_has_none() {
        static RPC: Venue = Venue { websocket: Some(WebSocket::EMPTY), ..fixtures::VENUE };
        static REST: Venue = fixtures::VENUE;
        assert!(of(&RPC).is_none() && of(&REST).is_none());
    }

    #[test]
    fn a_request_has_no_params_where_there_are_none() {
        assert_eq!(request(&WORDS, "ping", 7, "{}"), r#"{"id":7,"method":"ping"}"#);
        let request = request(&WORDS, "order.status", 8, r#"{"orderId":5}"#);
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
            assert!(read(&WORDS, Bytes::copy_from_slice(other.as_bytes())).is_none(), "{other}");
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
        ] {
            assert!(unwrapped(unknown).unwrap_err().may_have_been_applied(), "{unknown}");
        }
        let failed = unwrapped(r#"{"id":1,"status":500,"result":{}}"#).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Server, "a failure is no success, whatever it brings");
    }

    #[test]
    fn the_time_to_come_back_is_a_moment_and_no_span() {
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
    fn what_was_used_is_read_of_what_is_counted_here() {
        let limits = r#"[
            {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":12},
            {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":5,"limit":61000,"count":3},
            {"rateLimitType":"REQUEST_WEIGHT","interval":"AGE","intervalNum":1,"count":12},
            {"rateLimitType":"ORDERS","interval":"MINUTE","intervalNum":1,"count":12},
            {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1},
            {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":18446744073709551615,"count":1},
            7
        ]"#;
        let used = used(&WORDS, limits.as_bytes());
        let used: Vec<_> = used.iter().map(|count| (count.bucket, count.seconds, count.used)).collect();
        assert_eq!(used, [("weight", 60, 12), ("weight", 300, 3)]);
        assert!(super::used(&WORDS, b"{}").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".*") {
            let _ = read(&WORDS, Bytes::from(text));
        }

        #[test]
        fn no_reply_breaks_what_is_made_of_it(id in ".{0,9}", status: u16, code: i64, at: i64) {
            let text = serde_json::json!({"id": id, "status": status, "error": {"code": code, "data": {"retryAfter": at}}});
            prop_assert!(unwrapped(&text.to_string()).is_err());
        }
    }
}
