//! Channels and messages, against AsyncAPI and inventories.

use super::super::compare::compare;
use super::{OURS, edited, said};
use crate::document::Document;
use crate::source::Source;
use crate::surface::{ours, vendor};

const STREAMS: &str = "\
asyncapi: 3.0.0
info: { title: Streams, version: '1' }
x-dialect: { commands: { kind: type, data: msg, subscribe: [subscribe, subscribed], unsubscribe: [u, sids, unsubscribed], ok: ok, error: error } }
channels:
  trade: { $ref: 'stream-a.yaml#/channels/trade' }
";

const CHANNELS: &str = "\
channels:
  trade:
    address: trade
    x-parameters: { tickers: { description: 'Markets, at most 10.', schema: { type: array, items: { type: string } }, required: false } }
    messages: { trade: { $ref: '#/messages/Trade' } }
messages:
  Trade: { name: trade, payload: { $ref: '#/schemas/TradeMessage' } }
schemas:
  TradeMessage: { type: object, required: [id], properties: { id: { type: string }, side: { type: string, enum: [a, b] } } }
";

/// Whole frames, the data in one of their members.
const ASYNCAPI: &str = "\
asyncapi: 3.0.0
info: { title: Vendor, version: 1 }
channels:
  root: { address: /, messages: { subscribe: { payload: { type: object } } } }
  trade:
    address: trade
    messages:
      trade: { $ref: '#/components/messages/trade' }
      ok: { name: ok, payload: { type: object, properties: { type: { const: ok } } } }
components:
  messages:
    trade:
      name: tradeUpdate
      payload:
        type: object
        properties:
          type: { type: string, const: trade }
          sid: { type: integer }
          msg: { type: object, required: [id], properties: { id: { type: string }, side: { type: string, enum: [a, b] } } }
";

const STREAM_INVENTORY: &str = r#"[{"venue": "v", "channel": "trade", "params": [{"name": "tickers", "type": "string[]", "max": 10}],
    "message_types": [{"type": "trade", "fields": [{"name": "id", "type": "string", "nullable": false, "optional": false},
    {"name": "side", "type": "string", "nullable": false, "optional": true, "enum": ["a", "b"]}]}]},
    {"venue": "other", "channel": "strange", "message_types": []}]"#;

#[test]
fn streams_are_compared_without_their_frames() {
    let files = [("openapi.yaml", OURS), ("asyncapi.yaml", STREAMS), ("stream-a.yaml", CHANNELS)];
    let sources = files.map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text).unwrap());
    let ours = Document::join("v", sources.into()).unwrap();
    let found = |text: &str| compare(&ours::surface(&ours), &vendor::read(text, &ours).unwrap()).0;
    for (text, from, to, expected) in [
        (
            ASYNCAPI,
            "id: { type: string },",
            "id: { type: string }, at: { type: integer },",
            "new-field TradeMessage.at",
        ),
        (ASYNCAPI, "enum: [a, b]", "enum: [a, b, c]", "new-value TradeMessage.side=c"),
        (ASYNCAPI, "    address: trade\n", "    address: trades\n", "removed-channel channel trade"),
        (
            ASYNCAPI,
            "  trade:\n    address",
            "  fills: { address: fills, messages: { x: { payload: {} } } }\n  trade:\n    address",
            "new-channel channel fills",
        ),
        (
            ASYNCAPI,
            "      ok: {",
            "      bust: { name: bust, payload: { type: object } }\n      ok: {",
            "new-message channel trade bust",
        ),
        (STREAM_INVENTORY, "\"id\", \"type\": \"string\"", "\"id\", \"type\": \"boolean\"", "retyped TradeMessage.id"),
        (
            STREAM_INVENTORY,
            "\"max\": 10}",
            "\"max\": 10}, {\"name\": \"flag\", \"type\": \"boolean\"}",
            "new-parameter channel trade(flag)",
        ),
    ] {
        assert_eq!(said(&found(text)), [""; 0]);
        // An address is also found by the channel's key.
        let to = if expected.starts_with("removed-channel") { "    address: trades\n" } else { to };
        let text = edited(text, &[(from, to)]);
        let text =
            if expected.starts_with("removed-channel") { text.replace("\n  trade:\n", "\n  trades:\n") } else { text };
        let changed = said(&found(&text));
        assert!(changed.iter().any(|one| one.contains(expected)), "{expected}: {changed:?}");
    }
    let two = edited(
        ASYNCAPI,
        &[
            ("const: trade", "const: other"),
            (
                "      ok: {",
                "      bust: { name: bust, payload: { type: object, properties: { type: { const: bust } } } }\n      ok: {",
            ),
        ],
    );
    assert!(
        said(&found(&two)).iter().any(|one| one.starts_with("removed-message channel trade trade")),
        "{:?}",
        said(&found(&two))
    );
}

/// One address at three sockets: two of ours are one channel of the vendor, and one address is another channel elsewhere.
const SOCKETS: &str = "\
asyncapi: 3.0.0
info: { title: Streams, version: '1' }
servers:
  spot: { host: s.example.com, pathname: /v5/spot, protocol: wss, x-environment: production, x-endpoint: spot }
  linear: { host: s.example.com, pathname: /v5/linear, protocol: wss, x-environment: production, x-endpoint: linear }
  option: { host: s.example.com, pathname: /v5/option, protocol: wss, x-environment: production, x-endpoint: option }
  private: { host: s.example.com, pathname: /v5/private, protocol: wss, x-environment: production, x-endpoint: private }
