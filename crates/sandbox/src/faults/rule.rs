//! A rule as data: which calls, which fault, how often.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a call travels over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Requests with answers. The handshake of a WebSocket is one.
    Http,
    /// Messages of a connection.
    Websocket,
    /// Frames of a stream: data, replies to commands, and the commands themselves.
    Stream,
}

/// What happens to a call, or to a frame of a stream. Except where it says otherwise, a call is carried out.
///
/// Of those that are not of streams alone, frames meet [`Delay`](Self::Delay), [`DropBefore`](Self::DropBefore),
/// [`CloseMidAnswer`](Self::CloseMidAnswer), [`Reorder`](Self::Reorder), [`Duplicate`](Self::Duplicate) and
/// [`Split`](Self::Split), and only by rules that name a channel or are [`over`](Rule::over) streams.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "fault", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// The response comes late.
    Delay {
        /// By this many milliseconds.
        ms: u64,
    },
    /// The connection is cut, and the call is not carried out, or the frame is not sent.
    DropBefore,
    /// The connection is cut in place of the response.
    DropAfter,
    /// No response comes, the connection stays, and the call or command is not carried out.
    SilenceBefore,
    /// No response comes, and the connection stays.
    SilenceAfter,
    /// The connection is cut in the middle of the response: of its frame, or of its body.
    CloseMidAnswer,
    /// The response, or frame, waits until the next one has gone. Not over HTTP.
    Reorder,
    /// The response, or frame, comes twice. Not over HTTP.
    Duplicate,
    /// The response comes in several frames, of which all but the first continue it. Not over HTTP.
    Split {
        /// In so many.
        #[serde(default = "two")]
        parts: usize,
    },
    /// Before the response comes another one, to a call that nobody made. WebSocket only.
    UnknownId,
    /// Another answer comes in place of the venue's. HTTP only.
    Status {
        /// Its status.
        status: u16,
        /// Its body; a short web page by default.
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// The type of the body; `text/html` by default.
        #[serde(skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        /// Seconds for the header `Retry-After`.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        /// Whether the call is carried out nevertheless.
        #[serde(default)]
        executed: bool,
    },
    /// The frame is not sent. Where frames are counted, its number is missing. Streams only, as all that follow.
    Drop,
    /// So many numbers of the subscription are left out before the frame.
    Gap {
        /// How many.
        #[serde(default = "one")]
        by: u64,
    },
    /// The numbers of the subscription begin again with the frame.
    Restart,
    /// The connection is closed in place of the frame.
    Close {
        /// The code, such as 1001.
        code: u16,
        /// The reason.
        #[serde(default)]
        reason: String,
    },
    /// Nothing is read or written for a while, and then the frame comes. What waits too long meanwhile is given up as the venue does.
    Stall {
        /// For this many milliseconds.
        ms: u64,
    },
    /// In place of the frame, or of carrying a command out, comes an error.
    Error {
        /// Its code, where the venue's errors have one.
        #[serde(default)]
        code: i64,
        /// Its text; the venue's own by default.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// The reader counts as too slow, and loses what the venue takes from such a one.
    SlowReader,
    /// A channel of a command is left out, without a word.
    LeaveOut,
    /// The message waits for others, and all go in one frame, a line each.
    Several {
        /// So many.
        #[serde(default = "two")]
        count: usize,
    },
    /// Before the frame comes another one, of a type that it is unknown. Where frames are counted, it has a number.
    UnknownType,
    /// The frame has another value in one place: one that is unknown, null, or makes no sense.
    Set {
        /// A JSON pointer into the frame, such as `/msg/side`. The last member may be one that is not there.
        at: String,
        /// The value.
        to: Value,
    },
    /// All numbers of the frame are written with an exponent. They are the same numbers.
    Exponents,
    /// A ping follows the frame in the same write.
    Ping,
}

impl Fault {
    /// A response with that status, a web page, to a call that is not carried out.
    pub fn status(status: u16) -> Self {
        Self::Status { status, body: None, content_type: None, retry_after: None, executed: false }
    }

    /// An error of the venue in place of a frame or of carrying a command out.
    pub fn error(code: i64) -> Self {
        Self::Error { code, text: None }
    }

    /// Another value in one place of a frame.
    pub fn set_to(at: impl Into<String>, to: impl Into<Value>) -> Self {
        Self::Set { at: at.into(), to: to.into() }
    }

    /// Whether it can happen to what travels so.
    pub fn happens_over(&self, transport: Transport) -> bool {
        match self {
            Self::Reorder | Self::Duplicate | Self::Split { .. } => transport != Transport::Http,
            Self::UnknownId => transport == Transport::Websocket,
            Self::Status { .. } => transport == Transport::Http,
            Self::Delay { .. } | Self::DropBefore | Self::SilenceBefore | Self::CloseMidAnswer => true,
            Self::DropAfter | Self::SilenceAfter => transport != Transport::Stream,
            _ => transport == Transport::Stream,
        }
    }

    /// Whether it can happen to frames of streams alone.
    pub(super) fn is_of_streams(&self) -> bool {
        [Transport::Http, Transport::Websocket].into_iter().all(|transport| !self.happens_over(transport))
    }
}

