//! A rule as data: which calls, which fault, how often.

use serde::{Deserialize, Serialize};

/// What a call travels over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Requests with answers. The handshake of a WebSocket is one.
    Http,
    /// Messages of a connection.
    Websocket,
}

/// What happens to a call. Except where it says otherwise, the call is carried out.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The answer comes late.
    Delay {
        /// By so many milliseconds.
        ms: u64,
    },
    /// The connection is cut, and the call is not carried out.
    DropBefore,
    /// The connection is cut in place of the answer.
    DropAfter,
    /// No answer comes, the connection stays, and the call is not carried out.
    SilenceBefore,
    /// No answer comes, and the connection stays.
    SilenceAfter,
    /// The connection is cut in the middle of the answer: of its frame, or of its body.
    CloseMidAnswer,
    /// The answer waits until the next one has gone. WebSocket only.
    Reorder,
    /// The answer comes twice. WebSocket only.
    Duplicate,
    /// The answer comes in several frames. WebSocket only.
    Split {
        /// In so many.
        parts: usize,
    },
    /// Before the answer comes another one, to a call that nobody made. WebSocket only.
    UnknownId,
    /// Another answer comes in place of the venue's. HTTP only.
    Status {
        /// Its status.
        status: u16,
        /// Its body; a short web page where there is none.
        body: Option<String>,
        /// The type of the body; `text/html` where there is none.
        content_type: Option<String>,
        /// Seconds for the header `Retry-After`.
        retry_after: Option<u64>,
        /// Whether the call is carried out all the same.
        executed: bool,
    },
}

impl Fault {
    /// An answer with that status, a web page, to a call that is not carried out.
    pub fn status(status: u16) -> Self {
        Self::Status { status, body: None, content_type: None, retry_after: None, executed: false }
    }

    pub(super) fn happens_over(&self, transport: Transport) -> bool {
        match self {
            Self::Reorder | Self::Duplicate | Self::Split { .. } | Self::UnknownId => transport == Transport::Websocket,
            Self::Status { .. } => transport == Transport::Http,
            _ => true,
        }
    }
}

/// Which calls meet which fault. What is left out holds for all.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "RuleText", into = "RuleText")]
#[non_exhaustive]
pub struct Rule {
    /// The venue, such as `kalshi`.
    pub venue: Option<String>,
    /// A JSON-RPC method such as `private/buy`, or method and path such as `DELETE /trade-api/v2/portfolio/orders/{order_id}`,
    /// where a segment in braces stands for any. The handshake of a WebSocket meets a fault only where it is named:
    /// `GET /ws/api/v2`.
    pub operation: Option<String>,
    /// What the call travels over.
    pub transport: Option<Transport>,
    /// What happens.
    pub fault: Fault,
    /// So many calls pass first.
    pub skip: u64,
    /// How often it happens; without end where nothing is said.
    pub times: Option<u64>,
    /// How likely it is to happen, from 0 to 1.
    pub chance: Option<f64>,
}

impl Rule {
    /// A rule for every call.
    pub fn new(fault: Fault) -> Self {
        Self { venue: None, operation: None, transport: None, fault, skip: 0, times: None, chance: None }
    }

    /// The same rule for one operation.
    #[must_use]
    pub fn on(self, operation: impl Into<String>) -> Self {
        Self { operation: Some(operation.into()), ..self }
    }

    /// The same rule for one venue.
    #[must_use]
    pub fn at(self, venue: impl Into<String>) -> Self {
        Self { venue: Some(venue.into()), ..self }
    }

    /// The same rule over one transport.
    #[must_use]
    pub fn over(self, transport: Transport) -> Self {
        Self { transport: Some(transport), ..self }
    }

    /// The same rule, which lets so many calls pass first.
    #[must_use]
    pub fn skip(self, skip: u64) -> Self {
        Self { skip, ..self }
    }

    /// The same rule, which ends after so many calls.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// The same rule, which strikes with that chance.
    #[must_use]
    pub fn chance(self, chance: f64) -> Self {
        Self { chance: Some(chance), ..self }
    }

    /// Whether a call has the rule's operation for a name.
    pub(super) fn names(&self, names: &[&str]) -> bool {
        let Some(operation) = &self.operation else { return true };
        names.iter().any(|name| is_named(operation, name))
    }
}

fn is_named(pattern: &str, name: &str) -> bool {
    let is_placeholder = |segment: &str| segment.starts_with('{') && segment.ends_with('}');
    let (mut patterns, mut segments) = (pattern.split('/'), name.split('/'));
    loop {
        match (patterns.next(), segments.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment)) if pattern == segment || is_placeholder(pattern) => {}
            _ => return false,
        }
    }
}

