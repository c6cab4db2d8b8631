//! How `venuekit watch` ends where nothing comes: a server that is not reached, a recording of something else.

mod common;

use std::net::TcpListener;

use common::{World, texts};
use serde_json::Value;

const BOOK: &str = "book.BTC-PERPETUAL.100ms";

#[test]
fn a_server_that_is_not_reached_is_given_as_long_as_the_option_says() {
    let world = World::new("watch-unreachable");
    // It takes connections, and never says anything.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    for (url, said) in [("http://127.0.0.1:1", "refused"), (&silent, "the subscription was not confirmed within 2s")] {
        for channel in [&["deribit/local", BOOK][..], &["deribit/local", BOOK, "--book"], &["kalshi/local", "trade"]] {
            let arguments = [&["watch"], channel, &["--for", "2s", "--json", "--base-url", url]].concat();
            let output = world.venuekit(&arguments);
            let (stdout, stderr) = texts(&output);
            assert_eq!(output.status.code(), Some(7), "{channel:?}: {stdout}{stderr}");
            let error = &serde_json::from_str::<Value>(&stderr).unwrap()["error"];
            let (message, help) = (error["message"].as_str().unwrap(), error["help"].as_str().unwrap());
            assert!(message.to_lowercase().contains(said), "{channel:?}: {message}");
            assert!(message.ends_with("the subscription was not confirmed within 2s"), "{channel:?}: {message}");
            let doctor = format!("`venuekit doctor {}` finds out whether it can be reached", channel[0]);
            assert!(help.contains(&format!("the server is {url}")) && help.contains(&doctor), "{channel:?}: {help}");
        }
    }
}

#[test]
fn a_recording_without_the_channel_says_what_it_has() {
    let world = World::new("watch-other-channel");
    let record = ["watch", "deribit/local", BOOK, "--count", "1", "--json", "--record", "deribit.zst"];
    assert!(world.venuekit(&record).status.success());
    let markets = world.venuekit(&["call", "kalshi/local", "get_markets", "status=open", "limit=1", "--json"]);
    let markets: Value = serde_json::from_slice(&markets.stdout).unwrap();
    let ticker = format!("market_tickers={}", markets["markets"][0]["ticker"].as_str().unwrap());
    let record = ["watch", "kalshi/local", "orderbook_delta", &ticker, "--count", "1", "--record", "kalshi.zst"];
    assert!(world.venuekit(&record).status.success());

    for (arguments, said) in [
        (&["deribit", "ticker.BTC-PERPETUAL.100ms", "--replay", "deribit.zst"][..], "it has book"),
        (&["deribit", "book.ETH-PERPETUAL.100ms", "--replay", "deribit.zst"], "it has book.BTC-PERPETUAL.100ms"),
        (&["deribit", "book.ETH-PERPETUAL.100ms", "--book", "--replay", "deribit.zst"], "it has book.BTC-"),
        (&["kalshi", "trade", "--replay", "kalshi.zst"], "the recording has no frame of trade; it has orderbook_delta"),
    ] {
        let output = world.venuekit(&[&["watch"], arguments].concat());
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(8), "{arguments:?}: {stdout}{stderr}");
        assert!(stderr.contains("the recording has no frame of") && stderr.contains(said), "{arguments:?}: {stderr}");
        assert!(stderr.contains("replaying ") && !stderr.contains("watching "), "{arguments:?}: {stderr}");
    }
    let whole = world.venuekit(&["watch", "deribit", BOOK, "--replay", "deribit.zst"]);
    let (stdout, stderr) = texts(&whole);
    assert!(whole.status.success() && stdout.contains("type=snapshot") && stderr.contains("replaying "), "{stderr}");
}
