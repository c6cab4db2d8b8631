//! Recordings of every format, and what a report shows of them.

use std::io::Write as _;

use super::{begins_with_a_line, compare};
use crate::document::Document;
use crate::source::Source;
use crate::tests::Scratch;

const OURS: &str = "\
openapi: 3.0.3
info: { title: Ours, version: '1' }
servers: [{ url: 'https://api.example.com/v1', x-environment: production }]
paths:
  /markets/{ticker}:
    get:
      operationId: GetMarket
      responses:
        '200': { description: d, content: { application/json: { schema: { $ref: '#/components/schemas/Market' } } } }
        4XX: { description: d, content: { application/json: { schema: { $ref: '#/components/schemas/Failure' } } } }
  /markets/trades:
    get:
      operationId: GetTrades
      responses:
        '200': { description: d, content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Trade' } } } } }
components:
  schemas:
    Market:
      type: object
      required: [ticker]
      properties:
        ticker: { type: string }
        status: { type: string, enum: [active, settled] }
        price: { type: string, format: decimal }
        count: { type: integer }
        closes: { type: integer, format: unix-s }
        opens: { type: string, format: date-time }
        limits: { type: object, additionalProperties: { type: integer } }
        anything: { type: object, additionalProperties: true }
    Trade: { type: object, required: [id], properties: { id: { type: string } } }
    Failure: { type: object, properties: { code: { type: string } } }
";

const STREAMS: &str = "\
asyncapi: 3.0.0
info: { title: Streams, version: '1' }
x-dialect: { commands: { kind: type, data: msg, subscribe: [subscribe, subscribed], unsubscribe: [u, sids, unsubscribed], ok: ok, error: error } }
channels: { trade: { $ref: 'stream-a.yaml#/channels/trade' } }
";

const CHANNELS: &str = "\
channels: { trade: { address: trade, messages: { trade: { $ref: '#/messages/Trade' } } } }
messages: { Trade: { name: trade, payload: { $ref: '#/schemas/TradeMessage' } } }
schemas: { TradeMessage: { type: object, required: [id], properties: { id: { type: string } } } }
";

fn document() -> Document {
    let files = [("openapi.yaml", OURS), ("asyncapi.yaml", STREAMS), ("stream-a.yaml", CHANNELS)];
    let sources = files.map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text).unwrap());
    Document::join("v", sources.into()).unwrap()
}

/// What is found in a file, as lines, and how much was looked at.
fn found(name: &str, content: &[u8]) -> (Vec<String>, String) {
    let scratch = Scratch::new();
    let path = scratch.path().join(name);
    std::fs::write(&path, content).unwrap();
    let outcome = compare(&document(), &[&path]).unwrap();
    (outcome.found.iter().map(ToString::to_string).collect(), outcome.extent)
}

/// A line of a good response to `GetMarket`.
fn market(body: &str) -> String {
    format!(
        "{{\"method\": \"GET\", \"url\": \"https://api.example.com/v1/markets/A\", \"status\": 200, \"body\": {body}}}\n"
    )
}

