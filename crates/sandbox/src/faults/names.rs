//! The names in a rule: one that no call and no frame has would never strike.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use http::Method;
use serde_json::Value;
use venuekit_spec::{Operation, Spec};

use super::rule::{Rule, Transport};
use crate::binance::channel_of;

/// Below this, two names have nothing to do with each other.
const NEAR: f64 = 0.8;
/// What frames of every venue are called, whatever their channel.
const FRAMES: [&str; 5] = ["data", "reply", "heartbeat", "subscribe", "unsubscribe"];
/// The members of a dialect that name commands and replies.
const WORDS: [&str; 6] = ["subscribe", "unsubscribe", "update", "ok", "error", "quiet"];
/// What stands among them and names a member of a command.
const MEMBERS: [&str; 2] = ["sids", "action"];

impl Rule {
    /// The rule as calls are matched with it: once for each venue that has an operation of that name, which may be written as
    /// the generated clients call it. Sees that there are such a venue and such an operation, and that the fault can happen there.
    ///
    /// # Errors
    ///
    /// What is wrong with the rule, with the nearest name where there is one.
    pub fn resolve(&self) -> Result<Vec<Self>, String> {
        let spec = self.venue.as_deref().map(venue_named).transpose()?;
        let rules = match self.operation.as_deref().filter(|text| !is_handshake(text)) {
            Some(text) if is_of_streams(self) => of_streams(self, spec, text)?,
            Some(text) => named(self, spec, text)?,
            None => vec![at(self, spec)],
        };
        rules.iter().try_for_each(can_happen)?;
        Ok(rules)
    }
}

fn at(rule: &Rule, spec: Option<&'static Spec>) -> Rule {
    spec.map_or_else(|| rule.clone(), |spec| rule.clone().at(spec.venue))
}

/// Its name as people write it.
fn shown(spec: &Spec) -> String {
    spec.venue.replace('_', "-")
}

fn venue_named(text: &str) -> Result<&'static Spec, String> {
    let plain = text.to_ascii_lowercase().replace('_', "-");
    venuekit_spec::all().into_iter().find(|spec| shown(spec) == plain).ok_or_else(|| {
        let names: Vec<String> = venuekit_spec::all().into_iter().map(shown).collect();
        match closest(&plain, names.iter().map(String::as_str)) {
            Some(near) => format!("there is no venue `{text}`; did you mean `{near}`?"),
            None => format!("there is no venue `{text}`; the venues are {}", names.join(", ")),
        }
    })
}

fn venues(spec: Option<&'static Spec>) -> Vec<&'static Spec> {
    spec.map_or_else(venuekit_spec::all, |spec| vec![spec])
}

fn named(rule: &Rule, spec: Option<&'static Spec>, text: &str) -> Result<Vec<Rule>, String> {
    let venues = venues(spec);
    if venues.iter().any(|spec| is_call(spec, text)) {
        return Ok(vec![spec.map_or_else(|| rule.clone(), |spec| struck(rule, spec, text))]);
    }
    let each = venues.iter().filter_map(|spec| Some((spec, spec.named(text)?)));
    let mut rules: Vec<Rule> = each.map(|(spec, operation)| struck(rule, spec, &call(spec, operation))).collect();
    rules.dedup();
    if !rules.is_empty() {
        return Ok(rules);
    }
    if let Ok(rules) = of_streams(rule, spec, text) {
        return Ok(rules);
    }
    let operations = || venues.iter().flat_map(|spec| spec.operations());
    let names = operations().map(|one| one.name.as_str()).chain(operations().map(|one| one.id.as_str()));
    let message = unknown(spec, "operation", text);
    Err(match closest(text, names) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => format!("{message}: write its name, its JSON-RPC method, or method and path"),
    })
}

/// The sentence about a name that a venue does not have, or none of them.
fn unknown(spec: Option<&Spec>, what: &str, text: &str) -> String {
    match spec {
        Some(spec) => format!("{} has no {what} `{text}`", shown(spec)),
        None => format!("no venue has the {what} `{text}`"),
    }
}

/// The handshake of a WebSocket, which is no operation.
fn is_handshake(text: &str) -> bool {
    let Some(path) = text.strip_prefix("GET ") else { return false };
    let mut endpoints = venuekit_spec::all().into_iter().flat_map(|spec| &streams_of(spec).endpoints);
    // A segment in braces stands for any.
    let is_endpoint = endpoints.any(|endpoint| {
        let (one, other) = (endpoint.split('/'), path.split('/'));
        one.clone().count() == other.clone().count()
            && one.zip(other).all(|(own, said)| own == said || said.starts_with('{') && said.ends_with('}'))
    });
    is_endpoint || crate::binance::is_stream(path)
}

