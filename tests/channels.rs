//! The README of each venue that streams lists its channels, as the table of its client has them.
//!
//! `VENUEKIT_ACCEPT=1` writes the lists.

use std::fmt::Write as _;
use std::fs;

use venuekit::wire::stream::Streams;
use venuekit::{bayse, deribit, kalshi, kalshi_perps};

const HEADING: &str = "\n## Streams\n";

fn section(streams: &Streams) -> String {
    let mut text = format!(
        "{HEADING}\n`client.streams()` has a method for each channel. `docs/STREAMS.md` of the repository describes the events that a reader \
         gets, and how gaps are recovered.\n\n| method | channel | content |\n|---|---|---|\n"
    );
    for channel in streams.channels {
        let first = channel.description.split_once(". ").map_or(channel.description, |(first, _)| first);
        let first = first.trim_end_matches('.').replace('|', "\\|");
        writeln!(text, "| `{}` | `{}` | {first} |", channel.id, channel.name).unwrap();
    }
    text
}

#[test]
fn each_readme_lists_the_channels() {
    let mut stale = Vec::new();
    for streams in [&bayse::STREAMS, &deribit::STREAMS, &kalshi::STREAMS, &kalshi_perps::STREAMS] {
        let path = format!("crates/{}/README.md", streams.venue);
        let text = fs::read_to_string(&path).unwrap();
        let before = text.split_once(HEADING).map_or(text.as_str(), |(before, _)| before);
        let expected = format!("{}\n{}", before.trim_end_matches('\n'), section(streams));
        if text == expected {
            continue;
        }
        if std::env::var_os("VENUEKIT_ACCEPT").is_some() {
            fs::write(&path, expected).unwrap();
        } else {
            stale.push(path);
        }
    }
    assert_eq!(stale, Vec::<String>::new(), "VENUEKIT_ACCEPT=1 writes the lists");
}