/// The written form: flat, and without room for a misspelt name.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    venue: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transport: Option<Transport>,
    fault: FaultName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    executed: Option<bool>,
    #[serde(default, skip_serializing_if = "is_zero")]
    skip: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chance: Option<f64>,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum FaultName {
    Delay,
    DropBefore,
    DropAfter,
    SilenceBefore,
    SilenceAfter,
    CloseMidAnswer,
    Reorder,
    Duplicate,
    Split,
    UnknownId,
    Status,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl TryFrom<RuleText> for Rule {
    type Error = String;

    fn try_from(text: RuleText) -> Result<Self, String> {
        let only_for = |name: FaultName, field: &str, is_given: bool| {
            if is_given && name != text.fault {
                Err(format!("`{field}` does not belong to this fault"))
            } else {
                Ok(())
            }
        };
        only_for(FaultName::Delay, "ms", text.ms.is_some())?;
        only_for(FaultName::Split, "parts", text.parts.is_some())?;
        only_for(FaultName::Status, "status", text.status.is_some())?;
        only_for(FaultName::Status, "body", text.body.is_some())?;
        only_for(FaultName::Status, "content_type", text.content_type.is_some())?;
        only_for(FaultName::Status, "retry_after", text.retry_after.is_some())?;
        only_for(FaultName::Status, "executed", text.executed.is_some())?;
        if text.chance.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
            return Err("`chance` lies between 0 and 1".to_owned());
        }
        let fault = match text.fault {
            FaultName::Delay => Fault::Delay { ms: text.ms.ok_or("`delay` needs `ms`")? },
            FaultName::DropBefore => Fault::DropBefore,
            FaultName::DropAfter => Fault::DropAfter,
            FaultName::SilenceBefore => Fault::SilenceBefore,
            FaultName::SilenceAfter => Fault::SilenceAfter,
            FaultName::CloseMidAnswer => Fault::CloseMidAnswer,
            FaultName::Reorder => Fault::Reorder,
            FaultName::Duplicate => Fault::Duplicate,
            FaultName::Split => Fault::Split { parts: text.parts.unwrap_or(2) },
            FaultName::UnknownId => Fault::UnknownId,
            FaultName::Status => Fault::Status {
                status: text
                    .status
                    .filter(|status| (200..=599).contains(status))
                    .ok_or("`status` needs a status from 200 to 599")?,
                body: text.body,
                content_type: text.content_type,
                retry_after: text.retry_after,
                executed: text.executed.unwrap_or_default(),
            },
        };
        let RuleText { venue, operation, transport, skip, times, chance, .. } = text;
        Ok(Self { venue, operation, transport, fault, skip, times, chance })
    }
}

impl From<Rule> for RuleText {
    fn from(rule: Rule) -> Self {
        let Rule { venue, operation, transport, fault, skip, times, chance } = rule;
        let mut text = Self {
            venue,
            operation,
            transport,
            fault: FaultName::Delay,
            ms: None,
            parts: None,
            status: None,
            body: None,
            content_type: None,
            retry_after: None,
            executed: None,
            skip,
            times,
            chance,
        };
        text.fault = match fault {
            Fault::Delay { ms } => {
                text.ms = Some(ms);
                FaultName::Delay
            }
            Fault::DropBefore => FaultName::DropBefore,
            Fault::DropAfter => FaultName::DropAfter,
            Fault::SilenceBefore => FaultName::SilenceBefore,
            Fault::SilenceAfter => FaultName::SilenceAfter,
            Fault::CloseMidAnswer => FaultName::CloseMidAnswer,
            Fault::Reorder => FaultName::Reorder,
            Fault::Duplicate => FaultName::Duplicate,
            Fault::Split { parts } => {
                text.parts = Some(parts);
                FaultName::Split
            }
            Fault::UnknownId => FaultName::UnknownId,
            Fault::Status { status, body, content_type, retry_after, executed } => {
                (text.status, text.body, text.content_type) = (Some(status), body, content_type);
                (text.retry_after, text.executed) = (retry_after, Some(executed));
                FaultName::Status
            }
        };
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_and_written_as_json() {
        let text = r#"[{"operation":"private/buy","fault":"drop-after","times":1},
            {"venue":"kalshi","transport":"http","fault":"status","status":429,"retry_after":1},
            {"fault":"split","parts":3,"skip":2,"chance":0.5}]"#;
        let rules: Vec<Rule> = serde_json::from_str(text).unwrap();
        let status =
            Fault::Status { status: 429, body: None, content_type: None, retry_after: Some(1), executed: false };
        let expected = [
            Rule::new(Fault::DropAfter).on("private/buy").times(1),
            Rule::new(status).at("kalshi").over(Transport::Http),
            Rule::new(Fault::Split { parts: 3 }).skip(2).chance(0.5),
        ];
        assert_eq!(rules, expected);
        let written = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Rule>>(&written).unwrap(), expected);
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_refused() {
        for wrong in [
            r#"{}"#,
            r#"{"fault":"explode"}"#,
            r#"{"fault":"delay"}"#,
            r#"{"fault":"reorder","ms":5}"#,
            r#"{"fault":"status","status":99}"#,
            r#"{"fault":"drop-after","time":1}"#,
            r#"{"fault":"drop-after","chance":1.5}"#,
        ] {
            assert!(serde_json::from_str::<Rule>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_segment_in_braces_stands_for_any() {
        assert!(is_named("DELETE /v1/orders/{id}", "DELETE /v1/orders/17"));
        assert!(!is_named("DELETE /v1/orders/{id}", "GET /v1/orders/17"));
        assert!(!is_named("DELETE /v1/orders/{id}", "DELETE /v1/orders/17/fills"));
        assert!(is_named("private/buy", "private/buy"));
        assert!(!is_named("private/buy", "private/buy_more"));
    }
}
