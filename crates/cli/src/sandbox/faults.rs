//! The names in a list of faults: one that no call has would never strike.

use http::Method;
use venuekit_sandbox::{Rule, Transport};
use venuekit_spec::{Operation, Spec};
use venuekit_wire::operation::Protocol;

use crate::similar::closest;
use crate::venue::Venue;

/// The handshake of a WebSocket, which is no operation.
const HANDSHAKE: &str = "GET /ws/api/v2";

/// A rule as the server takes it: once for each venue that has an operation of that name on the command line. Sees that there are
/// such a venue and such an operation, and that the fault can happen there.
pub fn resolve(rule: &Rule) -> Result<Vec<Rule>, String> {
    let venue = rule.venue.as_deref().map(str::parse::<Venue>).transpose()?;
    let rules = match rule.operation.as_deref().filter(|text| *text != HANDSHAKE) {
        Some(text) => named(rule, venue, text)?,
        None => vec![venue.map_or_else(|| rule.clone(), |venue| rule.clone().at(venue.spec().venue))],
    };
    rules.iter().try_for_each(can_happen)?;
    Ok(rules)
}

fn named(rule: &Rule, venue: Option<Venue>, text: &str) -> Result<Vec<Rule>, String> {
    let venues: Vec<Venue> = venue.map_or(Venue::ALL.to_vec(), |venue| vec![venue]);
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
    let operations = || venues.iter().flat_map(|venue| &venue.spec().operations);
    let names = operations().map(|one| one.name.as_str()).chain(operations().map(|one| one.id.as_str()));
    let whose = venue.map_or("any venue".to_owned(), |venue| venue.to_string());
    let message = format!("`{text}` is no operation of {whose}");
    Err(match closest(text, names) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => format!("{message}: write its name, its JSON-RPC method, or method and path"),
    })
}

/// The rule for one call of a venue. What both parts of Kalshi offer counts as that of the first.
fn struck(rule: &Rule, venue: Venue, call: &str) -> Rule {
    let first = Venue::ALL.into_iter().find(|venue| is_call(venue.spec(), call));
    rule.clone().at(first.unwrap_or(venue).spec().venue).on(call)
}

/// Some faults are of frames, some of answers with a status.
fn can_happen(rule: &Rule) -> Result<(), String> {
    let is_possible = |transport| rule.fault.happens_over(transport);
    let venue = rule.venue.as_deref().and_then(|venue| venue.parse::<Venue>().ok());
    let is_without_frames = venue.is_some_and(|venue| venue.table().protocol == Protocol::Rest);
    match rule.transport {
        Some(Transport::Http) if !is_possible(Transport::Http) => {
            Err("this fault happens over a WebSocket only".to_owned())
        }
        Some(Transport::Websocket) if !is_possible(Transport::Websocket) => {
            Err("this fault happens over HTTP only".to_owned())
        }
        _ if is_without_frames && (rule.transport == Some(Transport::Websocket) || !is_possible(Transport::Http)) => {
            let whose = rule.venue.as_deref().unwrap_or_default();
            Err(format!("it strikes a WebSocket only, and the sandbox has none of {whose}"))
        }
        _ => Ok(()),
    }
}

/// Whether the text is a method with a path, or a JSON-RPC method.
fn is_call(spec: &Spec, text: &str) -> bool {
    let of_template = spec.operations.iter().any(|one| spec.counter(one) == text || call(spec, one) == text);
    let served = || {
        let (method, path) = text.split_once(' ')?;
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        spec.find(&method, path.strip_prefix(spec.prefix)?).ok()
    };
    of_template || served().is_some()
}

/// An operation as rules say it.
fn call(spec: &Spec, operation: &Operation) -> String {
    if spec.venue == "deribit" { operation.id.clone() } else { spec.counter(operation) }
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
        assert_eq!(resolved(rule().on(HANDSHAKE)), Ok((None, Some(HANDSHAKE.to_owned()))));
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
            (rule().at("kalshi").on("private/buy"), "is no operation of kalshi"),
            (rule().on("GET /trade-api/v2/nothing/here"), "is no operation of any venue"),
            (rule().on("private/buyy"), "did you mean `private/buy`?"),
            (Rule::new(Fault::Reorder).at("kalshi"), "the sandbox has none of kalshi"),
            (Rule::new(Fault::Reorder).over(Transport::Http), "over a WebSocket only"),
            (Rule::new(Fault::status(500)).over(Transport::Websocket), "over HTTP only"),
        ] {
            let error = resolved(wrong).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
