//! Mistakes in streams.

use super::{Case, STREAMS, check, findings};

const RAW: &str = "      interval: { description: How often., enum: [raw, 100ms] }";
const LEVEL: &str = "        level: { price: /price, size: /size, side: /side, bid: bid, ask: ask, is: change }";
const SERVER: &str =
    "  production: { host: v.test, pathname: /ws, protocol: wss, x-environment: production, x-endpoint: stream }";
const TRADE: &str = "      trade: { $ref: '#/messages/Trade' }";

/// Events of an account, whose endpoint has two channels here.
const EVENTS: &str = "{ events: { subscribe: [Reset, Reset], unsubscribe: Reset, subscription: id, data: event, type: e, closing: bye } }";
const EVENTS_ONE_CALL: &str =
    "{ events: { subscribe: [Reset], unsubscribe: Reset, subscription: id, data: event, type: e, closing: bye } }";
const EVENTS_WITHOUT_TYPE: &str =
    "{ events: { subscribe: [Reset, Reset], unsubscribe: Reset, subscription: id, data: event, closing: bye } }";

const AUDIT_WITHOUT_DEPTH: &str =
    "      mark: /clock\n      audit: { operation: GetNothing, number: /n, bids: /b, asks: /a }\n";
const AUDIT_OF_NOTHING: &str =
    "      mark: /clock\n      audit: { operation: GetNothing, number: /n, bids: /b, asks: /a, depth: 5 }\n";
const AUDIT_THAT_WRITES: &str =
    "      mark: /clock\n      audit: { operation: Reset, number: /n, bids: /b, asks: /a, depth: 5 }\n";

