//! The sandbox reads the names of channels from the specs; here they are compared with the tables that the clients have.

use venuekit_sandbox::{Fault, Rule};
use venuekit_wire::stream::{Dialect, Streams};

use crate::venue::Venue;

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

#[test]
fn every_channel_command_and_handshake_is_accepted() {
    for (venue, table) in Venue::all().filter_map(|venue| Some((venue, venue.streams()?))) {
        let channels = table.channels.iter().map(|channel| channel.id);
        for name in channels.chain(types_of(table)) {
            let rules = Rule::new(Fault::Drop).at(venue.name()).on(name).resolve();
            assert!(rules.as_ref().is_ok_and(|rules| rules.len() == 1), "{venue} {name}: {rules:?}");
        }
        for endpoint in table.endpoints {
            let rule = Rule::new(Fault::DropBefore).on(format!("GET {}", endpoint.path));
            assert_eq!(rule.resolve(), Ok(vec![rule.clone()]), "{venue} {}", endpoint.path);
        }
    }
}
