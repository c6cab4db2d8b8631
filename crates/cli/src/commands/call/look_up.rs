//! The lookup after a write whose response was lost.

use venuekit_spec::ParameterLocation;

use crate::lookup::{self, Found};
use crate::request::{RequestBuilder, fits, names};

/// The call that shows what became of a write.
pub struct LookUp {
    /// Its command line.
    pub line: String,
    /// What is to be known about it, on a line of its own; or nothing.
    pub hint: String,
}

/// Its command line, with what both calls take by the same name. What is unknown is written as `name=...`.
pub fn said(found: &Found, given: &RequestBuilder, place: &str) -> Option<LookUp> {
    let reconcile = found.row.reconcile?;
    let look_up = lookup::operation(found.venue, reconcile.operation).ok()?;
    let name = &look_up.spec.name;
    let parameters = look_up.spec.parameters.iter().filter(|one| one.place != ParameterLocation::Header);
    let taken = parameters.map(|one| (one.name.as_str(), &one.schema, one.required));
    let fields = look_up.spec.fields();
    let taken = taken.chain(fields.iter().map(|one| (one.name.as_str(), &one.schema, one.required)));
    let (mut line, mut hint) = (format!("venuekit call {place} {name}"), String::new());
    for (parameter, schema, required) in taken {
        // Without it the lookup finds nothing; where the write has it too, it should have been sent with one.
        let is_needed = reconcile.by.contains(&parameter);
        let identifies = is_needed && names(found.spec).iter().any(|name| name == parameter);
        match given.given(parameter).filter(|text| !schema.is_secret() && fits(schema, text)) {
            Some(text) => line.push_str(&format!(" {}", quoted(&argument(parameter, &text)))),
            None if required || is_needed => {
                line.push_str(&format!(" {parameter}=..."));
                if identifies {
                    hint = format!("\nit was sent without {parameter}, by which the lookup finds it");
                }
            }
            None => {}
        }
    }
    Some(LookUp { line, hint })
}

fn argument(name: &str, text: &str) -> String {
    // One @ would name a file.
    format!("{name}={}{text}", if text.starts_with('@') { "@" } else { "" })
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "=_-./:@,+%".contains(one);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::Venue;

    const ID: &str = "orderId=11111111-1111-4111-8111-111111111111";

    fn line(venue: Venue, name: &str, arguments: &[&str]) -> String {
        let found = lookup::operation(venue, name).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let given = RequestBuilder::read(&found, &arguments, None, false).unwrap();
        let LookUp { line, hint } = said(&found, &given, "here").unwrap();
        format!("`{line}`{hint}")
    }

    #[test]
    fn what_both_calls_take_is_carried_over() {
        let order = ["eventId=e 1", "marketId=m", "side=BUY"];
        let said = line(Venue::named("bayse"), "place_order", &order);
        assert!(
            said.contains("`venuekit call here list_orders side=BUY 'eventId=e 1' marketId=m currency=...`"),
            "{said}"
        );
        let said = line(Venue::named("bayse"), "place_order", &[&order[..], &["currency=NGN"]].concat());
        assert!(said.contains(" currency=NGN`"), "{said}");
        assert!(line(Venue::named("bayse"), "cancel_order", &[ID]).contains(&format!("get_order {ID}`")));
    }

    #[test]
    fn what_identifies_and_was_not_given_is_said() {
        let buy =
            |more: &[&str]| line(Venue::named("deribit"), "buy", &[&["instrument_name=BTC-PERPETUAL"], more].concat());
        let look_up = "get_order_state_by_label currency=... label=";
        assert!(buy(&[]).contains(&format!("{look_up}...`")), "{}", buy(&[]));
        assert!(buy(&[]).ends_with("it was sent without label, by which the lookup finds it"));
        assert!(buy(&["label=mine"]).ends_with(&format!("{look_up}mine`")));
    }
}