/// Whether a rule is about frames of streams, and about nothing else.
fn is_of_streams(rule: &Rule) -> bool {
    rule.transport == Some(Transport::Stream) || rule.fault.is_of_streams()
}

/// The rules for frames of this name, which begins with what a venue calls its frames or channels.
fn of_streams(rule: &Rule, spec: Option<&'static Spec>, text: &str) -> Result<Vec<Rule>, String> {
    let (first, rest) = text.split_once('/').map_or((text, None), |(first, rest)| (first, Some(rest)));
    let command = (first == "subscribe").then_some(rest).flatten();
    // Of a command for a channel, the channel has to be known.
    let (before, text) = command.map_or(("", text), |channel| ("subscribe/", channel));
    let first = text.split('/').next().unwrap_or_default();
    let venues = venues(spec);
    if venues.iter().any(|spec| streams_of(spec).strikes(first)) {
        return Ok(vec![at(rule, spec)]);
    }
    let each = venues.iter().filter_map(|spec| {
        let channel = streams_of(spec).channels.get(first)?;
        Some(rule.clone().at(spec.venue).on(format!("{before}{channel}{}", &text[first.len()..])))
    });
    let rules: Vec<Rule> = each.collect();
    if !rules.is_empty() {
        return Ok(rules);
    }
    let own = venues.iter().flat_map(|spec| streams_of(spec).names());
    let message = unknown(spec, "frame or channel", text);
    Err(match closest(first, FRAMES.into_iter().chain(own)) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => format!("{message}: write data, reply, a channel, or a command such as subscribe/CHANNEL"),
    })
}

/// The WebSockets of a venue.
struct Streams {
    /// What frames of a channel are called, by the name that the generated clients have for it.
    channels: BTreeMap<String, String>,
    /// Commands and types of replies.
    words: Vec<String>,
    /// The paths at which connections are opened.
    endpoints: Vec<String>,
    has_calls: bool,
    /// Whether frames also have the name of their stream, such as `btcusdt@trade`.
    has_names: bool,
}

/// Read from the specs, once: a rule that names no operation never asks.
fn streams_of(spec: &Spec) -> &'static Streams {
    static ALL: OnceLock<BTreeMap<&'static str, Streams>> = OnceLock::new();
    let all =
        ALL.get_or_init(|| venuekit_spec::all().into_iter().map(|spec| (spec.venue, Streams::read(spec))).collect());
    all.get(spec.venue).expect("every spec was read")
}

impl Streams {
    fn read(spec: &Spec) -> Self {
        let document: Value = serde_json::from_str(spec.document()).unwrap_or_default();
        let streams = &document["x-streams"];
        let channel = |(id, channel): (&String, &Value)| {
            (id.clone(), channel_at(channel["address"].as_str().unwrap_or_default()).to_owned())
        };
        let channels = streams["channels"].as_object().into_iter().flatten().map(channel).collect();
        let mut words = Vec::new();
        for (kind, dialect) in streams["x-dialect"].as_object().into_iter().flatten() {
            // Those are calls.
            if kind != "calls" {
                WORDS.iter().for_each(|word| words.extend(said(&dialect[word])));
                words.retain(|word| !MEMBERS.contains(&word.as_str()));
            }
        }
        let servers = streams["servers"].as_object().into_iter().flatten();
        let endpoints = servers.filter_map(|(_, server)| server["pathname"].as_str()).map(str::to_owned).collect();
        let (has_calls, has_names) = (document.get("x-websocket").is_some(), spec.venue == "binance");
        Self { channels, words, endpoints, has_calls, has_names }
    }

