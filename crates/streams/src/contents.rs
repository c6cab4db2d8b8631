//! What a recording has frames of.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use venuekit_wire::operation::Venue;
use venuekit_wire::stream::Streams as Table;

use crate::dialect::Dialect;
use crate::hub::io::{Body, Handle, Reply};
use crate::record::{RecordError, Recording, What};
use crate::replay::Replay;

impl Replay {
    /// The channels that a recording has messages of: by the names that the venue's frames have, or by the channels' own names if the
    /// frames name a subscription by a number or by the type of its messages.
    ///
    /// # Errors
    /// The file cannot be read to its end, is no recording, or is of another venue.
    pub fn contents(
        path: impl AsRef<Path>,
        table: &'static Table,
        venue: &'static Venue,
    ) -> Result<BTreeSet<String>, RecordError> {
        let lines = Recording::open(path)?;
        if lines.venue() != table.venue {
            return Err(RecordError::OtherVenue { venue: lines.venue().to_owned() });
        }
        let mut found = BTreeSet::new();
        // What a dialect remembers, and what a number means, ends with the connection.
        let mut connections: HashMap<u64, (Dialect, HashMap<i64, String>)> = HashMap::new();
        for line in lines {
            let line = line?;
            let text = match line.what {
                What::Frame(text) => text,
                What::Snapshot { topic, .. } => {
                    found.insert(topic);
                    continue;
                }
                What::Opened | What::Lost => {
                    connections.remove(&line.connection);
                    continue;
                }
            };
            let (dialect, numbers) =
                connections.entry(line.connection).or_insert_with(|| (Dialect::new(table, venue), HashMap::new()));
            dialect.read(&text, &mut |frame| match (&frame.body, frame.handle) {
                (Body::Reply(Reply::Subscribed { channel: Some(channel) }), Handle::Number(number)) => {
                    numbers.insert(number, channel.to_string());
                }
                (Body::Data, Handle::Number(number)) => found.extend(numbers.get(&number).cloned()),
                (Body::Data, Handle::Name(name)) => _ = found.insert(name.to_owned()),
                (Body::Data, Handle::Room(_) | Handle::None) => {
                    let of = table
                        .channels
                        .iter()
                        .filter(|one| one.messages.iter().any(|message| message.kind == frame.kind));
                    found.extend(of.map(|channel| channel.name.to_owned()));
                }
                _ => {}
            });
        }
        Ok(found)
    }
}