pub const CASES: &[Case] = &[
    // Joining.
    ("unlisted-channel", "  book: { $ref: 'stream-a.yaml#/channels/book' }\n", "", "  book:"),
    ("wrong-channel", "  book: { $ref: 'stream", "  books: { $ref: 'stream", "  books: {"),
    ("duplicate-message", "x-limits:", "messages: { Trade: { payload: {} } }\nx-limits:", "  Trade:"),
    (
        "unknown-member",
        "channels:\n  book:\n    address",
        "servers: {}\nchannels:\n  book:\n    address",
        "servers: {}",
    ),
    ("misplaced-word", "x-errors:", "x-streams: {}\nx-errors:", "x-streams"),
    ("dangling-ref", "'#/messages/Trade'", "'#/messages/Trades'", "Trades'"),
    // Members.
    ("missing-member", "    description: Trades.\n", "", "  trade:$"),
    ("unknown-member", "    description: Trades.", "    describes: Trades.\n    description: Trades.", "describes"),
    ("unknown-member", "description: How deep.", "describes: x, description: How deep.", "How deep"),
    ("shape", "alias-of: tickers", "alias-of: [tickers]", "alias-of: ["),
    // Words.
    ("missing-word", "    x-sequence: none\n", "", "  trade:$"),
    ("missing-word", "    x-access: public\n", "", "  trade:$"),
    ("missing-word", ", x-endpoint: stream }", " }", "host: v.test"),
    ("missing-word", "x-keep-alive: { ask-after: 15, dead-after: 30 }\n", "", "asyncapi:"),
    ("unknown-word", "    description: Trades.", "    description: Trades.\n    x-tempo: fast", "x-tempo"),
    ("misplaced-word", "    description: Trades.", "    description: Trades.\n    x-dialect: {}", "    x-dialect"),
    ("misplaced-word", "      code: { type: integer }", "      code: { type: integer, x-whole: true }", "x-whole"),
    ("bad-word", "    subscribe: [subscribe, subscribed]", "    subscribe: subscribe", "x-dialect"),
    ("bad-word", "    sent: sent_ms\n", "", "x-dialect"),
    ("bad-word", "    error: error\n", "    error: error\n    mood: x\n", "x-dialect"),
    ("bad-word", "x-dialect:\n  commands:", "x-dialect:\n  orders:", "x-dialect"),
    ("bad-word", "ask-after: 15", "ask-after: 30", "x-keep-alive"),
    ("bad-word", "dead-after: 30", "dead-after: 30, ping: '{'", "x-keep-alive"),
    ("bad-word", "per-command: 500", "per-command: 0", "x-limits"),
    ("bad-word", "connections: { production", "connections: { demo", "x-limits"),
    ("bad-word", "{ stream: { upgrade: key } }", "{ stream: { upgrade: [key] } }", "x-login"),
    ("bad-word", "{ stream: { upgrade: key } }", "{ stream: { message: { member: auth, ways: [] } } }", "x-login"),
    ("bad-word", "x-access: public", "x-access: everybody", "x-access: everybody"),
    ("bad-word", "x-sequence: none", "x-sequence: { counted: seq }", "x-sequence: { counted"),
    ("bad-word", "x-sequence: none", "x-sequence: { chain: { number: at, previous: /at } }", "x-sequence: { chain"),
    ("bad-word", "x-recover: resubscribe", "x-recover: somehow", "x-recover: somehow"),
    ("bad-word", "x-sequence: none", "x-sequence: { counter: seq }", "x-sequence: { counter: seq }"),
    (
        "bad-word",
        "x-sequence: none",
        "x-sequence: { successive: { number: at, first: 1 } }",
        "x-sequence: { successive",
    ),
    (
        "dangling-pointer",
        "x-sequence: none",
        "x-sequence: { successive: { number: /no, first: 1 } }",
        "x-sequence: { successive",
    ),
    ("bad-word", "        list: /trades\n", "        list: /trades\n        limit: 5\n", "x-recover:$"),
    ("unknown-parameter", "        list: /trades\n", "        list: /trades\n        limit: { size: 5 }\n", "limit: {"),
    ("bad-word", "{ upgrade: key }", "{ command: { credential: key, command: auth, values: [] } }", "x-login"),
    ("bad-login", "{ upgrade: key }", "{ command: { credential: key, command: auth, values: [x-key] } }", "x-login"),
    ("bad-word", "        list: /trades\n", "", "x-recover:$"),
    ("bad-word", "unit: unix-ms", "unit: days", "x-recover:$"),
    ("bad-word", "item: /ticker, add", "item: ticker, add", "x-items"),
    ("bad-word", ", remove: remove_tickers", "", "x-items"),
    ("bad-word", "x-items: { parameter: tickers, ", "x-items: { ", "x-items"),
    ("bad-word", "      instrument: /ticker\n", "", "x-book"),
    ("bad-word", "entry: [price, size]", "entry: [size, price]", "x-book"),
    ("bad-word", "ask: ask, is: change", "ask: bid, is: change", "x-book"),
    ("bad-word", "is: change", "is: both", "x-book"),
    ("bad-word", "      mark: /clock\n", AUDIT_WITHOUT_DEPTH, "x-book"),
    ("unknown-operation", "      mark: /clock\n", AUDIT_OF_NOTHING, "GetNothing"),
    ("bad-recovery", "      mark: /clock\n", AUDIT_THAT_WRITES, "audit: "),
    ("bad-word", "{ at: /form, equals: whole }", "{ at: /form }", "x-when"),
    ("bad-word", "x-snapshot: true", "x-snapshot: false", "x-snapshot"),
    ("bad-word", "x-control: true", "x-control: false", "x-control"),
    (
        "bad-word",
        "bids: { type: array, items: { type: array, x-tuple: [decimal, decimal] } }",
        "bids: { type: array, items: { type: array, x-tuple: [decimal] } }",
        "bids: {",
    ),
    (
        "bad-tuple",
        "bids: { type: array, items: { type: array, x-tuple: [decimal, decimal] } }",
        "bids: { type: array, items: { type: array, x-tuple: [decimal, decimal-number] } }",
        "bids: {",
    ),
    (
        "bad-tuple",
        "bids: { type: array, items: { type: array, x-tuple: [decimal, decimal] } }",
        "bids: { type: array, items: { type: array, x-tuple: [decimal, decimal, decimal] } }",
        "bids: {",
    ),
    // Servers and logins.
    ("stream-server", "protocol: wss", "protocol: ws", "host: v.test"),
    ("stream-server", "host: v.test", "host: v.test/ws", "host: v.test"),
    (
        "unknown-environment",
        "protocol: wss, x-environment: production",
        "protocol: wss, x-environment: demo",
        "host: v.test",
    ),
    (
        "duplicate-server",
        "x-login:",
        "  again: { host: w.test, pathname: /ws, protocol: wss, x-environment: production, x-endpoint: stream }\nx-login:",
        "host: v.test",
    ),
    ("unknown-endpoint", "x-login: { stream: { upgrade: key } }", "x-login: { stream: none, other: none }", "x-login"),
    ("unknown-endpoint", "x-login: { stream: { upgrade: key } }", "x-login: {}", "host: v.test"),
    (
        "unknown-endpoint",
        "    x-endpoint: stream\n    x-access: public",
        "    x-endpoint: other\n    x-access: public",
        "x-endpoint: other",
    ),
    ("unknown-credential", "{ upgrade: key }", "{ upgrade: token }", "x-login"),
    (
        "unknown-credential",
        "{ upgrade: key }",
        "{ message: { member: auth, ways: [{ credential: key, members: { a: X-Other } }] } }",
        "x-login",
    ),
    ("bad-word", "{ upgrade: key }", EVENTS_ONE_CALL, "x-login"),
    ("bad-word", "{ upgrade: key }", EVENTS_WITHOUT_TYPE, "x-login"),
    ("bad-login", "{ upgrade: key }", EVENTS, "x-login"),
    ("private-channel", "{ upgrade: key }", "none", "x-access: { private-when"),
    // Channels.
    ("channel-address", "'book.{ticker}.{interval}'", "'book.{ticker}.{interval'", "address: 'book"),
    ("channel-address", "'book.{ticker}.{interval}'", "'book.{ticker}.{interval}.{ticker}'", "address: 'book"),
    ("missing-channel-parameter", "'book.{ticker}.{interval}'", "'book.{ticker}.{interval}.{depth}'", "address: 'book"),
    ("unused-channel-parameter", "'book.{ticker}.{interval}'", "'book.{ticker}'", "How often"),
    ("duplicate-channel", "address: 'book.{ticker}.{interval}'", "address: trade", "  trade:$"),
    (
        "unknown-parameter",
        "private-when: { interval: raw }",
        "private-when: { interval: fast }",
        "x-access: { private-when",
    ),
    (
        "bad-sequence",
        "x-dialect:\n  commands:\n    id: id\n    command: cmd\n    params: params\n    channels: channels\n",
        "x-dialect:\n  messages:\n    room: room\n    error-text: /text\n",
        "x-sequence: { counter",
    ),
    ("bad-items", "all: true, item", "all: false, item", "x-items"),
    ("bad-items", "parameter: tickers, all: true", "parameter: depth, all: true", "x-items"),
    ("unknown-parameter", "parameter: tickers, all", "parameter: ticker, all", "x-items"),
    // Parameters.
    ("parameter-values", RAW, "      interval: { description: How often. }", "How often"),
    ("parameter-values", "enum: [raw, 100ms]", "enum: [raw, '']", "How often"),
    ("shape", "enum: [raw, 100ms]", "enum: [raw, 100]", "How often"),
    ("enum-collision", "enum: [raw, 100ms]", "enum: [raw, 100ms, ms100]", "How often"),
    ("parameter-type", "deep., schema: { type: integer }", "deep., schema: { type: number }", "How deep"),
    (
        "parameter-collision",
        "      depth: {",
        "      Whole: { description: d, schema: { type: boolean } }\n      depth: {",
        "Whole numbers",
    ),
    ("reserved-name", "      depth: {", "      topic: {", "How deep"),
    (
        "secret-parameter",
        "deep., schema: { type: integer }",
        "deep., schema: { type: string, format: secret }",
        "How deep",
    ),
    ("unknown-parameter", "alias-of: tickers", "alias-of: markets", "One market"),
    ("bad-fixed", "schema: { type: boolean }, fixed: true", "schema: { type: boolean }, fixed: 'yes'", "Whole numbers"),
    (
        "ref-sibling",
        "schema: { $ref: 'a.yaml#/schemas/Ticker' }, alias-of",
        "schema: { $ref: 'a.yaml#/schemas/Ticker', description: d }, alias-of",
        "One market",
    ),
    // Messages.
    (
        "unused-message",
        "messages:\n  BookWhole:",
        "messages:\n  Forgotten: { name: f, payload: { $ref: '#/schemas/TradeMessage' } }\n  BookWhole:",
        "Forgotten",
    ),
    ("control-in-channel", "    name: trade\n", "    name: trade\n    x-control: true\n", "  Trade:"),
    (
        "message-name",
        "messages:\n  BookWhole:",
        "messages:\n  book_other: { name: f, payload: { $ref: '#/schemas/TradeMessage' } }\n  BookWhole:",
        "book_other",
    ),
    ("message-type", "    name: trade\n", "", "  Trade:"),
    (
        "message-payload",
        "payload: { $ref: '#/schemas/TradeMessage' }",
        "payload: { $ref: 'a.yaml#/schemas/Side' }",
        "    payload: { $ref: 'a.yaml",
    ),
    ("message-ref", TRADE, "      trade: { $ref: '#/messages/Trade', description: d }", "      trade: { $ref"),
    ("no-messages", "    messages:\n      trade: { $ref: '#/messages/Trade' }", "    messages: {}", "    messages: {}"),
    (
        "message-collision",
        TRADE,
        "      trade: { $ref: '#/messages/Trade' }\n      Trade: { $ref: '#/messages/BookLevel' }",
        "      trade: { $ref",
    ),
    ("same-messages", "    x-when: { at: /form, equals: whole }\n", "", "      whole: { $ref"),
    (
        "needless-when",
        "    name: trade\n",
        "    name: trade\n    x-when: { at: /trade_id, equals: a }\n",
        "x-when: { at: /trade_id",
    ),
    ("dangling-pointer", "{ at: /form, equals", "{ at: /shape, equals", "x-when"),
    ("dangling-pointer", "all: true, item: /ticker", "all: true, item: /market", "x-items"),
    (
        "dangling-pointer",
        "x-sequence: none",
        "x-sequence: { per-item: { number: /n, item: /ticker } }",
        "x-sequence: { per-item",
    ),
    (
        "unused-schema",
        "schemas:\n  BookWholeMessage",
        "schemas:\n  Lost: { type: object, properties: { a: { type: string } } }\n  BookWholeMessage",
        "  Lost:",
    ),
    // Recovery.
    ("unknown-operation", "operation: ListTrades", "operation: ListOrders", "operation: ListOrders"),
    ("bad-recovery", "operation: ListTrades", "operation: Reset", "operation: Reset"),
    ("bad-recovery", "x-recover: resubscribe", "x-recover: snapshot", "x-recover: snapshot"),
    ("bad-recovery", "x-recover: resubscribe", "x-recover: next", "x-recover: next"),
    ("bad-recovery", "        order: /at\n", "        order: /at\n        from: after\n", "from: after"),
    (
        "unknown-parameter",
        "parameters: { market: tickers }",
        "parameters: { markets: tickers }",
        "parameters: { markets",
    ),
    (
        "unknown-parameter",
        "parameters: { market: tickers }",
        "parameters: { market: markets }",
        "parameters: { market: markets",
    ),
    ("unknown-parameter", "{ parameter: after,", "{ parameter: since,", "since: {"),
    ("dangling-pointer", "list: /trades", "list: /rows", "list: /rows"),
    ("dangling-pointer", "key: /trade_id", "key: /id", "key: /id"),
    ("dangling-pointer", "key: /trade_id", "key: /at", "key: /at"),
    ("dangling-pointer", "renamed: { market: ticker }", "renamed: { symbol: ticker }", "renamed"),
    // Books.
    ("unknown-message", "        level: { price", "        levels: { price", "levels: { price"),
    ("dangling-pointer", "      mark: /clock", "      mark: /time", "        whole: {"),
    (
        "dangling-pointer",
        LEVEL,
        "        level: { price: /cost, size: /size, side: /side, bid: bid, ask: ask, is: change }",
        "level: { price",
    ),
    ("bad-book", "      mark: /clock", "      mark: /form", "        whole: {"),
    ("bad-book", "entry: [price, size]", "entry: [action, price, size]", "        whole: {"),
    ("bad-book", "price: { type: string, format: decimal }", "price: { type: string }", "level: { price"),
    ("dangling-pointer", "bids: /bids", "bids: /bid", "        whole: {"),
    // Names.
    ("reserved-name", "operationId: ListTrades", "operationId: Streams", "    get:"),
];

