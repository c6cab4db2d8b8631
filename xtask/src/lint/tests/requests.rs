//! Forms, lists as JSON text, signatures that add parameters, costs that depend on parameters: a sound spec of them, what it becomes, and
//! mistakes in it.

use super::{Case, Files, check, findings, owned, read};
use crate::emit::generate;

const FORMS: Files = &[(
    "openapi.yaml",
    "\
openapi: 3.0.3
info: { title: t, version: '1' }
servers:
  - { url: 'https://v.test', x-environment: production }
  - { url: 'https://w.test', x-environment: test, x-serves: [/api] }
security: [{ signed: [] }]
x-errors:
  code: [/code]
  statuses: { 418: rate-limited }
  bans: { 418: 259200 }
  texts: [{ code: '-2010', says: insufficient balance, kind: insufficient-funds }, { says: closed, kind: maintenance }]
x-buckets:
  weight: [{ tier: basic, windows: [{ count: 6000, seconds: 60 }] }]
  orders: [{ tier: basic, per: path, windows: [{ count: 50, seconds: 10 }, { count: 160000, seconds: 86400 }] }]
x-rate-headers:
  - { bucket: weight, used: X-Used-Weight, window: 60 }
  - { bucket: orders, used: X-Orders, window: 10 }
  - { remaining: X-Left, reset: X-Reset, unit: unix-ms }
x-client-headers: { X-Time-Unit: [MILLISECOND, MICROSECOND] }
x-signatures:
  signature:
    text: [query, body]
    time: unix-ms
    keys: { shared: [hmac-sha256, hex], rsa: [pkcs1v15-sha256, base64], ed25519: [ed25519, base64] }
    headers: { X-Key: '{id}' }
    adds: [{ recvWindow: '5000' }, { timestamp: '{time}' }, { signature: '{signature}' }]
paths:
  /api/order:
    get:
      operationId: getOrder
      tags: [a]
      x-retry: safe
      x-rate: { bucket: weight, cost: 4, per-item: symbols, costs: [{ without: symbols, cost: 80 }, { parameter: symbols, items-above: 50, cost: 200 }, { parameter: limit, above: 100, cost: 25 }, { parameter: side, is: BUY, cost: 3 }, { given: origClientOrderId, cost: 5 }] }
      parameters:
        - { name: symbols, in: query, content: { application/json: { schema: { type: array, items: { type: string } } } } }
        - { name: limit, in: query, schema: { type: integer } }
        - { name: side, in: query, schema: { type: string } }
        - { name: origClientOrderId, in: query, schema: { type: string } }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
    post:
      operationId: newOrder
      tags: [a]
      x-retry: never
      x-client-id: newClientOrderId
      x-reconcile: { operation: getOrder, by: [origClientOrderId] }
      x-rate: [{ bucket: weight, cost: 1 }, { bucket: orders, cost: 1 }]
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema: { $ref: '#/components/schemas/NewOrder' }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Key, x-credential: key, x-carries: id }
    signed: { type: apiKey, in: header, name: X-Key, x-credential: signature }
  responses:
    Failed: { description: no }
  schemas:
    NewOrder:
      type: object
      required: [symbol]
      properties:
        symbol: { type: string }
        price: { type: number, format: decimal }
        newClientOrderId: { type: string }
        ids: { type: array, items: { type: integer } }
    Order:
      type: object
      properties:
        time: { type: integer, format: unix-ms-or-us }
",
)];

const TEXT: &str = "    text: [query, body]";
const ADDS: &str = "    adds: [{ recvWindow: '5000' }, { timestamp: '{time}' }, { signature: '{signature}' }]";
const RATES: &str = "[{ bucket: weight, cost: 1 }, { bucket: orders, cost: 1 }]";
const WEIGHT: &str = "  - { bucket: weight, used: X-Used-Weight, window: 60 }";
const UNITS: &str = "{ X-Time-Unit: [MILLISECOND, MICROSECOND] }";
const LIST: &str = "content: { application/json: { schema: { type: array, items: { type: string } } } } }";

