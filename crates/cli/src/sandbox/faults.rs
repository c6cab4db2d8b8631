//! The names in a list of faults: one that no call and no frame has would never strike.

use http::Method;
use venuekit_sandbox::{Rule, Transport};
use venuekit_spec::{Operation, Spec};
use venuekit_wire::stream::{Dialect, Streams};

use crate::similar::closest;
use crate::venue::Venue;

/// What frames of every venue are called, whatever their channel.
const FRAMES: [&str; 5] = ["data", "reply", "heartbeat", "subscribe", "unsubscribe"];

/// A rule as the server takes it: once for each venue that has an operation of that name on the command line. Sees that there are
/// such a venue and such an operation, and that the fault can happen there.
pub fn resolve(rule: &Rule) -> Result<Vec<Rule>, String> {
    let venue = rule.venue.as_deref().map(str::parse::<Venue>).transpose()?;
    let rules = match rule.operation.as_deref().filter(|text| !is_handshake(text)) {
        Some(text) if is_of_streams(rule) => vec![of_streams(rule, venue, text)?],
        Some(text) => named(rule, venue, text)?,
        None => vec![venue.map_or_else(|| rule.clone(), |venue| rule.clone().at(venue.spec().venue))],
    };
    rules.iter().try_for_each(can_happen)?;
    Ok(rules)
}

fn named(rule: &Rule, venue: Option<Venue>, text: &str) -> Result<Vec<Rule>, String> {
    let venues: Vec<Venue> = venue.map_or_else(|| Venue::all().collect(), |venue| vec![venue]);
    if venues.iter().any(|venue| is_call(venue.spec(), text)) {
        return Ok(vec![venue.map_or_else(|| rule.clone(), |venue| struck(rule, venue, text))]);
    }
    let each = venues.iter().filter_map(|venue| Some((venue, venue.spec().named(text)?)));
    let mut rules: Vec<Rule> =
        each.map(|(venue, operation)| struck(rule, *venue, &call(venue.spec(), operation))).collect();
    rules.dedup();
    if !rules.is_empty() {
        return Ok(rules);
    }
    if let Ok(rule) = of_streams(rule, venue, text) {
        return Ok(vec![rule]);
    }
    let operations = || venues.iter().flat_map(|venue| venue.spec().operations());
    let names = operations().map(|one| one.name.as_str()).chain(operations().map(|one| one.id.as_str()));
    let message = unknown(venue, "operation", text);
    Err(match closest(text, names) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => format!("{message}: write its name, its JSON-RPC method, or method and path"),
    })
}

/// The sentence about a name that a venue does not have, or none of them.
fn unknown(venue: Option<Venue>, what: &str, text: &str) -> String {
    match venue {
        Some(venue) => format!("{venue} has no {what} `{text}`"),
        None => format!("no venue has the {what} `{text}`"),
    }
}

/// The handshake of a WebSocket, which is no operation.
fn is_handshake(text: &str) -> bool {
    let Some(path) = text.strip_prefix("GET ") else { return false };
    let mut endpoints = Venue::all().filter_map(Venue::streams).flat_map(|table| table.endpoints);
    // A segment in braces stands for any.
    endpoints.any(|endpoint| {
        let (one, other) = (endpoint.path.split('/'), path.split('/'));
        one.clone().count() == other.clone().count()
            && one.zip(other).all(|(own, said)| own == said || said.starts_with('{') && said.ends_with('}'))
    })
}

/// Whether a rule is about frames of streams, and about nothing else.
fn is_of_streams(rule: &Rule) -> bool {
    let of_calls = [Transport::Http, Transport::Websocket];
    rule.transport == Some(Transport::Stream) || !of_calls.iter().any(|transport| rule.fault.happens_over(*transport))
}

/// The rule for frames of this name, which begins with what a venue calls its frames or channels.
fn of_streams(rule: &Rule, venue: Option<Venue>, text: &str) -> Result<Rule, String> {
    let venues: Vec<Venue> = venue.map_or_else(|| Venue::all().collect(), |venue| vec![venue]);
    let tables = || venues.iter().filter_map(|venue| venue.streams());
    let first = text.split('/').next().unwrap_or_default();
    let family = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let mut names: Vec<String> = FRAMES.map(str::to_owned).to_vec();
    for table in tables() {
        names.extend(types_of(table).into_iter().map(str::to_owned));
        names.extend(table.channels.iter().flat_map(|channel| [channel.id.to_owned(), family(channel.name)]));
    }
    if names.contains(&family(first)) {
        return Ok(venue.map_or_else(|| rule.clone(), |venue| rule.clone().at(venue.spec().venue)));
    }
    let message = unknown(venue, "frame or channel", text);
    Err(match closest(first, names.iter().map(String::as_str)) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => format!("{message}: write data, reply, a channel, or a command such as subscribe/CHANNEL"),
    })
}

/// The types of replies and commands.
fn types_of(table: &'static Streams) -> Vec<&'static str> {
    match table.dialect {
        Dialect::Calls { .. } => Vec::new(),
        Dialect::Commands(words) => {
            let (subscribe, unsubscribe) = (words.subscribe, words.unsubscribe);
            vec![subscribe.0, subscribe.1, words.ok, unsubscribe.0, unsubscribe.2, words.update.0, words.error]
        }
        Dialect::Messages(words) => {
            let (subscribe, unsubscribe) = (words.subscribe, words.unsubscribe);
            let types = [subscribe.0, subscribe.1, unsubscribe.0, unsubscribe.1, words.error];
            types.into_iter().chain(words.quiet.iter().copied()).collect()
        }
        Dialect::Topics(words) => {
            [words.subscribe, words.unsubscribe].into_iter().chain(words.quiet.iter().copied()).collect()
        }
    }
}

/// The rule for one call of a venue. What both parts of Kalshi offer counts as that of the first.
fn struck(rule: &Rule, venue: Venue, call: &str) -> Rule {
    let first = Venue::all().find(|venue| is_call(venue.spec(), call));
    rule.clone().at(first.unwrap_or(venue).spec().venue).on(call)
}

/// Some faults are of frames, some of responses with a status.
fn can_happen(rule: &Rule) -> Result<(), String> {
    let is_possible = |transport| rule.fault.happens_over(transport);
    let venue = rule.venue.as_deref().and_then(|venue| venue.parse::<Venue>().ok());
    let is_without_calls = venue.is_some_and(|venue| venue.table().websocket.is_none());
    let is_without_streams = venue.is_some_and(|venue| venue.streams().is_none());
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

#[cfg(test)]
mod tests {
    use venuekit_sandbox::{Fault, Transport};

    use super::*;

    fn resolved(rule: Rule) -> Result<(Option<String>, Option<String>), String> {
        let rules = resolve(&rule)?;
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
            resolve(&rule().on("list_api_keys")).unwrap().into_iter().map(|one| one.venue).collect();
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
