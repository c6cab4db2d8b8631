//! The names in a list of faults: one that no call has would never strike.

use http::Method;
use venuekit_sandbox::Rule;
use venuekit_spec::{Operation, Spec};

use crate::similar::closest;
use crate::venue::Venue;

/// The handshake of a WebSocket, which is no operation.
const HANDSHAKE: &str = "GET /ws/api/v2";

/// Sees that there are such a venue and such an operation. An operation may be said by its name on the command line.
pub fn resolve(rule: &mut Rule) -> Result<(), String> {
    let venue = rule.venue.as_deref().map(str::parse::<Venue>).transpose()?;
    // One server stands for both parts of Kalshi.
    rule.venue = venue.map(|venue| venue.of_keys().to_string());
    let Some(text) = rule.operation.clone().filter(|text| text != HANDSHAKE) else { return Ok(()) };
    let venues: Vec<Venue> = venue.map_or(Venue::ALL.to_vec(), |venue| vec![venue]);
    if venues.iter().any(|venue| is_call(venue.spec(), &text)) {
        return Ok(());
    }
    for venue in &venues {
        if let Some(operation) = venue.spec().named(&text) {
            rule.venue = Some(venue.of_keys().to_string());
            rule.operation = Some(call(venue.spec(), operation));
            return Ok(());
        }
    }
    let names = venues.iter().flat_map(|venue| venue.spec().operations.iter().map(|one| one.name.as_str()));
    let whose = venue.map_or("any venue".to_owned(), |venue| venue.to_string());
    let message = format!("`{text}` is no operation of {whose}");
    Err(match closest(&text, names) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => format!("{message}: write its name, its JSON-RPC method, or method and path"),
    })
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
    use venuekit_sandbox::Fault;

    use super::*;

    fn resolved(rule: Rule) -> Result<(Option<String>, Option<String>), String> {
        let mut rule = rule;
        resolve(&mut rule).map(|()| (rule.venue, rule.operation))
    }

    #[test]
    fn an_operation_is_said_in_any_of_its_names() {
        let rule = || Rule::new(Fault::DropAfter);
        let of = |venue: &str, operation: &str| Ok((Some(venue.to_owned()), Some(operation.to_owned())));
        assert_eq!(resolved(rule().on("private/buy")), Ok((None, Some("private/buy".to_owned()))));
        assert_eq!(resolved(rule().on("buy")), of("deribit", "private/buy"));
        let balance = "GET /trade-api/v2/portfolio/balance";
        assert_eq!(resolved(rule().at("kalshi").on("get_balance")), of("kalshi", balance));
        assert_eq!(resolved(rule().at("kalshi").on(balance)), of("kalshi", balance));
        let order = "DELETE /trade-api/v2/portfolio/events/orders/17";
        assert_eq!(resolved(rule().at("kalshi").on(order)), of("kalshi", order));
        assert_eq!(resolved(rule().on(HANDSHAKE)), Ok((None, Some(HANDSHAKE.to_owned()))));
        assert_eq!(resolved(rule().at("kalshi-perps")), Ok((Some("kalshi".to_owned()), None)));
    }

    #[test]
    fn a_name_that_no_call_has_is_refused() {
        let rule = || Rule::new(Fault::DropAfter);
        for (wrong, said) in [
            (rule().at("kalsi"), "did you mean `kalshi`?"),
            (rule().at("kalshi").on("get_balnce"), "did you mean `get_balance`?"),
            (rule().at("kalshi").on("private/buy"), "is no operation of kalshi"),
            (rule().on("GET /trade-api/v2/nothing/here"), "is no operation of any venue"),
        ] {
            let error = resolved(wrong).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
