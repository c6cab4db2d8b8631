//! What a stream tells beside its data: as a sentence, and as JSON.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use venuekit_streams::{Ended, Event, Missed, Raw, Reason, Refusal, Resynced, Silent, Stale};

/// A state of the data, whatever its type is.
#[derive(Clone, Copy, Debug)]
pub enum StreamStatus<'a> {
    /// From here on something may be missing.
    Stale {
        /// Why.
        reason: &'a Reason,
        /// What it is about; everything, by default.
        item: Option<&'a Arc<str>>,
        /// Since when.
        since: SystemTime,
    },
    /// It is certain again.
    Resynced {
        /// What it is about.
        item: Option<&'a Arc<str>>,
        /// How much is missing for good.
        missed: Missed,
        /// How many messages calls brought.
        caught_up: u64,
    },
    /// So many messages were dropped here.
    Lagged(u64),
    /// A message that the types do not know, or that cannot be read.
    Unknown {
        /// Its type; empty where it names none.
        kind: &'a str,
        /// Its text.
        raw: &'a [u8],
        /// When it was read.
        received: SystemTime,
        /// Why it cannot be read; nothing where its type is unknown.
        error: Option<&'a str>,
    },
    /// Items that the venue no longer serves.
    Refused(&'a Refusal),
    /// The venue has accepted it, and sent nothing.
    Silent(&'a Silent),
    /// Nothing follows.
    Ended(&'a Ended),
}

impl<'a> StreamStatus<'a> {
    /// The state that an event is, where it is no message.
    pub fn of<T>(event: &'a Event<T>) -> Option<Self> {
        match event {
            Event::Stale(Stale { reason, item, since, .. }) => {
                Some(Self::Stale { reason, item: item.as_ref(), since: *since })
            }
            Event::Resynced(Resynced { item, missed, caught_up, .. }) => {
                Some(Self::Resynced { item: item.as_ref(), missed: *missed, caught_up: *caught_up })
            }
            Event::Lagged(count) => Some(Self::Lagged(*count)),
            Event::Unknown(Raw { kind, raw, received, error, .. }) => {
                Some(Self::Unknown { kind, raw, received: *received, error: error.as_deref() })
            }
            Event::Refused(refusal) => Some(Self::Refused(refusal)),
            Event::Silent(silent) => Some(Self::Silent(silent)),
            Event::Ended(ended) => Some(Self::Ended(ended)),
            _ => None,
        }
    }

    /// As a sentence.
    pub fn text(&self) -> String {
        let of = |item: &Option<&Arc<str>>| item.map_or(String::new(), |item| format!(" {item}"));
        match self {
            Self::Stale { reason, item, .. } => format!("stale{}: {reason}", of(item)),
            Self::Resynced { item, missed, caught_up } => {
                let missed = match missed {
                    Missed::None => "nothing is missing".to_owned(),
                    Missed::Exactly(1) => "1 frame was missed".to_owned(),
                    Missed::Exactly(count) => format!("{count} frames were missed"),
                    _ => "number of missed messages unknown".to_owned(),
                };
                let caught_up = match caught_up {
                    0 => String::new(),
                    count => format!(", {count} caught up"),
                };
                format!("resynchronized{}: {missed}{caught_up}", of(item))
            }
            Self::Lagged(count) => format!("too slow: {count} messages were dropped here"),
            Self::Unknown { kind, raw, error, .. } => {
                let why = match error {
                    Some(error) => format!("cannot be read ({error})"),
                    None => "is unknown".to_owned(),
                };
                let raw = String::from_utf8_lossy(raw);
                match kind.is_empty() {
                    true => format!("a message {why}: {raw}"),
                    false => format!("a message of the type {kind} {why}: {raw}"),
                }
            }
            Self::Refused(refusal) => refusal.to_string(),
            Self::Silent(silent) => silent.to_string(),
            Self::Ended(ended) => format!("ended: {ended}"),
        }
    }

    /// As JSON: `event` names it.
    pub fn json(&self) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| _ = members.insert(name.to_owned(), value);
        match self {
            Self::Stale { reason, item, since } => {
                put("event", json!("stale"));
                put("reason", json!(reason_word(reason)));
                put("text", json!(reason.to_string()));
                put("item", json!(item.map(|item| &**item)));
                put("since_ms", json!(millis(*since)));
                if let Reason::Gap { expected, got } = reason {
                    put("expected", json!(expected));
                    put("got", json!(got));
                }
            }
            Self::Resynced { item, missed, caught_up } => {
                put("event", json!("resynced"));
                put("item", json!(item.map(|item| &**item)));
                let missed = match missed {
                    Missed::None => json!(0),
                    Missed::Exactly(count) => json!(count),
                    _ => Value::Null,
                };
                put("missed", missed);
                put("caught_up", json!(caught_up));
            }
            Self::Lagged(count) => {
                put("event", json!("lagged"));
                put("dropped", json!(count));
            }
            Self::Unknown { kind, raw, received, error } => {
                put("event", json!("unknown"));
                put("type", json!(kind));
                put("received_ms", json!(millis(*received)));
                put("error", json!(error));
                // As a text: it may be no JSON, and its digits are to stay.
                put("raw", json!(String::from_utf8_lossy(raw)));
            }
            Self::Refused(refusal) => {
                put("event", json!("refused"));
                put("refusal", refusal_json(refusal));
            }
            Self::Silent(silent) => {
                put("event", json!("silent"));
                put("topic", json!(silent.topic.to_string()));
                put("after_ms", json!(u64::try_from(silent.after.as_millis()).unwrap_or(u64::MAX)));
            }
            Self::Ended(ended) => {
                put("event", json!("ended"));
                let reason = match ended {
                    Ended::Closed => "closed",
                    Ended::Refused(_) => "refused",
                    _ => "failed",
                };
                put("reason", json!(reason));
                put("text", json!(ended.to_string()));
                if let Ended::Refused(refusal) = ended {
                    put("refusal", refusal_json(refusal));
                }
            }
        }
        Value::Object(members)
    }
}

/// What was refused, for scripts.
pub fn refusal_json(refusal: &Refusal) -> Value {
    let items: Vec<&str> = refusal.items.iter().map(|item| &**item).collect();
    json!({"topic": refusal.topic.to_string(), "items": items, "code": refusal.code, "text": refusal.text})
}

fn reason_word(reason: &Reason) -> &'static str {
    match reason {
        Reason::Gap { .. } => "gap",
        Reason::NoSnapshot => "no_snapshot",
        Reason::Reconnect(_) => "reconnect",
        Reason::CredentialRefused(_) => "credential-refused",
        Reason::Overflow => "overflow",
        Reason::BookFault(_) => "book_fault",
        Reason::ClosedByVenue { .. } => "closed_by_venue",
        Reason::Shared => "shared",
        _ => "other",
    }
}