#[test]
fn the_calls_of_events_are_operations() {
    let with_login = |login: &str| {
        let mut files = super::owned(STREAMS);
        for (_, text) in &mut files {
            *text = text.replace("{ stream: { upgrade: key } }", login);
        }
        files
    };
    let unknown = EVENTS.replace("unsubscribe: Reset", "unsubscribe: Restart");
    let found = findings(&with_login(&format!("{{ stream: {unknown} }}")));
    let messages: Vec<&str> = found.iter().filter(|one| one.rule == "bad-login").map(|one| &*one.message).collect();
    assert!(messages.contains(&"there is no operation `Restart`"), "{messages:?}");
    let found = findings(&with_login(&format!("{{ stream: {EVENTS} }}")));
    assert!(!found.iter().any(|one| one.message.starts_with("there is no operation")), "{found:?}");
}

/// Where nothing begins the chain again, a new subscription is no use, and would be made for ever.
#[test]
fn a_chain_that_is_subscribed_again_has_a_snapshot() {
    let counted = "x-sequence: { counter: { member: seq, first: 1 } }";
    for sequence in ["{ chain: { number: /clock, previous: /clock } }", "{ successive: { number: /clock, first: 1 } }"]
    {
        for (snapshot, recovery, is_bad) in
            [("x-snapshot: true", "resubscribe", false), ("", "resubscribe", true), ("", "never", false)]
        {
            let mut files = super::owned(STREAMS);
            for (_, text) in &mut files {
                *text = text.replace(counted, &format!("x-sequence: {sequence}"));
                *text = text.replace("    x-snapshot: true\n", &format!("    {snapshot}\n"));
                *text = text.replace("x-recover: resubscribe", &format!("x-recover: {recovery}"));
            }
            let found = findings(&files);
            let is_named = found.iter().any(|one| one.message == "no message begins the chain again");
            assert_eq!(is_named, is_bad, "{sequence} {snapshot} {recovery}: {found:?}");
        }
    }
}

