//! Calls over a WebSocket that is described: a sound spec, what it becomes, and mistakes in it.

use super::{Case, Files, check, findings, owned, read};
use crate::emit::generate;

const DESCRIBED: Files = &[(
    "openapi.yaml",
    "\
openapi: 3.0.3
info: { title: t, version: '1' }
servers:
  - { url: 'https://v.test', x-environment: production }
security: [{ signed: [] }]
x-errors: { code: [/code] }
x-buckets:
  weight: [{ tier: basic, windows: [{ count: 6000, seconds: 60 }] }]
x-signatures:
  signature:
    text: [query, body]
    time: unix-ms
    keys: { shared: [hmac-sha256, hex], ed25519: [ed25519, base64] }
    headers: { X-Key: '{id}' }
    adds: [{ timestamp: '{time}' }, { signature: '{signature}' }]
x-client-headers: { X-Time-Unit: [MILLISECOND, MICROSECOND] }
x-websocket:
  parameters: { X-Time-Unit: timeUnit }
  servers: { production: 'wss://w.test/ws-api' }
  dead-after: 60
  connection-life: 82800
  envelope:
    { id: id, method: method, params: params, status: status, result: result, error: error, retry-at: /data/retryAfter,
      event: { data: event, subscription: subscriptionId, type: e, closing: serverShutdown },
      limits: { list: rateLimits, type: rateLimitType, unit: interval, number: intervalNum, used: count,
                buckets: { REQUEST_WEIGHT: weight }, units: { MINUTE: 60 } } }
  signed:
    signature: [{ apiKey: '{id}' }, { recvWindow: '5000' }, { timestamp: '{time}' }, { signature: '{signature}' }]
  logon: { operation: sessionLogon, keys: [ed25519], adds: [{ timestamp: '{time}' }] }
paths:
  /order:
    get:
      operationId: getOrder
      tags: [a]
      x-retry: safe
      x-rate: { bucket: weight, cost: 4 }
      x-method: order.status
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
  /session.logon:
    post:
      operationId: sessionLogon
      tags: [a]
      x-retry: safe
      x-rate: { bucket: weight, cost: 2 }
      x-method: session.logon
      x-connection: { only: true }
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        4XX: { $ref: '#/components/responses/Failed' }
        5XX: { $ref: '#/components/responses/Failed' }
components:
  securitySchemes:
    signed: { type: apiKey, in: header, name: X-Key, x-credential: signature }
  responses:
    Failed: { description: no, content: { application/json: { schema: { $ref: '#/components/schemas/ApiError' } } } }
  schemas:
    Order: { type: object, required: [orderId], properties: { orderId: { type: integer } } }
    ApiError: { type: object, properties: { code: { type: integer } } }
",
)];

const SERVERS: &str = "  servers: { production: 'wss://w.test/ws-api' }";
const SIGNED: &str =
    "signature: [{ apiKey: '{id}' }, { recvWindow: '5000' }, { timestamp: '{time}' }, { signature: '{signature}' }]";

const CASES: &[Case] = &[
    ("bad-word", SERVERS, "  servers: { demo: 'wss://w.test/ws-api' }", "x-websocket:"),
    ("bad-word", SERVERS, "  servers: { production: 'https://w.test/ws-api' }", "x-websocket:"),
    ("bad-word", "dead-after: 60", "dead-after: 0", "x-websocket:"),
    ("bad-word", "connection-life: 82800", "connection-life: 0", "x-websocket:"),
    ("bad-word", "type: e, closing", "closing", "x-websocket:"),
    ("bad-word", ", closing: serverShutdown", "", "x-websocket:"),
    ("bad-word", "status: status, ", "", "x-websocket:"),
    ("bad-word", "retry-at: /data/retryAfter", "retry-at: data", "x-websocket:"),
    ("bad-word", "REQUEST_WEIGHT: weight", "REQUEST_WEIGHT: orders", "x-websocket:"),
    ("bad-word", SIGNED, "key: [{ signature: '{signature}' }]", "x-websocket:"),
    ("bad-word", SIGNED, "signature: [{ apiKey: '{id}' }]", "x-websocket:"),
    ("bad-word", SIGNED, "signature: [{ a: '{signature}', b: '1' }]", "x-websocket:"),
    ("bad-word", SIGNED, "signature: [{ a: 'x{signature}' }]", "x-websocket:"),
    ("bad-word", SIGNED, "signature: [{ a: '{nonce}' }, { b: '{signature}' }]", "x-websocket:"),
    ("bad-word", "operation: sessionLogon", "operation: logon", "x-websocket:"),
    ("bad-word", "{ X-Time-Unit: timeUnit }", "{ X-Unit: timeUnit }", "x-websocket:"),
    ("bad-word", "keys: [ed25519]", "keys: []", "x-websocket:"),
    ("bad-word", "adds: [{ timestamp: '{time}' }] }\npaths", "adds: [{ s: '{signature}' }] }\npaths", "x-websocket:"),
    ("bad-word", "x-connection: { only: true }", "x-connection: { logon: maybe }", "x-connection:"),
];

#[test]
fn mistakes_in_the_description_are_named() {
    check(DESCRIBED, CASES);
}

#[test]
fn the_description_becomes_a_table() {
    let files = owned(DESCRIBED);
    assert_eq!(findings(&files), []);
    let generated = generate(&read(&files).unwrap()).unwrap();
    let table: String = generated.files["venue.rs"].split_whitespace().collect();
    for part in [
        r#"websocket:Some(WebSocket{dead_after:Some(60),connection_life:Some(82800),envelope:Some(Envelope{id:"id",method:"method","#,
        r#"retry_at:Some("/data/retryAfter"),event:Some(EventMembers{data:"event",subscription:"subscriptionId",closing:Some(("e","serverShutdown")),}),"#,
        r#"buckets:&[("REQUEST_WEIGHT","weight")],units:&[("MINUTE",60)],"#,
        r#"("recvWindow","5000"),("timestamp","{time}"),("signature","{signature}"),"#,
        r#"logon:Some(Logon{operation:"session_logon",keys:&[KeyType::Ed25519],adds:&[("timestamp","{time}")],}),"#,
        r#"on_connection:Some(OnConnection{only:true,..OnConnection::NONE}),"#,
        r#"parameters:&[("x-time-unit","timeUnit")],..WebSocket::EMPTY}),"#,
        r#"rpc_method:Some("order.status"),"#,
        r#"pubfnwebsocket_url(&self)->&str"#,
    ] {
        assert!(table.contains(part), "{part}\nis not in\n{table}");
    }
    let client: String = generated.files["client.rs"].split_whitespace().collect();
    assert!(client.contains("pubfnwebsocket(environment:"), "{client}");
}