    /// Whether frames may have a name that begins so.
    fn strikes(&self, first: &str) -> bool {
        let is_of = |channel: &String| {
            first.strip_prefix(channel.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        FRAMES.contains(&first)
            || self.words.iter().any(|word| word == first)
            || self.channels.values().any(is_of)
            || self.has_names && channel_of(first).is_some()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.channels.iter().flat_map(|(id, channel)| [id, channel]).chain(&self.words).map(String::as_str)
    }
}

/// What the sandbox calls the frames of an address: what stands before its first parameter.
fn channel_at(address: &str) -> &str {
    match address.split_once(".{").map_or(address, |(before, _)| before) {
        // The depth does not count.
        book if book.starts_with("orderbook.") => "orderbook",
        plain => channel_of(plain).unwrap_or(plain),
    }
}

/// The texts of a word of a dialect, which is one or a list.
fn said(value: &Value) -> Vec<String> {
    let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    texts.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The rule for one call of a venue. What both parts of Kalshi offer counts as that of the first.
fn struck(rule: &Rule, spec: &Spec, call: &str) -> Rule {
    let first = venuekit_spec::all().into_iter().find(|spec| is_call(spec, call));
    rule.clone().at(first.map_or(spec.venue, |first| first.venue)).on(call)
}

/// Some faults are of frames, some of responses with a status.
fn can_happen(rule: &Rule) -> Result<(), String> {
    let is_possible = |transport| rule.fault.happens_over(transport);
    let streams = rule.venue.as_deref().and_then(venuekit_spec::of).map(streams_of);
    let is_without_calls = streams.is_some_and(|streams| !streams.has_calls);
    let is_without_streams = streams.is_some_and(|streams| streams.channels.is_empty());
    let none = || {
        let whose = rule.venue.as_deref().unwrap_or_default();
        Err(format!("it strikes a WebSocket only, and the sandbox has none of {whose}"))
    };
    match rule.transport {
        Some(Transport::Http) if !is_possible(Transport::Http) => {
            Err("this fault happens over a WebSocket only".to_owned())
        }
        Some(Transport::Websocket) if !is_possible(Transport::Websocket) => {
            Err("this fault does not happen to calls over a WebSocket".to_owned())
        }
        Some(Transport::Stream) if !is_possible(Transport::Stream) => {
            Err("this fault does not happen to frames of streams".to_owned())
        }
        Some(Transport::Websocket) if is_without_calls => none(),
        Some(Transport::Stream) if is_without_streams => none(),
        None if !is_possible(Transport::Http)
            && (is_without_calls || !is_possible(Transport::Websocket))
            && (is_without_streams || !is_possible(Transport::Stream)) =>
        {
            none()
        }
        _ => Ok(()),
    }
}

/// Whether the text is a method with a path, or a JSON-RPC method.
fn is_call(spec: &Spec, text: &str) -> bool {
    let of_template = spec.operations().any(|one| spec.counter(one) == text || call(spec, one) == text);
    let served = || {
        let (method, path) = text.split_once(' ')?;
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        spec.find(&method, path.strip_prefix(&*spec.prefix)?).ok()
    };
    of_template || served().is_some()
}

/// An operation as rules name it: by its JSON-RPC method, or by method and path.
fn call(spec: &Spec, operation: &Operation) -> String {
    if operation.id.contains('/') { operation.id.clone() } else { spec.counter(operation) }
}

/// The name that is nearest to what was written, where one is near.
fn closest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.into_iter().map(|name| (strsim::jaro_winkler(written, name), name));
    near.filter(|(nearness, _)| *nearness >= NEAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Fault;

    fn resolved(rule: Rule) -> Result<(Option<String>, Option<String>), String> {
        let rules = rule.resolve()?;
        assert_eq!(rules.len(), 1, "{rules:?}");
        Ok((rules[0].venue.clone(), rules[0].operation.clone()))
    }

    #[test]
    fn an_operation_is_said_in_any_of_its_names() {
        let rule = || Rule::new(Fault::DropAfter);
        let of = |venue: &str, operation: &str| Ok((Some(venue.to_owned()), Some(operation.to_owned())));
        assert_eq!(resolved(rule().on("private/buy")), Ok((None, Some("private/buy".to_owned()))));
        assert_eq!(resolved(rule().on("buy")), of("deribit", "private/buy"));
        let everywhere: Vec<_> =
            rule().on("list_api_keys").resolve().unwrap().into_iter().map(|one| one.venue).collect();
        assert_eq!(everywhere, ["bayse", "deribit", "yativo"].map(|venue| Some(venue.to_owned())));
        let balance = "GET /trade-api/v2/portfolio/balance";
        assert_eq!(resolved(rule().at("kalshi").on("get_balance")), of("kalshi", balance));
        assert_eq!(resolved(rule().at("kalshi").on(balance)), of("kalshi", balance));
        let order = "DELETE /trade-api/v2/portfolio/events/orders/17";
        assert_eq!(resolved(rule().at("kalshi").on(order)), of("kalshi", order));
        for handshake in ["GET /ws/api/v2", "GET /trade-api/ws/v2", "GET /ws/v1/markets", "GET /ws/v1/{endpoint}"] {
            assert_eq!(resolved(rule().on(handshake)), Ok((None, Some(handshake.to_owned()))));
        }
        assert_eq!(resolved(rule().at("kalshi-perps")), Ok((Some("kalshi_perps".to_owned()), None)));
        let perps = "GET /trade-api/v2/margin/balance";
        assert_eq!(resolved(rule().on("get_margin_balance")), of("kalshi_perps", perps));
    }

    #[test]
    fn a_name_that_no_call_has_is_refused() {
        let rule = || Rule::new(Fault::DropAfter);
        for (wrong, said) in [
            (rule().at("kalsi"), "did you mean `kalshi`?"),
            (rule().at("kalshi").on("get_balnce"), "did you mean `get_balance`?"),
            (rule().at("kalshi").on("private/buy"), "kalshi has no operation"),
            (rule().on("GET /trade-api/v2/nothing/here"), "no venue has the operation"),
            (rule().on("private/buyy"), "did you mean `private/buy`?"),
            (Rule::new(Fault::UnknownId).at("kalshi"), "the sandbox has none of kalshi"),
            (rule().at("kalshi").over(Transport::Websocket), "the sandbox has none of kalshi"),
            (Rule::new(Fault::Reorder).at("yativo"), "the sandbox has none of yativo"),
            (Rule::new(Fault::Drop).at("yativo"), "the sandbox has none of yativo"),
            (Rule::new(Fault::Reorder).over(Transport::Http), "over a WebSocket only"),
            (Rule::new(Fault::status(500)).over(Transport::Websocket), "does not happen to calls over a WebSocket"),
            (rule().over(Transport::Stream), "does not happen to frames of streams"),
            (Rule::new(Fault::Drop).at("kalshi").on("orderbok_delta"), "did you mean `orderbook_delta`?"),
            (Rule::new(Fault::Drop).on("private/buy"), "no venue has the frame or channel"),
            (Rule::new(Fault::LeaveOut).at("kalshi").on("subscribe/trad"), "did you mean `trade`?"),
        ] {
            let error = resolved(wrong).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn frames_of_streams_have_names_of_their_own() {
        for name in [
            "data",
            "reply",
            "orderbook_delta",
            "orderbook_delta/orderbook_snapshot/A",
            "subscribe/trade",
            "subscribed",
        ] {
            let rule = Rule::new(Fault::Drop).at("kalshi").on(name);
            assert_eq!(resolved(rule), Ok((Some("kalshi".to_owned()), Some(name.to_owned()))));
        }
        // The name that the generated clients have for a channel.
        for (venue, id, channel) in [
            ("binance", "partial_depth_fast", "partialDepth"),
            ("binance", "trades", "trade"),
            ("bybit", "linear_orderbook", "orderbook"),
            ("bybit", "subscribe/fast_execution_by_category", "subscribe/execution.fast"),
            ("deribit", "user_changes", "user.changes"),
        ] {
            let rule = Rule::new(Fault::Drop).at(venue).on(id);
            assert_eq!(resolved(rule), Ok((Some(venue.to_owned()), Some(channel.to_owned()))));
        }
        for (venue, name) in [("bybit", "publicTrade.BTCUSDT"), ("binance", "btcusdt@depth@100ms")] {
            let rule = Rule::new(Fault::Drop).at(venue).on(name);
            assert_eq!(resolved(rule), Ok((Some(venue.to_owned()), Some(name.to_owned()))));
        }
        let book = "book.BTC-PERPETUAL.100ms";
        assert_eq!(resolved(Rule::new(Fault::Drop).on(book)), Ok((None, Some(book.to_owned()))));
        // A fault of calls too, which the channel's name makes one of frames.
        assert_eq!(resolved(Rule::new(Fault::Delay { ms: 5 }).on("trade")), Ok((None, Some("trade".to_owned()))));
        assert!(resolved(Rule::new(Fault::Reorder).at("kalshi")).is_ok());
        // Calls over a WebSocket that are not JSON-RPC.
        assert!(resolved(Rule::new(Fault::DropAfter).at("binance").over(Transport::Websocket)).is_ok());
        assert!(resolved(Rule::new(Fault::Drop)).is_ok());
    }
}
