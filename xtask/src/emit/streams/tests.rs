//! What a small venue that streams becomes.

use crate::emit::{Generated, generate};
use crate::lint::lint;
use crate::tests::streams::{document, edited};

fn generated() -> Generated {
    generate(&document()).unwrap()
}

/// A file without its blanks, which parts are looked for in.
fn file(generated: &Generated, name: &str) -> String {
    let text = generated.files.get(name).unwrap_or_else(|| panic!("there is no {name}"));
    syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
    text.split_whitespace().collect()
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        let part: String = part.split_whitespace().collect();
        assert!(text.contains(&part), "{part}\n{text}");
    }
}

#[test]
fn the_table_says_what_the_spec_says() {
    let table = file(&generated(), "channels.rs");
    has(
        &table,
        &[
            r#"venue: "v","#,
            r#"wire::Endpoint { name: "stream", path: "/ws", login: wire::Login::Upgrade { credential: "key" }, servers: &[("production", "wss://v.test/ws")] }"#,
            r#"unsubscribe: ("unsubscribe", "sids", "unsubscribed")"#,
            r#"codes: &[("1", "no such channel")]"#,
            "keep_alive: wire::KeepAlive { ask_after: 15, dead_after: 30, ping: None }",
            r#"limits: wire::Limits { per_command: 500, connections: &[("production", 10)], ..wire::Limits::EMPTY }"#,
            r#"name: "book.{ticker}.{interval}", id: "book", endpoint: "stream", access: wire::Access::PrivateWhen { parameter: "interval", value: "raw" },"#,
            // In the order of the address, whatever the order in the spec.
            r#"parameters: &[
                wire::Parameter { name: "ticker", description: "Market.", pattern: Some("^[A-Z]+$"), is_required: true, ..wire::Parameter::EMPTY },
                wire::Parameter { name: "interval", description: "How often.", values: &["raw", "100ms"], is_required: true, ..wire::Parameter::EMPTY },
            ],"#,
            r#"wire::Message { kind: "book", when: Some(("/form", "whole")), is_snapshot: true, snapshot_when: None }"#,
            r#"is_book: true, sequence: wire::Sequence::Counter { member: "seq", first: 1 }, recovery: wire::Recovery::Resubscribe,"#,
            r#"wire::Parameter { name: "tickers", description: "Markets.", pattern: Some("^[A-Z]+$"), is_list: true, ..wire::Parameter::EMPTY },"#,
            r#"wire::Parameter { name: "whole", description: "Whole numbers.", kind: wire::ParameterKind::Boolean, fixed: Some("true"), ..wire::Parameter::EMPTY },"#,
            r#"items: Some("tickers"), all: true, item: Some("/ticker"),"#,
            r#"actions: wire::Actions { add: Some("add_tickers"), remove: Some("remove_tickers"), snapshot: None },"#,
            r#"operation: "list_trades", list: "/trades", parameters: &[("market", "tickers")],
               since: Some(("after", 1000)), key: "/trade_id", order: "/at", renamed: &[("market", "ticker")],
               times: &[("made", "at")], ..wire::CatchUp::EMPTY"#,
        ],
    );
    assert!(!table.contains(r#"name:"ticker",description:"Onemarket."#), "an alias is not given: {table}");
}

#[test]
fn rarer_words_reach_the_table() {
    for (find, with, part) in [
        ("all: true, item", "all: every, item", r#"all: true, everything: Some("every"),"#),
        (
            "x-sequence: none",
            "x-sequence: { per-item: { number: /at, item: /ticker } }",
            r#"sequence: wire::Sequence::PerItem { number: "/at", item: "/ticker" }"#,
        ),
        (
            "x-sequence: none",
            "x-sequence: { chain: { number: /at, previous: /at } }",
            r#"wire::Sequence::Chain { number: "/at", previous: "/at" }"#,
        ),
        (
            "x-sequence: none",
            "x-sequence: { successive: { number: /at, first: 1 } }",
            r#"wire::Sequence::Successive { number: "/at", first: 1 }"#,
        ),
        (
            "        list: /trades",
            "        list: /trades\n        limit: { count: 100 }\n        fixed: { after: 5 }",
            r#"fixed: &[("after", "5")], limit: Some(("count", 100)),"#,
        ),
        (
            "{ upgrade: key }",
            "{ message: { member: auth, ways: [{ credential: key, members: { k: x-key } }] } }",
            r#"login: wire::Login::Message { member: "auth", ways: &[wire::MessageLogin { credential: "key", members: &[("k", "x-key")] }] }"#,
        ),
        ("since: { parameter: after, unit: unix-ms }", "since: { unit: unix-s }", r#"since: Some(("", 1))"#),
        (
            "x-snapshot: true",
            "x-snapshot: { at: /form, equals: whole }",
            r#"is_snapshot: false, snapshot_when: Some(("/form", "whole"))"#,
        ),
        ("    x-sequence: none", "    x-list: true\n    x-sequence: none", "is_list: true,"),
        ("dead-after: 30 }", "dead-after: 30, ping: '{\"a\":1}' }", r#"ping: Some("{\"a\":1}")"#),
    ] {
        let document = edited(find, with);
        assert_eq!(lint(&document), [], "{with}");
        has(&file(&generate(&document).unwrap(), "channels.rs"), &[part]);
    }
}

#[test]
fn channels_are_typed_methods() {
    let streams = file(&generated(), "streams.rs");
    has(
        &streams,
        &[
            "pub fn book(&self, ticker: impl Into<types::Ticker>, interval: Interval) -> streams::Subscribe<BookMessage> {",
            r#"generated::Given::new(&STREAMS.channels[0]).text::<types::Ticker>("ticker", ticker).word("interval", interval).subscribe(&self.0)"#,
            "pub fn trade(&self, tickers: impl Into<streams::Items<types::Ticker>>) -> Trade {",
            r#"Trade(generated::Given::new(&STREAMS.channels[1]).items::<types::Ticker>("tickers", tickers).subscribe(&self.0))"#,
            r#"Trade gives types::TradeMessage { /// How deep.
               depth = "depth": number i64; }"#,
            r#"Interval { Raw = "raw", Ms100 = "100ms", }"#,
        ],
    );
    assert!(!streams.contains("\"whole\":flag"), "what is always sent is not given: {streams}");
}

#[test]
fn messages_are_read_and_make_books() {
    let streams = file(&generated(), "streams.rs");
    has(
        &streams,
        &[
            // What is told by a member comes before what is told by its name alone.
            r#"BookMessage { Whole(types::BookWholeMessage) = "book" when "/form" = "whole", Level(types::BookLevelMessage) = "book", }"#,
            r#"types::TradeMessage = "trade";"#,
            "impl generated::BookMessage for BookMessage {",
            "Self::Whole(message) => Some(&message.ticker).map(AsRef::<str>::as_ref).map(generated::Cow::Borrowed),",
            "Self::Whole(_) => generated::BookKind::Snapshot, Self::Level(_) => generated::BookKind::Change,",
            "Self::Whole(message) => message.clock.as_ref().copied(),",
            "Self::Whole(message) => book.snapshot(Some(&message.bids).into_iter().flatten().map(|level| (level.price.get(), level.size.get())),",
            r#"let side = generated::side(message.side.as_ref().map(AsRef::<str>::as_ref), "bid", "ask", "side")?;"#,
            r#"let size = generated::needed(message.size.as_ref().map(|at| at.get()), "size")?;"#,
            "book.change(side, price, size)",
            r#"match channel { "book" => Some(visitor.visit::<BookMessage>()), _ => None, }"#,
        ],
    );
}

#[test]
fn lists_of_changes_and_levels_that_are_objects() {
    let both = "        whole: { when: { at: /form, equals: part }, bids: /bids, asks: /asks, entry: [price, size], is: size }";
    let level = "        level: { price: /price, size: /size, side: /side, bid: bid, ask: ask, is: change }";
    let document = edited(level, both);
    assert_eq!(lint(&document), []);
    has(
        &file(&generate(&document).unwrap(), "streams.rs"),
        &[
            // The snapshot is not told by a member, so that it comes whenever the type does.
            "generated::BookKind::Snapshot =>",
            "for (price, size) in Some(&message.bids).into_iter().flatten().map(|level| (level.price.get(), level.size.get())) { book.set(generated::Side::Bid, price, size)?; }",
            "_ => None,",
        ],
    );
    let objects = edited("entry: [price, size]", "entry: { price: p, size: s }");
    let value = {
        let mut value = objects.value.clone();
        let level = serde_json::json!({"type": "object", "properties": {"p": {"type": "number", "format": "decimal"}, "s": {"type": "number", "format": "decimal"}}});
        value["components"]["schemas"]["BookEntry"] = level;
        for side in ["bids", "asks"] {
            value["components"]["schemas"]["BookWholeMessage"]["properties"][side]["items"] =
                serde_json::json!({"$ref": "#/components/schemas/BookEntry"});
        }
        value
    };
    let objects = objects.derived(objects.kind, value);
    assert_eq!(lint(&objects), []);
    has(
        &file(&generate(&objects).unwrap(), "streams.rs"),
        &[
            r#"generated::levels(Some(&message.bids).into_iter().flatten(), "p", "s", |level| (level.p.as_ref().map(|at| at.get()), level.s.as_ref().map(|at| at.get())))?"#,
        ],
    );
}

#[test]
fn the_types_of_messages_are_the_clients() {
    let generated = generated();
    let client = file(&generated, "client.rs");
    has(
        &client,
        &[
            "pub bids: Vec<wire::Level<wire::Decimal>>,",
            "pub side: Option<wire::Open<Side>>,",
            "pub price: Option<wire::Decimal>,",
            "pub trade_id: String,",
            "pub fn streams(&self) -> super::streams::Streams",
        ],
    );
    assert!(!client.contains("RefusalMessage"), "the dialect reads replies");
    has(&file(&generated, "mod.rs"), &["pub mod channels; pub mod client; pub mod streams; pub mod venue;"]);
    let joined: serde_json::Value = serde_json::from_str(&generated.joined).unwrap();
    assert_eq!(joined["x-streams"]["channels"]["trade"]["address"], "trade");
}

#[test]
fn words_of_one_parameter_are_one_type_where_they_are_the_same() {
    let value = {
        let mut value = document().value;
        let book = value["x-streams"]["channels"]["book"].clone();
        for (id, words) in [("book_b", ["raw", "100ms"]), ("book_c", ["raw", "agg2"])] {
            let mut copy = book.clone();
            copy["address"] = format!("{id}.{{ticker}}.{{interval}}").into();
            copy["parameters"]["interval"]["enum"] = serde_json::json!(words);
            value["x-streams"]["channels"][id] = copy;
        }
        value
    };
    let document = document().derived(crate::document::Kind::OpenApi, value);
    has(
        &file(&generate(&document).unwrap(), "streams.rs"),
        &[
            "pub fn book_b(&self, ticker: impl Into<types::Ticker>, interval: Interval)",
            "interval: BookCInterval)",
            r#"BookCInterval { Raw = "raw", Agg2 = "agg2", }"#,
        ],
    );
}

#[test]
fn words_with_a_schema_are_one_type_and_may_be_open() {
    for (closed, argument, row) in [
        (true, "interval: types::Pace)", r#"values: &["100ms", "raw"], is_required: true"#),
        (
            false,
            "interval: impl Into<wire::Open<types::Pace>>)",
            r#"values: &["100ms", "raw"], is_open: true, is_required: true"#,
        ),
    ] {
        let mut value = document().value;
        let mut pace = serde_json::json!({"type": "string", "enum": ["100ms", "raw"]});
        if closed {
            pace["x-closed"] = true.into();
        }
        value["components"]["schemas"]["Pace"] = pace;
        value["x-streams"]["channels"]["book"]["parameters"]["interval"] =
            serde_json::json!({"description": "How often.", "x-schema": {"$ref": "#/components/schemas/Pace"}});
        let document = document().derived(crate::document::Kind::OpenApi, value);
        assert_eq!(lint(&document), []);
        let generated = generate(&document).unwrap();
        has(&file(&generated, "streams.rs"), &[argument]);
        has(&file(&generated, "channels.rs"), &[row]);
        // A list of words that no call has is named as those of channels.
        has(&file(&generated, "client.rs"), &[r#"Pace { Ms100 = "100ms", Raw = "raw", }"#]);
    }
}