#[test]
fn each_difference_is_counted_with_its_place() {
    for (body, expected) in [
        (
            r#"{"ticker": "A", "status": "active", "price": 5, "count": 2.0, "closes": 1790000000, "limits": {"x": 1}}"#,
            &[][..],
        ),
        (r#"{"ticker": "A", "status": null, "price": " ", "count": "", "anything": {"a": {"b": 1}}}"#, &[]),
        (r#"{"ticker": "A", "rank": 1}"#, &["new-field Market.rank: our spec lacks it"]),
        (r#"{"ticker": "A", "status": "paused"}"#, &["new-value Market.status=paused: our enum lacks it"]),
        (r#"{"ticker": null}"#, &["newly-nullable Market.ticker: it is vital, and null"]),
        (r#"{"count": 1}"#, &["newly-optional Market.ticker: it is vital, and missing"]),
        (r#"{"ticker": "A", "count": {"a": 1}}"#, &["retyped Market.count: our spec says integer; seen once"]),
        (
            r#"{"ticker": "A", "count": "12"}"#,
            &["retyped Market.count: our spec says integer; it is read nevertheless"],
        ),
        (r#"{"ticker": "A", "count": 1.5}"#, &["retyped Market.count"]),
        (r#"{"ticker": "A", "closes": 1790000000000}"#, &["unit Market.closes: it looks like unix-ms"]),
        (r#"{"ticker": "A", "opens": "1790000000"}"#, &["unit Market.opens"]),
        (r#"{"ticker": "A", "limits": {"x": "y"}}"#, &["retyped Market.limits.*"]),
        (r#"[]"#, &["retyped Market: our spec says object"]),
    ] {
        let (lines, extent) = found("a.jsonl", market(body).as_bytes());
        assert_eq!(lines.len(), expected.len(), "{body}: {lines:?}");
        assert!(lines.iter().zip(expected).all(|(line, expected)| line.contains(expected)), "{body}: {lines:?}");
        assert_eq!(extent, "1 response of 1 operation");
    }
    let twice = market(r#"{"ticker": "A", "rank": 1}"#).repeat(2);
    assert!(
        found("a.jsonl", twice.as_bytes()).0[0].contains("seen 2 times, first in a.jsonl:1"),
        "the place and the number"
    );
}

#[test]
fn a_long_first_line_is_a_line() {
    let long = format!("{{\"url\": \"/v1/markets/A\", \"body\": {{\"ticker\": \"{}\"}}}}\n", "A".repeat(100_000));
    assert!(begins_with_a_line(long.repeat(2).as_bytes()).unwrap());
    let archive = format!("{{\"log\": {{\"entries\": [], \"comment\": \"{}\"}}}}", "A".repeat(100_000));
    for one_object in [archive.as_str(), "{\n\"url\": \"/v1/markets/A\"}", ""] {
        assert!(!begins_with_a_line(one_object.as_bytes()).unwrap());
    }
}

#[test]
fn requests_find_their_operations() {
    let line = |method: &str, url: &str, status: u16, body: &str| {
        format!("{{\"method\": \"{method}\", \"url\": \"{url}\", \"status\": {status}, \"body\": {body}}}\n")
            .into_bytes()
    };
    let at = |url: &str| found("a.jsonl", &line("GET", url, 200, "[{}]"));
    // The plain path wins over the template; a path alone and this machine are the venue's.
    for url in [
        "https://api.example.com/v1/markets/trades?limit=1",
        "/v1/markets/trades",
        "http://127.0.0.1:9/v1/markets/trades",
    ] {
        assert_eq!(at(url).0.len(), 1, "{url}");
        assert!(at(url).0[0].starts_with("newly-optional Trade.id"), "{url}");
    }
    assert_eq!(at("https://elsewhere.org/x").1, "nothing of this venue; left out: requests to other servers (1)");
    let (lines, _) = found("a.jsonl", &line("POST", "https://api.example.com/v1/orders/7f3a99bc12?key=abc", 200, "{}"));
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("new-operation POST /orders/{}: our spec has no such operation"), "{lines:?}");
    assert!(found("a.jsonl", &line("GET", "https://api.example.com/v1/nothing", 404, "{}")).0.is_empty());
    assert!(
        found("a.jsonl", &line("GET", "/v1/markets/A", 404, r#"{"code": "x", "why": "y"}"#)).0[0]
            .contains("new-field Failure.why")
    );
    assert!(
        found("a.jsonl", &line("GET", "/v1/markets/A", 203, r#"{"ticker": "A"}"#)).0[0].starts_with("status GetMarket")
    );
    assert!(
        found("a.jsonl", &line("GET", "/v1/markets/A", 200, "null")).0[0]
            .starts_with("removed-body GetMarket response")
    );
}

/// One response with a member that our spec lacks.
const BODY: &str = r#"{"ticker":"A","rank":1}"#;

fn netstring(kind: char, data: &str) -> String {
    format!("{}:{data}{kind}", data.len())
}

/// A flow as mitmproxy writes it.
fn flow(body: &str, message: &str) -> String {
    let text = |text: &str| netstring(',', text);
    let name = |text: &str| netstring(';', text);
    let map = |members: &[(&str, String)]| {
        netstring('}', &members.iter().map(|(key, value)| format!("{}{value}", name(key))).collect::<String>())
    };
    let list = |items: &[String]| netstring(']', &items.concat());
    let request = map(&[
        ("method", text("GET")),
        ("scheme", text("https")),
        ("host", name("api.example.com")),
        ("port", netstring('#', "443")),
        ("path", text("/v1/markets/A")),
        ("headers", list(&[list(&[text("Host"), text("api.example.com")])])),
        ("content", text("")),
    ]);
    let response = map(&[
        ("status_code", netstring('#', "200")),
        ("headers", list(&[])),
        ("content", text(body)),
        ("timestamp", netstring('^', "1.5")),
        ("trailers", netstring('~', "")),
    ]);
    let frame = list(&[netstring('#', "1"), netstring('!', "false"), text(message), netstring('^', "1.0")]);
    let socket = map(&[("messages", list(&[frame]))]);
    map(&[("type", name("http")), ("request", request), ("response", response), ("websocket", socket)])
}

#[test]
fn every_format_is_read() {
    let escaped = BODY.replace('"', "\\\"");
    let har = |content: &str| {
        format!(
            r#"{{"log": {{"entries": [{{"request": {{"method": "GET", "url": "https://api.example.com/v1/markets/A"}}, "response": {{"status": 200, "content": {content}}}}}]}}}}"#
        )
    };
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, BODY);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(BODY.as_bytes()).unwrap();
    let gzip = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, gzip.finish().unwrap());
    let python = format!(
        "interactions:\n- request: {{body: null, headers: {{}}, method: GET, uri: 'https://api.example.com/v1/markets/A'}}\n  response:\n    body: {{string: '{BODY}'}}\n    headers: {{}}\n    status: {{code: 200, message: OK}}\nversion: 1\n"
    );
    let packed = format!(
        "interactions:\n- request: {{method: GET, uri: 'https://api.example.com/v1/markets/A'}}\n  response:\n    body:\n      string: !!binary |\n        {gzip}\n    headers: {{Content-Encoding: [gzip]}}\n    status: {{code: 200}}\n"
    );
    let ruby = format!(
        "---\nhttp_interactions:\n- request: {{method: get, uri: 'https://api.example.com/v1/markets/A'}}\n  response:\n    status: {{code: 200}}\n    body: {{encoding: UTF-8, string: '{BODY}'}}\n"
    );
    for (name, content) in [
        ("a.jsonl", market(BODY)),
        ("a.har", har(&format!("{{\"text\": \"{escaped}\"}}"))),
        ("b.har", har(&format!("{{\"encoding\": \"base64\", \"text\": \"{base64}\"}}"))),
        ("a.yaml", python),
        ("b.yaml", packed),
        ("c.yaml", ruby),
        ("a.mitm", flow(BODY, "{\"type\":\"trade\",\"msg\":{\"id\":\"1\"}}")),
    ] {
        let (lines, extent) = found(name, content.as_bytes());
        assert_eq!(lines.len(), 1, "{name}: {lines:?} {extent}");
        assert!(lines[0].contains("new-field Market.rank") && lines[0].contains(name), "{name}: {lines:?}");
    }
}

#[test]
fn frames_of_streams_are_held_against_their_messages() {
    let frame = r#"{\"type\":\"trade\",\"sid\":1,\"msg\":{\"id\":\"1\",\"price\":\"5\"}}"#;
    let reply = r#"{\"type\":\"subscribed\",\"msg\":{}}"#;
    let strange = r#"{\"type\":\"bust\",\"msg\":{}}"#;
    let line = |frame: &str| {
        format!("{{\"at\":1,\"endpoint\":\"stream\",\"connection\":1,\"direction\":\"in\",\"frame\":\"{frame}\"}}\n")
    };
    let lines = format!("{{\"format\":1,\"venue\":\"v\"}}\n{}{}{}", line(frame), line(reply), line(strange));
    let packed = zstd::stream::encode_all(lines.as_bytes(), 1).unwrap();
    for (name, content) in [("a.jsonl", lines.as_bytes()), ("a.zst", packed.as_slice())] {
        let (found, extent) = found(name, content);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].starts_with("new-message message bust") && found[1].starts_with("new-field TradeMessage.price"),
            "{found:?}"
        );
        assert_eq!(extent, "1 message of 1 channel; left out: replies to commands (1)");
    }
}

/// Frames that name their channel, of which one address is served at two sockets.
#[test]
fn a_frame_is_of_the_channel_that_it_names_at_its_endpoint() {
    const TOPICS: &str = "\
asyncapi: 3.0.0
info: { title: Streams, version: '1' }
servers:
  spot: { host: s.example.com, pathname: /v5/spot, protocol: wss, x-environment: production, x-endpoint: spot }
  option: { host: s.example.com, pathname: /v5/option, protocol: wss, x-environment: production, x-endpoint: option }
x-dialect: { topics: { command: op, topics: args, subscribe: subscribe, unsubscribe: unsubscribe, success: success, topic: topic, kind: type, data: data } }
channels:
  spot: { $ref: 'stream-a.yaml#/channels/spot' }
  option: { $ref: 'stream-a.yaml#/channels/option' }
";
    const CHANNELS: &str = "\
channels:
  spot: { address: 'trade.{symbol}', x-endpoint: spot, x-list: true, messages: { a: { $ref: '#/messages/Spot' } } }
  option: { address: 'trade.{symbol}', x-endpoint: option, x-list: true, messages: { a: { $ref: '#/messages/Option' } } }
messages: { Spot: { name: snapshot, payload: { $ref: '#/schemas/Spot' } }, Option: { name: snapshot, payload: { $ref: '#/schemas/Option' } } }
schemas: { Spot: { type: object, properties: { p: { type: string } } }, Option: { type: object, properties: { p: { type: string }, iv: { type: string } } } }
";
    let files = [("openapi.yaml", OURS), ("asyncapi.yaml", TOPICS), ("stream-a.yaml", CHANNELS)];
    let sources = files.map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text).unwrap());
    let document = Document::join("v", sources.into()).unwrap();
    let scratch = Scratch::new();
    let frame = r#"{\"topic\":\"trade.A\",\"type\":\"snapshot\",\"data\":[{\"p\":\"1\",\"iv\":\"2\"}]}"#;
    let reply = r#"{\"op\":\"subscribe\",\"success\":true}"#;
    let line = |endpoint: &str, frame: &str| {
        format!(
            "{{\"at\":1,\"endpoint\":\"{endpoint}\",\"connection\":1,\"direction\":\"in\",\"frame\":\"{frame}\"}}\n"
        )
    };
    let path = scratch.path().join("a.jsonl");
    for (endpoint, expected) in
        [("option", &[][..]), ("spot", &["new-field Spot.iv"]), ("wss://s.example.com/v5/spot", &["new-field Spot.iv"])]
    {
        let strange = frame.replace("trade.A", "book.A");
        let lines = format!("{}{}{}", line(endpoint, frame), line(endpoint, reply), line(endpoint, &strange));
        std::fs::write(&path, lines).unwrap();
        let outcome = compare(&document, &[&path]).unwrap();
        let found: Vec<String> = outcome.found.iter().map(ToString::to_string).collect();
        let names: Vec<&str> = ["new-channel channel book.{}"].iter().chain(expected).copied().collect();
        let all = found.len() == names.len() && found.iter().zip(&names).all(|(one, name)| one.starts_with(name));
        assert!(all, "{endpoint}: {found:?}");
        assert!(
            outcome.extent.ends_with("left out: frames that name no channel, such as replies (1)"),
            "{}",
            outcome.extent
        );
    }
}

/// Events of an account come without a channel: their endpoint has one.
#[test]
fn an_event_is_of_the_channel_of_its_endpoint() {
    const EVENTS: &str = "\
asyncapi: 3.0.0
info: { title: Streams, version: '1' }
servers:
  market: { host: s.example.com, pathname: /market, protocol: wss, x-environment: production, x-endpoint: market }
  user: { host: s.example.com, pathname: /user, protocol: wss, x-environment: production, x-endpoint: user }
x-login:
  market: none
  user: { events: { subscribe: [A, B], unsubscribe: C, subscription: sub, data: event, type: e, closing: bye } }
x-dialect: { topics: { command: op, topics: args, subscribe: subscribe, unsubscribe: unsubscribe, success: success, topic: stream, data: data } }
channels:
  user: { $ref: 'stream-a.yaml#/channels/user' }
";
    const CHANNELS: &str = "\
channels:
  user: { address: user, x-endpoint: user, messages: { order: { $ref: '#/messages/Order' }, balance: { $ref: '#/messages/Balance' } } }
messages: { Order: { name: order, payload: { $ref: '#/schemas/UserOrder' } }, Balance: { name: balance, payload: { $ref: '#/schemas/Balance' } } }
schemas: { UserOrder: { type: object, properties: { e: { type: string } } }, Balance: { type: object, properties: { e: { type: string }, d: { type: string } } } }
";
    let files = [("openapi.yaml", OURS), ("asyncapi.yaml", EVENTS), ("stream-a.yaml", CHANNELS)];
    let sources = files.map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text).unwrap());
    let document = Document::join("v", sources.into()).unwrap();
    let scratch = Scratch::new();
    let path = scratch.path().join("a.jsonl");
    let seen = |endpoint: &str, frame: &str| {
        let line =
            serde_json::json!({ "at": 1, "endpoint": endpoint, "connection": 1, "direction": "in", "frame": frame });
        std::fs::write(&path, format!("{line}\n")).unwrap();
        let outcome = compare(&document, &[&path]).unwrap();
        (outcome.found.iter().map(ToString::to_string).collect::<Vec<_>>(), outcome.extent)
    };
    let (found, extent) = seen("user", r#"{"sub":0,"event":{"e":"order","d":"1"}}"#);
    assert!(found.len() == 1 && found[0].starts_with("new-field UserOrder.d"), "{found:?}");
    assert_eq!(extent, "1 message of 1 channel");
    let known = r#"{"sub":0,"event":{"e":"balance","d":"1"}}"#;
    assert_eq!(seen("", known), (Vec::new(), "1 message of 1 channel".to_owned()));
    let (found, _) = seen("user", r#"{"sub":0,"event":{"e":"fill"}}"#);
    assert!(found.len() == 1 && found[0].starts_with("new-message channel user"), "{found:?}");
    for (endpoint, frame) in
        [("market", known), ("user", r#"{"event":{"e":"bye"}}"#), ("user", r#"{"id":1,"result":{}}"#)]
    {
        let (found, extent) = seen(endpoint, frame);
        assert!(found.is_empty() && extent.contains("frames that name no channel"), "{frame}: {found:?} {extent}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_recording() {
    let marked = format!("\u{feff}{}", market(r#"{"ticker": "A", "rank": 1}"#));
    assert!(found("a.jsonl", marked.as_bytes()).0[0].starts_with("new-field Market.rank"));
    let har = "\u{feff}{\"log\": {\"entries\": []}}";
    assert_eq!(found("a.har", har.as_bytes()).1, "nothing of this venue");
}

#[test]
fn no_secret_is_in_a_report() {
    let secret = "sk_live_9aF3kQ2mZx71LpTt";
    let key = "MC4CAQAwBQYDK2VwBCIEIGv0q1Zc";
    let body = format!(
        r#"{{"ticker": "A", "apiSecret": "{secret}", "greeting": "{key}", "holder": "Ada", "nested": {{"email": "ada@example.com", "{key}": 1}},
        "list": ["{secret}"], "passphrase": "correct", "{secret}": 1, "status": "{key}", "mode": "isolated", "count": "{secret}"}}"#
    );
    let text = body.replace('\n', " ");
    let url = format!("https://api.example.com/v1/accounts/{key}?token={secret}");
    let strange = format!("{{\"method\": \"GET\", \"url\": \"{url}\", \"status\": 200, \"body\": {{}}}}\n");
    let (lines, _) = found("a.jsonl", format!("{}{strange}", market(&text)).as_bytes());
    let all = lines.join("\n");
    for hidden in [secret, key, "ada@example.com", "correct", "Ada"] {
        assert!(!all.contains(hidden), "{hidden} is in\n{all}");
    }
    assert!(all.contains("new-field Market.apiSecret") && all.contains("a text of 24 characters"), "{all}");
    assert!(all.contains("`isolated`"), "a word of an enum is shown:\n{all}");
}

#[test]
fn damaged_recordings_are_refused_and_bounded() {
    let scratch = Scratch::new();
    let flow = flow(BODY, "{}");
    for (name, content) in [
        ("cut.mitm", &flow.as_bytes()[..flow.len() / 2]),
        ("deep.mitm", b"3:0:~]".as_slice()),
        ("nothing.bin", b"\xff\xfe\x00".as_slice()),
        ("text.txt", b"hello: world".as_slice()),
    ] {
        let path = scratch.path().join(name);
        std::fs::write(&path, content).unwrap();
        let outcome = compare(&document(), &[&path]);
        assert!(outcome.is_err() || outcome.is_ok_and(|outcome| outcome.found.is_empty()), "{name}");
    }
    let (found, extent) = found("a.jsonl", b"{\"url\": \"/v1/markets/A\", \"body\": \"<html>\"}\nnot json\n");
    assert!(
        found.is_empty()
            && extent.contains("lines that are not JSON (1)")
            && extent.contains("responses that are not JSON (1)"),
        "{extent}"
    );
}