pub const CASES: &[Case] = &[
    ("request-media", "application/x-www-form-urlencoded", "application/json", "          application/json:"),
    ("bad-word", ADDS, "    adds: { recvWindow: '5000', signature: '{signature}' }", "x-signatures:"),
    ("bad-word", ADDS, "    adds: [{ signature: '{signature}' }, { timestamp: '{time}' }]", "x-signatures:"),
    ("bad-word", ADDS, "    adds: [{ timestamp: '{time}' }]", "x-signatures:"),
    ("bad-word", ADDS, "    adds: [{ timestamp: '{time}', signature: '{signature}' }]", "x-signatures:"),
    ("bad-word", ADDS, "    adds: [{ s: '{signature}' }, { signature: '{signature}' }]", "x-signatures:"),
    ("bad-word", "x-serves: [/api]", "x-serves: [/sapi]", "https://w.test"),
    ("bad-word", "x-serves: [/api]", "x-serves: [/api/]", "https://w.test"),
    ("bad-word", "x-serves: [/api]", "x-serves: []", "https://w.test"),
    ("bad-word", TEXT, "    text: [query]", "x-signatures:"),
    ("bad-word", TEXT, "    text: [path, body]", "x-signatures:"),
    ("bad-word", RATES, "[]", "x-rate: []"),
    ("bad-word", RATES, "[{ bucket: weight, cost: 1 }, { bucket: weight, cost: 2 }]", "cost: 2 }]"),
    ("bad-word", RATES, "[{ bucket: other, cost: 1 }]", "bucket: other"),
    ("bad-word", "{ without: symbols, cost: 80 }", "{ cost: 80 }", "x-rate: { bucket: weight"),
    ("bad-word", "{ without: symbols, cost: 80 }", "{ without: a, given: b, cost: 80 }", "x-rate: { bucket: weight"),
    ("bad-word", "above: 100, cost: 25", "cost: 25", "x-rate: { bucket: weight"),
    ("unknown-key", "{ without: symbols, cost: 80 }", "{ without: other, cost: 80 }", "x-rate: { bucket: weight"),
    ("unknown-key", "per-item: symbols", "per-item: limit", "x-rate: { bucket: weight"),
    ("unknown-key", "x-client-id: newClientOrderId", "x-client-id: id", "x-client-id: id"),
    ("bad-word", "x-client-id: newClientOrderId", "x-method: order.place", "x-method"),
    ("bad-word", WEIGHT, "  - { bucket: weight, used: X-Used-Weight }", "x-rate-headers:"),
    ("bad-word", WEIGHT, "  - { used: X-Used-Weight, window: 60 }", "x-rate-headers:"),
    ("bad-word", WEIGHT, "  - { bucket: weight, used: X-Used-Weight, window: 10 }", "x-rate-headers:"),
    ("bad-word", WEIGHT, "  - { bucket: weight, used: X-Used-Weight, reset: X-Reset, window: 60 }", "x-rate-headers:"),
    ("bad-word", "per: path", "per: account", "x-buckets:"),
    (
        "bad-word",
        "  weight: [{ tier: basic,",
        "  weight: [{ tier: vip, per: path, windows: [{ count: 1, seconds: 60 }] }, { tier: basic,",
        "x-buckets:",
    ),
    ("bad-word", UNITS, "{}", "x-client-headers"),
    ("bad-word", UNITS, "{ X-Time-Unit: [] }", "x-client-headers"),
    ("bad-word", UNITS, "{ X-Time-Unit: ['a b'] }", "x-client-headers"),
    ("bad-word", UNITS, "{ 'X Time': [a] }", "x-client-headers"),
    ("bad-word", UNITS, "{ x-key: [a] }", "x-client-headers"),
    ("bad-word", UNITS, "{ Authorization: [a] }", "x-client-headers"),
    ("bad-word", "says: closed", "says: Closed!", "x-errors:"),
    ("bad-word", "kind: maintenance", "kind: shut", "x-errors:"),
    ("bad-word", "bans: { 418: 259200 }", "bans: { 419: 60 }", "x-errors:"),
    ("bad-word", "bans: { 418: 259200 }", "bans: { 418: -1 }", "x-errors:"),
    ("parameter-content", LIST, "content: { application/json: { schema: { type: string } } } }", "name: symbols"),
    (
        "parameter-content",
        LIST,
        "schema: { type: string }, content: { application/json: { schema: { type: array, items: {} } } } }",
        "name: symbols",
    ),
    ("parameter-content", LIST, "content: { text/plain: { schema: { type: array, items: {} } } } }", "name: symbols"),
    (
        "form",
        "ids: { type: array, items: { type: integer } }",
        "ids: { $ref: '#/components/schemas/Order' }",
        "x-www-form",
    ),
    ("form", "ids: { type: array, items: { type: integer } }", "ids: {}", "x-www-form"),
    (
        "form",
        "      required: [symbol]",
        "      required: [symbol]\n      additionalProperties: { type: string }",
        "x-www-form",
    ),
    ("form", "schema: { $ref: '#/components/schemas/NewOrder' }", "schema: { type: string }", "x-www-form"),
    ("request-media", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data"),
];

#[test]
fn mistakes_are_named() {
    check(FORMS, CASES);
}

#[test]
fn the_table_and_the_client_say_how_a_request_is_written() {
    let files = owned(FORMS);
    assert_eq!(findings(&files), []);
    let made = generate(&read(&files).unwrap()).unwrap().files;
    let dense = |text: &str| {
        text.split_whitespace().collect::<String>().replace(",}", "}").replace(",]", "]").replace(",)", ")")
    };
    let (venue, client) = (dense(&made["venue.rs"]), dense(&made["client.rs"]));
    let has = |text: &str, part: &str| assert!(text.contains(&dense(part)), "{part}\n{text}");
    has(
        &venue,
        r#"Operation { id: "new_order", path: "/api/order", method: "POST", access: &[&["signature"]], retry: Retry::Never,
            rate: &[Rate::new("weight", 1), Rate::new("orders", 1)],
            reconcile: Some(Reconcile { operation: "get_order", by: &["origClientOrderId"] }),
            form: true, client_id: Some("newClientOrderId"), ..Operation::EMPTY }"#,
    );
    has(
        &venue,
        r#"rate: &[Rate::new("weight", 4).each("symbols").unless(&[
            CostRule { when: CostWhen::Without("symbols"), cost: 80 },
            CostRule { when: CostWhen::ItemsAbove("symbols", 50), cost: 200 },
            CostRule { when: CostWhen::Above("limit", 100), cost: 25 },
            CostRule { when: CostWhen::Is("side", "BUY"), cost: 3 },
            CostRule { when: CostWhen::Given("origClientOrderId"), cost: 5 }])],
            json_lists: &["symbols"], ..Operation::EMPTY }"#,
    );
    has(
        &venue,
        r#"fields: &[("x-key", "{id}")], place: Place::Headers,
            adds: &[("recvWindow", "5000"), ("timestamp", "{time}"), ("signature", "{signature}")]"#,
    );
    has(
        &venue,
        r#"rate_headers: &[
            RateHeaders::Used { bucket: "weight", used: "x-used-weight", seconds: 60 },
            RateHeaders::Used { bucket: "orders", used: "x-orders", seconds: 10 },
            RateHeaders::Left { bucket: None, remaining: "x-left", reset: "x-reset", per_second: 1000 }],
            client_headers: &[ClientHeader { name: "x-time-unit", values: &["MILLISECOND", "MICROSECOND"] }]"#,
    );
    has(
        &venue,
        r#"texts: &[
            ErrorText { code: Some("-2010"), says: "insufficient balance", kind: ErrorKind::InsufficientFunds },
            ErrorText { code: None, says: "closed", kind: ErrorKind::Maintenance }]"#,
    );
    has(&venue, r#"hosts: &[], key_page: None, serves: &["/api"] }"#);
    has(&venue, r#"Bucket { name: "orders", per_path: true,"#);
    has(&client, r#".json_query("symbols", &self.symbols).query("limit", &self.limit)"#);
    has(&client, "symbols: Option<Vec<String>>");
    has(&client, ".built_body::<types::NewOrder>(self.body)");
    has(&client, "time: Option<wire::UnixMillisOrMicros>");
    has(
        &client,
        "- Cost: 4 of the rate limit `weight` for each element of `symbols`; 80 without `symbols`; \
         200 with more than 50 elements of `symbols`; 25 with `limit` above 100; 3 with `side` `BUY`; 5 with `origClientOrderId`.",
    );
    has(
        &client,
        "- Own id: `newClientOrderId` names what the call makes, so that [`Client::get_order`] finds it. It is no idempotency key: \
         the venue may accept the same one again.",
    );
}
