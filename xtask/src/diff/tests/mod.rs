//! Two revisions of a small spec. The spec and the helpers of these tests are here.

mod history;
mod rules;
mod words;

use super::compare::{Change, compare};
use crate::document::Document;
use crate::source::Source;
use crate::surface::ours;

const ROOT: &str = "\
openapi: 3.0.3
info: { title: Test API, version: '1' }
servers:
  - { url: 'https://a.example.com/v1', x-environment: production, x-hosts: [b.example.com], x-serves: [/a, /b] }
security: [{ key: [] }]
x-buckets: { read: [{ tier: basic, refill: 10, capacity: 10 }] }
x-errors: { code: [/code], kinds: { no_money: insufficient-funds }, names: { '1': no_money, '2': too_late } }
x-variables:
  credentials:
    - { kind: key, id: KEY_ID, secret: KEY_SECRET, proves: [key, other] }
x-keys: { managed-by: key, edit: [], others: { margin: { managed-by: key } } }
x-client-headers: { X-UNIT: [ms, us] }
x-websocket: { servers: { production: 'wss://a.example.com' }, dead-after: 60 }
paths:
  /markets: { $ref: 'a.yaml#/paths/~1markets' }
  /orders: { $ref: 'a.yaml#/paths/~1orders' }
  /orders/{order_id}: { $ref: 'a.yaml#/paths/~1orders~1{order_id}' }
components: { securitySchemes: { key: { type: apiKey, in: header, name: KEY, x-credential: key } } }
";

const TAG: &str = "\
paths:
  /markets:
    get:
      operationId: GetMarkets
      description: Markets.
      security: []
      x-retry: safe
      x-rate: { bucket: read, cost: 1 }
      x-page: { style: cursor, param: cursor, next: cursor, items: markets }
      parameters:
        - { name: limit, in: query, schema: { type: integer, maximum: 100, default: 10 } }
        - { name: cursor, in: query, schema: { type: string } }
        - { name: status, in: query, schema: { $ref: '#/schemas/Filter' } }
      responses:
        '200': { description: d, content: { application/json: { schema: { $ref: '#/schemas/Markets' } } } }
  /orders:
    post:
      operationId: CreateOrder
      x-retry: never
      x-method: order.create
      x-scope: write
      x-reconcile: GetMarkets
      requestBody: { content: { application/json: { schema: { $ref: '#/schemas/NewOrder' } } } }
      responses:
        '201': { description: d, content: { application/json: { schema: { $ref: '#/schemas/Order' } } } }
  /orders/{order_id}:
    delete:
      operationId: CancelOrder
      x-retry: { keyed: { field: reason } }
      parameters:
        - { name: order_id, in: path, required: true, schema: { type: string } }
        - { name: reason, in: query, required: true, schema: { type: string } }
      responses:
        '204': { description: d }
schemas:
  Filter: { type: string, enum: [open, closed] }
  Markets:
    type: object
    required: [markets]
    properties:
      markets: { type: array, items: { $ref: '#/schemas/Market' } }
      cursor: { type: string }
  Market:
    type: object
    required: [ticker]
    x-vital: [title, status]
    properties:
      ticker: { type: string }
      title: { type: string, description: Title. }
      status: { $ref: '#/schemas/Status' }
      closes: { type: integer, format: unix-s }
      volume: { type: string, format: decimal, maxLength: 20 }
      word: { type: string }
      fixed: { $ref: '#/schemas/Fixed' }
      nested: { $ref: '#/schemas/Nested' }
  Status: { type: string, enum: [active, settled] }
  Fixed: { type: string, enum: ['yes', 'no'], x-closed: true }
  Nested: { type: object, properties: { depth: { type: integer } } }
  NewOrder:
    type: object
    required: [ticker, count]
    properties:
      ticker: { type: string }
      count: { type: integer, minimum: 1 }
      note: { type: string, pattern: '^[a-z]*$', nullable: true }
      post_only: { type: boolean, default: false }
      side: { $ref: '#/schemas/Side' }
  Side: { type: string, enum: [buy, sell] }
  Order:
    type: object
    required: [order_id, price]
    properties:
      order_id: { type: string }
      price: { type: string, format: decimal, nullable: true }
";

const STREAMS: &str = "\
asyncapi: 3.0.0
info: { title: Streams, version: '1' }
servers:
  production: { host: s.example.com, pathname: /v1, protocol: wss, x-environment: production, x-endpoint: main }
x-query: { unit: [ms] }
channels:
  trade: { $ref: 'stream-a.yaml#/channels/trade' }
  book: { $ref: 'stream-a.yaml#/channels/book' }
";

const CHANNELS: &str = "\
channels:
  trade:
    address: trade
    x-access: public
    x-sequence: none
    x-recover: never
    messages: { trade: { $ref: '#/messages/Trade' }, bust: { $ref: '#/messages/Bust' } }
  book:
    address: 'book.{item}'
    x-access: public
    parameters: { item: { description: d, enum: [a, b], x-lower-case: true } }
    x-parameters:
      items: { description: d, schema: { type: array, items: { type: string } } }
      one: { description: d, schema: { type: string }, alias-of: items }
      mode: { description: d, schema: { type: string }, of-connection: true }
    x-book: { instrument: /ticker }
    messages: { book: { $ref: '#/messages/Book' } }
messages:
  Trade: { name: trade, payload: { $ref: '#/schemas/TradeMessage' } }
  Bust: { name: bust, payload: { $ref: '#/schemas/BustMessage' } }
  Book: { name: book, x-snapshot: true, payload: { $ref: '#/schemas/BookMessage' } }
schemas:
  TradeMessage: { type: object, properties: { count: { type: integer } } }
  BustMessage: { type: object, properties: { trade: { type: string } } }
  BookMessage: { type: object, properties: { ticker: { type: string } } }
";

const FILES: [(&str, &str); 4] =
    [("openapi.yaml", ROOT), ("a.yaml", TAG), ("asyncapi.yaml", STREAMS), ("stream-a.yaml", CHANNELS)];

fn document(edits: &[(&str, &str)]) -> Document {
    let mut left: Vec<(&str, &str)> = edits.to_vec();
    let sources = FILES.map(|(name, text)| {
        let mut text = text.to_owned();
        left.retain(|(from, to)| {
            let is_here = text.contains(from);
            text = text.replacen(from, to, 1);
            !is_here
        });
        Source::parse(&format!("specs/v/{name}"), &text).unwrap()
    });
    assert!(left.is_empty(), "not in the spec: {left:?}");
    Document::join("v", sources.into()).unwrap()
}

fn changes(edits: &[(&str, &str)]) -> Vec<Change> {
    compare(&ours::surface(&document(&[])), &ours::surface(&document(edits)))
}
