//! A small venue that streams, for the tests of whatever reads streams.

use crate::document::Document;
use crate::source::Source;

/// Its files.
pub const FILES: &[(&str, &str)] = &[
    (
        "openapi.yaml",
        "\
openapi: 3.0.3
info: { title: t, version: '1' }
servers:
  - { url: 'https://v.test', x-environment: production }
security: []
x-errors: { code: [/code] }
paths:
  /trades: { $ref: 'a.yaml#/paths/~1trades' }
  /reset: { $ref: 'a.yaml#/paths/~1reset' }
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Key, x-credential: key, x-carries: secret }
  responses:
    Failed: { description: no }
",
    ),
    (
        "a.yaml",
        "\
paths:
  /trades:
    get:
      operationId: ListTrades
      x-retry: safe
      parameters:
        - { name: market, in: query, schema: { $ref: '#/schemas/Ticker' } }
        - { name: after, in: query, schema: { type: integer } }
        - { name: count, in: query, schema: { type: integer } }
      responses:
        '200':
          description: ok
          content: { application/json: { schema: { $ref: '#/schemas/TradeList' } } }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
  /reset:
    post:
      operationId: Reset
      x-retry: never
      responses:
        '204': { description: done }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
schemas:
  Ticker: { type: string, pattern: '^[A-Z]+$' }
  Side: { type: string, enum: [bid, ask] }
  TradeList:
    type: object
    properties:
      trades: { type: array, items: { $ref: '#/schemas/TradeRecord' } }
  TradeRecord:
    type: object
    properties:
      trade_id: { type: string }
      market: { $ref: '#/schemas/Ticker' }
      made: { type: string, format: date-time }
",
    ),
    (
        "asyncapi.yaml",
        "\
asyncapi: 3.0.0
info: { title: V streams, version: '1' }
servers:
  production: { host: v.test, pathname: /ws, protocol: wss, x-environment: production, x-endpoint: stream }
x-login: { stream: { upgrade: key } }
x-dialect:
  commands:
    id: id
    command: cmd
    params: params
    channels: channels
    kind: type
    data: msg
    subscription: sid
    sent: sent_ms
    subscribe: [subscribe, subscribed]
    channel: channel
    ok: ok
    unsubscribe: [unsubscribe, sids, unsubscribed]
    update: [update, action]
    error: error
    error-members: [code, msg]
    codes: { '1': no such channel }
x-keep-alive: { ask-after: 15, dead-after: 30 }
x-limits: { per-command: 500, connections: { production: 10 } }
channels:
  book: { $ref: 'stream-a.yaml#/channels/book' }
  trade: { $ref: 'stream-a.yaml#/channels/trade' }
",
    ),
    (
        "stream-a.yaml",
        "\
channels:
  book:
    address: 'book.{ticker}.{interval}'
    description: A book.
    x-endpoint: stream
    x-access: { private-when: { interval: raw } }
    parameters:
      ticker: { description: Market., x-schema: { $ref: 'a.yaml#/schemas/Ticker' } }
      interval: { description: How often., enum: [raw, 100ms] }
    messages:
      whole: { $ref: '#/messages/BookWhole' }
      level: { $ref: '#/messages/BookLevel' }
    x-sequence: { counter: { member: seq, first: 1 } }
    x-recover: resubscribe
    x-book:
      instrument: /ticker
      mark: /clock
      snapshots:
        whole: { bids: /bids, asks: /asks, entry: [price, size] }
      changes:
        level: { price: /price, size: /size, side: /side, bid: bid, ask: ask, is: change }
  trade:
    address: trade
    description: Trades.
    x-endpoint: stream
    x-access: public
    x-parameters:
      tickers:
        description: Markets.
        schema: { type: array, items: { $ref: 'a.yaml#/schemas/Ticker' } }
      ticker: { description: One market., schema: { $ref: 'a.yaml#/schemas/Ticker' }, alias-of: tickers }
      whole: { description: Whole numbers., schema: { type: boolean }, fixed: true }
      depth: { description: How deep., schema: { type: integer } }
    x-items: { parameter: tickers, all: true, item: /ticker, add: add_tickers, remove: remove_tickers }
    messages:
      trade: { $ref: '#/messages/Trade' }
    x-sequence: none
    x-recover:
      catch-up:
        operation: ListTrades
        list: /trades
        parameters: { market: tickers }
        since: { parameter: after, unit: unix-ms }
        key: /trade_id
        order: /at
        renamed: { market: ticker }
        times: { made: at }
messages:
  BookWhole:
    name: book
    payload: { $ref: '#/schemas/BookWholeMessage' }
    x-when: { at: /form, equals: whole }
    x-snapshot: true
  BookLevel:
    name: book
    payload: { $ref: '#/schemas/BookLevelMessage' }
  Trade:
    name: trade
    payload: { $ref: '#/schemas/TradeMessage' }
  Refusal:
    payload: { $ref: '#/schemas/RefusalMessage' }
    x-control: true
schemas:
  BookWholeMessage:
    type: object
    required: [ticker]
    properties:
      form: { type: string }
      ticker: { $ref: 'a.yaml#/schemas/Ticker' }
      clock: { type: integer }
      bids: { type: array, items: { type: array, x-tuple: [decimal, decimal] } }
      asks: { type: array, items: { type: array, x-tuple: [decimal, decimal] } }
  BookLevelMessage:
    type: object
    required: [ticker]
    properties:
      form: { type: string }
      ticker: { $ref: 'a.yaml#/schemas/Ticker' }
      clock: { type: integer }
      side: { $ref: 'a.yaml#/schemas/Side' }
      price: { type: string, format: decimal }
      size: { type: string, format: decimal, nullable: true }
  TradeMessage:
    type: object
    required: [trade_id]
    properties:
      trade_id: { type: string }
      ticker: { $ref: 'a.yaml#/schemas/Ticker' }
      at: { type: integer, format: unix-ms }
  RefusalMessage:
    type: object
    properties:
      code: { type: integer }
",
    ),
];

/// Its files, each after an edit that applies to one place of all of them.
pub fn edited(find: &str, with: &str) -> Document {
    let places: usize = FILES.iter().map(|(_, text)| text.matches(find).count()).sum();
    assert!(find.is_empty() || places == 1, "{find:?} stands once");
    let source = |(name, text): &(&str, &str)| {
        let text = if find.is_empty() { (*text).to_owned() } else { text.replacen(find, with, 1) };
        Source::parse(&format!("specs/v/{name}"), &text).unwrap()
    };
    Document::join("v", FILES.iter().map(source).collect()).unwrap()
}

/// The venue as it is.
pub fn document() -> Document {
    edited("", "")
}
