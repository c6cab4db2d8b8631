//! Frames of streams in each dialect, played through the subscriptions as a recording.
#![no_main]

use libfuzzer_sys::fuzz_target;
use venuekit_streams::record::Recording;
use venuekit_streams::replay::Replay;
use venuekit_streams::{Overflow, Topic};
use venuekit_wire::operation::Venue;
use venuekit_wire::stream::Streams;

#[path = "support.rs"]
#[allow(dead_code)]
mod support;

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    match choice % 5 {
        0 => play(&venuekit_kalshi_perps::STREAMS, &venuekit_kalshi_perps::VENUE, text),
        1 => play(&venuekit_deribit::STREAMS, &venuekit_deribit::VENUE, text),
        2 => play(&venuekit_bayse::STREAMS, &venuekit_bayse::VENUE, text),
        3 => play(&venuekit_binance::STREAMS, &venuekit_binance::VENUE, text),
        _ => play(&venuekit_bybit::STREAMS, &venuekit_bybit::VENUE, text),
    }
});

/// Every line of the text is a frame of the first endpoint. Lines that begin with `!` end its connection.
fn play(table: &'static Streams, venue: &'static Venue, text: &str) {
    let endpoint = table.endpoints[0].name;
    let mut lines = vec![serde_json::json!({ "format": 1, "venue": table.venue })];
    let mut connection = 1;
    let mut line = |what: &str, connection: u64, frame: Option<&str>| {
        let mut line =
            serde_json::json!({ "at": lines.len(), "endpoint": endpoint, "connection": connection, "direction": what });
        if let Some(frame) = frame {
            line["frame"] = frame.into();
        }
        lines.push(line);
    };
    line("opened", connection, None);
    for frame in text.lines() {
        if frame.starts_with('!') {
            line("lost", connection, None);
            connection += 1;
            line("opened", connection, None);
        } else {
            line("in", connection, Some(frame));
        }
    }
    line("end", 0, None);
    let text: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let recording = Recording::read(std::io::Cursor::new(block(&text))).expect("a recording as this version writes it");
    let replay = Replay::of(recording, table, venue).expect("a recording of this venue");
    support::block_on(async {
        let mut readers = Vec::new();
        for channel in table.channels {
            let mut topic = Topic::new(channel);
            for parameter in channel.parameters.iter().filter(|parameter| parameter.is_required) {
                let value = parameter.values.first().copied().unwrap_or("BTC-PERPETUAL");
                topic = if parameter.is_list {
                    topic.list(parameter.name, [value])
                } else {
                    topic.set(parameter.name, value)
                };
            }
            let subscribe = replay.streams().topic(topic).capacity(64).overflow(Overflow::DropOldest).subscribe();
            if let Ok(reader) = subscribe.await {
                readers.push(reader);
            }
        }
        replay.run().await.expect("all lines are whole");
        for reader in &mut readers {
            while let Some(event) = reader.next().await {
                let _ = format!("{event:?}");
            }
        }
    });
}

/// A block of a recording: a zstd frame with a checksum.
fn block(lines: &[u8]) -> Vec<u8> {
    let mut block = zstd::Encoder::new(Vec::new(), 0).expect("an encoder");
    block.include_checksum(true).expect("a checksum");
    std::io::Write::write_all(&mut block, lines).expect("memory takes all");
    block.finish().expect("memory takes all")
}
