//! A message as a line: for people, and as JSON.

use std::time::SystemTime;

use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use venuekit_streams::{Message, Origin, Raw};

use super::status::{as_written, millis};
use crate::raw_json::RawJson;

/// Of a longer list people are shown so many, and how many more there are.
const SHOWN: usize = 3;

/// A message with what is known of how it came.
#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    channel: &'a str,
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    kind: &'a str,
    received_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<i64>,
    origin: &'static str,
    /// How many older messages it stands for.
    #[serde(skip_serializing_if = "is_zero")]
    replaced: u64,
    data: &'a RawValue,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Stream => "stream",
        Origin::CatchUp => "catch_up",
        _ => "other",
    }
}

/// A message as one line of JSON, its data as the venue wrote it.
pub fn json(channel: &str, message: &Message<Raw>) -> String {
    let line = Line {
        event: "message",
        channel,
        kind: &message.value.kind,
        received_ms: millis(message.received),
        sent_ms: message.sent.map(|sent| sent.0),
        sequence: message.sequence,
        origin: origin(message.origin),
        replaced: message.replaced,
        data: as_written(&message.value.raw).unwrap_or(RawValue::NULL),
    };
    // Texts and numbers alone: it cannot fail.
    serde_json::to_string(&line).unwrap_or_default()
}

/// A message as one line for people: when it came, what it is, and its members.
pub fn text(channel: &str, message: &Message<Raw>) -> String {
    let kind = if message.value.kind.is_empty() { channel } else { &message.value.kind };
    let late = if message.origin == Origin::CatchUp { " (caught up)" } else { "" };
    let data = String::from_utf8_lossy(&message.value.raw);
    let data = match RawJson::parse(&data) {
        Ok(value) => members(&value),
        Err(_) => data.into_owned(),
    };
    format!("{}  {kind}{late}  {data}", clock(message.received))
}

/// The time of day in UTC.
pub fn clock(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    format!("{:02}:{:02}:{:02}.{:03}", time.hour(), time.minute(), time.second(), time.millisecond())
}

/// The members of an object as `name=value`, those of inner objects as `outer.inner=value`. Nulls are left out.
fn members(value: &RawJson) -> String {
    let mut found = Vec::new();
    collect(value, "", &mut found);
    found.join(" ")
}

fn collect(value: &RawJson, way: &str, found: &mut Vec<String>) {
    let name = |value: String| if way.is_empty() { value } else { format!("{way}={value}") };
    match value {
        RawJson::Scalar(raw) if raw == "null" => {}
        RawJson::Scalar(raw) => {
            // A text without blanks needs no quotation marks.
            let plain = value.as_text().filter(|text| !text.is_empty() && !text.contains(char::is_whitespace));
            found.push(name(plain.unwrap_or_else(|| raw.clone())));
        }
        RawJson::List(items) => {
            let shown: Vec<String> = items.iter().take(SHOWN).map(RawJson::compact).collect();
            let more = match items.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(",...{more} more"),
            };
            found.push(name(format!("[{}{more}]", shown.join(","))));
        }
        RawJson::Object(members) => {
            for (own, value) in members {
                let way = if way.is_empty() { own.clone() } else { format!("{way}.{own}") };
                collect(value, &way, found);
            }
        }
    }
}
