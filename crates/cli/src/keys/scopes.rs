//! Permissions that look like a slip of the pen. The venue decides: it may know more of them than its spec.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::similar;
use crate::venue::Venue;

/// The permissions that operations of a venue ask for.
fn known(venue: Venue) -> BTreeSet<&'static str> {
    let asked = venue.spec().operations.iter().filter_map(|operation| operation.scope.as_deref());
    asked.flat_map(str::split_whitespace).collect()
}

/// Tells of permissions that no operation asks for.
pub fn note_unknown(context: &Context, venue: Venue, scopes: &[String]) {
    let known = known(venue);
    for scope in scopes.iter().filter(|scope| !known.is_empty() && !known.contains(scope.as_str())) {
        let near = match similar::closest(scope, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("they ask for {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
        };
        context.out().note(&format!("note: no operation of {venue} asks for the scope `{scope}`; {near}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permissions_of_a_venue_are_those_of_its_operations() {
        assert!(known(Venue::Kalshi).contains("write::trade") && known(Venue::Deribit).contains("wallet:read_write"));
        assert!(known(Venue::Yativo).contains("transactions") && known(Venue::Bayse).is_empty());
    }
}