#[test]
fn mistakes_in_streams_are_named() {
    check(STREAMS, CASES);
}

/// What takes more than one edit.
pub const FILES: [&str; 4] = ["no-stream-root", "channel-name", "endpoint-path", "reserved-name"];

#[test]
fn mistakes_in_several_places_are_named() {
    let rules = |edits: &[(&str, &str)], without: Option<&str>| {
        let files: Vec<(&str, String)> = STREAMS
            .iter()
            .filter(|(name, _)| Some(*name) != without)
            .map(|(name, text)| {
                let text = edits.iter().fold((*text).to_owned(), |text, (find, with)| text.replace(find, with));
                (*name, text)
            })
            .collect();
        findings(&files).into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(&[], None), Vec::<&str>::new());
    assert_eq!(rules(&[], Some("asyncapi.yaml")), ["no-stream-root"]);
    let renamed = |id: &str| {
        [
            (
                "  trade: { $ref: 'stream-a.yaml#/channels/trade'",
                format!("  {id}: {{ $ref: 'stream-a.yaml#/channels/{id}'"),
            ),
            ("  trade:\n    address", format!("  {id}:\n    address")),
        ]
    };
    for (id, rule) in [("TradeNow", "channel-name"), ("shared", "reserved-name"), ("option", "reserved-name")] {
        let edits = renamed(id);
        let edits: Vec<(&str, &str)> = edits.iter().map(|(find, with)| (*find, with.as_str())).collect();
        assert_eq!(rules(&edits, None), [rule], "{id}");
    }
    let demo = format!(
        "{SERVER}\n  demo: {{ host: w.test, pathname: /other, protocol: wss, x-environment: demo, x-endpoint: stream }}"
    );
    let rest = "  - { url: 'https://v.test', x-environment: production }";
    let both = format!("{rest}\n  - {{ url: 'https://w.test', x-environment: demo }}");
    assert_eq!(rules(&[(SERVER, &demo), (rest, &both)], None), ["endpoint-path"]);
}