/// Which calls meet which fault. What is left out holds for all.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Map<String, Value>")]
#[non_exhaustive]
pub struct Rule {
    /// The venue, such as `kalshi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// A JSON-RPC method such as `private/buy`, or method and path such as `DELETE /trade-api/v2/portfolio/orders/{order_id}`,
    /// where a segment in braces stands for any. The handshake of a WebSocket meets a fault only where it is named:
    /// `GET /ws/api/v2`.
    ///
    /// Of streams, a frame of data is `data`, its channel such as `trade`, channel and type such as
    /// `orderbook_delta/orderbook_snapshot`, or these and the market; a reply is `reply`, its type such as `subscribed`, or type
    /// and channel. A command meets a fault only where it is named: `subscribe`, or with a channel `subscribe/trade`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What the call travels over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// What happens.
    #[serde(flatten)]
    pub fault: Fault,
    /// So many calls pass first.
    #[serde(skip_serializing_if = "is_zero")]
    pub skip: u64,
    /// How often it happens; without end where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// How likely it is to happen, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
}

impl Rule {
    /// A rule for every call.
    pub fn new(fault: Fault) -> Self {
        Self { venue: None, operation: None, transport: None, fault, skip: 0, times: None, chance: None }
    }

    /// The same rule for one operation: its method and path as the spec has them, such as `POST /trade-api/v2/portfolio/events/orders`,
    /// or the method of JSON-RPC. A rule with another name never strikes; [`resolve`](Self::resolve) translates the name of a
    /// generated client, such as `create_order_v2`, and refuses one that no venue has.
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

/// The written form: flat, with the fault's own members beside the rule's, and without room for a misspelt name.
impl TryFrom<Map<String, Value>> for Rule {
    type Error = String;

    fn try_from(text: Map<String, Value>) -> Result<Self, String> {
        let (of_rule, of_fault): (Map<_, _>, Map<_, _>) =
            text.into_iter().partition(|(name, _)| RULE_MEMBERS.contains(&name.as_str()));
        let said = |error: serde_json::Error| error.to_string();
        let calls: Calls = serde_json::from_value(Value::Object(of_rule)).map_err(said)?;
        let fault: Fault = serde_json::from_value(Value::Object(of_fault.clone())).map_err(said)?;
        // A fault without members of its own would pass over any.
        let known = serde_json::to_value(&fault).map_err(said)?;
        if known.as_object().is_some_and(|known| known.len() == 1)
            && let Some(other) = of_fault.keys().find(|name| *name != "fault")
        {
            return Err(format!("`{other}` does not belong to this fault"));
        }
        if calls.chance.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
            return Err("`chance` lies between 0 and 1".to_owned());
        }
        if matches!(fault, Fault::Close { code, .. } if !may_be_sent(code)) {
            return Err("`code` lies between 1000 and 4999, and is one that may be sent".to_owned());
        }
        if matches!(&fault, Fault::Close { reason, .. } if reason.len() > LONGEST_REASON) {
            return Err(format!("`reason` has at most {LONGEST_REASON} bytes"));
        }
        if matches!(fault, Fault::Status { status, .. } if !(200..=599).contains(&status)) {
            return Err("`status` lies between 200 and 599".to_owned());
        }
        let Calls { venue, operation, transport, skip, times, chance } = calls;
        Ok(Self { venue, operation, transport, fault, skip, times, chance })
    }
}

/// A close frame has no room for more.
const LONGEST_REASON: usize = 123;

/// Whether a close frame may carry a code. Some stand for a close without a frame or a code (RFC 6455, section 7.4).
fn may_be_sent(code: u16) -> bool {
    (1000..=4999).contains(&code) && ![1004, 1005, 1006, 1015].contains(&code)
}

/// The members of a rule, other than its fault.
#[derive(Deserialize)]
struct Calls {
    venue: Option<String>,
    operation: Option<String>,
    transport: Option<Transport>,
    #[serde(default)]
    skip: u64,
    times: Option<u64>,
    chance: Option<f64>,
}

const RULE_MEMBERS: [&str; 6] = ["venue", "operation", "transport", "skip", "times", "chance"];

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn one() -> u64 {
    1
}

fn two() -> usize {
    2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_and_written_as_json() {
        let text = r#"[{"operation":"private/buy","fault":"drop-after","times":1},
            {"venue":"kalshi","transport":"http","fault":"status","status":429,"retry_after":1},
            {"fault":"split","parts":3,"skip":2,"chance":0.5},
            {"operation":"orderbook_delta/orderbook_delta","fault":"set","at":"/msg/side","to":"maybe"},
            {"operation":"subscribe/trade","fault":"error","code":10},
            {"transport":"stream","fault":"gap","by":1}]"#;
        let rules: Vec<Rule> = serde_json::from_str(text).unwrap();
        let status =
            Fault::Status { status: 429, body: None, content_type: None, retry_after: Some(1), executed: false };
        let expected = [
            Rule::new(Fault::DropAfter).on("private/buy").times(1),
            Rule::new(status).at("kalshi").over(Transport::Http),
            Rule::new(Fault::Split { parts: 3 }).skip(2).chance(0.5),
            Rule::new(Fault::set_to("/msg/side", "maybe")).on("orderbook_delta/orderbook_delta"),
            Rule::new(Fault::error(10)).on("subscribe/trade"),
            Rule::new(Fault::Gap { by: 1 }).over(Transport::Stream),
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
            r#"{"fault":"delay","ms":5,"parts":2}"#,
            r#"{"fault":"status","status":99}"#,
            r#"{"fault":"close","code":99}"#,
            r#"{"fault":"close","code":1005}"#,
            r#"{"fault":"close","code":1006}"#,
            r#"{"fault":"close","code":1015}"#,
            r#"{"fault":"drop","ms":5}"#,
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