/// Milliseconds since 1970.
pub fn millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
    }
}

/// A JSON text as it stands, with all its digits; null where it is not JSON.
pub fn as_written(bytes: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at() -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(1_790_000_000_123)
    }

    #[test]
    fn states_are_sentences_and_json() {
        let item = Arc::from("A");
        let gap = Reason::Gap { expected: 5, got: 7 };
        let status = [
            (
                StreamStatus::Stale { reason: &gap, item: Some(&item), since: at() },
                "stale A: gap: 5 was due, 7 came",
                json!({"event": "stale", "reason": "gap", "text": "gap: 5 was due, 7 came", "item": "A",
                    "since_ms": 1_790_000_000_123_i64, "expected": 5, "got": 7}),
            ),
            (
                StreamStatus::Resynced { item: None, missed: Missed::Exactly(2), caught_up: 0 },
                "resynchronized: 2 frames were missed",
                json!({"event": "resynced", "item": null, "missed": 2, "caught_up": 0}),
            ),
            (
                StreamStatus::Resynced { item: Some(&item), missed: Missed::Unknown, caught_up: 3 },
                "resynchronized A: number of missed messages unknown, 3 caught up",
                json!({"event": "resynced", "item": "A", "missed": null, "caught_up": 3}),
            ),
            (
                StreamStatus::Lagged(9),
                "too slow: 9 messages were dropped here",
                json!({"event": "lagged", "dropped": 9}),
            ),
            (
                StreamStatus::Unknown { kind: "new_type", raw: br#"{"a":1.50}"#, received: at(), error: None },
                r#"a message of the type new_type is unknown: {"a":1.50}"#,
                json!({"event": "unknown", "type": "new_type", "received_ms": 1_790_000_000_123_i64, "error": null,
                    "raw": r#"{"a":1.50}"#}),
            ),
            (
                StreamStatus::Unknown { kind: "", raw: b"{", received: at(), error: Some("end of text") },
                "a message cannot be read (end of text): {",
                json!({"event": "unknown", "type": "", "received_ms": 1_790_000_000_123_i64, "error": "end of text",
                    "raw": "{"}),
            ),
            (
                StreamStatus::Ended(&Ended::Failed("no key".to_owned())),
                "ended: no connection: no key",
                json!({"event": "ended", "reason": "failed", "text": "no connection: no key"}),
            ),
        ];
        for (status, text, json) in status {
            assert_eq!(status.text(), text);
            assert_eq!(status.json(), json);
        }
    }
}