x-dialect: { topics: { command: op, topics: args, subscribe: subscribe, unsubscribe: unsubscribe, success: success, topic: topic, kind: type, data: data } }
channels:
  spot_trades: { $ref: 'stream-a.yaml#/channels/spot_trades' }
  linear_trades: { $ref: 'stream-a.yaml#/channels/linear_trades' }
  option_trades: { $ref: 'stream-a.yaml#/channels/option_trades' }
  order: { $ref: 'stream-a.yaml#/channels/order' }
  order_by_kind: { $ref: 'stream-a.yaml#/channels/order_by_kind' }
";

const SOCKET_CHANNELS: &str = "\
channels:
  spot_trades: { address: 'trade.{symbol}', x-endpoint: spot, x-list: true, parameters: { symbol: { description: d } }, messages: { a: { $ref: '#/messages/Trade' } } }
  linear_trades: { address: 'trade.{symbol}', x-endpoint: linear, x-list: true, parameters: { symbol: { description: d } }, messages: { a: { $ref: '#/messages/Trade' } } }
  option_trades: { address: 'trade.{base_coin}', x-endpoint: option, x-list: true, parameters: { base_coin: { description: d } }, messages: { a: { $ref: '#/messages/OptionTrade' } } }
  order: { address: order, x-endpoint: private, messages: { a: { $ref: '#/messages/Order' } } }
  order_by_kind: { address: 'order.{kind}', x-endpoint: private, parameters: { kind: { description: d, enum: [a, b] } }, messages: { a: { $ref: '#/messages/Order' } } }
messages:
  Trade: { name: snapshot, payload: { $ref: '#/schemas/Trade' } }
  OptionTrade: { name: snapshot, payload: { $ref: '#/schemas/OptionTrade' } }
  Order: { payload: { $ref: '#/schemas/UserOrder' } }
schemas:
  Trade: { type: object, properties: { p: { type: string } } }
  OptionTrade: { type: object, properties: { p: { type: string }, iv: { type: string } } }
  UserOrder: { type: object, properties: { id: { type: string } } }
";

const SOCKET_INVENTORY: &str = r#"[
    {"channel": "trade.{symbol}", "endpoint": {"production": "wss://s.example.com/v5/{spot,linear}"}, "params": [{"name": "symbol", "type": "string"}],
     "message_types": [{"type": "snapshot", "data": "array", "fields": [{"name": "p", "type": "string"}]}]},
    {"channel": "trade.{baseCoin}@option", "endpoint": {"production": "wss://s.example.com/v5/option"}, "params": [{"name": "baseCoin", "type": "string"}],
     "message_types": [{"type": "snapshot", "data": "array", "fields": [{"name": "p", "type": "string"}, {"name": "iv", "type": "string"}]}]},
    {"channel": "order[.{kind}]", "endpoint": {"production": "wss://s.example.com/v5/private"}, "params": [{"name": "kind", "type": "string", "enum": ["a", "b"]}],
     "message_types": [{"type": "(no type)", "fields": [{"name": "id", "type": "string"}]}]}]"#;

#[test]
fn one_address_at_several_endpoints_is_several_channels() {
    let files = [("openapi.yaml", OURS), ("asyncapi.yaml", SOCKETS), ("stream-a.yaml", SOCKET_CHANNELS)];
    let sources = files.map(|(name, text)| Source::parse(&format!("specs/v/{name}"), text).unwrap());
    let ours = Document::join("v", sources.into()).unwrap();
    let found = |text: &str| said(&compare(&ours::surface(&ours), &vendor::read(text, &ours).unwrap()).0);
    assert_eq!(found(SOCKET_INVENTORY), [""; 0]);
    for (from, to, expected) in [
        ("{spot,linear}", "spot", &["removed-channel channel linear_trades"][..]),
        (
            "{spot,linear}",
            "{spot,linear,option,private}",
            &["new-channel channel trade.{symbol} at option", "new-channel channel trade.{symbol} at private"],
        ),
        (r#"{"name": "iv", "type": "string"}"#, r#"{"name": "iv", "type": "boolean"}"#, &["retyped OptionTrade.iv"]),
        (r#""enum": ["a", "b"]"#, r#""enum": ["a"]"#, &["removed-value channel order_by_kind(kind)=b"]),
        ("order[.{kind}]", "order", &["removed-channel channel order_by_kind", "new-parameter channel order(kind)"]),
    ] {
        let changed = found(&edited(SOCKET_INVENTORY, &[(from, to)]));
        let all =
            changed.len() == expected.len() && changed.iter().zip(expected).all(|(one, name)| one.starts_with(name));
        assert!(all, "{to}: {changed:?}");
    }
    // The same as AsyncAPI, whose channels name their servers.
    let trades = |server: &str| {
        format!(
            "asyncapi: 3.0.0\ninfo: {{ title: V, version: 1 }}\nservers: {{ s: {{ host: s.example.com, pathname: /v5/{server}, protocol: wss }} }}\nchannels: {{ t: {{ address: 'trade.{{x}}', servers: [{{ $ref: '#/servers/s' }}], messages: {{ m: {{ payload: {{ type: object, properties: {{ topic: {{ type: string }}, data: {{ type: array, items: {{ type: object, properties: {{ p: {{ type: string }} }} }} }} }} }} }} }} }} }}\n"
        )
    };
    let lost_iv =
        |server: &str| found(&trades(server)).iter().any(|one| one.starts_with("removed-field OptionTrade.iv"));
    assert!(lost_iv("option") && !lost_iv("linear"));
}
